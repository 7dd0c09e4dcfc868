//! Upsampling: nearest by repeating, bilinear as two products with a matrix.

use candle_core::{Result, Tensor};

/// Twin of [`crate::nn::ops::resample::upsample_nearest2d`].
///
/// # Errors
/// When the tensor has another shape.
pub fn upsample_nearest2d(x: &Tensor, factor: usize) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    x.reshape((batch * channels, height, 1, width, 1))?
        .broadcast_as((batch * channels, height, factor, width, factor))?
        .contiguous()?
        .reshape((batch, channels, height * factor, width * factor))
}

/// The matrix `[size, size factor]` whose product with a line is the line stretched.
fn stretching(size: usize, factor: usize, like: &Tensor) -> Result<Tensor> {
    let mut matrix = vec![0.0_f64; size * size * factor];
    for i in 0..size * factor {
        let position = ((i as f64 + 0.5) / factor as f64 - 0.5).max(0.0);
        let left = position as usize;
        let right = (left + 1).min(size - 1);
        let share = position - left as f64;
        matrix[left * size * factor + i] += 1.0 - share;
        matrix[right * size * factor + i] += share;
    }
    Tensor::from_vec(matrix, (size, size * factor), &candle_core::Device::Cpu)?
        .to_dtype(like.dtype())?
        .to_device(like.device())
}

/// Twin of [`crate::nn::ops::resample::upsample_bilinear2d`].
///
/// # Errors
/// When the tensor has another shape.
pub fn upsample_bilinear2d(x: &Tensor, factor: usize) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let (tall, wide) = (height * factor, width * factor);
    x.reshape(((), width))?
        .matmul(&stretching(width, factor, x)?)?
        .reshape((batch * channels, height, wide))?
        .transpose(1, 2)?
        .contiguous()?
        .reshape(((), height))?
        .matmul(&stretching(height, factor, x)?)?
        .reshape((batch * channels, wide, tall))?
        .transpose(1, 2)?
        .contiguous()?
        .reshape((batch, channels, tall, wide))
}

/// Twin of [`crate::nn::ops::resample::pixel_shuffle`].
///
/// # Errors
/// When the channels are no multiple of the square of the factor.
pub fn pixel_shuffle(x: &Tensor, factor: usize) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let channels = channels / (factor * factor);
    x.reshape(vec![batch, channels, factor, factor, height, width])?
        .permute(vec![0, 1, 4, 2, 5, 3])?
        .contiguous()?
        .reshape((batch, channels, height * factor, width * factor))
}
