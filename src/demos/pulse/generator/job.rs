//! A training run on the worker, from where an earlier one stopped.
//!
//! First the people are drawn who are there from the beginning, some at a time; their principal
//! pictures are found, and which features matter to them; then the network learns, while more people
//! come to them with every step. How many steps it takes is settled before the first one, because
//! the learning rate falls along them: those asked for, or as many as fit the time asked for by what
//! the first people and a few steps on the side cost this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::CHOICES;
use super::basis::Basis;
use super::file::{self, About};
use super::net::{BASE, COVER, PLANES, Sizes};
use super::objective::{Evaluation, Faces, evaluate};
use super::people::{Kind, People};
use super::relevance::relevance;
use super::sheet::sheet;
use crate::compute::{Flow, Job, StepCx};
use crate::demos::pulse::features::Features;
use crate::error::{Error, Result};
use crate::human::Kit;
use crate::nn::Params;
use crate::nn::checkpoint::Checkpoints;
use crate::nn::cpu::process_cpu_time;
use crate::nn::optim::{Clip, Decay, OptimizerConfig, Rule, Schedule};
use crate::nn::train::{StepReport, TrainConfig, Trainer};
use crate::rng::Rng;
use crate::store::{FolderLock, assets_dir, atomic_write};

/// A step of the job works for about this long.
const STEP_TIME: Duration = Duration::from_millis(60);
/// Between points of the loss.
const POINT_TIME: Duration = Duration::from_secs(5);
/// Between checkpoints.
const CHECKPOINT_TIME: Duration = Duration::from_mins(2);
/// People drawn in a step of the job.
const CHUNK: usize = 8;
/// People of whom the principal pictures are taken at most.
const BASIS_PEOPLE: usize = 8_000;
/// People a generator is measured with, unless fewer learn.
const HELD_OUT: usize = 256;
/// Steps on the side that tell how fast this machine is.
const TRIAL: u32 = 8;
/// What of the time asked for learning gets; the rest goes to measuring and storing.
const LEARNING: f64 = 0.95;

/// What is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Args)]
pub struct FacesConfig {
    /// Pixels in a side of the faces, 64 or 128
    #[arg(long, default_value_t = 64, value_parser = parse_size)]
    pub size: usize,
    /// Minutes to train for, of processor time of each thread; what the machine does in that time
    /// is settled at the beginning
    #[arg(long, conflicts_with = "steps")]
    pub minutes: Option<f64>,
    /// Training steps, in place of minutes
    #[arg(long)]
    pub steps: Option<u64>,
    /// People to learn from in the end
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(1_000..=500_000))]
    pub people: u32,
    /// People to learn from at first, of whom the principal pictures are taken
    #[arg(long, default_value_t = 6_000, value_parser = clap::value_parser!(u32).range(400..=100_000))]
    pub first_people: u32,
    /// People who come to them with every step
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(0..=1_000))]
    pub fresh_people: u16,
    /// Steps between measurements
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    pub evaluate_every: u64,
    /// Where random numbers begin; the command line's `--seed`.
    #[arg(skip)]
    pub seed: u64,
}

fn parse_size(text: &str) -> std::result::Result<usize, String> {
    match text {
        "64" => Ok(64),
        "128" => Ok(128),
        _ => Err("64 or 128".into()),
    }
}

/// Where a run is kept and what it leaves.
#[derive(Clone, Debug, Default)]
pub struct FacesOptions {
    /// The run's own folder.
    pub folder: PathBuf,
    /// Forgets what was done before.
    pub fresh: bool,
    /// The folder of assets, with the kit; the shipped one if not given.
    pub assets: Option<PathBuf>,
    /// Where the weights go; `weights.safetensors` in the run's folder if not given.
    pub out: Option<PathBuf>,
    /// Where a sheet of samples goes, a PNG file.
    pub sheet: Option<PathBuf>,
}

/// What is settled before the first step, and kept in the run's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Pixels in a side.
    pub size: usize,
    /// Where random numbers begin.
    pub seed: u64,
    /// Training steps.
    pub steps: u64,
    /// People before the first step.
    pub first: usize,
    /// People who come with every step.
    pub fresh: usize,
    /// People at most.
    pub most: usize,
    /// Steps between measurements.
    pub evaluate_every: u64,
}

impl Plan {
    fn train_config(&self) -> TrainConfig {
        let warmup = 100.min(self.steps / 10);
        let schedule = Schedule {
            warmup_steps: warmup,
            decay: Decay::Cosine {
                steps: self.steps.saturating_sub(warmup),
                floor: 0.02,
            },
        };
        let rule = Rule::AdamW {
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.01,
        };
        let optimizer = OptimizerConfig::new(rule, 1.5e-3)
            .with_schedule(schedule)
            .with_clip(Clip::Norm(2.0));
        TrainConfig {
            seed: self.seed,
            evaluate_every: self.evaluate_every,
            ema_decay: Some(0.998),
            ..TrainConfig::new(self.steps, optimizer)
        }
    }

    /// The stream of the people learned from, of those held out, and of the weights.
    fn rngs(&self) -> [Rng; 3] {
        let root = Rng::new(self.seed).split("faces");
        ["people", "held out", "weights"].map(|name| root.split(name))
    }

    /// What the folder holds, and whether a run of this configuration may go on there.
    fn stored(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join("plan.json");
        match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            read => {
                let bytes = read.map_err(Error::io("cannot read the run's plan", &path))?;
                serde_json::from_slice(&bytes)
                    .map(Some)
                    .map_err(|error| Error::bad_file(&path, format!("not a plan: {error}")))
            }
        }
    }

    fn store(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::Input(format!("cannot write the run's plan: {error}")))?;
        atomic_write(&folder.join("plan.json"), &text)
    }
}

/// What a run tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// The first people are drawn.
    Drawn {
        /// How many.
        people: usize,
        /// Seconds it took, of the clock.
        seconds: f64,
    },
    /// The principal pictures are found.
    Basis {
        /// How many.
        pictures: usize,
        /// The share of the pictures' variance that they hold.
        explained: f64,
    },
    /// It learns from now on.
    Began {
        /// What was settled.
        plan: Plan,
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
        /// Now.
        learning_rate: f64,
        /// People drawn.
        people: usize,
        /// Seconds of training in all sittings.
        seconds: f64,
    },
    /// The averaged weights were measured.
    Evaluated {
        /// Steps done.
        step: u64,
        /// What was found.
        evaluation: Evaluation,
    },
    /// The averaged weights were stored here.
    Saved(PathBuf),
    /// All steps are done; these are figures of the weights as they are stored.
    Finished(Evaluation),
}

/// Trains a generator of faces.
pub struct FacesJob {
    config: FacesConfig,
    options: FacesOptions,
    state: State,
}

enum State {
    New,
    Drawing(Box<Drawing>),
    Learning(Box<Learning>),
    Over,
}

struct Drawing {
    lock: FolderLock,
    plan: Plan,
    settled: bool,
    people: People,
    held_out: People,
    /// People drawn in this sitting, and what they cost.
    drawn: usize,
    cpu: Duration,
    began: Instant,
}

struct Learning {
    _lock: FolderLock,
    plan: Plan,
    trainer: Trainer<Faces>,
    checkpoints: Checkpoints,
    saved_step: u64,
    last_checkpoint: Instant,
    last_point: Instant,
    losses: Vec<f64>,
    evaluation: Option<Evaluation>,
}

impl FacesJob {
    /// A run of this configuration.
    ///
    /// # Errors
    /// When neither minutes nor steps are given, or they are not positive.
    pub fn new(config: FacesConfig, options: FacesOptions) -> Result<Self> {
        let good = match (config.minutes, config.steps) {
            (Some(minutes), _) => minutes.is_finite() && minutes > 0.0,
            (None, Some(steps)) => steps > 0,
            (None, None) => Plan::stored(&options.folder)?.is_some() && !options.fresh,
        };
        if !good {
            return Err(Error::Input(
                "say how long to train: --minutes or --steps, more than 0".into(),
            ));
        }
        Ok(Self {
            config,
            options,
            state: State::New,
        })
    }

    /// Opens the folder and settles what can be settled at once.
    fn open(&self) -> Result<Drawing> {
        let folder = &self.options.folder;
        let lock = FolderLock::take(folder)?;
        if self.options.fresh {
            checkpoints(folder).clear()?;
            for name in ["plan.json", "people.bin", "held-out.bin"] {
                let path = folder.join(name);
                if path.exists() {
                    fs::remove_file(&path)
                        .map_err(Error::io("cannot forget the earlier run", &path))?;
                }
            }
        }
        let asked = self.asked();
        let stored = Plan::stored(folder)?;
        let settled = stored.is_some() || self.config.steps.is_some();
        let plan = match stored {
            Some(stored) => {
                let steps = self.config.steps.unwrap_or(stored.steps);
                let same = Plan { steps, ..asked };
                if same != (Plan { steps, ..stored }) {
                    return Err(Error::Input(format!(
                        "a run with other settings is stored here, begin anew with --fresh or \
                         choose another folder: {}",
                        folder.display()
                    )));
                }
                same
            }
            None => asked,
        };
        let kit = Kit::head(&self.options.assets.clone().unwrap_or_else(assets_dir))?;
        let [people, held_out, _] = plan.rngs();
        let people = People::new(kit.clone(), people, plan.size, Kind::CutOut)?;
        let held_out = People::new(kit, held_out, plan.size, Kind::Whole)?;
        Ok(Drawing {
            lock,
            settled,
            people: people.kept_in(&folder.join("people.bin"))?,
            held_out: held_out.kept_in(&folder.join("held-out.bin"))?,
            plan,
            drawn: 0,
            cpu: Duration::ZERO,
            began: Instant::now(),
        })
    }

    fn asked(&self) -> Plan {
        let first = self.config.first_people.min(self.config.people) as usize;
        Plan {
            size: self.config.size,
            seed: self.config.seed,
            steps: self.config.steps.unwrap_or(0),
            first,
            fresh: usize::from(self.config.fresh_people),
            most: self.config.people as usize,
            evaluate_every: self.config.evaluate_every,
        }
    }

    /// From the people drawn to the first step, or the one that an earlier sitting stopped at.
    fn begin(&self, drawing: Drawing, cx: &mut StepCx<'_, Output>) -> Result<Learning> {
        let folder = &self.options.folder;
        let mut plan = drawing.plan.clone();
        let (checkpoint, notice) = checkpoints(folder).load_latest()?;
        if let Some(notice) = notice {
            cx.warn(notice.to_string());
        }
        let known = match &checkpoint {
            // It has them with its weights.
            Some(_) => None,
            None => Some(Known::of(&drawing, cx)?),
        };
        if !drawing.settled {
            plan.steps = self.affordable(&drawing, known.as_ref(), cx.device())?;
        }
        plan.store(folder)?;
        let lock = drawing.lock;
        let mut trainer = trainer(
            &plan,
            drawing.people,
            drawing.held_out,
            known.as_ref(),
            cx.device(),
        )?;
        if let Some(checkpoint) = checkpoint {
            trainer.resume(&checkpoint)?;
        }
        cx.emit(Output::Began {
            weights: trainer.params().count_trained(),
            resumed_at: trainer.steps(),
            plan: plan.clone(),
        });
        Ok(Learning {
            _lock: lock,
            checkpoints: checkpoints(folder),
            saved_step: trainer.steps(),
            trainer,
            plan,
            last_checkpoint: Instant::now(),
            last_point: Instant::now(),
            losses: Vec::new(),
            evaluation: None,
        })
    }

    /// How many steps fit the time, by what those on the side and the people drawn so far cost.
    fn affordable(&self, drawing: &Drawing, known: Option<&Known>, device: &Device) -> Result<u64> {
        let plan = &drawing.plan;
        let threads = rayon::current_num_threads().max(1) as f64;
        let budget = self.config.minutes.unwrap_or(1.0) * 60.0 * threads * LEARNING;
        let copy = |from: &People| from.first(plan.first.min(400));
        let aside = Plan {
            steps: u64::from(TRIAL) + 1,
            fresh: 0,
            first: plan.first.min(400),
            most: plan.first.min(400),
            evaluate_every: 0,
            ..plan.clone()
        };
        let (people, held_out) = (copy(&drawing.people)?, copy(&drawing.held_out)?);
        let mut trial = trainer(&aside, people, held_out, known, device)?;
        trial.step()?;
        let before = process_cpu_time();
        for _ in 0..TRIAL {
            trial.step()?;
        }
        let step = process_cpu_time().saturating_sub(before).as_secs_f64() / f64::from(TRIAL);
        let spent = drawing.cpu.as_secs_f64();
        let person = spent / drawing.drawn.max(1) as f64;
        let left = (budget - spent).max(step);
        let with_people = left / (step + person * plan.fresh as f64);
        let all_come = (plan.most - plan.first) as f64 / plan.fresh.max(1) as f64;
        let steps = if with_people <= all_come {
            with_people
        } else {
            (left - person * (plan.most - plan.first) as f64) / step
        };
        Ok((steps as u64).max(1))
    }

    fn out(&self) -> PathBuf {
        let own = || self.options.folder.join("weights.safetensors");
        self.options.out.clone().unwrap_or_else(own)
    }
}

fn checkpoints(folder: &Path) -> Checkpoints {
    Checkpoints::new(folder.join("checkpoints"))
}

/// What is worked out of the first people.
struct Known {
    /// Their principal pictures.
    basis: Basis,
    /// How much each feature matters to them.
    relevance: Vec<f32>,
}

impl Known {
    fn of(drawing: &Drawing, cx: &mut StepCx<'_, Output>) -> Result<Self> {
        let (people, device) = (&drawing.people, &Device::Cpu);
        let numbers: Vec<usize> = (0..drawing.plan.first.min(BASIS_PEOPLE)).collect();
        let small = people.pictures(&numbers, BASE, device)?;
        // A difference in cover shows less than one in a colour.
        let cover = (small.narrow(1, PLANES - 1, 1)? * f64::from(COVER))?;
        let small = Tensor::cat(&[small.narrow(1, 0, PLANES - 1)?, cover], 1)?.flatten_from(1)?;
        let count = Sizes::new(drawing.plan.size).pictures;
        let [_, _, rng] = drawing.plan.rngs();
        let mut basis = Basis::of(&small, count, &rng)?;
        let features = Features::new(people.sampler(), CHOICES, device)?;
        let features = features.of(&people.vectors(&numbers, device)?)?;
        let relevance = relevance(&features, &small)?;
        let values = PLANES * BASE * BASE;
        for row in
            std::iter::once(&mut basis.mean[..]).chain(basis.pictures.chunks_exact_mut(values))
        {
            for value in &mut row[values - BASE * BASE..] {
                *value /= COVER;
            }
        }
        cx.emit(Output::Basis {
            pictures: basis.count(),
            explained: basis.explained,
        });
        Ok(Self { basis, relevance })
    }
}

fn trainer(
    plan: &Plan,
    people: People,
    held_out: People,
    known: Option<&Known>,
    device: &Device,
) -> Result<Trainer<Faces>> {
    let [_, _, rng] = plan.rngs();
    let (params, net) = file::build(Sizes::new(plan.size), people.sampler(), device, &rng)?;
    if let Some(known) = known {
        net.set_basis(&known.basis)?;
        net.set_relevance(&known.relevance)?;
    }
    let counts = [plan.first, plan.fresh, plan.most];
    let faces = Faces::new(net, people, held_out, (counts, plan.steps), device)?;
    Trainer::new(plan.train_config(), params, faces)
}

impl Drawing {
    /// Draws some more people. True once all are there.
    fn advance(&mut self, cx: &mut StepCx<'_, Output>) -> Result<bool> {
        let held_out = HELD_OUT.min(self.plan.first);
        if self.held_out.count() < held_out {
            let next = (self.held_out.count() + CHUNK).min(held_out);
            self.held_out.draw(next)?;
            return Ok(false);
        }
        let before = (self.people.count(), process_cpu_time());
        if before.0 < self.plan.first {
            self.people.draw((before.0 + CHUNK).min(self.plan.first))?;
            self.drawn += self.people.count() - before.0;
            self.cpu += process_cpu_time().saturating_sub(before.1);
        }
        let count = self.people.count().min(self.plan.first);
        cx.progress(count as u64, Some(self.plan.first as u64), "people");
        Ok(count == self.plan.first)
    }
}

impl Learning {
    /// Training steps for a moment. True once all are done.
    fn advance(&mut self, cx: &mut StepCx<'_, Output>) -> Result<bool> {
        let start = Instant::now();
        while self.trainer.summary().is_none() && start.elapsed() < STEP_TIME {
            let report = self.trainer.step()?;
            self.tell(&report, cx);
            if report.evaluation.is_some() {
                break;
            }
        }
        cx.progress(self.trainer.steps(), Some(self.plan.steps), "steps");
        Ok(self.trainer.summary().is_some())
    }

    fn tell(&mut self, report: &StepReport, cx: &mut StepCx<'_, Output>) {
        self.losses.push(report.loss);
        if self.last_point.elapsed() >= POINT_TIME {
            self.last_point = Instant::now();
            let sum: f64 = self.losses.iter().sum();
            cx.emit(Output::Point {
                step: report.step,
                loss: sum / self.losses.len() as f64,
                learning_rate: report.learning_rate,
                people: self.trainer.objective().people.count(),
                seconds: report.seconds,
            });
            self.losses.clear();
        }
        if let Some(found) = &report.evaluation {
            let value = |name: &str| found.iter().find(|(n, _)| n == name).map_or(0.0, |f| f.1);
            let evaluation = Evaluation {
                people: self.trainer.objective().held_out.count(),
                psnr: value("psnr"),
                ssim: value("ssim"),
                l1: value("l1"),
                base_psnr: value("base_psnr"),
            };
            self.evaluation = Some(evaluation);
            cx.emit(Output::Evaluated {
                step: report.step,
                evaluation,
            });
        }
    }

    /// Keeps the run.
    fn save(&mut self) -> Result<()> {
        if self.trainer.steps() > self.saved_step {
            self.checkpoints.save(&self.trainer.checkpoint()?)?;
            self.saved_step = self.trainer.steps();
        }
        self.last_checkpoint = Instant::now();
        Ok(())
    }

    fn about(&self, evaluation: Option<Evaluation>) -> About {
        let faces = self.trainer.objective();
        About {
            sizes: faces.net.sizes().clone(),
            names: faces.people.sampler().names().to_vec(),
            steps: self.trainer.steps(),
            people: faces.people.count(),
            seed: self.plan.seed,
            evaluation,
        }
    }

    /// Stores the averaged weights.
    fn export(&self, path: &Path, evaluation: Option<Evaluation>) -> Result<()> {
        let params = self.averages()?;
        file::save(path, &params, &self.about(evaluation))
    }

    /// The averaged weights as a model's of their own.
    fn averages(&self) -> Result<Params> {
        let faces = self.trainer.objective();
        let (params, _) = file::build(
            faces.net.sizes().clone(),
            faces.people.sampler(),
            &faces.net.device(),
            &Rng::new(0),
        )?;
        let mut numbers = self.trainer.params().snapshot()?;
        if let Some(averages) = self.trainer.averages()? {
            numbers.extend(averages);
        }
        params.restore(&numbers)?;
        Ok(params)
    }

    /// Stores the weights, and measures them as they are stored.
    fn finish(&mut self, job: &FacesOptions, out: &Path) -> Result<Evaluation> {
        self.save()?;
        self.export(out, None)?;
        let faces = self.trainer.objective();
        let device = faces.net.device();
        let (net, _) = file::load(out, faces.people.sampler(), &device)?;
        let evaluation = evaluate(&net, &faces.held_out, &device)?;
        self.export(out, Some(evaluation))?;
        if let Some(path) = &job.sheet {
            let image = sheet(&net, &faces.held_out, [10, 3])?;
            atomic_write(path, &image.encode_png()?)?;
        }
        Ok(evaluation)
    }
}

impl Job for FacesJob {
    type Output = Output;

    fn step(&mut self, cx: &mut StepCx<'_, Output>) -> Result<Flow> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::New => self.state = State::Drawing(Box::new(self.open()?)),
            State::Drawing(mut drawing) => {
                if !drawing.advance(cx)? {
                    self.state = State::Drawing(drawing);
                    return Ok(Flow::Continue);
                }
                cx.emit(Output::Drawn {
                    people: drawing.people.count(),
                    seconds: drawing.began.elapsed().as_secs_f64(),
                });
                self.state = State::Learning(Box::new(self.begin(*drawing, cx)?));
            }
            State::Learning(mut learning) => {
                let over = learning.advance(cx)?;
                let out = self.out();
                if over {
                    let found = learning.finish(&self.options, &out)?;
                    cx.emit(Output::Saved(out));
                    cx.emit(Output::Finished(found));
                    return Ok(Flow::Finished);
                }
                if learning.last_checkpoint.elapsed() >= CHECKPOINT_TIME {
                    learning.save()?;
                    learning.export(&out, learning.evaluation)?;
                }
                self.state = State::Learning(learning);
            }
            State::Over => return Err(Error::Input("the training run has ended".into())),
        }
        Ok(Flow::Continue)
    }

    fn checkpoint(&mut self) -> Result<()> {
        let out = self.out();
        match &mut self.state {
            State::Learning(learning) => {
                learning.save()?;
                learning.export(&out, learning.evaluation)
            }
            _ => Ok(()),
        }
    }
}
