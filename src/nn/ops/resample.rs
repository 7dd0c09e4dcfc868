//! Upsampling of planes.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::{is_fast, numbers, output, portable, tensor, with_numbers};
use crate::nn::cpu::resample::{
    Stretch, bilinear_backward, bilinear_forward, nearest_backward, nearest_forward,
    shuffle_backward, shuffle_forward,
};

struct Upsample {
    shape: Stretch,
    bilinear: bool,
}

impl CustomOp1 for Upsample {
    fn name(&self) -> &'static str {
        "upsample"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = numbers(storage, layout)?;
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let factor = self.shape.factor;
        let y = if self.bilinear {
            bilinear_forward(x, self.shape)
        } else {
            nearest_forward(x, self.shape)
        };
        Ok(output(
            y,
            (batch, channels, height * factor, width * factor),
        ))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let dx = with_numbers(&grad, |grad| {
            if self.bilinear {
                bilinear_backward(grad, self.shape)
            } else {
                nearest_backward(grad, self.shape)
            }
        })?;
        tensor(dx, x.shape()).map(Some)
    }
}

fn stretch(x: &Tensor, factor: usize) -> Result<Stretch> {
    match x.dims() {
        [_, _, height, width] if factor > 0 && x.elem_count() > 0 => Ok(Stretch {
            size: [*height, *width],
            factor,
        }),
        dims => bail!("upsampling by {factor} cannot take a tensor of shape {dims:?}"),
    }
}

/// Every number of `[batch, channels, height, width]` becomes a square of `factor` by `factor`.
///
/// # Errors
/// When the tensor has another shape or no numbers, or the factor is 0.
pub fn upsample_nearest2d(x: &Tensor, factor: usize) -> Result<Tensor> {
    let shape = stretch(x, factor)?;
    if is_fast(&[x]) {
        let bilinear = false;
        x.contiguous()?.apply_op1(Upsample { shape, bilinear })
    } else {
        portable::upsample_nearest2d(x, factor)
    }
}

/// Linear in both directions by a whole factor; corners are not aligned, and beyond the outermost
/// centres the last number goes on, as `PyTorch` does with `align_corners=False`.
///
/// # Errors
/// As for [`upsample_nearest2d`].
pub fn upsample_bilinear2d(x: &Tensor, factor: usize) -> Result<Tensor> {
    let shape = stretch(x, factor)?;
    if is_fast(&[x]) {
        let bilinear = true;
        x.contiguous()?.apply_op1(Upsample { shape, bilinear })
    } else {
        portable::upsample_bilinear2d(x, factor)
    }
}

struct Shuffle {
    shape: Stretch,
}

impl CustomOp1 for Shuffle {
    fn name(&self) -> &'static str {
        "pixel-shuffle"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = shuffle_forward(numbers(storage, layout)?, self.shape);
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let factor = self.shape.factor;
        let channels = channels / (factor * factor);
        Ok(output(
            y,
            (batch, channels, height * factor, width * factor),
        ))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let dx = with_numbers(&grad, |grad| shuffle_backward(grad, self.shape))?;
        tensor(dx, x.shape()).map(Some)
    }
}

/// `[batch, channels factor^2, height, width]` to `[batch, channels, height factor, width factor]`
/// (Shi et al. 2016).
///
/// # Errors
/// When the channels are no multiple of the square of the factor, or as for
/// [`upsample_nearest2d`].
pub fn pixel_shuffle(x: &Tensor, factor: usize) -> Result<Tensor> {
    let shape = stretch(x, factor)?;
    let channels = x.dim(1)?;
    if !channels.is_multiple_of(factor * factor) {
        bail!("pixel shuffle by {factor} cannot take {channels} channels");
    }
    if is_fast(&[x]) {
        x.contiguous()?.apply_op1(Shuffle { shape })
    } else {
        portable::pixel_shuffle(x, factor)
    }
}
