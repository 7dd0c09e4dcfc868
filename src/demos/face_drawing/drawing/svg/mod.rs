//! Drawings as SVG: written so that every program shows them smoothly, and read back point for point;
//! lines of other programs' files are read as well.
//!
//! A file of our own has one `<path>` for each stroke, a chain of cubics through the stroke's points;
//! the eraser is a stroke of the paper's colour marked `data-eraser`. Reading it, the cubics are
//! computed again from their ends: where they are the same, those ends are the stroke's points.
//! Any other curve becomes a polyline.

mod path;
mod scan;
mod shapes;
mod style;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use kurbo::{Affine, PathEl, PathSeg, Rect, Shape as _};
use roxmltree::{Document, ParsingOptions};

use self::shapes::Outline;
use super::curve::{flatten, single, through};
use super::{Drawing, MAX_POINTS, MAX_REACH, MAX_STROKES, Point, SIDE, Stroke, WIDTHS};
use crate::error::{Error, Result};

/// The most bytes of a file that are read.
pub const MAX_BYTES: u64 = 8 << 20;
/// The most elements and attributes.
const MAX_NODES: u32 = 200_000;
/// How far the polyline of a foreign curve may lie from it, in units.
const FLAT: f64 = 0.05;
/// Curves that differ by less than this are the same, in units; numbers are written to a thousandth.
const SAME: f64 = 2e-3;

/// Whether a file's content looks like SVG.
#[must_use]
pub fn is_svg(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(4096)];
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with("<svg")
        || text.starts_with("<?xml")
        || text.starts_with("<!")
        || text.contains("<svg")
}

/// A drawing as an SVG file.
#[must_use]
pub fn write(drawing: &Drawing) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {SIDE} {SIDE}\" width=\"{SIDE}\" \
         height=\"{SIDE}\">\n<rect width=\"{SIDE}\" height=\"{SIDE}\" fill=\"#ffffff\"/>\n\
         <g fill=\"none\" stroke=\"#1c1c1c\" stroke-linecap=\"round\" stroke-linejoin=\"round\">\n"
    );
    for stroke in &drawing.strokes {
        svg += "<path";
        if stroke.eraser {
            svg += " stroke=\"#ffffff\" data-eraser=\"true\"";
        }
        svg += &format!(" stroke-width=\"{}\" d=\"", stroke.width);
        write_curve(&mut svg, &stroke.points);
        svg += "\"/>\n";
    }
    svg += "</g>\n</svg>\n";
    svg
}

fn thousandths(value: f32) -> f32 {
    // A zero has no sign.
    (value * 1000.0).round() / 1000.0 + 0.0
}

fn write_curve(svg: &mut String, points: &[Point]) {
    // From the points as they will be read.
    let mut points: Vec<Point> = points
        .iter()
        .map(|point| Point::new(thousandths(point.x), thousandths(point.y)))
        .collect();
    points.dedup();
    if let [only] = points[..] {
        // Without a length, but with round caps: a dot.
        svg.push_str(&format!("M{} {}h0", only.x, only.y));
    }
    let place = |p: kurbo::Point| {
        let p = single(p);
        format!("{} {}", thousandths(p.x), thousandths(p.y))
    };
    for element in through(&points).iter() {
        // Writing into a string cannot fail.
        let _ = match element {
            PathEl::MoveTo(to) => write!(svg, "M{}", place(to)),
            PathEl::CurveTo(a, b, to) => write!(svg, "C{} {} {}", place(a), place(b), place(to)),
            _ => Ok(()),
        };
    }
}

/// Reads the lines of an SVG file. Its view box, or else its size, or else the box around all lines,
/// is fitted into the sheet; fills are ignored, and lines as white as the paper erase.
///
/// # Errors
/// When the file is too large, is no SVG, is damaged, has no lines, or asks for more than a
/// [`Drawing`] may have. Entities are refused: a file could grow without bounds by them.
pub fn read(bytes: &[u8], path: &Path) -> Result<Drawing> {
    read_text(bytes).map_err(|reason| Error::bad_file(path, reason))
}

fn read_text(bytes: &[u8]) -> Result<Drawing, String> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!(
            "the SVG has {} bytes, at most {} MiB are read",
            bytes.len(),
            MAX_BYTES >> 20
        ));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| "the SVG is not text in UTF-8, save it again as plain SVG".to_owned())?;
    let text = without_type(text.trim_start_matches('\u{feff}'));
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&text, options)
        .map_err(|error| format!("the SVG cannot be read: {error}"))?;
    let root = document.root_element();
    if root.tag_name().name() != "svg" {
        return Err(format!(
            "this is no SVG, its first element is <{}>",
            root.tag_name().name()
        ));
    }
    let outlines = shapes::outlines(root)?;
    let page = shapes::page(root)?.or_else(|| around(&outlines));
    let fit = page.map_or(Affine::IDENTITY, onto_sheet);
    let mut drawing = Drawing::default();
    for outline in &outlines {
        add(&mut drawing, outline, fit)?;
    }
    if drawing.strokes.is_empty() {
        return Err(
            "the SVG has no lines: nothing in it has a stroke, and fills are not read; export it as \
             PNG instead"
                .into(),
        );
    }
    drawing.check().map_err(|error| error.to_string())?;
    Ok(drawing)
}

/// The text with blanks in place of a document type that defines nothing, as many programs write one.
fn without_type(text: &str) -> Cow<'_, str> {
    let Some(start) = text.find("<!DOCTYPE") else {
        return text.into();
    };
    let Some(length) = text[start..].find(['>', '[']) else {
        return text.into();
    };
    let end = start + length;
    if text.as_bytes()[end] == b'[' || text[..start].contains("<svg") {
        return text.into();
    }
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    let mut out = text[..start].to_owned();
    out.extend(text[start..=end].chars().map(blank));
    out += &text[end + 1..];
    out.into()
}

/// The box around lines that do not fit on the sheet.
fn around(outlines: &[Outline]) -> Option<Rect> {
    let boxes = outlines.iter().map(|outline| outline.path.bounding_box());
    let all = boxes.reduce(|a, b| a.union(b))?;
    let sheet = Rect::new(0.0, 0.0, f64::from(SIDE), f64::from(SIDE));
    let inside = all.union(sheet) == sheet;
    (!inside).then(|| all.inset(0.03 * all.width().max(all.height())))
}

/// Into the middle of the sheet, as large as fits.
fn onto_sheet(page: Rect) -> Affine {
    let side = f64::from(SIDE);
    let scale = side / page.width().max(page.height()).max(f64::MIN_POSITIVE);
    let middle = page.center().to_vec2();
    Affine::translate((side * 0.5, side * 0.5)) * Affine::scale(scale) * Affine::translate(-middle)
}

/// Adds the strokes of an outline: one for each of its parts.
fn add(drawing: &mut Drawing, outline: &Outline, fit: Affine) -> Result<(), String> {
    let mut path = outline.path.clone();
    path.apply_affine(fit);
    let scale = fit.determinant().abs().sqrt() as f32;
    let width = (outline.width * scale).clamp(*WIDTHS.start(), *WIDTHS.end());
    let most = f64::from(MAX_REACH);
    let around = path.control_box();
    let far = [around.x0, around.y0, around.x1, around.y1];
    // Not the other way round: what is not a number is far.
    if !far.iter().all(|v| v.abs() <= most) {
        return Err("a line of the SVG lies far outside of its page".into());
    }
    for part in path.subpaths() {
        let mut points = Vec::new();
        add_points(
            part,
            &mut points,
            MAX_POINTS - drawing.points().min(MAX_POINTS),
        )?;
        if drawing.strokes.len() == MAX_STROKES {
            return Err(format!(
                "the SVG has more than {MAX_STROKES} lines, this is no drawing by hand"
            ));
        }
        if !points.is_empty() {
            drawing.strokes.push(Stroke {
                points,
                width,
                eraser: outline.eraser,
            });
        }
    }
    Ok(())
}

/// The corners of one part of a path. A part without a line, which is not seen, has none.
fn add_points(part: &[PathEl], points: &mut Vec<Point>, room: usize) -> Result<(), String> {
    if part.len() < 2 {
        return Ok(());
    }
    if let Some(own) = own_points(part) {
        *points = own;
    } else {
        for segment in kurbo::segments(part.iter().copied()) {
            add_segment(segment, points);
            if points.len() > room {
                break;
            }
        }
        // A line without a length, which is a dot.
        if points.is_empty() {
            points.extend(part[0].end_point().map(single));
        }
    }
    if points.len() > room {
        return Err(format!(
            "the lines of the SVG have more than {MAX_POINTS} points, simplify it first"
        ));
    }
    Ok(())
}

fn add_segment(segment: PathSeg, points: &mut Vec<Point>) {
    let start = PathEl::MoveTo(kurbo::ParamCurve::start(&segment));
    flatten([start, segment.as_path_el()].into_iter(), FLAT, points);
}

/// The points of a stroke that this program wrote: the ends of its cubics, if those are the ones that
/// go through these points.
fn own_points(part: &[PathEl]) -> Option<Vec<Point>> {
    let mut points: Vec<Point> = Vec::with_capacity(part.len());
    for element in part {
        match element {
            PathEl::MoveTo(to) | PathEl::CurveTo(_, _, to) => points.push(single(*to)),
            _ => return None,
        }
    }
    let again = through(&points);
    let same = |a: kurbo::Point, b: kurbo::Point| a.distance(b) < SAME;
    let fits = again.elements().len() == part.len()
        && again.iter().zip(part).all(|(a, b)| match (a, *b) {
            (PathEl::CurveTo(a1, a2, a3), PathEl::CurveTo(b1, b2, b3)) => {
                same(a1, b1) && same(a2, b2) && same(a3, b3)
            }
            (PathEl::MoveTo(a), PathEl::MoveTo(b)) => same(a, b),
            _ => false,
        });
    fits.then_some(points)
}
