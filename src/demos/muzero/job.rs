//! A training run on the worker, from where an earlier one stopped.
//!
//! In turns of some hundredths of a second it learns, and measures if that is due. Beside each
//! checkpoint lie the weights that play and the run's record, so that they belong together.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::branch::{branch, checkpoints};
use super::config::{Agent, TrainConfig};
use super::evaluation::{Evaluating, Evaluation, Schedule};
use super::game::open;
use super::record::RunRecord;
use super::training::{Point, Training, Turn};
use super::weights_file::{self, About};
use crate::compute::{Flow, Job, StepCx};
use crate::error::Result;
use crate::nn::checkpoint::Checkpoints;
use crate::store::FolderLock;

/// A step of the job works for about this long.
const STEP_TIME: Duration = Duration::from_millis(60);
/// Between points of the curves.
const POINT_TIME: Duration = Duration::from_secs(2);
/// Between games that are shown.
const GAME_TIME: Duration = Duration::from_millis(700);
/// Between checkpoints.
const CHECKPOINT_TIME: Duration = Duration::from_mins(2);

/// Where a run is kept.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The run's own folder.
    pub folder: PathBuf,
    /// Forgets what was done before.
    pub fresh: bool,
    /// The folder of a run that this one is branched off from, if it has not begun.
    pub from: Option<PathBuf>,
}

/// What a training run tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// It begins, or goes on with what was done before.
    Began(Box<RunRecord>),
    /// A point of the curves.
    Point(Box<Point>),
    /// A measurement.
    Evaluated(Box<Evaluation>),
    /// The moves of a game of self-play, of games for two; some are left out.
    Game(Vec<u16>),
    /// Its weights were stored here.
    Saved(PathBuf),
    /// It did all that was asked for.
    Finished,
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
    record: RunRecord,
    /// Nobody else goes on with this run meanwhile.
    _lock: FolderLock,
    schedule: Schedule,
    evaluating: Option<Evaluating>,
    /// When this sitting began.
    began: Instant,
    last_point: Instant,
    last_game: Instant,
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
        let folder = &self.options.folder;
        let lock = FolderLock::take(folder)?;
        let checkpoints = checkpoints(folder);
        if self.options.fresh {
            checkpoints.clear()?;
        }
        let (mut found, notice) = checkpoints.load_latest()?;
        if let (Some(from), None) = (&self.options.from, &found) {
            branch(from, folder)?;
            found = checkpoints.load_latest()?.0;
        }
        if let Some(notice) = notice {
            cx.warn(notice.text);
        }
        let resumed = found.is_some();
        let training = match found {
            Some(checkpoint) => Training::resume(&checkpoint, &settings, cx.device())?,
            None => Training::new(settings, cx.device())?,
        };
        let record = self.record(&training, resumed, cx);
        cx.emit(Output::Began(Box::new(record.clone())));
        Ok(Run {
            _lock: lock,
            schedule: Schedule::new(
                self.config.evaluate_every,
                training.counters().seconds,
                record.evaluations.last(),
            ),
            training,
            checkpoints,
            record,
            evaluating: None,
            began: Instant::now(),
            last_point: Instant::now(),
            last_game: Instant::now(),
            last_checkpoint: Instant::now(),
        })
    }

    /// The record that this sitting goes on with.
    fn record(&self, training: &Training, resumed: bool, cx: &mut StepCx<'_, Output>) -> RunRecord {
        let settings = training.settings().clone();
        let weights = training.learner().playing_params().count_trained();
        let before = if resumed {
            // Curves are no reason to lose a run.
            RunRecord::load(&self.options.folder).unwrap_or_else(|error| {
                cx.warn(format!("The curves of this run are lost: {error}"));
                None
            })
        } else {
            None
        };
        match before {
            Some(mut record) => {
                record.resume(training.counters().steps, self.config.clone(), settings);
                record
            }
            None => RunRecord::new(self.config.clone(), settings, weights),
        }
    }

    fn is_over(&self, run: &Run) -> bool {
        let elapsed = run.began.elapsed().as_secs_f64() / 60.0;
        self.config.minutes.is_some_and(|most| elapsed >= most) || self.is_enough(run)
    }

    fn is_enough(&self, run: &Run) -> bool {
        let steps = run.training.counters().steps;
        self.config.steps.is_some_and(|most| steps >= most)
    }

    /// Turns of the training, up to the last step that is asked for and not beyond.
    fn advance(&self, run: &mut Run, cx: &mut StepCx<'_, Output>) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < STEP_TIME && !self.is_enough(run) {
            if let Turn::Played(lost) = run.training.turn()? {
                for error in lost {
                    cx.warn(error);
                }
            }
        }
        Ok(())
    }

    /// A moment of a measurement, where one is due.
    fn evaluate(&self, run: &mut Run, cx: &mut StepCx<'_, Output>) -> Result<()> {
        let settings = run.training.settings();
        let seconds = run.training.counters().seconds;
        match &mut run.evaluating {
            Some(evaluating) => {
                let start = Instant::now();
                let mut over = false;
                while !over && start.elapsed() < STEP_TIME {
                    over = evaluating.step()?;
                }
                if over {
                    let found = evaluating.found();
                    run.schedule.measured(&found);
                    run.evaluating = None;
                    tell(&mut run.record, Output::Evaluated(Box::new(found)), cx);
                }
            }
            None if run.schedule.is_due(seconds) => {
                let simulations = match settings.agent {
                    // Its dynamics were never trained.
                    Agent::ActorCritic => 0,
                    Agent::MuZero | Agent::AlphaZero => self
                        .config
                        .evaluate_with
                        .unwrap_or(settings.search.simulations),
                };
                let trained = run.training.trained()?;
                run.evaluating = Some(Evaluating::new(trained, simulations, cx.device())?);
            }
            None => {}
        }
        Ok(())
    }
}

/// Notes what is told.
fn tell(record: &mut RunRecord, output: Output, cx: &mut StepCx<'_, Output>) {
    record.hear(&output);
    cx.emit(output);
}

impl Run {
    /// Reports the curves and a game, now and then.
    fn tell(&mut self, cx: &mut StepCx<'_, Output>, over: bool) {
        if self.last_game.elapsed() >= GAME_TIME
            && let Some(line) = self.training.newest_game()
        {
            self.last_game = Instant::now();
            cx.show(Output::Game(line.to_vec()));
        }
        let elapsed = self.last_point.elapsed();
        if elapsed >= POINT_TIME || over {
            self.last_point = Instant::now();
            let point = self.training.point(elapsed);
            tell(&mut self.record, Output::Point(Box::new(point)), cx);
        }
    }

    /// Keeps the run, its weights and its record.
    fn save(&mut self, folder: &std::path::Path) -> Result<PathBuf> {
        self.checkpoints.save(&self.training.checkpoint()?)?;
        let path = folder.join("weights.safetensors");
        let about = About {
            settings: self.training.settings().clone(),
            counters: *self.training.counters(),
        };
        weights_file::save(&path, self.training.learner().playing_params(), &about)?;
        self.record.store(folder)?;
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
        self.advance(&mut run, cx)?;
        self.evaluate(&mut run, cx)?;
        let over = self.is_over(&run);
        run.tell(cx, over);
        let steps = run.training.counters().steps;
        cx.progress(steps, self.config.steps, "steps");
        if over {
            tell(&mut run.record, Output::Finished, cx);
        }
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
