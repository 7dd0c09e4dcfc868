//! How many weights there are, and how many stay.

use std::ops::Add;

use serde::{Deserialize, Serialize};

/// Sizes of a target, of the random network, and of what is kept of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Weights and biases of the target.
    pub target: u64,
    /// Paths that were searched, n for each parameter. Compares with the 8.34 million "initial
    /// parameters" of the published experiment.
    pub paths: u64,
    /// Random weights once A is block-diagonal: for each neuron one first weight and all its second
    /// ones. Silent neurons included.
    pub random: u64,
    /// Random weights of the full, dense network that the theorem speaks of.
    pub random_dense: u64,
    /// Paths kept. Compares with the published 3.73 million "remaining parameters".
    pub kept_paths: u64,
    /// Random weights kept: those of the second layer, one for each kept path, and the first weights
    /// that any of these reads.
    pub kept: u64,
}

impl Counts {
    /// How many weights are kept for each parameter of the target.
    #[must_use]
    pub fn kept_for_each(&self) -> f64 {
        self.kept as f64 / self.target.max(1) as f64
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            target: self.target + other.target,
            paths: self.paths + other.paths,
            random: self.random + other.random,
            random_dense: self.random_dense + other.random_dense,
            kept_paths: self.kept_paths + other.kept_paths,
            kept: self.kept + other.kept,
        }
    }
}
