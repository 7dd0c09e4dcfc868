//! Max and average pooling of planes.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::{is_fast, numbers, output, portable, tensor, with_numbers};
use crate::nn::cpu::pool::{
    Pooling, avg_backward, avg_forward, max_backward, max_forward, plane_means,
    plane_means_backward,
};

/// A window that moves over a plane; each field is for rows and for columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its size.
    pub kernel: [usize; 2],
    /// Its steps.
    pub stride: [usize; 2],
    /// Padding on each side, at most half of the size.
    pub padding: [usize; 2],
}

impl Window {
    /// A square window with the same steps and padding in both directions.
    #[must_use]
    pub fn square(kernel: usize, stride: usize, padding: usize) -> Self {
        Self {
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
        }
    }

    /// The sizes when it moves over `[batch, channels, height, width]`.
    pub(super) fn over(&self, x: &Tensor) -> Result<Pooling> {
        let [_, _, height, width] = x.dims() else {
            bail!(
                "pooling takes [batch, channels, height, width], not {:?}",
                x.dims()
            );
        };
        let size = [*height, *width];
        let mut out = [0; 2];
        for i in 0..2 {
            let (kernel, padded) = (self.kernel[i], size[i] + 2 * self.padding[i]);
            if kernel == 0 || self.stride[i] == 0 || 2 * self.padding[i] > kernel {
                bail!("{self:?}: sizes and steps are not 0, padding is at most half the size");
            }
            if padded < kernel || x.elem_count() == 0 {
                bail!("{self:?} does not fit into {:?}", x.dims());
            }
            out[i] = (padded - kernel) / self.stride[i] + 1;
        }
        Ok(Pooling {
            size,
            out,
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding,
        })
    }
}

struct Pool {
    pooling: Pooling,
    max: bool,
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        if self.max { "max-pool" } else { "avg-pool" }
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = numbers(storage, layout)?;
        let dims = layout.dims();
        let [height, width] = self.pooling.out;
        let y = if self.max {
            max_forward(x, self.pooling)
        } else {
            avg_forward(x, self.pooling)
        };
        Ok(output(y, (dims[0], dims[1], height, width)))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let planes = x.dims()[0] * x.dims()[1];
        let dx = if self.max {
            with_numbers(x, |x| {
                with_numbers(y, |y| {
                    with_numbers(&grad, |grad| max_backward(x, y, grad, self.pooling))
                })
            })???
        } else {
            with_numbers(&grad, |grad| avg_backward(grad, planes, self.pooling))?
        };
        tensor(dx, x.shape()).map(Some)
    }
}

/// The greatest number under every window, `[batch, channels, out_height, out_width]`; padding
/// never is the greatest. The gradient goes to the first of several equal numbers.
///
/// # Errors
/// When the shapes do not fit.
pub fn max_pool2d(x: &Tensor, window: Window) -> Result<Tensor> {
    let pooling = window.over(x)?;
    if is_fast(&[x]) {
        x.contiguous()?.apply_op1(Pool { pooling, max: true })
    } else {
        portable::max_pool2d(x, window)
    }
}

/// The mean under every window, `[batch, channels, out_height, out_width]`; padding counts as
/// zeros.
///
/// # Errors
/// When the shapes do not fit.
pub fn avg_pool2d(x: &Tensor, window: Window) -> Result<Tensor> {
    let pooling = window.over(x)?;
    if is_fast(&[x]) {
        let max = false;
        x.contiguous()?.apply_op1(Pool { pooling, max })
    } else {
        portable::avg_pool2d(x, window)
    }
}

struct Means {
    area: usize,
}

impl CustomOp1 for Means {
    fn name(&self) -> &'static str {
        "global-avg-pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let means = plane_means(numbers(storage, layout)?, self.area);
        Ok(output(means, (layout.dims()[0], layout.dims()[1])))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let dx = with_numbers(&grad, |grad| plane_means_backward(grad, self.area))?;
        tensor(dx, x.shape()).map(Some)
    }
}

/// The mean of every channel: `[batch, channels, ..]` to `[batch, channels]`.
///
/// # Errors
/// When the tensor has fewer than two dimensions or no numbers.
pub fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
    if x.rank() < 2 || x.elem_count() == 0 {
        bail!("pooling takes [batch, channels, ..], not {:?}", x.dims());
    }
    if is_fast(&[x]) {
        let area = x.dims()[2..].iter().product();
        x.contiguous()?.apply_op1(Means { area })
    } else {
        portable::global_avg_pool(x)
    }
}
