//! Gomoku on 9 by 9, freestyle: five or more in a row win.
//!
//! Actions are the crossings, row by row from the top left. An observation is the mover's stones
//! and the other's.

use super::board::nine::{BOARD, CELLS, SIZE, STRIDE, bit, cell};
use super::board::{WideBits, check_action, illegal, no_name, parse_vertex, vertex};
use super::{
    ActionCells, ActionCoding, Board, BoardStyle, Game, Kind, Outcome, Piece, Player, Scene, Spec,
};
use crate::error::Result;
use crate::rng::Rng;

const SPEC: Spec = Spec {
    observation: [2, SIZE, SIZE],
    actions: CELLS,
    players: 2,
    max_steps: CELLS,
    coding: ActionCoding::Cell,
};

/// Steps along a row, a column and both diagonals.
const DIRECTIONS: [usize; 4] = [1, STRIDE, STRIDE + 1, STRIDE - 1];

/// A game of Gomoku.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gomoku {
    /// The first player's stones and the second's.
    stones: [u128; 2],
    played: u8,
    last: Option<u8>,
    outcome: Option<Outcome>,
}

impl Gomoku {
    /// An empty board.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn empty(&self) -> u128 {
        BOARD & !(self.stones[0] | self.stones[1])
    }
}

/// The first stones of five in a row in a direction.
fn fives(stones: u128, step: usize) -> u128 {
    let pairs = stones & stones >> step;
    pairs & pairs >> (2 * step) & stones >> (4 * step)
}

/// All stones that are part of five in a row.
fn winning(stones: u128) -> u128 {
    let mut all = 0;
    for step in DIRECTIONS {
        let first = fives(stones, step);
        all |= (0..5).fold(0, |line, place| line | first << (place * step));
    }
    all
}

impl Game for Gomoku {
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
        legal.fill(false);
        if !self.is_over() {
            for place in WideBits(self.empty()) {
                legal[cell(place)] = true;
            }
        }
    }

    fn step(&mut self, action: usize) -> Result<f32> {
        check_action(action, SPEC.actions)?;
        let stone = 1 << bit(action);
        if self.is_over() || self.empty() & stone == 0 {
            return Err(illegal(&self.action_name(action)));
        }
        let mover = self.to_play();
        let own = &mut self.stones[mover as usize];
        *own |= stone;
        let won = DIRECTIONS.iter().any(|&step| fives(*own, step) != 0);
        self.played += 1;
        self.last = Some(action as u8);
        if won {
            self.outcome = Some(Outcome::Won(mover));
            return Ok(1.0);
        }
        if self.empty() == 0 {
            self.outcome = Some(Outcome::Drawn);
        }
        Ok(0.0)
    }

    fn observe(&self, planes: &mut [f32]) {
        let mover = self.to_play() as usize;
        planes.fill(0.0);
        for (plane, player) in planes.chunks_exact_mut(CELLS).zip([mover, 1 - mover]) {
            for place in WideBits(self.stones[player]) {
                plane[cell(place)] = 1.0;
            }
        }
    }

    fn scene(&self) -> Scene {
        let mut cells = vec![None; CELLS];
        let mut marked = Vec::new();
        for player in [Player::First, Player::Second] {
            let stones = self.stones[player as usize];
            for place in WideBits(stones) {
                let kind = Kind::Stone;
                cells[cell(place)] = Some(Piece { player, kind });
            }
            marked.extend(WideBits(winning(stones)).map(cell));
        }
        Scene::Board(Board {
            style: BoardStyle::Stones,
            rows: SIZE,
            columns: SIZE,
            cells,
            last: self.last.map(usize::from).into_iter().collect(),
            marked,
        })
    }

    fn action_name(&self, action: usize) -> String {
        vertex(action, SIZE)
    }

    fn parse_action(&self, name: &str) -> Result<usize> {
        let name = name.trim();
        parse_vertex(name, SIZE).ok_or_else(|| no_name(name, "crossings such as D4, without I"))
    }

    fn cells(&self, action: usize) -> ActionCells {
        ActionCells {
            from: None,
            to: (action < CELLS).then_some(action),
        }
    }
}
