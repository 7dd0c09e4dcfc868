//! Between a few pixels and a face: the face with fewer pixels, from as many as the small picture has
//! up to all. The means are taken in linear light, as a lens out of focus would.

use super::answer::Face;
use super::pixels::shrink;
use crate::data::Image;
use crate::human::raster::{to_linear, to_srgb};

/// A face as it looks at a place from 0, `least` pixels in a side, to 1, all of its own.
#[must_use]
pub fn morphed(face: &Face, least: usize, at: f32) -> Image {
    let size = face.size;
    // Equal steps of the slider are equal ratios of pixels.
    let ratio = (size as f32 / least.max(1) as f32).max(1.0);
    let side = (least as f32 * ratio.powf(at.clamp(0.0, 1.0))).round() as usize;
    let side = side.clamp(1, size);
    let rgba: Vec<u8> = if side == size {
        face.pixels
            .iter()
            .flat_map(|&[r, g, b]| [r, g, b, 255])
            .collect()
    } else {
        let planes = [0, 1, 2].map(|channel| {
            let plane: Vec<f32> = face
                .pixels
                .iter()
                .map(|pixel| to_linear(f32::from(pixel[channel])))
                .collect();
            shrink(&plane, size, side)
        });
        (0..size * size)
            .flat_map(|at| {
                let (column, row) = (at % size * side / size, at / size * side / size);
                let from = row * side + column;
                let [r, g, b] = [0, 1, 2].map(|channel: usize| to_srgb(planes[channel][from]));
                [r, g, b, 255]
            })
            .collect()
    };
    Image {
        width: size as u32,
        height: size as u32,
        rgba,
    }
}
