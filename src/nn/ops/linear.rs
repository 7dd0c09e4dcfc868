//! Linear maps with what usually follows them.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::{Activation, is_fast, numbers, output, portable, with_numbers};
use crate::nn::cpu::gemm::{Operand, product};
use crate::nn::cpu::pointwise::activate;

/// Numbers of a result from which on its rows are finished by several threads.
const PARALLEL_FROM: usize = 1 << 16;

/// `activation(x wᵀ + b)`, for `x` `[…, inputs]`, `w` `[outputs, inputs]` and `b` `[outputs]`.
///
/// # Errors
/// When the shapes do not fit together.
pub fn linear(
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    activation: Activation,
) -> Result<Tensor> {
    let (outputs, inputs) = w.dims2()?;
    if x.dims().last() != Some(&inputs) || b.is_some_and(|b| b.dims() != [outputs]) {
        bail!(
            "linear: x is {:?}, w {:?}, b {:?}",
            x.dims(),
            w.dims(),
            b.map(Tensor::dims)
        );
    }
    if !is_fast(&[x, w, b.unwrap_or(w)]) {
        return portable::linear::linear(x, w, b, activation);
    }
    let (x, w) = (x.contiguous()?, w.contiguous()?);
    let op = Linear {
        activation,
        has_bias: b.is_some(),
        keeps: x.track_op() || w.track_op() || b.is_some_and(Tensor::track_op),
        before: OnceLock::new(),
    };
    x.apply_op3(&w, &b.unwrap_or(&w).contiguous()?, op)
}

struct Linear {
    activation: Activation,
    has_bias: bool,
    /// Whether there will be a backward pass.
    keeps: bool,
    /// The result before the activation, where its gradient needs that.
    before: OnceLock<Vec<f32>>,
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (outputs, inputs) = w_layout.shape().dims2()?;
        let (x, w) = (numbers(x, x_layout)?, numbers(w, w_layout)?);
        let bias = if self.has_bias {
            numbers(b, b_layout)?
        } else {
            &[]
        };
        let rows = x.len() / inputs.max(1);
        let mut y = vec![0.0; rows * outputs];
        product(
            Operand::new(x, rows, inputs),
            Operand::new(w, outputs, inputs).t(),
            false,
            &mut y,
        );
        let add_bias = |row: &mut [f32]| {
            for (y, b) in row.iter_mut().zip(bias) {
                *y += b;
            }
        };
        if self.activation == Activation::Silu && self.keeps {
            y.chunks_mut(outputs.max(1)).for_each(add_bias);
            // Set once: the value is made for one application.
            let _ = self.before.set(y.clone());
            activate(&mut y, self.activation);
        } else {
            let finish = |row: &mut [f32]| {
                add_bias(row);
                activate(row, self.activation);
            };
            if y.len() >= PARALLEL_FROM {
                y.par_chunks_mut(outputs).for_each(finish);
            } else {
                y.chunks_mut(outputs.max(1)).for_each(finish);
            }
        }
        let mut shape = x_layout.dims().to_vec();
        shape.pop();
        shape.push(outputs);
        Ok(output(y, shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        y: &Tensor,
        g: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (outputs, inputs) = w.dims2()?;
        let rows = y.elem_count() / outputs.max(1);
        let device = y.device();
        super::with_gradient_before(g, y, self.before.get(), self.activation, |g| {
            let g = Operand::new(g, rows, outputs);
            let dx = if x.track_op() {
                let mut dx = vec![0.0; rows * inputs];
                with_numbers(w, |w| {
                    product(g, Operand::new(w, outputs, inputs), false, &mut dx);
                })?;
                Some(Tensor::from_vec(dx, x.shape(), device)?)
            } else {
                None
            };
            let dw = if w.track_op() {
                let mut dw = vec![0.0; outputs * inputs];
                with_numbers(x, |x| {
                    product(g.t(), Operand::new(x, rows, inputs), false, &mut dw);
                })?;
                Some(Tensor::from_vec(dw, w.shape(), device)?)
            } else {
                None
            };
            let db = if self.has_bias && b.track_op() {
                Some(Tensor::from_vec(g.column_sums(), b.shape(), device)?)
            } else {
                None
            };
            Ok((dx, dw, db))
        })
    }
}

/// `w ⊙ mask`, whose gradient is masked too, so that a weight that was pruned stays so whatever its
/// value. Both have one shape.
///
/// # Errors
/// When the shapes differ.
pub fn masked(w: &Tensor, mask: &Tensor) -> Result<Tensor> {
    if w.dims() != mask.dims() {
        bail!("masked: w is {:?}, its mask {:?}", w.dims(), mask.dims());
    }
    if !is_fast(&[w, mask]) {
        return w * mask.detach();
    }
    w.contiguous()?
        .apply_op2(&mask.contiguous()?.detach(), Masked)
}

/// [`linear`] with a mask of the weights: `activation(x (w ⊙ mask)ᵀ + b)`.
///
/// # Errors
/// As [`linear`] and [`masked`].
pub fn masked_linear(
    x: &Tensor,
    w: &Tensor,
    mask: &Tensor,
    b: Option<&Tensor>,
    activation: Activation,
) -> Result<Tensor> {
    linear(x, &masked(w, mask)?, b, activation)
}

struct Masked;

fn times(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

impl CustomOp2 for Masked {
    fn name(&self) -> &'static str {
        "masked"
    }

    fn cpu_fwd(
        &self,
        w: &CpuStorage,
        w_layout: &Layout,
        mask: &CpuStorage,
        mask_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let values = times(numbers(w, w_layout)?, numbers(mask, mask_layout)?);
        Ok(output(values, w_layout.shape()))
    }

    fn bwd(
        &self,
        _w: &Tensor,
        mask: &Tensor,
        _y: &Tensor,
        g: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let g = g.contiguous()?;
        let dw = with_numbers(&g, |g| with_numbers(mask, |mask| times(g, mask)))??;
        Ok((Some(Tensor::from_vec(dw, g.shape(), g.device())?), None))
    }
}
