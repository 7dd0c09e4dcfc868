//! Line drawings of people: the lines that somebody who draws a face would put down, found in the
//! truth that comes with a picture.
//!
//! Borders between parts (skin, hair, eyes, brows, lips, clothes) are contours of where each of them
//! is seen. Folds (nostrils, lids, the jaw, ears) are where the surface turns away from the viewer
//! between places where it does not: valleys of how far the normals face the viewer. Strands of hair
//! and wrinkles are valleys of the picture's brightness. Each line knows what it is a line of, so
//! that styles can differ in what they draw ([`super::style`]).

use super::field::{Field, Path, length, pieces, simplified, smoothed};
use crate::human::raster::Picture;
use crate::human::{Kit, Part};

/// Pixels in a side of pictures that lines are found in.
pub const SIDE: usize = 256;
/// Units in a side of a drawing.
pub const CANVAS: f32 = 512.0;

/// What a line is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The border of the person before the backdrop.
    Outline,
    /// The border of the hair on the face.
    Hair,
    /// Strands within the hair.
    Strand,
    /// The border of a brow.
    Brow,
    /// The middle line of a brow.
    BrowMiddle,
    /// The border of an eye between its lids.
    Lid,
    /// The border of an iris.
    Iris,
    /// The border of a pupil.
    Pupil,
    /// The border of the lips.
    Lips,
    /// Where the lips meet, or the border of the open mouth.
    Mouth,
    /// Nostrils, wings and tip of the nose.
    Nose,
    /// Folds: lids, jaw, ears.
    Fold,
    /// What shows by brightness only: wrinkles, shades.
    Wrinkle,
    /// The border of clothes.
    Garment,
}

impl Kind {
    /// All of them, in the order of their numbers in files.
    pub const ALL: [Self; 14] = [
        Self::Outline,
        Self::Hair,
        Self::Strand,
        Self::Brow,
        Self::BrowMiddle,
        Self::Lid,
        Self::Iris,
        Self::Pupil,
        Self::Lips,
        Self::Mouth,
        Self::Nose,
        Self::Fold,
        Self::Wrinkle,
        Self::Garment,
    ];
}

/// A line of a drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it is of.
    pub kind: Kind,
    /// Its points in canvas units, from the upper left.
    pub points: Path,
}

/// Finds the lines of pictures of a kit's people.
#[derive(Clone, Debug)]
pub struct Tracer {
    lips: LipMap,
}

/// An iris' and a pupil's border in an eyeball's texture, from its middle.
const IRIS: f32 = 0.160;
const PUPIL: f32 = 0.062;

impl Tracer {
    /// For a kit's people.
    #[must_use]
    pub fn new(kit: &Kit) -> Self {
        Self {
            lips: LipMap::new(kit),
        }
    }

    /// The lines of a picture of a head, [`SIDE`] pixels in a side.
    #[must_use]
    pub fn lines(&self, picture: &Picture) -> Vec<Line> {
        let mut lines = Lines {
            scale: CANVAS / picture.size as f32,
            found: Vec::new(),
        };
        let seen = |parts: &[Part]| {
            Field::new(picture.size, |at| {
                f32::from(u8::from(parts.contains(&picture.parts[at])))
            })
        };
        let person = Field::new(picture.size, |at| {
            f32::from(u8::from(picture.parts[at] != Part::Backdrop))
        })
        .blurred(1.3);
        // Contours of parts that end where the person ends are drawn once, as its outline.
        let inner = |place: [f32; 2]| person.at(place) > 0.93;
        let frame = |place: [f32; 2]| {
            let last = picture.size as f32 - 2.5;
            place.iter().all(|&v| v > 1.5 && v < last)
        };
        lines.contours(Kind::Outline, &person, 24.0, frame);
        let hair = seen(&[Part::Hair]).blurred(1.8);
        lines.contours(Kind::Hair, &hair, 24.0, |p| frame(p) && inner(p));
        let garment = seen(&[Part::Garment]).blurred(1.2);
        lines.contours(Kind::Garment, &garment, 24.0, |p| frame(p) && inner(p));
        // Thin brows are less than half of their pixels.
        let brow = seen(&[Part::Brow]).blurred(2.4);
        let border = Field::new(picture.size, |at| brow.values[at] + 0.5 - BROW);
        lines.contours(Kind::Brow, &border, 30.0, inner);
        lines.ridges(Kind::BrowMiddle, &brow, [BROW, 2.0 * BROW], 24.0, inner);
        eyes(picture, &mut lines);
        self.mouth(picture, &mut lines);
        folds(picture, &mut lines);
        lines.found
    }

    fn mouth(&self, picture: &Picture, lines: &mut Lines) {
        let lips = Field::new(picture.size, |at| match picture.parts[at] {
            Part::Skin => self.lips.at(picture.uvs[at]),
            Part::Mouth => 1.0,
            _ => 0.0,
        });
        lines.contours(Kind::Lips, &lips.blurred(1.0), 14.0, |_| true);
        let open = Field::new(picture.size, |at| {
            f32::from(u8::from(picture.parts[at] == Part::Mouth))
        });
        lines.contours(Kind::Mouth, &open.blurred(0.9), 10.0, |_| true);
        let facing = facing(picture);
        let within = lips.blurred(0.8);
        let shut = facing.valleys(0.8, 3.0);
        let shut = Field::new(picture.size, |at| {
            if within.values[at] > 0.5 {
                shut.values[at]
            } else {
                0.0
            }
        });
        lines.ridges(Kind::Mouth, &shut, [0.03, 0.08], 12.0, |_| true);
    }
}

fn eyes(picture: &Picture, lines: &mut Lines) {
    let radius = |at: usize| {
        let [u, v] = picture.uvs[at];
        (u - 0.5).hypot(v - 0.5)
    };
    let is_eye = |at: usize| picture.parts[at] == Part::Eye;
    let eye = Field::new(picture.size, |at| f32::from(u8::from(is_eye(at))));
    lines.contours(Kind::Lid, &eye.blurred(0.9), 10.0, |_| true);
    for (kind, most) in [(Kind::Iris, IRIS), (Kind::Pupil, PUPIL)] {
        // As a distance to the border the field has a contour finer than pixels.
        let inside = Field::new(picture.size, |at| {
            if is_eye(at) {
                ((most - radius(at)) / 0.03).clamp(-1.0, 1.0)
            } else {
                -1.0
            }
        });
        lines.contours(kind, &inside.blurred(0.6), 6.0, |_| true);
    }
}

/// How far the skin faces the viewer: 1 straight, 0 turned away.
fn facing(picture: &Picture) -> Field {
    Field::new(picture.size, |at| match picture.parts[at] {
        Part::Skin => picture.normals[at][2].max(0.0),
        // Nothing dark, so that no valley lies along its border.
        _ => 1.0,
    })
}

/// How much of its surroundings is brow at a brow's border.
const BROW: f32 = 0.12;
/// A step in depth that is a line, decimetres.
const STEP: f32 = 0.12;

/// How far the skin lies before other skin beside it, in [`STEP`]s up to 1.
fn steps(picture: &Picture) -> Field {
    let size = picture.size;
    let is_skin = |at: usize| picture.parts[at] == Part::Skin;
    Field::new(size, |at| {
        let (x, y) = (at % size, at / size);
        if !is_skin(at) || x == 0 || y == 0 || x + 1 == size || y + 1 == size {
            return 0.0;
        }
        [at - 1, at + 1, at - size, at + size]
            .into_iter()
            .filter(|&beside| is_skin(beside))
            .map(|beside| (picture.depth[beside] - picture.depth[at]) / STEP)
            .fold(0.0, f32::max)
            .min(1.0)
    })
}

/// Where the nose is, in the neutral figure.
fn is_nose(canonical: [f32; 3]) -> bool {
    let [x, y, z] = canonical;
    x.abs() < 0.28 && (6.76..7.12).contains(&y) && z > 1.38
}

fn folds(picture: &Picture, lines: &mut Lines) {
    let skin = Field::new(picture.size, |at| {
        f32::from(u8::from(picture.parts[at] == Part::Skin))
    })
    .blurred(1.2);
    let within = |field: Field, mask: &Field, least: f32| {
        Field::new(picture.size, |at| {
            if mask.values[at] > least {
                field.values[at]
            } else {
                0.0
            }
        })
    };
    let nose = Field::new(picture.size, |at| {
        f32::from(u8::from(is_nose(picture.canonical[at])))
    });
    let steps = steps(picture).blurred(1.0);
    lines.ridges(Kind::Fold, &steps, [0.18, 0.3], 16.0, |_| true);
    let turned = within(facing(picture).valleys(1.0, 3.5), &skin, 0.75);
    // What is a step already, or belongs to the nose, is not drawn twice.
    let elsewhere = Field::new(picture.size, |at| {
        if steps.values[at] > 0.1 || nose.values[at] > 0.5 {
            0.0
        } else {
            turned.values[at]
        }
    });
    lines.ridges(Kind::Fold, &elsewhere, [0.035, 0.075], 12.0, |_| true);
    let light = Field::new(picture.size, |at| {
        let [r, g, b] = picture.color[at].map(f32::from);
        (0.3 * r + 0.59 * g + 0.11 * b) / 255.0
    });
    let level = light.blurred(5.0);
    let shade = light.valleys(1.0, 3.5);
    let of_nose = Field::new(picture.size, |at| {
        let contrast = shade.values[at] / (level.values[at] + 0.05);
        nose.values[at] * (turned.values[at] + 0.35 * contrast)
    });
    lines.ridges(Kind::Nose, &of_nose, [0.03, 0.06], 10.0, |_| true);
    let dark = within(light.valleys(1.2, 4.0), &skin, 0.9);
    let dark = Field::new(picture.size, |at| (1.0 - nose.values[at]) * dark.values[at]);
    lines.ridges(Kind::Wrinkle, &dark, [0.018, 0.045], 16.0, |_| true);
    let hair = Field::new(picture.size, |at| {
        f32::from(u8::from(picture.parts[at] == Part::Hair))
    })
    .blurred(2.0);
    // By contrast, or black hair would have none.
    let strands = within(light.valleys(1.6, 5.0), &hair, 0.85);
    let strands = Field::new(picture.size, |at| {
        strands.values[at] / (level.values[at] + 0.05)
    });
    lines.ridges(Kind::Strand, &strands, [0.05, 0.10], 30.0, |_| true);
}

/// The lines found so far.
struct Lines {
    scale: f32,
    found: Vec<Line>,
}

impl Lines {
    /// Takes the contours of a field of 0 to 1 that are at least so long, in canvas units, where
    /// something holds.
    fn contours(
        &mut self,
        kind: Kind,
        field: &Field,
        least: f32,
        holds: impl Fn([f32; 2]) -> bool,
    ) {
        let level = if matches!(kind, Kind::Iris | Kind::Pupil) {
            0.0
        } else {
            0.5
        };
        self.take(kind, field.contours(level), least, holds);
    }

    fn ridges(
        &mut self,
        kind: Kind,
        field: &Field,
        [low, high]: [f32; 2],
        least: f32,
        holds: impl Fn([f32; 2]) -> bool,
    ) {
        self.take(kind, field.ridges(low, high), least, holds);
    }

    fn take(&mut self, kind: Kind, paths: Vec<Path>, least: f32, holds: impl Fn([f32; 2]) -> bool) {
        for path in paths {
            for piece in pieces(&smoothed(&path), &holds) {
                if length(&piece) * self.scale < least {
                    continue;
                }
                let points = simplified(&piece, 0.3)
                    .into_iter()
                    .map(|p| p.map(|v| (v + 0.5) * self.scale))
                    .collect();
                self.found.push(Line { kind, points });
            }
        }
    }
}

/// Where the lips lie on the skins' common layout: 0 to 1, rows from the top.
#[derive(Clone, Debug)]
struct LipMap(Field);

/// The part of the layout that the mouth lies in, of its width and height from the upper left.
const MOUTH: [[f32; 2]; 2] = [[0.875, 0.95], [0.48, 0.55]];
/// The line that a face is even about there: faces lie on their sides.
const MIDDLE: f32 = 0.5146;
/// How red lips are at their border: (red - green) / (red + green).
const LIP_RED: f32 = 0.213;

impl LipMap {
    /// They are redder than what surrounds them, on the mean of all skins and of both sides.
    fn new(kit: &Kit) -> Self {
        let skins: Vec<_> = kit
            .textures
            .iter()
            .filter(|(name, skin)| name.starts_with("skin/") && skin.width == skin.height)
            .map(|(_, skin)| skin)
            .collect();
        let side = skins.first().map_or(1, |skin| skin.width);
        let red = |pixel: &[u8; 4]| {
            let (r, g) = (f32::from(pixel[0]), f32::from(pixel[1]));
            (r - g) / (r + g + 1.0)
        };
        let mean = Field::new(side, |at| {
            let sum: f32 = skins.iter().map(|skin| red(&skin.pixels[at])).sum();
            sum / skins.len().max(1) as f32
        });
        let turn = (2.0 * MIDDLE * side as f32).round() as usize;
        let mirrored = |at: usize| turn.saturating_sub(at / side).min(side - 1) * side + at % side;
        let even = Field::new(side, |at| {
            0.5 * (mean.values[at] + mean.values[mirrored(at)])
        });
        let even = even.blurred(1.2);
        Self(Field::new(side, |at| {
            let place = [at % side, at / side].map(|v| v as f32 / side as f32);
            let inside = place
                .iter()
                .zip(MOUTH)
                .all(|(&v, [low, high])| v > low && v < high);
            if inside {
                ((even.values[at] - LIP_RED) / 0.015 + 0.5).clamp(0.0, 1.0)
            } else {
                0.0
            }
        }))
    }

    fn at(&self, [u, v]: [f32; 2]) -> f32 {
        let side = self.0.side as f32;
        self.0.at([u * side - 0.5, (1.0 - v) * side - 0.5])
    }
}
