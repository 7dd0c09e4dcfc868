//! A person's figure as surfaces to draw: skin, eyes, teeth, brows, lashes, hair and garments.

use super::axis::Axes;
use super::fit::Fitted;
use super::garment::{Hem, cut};
use super::geometry::{Vec3, cross, length, mean, normalise, scale, sub};
use super::kit::Kit;
use super::mesh::{Triangle, normals};
use super::packer::bust_of;
use super::person::Person;
use super::raster::{Part, Surface};
use super::rig::Pose;
use super::skin;
use super::texture::Texture;

/// How much of a person is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Head and shoulders; the head pack suffices.
    Head,
    /// All of it.
    Body,
}

/// Rings and spokes of an eyeball's front.
const RINGS: u16 = 10;
const SPOKES: u16 = 24;
/// The angle from an eye's axis that the iris' picture reaches to, radians.
const EYE_REACH: f32 = 1.42;

/// Everything that does not change from person to person, made once for a kit.
pub struct Wardrobe<'a> {
    kit: &'a Kit,
    axes: Axes,
    extent: Extent,
    skin: Vec<Triangle>,
    skin_bounds: [[f32; 2]; 2],
    /// A bust's garment, whose hem is out of sight.
    top: Vec<Triangle>,
    shirt: Fitted,
    trousers: Fitted,
    skirt: Vec<Triangle>,
    mouth: Vec<Triangle>,
    tongue: Vec<Triangle>,
    eyes: [Vec<u16>; 2],
    eye_uvs: Vec<[f32; 2]>,
    eye_triangles: Vec<Triangle>,
}

/// A person in a place: owns what the surfaces borrow.
pub struct Figure<'a> {
    wardrobe: &'a Wardrobe<'a>,
    person: &'a Person,
    skin: Option<Texture>,
    points: Vec<Vec3>,
}

impl<'a> Wardrobe<'a> {
    /// What a kit's people wear and are made of.
    #[must_use]
    pub fn new(kit: &'a Kit, extent: Extent) -> Self {
        let mesh = &kit.mesh;
        let faces = |group: &str| match extent {
            Extent::Head => bust_of(mesh, group),
            Extent::Body => mesh.group(group).to_vec(),
        };
        let skin = faces("body");
        let mut bounds = [[f32::INFINITY, f32::NEG_INFINITY]; 2];
        for uv in skin
            .iter()
            .flat_map(|t| t.uvs)
            .map(|at| mesh.uvs[usize::from(at)])
        {
            for (bound, value) in bounds.iter_mut().zip(uv) {
                *bound = [bound[0].min(value), bound[1].max(value)];
            }
        }
        // The tights reach from neck to toes and fingers: a shirt with short sleeves, and trousers.
        let centre = |t: &Triangle| mean(&mesh.points, &t.points);
        let shell = faces("helper-tights");
        let is_top = |t: &&Triangle| centre(t)[1] > 1.1 && centre(t)[0].abs() < 2.7;
        let hem = |axis, at, side| Hem { axis, at, side };
        let sleeves = [hem(0, 2.7, -1.0), hem(0, -2.7, 1.0)];
        let sewn = |hems: &[Hem]| match extent {
            Extent::Head => cut(mesh, &[], hems),
            Extent::Body => cut(mesh, &shell, &[hems, &sleeves].concat()),
        };
        let (eye_uvs, eye_triangles) = eyeball();
        let teeth = [
            mesh.group("helper-upper-teeth"),
            mesh.group("helper-lower-teeth"),
        ]
        .concat();
        Self {
            kit,
            axes: Axes::new(kit),
            extent,
            skin_bounds: bounds,
            skin,
            top: shell.iter().filter(is_top).copied().collect(),
            shirt: sewn(&[hem(1, 1.1, 1.0)]),
            trousers: sewn(&[hem(1, 1.1, -1.0), hem(1, -6.9, 1.0)]),
            skirt: mesh.group("helper-skirt").to_vec(),
            mouth: teeth,
            tongue: mesh.group("helper-tongue").to_vec(),
            eyes: ["helper-l-eye", "helper-r-eye"].map(|name| mesh.group_points(name)),
            eye_uvs,
            eye_triangles,
        }
    }

    /// A person's figure; `pose` needs the body pack.
    #[must_use]
    pub fn figure(&'a self, person: &'a Person, pose: Option<&Pose>) -> Figure<'a> {
        let shaped = person.points_by(self.kit, &self.axes);
        let points = match (pose, &self.kit.rig) {
            (Some(pose), Some(rig)) => rig.pose(&shaped, pose),
            _ => shaped,
        };
        Figure {
            wardrobe: self,
            person,
            skin: skin::blend(self.kit, person, self.skin_bounds),
            points,
        }
    }
}

impl<'a> Figure<'a> {
    /// The base mesh's points, posed.
    #[must_use]
    pub fn points(&self) -> &[Vec3] {
        &self.points
    }

    /// The middles of the left and the right eye.
    #[must_use]
    pub fn eyes(&self) -> [Vec3; 2] {
        let eyes = &self.wardrobe.eyes;
        [mean(&self.points, &eyes[0]), mean(&self.points, &eyes[1])]
    }

    /// What is drawn.
    #[must_use]
    pub fn surfaces(&'a self) -> Vec<Surface<'a>> {
        let (wardrobe, person) = (self.wardrobe, self.person);
        let skin = self.base(&wardrobe.skin, Part::Skin, person.skin_tint);
        let mut surfaces = vec![Surface {
            texture: self.skin.as_ref(),
            ..skin
        }];
        for eye in &wardrobe.eyes {
            surfaces.push(self.eye(eye));
        }
        surfaces.push(self.base(&wardrobe.mouth, Part::Mouth, [0.62, 0.58, 0.5]));
        surfaces.push(self.base(&wardrobe.tongue, Part::Mouth, [0.35, 0.1, 0.09]));
        if wardrobe.extent == Extent::Body {
            surfaces.push(if person.skirt {
                self.base(&wardrobe.skirt, Part::Garment, person.bottom)
            } else {
                self.sewn(&wardrobe.trousers, person.bottom)
            });
            surfaces.push(self.sewn(&wardrobe.shirt, person.top));
        } else {
            surfaces.push(self.base(&wardrobe.top, Part::Garment, person.top));
        }
        let brow = scale(person.hair_color, 0.7);
        surfaces.extend(self.worn(&person.brow, Part::Brow, brow, 0.85, false));
        let density = person.lash_density;
        surfaces.extend(self.worn(&person.lash, Part::Lash, [0.02; 3], density, false));
        if let Some(hair) = &person.hair {
            // The picture's mean is 0.45, which is 0.17 in linear light.
            let color = scale(person.hair_color, 1.0 / 0.17);
            surfaces.extend(self.worn(hair, Part::Hair, color, 1.0, person.hair_mirrored));
        }
        surfaces
    }

    /// Faces of the base mesh.
    fn base(&self, triangles: &'a [Triangle], part: Part, tint: Vec3) -> Surface<'a> {
        let mesh = &self.wardrobe.kit.mesh;
        Surface {
            normals: normals(&self.points, triangles),
            points: self.points.clone(),
            canonical: mesh.points.clone(),
            triangles,
            uvs: &mesh.uvs,
            texture: None,
            tint,
            part,
            cutout: None,
            shadows: matches!(part, Part::Skin | Part::Garment),
        }
    }

    /// A garment.
    fn sewn(&self, garment: &'a Fitted, tint: Vec3) -> Surface<'a> {
        let points = garment.fit(&self.points);
        Surface {
            canonical: garment.fit(&self.wardrobe.kit.mesh.points),
            normals: normals(&points, &garment.triangles),
            points,
            triangles: &garment.triangles,
            uvs: &garment.uvs,
            texture: None,
            tint,
            part: Part::Garment,
            cutout: None,
            shadows: true,
        }
    }

    fn worn(
        &self,
        name: &str,
        part: Part,
        tint: Vec3,
        alpha: f32,
        mirrored: bool,
    ) -> Option<Surface<'a>> {
        let kit = self.wardrobe.kit;
        let fitted = kit.fitted.get(name)?;
        let flip = |points: Vec<Vec3>| -> Vec<Vec3> {
            let side = if mirrored { -1.0 } else { 1.0 };
            points
                .into_iter()
                .map(|[x, y, z]| [side * x, y, z])
                .collect()
        };
        let points = flip(fitted.fit(&self.points));
        Some(Surface {
            canonical: flip(fitted.fit(&kit.mesh.points)),
            normals: normals(&points, &fitted.triangles),
            points,
            triangles: &fitted.triangles,
            uvs: &fitted.uvs,
            texture: kit.textures.get(name),
            tint,
            part,
            cutout: Some(alpha),
            shadows: part == Part::Hair,
        })
    }

    /// The front of a ball around an eye's helper points, looking where its foremost one lies.
    fn eye(&self, helper: &[u16]) -> Surface<'a> {
        let neutral = &self.wardrobe.kit.mesh.points;
        let foremost = helper
            .iter()
            .copied()
            .max_by(|&a, &b| {
                let z = |point: u16| neutral[usize::from(point)][2];
                z(a).total_cmp(&z(b))
            })
            .unwrap_or_default();
        let ball = |points: &[Vec3]| {
            let centre = mean(points, helper);
            let radius = helper
                .iter()
                .map(|&point| length(sub(points[usize::from(point)], centre)))
                .sum::<f32>()
                / helper.len().max(1) as f32;
            sphere(centre, radius, sub(points[usize::from(foremost)], centre))
        };
        let (points, normals) = ball(&self.points);
        Surface {
            points,
            normals,
            canonical: ball(neutral).0,
            triangles: &self.wardrobe.eye_triangles,
            uvs: &self.wardrobe.eye_uvs,
            texture: self.wardrobe.kit.textures.get(&self.person.iris),
            // The white of an eye is less white than paper.
            tint: [0.82; 3],
            part: Part::Eye,
            cutout: None,
            shadows: false,
        }
    }
}

/// Places on the front of an eyeball: one in the middle, then rings. The picture is laid on by the
/// angle from the axis.
fn eyeball() -> (Vec<[f32; 2]>, Vec<Triangle>) {
    let uvs = directions()
        .map(|[x, y, _]| {
            let off = (x * x + y * y).sqrt();
            let reach = off.min(1.0).asin() / EYE_REACH * 0.5;
            let by = if off > 1e-6 { reach / off } else { 0.0 };
            [0.5 + x * by, 0.5 + y * by]
        })
        .collect();
    let at = |ring: u16, spoke: u16| match ring {
        0 => 0,
        ring => 1 + (ring - 1) * SPOKES + spoke % SPOKES,
    };
    let face = |points: [u16; 3]| Triangle {
        points,
        uvs: points,
    };
    let triangles = (0..RINGS)
        .flat_map(|ring| (0..SPOKES).map(move |spoke| (ring, spoke)))
        .flat_map(|(r, s)| {
            let outer = face([at(r, s), at(r + 1, s), at(r + 1, s + 1)]);
            let inner = face([at(r, s), at(r + 1, s + 1), at(r, s + 1)]);
            // In the middle the second one would have no area.
            [outer, inner].into_iter().take(if r == 0 { 1 } else { 2 })
        })
        .collect();
    (uvs, triangles)
}

/// Directions from an eyeball's middle, z along its axis.
fn directions() -> impl Iterator<Item = Vec3> {
    let ring = |ring: u16| {
        (0..SPOKES).map(move |spoke| {
            let angle = EYE_REACH * f32::from(ring) / f32::from(RINGS);
            let around = std::f32::consts::TAU * f32::from(spoke) / f32::from(SPOKES);
            let (sin, cos) = angle.sin_cos();
            [sin * around.cos(), sin * around.sin(), cos]
        })
    };
    std::iter::once([0.0, 0.0, 1.0]).chain((1..=RINGS).flat_map(ring))
}

/// The points and normals of an eyeball's front.
fn sphere(centre: Vec3, radius: f32, axis: Vec3) -> (Vec<Vec3>, Vec<Vec3>) {
    let forward = normalise(axis);
    let right = normalise(cross([0.0, 1.0, 0.0], forward));
    let up = cross(forward, right);
    directions()
        .map(|[x, y, z]| {
            let normal = [0, 1, 2].map(|k| x * right[k] + y * up[k] + z * forward[k]);
            ([0, 1, 2].map(|k| centre[k] + radius * normal[k]), normal)
        })
        .unzip()
}
