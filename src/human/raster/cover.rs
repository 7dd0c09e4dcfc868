//! Which face each sample shows.

#![expect(
    clippy::cast_possible_wrap,
    reason = "numbers of rows and columns are far below what either type holds"
)]

use super::Surface;
pub use super::project::{FINE, Face};

/// No face.
pub const NONE: u32 = u32::MAX;

/// A rectangle of samples and what they show so far.
pub struct Samples {
    /// Samples in a row.
    pub width: usize,
    /// The first row's number in the whole grid.
    pub top: usize,
    /// Nearness of what is shown.
    pub near: Vec<f32>,
    /// The number of the face that is shown.
    pub face: Vec<u32>,
}

impl Samples {
    /// Rows from `top` that show nothing.
    #[must_use]
    pub fn new(width: usize, top: usize, rows: usize) -> Self {
        Self {
            width,
            top,
            near: vec![f32::NEG_INFINITY; width * rows],
            face: vec![NONE; width * rows],
        }
    }

    /// Draws the faces in their order.
    pub fn draw(&mut self, faces: &[Face], surfaces: &[Surface]) {
        let bottom = (self.top + self.face.len() / self.width.max(1)) as i64;
        for (number, face) in faces.iter().enumerate() {
            let [first, last] = face.rows();
            let (first, last) = (first.max(self.top as i64), last.min(bottom));
            if first < last {
                self.face(face, number as u32, first..last, surfaces);
            }
        }
    }

    fn face(&mut self, face: &Face, number: u32, rows: std::ops::Range<i64>, surfaces: &[Surface]) {
        let edges = Edges::new(face);
        let [left, right] = face.columns();
        let (left, right) = (left.max(0), right.min(self.width as i64));
        if left >= right {
            return;
        }
        let cutout = surfaces
            .get(usize::from(face.surface))
            .and_then(|surface| Some((surface, surface.cutout?, surface.texture?)));
        let slopes = [face.near[1] - face.near[0], face.near[2] - face.near[0]];
        for row in rows {
            let mut at = edges.at(left, row);
            let start = (row as usize - self.top) * self.width;
            let mut entered = false;
            for column in left..right {
                let inside =
                    at[0] >= edges.least[0] && at[1] >= edges.least[1] && at[2] >= edges.least[2];
                if inside {
                    entered = true;
                    let [b1, b2] = [at[1] as f32 * edges.scale, at[2] as f32 * edges.scale];
                    let near = face.near[0] + b1 * slopes[0] + b2 * slopes[1];
                    let sample = start + column as usize;
                    let passes = near > self.near[sample]
                        && cutout.is_none_or(|(surface, gain, texture)| {
                            let uv = uv(surface, face, [1.0 - b1 - b2, b1, b2]);
                            let alpha = texture.alpha(uv) * (gain / 255.0);
                            alpha > chance(row as u32, column as u32, number)
                        });
                    if passes {
                        self.near[sample] = near;
                        self.face[sample] = number;
                    }
                } else if entered {
                    // A row crosses a triangle once.
                    break;
                }
                for (value, step) in at.iter_mut().zip(edges.step) {
                    *value += step;
                }
            }
        }
    }
}

/// The texture coordinates at a place in a face.
#[inline]
fn uv(surface: &Surface, face: &Face, place: [f32; 3]) -> [f32; 2] {
    let corners = surface.triangles[face.number as usize].uvs;
    let place = correct(face, place);
    let mut uv = [0.0; 2];
    for (k, &weight) in place.iter().enumerate() {
        let corner = surface.uvs[usize::from(corners[usize::from(face.order[k])])];
        uv[0] += weight * corner[0];
        uv[1] += weight * corner[1];
    }
    uv
}

/// Weights of a face's corners in space for a place on the grid.
#[inline]
#[must_use]
pub fn correct(face: &Face, place: [f32; 3]) -> [f32; 3] {
    let weighted = [0, 1, 2].map(|k| place[k] * face.weight[k]);
    let sum = weighted[0] + weighted[1] + weighted[2];
    weighted.map(|value| value / sum)
}

/// A number of 0 to 1 that depends on the sample and the face only.
#[inline]
fn chance(row: u32, column: u32, face: u32) -> f32 {
    let mut x = row.wrapping_mul(0x9e37_79b1) ^ column.wrapping_mul(0x85eb_ca77);
    x ^= face.wrapping_mul(0xc2b2_ae3d);
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^= x >> 16;
    (x >> 8) as f32 / 16_777_216.0
}

/// A face's three edge functions: each is positive inside and its share of the area is the weight
/// of the opposite corner.
#[derive(Clone, Copy)]
pub struct Edges {
    origin: [i64; 3],
    step: [i64; 3],
    down: [i64; 3],
    least: [i64; 3],
    /// One over the doubled area.
    scale: f32,
}

impl Edges {
    /// The edges of a face.
    #[must_use]
    pub fn new(face: &Face) -> Self {
        let (x, y) = (face.x, face.y);
        let area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
        let mut edges = Self {
            origin: [0; 3],
            step: [0; 3],
            down: [0; 3],
            least: [0; 3],
            scale: 1.0 / area as f32,
        };
        for k in 0..3 {
            let (a, b) = ((k + 1) % 3, (k + 2) % 3);
            let (dx, dy) = (x[b] - x[a], y[b] - y[a]);
            // e(p) = dx (p.y - a.y) - dy (p.x - a.x), at the centre of the sample (0, 0).
            let half = FINE / 2;
            edges.origin[k] = dx * (half - y[a]) - dy * (half - x[a]);
            edges.step[k] = -dy * FINE;
            edges.down[k] = dx * FINE;
            // A sample on an edge belongs to the face that has the edge above or to its left.
            let owns = dy < 0 || (dy == 0 && dx > 0);
            edges.least[k] = i64::from(!owns);
        }
        edges
    }

    /// The three functions at a sample.
    #[inline]
    #[must_use]
    pub fn at(&self, column: i64, row: i64) -> [i64; 3] {
        [0, 1, 2].map(|k| self.origin[k] + self.step[k] * column + self.down[k] * row)
    }

    /// The weights of the corners at a sample.
    #[inline]
    #[must_use]
    pub fn place(&self, column: i64, row: i64) -> [f32; 3] {
        let at = self.at(column, row);
        let [b1, b2] = [at[1] as f32 * self.scale, at[2] as f32 * self.scale];
        [1.0 - b1 - b2, b1, b2]
    }
}
