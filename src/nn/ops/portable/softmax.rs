//! Softmax, the cross entropy, and rows of a table.

use candle_core::{D, Result, Tensor};

/// Twin of [`crate::nn::ops::softmax::softmax`].
///
/// # Errors
/// When the tensor has no dimension.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    // A shift does not change the result, so the maximum needs no gradient.
    let e = x
        .broadcast_sub(&x.detach().max_keepdim(D::Minus1)?)?
        .exp()?;
    e.broadcast_div(&e.sum_keepdim(D::Minus1)?)
}

/// Twin of [`crate::nn::ops::softmax::log_softmax`].
///
/// # Errors
/// When the tensor has no dimension.
pub fn log_softmax(x: &Tensor) -> Result<Tensor> {
    let shifted = x.broadcast_sub(&x.detach().max_keepdim(D::Minus1)?)?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)
}

/// Twin of [`crate::nn::ops::loss::cross_entropy`]; the classes are `u32`.
///
/// # Errors
/// When the shapes do not fit.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor, smoothing: f64) -> Result<Tensor> {
    let log = log_softmax(logits)?;
    let hit = log.gather(&targets.unsqueeze(1)?, 1)?.mean_all()?;
    let even = log.mean_all()?;
    (hit * (smoothing - 1.0))?.sub(&(even * smoothing)?)
}

/// Twin of [`crate::nn::ops::loss::soft_cross_entropy`].
///
/// # Errors
/// When the shapes do not fit.
pub fn soft_cross_entropy(
    logits: &Tensor,
    targets: &Tensor,
    weights: Option<&Tensor>,
) -> Result<Tensor> {
    let rows = log_softmax(logits)?.mul(&targets.detach())?.sum(1)?;
    match weights {
        Some(weights) => rows.mul(&weights.detach())?.mean_all()?.neg(),
        None => rows.mean_all()?.neg(),
    }
}

/// Twin of [`crate::nn::ops::embedding::embedding`]; the ids are `u32`.
///
/// # Errors
/// When the shapes do not fit.
pub fn embedding(table: &Tensor, ids: &Tensor) -> Result<Tensor> {
    let mut shape = ids.dims().to_vec();
    shape.push(table.dim(1)?);
    table
        .contiguous()?
        .index_select(&ids.flatten_all()?, 0)?
        .reshape(shape)
}
