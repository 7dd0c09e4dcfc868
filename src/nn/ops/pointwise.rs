//! Functions that are applied to every number.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::{Activation, is_fast, numbers, output, portable, tensor, with_numbers};
use crate::nn::cpu::lanes::build;
use crate::nn::cpu::pointwise::{apply, derive};

pub use crate::nn::cpu::pointwise::Function;

struct Pointwise(Function);

impl CustomOp1 for Pointwise {
    fn name(&self) -> &'static str {
        "pointwise"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = numbers(storage, layout)?;
        let y = build(x.len(), |start, piece| apply(self.0, &x[start..], piece));
        Ok(output(y, layout.shape()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let saved = if self.0.saves_output() { y } else { x };
        let dx = with_numbers(saved, |saved| {
            with_numbers(&grad, |grad| {
                build(saved.len(), |start, piece| {
                    derive(self.0, &saved[start..], &grad[start..], piece);
                })
            })
        })??;
        tensor(dx, x.shape()).map(Some)
    }
}

/// Applies a function to every number of a tensor of any shape.
///
/// # Errors
/// When candle cannot, as for whole numbers.
pub fn function(x: &Tensor, function: Function) -> Result<Tensor> {
    if is_fast(&[x]) {
        x.contiguous()?.apply_op1(Pointwise(function))
    } else {
        portable::function(x, function)
    }
}

/// Applies an activation to every number of a tensor of any shape.
///
/// # Errors
/// As for [`function`].
pub fn activate(x: &Tensor, act: Activation) -> Result<Tensor> {
    match act {
        Activation::None => Ok(x.clone()),
        Activation::Relu => function(x, Function::Relu),
        Activation::LeakyRelu(slope) => function(x, Function::LeakyRelu(slope)),
        Activation::Silu => function(x, Function::Silu),
    }
}

/// `max(x, 0)`.
///
/// # Errors
/// As for [`function`].
pub fn relu(x: &Tensor) -> Result<Tensor> {
    function(x, Function::Relu)
}

/// `x / (1 + exp(-x))` (Elfwing et al. 2017).
///
/// # Errors
/// As for [`function`].
pub fn silu(x: &Tensor) -> Result<Tensor> {
    function(x, Function::Silu)
}

/// `1 / (1 + exp(-x))`.
///
/// # Errors
/// As for [`function`].
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    function(x, Function::Sigmoid)
}

/// The hyperbolic tangent.
///
/// # Errors
/// As for [`function`].
pub fn tanh(x: &Tensor) -> Result<Tensor> {
    function(x, Function::Tanh)
}

/// The approximation of [`gelu_erf`] with a hyperbolic tangent.
///
/// # Errors
/// As for [`function`].
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    function(x, Function::GeluTanh)
}

/// `x` times the probability that a standard normal number is below it (Hendrycks and Gimpel
/// 2016).
///
/// # Errors
/// As for [`function`].
pub fn gelu_erf(x: &Tensor) -> Result<Tensor> {
    function(x, Function::GeluErf)
}

/// `ln(1 + exp(x))`.
///
/// # Errors
/// As for [`function`].
pub fn softplus(x: &Tensor) -> Result<Tensor> {
    function(x, Function::Softplus)
}

/// `x` above zero, below it `x` times the slope, which is not negative.
///
/// # Errors
/// As for [`function`].
pub fn leaky_relu(x: &Tensor, slope: f32) -> Result<Tensor> {
    function(x, Function::LeakyRelu(slope))
}
