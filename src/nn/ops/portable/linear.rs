//! Linear maps out of candle's products.

use candle_core::{Result, Tensor};

use super::activate;
use crate::nn::ops::Activation;

/// See [`crate::nn::ops::linear()`].
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
    let y = x.reshape(((), inputs))?.matmul(&w.t()?)?;
    let y = match b {
        Some(b) => y.broadcast_add(b)?,
        None => y,
    };
    let mut shape = x.dims().to_vec();
    shape.pop();
    shape.push(outputs);
    activate(&y.reshape(shape)?, activation)
}
