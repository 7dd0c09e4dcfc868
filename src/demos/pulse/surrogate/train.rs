//! How a surrogate is made: people are rendered, a basis is fitted to them, and the network learns
//! the coefficients. One job, so that it can be watched and stopped.

use std::path::PathBuf;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::basis::{Basis, Fit, ROUNDS};
use super::{CHOICES, COMPONENTS, Network, Surrogate};
use crate::compute::{Flow, Job, StepCx};
use crate::demos::pulse::corpus::{Corpus, NUMBERS, SIDE};
use crate::demos::pulse::features::Features;
use crate::demos::pulse::prior::Collection;
use crate::error::{Error, Result};
use crate::human::{Extent, Kit, Sampler, Wardrobe};
use crate::nn::Params;
use crate::nn::ops::loss;
use crate::nn::optim::{Decay, OptimizerConfig, Schedule};
use crate::nn::train::{Objective, TrainConfig, Trainer};
use crate::nn::weights::{self, Precision};
use crate::rng::Rng;
use crate::store::assets_dir;

/// People that the basis is fitted to.
const BASIS_PEOPLE: usize = 6000;
/// People that are rendered in a step of the job.
const CHUNK: u64 = 64;
/// People of a training step.
const BATCH: usize = 128;
/// People that are kept out of training, at most a tenth.
const HELD_OUT: usize = 500;
/// The sides whose shrunk pictures the loss looks at besides the coefficients, and how much.
const LOOKED_AT: [(usize, f64); 2] = [(16, 2.0), (8, 2.0)];

/// What a surrogate is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurrogateConfig {
    /// Whose pictures it learns.
    pub collection: Collection,
    /// How many people are rendered.
    pub people: u64,
    /// Training steps.
    pub steps: u64,
    /// Where random numbers begin.
    pub seed: u64,
    /// The basis to use; one is fitted to these people if not given.
    pub basis: Option<PathBuf>,
    /// Where the network is stored.
    pub out: PathBuf,
    /// Where a fitted basis is stored.
    pub basis_out: PathBuf,
}

/// What is heard of the making.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Made {
    /// So many people are rendered.
    Rendered(u64),
    /// The basis was improved.
    Fitted(usize),
    /// A training step: its number and loss.
    Step(u64, f64),
    /// The held-out figures at the end: mean squared errors of pictures of 16 and 8 pixels, and of
    /// 64, all from the true vectors.
    Finished(Vec<(String, f64)>),
}

/// The job.
pub struct MakeSurrogate {
    config: SurrogateConfig,
    stage: Stage,
}

enum Stage {
    Begin,
    Render(Box<Rendering>),
    Fit(Box<Rendering>, Option<Box<Fit>>, usize),
    Train(Box<Trainer<Learning>>),
    Done,
}

struct Rendering {
    kit: Kit,
    sampler: Sampler,
    corpus: Corpus,
}

impl MakeSurrogate {
    /// A surrogate of these settings.
    ///
    /// # Errors
    /// When there are too few people to learn from.
    pub fn new(config: SurrogateConfig) -> Result<Self> {
        if config.people < 2 * COMPONENTS as u64 || config.steps == 0 {
            return Err(Error::Input(format!(
                "a surrogate takes at least {} people and one step",
                2 * COMPONENTS
            )));
        }
        Ok(Self {
            config,
            stage: Stage::Begin,
        })
    }

    fn render(&self, rendering: &mut Rendering) -> u64 {
        let done = rendering.corpus.len() as u64;
        let end = (done + CHUNK).min(self.config.people);
        let rng = Rng::new(self.config.seed).split("corpus");
        let wardrobe = Wardrobe::new(&rendering.kit, Extent::Head);
        let prior = self.config.collection.prior();
        let more = Corpus::render(&rendering.sampler, &wardrobe, prior, &rng, done..end);
        rendering.corpus.extend(more);
        end
    }

    fn begin_training(&self, rendering: &Rendering, basis: &Basis) -> Result<Trainer<Learning>> {
        let rng = Rng::new(self.config.seed).split("surrogate");
        let (params, learning) = Learning::new(rendering, basis, &rng)?;
        let rate = OptimizerConfig::adam(1e-3).with_schedule(Schedule::new(Decay::Cosine {
            steps: self.config.steps,
            floor: 0.01,
        }));
        let config = TrainConfig {
            seed: self.config.seed,
            ema_decay: Some(0.998),
            evaluate_every: self.config.steps,
            ..TrainConfig::new(self.config.steps, rate)
        };
        Trainer::new(config, params, learning)
    }

    fn finish(&self, mut trainer: Trainer<Learning>, cx: &mut StepCx<'_, Made>) -> Result<()> {
        let figures = trainer.evaluate()?;
        let (params, _, ema) = trainer.into_parts();
        if let Some(mut ema) = ema {
            ema.swap(&params)?;
        }
        weights::save(&params, &self.config.out, Precision::Half)?;
        cx.emit(Made::Finished(figures));
        Ok(())
    }
}

impl Job for MakeSurrogate {
    type Output = Made;

    fn step(&mut self, cx: &mut StepCx<'_, Made>) -> Result<Flow> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Begin => {
                let kit = Kit::head(&assets_dir())?;
                let sampler = Sampler::new(&kit);
                let corpus = Corpus::default();
                self.stage = Stage::Render(Box::new(Rendering {
                    kit,
                    sampler,
                    corpus,
                }));
            }
            Stage::Render(mut rendering) => {
                let done = self.render(&mut rendering);
                cx.progress(done, Some(self.config.people), "people");
                cx.emit(Made::Rendered(done));
                self.stage = if done < self.config.people {
                    Stage::Render(rendering)
                } else {
                    Stage::Fit(rendering, None, 0)
                };
            }
            Stage::Fit(rendering, fit, rounds) => self.fit(rendering, fit, rounds, cx)?,
            Stage::Train(mut trainer) => {
                let report = trainer.step()?;
                cx.progress(report.step, Some(self.config.steps), "steps");
                cx.emit(Made::Step(report.step, report.loss));
                if trainer.summary().is_some() {
                    self.finish(*trainer, cx)?;
                } else {
                    self.stage = Stage::Train(trainer);
                }
            }
            Stage::Done => return Ok(Flow::Finished),
        }
        Ok(Flow::Continue)
    }
}

impl MakeSurrogate {
    fn fit(
        &mut self,
        rendering: Box<Rendering>,
        fit: Option<Box<Fit>>,
        rounds: usize,
        cx: &mut StepCx<'_, Made>,
    ) -> Result<()> {
        if let Some(path) = &self.config.basis {
            let basis = Basis::load(path, COMPONENTS, &Device::Cpu)?;
            self.stage = Stage::Train(Box::new(self.begin_training(&rendering, &basis)?));
            return Ok(());
        }
        let rng = Rng::new(self.config.seed);
        let mut fit = match fit {
            Some(fit) => fit,
            None => Box::new(Fit::new(&rendering.corpus, BASIS_PEOPLE, COMPONENTS, &rng)?),
        };
        fit.round()?;
        cx.emit(Made::Fitted(rounds + 1));
        if rounds + 1 < ROUNDS {
            self.stage = Stage::Fit(rendering, Some(fit), rounds + 1);
            return Ok(());
        }
        fit.finish()?.save(&self.config.basis_out)?;
        // As it was stored, so that the network learns what it will be used with.
        let basis = Basis::load(&self.config.basis_out, COMPONENTS, &Device::Cpu)?;
        self.stage = Stage::Train(Box::new(self.begin_training(&rendering, &basis)?));
        Ok(())
    }
}

/// The network with what it learns from.
struct Learning {
    network: Network,
    features: Features,
    basis: Basis,
    /// `[k, 4 * side * side]` of each side looked at, with its weight.
    looks: Vec<(Tensor, f64)>,
    z: Tensor,
    coefficients: Tensor,
    held_out: HeldOut,
    people: usize,
}

struct HeldOut {
    z: Tensor,
    corpus: Corpus,
    sampler: Sampler,
}

impl Learning {
    fn new(rendering: &Rendering, basis: &Basis, rng: &Rng) -> Result<(Params, Self)> {
        let device = Device::Cpu;
        let corpus = &rendering.corpus;
        let features = Features::new(&rendering.sampler, CHOICES, &device)?;
        let mut params = Params::new(&device, rng);
        let network = Network::new(&mut params.root(), features.count(), COMPONENTS)?;
        let all = corpus.len();
        let kept_out = HELD_OUT.min(all / 10);
        let people = all - kept_out;
        let coefficients = (0..people)
            .step_by(1000)
            .map(|from| basis.coefficients(corpus, from..(from + 1000).min(people)))
            .collect::<Result<Vec<_>>>()?;
        let dims = corpus.dims;
        let vectors = |range: std::ops::Range<usize>| {
            let z = corpus.z[range.start * dims..range.end * dims].to_vec();
            Tensor::from_vec(z, (range.len(), dims), &device)
        };
        let looks = LOOKED_AT
            .iter()
            .map(|&(side, weight)| Ok((basis.shrunk(side)?.components, weight)))
            .collect::<Result<_>>()?;
        let held_out = HeldOut {
            z: vectors(people..all)?,
            corpus: Corpus {
                dims,
                z: corpus.z[people * dims..].to_vec(),
                pixels: corpus.pixels[people * NUMBERS..].to_vec(),
            },
            sampler: rendering.sampler.clone(),
        };
        Ok((
            params,
            Self {
                z: vectors(0..people)?,
                coefficients: Tensor::cat(&coefficients, 0)?,
                network,
                features,
                basis: basis.clone(),
                looks,
                held_out,
                people,
            },
        ))
    }
}

impl Objective for Learning {
    fn loss(&mut self, _step: u64, rng: &mut Rng) -> Result<Tensor> {
        let batch: Vec<u32> = (0..BATCH).map(|_| rng.below(self.people) as u32).collect();
        let batch = Tensor::new(batch, self.z.device())?;
        let features = self.features.of(&self.z.index_select(&batch, 0)?)?;
        let found = self.network.forward(&features)?;
        let truth = self.coefficients.index_select(&batch, 0)?;
        // Rows of the basis have length one: the mean over pixels is the sum over coefficients
        // divided by the pixels.
        let fine = COMPONENTS as f64 / NUMBERS as f64;
        let mut loss = (loss::mse_loss(&found, &truth)? * fine)?;
        let difference = (found - truth)?;
        for (components, weight) in &self.looks {
            let seen = difference.matmul(components)?;
            loss = (loss + (seen.sqr()?.mean_all()? * *weight)?)?;
        }
        // In thousandths, which suits the optimiser's small constant.
        Ok((loss * 1000.0)?)
    }

    fn evaluate(&mut self) -> Result<Vec<(String, f64)>> {
        let held = &self.held_out;
        let surrogate = Surrogate::new(
            &held.sampler,
            self.features.clone(),
            &self.network,
            self.basis.clone(),
        );
        [16, 8, SIDE]
            .into_iter()
            .map(|side| {
                let eyes = surrogate.eyes(side)?;
                let found = eyes.see(&held.z)?;
                let truth = held.truth(side, &eyes)?;
                let error = (found - truth)?.sqr()?.mean_all()?.to_scalar::<f32>()?;
                Ok((format!("error_{side}"), f64::from(error)))
            })
            .collect()
    }
}

impl HeldOut {
    /// What the renderer drew, shrunk, before the true backdrops.
    fn truth(&self, side: usize, eyes: &super::Eyes) -> Result<Tensor> {
        let numbers: Vec<f32> = (0..self.corpus.len())
            .flat_map(|person| {
                let numbers: Vec<f32> = self
                    .corpus
                    .person(person)
                    .iter()
                    .map(|&value| f32::from(value) / 255.0)
                    .collect();
                numbers
                    .chunks_exact(SIDE * SIDE)
                    .flat_map(|plane| crate::demos::pulse::pixels::shrink(plane, SIDE, side))
                    .collect::<Vec<f32>>()
            })
            .collect();
        let shape = (self.corpus.len(), 4 * side * side);
        let people = Tensor::from_vec(numbers, shape, self.z.device())?;
        Ok(super::place(&people, &eyes.backdrops.of(&self.z)?, side)?)
    }
}
