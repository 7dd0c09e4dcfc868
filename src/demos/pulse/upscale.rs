//! Answers to a small picture, as a job: every step can be watched.

use std::collections::BTreeMap;

use candle_core::Device;

use super::answer::{Answer, Face, Hunt, Studio};
use super::pixels::{Pixels, SIDES};
use super::prior::{Collection, Prior};
use super::search::SearchConfig;
use super::surrogate::{self, Eyes, Surrogate};
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};
use crate::human::{Kit, Sampler};
use crate::rng::Rng;
use crate::store::assets_dir;

/// Pixels in a side of the pictures that show a search under way.
pub const PREVIEW: usize = 64;
/// Steps between two of them.
const PREVIEW_EVERY: usize = 5;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The small picture.
    pub low: Pixels,
    /// How many answers.
    pub samples: usize,
    /// Pixels in a side of each.
    pub size: usize,
    /// Whose pictures the surrogate learned.
    pub collection: Collection,
    /// Whom the search expects.
    pub prior: Prior,
    /// How it goes.
    pub search: SearchConfig,
    /// Where random numbers begin.
    pub seed: u64,
    /// Whether the surrogate's pictures are shown on the way.
    pub previews: bool,
}

impl Question {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Which one is out of its bounds.
    pub fn check(&self) -> Result<()> {
        self.search.check()?;
        if !SIDES.contains(&self.low.side) {
            return Err(Error::Input(format!(
                "a small picture has {} to {} pixels in a side, not {}",
                SIDES.start,
                SIDES.end - 1,
                self.low.side
            )));
        }
        if !(1..=64).contains(&self.samples) || !(self.low.side..=2048).contains(&self.size) {
            return Err(Error::Input(format!(
                "1 to 64 answers of at most 2048 pixels in a side, not {} of {}",
                self.samples, self.size
            )));
        }
        Ok(())
    }
}

/// What is heard of a search.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A step was done.
    Step {
        /// Steps done, corrections and drawings among them.
        done: u64,
        /// The errors of the surrogate's pictures, one an answer.
        errors: Vec<f64>,
        /// The surrogate's pictures, when they were looked at.
        previews: Vec<Pixels>,
    },
    /// The end.
    Answers(Vec<Answer>),
}

/// What searches share: it stays on the worker.
pub struct Models {
    /// The kit of people.
    pub kit: Kit,
    /// The transform of its vectors.
    pub sampler: Sampler,
    surrogates: BTreeMap<&'static str, Surrogate>,
    eyes: BTreeMap<(&'static str, usize), Eyes>,
}

impl Models {
    /// The kit alone; surrogates are read when they are asked for.
    ///
    /// # Errors
    /// When the kit's pack is missing or damaged.
    pub fn new() -> Result<Self> {
        let kit = Kit::head(&assets_dir())?;
        Ok(Self {
            sampler: Sampler::new(&kit),
            kit,
            surrogates: BTreeMap::new(),
            eyes: BTreeMap::new(),
        })
    }

    /// A collection's surrogate for pictures of a side.
    ///
    /// # Errors
    /// When its weights are missing or damaged.
    pub fn eyes(&mut self, collection: Collection, side: usize) -> Result<Eyes> {
        let name = collection.name();
        if !self.surrogates.contains_key(name) {
            let [network, basis] = surrogate::shipped(&assets_dir(), collection);
            let loaded = Surrogate::load([&network, &basis], &self.sampler, &Device::Cpu)?;
            self.surrogates.insert(name, loaded);
        }
        if let Some(eyes) = self.eyes.get(&(name, side)) {
            return Ok(eyes.clone());
        }
        let eyes = self.surrogates[name].eyes(side)?;
        self.eyes.insert((name, side), eyes.clone());
        Ok(eyes)
    }

    /// A studio for its people.
    #[must_use]
    pub fn studio(&self) -> Studio<'_> {
        Studio::new(&self.kit, &self.sampler)
    }

    /// Those that a job before left on the worker, or new ones.
    ///
    /// # Errors
    /// As [`Models::new`].
    pub fn of_worker<T>(cx: &mut StepCx<'_, T>) -> Result<Box<Self>> {
        match cx.resources().take::<Self>() {
            Some(models) => Ok(models),
            None => Ok(Box::new(Self::new()?)),
        }
    }
}

/// The job.
pub struct UpscaleJob {
    question: Question,
    hunt: Option<Hunt>,
    steps: usize,
}

impl UpscaleJob {
    /// A search for answers.
    ///
    /// # Errors
    /// When a number is out of its bounds.
    pub fn new(question: Question) -> Result<Self> {
        question.check()?;
        Ok(Self {
            question,
            hunt: None,
            steps: 0,
        })
    }

    fn advance(&mut self, models: &mut Models, cx: &mut StepCx<'_, Heard>) -> Result<Flow> {
        let question = &self.question;
        let hunt = match &mut self.hunt {
            Some(hunt) => hunt,
            empty => {
                let eyes = models.eyes(question.collection, question.low.side)?;
                let hunt = Hunt::new(
                    std::slice::from_ref(&question.low),
                    question.samples,
                    question.size,
                    eyes,
                    (question.search.clone(), question.prior),
                    &models.sampler,
                    &Rng::new(question.seed).split("upscale"),
                )?;
                empty.insert(hunt)
            }
        };
        let answers = hunt.step(|| models.studio())?;
        cx.progress(hunt.done(), Some(hunt.total()), "steps");
        if let Some(answers) = answers {
            cx.emit(Heard::Answers(answers));
            return Ok(Flow::Finished);
        }
        self.steps += 1;
        let previews = if question.previews && self.steps % PREVIEW_EVERY == 1 {
            let eyes = models.eyes(question.collection, PREVIEW)?;
            previews(&eyes, &hunt.vectors())?
        } else {
            Vec::new()
        };
        cx.emit(Heard::Step {
            done: hunt.done(),
            errors: hunt.errors(),
            previews,
        });
        Ok(Flow::Continue)
    }
}

impl Job for UpscaleJob {
    type Output = Heard;

    fn step(&mut self, cx: &mut StepCx<'_, Heard>) -> Result<Flow> {
        let mut models = Models::of_worker(cx)?;
        let flow = self.advance(&mut models, cx);
        cx.resources().put(models);
        flow
    }
}

/// The surrogate's pictures of vectors.
///
/// # Errors
/// When the device fails.
pub fn previews(eyes: &Eyes, vectors: &[Vec<f64>]) -> Result<Vec<Pixels>> {
    let dims = vectors.first().map_or(0, Vec::len);
    let z: Vec<f32> = vectors
        .iter()
        .flatten()
        .map(|&value| value as f32)
        .collect();
    let z = candle_core::Tensor::from_vec(z, (vectors.len(), dims), eyes.device())?;
    let seen: Vec<Vec<f32>> = eyes.see(&z)?.to_vec2()?;
    let side = eyes.side();
    Ok(seen
        .into_iter()
        .map(|planes| Pixels { side, planes })
        .collect())
}

/// A new imaginary person, and the small picture of it: a question whose true answer is known.
pub struct NewPerson {
    /// Whom to expect.
    pub prior: Prior,
    /// Where random numbers begin.
    pub seed: u64,
    /// Pixels in a side of the picture.
    pub size: usize,
}

impl Job for NewPerson {
    type Output = Face;

    fn step(&mut self, cx: &mut StepCx<'_, Face>) -> Result<Flow> {
        let models = Models::of_worker(cx)?;
        let mut rng = Rng::new(self.seed).split("person");
        let z = self.prior.draw(&models.sampler, &mut rng);
        let face = models.studio().face(&z, self.size);
        cx.resources().put(models);
        cx.emit(face);
        Ok(Flow::Finished)
    }
}
