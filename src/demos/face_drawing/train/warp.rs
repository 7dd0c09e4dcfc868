//! What a rough drawing makes of the face that it is drawn after: everything a little beside its place.

use crate::demos::face_drawing::lines::CANVAS;
use crate::demos::face_drawing::parts::{SCALE, SIDE};

/// Places in a row of the grid that is moved.
const GRID: usize = 17;

/// How far places of a grid are moved, pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Warp(Vec<[f32; 2]>);

impl Warp {
    /// The places of the grid, row by row, canvas units.
    pub fn places() -> impl Iterator<Item = [f32; 2]> {
        let along = |at: usize| at as f32 * CANVAS / (GRID - 1) as f32;
        (0..GRID * GRID).map(move |at| [along(at % GRID), along(at / GRID)])
    }

    /// Of where the places of the grid come to lie, canvas units.
    #[must_use]
    pub fn new(moved: &[[f32; 2]]) -> Self {
        let by = |(to, from): (&[f32; 2], [f32; 2])| {
            [0, 1].map(|axis| (to[axis] - from[axis]) / SCALE as f32)
        };
        Self(moved.iter().zip(Self::places()).map(by).collect())
    }

    /// How far a pixel is moved.
    fn by(&self, pixel: [usize; 2]) -> [f32; 2] {
        let place = pixel.map(|v| (v as f32 + 0.5) / SIDE as f32 * (GRID - 1) as f32);
        let [column, row] = place.map(|v| (v as usize).min(GRID - 2));
        let (x, y) = (place[0] - column as f32, place[1] - row as f32);
        let at = |right: usize, down: usize| self.0[(row + down) * GRID + column + right];
        let [a, b, c, d] = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
        [0, 1].map(|axis| {
            let upper = a[axis] + x * (b[axis] - a[axis]);
            let lower = c[axis] + x * (d[axis] - c[axis]);
            upper + y * (lower - upper)
        })
    }

    /// A picture `[SIDE * SIDE * 3]`, pixel by pixel, as it is drawn: three planes from 0 to 1.
    #[must_use]
    pub fn planes(&self, pixels: &[u8]) -> Vec<f32> {
        let mut planes = vec![0.0; 3 * SIDE * SIDE];
        for row in 0..SIDE {
            for column in 0..SIDE {
                // The movement where one looks in place of that where it comes from: they are alike.
                let [dx, dy] = self.by([column, row]);
                let inside = |v: f32| v.clamp(0.0, (SIDE - 1) as f32);
                let (x, y) = (inside(column as f32 - dx), inside(row as f32 - dy));
                let [left, top] = [x, y].map(|v| (v as usize).min(SIDE - 2));
                let (x, y) = (x - left as f32, y - top as f32);
                for channel in 0..3 {
                    let at = |right: usize, down: usize| {
                        let pixel = (top + down) * SIDE + left + right;
                        f32::from(pixels[3 * pixel + channel])
                    };
                    let upper = at(0, 0) + x * (at(1, 0) - at(0, 0));
                    let lower = at(0, 1) + x * (at(1, 1) - at(0, 1));
                    let value = upper + y * (lower - upper);
                    planes[channel * SIDE * SIDE + row * SIDE + column] = value / 255.0;
                }
            }
        }
        planes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_moves_as_its_grid_does() {
        // A slope of brightness to the right, other ones in the other channels.
        let pixels: Vec<u8> = (0..SIDE * SIDE)
            .flat_map(|at| [at % SIDE, at / SIDE, 7].map(|v| v as u8))
            .collect();
        let moved: Vec<[f32; 2]> = Warp::places()
            .map(|[x, y]| [x + 3.0 * SCALE as f32, y - 2.0 * SCALE as f32])
            .collect();
        let planes = Warp::new(&moved).planes(&pixels);
        let at = |channel: usize, x: usize, y: usize| {
            255.0 * planes[channel * SIDE * SIDE + y * SIDE + x]
        };
        assert!((at(0, 64, 30) - 61.0).abs() < 1e-3, "{}", at(0, 64, 30));
        assert!((at(1, 64, 30) - 32.0).abs() < 1e-3, "{}", at(1, 64, 30));
        assert!((at(2, 64, 30) - 7.0).abs() < 1e-3);
        assert!(at(0, 1, 64).abs() < 1e-3, "the edge goes on outside");
    }
}
