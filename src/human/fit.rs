//! Things worn on the base mesh: hair, brows, lashes.
//!
//! Every point of such a thing is tied to three points of the base mesh by barycentric weights and
//! an offset. So it follows every shape of face without a shape of its own.

use super::geometry::Vec3;
use super::mesh::{Triangle, decode_triangles, encode_triangles};
use super::pack::wire::{Damage, Reader, Writer};

/// The weights' and offsets' unit in files, the source's last decimal.
const UNIT: f32 = 1e-5;

/// How one point hangs on the base mesh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tie {
    /// Points of the base mesh.
    pub points: [u16; 3],
    /// Their weights.
    pub weights: Vec3,
    /// What is added, decimetres.
    pub offset: Vec3,
}

/// A thing that is worn.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Its name, such as `hair/short01`; its texture has the same.
    pub name: String,
    /// One for each of its points.
    pub ties: Vec<Tie>,
    /// Texture coordinates, the origin at the lower left.
    pub uvs: Vec<[f32; 2]>,
    /// Its faces.
    pub triangles: Vec<Triangle>,
}

impl Fitted {
    /// Where its points lie on a base mesh of this shape.
    #[must_use]
    pub fn fit(&self, base: &[Vec3]) -> Vec<Vec3> {
        let at = |point: u16, axis: usize| base.get(usize::from(point)).map_or(0.0, |p| p[axis]);
        self.ties
            .iter()
            .map(|tie| {
                [0, 1, 2].map(|axis| {
                    tie.weights[0] * at(tie.points[0], axis)
                        + tie.weights[1] * at(tie.points[1], axis)
                        + tie.weights[2] * at(tie.points[2], axis)
                        + tie.offset[axis]
                })
            })
            .collect()
    }

    pub(super) fn encode(&self, to: &mut Writer) {
        let whole = |value: f32| (value / UNIT).round() as i32;
        to.text(&self.name);
        to.number(self.ties.len() as u32);
        for corner in 0..3 {
            to.differences(self.ties.iter().map(|tie| i32::from(tie.points[corner])));
        }
        for axis in 0..3 {
            to.differences(self.ties.iter().map(|tie| whole(tie.weights[axis])));
            to.differences(self.ties.iter().map(|tie| whole(tie.offset[axis])));
        }
        to.number(self.uvs.len() as u32);
        for axis in 0..2 {
            to.differences(self.uvs.iter().map(|uv| whole(uv[axis])));
        }
        encode_triangles(to, &self.triangles);
    }

    pub(super) fn decode(from: &mut Reader, end: usize) -> Result<Self, Damage> {
        let name = from.text()?;
        let count = from.count(9)?;
        let blank = Tie {
            points: [0; 3],
            weights: [0.0; 3],
            offset: [0.0; 3],
        };
        let mut ties = vec![blank; count];
        for corner in 0..3 {
            for (tie, value) in ties.iter_mut().zip(from.differences(count)?) {
                tie.points[corner] = u16::try_from(value)
                    .ok()
                    .filter(|&value| usize::from(value) < end)
                    .ok_or("something worn is tied to nothing")?;
            }
        }
        for axis in 0..3 {
            for (tie, value) in ties.iter_mut().zip(from.differences(count)?) {
                tie.weights[axis] = value as f32 * UNIT;
            }
            for (tie, value) in ties.iter_mut().zip(from.differences(count)?) {
                tie.offset[axis] = value as f32 * UNIT;
            }
        }
        let many = from.count(2)?;
        let mut uvs = vec![[0.0; 2]; many];
        for axis in 0..2 {
            for (uv, value) in uvs.iter_mut().zip(from.differences(many)?) {
                uv[axis] = value as f32 * UNIT;
            }
        }
        let triangles = decode_triangles(from, count, uvs.len())?;
        Ok(Self {
            name,
            ties,
            uvs,
            triangles,
        })
    }
}
