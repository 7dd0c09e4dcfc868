//! Softmax and its logarithm over the last dimension.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::{is_fast, numbers, output, portable, tensor, with_numbers};
use crate::nn::cpu::softmax as kernel;

struct Softmax {
    row: usize,
    log: bool,
}

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        if self.log { "log-softmax" } else { "softmax" }
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = numbers(storage, layout)?;
        let y = if self.log {
            kernel::log_softmax(x, self.row)
        } else {
            kernel::softmax(x, self.row)
        };
        Ok(output(y, layout.shape()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let dx = with_numbers(y, |y| {
            with_numbers(&grad, |grad| {
                if self.log {
                    kernel::log_softmax_backward(y, grad, self.row)
                } else {
                    kernel::softmax_backward(y, grad, self.row)
                }
            })
        })??;
        tensor(dx, x.shape()).map(Some)
    }
}

fn last_dim(x: &Tensor) -> Result<usize> {
    match x.dims().last() {
        Some(&row) if x.elem_count() > 0 => Ok(row),
        _ => bail!("softmax cannot take a tensor of shape {:?}", x.dims()),
    }
}

/// `e^x` over its sum, along the last dimension.
///
/// # Errors
/// When the tensor has no dimension or no numbers.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let row = last_dim(x)?;
    if is_fast(&[x]) {
        x.contiguous()?.apply_op1(Softmax { row, log: false })
    } else {
        portable::softmax(x)
    }
}

/// The logarithm of [`softmax`].
///
/// # Errors
/// As for [`softmax`].
pub fn log_softmax(x: &Tensor) -> Result<Tensor> {
    let row = last_dim(x)?;
    if is_fast(&[x]) {
        x.contiguous()?.apply_op1(Softmax { row, log: true })
    } else {
        portable::log_softmax(x)
    }
}
