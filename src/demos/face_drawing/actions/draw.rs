//! `vitrine sketch draw`: a face from a drawing's file.

use std::path::PathBuf;
use std::time::Instant;

use candle_core::Device;
use clap::{Args, value_parser};
use serde_json::json;

use crate::cli::Globals;
use crate::demos::face_drawing::appearance;
use crate::demos::face_drawing::drawing::read_sketch;
use crate::demos::face_drawing::engine::{Engine, Refinement, Set};
use crate::demos::face_drawing::job::Painter;
use crate::demos::face_drawing::model;
use crate::demos::face_drawing::parts::{PARTS, PerPart, SIDE};
use crate::error::{Error, Result};
use crate::human::Quality;
use crate::store::{assets_dir, atomic_write};

#[derive(Args)]
pub(super) struct DrawArgs {
    /// The drawing: a PNG, JPEG or WebP picture of dark lines on light paper, or an SVG file
    sketch: PathBuf,
    /// The PNG file of the face
    #[arg(long)]
    out: PathBuf,
    /// Who paints it: the network of the paper, or the kit's own person
    #[arg(long, value_enum, default_value_t = Painter::Kit)]
    painter: Painter,
    /// How far parts are moved onto the manifold: 0 as drawn, 1 all the way
    #[arg(long, default_value_t = 1.0, value_parser = share)]
    refine: f32,
    /// The same for single parts, such as `mouth=0.3`; parts are `left eye`, `right eye`, `nose`,
    /// `mouth` and `remainder`
    #[arg(long = "parts", value_name = "PART=SHARE", value_delimiter = ',')]
    parts: Vec<String>,
    /// Neighbours that span the manifold, K
    #[arg(long, default_value_t = 30, value_parser = value_parser!(u16).range(1..=200))]
    neighbours: u16,
    /// Pixels in a side of the kit's face; the network's has 128
    #[arg(long, default_value_t = 128, value_parser = value_parser!(u16).range(16..=1024))]
    size: u16,
    /// Numbers of the appearance to set, in deviations from the mean, such as `age=1.5`
    #[arg(long = "set", value_name = "NAME=NUMBER")]
    set: Vec<String>,
    /// The PNG file of what was understood, as ink
    #[arg(long)]
    shadow: Option<PathBuf>,
}

fn share(text: &str) -> std::result::Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("a share goes from 0 to 1".into()),
    }
}

fn pair(text: &str) -> Result<(&str, &str)> {
    text.split_once('=')
        .map(|(name, value)| (name.trim(), value.trim()))
        .ok_or_else(|| Error::Input(format!("`{text}` is no NAME=NUMBER")))
}

fn refinements(args: &DrawArgs) -> Result<PerPart<f32>> {
    let mut shares = [args.refine; PARTS.len()];
    for text in &args.parts {
        let (name, value) = pair(text)?;
        let part = PARTS.iter().position(|part| part.name == name);
        let (Some(part), Ok(value)) = (part, share(value)) else {
            let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
            return Err(Error::Input(format!(
                "`{text}`: a part is one of {}, its share 0 to 1",
                names.join(", ")
            )));
        };
        shares[part] = value;
    }
    Ok(shares)
}

fn appearance_of(texts: &[String]) -> Result<Set> {
    let mut set: Set = [None; appearance::COUNT];
    for text in texts {
        let (name, value) = pair(text)?;
        let at = appearance::NAMES.iter().position(|known| *known == name);
        let value = value.parse::<f32>().ok().filter(|v| v.abs() <= 4.0);
        let (Some(at), Some(value)) = (at, value) else {
            return Err(Error::Input(format!(
                "`{text}`: the appearance has numbers from -4 to 4 for {}",
                appearance::NAMES.join("; ")
            )));
        };
        set[at] = Some(value);
    }
    Ok(set)
}

pub(super) fn run(args: &DrawArgs, globals: &Globals) -> Result<()> {
    let start = Instant::now();
    let refinement = Refinement {
        parts: refinements(args)?,
        neighbours: usize::from(args.neighbours),
        ..Refinement::default()
    };
    let set = appearance_of(&args.set)?;
    let ink = read_sketch(&args.sketch)?.ink(SIDE).values;
    let assets = assets_dir();
    let engine = Engine::load(&model::shipped(&assets), &assets, &Device::Cpu)?;
    let wardrobe = engine.cast().wardrobe();
    let face = || {
        let understood = engine.understand(&ink, &refinement)?;
        let image = match args.painter {
            Painter::Net => {
                let appearance = engine.appearance(&understood.codes, &set)?;
                engine.paint(&understood.codes, &appearance)?
            }
            Painter::Kit => {
                let z = engine.person(&wardrobe, &understood.codes, &set)?;
                let quality = Quality {
                    size: usize::from(args.size),
                    samples: 3,
                };
                engine.draw(&wardrobe, &z, quality)?
            }
        };
        Ok::<_, Error>((understood, image))
    };
    face()?;
    let warm = Instant::now();
    let (understood, image) = face()?;
    let milliseconds = warm.elapsed().as_secs_f64() * 1e3;
    atomic_write(&args.out, &image.encode_png()?)?;
    if let Some(path) = &args.shadow {
        let values = engine.shadow(&understood)?;
        let ink = crate::demos::face_drawing::drawing::Ink { side: SIDE, values };
        atomic_write(path, &ink.to_image().encode_png()?)?;
    }
    let parts: Vec<_> = PARTS
        .iter()
        .zip(&understood.parts)
        .zip(understood.drawn)
        .map(|((part, near), drawn)| {
            json!({
                "part": part.name,
                "drawn": drawn,
                "neighbours": near.people,
                "weights": near.weights,
                "distances": near.distances,
            })
        })
        .collect();
    let mut report = globals.report();
    report.event(
        "result",
        &json!({
            "out": args.out,
            "painter": args.painter,
            "parts": parts,
            "milliseconds": milliseconds,
            "seconds": start.elapsed().as_secs_f64(),
        }),
    );
    report.text(&format!(
        "a face in {milliseconds:.0} ms, written to {}\n",
        args.out.display()
    ));
    Ok(())
}
