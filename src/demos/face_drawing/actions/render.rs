//! `vitrine sketch render`: an imaginary person drawn in a style, with the true picture.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;

use crate::cli::Globals;
use crate::data::Image;
use crate::demos::face_drawing::cast::Cast;
use crate::demos::face_drawing::drawing::{Drawing, Ink, svg};
use crate::demos::face_drawing::landmarks;
use crate::demos::face_drawing::style::{Roughness, Style};
use crate::error::{Error, Result};
use crate::human::{Kit, Quality};
use crate::rng::Rng;
use crate::store::{assets_dir, atomic_write};

/// Pixels in a side of a drawing's PNG file.
const SIDE: usize = 512;

#[derive(Args)]
pub(super) struct RenderArgs {
    /// How it is drawn
    #[arg(long, value_enum, default_value_t = Style::Pen)]
    style: Style,
    /// How badly it is drawn: 0 clean, 1 as with a mouse
    #[arg(long, default_value_t = 0.0)]
    rough: f64,
    /// The file of the drawing, PNG or SVG
    #[arg(long)]
    out: PathBuf,
    /// The PNG file of the person's true picture
    #[arg(long)]
    truth: Option<PathBuf>,
    /// Pixels in a side of the true picture
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(16..=1024))]
    size: u16,
}

pub(super) fn run(args: &RenderArgs, globals: &Globals) -> Result<()> {
    let start = Instant::now();
    if !(0.0..=4.0).contains(&args.rough) {
        return Err(Error::Input("--rough goes from 0 to 4".into()));
    }
    let cast = Cast::new(Kit::head(&assets_dir())?);
    let wardrobe = cast.wardrobe();
    let z = cast.vector(&Rng::new(globals.seed).split("sketch"), 0);
    let subject = cast.subject(&wardrobe, z);
    let mut drawing = subject.drawing(args.style);
    if args.rough > 0.0 {
        let mut rng = Rng::new(globals.seed).split("rough");
        drawing = Roughness::MOUSE
            .times(args.rough)
            .redraw(&drawing, &mut rng);
    }
    write_drawing(&args.out, &drawing)?;
    if let Some(out) = &args.truth {
        let quality = Quality {
            size: usize::from(args.size),
            samples: 3,
        };
        let (picture, _) = cast.picture(&wardrobe, &subject.z, quality);
        let rgba = picture
            .color
            .iter()
            .flat_map(|&[r, g, b]| [r, g, b, 255])
            .collect();
        let side = u32::from(args.size);
        atomic_write(out, &Image::new(side, side, rgba)?.encode_png()?)?;
    }
    let mut report = globals.report();
    let named: serde_json::Map<_, _> = landmarks::names()
        .zip(&subject.landmarks)
        .map(|(name, place)| (name, json!(place)))
        .collect();
    report.event(
        "result",
        &json!({
            "seed": globals.seed,
            "style": args.style,
            "out": args.out,
            "strokes": drawing.strokes.len(),
            "z": subject.z,
            "landmarks": named,
            "seconds": start.elapsed().as_secs_f64(),
        }),
    );
    report.text(&format!(
        "{} strokes written to {}\n",
        drawing.strokes.len(),
        args.out.display()
    ));
    Ok(())
}

/// Writes a drawing as SVG, or as a picture of dark lines on white.
fn write_drawing(path: &Path, drawing: &Drawing) -> Result<()> {
    let is_svg = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("svg"));
    if is_svg {
        return atomic_write(path, svg::write(drawing).as_bytes());
    }
    atomic_write(path, &Ink::of(drawing, SIDE).to_image().encode_png()?)
}
