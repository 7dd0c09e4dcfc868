//! Sparse blend shapes: where the points of a mesh go for one trait.
//!
//! The source gives offsets with three decimals of a decimetre, so that 16 bits hold them exactly.

use super::geometry::Vec3;
use super::pack::wire::{Damage, Reader, Writer};

/// The offsets' unit: 0.001 decimetres, the source's last decimal.
pub const UNIT: f32 = 1e-3;

/// One blend shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its path in the source, such as `nose/nose-hump-incr`.
    pub name: String,
    /// The points that move.
    pub points: Vec<u16>,
    /// How far each of them moves, in [`UNIT`].
    pub offsets: Vec<[i16; 3]>,
}

impl Target {
    /// Adds `weight` times the shape to positions; points that are not there are left out.
    pub fn apply(&self, positions: &mut [Vec3], weight: f32) {
        let weight = weight * UNIT;
        for (&point, offset) in self.points.iter().zip(&self.offsets) {
            if let Some(position) = positions.get_mut(usize::from(point)) {
                for axis in 0..3 {
                    position[axis] += weight * f32::from(offset[axis]);
                }
            }
        }
    }

    /// Takes up the points of another part of the same shape.
    pub fn extend(&mut self, more: &Self) {
        self.points.extend_from_slice(&more.points);
        self.offsets.extend_from_slice(&more.offsets);
    }

    /// The part of it that lies on points `wanted` says yes to; nothing where that is empty.
    #[must_use]
    pub fn part(&self, wanted: impl Fn(u16) -> bool) -> Option<Self> {
        let (points, offsets): (Vec<_>, Vec<_>) = self
            .points
            .iter()
            .zip(&self.offsets)
            .filter(|(point, _)| wanted(**point))
            .map(|(&point, &offset)| (point, offset))
            .unzip();
        let name = self.name.clone();
        (!points.is_empty()).then_some(Self {
            name,
            points,
            offsets,
        })
    }

    pub(super) fn encode(&self, to: &mut Writer) {
        to.text(&self.name);
        to.indices(&self.points);
        for axis in 0..3 {
            to.differences(self.offsets.iter().map(|o| i32::from(o[axis])));
        }
    }

    pub(super) fn decode(from: &mut Reader, end: usize) -> Result<Self, Damage> {
        let name = from.text()?;
        let points = from.indices(end)?;
        let mut offsets = vec![[0; 3]; points.len()];
        for axis in 0..3 {
            for (offset, value) in offsets.iter_mut().zip(from.differences(points.len())?) {
                offset[axis] = i16::try_from(value).map_err(|_| "a shape moves a point too far")?;
            }
        }
        Ok(Self {
            name,
            points,
            offsets,
        })
    }
}
