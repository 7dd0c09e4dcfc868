//! Trained networks as a player: a search without noise for many games at once.

use std::sync::Arc;

use candle_core::Device;
use rayon::prelude::*;

use super::agent;
use super::arena::{Choice, Player, Position};
use super::config::{Agent, Settings};
use super::game::Game;
use super::planning::{Planner, Sight};
use super::search::{
    Algorithm, Decision, GumbelConfig, PuctConfig, Root, Search, SearchConfig, TrueRules, sample,
};
use super::weights_file::Trained;
use crate::error::Result;
use crate::rng::Rng;

/// Games that are searched as one batch.
const GROUP: usize = 32;

/// How trained networks are asked for a move.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayOptions {
    /// Simulations a move; 0 plays from the policy alone.
    pub simulations: usize,
    /// How the tree grows.
    pub algorithm: Algorithm,
    /// 0 plays the best move, 1 draws from the policy that the search found.
    pub temperature: f32,
}

impl PlayOptions {
    /// The best move after so many simulations of the search that these networks learned with.
    #[must_use]
    pub fn best(settings: &Settings, simulations: usize) -> Self {
        let algorithm = match &settings.search.algorithm {
            Algorithm::Gumbel(gumbel) => Algorithm::Gumbel(GumbelConfig {
                scale: 0.0,
                ..gumbel.clone()
            }),
            Algorithm::Puct(puct) => Algorithm::Puct(PuctConfig {
                dirichlet_fraction: 0.0,
                temperature: 0.0,
                ..puct.clone()
            }),
        };
        Self {
            simulations,
            algorithm,
            temperature: 0.0,
        }
    }

    /// The search this asks for.
    #[must_use]
    pub fn search(&self) -> SearchConfig {
        SearchConfig {
            simulations: self.simulations,
            algorithm: self.algorithm.clone(),
        }
    }
}

/// Trained networks that play.
pub struct Machine {
    trained: Arc<Trained>,
    options: PlayOptions,
    device: Device,
    rng: Rng,
}

impl Machine {
    /// Networks with this way of playing; chance comes from `rng`.
    #[must_use]
    pub fn new(trained: Arc<Trained>, options: PlayOptions, device: &Device, rng: &Rng) -> Self {
        Self {
            trained,
            options,
            device: device.clone(),
            rng: rng.clone(),
        }
    }

    /// What it decides in each position; none of them is over.
    ///
    /// # Errors
    /// When the network fails, or a game cannot be copied for a search with its rules.
    pub fn decide(&self, games: &[&dyn Game]) -> Result<Vec<Decision>> {
        let groups: Vec<Vec<Decision>> = games
            .par_chunks(GROUP)
            .map(|games| self.decide_group(games))
            .collect::<Result<_>>()?;
        Ok(groups.into_iter().flatten().collect())
    }

    fn decide_group(&self, games: &[&dyn Game]) -> Result<Vec<Decision>> {
        let settings = &self.trained.about.settings;
        let config = self.options.search();
        let seen = observe(games, settings.net.observation);
        let legal = agent::legal(games, settings.net.actions);
        let net = &self.trained.net;
        let mut planner = Planner::new(net, &self.device, settings.players, settings.discount);
        let roots = planner.begin(&seen, config.simulations)?.roots(legal);
        if settings.agent == Agent::AlphaZero {
            let mut sight = Sight::new(net, &self.device);
            let mut rules = TrueRules::new(games, settings.discount, &mut sight)?;
            return run(&config, roots, &mut rules);
        }
        run(&config, roots, &mut planner)
    }

    /// The move of a decision: the best one, or a draw.
    pub fn action(&mut self, decision: &Decision) -> usize {
        if self.options.temperature > 0.0 {
            sample(&decision.policy, self.options.temperature, &mut self.rng)
        } else {
            decision.action
        }
    }
}

fn run(
    config: &SearchConfig,
    roots: Vec<Root>,
    model: &mut dyn super::search::Model,
) -> Result<Vec<Decision>> {
    let (trees, actions) = (roots.len(), roots.first().map_or(0, |r| r.logits.len()));
    let mut search = Search::new(config, actions, roots)?;
    while !search.is_done() {
        search.simulate(model)?;
    }
    Ok((0..trees).map(|tree| search.decide(tree)).collect())
}

/// The observations of games, side by side.
#[must_use]
pub fn observe(games: &[&dyn Game], [planes, rows, columns]: [usize; 3]) -> Vec<f32> {
    let one = planes * rows * columns;
    let mut seen = vec![0.0; games.len() * one];
    for (game, seen) in games.iter().zip(seen.chunks_exact_mut(one)) {
        game.observe(seen);
    }
    seen
}

impl Player for Machine {
    fn name(&self) -> String {
        let agent = match self.trained.about.settings.agent {
            Agent::MuZero => "muzero",
            Agent::AlphaZero => "alphazero",
            Agent::ActorCritic => "actor-critic",
        };
        format!("{agent}:{}", self.options.simulations)
    }

    fn choose(&mut self, games: &[&Position]) -> Result<Vec<Choice>> {
        let games: Vec<&dyn Game> = games.iter().map(|position| &*position.game).collect();
        let decisions = self.decide(&games)?;
        Ok(decisions.iter().map(|d| Ok(self.action(d))).collect())
    }
}
