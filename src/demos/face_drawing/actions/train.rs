//! `vitrine train sketch`: the training job on the command line.

use std::path::PathBuf;
use std::time::Instant;

use clap::{ArgMatches, Args, FromArgMatches};
use serde_json::json;

use crate::cli::{Globals, Report, TrainAction, drive};
use crate::demos::face_drawing::train::{Output, SketchConfig, SketchJob, SketchOptions};
use crate::error::{Error, Result};
use crate::store::Paths;

/// What `vitrine train` lists of this demo.
pub const SKETCH: TrainAction = TrainAction {
    name: "sketch",
    command,
    run,
};

#[derive(Args)]
struct Train {
    #[command(flatten)]
    config: SketchConfig,
    /// The folder of this run, where the weights go; one in the user's data folder if not given
    #[arg(long)]
    run_dir: Option<PathBuf>,
    /// Forget what was done before and begin anew
    #[arg(long)]
    fresh: bool,
}

fn command() -> clap::Command {
    Train::augment_args(clap::Command::new("sketch"))
        .about("Teach the networks of drawings, or go on with a run that was stopped")
}

fn run(matches: &ArgMatches, globals: &Globals) -> Result<()> {
    let train = Train::from_arg_matches(matches).unwrap_or_else(|e| e.exit());
    let start = Instant::now();
    let mut report = globals.report();
    let config = SketchConfig {
        seed: globals.seed,
        ..train.config
    };
    let folder = match train.run_dir {
        Some(folder) => folder,
        None => Paths::discover()?.data.join("runs").join("sketch"),
    };
    let options = SketchOptions {
        folder: folder.clone(),
        fresh: train.fresh,
    };
    let mut found = serde_json::Map::new();
    let job = SketchJob::new(config, options)?;
    let ended = drive(globals, &mut report, job, |output, report| {
        if let Output::Evaluated { stage, found: now } = &output {
            let now: serde_json::Map<_, _> = now
                .iter()
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect();
            found.insert(stage.clone(), json!(now));
        }
        tell(&output, report);
    });
    if !matches!(ended, Ok(()) | Err(Error::Cancelled)) {
        return ended;
    }
    report.event(
        "result",
        &json!({
            "finished": ended.is_ok(),
            "found": found,
            "run_dir": folder,
            "seconds": start.elapsed().as_secs_f64(),
        }),
    );
    report.text(&format!("kept in {}\n", folder.display()));
    ended
}

fn tell(output: &Output, report: &mut Report) {
    match output {
        Output::Drawn { people, seconds } => {
            report.event("drawn", &json!({ "people": people, "seconds": seconds }));
            report.text(&format!("{people} people in {seconds:.0} s\n"));
        }
        Output::Began {
            stage,
            steps,
            weights,
            resumed_at,
        } => {
            report.event(
                "began",
                &json!({
                    "stage": stage, "steps": steps, "weights": weights, "resumed_at": resumed_at
                }),
            );
            report.text(&format!(
                "{stage}: {weights} weights, step {resumed_at} of {steps}\n"
            ));
        }
        Output::Point {
            step,
            loss,
            seconds,
        } => {
            report.event(
                "point",
                &json!({ "step": step, "loss": loss, "seconds": seconds }),
            );
            report.text(&format!(
                "{seconds:7.0} s {step:6} steps   loss {loss:.4}\n"
            ));
        }
        Output::Evaluated { stage, found } => {
            report.event("evaluation", &json!({ "stage": stage, "found": found }));
            let found: Vec<String> = found
                .iter()
                .map(|(name, value)| format!("{name} {value:.4}"))
                .collect();
            report.text(&format!("{stage}: {}\n", found.join("   ")));
        }
        Output::Saved(path) => {
            report.event("saved", &json!({ "file": path }));
            report.text(&format!("saved {}\n", path.display()));
        }
    }
}
