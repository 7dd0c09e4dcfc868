//! Who plays against the machine: exact solvers, alpha-beta, chance, and engines in processes of
//! their own.
//!
//! [`OpponentId`] names one with its setting, [`open`] makes it. All chance comes from the
//! generator that is handed in; only the engines' own chance cannot be seeded, where they have none
//! of the options for it.

mod alphabeta;
mod gtp;
mod minimax;
mod parse;
mod process;
mod random;
mod solver;
mod uci;

pub use alphabeta::AlphaBeta;
pub use gtp::GnuGo;
pub use minimax::Minimax;
pub use parse::{OpponentId, available, open};
pub use process::Program;
pub use random::Random;
pub use solver::{Solver, outcomes};
pub use uci::Uci;

use super::game::{Board, Game, Scene};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Someone who chooses moves.
pub trait Opponent: Send {
    /// A short name with its setting, such as `alphabeta:4` or `gnugo:1`.
    fn name(&self) -> String;

    /// A move in the position of `game`, which was reached by `moves` from the beginning. The move
    /// may be illegal where a process outside answers nonsense; whoever plays it finds out.
    ///
    /// # Errors
    /// When the engine cannot be started, does not answer in time, or says what is no move.
    fn choose(&mut self, game: &dyn Game, moves: &[usize]) -> Result<usize>;
}

/// The actions that may be taken now, in their order.
#[must_use]
pub fn legal_actions(game: &dyn Game) -> Vec<usize> {
    let mut legal = vec![false; game.spec().actions];
    game.legal(&mut legal);
    (0..legal.len()).filter(|&action| legal[action]).collect()
}

/// One of the actions, each as likely.
fn any_of(actions: &[usize], rng: &mut Rng) -> Result<usize> {
    let chosen = actions.get(rng.below(actions.len()));
    chosen.copied().ok_or_else(over)
}

/// What is said to who asks for a move after the end.
fn over() -> Error {
    Error::Input("the game is over, there is no move to choose".to_owned())
}

/// The pieces on the table.
fn board(game: &dyn Game) -> Result<Board> {
    match game.scene() {
        Scene::Board(board) => Ok(board),
        Scene::Grid(_) | Scene::Screen(_) => Err(Error::Input(
            "this opponent plays board games only".to_owned(),
        )),
    }
}
