//! Five small games on grids of 10 by 10, with the rules of `MinAtar`.
//!
//! Young and Tian 2019, "`MinAtar`: An Atari-Inspired Testbed for Thorough and Reproducible
//! Reinforcement Learning Experiments". Each game keeps the play of its Atari namesake and drops
//! the pixels: what is on the grid is given as channels of cells that are on or off. The rules
//! were written anew and are compared step by step with the authors' package by the tests.
//!
//! One decision is one frame. Chance enters in three ways: with probability [`STICKY`] the machine
//! repeats the action before instead of the one that was chosen (sticky actions), things appear
//! at random places, and Freeway's cars change their speeds. It is drawn through [`Chance`], so
//! that the tests can replay the draws of the package.
//!
//! Two things differ from the package. A net has only the actions that do something in its game
//! (the minimal set), and the action that may be repeated at the first step is always `noop`,
//! where the package remembers the last one of the game before: a game shall depend on its seed
//! only.

mod asterix;
mod breakout;
mod freeway;
mod machine;
mod seaquest;
mod space_invaders;

pub use machine::{Chance, Key, Machine, SIZE};

use super::{ActionCells, ActionCoding, Game, Grid, MinAtar, Outcome, Player, Scene, Spec};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// How often an action is repeated in the published experiments.
pub const STICKY: f32 = 0.1;

/// Steps after which a game is stopped, but for Freeway. The rules know no limit; a player who
/// earns what is published needs less than a fifth of it.
const LONGEST: usize = 5000;

/// One of the five games, being played.
#[derive(Clone, Debug)]
pub struct MinAtarGame {
    kind: MinAtar,
    spec: Spec,
    sticky: f64,
    ramping: bool,
    machine: Machine,
    rng: Rng,
    steps: usize,
}

impl MinAtarGame {
    /// A new game. `sticky` is the probability that the action before is repeated, `ramping`
    /// whether Asterix, Space Invaders and Seaquest become harder with time. Until the first
    /// [`Game::reset`] the chances are those of seed 0.
    #[must_use]
    pub fn new(kind: MinAtar, sticky: f32, ramping: bool) -> Self {
        let mut rng = Rng::new(0);
        let machine = Machine::new(kind, ramping, &mut rng);
        let spec = Spec {
            observation: [machine.channels().len(), SIZE, SIZE],
            actions: machine.keys().len(),
            players: 1,
            max_steps: match kind {
                MinAtar::Freeway => freeway::FRAMES,
                _ => LONGEST,
            },
            coding: ActionCoding::Planes,
        };
        Self {
            kind,
            spec,
            sticky: f64::from(sticky),
            ramping,
            machine,
            rng,
            steps: 0,
        }
    }
}

impl Game for MinAtarGame {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn boxed_clone(&self) -> Result<Box<dyn Game>> {
        Ok(Box::new(self.clone()))
    }

    fn reset(&mut self, rng: Rng) -> Result<()> {
        self.rng = rng;
        self.machine = Machine::new(self.kind, self.ramping, &mut self.rng);
        self.steps = 0;
        Ok(())
    }

    fn to_play(&self) -> Player {
        Player::First
    }

    fn is_over(&self) -> bool {
        self.machine.is_over() || self.steps >= self.spec.max_steps
    }

    fn outcome(&self) -> Option<Outcome> {
        None
    }

    fn legal(&self, legal: &mut [bool]) {
        legal.fill(!self.is_over());
    }

    fn step(&mut self, action: usize) -> Result<f32> {
        if self.is_over() {
            return Err(Error::Input("the game is over".into()));
        }
        let Some(&key) = self.machine.keys().get(action) else {
            return Err(Error::Input(format!(
                "there is no action {action}, there are {}",
                self.spec.actions
            )));
        };
        self.steps += 1;
        Ok(self.machine.step(key, self.sticky, &mut self.rng))
    }

    fn observe(&self, planes: &mut [f32]) {
        planes.fill(0.0);
        self.machine.draw(|cell| planes[cell] = 1.0);
    }

    fn scene(&self) -> Scene {
        let channels = self.machine.channels();
        let mut cells = vec![false; channels.len() * SIZE * SIZE];
        self.machine.draw(|cell| cells[cell] = true);
        Scene::Grid(Grid {
            rows: SIZE,
            columns: SIZE,
            channels,
            cells,
        })
    }

    fn action_name(&self, action: usize) -> String {
        let key = self.machine.keys().get(action);
        key.map_or("", |key| key.name()).to_owned()
    }

    fn parse_action(&self, name: &str) -> Result<usize> {
        let keys = self.machine.keys();
        let found = keys.iter().position(|key| key.name() == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = keys.iter().map(|key| key.name()).collect();
            Error::Input(format!(
                "there is no action {name:?}, there are {}",
                names.join(", ")
            ))
        })
    }

    fn cells(&self, _action: usize) -> ActionCells {
        ActionCells::default()
    }
}
