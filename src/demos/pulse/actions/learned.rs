//! `vitrine pulse learned`: answers from the learned generator, by the paper's own search.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, value_parser};
use serde_json::json;

use crate::cli::{Globals, drive};
use crate::data::image::beside;
use crate::demos::pulse::generator::search::LayersConfig;
use crate::demos::pulse::input;
use crate::demos::pulse::learned::{self, Answer, Heard, LearnedJob, Question};
use crate::demos::pulse::pixels::SIDES;
use crate::error::Result;
use crate::nn::cpu::process_cpu_time;
use crate::store::atomic_write;

#[derive(Args)]
pub(super) struct LearnedArgs {
    /// The small picture; a larger one is cropped to the middle square and shrunk
    low: PathBuf,
    /// The PNG file for the answers, side by side
    #[arg(long)]
    out: PathBuf,
    /// The generator's weights, of `vitrine train faces`; the shipped ones if not given
    #[arg(long)]
    weights: Option<PathBuf>,
    /// How many answers
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u16).range(1..=learned::MOST as i64))]
    samples: u16,
    /// Pixels in a side that a larger picture is shrunk to
    #[arg(long, default_value_t = 16, value_parser = value_parser!(u16).range(SIDES.start as i64..SIDES.end as i64))]
    side: u16,
    /// Steps of the search
    #[arg(long, default_value_t = LayersConfig::default().steps)]
    steps: usize,
    /// Adam's greatest learning rate
    #[arg(long, default_value_t = LayersConfig::default().learning_rate)]
    learning_rate: f64,
    /// The mean squared error that counts as the same small picture
    #[arg(long, default_value_t = LayersConfig::default().epsilon)]
    epsilon: f64,
    /// What the geodesic cross loss counts, which holds the layers' latents together
    #[arg(long, default_value_t = LayersConfig::default().cross_weight)]
    cross_weight: f64,
}

pub(super) fn run(args: &LearnedArgs, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let search = LayersConfig {
        steps: args.steps,
        learning_rate: args.learning_rate,
        epsilon: args.epsilon,
        cross_weight: args.cross_weight,
    };
    let low = input::read(&args.low, usize::from(args.side))?;
    let weights = args.weights.clone().unwrap_or_else(learned::shipped);
    let question = Question {
        low: low.clone(),
        truth: None,
        samples: usize::from(args.samples),
        search: search.clone(),
        seed: globals.seed,
    };
    let (start, cpu) = (Instant::now(), process_cpu_time());
    let mut answers: Vec<Answer> = Vec::new();
    let job = LearnedJob::new(question, &weights)?;
    drive(globals, &mut report, job, |heard, report| match heard {
        Heard::Step {
            done,
            errors,
            crosses,
            ..
        } => report.event(
            "step",
            &json!({ "done": done, "errors": errors, "cross_losses": crosses }),
        ),
        Heard::Answers(found) => answers = found,
        Heard::Truth(_) => {}
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = process_cpu_time().saturating_sub(cpu).as_secs_f64();
    let pictures: Vec<_> = answers.iter().map(|a| a.picture.to_image()).collect();
    atomic_write(&args.out, &beside(&pictures)?.encode_png()?)?;
    let found = answers.iter().filter(|answer| answer.success).count();
    report.text(&format!(
        "{found} of {} answers shrink to the picture within {}: {}\n",
        answers.len(),
        args.epsilon,
        args.out.display()
    ));
    if found == 0 {
        report.text(super::upscale::NOT_FOUND);
    }
    report.event(
        "result",
        &json!({
            "low": args.low,
            "side": low.side,
            "out": args.out,
            "search": search,
            "answers": answers.iter().map(Answer::summary).collect::<Vec<_>>(),
            "seconds": seconds,
            "cpu_seconds": cpu,
        }),
    );
    Ok(())
}
