//! The training loop.
//!
//! A model says what it learns as an [`Objective`]; a [`Trainer`] does the rest, one optimiser step
//! a call; a [`TrainJob`] runs a trainer on the worker, with checkpoints.
//!
//! ```no_run
//! use candle_core::Tensor;
//! use vitrine::nn::train::{Objective, TrainConfig, TrainJob};
//! use vitrine::nn::{Init, Params};
//! use vitrine::rng::Rng;
//!
//! /// Fits a line through the origin.
//! struct Line { slope: Tensor, xs: Tensor, ys: Tensor }
//!
//! impl Objective for Line {
//!     fn loss(&mut self, _step: u64, _rng: &mut Rng) -> vitrine::Result<Tensor> {
//!         let error = (self.xs.broadcast_mul(&self.slope)? - &self.ys)?;
//!         Ok(error.sqr()?.mean_all()?)
//!     }
//! }
//!
//! let config = TrainConfig::new(1000, vitrine::nn::optim::OptimizerConfig::adam(1e-3));
//! let job = TrainJob::new(config, |device, rng| {
//!     let mut params = Params::new(device, rng);
//!     let slope = params.root().param("slope", &[1], Init::ZEROS)?;
//!     let xs = Tensor::new(&[1.0_f32, 2.0], device)?;
//!     let ys = Tensor::new(&[2.0_f32, 4.0], device)?;
//!     Ok((params, Line { slope, xs, ys }))
//! });
//! // worker.submit(Lane::Long, "train", job.with_checkpoints("runs/line"))
//! # let _ = job;
//! ```
//!
//! What goes wrong is said at once: a loss or gradient that is not finite ends the run before it
//! reaches the weights, so the last checkpoint is good, and a weight that no gradient reaches is an
//! error in the first step, because candle loses gradients without a word.

mod config;
mod curves;
mod job;
mod stopping;
mod trainer;

pub use config::TrainConfig;
pub use curves::{Curve, Curves};
pub use job::{TrainJob, TrainOutput, Trained};
pub use stopping::{Best, EarlyStop, Goal, Stop};
pub use trainer::{StepReport, Summary, Trainer};

use candle_core::Tensor;
use serde_json::Value;

use super::params::Params;
use crate::error::Result;
use crate::rng::Rng;

/// What a model learns.
pub trait Objective: Send + 'static {
    /// The loss of one batch, a single number that the weights' gradients are taken of.
    ///
    /// `step` counts from 0. `rng` is a stream of this step's own: a batch that is drawn from it
    /// alone is drawn again after a resume, without any state.
    ///
    /// # Errors
    /// Whatever keeps it from being computed.
    fn loss(&mut self, step: u64, rng: &mut Rng) -> Result<Tensor>;

    /// Measures the model as it is: names and numbers, such as `test_accuracy`.
    ///
    /// # Errors
    /// Whatever keeps it from being measured.
    fn evaluate(&mut self) -> Result<Vec<(String, f64)>> {
        Ok(Vec::new())
    }

    /// Called when the weights have been updated: projections, target networks, statistics.
    ///
    /// # Errors
    /// Whatever goes wrong there.
    fn after_step(&mut self, _params: &Params) -> Result<()> {
        Ok(())
    }

    /// What it remembers beside the weights, for a checkpoint: a sampler, a random stream.
    ///
    /// # Errors
    /// Whatever keeps it from being written down.
    fn state(&self) -> Result<Value> {
        Ok(Value::Null)
    }

    /// Goes on from what [`Objective::state`] gave.
    ///
    /// # Errors
    /// When the state is not one of its own.
    fn restore(&mut self, _state: &Value) -> Result<()> {
        Ok(())
    }
}
