//! What the key light sees: a map of the nearest surfaces, and how much of a place it reaches.

use rayon::prelude::*;

use super::Surface;
use super::cover::Samples;
use super::light::Lights;
use super::project::{Camera, Face, Projected};
use crate::human::geometry::{Mat3, Vec3, cross, normalise, rotate};

/// Rows of the map in a band.
const BAND: usize = 32;
/// Places that are looked at around a point, as far apart as a sunflower's seeds.
const TAPS: usize = 16;
/// Least and greatest heights over a point between which a shadow grows, decimetres.
const BIAS: f32 = 0.04;
const SOFT: f32 = 0.06;
/// Surfaces that face the light by less than this cosine have no plane to speak of.
const STEEPEST: f32 = 0.2;

/// Heights towards the light.
pub struct ShadowMap {
    turn: Mat3,
    /// Map samples a decimetre.
    scale: f32,
    side: usize,
    near: Vec<f32>,
    /// Where the taps lie, in map samples.
    taps: [[f32; 2]; TAPS],
}

impl ShadowMap {
    /// The map for what a picture of `size` pixels shows.
    pub fn new(
        surfaces: &[Surface],
        projected: &Projected,
        camera: &Camera,
        lights: &Lights,
        size: usize,
    ) -> Self {
        let forward = normalise(lights.key_direction);
        // Any direction that is not the light's own serves as up.
        let up = if forward[1].abs() < 0.99 {
            [0.0, 1.0, 0.0]
        } else {
            [1.0, 0.0, 0.0]
        };
        let right = normalise(cross(up, forward));
        let turn = [right, cross(forward, right), forward];
        let side = size.clamp(64, 512) * 3 / 2;
        // What lies beyond the picture throws shadows into it too.
        let scale = side as f32 * camera.scale / 1.7;
        let radius = 0.02 * side as f32 * lights.softness;
        let taps = std::array::from_fn(|k| {
            let angle = k as f32 * 2.399_963;
            let reach = radius * ((k as f32 + 0.5) / TAPS as f32).sqrt();
            [reach * angle.cos(), reach * angle.sin()]
        });
        let mut map = Self {
            turn,
            scale,
            side,
            near: Vec::new(),
            taps,
        };
        let faces = map.faces(surfaces, projected);
        map.near = (0..side.div_ceil(BAND))
            .into_par_iter()
            .flat_map_iter(|band| {
                let top = band * BAND;
                let mut samples = Samples::new(side, top, BAND.min(side - top));
                samples.draw(&faces, surfaces);
                samples.near
            })
            .collect();
        map
    }

    fn faces(&self, surfaces: &[Surface], projected: &Projected) -> Vec<Face> {
        let mut faces = Vec::new();
        for (at, (surface, views)) in surfaces.iter().zip(&projected.views).enumerate() {
            if !surface.shadows {
                continue;
            }
            let seen: Vec<([f32; 2], f32)> = views.iter().map(|&view| self.place(view)).collect();
            for (number, triangle) in surface.triangles.iter().enumerate() {
                let corners = triangle.points.map(|p| seen[usize::from(p)]);
                faces.extend(Face::new(
                    corners.map(|c| c.0),
                    corners.map(|c| c.1),
                    [1.0; 3],
                    (at as u16, number as u32),
                    true,
                ));
            }
        }
        faces
    }

    fn place(&self, view: Vec3) -> ([f32; 2], f32) {
        let [x, y, z] = rotate(&self.turn, view);
        let middle = self.side as f32 / 2.0;
        ([middle + x * self.scale, middle - y * self.scale], z)
    }

    /// How much of the key light reaches a place, 0 to 1.
    pub fn reach(&self, view: Vec3, normal: Vec3) -> f32 {
        // Off the surface a little, so that it does not shade itself.
        let lifted = [0, 1, 2].map(|k| view[k] + 0.03 * normal[k]);
        let ([x, y], height) = self.place(lifted);
        // A slope rises around the place without shading it: taps are compared with its plane.
        let [right, up, towards] = rotate(&self.turn, normal);
        let slope = if towards > STEEPEST {
            [-right / towards, up / towards].map(|rise| rise / self.scale)
        } else {
            [0.0; 2]
        };
        let mut light = 0.0;
        for tap in self.taps {
            // Cut rather than rounded down, which is the same from 0 on.
            let (column, row) = (x + tap[0], y + tap[1]);
            let inside = |value: f32| value >= 0.0 && value < self.side as f32;
            let over = if inside(column) && inside(row) {
                let plane = height + slope[0] * tap[0] + slope[1] * tap[1];
                self.near[row as usize * self.side + column as usize] - plane
            } else {
                f32::NEG_INFINITY
            };
            light += 1.0 - ((over - BIAS) / SOFT).clamp(0.0, 1.0);
        }
        light / TAPS as f32
    }
}
