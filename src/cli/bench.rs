//! `bench`: how fast this machine computes.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Globals, interrupted};
use crate::error::Result;
use crate::nn::bench::sparse::{Compared, measure_crossover};
use crate::nn::bench::{self, Measured, Options, ROWS};

/// What can be measured.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Bench {
    /// Train and evaluate the demos' kinds of nets on the processor
    ///
    /// A row is a training step or an evaluation on random data; its figures are for one step.
    /// `benches/nn_torch.py` measures the same nets with torch. One thread computes if --threads is
    /// not given.
    Nn(NnArgs),
    /// Compare sparse layers with a dense one, to find the density from which on they are faster
    ///
    /// Training steps of the first layer of LeNet-300-100 on batches of 60. One thread computes if
    /// --threads is not given.
    Sparse(SparseArgs),
}

/// Flags of `vitrine bench nn`.
#[derive(Clone, Debug, Args)]
pub(super) struct NnArgs {
    /// Measure one row only
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(ROWS))]
    only: Option<String>,
    /// Seconds for each row
    #[arg(long, default_value_t = 4.0, value_parser = parse_seconds)]
    seconds: f64,
    /// Compute with candle's own operations, to compare
    #[arg(long)]
    candle: bool,
}

/// Flags of `vitrine bench sparse`.
#[derive(Clone, Debug, Args)]
pub(super) struct SparseArgs {
    /// Seconds for each density
    #[arg(long, default_value_t = 1.0, value_parser = parse_seconds)]
    seconds: f64,
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("from 0 to 3600 seconds".into()),
    }
}

pub(super) fn run(bench: &Bench, globals: &Globals) -> Result<()> {
    match bench {
        Bench::Nn(args) => run_nn(args, globals),
        Bench::Sparse(args) => run_sparse(args, globals),
    }
}

fn run_sparse(args: &SparseArgs, globals: &Globals) -> Result<()> {
    let threads = globals.threads.map_or(1, usize::from);
    let mut report = globals.report();
    let plural = if threads == 1 { "" } else { "s" };
    report.text(&format!(
        "{threads} thread{plural}; least milliseconds of processor time a step\n\
         {:>8}{:>10}{:>10}{:>9}\n",
        "density", "dense", "sparse", "faster"
    ));
    let mut row = |row: Compared| {
        report.text(&format!(
            "{:>8}{:>10.3}{:>10.3}{:>8.1}×\n",
            row.density,
            row.dense_ms,
            row.sparse_ms,
            row.dense_ms / row.sparse_ms
        ));
        report.event("progress", &json!(row));
    };
    let found = measure_crossover(args.seconds, threads, globals.seed, &interrupted, &mut row)?;
    if let Some(density) = found.density {
        report.text(&format!("as fast at {density:.3}\n"));
    }
    report.event("result", &json!(found));
    Ok(())
}

fn run_nn(args: &NnArgs, globals: &Globals) -> Result<()> {
    let names = args
        .only
        .as_deref()
        .map_or(ROWS.to_vec(), |name| vec![name]);
    let options = Options {
        seconds: args.seconds,
        threads: globals.threads.map_or(1, usize::from),
        portable: args.candle,
        seed: globals.seed,
    };
    let mut report = globals.report();
    let which = if args.candle {
        "candle's operations, "
    } else {
        ""
    };
    let plural = if options.threads == 1 { "" } else { "s" };
    report.text(&format!(
        "{which}{} thread{plural}; milliseconds of processor time a step\n\
         {:<28}{:>11}{:>11}{:>11}{:>12}\n",
        options.threads, "", "median", "least", "GFLOP/s", "samples/s"
    ));
    let mut rows: Vec<Measured> = Vec::new();
    let ended = bench::run(&names, &options, &interrupted, &mut |row| {
        report.text(&format!(
            "{:<28}{:>11.3}{:>11.3}{:>11.1}{:>12.0}\n",
            row.name, row.cpu_ms, row.best_cpu_ms, row.gflops, row.per_cpu_second
        ));
        report.event("progress", &json!(row));
        rows.push(row);
    });
    report.event(
        "result",
        &json!({
            "library": if args.candle { "candle" } else { "vitrine" },
            "threads": options.threads,
            "rows": rows,
        }),
    );
    ended
}

#[cfg(test)]
mod tests {
    use super::parse_seconds;

    #[test]
    fn seconds_are_checked() {
        assert!(parse_seconds("0.5").is_ok_and(|s| (s - 0.5).abs() < 1e-9));
        for bad in ["-1", "nan", "inf", "1e9", "soon"] {
            assert!(parse_seconds(bad).is_err(), "{bad}");
        }
    }
}
