//! Small pictures out of pictures of any size.

use std::path::Path;

use super::pixels::{Pixels, SIDES, area};
use crate::data::Image;
use crate::data::image::read_file;
use crate::error::{Error, Result};

/// A square part of a picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    /// Pixels from the left.
    pub left: u32,
    /// Pixels from the top.
    pub top: u32,
    /// Pixels in a side.
    pub side: u32,
}

impl Crop {
    /// The largest square in the middle.
    #[must_use]
    pub fn middle(image: &Image) -> Self {
        let side = image.width.min(image.height);
        Self {
            left: (image.width - side) / 2,
            top: (image.height - side) / 2,
            side,
        }
    }

    /// Moved and made smaller until it lies within a picture.
    #[must_use]
    pub fn within(self, image: &Image) -> Self {
        let side = self.side.clamp(1, image.width.min(image.height));
        Self {
            left: self.left.min(image.width - side),
            top: self.top.min(image.height - side),
            side,
        }
    }
}

/// A part of a picture as small pixels of a side; parts smaller than that are taken as they are. What
/// is see-through lies before white.
///
/// # Errors
/// When the part has fewer pixels in a side than small pictures have.
pub fn shrink(image: &Image, crop: Crop, side: usize) -> Result<Pixels> {
    let crop = crop.within(image);
    let from = crop.side as usize;
    if from < SIDES.start {
        return Err(Error::Input(format!(
            "a picture of {from} pixels in a side is too small: {} are the least",
            SIDES.start
        )));
    }
    let side = side.min(from);
    let taps = area(from, side);
    let mut planes = vec![0.0_f32; 3 * side * side];
    for (row, down) in taps.iter().enumerate() {
        for (column, across) in taps.iter().enumerate() {
            let mut sums = [0.0_f32; 3];
            for (y, of_row) in down.weights.iter().enumerate() {
                for (x, of_column) in across.weights.iter().enumerate() {
                    let pixel = image.pixel(
                        crop.left + (across.first + x) as u32,
                        crop.top + (down.first + y) as u32,
                    );
                    let [r, g, b, alpha] = pixel.unwrap_or([255; 4]).map(f32::from);
                    let weight = of_row * of_column / 255.0;
                    let open = 255.0 - alpha;
                    for (sum, value) in sums.iter_mut().zip([r, g, b]) {
                        *sum += weight * (value * alpha / 255.0 + open);
                    }
                }
            }
            for (channel, sum) in sums.into_iter().enumerate() {
                planes[channel * side * side + row * side + column] = sum.clamp(0.0, 1.0);
            }
        }
    }
    Ok(Pixels { side, planes })
}

/// A picture file.
///
/// # Errors
/// When it cannot be read, is larger than a picture is that can be decoded, or is no picture.
pub fn open(path: &Path) -> Result<Image> {
    Image::decode(&read_file(path)?, path)
}

/// The middle of a picture file as small pixels. A file that is already small and square is taken
/// as it is.
///
/// # Errors
/// When the file cannot be read, is no picture, is too large or too small.
pub fn read(path: &Path, side: usize) -> Result<Pixels> {
    let image = open(path)?;
    let crop = Crop::middle(&image);
    let small = SIDES.contains(&(crop.side as usize));
    let side = if small { crop.side as usize } else { side };
    shrink(&image, crop, side)
}
