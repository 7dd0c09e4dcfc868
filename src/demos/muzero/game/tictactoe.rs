//! Tic-tac-toe: 3 by 3, three in a row.
//!
//! Actions are the cells, row by row from the top left. An observation is the mover's stones and
//! the other's: no plane says who moves, because the position is worth the same for either.

use super::board::{
    Bits, check_action, illegal, no_name, parse_number, parse_square_from_top, square_from_top,
};
use super::{
    ActionCells, ActionCoding, Board, BoardStyle, Game, Kind, Outcome, Piece, Player, Scene, Spec,
};
use crate::error::Result;
use crate::rng::Rng;

const SPEC: Spec = Spec {
    observation: [2, 3, 3],
    actions: 9,
    players: 2,
    max_steps: 9,
    coding: ActionCoding::Cell,
};

const FULL: u16 = 0x1ff;

/// Three in a row, as bits of the cells.
const LINES: [u16; 8] = [
    0b000_000_111,
    0b000_111_000,
    0b111_000_000,
    0b001_001_001,
    0b010_010_010,
    0b100_100_100,
    0b100_010_001,
    0b001_010_100,
];

/// A game of tic-tac-toe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicTacToe {
    /// The first player's stones and the second's.
    stones: [u16; 2],
    last: Option<u8>,
    outcome: Option<Outcome>,
}

impl TicTacToe {
    /// An empty board.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn taken(&self) -> u16 {
        self.stones[0] | self.stones[1]
    }
}

impl Game for TicTacToe {
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
        if self.taken().count_ones().is_multiple_of(2) {
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
        let free = if self.is_over() { 0 } else { !self.taken() };
        for (cell, legal) in legal.iter_mut().enumerate() {
            *legal = free >> cell & 1 == 1;
        }
    }

    fn step(&mut self, action: usize) -> Result<f32> {
        check_action(action, SPEC.actions)?;
        if self.is_over() || self.taken() >> action & 1 == 1 {
            return Err(illegal(&self.action_name(action)));
        }
        let mover = self.to_play();
        let own = &mut self.stones[mover as usize];
        *own |= 1 << action;
        self.last = Some(action as u8);
        if LINES.iter().any(|line| *own & line == *line) {
            self.outcome = Some(Outcome::Won(mover));
            return Ok(1.0);
        }
        if self.taken() == FULL {
            self.outcome = Some(Outcome::Drawn);
        }
        Ok(0.0)
    }

    fn observe(&self, planes: &mut [f32]) {
        let mover = self.to_play() as usize;
        planes.fill(0.0);
        for (plane, player) in planes.chunks_exact_mut(9).zip([mover, 1 - mover]) {
            for cell in Bits(self.stones[player].into()) {
                plane[cell] = 1.0;
            }
        }
    }

    fn scene(&self) -> Scene {
        let mut cells = vec![None; 9];
        for player in [Player::First, Player::Second] {
            for cell in Bits(self.stones[player as usize].into()) {
                let kind = Kind::Stone;
                cells[cell] = Some(Piece { player, kind });
            }
        }
        let won = |line: &&u16| self.stones.iter().any(|own| own & **line == **line);
        let marked = LINES.iter().filter(won).fold(0, |all, line| all | line);
        Scene::Board(Board {
            style: BoardStyle::TicTacToe,
            rows: 3,
            columns: 3,
            cells,
            last: self.last.map(usize::from).into_iter().collect(),
            marked: Bits(marked.into()).collect(),
        })
    }

    fn action_name(&self, action: usize) -> String {
        square_from_top(action, 3)
    }

    fn parse_action(&self, name: &str) -> Result<usize> {
        let name = name.trim();
        let digit = parse_number(name, 9).map(|number| number - 1);
        digit
            .or_else(|| parse_square_from_top(name, 3, 3))
            .ok_or_else(|| no_name(name, "a1 to c3, or 1 to 9"))
    }

    fn cells(&self, action: usize) -> ActionCells {
        ActionCells {
            from: None,
            to: (action < 9).then_some(action),
        }
    }
}
