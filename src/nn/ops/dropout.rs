//! Dropout that a seed determines.

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor, bail};

use super::{is_fast, numbers, output, tensor, with_numbers};
use crate::nn::cpu::embedding::{DropMask, drop_out};
use crate::rng::Rng;

struct Dropout {
    mask: DropMask,
    scale: f32,
}

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = drop_out(numbers(storage, layout)?, self.mask, self.scale);
        Ok(output(y, layout.shape()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let dx = with_numbers(&grad, |grad| drop_out(grad, self.mask, self.scale))?;
        tensor(dx, x.shape()).map(Some)
    }
}

/// Dropout (Srivastava et al. 2014) while training: each number is zero with probability `rate`,
/// the others are divided by `1 - rate`. Which ones is a function of one draw from `rng` and of
/// their position, the same on every device. Outside training, do not call it.
///
/// # Errors
/// When the rate is not in `[0, 1)`.
pub fn dropout(x: &Tensor, rate: f64, rng: &mut Rng) -> Result<Tensor> {
    if !(0.0..1.0).contains(&rate) {
        bail!("a dropout rate is at least 0 and below 1, not {rate}");
    }
    if rate == 0.0 {
        return Ok(x.clone());
    }
    let mask = DropMask {
        key: rng.next_u64(),
        threshold: (rate * 2.0_f64.powi(32)) as u32,
    };
    let scale = (1.0 / (1.0 - rate)) as f32;
    if is_fast(&[x]) {
        return x.contiguous()?.apply_op1(Dropout { mask, scale });
    }
    let factors = drop_out(&vec![1.0; x.elem_count()], mask, scale);
    let factors = Tensor::from_vec(factors, x.shape(), &Device::Cpu)?;
    x.mul(&factors.to_device(x.device())?.to_dtype(x.dtype())?)
}
