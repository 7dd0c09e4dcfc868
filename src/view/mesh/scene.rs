//! What a mesh view shows, as the graphics card wants it: every corner of a face with all that
//! belongs to it, and textures with their smaller copies.

use std::collections::HashMap;

use crate::human::geometry::{length, sub};
use crate::human::raster::{Backdrop, Camera, Lights, Material, Surface};
use crate::human::texture::Texture;

/// A corner of faces.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Vertex {
    /// Where it is, decimetres.
    pub point: [f32; 3],
    /// The surface's direction there, length one.
    pub normal: [f32; 3],
    /// Texture coordinates, the origin at the lower left.
    pub uv: [f32; 2],
}

/// A mesh with its look.
#[derive(Clone, Debug, PartialEq)]
pub struct Mesh {
    /// Its corners.
    pub vertices: Vec<Vertex>,
    /// Three for each face, counter-clockwise seen from outside.
    pub indices: Vec<u32>,
    /// Its picture and the smaller copies of it, each half as large; none is white.
    pub mips: Vec<Texture>,
    /// What the picture's colour is multiplied by, linear light.
    pub tint: [f32; 3],
    /// How it answers to light.
    pub material: Material,
    /// What its alpha is multiplied by where that lets the light through; solid where there is none.
    pub cutout: Option<f32>,
    /// Whether it throws a shadow.
    pub shadows: bool,
}

/// A figure before a camera, in a light, in front of something.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// What is drawn.
    pub meshes: Vec<Mesh>,
    /// How it is seen before anybody turns it.
    pub camera: Camera,
    /// What lights it.
    pub lights: Lights,
    /// What is behind it.
    pub backdrop: Backdrop,
    /// How far from the camera's target it reaches, decimetres.
    pub reach: f32,
}

impl Scene {
    /// The scene that [`crate::human::raster::render`] draws of the same arguments.
    #[must_use]
    pub fn new(
        surfaces: &[Surface],
        camera: &Camera,
        lights: &Lights,
        backdrop: &Backdrop,
    ) -> Self {
        let meshes: Vec<Mesh> = surfaces.iter().map(|s| Mesh::new(s, lights.oil)).collect();
        let reach = meshes
            .iter()
            .flat_map(|mesh| &mesh.vertices)
            .map(|vertex| length(sub(vertex.point, camera.target)))
            .fold(0.0, f32::max);
        Self {
            meshes,
            camera: camera.clone(),
            lights: lights.clone(),
            backdrop: backdrop.clone(),
            reach,
        }
    }
}

impl Mesh {
    fn new(surface: &Surface, oil: f32) -> Self {
        let mut numbers: HashMap<[u16; 2], u32> = HashMap::new();
        let mut vertices = Vec::new();
        let mut indices = Vec::with_capacity(surface.triangles.len() * 3);
        for triangle in surface.triangles {
            for (&point, &uv) in triangle.points.iter().zip(&triangle.uvs) {
                let number = *numbers.entry([point, uv]).or_insert_with(|| {
                    vertices.push(Vertex {
                        point: surface.points[usize::from(point)],
                        normal: surface.normals[usize::from(point)],
                        uv: surface.uvs[usize::from(uv)],
                    });
                    vertices.len() as u32 - 1
                });
                indices.push(number);
            }
        }
        Self {
            vertices,
            indices,
            mips: surface.texture.map(mips).unwrap_or_default(),
            tint: surface.tint,
            material: Material::of(surface.part, oil),
            cutout: surface.cutout,
            shadows: surface.shadows,
        }
    }
}

/// A texture and its smaller copies, down to one pixel.
fn mips(texture: &Texture) -> Vec<Texture> {
    let mut mips = vec![texture.clone()];
    while let Some(last) = mips.last().filter(|t| t.width > 1 || t.height > 1) {
        mips.push(halved(last));
    }
    mips
}

/// The mean of squares of pixels. Colours count by their alpha: what is not seen has none.
fn halved(texture: &Texture) -> Texture {
    let (width, height) = ((texture.width / 2).max(1), (texture.height / 2).max(1));
    let mut pixels = Vec::with_capacity(width * height);
    for row in 0..height {
        for column in 0..width {
            let mut sums = [0_u32; 4];
            let mut plain = [0_u32; 3];
            for k in 0..4 {
                let x = (column * 2 + k % 2).min(texture.width - 1);
                let y = (row * 2 + k / 2).min(texture.height - 1);
                let pixel = texture.pixels[y * texture.width + x].map(u32::from);
                for c in 0..3 {
                    sums[c] += pixel[c] * pixel[3];
                    plain[c] += pixel[c];
                }
                sums[3] += pixel[3];
            }
            let color = |c: usize| match sums[3] {
                0 => plain[c] / 4,
                alpha => (sums[c] + alpha / 2) / alpha,
            };
            let pixel = [color(0), color(1), color(2), (sums[3] + 2) / 4];
            pixels.push(pixel.map(|value| value as u8));
        }
    }
    Texture {
        width,
        height,
        pixels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaller_copies_are_means_and_take_no_color_from_what_is_not_seen() {
        let texture = Texture {
            width: 2,
            height: 2,
            pixels: vec![[200, 0, 0, 255], [100, 0, 0, 255], [0, 255, 0, 0], [0; 4]],
        };
        let mips = mips(&texture);
        assert_eq!(mips.len(), 2);
        assert_eq!(mips[1].pixels, [[150, 0, 0, 128]]);
    }
}
