//! The base mesh: one net of points for every person, with its texture coordinates and its named
//! groups of faces (the body, the helpers that eyes, teeth and garments are made of, the joints).

use super::geometry::{Vec3, add, cross, normalise, sub};
use super::pack::wire::{Damage, Reader, Writer};

/// The most points a mesh may have; indices are 16 bits.
pub const MAX_POINTS: usize = 1 << 16;

/// The positions' unit in files, the source's last decimal: 0.0001 decimetres.
const UNIT: f32 = 1e-4;
/// The texture coordinates' unit in files.
const UV_UNIT: f32 = 1e-6;

/// A face's corners: points and, beside them, texture coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Triangle {
    /// Numbers of points.
    pub points: [u16; 3],
    /// Numbers of texture coordinates.
    pub uvs: [u16; 3],
}

/// Faces that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name in the source, such as `body` or `helper-tights`.
    pub name: String,
    /// Its faces, counter-clockwise seen from outside.
    pub triangles: Vec<Triangle>,
}

/// The net that all people share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mesh {
    /// Positions of the neutral figure, decimetres.
    pub points: Vec<Vec3>,
    /// Texture coordinates, the origin at the lower left.
    pub uvs: Vec<[f32; 2]>,
    /// The groups in the source's order.
    pub groups: Vec<Group>,
}

impl Mesh {
    /// The faces of a group; none where there is no such group.
    #[must_use]
    pub fn group(&self, name: &str) -> &[Triangle] {
        self.groups
            .iter()
            .find(|group| group.name == name)
            .map_or(&[], |group| &group.triangles)
    }

    /// The points that a group's faces touch, rising.
    #[must_use]
    pub fn group_points(&self, name: &str) -> Vec<u16> {
        points_of(self.group(name))
    }

    /// Writes it for a pack.
    pub(super) fn encode(&self, to: &mut Writer) {
        encode_net(to, &self.points, &self.uvs);
        to.number(self.groups.len() as u32);
        for group in &self.groups {
            to.text(&group.name);
            encode_triangles(to, &group.triangles);
        }
    }

    /// Reads it from a pack.
    pub(super) fn decode(from: &mut Reader) -> Result<Self, Damage> {
        let (points, uvs) = decode_net(from)?;
        let groups = (0..from.count(2)?)
            .map(|_| {
                Ok(Group {
                    name: from.text()?,
                    triangles: decode_triangles(from, points.len(), uvs.len())?,
                })
            })
            .collect::<Result<_, Damage>>()?;
        Ok(Self {
            points,
            uvs,
            groups,
        })
    }
}

/// The points that faces touch, rising.
#[must_use]
pub fn points_of(triangles: &[Triangle]) -> Vec<u16> {
    let mut points: Vec<u16> = triangles.iter().flat_map(|t| t.points).collect();
    points.sort_unstable();
    points.dedup();
    points
}

/// Normals of length one at every point, from the faces around it weighted by their areas; null
/// where no face is.
#[must_use]
pub fn normals(points: &[Vec3], triangles: &[Triangle]) -> Vec<Vec3> {
    let mut sums = vec![[0.0; 3]; points.len()];
    for triangle in triangles {
        let [a, b, c] = triangle.points.map(usize::from);
        let face = cross(sub(points[b], points[a]), sub(points[c], points[a]));
        for corner in [a, b, c] {
            sums[corner] = add(sums[corner], face);
        }
    }
    for sum in &mut sums {
        *sum = normalise(*sum);
    }
    sums
}

pub(super) fn encode_net(to: &mut Writer, points: &[Vec3], uvs: &[[f32; 2]]) {
    let whole = |value: f32, unit: f32| (value / unit).round() as i32;
    to.number(points.len() as u32);
    for axis in 0..3 {
        to.differences(points.iter().map(|p| whole(p[axis], UNIT)));
    }
    to.number(uvs.len() as u32);
    for axis in 0..2 {
        to.differences(uvs.iter().map(|uv| whole(uv[axis], UV_UNIT)));
    }
}

pub(super) fn decode_net(from: &mut Reader) -> Result<(Vec<Vec3>, Vec<[f32; 2]>), Damage> {
    let count = bounded(from.count(3)?)?;
    let mut points = vec![[0.0; 3]; count];
    for axis in 0..3 {
        for (point, value) in points.iter_mut().zip(from.differences(count)?) {
            point[axis] = value as f32 * UNIT;
        }
    }
    let count = bounded(from.count(2)?)?;
    let mut uvs = vec![[0.0; 2]; count];
    for axis in 0..2 {
        for (uv, value) in uvs.iter_mut().zip(from.differences(count)?) {
            uv[axis] = value as f32 * UV_UNIT;
        }
    }
    Ok((points, uvs))
}

fn bounded(count: usize) -> Result<usize, Damage> {
    if count > MAX_POINTS {
        return Err("a mesh has too many points".into());
    }
    Ok(count)
}

pub(super) fn encode_triangles(to: &mut Writer, triangles: &[Triangle]) {
    to.number(triangles.len() as u32);
    for corner in 0..3 {
        to.differences(triangles.iter().map(|t| i32::from(t.points[corner])));
    }
    for corner in 0..3 {
        to.differences(triangles.iter().map(|t| i32::from(t.uvs[corner])));
    }
}

pub(super) fn decode_triangles(
    from: &mut Reader,
    points: usize,
    uvs: usize,
) -> Result<Vec<Triangle>, Damage> {
    let count = from.count(6)?;
    let mut triangles = vec![
        Triangle {
            points: [0; 3],
            uvs: [0; 3]
        };
        count
    ];
    let index = |value: i32, end: usize| {
        u16::try_from(value)
            .ok()
            .filter(|&value| usize::from(value) < end)
            .ok_or_else(|| "a face's corner points nowhere".to_owned())
    };
    for corner in 0..3 {
        for (triangle, value) in triangles.iter_mut().zip(from.differences(count)?) {
            triangle.points[corner] = index(value, points)?;
        }
    }
    for corner in 0..3 {
        for (triangle, value) in triangles.iter_mut().zip(from.differences(count)?) {
            triangle.uvs[corner] = index(value, uvs)?;
        }
    }
    Ok(triangles)
}
