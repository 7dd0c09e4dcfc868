//! `vitrine muzero …`: the tab's jobs on the command line.

mod bench;
mod imagine;

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use serde_json::{Value, json};

use super::arena::Rating;
use super::config::TrainConfig;
use super::contest::{self, ContestJob, PlayConfig, Standing};
use super::evaluate::{Found, Measure};
use super::evaluation::Evaluation;
use super::game::GameId;
use super::job::{Output, RunOptions, TrainJob};
use super::record::RunRecord;
use super::scaling::{Measured, ScalingConfig, ScalingJob};
use super::think::{ThinkJob, Thought, parse_moves};
use super::training::Point;
use crate::cli::{Globals, Report, drive};
use crate::error::{Error, Result};
use crate::store::Paths;

/// Lines of positions that are read at most.
const MAX_LINES: usize = 100_000;

#[derive(Subcommand)]
enum Action {
    /// Learn a game by playing it, or go on with a run that was stopped
    Train(Box<Train>),
    /// Play a match, or episodes of a game for one
    Play(Box<PlayConfig>),
    /// Think about positions
    Move(Move),
    /// Measure strength at several numbers of simulations
    Scaling(ScalingConfig),
    /// Imagine a line of moves with the learned model, beside what really happens
    Imagine(imagine::ImagineConfig),
    /// Measure how fast the search is
    Bench(bench::BenchConfig),
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
    /// Branch off from the run in this folder: go on from a copy of its newest checkpoint in
    /// --run-dir. Settings that are not given, the game and the agent are those of that run
    #[arg(long, requires = "run_dir", conflicts_with = "fresh")]
    from: Option<PathBuf>,
    /// Measure the trained networks at the end
    #[arg(long, value_enum)]
    evaluate: Option<Measure>,
    /// Simulations a move in that measurement
    #[arg(long, default_value_t = 50)]
    evaluate_simulations: usize,
}

#[derive(Args)]
struct Move {
    /// The game, as in `train`
    #[arg(long, default_value = "connect4")]
    game: GameId,
    /// The moves that lead to the position: `4453` in Connect Four, names with commas elsewhere
    #[arg(long, default_value = "")]
    moves: String,
    /// Simulations
    #[arg(long, default_value_t = 200)]
    simulations: usize,
    /// Read positions from the standard input, one a line
    #[arg(long)]
    stdin: bool,
    /// Weights, in place of the shipped ones
    #[arg(long)]
    weights: Option<PathBuf>,
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
        Action::Play(play) => self::play(*play, globals),
        Action::Move(asked) => self::think(&asked, globals),
        Action::Scaling(scaling) => self::scaling(scaling, globals),
        Action::Imagine(config) => imagine::run(&config, globals),
        Action::Bench(config) => bench::run(&config, globals),
    }
}

/// The result of a command that may have been interrupted.
fn conclude(report: &mut Report, mut fields: Value, ended: Result<()>) -> Result<()> {
    if !matches!(ended, Ok(()) | Err(Error::Cancelled)) {
        return ended;
    }
    if let (Some(map), true) = (fields.as_object_mut(), ended.is_err()) {
        map.insert("interrupted".into(), json!(true));
    }
    report.event("result", &fields);
    ended
}

/// Adds the fields of one object to another.
fn extend(fields: &mut Value, more: &Value) {
    if let (Some(map), Some(more)) = (fields.as_object_mut(), more.as_object()) {
        map.extend(more.clone());
    }
}

/// The user's own folder of a game's run.
fn default_folder(game: &GameId) -> Result<PathBuf> {
    let name = game.to_string().replace(':', "-");
    let runs = Paths::discover()?.data.join("runs").join("muzero");
    Ok(runs.join(name))
}

fn train(train: Train, globals: &Globals) -> Result<()> {
    let start = Instant::now();
    let mut report = globals.report();
    let mut config = TrainConfig {
        seed: globals.seed,
        ..train.config
    };
    if let Some(from) = &train.from
        && let Some(record) = RunRecord::load(from)?
    {
        config = config.over(&record.config);
    }
    let folder = match train.run_dir {
        Some(folder) => folder,
        None => default_folder(&config.game)?,
    };
    let game = config.game.clone();
    let options = RunOptions {
        folder: folder.clone(),
        fresh: train.fresh,
        from: train.from,
    };
    let mut last: Option<Point> = None;
    let ended = drive(
        globals,
        &mut report,
        TrainJob::new(config, options)?,
        |output, report| hear(output, &mut last, report),
    );
    let mut fields = json!({
        "game": game,
        "train_seconds": start.elapsed().as_secs_f64(),
        "run_dir": folder,
        "counters": last.as_ref().map(|point| point.counters),
    });
    if let (Some(measure), Ok(())) = (train.evaluate, &ended) {
        let found = evaluate(
            &game,
            &folder,
            measure,
            train.evaluate_simulations,
            globals,
            &mut report,
        )?;
        extend(&mut fields, &json!(found));
    }
    conclude(&mut report, fields, ended)
}

/// Measures the weights of a run.
fn evaluate(
    game: &GameId,
    folder: &Path,
    measure: Measure,
    simulations: usize,
    globals: &Globals,
    report: &mut Report,
) -> Result<Option<Found>> {
    let weights = folder.join("weights.safetensors");
    let job = ScalingJob::new(ScalingConfig {
        game: game.clone(),
        weights: Some(weights),
        measure: Some(measure),
        simulations: vec![simulations],
        seed: globals.seed,
        ..ScalingConfig::default()
    })?;
    let mut found = None;
    drive(globals, report, job, |measured: Measured, report| {
        report.text(&line(&measured));
        found = Some(measured.found);
    })?;
    Ok(found)
}

fn hear(output: Output, last: &mut Option<Point>, report: &mut Report) {
    match output {
        Output::Began(record) => {
            let (weights, steps) = (record.weights, record.resumed_at);
            report.event(
                "began",
                &json!({
                    "settings": record.settings,
                    "weights": weights,
                    "resumed_at": steps,
                    "changes": record.changes,
                }),
            );
            report.text(&format!(
                "{weights} weights, {steps} training steps done before\n"
            ));
        }
        Output::Point(point) => {
            report.event("point", &json!(point));
            let (c, l) = (&point.counters, &point.losses);
            report.text(&format!(
                "{:6.0} s {:6} steps {:7} games   loss policy {:.3} value {:.3} reward {:.3}   \
                 length {:5.1} score {:+.2}   {:6.1} games/s {:6.0} simulations/s\n",
                c.seconds,
                c.steps,
                c.games,
                l.policy,
                l.value,
                l.reward,
                point.length,
                point.score,
                point.games_per_second,
                point.simulations_per_second,
            ));
            *last = Some(*point);
        }
        Output::Evaluated(found) => {
            report.event("evaluated", &json!(found));
            report.text(&evaluation_line(&found));
        }
        Output::Game(_) | Output::Finished => {}
        Output::Saved(path) => report.event("saved", &json!({ "path": path })),
    }
}

/// A rating with its band.
fn rating(rating: &Rating) -> String {
    let end = |end: Option<f64>, none: &str| end.map_or(none.into(), |e| format!("{e:+.0}"));
    format!(
        "{} (95 %: {} to {})",
        end(rating.elo, "beyond what games tell"),
        end(rating.low, "-∞"),
        end(rating.high, "∞")
    )
}

/// A measurement in the middle of training.
fn evaluation_line(found: &Evaluation) -> String {
    let mut text = format!(
        "{:6.0} s   with {} simulations: ",
        found.at.seconds, found.simulations
    );
    if let Some(lines) = &found.lines {
        text += &format!(
            "won {}, drawn {}, lost {} lines of play",
            lines.wins, lines.draws, lines.losses
        );
    }
    if let Some((share, _)) = &found.kept {
        text += &format!("{:.1} % of moves keep the result", 100.0 * share);
    }
    if let Some(error) = found.value_error {
        text += &format!(", values {error:.2} off");
    }
    if let Some(score) = &found.score {
        text += &format!("mean return {:.2}", score.mean);
    }
    if let Some(found) = &found.rating {
        text += &format!("Elo {}", rating(found));
    }
    text + &format!(", {:.1} s\n", found.took)
}

fn play(config: PlayConfig, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let config = PlayConfig {
        seed: globals.seed,
        ..config
    };
    let start = Instant::now();
    let mut last = None;
    let mut messages: Vec<String> = Vec::new();
    let ended = drive(
        globals,
        &mut report,
        ContestJob::new(config.clone())?,
        |output, report| match output {
            contest::Output::Game(game) => {
                report.event("game", &json!(game));
                messages.extend(game.message);
            }
            contest::Output::Episode(earned) => {
                report.event("episode", &json!({ "return": earned }));
            }
            contest::Output::Standing(standing) => last = Some(standing),
        },
    );
    for message in &messages {
        eprintln!("{message}");
    }
    let mut fields = json!({
        "game": config.game,
        "a": config.a,
        "b": config.b,
        "seconds": start.elapsed().as_secs_f64(),
    });
    if let Some(standing) = last {
        report.text(&standing_text(&standing));
        extend(&mut fields, &standing_fields(&standing));
    }
    conclude(&mut report, fields, ended)
}

fn standing_fields(standing: &Standing) -> Value {
    match standing {
        Standing::Match { tally, by_side } => json!({
            "wins": tally.wins,
            "draws": tally.draws,
            "losses": tally.losses,
            "games": tally.games(),
            "win_rate": tally.win_rate(),
            "win_rate_interval": tally.win_interval(),
            "points": tally.score(),
            "points_interval": tally.score_interval(),
            "as_first": by_side[0],
            "as_second": by_side[1],
        }),
        Standing::Episodes {
            score,
            frames,
            decisions,
        } => json!({
            "score": score.map(|s| s.mean),
            "score_interval": score.and_then(|s| s.interval),
            "episodes": score.map_or(0, |s| s.episodes),
            "frames": frames,
            "decisions": decisions,
        }),
    }
}

fn standing_text(standing: &Standing) -> String {
    match standing {
        Standing::Match { tally, by_side } => {
            let interval = tally.win_interval();
            let [first, second] = by_side;
            format!(
                "won {}, drawn {}, lost {} of {}: {:.1} % won (95 %: {:.1} to {:.1})\n\
                 beginning {}/{}/{}, second {}/{}/{}\n",
                tally.wins,
                tally.draws,
                tally.losses,
                tally.games(),
                100.0 * tally.win_rate(),
                100.0 * interval.low,
                100.0 * interval.high,
                first.wins,
                first.draws,
                first.losses,
                second.wins,
                second.draws,
                second.losses,
            )
        }
        Standing::Episodes { score, frames, .. } => match score {
            Some(score) => format!(
                "mean return {:.2}{} over {} episodes, {frames} frames\n",
                score.mean,
                score.interval.map_or(String::new(), |i| format!(
                    " (95 %: {:.2} to {:.2})",
                    i.low, i.high
                )),
                score.episodes,
            ),
            None => "no episode ended\n".into(),
        },
    }
}

fn think(asked: &Move, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let positions = if asked.stdin {
        read_positions(&asked.game)?
    } else {
        vec![parse_moves(&asked.game, &asked.moves)?]
    };
    let job = ThinkJob::new(
        asked.game.clone(),
        asked.weights.clone(),
        asked.simulations,
        positions,
    );
    let mut thoughts: Vec<Thought> = Vec::new();
    let ended = drive(globals, &mut report, job, |found, _| thoughts.extend(found));
    for thought in &thoughts {
        report.text(&format!("{} value {:+.3}\n", thought.name, thought.value));
    }
    let fields = if asked.stdin {
        let names: Vec<&str> = thoughts.iter().map(|t| t.name.as_str()).collect();
        let values: Vec<f32> = thoughts.iter().map(|t| t.value).collect();
        json!({ "moves": names, "values": values, "thoughts": thoughts })
    } else {
        thoughts.first().map_or(json!({}), |thought| json!(thought))
    };
    conclude(&mut report, fields, ended)
}

fn read_positions(game: &GameId) -> Result<Vec<Vec<usize>>> {
    let mut positions = Vec::new();
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.map_err(|e| Error::Input(format!("cannot read the positions: {e}")))?;
        if number >= MAX_LINES {
            return Err(Error::Input(format!("more than {MAX_LINES} positions")));
        }
        let moves = parse_moves(game, line.trim())
            .map_err(|error| Error::Input(format!("line {}: {error}", number + 1)))?;
        positions.push(moves);
    }
    Ok(positions)
}

fn line(measured: &Measured) -> String {
    let found = &measured.found;
    let mut text = format!("{:5} simulations: ", found.simulations);
    if let Some(versus) = &measured.versus {
        let tally = &versus.tally;
        text += &format!(
            "won {}, drawn {}, lost {} of {} games against {}{}",
            tally.wins,
            tally.draws,
            tally.losses,
            tally.games(),
            versus.opponent,
            versus
                .elo
                .map_or(String::new(), |elo| format!(", Elo {}", rating(&elo)))
        );
    } else if let Some(tally) = &found.tally {
        text += &format!(
            "won {}, drawn {}, lost {} of {} lines",
            tally.wins,
            tally.draws,
            tally.losses,
            tally.games()
        );
    }
    if let Some((share, interval)) = &found.kept {
        text += &format!(
            "{:.1} % of moves keep the result (95 %: {:.1} to {:.1})",
            100.0 * share,
            100.0 * interval.low,
            100.0 * interval.high
        );
    }
    if let Some(score) = &found.score {
        text += &format!("mean return {:.2}", score.mean);
    }
    text + &format!(", {:.1} s\n", measured.seconds)
}

fn scaling(config: ScalingConfig, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let config = ScalingConfig {
        seed: globals.seed,
        ..config
    };
    let game = config.game.clone();
    let mut all = Vec::new();
    let job = ScalingJob::new(config)?;
    let ended = drive(globals, &mut report, job, |measured: Measured, report| {
        report.text(&line(&measured));
        report.event("measured", &json!(measured));
        all.push(measured);
    });
    let fields = json!({ "game": game, "measured": all });
    conclude(&mut report, fields, ended)
}
