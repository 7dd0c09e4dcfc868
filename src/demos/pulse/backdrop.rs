//! The backdrop's pixels as a differentiable function of the vector: what the renderer draws, in
//! tensors.

use std::f64::consts::{PI, TAU};

use candle_core::{Device, Result as TensorResult, Tensor};

use super::features::cdf;
use crate::error::{Error, Result};
use crate::human::Sampler;
use crate::human::sampler::{BACKDROP, BRIGHTEST, GREEN};

/// Numbers of a vector that make its backdrop: brightness, warmth and green of both ends, and the
/// slope.
pub const NUMBERS: usize = 7;

/// The function for pictures of one side.
#[derive(Clone, Debug)]
pub struct Backdrops {
    /// Where a vector has its numbers, `[7]`.
    numbers: Tensor,
    /// Turns brightness, warmth and green into the logarithms of red, green and blue: `[3, 3]`.
    mix: Tensor,
    /// Each pixel's place from the middle, to the right and upwards: `[1, pixels]`.
    places: [Tensor; 2],
}

impl Backdrops {
    /// The function for a sampler's vectors and `side * side` pixels.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(sampler: &Sampler, side: usize, device: &Device) -> Result<Self> {
        let place = |name: String| {
            let found = sampler.place(&name).map(|place| place as u32);
            found.ok_or_else(|| Error::Missing(format!("the kit's people have no {name}")))
        };
        let colors = ["backdrop, one end", "backdrop, other end"]
            .into_iter()
            .flat_map(|end| ["bright", "warm", "green"].map(|what| format!("{end}, {what}")));
        let numbers = colors
            .chain(["backdrop's slope".to_owned()])
            .map(place)
            .collect::<Result<Vec<u32>>>()?;
        let [bright, hue] = BACKDROP.0.map(|spread| spread as f32);
        let green = hue * GREEN as f32;
        let mix = [
            [bright, bright, bright],
            [hue, 0.0, -hue],
            [-green, 2.0 * green, -green],
        ];
        let place = |at: usize| (at as f32 + 0.5) / side as f32 - 0.5;
        let across: Vec<f32> = (0..side * side).map(|at| place(at % side)).collect();
        let up: Vec<f32> = (0..side * side).map(|at| -place(at / side)).collect();
        Ok(Self {
            numbers: Tensor::new(numbers, device)?,
            mix: Tensor::new(&mix, device)?,
            places: [
                Tensor::new(across, device)?.unsqueeze(0)?,
                Tensor::new(up, device)?.unsqueeze(0)?,
            ],
        })
    }

    /// Vectors `[n, dims]` to sRGB values `[n, 3, pixels]`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn of(&self, z: &Tensor) -> TensorResult<Tensor> {
        self.made_of(&z.index_select(&self.numbers, 1)?)
    }

    /// The backdrop's numbers `[n, 7]` alone to sRGB values `[n, 3, pixels]`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn made_of(&self, numbers: &Tensor) -> TensorResult<Tensor> {
        let color = |first: usize| -> TensorResult<Tensor> {
            let logs = numbers.narrow(1, first, 3)?.matmul(&self.mix)?;
            let most = f64::from(BRIGHTEST).ln();
            (logs + BACKDROP.1.ln())?.minimum(most)?.exp()?.unsqueeze(2)
        };
        let [from, to] = [color(0)?, color(3)?];
        // Half a turn less, for the series' sake: both functions change their sign.
        let angle = cdf(&numbers.narrow(1, NUMBERS - 1, 1)?)?.affine(TAU, -PI)?;
        let along = angle.cos()?.broadcast_mul(&self.places[0])?;
        let along = (along + angle.sin()?.broadcast_mul(&self.places[1])?)?;
        let along = along.affine(-1.0, 0.5)?.clamp(0.0, 1.0)?.unsqueeze(1)?;
        let light = (to - &from)?.broadcast_mul(&along)?.broadcast_add(&from)?;
        light
            .maximum(0.003_130_8)?
            .powf(1.0 / 2.4)?
            .affine(1.055, -0.055)
    }
}
