//! What runs leave behind: plain data for the tab, the command line, files and sessions.
//!
//! A run of a method is a sequence of stages: trainings, searches, constructions. Every stage adds
//! points to its curve; the ledger is read off the same points, so that each method is charged for
//! everything it did before it reached an accuracy.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::config::{LotteryConfig, Method};

/// One run of a method, whole or as far as it got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// What was asked for.
    pub config: LotteryConfig,
    /// Weights of the unpruned net, biases not counted.
    pub weights: u64,
    /// Names and shapes of the layers that can be pruned, in the order of the net.
    pub layers: Vec<LayerShape>,
    /// In the order they ran; the last one may be under way.
    pub stages: Vec<Stage>,
    /// What only one method has.
    pub extras: Extras,
    /// The last stage is finished and there is none to come.
    pub finished: bool,
}

/// A layer's name and the shape of its weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerShape {
    /// As in the weights' file, such as `fc1`.
    pub name: String,
    /// `[outputs, inputs]` or `[outputs, inputs, height, width]`.
    pub shape: Vec<usize>,
}

/// What a stage does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// All weights are trained.
    Dense,
    /// The weights that survived, set back to their first values (or those of the rewind step).
    Ticket,
    /// The ticket's mask with new random weights.
    Reinitialised,
    /// As many weights in each layer as the ticket has, chosen at random.
    RandomMask,
    /// A net trained again from the same weights on images in another order.
    Sibling,
    /// A pruned net goes on from its trained weights.
    FineTune,
    /// Gates of channels are trained, weights stay random.
    GateSearch,
    /// The net that the gates chose, trained for as many steps as the full net.
    GatedSameSteps,
    /// The net that the gates chose, trained for as many operations as the full net.
    GatedSameBudget,
    /// Scores are trained, weights stay random.
    EdgePopup,
    /// Weights are put together as sums of random ones.
    SubsetSum,
}

/// One stage of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// What it does.
    pub kind: StageKind,
    /// Rounds of pruning before it.
    pub level: u32,
    /// Which repetition it belongs to; repetitions differ in their seed.
    pub repetition: u32,
    /// Share of the prunable weights that are left, 0 to 1.
    pub weights_remaining: f64,
    /// Weights left in each layer.
    pub kept: Vec<u64>,
    /// Output units or channels of each layer that still do something.
    pub alive_units: Vec<u64>,
    /// The curve, in the order of the steps.
    pub points: Vec<Point>,
    /// Filled in when the stage is done.
    pub summary: Option<Summary>,
}

/// One place on a stage's curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Optimiser steps of this stage; weights searched for, where sums are built.
    pub step: u64,
    /// Operations (a multiply-add is two) of all that led here, what was pruned not counted: the
    /// stages of this repetition that the present one was made of, and itself until this step.
    pub flops: f64,
    /// Processor seconds of training of all that led here, all threads together; evaluation is not
    /// counted.
    pub cpu_seconds: f64,
    /// Mean loss of the steps since the last point; NaN for the first.
    #[serde(with = "nan_as_null")]
    pub train_loss: f64,
    /// On images held out of training.
    pub validation_loss: f64,
    /// Share of the held-out images that are right, 0 to 1.
    pub validation_accuracy: f64,
    /// Share of the test images that are right, 0 to 1.
    pub test_accuracy: f64,
    /// Share of the kept weights that changed places since the last point, for methods that choose
    /// while they train.
    pub mask_churn: Option<f64>,
}

/// A stage in figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The step of the least validation loss, the papers' early-stopping iteration.
    pub early_stop_step: u64,
    /// Test accuracy there.
    pub early_stop_accuracy: f64,
    /// Test accuracy at the last step.
    pub final_accuracy: f64,
    /// Operations of this stage alone.
    pub flops: f64,
    /// Processor seconds of training of this stage alone.
    pub cpu_seconds: f64,
    /// Elapsed milliseconds an optimiser step, the median.
    pub ms_per_step: f64,
    /// Bytes that the result takes: weights, and masks or indices where it is sparse.
    pub stored_bytes: u64,
}

/// What only some methods have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extras {
    /// Linear interpolation between two siblings trained from one net with different data orders:
    /// error against position, for several rewind steps.
    pub interpolations: Vec<Interpolation>,
    /// Initial weights of those that survived, for each pruning level.
    pub survivors: Vec<Histogram>,
    /// Values of the channel gates, one list a layer, in the order of the layers.
    pub gates: Vec<Vec<f32>>,
    /// The threshold below which a gate is closed.
    pub gate_threshold: Option<f32>,
    /// Accuracy of edge-popup for several shares kept: `(k, test accuracy)`.
    pub k_sweep: Vec<(f64, f64)>,
    /// What the subset sums reached.
    pub subset_sum: Option<SubsetSumRecord>,
}

/// A line between two nets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interpolation {
    /// Weights left.
    pub weights_remaining: f64,
    /// The step from which the siblings went different ways.
    pub rewind: u64,
    /// `(position from 0 to 1, test error)`.
    pub error: Vec<(f64, f64)>,
}

/// A histogram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Rounds of pruning.
    pub level: u32,
    /// The layer's number.
    pub layer: usize,
    /// Left edge of the first bin and right edge of the last.
    pub range: [f32; 2],
    /// Counts.
    pub bins: Vec<u32>,
}

/// A trained net rebuilt out of random weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubsetSumRecord {
    /// Test accuracy of the trained net that is rebuilt.
    pub target_accuracy: f64,
    /// Random weights to choose from for each weight.
    pub coefficients: u32,
    /// Random weights in all.
    pub random_weights: u64,
    /// Of these kept.
    pub kept_weights: u64,
    /// Weights rebuilt so far.
    pub done: u64,
    /// Median of the errors, in units of the scaled target's range.
    pub median_error: f64,
    /// The greatest error.
    pub max_error: f64,
    /// `(n, median, 95 % quantile, greatest error, the theory's median)`.
    pub error_curve: Vec<(u32, f64, f64, f64, f64)>,
}

/// A net at one moment, to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Shot {
    /// The stage's number in the run.
    pub stage: usize,
    /// Optimiser steps of the stage.
    pub step: u64,
    /// In the order of the net.
    pub layers: Vec<LayerShot>,
}

/// A layer at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerShot {
    /// Its number of outputs; a convolution's kernel entries count as inputs.
    pub rows: usize,
    /// Its number of inputs.
    pub cols: usize,
    /// `[rows, cols]`, row after row: weights that are pruned are 0 here.
    pub weights: Vec<f32>,
    /// `[rows, cols]`: whether a weight is left.
    pub mask: Vec<bool>,
}

/// What a job reports.
#[derive(Clone, Debug)]
pub enum Output {
    /// The run begins, or goes on where an earlier one stopped: everything it has so far. Also where
    /// more became known of a stage when it was done.
    Began(Box<RunRecord>),
    /// A stage begins; it is added to the record's list.
    Stage(Box<Stage>),
    /// The stage under way has a further point.
    Point(Point),
    /// The stage under way is done.
    Done(Summary),
    /// The extras as they are now.
    Extras(Box<Extras>),
    /// The net as it is now; shown, not stored.
    Shot(Arc<Shot>),
    /// Nothing is left to do.
    Finished,
}

impl RunRecord {
    /// Takes in what the job reports.
    pub fn hear(&mut self, output: &Output) {
        match output {
            Output::Began(record) => *self = (**record).clone(),
            Output::Stage(stage) => self.stages.push((**stage).clone()),
            Output::Point(point) => {
                if let Some(stage) = self.stages.last_mut() {
                    stage.points.push(*point);
                }
            }
            Output::Done(summary) => {
                if let Some(stage) = self.stages.last_mut() {
                    stage.summary = Some(*summary);
                }
            }
            Output::Extras(extras) => self.extras = (**extras).clone(),
            Output::Shot(_) => {}
            Output::Finished => self.finished = true,
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.config.method
    }
}

/// NaN is no JSON.
mod nan_as_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's contract")]
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        (!value.is_nan()).then_some(*value).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Option::deserialize(deserializer).map(|value| value.unwrap_or(f64::NAN))
    }
}
