//! A search on the worker, from where an earlier one stopped.
//!
//! A step lets every population have as many births as fit into some hundredths of a second. Steps
//! end where they will: what a search does depends on its rounds alone.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::config::SearchConfig;
use super::evaluator::Counts;
use super::hall::Famed;
use super::population::{Method, Node, Population};
use super::program::Program;
use super::search::{Candidate, Plan, SavedSearch, Search, Tasks};
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};
use crate::store::{FolderLock, Paths, atomic_write};

/// A step works for about this long.
const STEP_TIME: Duration = Duration::from_millis(60);
/// Between pictures of the populations.
const SNAPSHOT_TIME: Duration = Duration::from_millis(250);
/// Between checkpoints.
const CHECKPOINT_TIME: Duration = Duration::from_mins(1);
/// The largest checkpoint that is read.
const MAX_CHECKPOINT_BYTES: u64 = 1 << 30;
/// The name of the checkpoint in a run's folder.
const CHECKPOINT: &str = "search.json";

/// Where a search is kept.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The run's own folder; none to keep nothing.
    pub folder: Option<PathBuf>,
    /// Forgets what was done before.
    pub fresh: bool,
    /// Draws as many random programs beside it, for comparison.
    pub control: bool,
}

/// The living individuals of a population.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Living {
    /// Their fitness, from the oldest to the youngest.
    pub fitness: Vec<f32>,
    /// The best that ever lived.
    pub best: f32,
    /// The ancestors of the best, from the first on, and itself.
    pub lineage: Vec<Node>,
}

/// How a search stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The populations.
    pub populations: Vec<Living>,
    /// The number of the experiment, from 0.
    pub experiment: u32,
    /// What became of all programs so far.
    pub counts: Counts,
    /// Seconds of searching, all sittings together.
    pub seconds: f64,
    /// The fitness on the tasks of selection of the best so far; 0 before there is one.
    pub select_fitness: f64,
    /// The best fitness of as many random programs on the same tasks, where they are drawn.
    pub control: Option<f32>,
    /// The best programs of the experiment by their length.
    pub hall: Vec<Famed>,
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Whether the target was reached.
    pub solved: bool,
    /// The program that was chosen.
    pub program: Program,
    /// Its fitness in the search.
    pub search_fitness: f32,
    /// Its fitness on the tasks it was chosen by.
    pub select_fitness: f64,
    /// Its fitness on tasks that no choice has seen, in `f64`.
    pub unseen_fitness: f64,
    /// What became of all programs.
    pub counts: Counts,
    /// Seconds of searching, all sittings together.
    pub seconds: f64,
    /// The number of the experiment it comes from, from 0.
    pub experiment: u32,
    /// Its ancestors from the first on, and itself.
    pub lineage: Vec<Node>,
}

/// What a search tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// It begins, or goes on after so many seconds, by this plan.
    Began(Box<Plan>, f64),
    /// How it stands.
    Snapshot(Box<Snapshot>),
    /// A program was better than those before on tasks that were not searched on.
    Better(Box<Candidate>),
    /// It is over.
    Ended(Box<Ended>),
}

/// Searches.
pub struct SearchJob {
    config: SearchConfig,
    options: RunOptions,
    paths: Paths,
    run: Option<Run>,
}

struct Run {
    search: Search,
    control: Option<Search>,
    _lock: Option<FolderLock>,
    before: f64,
    began: Instant,
    births: u64,
    last_snapshot: Instant,
    last_checkpoint: Instant,
    told: Option<f64>,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct Stored {
    seconds: f64,
    search: SavedSearch,
    control: Option<SavedSearch>,
}

impl Run {
    fn seconds(&self) -> f64 {
        self.before + self.began.elapsed().as_secs_f64()
    }

    /// Births for about the time of a step, by what the last ones took.
    fn advance(&mut self, most: Option<u64>) -> Result<()> {
        let start = Instant::now();
        loop {
            let began = Instant::now();
            let left = most.map_or(u64::MAX, |most| {
                most.saturating_sub(self.search.individuals())
            });
            let populations = self.search.plan().populations as u64;
            let births = self.births.min(left.div_ceil(populations));
            if births == 0 {
                return Ok(());
            }
            self.search.advance(births)?;
            if let Some(control) = &mut self.control
                && !control.is_solved()
            {
                control.advance(births)?;
            }
            let took = began.elapsed();
            if took < STEP_TIME / 8 {
                self.births = (self.births * 2).min(1 << 16);
            } else if took > STEP_TIME / 2 {
                self.births = (self.births / 2).max(1);
            }
            if self.search.is_solved() || start.elapsed() >= STEP_TIME {
                return Ok(());
            }
        }
    }

    fn snapshot(&self) -> Snapshot {
        let living = |population: &Population| Living {
            fitness: population.living().map(|node| node.score.fitness).collect(),
            best: population.best().map_or(0.0, |best| best.score.fitness),
            lineage: population.lineage().into_iter().cloned().collect(),
        };
        Snapshot {
            populations: self.search.populations().iter().map(living).collect(),
            experiment: self.search.experiment(),
            counts: self.search.counts(),
            seconds: self.seconds(),
            select_fitness: self.search.best().map_or(0.0, |best| best.select_fitness),
            control: self.control.as_ref().map(Search::leading_fitness),
            hall: self.search.hall().front().to_vec(),
        }
    }

    /// The end, with the best by the tasks of selection, or else by the search.
    fn ended(&self) -> Result<Ended> {
        let chosen = self
            .search
            .best()
            .cloned()
            .or_else(|| self.search.champion());
        let chosen = chosen.ok_or_else(|| Error::Input("the search has no program".to_owned()))?;
        Ok(Ended {
            solved: self.search.is_solved(),
            search_fitness: chosen.search_fitness,
            select_fitness: chosen.select_fitness,
            unseen_fitness: self.search.unseen_fitness(&chosen.program),
            counts: self.search.counts(),
            seconds: self.seconds(),
            experiment: chosen.experiment,
            lineage: chosen.lineage,
            program: chosen.program,
        })
    }

    fn save(&mut self, folder: &std::path::Path) -> Result<()> {
        let stored = Stored {
            seconds: self.seconds(),
            search: self.search.save(),
            control: self.control.as_ref().map(Search::save),
        };
        let path = folder.join(CHECKPOINT);
        let bytes = serde_json::to_vec(&stored)
            .map_err(|error| Error::bad_file(&path, format!("cannot be written: {error}")))?;
        self.last_checkpoint = Instant::now();
        atomic_write(&path, &bytes)
    }
}

impl SearchJob {
    /// A search of these settings.
    ///
    /// # Errors
    /// When a setting is impossible.
    pub fn new(config: SearchConfig, options: RunOptions, paths: Paths) -> Result<Self> {
        config.plan()?;
        Ok(Self {
            config,
            options,
            paths,
            run: None,
        })
    }

    fn begin(&self, cx: &mut StepCx<'_, Output>) -> Result<Run> {
        let plan = self.config.plan()?;
        let tasks = self.config.tasks(&self.paths)?;
        let lock = match &self.options.folder {
            Some(folder) => Some(FolderLock::take(folder)?),
            None => None,
        };
        let stored = match &self.options.folder {
            Some(folder) if !self.options.fresh => read(&folder.join(CHECKPOINT))?,
            _ => None,
        };
        cx.emit(Output::Began(
            Box::new(plan.clone()),
            stored.as_ref().map_or(0.0, |stored| stored.seconds),
        ));
        let began = Instant::now();
        let before = stored.as_ref().map_or(0.0, |stored| stored.seconds);
        let (search, control) = match stored {
            Some(stored) => (Some(stored.search), stored.control),
            None => (None, None),
        };
        let control = if self.options.control || control.is_some() {
            let plan = Plan {
                method: Method::Random,
                ..plan.clone()
            };
            Some(open(plan, Arc::clone(&tasks), control)?)
        } else {
            None
        };
        let search = open(plan, tasks, search)?;
        Ok(Run {
            search,
            control,
            _lock: lock,
            before,
            began,
            births: 16,
            last_snapshot: Instant::now(),
            last_checkpoint: Instant::now(),
            told: None,
        })
    }

    fn is_over(&self, run: &Run) -> bool {
        run.search.is_solved()
            || self
                .config
                .max_seconds
                .is_some_and(|most| run.seconds() >= most)
            || self
                .config
                .max_individuals
                .is_some_and(|most| run.search.individuals() >= most)
    }
}

fn open(plan: Plan, tasks: Arc<dyn Tasks>, stored: Option<SavedSearch>) -> Result<Search> {
    match stored {
        Some(stored) => Search::restore(plan, tasks, stored),
        None => Search::new(plan, tasks),
    }
}

/// Whether a folder keeps a search that can go on.
#[must_use]
pub fn is_kept(folder: &std::path::Path) -> bool {
    folder.join(CHECKPOINT).is_file()
}

/// The checkpoint at a path, if there is one.
fn read(path: &std::path::Path) -> Result<Option<Stored>> {
    let Ok(meta) = std::fs::metadata(path) else {
        return Ok(None);
    };
    if meta.len() > MAX_CHECKPOINT_BYTES {
        return Err(Error::bad_file(
            path,
            "too large for a search, use --fresh to begin anew",
        ));
    }
    let bytes = std::fs::read(path).map_err(Error::io("cannot read the search", path))?;
    let stored = serde_json::from_slice(&bytes).map_err(|error| {
        Error::bad_file(
            path,
            format!("damaged ({error}), use --fresh to begin anew"),
        )
    })?;
    Ok(Some(stored))
}

impl Job for SearchJob {
    type Output = Output;

    fn step(&mut self, cx: &mut StepCx<'_, Output>) -> Result<Flow> {
        let Some(mut run) = self.run.take() else {
            self.run = Some(self.begin(cx)?);
            return Ok(Flow::Continue);
        };
        if !self.is_over(&run) {
            run.advance(self.config.max_individuals)?;
        }
        let over = self.is_over(&run);
        if let Some(best) = run.search.best()
            && run.told != Some(best.select_fitness)
        {
            run.told = Some(best.select_fitness);
            cx.emit(Output::Better(Box::new(best.clone())));
        }
        if over || run.last_snapshot.elapsed() >= SNAPSHOT_TIME {
            run.last_snapshot = Instant::now();
            cx.show(Output::Snapshot(Box::new(run.snapshot())));
        }
        cx.progress(
            run.search.individuals(),
            self.config.max_individuals,
            "programs",
        );
        if over {
            cx.emit(Output::Ended(Box::new(run.ended()?)));
        }
        if let Some(folder) = &self.options.folder
            && (over || run.last_checkpoint.elapsed() >= CHECKPOINT_TIME)
        {
            run.save(folder)?;
        }
        self.run = Some(run);
        Ok(if over { Flow::Finished } else { Flow::Continue })
    }

    fn checkpoint(&mut self) -> Result<()> {
        match (&mut self.run, &self.options.folder) {
            (Some(run), Some(folder)) => run.save(folder),
            _ => Ok(()),
        }
    }
}
