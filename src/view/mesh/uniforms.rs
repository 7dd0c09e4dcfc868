//! What the shaders of meshes are told, as bytes.

use bytemuck::{Pod, Zeroable};

use super::scene::{Mesh, Scene};
use crate::human::geometry::{Mat3, cross, normalise};
use crate::human::raster::{Camera, Lights};

/// The same fields as `Frame` in shaders/lib/light.wgsl.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(super) struct Frame {
    turn: [[f32; 4]; 3],
    lens: [f32; 4],
    towards: [[f32; 4]; 3],
    key_direction: [f32; 4],
    key: [f32; 4],
    fill_direction: [f32; 4],
    fill: [f32; 4],
    rim_direction: [f32; 4],
    rim: [f32; 4],
    sky: [f32; 4],
    ground: [f32; 4],
    taps: [[f32; 4]; 8],
    distance: f32,
    least_near: f32,
    most_near: f32,
    height: f32,
    shadow_side: f32,
    shadow_scale: f32,
    side: f32,
    scale: f32,
    exposure: f32,
    pad: [f32; 3],
}

/// The same fields as `Look` in shaders/lib/light.wgsl.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct Look {
    tint: [f32; 4],
    wrap: [f32; 3],
    shine: f32,
    hardness: f32,
    through: f32,
    is_thin: u32,
    number: u32,
}

/// The same fields as `Show` in `shaders/mesh_show.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct Show {
    pub(super) origin_px: [f32; 2],
    pub(super) size_px: [f32; 2],
    pub(super) from_color: [f32; 4],
    pub(super) to_color: [f32; 4],
    pub(super) along: [f32; 2],
    pub(super) detail: u32,
    pub(super) pad: u32,
}

/// A shadow map's side for a picture of `side` pixels, as in the software rasteriser.
pub(super) fn shadow_side(side: u32) -> u32 {
    side.clamp(64, 512) * 3 / 2
}

impl Frame {
    /// A picture of `size` texels, `side_px` pixels of the window in its smaller side.
    pub(super) fn new(scene: &Scene, camera: &Camera, size: [u32; 2], side_px: u32) -> Self {
        let lights = &scene.lights;
        let [width, height] = size.map(|n| n as f32);
        let side = width.min(height);
        let fit = [side / width, side / height];
        let grown = 2.0 * camera.scale * camera.distance;
        let [x, y] = camera.place;
        let mut turn = rows(&camera.turn);
        for (row, target) in turn.iter_mut().zip(camera.target) {
            row[3] = target;
        }
        // A little more than it reaches, so that nothing lies on an end.
        let reach = scene.reach.max(1e-3) * 1.01;
        let nearest = (camera.distance - reach).max(0.02 * camera.distance);
        let shadow = shadow_side(side_px) as f32;
        let wide = |v: [f32; 3]| [v[0], v[1], v[2], 0.0];
        Self {
            turn,
            lens: [
                grown * fit[0],
                grown * fit[1],
                (2.0 * x - 1.0) * fit[0],
                (1.0 - 2.0 * y) * fit[1],
            ],
            towards: rows(&towards(lights.key_direction)),
            key_direction: wide(lights.key_direction),
            key: wide(lights.key),
            fill_direction: wide(lights.fill_direction),
            fill: wide(lights.fill),
            rim_direction: wide(lights.rim_direction),
            rim: wide(lights.rim),
            sky: wide(lights.sky),
            ground: wide(lights.ground),
            taps: taps(shadow, lights),
            distance: camera.distance,
            least_near: 1.0 / (camera.distance + reach),
            most_near: 1.0 / nearest,
            height: reach,
            shadow_side: shadow,
            shadow_scale: shadow * camera.scale / 1.7,
            side,
            scale: camera.scale,
            exposure: lights.exposure,
            pad: [0.0; 3],
        }
    }
}

impl Look {
    pub(super) fn new(mesh: &Mesh, number: u32) -> Self {
        let [r, g, b] = mesh.tint;
        let material = mesh.material;
        Self {
            // Without a picture there is no alpha to let the light through.
            tint: [
                r,
                g,
                b,
                mesh.cutout.filter(|_| !mesh.mips.is_empty()).unwrap_or(0.0),
            ],
            wrap: material.wrap,
            shine: material.shine,
            hardness: material.hardness,
            through: material.through,
            is_thin: u32::from(material.thin),
            number,
        }
    }
}

fn rows(turn: &Mat3) -> [[f32; 4]; 3] {
    turn.map(|[x, y, z]| [x, y, z, 0.0])
}

/// The rotation that brings the key light's direction to z.
fn towards(direction: [f32; 3]) -> Mat3 {
    let forward = normalise(direction);
    let up = if forward[1].abs() < 0.99 {
        [0.0, 1.0, 0.0]
    } else {
        [1.0, 0.0, 0.0]
    };
    let right = normalise(cross(up, forward));
    [right, cross(forward, right), forward]
}

/// Sixteen places around one, as far apart as a sunflower's seeds.
fn taps(side: f32, lights: &Lights) -> [[f32; 4]; 8] {
    let radius = 0.02 * side * lights.softness;
    let tap = |k: usize| {
        let angle = k as f32 * 2.399_963;
        let reach = radius * ((k as f32 + 0.5) / 16.0).sqrt();
        [reach * angle.cos(), reach * angle.sin()]
    };
    std::array::from_fn(|pair| {
        let ([a, b], [c, d]) = (tap(2 * pair), tap(2 * pair + 1));
        [a, b, c, d]
    })
}
