//! Rescaling out of candle's operations.

use candle_core::{Result, Tensor};

use super::activate;
use crate::nn::ops::Activation;

/// A number of each row that is given as a constant, so that its gradient is shared evenly by the
/// numbers that equal it; candle gives each of them the whole.
fn shared(rows: &Tensor, extreme: &Tensor) -> Result<Tensor> {
    let equal = rows.broadcast_eq(extreme)?.to_dtype(rows.dtype())?;
    let mean = rows
        .broadcast_sub(extreme)?
        .mul(&equal)?
        .sum_keepdim(1)?
        .div(&equal.sum_keepdim(1)?)?;
    extreme + mean
}

/// See [`crate::nn::ops::min_max_scale`].
///
/// # Errors
/// When the tensor has no numbers.
pub fn min_max_scale(x: &Tensor, eps: f64) -> Result<Tensor> {
    let rows = x.flatten_from(1)?;
    let low = shared(&rows, &rows.detach().min_keepdim(1)?)?;
    let high = shared(&rows, &rows.detach().max_keepdim(1)?)?;
    let span = high.sub(&low)?;
    let span = span.maximum(&(span.ones_like()? * eps)?)?;
    rows.broadcast_sub(&low)?
        .broadcast_div(&span)?
        .reshape(x.shape())
}

/// See [`crate::nn::ops::scale_gradient`].
///
/// # Errors
/// What candle fails with.
pub fn scale_gradient(x: &Tensor, factor: f64) -> Result<Tensor> {
    (x * factor)? + (x.detach() * (1.0 - factor))?
}

/// See [`crate::nn::ops::add_activate`].
///
/// # Errors
/// When the shapes differ.
pub fn add_activate(a: &Tensor, b: &Tensor, act: Activation) -> Result<Tensor> {
    activate(&(a + b)?, act)
}

/// See [`crate::nn::ops::scale_planes`].
///
/// # Errors
/// When the shapes do not fit together.
pub fn scale_planes(
    x: &Tensor,
    factors: &Tensor,
    terms: Option<&Tensor>,
    act: Activation,
) -> Result<Tensor> {
    let (batch, channels, _, _) = x.dims4()?;
    let y = x.broadcast_mul(&factors.reshape((batch, channels, 1, 1))?)?;
    let y = match terms {
        Some(terms) => y.broadcast_add(&terms.reshape((1, channels, 1, 1))?)?,
        None => y,
    };
    activate(&y, act)
}

/// See [`crate::nn::ops::rescale::demodulation`].
///
/// # Errors
/// When the shapes do not fit together.
pub fn demodulation(w: &Tensor, s: &Tensor, eps: f64) -> Result<Tensor> {
    let powers = w.sqr()?.flatten_from(2)?.sum(2)?;
    (s.sqr()?.matmul(&powers.t()?)? + eps)?.sqrt()?.recip()
}
