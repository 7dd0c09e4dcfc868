//! `vitrine pulse person`: an imaginary person with everything that is known about the picture.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, value_parser};
use serde_json::json;

use crate::cli::Globals;
use crate::data::Image;
use crate::demos::pulse::answer::Attributes;
use crate::error::{Error, Result};
use crate::human::raster::Picture;
use crate::human::rig::Pose;
use crate::human::{Extent, Kit, Part, Quality, Sampler, Wardrobe};
use crate::rng::Rng;
use crate::store::{assets_dir, atomic_write};

#[derive(Args)]
pub(super) struct PersonArgs {
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

/// Arms let down a little from where the kit's figure holds them.
pub(super) fn standing() -> Pose {
    Pose::from([
        ("upperarm01.L".to_owned(), [0.0, 0.0, -0.6]),
        ("upperarm01.R".to_owned(), [0.0, 0.0, 0.6]),
    ])
}

pub(super) fn run(args: &PersonArgs, globals: &Globals) -> Result<()> {
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
            "attributes": Attributes::of(&portrait.person, &picture),
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
