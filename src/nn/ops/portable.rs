//! The operations put together from candle's own, for every device and type.

pub mod conv;
pub mod linear;

use candle_core::{Result, Tensor};

use super::Activation;

/// An activation whose gradient candle knows.
///
/// # Errors
/// What candle fails with.
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::None => Ok(x.clone()),
        Activation::Relu => x.relu(),
        Activation::LeakyRelu(slope) => x.relu()? - (x.neg()?.relu()? * f64::from(slope))?,
        Activation::Silu => x.silu(),
    }
}
