//! What is remembered of a game, and what it teaches at each of its moments.
//!
//! A game is kept as its moves with what the search found; observations are kept beside them in
//! bytes and can be made again by playing the moves, so that a checkpoint needs the moves only.
//!
//! Targets ([`Episode::value`]) follow appendix F and G of the paper: of board games how the game
//! ended, of others rewards over some steps and then the search's value. The last move of a board
//! game earns what it brought about; that is a clean signal where outcomes are noisy. A finished
//! game goes on for ever as an absorbing state: its value and its rewards are 0, its policy teaches
//! nothing. A random move, made to see more of the game, says nothing about the
//! moves before it: their targets end at it, with what the search thought of that position.

use half::f16;

use super::game::{Game, Outcome};
use crate::error::Result;
use crate::rng::Rng;

/// A game, or a piece of a long one.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// The chance that the game was begun with.
    pub rng: Rng,
    /// Moves before the first moment.
    pub opening: Vec<u16>,
    /// What was done at each moment.
    pub actions: Vec<u16>,
    /// What each action earned the player who took it.
    pub rewards: Vec<f32>,
    /// The search's policy at each moment, `[moments, actions]`.
    pub policies: Vec<f16>,
    /// The search's value at each moment, and at the one after the last if the game went on.
    pub values: Vec<f32>,
    /// Whether the action was a random one.
    pub explored: Vec<bool>,
    /// Whether the game is over after the last action.
    pub ended: bool,
    /// How it ended for the player who would move next: 1, 0 or -1; 0 in games for one.
    pub outcome: f32,
    /// `[moments + 1, planes, rows, columns]`, 255 for 1.
    pub observations: Vec<u8>,
}

/// How value targets are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetRule {
    /// One or two.
    pub players: usize,
    /// Steps before a target trusts a value; `None` waits for the end.
    pub td_steps: Option<usize>,
    /// What a reward counts one step earlier.
    pub discount: f32,
    /// Share of the search's value at the moment itself, in games for two.
    pub value_mix: f32,
}

/// An observation in bytes.
pub fn to_bytes(observation: &[f32], bytes: &mut Vec<u8>) {
    // Boards hold zeros and ones; screens have 255 steps.
    bytes.extend(observation.iter().map(|x| (x * 255.0).round() as u8));
}

/// How a finished game ended for the player who would move next.
#[must_use]
pub fn outcome_for_next(game: &dyn Game) -> f32 {
    match game.outcome() {
        Some(Outcome::Won(player)) if player == game.to_play() => 1.0,
        Some(Outcome::Won(_)) => -1.0,
        Some(Outcome::Drawn) | None => 0.0,
    }
}

impl Episode {
    /// A game that has just begun, after its opening.
    #[must_use]
    pub fn new(rng: Rng, opening: Vec<u16>) -> Self {
        Self {
            rng,
            opening,
            actions: Vec::new(),
            rewards: Vec::new(),
            policies: Vec::new(),
            values: Vec::new(),
            explored: Vec::new(),
            ended: false,
            outcome: 0.0,
            observations: Vec::new(),
        }
    }

    /// Moments at which something was done.
    #[must_use]
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether nothing was done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The observation at a moment in bytes, `size` each; up to the one after the last.
    #[must_use]
    pub fn observation(&self, moment: usize, size: usize) -> &[u8] {
        &self.observations[moment * size..(moment + 1) * size]
    }

    /// The policy at a moment.
    #[must_use]
    pub fn policy(&self, moment: usize) -> &[f16] {
        let actions = self.policies.len() / self.len().max(1);
        &self.policies[moment * actions..(moment + 1) * actions]
    }

    /// Whether something can be learnt of a moment: always, but beyond what was seen of a game
    /// that went on.
    #[must_use]
    pub fn is_known(&self, moment: usize) -> bool {
        self.ended || moment < self.values.len()
    }

    /// What the value at a moment should be, for the player whose turn it is.
    #[must_use]
    pub fn value(&self, moment: usize, rule: &TargetRule) -> f32 {
        if rule.players == 2 {
            self.board_value(moment, rule)
        } else {
            self.return_from(moment, rule)
        }
    }

    fn board_value(&self, moment: usize, rule: &TargetRule) -> f32 {
        let len = self.len();
        if moment >= len && self.ended {
            return 0.0;
        }
        let horizon = rule.td_steps.map_or(len, |steps| (moment + steps).min(len));
        let random = (moment..horizon).find(|&at| self.explored[at]);
        let end = random.unwrap_or(horizon.max(moment));
        let at_end = match self.values.get(end) {
            Some(&value) if end < len || !self.ended => value,
            _ => self.outcome,
        };
        let turned = if (end - moment).is_multiple_of(2) {
            at_end
        } else {
            -at_end
        };
        let target = turned * rule.discount.powf((end - moment) as f32);
        match self.values.get(moment) {
            Some(&found) if moment < len => target + rule.value_mix * (found - target),
            _ => target,
        }
    }

    fn return_from(&self, moment: usize, rule: &TargetRule) -> f32 {
        let len = self.len();
        let steps = rule.td_steps.unwrap_or(len);
        let end = (moment + steps).min(len);
        let mut sum = 0.0;
        let mut factor = 1.0;
        for at in moment..end {
            sum += factor * self.rewards[at];
            factor *= rule.discount;
        }
        // After the end there is nothing to be had.
        let value = self.values.get(end).copied().unwrap_or(0.0);
        sum + factor * value
    }

    /// What the action before a moment earned; nothing after the end.
    #[must_use]
    pub fn reward_before(&self, moment: usize) -> f32 {
        let before = moment.checked_sub(1);
        before
            .and_then(|at| self.rewards.get(at))
            .copied()
            .unwrap_or(0.0)
    }

    /// Makes the observations again by playing the moves.
    ///
    /// # Errors
    /// When the moves are not those of this game.
    pub fn observe(&mut self, game: &mut dyn Game) -> Result<()> {
        let [planes, rows, columns] = game.spec().observation;
        let mut buffer = vec![0.0; planes * rows * columns];
        game.reset(self.rng.clone())?;
        for &action in &self.opening {
            game.step(usize::from(action))?;
        }
        self.observations.clear();
        game.observe(&mut buffer);
        to_bytes(&buffer, &mut self.observations);
        for &action in &self.actions {
            game.step(usize::from(action))?;
            game.observe(&mut buffer);
            to_bytes(&buffer, &mut self.observations);
        }
        Ok(())
    }
}
