//! Named points of a face, in which faces are compared: every person has the same net of points, so
//! that they are known exactly.

use crate::human::figure::Figure;
use crate::human::raster::Camera;

/// Points of the net on both sides of a face, the figure's right one first.
const SIDES: [(&str, [u16; 2]); 17] = [
    ("brow, inner end", [208, 6983]),
    ("brow, peak", [204, 6979]),
    ("brow, outer end", [212, 6987]),
    ("eye, outer corner", [4855, 11473]),
    ("eye, inner corner", [66, 6850]),
    ("upper lid", [1082, 7774]),
    ("lower lid", [1095, 7787]),
    ("wing of the nose", [5056, 11673]),
    ("corner of the mouth", [423, 7183]),
    ("peak of the upper lip", [460, 7219]),
    ("cheek", [868, 7573]),
    ("jaw below the ear", [912, 7614]),
    ("corner of the jaw", [894, 7596]),
    ("jaw beside the chin", [3697, 10365]),
    ("side of the chin", [5166, 11779]),
    ("top of the ear", [5415, 12014]),
    ("lobe of the ear", [5732, 12329]),
];
/// Those in the middle.
const MIDDLE: [(&str, u16); 8] = [
    ("forehead", 244),
    ("bridge of the nose", 134),
    ("tip of the nose", 297),
    ("base of the nose", 317),
    ("upper lip", 466),
    ("where the lips meet", 474),
    ("lower lip", 5337),
    ("chin", 5296),
];

/// How many there are.
pub const COUNT: usize = 2 * SIDES.len() + MIDDLE.len();

/// A place for each landmark, in pixels of a picture of [`super::parts::SIDE`].
pub type Landmarks = Vec<[f32; 2]>;

/// Where they are seen.
#[must_use]
pub fn of(figure: &Figure, camera: &Camera) -> Landmarks {
    points()
        .map(|point| {
            let seen = camera.place(camera.view(figure.points()[usize::from(point)]));
            seen.map(|v| v * super::parts::SIDE as f32)
        })
        .collect()
}

/// Their names.
pub fn names() -> impl Iterator<Item = String> {
    let sides = SIDES
        .iter()
        .flat_map(|(name, _)| ["right", "left"].map(|side| format!("{name}, {side}")));
    sides.chain(MIDDLE.iter().map(|(name, _)| (*name).to_owned()))
}

fn points() -> impl Iterator<Item = u16> {
    let sides = SIDES.iter().flat_map(|(_, points)| *points);
    sides.chain(MIDDLE.iter().map(|&(_, point)| point))
}

/// The mean distance between two people's landmarks, in pixels of [`super::parts::SIDE`].
#[must_use]
pub fn distance(a: &Landmarks, b: &Landmarks) -> f64 {
    let sum: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| f64::from((a[0] - b[0]).hypot(a[1] - b[1])))
        .sum();
    sum / a.len().max(1) as f64
}
