//! Chance: every legal move is as likely.

use super::{Opponent, any_of, legal_actions};
use crate::demos::muzero::game::Game;
use crate::error::Result;
use crate::rng::Rng;

/// Plays any legal move.
#[derive(Clone, Debug)]
pub struct Random {
    rng: Rng,
}

impl Random {
    /// Draws from this generator.
    #[must_use]
    pub fn new(rng: Rng) -> Self {
        Self { rng }
    }
}

impl Opponent for Random {
    fn name(&self) -> String {
        "random".to_owned()
    }

    fn choose(&mut self, game: &dyn Game, _moves: &[usize]) -> Result<usize> {
        any_of(&legal_actions(game), &mut self.rng)
    }
}
