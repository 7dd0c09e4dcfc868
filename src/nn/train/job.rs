//! A training run on the worker.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use candle_core::Device;

use super::{Curves, Objective, StepReport, Summary, TrainConfig, Trainer};
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};
use crate::nn::checkpoint::Checkpoints;
use crate::nn::optim::Ema;
use crate::nn::params::Params;
use crate::rng::Rng;

/// A step of the job does as many optimiser steps as begin within this time.
const STEP_TIME: Duration = Duration::from_millis(30);

/// What a reader hears of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainOutput {
    /// The run goes on from a checkpoint; these are the curves up to there.
    Resumed {
        /// Steps done before.
        step: u64,
        /// What was measured before.
        curves: Curves,
    },
    /// Optimiser steps, in order.
    Steps(Vec<StepReport>),
    /// The end.
    Finished(Summary),
}

/// What a finished run leaves in the worker's [`Resources`](crate::compute::Resources).
pub struct Trained<O> {
    /// The weights.
    pub params: Params,
    /// The model.
    pub objective: O,
    /// The weights' moving average, where one was kept.
    pub ema: Option<Ema>,
}

type Build<O> = Box<dyn FnOnce(&Device, &Rng) -> Result<(Params, O)> + Send>;

/// Trains a model from its beginning or its last checkpoint to its end.
pub struct TrainJob<O> {
    config: TrainConfig,
    checkpoints: Option<Checkpoints>,
    build: Option<Build<O>>,
    trainer: Option<Trainer<O>>,
    saved_step: u64,
    saved_at: Instant,
}

impl<O: Objective> TrainJob<O> {
    /// A run of the model that `build` makes on the worker's device. The random stream it is given
    /// is that of the initial weights, split off the seed.
    #[must_use]
    pub fn new(
        config: TrainConfig,
        build: impl FnOnce(&Device, &Rng) -> Result<(Params, O)> + Send + 'static,
    ) -> Self {
        Self {
            config,
            checkpoints: None,
            build: Some(Box::new(build)),
            trainer: None,
            saved_step: 0,
            saved_at: Instant::now(),
        }
    }

    /// Goes on from the newest checkpoint in this folder, if there is one, and stores there: at
    /// intervals, when paused or cancelled, and at the end.
    #[must_use]
    pub fn with_checkpoints(mut self, folder: impl Into<PathBuf>) -> Self {
        self.checkpoints = Some(Checkpoints::new(folder));
        self
    }

    fn begin(&mut self, build: Build<O>, cx: &mut StepCx<'_, TrainOutput>) -> Result<Flow> {
        let rng = Rng::new(self.config.seed).split("initial weights");
        let (params, objective) = build(cx.device(), &rng)?;
        let mut trainer = Trainer::new(self.config.clone(), params, objective)?;
        if let Some(checkpoints) = &self.checkpoints {
            let (checkpoint, notice) = checkpoints.load_latest()?;
            if let Some(notice) = notice {
                cx.warn(notice.to_string());
            }
            if let Some(checkpoint) = checkpoint {
                if !self.config.continues(&checkpoint.meta["config"]) {
                    return Err(Error::Input(format!(
                        "a run with other settings is stored here, remove it or choose another \
                         folder: {}",
                        checkpoints.folder().display()
                    )));
                }
                trainer.resume(&checkpoint)?;
                self.saved_step = trainer.steps();
                cx.emit(TrainOutput::Resumed {
                    step: trainer.steps(),
                    curves: trainer.curves().clone(),
                });
            }
        }
        self.saved_at = Instant::now();
        let ended = trainer.summary();
        self.trainer = Some(trainer);
        match ended {
            Some(summary) => self.finish(summary, cx),
            None => Ok(Flow::Continue),
        }
    }

    fn save(&mut self) -> Result<()> {
        if let (Some(checkpoints), Some(trainer)) = (&self.checkpoints, &self.trainer)
            && !trainer.failed
            && trainer.steps() > self.saved_step
        {
            checkpoints.save(&trainer.checkpoint()?)?;
            self.saved_step = trainer.steps();
            self.saved_at = Instant::now();
        }
        Ok(())
    }

    fn finish(&mut self, summary: Summary, cx: &mut StepCx<'_, TrainOutput>) -> Result<Flow> {
        self.save()?;
        cx.emit(TrainOutput::Finished(summary));
        if let Some(trainer) = self.trainer.take() {
            let (params, objective, ema) = trainer.into_parts();
            cx.resources().put(Box::new(Trained {
                params,
                objective,
                ema,
            }));
        }
        Ok(Flow::Finished)
    }
}

impl<O: Objective> Job for TrainJob<O> {
    type Output = TrainOutput;

    fn step(&mut self, cx: &mut StepCx<'_, TrainOutput>) -> Result<Flow> {
        if let Some(build) = self.build.take() {
            return self.begin(build, cx);
        }
        let trainer = self
            .trainer
            .as_mut()
            .ok_or_else(|| Error::Input("the training run has ended".into()))?;
        let start = Instant::now();
        let mut reports = Vec::new();
        let outcome = loop {
            match trainer.step() {
                // An evaluation is long enough for a step of its own.
                Ok(report) => {
                    let measured = report.evaluation.is_some();
                    reports.push(report);
                    if measured || trainer.summary().is_some() || start.elapsed() > STEP_TIME {
                        break Ok(());
                    }
                }
                Err(error) => break Err(error),
            }
        };
        // What was done before an error is shown too.
        if !reports.is_empty() {
            cx.progress(trainer.steps(), Some(self.config.steps), "steps");
            cx.emit(TrainOutput::Steps(reports));
        }
        outcome?;
        if let Some(summary) = trainer.summary() {
            return self.finish(summary, cx);
        }
        if self.saved_at.elapsed().as_secs_f64() >= self.config.checkpoint_secs {
            self.save()?;
        }
        Ok(Flow::Continue)
    }

    fn checkpoint(&mut self) -> Result<()> {
        self.save()
    }
}
