//! One decision in a game for one player, as a job: the game travels to the worker and back.
//!
//! So the window never waits for the arcade's process or a search, and whoever watches sets the pace.

use std::path::PathBuf;

use super::agent;
use super::game::{Game, GameId, open};
use super::kept::networks;
use super::player::{Machine, PlayOptions};
use crate::compute::{Flow, Job, StepCx};
use crate::error::Result;
use crate::rng::Rng;

/// Who decides.
#[derive(Clone, Debug, PartialEq)]
pub enum Hand {
    /// A person holds this action.
    Person(usize),
    /// The networks, with so many simulations.
    Machine {
        /// Weights in place of the shipped ones.
        weights: Option<PathBuf>,
        /// Simulations a decision.
        simulations: usize,
    },
}

/// A game with what was done last.
pub struct Frame {
    /// The game.
    pub game: Box<dyn Game>,
    /// What was done; `None` at the beginning.
    pub action: Option<usize>,
    /// What it earned.
    pub reward: f32,
    /// The value that the search found, where there was one.
    pub value: Option<f32>,
    /// Says that the networks are untrained.
    pub untrained: Option<String>,
}

/// Begins a game, or goes on by one decision.
pub struct ArcadeStep {
    /// Which.
    pub id: GameId,
    /// For a new game; the chances of the whole game come from it.
    pub seed: u64,
    /// The game and who decides; `None` begins.
    pub go_on: Option<(Box<dyn Game>, Hand)>,
}

impl Job for ArcadeStep {
    type Output = Frame;

    fn step(&mut self, cx: &mut StepCx<'_, Frame>) -> Result<Flow> {
        let frame = match self.go_on.take() {
            None => {
                let mut game = open(&self.id)?;
                game.reset(Rng::new(self.seed))?;
                Frame::new(game)
            }
            Some((game, Hand::Person(action))) => Frame::new(game).after(action)?,
            Some((game, hand)) => self.machine_step(game, hand, cx)?,
        };
        cx.emit(frame);
        Ok(Flow::Finished)
    }
}

impl ArcadeStep {
    fn machine_step(
        &self,
        game: Box<dyn Game>,
        hand: Hand,
        cx: &mut StepCx<'_, Frame>,
    ) -> Result<Frame> {
        let Hand::Machine {
            weights,
            simulations,
        } = hand
        else {
            return Ok(Frame::new(game));
        };
        let (trained, untrained) = networks(cx, &self.id, weights.as_deref())?;
        let options = PlayOptions::best(&trained.about.settings, simulations);
        let machine = Machine::new(trained, options, cx.device(), &Rng::new(self.seed));
        let decisions = machine.decide(&[&*game])?;
        let mut frame = Frame::new(game);
        frame.untrained = untrained;
        if let Some(decision) = decisions.first() {
            frame.value = Some(agent::expected(decision));
            frame = frame.after(decision.action)?;
        }
        Ok(frame)
    }
}

impl Frame {
    fn new(game: Box<dyn Game>) -> Self {
        Self {
            game,
            action: None,
            reward: 0.0,
            value: None,
            untrained: None,
        }
    }

    fn after(mut self, action: usize) -> Result<Self> {
        self.reward = self.game.step(action)?;
        self.action = Some(action);
        Ok(self)
    }
}
