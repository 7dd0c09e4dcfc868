//! Othello for alpha-beta: the squares that discs hold, how many moves each side has, and at the
//! end the exact difference.
//!
//! Eight bits a row on both boards; the smaller one lies in the corner of the larger.

use super::{Evaluation, Moves, stones};
use crate::demos::muzero::game::{Board, Player};

/// Bits of a row.
const STRIDE: u32 = 8;
/// A disc of difference at the end.
const DISC: i32 = 1_000_000;
/// A move more than the other has.
const MOVE: i32 = 6;
/// What squares count, by their distance from the nearest edges, the nearer first. Corners are
/// never lost again; beside a free corner a disc gives it away.
const SQUARES: [[i32; 4]; 4] = [
    [100, -25, 12, 8],
    [-25, -45, -4, -3],
    [12, -4, 3, 2],
    [8, -3, 2, 1],
];
/// A disc beside a corner that is taken: neither good nor bad.
const BESIDE_TAKEN: i32 = 4;

const NOT_FIRST: u64 = !0x0101_0101_0101_0101;
const NOT_LAST: u64 = !0x8080_8080_8080_8080;

/// A position: the discs of who moves and of the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct OthelloBoard {
    own: u64,
    other: u64,
    size: u8,
}

/// The bit of a square.
fn bit(row: usize, column: usize) -> u32 {
    row as u32 * STRIDE + column as u32
}

/// A step in one of eight directions, without wrapping around.
fn step(discs: u64, direction: usize) -> u64 {
    match direction {
        0 => (discs << 1) & NOT_FIRST,
        1 => (discs >> 1) & NOT_LAST,
        2 => discs << 8,
        3 => discs >> 8,
        4 => (discs << 9) & NOT_FIRST,
        5 => (discs << 7) & NOT_LAST,
        6 => (discs >> 7) & NOT_FIRST,
        _ => (discs >> 9) & NOT_LAST,
    }
}

impl OthelloBoard {
    pub(super) fn new(board: &Board, mover: Player) -> Self {
        let [own, other] = stones(board, mover, bit);
        Self {
            own,
            other,
            size: board.rows as u8,
        }
    }

    fn squares(size: u8) -> u64 {
        let row = (1u64 << size) - 1;
        (0..size).fold(0, |all, place| all | row << (u32::from(place) * STRIDE))
    }

    /// The squares where a disc of `own` turns some of `other`.
    fn targets(&self, own: u64, other: u64) -> u64 {
        let free = Self::squares(self.size) & !(own | other);
        let mut targets = 0;
        for direction in 0..8 {
            let mut run = step(own, direction) & other;
            for _ in 3..self.size {
                run |= step(run, direction) & other;
            }
            targets |= step(run, direction) & free;
        }
        targets
    }

    /// The discs that a disc on `square` turns.
    fn turned(&self, square: u64) -> u64 {
        let mut turned = 0;
        for direction in 0..8 {
            let mut run = step(square, direction) & self.other;
            for _ in 3..self.size {
                run |= step(run, direction) & self.other;
            }
            if step(run, direction) & self.own != 0 {
                turned |= run;
            }
        }
        turned
    }

    fn pass(&self) -> u8 {
        self.size * self.size
    }

    fn weight(&self, row: u32, column: u32) -> i32 {
        let from_edge = |place: u32| place.min(u32::from(self.size) - 1 - place) as usize;
        SQUARES[from_edge(row)][from_edge(column)]
    }

    /// The squares' weights of some discs; `taken` says which corners are.
    fn worth(&self, discs: u64, taken: u64) -> i32 {
        let mut left = discs;
        let mut worth = 0;
        while left != 0 {
            let place = left.trailing_zeros();
            left &= left - 1;
            let (row, column) = (place / STRIDE, place % STRIDE);
            let weight = self.weight(row, column);
            let corner = self.nearest_corner(row, column);
            worth += if weight <= SQUARES[0][1] && taken >> corner & 1 == 1 {
                BESIDE_TAKEN
            } else {
                weight
            };
        }
        worth
    }

    fn nearest_corner(&self, row: u32, column: u32) -> u32 {
        let last = u32::from(self.size) - 1;
        let nearest = |place: u32| if 2 * place > last { last } else { 0 };
        nearest(row) * STRIDE + nearest(column)
    }
}

impl Evaluation for OthelloBoard {
    fn moves(&self) -> Moves {
        let mut left = self.targets(self.own, self.other);
        let mut moves = Moves::new();
        if left == 0 {
            moves.push(self.pass());
            return moves;
        }
        // Whose square is worth most comes first.
        let mut weighed = [(0, 0); 64];
        let mut len = 0;
        while left != 0 {
            let place = left.trailing_zeros();
            left &= left - 1;
            let (row, column) = (place / STRIDE, place % STRIDE);
            let action = row as u8 * self.size + column as u8;
            weighed[len] = (-self.weight(row, column), action);
            len += 1;
        }
        weighed[..len].sort_unstable();
        for (_, action) in &weighed[..len] {
            moves.push(*action);
        }
        moves
    }

    fn after(&self, action: u8) -> Self {
        let (mut own, mut other) = (self.own, self.other);
        if action != self.pass() {
            let square = 1 << bit((action / self.size).into(), (action % self.size).into());
            let turned = self.turned(square);
            own |= square | turned;
            other &= !turned;
        }
        Self {
            own: other,
            other: own,
            size: self.size,
        }
    }

    fn end(&self, _plies_left: u32) -> Option<i32> {
        let over =
            self.targets(self.own, self.other) == 0 && self.targets(self.other, self.own) == 0;
        let discs = |of: u64| of.count_ones().cast_signed();
        over.then(|| DISC * (discs(self.own) - discs(self.other)))
    }

    fn estimate(&self) -> i32 {
        let taken = self.own | self.other;
        let squares = self.worth(self.own, taken) - self.worth(self.other, taken);
        let moves = |own, other| self.targets(own, other).count_ones().cast_signed();
        squares + MOVE * (moves(self.own, self.other) - moves(self.other, self.own))
    }
}
