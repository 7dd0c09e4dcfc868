//! Space Invaders: a cannon shoots at aliens that come down row by row.
//!
//! The aliens march to the edge, turn there and come a row nearer, the faster the fewer they are.
//! The one nearest to the cannon's column drops a bullet every tenth frame. An alien that is hit
//! earns 1; when all are gone the next wave comes, and marches a little faster. The game is lost
//! when a bullet or an alien reaches the cannon, or the aliens turn in the last row.

use super::machine::{Cells, Chance, END, Key, Rules, SIZE};

pub(super) const CHANNELS: &[&str] = &[
    "cannon",
    "alien",
    "alien to the left",
    "alien to the right",
    "own bullet",
    "alien's bullet",
];

/// Frames from one shot to the next, of the cannon and of the aliens.
const RELOAD: u8 = 5;
const ALIENS_RELOAD: u8 = 10;
/// The most frames from one step of the aliens to the next, in the first wave and in the last.
const SLOWEST: u32 = 12;
const FASTEST: u32 = 6;

#[derive(Clone, Debug)]
pub(super) struct SpaceInvaders {
    cannon: usize,
    reload: u8,
    shots: Cells,
    aliens: Cells,
    rightwards: bool,
    bombs: Cells,
    bomb_in: u8,
    /// The most frames between steps in this wave.
    march_every: u32,
    march_in: u32,
    ramping: bool,
    over: bool,
}

impl SpaceInvaders {
    pub(super) fn new(ramping: bool) -> Self {
        Self {
            cannon: 5,
            reload: 0,
            shots: Cells::default(),
            aliens: wave(),
            rightwards: false,
            bombs: Cells::default(),
            bomb_in: ALIENS_RELOAD,
            march_every: SLOWEST,
            march_in: SLOWEST,
            ramping,
            over: false,
        }
    }

    fn march(&mut self) {
        let edge = if self.rightwards { END } else { 0 };
        if self.aliens.column(edge) == 0 {
            self.aliens.shift_columns(self.rightwards);
            return;
        }
        self.rightwards = !self.rightwards;
        // They have landed. What is drawn of it then is a row that comes in from above.
        self.over |= self.aliens.row(END) != 0;
        self.aliens.rotate_down();
    }

    /// The lowest alien of the column that is nearest to the cannon, the left one of two.
    fn bomber(&self) -> Option<(usize, usize)> {
        let columns = (0..SIZE).filter(|&column| self.aliens.column(column) != 0);
        let column = columns.min_by_key(|column| column.abs_diff(self.cannon))?;
        let row = (0..SIZE).rfind(|&row| self.aliens.has(row, column))?;
        Some((row, column))
    }
}

fn wave() -> Cells {
    let mut aliens = Cells::default();
    aliens.fill(0..4, 2..8);
    aliens
}

impl Rules for SpaceInvaders {
    fn step(&mut self, key: Key, _chance: &mut impl Chance) -> f32 {
        match key {
            Key::Fire if self.reload == 0 => {
                self.shots.set(END, self.cannon);
                self.reload = RELOAD;
            }
            Key::Left => self.cannon = self.cannon.saturating_sub(1),
            Key::Right => self.cannon = (self.cannon + 1).min(END),
            _ => {}
        }
        self.shots.shift_up();
        self.bombs.shift_down();
        self.over |= self.bombs.has(END, self.cannon) || self.aliens.has(END, self.cannon);
        if self.march_in == 0 {
            self.march_in = self.aliens.count().min(self.march_every);
            self.march();
            self.over |= self.aliens.has(END, self.cannon);
        }
        if self.bomb_in == 0 {
            self.bomb_in = ALIENS_RELOAD;
            if let Some((row, column)) = self.bomber() {
                self.bombs.set(row, column);
            }
        }
        let killed = self.aliens.take_common(&mut self.shots);
        self.reload = self.reload.saturating_sub(1);
        self.march_in -= 1;
        self.bomb_in -= 1;
        if self.aliens.is_empty() {
            if self.ramping {
                self.march_every = (self.march_every - 1).max(FASTEST);
            }
            self.aliens = wave();
        }
        f32::from(killed)
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn revive(&mut self) {
        self.over = false;
    }

    fn draw(&self, mut plot: impl FnMut(usize, usize, usize)) {
        plot(0, END, self.cannon);
        let direction = if self.rightwards { 3 } else { 2 };
        self.aliens.each(|row, column| {
            plot(1, row, column);
            plot(direction, row, column);
        });
        self.shots.each(|row, column| plot(4, row, column));
        self.bombs.each(|row, column| plot(5, row, column));
    }
}
