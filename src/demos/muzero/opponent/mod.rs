//! Who plays against the machine: exact solvers, alpha-beta, chance, and engines in processes of
//! their own.

use super::game::Game;
use crate::error::Result;

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
