//! What cells and pieces are called: around the board, and to screen readers.

use super::super::Figure;
use super::{BoardLook, BoardPicture, BoardPiece};

/// The label of a column, by the custom of the game.
pub(super) fn column(look: BoardLook, column: usize) -> String {
    match look {
        BoardLook::ConnectFour => (column + 1).to_string(),
        // Go leaves out the letter I, which looks like a J.
        BoardLook::Stones => letter(column + usize::from(column >= 8), b'A'),
        _ => letter(column, b'a'),
    }
}

/// The label of a row; `row` counts from the top.
pub(super) fn row(look: BoardLook, row: usize, rows: usize) -> String {
    match look {
        BoardLook::Othello => (row + 1).to_string(),
        _ => (rows - row).to_string(),
    }
}

/// A letter of the alphabet, and after the last one a pair.
fn letter(number: usize, first: u8) -> String {
    let sign = |n: usize| char::from(first + u8::try_from(n % 26).unwrap_or(0));
    if number < 26 {
        sign(number).to_string()
    } else {
        format!("{}{}", sign(number / 26 - 1), sign(number))
    }
}

/// The coordinate of a cell, such as `e4`.
pub(super) fn coordinate(picture: &BoardPicture, cell: usize) -> String {
    let columns = picture.columns.max(1);
    let (at, below) = (cell % columns, cell / columns);
    let row = row(picture.look, below, picture.rows);
    match picture.look {
        BoardLook::ConnectFour => format!("column {}, row {row}", at + 1),
        look => format!("{}{row}", column(look, at)),
    }
}

/// A cell for a screen reader: its coordinate and what is on it.
pub(super) fn name(picture: &BoardPicture, cell: usize) -> String {
    let content = match picture.cells.get(cell).copied().flatten() {
        Some(piece) => piece_name(picture.look, piece),
        None => "empty".to_owned(),
    };
    format!("{}, {content}", coordinate(picture, cell))
}

fn piece_name(look: BoardLook, piece: BoardPiece) -> String {
    let second = piece.side == 1;
    let side = match look {
        BoardLook::TicTacToe => return if second { "circle" } else { "cross" }.to_owned(),
        BoardLook::ConnectFour => ["red", "yellow"][usize::from(second)],
        BoardLook::Othello | BoardLook::Stones => ["black", "white"][usize::from(second)],
        BoardLook::Chess => ["white", "black"][usize::from(second)],
    };
    let kind = match (look, piece.figure) {
        (_, Some(Figure::Pawn)) => "pawn",
        (_, Some(Figure::Knight)) => "knight",
        (_, Some(Figure::Bishop)) => "bishop",
        (_, Some(Figure::Rook)) => "rook",
        (_, Some(Figure::Queen)) => "queen",
        (_, Some(Figure::King)) => "king",
        (BoardLook::Stones, None) => "stone",
        (_, None) => "disc",
    };
    format!("{side} {kind}")
}

/// What else is to be said of a cell.
pub(super) fn value(picture: &BoardPicture, cell: usize) -> Option<String> {
    let mut parts = Vec::new();
    let mut add = |is: bool, what: &str| {
        if is {
            parts.push(what.to_owned());
        }
    };
    add(picture.last.contains(&cell), "last move");
    add(picture.winning.contains(&cell), "winning line");
    add(picture.check == Some(cell), "in check");
    add(picture.selected == Some(cell), "selected");
    add(picture.targets.contains(&cell), "a legal move");
    if let Some(heat) = picture.heat.get(cell).filter(|heat| **heat > 0.0) {
        parts.push(format!("{:.0} %", heat * 100.0));
    }
    if let Some(note) = picture.notes.get(cell).filter(|note| !note.is_empty()) {
        parts.push(note.clone());
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::{BoardLook, BoardPicture};
    use super::{column, coordinate};

    #[test]
    fn cells_are_called_as_players_call_them() {
        let board = |look, rows, columns| BoardPicture {
            look,
            rows,
            columns,
            ..BoardPicture::default()
        };
        let chess = board(BoardLook::Chess, 8, 8);
        assert_eq!(coordinate(&chess, 0), "a8");
        assert_eq!(coordinate(&chess, 36), "e4");
        let othello = board(BoardLook::Othello, 8, 8);
        assert_eq!(coordinate(&othello, 19), "d3", "rows count from the top");
        let go = board(BoardLook::Stones, 9, 9);
        assert_eq!(coordinate(&go, 8), "J9", "no I");
        assert_eq!(coordinate(&go, 40), "E5");
        let four = board(BoardLook::ConnectFour, 6, 7);
        assert_eq!(coordinate(&four, 41), "column 7, row 1");
        assert_eq!(column(BoardLook::Chess, 27), "ab");
    }
}
