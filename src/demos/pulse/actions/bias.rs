//! `vitrine pulse bias`: the bias table.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, value_parser};
use serde_json::json;

use super::upscale::SearchArgs;
use crate::cli::{Globals, drive};
use crate::demos::pulse::bank;
use crate::demos::pulse::bias::{BiasConfig, BiasJob, Measured, Row, Way, csv};
use crate::demos::pulse::pixels::SIDES;
use crate::error::Result;
use crate::store::{Paths, atomic_write};

#[derive(Args)]
pub(super) struct BiasArgs {
    /// People of each group
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u16).range(1..=10_000))]
    per_group: u16,
    /// Answers for each
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u16).range(1..=64))]
    samples: u16,
    /// Pixels in a side of the small pictures
    #[arg(long, default_value_t = 16, value_parser = value_parser!(u16).range(SIDES.start as i64..SIDES.end as i64))]
    side: u16,
    /// The CSV file for the table
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Take the nearest people of banks that are re-weighted to three priors instead of searching;
    /// their people are rendered once, in minutes
    #[arg(long)]
    banks: bool,
    #[command(flatten)]
    search: SearchArgs,
}

pub(super) fn run(args: &BiasArgs, globals: &Globals) -> Result<()> {
    let start = Instant::now();
    let mut report = globals.report();
    let settings = if args.banks {
        BiasConfig::banks()
    } else {
        BiasConfig::story()
    };
    let config = BiasConfig {
        settings: settings.clone(),
        per_group: usize::from(args.per_group),
        samples: usize::from(args.samples),
        side: usize::from(args.side),
        search: args.search.config(),
        seed: globals.seed,
    };
    let file = bank::file(&Paths::discover()?.data);
    let mut rows: BTreeMap<(usize, _), Row> = BTreeMap::new();
    drive(
        globals,
        &mut report,
        BiasJob::new(config, file)?,
        |heard, report| {
            if let Measured::Row(row) = heard {
                report.event("row", &json!(row));
                let place = settings.iter().position(|setting| *setting == row.setting);
                rows.insert((place.unwrap_or(0), row.group), row);
            }
        },
    )?;
    let rows: Vec<Row> = rows.into_values().collect();
    for row in &rows {
        report.text(&format!(
            "{:8} imbalance {:.1} radius {:.1}: {:11} {:3.0} % kept, skin {:+5.1} L*, error {:.5}, \
             {:3.0} % within epsilon\n",
            match row.setting.way {
                Way::Search => row.setting.collection.name(),
                Way::Bank => "bank",
            },
            row.setting.prior.imbalance,
            row.setting.truncation,
            row.group.title(),
            row.kept * 100.0,
            row.skin_shift,
            row.low_error,
            row.success * 100.0
        ));
    }
    if let Some(path) = &args.csv {
        atomic_write(path, csv(&rows).as_bytes())?;
    }
    report.event(
        "result",
        &json!({ "rows": rows, "seconds": start.elapsed().as_secs_f64() }),
    );
    Ok(())
}
