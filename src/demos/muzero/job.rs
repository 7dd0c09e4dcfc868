//! A training run on the worker, from where an earlier one stopped.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::config::{Settings, TrainConfig};
use super::game::open;
use super::training::{Point, Training, Turn};
use super::weights_file::{self, About};
use crate::compute::{Flow, Job, StepCx};
use crate::error::Result;
use crate::nn::checkpoint::Checkpoints;

/// A step of the job works for about this long.
const STEP_TIME: Duration = Duration::from_millis(60);
/// Between points of the curves.
const POINT_TIME: Duration = Duration::from_secs(2);
/// Between checkpoints.
const CHECKPOINT_TIME: Duration = Duration::from_secs(120);

/// Where a run is kept.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The run's own folder.
    pub folder: PathBuf,
    /// Forgets what was done before.
    pub fresh: bool,
}

/// What a training run tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// It begins, or goes on.
    Began {
        /// Its settings.
        settings: Box<Settings>,
        /// Numbers that are trained.
        weights: usize,
        /// Training steps that were done before.
        resumed_at: u64,
    },
    /// A point of the curves.
    Point(Box<Point>),
    /// Its weights were stored here.
    Saved(PathBuf),
}

/// Trains.
pub struct TrainJob {
    config: TrainConfig,
    options: RunOptions,
    run: Option<Run>,
}

struct Run {
    training: Training,
    checkpoints: Checkpoints,
    /// When this sitting began, and what was done before it.
    began: Instant,
    last_point: Instant,
    last_checkpoint: Instant,
}

impl TrainJob {
    /// A run of these settings.
    ///
    /// # Errors
    /// When a setting is impossible, or the game is not there.
    pub fn new(config: TrainConfig, options: RunOptions) -> Result<Self> {
        config.settings(open(&config.game)?.spec())?;
        Ok(Self {
            config,
            options,
            run: None,
        })
    }

    fn begin(&self, cx: &mut StepCx<'_, Output>) -> Result<Run> {
        let settings = self.config.settings(open(&self.config.game)?.spec())?;
        let checkpoints = Checkpoints::new(self.options.folder.join("checkpoints"));
        if self.options.fresh {
            checkpoints.clear()?;
        }
        let (found, notice) = checkpoints.load_latest()?;
        if let Some(notice) = notice {
            cx.warn(notice.text);
        }
        let training = match found {
            Some(checkpoint) => Training::resume(&checkpoint, &settings, cx.device())?,
            None => Training::new(settings, cx.device())?,
        };
        cx.emit(Output::Began {
            settings: Box::new(training.settings().clone()),
            weights: training.learner().playing_params().count_trained(),
            resumed_at: training.counters().steps,
        });
        Ok(Run {
            training,
            checkpoints,
            began: Instant::now(),
            last_point: Instant::now(),
            last_checkpoint: Instant::now(),
        })
    }

    fn is_over(&self, run: &Run) -> bool {
        let elapsed = run.began.elapsed().as_secs_f64() / 60.0;
        let steps = run.training.counters().steps;
        self.config.minutes.is_some_and(|most| elapsed >= most)
            || self.config.steps.is_some_and(|most| steps >= most)
    }
}

impl Run {
    fn advance(&mut self, cx: &mut StepCx<'_, Output>) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < STEP_TIME {
            if let Turn::Played(lost) = self.training.turn()? {
                for error in lost {
                    cx.warn(error);
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, cx: &mut StepCx<'_, Output>) {
        let elapsed = self.last_point.elapsed();
        if elapsed >= POINT_TIME {
            self.last_point = Instant::now();
            let point = self.training.point(elapsed);
            cx.emit(Output::Point(Box::new(point)));
        }
    }

    /// Keeps the run and its weights.
    fn save(&mut self, folder: &std::path::Path) -> Result<PathBuf> {
        self.checkpoints.save(&self.training.checkpoint()?)?;
        let path = folder.join("weights.safetensors");
        let about = About {
            settings: self.training.settings().clone(),
            counters: *self.training.counters(),
        };
        weights_file::save(&path, self.training.learner().playing_params(), &about)?;
        self.last_checkpoint = Instant::now();
        Ok(path)
    }
}

impl Job for TrainJob {
    type Output = Output;

    fn step(&mut self, cx: &mut StepCx<'_, Output>) -> Result<Flow> {
        let Some(mut run) = self.run.take() else {
            self.run = Some(self.begin(cx)?);
            return Ok(Flow::Continue);
        };
        run.advance(cx)?;
        run.tell(cx);
        let steps = run.training.counters().steps;
        cx.progress(steps, self.config.steps, "steps");
        let over = self.is_over(&run);
        if over || run.last_checkpoint.elapsed() >= CHECKPOINT_TIME {
            let path = run.save(&self.options.folder)?;
            cx.emit(Output::Saved(path));
        }
        self.run = Some(run);
        Ok(if over { Flow::Finished } else { Flow::Continue })
    }

    fn checkpoint(&mut self) -> Result<()> {
        match &mut self.run {
            Some(run) => run.save(&self.options.folder).map(|_| ()),
            None => Ok(()),
        }
    }
}
