//! Alpha-beta to a fixed depth, as an opponent of known strength.
//!
//! Every line is followed for as many plies as the depth says, then estimated by hand-made rules
//! of the game: [`othello`] and [`connect_four`]. What ends within the depth is exact, so nothing
//! that can be forced within it is missed. Knuth and Moore 1975, with values that may lie outside
//! the window (fail-soft).

mod connect_four;
mod othello;

use super::{Opponent, board, over};
use crate::demos::muzero::game::{Board, BoardStyle, Game, Player};
use crate::error::{Error, Result};
use crate::rng::Rng;

use connect_four::ConnectFourBoard;
use othello::OthelloBoard;

/// A position that alpha-beta searches. Values are those of the player whose turn it is.
trait Evaluation: Copy {
    /// The moves, likely good ones first; none only at the end. A move is an action of the game.
    fn moves(&self) -> Moves;

    /// The position after a move.
    fn after(&self, action: u8) -> Self;

    /// The exact value if the game is over, larger in size than every estimate; with more plies
    /// left to search the game was decided sooner, which counts for the winner.
    fn end(&self, plies_left: u32) -> Option<i32>;

    /// A guess of how good the position is.
    fn estimate(&self) -> i32;
}

/// A short list of moves, without memory of its own.
#[derive(Clone, Copy)]
struct Moves {
    actions: [u8; 64],
    len: usize,
}

impl Moves {
    fn new() -> Self {
        Self {
            actions: [0; 64],
            len: 0,
        }
    }

    fn push(&mut self, action: u8) {
        self.actions[self.len] = action;
        self.len += 1;
    }

    fn as_slice(&self) -> &[u8] {
        &self.actions[..self.len]
    }
}

/// No value is as large.
const INFINITE: i32 = i32::MAX / 2;

/// The value of a position, exact if it lies between `alpha` and `beta`, else a bound.
fn search<E: Evaluation>(position: &E, depth: u32, mut alpha: i32, beta: i32) -> i32 {
    if let Some(value) = position.end(depth) {
        return value;
    }
    if depth == 0 {
        return position.estimate();
    }
    let mut best = -INFINITE;
    for &action in position.moves().as_slice() {
        let value = -search(&position.after(action), depth - 1, -beta, -alpha);
        best = best.max(value);
        alpha = alpha.max(value);
        if alpha >= beta {
            break;
        }
    }
    best
}

/// All moves with the highest value, and that value.
fn best_moves<E: Evaluation>(position: &E, depth: u32) -> (Vec<usize>, i32) {
    let (mut best, mut actions) = (-INFINITE, Vec::new());
    for &action in position.moves().as_slice() {
        // The window begins one below the best value, so that an equal one is known exactly.
        let after = position.after(action);
        let value = -search(&after, depth.saturating_sub(1), -INFINITE, -(best - 1));
        if value > best {
            (best, actions) = (value, Vec::new());
        }
        if value == best {
            actions.push(usize::from(action));
        }
    }
    (actions, best)
}

/// Looks a number of plies ahead in Connect Four and Othello; chooses by chance among equals.
#[derive(Clone, Debug)]
pub struct AlphaBeta {
    depth: u32,
    rng: Rng,
}

impl AlphaBeta {
    /// Looks `depth` plies ahead, at least one; breaks ties with `rng`.
    #[must_use]
    pub fn new(depth: u32, rng: Rng) -> Self {
        Self {
            depth: depth.max(1),
            rng,
        }
    }

    /// The moves it holds for best, and their value by its own rules: above 1,000,000 is a forced
    /// win.
    ///
    /// # Errors
    /// When it does not know the game, or the game is over.
    pub fn best(&self, game: &dyn Game) -> Result<(Vec<usize>, i32)> {
        if game.is_over() {
            return Err(over());
        }
        let board = board(game)?;
        let depth = self.depth;
        match board.style {
            BoardStyle::ConnectFour => {
                let position = ConnectFourBoard::new(&board, game.to_play());
                Ok(best_moves(&position, depth))
            }
            BoardStyle::Othello => {
                let position = OthelloBoard::new(&board, game.to_play());
                Ok(best_moves(&position, depth))
            }
            BoardStyle::TicTacToe | BoardStyle::Stones | BoardStyle::Chess => Err(Error::Input(
                "alpha-beta plays connect4, othello6 and othello8".to_owned(),
            )),
        }
    }
}

impl Opponent for AlphaBeta {
    fn name(&self) -> String {
        format!("alphabeta:{}", self.depth)
    }

    fn choose(&mut self, game: &dyn Game, _moves: &[usize]) -> Result<usize> {
        let (actions, _) = self.best(game)?;
        super::any_of(&actions, &mut self.rng)
    }
}

/// Two sets of bits: the stones of `mover` and of the other; `bit` places a cell.
fn stones(board: &Board, mover: Player, bit: impl Fn(usize, usize) -> u32) -> [u64; 2] {
    let mut stones = [0, 0];
    for (cell, piece) in board.cells.iter().enumerate() {
        if let Some(piece) = piece {
            let place = bit(cell / board.columns, cell % board.columns);
            stones[usize::from(piece.player != mover)] |= 1 << place;
        }
    }
    stones
}
