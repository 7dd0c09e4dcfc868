//! A training run's settings.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::EarlyStop;
use crate::nn::optim::OptimizerConfig;
use crate::rng::Rng;

/// A training run's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainConfig {
    /// Optimiser steps at most.
    pub steps: u64,
    /// The optimiser.
    pub optimizer: OptimizerConfig,
    /// Seeds the initial weights and the batches.
    #[serde(default)]
    pub seed: u64,
    /// Steps between evaluations, and one after the last step; 0 for none at all.
    #[serde(default)]
    pub evaluate_every: u64,
    /// Ends the run early.
    #[serde(default)]
    pub early_stop: Option<EarlyStop>,
    /// Keeps a moving average of the weights, which is what evaluations measure.
    #[serde(default)]
    pub ema_decay: Option<f64>,
    /// Seconds between checkpoints.
    #[serde(default = "default_checkpoint_secs")]
    pub checkpoint_secs: f64,
}

fn default_checkpoint_secs() -> f64 {
    30.0
}

impl TrainConfig {
    /// So many steps, seed 0, without evaluations.
    #[must_use]
    pub fn new(steps: u64, optimizer: OptimizerConfig) -> Self {
        Self {
            steps,
            optimizer,
            seed: 0,
            evaluate_every: 0,
            early_stop: None,
            ema_decay: None,
            checkpoint_secs: default_checkpoint_secs(),
        }
    }

    /// Whether a run with these stored settings would go the same way; it may be longer, and
    /// stored more often.
    pub(super) fn continues(&self, stored: &Value) -> bool {
        serde_json::from_value::<Self>(stored.clone()).is_ok_and(|stored| {
            let same_way = Self {
                steps: self.steps,
                checkpoint_secs: self.checkpoint_secs,
                ..stored
            };
            same_way == *self
        })
    }

    /// The random stream of the whole run.
    pub(super) fn rng(&self) -> Rng {
        Rng::new(self.seed).split("train")
    }
}
