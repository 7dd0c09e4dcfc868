//! The skeleton: bones whose joints follow the shape, weights of the points, and linear blend
//! skinning (every point moves by the weighted mean of its bones' motions).

use std::collections::BTreeMap;

use super::geometry::{IDENTITY, Mat3, Vec3, add, compose, mean, rotate, rotation, scale, sub};
use super::pack::wire::{Damage, Reader, Writer};

/// The weights' unit in files.
const UNIT: f32 = 1.0 / 16_384.0;

/// One bone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bone {
    /// Its name in the source, such as `upperarm01.L`.
    pub name: String,
    /// The bone it hangs on, which comes before it; none for the root.
    pub parent: Option<u16>,
    /// The points whose mean is its joint.
    pub head: Vec<u16>,
    /// The points whose mean is its other end.
    pub tail: Vec<u16>,
    /// The points that it moves.
    pub points: Vec<u16>,
    /// How much of each point's motion is this bone's, in 1 / 16384.
    pub weights: Vec<u16>,
}

/// The skeleton of the base mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rig {
    /// The bones, parents before children.
    pub bones: Vec<Bone>,
}

/// How bones are turned against their rest, by name: an axis in the figure's own directions, its
/// length the angle in radians.
pub type Pose = BTreeMap<String, Vec3>;

/// Where a bone takes a point: `rotation * point + shift`.
#[derive(Clone, Copy, Debug)]
struct Motion {
    turn: Mat3,
    shift: Vec3,
}

impl Rig {
    /// Moves a shaped mesh into a pose. Bones that the pose does not name follow their parents.
    ///
    /// A point without any weight stays where it is. Joints are the means of points of the shape
    /// before posing, so a tall person's knee bends at a tall person's knee.
    #[must_use]
    pub fn pose(&self, points: &[Vec3], pose: &Pose) -> Vec<Vec3> {
        let motions = self.motions(points, pose);
        let mut sums = vec![([0.0; 3], 0.0_f32); points.len()];
        for (bone, motion) in self.bones.iter().zip(&motions) {
            for (&point, &weight) in bone.points.iter().zip(&bone.weights) {
                let number = usize::from(point);
                let (Some(at), Some(sum)) = (points.get(number), sums.get_mut(number)) else {
                    continue;
                };
                let weight = f32::from(weight) * UNIT;
                let moved = add(rotate(&motion.turn, *at), motion.shift);
                sum.0 = add(sum.0, scale(moved, weight));
                sum.1 += weight;
            }
        }
        let of = |(at, (sum, total)): (&Vec3, ([f32; 3], f32))| {
            if total > 0.0 {
                sum.map(|value| value / total)
            } else {
                *at
            }
        };
        points.iter().zip(sums).map(of).collect()
    }

    /// The joints' places for a shape, one for each bone.
    #[must_use]
    pub fn joints(&self, points: &[Vec3]) -> Vec<Vec3> {
        self.bones.iter().map(|b| mean(points, &b.head)).collect()
    }

    fn motions(&self, points: &[Vec3], pose: &Pose) -> Vec<Motion> {
        let mut motions: Vec<Motion> = Vec::with_capacity(self.bones.len());
        for bone in &self.bones {
            let above = bone
                .parent
                .and_then(|parent| motions.get(usize::from(parent)))
                .copied()
                .unwrap_or(Motion {
                    turn: IDENTITY,
                    shift: [0.0; 3],
                });
            motions.push(match pose.get(&bone.name) {
                None => above,
                Some(&axis) => {
                    // About the joint: p -> turn (p - joint) + joint, then as the parent.
                    let joint = mean(points, &bone.head);
                    let own = rotation(axis);
                    let shift = sub(joint, rotate(&own, joint));
                    Motion {
                        turn: compose(&above.turn, &own),
                        shift: add(rotate(&above.turn, shift), above.shift),
                    }
                }
            });
        }
        motions
    }

    /// Writes it for a pack.
    pub(super) fn encode(&self, to: &mut Writer) {
        to.number(self.bones.len() as u32);
        for bone in &self.bones {
            to.text(&bone.name);
            to.number(bone.parent.map_or(0, |parent| u32::from(parent) + 1));
            to.indices(&bone.head);
            to.indices(&bone.tail);
            to.indices(&bone.points);
            to.differences(bone.weights.iter().map(|&w| i32::from(w)));
        }
    }

    /// Reads it from a pack, for a mesh of `end` points.
    pub(super) fn decode(from: &mut Reader, end: usize) -> Result<Self, Damage> {
        let bones = (0..from.count(5)?)
            .map(|number| {
                let name = from.text()?;
                let parent = match from.number()? as usize {
                    0 => None,
                    parent if parent <= number => Some((parent - 1) as u16),
                    _ => return Err("a bone hangs on one that comes later".to_owned()),
                };
                let (head, tail) = (from.indices(end)?, from.indices(end)?);
                let points = from.indices(end)?;
                let weights = from
                    .differences(points.len())?
                    .into_iter()
                    .map(|w| u16::try_from(w).map_err(|_| "a bone has a negative weight".into()))
                    .collect::<Result<_, Damage>>()?;
                Ok(Bone {
                    name,
                    parent,
                    head,
                    tail,
                    points,
                    weights,
                })
            })
            .collect::<Result<_, Damage>>()?;
        Ok(Self { bones })
    }
}

/// A weight of 0 to 1 in the file's unit.
#[must_use]
pub fn whole_weight(weight: f32) -> u16 {
    (weight / UNIT).round().clamp(0.0, 65_535.0) as u16
}
