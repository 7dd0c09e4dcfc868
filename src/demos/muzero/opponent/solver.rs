//! Perfect Connect Four, by the crate `connect-four-ai`: alpha-beta over the whole game with a
//! table of positions and a book of the first eight plies.
//!
//! One solver serves everyone who asks: its table takes 64 MB, and what was found for one position
//! helps with the next. The answers do not depend on what is in the table.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use connect_four_ai::Position;

use super::{Opponent, over};
use crate::demos::muzero::game::{Board, BoardStyle, Game, Player};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Columns of the board, which are the actions.
const COLUMNS: usize = Position::WIDTH;

/// Plays Connect Four perfectly: wins as soon and loses as late as it can, and chooses by chance
/// among equals.
#[derive(Clone, Debug)]
pub struct Solver {
    rng: Rng,
}

impl Solver {
    /// Breaks ties with this generator.
    #[must_use]
    pub fn new(rng: Rng) -> Self {
        Self { rng }
    }
}

impl Opponent for Solver {
    fn name(&self) -> String {
        "solver".to_owned()
    }

    fn choose(&mut self, game: &dyn Game, _moves: &[usize]) -> Result<usize> {
        if game.is_over() {
            return Err(over());
        }
        let position = position(&super::board(game)?, game.to_play())?;
        self.best(&position).ok_or_else(over)
    }
}

impl Solver {
    /// A column that keeps the position's score. The columns are tried in a random order up to the
    /// first one that does, which is quicker than to solve them all.
    fn best(&mut self, position: &Position) -> Option<usize> {
        let mut columns: Vec<usize> = (0..COLUMNS).filter(|&c| position.is_playable(c)).collect();
        for place in (1..columns.len()).rev() {
            columns.swap(place, self.rng.below(place + 1));
        }
        if position.can_win_next() {
            return columns.into_iter().find(|&c| position.is_winning_move(c));
        }
        let mut solver = solver();
        let score = solver.solve(position);
        columns.into_iter().find(|&column| {
            let mut after = *position;
            after.play(column);
            -solver.solve(&after) == score
        })
    }
}

/// For each column, what playing there leads to with perfect play, for who plays it: 1 won, 0
/// drawn, -1 lost; `None` where the column is full or the game is over. `moves` are columns from 0.
///
/// # Errors
/// When the moves are not those of a game.
pub fn outcomes(moves: &[usize]) -> Result<[Option<i8>; COLUMNS]> {
    let mut position = Position::new();
    for &column in moves {
        if column >= COLUMNS || !position.is_playable(column) || position.is_won_position() {
            let name = column.saturating_add(1);
            return Err(Error::Input(format!("{name} is not a legal move here")));
        }
        position.play(column);
    }
    Ok(scores(&position).map(|score| score.map(i8::signum)))
}

/// The scores of all columns: how many of the winner's stones are left at the end of perfect play,
/// counted as the crate does.
fn scores(position: &Position) -> [Option<i8>; COLUMNS] {
    solver().get_all_move_scores(position)
}

fn solver() -> MutexGuard<'static, connect_four_ai::Solver> {
    static SOLVER: LazyLock<Mutex<connect_four_ai::Solver>> =
        LazyLock::new(|| Mutex::new(connect_four_ai::Solver::new()));
    // A panic between two writes leaves no wrong entry in the table.
    SOLVER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn position(board: &Board, mover: Player) -> Result<Position> {
    if board.style != BoardStyle::ConnectFour {
        return Err(Error::Input("the solver plays connect4".to_owned()));
    }
    let cells = board.cells.iter().map(|piece| match piece {
        None => '.',
        Some(piece) if piece.player == mover => 'x',
        Some(_) => 'o',
    });
    Position::from_board_string(&cells.collect::<String>())
        .map_err(|_| Error::Input("the solver plays on 6 by 7".to_owned()))
}
