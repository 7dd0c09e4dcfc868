//! Pooling, one place of the window at a time.

use candle_core::{Result, Tensor};

use crate::nn::cpu::pool::Pooling;
use crate::nn::ops::pool::Window;

/// What the place `(ky, kx)` of the window meets in a padded plane, as a tensor of the output's
/// shape.
fn met(padded: &Tensor, pooling: &Pooling, ky: usize, kx: usize) -> Result<Tensor> {
    let places = |axis: usize, offset: usize| {
        let place = |i: usize| (i * pooling.stride[axis] + offset) as u32;
        let places: Vec<u32> = (0..pooling.out[axis]).map(place).collect();
        Tensor::new(places, padded.device())
    };
    padded
        .contiguous()?
        .index_select(&places(0, ky)?, 2)?
        .index_select(&places(1, kx)?, 3)
}

/// A plane with `value` around it.
fn pad(x: &Tensor, padding: [usize; 2], value: f64) -> Result<Tensor> {
    let mut padded = x.clone();
    for (dim, &size) in [2, 3].into_iter().zip(&padding) {
        if size > 0 {
            let mut shape = padded.dims().to_vec();
            shape[dim] = size;
            let edge = Tensor::full(value as f32, shape, x.device())?.to_dtype(x.dtype())?;
            padded = Tensor::cat(&[&edge, &padded, &edge], dim)?;
        }
    }
    Ok(padded)
}

/// Twin of [`crate::nn::ops::pool::max_pool2d`].
///
/// # Errors
/// When the shapes do not fit.
pub fn max_pool2d(x: &Tensor, window: Window) -> Result<Tensor> {
    let pooling = window.over(x)?;
    let padded = pad(x, window.padding, f64::NEG_INFINITY)?;
    let mut greatest: Option<Tensor> = None;
    for ky in 0..window.kernel[0] {
        for kx in 0..window.kernel[1] {
            let met = met(&padded, &pooling, ky, kx)?;
            greatest = Some(match greatest {
                // Not `maximum`, which shares the gradient among equal numbers.
                Some(before) => met.gt(&before)?.where_cond(&met, &before)?,
                None => met,
            });
        }
    }
    greatest.ok_or_else(|| candle_core::Error::Msg("a window of no size".into()))
}

/// Twin of [`crate::nn::ops::pool::avg_pool2d`].
///
/// # Errors
/// When the shapes do not fit.
pub fn avg_pool2d(x: &Tensor, window: Window) -> Result<Tensor> {
    let pooling = window.over(x)?;
    let padded = pad(x, window.padding, 0.0)?;
    let mut sum = met(&padded, &pooling, 0, 0)?;
    for place in 1..window.kernel[0] * window.kernel[1] {
        let (ky, kx) = (place / window.kernel[1], place % window.kernel[1]);
        sum = sum.add(&met(&padded, &pooling, ky, kx)?)?;
    }
    sum * (1.0 / (window.kernel[0] * window.kernel[1]) as f64)
}

/// Twin of [`crate::nn::ops::pool::global_avg_pool`].
///
/// # Errors
/// When the shapes do not fit.
pub fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
    x.reshape((x.dims()[0], x.dims()[1], ()))?.mean(2)
}
