//! Functions of one number.

use candle_core::{Result, Tensor};

use crate::nn::ops::Activation;
use crate::nn::ops::pointwise::Function;

/// Twin of [`crate::nn::ops::pointwise::function`].
///
/// # Errors
/// When candle cannot.
pub fn function(x: &Tensor, function: Function) -> Result<Tensor> {
    match function {
        Function::Relu => x.relu(),
        Function::LeakyRelu(slope) => leaky_relu(x, f64::from(slope)),
        Function::Silu => x.mul(&sigmoid(x)?),
        Function::Sigmoid => sigmoid(x),
        Function::Tanh => x.tanh(),
        Function::GeluTanh => x.gelu(),
        Function::GeluErf => x.gelu_erf(),
        Function::Softplus => softplus(x),
    }
}

/// Twin of [`crate::nn::ops::pointwise::activate`].
///
/// # Errors
/// When candle cannot.
pub fn activate(x: &Tensor, act: Activation) -> Result<Tensor> {
    match act {
        Activation::None => Ok(x.clone()),
        Activation::Relu => function(x, Function::Relu),
        Activation::LeakyRelu(slope) => function(x, Function::LeakyRelu(slope)),
        Activation::Silu => function(x, Function::Silu),
    }
}

/// By the hyperbolic tangent, because the gradient of `1 / (1 + exp(-x))` is no number where the
/// exponential overflows.
fn sigmoid(x: &Tensor) -> Result<Tensor> {
    ((x * 0.5)?.tanh()? * 0.5)? + 0.5
}

fn leaky_relu(x: &Tensor, slope: f64) -> Result<Tensor> {
    x.relu()?.sub(&(x.neg()?.relu()? * slope)?)
}

fn softplus(x: &Tensor) -> Result<Tensor> {
    let rest = (x.abs()?.neg()?.exp()? + 1.0)?.log()?;
    // (x + |x|) / 2 has the slope 1/2 at zero, as the whole has.
    ((x + x.abs()?)? * 0.5)?.add(&rest)
}
