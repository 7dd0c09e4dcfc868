//! `vitrine pulse upscale`: faces that shrink to a small picture.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, value_parser};
use serde_json::json;

use crate::cli::{Globals, drive};
use crate::data::image::beside;
use crate::demos::pulse::answer::Answer;
use crate::demos::pulse::input;
use crate::demos::pulse::pixels::SIDES;
use crate::demos::pulse::prior::{Collection, MOST, Prior};
use crate::demos::pulse::search::SearchConfig;
use crate::demos::pulse::sheet;
use crate::demos::pulse::upscale::{Heard, Question, UpscaleJob};
use crate::error::{Error, Result};
use crate::nn::cpu::process_cpu_time;
use crate::store::atomic_write;

/// The paper's message, with the reason.
pub(super) const NOT_FOUND: &str = "Could not find a face that downscales correctly within epsilon: \
                                    this picture lies outside what the generator can draw.\n";

/// What a search is told; the bias bench takes it too.
#[derive(Args)]
pub(super) struct SearchArgs {
    /// Steps of the search
    #[arg(long, default_value_t = SearchConfig::default().steps)]
    steps: usize,
    /// Adam's greatest learning rate
    #[arg(long, default_value_t = SearchConfig::default().learning_rate)]
    learning_rate: f64,
    /// The mean squared error that counts as the same small picture
    #[arg(long, default_value_t = SearchConfig::default().epsilon)]
    epsilon: f64,
    /// What unusual numbers in the vector cost
    #[arg(long, default_value_t = SearchConfig::default().prior_weight)]
    prior_weight: f64,
    /// The sphere's radius over the usual one
    #[arg(long, default_value_t = SearchConfig::default().truncation)]
    truncation: f64,
    /// Starts of each answer, of which the best goes on
    #[arg(long, default_value_t = SearchConfig::default().starts)]
    starts: usize,
    /// How often an answer that is not within epsilon is searched for anew
    #[arg(long, default_value_t = SearchConfig::default().retries)]
    retries: usize,
}

impl SearchArgs {
    pub(super) fn config(&self) -> SearchConfig {
        SearchConfig {
            steps: self.steps,
            learning_rate: self.learning_rate,
            epsilon: self.epsilon,
            prior_weight: self.prior_weight,
            truncation: self.truncation,
            starts: self.starts,
            retries: self.retries,
        }
    }
}

#[derive(Args)]
pub(super) struct UpscaleArgs {
    /// The small picture; a larger one is cropped to the middle square and shrunk
    low: PathBuf,
    /// The PNG file for the answers, side by side
    #[arg(long)]
    out: PathBuf,
    /// How many answers
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u16).range(1..=64))]
    samples: u16,
    /// Pixels in a side of each
    #[arg(long, default_value_t = 128, value_parser = value_parser!(u16).range(32..=2048))]
    size: u16,
    /// Pixels in a side that a larger picture is shrunk to
    #[arg(long, default_value_t = 16, value_parser = value_parser!(u16).range(SIDES.start as i64..SIDES.end as i64))]
    side: u16,
    /// Whose pictures the generator learned
    #[arg(long, value_enum, default_value_t = Collection::Balanced)]
    generator: Collection,
    /// Whom the search expects: 0 all alike, 1 as in a usual collection, up to 2; as the generator's
    /// collection if not given
    #[arg(long)]
    imbalance: Option<f64>,
    #[command(flatten)]
    search: SearchArgs,
}

pub(super) fn run(args: &UpscaleArgs, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let low = input::read(&args.low, usize::from(args.side))?;
    let prior = match args.imbalance {
        Some(imbalance) if !(0.0..=MOST).contains(&imbalance) => {
            return Err(Error::Input(format!(
                "imbalance lies between 0 and {MOST}, not {imbalance}"
            )));
        }
        Some(imbalance) => Prior { imbalance },
        None => args.generator.prior(),
    };
    let question = Question {
        low: low.clone(),
        samples: usize::from(args.samples),
        size: usize::from(args.size),
        collection: args.generator,
        prior,
        search: args.search.config(),
        seed: globals.seed,
        previews: false,
    };
    let (start, cpu) = (Instant::now(), process_cpu_time());
    let mut answers = Vec::new();
    drive(
        globals,
        &mut report,
        UpscaleJob::new(question)?,
        |heard, report| match heard {
            Heard::Step { done, errors, .. } => {
                report.event("step", &json!({ "done": done, "errors": errors }));
            }
            Heard::Answers(found) => answers = found,
        },
    )?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = process_cpu_time().saturating_sub(cpu).as_secs_f64();
    write(&args.out, &answers)?;
    let found = answers.iter().filter(|answer| answer.success).count();
    report.text(&format!(
        "{found} of {} answers shrink to the picture within {}: {}\n",
        answers.len(),
        args.search.epsilon,
        args.out.display()
    ));
    if found == 0 {
        report.text(NOT_FOUND);
    }
    report.event(
        "result",
        &json!({
            "low": args.low,
            "side": low.side,
            "out": args.out,
            "generator": args.generator,
            "imbalance": prior.imbalance,
            "search": args.search.config(),
            "answers": answers.iter().map(sheet::summary).collect::<Vec<_>>(),
            "seconds": seconds,
            "cpu_seconds": cpu,
        }),
    );
    Ok(())
}

/// Answers side by side in one picture.
fn write(path: &Path, answers: &[Answer]) -> Result<()> {
    let faces: Vec<_> = answers.iter().map(|a| sheet::picture(&a.face)).collect();
    atomic_write(path, &beside(&faces)?.encode_png()?)
}
