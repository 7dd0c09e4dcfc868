//! Norms from means and variances.

use candle_core::{D, Result, Tensor};

use super::activate;
use crate::nn::ops::Activation;
use crate::nn::ops::batch_norm::BatchStatistics;

type Affine<'a> = Option<(&'a Tensor, &'a Tensor)>;

/// `x` with mean zero and variance one along the last dimension.
fn normalise_last(x: &Tensor, eps: f64) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    centred.broadcast_div(&(variance + eps)?.sqrt()?)
}

/// Factors and terms, `[channels]`, for `[batch, channels, area]`.
fn per_channel(x: &Tensor, affine: Affine) -> Result<Tensor> {
    let Some((weight, bias)) = affine else {
        return Ok(x.clone());
    };
    let shape = (1, weight.elem_count(), 1);
    x.broadcast_mul(&weight.reshape(shape)?)?
        .broadcast_add(&bias.reshape(shape)?)
}

/// Twin of [`crate::nn::ops::norm::layer_norm`].
///
/// # Errors
/// When the shapes do not fit.
pub fn layer_norm(x: &Tensor, dims: usize, affine: Affine, eps: f64) -> Result<Tensor> {
    let row: usize = x.dims()[x.rank() - dims..].iter().product();
    let y = normalise_last(&x.reshape(((), row))?, eps)?.reshape(x.shape())?;
    match affine {
        Some((weight, bias)) => y.broadcast_mul(weight)?.broadcast_add(bias),
        None => Ok(y),
    }
}

/// Twin of [`crate::nn::ops::norm::rms_norm`].
///
/// # Errors
/// When the shapes do not fit.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let rows = x.reshape(((), weight.elem_count()))?;
    let squares = rows.sqr()?.mean_keepdim(D::Minus1)?;
    rows.broadcast_div(&(squares + eps)?.sqrt()?)?
        .reshape(x.shape())?
        .broadcast_mul(weight)
}

/// Twin of [`crate::nn::ops::norm::group_norm`].
///
/// # Errors
/// When the shapes do not fit.
pub fn group_norm(
    x: &Tensor,
    groups: usize,
    affine: Affine,
    eps: f64,
    act: Activation,
) -> Result<Tensor> {
    let (batch, channels) = (x.dims()[0], x.dims()[1]);
    let y = normalise_last(&x.reshape((batch * groups, ()))?, eps)?;
    let y = per_channel(&y.reshape((batch, channels, ()))?, affine)?;
    activate(&y.reshape(x.shape())?, act)
}

/// Twin of [`crate::nn::ops::batch_norm::batch_norm`].
///
/// # Errors
/// When the shapes do not fit.
pub fn batch_norm(
    x: &Tensor,
    affine: Affine,
    eps: f64,
    act: Activation,
) -> Result<(Tensor, BatchStatistics)> {
    let (batch, channels) = (x.dims()[0], x.dims()[1]);
    let flat = x.reshape((batch, channels, ()))?;
    let count = (x.elem_count() / channels) as f64;
    let mean = flat.mean_keepdim((0, 2))?;
    let centred = flat.broadcast_sub(&mean)?;
    let variance = centred.sqr()?.mean_keepdim((0, 2))?;
    let y = centred.broadcast_div(&(&variance + eps)?.sqrt()?)?;
    let y = per_channel(&y, affine)?.reshape(x.shape())?;
    let statistics = BatchStatistics {
        mean: mean.detach().flatten_all()?,
        var: (variance.detach().flatten_all()? * (count / (count - 1.0)))?,
    };
    Ok((activate(&y, act)?, statistics))
}

/// Twin of [`crate::nn::ops::batch_norm::batch_norm_eval`].
///
/// # Errors
/// When the shapes do not fit.
pub fn batch_norm_eval(
    x: &Tensor,
    (mean, var): (&Tensor, &Tensor),
    affine: Affine,
    eps: f64,
    act: Activation,
) -> Result<Tensor> {
    let (batch, channels) = (x.dims()[0], x.dims()[1]);
    let flat = x.reshape((batch, channels, ()))?;
    let shape = (1, channels, 1);
    let deviation = (var.detach() + eps)?.sqrt()?.reshape(shape)?;
    let centred = flat.broadcast_sub(&mean.detach().reshape(shape)?)?;
    let y = per_channel(&centred.broadcast_div(&deviation)?, affine)?;
    activate(&y.reshape(x.shape())?, act)
}
