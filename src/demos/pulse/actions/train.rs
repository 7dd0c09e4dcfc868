//! `vitrine train faces`: the training job on the command line.

use std::path::PathBuf;
use std::time::Instant;

use clap::{ArgMatches, Args, FromArgMatches};
use serde_json::json;

use super::super::generator::{Evaluation, FacesConfig, FacesJob, FacesOptions, Output};
use crate::cli::{Globals, Report, TrainAction, drive};
use crate::error::{Error, Result};
use crate::store::Paths;

/// What `vitrine train` lists of this demo.
pub const FACES: TrainAction = TrainAction {
    name: "faces",
    command,
    run,
};

#[derive(Args)]
struct Train {
    #[command(flatten)]
    config: FacesConfig,
    /// The folder of this run; one in the user's data folder, named after the size, if not given
    #[arg(long)]
    run_dir: Option<PathBuf>,
    /// Forget what was done before and begin anew
    #[arg(long)]
    fresh: bool,
    /// The file of the weights; `weights.safetensors` in the run's folder if not given
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write a PNG file of people as they are and, below them, as the generator has them
    #[arg(long)]
    sheet: Option<PathBuf>,
}

fn command() -> clap::Command {
    Train::augment_args(clap::Command::new("faces"))
        .about("Teach a generator of faces, or go on with a run that was stopped")
}

fn run(matches: &ArgMatches, globals: &Globals) -> Result<()> {
    let train = Train::from_arg_matches(matches).unwrap_or_else(|e| e.exit());
    let start = Instant::now();
    let mut report = globals.report();
    let config = FacesConfig {
        seed: globals.seed,
        ..train.config
    };
    let folder = if let Some(folder) = train.run_dir {
        folder
    } else {
        let name = format!("faces-{}", config.size);
        let runs = Paths::discover()?.data.join("runs");
        runs.join("pulse").join(name)
    };
    let options = FacesOptions {
        folder: folder.clone(),
        fresh: train.fresh,
        assets: None,
        out: train.out,
        sheet: train.sheet,
    };
    let mut told = Told::default();
    let job = FacesJob::new(config, options)?;
    let ended = drive(globals, &mut report, job, |output, report| {
        told.hear(&output, report);
    });
    if !matches!(ended, Ok(()) | Err(Error::Cancelled)) {
        return ended;
    }
    report.event(
        "result",
        &json!({
            "finished": ended.is_ok(),
            "steps": told.steps,
            "evaluation": told.evaluation,
            "weights": told.saved,
            "run_dir": folder,
            "wall_seconds": start.elapsed().as_secs_f64(),
        }),
    );
    report.text(&format!("kept in {}\n", folder.display()));
    ended
}

/// What is repeated in the result.
#[derive(Default)]
struct Told {
    steps: u64,
    evaluation: Option<Evaluation>,
    saved: Option<PathBuf>,
}

fn figures(found: &Evaluation) -> String {
    format!(
        "{:.2} dB   SSIM {:.4}   L1 {:.4}   base {:.2} dB   {} people held out\n",
        found.psnr, found.ssim, found.l1, found.base_psnr, found.people
    )
}

impl Told {
    fn hear(&mut self, output: &Output, report: &mut Report) {
        match output {
            Output::Drawn { people, seconds } => {
                report.event("drawn", &json!({ "people": people, "seconds": seconds }));
                report.text(&format!("{people} people in {seconds:.0} s\n"));
            }
            Output::Basis {
                pictures,
                explained,
            } => {
                let fields = json!({ "pictures": pictures, "explained": explained });
                report.event("basis", &fields);
                let share = explained * 100.0;
                report.text(&format!(
                    "{pictures} principal pictures hold {share:.2} % of the variance\n"
                ));
            }
            Output::Began {
                plan,
                weights,
                resumed_at,
            } => {
                self.steps = *resumed_at;
                let fields = json!({ "plan": plan, "weights": weights, "resumed_at": resumed_at });
                report.event("began", &fields);
                report.text(&format!(
                    "{weights} weights, step {resumed_at} of {}\n",
                    plan.steps
                ));
            }
            Output::Point {
                step,
                loss,
                learning_rate,
                people,
                seconds,
            } => {
                self.steps = *step;
                let fields = json!({
                    "step": step,
                    "loss": loss,
                    "learning_rate": learning_rate,
                    "people": people,
                    "seconds": seconds,
                });
                report.event("point", &fields);
                report.text(&format!(
                    "{seconds:7.0} s {step:6} steps {people:6} people   loss {loss:.4}\n"
                ));
            }
            Output::Evaluated { step, evaluation } => {
                self.steps = *step;
                self.evaluation = Some(*evaluation);
                report.event("evaluation", &json!({ "step": step, "found": evaluation }));
                report.text(&format!("step {step}: {}", figures(evaluation)));
            }
            Output::Saved(path) => {
                self.saved = Some(path.clone());
                report.event("saved", &json!({ "weights": path }));
                report.text(&format!("weights in {}\n", path.display()));
            }
            Output::Finished(evaluation) => {
                self.evaluation = Some(*evaluation);
                report.text(&format!("as stored: {}", figures(evaluation)));
            }
        }
    }
}
