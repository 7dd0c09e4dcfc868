//! A rasteriser in software: coloured, lit pictures of meshes together with what is known about
//! every pixel.
//!
//! Samples lie on a regular grid, several a pixel. Edges are whole numbers of 1/256 of a sample with
//! the top-left rule, so that neighbouring faces cover every sample exactly once. Hair and brows
//! are let through at random by their alpha (hash alpha), which needs no order and becomes smooth
//! by the number of samples. A pixel's samples are then gathered into one fragment for each thing
//! seen in it, and a fragment is lit once: shading costs per pixel, edges come per sample.
//!
//! The picture is cut into bands of rows whatever the number of threads, and nothing is summed
//! across bands, so any number of threads gives the same bytes.

pub mod cover;
mod gather;
mod light;
mod project;
mod shadow;

use rayon::prelude::*;

pub use self::light::{Backdrop, Lights, Material, decoded, encoded, to_linear, to_srgb};
pub use self::project::Camera;

use self::gather::{Fragment, gather};
use self::project::Projected;
use self::shadow::ShadowMap;
use super::geometry::Vec3;
use super::mesh::Triangle;
use super::texture::Texture;

/// Rows of pixels in a band.
const BAND: usize = 8;

/// What a pixel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Part {
    /// Nothing of the person.
    #[default]
    Backdrop = 0,
    /// Skin, lips among it.
    Skin = 1,
    /// The eyeballs.
    Eye = 2,
    /// Teeth and tongue.
    Mouth = 3,
    /// Eyebrows.
    Brow = 4,
    /// Eyelashes.
    Lash = 5,
    /// Hair of the head.
    Hair = 6,
    /// Clothes.
    Garment = 7,
}

impl Part {
    /// All of them in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Backdrop,
        Self::Skin,
        Self::Eye,
        Self::Mouth,
        Self::Brow,
        Self::Lash,
        Self::Hair,
        Self::Garment,
    ];
}

/// A mesh with its look.
pub struct Surface<'a> {
    /// Where its points are, decimetres.
    pub points: Vec<Vec3>,
    /// Where they are in the neutral figure.
    pub canonical: Vec<Vec3>,
    /// Normals at the points, length one.
    pub normals: Vec<Vec3>,
    /// Its faces.
    pub triangles: &'a [Triangle],
    /// Texture coordinates.
    pub uvs: &'a [[f32; 2]],
    /// Its picture; white where there is none.
    pub texture: Option<&'a Texture>,
    /// What the picture's colour is multiplied by, linear light.
    pub tint: Vec3,
    /// What it is.
    pub part: Part,
    /// Where its alpha lets the light through, and what the alpha is multiplied by; solid and seen
    /// from outside only where there is none.
    pub cutout: Option<f32>,
    /// Whether it throws a shadow.
    pub shadows: bool,
}

/// A picture and the truth about each of its pixels, rows from the top, `size * size` each.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Pixels in a side.
    pub size: usize,
    /// Colour as shown, sRGB.
    pub color: Vec<[u8; 3]>,
    /// Distance from the camera along its view in decimetres; infinite where there is nothing.
    pub depth: Vec<f32>,
    /// The surface's direction as the camera sees it: x right, y up, z to the camera; null where
    /// there is nothing.
    pub normals: Vec<Vec3>,
    /// How much of the pixel the figure takes, 0 to 1.
    pub cover: Vec<f32>,
    /// What most of the pixel shows.
    pub parts: Vec<Part>,
    /// Texture coordinates of what is shown; null where there is nothing.
    pub uvs: Vec<[f32; 2]>,
    /// Where what is shown lies in the neutral figure; null where there is nothing.
    pub canonical: Vec<Vec3>,
}

/// How large and how fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// Pixels in a side.
    pub size: usize,
    /// Samples in a pixel's side.
    pub samples: usize,
}

/// Draws surfaces.
///
/// # Panics
/// When a surface's faces point beyond its points or texture coordinates, which the kit's reader
/// rules out.
#[must_use]
pub fn render(
    surfaces: &[Surface],
    camera: &Camera,
    lights: &Lights,
    backdrop: &Backdrop,
    quality: Quality,
) -> Picture {
    let size = quality.size;
    let projected = Projected::new(surfaces, camera, size * quality.samples);
    let shadow = ShadowMap::new(surfaces, &projected, camera, lights, size);
    let bands: Vec<Vec<Fragment>> = (0..size.div_ceil(BAND))
        .into_par_iter()
        .map(|band| gather(surfaces, &projected, quality, band * BAND, BAND))
        .collect();
    let fragments: Vec<Fragment> = bands.into_iter().flatten().collect();
    let mut picture = Picture::empty(size);
    picture.describe(&fragments, camera);
    let scene = light::Scene {
        lights,
        backdrop,
        shadow: &shadow,
        size,
        depth: &picture.depth,
        camera,
    };
    let starts = rows(&fragments, size);
    let color: Vec<[u8; 3]> = (0..size)
        .into_par_iter()
        .flat_map_iter(|row| scene.row(row, &fragments[starts[row]..starts[row + 1]]))
        .collect();
    picture.color = color;
    picture
}

/// Where each row's fragments begin.
fn rows(fragments: &[Fragment], size: usize) -> Vec<usize> {
    (0..=size)
        .map(|row| fragments.partition_point(|f| (f.pixel as usize) < row * size))
        .collect()
}

impl Picture {
    /// The colours shrunk by a whole factor: the mean of squares of pixels, in sRGB values as the
    /// paper's downscaling takes them. Pixels that fill no square at the right and below are left
    /// out.
    #[must_use]
    pub fn shrunk(&self, factor: usize) -> Vec<[u8; 3]> {
        let factor = factor.max(1);
        let side = self.size / factor;
        let count = (factor * factor) as u32;
        let mean = |at: usize| {
            let (left, top) = (at % side * factor, at / side * factor);
            let mut sums = [0_u32; 3];
            for row in top..top + factor {
                let start = row * self.size + left;
                for pixel in &self.color[start..start + factor] {
                    for (sum, &value) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(value);
                    }
                }
            }
            sums.map(|sum| ((sum + count / 2) / count) as u8)
        };
        (0..side * side).map(mean).collect()
    }

    fn empty(size: usize) -> Self {
        let pixels = size * size;
        Self {
            size,
            color: Vec::new(),
            depth: vec![f32::INFINITY; pixels],
            normals: vec![[0.0; 3]; pixels],
            cover: vec![0.0; pixels],
            parts: vec![Part::Backdrop; pixels],
            uvs: vec![[0.0; 2]; pixels],
            canonical: vec![[0.0; 3]; pixels],
        }
    }

    /// Takes the truth from the fragment that most of a pixel shows, the nearer one of two alike.
    fn describe(&mut self, fragments: &[Fragment], camera: &Camera) {
        for of_pixel in fragments.chunk_by(|a, b| a.pixel == b.pixel) {
            let Some(most) = of_pixel.iter().max_by(|a, b| {
                (a.cover, a.position[2])
                    .partial_cmp(&(b.cover, b.position[2]))
                    .unwrap_or(std::cmp::Ordering::Equal)
            }) else {
                continue;
            };
            let covered: f32 = of_pixel.iter().map(|f| f.cover).sum();
            let pixel = most.pixel as usize;
            self.cover[pixel] = covered.min(1.0);
            if covered < 0.5 {
                continue;
            }
            self.depth[pixel] = camera.distance - most.position[2];
            self.normals[pixel] = most.normal;
            self.parts[pixel] = most.part;
            self.uvs[pixel] = most.uv;
            self.canonical[pixel] = most.canonical;
        }
    }
}
