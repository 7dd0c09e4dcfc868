//! `vitrine gpt …`: the tab's jobs on the command line.

mod bench;
mod curve;

use std::io::Read as _;
use std::path::PathBuf;

use clap::{ArgMatches, FromArgMatches, Subcommand};
use serde_json::{Value, json};

use self::bench::BenchArgs;
use super::DEFAULT_MODEL;
use super::engine::{ModelCard, Position};
use super::gguf::Gguf;
use super::in_context::curve::CurveConfig;
use super::job::{Complete, CompleteConfig, Output, StopReason, Summary, per_second};
use super::tokenizer::Tokenizer;
use crate::cli::{Globals, Report, fetch_asset, interrupted};
use crate::compute::{Event, run_to_end};
use crate::error::{Error, Result};
use crate::store::Manifest;

#[derive(Subcommand)]
enum Action {
    /// Continue a prompt
    Complete {
        #[command(flatten)]
        config: CompleteConfig,
        /// With --json, tell for every token its probability and the likeliest alternatives
        #[arg(long)]
        explain: bool,
    },
    /// Read bytes from the standard input and print the ids of their tokens
    Tokenize {
        /// A GGUF model file in place of the default
        #[arg(long)]
        model: Option<PathBuf>,
    },
    /// Measure how often the model is right by the number of examples in its prompt
    Curve(CurveConfig),
    /// Measure how fast the model reads and writes
    Bench(BenchArgs),
}

/// The actions with their flags.
#[must_use]
pub fn command() -> clap::Command {
    Action::augment_subcommands(clap::Command::new("gpt"))
}

/// Runs an action.
///
/// # Errors
/// What it failed with.
pub fn run(matches: &ArgMatches, globals: &Globals) -> Result<()> {
    match Action::from_arg_matches(matches).unwrap_or_else(|e| e.exit()) {
        Action::Complete { config, explain } => complete(config, explain, globals),
        Action::Tokenize { model } => tokenize(model, globals),
        Action::Curve(config) => curve::run(config, globals),
        Action::Bench(args) => bench::run(args, globals),
    }
}

fn model_path(chosen: Option<PathBuf>, report: &mut Report) -> Result<PathBuf> {
    match chosen {
        Some(path) => Ok(path),
        None => fetch_asset(Manifest::embedded()?.get(DEFAULT_MODEL)?, report),
    }
}

fn read_stdin() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(MAX_INPUT + 1)
        .read_to_end(&mut bytes)
        .map_err(Error::io("cannot read", "the standard input".as_ref()))?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(Error::Input(format!(
            "the standard input is longer than {} MB",
            MAX_INPUT >> 20
        )));
    }
    Ok(bytes)
}

/// Far beyond any context.
const MAX_INPUT: u64 = 64 << 20;

fn tokenize(model: Option<PathBuf>, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let gguf = Gguf::open(&model_path(model, &mut report)?)?;
    let tokenizer = Tokenizer::from_gguf(&gguf)?;
    let ids = tokenizer.encode(&read_stdin()?);
    for id in &ids {
        let piece = tokenizer.piece(*id, true);
        report.text(&format!("{id:>8} {:?}\n", String::from_utf8_lossy(&piece)));
    }
    report.event("result", &json!({ "ids": ids }));
    Ok(())
}

/// What a run left behind, kept up to date as its events come.
#[derive(Default)]
struct Heard {
    card: Option<ModelCard>,
    prompt: Vec<Position>,
    generated: Vec<Position>,
    ids: usize,
    text: String,
    summary: Option<Summary>,
}

fn complete(mut config: CompleteConfig, explain: bool, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    if config.prompt == "-" {
        config.prompt = String::from_utf8_lossy(&read_stdin()?).into_owned();
    }
    config.seed = globals.seed;
    config.model = Some(model_path(config.model.take(), &mut report)?);
    let job = Complete::new(config.clone(), explain)?;
    let mut heard = Heard::default();
    let ended = run_to_end(globals.worker_options(), job, |event, run| {
        match event {
            Some(Event::Output(output)) => hear(output, &mut heard, &mut report),
            Some(Event::Warning(text)) => eprintln!("{text}"),
            None if heard.text.is_empty() => report.progress(&run.progress()),
            None | Some(Event::Ended(_)) => {}
        }
        !interrupted()
    });
    report.clear();
    match &ended {
        Ok(()) => {}
        // What was done until Ctrl-C is printed too.
        Err(Error::Cancelled) => report.text("\n"),
        Err(_) => return ended,
    }
    report.event("result", &result(&config, &heard, explain));
    if let Some(summary) = &heard.summary
        && !globals.json
    {
        report.text("\n");
        eprintln!("{}", figures(summary));
    }
    ended
}

fn hear(output: Output, heard: &mut Heard, report: &mut Report) {
    match output {
        Output::Loaded(card) => heard.card = Some(card),
        Output::Prompt { first, positions } => {
            heard.prompt.truncate(first);
            heard.prompt.extend(positions);
        }
        Output::Token { position, text } => {
            heard.ids += 1;
            heard.text += &text;
            heard.generated.extend(position);
            report.text(&text);
            report.event(
                "progress",
                &json!({ "done": heard.ids, "unit": "tokens", "text": text }),
            );
        }
        Output::Next(_) => {}
        Output::Done(summary) => heard.summary = Some(summary),
    }
}

fn result(config: &CompleteConfig, heard: &Heard, explain: bool) -> Value {
    let mut fields = json!({ "text": heard.text, "tokens": heard.ids, "prompt": config.prompt, "seed": config.seed });
    if let (Some(summary), Some(map)) = (&heard.summary, fields.as_object_mut()) {
        map.insert("tokens".into(), json!(summary.ids.len()));
        map.insert("ids".into(), json!(summary.ids));
        map.insert("reason".into(), json!(summary.reason));
        map.insert("prompt_tokens".into(), json!(summary.prompt_tokens));
        map.insert(
            "prefill_tokens_per_sec".into(),
            json!(prefill_rate(summary)),
        );
        map.insert(
            "decode_tokens_per_sec".into(),
            json!(per_second(summary.ids.len(), summary.decode_secs)),
        );
    } else if let Some(map) = fields.as_object_mut() {
        map.insert("interrupted".into(), json!(true));
    }
    if let (true, Some(map)) = (explain, fields.as_object_mut()) {
        map.insert(
            "model".into(),
            json!(heard.card.as_ref().map(|card| &card.name)),
        );
        // A recording must not tell where files lie on this machine.
        let config = CompleteConfig {
            model: None,
            ..config.clone()
        };
        map.insert("config".into(), json!(config));
        map.insert("prompt_positions".into(), json!(heard.prompt));
        map.insert("positions".into(), json!(heard.generated));
    }
    fields
}

fn prefill_rate(summary: &Summary) -> f64 {
    per_second(
        summary.prompt_tokens - summary.reused_tokens,
        summary.prefill_secs,
    )
}

fn figures(summary: &Summary) -> String {
    let why = match &summary.reason {
        StopReason::Length => "the length asked for",
        StopReason::StopString(_) => "a stop string",
        StopReason::EndOfText => "the end of the text",
        StopReason::ContextFull => "the end of the model's context",
    };
    format!(
        "{} tokens, ended by {why}; read {} prompt tokens at {:.0}/s, generated at {:.0}/s",
        summary.ids.len(),
        summary.prompt_tokens,
        prefill_rate(summary),
        per_second(summary.ids.len(), summary.decode_secs),
    )
}
