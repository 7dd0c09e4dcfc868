//! Hands that draw: which lines they put down, how thick, and how badly.
//!
//! A style turns the lines of a person into strokes. A clean drawing has every line where it is; a
//! rough one is what a mouse makes of it: strokes left out, broken, shaken, bent and doubled, parts
//! forgotten. The strokes are the same for the same random stream.

use serde::{Deserialize, Serialize};

use super::drawing::{Drawing, Point, Stroke};
use super::lines::{CANVAS, Kind, Line};
use super::parts::PARTS;
use crate::rng::Rng;

/// A way to draw people.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Every border and fold, with a pen; the style that all others are understood as.
    #[default]
    Pen,
    /// Thin, with wrinkles and strands of hair.
    Pencil,
    /// Thick and few lines.
    Marker,
    /// As somebody draws in a hurry: no pupils, brows as one stroke each, no clothes.
    Doodle,
}

impl Style {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pen, Self::Pencil, Self::Marker, Self::Doodle];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pen => "pen",
            Self::Pencil => "pencil",
            Self::Marker => "marker",
            Self::Doodle => "doodle",
        }
    }

    /// The width of its strokes in canvas units.
    #[must_use]
    pub fn width(self) -> f32 {
        match self {
            Self::Pencil => 2.6,
            Self::Pen => 4.0,
            Self::Doodle => 5.0,
            Self::Marker => 7.0,
        }
    }

    /// How much wider than usual it draws a line of a kind; none when it leaves it out.
    fn weight(self, kind: Kind) -> Option<f32> {
        let usual = match kind {
            Kind::BrowMiddle | Kind::Wrinkle | Kind::Strand => None,
            Kind::Fold => Some(0.8),
            Kind::Iris | Kind::Pupil | Kind::Brow => Some(0.9),
            _ => Some(1.0),
        };
        match (self, kind) {
            (Self::Pencil, Kind::Wrinkle | Kind::Strand) => Some(0.7),
            (Self::Marker | Self::Doodle, Kind::Pupil | Kind::Brow)
            | (Self::Doodle, Kind::Garment) => None,
            (Self::Doodle, Kind::BrowMiddle) => Some(1.8),
            (Self::Marker, Kind::BrowMiddle) => Some(1.5),
            _ => usual,
        }
    }

    /// How long a line has to be, in canvas units.
    fn least(self, kind: Kind) -> f32 {
        match (self, kind) {
            (Self::Pencil, _) => 10.0,
            (Self::Marker | Self::Doodle, Kind::Fold) => 34.0,
            (Self::Marker | Self::Doodle, Kind::Outline | Kind::Hair | Kind::Garment) => 60.0,
            (_, Kind::Outline | Kind::Hair | Kind::Garment) => 40.0,
            (_, Kind::Fold) => 18.0,
            _ => 8.0,
        }
    }

    /// A clean drawing of these lines.
    #[must_use]
    pub fn draw(self, lines: &[Line]) -> Drawing {
        let strokes = lines
            .iter()
            .filter(|line| super::field::length(&line.points) >= self.least(line.kind))
            .filter_map(|line| {
                Some(Stroke {
                    points: line.points.iter().map(|&[x, y]| Point { x, y }).collect(),
                    width: self.width() * self.weight(line.kind)?,
                    eraser: false,
                })
            })
            .collect();
        Drawing { strokes }
    }
}

/// How badly something is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roughness {
    /// The share of strokes that are left out.
    pub dropped: f64,
    /// How often a stroke is broken, once every so many canvas units; 0 never.
    pub broken: f64,
    /// How far points shake, canvas units.
    pub shake: f64,
    /// How far whole strokes lie beside their place, canvas units.
    pub shift: f64,
    /// How far the drawing is bent, canvas units.
    pub bend: f64,
    /// By what factor widths differ, as the spread of a logarithm.
    pub width: f64,
    /// How likely a part (an eye, the nose, the mouth) is forgotten.
    pub missing: f64,
}

impl Roughness {
    /// As steady hands draw.
    pub const STEADY: Self = Self {
        dropped: 0.02,
        broken: 0.0,
        shake: 0.4,
        shift: 0.6,
        bend: 1.0,
        width: 0.15,
        missing: 0.0,
    };
    /// As a mouse draws.
    pub const MOUSE: Self = Self {
        dropped: 0.08,
        broken: 90.0,
        shake: 1.6,
        shift: 2.5,
        bend: 4.0,
        width: 0.25,
        missing: 0.0,
    };
    /// As a child draws: much is left out, and little lies in its place.
    pub const WILD: Self = Self {
        dropped: 0.2,
        broken: 60.0,
        shake: 3.0,
        shift: 5.0,
        bend: 7.0,
        width: 0.4,
        missing: 0.15,
    };

    /// Everything this share of what it is.
    #[must_use]
    pub fn times(self, share: f64) -> Self {
        Self {
            dropped: self.dropped * share,
            broken: if share > 0.0 {
                self.broken / share
            } else {
                0.0
            },
            shake: self.shake * share,
            shift: self.shift * share,
            bend: self.bend * share,
            width: self.width * share,
            missing: self.missing * share,
        }
    }

    /// Draws a drawing anew, badly.
    #[must_use]
    pub fn redraw(&self, drawing: &Drawing, rng: &mut Rng) -> Drawing {
        self.redraw_with(drawing, &[], rng).0
    }

    /// Draws a drawing anew, badly, and tells where places of it come to lie: those near a stroke move
    /// with it.
    #[must_use]
    pub fn redraw_with(
        &self,
        drawing: &Drawing,
        places: &[[f32; 2]],
        rng: &mut Rng,
    ) -> (Drawing, Vec<[f32; 2]>) {
        let mut shifts = Vec::new();
        let bend = Bend::new(self.bend, rng);
        let forgotten: Vec<_> = PARTS[..4]
            .iter()
            .filter(|_| rng.uniform() < self.missing)
            .collect();
        let all = (self.width * rng.normal()).exp();
        let mut strokes = Vec::new();
        for stroke in &drawing.strokes {
            let middle = middle(&stroke.points);
            let missing = forgotten.iter().any(|part| part.holds(middle));
            if rng.uniform() < self.dropped || missing {
                continue;
            }
            let by = [0; 2].map(|_| self.shift * rng.normal());
            shifts.push((stroke, by));
            let width = f64::from(stroke.width) * all * (0.3 * self.width * rng.normal()).exp();
            let shaken = self.shaken(&stroke.points, by, &bend, rng);
            for points in self.broken(shaken, rng) {
                strokes.push(Stroke {
                    points,
                    width: width.clamp(1.5, 14.0) as f32,
                    eraser: stroke.eraser,
                });
            }
        }
        let moved = places
            .iter()
            .map(|&place| {
                let bent = bend.at(place);
                let by = nearest_shift(&shifts, place);
                [0, 1].map(|axis| (f64::from(place[axis]) + bent[axis] + by[axis]) as f32)
            })
            .collect();
        (Drawing { strokes }, moved)
    }

    /// Points every few units, beside their places by slow random curves.
    fn shaken(&self, points: &[Point], by: [f64; 2], bend: &Bend, rng: &mut Rng) -> Vec<Point> {
        let mut off = [0.0; 2];
        resampled(points, 6.0)
            .into_iter()
            .map(|point| {
                let bent = bend.at([point.x, point.y]);
                let moved = [0, 1].map(|axis| {
                    // A walk that is drawn back: neighbours shake together.
                    off[axis] = 0.8 * off[axis] + 0.6 * self.shake * rng.normal();
                    by[axis] + bent[axis] + off[axis]
                });
                Point {
                    x: (f64::from(point.x) + moved[0]).clamp(0.0, f64::from(CANVAS)) as f32,
                    y: (f64::from(point.y) + moved[1]).clamp(0.0, f64::from(CANVAS)) as f32,
                }
            })
            .collect()
    }

    /// Pieces with gaps between them.
    fn broken(&self, points: Vec<Point>, rng: &mut Rng) -> Vec<Vec<Point>> {
        if self.broken <= 0.0 {
            return vec![points];
        }
        let chance = 6.0 / self.broken;
        let mut pieces = vec![Vec::new()];
        let mut gap = 0;
        for point in points {
            if gap > 0 {
                gap -= 1;
                continue;
            }
            if rng.uniform() < chance && pieces.last().is_some_and(|piece| piece.len() > 2) {
                gap = rng.below(3);
                pieces.push(Vec::new());
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push(point);
            }
        }
        pieces.retain(|piece| piece.len() > 1);
        pieces
    }
}

/// A smooth random field that moves a whole drawing: a few waves across the canvas.
struct Bend {
    waves: Vec<[f64; 5]>,
}

impl Bend {
    fn new(reach: f64, rng: &mut Rng) -> Self {
        let wave = |rng: &mut Rng| {
            let mut along = || 0.012 * rng.normal();
            let (x, y) = (along(), along());
            let phase = std::f64::consts::TAU * rng.uniform();
            let mut size = || reach * rng.normal() / 2.0;
            [x, y, phase, size(), size()]
        };
        Self {
            waves: (0..4).map(|_| wave(rng)).collect(),
        }
    }

    fn at(&self, [px, py]: [f32; 2]) -> [f64; 2] {
        self.waves
            .iter()
            .fold([0.0; 2], |[x, y], [kx, ky, phase, sx, sy]| {
                let wave = (kx * f64::from(px) + ky * f64::from(py) + phase).sin();
                [x + sx * wave, y + sy * wave]
            })
    }
}

/// How far from a stroke a place still moves with it, canvas units.
const NEAR: f32 = 16.0;

/// The shift of the stroke that a place lies at.
fn nearest_shift(shifts: &[(&Stroke, [f64; 2])], [x, y]: [f32; 2]) -> [f64; 2] {
    let off = |stroke: &Stroke| {
        let points = stroke.points.iter();
        points
            .map(|point| (point.x - x).hypot(point.y - y))
            .fold(f32::INFINITY, f32::min)
    };
    shifts
        .iter()
        .map(|(stroke, by)| (off(stroke), *by))
        .filter(|(off, _)| *off < NEAR)
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or([0.0; 2], |(_, by)| by)
}

fn middle(points: &[Point]) -> [f32; 2] {
    let count = points.len().max(1) as f32;
    points.iter().fold([0.0; 2], |[x, y], point| {
        [x + point.x / count, y + point.y / count]
    })
}

/// Points along a polyline, this far apart, its ends among them.
fn resampled(points: &[Point], apart: f32) -> Vec<Point> {
    let Some(&first) = points.first() else {
        return Vec::new();
    };
    let mut out = vec![first];
    let mut left = apart;
    for pair in points.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let long = (b.x - a.x).hypot(b.y - a.y);
        let mut at = left;
        while at < long {
            let share = at / long;
            out.push(Point {
                x: a.x + share * (b.x - a.x),
                y: a.y + share * (b.y - a.y),
            });
            at += apart;
        }
        left = at - long;
    }
    if points.len() > 1 {
        out.push(points[points.len() - 1]);
    }
    out
}
