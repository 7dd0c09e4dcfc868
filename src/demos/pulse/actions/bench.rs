//! `vitrine pulse bench`: how fast people are drawn, and how well and fast answers are found.

use std::time::Instant;

use candle_core::Device;
use clap::{Args, value_parser};
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::person::standing;
use super::upscale::SearchArgs;
use crate::cli::{Globals, Report, interrupted};
use crate::demos::pulse::generator::{self, Sizes, search_time};
use crate::demos::pulse::upscale::Models;
use crate::demos::pulse::{bench, learned};
use crate::error::{Error, Result};
use crate::human::{Extent, Kit, Part, Quality, Sampler, Wardrobe};
use crate::nn::cpu::process_cpu_time;
use crate::rng::Rng;
use crate::store::assets_dir;

#[derive(Args)]
pub(super) struct BenchArgs {
    /// People of each kind
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Held-out people whose answers are searched for, from 8 and from 16 pixels; 0 for none
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u16).range(0..=10_000))]
    people: u16,
    /// Answers for each
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u16).range(1..=64))]
    samples: u16,
    /// Held-out people that are searched for through the learned generator, from 16 pixels; 0 for none
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u16).range(0..=10_000))]
    learned: u16,
    #[command(flatten)]
    search: SearchArgs,
}

pub(super) fn run(args: &BenchArgs, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let mut rates = Map::new();
    people(args, globals, &mut report, &mut rates)?;
    let kit = Kit::head(&assets_dir())?;
    rates.insert(
        "generator_search".to_owned(),
        json!(search(&Sampler::new(&kit), globals.seed, &mut report)?),
    );
    preview(globals, &mut report, &mut rates)?;
    answers(args, globals, &mut report, &mut rates)?;
    learned_answers(args, globals, &mut report, &mut rates)?;
    report.event("result", &json!(rates));
    Ok(())
}

/// How fast people are drawn.
fn people(
    args: &BenchArgs,
    globals: &Globals,
    report: &mut Report,
    rates: &mut Map<String, Value>,
) -> Result<()> {
    let kit = Kit::whole(&assets_dir())?;
    let sampler = Sampler::new(&kit);
    for (name, extent, quality) in [
        (
            "faces",
            Extent::Head,
            Quality {
                size: 128,
                samples: 3,
            },
        ),
        (
            "bodies",
            Extent::Body,
            Quality {
                size: 256,
                samples: 1,
            },
        ),
    ] {
        let wardrobe = Wardrobe::new(&kit, extent);
        let pose = standing();
        let pose = (extent == Extent::Body).then_some(&pose);
        let rng = Rng::new(globals.seed);
        let (start, cpu) = (Instant::now(), process_cpu_time());
        let lit: usize = (0..args.count)
            .into_par_iter()
            .filter(|_| !interrupted())
            .map(|number| {
                let z = sampler.draw(&mut rng.split(&number.to_string()));
                let picture = sampler.portrait(&z).draw(&wardrobe, extent, pose, quality);
                picture
                    .parts
                    .iter()
                    .filter(|p| **p != Part::Backdrop)
                    .count()
            })
            .sum();
        if interrupted() {
            return Err(Error::Cancelled);
        }
        let cpu = process_cpu_time().saturating_sub(cpu).as_secs_f64();
        let wall = start.elapsed().as_secs_f64();
        let rate = f64::from(args.count) / cpu;
        report.text(&format!(
            "{rate:6.1} {name} a CPU second, {} px, {}x{} samples\n",
            quality.size, quality.samples, quality.samples
        ));
        rates.insert(
            name.to_owned(),
            json!({
                "count": args.count,
                "size": quality.size,
                "samples": quality.samples,
                "per_cpu_second": rate,
                "cpu_seconds": cpu,
                "wall_seconds": wall,
                "mean_share_seen":
                    lit as f64 / (f64::from(args.count) * (quality.size * quality.size) as f64),
            }),
        );
    }
    Ok(())
}

/// How soon a painted pixel is answered.
fn preview(globals: &Globals, report: &mut Report, rates: &mut Map<String, Value>) -> Result<()> {
    let mut times = bench::first_previews(globals.worker_options(), 16, PREVIEWS)?;
    times.sort_unstable();
    let (median, most) = (times[PREVIEWS / 2], times[PREVIEWS - 1]);
    report.text(&format!(
        "{:4} ms from a painted pixel to the first preview, at most {} ms\n",
        median.as_millis(),
        most.as_millis()
    ));
    rates.insert(
        "first_preview".to_owned(),
        json!({
            "pixels": PREVIEWS,
            "median_seconds": median.as_secs_f64(),
            "most_seconds": most.as_secs_f64(),
        }),
    );
    Ok(())
}

/// How well and fast the kit's answers are found.
fn answers(
    args: &BenchArgs,
    globals: &Globals,
    report: &mut Report,
    rates: &mut Map<String, Value>,
) -> Result<()> {
    if args.people > 0 {
        let mut models = Models::new()?;
        for side in [8, 16] {
            let wanted = (
                side,
                usize::from(args.people),
                usize::from(args.samples),
                128,
            );
            let go_on = || !interrupted();
            let config = args.search.config();
            let found = bench::search(&mut models, wanted, &config, globals.seed, go_on)?;
            report.text(&format!(
                "{side:2} px: {:5.1} % of answers within {}, {:5.1} % of the best of {}, {:.3} CPU \
                 seconds an answer of 128 px\n",
                found.success * 100.0,
                found.epsilon,
                found.success_of_best * 100.0,
                found.samples,
                found.cpu_seconds_an_answer
            ));
            rates.insert(format!("search_{side}"), json!(found));
        }
    }
    Ok(())
}

/// How well the learned generator draws people, and how well and fast its answers are found.
fn learned_answers(
    args: &BenchArgs,
    globals: &Globals,
    report: &mut Report,
    rates: &mut Map<String, Value>,
) -> Result<()> {
    if args.learned > 0 {
        let wanted = (
            16,
            DRAWN,
            usize::from(args.learned),
            usize::from(args.samples),
        );
        let found = bench::learned(&learned::shipped(), wanted, globals.seed, || !interrupted())?;
        report.text(&format!(
            "learned generator: {:.2} dB, SSIM {:.4}, {} people\n",
            found.pictures.psnr, found.pictures.ssim, found.pictures.people,
        ));
        for search in &found.searches {
            report.text(&format!(
                "{:2} px, cross weight {}: {:5.1} % of answers within epsilon, {:.2} dB to the true \
                 face, {:.3} CPU seconds an answer\n",
                search.side,
                search.cross_weight,
                search.success * 100.0,
                search.psnr,
                search.cpu_seconds_an_answer
            ));
        }
        rates.insert("learned".to_owned(), json!(found));
    }
    Ok(())
}

/// Held-out people that the learned generator's pictures are compared with.
const DRAWN: usize = 256;
/// Pixels that are painted to time the first preview.
const PREVIEWS: usize = 21;
/// Steps of a search through the learned generator that are timed.
const SEARCH_STEPS: usize = 100;

/// What a search through the learned generator costs, for one face. The weights do not matter to
/// that, so they are random ones.
fn search(sampler: &Sampler, seed: u64, report: &mut Report) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    for size in [64, 128] {
        let mut rng = Rng::new(seed).split("search");
        let (_, net) = generator::file::build(Sizes::new(size), sampler, &Device::Cpu, &rng)?;
        let seconds = search_time(&net, SEARCH_STEPS, &mut rng)?.as_secs_f64();
        report.text(&format!(
            "{seconds:6.2} CPU seconds for {SEARCH_STEPS} search steps, {size} px\n"
        ));
        rows.push(json!({ "size": size, "steps": SEARCH_STEPS, "cpu_seconds": seconds }));
    }
    Ok(rows)
}
