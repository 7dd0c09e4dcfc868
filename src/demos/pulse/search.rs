//! The paper's search (section 3): vectors on a sphere, moved by Adam until the picture of each
//! shrinks to the given one.
//!
//! Searches run side by side, as rows of one tensor, and know nothing of each other. Choices such as the hair's style are hard
//! to change by small steps: for the first steps each answer has several starts, of which the best
//! goes on.
//!
//! There is one vector for the whole picture here, so the paper's cross loss, which holds the vectors
//! of a style-based generator's layers together, has nothing to hold; [`super::generator::search`]
//! has it.

use candle_core::{Tensor, Var};
use serde::{Deserialize, Serialize};

use super::pixels::Pixels;
use super::sphere::Sphere;
use super::surrogate::Eyes;
use crate::error::{Error, Result};
use crate::human::Sampler;
use crate::rng::Rng;

/// The L2 loss counts this much (the paper's code, `-loss_str "100*L2+0.05*GEOCROSS"`).
const L2_WEIGHT: f64 = 100.0;
/// Numbers beyond this are rare in the training of the surrogate; the prior holds them back.
pub(super) const USUAL: f64 = 2.2;
/// How far a settled number lies from the ends of its option's interval, in probability.
const MARGIN: f64 = 0.03;

/// How a search goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchConfig {
    /// Steps; the paper takes 100.
    pub steps: usize,
    /// Adam's greatest learning rate; the paper takes 0.4.
    pub learning_rate: f64,
    /// The mean squared error that counts as the same small picture; 1e-3 in the paper.
    pub epsilon: f64,
    /// What it costs when a number of the vector is unusual; ours.
    pub prior_weight: f64,
    /// The sphere's radius over `sqrt(dims)`: below 1 faces are closer to the mean one.
    pub truncation: f64,
    /// Starts of each answer; ours, the paper starts anew by hand.
    pub starts: usize,
    /// How often an answer that is not within epsilon is searched for anew; ours.
    pub retries: usize,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self {
            steps: 100,
            learning_rate: 0.4,
            epsilon: 1e-3,
            prior_weight: 0.02,
            truncation: 1.0,
            starts: 24,
            retries: 3,
        }
    }
}

impl SearchConfig {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Which one is out of its bounds.
    pub fn check(&self) -> Result<()> {
        within("steps", self.steps as f64, 1.0, 10_000.0)?;
        within("learning-rate", self.learning_rate, 1e-4, 10.0)?;
        within("epsilon", self.epsilon, 1e-6, 1.0)?;
        within("prior-weight", self.prior_weight, 0.0, 100.0)?;
        within("truncation", self.truncation, 0.05, 1.5)?;
        within("starts", self.starts as f64, 1.0, 64.0)?;
        within("retries", self.retries as f64, 0.0, 100.0)
    }

    /// Steps for which every start is followed.
    #[must_use]
    pub fn scouting(&self) -> usize {
        if self.starts > 1 { self.steps / 4 } else { 0 }
    }

    /// The learning rate at a step, by the paper's [`schedule`].
    #[must_use]
    pub fn rate(&self, step: usize) -> f64 {
        self.learning_rate * schedule(step, self.steps)
    }
}

/// Refuses a setting outside of its range.
pub(super) fn within(name: &str, value: f64, low: f64, high: f64) -> Result<()> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(Error::Input(format!(
            "{name} lies between {low} and {high}, not {value}"
        )))
    }
}

/// The share of the greatest learning rate at a step: the paper's `linear1cycledrop`, a tenth, up to
/// all, down to a tenth after nine tenths of the steps, then down to a thousandth.
#[must_use]
pub fn schedule(step: usize, steps: usize) -> f64 {
    let long = 0.9 * steps as f64;
    let at = step as f64;
    let factor = if at < long {
        (9.0 * (1.0 - 2.0 * (at / long - 0.5).abs()) + 1.0) / 10.0
    } else {
        0.1 + (at - long) / (steps as f64 - long).max(1.0) * (0.001 - 0.1)
    };
    factor.max(0.001)
}

/// Searches side by side.
#[derive(Clone, Debug)]
pub struct Search {
    mean: Vec<f32>,
    /// The rows without the mean.
    z: Sphere,
    /// The small picture that each row is to shrink to.
    targets: Vec<Vec<f32>>,
    /// The last error of each row.
    errors: Vec<f64>,
}

impl Search {
    /// Begins at random places of the sphere around `mean`, one for each target.
    #[must_use]
    pub fn new(targets: &[Pixels], mean: &[f64], truncation: f64, rngs: &mut [Rng]) -> Self {
        let dims = mean.len();
        let z = targets
            .iter()
            .zip(rngs)
            .flat_map(|(_, rng)| (0..dims).map(|_| rng.normal() as f32).collect::<Vec<_>>())
            .collect();
        Self {
            mean: mean.iter().map(|&m| m as f32).collect(),
            z: Sphere::new(dims, truncation, z),
            targets: targets.iter().map(|t| t.planes.clone()).collect(),
            errors: vec![f64::INFINITY; targets.len()],
        }
    }

    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The errors before the last update.
    #[must_use]
    pub fn errors(&self) -> &[f64] {
        &self.errors
    }

    /// A row's vector, with the mean.
    #[must_use]
    pub fn vector(&self, row: usize) -> Vec<f64> {
        (self.z.row(row).iter())
            .zip(&self.mean)
            .map(|(z, mean)| f64::from(z + mean))
            .collect()
    }

    /// All rows as a tensor `[rows, dims]`, with the mean.
    ///
    /// # Errors
    /// When the device fails.
    pub fn vectors(&self, eyes: &Eyes) -> Result<Tensor> {
        let dims = self.mean.len();
        let mean = Tensor::from_slice(&self.mean, (1, dims), eyes.device())?;
        let z = Tensor::from_slice(self.z.values(), (self.len(), dims), eyes.device())?;
        Ok(z.broadcast_add(&mean)?)
    }

    /// Goes on with some rows only.
    pub fn keep(&mut self, rows: &[usize]) {
        self.z.keep(rows);
        self.targets = rows.iter().map(|&row| self.targets[row].clone()).collect();
        self.errors = rows.iter().map(|&row| self.errors[row]).collect();
    }

    /// Moves the numbers that make choices into their option's interval, away from its ends, where the
    /// surrogate sees a mixture that the renderer cannot draw.
    pub fn settle(&mut self, sampler: &Sampler) {
        for row in 0..self.len() {
            let settled = sampler.settled(&self.vector(row), MARGIN);
            self.set(row, &settled);
        }
    }

    fn set(&mut self, row: usize, vector: &[f64]) {
        let less_mean = vector
            .iter()
            .zip(&self.mean)
            .map(|(v, mean)| *v as f32 - mean);
        self.z.set(row, less_mean);
    }

    /// Puts a row to a vector; its moments are forgotten.
    pub fn place(&mut self, row: usize, vector: &[f64]) {
        self.set(row, vector);
        self.z.rest(row);
    }

    /// Puts a row back to a vector, and gives it another target.
    pub fn aim(&mut self, row: usize, vector: &[f64], target: Vec<f32>) {
        self.place(row, vector);
        self.targets[row] = target;
        self.z.begin_anew();
    }

    /// One step of Adam and back to the sphere. Errors below `enough` are not made smaller.
    ///
    /// # Errors
    /// When the device fails.
    pub fn step(&mut self, eyes: &Eyes, rate: f64, prior_weight: f64, enough: f64) -> Result<()> {
        let dims = self.mean.len();
        let device = eyes.device();
        let z = Var::from_slice(self.z.values(), (self.len(), dims), device)?;
        let mean = Tensor::from_slice(&self.mean, (1, dims), device)?;
        let pixels = self.targets.first().map_or(0, Vec::len);
        let targets = Tensor::from_vec(self.targets.concat(), (self.len(), pixels), device)?;
        let seen = eyes.see(&z.as_tensor().broadcast_add(&mean)?)?;
        let errors = (seen - targets)?.sqr()?.mean(1)?;
        let unusual = (z.as_tensor().abs()? - USUAL)?.relu()?.sqr()?.sum_all()?;
        let loss = (errors.maximum(enough)?.sum_all()? * L2_WEIGHT)?;
        let loss = (loss + (unusual * prior_weight)?)?;
        let gradients = loss.backward()?;
        let gradient: Vec<f32> = match gradients.get(&z) {
            Some(gradient) => gradient.flatten_all()?.to_vec1()?,
            None => vec![0.0; self.z.values().len()],
        };
        let errors: Vec<f32> = errors.to_vec1()?;
        self.errors = errors.into_iter().map(f64::from).collect();
        self.z.descend(&gradient, rate as f32);
        Ok(())
    }
}
