//! A search with the true rules of the game: `AlphaZero`, with the same network.
//!
//! States are games; every new one is observed and predicted by `f(h(·))`. Illegal moves are known
//! everywhere in the tree, and so is the end of a game. It is what `MuZero` is compared with.

use candle_core::Device;

use super::game::Game;
use super::net::Net;
use super::planning::Planner;
use super::search::{Answers, Model, Request};
use crate::error::Result;

/// The logit of an action that is not legal: no softmax gives it a share.
const NEVER: f32 = -1e9;

/// The games in a batch of trees.
pub struct Rules<'a> {
    planner: Planner<'a>,
    /// Of each tree its nodes' games.
    games: Vec<Vec<Box<dyn Game>>>,
}

impl<'a> Rules<'a> {
    /// Trees that begin in these positions.
    ///
    /// # Errors
    /// When a game cannot be copied.
    pub fn new(net: &'a Net, device: &Device, games: &[&dyn Game]) -> Result<Self> {
        let roots = games.iter().map(|game| Ok(vec![game.boxed_clone()?]));
        Ok(Self {
            planner: Planner::new(net, device, 2, 1.0),
            games: roots.collect::<Result<_>>()?,
        })
    }
}

impl Model for Rules<'_> {
    fn expand(&mut self, requests: &[Request], answers: &mut Answers) -> Result<()> {
        let mut seen = Vec::new();
        let mut one: Vec<f32> = Vec::new();
        for request in requests {
            let tree = &mut self.games[request.tree];
            let mut game = tree[request.parent].boxed_clone()?;
            let [planes, rows, columns] = game.spec().observation;
            one.resize(planes * rows * columns, 0.0);
            let over = game.is_over();
            let reward = if over { 0.0 } else { game.step(request.action)? };
            game.observe(&mut one);
            seen.extend_from_slice(&one);
            answers.rewards.push(reward);
            let ends = game.is_over();
            answers.discounts.push(if ends { 0.0 } else { -1.0 });
            // Nodes come in order, one a simulation.
            tree.truncate(request.node);
            tree.push(game);
        }
        let looked = self.planner.begin(&seen, 0)?;
        answers.logits = looked.logits;
        answers.values = looked.values;
        let actions = answers.logits.len() / requests.len().max(1);
        let mut legal = vec![false; actions];
        for (request, logits) in requests.iter().zip(answers.logits.chunks_exact_mut(actions)) {
            self.games[request.tree][request.node].legal(&mut legal);
            for (logit, legal) in logits.iter_mut().zip(&legal) {
                if !legal {
                    *logit = NEVER;
                }
            }
        }
        Ok(())
    }
}
