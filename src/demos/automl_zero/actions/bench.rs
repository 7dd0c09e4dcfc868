//! How fast programs are searched, on the released demo's settings: four features, ten tasks of
//! 100 and 100 examples, functions of 10, 2 and 8 instructions, 1000 individuals, tournaments of 10.
//!
//! An individual is a birth: a parent chosen, copied and changed, its child evaluated with all
//! shortcuts and put into the population. A full evaluation is the same without any memory: the
//! child runs on all examples of all tasks, except that a task ends when its error exceeds 100, as
//! in the released code, and that dead code is left out, which changes no prediction; the figure
//! with dead code is told beside it. All are counted in an evolution under way, as the released
//! code's 23,900 individuals and 19,600 full evaluations a second of one core were.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rayon::prelude::*;
use serde_json::json;

use crate::cli::Globals;
use crate::demos::automl_zero::config::SearchConfig;
use crate::demos::automl_zero::evaluator::{Counts, Evaluator, Shortcuts};
use crate::demos::automl_zero::population::{Method, Population};
use crate::demos::automl_zero::search::Plan;
use crate::demos::automl_zero::task::TaskSet;
use crate::error::{Error, Result};
use crate::nn::cpu::pool_cpu_time;
use crate::rng::Rng;
use crate::store::Paths;

/// What is measured.
#[derive(Clone, Debug, Args)]
pub struct BenchConfig {
    /// Seconds of processor time for each figure
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

/// The released code on one core of another machine, from its own measurement.
const REFERENCE: [f64; 2] = [23_900.0, 19_600.0];

/// Individuals of an experiment; then another begins, as the demo's do.
const EXPERIMENT: u64 = 200_000;

struct Speed {
    per_second: f64,
    counts: Counts,
}

/// Measures on one thread, or as many as are asked for, and prints.
///
/// # Errors
/// When threads cannot be started.
pub fn run(config: &BenchConfig, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let threads = globals.threads.map_or(1, usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Error::Input(format!("cannot start threads: {error}")))?;
    let demo = SearchConfig {
        seed: globals.seed,
        ..SearchConfig::default()
    };
    let plan = demo.plan()?;
    let tasks = demo.tasks(&Paths::discover()?)?;
    let set = Arc::new(tasks.search(0));
    let all = plan.shortcuts;
    let full = Shortcuts {
        dead_code: true,
        ..Shortcuts::NONE
    };
    let measure =
        |shortcuts| pool.install(|| measure(&plan, &set, shortcuts, config.seconds, threads));
    let [individuals, evaluations, with_dead_code] = [all, full, Shortcuts::NONE].map(measure);
    let counts = individuals.counts;
    let share = |count: u64| count as f64 / counts.individuals.max(1) as f64;
    report.event(
        "result",
        &json!({
            "individuals_per_cpu_second": individuals.per_second,
            "full_evaluations_per_cpu_second": evaluations.per_second,
            "full_evaluations_with_dead_code_per_cpu_second": with_dead_code.per_second,
            "threads": threads,
            "known_by_structure": share(counts.structural),
            "known_by_predictions": share(counts.functional),
            "run_in_full": share(counts.full),
            "reference_individuals_per_cpu_second": REFERENCE[0],
            "reference_full_evaluations_per_cpu_second": REFERENCE[1],
        }),
    );
    report.text(&format!(
        "{:9.0} individuals a CPU second, {:.1} times the released code's\n\
         {:9.0} full evaluations a CPU second, {:.1} times the released code's\n\
         {:9.0} full evaluations with dead code\n\
         {:.0} % known by structure, {:.0} % by their first predictions, {:.0} % run in full\n",
        individuals.per_second,
        individuals.per_second / REFERENCE[0],
        evaluations.per_second,
        evaluations.per_second / REFERENCE[1],
        with_dead_code.per_second,
        share(counts.structural) * 100.0,
        share(counts.functional) * 100.0,
        share(counts.full) * 100.0,
    ));
    Ok(())
}

/// A population on each thread, experiment after experiment, until the time is over.
fn measure(
    plan: &Plan,
    set: &Arc<TaskSet>,
    shortcuts: Shortcuts,
    seconds: f64,
    threads: usize,
) -> Speed {
    let budget = Duration::from_secs_f64(seconds.max(0.1));
    let start = pool_cpu_time();
    let mut counts = Counts::default();
    let mut round = 0_u64;
    loop {
        let one = |thread: usize| {
            let rng = Rng::new(plan.seed).split(&format!("bench {round} {thread}"));
            experiment(plan, set, shortcuts, &rng, budget)
        };
        let found: Vec<Counts> = (0..threads).into_par_iter().map(one).collect();
        counts = found.into_iter().fold(counts, Counts::plus);
        round += 1;
        let spent = pool_cpu_time().saturating_sub(start);
        if spent >= budget {
            return Speed {
                per_second: counts.individuals as f64 / spent.as_secs_f64(),
                counts,
            };
        }
    }
}

fn experiment(
    plan: &Plan,
    set: &Arc<TaskSet>,
    shortcuts: Shortcuts,
    rng: &Rng,
    budget: Duration,
) -> Counts {
    let evaluator = Evaluator::new(Arc::clone(set), shortcuts);
    let mut population = Population::new(
        plan.tournament,
        Method::Evolution,
        rng.split("evolution"),
        evaluator,
    );
    let mut first = rng.split("start");
    for _ in 0..plan.population {
        population.grow(plan.space.random_program(&mut first));
    }
    let began = std::time::Instant::now();
    while population.births() < EXPERIMENT && began.elapsed() < budget {
        population.run(&plan.space, plan.population as u64);
        population.shorten();
    }
    population.evaluator().counts()
}
