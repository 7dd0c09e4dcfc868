//! `vitrine lottery …`: the tab's job on the command line.

use std::path::PathBuf;
use std::time::Instant;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use serde_json::{Value, json};

use super::config::LotteryConfig;
use super::job::{LotteryJob, RunOptions};
use super::ledger::{self, curves_csv, headline, ledger_csv, rows};
use super::record::{Extras, Output, RunRecord, Stage};
use super::store::Store;
use crate::cli::{Globals, Report, drive};
use crate::error::{Error, Result};
use crate::store::{Paths, atomic_write};

#[derive(Subcommand)]
enum Action {
    /// Run a method, or go on with a run that was stopped
    Train(Box<Train>),
}

#[derive(Args)]
struct Train {
    #[command(flatten)]
    config: LotteryConfig,
    /// The folder that runs are kept in; the user's data folder if not given
    #[arg(long)]
    run_dir: Option<PathBuf>,
    /// Forget what was done before and begin anew
    #[arg(long)]
    fresh: bool,
    /// Write the curves and the ledger as CSV files into this folder
    #[arg(long)]
    csv: Option<PathBuf>,
}

/// The actions with their flags.
#[must_use]
pub fn command() -> clap::Command {
    Action::augment_subcommands(clap::Command::new("lottery"))
}

/// Runs an action.
///
/// # Errors
/// What it failed with.
pub fn run(matches: &ArgMatches, globals: &Globals) -> Result<()> {
    match Action::from_arg_matches(matches).unwrap_or_else(|e| e.exit()) {
        Action::Train(train) => self::train(*train, globals),
    }
}

fn train(train: Train, globals: &Globals) -> Result<()> {
    let start = Instant::now();
    let mut report = globals.report();
    let config = LotteryConfig {
        seed: globals.seed,
        ..train.config
    };
    let paths = Paths::discover()?;
    let options = RunOptions {
        root: train.run_dir.unwrap_or_else(|| Store::default_root(&paths)),
        paths,
        fresh: train.fresh,
        shots: false,
    };
    let folder = Store::folder(&options.root, &config);
    let job = LotteryJob::new(config.clone(), options)?;
    let mut record = RunRecord {
        config,
        weights: 0,
        layers: Vec::new(),
        stages: Vec::new(),
        extras: Extras::default(),
        finished: false,
    };
    let mut told = 0;
    let ended = drive(globals, &mut report, job, |output, report| {
        hear(&output, &mut record, &mut told, report);
    });
    // What was done until Ctrl-C is printed too.
    if !matches!(ended, Ok(()) | Err(Error::Cancelled)) {
        return ended;
    }
    if let Some(folder) = &train.csv {
        write_tables(folder, &record)?;
    }
    let mut fields = result(&record);
    if let Some(map) = fields.as_object_mut() {
        map.insert("wall_seconds".into(), json!(start.elapsed().as_secs_f64()));
        map.insert("run_dir".into(), json!(folder));
        if ended.is_err() {
            map.insert("interrupted".into(), json!(true));
        }
    }
    report.event("result", &fields);
    if let Some(found) = &record.extras.subset_sum {
        report.text(&format!(
            "rebuilt from {} random weights, {} kept, target {:.2} %\n",
            found.random_weights,
            found.kept_weights,
            found.target_accuracy * 100.0
        ));
    }
    report.text(&format!("kept in {}\n", folder.display()));
    ended
}

/// `told` counts the stages whose ends were printed.
fn hear(output: &Output, record: &mut RunRecord, told: &mut usize, report: &mut Report) {
    record.hear(output);
    match output {
        Output::Began(began) => {
            if *told == 0 {
                report.text(&format!(
                    "{:32} {:>10} {:>10} {:>8} {:>9} {:>8} {:>8}\n",
                    "stage", "early stop", "accuracy", "final", "GFLOP", "CPU s", "ms/step"
                ));
            }
            for stage in began.stages.iter().skip(*told) {
                report.text(&line(stage));
                report.event("stage_done", &summary(stage));
            }
            *told = began.stages.len();
        }
        Output::Stage(stage) => {
            report.event("stage", &head(stage));
            for point in &stage.points {
                report.event("point", &json!(point));
            }
        }
        Output::Point(point) => report.event("point", &json!(point)),
        Output::Done(_) => {
            if let Some(stage) = record.stages.last() {
                report.text(&line(stage));
                report.event("stage_done", &summary(stage));
            }
            *told = record.stages.len();
        }
        Output::Extras(_) | Output::Shot(_) | Output::Finished => {}
    }
}

fn line(stage: &Stage) -> String {
    let Some(summary) = &stage.summary else {
        return String::new();
    };
    let label = match stage.repetition {
        0 => ledger::label(stage),
        repetition => format!("{} ({})", ledger::label(stage), repetition + 1),
    };
    format!(
        "{label:32} {:>10} {:>8.2} % {:>6.2} % {:>9.1} {:>8.2} {:>8.3}\n",
        summary.early_stop_step,
        summary.early_stop_accuracy * 100.0,
        summary.final_accuracy * 100.0,
        summary.flops / 1e9,
        summary.cpu_seconds,
        summary.ms_per_step,
    )
}

fn head(stage: &Stage) -> Value {
    json!({
        "kind": stage.kind,
        "level": stage.level,
        "repetition": stage.repetition,
        "weights_remaining": stage.weights_remaining,
        "kept": stage.kept,
        "alive_units": stage.alive_units,
    })
}

fn summary(stage: &Stage) -> Value {
    let mut fields = head(stage);
    if let (Some(map), Value::Object(more)) = (fields.as_object_mut(), json!(stage.summary)) {
        map.extend(more);
    }
    fields
}

fn result(record: &RunRecord) -> Value {
    let mut fields = json!({
        "method": record.config.method,
        "net": record.config.net,
        "seed": record.config.seed,
        "finished": record.finished,
        "stages": record.stages.iter().map(summary).collect::<Vec<_>>(),
    });
    if let (Some(map), Value::Object(more)) = (fields.as_object_mut(), json!(headline(record))) {
        map.extend(more);
    }
    if let (Some(map), Some(found)) = (fields.as_object_mut(), &record.extras.subset_sum) {
        map.insert("target_accuracy".into(), json!(found.target_accuracy));
        map.insert("subset_sum".into(), json!(found));
    }
    if let Some(map) = fields.as_object_mut() {
        let extras = &record.extras;
        for (name, value, is_empty) in [
            ("k_sweep", json!(extras.k_sweep), extras.k_sweep.is_empty()),
            (
                "interpolations",
                json!(extras.interpolations),
                extras.interpolations.is_empty(),
            ),
        ] {
            if !is_empty {
                map.insert(name.into(), value);
            }
        }
    }
    fields
}

fn write_tables(folder: &std::path::Path, record: &RunRecord) -> Result<()> {
    let accuracy = record.config.target.unwrap_or(0.97);
    let ledger = ledger_csv(&rows(record, accuracy));
    atomic_write(&folder.join("ledger.csv"), ledger.as_bytes())?;
    atomic_write(&folder.join("curves.csv"), curves_csv([record]).as_bytes())
}
