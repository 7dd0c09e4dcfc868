//! `vitrine automl …`: the tab's jobs on the command line.

mod bench;

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use serde_json::{Value, json};

use self::bench::BenchConfig;
use super::compare::{CompareJob, Trial, share};
use super::config::SearchConfig;
use super::job::{Ended, Output, RunOptions, SearchJob, Snapshot};
use super::judge::{JudgeJob, Judged};
use super::population::Method;
use super::program::Program;
use super::record::Record;
use super::search::Candidate;
use super::starts::{LINEAR, NETWORK};
use super::text::{self, print};
use super::translate::{Language, translate};
use crate::cli::{Globals, Report, drive};
use crate::error::{Error, Result};
use crate::store::{Paths, atomic_write};

#[derive(Subcommand)]
enum Action {
    /// Search for a program that learns a kind of tasks, or go on with a search that was stopped
    Search(Box<SearchArgs>),
    /// Evaluate a program, line by line
    Eval(Box<EvalArgs>),
    /// Search by evolution and at random, with equally many programs
    Compare(Box<CompareArgs>),
    /// Write a program in another language
    Translate(TranslateArgs),
    /// Measure how fast programs are searched
    Bench(BenchConfig),
}

#[derive(Args)]
struct SearchArgs {
    #[command(flatten)]
    config: SearchConfig,
    /// Keep the search in this folder, and go on with one that is there
    #[arg(long)]
    run_dir: Option<PathBuf>,
    /// Forget what was done before and begin anew
    #[arg(long, requires = "run_dir")]
    fresh: bool,
    /// Write the best program into this file
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write how the best came about, each ancestor with its mutation, as JSON into this file
    #[arg(long)]
    lineage: Option<PathBuf>,
    /// Write the course of the search as JSON into this file, to be opened in the tab
    #[arg(long)]
    record: Option<PathBuf>,
    /// Draw as many random programs beside it, for the record
    #[arg(long)]
    control: bool,
}

#[derive(Args)]
struct TranslateArgs {
    /// The file of the program; `linear` and `network` are the hand-made ones
    program: PathBuf,
    /// The language
    #[arg(long, value_enum)]
    to: Language,
    /// The file to write, in place of printing it
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Args)]
struct EvalArgs {
    /// The file of the program; `linear` and `network` are the hand-made ones
    program: PathBuf,
    #[command(flatten)]
    config: SearchConfig,
}

#[derive(Args)]
struct CompareArgs {
    #[command(flatten)]
    config: SearchConfig,
    /// Searches by each method, with seeds of their own
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    runs: u64,
    /// Programs of each search
    #[arg(long, default_value_t = 1_000_000)]
    individuals: u64,
}

/// The actions with their flags.
#[must_use]
pub fn command() -> clap::Command {
    Action::augment_subcommands(clap::Command::new("automl"))
}

/// Runs an action.
///
/// # Errors
/// What it failed with.
pub fn run(matches: &ArgMatches, globals: &Globals) -> Result<()> {
    match Action::from_arg_matches(matches).unwrap_or_else(|e| e.exit()) {
        Action::Search(args) => search(*args, globals),
        Action::Eval(args) => eval(*args, globals),
        Action::Compare(args) => compare(*args, globals),
        Action::Translate(args) => write_translation(&args, globals),
        Action::Bench(config) => bench::run(&config, globals),
    }
}

fn search(args: SearchArgs, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let config = SearchConfig {
        seed: globals.seed,
        ..args.config
    };
    let options = RunOptions {
        folder: args.run_dir,
        fresh: args.fresh,
        control: args.control,
    };
    let mut record = Record::new(config.clone());
    let job = SearchJob::new(config, options, Paths::discover()?)?;
    let (mut end, mut best, mut last) = (None, None, None);
    let keeps = args.record.is_some();
    let ended = drive(globals, &mut report, job, |output, report| {
        if keeps {
            record.hear(output.clone());
        }
        match output {
            Output::Began(..) => {}
            Output::Better(candidate) => {
                report.event("better", &better(&candidate));
                report.text(&format!(
                    "{:>12} programs: {:.6} in the search, {:.6} on other tasks\n",
                    candidate.individuals, candidate.search_fitness, candidate.select_fitness
                ));
                best = Some(candidate);
            }
            Output::Snapshot(snapshot) => {
                report.event("snapshot", &standing(&snapshot));
                last = Some(snapshot);
            }
            Output::Ended(found) => end = Some(found),
        }
    });
    if let Some(path) = &args.record {
        atomic_write(path, &record.to_json()?)?;
    }
    match (ended, end) {
        (Ok(()), Some(end)) => {
            if let Some(path) = &args.out {
                atomic_write(path, print(&end.program).as_bytes())?;
            }
            if let Some(path) = &args.lineage {
                write_lineage(path, &end)?;
            }
            report.event("result", &result(&end));
            report.text(&tell(&end));
            Ok(())
        }
        // What was found until Ctrl-C is printed too.
        (Err(Error::Cancelled), _) => {
            let mut fields = best.as_ref().map_or_else(|| json!({}), |best| better(best));
            if let (Some(map), Some(last)) = (fields.as_object_mut(), &last) {
                map.insert("seconds".into(), json!(last.seconds));
            }
            if let Some(map) = fields.as_object_mut() {
                map.insert("interrupted".into(), json!(true));
            }
            report.event("result", &fields);
            if let Some(best) = &best {
                report.text(&print(&best.program));
            }
            Err(Error::Cancelled)
        }
        (ended, _) => ended,
    }
}

fn better(candidate: &Candidate) -> Value {
    json!({
        "search_fitness": candidate.search_fitness,
        "select_fitness": candidate.select_fitness,
        "individuals": candidate.individuals,
        "experiment": candidate.experiment,
        "program": print(&candidate.program),
    })
}

fn standing(snapshot: &Snapshot) -> Value {
    let best = snapshot.populations.iter().map(|living| living.best);
    let all: Vec<f32> = snapshot
        .populations
        .iter()
        .flat_map(|living| living.fitness.iter().copied())
        .collect();
    json!({
        "individuals": snapshot.counts.individuals,
        "seconds": snapshot.seconds,
        "experiment": snapshot.experiment,
        "best": best.fold(0.0, f32::max),
        "mean": all.iter().sum::<f32>() / all.len().max(1) as f32,
        "counts": snapshot.counts,
    })
}

fn result(end: &Ended) -> Value {
    json!({
        "solved": end.solved,
        "search_fitness": end.search_fitness,
        "select_fitness": end.select_fitness,
        "unseen_fitness": end.unseen_fitness,
        "individuals": end.counts.individuals,
        "counts": end.counts,
        "experiment": end.experiment,
        "seconds": end.seconds,
        "program": print(&end.program),
    })
}

fn tell(end: &Ended) -> String {
    format!(
        "{} after {} programs, {:.1} s\nfitness {:.6} in the search, {:.6} on tasks it was chosen \
         by, {:.6} on unseen tasks\n\n{}",
        if end.solved { "solved" } else { "not solved" },
        end.counts.individuals,
        end.seconds,
        end.search_fitness,
        end.select_fitness,
        end.unseen_fitness,
        print(&end.program),
    )
}

fn write_lineage(path: &Path, end: &Ended) -> Result<()> {
    let bytes = serde_json::to_vec_pretty(&end.lineage)
        .map_err(|error| Error::bad_file(path, format!("cannot be written: {error}")))?;
    atomic_write(path, &bytes)
}

/// A hand-made program by its name, or the one in a file.
fn named(path: &Path) -> Result<Program> {
    match path.to_str() {
        Some("linear") => Ok(text::parse(LINEAR)?),
        Some("network") => Ok(text::parse(NETWORK)?),
        _ => text::read(path),
    }
}

fn eval(args: EvalArgs, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let config = SearchConfig {
        seed: globals.seed,
        ..args.config
    };
    let program = named(&args.program)?;
    let job = JudgeJob::new(program.clone(), config, Paths::discover()?);
    let mut judged = None;
    drive(globals, &mut report, job, |output, _| judged = Some(output))?;
    if let Some(judged) = judged {
        let mut fields = json!(judged);
        if let Some(map) = fields.as_object_mut() {
            map.insert("program".into(), json!(print(&program)));
        }
        report.event("result", &fields);
        tell_lines(&mut report, &judged);
    }
    Ok(())
}

fn write_translation(args: &TranslateArgs, globals: &Globals) -> Result<()> {
    let code = translate(&named(&args.program)?, args.to);
    if let Some(path) = &args.out {
        return atomic_write(path, code.as_bytes());
    }
    let mut report = globals.report();
    report.event("result", &json!({ "code": code }));
    report.text(&code);
    Ok(())
}

fn tell_lines(report: &mut Report, judged: &Judged) {
    report.text(&format!(
        "fitness {:.6} in the search, {:.6} on tasks of selection, {:.6} on unseen tasks\n\
         {} instructions, {} of them live; the fitness that is lost without each:\n",
        judged.search_fitness,
        judged.select_fitness,
        judged.unseen_fitness,
        judged.instructions,
        judged.live
    ));
    let mut function = None;
    for line in &judged.lines {
        if function != Some(line.function) {
            function = Some(line.function);
            report.text(&format!("def {}():\n", line.function.name()));
        }
        let worth = if line.live {
            format!("{:9.6}", line.worth)
        } else {
            "     dead".to_owned()
        };
        report.text(&format!("{worth}  {}\n", line.text));
    }
}

fn compare(args: CompareArgs, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let config = SearchConfig {
        seed: globals.seed,
        ..args.config
    };
    let job = CompareJob::new(config, args.runs, args.individuals, Paths::discover()?)?;
    let mut trials: Vec<Trial> = Vec::new();
    let ended = drive(globals, &mut report, job, |trial, report| {
        report.event("trial", &json!(trial));
        trials.push(trial);
    });
    if !matches!(ended, Ok(()) | Err(Error::Cancelled)) {
        return ended;
    }
    let [evolution, random] =
        [Method::Evolution, Method::Random].map(|method| share(&trials, method));
    report.event(
        "result",
        &json!({ "individuals": args.individuals, "evolution": evolution, "random": random }),
    );
    for (name, share) in [("evolution", evolution), ("random search", random)] {
        report.text(&format!(
            "{name}: {} of {} solved ({:.0} to {:.0} %)\n",
            share.solved,
            share.runs,
            share.interval.low * 100.0,
            share.interval.high * 100.0
        ));
    }
    ended
}
