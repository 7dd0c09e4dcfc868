//! `vitrine gpt bench`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::model_path;
use crate::cli::Globals;
use crate::compute::peak_memory;
use crate::demos::gpt::bench::{Load, Speed, measure};
use crate::error::Result;

/// Flags of the bench.
#[derive(Args)]
pub(super) struct BenchArgs {
    /// A GGUF model file in place of the default
    #[arg(long)]
    model: Option<PathBuf>,
    /// Tokens of the prompt
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    prompt_tokens: u32,
    /// Tokens written behind it
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    tokens: u32,
    /// How often; figures are medians
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
}

pub(super) fn run(args: BenchArgs, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let path = model_path(args.model, &mut report)?;
    let load = Load {
        prompt: args.prompt_tokens as usize,
        written: args.tokens as usize,
        rounds: args.rounds as usize,
    };
    let all = globals.threads.map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    let one = measure(&path, 1, load, globals.seed)?;
    let many = if all > 1 {
        measure(&path, all, load, globals.seed)?
    } else {
        one
    };
    let memory = peak_memory();
    report.event(
        "result",
        &json!({
            "prefill_tokens_per_cpu_second": one.prefill_tokens_per_cpu_second,
            "decode_tokens_per_cpu_second": one.decode_tokens_per_cpu_second,
            "one_thread": one,
            "all_threads": many,
            "peak_memory_bytes": memory,
        }),
    );
    for speed in [one, many] {
        report.text(&text(&speed));
    }
    if let Some(bytes) = memory {
        report.text(&format!("at most {} MB of memory\n", bytes / 1_000_000));
    }
    Ok(())
}

fn text(speed: &Speed) -> String {
    let word = if speed.threads == 1 {
        "thread"
    } else {
        "threads"
    };
    format!(
        "{} {word}: reads {:.0} tokens a second ({:.0} a processor second), writes {:.1} ({:.1})\n",
        speed.threads,
        speed.prefill_tokens_per_second,
        speed.prefill_tokens_per_cpu_second,
        speed.decode_tokens_per_second,
        speed.decode_tokens_per_cpu_second,
    )
}
