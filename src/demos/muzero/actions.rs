//! `vitrine muzero …`: the tab's jobs on the command line.

use std::path::PathBuf;
use std::time::Instant;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use serde_json::json;

use super::config::TrainConfig;
use super::job::{Output, RunOptions, TrainJob};
use crate::cli::{Globals, Report, interrupted};
use crate::compute::{Event, run_to_end};
use crate::error::{Error, Result};
use crate::store::Paths;

#[derive(Subcommand)]
enum Action {
    /// Learn a game by playing it, or go on with a run that was stopped
    Train(Box<Train>),
}

#[derive(Args)]
struct Train {
    #[command(flatten)]
    config: TrainConfig,
    /// The folder of this run; one in the user's data folder, named after the game, if not given
    #[arg(long)]
    run_dir: Option<PathBuf>,
    /// Forget what was done before and begin anew
    #[arg(long)]
    fresh: bool,
}

/// The actions with their flags.
#[must_use]
pub fn command() -> clap::Command {
    Action::augment_subcommands(clap::Command::new("muzero"))
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
    let config = TrainConfig {
        seed: globals.seed,
        ..train.config
    };
    let folder = match train.run_dir {
        Some(folder) => folder,
        None => {
            let name = config.game.to_string().replace(':', "-");
            let runs = Paths::discover()?.data.join("runs").join("muzero");
            runs.join(name)
        }
    };
    let options = RunOptions {
        folder: folder.clone(),
        fresh: train.fresh,
    };
    let job = TrainJob::new(config, options)?;
    let mut last = None;
    let ended = run_to_end(globals.worker_options(), job, |event, run| {
        match event {
            Some(Event::Output(output)) => hear(output, &mut last, &mut report),
            Some(Event::Warning(text)) => eprintln!("{text}"),
            None if !report.is_json() => report.progress(&run.progress()),
            None | Some(Event::Ended(_)) => {}
        }
        !interrupted()
    });
    report.clear();
    if !matches!(ended, Ok(()) | Err(Error::Cancelled)) {
        return ended;
    }
    report.event(
        "result",
        &json!({
            "wall_seconds": start.elapsed().as_secs_f64(),
            "run_dir": folder,
            "last": last,
        }),
    );
    ended
}

fn hear(output: Output, last: &mut Option<super::training::Point>, report: &mut Report) {
    match output {
        Output::Began {
            settings,
            weights,
            resumed_at,
        } => {
            report.event(
                "began",
                &json!({ "settings": settings, "weights": weights, "resumed_at": resumed_at }),
            );
            report.text(&format!(
                "{} weights, {} steps done before\n",
                weights, resumed_at
            ));
        }
        Output::Point(point) => {
            report.event("point", &json!(point));
            let (c, l) = (&point.counters, &point.losses);
            report.text(&format!(
                "{:6.0} s {:6} steps {:7} games  policy {:.3} value {:.3} reward {:.3} probe {:.3}  \
                 length {:5.1} score {:+.2} drawn {:.2}  {:5.1} games/s {:6.0} sims/s {:4.1} steps/s\n",
                c.seconds,
                c.steps,
                c.games,
                l.policy,
                l.value,
                l.reward,
                l.probe,
                point.length,
                point.score,
                point.drawn,
                point.games_per_second,
                point.simulations_per_second,
                point.steps_per_second,
            ));
            *last = Some(*point);
        }
        Output::Saved(path) => report.event("saved", &json!({ "path": path })),
    }
}
