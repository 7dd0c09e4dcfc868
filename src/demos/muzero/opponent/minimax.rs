//! Exact minimax: every line to its end, each position once.
//!
//! For games whose observation is the whole position and whose positions fit into memory, such as
//! tic-tac-toe with its 5,478.

use std::collections::HashMap;

use super::{Opponent, any_of, legal_actions};
use crate::demos::muzero::game::{Game, Outcome};
use crate::error::Result;
use crate::rng::Rng;

/// Plays perfectly, and chooses by chance among the moves that are equally good.
#[derive(Clone, Debug)]
pub struct Minimax {
    rng: Rng,
    /// By observation, the value for the player to move: 1 won, 0 drawn, -1 lost.
    values: HashMap<Vec<u8>, i8>,
}

impl Minimax {
    /// Breaks ties with this generator.
    #[must_use]
    pub fn new(rng: Rng) -> Self {
        Self {
            rng,
            values: HashMap::new(),
        }
    }

    /// How many positions it has solved.
    #[must_use]
    pub fn positions(&self) -> usize {
        self.values.len()
    }

    /// What the position is worth for the player to move with perfect play: 1, 0 or -1.
    ///
    /// # Errors
    /// When the game cannot be copied.
    pub fn value(&mut self, game: &dyn Game) -> Result<i8> {
        if let Some(outcome) = game.outcome() {
            return Ok(match outcome {
                Outcome::Drawn => 0,
                Outcome::Won(winner) if winner == game.to_play() => 1,
                Outcome::Won(_) => -1,
            });
        }
        let key = observed(game);
        if let Some(&value) = self.values.get(&key) {
            return Ok(value);
        }
        let values = self.action_values(game)?;
        let value = values.iter().map(|&(_, value)| value).max().unwrap_or(0);
        self.values.insert(key, value);
        Ok(value)
    }

    /// Every legal action with its value for who takes it.
    ///
    /// # Errors
    /// When the game cannot be copied.
    pub fn action_values(&mut self, game: &dyn Game) -> Result<Vec<(usize, i8)>> {
        let mut values = Vec::new();
        for action in legal_actions(game) {
            let mut next = game.boxed_clone()?;
            next.step(action)?;
            values.push((action, -self.value(next.as_ref())?));
        }
        Ok(values)
    }
}

impl Opponent for Minimax {
    fn name(&self) -> String {
        "minimax".to_owned()
    }

    fn choose(&mut self, game: &dyn Game, _moves: &[usize]) -> Result<usize> {
        let values = self.action_values(game)?;
        let best = values.iter().map(|&(_, value)| value).max();
        let best = values.iter().filter(|&&(_, value)| Some(value) == best);
        let best: Vec<usize> = best.map(|&(action, _)| action).collect();
        any_of(&best, &mut self.rng)
    }
}

/// The observation as bytes: planes of boards hold zeros and ones.
fn observed(game: &dyn Game) -> Vec<u8> {
    let mut planes = vec![0.0; game.spec().observation.iter().product()];
    game.observe(&mut planes);
    planes.iter().map(|&on| u8::from(on != 0.0)).collect()
}
