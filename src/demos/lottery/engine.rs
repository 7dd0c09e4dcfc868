//! One training of any [`Trainable`]: batches, evaluations, accounts, checkpoints.
//!
//! The steps are those of [`nn::train`](crate::nn::train). Added here is what a ledger needs: every
//! `eval_every` steps, before the first and after the last one, the net is measured on the
//! held-out and the test pictures, a batch of them at a time, and a [`Point`] tells what was spent
//! until then. Only optimiser steps are charged, by the clocks of the threads that compute;
//! measuring is for the reader and not for the method.
//!
//! Everything a resumed training needs follows from its step's number or is in its checkpoint:
//! batches come from [`Batches`], which can be sought, an evaluation that was cut short is made
//! anew, and the points so far are kept. So it ends with the same bits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::alive::Alive;
use super::images::{Evaluation, Images, Part, Score};
use super::model::{Pass, Trainable, count_kept, shot};
use super::record::{Extras, Point, Shot, Stage, Summary};
use super::work::{News, Outcome, Plan, Spent, Work};
use crate::data::Batches;
use crate::error::{Error, Result};
use crate::nn::arrays::{Array, Data};
use crate::nn::checkpoint::Checkpoint;
use crate::nn::cpu::pool_cpu_time;
use crate::nn::ops::cross_entropy;
use crate::nn::train::{EarlyStop, Goal, Objective, TrainConfig, Trainer};
use crate::nn::{Params, Snapshot};
use crate::rng::Rng;

/// How long and on what a model is trained.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Optimiser steps.
    pub steps: u64,
    /// The number of the first one in the order of the batches: a rewound net goes on where it was
    /// wound back to.
    pub first_step: u64,
    /// Images a step.
    pub batch: usize,
    /// Steps between two points of the curve.
    pub eval_every: u64,
    /// Ends the training once this test accuracy is reached.
    pub target: Option<f64>,
    /// Orders the batches.
    pub order: Rng,
    /// Steps whose weights are kept for later stages, 0 for those before the first step.
    pub keep: Vec<u64>,
    /// What was spent to get here.
    pub before: Spent,
}

/// A model in training.
pub struct Training {
    trainer: Trainer<Lesson>,
    schedule: Schedule,
    /// The record's entry but for the points.
    stage: Stage,
    log: Log,
    kept_weights: BTreeMap<u64, Snapshot>,
    measuring: Option<Measuring>,
    flops_per_image: f64,
}

/// A point's evaluations under way: the held-out pictures first, then those of the test.
struct Measuring {
    validation: Option<Score>,
    open: Evaluation,
}

/// What a checkpoint holds beside the trainer's own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Log {
    points: Vec<Point>,
    /// Of this stage.
    cpu_seconds: f64,
}

impl Training {
    /// A training at its beginning, of a model whose weights and buffers lie in `params`.
    ///
    /// # Errors
    /// When a setting is impossible or the device fails.
    pub fn new(
        plan: &Plan,
        schedule: Schedule,
        params: Params,
        model: Box<dyn Trainable>,
        images: &Arc<Images>,
    ) -> Result<Self> {
        if schedule.steps == 0 || schedule.batch == 0 || schedule.eval_every == 0 {
            return Err(Error::Input(
                "steps, batch and the steps between evaluations must be above 0".into(),
            ));
        }
        let kind = plan
            .kind
            .ok_or_else(|| Error::Input("a training is a stage of the record".into()))?;
        let masks = model.masks(&params)?;
        let kept = count_kept(&masks);
        let config = TrainConfig {
            early_stop: schedule.target.map(|target| EarlyStop {
                metric: TEST_ACCURACY.into(),
                goal: Goal::Highest,
                patience: None,
                min_delta: 0.0,
                target: Some(target),
                keep_best: false,
            }),
            ..TrainConfig::new(schedule.steps, model.optimizer())
        };
        let stage = Stage {
            kind,
            level: plan.level,
            repetition: plan.repetition,
            weights_remaining: kept.iter().sum::<u64>() as f64 / model.spec().weights() as f64,
            alive_units: Alive::of(model.spec(), &masks).counts(),
            points: Vec::new(),
            summary: None,
            kept,
        };
        let flops_per_image = model.training_flops(&stage.kept);
        let lesson = Lesson {
            batches: Batches::new(images.train_len(), schedule.batch, &schedule.order),
            first_step: schedule.first_step,
            images: Arc::clone(images),
            device: params.device().clone(),
            model,
            scores: None,
        };
        Ok(Self {
            trainer: Trainer::new(config, params, lesson)?,
            schedule,
            stage,
            log: Log::default(),
            kept_weights: BTreeMap::new(),
            measuring: None,
            flops_per_image,
        })
    }

    /// Whether the curve lacks a point at the present step.
    fn point_is_due(&self) -> bool {
        let step = self.trainer.steps();
        let turn = step.is_multiple_of(self.schedule.eval_every) || step == self.schedule.steps;
        turn && self.log.points.last().is_none_or(|last| last.step < step)
    }

    fn is_done(&self) -> bool {
        self.trainer.summary().is_some() && !self.point_is_due()
    }

    /// Takes optimiser steps until the time is over or something else is to be done.
    fn take_steps(&mut self, until: Instant) -> Result<()> {
        let cpu = pool_cpu_time();
        let outcome = loop {
            if let Err(error) = self.trainer.step() {
                break Err(error);
            }
            let step = self.trainer.steps();
            if self.schedule.keep.contains(&step) {
                let snapshot = self.snapshot();
                self.kept_weights.insert(step, snapshot?);
            }
            if self.point_is_due() || Instant::now() >= until {
                break Ok(());
            }
        };
        self.log.cpu_seconds += pool_cpu_time().saturating_sub(cpu).as_secs_f64();
        outcome
    }

    /// Measures further pictures; adds the point once all are.
    fn evaluate(&mut self, until: Instant, extras: &mut Extras) -> Result<Option<Point>> {
        loop {
            let (lesson, _) = self.trainer.parts_mut();
            let evaluation = |part| Evaluation::new(part, lesson.model.spec());
            let mut measuring = self.measuring.take().unwrap_or_else(|| Measuring {
                validation: None,
                open: evaluation(Part::Validation),
            });
            let model = lesson.model.as_mut();
            if let Some(score) = measuring.open.advance(model, &lesson.images)? {
                if let Some(validation) = measuring.validation {
                    return self.add_point(validation, score, extras).map(Some);
                }
                measuring = Measuring {
                    validation: Some(score),
                    open: Evaluation::new(Part::Test, lesson.model.spec()),
                };
            }
            self.measuring = Some(measuring);
            if Instant::now() >= until {
                return Ok(None);
            }
        }
    }

    fn add_point(&mut self, validation: Score, test: Score, extras: &mut Extras) -> Result<Point> {
        let step = self.trainer.steps();
        let (lesson, params) = self.trainer.parts_mut();
        let mask_churn = if step == 0 {
            None
        } else {
            lesson.model.churn(params)?
        };
        lesson.model.extras(params, extras)?;
        lesson.scores = Some((validation, test));
        self.trainer.evaluate()?;
        let point = Point {
            step,
            flops: self.schedule.before.flops + self.flops(),
            cpu_seconds: self.schedule.before.cpu_seconds + self.log.cpu_seconds,
            train_loss: self.mean_loss(),
            validation_loss: validation.loss,
            validation_accuracy: validation.accuracy,
            test_accuracy: test.accuracy,
            mask_churn,
        };
        self.log.points.push(point);
        Ok(point)
    }

    /// Operations of the steps so far.
    fn flops(&mut self) -> f64 {
        let done = self.trainer.steps();
        let batches = &self.trainer.objective_mut().batches;
        let first = self.schedule.first_step;
        let images = images_until(batches, first + done) - images_until(batches, first);
        images as f64 * self.flops_per_image
    }

    /// Of the steps since the last point.
    fn mean_loss(&self) -> f64 {
        let since = self.log.points.last().map_or(0, |last| last.step) as usize;
        let losses = self.trainer.curves().get("loss");
        let losses = losses.map_or(&[][..], |curve| &curve.values[since..]);
        losses.iter().sum::<f64>() / losses.len() as f64
    }

    fn snapshot(&mut self) -> Result<Snapshot> {
        let (lesson, params) = self.trainer.parts_mut();
        lesson.model.snapshot(params)
    }

    /// The median of the steps' elapsed milliseconds.
    fn ms_per_step(&self) -> f64 {
        let Some(curve) = self.trainer.curves().get("loss") else {
            return 0.0;
        };
        let ends = &curve.seconds;
        let starts = std::iter::once(&0.0).chain(ends);
        let mut steps: Vec<f64> = ends.iter().zip(starts).map(|(b, a)| b - a).collect();
        steps.sort_unstable_by(f64::total_cmp);
        steps.get(steps.len() / 2).map_or(0.0, |step| step * 1e3)
    }

    fn summary(&mut self) -> Result<Summary> {
        let points = &self.log.points;
        let (Some(first), Some(last)) = (early_stop(points), points.last()) else {
            return Err(Error::Input("the training was never measured".into()));
        };
        let (first, last) = (*first, *last);
        let kept = &self.stage.kept;
        Ok(Summary {
            early_stop_step: first.step,
            early_stop_accuracy: first.test_accuracy,
            final_accuracy: last.test_accuracy,
            cpu_seconds: self.log.cpu_seconds,
            ms_per_step: self.ms_per_step(),
            stored_bytes: self.trainer.objective_mut().model.stored_bytes(kept),
            flops: self.flops(),
        })
    }
}

/// The papers' early-stopping iteration: the point of the least validation loss, the first of
/// several. A loss that is not a number is never the least.
#[must_use]
pub fn early_stop(points: &[Point]) -> Option<&Point> {
    let measured = points
        .iter()
        .filter(|point| !point.validation_loss.is_nan());
    measured.reduce(|best, next| {
        if next.validation_loss < best.validation_loss {
            next
        } else {
            best
        }
    })
}

/// Pictures that were seen before a step, over all epochs.
fn images_until(batches: &Batches, step: u64) -> u64 {
    let per_epoch = batches.steps_per_epoch();
    let (epochs, rest) = (step / per_epoch, step % per_epoch);
    epochs * batches.samples() as u64 + rest * batches.batch_size() as u64
}

impl Work for Training {
    fn stage(&self) -> Option<Stage> {
        Some(Stage {
            points: self.log.points.clone(),
            ..self.stage.clone()
        })
    }

    fn advance(&mut self, time: Duration, extras: &mut Extras) -> Result<News> {
        let until = Instant::now() + time;
        let mut news = News::default();
        if self.trainer.steps() == 0
            && self.schedule.keep.contains(&0)
            && !self.kept_weights.contains_key(&0)
        {
            let snapshot = self.snapshot()?;
            self.kept_weights.insert(0, snapshot);
        }
        while !self.is_done() && Instant::now() < until {
            if self.point_is_due() {
                news.points.extend(self.evaluate(until, extras)?);
            } else {
                self.take_steps(until)?;
            }
        }
        news.done = self.is_done();
        Ok(news)
    }

    fn progress(&self) -> (u64, u64, &'static str) {
        (self.trainer.steps(), self.schedule.steps, "steps")
    }

    fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        let mut checkpoint = self.trainer.checkpoint()?;
        let log = serde_json::to_value(&self.log)
            .map_err(|error| Error::Input(format!("cannot write down the curve: {error}")))?;
        if let Value::Object(meta) = &mut checkpoint.meta {
            meta.insert("log".into(), log);
        }
        for (step, weights) in &self.kept_weights {
            for (name, values) in weights {
                let array = Array::f32(&[values.len()], values.clone());
                checkpoint.put_array(&format!("step-{step}"), name, array);
            }
        }
        Ok(Some(checkpoint))
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let log = checkpoint.meta.get("log").cloned().unwrap_or(Value::Null);
        let log = serde_json::from_value(log)
            .map_err(|error| Error::Input(format!("this is not a stage's checkpoint: {error}")))?;
        self.trainer.resume(checkpoint)?;
        self.log = log;
        self.measuring = None;
        self.kept_weights.clear();
        for &step in &self.schedule.keep {
            let arrays = checkpoint.section(&format!("step-{step}"));
            let weights: Snapshot = arrays
                .into_iter()
                .filter_map(|(name, array)| match array.data {
                    Data::F32(values) => Some((name, values)),
                    _ => None,
                })
                .collect();
            if !weights.is_empty() {
                self.kept_weights.insert(step, weights);
            }
        }
        Ok(())
    }

    fn shot(&self, stage: usize) -> Result<Option<Shot>> {
        let model = self.trainer.objective().model.as_ref();
        shot(model, self.trainer.params(), stage, self.trainer.steps()).map(Some)
    }

    fn finish(mut self: Box<Self>) -> Result<Outcome> {
        let summary = self.summary()?;
        let weights = self.snapshot()?;
        let (lesson, params) = self.trainer.parts_mut();
        let (spec, masks) = (lesson.model.spec().clone(), lesson.model.masks(params)?);
        let mut outcome = Outcome {
            stage: Some(Stage {
                points: std::mem::take(&mut self.log.points),
                summary: Some(summary),
                ..self.stage
            }),
            ..Outcome::default()
        };
        outcome.put_masks(masks, &spec);
        outcome.put_snapshot("weight", weights, &spec);
        for (step, weights) in self.kept_weights {
            outcome.put_snapshot(&format!("step-{step}"), weights, &spec);
        }
        Ok(outcome)
    }
}

const TEST_ACCURACY: &str = "test_accuracy";

/// A model with what it learns from.
struct Lesson {
    model: Box<dyn Trainable>,
    images: Arc<Images>,
    device: Device,
    batches: Batches,
    first_step: u64,
    /// What the last evaluation found, on held-out and test pictures.
    scores: Option<(Score, Score)>,
}

impl Objective for Lesson {
    fn loss(&mut self, step: u64, _rng: &mut Rng) -> Result<Tensor> {
        self.batches.seek(self.first_step + step);
        let (x, targets) = self.images.batch(self.batches.next_batch(), &self.device)?;
        let logits = self.model.forward(&x, Pass::Train)?;
        let loss = cross_entropy(&logits, &targets, 0.0)?;
        Ok(match self.model.regulariser()? {
            Some(penalty) => (loss + penalty)?,
            None => loss,
        })
    }

    fn evaluate(&mut self) -> Result<Vec<(String, f64)>> {
        let (validation, test) = self
            .scores
            .take()
            .ok_or_else(|| Error::Input("the pictures were not measured".into()))?;
        Ok(vec![
            ("validation_loss".into(), validation.loss),
            ("validation_accuracy".into(), validation.accuracy),
            (TEST_ACCURACY.into(), test.accuracy),
        ])
    }

    fn after_step(&mut self, params: &Params) -> Result<()> {
        self.model.after_step(params)
    }
}
