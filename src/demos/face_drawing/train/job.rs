//! A training run on the worker, from where an earlier one stopped.
//!
//! People are drawn once and kept in the run's folder until all is done. A stage whose weights lie in the run's
//! folder is done; the one after it goes on from its last checkpoint. How many steps a stage takes
//! is settled when it begins, from its share of the minutes and what a few steps on the side cost
//! this machine, and kept, because learning rates fall along the steps.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use candle_core::Device;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::codes::Variants;
use super::encoding::Encoding;
use super::gallery::Gallery;
use super::painting::Painting;
use super::reading::{Choices, People, as_drawn};
use crate::compute::{Flow, Job, StepCx};
use crate::demos::face_drawing::appearance;
use crate::demos::face_drawing::bank;
use crate::demos::face_drawing::cast::Cast;
use crate::demos::face_drawing::model::{self, Codec, Reader, alone, read};
use crate::demos::face_drawing::painter::Painter;
use crate::error::{Error, Result};
use crate::human::Kit;
use crate::nn::Params;
use crate::nn::checkpoint::Checkpoints;
use crate::nn::optim::{Clip, Decay, OptimizerConfig, Rule, Schedule};
use crate::nn::train::{Objective, TrainConfig, Trainer};
use crate::nn::weights::{self, Precision};
use crate::rng::Rng;
use crate::store::{FolderLock, assets_dir, atomic_write};

/// A step of the job works for about this long.
const STEP_TIME: Duration = Duration::from_millis(60);
/// Between points of the loss.
const POINT_TIME: Duration = Duration::from_secs(5);
/// Between checkpoints.
const CHECKPOINT_TIME: Duration = Duration::from_mins(2);
/// People drawn in a step of the job.
const CHUNK: usize = 20;
/// People in a file of those who are drawn.
const KEPT: usize = 1000;
/// People that nothing is learned from.
const HELD_OUT: usize = 512;
/// Steps on the side that tell how fast this machine is.
const TRIAL: u64 = 4;
/// The stages' names, their shares of the minutes, and their learning rates.
const STAGES: [(&str, f64, f64); 3] = [
    ("encoding", 0.28, 1.5e-3),
    ("reading", 0.07, 1e-3),
    ("painting", 0.65, 1.5e-3),
];
/// The share of the learning rates where networks go on from others.
const FURTHER: f64 = 0.5;

/// What is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Args)]
pub struct SketchConfig {
    /// Minutes to train for once the people are drawn
    #[arg(long, default_value_t = 60.0)]
    pub minutes: f64,
    /// People to learn from
    #[arg(long, default_value_t = 24_000, value_parser = clap::value_parser!(u32).range(1_000..=200_000))]
    pub people: u32,
    /// Of how many of them the painter learns the faces
    #[arg(long, default_value_t = 14_000, value_parser = clap::value_parser!(u32).range(600..=100_000))]
    pub pictured: u32,
    /// How many of them are the bank
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(500..=50_000))]
    pub banked: u32,
    /// A folder of networks to go on from: their autoencoders are kept, the others learn on
    #[arg(long)]
    pub from: Option<PathBuf>,
    /// Where random numbers begin; the command line's `--seed`.
    #[arg(skip)]
    pub seed: u64,
}

/// Where a run is kept and what it leaves.
#[derive(Clone, Debug, Default)]
pub struct SketchOptions {
    /// The run's own folder, where the weights go.
    pub folder: PathBuf,
    /// Forgets what was done before.
    pub fresh: bool,
}

/// What a run tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// All people are drawn.
    Drawn {
        /// How many.
        people: usize,
        /// Seconds it took.
        seconds: f64,
    },
    /// A stage learns from now on.
    Began {
        /// Which.
        stage: String,
        /// Its steps.
        steps: u64,
        /// Numbers that are trained.
        weights: usize,
        /// Steps done in earlier sittings.
        resumed_at: u64,
    },
    /// The mean loss of the steps since the last one.
    Point {
        /// Steps done.
        step: u64,
        /// Its mean.
        loss: f64,
        /// Seconds of training in all sittings.
        seconds: f64,
    },
    /// A stage was measured.
    Evaluated {
        /// Which.
        stage: String,
        /// Names and numbers.
        found: Vec<(String, f64)>,
    },
    /// A file was written.
    Saved(PathBuf),
}

/// What is settled, in the run's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Plan {
    config: SketchConfig,
    steps: [Option<u64>; 3],
    /// The painter's file is written before it is done, too.
    #[serde(default)]
    painted: bool,
}

/// Trains the networks.
pub struct SketchJob {
    options: SketchOptions,
    plan: Plan,
    lock: Option<FolderLock>,
    state: State,
}

enum State {
    New,
    Drawing(Box<Cast>, Box<Gallery>, Instant),
    Encoding(Box<Cast>, Box<Learning<Encoding>>),
    Reading(Box<Cast>, Box<Learning<People>>),
    Painting(Box<Learning<Painting>>),
    Over,
}

/// A stage at work.
struct Learning<O> {
    name: &'static str,
    trainer: Trainer<O>,
    checkpoints: Checkpoints,
    /// Where the averaged weights are written with every checkpoint, of use before all is done.
    exported: Option<PathBuf>,
    saved_step: u64,
    last_checkpoint: Instant,
    last_point: Instant,
    losses: Vec<f64>,
}

impl SketchJob {
    /// A run of this configuration.
    ///
    /// # Errors
    /// When the minutes are not positive, the people are too few for what they are for, or the folder
    /// holds a run of another configuration.
    pub fn new(config: SketchConfig, options: SketchOptions) -> Result<Self> {
        if !(config.minutes.is_finite() && config.minutes > 0.0) {
            return Err(Error::Input("say how long to train: --minutes".into()));
        }
        let least = HELD_OUT as u32 + config.banked.max(config.pictured);
        if config.people < least {
            return Err(Error::Input(format!(
                "the bank and the painter's people are among all people, of whom {HELD_OUT} are kept \
                 out: --people {least} or more"
            )));
        }
        let plan = Plan {
            config,
            steps: [None; 3],
            painted: false,
        };
        Ok(Self {
            options,
            plan,
            lock: None,
            state: State::New,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.options.folder.join(name)
    }

    /// The file of the people from this number on.
    fn people(&self, from: usize) -> PathBuf {
        self.path("people").join(format!("{from:06}.safetensors"))
    }

    /// Forgets who is drawn.
    fn forget_people(&self) -> Result<()> {
        let folder = self.path("people");
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(Error::io("cannot forget the people who are drawn", &folder))?;
        }
        Ok(())
    }

    /// Takes the folder, and takes up what is kept there.
    fn open(&mut self) -> Result<()> {
        let folder = &self.options.folder;
        self.lock = Some(FolderLock::take(folder)?);
        let path = self.path("plan.json");
        if self.options.fresh {
            for (name, ..) in STAGES {
                Checkpoints::new(self.path(name)).clear()?;
            }
            self.forget_people()?;
            let mut old = model::files(folder).to_vec();
            old.push(path.clone());
            for file in old.into_iter().filter(|file| file.exists()) {
                fs::remove_file(&file)
                    .map_err(Error::io("cannot forget the earlier run", &file))?;
            }
        }
        if path.exists() {
            let bytes = fs::read(&path).map_err(Error::io("cannot read the run's plan", &path))?;
            let stored: Plan = serde_json::from_slice(&bytes)
                .map_err(|error| Error::bad_file(&path, format!("not a plan: {error}")))?;
            if stored.config != self.plan.config {
                return Err(Error::Input(format!(
                    "a run with other settings is stored here, begin anew with --fresh or choose \
                     another folder: {}",
                    folder.display()
                )));
            }
            self.plan = stored;
        }
        Ok(())
    }

    fn store_plan(&self) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.plan)
            .map_err(|error| Error::Input(format!("cannot write the run's plan: {error}")))?;
        atomic_write(&self.path("plan.json"), &text)
    }

    fn rng(&self, name: &str) -> Rng {
        Rng::new(self.plan.config.seed).split("sketch").split(name)
    }

    /// A stage with the steps it takes, from its last checkpoint.
    fn begin<N, O: Objective>(
        &mut self,
        at: usize,
        build: impl Fn() -> Result<(Params, N)>,
        objective: impl FnOnce(N) -> Result<O>,
        replace: impl FnOnce(&mut O, N),
        cx: &mut StepCx<'_, Output>,
    ) -> Result<Learning<O>> {
        let (name, mut share, mut rate) = STAGES[at];
        if self.plan.config.from.is_some() {
            share /= 1.0 - STAGES[0].1;
            rate *= FURTHER;
        }
        let (params, net) = build()?;
        let mut objective = objective(net)?;
        let steps = if let Some(steps) = self.plan.steps[at] {
            steps
        } else {
            let mut trial = Trainer::new(train_config(TRIAL, rate, 0), params, objective)?;
            trial.step()?;
            let from = Instant::now();
            for _ in 1..TRIAL {
                trial.step()?;
            }
            let step = from.elapsed().as_secs_f64() / (TRIAL - 1) as f64;
            (_, objective, _) = trial.into_parts();
            ((self.plan.config.minutes * 60.0 * share / step) as u64).max(20)
        };
        self.plan.steps[at] = Some(steps);
        self.store_plan()?;
        let (params, net) = build()?;
        replace(&mut objective, net);
        let config = train_config(steps, rate, self.plan.config.seed);
        let mut trainer = Trainer::new(config, params, objective)?;
        let checkpoints = Checkpoints::new(self.path(name));
        let (checkpoint, notice) = checkpoints.load_latest()?;
        if let Some(notice) = notice {
            cx.warn(notice.to_string());
        }
        if let Some(checkpoint) = checkpoint {
            trainer.resume(&checkpoint)?;
        }
        cx.emit(Output::Began {
            stage: name.into(),
            steps,
            weights: trainer.params().count_trained(),
            resumed_at: trainer.steps(),
        });
        Ok(Learning {
            name,
            saved_step: trainer.steps(),
            trainer,
            checkpoints,
            exported: None,
            last_checkpoint: Instant::now(),
            last_point: Instant::now(),
            losses: Vec::new(),
        })
    }

    fn begin_encoding(
        &mut self,
        gallery: Gallery,
        cx: &mut StepCx<'_, Output>,
    ) -> Result<Learning<Encoding>> {
        let device = cx.device().clone();
        let rng = self.rng("autoencoders");
        let held_out = gallery.count() - HELD_OUT;
        let on = device.clone();
        self.begin(
            0,
            || alone(&on, &rng, Codec::new),
            |codec| {
                Ok(Encoding {
                    codec,
                    gallery,
                    held_out,
                    device: on.clone(),
                })
            },
            |objective, codec| objective.codec = codec,
            cx,
        )
    }

    /// The codes of everybody, and the bank; both files are written, the networks' with what their
    /// codes are centred by.
    fn codes(
        &self,
        gallery: &Gallery,
        params: Option<&Params>,
        codec: &Codec,
        device: &Device,
    ) -> Result<Variants> {
        let [autoencoders, bank, ..] = model::files(&self.options.folder);
        let banked = self.plan.config.banked as usize;
        let rng = self.rng("codes");
        let (codes, people) = Variants::new(codec, gallery, banked, device, &rng)?;
        if let Some(params) = params {
            people.save(&bank)?;
            weights::save(params, &autoencoders, Precision::Half)?;
        }
        Ok(codes)
    }

    fn begin_reading(
        &mut self,
        cast: &Cast,
        gallery: Gallery,
        codes: Variants,
        cx: &mut StepCx<'_, Output>,
    ) -> Result<Learning<People>> {
        let device = cx.device().clone();
        let rng = self.rng("person");
        let dims = gallery.dims;
        let held_out = gallery.count() - HELD_OUT;
        let choices = Choices::new(&gallery, cast);
        let from = self.from(3);
        let (_, known) = alone(&device, &rng, |scope| Reader::new(scope, dims))?;
        People::settle(&known, &gallery, held_out, &device)?;
        let drawn = as_drawn(&known, &gallery, &codes, cast)?;
        let on = device.clone();
        self.begin(
            1,
            || {
                let (params, reader) = alone(&on, &rng, |scope| Reader::new(scope, dims))?;
                if let Some(from) = &from {
                    weights::load(&params, from)?;
                }
                reader.landmark_mean.set(known.landmark_mean.as_tensor())?;
                reader
                    .landmark_spread
                    .set(known.landmark_spread.as_tensor())?;
                reader.slopes.set(known.slopes.as_tensor())?;
                Ok((params, reader))
            },
            |reader| {
                Ok(People {
                    reader,
                    gallery,
                    codes,
                    choices,
                    drawn,
                    held_out,
                    device: on.clone(),
                })
            },
            |objective, reader| objective.reader = reader,
            cx,
        )
    }

    fn begin_painting(
        &mut self,
        cast: &Cast,
        gallery: Gallery,
        codes: Variants,
        cx: &mut StepCx<'_, Output>,
    ) -> Result<Learning<Painting>> {
        let device = cx.device().clone();
        let rng = self.rng("painter");
        let places = appearance::places(cast.sampler())?;
        let [autoencoders, ..] = model::files(&self.options.folder);
        let codec = read(&autoencoders, &device, Codec::new)?.detached();
        let held_out = gallery.pictured() - HELD_OUT / 2;
        let from = self.from(2);
        let on = device.clone();
        self.begin(
            2,
            || {
                let (params, painter) = alone(&on, &rng, Painter::new)?;
                if let Some(from) = &from {
                    weights::load(&params, from)?;
                }
                Ok((params, painter))
            },
            |painter| {
                Ok(Painting {
                    painter,
                    codec,
                    gallery,
                    codes,
                    places,
                    held_out,
                    device: on.clone(),
                })
            },
            |objective, painter| objective.painter = painter,
            cx,
        )
    }
}

fn train_config(steps: u64, rate: f64, seed: u64) -> TrainConfig {
    let warmup = 100.min(steps / 10);
    let schedule = Schedule {
        warmup_steps: warmup,
        decay: Decay::Cosine {
            steps: steps.saturating_sub(warmup).max(1),
            floor: 0.02,
        },
    };
    let rule = Rule::AdamW {
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 1e-8,
        weight_decay: 0.01,
    };
    let optimizer = OptimizerConfig::new(rule, rate)
        .with_schedule(schedule)
        .with_clip(Clip::Norm(2.0));
    TrainConfig {
        seed,
        evaluate_every: (steps / 8).max(1),
        ema_decay: Some(0.998),
        ..TrainConfig::new(steps, optimizer)
    }
}

impl<O: Objective> Learning<O> {
    /// Training steps for a moment. True once all are done.
    fn advance(&mut self, cx: &mut StepCx<'_, Output>) -> Result<bool> {
        let start = Instant::now();
        while self.trainer.summary().is_none() && start.elapsed() < STEP_TIME {
            let report = self.trainer.step()?;
            self.losses.push(report.loss);
            if self.last_point.elapsed() >= POINT_TIME {
                self.last_point = Instant::now();
                let sum: f64 = self.losses.iter().sum();
                cx.emit(Output::Point {
                    step: report.step,
                    loss: sum / self.losses.len() as f64,
                    seconds: report.seconds,
                });
                self.losses.clear();
            }
            if let Some(found) = report.evaluation {
                cx.emit(Output::Evaluated {
                    stage: self.name.into(),
                    found,
                });
            }
        }
        let steps = self.trainer.steps();
        cx.progress(steps, None, "steps");
        if self.last_checkpoint.elapsed() >= CHECKPOINT_TIME {
            self.save()?;
        }
        Ok(self.trainer.summary().is_some())
    }

    fn save(&mut self) -> Result<()> {
        if self.trainer.steps() > self.saved_step {
            self.checkpoints.save(&self.trainer.checkpoint()?)?;
            if let Some(path) = &self.exported {
                self.save_averages(path)?;
            }
            self.saved_step = self.trainer.steps();
        }
        self.last_checkpoint = Instant::now();
        Ok(())
    }

    /// Writes the averaged weights as they are now.
    fn save_averages(&self, path: &Path) -> Result<()> {
        let params = self.trainer.params();
        let now = params.snapshot()?;
        let mut averaged = now.clone();
        averaged.extend(self.trainer.averages()?.unwrap_or_default());
        params.restore(&averaged)?;
        let saved = weights::save(params, path, Precision::Half);
        params.restore(&now)?;
        saved
    }

    /// The averaged weights and the objective.
    fn finish(self) -> Result<(Params, O)> {
        let (params, objective, averages) = self.trainer.into_parts();
        if let Some(mut averages) = averages {
            averages.swap(&params)?;
        }
        Ok((params, objective))
    }
}

impl Job for SketchJob {
    type Output = Output;

    fn step(&mut self, cx: &mut StepCx<'_, Output>) -> Result<Flow> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::New => {
                self.open()?;
                let cast = Box::new(Cast::new(Kit::head(&assets_dir())?));
                self.state = State::Drawing(cast, Box::default(), Instant::now());
            }
            State::Drawing(cast, gallery, began) => self.draw(cast, gallery, began, cx)?,
            State::Encoding(cast, mut learning) => {
                self.state = if learning.advance(cx)? {
                    let (params, encoding) = learning.finish()?;
                    let codec = &encoding.codec;
                    let codes = self.codes(&encoding.gallery, Some(&params), codec, cx.device())?;
                    self.saved(0..2, cx);
                    self.after_encoding(cast, encoding.gallery, codes, cx)?
                } else {
                    State::Encoding(cast, learning)
                };
            }
            State::Reading(cast, mut learning) => {
                self.state = if learning.advance(cx)? {
                    let (params, people) = learning.finish()?;
                    let doubt = people.doubt()?;
                    people.reader.doubt.set(&doubt)?;
                    let [.., path] = model::files(&self.options.folder);
                    weights::save(&params, &path, Precision::Half)?;
                    self.saved(3..4, cx);
                    self.after_reading(&cast, people.gallery, people.codes, cx)?
                } else {
                    State::Reading(cast, learning)
                };
            }
            State::Painting(mut learning) => {
                if learning.advance(cx)? {
                    learning.save_averages(&self.painter())?;
                    self.plan.painted = true;
                    self.store_plan()?;
                    self.forget_people()?;
                    self.saved(2..3, cx);
                    return Ok(Flow::Finished);
                }
                self.state = State::Painting(learning);
            }
            State::Over => return Ok(Flow::Finished),
        }
        Ok(Flow::Continue)
    }

    fn checkpoint(&mut self) -> Result<()> {
        match &mut self.state {
            State::Encoding(_, learning) => learning.save(),
            State::Reading(_, learning) => learning.save(),
            State::Painting(learning) => learning.save(),
            _ => Ok(()),
        }
    }
}

impl SketchJob {
    /// A file of the networks that are gone on from.
    fn from(&self, which: usize) -> Option<PathBuf> {
        let folder = self.plan.config.from.as_deref()?;
        Some(model::files(folder)[which].clone())
    }

    fn painter(&self) -> PathBuf {
        let [_, _, painter, _] = model::files(&self.options.folder);
        painter
    }

    fn saved(&self, which: std::ops::Range<usize>, cx: &mut StepCx<'_, Output>) {
        for path in &model::files(&self.options.folder)[which] {
            cx.emit(Output::Saved(path.clone()));
        }
    }

    fn draw(
        &mut self,
        cast: Box<Cast>,
        mut gallery: Box<Gallery>,
        began: Instant,
        cx: &mut StepCx<'_, Output>,
    ) -> Result<()> {
        let config = &self.plan.config;
        let all = config.people as usize;
        let kept = gallery.count() / KEPT * KEPT;
        let path = self.people(kept);
        if gallery.count() == kept && path.exists() {
            gallery.take_in(&path, cast.sampler().dims())?;
        } else {
            let next = (gallery.count() + CHUNK).min(all);
            let people = bank::people(config.seed);
            gallery.extend(&cast, &people, next, config.pictured as usize);
            if next.is_multiple_of(KEPT) || next == all {
                gallery.save(kept, &path)?;
            }
        }
        let next = gallery.count();
        cx.progress(next as u64, Some(all as u64), "people");
        if next < all {
            self.state = State::Drawing(cast, gallery, began);
            return Ok(());
        }
        cx.emit(Output::Drawn {
            people: all,
            seconds: began.elapsed().as_secs_f64(),
        });
        let [autoencoders, bank, ..] = model::files(&self.options.folder);
        self.state = if autoencoders.exists() && bank.exists() {
            let codec = read(&autoencoders, cx.device(), Codec::new)?;
            let codes = self.codes(&gallery, None, &codec, cx.device())?;
            self.after_encoding(cast, *gallery, codes, cx)?
        } else if let Some(from) = self.from(0) {
            let (params, codec) = alone(cx.device(), &Rng::new(0), Codec::new)?;
            weights::load(&params, &from)?;
            let codes = self.codes(&gallery, Some(&params), &codec, cx.device())?;
            self.saved(0..2, cx);
            self.after_encoding(cast, *gallery, codes, cx)?
        } else {
            State::Encoding(cast, Box::new(self.begin_encoding(*gallery, cx)?))
        };
        Ok(())
    }

    fn after_encoding(
        &mut self,
        cast: Box<Cast>,
        gallery: Gallery,
        codes: Variants,
        cx: &mut StepCx<'_, Output>,
    ) -> Result<State> {
        let [.., reader] = model::files(&self.options.folder);
        if reader.exists() {
            return self.after_reading(&cast, gallery, codes, cx);
        }
        let learning = self.begin_reading(&cast, gallery, codes, cx)?;
        Ok(State::Reading(cast, Box::new(learning)))
    }

    fn after_reading(
        &mut self,
        cast: &Cast,
        gallery: Gallery,
        codes: Variants,
        cx: &mut StepCx<'_, Output>,
    ) -> Result<State> {
        if self.plan.painted {
            return Ok(State::Over);
        }
        let mut learning = self.begin_painting(cast, gallery, codes, cx)?;
        learning.exported = Some(self.painter());
        Ok(State::Painting(Box::new(learning)))
    }
}
