//! What a run is asked for: the command line's flags, the tab's controls, and what a session and
//! an export hold.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::data::DatasetSource;

/// A body of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// All weights are trained: what the others are compared with
    #[default]
    Dense,
    /// Iterative magnitude pruning (Frankle and Carbin): train, prune, rewind, again
    Imp,
    /// Pruning from Scratch (Wang et al.): gates on random weights choose the channels
    Gates,
    /// Edge-popup (Ramanujan et al.): choose among random weights, train none
    EdgePopup,
    /// Subset sums (Malach, Orseau, Pensia): rebuild a trained net out of random weights
    SubsetSum,
}

/// A network of the papers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetKind {
    /// LeNet-300-100, three linear layers
    #[default]
    Lenet,
    /// Two convolutions of 64 channels, linear layers of 256, 256 and 10
    Conv2,
    /// Conv-2 with two convolutions of 128 channels more
    Conv4,
    /// Conv-4 with two convolutions of 256 channels more
    Conv6,
    /// Two convolutions of 16 channels and a linear layer of 64, small enough to watch
    Conv2Lite,
}

/// Where random weights come from that are never trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RandomWeights {
    /// One magnitude a layer, random signs
    #[default]
    SignedConstant,
    /// Kaiming's normal distribution
    KaimingNormal,
}

/// What a run is asked for.
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches of the command line, independent of each other"
)]
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize)]
#[serde(default)]
pub struct LotteryConfig {
    /// The body of work
    #[arg(long, value_enum, default_value_t = Method::Dense)]
    pub method: Method,
    /// The network
    #[arg(long, value_enum, default_value_t = NetKind::Lenet)]
    pub net: NetKind,
    /// Scales the widths of the hidden layers
    #[arg(long, default_value_t = 1.0)]
    pub width: f64,
    /// The images
    #[arg(long, value_enum, default_value_t = DatasetSource::Mnist)]
    pub data: DatasetSource,
    /// A folder with idx files, or with CIFAR-10's binary files, in place of what is shipped or fetched
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Optimiser steps of one training
    #[arg(long, default_value_t = 3000)]
    pub steps: u64,
    /// Images a step
    #[arg(long, default_value_t = 60)]
    pub batch: usize,
    /// Learning rate; the paper's for the network if not given
    #[arg(long)]
    pub learning_rate: Option<f64>,
    /// Steps between two points of a curve
    #[arg(long, default_value_t = 100)]
    pub eval_every: u64,
    /// Repetitions with seeds of their own
    #[arg(long, default_value_t = 1)]
    pub seeds: u32,
    /// imp: rounds of pruning
    #[arg(long, default_value_t = 7)]
    pub levels: u32,
    /// imp: the step whose weights survivors go back to; 0 are the initial ones
    #[arg(long, default_value_t = 0)]
    pub rewind: u64,
    /// imp: optimiser steps of the last ticket and its controls, if they should be others: early
    /// stopping needs a training that goes on until the net overfits
    #[arg(long)]
    pub last_steps: Option<u64>,
    /// imp: prune once, to where the rounds would have led
    #[arg(long)]
    pub one_shot: bool,
    /// imp: also train each ticket with new random weights, and with a random mask
    #[arg(long)]
    pub controls: bool,
    /// imp: train siblings and interpolate between them
    #[arg(long)]
    pub siblings: bool,
    /// gates: the share of the operations to keep
    #[arg(long, default_value_t = 0.5)]
    pub budget: f64,
    /// edge-popup: the share of each layer's weights that is kept
    #[arg(long, default_value_t = 0.5)]
    pub k: f64,
    /// edge-popup: further shares to try, such as 0.1,0.3,0.7
    #[arg(long, value_delimiter = ',')]
    pub k_sweep: Vec<f64>,
    /// edge-popup: the random weights
    #[arg(long, value_enum, default_value_t = RandomWeights::SignedConstant)]
    pub weights: RandomWeights,
    /// edge-popup: weights are not scaled by the square root of 1/k
    #[arg(long)]
    pub unscaled: bool,
    /// subset-sum: random numbers to choose from for each weight
    #[arg(long, default_value_t = 21)]
    pub n: u32,
    /// Stop when this test accuracy is reached, such as 0.97
    #[arg(long)]
    pub target: Option<f64>,
    /// Where random numbers begin
    #[arg(skip)]
    pub seed: u64,
}

impl Default for LotteryConfig {
    fn default() -> Self {
        Self {
            method: Method::Dense,
            net: NetKind::Lenet,
            width: 1.0,
            data: DatasetSource::Mnist,
            folder: None,
            steps: 3000,
            batch: 60,
            learning_rate: None,
            eval_every: 100,
            seeds: 1,
            levels: 7,
            rewind: 0,
            last_steps: None,
            one_shot: false,
            controls: false,
            siblings: false,
            budget: 0.5,
            k: 0.5,
            k_sweep: Vec::new(),
            weights: RandomWeights::SignedConstant,
            unscaled: false,
            n: 21,
            target: None,
            seed: 0,
        }
    }
}
