//! A run on the worker, from where an earlier one stopped to its end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::Device;

use super::config::{LotteryConfig, Method};
use super::dense::Dense;
use super::edge_popup::EdgePopup;
use super::gates::Gates;
use super::images::Images;
use super::imp::Imp;
use super::net::NetSpec;
use super::rebuild::Rebuild;
use super::record::{Extras, Output, RunRecord, Stage};
use super::store::{Finished, Store, UnderWay, borrow};
use super::work::{Bench, Outcome, Plan, Procedure, Work};
use crate::compute::{Flow, Job, StepCx};
use crate::data::DatasetSource;
use crate::error::{Error, Result};
use crate::store::Paths;

/// A step of the job works for this long.
const STEP_TIME: Duration = Duration::from_millis(30);
/// Between checkpoints of the work under way.
const CHECKPOINT_TIME: Duration = Duration::from_secs(5);
/// Between pictures of the net.
const SHOT_TIME: Duration = Duration::from_millis(250);
/// At most this share of the time goes into checkpoints, and into pictures.
const SHARE: u32 = 20;

/// Where a run is kept, and how it is begun.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The folder that the runs' folders lie in.
    pub root: PathBuf,
    /// Where fetched data sets lie.
    pub paths: Paths,
    /// Forgets what was done before.
    pub fresh: bool,
    /// Shows the net while it changes.
    pub shots: bool,
}

impl RunOptions {
    /// In the user's own folders, going on with what was begun, with pictures.
    ///
    /// # Errors
    /// When the user has no home folder.
    pub fn discover() -> Result<Self> {
        let paths = Paths::discover()?;
        Ok(Self {
            root: Store::default_root(&paths),
            paths,
            fresh: false,
            shots: true,
        })
    }
}

/// Runs a method.
pub struct LotteryJob {
    config: LotteryConfig,
    options: RunOptions,
    run: Option<Run>,
}

/// A run once it has begun.
struct Run {
    procedure: Box<dyn Procedure>,
    plans: Vec<Plan>,
    /// The plan whose turn it is.
    at: usize,
    store: Arc<Store>,
    bench: Bench,
    record: RunRecord,
    work: Option<Box<dyn Work>>,
    checkpoints: Pace,
    shots: Pace,
}

/// What is done now and then, at intervals that keep its cost small.
struct Pace {
    least: Duration,
    interval: Duration,
    last: Instant,
}

/// The pictures of the last run; they take half a second to read.
struct Loaded {
    source: DatasetSource,
    folder: Option<PathBuf>,
    images: Arc<Images>,
}

/// The method's list of work.
fn procedure(config: &LotteryConfig) -> Result<Box<dyn Procedure>> {
    Ok(match config.method {
        Method::Dense => Box::new(Dense::new(config)),
        Method::Imp => Box::new(Imp::new(config)?),
        Method::Gates => Box::new(Gates::new(config)?),
        Method::EdgePopup => Box::new(EdgePopup::new(config)),
        Method::SubsetSum => Box::new(Rebuild::new(config)?),
    })
}

impl LotteryJob {
    /// A run of these settings.
    ///
    /// # Errors
    /// When a setting is impossible.
    pub fn new(config: LotteryConfig, options: RunOptions) -> Result<Self> {
        if !(1..=1000).contains(&config.seeds) {
            return Err(Error::Input(format!(
                "{} repetitions are not possible, choose 1 to 1000",
                config.seeds
            )));
        }
        if config.steps == 0 || config.batch == 0 || config.eval_every == 0 {
            return Err(Error::Input(
                "steps, batch and eval-every must be at least 1".into(),
            ));
        }
        procedure(&config)?;
        Ok(Self {
            config,
            options,
            run: None,
        })
    }

    fn begin(&self, cx: &mut StepCx<'_, Output>) -> Result<Run> {
        let images = self.images(cx)?;
        let config = self.config.clone();
        let spec = NetSpec::new(config.net, config.width, images.shape(), images.classes())?;
        let store = Arc::new(Store::open(&self.options.root, &config)?);
        if self.options.fresh {
            store.clear()?;
        }
        let procedure = procedure(&config)?;
        let record = RunRecord {
            weights: spec.weights(),
            layers: spec.shapes(),
            stages: Vec::new(),
            extras: Extras::default(),
            finished: false,
            config: config.clone(),
        };
        let bench = Bench {
            config,
            spec,
            images,
            device: cx.device().clone(),
            past: Box::new(Arc::clone(&store)),
            spent: BTreeMap::new(),
        };
        let mut run = Run {
            plans: procedure.plans(),
            procedure,
            at: 0,
            store,
            bench,
            record,
            work: None,
            checkpoints: Pace::new(CHECKPOINT_TIME),
            shots: Pace::new(SHOT_TIME),
        };
        run.skip_finished(cx)?;
        run.record.finished = run.at == run.plans.len();
        cx.emit(Output::Began(Box::new(run.record.clone())));
        Ok(run)
    }

    /// The pictures, from the last run if it was of the same ones.
    fn images(&self, cx: &mut StepCx<'_, Output>) -> Result<Arc<Images>> {
        let (source, folder) = (self.config.data, self.config.folder.clone());
        if let Some(loaded) = cx.resources().take::<Loaded>()
            && (loaded.source, &loaded.folder) == (source, &folder)
        {
            let images = Arc::clone(&loaded.images);
            cx.resources().put(loaded);
            return Ok(images);
        }
        let device: Device = cx.device().clone();
        let images = Images::load(source, folder.as_deref(), &self.options.paths, &device)?;
        let images = Arc::new(images);
        cx.resources().put(Box::new(Loaded {
            source,
            folder,
            images: Arc::clone(&images),
        }));
        Ok(images)
    }
}

impl Run {
    /// Takes in all that was finished before.
    fn skip_finished(&mut self, cx: &mut StepCx<'_, Output>) -> Result<()> {
        while let Some(plan) = self.plans.get(self.at) {
            let (finished, warning) = self.store.load(&plan.key)?;
            if let Some(warning) = warning {
                cx.warn(warning);
            }
            let Some(Finished { outcome, extras }) = finished else {
                break;
            };
            self.bench.spent.insert(plan.key.clone(), outcome.spent());
            self.record.stages.extend(outcome.stage);
            self.record.extras = extras;
            self.at += 1;
        }
        Ok(())
    }

    /// Begins what is next, or goes on with it where it was stopped.
    fn begin_work(&mut self, options: &RunOptions, cx: &mut StepCx<'_, Output>) -> Result<()> {
        let plan = self.plans[self.at].clone();
        if let Some(config) = &plan.same_as
            && let Some(outcome) = borrow(&options.root, config, &plan.key)?
        {
            if let Some(stage) = &outcome.stage {
                let stage = Box::new(Stage {
                    summary: None,
                    ..stage.clone()
                });
                self.tell(Output::Stage(stage), cx);
            }
            return self.conclude(outcome, cx);
        }
        let mut work = self.procedure.begin(&plan, &self.bench)?;
        let (found, warning) = self.store.load_under_way(&plan.key)?;
        if let Some(warning) = warning {
            cx.warn(warning);
        }
        if let Some(UnderWay { checkpoint, extras }) = found {
            work.resume(&checkpoint)?;
            self.tell(Output::Extras(Box::new(extras)), cx);
        }
        if let Some(stage) = work.stage() {
            self.tell(Output::Stage(Box::new(stage)), cx);
        }
        self.work = Some(work);
        self.checkpoints.restart();
        Ok(())
    }

    /// Keeps the record as the reader has it.
    fn tell(&mut self, output: Output, cx: &mut StepCx<'_, Output>) {
        self.record.hear(&output);
        cx.emit(output);
    }

    fn advance(&mut self, shots: bool, cx: &mut StepCx<'_, Output>) -> Result<()> {
        let Some(work) = &mut self.work else {
            return Ok(());
        };
        let mut extras = self.record.extras.clone();
        let news = work.advance(STEP_TIME, &mut extras)?;
        let (done, total, _) = work.progress();
        for point in news.points {
            self.tell(Output::Point(point), cx);
        }
        if extras != self.record.extras {
            self.tell(Output::Extras(Box::new(extras)), cx);
        }
        self.report(done as f64 / total.max(1) as f64, cx);
        if shots && (news.done || self.shots.is_due()) {
            self.show(cx)?;
        }
        if news.done {
            if let Some(work) = self.work.take() {
                let outcome = work.finish()?;
                self.conclude(outcome, cx)?;
            }
        } else if self.checkpoints.is_due() {
            self.save()?;
        }
        Ok(())
    }

    /// How far the whole run is, if every piece of work took as long as a training.
    fn report(&self, share: f64, cx: &mut StepCx<'_, Output>) {
        let steps = self.bench.config.steps;
        let done = ((self.at as f64 + share) * steps as f64) as u64;
        let total = self.plans.len() as u64 * steps;
        cx.progress(done, Some(total), "steps");
    }

    fn show(&mut self, cx: &mut StepCx<'_, Output>) -> Result<()> {
        let start = Instant::now();
        let stage = self.record.stages.len().saturating_sub(1);
        if let Some(work) = &self.work
            && let Some(shot) = work.shot(stage)?
        {
            cx.show(Output::Shot(Arc::new(shot)));
        }
        self.shots.done(start);
        Ok(())
    }

    /// Keeps what a finished piece of work left behind, and goes on to the next.
    fn conclude(&mut self, outcome: Outcome, cx: &mut StepCx<'_, Output>) -> Result<()> {
        let plan = &self.plans[self.at];
        let mut extras = self.record.extras.clone();
        self.procedure
            .conclude(plan, &outcome, &self.bench, &mut extras)?;
        let finished = Finished { outcome, extras };
        self.store.save(&plan.key, &finished)?;
        let Finished { outcome, extras } = finished;
        self.bench.spent.insert(plan.key.clone(), outcome.spent());
        self.close(outcome.stage, cx);
        if extras != self.record.extras {
            self.tell(Output::Extras(Box::new(extras)), cx);
        }
        self.at += 1;
        self.store.write_record(&self.record)
    }

    /// Tells that a stage is done.
    fn close(&mut self, stage: Option<Stage>, cx: &mut StepCx<'_, Output>) {
        let Some(stage) = stage else {
            return;
        };
        let known = self.record.stages.last_mut();
        match (known, stage.summary) {
            // What is left may only be known at the end, as of weights that were searched for.
            (Some(known), Some(_))
                if stage.weights_remaining.to_bits() != known.weights_remaining.to_bits() =>
            {
                *known = stage;
                cx.emit(Output::Began(Box::new(self.record.clone())));
            }
            (_, Some(summary)) => self.tell(Output::Done(summary), cx),
            (_, None) => {}
        }
    }

    fn save(&mut self) -> Result<()> {
        let start = Instant::now();
        if let Some(work) = &self.work
            && let Some(checkpoint) = work.checkpoint()?
        {
            let key = &self.plans[self.at].key;
            self.store
                .save_under_way(key, checkpoint, &self.record.extras)?;
        }
        self.checkpoints.done(start);
        Ok(())
    }
}

impl Pace {
    fn new(least: Duration) -> Self {
        Self {
            least,
            interval: least,
            last: Instant::now(),
        }
    }

    fn is_due(&self) -> bool {
        self.last.elapsed() >= self.interval
    }

    fn restart(&mut self) {
        self.last = Instant::now();
    }

    /// What began at `start` is done.
    fn done(&mut self, start: Instant) {
        self.interval = self.least.max(start.elapsed() * SHARE);
        self.restart();
    }
}

impl Job for LotteryJob {
    type Output = Output;

    fn step(&mut self, cx: &mut StepCx<'_, Output>) -> Result<Flow> {
        let Some(run) = &mut self.run else {
            self.run = Some(self.begin(cx)?);
            return Ok(Flow::Continue);
        };
        if run.work.is_some() {
            run.advance(self.options.shots, cx)?;
        } else if run.at < run.plans.len() {
            run.begin_work(&self.options, cx)?;
        } else {
            run.record.finished = true;
            run.store.write_record(&run.record)?;
            cx.emit(Output::Finished);
            return Ok(Flow::Finished);
        }
        Ok(Flow::Continue)
    }

    fn checkpoint(&mut self) -> Result<()> {
        match &mut self.run {
            Some(run) => run.save(),
            None => Ok(()),
        }
    }
}
