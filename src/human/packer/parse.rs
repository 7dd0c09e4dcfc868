//! The sources' formats: Wavefront meshes, lists of offsets, three.js models, skeletons as JSON.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::human::fit::{Fitted, Tie};
use crate::human::geometry::Vec3;
use crate::human::mesh::{Group, Mesh, Triangle};
use crate::human::rig::{Bone, Rig, whole_weight};
use crate::human::target::{Target, UNIT};

pub use crate::human::pack::wire::Damage;

/// The most bytes of one unpacked list of offsets.
const MAX_TARGET: u64 = 16 << 20;

/// A Wavefront mesh: `v`, `vt`, `g` and `f` lines; groups of one name are joined, faces with more
/// than three corners become fans.
///
/// # Errors
/// When a line is not as expected or an index points nowhere.
pub fn obj(bytes: &[u8]) -> Result<Mesh, Damage> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the mesh is not text")?;
    let mut mesh = Mesh::default();
    let mut at = 0;
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("v") => mesh.points.push(floats(&mut words, line)?),
            Some("vt") => mesh.uvs.push(floats(&mut words, line)?),
            Some("g") => {
                let name = words.next().unwrap_or_default();
                at = group(&mut mesh.groups, name);
            }
            Some("f") => {
                if mesh.groups.is_empty() {
                    at = group(&mut mesh.groups, "");
                }
                let ends = [mesh.points.len(), mesh.uvs.len()];
                let corners: Vec<[u16; 2]> = words
                    .map(|word| corner(word, ends).ok_or_else(|| bad(line)))
                    .collect::<Result<_, _>>()?;
                mesh.groups[at].triangles.extend(fan(&corners));
            }
            _ => {}
        }
    }
    Ok(mesh)
}

fn group(groups: &mut Vec<Group>, name: &str) -> usize {
    groups
        .iter()
        .position(|group| group.name == name)
        .unwrap_or_else(|| {
            groups.push(Group {
                name: name.to_owned(),
                triangles: Vec::new(),
            });
            groups.len() - 1
        })
}

fn corner(word: &str, ends: [usize; 2]) -> Option<[u16; 2]> {
    let mut numbers = word.split('/');
    let mut index = |end: usize| -> Option<u16> {
        let number: usize = numbers.next()?.parse().ok()?;
        (1..=end)
            .contains(&number)
            .then_some(number - 1)?
            .try_into()
            .ok()
    };
    Some([index(ends[0])?, index(ends[1])?])
}

fn fan(corners: &[[u16; 2]]) -> Vec<Triangle> {
    let corner = |k: usize| corners[k];
    (2..corners.len())
        .map(|k| {
            let three = [corner(0), corner(k - 1), corner(k)];
            Triangle {
                points: three.map(|c| c[0]),
                uvs: three.map(|c| c[1]),
            }
        })
        .collect()
}

fn floats<'a, const N: usize>(
    words: &mut impl Iterator<Item = &'a str>,
    line: &str,
) -> Result<[f32; N], Damage> {
    let mut values = [0.0; N];
    for value in &mut values {
        *value = words
            .next()
            .and_then(|word| word.parse().ok())
            .filter(|value: &f32| value.is_finite())
            .ok_or_else(|| bad(line))?;
    }
    Ok(values)
}

fn bad(line: &str) -> Damage {
    format!("cannot read the line {line:?}")
}

/// A list of offsets packed with gzip: lines of a point's number and how far it moves.
///
/// # Errors
/// When it is not as expected, or an offset is beyond 32 decimetres.
pub fn target(name: &str, packed: &[u8]) -> Result<Target, Damage> {
    let mut text = String::new();
    GzDecoder::new(packed)
        .take(MAX_TARGET)
        .read_to_string(&mut text)
        .map_err(|error| format!("cannot unpack {name} ({error})"))?;
    let mut target = Target {
        name: name.to_owned(),
        points: Vec::new(),
        offsets: Vec::new(),
    };
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let Some(point) = words.next() else { continue };
        let offset: Vec3 = floats(&mut words, line)?;
        let whole = offset.map(|value| (value / UNIT).round());
        if whole.iter().any(|value| value.abs() > f32::from(i16::MAX)) {
            return Err(bad(line));
        }
        target.points.push(point.parse().map_err(|_| bad(line))?);
        target.offsets.push(whole.map(|value| value as i16));
    }
    Ok(target)
}

#[derive(Deserialize)]
struct Model {
    metadata: Ties,
    uvs: Vec<Vec<f32>>,
    faces: Vec<u32>,
}

#[derive(Deserialize)]
struct Ties {
    #[serde(rename = "ref_vIdxs")]
    points: Vec<[u16; 3]>,
    weights: Vec<Vec3>,
    offsets: Vec<Vec3>,
}

/// A three.js model (format 3.1) that is tied to a base mesh of `end` points.
///
/// # Errors
/// When it is no such model or an index points nowhere.
pub fn proxy(json: &[u8], name: &str, end: usize) -> Result<Fitted, Damage> {
    let damage = |what: &str| format!("{name}: {what}");
    let model: Model = serde_json::from_slice(json).map_err(|e| damage(&e.to_string()))?;
    let ties = model.metadata;
    if ties.points.len() != ties.weights.len() || ties.points.len() != ties.offsets.len() {
        return Err(damage("ties of different number"));
    }
    let outside = |points: &[u16; 3]| points.iter().any(|&point| usize::from(point) >= end);
    if ties.points.iter().any(outside) {
        return Err(damage("tied to nothing"));
    }
    let layer = model
        .uvs
        .first()
        .ok_or_else(|| damage("no texture coordinates"))?;
    let uvs: Vec<[f32; 2]> = layer.chunks_exact(2).map(|uv| [uv[0], uv[1]]).collect();
    let triangles = faces(&model.faces, ties.points.len(), uvs.len())
        .ok_or_else(|| damage("faces that cannot be read"))?;
    let ties = ties.points.into_iter().zip(ties.weights).zip(ties.offsets);
    Ok(Fitted {
        name: name.to_owned(),
        ties: ties
            .map(|((points, weights), offset)| Tie {
                points,
                weights,
                offset,
            })
            .collect(),
        uvs,
        triangles,
    })
}

/// Faces of the three.js format: a byte of flags says what follows. Bit 0: four corners; 1: a
/// material; 2: one texture coordinate for the face; 3: one for each corner; 4 to 7: normals and
/// colours, for the face and for each corner.
fn faces(numbers: &[u32], points: usize, uvs: usize) -> Option<Vec<Triangle>> {
    let mut rest = numbers.iter().copied();
    let mut triangles = Vec::new();
    while let Some(flags) = rest.next() {
        let has = |bit: u32| flags >> bit & 1 == 1;
        let corners = if has(0) { 4 } else { 3 };
        let mut take = |count: usize, end: usize| -> Option<Vec<u16>> {
            (0..count)
                .map(|_| rest.next().filter(|&n| (n as usize) < end)?.try_into().ok())
                .collect()
        };
        let any = usize::MAX;
        let at = take(corners, points)?;
        take(usize::from(has(1)), any)?;
        take(usize::from(has(2)), any)?;
        let uv = if has(3) {
            take(corners, uvs)?
        } else {
            return None;
        };
        take(usize::from(has(4)), any)?;
        take(if has(5) { corners } else { 0 }, any)?;
        take(usize::from(has(6)), any)?;
        take(if has(7) { corners } else { 0 }, any)?;
        let both: Vec<[u16; 2]> = at.into_iter().zip(uv).map(|(a, b)| [a, b]).collect();
        triangles.extend(fan(&both));
    }
    Some(triangles)
}

#[derive(Deserialize)]
struct RawBone {
    head: End,
    tail: End,
    parent: String,
}

#[derive(Deserialize)]
#[serde(tag = "strategy", rename_all = "UPPERCASE")]
enum End {
    Cube { cube_name: String },
    Vertex { vertex_index: u16 },
    Mean { vertex_indices: Vec<u16> },
}

#[derive(Deserialize)]
struct RawWeights {
    weights: BTreeMap<String, Vec<(u16, f32)>>,
}

/// A skeleton and its weights; `joints` are the points of the cubes that mark joints.
///
/// # Errors
/// When the JSON is not as expected, or a bone hangs on none that is there.
pub fn rig(
    bones: &[u8],
    weights: &[u8],
    joints: &BTreeMap<String, Vec<u16>>,
) -> Result<Rig, Damage> {
    let damage = |error: serde_json::Error| format!("the skeleton: {error}");
    let mut raw: BTreeMap<String, RawBone> = serde_json::from_slice(bones).map_err(damage)?;
    let mut weights: RawWeights = serde_json::from_slice(weights).map_err(damage)?;
    let points = |end: End| match end {
        End::Cube { cube_name } => joints
            .get(&cube_name)
            .cloned()
            .ok_or_else(|| format!("the skeleton: no joint {cube_name}")),
        End::Vertex { vertex_index } => Ok(vec![vertex_index]),
        End::Mean { vertex_indices } => Ok(vertex_indices),
    };
    let mut placed: BTreeMap<String, u16> = BTreeMap::new();
    let mut rig = Rig { bones: Vec::new() };
    while !raw.is_empty() {
        let next = raw
            .iter()
            .find(|(_, bone)| bone.parent.is_empty() || placed.contains_key(&bone.parent))
            .map(|(name, _)| name.clone())
            .ok_or("the skeleton: a bone hangs on none that is there")?;
        let Some(bone) = raw.remove(&next) else { break };
        let mut own = weights.weights.remove(&next).unwrap_or_default();
        own.sort_by_key(|&(point, _)| point);
        placed.insert(next.clone(), rig.bones.len() as u16);
        rig.bones.push(Bone {
            parent: placed
                .get(&bone.parent)
                .copied()
                .filter(|_| !bone.parent.is_empty()),
            head: points(bone.head)?,
            tail: points(bone.tail)?,
            points: own.iter().map(|&(point, _)| point).collect(),
            weights: own
                .iter()
                .map(|&(_, weight)| whole_weight(weight))
                .collect(),
            name: next,
        });
    }
    Ok(rig)
}
