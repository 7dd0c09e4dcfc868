//! `vitrine pulse surrogate`: the stand-in for the renderer that searches are led by.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, value_parser};
use serde_json::json;

use crate::cli::{Globals, drive};
use crate::demos::pulse::prior::Collection;
use crate::demos::pulse::surrogate::train::{Made, MakeSurrogate, SurrogateConfig};
use crate::error::Result;
use crate::nn::cpu::process_cpu_time;

/// Reports between two lines.
const EVERY: u64 = 500;

#[derive(Args)]
pub(super) struct SurrogateArgs {
    /// Whose pictures it learns
    #[arg(long, value_enum, default_value_t = Collection::Balanced)]
    collection: Collection,
    /// People that are rendered
    #[arg(long, default_value_t = 24_000, value_parser = value_parser!(u64).range(512..=100_000))]
    people: u64,
    /// Training steps
    #[arg(long, default_value_t = 8000, value_parser = value_parser!(u64).range(1..=1_000_000))]
    steps: u64,
    /// The safetensors file for the network
    #[arg(long)]
    out: PathBuf,
    /// The file for the basis, which is fitted to these people
    #[arg(long, required_unless_present = "basis", conflicts_with = "basis")]
    basis_out: Option<PathBuf>,
    /// A basis that was fitted before, in place of a new one
    #[arg(long)]
    basis: Option<PathBuf>,
}

pub(super) fn run(args: SurrogateArgs, globals: &Globals) -> Result<()> {
    let (start, cpu) = (Instant::now(), process_cpu_time());
    let mut report = globals.report();
    let job = MakeSurrogate::new(SurrogateConfig {
        collection: args.collection,
        people: args.people,
        steps: args.steps,
        seed: globals.seed,
        basis: args.basis,
        out: args.out.clone(),
        basis_out: args.basis_out.unwrap_or_default(),
    })?;
    let mut figures = serde_json::Map::new();
    drive(globals, &mut report, job, |made, report| match made {
        Made::Step(step, loss) if step % EVERY == 0 => {
            report.event("step", &json!({ "step": step, "loss": loss }));
        }
        Made::Step(..) => {}
        Made::Rendered(people) => report.event("rendered", &json!({ "people": people })),
        Made::Fitted(rounds) => report.event("fitted", &json!({ "rounds": rounds })),
        Made::Finished(found) => {
            figures = found
                .into_iter()
                .map(|(name, x)| (name, json!(x)))
                .collect();
        }
    })?;
    let cpu = process_cpu_time().saturating_sub(cpu).as_secs_f64();
    for (name, value) in &figures {
        report.text(&format!("{name}: {value}\n"));
    }
    figures.insert("out".into(), json!(args.out));
    figures.insert("seconds".into(), json!(start.elapsed().as_secs_f64()));
    figures.insert("cpu_seconds".into(), json!(cpu));
    report.event("result", &json!(figures));
    Ok(())
}
