//! Drawings: strokes on a square sheet, and pictures of lines.
//!
//! The sheet is 512 by 512 units, as the sketches of the paper are. A [`Drawing`] is a list of
//! [`Stroke`]s, each a polyline with round caps; what rubs out is a stroke too, so that everything
//! on the sheet has its place in one order. [`Ink`] is what a drawing looks like on a raster, from
//! 0 (paper) to 1. A [`Sketch`] is what lies on a sheet: a scanned or pasted picture of lines, if
//! there is one, and the drawing over it.

mod curve;
pub mod film;
pub mod hex;
mod history;
mod picture;
mod raster;
mod smooth;
pub mod svg;

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::curve::finished;
pub use self::history::History;
pub use self::picture::{Scan, read_scan};
pub use self::raster::{Frame, Ink};
pub use self::smooth::Trail;

use crate::error::{Error, Result};

/// The sheet's side in units.
pub const SIDE: f32 = 512.0;
/// The most strokes of a drawing.
pub const MAX_STROKES: usize = 5_000;
/// The most points of a drawing, all strokes together.
pub const MAX_POINTS: usize = 200_000;
/// How far outside the sheet's corner at 0 a stroke may reach, in units.
pub const MAX_REACH: f32 = 8.0 * SIDE;
/// The widths that a stroke may have, in units.
pub const WIDTHS: std::ops::RangeInclusive<f32> = 0.1..=SIDE;

/// A place on the sheet, in units from its upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 2]", into = "[f32; 2]")]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Point {
    /// The place at `x` and `y`.
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// How far another place is.
    #[must_use]
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// The place between this one, at 0, and another, at 1.
    #[must_use]
    pub fn toward(self, other: Self, at: f32) -> Self {
        Self::new(
            self.x + (other.x - self.x) * at,
            self.y + (other.y - self.y) * at,
        )
    }

    /// Its mirror image, left and right of the sheet's middle.
    #[must_use]
    pub fn mirrored(self) -> Self {
        Self::new(SIDE - self.x, self.y)
    }
}

impl From<[f32; 2]> for Point {
    fn from([x, y]: [f32; 2]) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f32; 2] {
    fn from(point: Point) -> Self {
        [point.x, point.y]
    }
}

/// A line drawn in one go, or rubbed out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stroke {
    /// Its corners; a single one is a dot.
    pub points: Vec<Point>,
    /// Its width in units.
    pub width: f32,
    /// It takes ink away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub eraser: bool,
}

impl Stroke {
    /// Its mirror image, left and right of the sheet's middle.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Self {
            points: self.points.iter().map(|point| point.mirrored()).collect(),
            ..self.clone()
        }
    }

    /// Whether the box around it meets the sheet.
    #[must_use]
    pub fn is_on_sheet(&self) -> bool {
        let meets = |of: fn(&Point) -> f32| {
            let reach = 0.5 * self.width;
            let places = || self.points.iter().map(of);
            places().any(|v| v >= -reach) && places().any(|v| v <= SIDE + reach)
        };
        meets(|p| p.x) && meets(|p| p.y)
    }

    fn check(&self) -> Result<()> {
        if self.points.is_empty() {
            return Err(Error::Input("a stroke has no points".into()));
        }
        if !WIDTHS.contains(&self.width) {
            return Err(Error::Input(format!(
                "a stroke is {} units wide, {} to {} are possible",
                self.width,
                WIDTHS.start(),
                WIDTHS.end()
            )));
        }
        let near = |v: f32| v.abs() <= MAX_REACH;
        match self.points.iter().find(|p| !near(p.x) || !near(p.y)) {
            None => Ok(()),
            Some(point) => Err(Error::Input(format!(
                "a stroke passes through ({}, {}), far from the sheet of {SIDE} units",
                point.x, point.y
            ))),
        }
    }
}

/// Strokes, in the order in which they were drawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Drawing {
    /// The strokes.
    pub strokes: Vec<Stroke>,
}

/// A drawing as a file or a session has it.
#[derive(Deserialize)]
struct Unchecked {
    strokes: Vec<Stroke>,
}

impl TryFrom<Unchecked> for Drawing {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        let drawing = Self {
            strokes: unchecked.strokes,
        };
        drawing.check()?;
        Ok(drawing)
    }
}

impl Drawing {
    /// Whether all its numbers are possible. Drawings that are deserialised or read from a file were
    /// checked.
    ///
    /// # Errors
    /// When it has too many strokes or points, a stroke without points, or a number that is not
    /// finite or out of range.
    pub fn check(&self) -> Result<()> {
        if self.strokes.len() > MAX_STROKES {
            return Err(Error::Input(format!(
                "a drawing of {} strokes is too large, {MAX_STROKES} are possible",
                self.strokes.len()
            )));
        }
        let points = self.points();
        if points > MAX_POINTS {
            return Err(Error::Input(format!(
                "a drawing of {points} points is too large, {MAX_POINTS} are possible"
            )));
        }
        self.strokes.iter().try_for_each(Stroke::check)
    }

    /// Whether these strokes can be added without it becoming too large.
    #[must_use]
    pub fn has_room(&self, strokes: &[Stroke]) -> bool {
        let more: usize = strokes.iter().map(|stroke| stroke.points.len()).sum();
        self.strokes.len() + strokes.len() <= MAX_STROKES && self.points() + more <= MAX_POINTS
    }

    /// How many points its strokes have together.
    #[must_use]
    pub fn points(&self) -> usize {
        self.strokes.iter().map(|stroke| stroke.points.len()).sum()
    }

    /// Its mirror image, left and right of the sheet's middle.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Self {
            strokes: self.strokes.iter().map(Stroke::mirrored).collect(),
        }
    }
}

/// What lies on a sheet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sketch {
    /// A picture of lines below the strokes, which the eraser takes away too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Arc<Scan>>,
    /// The strokes.
    pub drawing: Drawing,
}

impl From<Drawing> for Sketch {
    fn from(drawing: Drawing) -> Self {
        Self {
            scan: None,
            drawing,
        }
    }
}

impl Sketch {
    /// Whether nothing was drawn on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scan.is_none() && self.drawing.strokes.is_empty()
    }

    /// What it looks like on `side * side` pixels.
    #[must_use]
    pub fn ink(&self, side: usize) -> Ink {
        let mut ink = match &self.scan {
            Some(scan) => scan.ink(side),
            None => Ink::empty(side),
        };
        ink.draw(&self.drawing);
        ink
    }
}

/// Reads a sketch: an SVG of strokes, or a PNG, JPEG, WebP or GIF of dark lines on light paper, or of
/// light lines on dark. Which of them it is, its content tells.
///
/// # Errors
/// When the file cannot be read, is larger than [`svg::MAX_BYTES`] or [`crate::data::MAX_BYTES`], is
/// none of these, is damaged, or has no lines.
pub fn read_sketch(path: &Path) -> Result<Sketch> {
    let bytes = picture::read(path)?;
    if svg::is_svg(&bytes) {
        svg::read(&bytes, path).map(Sketch::from)
    } else {
        let scan = read_scan(&bytes, path)?;
        Ok(Sketch {
            scan: Some(Arc::new(scan)),
            drawing: Drawing::default(),
        })
    }
}
