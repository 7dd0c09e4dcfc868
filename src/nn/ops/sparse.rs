//! Linear maps whose weights are mostly zeros.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::{Activation, is_fast, numbers, output, portable, tensor, with_numbers};
use crate::nn::cpu::pointwise::{activate, activation_backward};
pub use crate::nn::cpu::sparse::Pattern;
use crate::nn::cpu::sparse::Wanted;

/// The share of its weights below which a layer is faster when it is sparse.
///
/// `vitrine bench sparse` measures it: on a Zen 5 with vectors of 512 bits a training step of 784 to
/// 300 units takes 0.9 of a dense one's time at this density, on one thread and on two.
pub const SPARSE_BELOW: f64 = 0.5;

/// `activation(x wᵀ + b)` with those weights of `w` `[outputs, inputs]` only that the pattern has:
/// `x` is `[…, inputs]`, `values` `[weights]`, `b` `[outputs]`, the result `[…, outputs]`.
///
/// It costs as much as the pattern has weights. [`linear`](super::linear()) is faster from
/// [`SPARSE_BELOW`] on.
///
/// # Errors
/// When the shapes do not fit together.
pub fn sparse_linear(
    x: &Tensor,
    values: &Tensor,
    pattern: &Arc<Pattern>,
    b: Option<&Tensor>,
    activation: Activation,
) -> Result<Tensor> {
    let (outputs, inputs) = (pattern.outputs(), pattern.inputs());
    if x.dims().last() != Some(&inputs)
        || values.dims() != [pattern.len()]
        || b.is_some_and(|b| b.dims() != [outputs])
    {
        bail!(
            "sparse_linear: x is {:?}, {:?} values for {} weights of [{outputs}, {inputs}], b {:?}",
            x.dims(),
            values.dims(),
            pattern.len(),
            b.map(Tensor::dims)
        );
    }
    if !is_fast(&[x, values, b.unwrap_or(values)]) {
        return portable::sparse::sparse_linear(x, values, pattern, b, activation);
    }
    let op = SparseLinear {
        pattern: Arc::clone(pattern),
        activation,
        has_bias: b.is_some(),
        keeps: x.track_op() || values.track_op() || b.is_some_and(Tensor::track_op),
        keeps_columns: values.track_op(),
        columns: OnceLock::new(),
        before: OnceLock::new(),
    };
    let (x, values) = (x.contiguous()?, values.contiguous()?);
    x.apply_op3(&values, &b.unwrap_or(&values).contiguous()?, op)
}

struct SparseLinear {
    pattern: Arc<Pattern>,
    activation: Activation,
    has_bias: bool,
    /// Whether there will be a backward pass.
    keeps: bool,
    /// Whether it will be asked for the values' gradient.
    keeps_columns: bool,
    /// The inputs, turned into columns.
    columns: OnceLock<Vec<f32>>,
    /// The result before the activation, where its gradient needs that.
    before: OnceLock<Vec<f32>>,
}

impl CustomOp3 for SparseLinear {
    fn name(&self) -> &'static str {
        "sparse_linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        values: &CpuStorage,
        values_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, values) = (numbers(x, x_layout)?, numbers(values, values_layout)?);
        let bias = if self.has_bias {
            Some(numbers(b, b_layout)?)
        } else {
            None
        };
        let mut shape = x_layout.dims().to_vec();
        shape.pop();
        let batch = shape.iter().product();
        shape.push(self.pattern.outputs());
        let mut columns = Vec::new();
        let keep = self.keeps_columns.then_some(&mut columns);
        let mut y = self.pattern.forward(x, values, bias, batch, keep);
        // Set once: the value is made for one application.
        let _ = self.columns.set(columns);
        if self.activation == Activation::Silu && self.keeps {
            let _ = self.before.set(y.clone());
        }
        activate(&mut y, self.activation);
        Ok(output(y, shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        values: &Tensor,
        b: &Tensor,
        y: &Tensor,
        g: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let batch = y.elem_count() / self.pattern.outputs().max(1);
        let mut g = with_numbers(&g.contiguous()?, <[f32]>::to_vec)?;
        match self.before.get() {
            Some(before) => activation_backward(&mut g, before, self.activation),
            None => with_numbers(y, |y| activation_backward(&mut g, y, self.activation))?,
        }
        let bias = self.has_bias && b.track_op();
        let found = with_numbers(values, |numbers| {
            let wanted = Wanted {
                values: values
                    .track_op()
                    .then(|| self.columns.get().map_or(&[][..], Vec::as_slice)),
                bias,
                inputs: x.track_op().then_some(numbers),
            };
            self.pattern.backward(&g, batch, wanted)
        })?;
        let given = |wanted: bool, values: Vec<f32>, of: &Tensor| {
            wanted.then(|| tensor(values, of.shape())).transpose()
        };
        Ok((
            given(x.track_op(), found.inputs, x)?,
            given(values.track_op(), found.values, values)?,
            given(bias, found.bias, b)?,
        ))
    }
}
