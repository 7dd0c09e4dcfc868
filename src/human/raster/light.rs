//! Light: a key with a soft shadow, a fill, a rim, a sky and a ground; skin that lets red through
//! further than blue (wrapped diffuse), a Blinn highlight that grows at grazing angles (Fresnel),
//! and corners that are darker (occlusion from the picture's own depth).

use serde::{Deserialize, Serialize};

use super::Part;
use super::gather::Fragment;
use super::project::Camera;
use super::shadow::ShadowMap;
use crate::human::geometry::{Vec3, add, dot, normalise, round, scale};

/// What lights a figure. Directions point to the light as the camera sees it; colours are linear.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lights {
    /// Where the key light is; it alone throws shadows.
    pub key_direction: Vec3,
    /// Its colour.
    pub key: Vec3,
    /// Where the fill light is.
    pub fill_direction: Vec3,
    /// Its colour.
    pub fill: Vec3,
    /// Where the rim light is, behind the figure.
    pub rim_direction: Vec3,
    /// Its colour.
    pub rim: Vec3,
    /// Light from above.
    pub sky: Vec3,
    /// Light from below.
    pub ground: Vec3,
    /// How wide the shadows' edges are; 1 is usual.
    pub softness: f32,
    /// How oily the skin is; 1 is usual.
    pub oil: f32,
    /// What all light is multiplied by before it becomes a colour.
    pub exposure: f32,
}

/// What is behind the figure: two colours, one passing into the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backdrop {
    /// The colour at the one end, linear.
    pub from: Vec3,
    /// The colour at the other.
    pub to: Vec3,
    /// The direction from the one to the other in radians, 0 to the right, rising upwards.
    pub angle: f32,
}

/// How a part answers to light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Material {
    /// How far each colour wraps around to the dark side.
    pub wrap: Vec3,
    /// How much of the key light the highlight gives back.
    pub shine: f32,
    /// The highlight's exponent.
    pub hardness: f32,
    /// Whether light from behind shines through, and it is seen from both sides.
    pub thin: bool,
    /// How much red comes through where the light itself does not reach.
    pub through: f32,
}

/// What shading needs besides the fragments.
pub(super) struct Scene<'a> {
    pub lights: &'a Lights,
    pub backdrop: &'a Backdrop,
    pub shadow: &'a ShadowMap,
    pub size: usize,
    pub depth: &'a [f32],
    pub camera: &'a Camera,
}

impl Scene<'_> {
    /// The colours of a row of pixels.
    pub fn row(&self, row: usize, fragments: &[Fragment]) -> Vec<[u8; 3]> {
        let mut rest = fragments;
        (0..self.size)
            .map(|column| {
                let pixel = row * self.size + column;
                let here = rest.partition_point(|f| f.pixel as usize <= pixel);
                let (now, later) = rest.split_at(here);
                rest = later;
                let mut color = [0.0; 3];
                let mut open = 1.0_f32;
                for fragment in now {
                    let lit = scale(self.shade(fragment), self.lights.exposure);
                    color = add(color, scale(lit.map(shoulder), fragment.cover));
                    open -= fragment.cover;
                }
                let behind = self.backdrop.at(column, row, self.size);
                color = add(color, scale(behind, open.max(0.0)));
                color.map(to_srgb)
            })
            .collect()
    }

    fn shade(&self, fragment: &Fragment) -> Vec3 {
        let lights = self.lights;
        let material = Material::of(fragment.part, lights.oil);
        let mut normal = fragment.normal;
        // Strands are seen from both sides.
        if normal[2] < 0.0 && material.thin {
            normal = scale(normal, -1.0);
        }
        let reach = self.shadow.reach(fragment.position, normal);
        let open = self.open(fragment);
        let up = 0.5 * (normal[1] + 1.0);
        let mut light =
            [0, 1, 2].map(|k| (lights.ground[k] + (lights.sky[k] - lights.ground[k]) * up) * open);
        let mut shine = 0.0;
        let grazing = (1.0 - normal[2].max(0.0)).powi(3);
        for (direction, color, lit) in [
            (lights.key_direction, lights.key, reach),
            (lights.fill_direction, lights.fill, open),
            (lights.rim_direction, lights.rim, open),
        ] {
            let facing = dot(normal, direction);
            for k in 0..3 {
                let wrap = material.wrap[k];
                let diffuse = ((facing + wrap) / ((1.0 + wrap) * (1.0 + wrap))).max(0.0);
                // A little red comes through from the lit side.
                let through = if k == 0 { material.through } else { 0.0 };
                light[k] += diffuse * color[k] * (lit + (1.0 - lit) * through);
            }
            if facing > 0.0 || material.thin {
                let half = normalise(add(direction, [0.0, 0.0, 1.0]));
                let blinn = dot(normal, half).max(0.0).powf(material.hardness);
                let mean = (color[0] + color[1] + color[2]) / 3.0;
                shine += blinn * material.shine * (1.0 + 2.5 * grazing) * lit * mean;
            }
        }
        [0, 1, 2].map(|k| fragment.albedo[k] * light[k] + shine)
    }

    /// How open a place is to the light from all around, 0 to 1: neighbours in the picture that lie
    /// in front of it take light away.
    fn open(&self, fragment: &Fragment) -> f32 {
        const AROUND: [[f32; 2]; 8] = [
            [1.0, 0.0],
            [-1.0, 0.0],
            [0.0, 1.0],
            [0.0, -1.0],
            [0.7, 0.7],
            [-0.7, 0.7],
            [0.7, -0.7],
            [-0.7, -0.7],
        ];
        let size = self.size as f32;
        let own = self.camera.distance - fragment.position[2];
        let pixel = fragment.pixel as usize;
        let (column, row) = ((pixel % self.size) as f32, (pixel / self.size) as f32);
        let mut taken = 0.0;
        for share in [1.0 / 60.0, 1.0 / 24.0] {
            let radius = (size * share).max(1.0);
            let reach = radius / (size * self.camera.scale);
            for [dx, dy] in AROUND {
                let x = round(column + dx * radius);
                let y = round(row + dy * radius);
                let inside = |at: i64| usize::try_from(at).ok().filter(|&at| at < self.size);
                let (Some(x), Some(y)) = (inside(x), inside(y)) else {
                    continue;
                };
                let other = self.depth[y * self.size + x];
                let rise = (own - other) / reach - 0.35;
                // Far in front is another thing, which hides less the further it is.
                taken += rise.clamp(0.0, 1.0) / (1.0 + (rise - 2.0).max(0.0));
            }
        }
        1.0 / (1.0 + 0.13 * taken)
    }
}

impl Material {
    /// That of a part of a person; `oil` is how oily the skin is, as [`Lights::oil`].
    #[must_use]
    pub fn of(part: Part, oil: f32) -> Self {
        let through = if part == Part::Skin { 0.1 } else { 0.0 };
        let material = |wrap: Vec3, shine, hardness, thin| Self {
            wrap,
            shine,
            hardness,
            thin,
            through,
        };
        match part {
            Part::Skin => material([0.35, 0.16, 0.10], 0.045 * oil, 18.0, false),
            Part::Eye => material([0.1; 3], 0.9, 180.0, false),
            Part::Mouth => material([0.15, 0.1, 0.1], 0.15, 60.0, false),
            Part::Brow | Part::Lash => material([0.3; 3], 0.0, 1.0, true),
            Part::Hair => material([0.3; 3], 0.05, 22.0, true),
            Part::Garment | Part::Backdrop => material([0.2; 3], 0.01, 12.0, false),
        }
    }
}

impl Backdrop {
    fn at(&self, column: usize, row: usize, size: usize) -> Vec3 {
        let place = |at: usize| (at as f32 + 0.5) / size as f32 - 0.5;
        let (sin, cos) = self.angle.sin_cos();
        let along = (0.5 + place(column) * cos - place(row) * sin).clamp(0.0, 1.0);
        [0, 1, 2].map(|k| self.from[k] + (self.to[k] - self.from[k]) * along)
    }
}

/// Bends bright light so that it nears white slowly: straight up to 0.6, below 1 for ever after.
fn shoulder(light: f32) -> f32 {
    const KNEE: f32 = 0.6;
    if light <= KNEE {
        light
    } else {
        let over = (light - KNEE) / (1.0 - KNEE);
        KNEE + (1.0 - KNEE) * over / (1.0 + over)
    }
}

/// Linear light of an sRGB value of 0 to 255: a cubic within 0.002 of the standard's curve, because it
/// runs for every sample and colour.
#[inline]
#[must_use]
pub fn to_linear(value: f32) -> f32 {
    let value = value * (1.0 / 255.0);
    value * (value * (value * 0.305_306 + 0.682_171_1) + 0.012_522_9)
}

/// The sRGB value of linear light.
#[must_use]
pub fn to_srgb(light: f32) -> u8 {
    (encoded(light) * 255.0 + 0.5) as u8
}

/// The sRGB value of linear light, from 0 to 1.
#[must_use]
pub fn encoded(light: f32) -> f32 {
    let light = light.clamp(0.0, 1.0);
    if light <= 0.003_130_8 {
        12.92 * light
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    }
}

/// Linear light of an sRGB value from 0 to 1, exactly.
#[must_use]
pub fn decoded(value: f32) -> f32 {
    if value <= 0.040_45 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}
