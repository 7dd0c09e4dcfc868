//! Connect Four for alpha-beta: lines that can still become four, and the centre.
//!
//! Seven bits a column from the bottom up; the seventh stays empty, so that shifts do not run from
//! one column into the next.

use super::{Evaluation, Moves, stones};
use crate::demos::muzero::game::{Board, Player};

const ROWS: usize = 6;
const COLUMNS: usize = 7;
/// Bits of a column.
const STRIDE: usize = ROWS + 1;
const WIN: i32 = 1_000_000;
/// Columns from the middle outwards: those in the middle are part of more lines.
const ORDER: [u8; COLUMNS] = [3, 2, 4, 1, 5, 0, 6];
/// What one, two or three stones of a line count that holds none of the other player's.
const LINE: [i32; 5] = [0, 1, 8, 50, 0];
/// What a stone in a column counts.
const CENTRE: [i32; COLUMNS] = [0, 1, 2, 4, 2, 1, 0];

/// All 69 lines of four.
const LINES: [u64; 69] = lines();

const fn lines() -> [u64; 69] {
    let mut lines = [0; 69];
    let mut count = 0;
    let mut cell = 0;
    while cell < ROWS * COLUMNS {
        let (row, column) = (cell % ROWS, cell / ROWS);
        let first = 1 << (column * STRIDE + row);
        let (up, right, down) = (row + 3 < ROWS, column + 3 < COLUMNS, row >= 3);
        let directions = [
            (up, 1),
            (right, STRIDE),
            (right && up, STRIDE + 1),
            (right && down, STRIDE - 1),
        ];
        let mut direction = 0;
        while direction < directions.len() {
            let (fits, step) = directions[direction];
            if fits {
                let pair = first | first << step;
                lines[count] = pair | pair << (2 * step);
                count += 1;
            }
            direction += 1;
        }
        cell += 1;
    }
    assert!(count == lines.len(), "lines of four on 6 by 7");
    lines
}

/// A position: the stones of who moves and of the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectFourBoard {
    own: u64,
    other: u64,
}

impl ConnectFourBoard {
    pub(super) fn new(board: &Board, mover: Player) -> Self {
        let place = |row, column| (column * STRIDE + ROWS - 1 - row) as u32;
        let [own, other] = stones(board, mover, place);
        Self { own, other }
    }
}

impl Evaluation for ConnectFourBoard {
    fn moves(&self) -> Moves {
        let taken = self.own | self.other;
        let mut moves = Moves::new();
        for column in ORDER {
            let top = 1u64 << (usize::from(column) * STRIDE + ROWS - 1);
            if taken & top == 0 {
                moves.push(column);
            }
        }
        moves
    }

    fn after(&self, action: u8) -> Self {
        let taken = self.own | self.other;
        let bottom = 1u64 << (usize::from(action) * STRIDE);
        // Adding to the bottom carries through the stones to the first free cell.
        let column = bottom * ((1 << ROWS) - 1);
        let placed = (taken + bottom) & !taken & column;
        Self {
            own: self.other,
            other: self.own | placed,
        }
    }

    fn end(&self, plies_left: u32) -> Option<i32> {
        let won = [1, STRIDE, STRIDE + 1, STRIDE - 1].iter().any(|&step| {
            let pairs = self.other & self.other >> step;
            pairs & pairs >> (2 * step) != 0
        });
        if won {
            return Some(-(WIN + plies_left.cast_signed()));
        }
        let full = (self.own | self.other).count_ones() as usize == ROWS * COLUMNS;
        full.then_some(0)
    }

    fn estimate(&self) -> i32 {
        let mut value = 0;
        for line in LINES {
            let (own, other) = (self.own & line, self.other & line);
            if other == 0 {
                value += LINE[own.count_ones() as usize];
            } else if own == 0 {
                value -= LINE[other.count_ones() as usize];
            }
        }
        for (column, weight) in CENTRE.iter().enumerate() {
            let column = ((1u64 << ROWS) - 1) << (column * STRIDE);
            let stones = |of: u64| (of & column).count_ones().cast_signed();
            value += weight * (stones(self.own) - stones(self.other));
        }
        value
    }
}
