//! The five parts that a face is drawn of, and where they lie on the canvas.

use serde::Serialize;

/// Pixels in a side of the pictures that networks see.
pub const SIDE: usize = 128;
/// Canvas units in one of these pixels.
pub const SCALE: usize = 4;

/// A part of a face: a square of the canvas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is called.
    pub name: &'static str,
    /// Its left and upper edge in pixels of [`SIDE`].
    pub left: usize,
    /// The same.
    pub top: usize,
    /// Pixels in a side.
    pub side: usize,
    /// Numbers in its code.
    pub code: usize,
}

/// Left eye, right eye, nose, mouth as they are seen, and the remainder, from which the four are
/// taken away. The squares are those of the authors' code (`CombineModel_jt.py`), whose canvas
/// is ours, rounded to our pixels.
pub const PARTS: [Part; 5] = [
    part("left eye", [108, 156, 128], 48),
    part("right eye", [255, 156, 128], 48),
    part("nose", [182, 232, 160], 48),
    part("mouth", [169, 301, 192], 64),
    part("remainder", [0, 0, 512], 128),
];

/// Numbers in all codes together.
pub const CODES: usize = {
    let mut sum = 0;
    let mut at = 0;
    while at < PARTS.len() {
        sum += PARTS[at].code;
        at += 1;
    }
    sum
};

const fn part(name: &'static str, [x, y, side]: [usize; 3], code: usize) -> Part {
    Part {
        name,
        left: (x + SCALE / 2) / SCALE,
        top: (y + SCALE / 2) / SCALE,
        side: side / SCALE,
        code,
    }
}

/// A number for each part.
pub type PerPart<T> = [T; PARTS.len()];

/// Where each part's code begins among all of them, and where it ends.
#[must_use]
pub fn ranges() -> PerPart<std::ops::Range<usize>> {
    let mut from = 0;
    PARTS.map(|part| {
        from += part.code;
        from - part.code..from
    })
}

impl Part {
    /// Whether a place of the canvas lies in it.
    #[must_use]
    pub fn holds(&self, place: [f32; 2]) -> bool {
        let edges = [self.left, self.top];
        place.iter().zip(edges).all(|(&v, edge)| {
            let v = v / SCALE as f32;
            v >= edge as f32 && v < (edge + self.side) as f32
        })
    }

    /// Cuts it out of a picture of [`SIDE`] pixels, to the end of `to`. The remainder, which is
    /// all of it, lacks the other parts.
    pub fn cut(&self, ink: &[f32], to: &mut Vec<f32>) {
        let from = to.len();
        for row in self.top..self.top + self.side {
            let start = row * SIDE + self.left;
            to.extend_from_slice(&ink[start..start + self.side]);
        }
        if self.side == SIDE {
            for other in &PARTS[..PARTS.len() - 1] {
                for row in other.top..other.top + other.side {
                    let start = from + row * SIDE + other.left;
                    to[start..start + other.side].fill(0.0);
                }
            }
        }
    }
}
