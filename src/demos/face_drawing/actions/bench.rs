//! `vitrine sketch bench`: how near answers come to the truth, and how fast.

use std::path::PathBuf;
use std::time::Instant;

use candle_core::Device;
use clap::{Args, value_parser};
use serde_json::json;

use crate::cli::Globals;
use crate::demos::face_drawing::bench::Bench;
use crate::demos::face_drawing::engine::Engine;
use crate::demos::face_drawing::model;
use crate::error::{Error, Result};
use crate::store::assets_dir;

#[derive(Args)]
pub(super) struct BenchArgs {
    /// People who are drawn
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u16).range(1..=5000))]
    people: u16,
    /// Neighbours that span the manifold, K
    #[arg(long, default_value_t = 30, value_parser = value_parser!(u16).range(1..=500))]
    neighbours: u16,
    /// How badly rough drawings are drawn: 1 as with a mouse
    #[arg(long, default_value_t = 1.0)]
    rough: f64,
    /// The folder of the networks; the shipped ones if not given
    #[arg(long)]
    weights: Option<PathBuf>,
}

pub(super) fn run(args: &BenchArgs, globals: &Globals) -> Result<()> {
    let start = Instant::now();
    let mut report = globals.report();
    let assets = assets_dir();
    let folder = args
        .weights
        .clone()
        .unwrap_or_else(|| model::shipped(&assets));
    let engine = Engine::load(&folder, &assets, &Device::Cpu)?;
    let bench = Bench {
        people: usize::from(args.people),
        seed: globals.seed,
        neighbours: usize::from(args.neighbours),
        rough: args.rough.clamp(0.0, 4.0),
    };
    let found = bench.run(&engine, |done| {
        report.event("progress", &json!({ "done": done, "unit": "people" }));
    })?;
    let mut fields = serde_json::to_value(&found)
        .map_err(|error| Error::Input(format!("cannot write what was found: {error}")))?;
    fields["seconds"] = json!(start.elapsed().as_secs_f64());
    report.event("result", &fields);
    report.text(&format!(
        "landmarks of {} people, pixels of 128: clean {:.2}, moved onto the manifold {:.2}, nearest \
         of the bank {:.2} (ratio {:.2}), mean face {:.2}\n",
        found.people,
        found.clean,
        found.clean_refined,
        found.nearest,
        found.clean / found.nearest,
        found.mean_face,
    ));
    let often = |share: f64| format!("{:.1} %", share * 100.0);
    report.text(&format!(
        "rough {:.2}, moved {:.2}: nearer in {} (95 %: {} to {})\n",
        found.rough,
        found.rough_refined,
        often(found.refined_is_nearer.share),
        often(found.refined_is_nearer.low),
        often(found.refined_is_nearer.high),
    ));
    report.text(&format!(
        "network: {:.2} dB from clean drawings; rough {:.4}, moved {:.4}: nearer in {} (95 %: {} to {})\n",
        found.net_clean_psnr,
        found.net_rough,
        found.net_rough_refined,
        often(found.net_refined_is_nearer.share),
        often(found.net_refined_is_nearer.low),
        often(found.net_refined_is_nearer.high),
    ));
    report.text(&format!(
        "hair styles right: {}\nfrom ink to picture: network {:.0} ms, kit {:.0} ms\n",
        often(found.hair.share),
        found.net_milliseconds,
        found.kit_milliseconds,
    ));
    Ok(())
}
