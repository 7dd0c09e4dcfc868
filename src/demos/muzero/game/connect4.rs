//! Connect Four: discs fall into 7 columns of 6, four in a row win.
//!
//! Actions are the columns. An observation is the mover's discs and the other's, the top row first.
//!
//! A board is kept as bits, a column of seven after the other from the bottom up. The seventh is
//! always empty, so that a line found by shifting never wraps into the next column.

use super::board::{Bits, check_action, illegal, no_name, parse_number};
use super::{
    ActionCells, ActionCoding, Board, BoardStyle, Game, Kind, Outcome, Piece, Player, Scene, Spec,
};
use crate::error::Result;
use crate::rng::Rng;

const ROWS: usize = 6;
const COLUMNS: usize = 7;
/// Bits of a column.
const HEIGHT: usize = ROWS + 1;

const SPEC: Spec = Spec {
    observation: [2, ROWS, COLUMNS],
    actions: COLUMNS,
    players: 2,
    max_steps: ROWS * COLUMNS,
    coding: ActionCoding::Column,
};

/// Steps along a column, a row and both diagonals.
const DIRECTIONS: [usize; 4] = [1, HEIGHT, HEIGHT + 1, HEIGHT - 1];

/// A game of Connect Four.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectFour {
    /// The first player's discs and the second's.
    discs: [u64; 2],
    /// Discs in each column.
    heights: [u8; COLUMNS],
    played: u8,
    last: Option<u8>,
    outcome: Option<Outcome>,
}

impl ConnectFour {
    /// An empty board.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The cell of a disc, counted from the top left, of its bit.
    fn cell(bit: usize) -> usize {
        (ROWS - 1 - bit % HEIGHT) * COLUMNS + bit / HEIGHT
    }
}

/// The first discs of four in a row in a direction.
fn fours(discs: u64, step: usize) -> u64 {
    let pairs = discs & discs >> step;
    pairs & pairs >> (2 * step)
}

/// All discs that are part of four in a row.
fn winning(discs: u64) -> u64 {
    let mut all = 0;
    for step in DIRECTIONS {
        let first = fours(discs, step);
        all |= first | first << step | first << (2 * step) | first << (3 * step);
    }
    all
}

impl Game for ConnectFour {
    fn spec(&self) -> &Spec {
        &SPEC
    }

    fn boxed_clone(&self) -> Result<Box<dyn Game>> {
        Ok(Box::new(self.clone()))
    }

    fn reset(&mut self, _rng: Rng) -> Result<()> {
        *self = Self::new();
        Ok(())
    }

    fn to_play(&self) -> Player {
        if self.played.is_multiple_of(2) {
            Player::First
        } else {
            Player::Second
        }
    }

    fn is_over(&self) -> bool {
        self.outcome.is_some()
    }

    fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    fn legal(&self, legal: &mut [bool]) {
        let over = self.is_over();
        for (legal, height) in legal.iter_mut().zip(self.heights) {
            *legal = !over && usize::from(height) < ROWS;
        }
    }

    fn step(&mut self, action: usize) -> Result<f32> {
        check_action(action, SPEC.actions)?;
        let height = usize::from(self.heights[action]);
        if self.is_over() || height == ROWS {
            return Err(illegal(&self.action_name(action)));
        }
        let mover = self.to_play();
        let bit = action * HEIGHT + height;
        let own = &mut self.discs[mover as usize];
        *own |= 1 << bit;
        let won = DIRECTIONS.iter().any(|&step| fours(*own, step) != 0);
        self.heights[action] += 1;
        self.played += 1;
        self.last = Some(Self::cell(bit) as u8);
        if won {
            self.outcome = Some(Outcome::Won(mover));
            return Ok(1.0);
        }
        if usize::from(self.played) == SPEC.max_steps {
            self.outcome = Some(Outcome::Drawn);
        }
        Ok(0.0)
    }

    fn observe(&self, planes: &mut [f32]) {
        let mover = self.to_play() as usize;
        planes.fill(0.0);
        let planes = planes.chunks_exact_mut(ROWS * COLUMNS);
        for (plane, player) in planes.zip([mover, 1 - mover]) {
            for bit in Bits(self.discs[player]) {
                plane[Self::cell(bit)] = 1.0;
            }
        }
    }

    fn scene(&self) -> Scene {
        let mut cells = vec![None; ROWS * COLUMNS];
        let mut marked = Vec::new();
        for player in [Player::First, Player::Second] {
            let discs = self.discs[player as usize];
            for bit in Bits(discs) {
                let kind = Kind::Stone;
                cells[Self::cell(bit)] = Some(Piece { player, kind });
            }
            marked.extend(Bits(winning(discs)).map(Self::cell));
        }
        Scene::Board(Board {
            style: BoardStyle::ConnectFour,
            rows: ROWS,
            columns: COLUMNS,
            cells,
            last: self.last.map(usize::from).into_iter().collect(),
            marked,
        })
    }

    fn action_name(&self, action: usize) -> String {
        (action + 1).to_string()
    }

    fn parse_action(&self, name: &str) -> Result<usize> {
        let name = name.trim();
        let column = parse_number(name, COLUMNS).ok_or_else(|| no_name(name, "1 to 7"))?;
        Ok(column - 1)
    }

    /// The cell where the disc comes to lie; the top one of a full column.
    fn cells(&self, action: usize) -> ActionCells {
        let to = self.heights.get(action).map(|&height| {
            let height = usize::from(height).min(ROWS - 1);
            Self::cell(action * HEIGHT + height)
        });
        ActionCells { from: None, to }
    }
}
