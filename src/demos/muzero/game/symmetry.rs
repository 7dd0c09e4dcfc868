//! Turns and reflections under which a game stays the same.
//!
//! They multiply what is learned from a game: the transformed observation has the transformed
//! policy and the same value. Only those that keep the beginning of the game are listed; a quarter
//! turn of Othello's four first discs, say, gives a position that never occurs.

use super::{GameId, Spec};

/// One way to turn or reflect a board: `new[i] = old[cells[i]]` in every plane of an observation,
/// `new[a] = old[actions[a]]` in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symmetry {
    /// For every cell of the new board, the old one's cell.
    pub cells: Vec<u16>,
    /// For every action in the new board, the one that does the same in the old.
    pub actions: Vec<u16>,
}

impl Symmetry {
    /// What an action of the old board is in the new one.
    ///
    /// # Panics
    /// When there is no such action.
    #[must_use]
    pub fn action(&self, old: usize) -> usize {
        let place = self.actions.iter().position(|&a| usize::from(a) == old);
        place.expect("an action of this game")
    }

    /// Transforms an observation, `[planes, rows, columns]`.
    pub fn observation(&self, old: &[f32], new: &mut [f32]) {
        permute(&self.cells, old, new);
    }

    /// Transforms policies or whether actions are legal, any number of `[actions]`.
    pub fn policy<T: Copy>(&self, old: &[T], new: &mut [T]) {
        permute(&self.actions, old, new);
    }
}

fn permute<T: Copy>(places: &[u16], old: &[T], new: &mut [T]) {
    let old = old.chunks_exact(places.len());
    for (old, new) in old.zip(new.chunks_exact_mut(places.len())) {
        for (new, &place) in new.iter_mut().zip(places) {
            *new = old[usize::from(place)];
        }
    }
}

/// The turns and reflections of a square, as exchange of rows and columns and as reversal of
/// either.
#[derive(Clone, Copy)]
struct Turn {
    swap: bool,
    flip_rows: bool,
    flip_columns: bool,
}

impl Turn {
    /// All eight, the one that changes nothing first.
    fn all() -> impl Iterator<Item = Self> {
        (0..8).map(|bits| Self {
            swap: bits & 4 != 0,
            flip_rows: bits & 2 != 0,
            flip_columns: bits & 1 != 0,
        })
    }

    fn cell(self, cell: usize, rows: usize, columns: usize) -> usize {
        let (mut row, mut column) = (cell / columns, cell % columns);
        if self.flip_rows {
            row = rows - 1 - row;
        }
        if self.flip_columns {
            column = columns - 1 - column;
        }
        if self.swap {
            column * columns + row
        } else {
            row * columns + column
        }
    }
}

/// All symmetries of a board game, the one that changes nothing first; none for games for one.
#[must_use]
pub fn symmetries(id: &GameId) -> Vec<Symmetry> {
    let keeps: fn(&Turn) -> bool = match id {
        GameId::TicTacToe | GameId::Gomoku | GameId::Go => |_| true,
        // Half a turn and the reflections in the diagonals keep the four first discs.
        GameId::Othello6 | GameId::Othello8 => |turn| turn.flip_rows == turn.flip_columns,
        GameId::ConnectFour => |turn| !turn.swap && !turn.flip_rows,
        GameId::Chess => |turn| !turn.swap && !turn.flip_rows && !turn.flip_columns,
        GameId::MinAtar(_) | GameId::Atari(_) => return Vec::new(),
    };
    let Ok(game) = super::open(id) else {
        return Vec::new();
    };
    let of = |turn| symmetry(id, game.spec(), turn);
    Turn::all().filter(keeps).map(of).collect()
}

fn symmetry(id: &GameId, spec: &Spec, turn: Turn) -> Symmetry {
    let [_, rows, columns] = spec.observation;
    let cells: Vec<u16> = (0..rows * columns)
        .map(|cell| turn.cell(cell, rows, columns) as u16)
        .collect();
    let action = |action: usize| match id {
        // A column's number is that of its cell in the first row.
        GameId::ConnectFour => cells[action],
        GameId::Chess => action as u16,
        // A pass stays what it is.
        _ => cells.get(action).copied().unwrap_or(action as u16),
    };
    Symmetry {
        actions: (0..spec.actions).map(action).collect(),
        cells,
    }
}
