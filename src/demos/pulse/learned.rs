//! Answers from the learned generator, by the paper's own search, as a job: every step can be watched.
//!
//! These answers are the network's pictures, as the paper's are: there is no person of the kit behind
//! them, so nothing is known of them but how they shrink.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde_json::{Value, json};

use super::generator::search::{LayersConfig, LayersSearch, Normal};
use super::generator::{Generator, file};
use super::pixels::{Pixels, SIDES};
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};
use crate::human::{Kit, Sampler};
use crate::rng::Rng;
use crate::store::assets_dir;

/// Most answers at once.
pub const MOST: usize = 16;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The small picture.
    pub low: Pixels,
    /// The person that it is of, where that is known: the network draws it too.
    pub truth: Option<Vec<f64>>,
    /// How many answers.
    pub samples: usize,
    /// How the search goes.
    pub search: LayersConfig,
    /// Where random numbers begin.
    pub seed: u64,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The network's picture.
    pub picture: Pixels,
    /// It shrunk.
    pub low: Pixels,
    /// The mean squared error of that.
    pub error: f64,
    /// Whether the error is at most epsilon.
    pub success: bool,
}

impl Answer {
    fn new(picture: Pixels, target: &Pixels, epsilon: f64) -> Self {
        let low = picture.shrunk(target.side);
        let error = low.error(target);
        Self {
            success: error <= epsilon,
            error,
            low,
            picture,
        }
    }

    /// Its numbers.
    #[must_use]
    pub fn summary(&self) -> Value {
        json!({ "success": self.success, "low_error": self.error })
    }
}

/// What is heard of a search.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// What the network draws of the true person's vector: the best that could be hoped for.
    Truth(Box<Answer>),
    /// A step was done.
    Step {
        /// Steps done.
        done: usize,
        /// Mean squared errors, one an answer.
        errors: Vec<f64>,
        /// Geodesic cross losses, one an answer.
        crosses: Vec<f64>,
        /// The pictures.
        pictures: Vec<Pixels>,
    },
    /// The end: the best picture of each search.
    Answers(Vec<Answer>),
}

/// A generator with what its search needs. It stays on the worker.
pub struct Network {
    path: PathBuf,
    net: Generator,
    normal: Normal,
}

/// Where the shipped generator lies.
#[must_use]
pub fn shipped() -> PathBuf {
    let folder = assets_dir().join("weights").join("pulse");
    folder.join("faces-64.safetensors")
}

impl Network {
    /// Reads a generator.
    ///
    /// # Errors
    /// When a file is missing, damaged, or of another kit's people.
    pub fn load(path: &Path) -> Result<Self> {
        let sampler = Sampler::new(&Kit::head(&assets_dir())?);
        let (net, _) = file::load(path, &sampler, &Device::Cpu)?;
        Ok(Self {
            normal: Normal::of(&net, &Rng::new(0))?,
            net,
            path: path.to_owned(),
        })
    }

    /// The generator.
    #[must_use]
    pub fn generator(&self) -> &Generator {
        &self.net
    }

    /// A search of its layers.
    ///
    /// # Errors
    /// As [`LayersSearch::new`].
    pub fn search(
        &self,
        low: Pixels,
        answers: usize,
        config: LayersConfig,
        rng: &Rng,
    ) -> Result<LayersSearch> {
        LayersSearch::new(&self.net, &self.normal, low, answers, config, rng)
    }

    /// Its picture of a person.
    ///
    /// # Errors
    /// When the vector is of another kit.
    pub fn picture(&self, z: &[f64]) -> Result<Pixels> {
        let z: Vec<f32> = z.iter().map(|&value| value as f32).collect();
        let z = Tensor::from_slice(&z, (1, z.len()), &self.net.device())?;
        Ok(Pixels {
            side: self.net.sizes().size,
            planes: self.net.detached().forward(&z)?.flatten_all()?.to_vec1()?,
        })
    }
}

/// The job.
pub struct LearnedJob {
    question: Question,
    path: PathBuf,
    search: Option<LayersSearch>,
}

impl LearnedJob {
    /// A search in a generator's file.
    ///
    /// # Errors
    /// When a number is out of its bounds.
    pub fn new(question: Question, path: &Path) -> Result<Self> {
        question.search.check()?;
        let side = question.low.side;
        if !SIDES.contains(&side) || !(1..=MOST).contains(&question.samples) {
            return Err(Error::Input(format!(
                "1 to {MOST} answers to {} to {} pixels a side, not {} to {side}",
                SIDES.start,
                SIDES.end - 1,
                question.samples
            )));
        }
        Ok(Self {
            question,
            path: path.to_owned(),
            search: None,
        })
    }

    fn advance(&mut self, network: &Network, cx: &mut StepCx<'_, Heard>) -> Result<Flow> {
        let question = &self.question;
        let epsilon = question.search.epsilon;
        let Some(search) = &mut self.search else {
            if let Some(z) = &question.truth {
                let drawn = Answer::new(network.picture(z)?, &question.low, epsilon);
                cx.emit(Heard::Truth(Box::new(drawn)));
            }
            self.search = Some(network.search(
                question.low.clone(),
                question.samples,
                question.search.clone(),
                &Rng::new(question.seed).split("layers"),
            )?);
            return Ok(Flow::Continue);
        };
        let ended = search.step()?;
        cx.progress(
            search.done() as u64,
            Some(question.search.steps as u64),
            "steps",
        );
        cx.emit(Heard::Step {
            done: search.done(),
            errors: search.errors().to_vec(),
            crosses: search.crosses().to_vec(),
            pictures: search.pictures().to_vec(),
        });
        if !ended {
            return Ok(Flow::Continue);
        }
        let best = search.best().iter();
        let answers = best.map(|(_, picture)| Answer::new(picture.clone(), &question.low, epsilon));
        cx.emit(Heard::Answers(answers.collect()));
        Ok(Flow::Finished)
    }
}

impl Job for LearnedJob {
    type Output = Heard;

    fn step(&mut self, cx: &mut StepCx<'_, Heard>) -> Result<Flow> {
        let network = match cx.resources().take::<Network>() {
            Some(network) if network.path == self.path => network,
            _ => Box::new(Network::load(&self.path)?),
        };
        let flow = self.advance(&network, cx);
        cx.resources().put(network);
        flow
    }
}
