//! Square pictures of a few pixels, and the downscaling that makes them.
//!
//! The downscaling is the mean over the area of each small pixel, in sRGB values. The paper's code
//! shrinks by antialiased bicubic interpolation; the area's mean is what a sensor does and what
//! most programs call "box", and being a linear map like the other it changes nothing in the
//! search.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::data::Image;
pub use crate::data::area::{Taps, area, shrink};
use crate::error::{Error, Result};

/// Sides that a small picture may have.
pub const SIDES: Range<usize> = 4..33;

/// A square picture: red, green and blue planes of `side * side` numbers from 0 to 1, sRGB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pixels {
    /// Pixels in a side.
    pub side: usize,
    /// The planes, one after the other.
    pub planes: Vec<f32>,
}

impl Pixels {
    /// From pixels as files hold them, rows from the top.
    ///
    /// # Errors
    /// When there are not `side * side` of them.
    pub fn from_rgb(side: usize, pixels: &[[u8; 3]]) -> Result<Self> {
        if side == 0 || pixels.len() != side * side {
            return Err(Error::Input(format!(
                "{} pixels are no square of side {side}",
                pixels.len()
            )));
        }
        let plane = |channel: usize| pixels.iter().map(move |p| f32::from(p[channel]) / 255.0);
        Ok(Self {
            side,
            planes: (0..3).flat_map(plane).collect(),
        })
    }

    /// One colour everywhere.
    #[must_use]
    pub fn filled(side: usize, color: [f32; 3]) -> Self {
        let plane = |value| std::iter::repeat_n(value, side * side);
        Self {
            side,
            planes: color.into_iter().flat_map(plane).collect(),
        }
    }

    /// Pixels as files hold them, rows from the top.
    #[must_use]
    pub fn to_rgb(&self) -> Vec<[u8; 3]> {
        let count = self.side * self.side;
        let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        (0..count)
            .map(|at| [0, 1, 2].map(|channel| byte(self.planes[channel * count + at])))
            .collect()
    }

    /// As a picture to show or store.
    #[must_use]
    pub fn to_image(&self) -> Image {
        let rgba = self
            .to_rgb()
            .into_iter()
            .flat_map(|[r, g, b]| [r, g, b, 255]);
        Image {
            width: self.side as u32,
            height: self.side as u32,
            rgba: rgba.collect(),
        }
    }

    /// Shrunk to a smaller side.
    #[must_use]
    pub fn shrunk(&self, side: usize) -> Self {
        let count = self.side * self.side;
        let planes = self.planes.chunks_exact(count.max(1));
        Self {
            side,
            planes: planes
                .flat_map(|plane| shrink(plane, self.side, side))
                .collect(),
        }
    }

    /// The mean of the squared differences, as the paper's L2 loss.
    ///
    /// # Panics
    /// When the sides differ.
    #[must_use]
    pub fn error(&self, other: &Self) -> f64 {
        assert_eq!(self.side, other.side, "pictures of one size");
        let squares = self.planes.iter().zip(&other.planes);
        let sum: f64 = squares.map(|(a, b)| f64::from(a - b).powi(2)).sum();
        sum / self.planes.len().max(1) as f64
    }
}
