//! Hidden states that `g` carries forward, and what can be read from them.

use candle_core::{Device, Tensor};

use super::super::net::Net;
use super::super::planning::observations;
use super::super::support::Support;
use crate::error::Result;
use crate::nn::ops::pointwise::sigmoid;

/// A batch of imagined states.
pub struct Dream<'a> {
    net: &'a Net,
    device: Device,
    states: Tensor,
}

/// What is read from a batch of states, for the players whose turn it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// What the probe draws, `[batch, planes, rows, columns]`, within 0 and 1.
    pub pictures: Vec<f32>,
    /// `[batch]`.
    pub values: Vec<f32>,
    /// Over all actions, legal or not, `[batch, actions]`.
    pub policies: Vec<f32>,
}

/// The numbers that rows of logits stand for.
fn means(logits: &Tensor, support: &Support) -> Result<Vec<f32>> {
    let logits: Vec<f32> = logits.flatten_all()?.to_vec1()?;
    let rows = logits.chunks_exact(support.bins);
    Ok(rows.map(|row| support.mean(row)).collect())
}

fn softmax(row: &mut [f32]) {
    let greatest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for x in &mut *row {
        *x = (*x - greatest).exp();
    }
    let total: f32 = row.iter().sum();
    for x in row {
        *x /= total;
    }
}

impl<'a> Dream<'a> {
    /// States of observations, `[batch, planes, rows, columns]`. `net` should be a detached one.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn begin(net: &'a Net, seen: &[f32], device: &Device) -> Result<Self> {
        let states = net.represent(&observations(net.config(), seen, device)?)?;
        Ok(Self {
            net,
            device: device.clone(),
            states,
        })
    }

    /// Goes on with states that were kept.
    #[must_use]
    pub fn resume(net: &'a Net, states: Tensor, device: &Device) -> Self {
        Self {
            net,
            device: device.clone(),
            states,
        }
    }

    /// The states, to go on with them later.
    #[must_use]
    pub fn rest(self) -> Tensor {
        self.states
    }

    /// Takes an action in each state. Gives the imagined rewards, if the game has any on the way.
    ///
    /// # Errors
    /// When there is not one action for each state, or no such action.
    pub fn step(&mut self, actions: &[usize]) -> Result<Option<Vec<f32>>> {
        let actions: Vec<u32> = actions.iter().map(|&action| action as u32).collect();
        let count = actions.len();
        let actions = Tensor::from_vec(actions, count, &self.device)?;
        let (rewards, states) = self.net.dynamics(&self.states, &actions)?;
        self.states = states;
        match (rewards, &self.net.config().reward) {
            (Some(rewards), Some(support)) => means(&rewards, support).map(Some),
            _ => Ok(None),
        }
    }

    /// Reads the states.
    ///
    /// # Errors
    /// When the device fails.
    pub fn look(&self) -> Result<Look> {
        let config = self.net.config();
        let prediction = self.net.predict(&self.states)?;
        let mut policies: Vec<f32> = prediction.policy.flatten_all()?.to_vec1()?;
        for row in policies.chunks_exact_mut(config.actions) {
            softmax(row);
        }
        let pictures = sigmoid(&self.net.probe(&self.states)?)?;
        Ok(Look {
            pictures: pictures.flatten_all()?.to_vec1()?,
            values: means(&prediction.value, &config.value)?,
            policies,
        })
    }

    /// What the probe should draw of observations.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn target(&self, seen: &[f32]) -> Result<Vec<f32>> {
        let seen = observations(self.net.config(), seen, &self.device)?;
        Ok(self.net.probe_target(&seen)?.flatten_all()?.to_vec1()?)
    }
}
