//! Linear maps with few weights, as products with the whole matrix.

use candle_core::{Result, Tensor};

use crate::nn::ops::Activation;
use crate::nn::ops::sparse::Pattern;

/// See [`crate::nn::ops::sparse_linear`].
///
/// # Errors
/// When the shapes do not fit together.
pub fn sparse_linear(
    x: &Tensor,
    values: &Tensor,
    pattern: &Pattern,
    b: Option<&Tensor>,
    activation: Activation,
) -> Result<Tensor> {
    let (outputs, inputs) = (pattern.outputs(), pattern.inputs());
    let zeros = Tensor::zeros(outputs * inputs, values.dtype(), values.device())?;
    let w = if pattern.is_empty() {
        zeros
    } else {
        let places: Vec<u32> = pattern.places().map(|place| place as u32).collect();
        let places = Tensor::from_vec(places, pattern.len(), values.device())?;
        zeros.index_add(&places, values, 0)?
    };
    super::linear::linear(x, &w.reshape((outputs, inputs))?, b, activation)
}
