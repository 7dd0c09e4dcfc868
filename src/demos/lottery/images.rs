//! What the trainings of a run learn from and are measured on.
//!
//! As in the papers, 5,000 of the pictures to learn from are held out for validation (a tenth,
//! where there are fewer than 50,000). They are the same for every seed, so that all runs of a
//! ledger are measured by one measure. Pixels are bytes divided by 255.

use std::path::Path;

use candle_core::{Device, Tensor};

use super::model::{Pass, Trainable};
use super::net::NetSpec;
use crate::data::{Dataset, DatasetSource, Datasets, Scale, Shape};
use crate::error::Result;
use crate::nn::ops::cross_entropy;
use crate::rng::Rng;
use crate::store::Paths;

/// The most pictures that are held out.
const HELD_OUT: usize = 5000;

/// A data set in three parts.
#[derive(Debug)]
pub struct Images {
    train: Dataset,
    scale: Scale,
    validation: Measured,
    test: Measured,
}

/// Pictures that are only measured on, ready to be sent through a net.
#[derive(Debug)]
pub struct Measured {
    /// `[len, pixels]`
    pixels: Tensor,
    /// `[len]`
    targets: Tensor,
    labels: Vec<u8>,
}

/// The parts that are measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Held out of training.
    Validation,
    /// The test set.
    Test,
}

impl Images {
    /// Reads a data set, from `folder` if one is given.
    ///
    /// # Errors
    /// As [`DatasetSource::load`].
    pub fn load(
        source: DatasetSource,
        folder: Option<&Path>,
        paths: &Paths,
        device: &Device,
    ) -> Result<Self> {
        let sets = source.load(folder, &crate::store::assets_dir(), paths)?;
        Self::new(&sets, device)
    }

    /// Holds a part out.
    ///
    /// # Errors
    /// When there are fewer than ten pictures, or the device fails.
    pub fn new(sets: &Datasets, device: &Device) -> Result<Self> {
        let held_out = (sets.train.len() / 10).min(HELD_OUT);
        let (train, validation) = sets.train.hold_out(held_out, &Rng::new(0))?;
        let scale = Scale::unit();
        Ok(Self {
            validation: Measured::new(&validation, &scale, device)?,
            test: Measured::new(&sets.test, &scale, device)?,
            train,
            scale,
        })
    }

    /// The sides of every picture.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.train.shape()
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.train.classes().len()
    }

    /// Pictures to learn from, those held out not counted.
    #[must_use]
    pub fn train_len(&self) -> usize {
        self.train.len()
    }

    /// Pictures to learn from, `[indices, pixels]`, and their classes, `[indices]`.
    ///
    /// # Errors
    /// When the device fails.
    ///
    /// # Panics
    /// When an index is outside.
    pub fn batch(&self, indices: &[u32], device: &Device) -> Result<(Tensor, Tensor)> {
        let (count, len) = (indices.len(), self.shape().len());
        let (mut pixels, mut labels) = (vec![0.0; count * len], vec![0; count]);
        self.train
            .gather(indices, &self.scale, &mut pixels, &mut labels);
        Ok((
            Tensor::from_vec(pixels, (count, len), device)?,
            Tensor::from_vec(labels, count, device)?,
        ))
    }

    /// One of the parts that are measured on.
    #[must_use]
    pub fn part(&self, part: Part) -> &Measured {
        match part {
            Part::Validation => &self.validation,
            Part::Test => &self.test,
        }
    }
}

impl Measured {
    fn new(set: &Dataset, scale: &Scale, device: &Device) -> Result<Self> {
        let (len, pixels) = (set.len(), set.shape().len());
        let targets: Vec<u32> = set.labels().iter().map(|&label| label.into()).collect();
        Ok(Self {
            pixels: Tensor::from_vec(set.normalised(scale), (len, pixels), device)?,
            targets: Tensor::from_vec(targets, len, device)?,
            labels: set.labels().to_vec(),
        })
    }

    /// The number of pictures.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }
}

/// An evaluation under way, some hundred pictures at a time.
#[derive(Clone, Debug)]
pub struct Evaluation {
    part: Part,
    batch: usize,
    done: usize,
    loss_sum: f64,
    right: u64,
}

/// What an evaluation found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share of the pictures that are right, 0 to 1.
    pub accuracy: f64,
}

impl Evaluation {
    /// Nothing done yet.
    #[must_use]
    pub fn new(part: Part, spec: &NetSpec) -> Self {
        Self {
            part,
            batch: spec.evaluation_batch(),
            done: 0,
            loss_sum: 0.0,
            right: 0,
        }
    }

    /// Takes the next batch. Returns what was found, once it was the last.
    ///
    /// # Errors
    /// What the model fails with.
    pub fn advance(&mut self, model: &mut dyn Trainable, images: &Images) -> Result<Option<Score>> {
        let set = images.part(self.part);
        let count = self.batch.min(set.len() - self.done);
        let pass = if self.done == 0 {
            Pass::EvaluateFirst
        } else {
            Pass::EvaluateNext
        };
        let x = set.pixels.narrow(0, self.done, count)?;
        let logits = model.forward(&x, pass)?.detach();
        let targets = set.targets.narrow(0, self.done, count)?;
        let loss = cross_entropy(&logits, &targets, 0.0)?.to_scalar::<f32>()?;
        self.loss_sum += f64::from(loss) * count as f64;
        let answers = logits.to_vec2::<f32>()?;
        let labels = &set.labels[self.done..][..count];
        let right = |(answer, label): &(&Vec<f32>, &u8)| best(answer) == usize::from(**label);
        self.right += answers.iter().zip(labels).filter(right).count() as u64;
        self.done += count;
        Ok((self.done == set.len()).then(|| Score {
            loss: self.loss_sum / self.done as f64,
            accuracy: self.right as f64 / self.done as f64,
        }))
    }

    /// Takes all that is left.
    ///
    /// # Errors
    /// What the model fails with.
    pub fn finish(mut self, model: &mut dyn Trainable, images: &Images) -> Result<Score> {
        loop {
            if let Some(score) = self.advance(model, images)? {
                return Ok(score);
            }
        }
    }
}

/// The class of the greatest logit, the first of several.
fn best(logits: &[f32]) -> usize {
    let best = logits
        .iter()
        .enumerate()
        .reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map_or(0, |(class, _)| class)
}
