//! Convolutions by candle's own, which take one stride and one padding for both sides: others are
//! put together from padding and from leaving rows and columns out.

use candle_core::{Result, Tensor};

use super::activate;
use crate::nn::ops::Activation;
use crate::nn::ops::conv::Conv2dOptions;

/// See [`crate::nn::ops::conv2d`].
///
/// # Errors
/// When the shapes do not fit together.
pub fn conv2d(
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    options: Conv2dOptions,
    activation: Activation,
) -> Result<Tensor> {
    let (stride, padding, groups) = (options.stride, options.padding, options.groups);
    let x = enlarge(x, options.upsample)?;
    let (_, _, kernel_height, kernel_width) = w.dims4()?;
    let mut padded = x;
    for (side, kernel) in [kernel_height, kernel_width].into_iter().enumerate() {
        padded = padded.pad_with_zeros(2 + side, padding[side], padding[side])?;
        // The gradient of candle's own fails where rows are left over.
        let used = (padded.dim(2 + side)? - kernel) / stride[side] * stride[side] + kernel;
        padded = padded.narrow(2 + side, 0, used)?;
    }
    let x = padded.contiguous()?;
    let y = if stride[0] == stride[1] {
        x.conv2d(w, 0, stride[0], 1, groups)?
    } else {
        let y = x.conv2d(w, 0, 1, 1, groups)?;
        every(&every(&y, 2, stride[0])?, 3, stride[1])?
    };
    finish(&y, b, activation)
}

/// See [`crate::nn::ops::conv_transpose2d`].
///
/// # Errors
/// When the shapes do not fit together.
pub fn conv_transpose2d(
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    options: Conv2dOptions,
    activation: Activation,
) -> Result<Tensor> {
    let (stride, padding, groups) = (options.stride, options.padding, options.groups);
    // Zeros between the pixels, and then a plain convolution with the kernel turned over.
    let x = spread(&spread(x, 2, stride[0])?, 3, stride[1])?;
    let (inputs, outputs, kernel_height, kernel_width) = w.dims4()?;
    let rotated = turn(&turn(w, 2)?, 3)?;
    let rotated = rotated
        .reshape((
            groups,
            inputs / groups,
            outputs,
            kernel_height,
            kernel_width,
        ))?
        .transpose(1, 2)?
        .contiguous()?
        .reshape((
            groups * outputs,
            inputs / groups,
            kernel_height,
            kernel_width,
        ))?;
    let mut padded = x;
    for (side, kernel) in [kernel_height, kernel_width].into_iter().enumerate() {
        let after = kernel - 1 + options.output_padding[side];
        padded = padded.pad_with_zeros(2 + side, kernel - 1, after)?;
        let len = padded.dim(2 + side)? - 2 * padding[side];
        padded = padded.narrow(2 + side, padding[side], len)?;
    }
    let y = padded.contiguous()?.conv2d(&rotated, 0, 1, 1, groups)?;
    finish(&y, b, activation)
}

fn finish(y: &Tensor, b: Option<&Tensor>, activation: Activation) -> Result<Tensor> {
    let y = match b {
        Some(b) => y.broadcast_add(&b.reshape((1, (), 1, 1))?)?,
        None => y.clone(),
    };
    activate(&y, activation)
}

/// Repeats every pixel.
fn enlarge(x: &Tensor, scale: usize) -> Result<Tensor> {
    if scale == 1 {
        return Ok(x.clone());
    }
    let (batch, channels, height, width) = x.dims4()?;
    x.reshape((batch, channels, height, 1, width, 1))?
        .broadcast_as((batch, channels, height, scale, width, scale))?
        .contiguous()?
        .reshape((batch, channels, height * scale, width * scale))
}

/// Every `step`th slice.
fn every(x: &Tensor, dim: usize, step: usize) -> Result<Tensor> {
    if step == 1 {
        return Ok(x.clone());
    }
    let count = x.dim(dim)?.div_ceil(step);
    let index: Vec<u32> = (0..count).map(|i| (i * step) as u32).collect();
    x.contiguous()?
        .index_select(&Tensor::new(index, x.device())?, dim)
}

/// `step - 1` zeros between the slices.
fn spread(x: &Tensor, dim: usize, step: usize) -> Result<Tensor> {
    if step == 1 {
        return Ok(x.clone());
    }
    let len = x.dim(dim)?;
    let mut shape = x.dims().to_vec();
    let x = x.unsqueeze(dim + 1)?.pad_with_zeros(dim + 1, 0, step - 1)?;
    shape[dim] = len * step;
    x.contiguous()?
        .reshape(shape)?
        .narrow(dim, 0, (len - 1) * step + 1)?
        .contiguous()
}

/// Last slice first.
fn turn(x: &Tensor, dim: usize) -> Result<Tensor> {
    let len = x.dim(dim)? as u32;
    let index: Vec<u32> = (0..len).rev().collect();
    x.contiguous()?
        .index_select(&Tensor::new(index, x.device())?, dim)
}
