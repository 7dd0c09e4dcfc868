//! What the five games share: keys, chance, the grid, sticky actions.

use super::super::MinAtar;
use super::asterix::Asterix;
use super::breakout::Breakout;
use super::freeway::Freeway;
use super::seaquest::Seaquest;
use super::space_invaders::SpaceInvaders;
use crate::rng::Rng;

/// Rows and columns of the grid.
pub const SIZE: usize = 10;

/// The last row and the last column.
pub(super) const END: usize = SIZE - 1;

/// What a player can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the directions and the button of a joystick")]
pub enum Key {
    Noop,
    Left,
    Up,
    Right,
    Down,
    Fire,
}

impl Key {
    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Left => "left",
            Self::Up => "up",
            Self::Right => "right",
            Self::Down => "down",
            Self::Fire => "fire",
        }
    }
}

/// Where the games take their chances from.
pub trait Chance {
    /// Whether something of this probability happens.
    fn happens(&mut self, probability: f64) -> bool;

    /// A whole number in `[0, end)`.
    fn below(&mut self, end: usize) -> usize;
}

impl Chance for Rng {
    fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    fn below(&mut self, end: usize) -> usize {
        Rng::below(self, end)
    }
}

/// The rules of one game.
pub(super) trait Rules {
    /// One frame with this key held; gives the reward.
    fn step(&mut self, key: Key, chance: &mut impl Chance) -> f32;

    /// Whether the player lost, or the time is up.
    fn is_over(&self) -> bool;

    /// Forgets that the player lost; the time stays up.
    fn revive(&mut self);

    /// Calls `plot` with channel, row and column of all that is on the grid, some of it twice.
    fn draw(&self, plot: impl FnMut(usize, usize, usize));
}

#[derive(Clone, Debug)]
enum Cartridge {
    Breakout(Breakout),
    Freeway(Freeway),
    Asterix(Asterix),
    SpaceInvaders(SpaceInvaders),
    Seaquest(Seaquest),
}

/// Does the same with whichever game is inside.
macro_rules! with_rules {
    ($cartridge:expr, $rules:ident => $body:expr) => {
        match $cartridge {
            Cartridge::Breakout($rules) => $body,
            Cartridge::Freeway($rules) => $body,
            Cartridge::Asterix($rules) => $body,
            Cartridge::SpaceInvaders($rules) => $body,
            Cartridge::Seaquest($rules) => $body,
        }
    };
}

/// A machine that plays one game, from its first frame to the end.
#[derive(Clone, Debug)]
pub struct Machine {
    cartridge: Cartridge,
    held: Key,
}

impl Machine {
    /// The first frame of a game; with `ramping` it becomes harder with time.
    pub fn new(kind: MinAtar, ramping: bool, chance: &mut impl Chance) -> Self {
        let cartridge = match kind {
            MinAtar::Breakout => Cartridge::Breakout(Breakout::new(chance)),
            MinAtar::Freeway => Cartridge::Freeway(Freeway::new(chance)),
            MinAtar::Asterix => Cartridge::Asterix(Asterix::new(ramping)),
            MinAtar::SpaceInvaders => Cartridge::SpaceInvaders(SpaceInvaders::new(ramping)),
            MinAtar::Seaquest => Cartridge::Seaquest(Seaquest::new(ramping)),
        };
        Self {
            cartridge,
            held: Key::Noop,
        }
    }

    /// The keys that do something in this game.
    #[must_use]
    pub fn keys(&self) -> &'static [Key] {
        use Key::{Down, Fire, Left, Noop, Right, Up};
        match self.cartridge {
            Cartridge::Breakout(_) => &[Noop, Left, Right],
            Cartridge::Freeway(_) => &[Noop, Up, Down],
            Cartridge::Asterix(_) => &[Noop, Left, Up, Right, Down],
            Cartridge::SpaceInvaders(_) => &[Noop, Left, Right, Fire],
            Cartridge::Seaquest(_) => &[Noop, Left, Up, Right, Down, Fire],
        }
    }

    /// The names of the channels.
    #[must_use]
    pub fn channels(&self) -> &'static [&'static str] {
        match self.cartridge {
            Cartridge::Breakout(_) => super::breakout::CHANNELS,
            Cartridge::Freeway(_) => super::freeway::CHANNELS,
            Cartridge::Asterix(_) => super::asterix::CHANNELS,
            Cartridge::SpaceInvaders(_) => super::space_invaders::CHANNELS,
            Cartridge::Seaquest(_) => super::seaquest::CHANNELS,
        }
    }

    /// Whether the game has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        with_rules!(&self.cartridge, rules => rules.is_over())
    }

    /// Goes on after a loss as if nothing had happened, which shows late stages to those who do
    /// not get there. Breakout cannot: its ball is gone.
    pub fn revive(&mut self) {
        with_rules!(&mut self.cartridge, rules => rules.revive());
    }

    /// One frame: with probability `sticky` the key of the frame before stays held in place of
    /// `key`. Gives the reward.
    pub fn step(&mut self, key: Key, sticky: f64, chance: &mut impl Chance) -> f32 {
        if !chance.happens(sticky) {
            self.held = key;
        }
        let held = self.held;
        with_rules!(&mut self.cartridge, rules => rules.step(held, chance))
    }

    /// Calls `on` with the places in `[channels, rows, columns]` where something is.
    pub fn draw(&self, mut on: impl FnMut(usize)) {
        let plot = |channel, row, column| on((channel * SIZE + row) * SIZE + column);
        with_rules!(&self.cartridge, rules => rules.draw(plot));
    }
}

/// The next cell of a row; `None` beyond its end.
pub(super) fn ahead(column: usize, rightwards: bool) -> Option<usize> {
    if rightwards {
        (column < END).then_some(column + 1)
    } else {
        column.checked_sub(1)
    }
}

/// Cells that are on or off, a bit for each column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cells([u16; SIZE]);

impl Cells {
    /// Fills a rectangle; both ranges leave their end out.
    pub(super) fn fill(&mut self, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) {
        let bits = columns.fold(0, |bits, column| bits | 1 << column);
        for row in &mut self.0[rows] {
            *row |= bits;
        }
    }

    pub(super) fn has(&self, row: usize, column: usize) -> bool {
        self.0[row] >> column & 1 == 1
    }

    pub(super) fn set(&mut self, row: usize, column: usize) {
        self.0[row] |= 1 << column;
    }

    pub(super) fn clear(&mut self, row: usize, column: usize) {
        self.0[row] &= !(1 << column);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0 == [0; SIZE]
    }

    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|row| row.count_ones()).sum()
    }

    /// Calls `at` with row and column of each cell that is on.
    pub(super) fn each(&self, mut at: impl FnMut(usize, usize)) {
        for (row, &bits) in self.0.iter().enumerate() {
            for column in (0..SIZE).filter(|column| bits >> column & 1 == 1) {
                at(row, column);
            }
        }
    }

    /// The bits of a row.
    pub(super) fn row(&self, row: usize) -> u16 {
        self.0[row]
    }

    /// How many cells of a column are on.
    pub(super) fn column(&self, column: usize) -> usize {
        (0..SIZE).filter(|&row| self.has(row, column)).count()
    }

    pub(super) fn shift_up(&mut self) {
        self.0.rotate_left(1);
        self.0[END] = 0;
    }

    pub(super) fn shift_down(&mut self) {
        self.0.rotate_right(1);
        self.0[0] = 0;
    }

    /// Shifts downwards; the last row becomes the first.
    pub(super) fn rotate_down(&mut self) {
        self.0.rotate_right(1);
    }

    /// Shifts sideways; what is in the last column falls out.
    pub(super) fn shift_columns(&mut self, rightwards: bool) {
        for row in &mut self.0 {
            *row = if rightwards {
                *row << 1 & ((1 << SIZE) - 1)
            } else {
                *row >> 1
            };
        }
    }

    /// Turns off what is on in both, and says how much that was.
    pub(super) fn take_common(&mut self, other: &mut Self) -> u8 {
        let mut taken = 0;
        for (mine, others) in self.0.iter_mut().zip(&mut other.0) {
            let common = *mine & *others;
            *mine ^= common;
            *others ^= common;
            taken += common.count_ones().to_le_bytes()[0];
        }
        taken
    }
}
