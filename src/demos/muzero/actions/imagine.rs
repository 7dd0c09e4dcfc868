//! `vitrine muzero imagine`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::super::game::{GameId, open};
use super::super::imagination::{Along, Drift, DriftConfig, DriftJob, Roll, RollConfig, RollJob};
use super::super::think::parse_moves;
use crate::cli::{Globals, drive};
use crate::error::{Error, Result};

/// Where the moves come from that are imagined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Source {
    /// Legal moves at random
    Random,
    /// What a search in the learned model holds best for both sides
    Principal,
}

/// What is to be imagined.
#[derive(Clone, Debug, Args)]
pub struct ImagineConfig {
    /// The game, as in `train`
    #[arg(long, default_value = "connect4")]
    game: GameId,
    /// The moves that lead to where imagining begins: `4453` in Connect Four, names with commas
    /// elsewhere
    #[arg(long, default_value = "")]
    moves: String,
    /// The moves to imagine, by their names with commas, legal or not
    #[arg(long, conflicts_with = "source")]
    along: Option<String>,
    /// Where the moves come from, if they are not given
    #[arg(long, value_enum, default_value_t = Source::Random)]
    source: Source,
    /// Simulations of the search for `--source principal`
    #[arg(long, default_value_t = 200)]
    simulations: usize,
    /// Steps that are imagined, up to 20
    #[arg(long, default_value_t = 10)]
    depth: usize,
    /// Positions over which the error is averaged at each depth; 0 for none
    #[arg(long, default_value_t = 256)]
    positions: usize,
    /// Weights, in place of the shipped ones
    #[arg(long)]
    weights: Option<PathBuf>,
}

/// Imagines a line and measures how imagination goes astray.
///
/// # Errors
/// When the game is not there, a move is none, or the weights are of another game.
pub fn run(asked: &ImagineConfig, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let moves = parse_moves(&asked.game, &asked.moves)?;
    let along = match (&asked.along, asked.source) {
        (Some(text), _) => Along::Given(names(&asked.game, text)?),
        (None, Source::Random) => Along::Random,
        (None, Source::Principal) => Along::Principal(asked.simulations),
    };
    let job = RollJob::new(RollConfig {
        game: asked.game.clone(),
        moves,
        along,
        depth: asked.depth,
        weights: asked.weights.clone(),
        seed: globals.seed,
    });
    let mut fields = json!({ "game": asked.game });
    let mut ended = drive(globals, &mut report, job, |roll, report| {
        set(&mut fields, "line", json!(roll));
        report.text(&line_text(&roll));
    });
    if ended.is_ok() && asked.positions > 0 {
        let job = DriftJob::new(DriftConfig {
            game: asked.game.clone(),
            weights: asked.weights.clone(),
            depth: asked.depth,
            positions: asked.positions,
            seed: globals.seed,
        });
        let mut last = None;
        ended = drive(globals, &mut report, job, |drift, _| last = Some(drift));
        if let Some(drift) = &last {
            report.text(&drift_text(drift));
            set(&mut fields, "drift", json!(drift));
        }
    }
    match ended {
        Err(Error::Cancelled) => set(&mut fields, "interrupted", json!(true)),
        Err(_) => return ended,
        Ok(()) => {}
    }
    report.event("result", &fields);
    ended
}

fn set(fields: &mut Value, key: &str, value: Value) {
    if let Some(map) = fields.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

/// Actions by name; whether they are legal is for the true rules to say.
fn names(game: &GameId, text: &str) -> Result<Vec<usize>> {
    let game = open(game)?;
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    words.map(|word| game.parse_action(word)).collect()
}

fn line_text(roll: &Roll) -> String {
    let mut text = String::new();
    if !roll.trained {
        text += "these networks are untrained: what they imagine means nothing\n";
    }
    for (depth, step) in roll.steps.iter().enumerate() {
        let error = step.difference.map_or("         -".to_owned(), |d| {
            format!("{:.4} {:5.1} %", d.mean, 100.0 * d.wrong)
        });
        let number = |number: Option<f32>| number.map_or("-".into(), |v| format!("{v:+.3}"));
        let likely: Vec<String> = (step.likely.iter())
            .map(|m| format!("{} {:.0} %", m.name, 100.0 * m.probability))
            .collect();
        text += &format!(
            "{depth:2} {:6} error {error}   value {:+.3} true {:>6}   illegal {}   {}{}\n",
            step.name,
            step.value,
            number(step.true_value),
            (step.illegal).map_or("-".into(), |p| format!("{:.1} %", 100.0 * p)),
            likely.join(", "),
            match (step.over, &step.seen) {
                (true, _) => "   over",
                (false, None) => "   forbidden",
                _ => "",
            },
        );
    }
    text
}

fn drift_text(drift: &Drift) -> String {
    let mut text = format!(
        "means over {} positions with 95 % bands\n\
         depth count   error            probe    still    wrong    value           illegal\n",
        drift.positions
    );
    for d in &drift.depths {
        text += &format!(
            "{:5} {:5}   {:.4} ± {:.4}  {:.4}   {:.4}   {:5.1} %  {:.3} ± {:.3}   {:.1} %\n",
            d.depth,
            d.count,
            d.error.mean,
            d.error.half,
            d.probe.mean,
            d.still.mean,
            100.0 * d.wrong.mean,
            d.value.mean,
            d.value.half,
            100.0 * d.illegal.mean,
        );
    }
    text
}
