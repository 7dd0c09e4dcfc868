//! Evolution against random search with equally many programs (paper, figure 4).

use serde::{Deserialize, Serialize};

use super::config::SearchConfig;
use super::population::Method;
use super::search::Search;
use crate::compute::{Flow, Job, StepCx};
use crate::data::interval::{Interval, wilson};
use crate::error::Result;
use crate::store::Paths;

/// Births of a step, in each population.
const STEP_BIRTHS: u64 = 5000;

/// One search of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// How children come about.
    pub method: Method,
    /// Where its random numbers begin.
    pub seed: u64,
    /// Whether it reached the target.
    pub solved: bool,
    /// Programs until then, or all that were allowed.
    pub individuals: u64,
    /// The best fitness on the tasks of selection; 0 where no program was worth looking at.
    pub select_fitness: f64,
}

/// The share of searches that reached the target, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Searches that did.
    pub solved: u64,
    /// All searches.
    pub runs: u64,
    /// From where to where the true share may lie.
    pub interval: Interval,
}

/// The share of a method.
#[must_use]
pub fn share(trials: &[Trial], method: Method) -> Share {
    let of: Vec<&Trial> = trials
        .iter()
        .filter(|trial| trial.method == method)
        .collect();
    let solved = of.iter().filter(|trial| trial.solved).count() as u64;
    Share {
        solved,
        runs: of.len() as u64,
        interval: wilson(solved as f64, of.len() as u64),
    }
}

/// Runs searches by both methods, seed by seed.
pub struct CompareJob {
    config: SearchConfig,
    paths: Paths,
    runs: u64,
    individuals: u64,
    done: u64,
    running: Option<Search>,
}

impl CompareJob {
    /// `runs` searches by each method, each of at most so many programs.
    ///
    /// # Errors
    /// When a setting is impossible.
    pub fn new(config: SearchConfig, runs: u64, individuals: u64, paths: Paths) -> Result<Self> {
        config.plan()?;
        Ok(Self {
            config,
            paths,
            runs,
            individuals,
            done: 0,
            running: None,
        })
    }

    fn open(&self) -> Result<Search> {
        let methods = [Method::Evolution, Method::Random];
        let mut config = self.config.clone();
        config.method = methods[(self.done % 2) as usize];
        config.seed = self.config.seed + self.done / 2;
        // Neither begins anew: all programs are of one experiment.
        config.restart = Some(0);
        Search::new(config.plan()?, config.tasks(&self.paths)?)
    }
}

impl Job for CompareJob {
    type Output = Trial;

    fn step(&mut self, cx: &mut StepCx<'_, Trial>) -> Result<Flow> {
        let mut search = match self.running.take() {
            Some(search) => search,
            None => self.open()?,
        };
        let left = self.individuals.saturating_sub(search.individuals());
        let each = left.div_ceil(search.plan().populations as u64);
        search.advance(each.min(STEP_BIRTHS))?;
        if search.is_solved() || search.individuals() >= self.individuals {
            cx.emit(Trial {
                method: search.plan().method,
                seed: search.plan().seed,
                solved: search.is_solved(),
                individuals: search.individuals(),
                select_fitness: search.best().map_or(0.0, |best| best.select_fitness),
            });
            self.done += 1;
        } else {
            self.running = Some(search);
        }
        cx.progress(self.done, Some(2 * self.runs), "searches");
        Ok(if self.done == 2 * self.runs {
            Flow::Finished
        } else {
            Flow::Continue
        })
    }
}
