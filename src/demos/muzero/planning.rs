//! What a search plans in when it plans in the learned model.
//!
//! [`Planner`] turns observations into roots by `h` and `f`, and is the search's [`Model`]: each
//! batch of requests is one pass of `g` and `f`. States lie side by side in one array.

use candle_core::{Device, Tensor};

use super::game::Game;
use super::net::{Net, NetConfig, Prediction};
use super::search::{Answers, Evaluator, Model, Request, Root};
use crate::error::{Error, Result};

/// The hidden states of a batch of trees, and the networks that make them.
pub struct Planner<'a> {
    net: &'a Net,
    device: Device,
    /// What a value counts one step earlier: negative where the turn passes.
    discount: f32,
    /// `[trees, nodes, state]`.
    states: Vec<f32>,
    nodes: usize,
    /// Kept between simulations, so that nothing is allocated for them.
    inputs: Vec<f32>,
    actions: Vec<u32>,
}

/// The hidden states of a search that rests, to go on with [`Planner::resume`].
pub struct Resting {
    states: Vec<f32>,
    nodes: usize,
}

/// What the networks say of a batch of observations.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Policy logits, `[batch, actions]`.
    pub logits: Vec<f32>,
    /// Values, `[batch]`.
    pub values: Vec<f32>,
}

impl Seen {
    /// Each observation's root, without noise.
    #[must_use]
    pub fn roots(&self, legal: Vec<Vec<bool>>) -> Vec<Root> {
        let actions = self.logits.len() / self.values.len().max(1);
        let logits = self.logits.chunks_exact(actions.max(1));
        logits
            .zip(&self.values)
            .zip(legal)
            .map(|((logits, &value), legal)| Root {
                logits: logits.to_vec(),
                value,
                legal,
                noise: Vec::new(),
            })
            .collect()
    }
}

/// The values that logits `[batch, bins]` stand for.
fn values(net: &Net, prediction: &Prediction) -> Result<Vec<f32>> {
    let support = net.config().value;
    let logits: Vec<f32> = prediction.value.flatten_all()?.to_vec1()?;
    let rows = logits.chunks_exact(support.bins);
    Ok(rows.map(|row| support.mean(row)).collect())
}

/// A batch of observations, `[batch, planes, rows, columns]`, as a tensor.
///
/// # Errors
/// When the numbers do not make a batch.
pub fn observations(config: &NetConfig, numbers: &[f32], device: &Device) -> Result<Tensor> {
    let [planes, rows, columns] = config.observation;
    let one = planes * rows * columns;
    let shape = (numbers.len() / one, planes, rows, columns);
    Ok(Tensor::from_slice(numbers, shape, device)?)
}

impl<'a> Planner<'a> {
    /// For a game of one or two players. `net` should be a detached one.
    #[must_use]
    pub fn new(net: &'a Net, device: &Device, players: usize, discount: f32) -> Self {
        let sign = if players == 2 { -1.0 } else { 1.0 };
        Self {
            net,
            device: device.clone(),
            discount: sign * discount,
            states: Vec::new(),
            nodes: 0,
            inputs: Vec::new(),
            actions: Vec::new(),
        }
    }

    /// Looks at observations, `[batch, planes, rows, columns]`, and makes room for trees of
    /// `simulations` nodes below each.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn begin(&mut self, numbers: &[f32], simulations: usize) -> Result<Seen> {
        let config = self.net.config();
        let states = self
            .net
            .represent(&observations(config, numbers, &self.device)?)?;
        let prediction = self.net.predict(&states)?;
        let states: Vec<f32> = states.flatten_all()?.to_vec1()?;
        let one = config.state_len();
        self.nodes = simulations + 1;
        let trees = states.len() / one;
        self.states.resize(trees * self.nodes * one, 0.0);
        for (tree, state) in states.chunks_exact(one).enumerate() {
            let at = tree * self.nodes * one;
            self.states[at..at + one].copy_from_slice(state);
        }
        Ok(Seen {
            logits: prediction.policy.flatten_all()?.to_vec1()?,
            values: values(self.net, &prediction)?,
        })
    }

    /// Keeps the states without the networks.
    #[must_use]
    pub fn rest(self) -> Resting {
        Resting {
            states: self.states,
            nodes: self.nodes,
        }
    }

    /// Goes on with states that were kept.
    #[must_use]
    pub fn resume(mut self, resting: Resting) -> Self {
        self.states = resting.states;
        self.nodes = resting.nodes;
        self
    }

    /// The hidden state of a node.
    #[must_use]
    pub fn state(&self, tree: usize, node: usize) -> &[f32] {
        let one = self.net.config().state_len();
        let at = (tree * self.nodes + node) * one;
        &self.states[at..at + one]
    }
}

impl Model for Planner<'_> {
    fn expand(&mut self, requests: &[Request], answers: &mut Answers) -> Result<()> {
        let config = self.net.config();
        let (one, count) = (config.state_len(), requests.len());
        if requests.iter().any(|r| r.node >= self.nodes) {
            return Err(Error::Input("a tree outgrew the room made for it".into()));
        }
        self.inputs.clear();
        self.actions.clear();
        for request in requests {
            let at = (request.tree * self.nodes + request.parent) * one;
            self.inputs.extend_from_slice(&self.states[at..at + one]);
            self.actions.push(request.action as u32);
        }
        let [rows, columns] = config.grid();
        let shape = (count, config.channels, rows, columns);
        let states = Tensor::from_slice(&self.inputs, shape, &self.device)?;
        let actions = Tensor::from_slice(&self.actions, count, &self.device)?;
        let (rewards, states) = self.net.dynamics(&states, &actions)?;
        let prediction = self.net.predict(&states)?;
        let states: Vec<f32> = states.flatten_all()?.to_vec1()?;
        for (request, state) in requests.iter().zip(states.chunks_exact(one)) {
            let at = (request.tree * self.nodes + request.node) * one;
            self.states[at..at + one].copy_from_slice(state);
        }
        answers.rewards.clear();
        match (rewards, config.reward) {
            (Some(rewards), Some(support)) => {
                let logits: Vec<f32> = rewards.flatten_all()?.to_vec1()?;
                let rows = logits.chunks_exact(support.bins);
                answers.rewards.extend(rows.map(|row| support.mean(row)));
            }
            _ => answers.rewards.resize(count, 0.0),
        }
        answers.discounts.clear();
        answers.discounts.resize(count, self.discount);
        answers.logits = prediction.policy.flatten_all()?.to_vec1()?;
        answers.values = values(self.net, &prediction)?;
        Ok(())
    }
}

/// Predicts real games by `f(h(·))`, for a search with the true rules.
pub struct Sight<'a> {
    net: &'a Net,
    device: Device,
}

impl<'a> Sight<'a> {
    /// With these networks.
    #[must_use]
    pub fn new(net: &'a Net, device: &Device) -> Self {
        let device = device.clone();
        Self { net, device }
    }
}

impl Evaluator for Sight<'_> {
    fn evaluate(
        &mut self,
        games: &[&dyn Game],
        logits: &mut Vec<f32>,
        values: &mut Vec<f32>,
    ) -> Result<()> {
        let config = self.net.config();
        let mut numbers = vec![0.0; games.len() * config.observation.iter().product::<usize>()];
        let one = numbers.len() / games.len().max(1);
        for (game, numbers) in games.iter().zip(numbers.chunks_exact_mut(one)) {
            game.observe(numbers);
        }
        let states = self
            .net
            .represent(&observations(config, &numbers, &self.device)?)?;
        let prediction = self.net.predict(&states)?;
        logits.extend(prediction.policy.flatten_all()?.to_vec1::<f32>()?);
        values.extend(self::values(self.net, &prediction)?);
        Ok(())
    }
}
