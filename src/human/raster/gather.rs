//! From samples to fragments: for each pixel, one for each surface that is seen in it.

#![expect(
    clippy::cast_possible_wrap,
    reason = "numbers of rows and columns are far below what either type holds"
)]

use super::cover::{Edges, NONE, Samples, correct};
use super::project::{Face, Projected};
use super::{Part, Quality, Surface};
use crate::human::geometry::{Mat3, Vec3, add, normalise, rotate, scale};
use crate::human::raster::light::to_linear;

/// Surfaces told apart in one pixel; further ones join the last.
const MOST: usize = 4;

/// What a pixel shows of one surface.
#[derive(Clone, Copy, Debug)]
pub struct Fragment {
    /// The pixel's number.
    pub pixel: u32,
    /// What it is.
    pub part: Part,
    /// How much of the pixel it takes, 0 to 1.
    pub cover: f32,
    /// Mean colour, linear light.
    pub albedo: Vec3,
    /// Mean direction, as the camera sees it.
    pub normal: Vec3,
    /// Mean place, as the camera sees it.
    pub position: Vec3,
    /// Texture coordinates of its first sample: a mean across a seam would be nowhere.
    pub uv: [f32; 2],
    /// Mean place in the neutral figure.
    pub canonical: Vec3,
}

/// A fragment while samples are added to it.
#[derive(Clone, Copy)]
struct Sum {
    surface: u16,
    count: f32,
    fragment: Fragment,
}

/// The fragments of some rows of pixels, in the pixels' order.
pub fn gather(
    surfaces: &[Surface],
    projected: &Projected,
    quality: Quality,
    top: usize,
    rows: usize,
) -> Vec<Fragment> {
    let per = quality.samples;
    let rows = rows.min(quality.size - top);
    let mut samples = Samples::new(projected.side, top * per, rows * per);
    samples.draw(&projected.faces, surfaces);
    let gatherer = Gatherer {
        surfaces,
        projected,
    };
    let mut fragments = Vec::with_capacity(rows * quality.size);
    // Neighbouring samples mostly show the same face.
    let mut last: Option<(u32, Edges)> = None;
    for row in 0..rows {
        for column in 0..quality.size {
            let pixel = (top + row) * quality.size + column;
            let mut sums: [Option<Sum>; MOST] = [None; MOST];
            for sample in 0..per * per {
                let (x, y) = (column * per + sample % per, row * per + sample / per);
                let face = samples.face[y * projected.side + x];
                if face != NONE {
                    let shown = &projected.faces[face as usize];
                    let edges = match last {
                        Some((number, edges)) if number == face => edges,
                        _ => Edges::new(shown),
                    };
                    last = Some((face, edges));
                    let place = edges.place(x as i64, (y + top * per) as i64);
                    gatherer.add(&mut sums, shown, place, pixel as u32);
                }
            }
            fragments.extend(
                sums.iter()
                    .flatten()
                    .map(|sum| sum.mean(per * per, &projected.turn)),
            );
        }
    }
    fragments
}

struct Gatherer<'a> {
    surfaces: &'a [Surface<'a>],
    projected: &'a Projected,
}

impl Gatherer<'_> {
    fn add(&self, sums: &mut [Option<Sum>; MOST], face: &Face, place: Vec3, pixel: u32) {
        let surface = &self.surfaces[usize::from(face.surface)];
        let triangle = surface.triangles[face.number as usize];
        let views = &self.projected.views[usize::from(face.surface)];
        let place = correct(face, place);
        let (mut position, mut normal, mut canonical) = ([0.0; 3], [0.0; 3], [0.0; 3]);
        let mut uv = [0.0; 2];
        for (k, &weight) in place.iter().enumerate() {
            let corner = usize::from(face.order[k]);
            let point = usize::from(triangle.points[corner]);
            position = add(position, scale(views[point], weight));
            normal = add(normal, scale(surface.normals[point], weight));
            canonical = add(canonical, scale(surface.canonical[point], weight));
            let corner = surface.uvs[usize::from(triangle.uvs[corner])];
            uv = [uv[0] + weight * corner[0], uv[1] + weight * corner[1]];
        }
        let color = surface.texture.map_or([1.0; 3], |texture| {
            let [r, g, b, _] = texture.sample(uv);
            [to_linear(r), to_linear(g), to_linear(b)]
        });
        let albedo = [0, 1, 2].map(|k| color[k] * surface.tint[k]);
        let empty = Sum {
            surface: face.surface,
            count: 0.0,
            fragment: Fragment {
                pixel,
                part: surface.part,
                cover: 0.0,
                albedo: [0.0; 3],
                normal: [0.0; 3],
                position: [0.0; 3],
                uv,
                canonical: [0.0; 3],
            },
        };
        let free = sums
            .iter()
            .position(|sum| sum.is_none_or(|sum| sum.surface == face.surface))
            .unwrap_or(MOST - 1);
        let sum = sums[free].get_or_insert(empty);
        let fragment = &mut sum.fragment;
        sum.count += 1.0;
        fragment.albedo = add(fragment.albedo, albedo);
        fragment.normal = add(fragment.normal, normal);
        fragment.position = add(fragment.position, position);
        fragment.canonical = add(fragment.canonical, canonical);
    }
}

impl Sum {
    fn mean(&self, samples: usize, turn: &Mat3) -> Fragment {
        let share = 1.0 / self.count;
        let sum = &self.fragment;
        Fragment {
            cover: self.count / samples as f32,
            albedo: scale(sum.albedo, share),
            normal: normalise(rotate(turn, sum.normal)),
            position: scale(sum.position, share),
            canonical: scale(sum.canonical, share),
            ..*sum
        }
    }
}
