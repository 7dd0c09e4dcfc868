//! What the board games share: going through bits, writing planes, naming squares, refusing moves.

use crate::error::{Error, Result};

/// The places of the ones in a word, from the lowest.
pub(super) struct Bits(pub u64);

impl Iterator for Bits {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let place = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(place)
    }
}

/// The places of the ones in a long word, from the lowest.
pub(super) struct WideBits(pub u128);

impl Iterator for WideBits {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let place = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(place)
    }
}

/// Boards of 9 by 9 crossings as bits: rows of ten, of which the last is always empty, so that what
/// is shifted sideways never wraps around.
pub(super) mod nine {
    /// Rows and columns.
    pub const SIZE: usize = 9;
    /// Crossings.
    pub const CELLS: usize = SIZE * SIZE;
    /// Bits of a row.
    pub const STRIDE: usize = SIZE + 1;
    /// All crossings.
    pub const BOARD: u128 = {
        let mut bits = 0;
        let mut cell = 0;
        while cell < CELLS {
            bits |= 1 << bit(cell);
            cell += 1;
        }
        bits
    };

    pub const fn bit(cell: usize) -> usize {
        cell / SIZE * STRIDE + cell % SIZE
    }

    pub const fn cell(bit: usize) -> usize {
        bit / STRIDE * SIZE + bit % STRIDE
    }
}

/// A move that is refused.
pub(super) fn illegal(name: &str) -> Error {
    Error::Input(format!("{name} is not a legal move here"))
}

/// An action beyond the last one.
pub(super) fn no_action(action: usize, actions: usize) -> Error {
    Error::Input(format!("there is no action {action}, there are {actions}"))
}

/// A name that no action has; `example` shows what names look like.
pub(super) fn no_name(name: &str, example: &str) -> Error {
    let shown: String = name.chars().take(20).collect();
    Error::Input(format!("there is no move {shown:?}, moves are {example}"))
}

/// A square's name on a board whose first row, at the top, is row 1: `a1` is the top left corner.
pub(super) fn square_from_top(cell: usize, columns: usize) -> String {
    format!("{}{}", letter(cell % columns), cell / columns + 1)
}

/// The cell of a square named by [`square_from_top`], in small or capital letters.
pub(super) fn parse_square_from_top(name: &str, rows: usize, columns: usize) -> Option<usize> {
    let mut chars = name.chars();
    let column = chars.next()?.to_ascii_lowercase();
    let column = (0..columns).find(|&c| letter(c) == column)?;
    let row = parse_number(chars.as_str(), rows)?;
    Some((row - 1) * columns + column)
}

/// A whole number from 1 to `most`, written without a sign or leading zeros.
pub(super) fn parse_number(text: &str, most: usize) -> Option<usize> {
    let plain = !text.is_empty() && text.len() <= 3 && !text.starts_with('0');
    let digits = plain && text.bytes().all(|b| b.is_ascii_digit());
    let number: usize = digits.then(|| text.parse().ok())??;
    (number <= most).then_some(number)
}

/// A crossing's name in the Go Text Protocol: capital letters without I, row 1 at the bottom.
pub(super) fn vertex(cell: usize, size: usize) -> String {
    format!("{}{}", vertex_letter(cell % size), size - cell / size)
}

/// The cell of a crossing named by [`vertex`], in small or capital letters.
pub(super) fn parse_vertex(name: &str, size: usize) -> Option<usize> {
    let mut chars = name.chars();
    let column = chars.next()?.to_ascii_uppercase();
    let column = (0..size).find(|&c| vertex_letter(c) == column)?;
    let row = parse_number(chars.as_str(), size)?;
    Some((size - row) * size + column)
}

fn vertex_letter(column: usize) -> char {
    char::from(b"ABCDEFGHJKLMNOPQRST"[column])
}

fn letter(column: usize) -> char {
    char::from(b'a' + column as u8)
}

/// Refuses numbers beyond the last action.
///
/// # Errors
/// When there is no such action.
pub(super) fn check_action(action: usize, actions: usize) -> Result<()> {
    if action < actions {
        Ok(())
    } else {
        Err(no_action(action, actions))
    }
}
