//! A subnetwork of fixed random weights, chosen by scores (Ramanujan et al. 2020).
//!
//! Forward, a layer keeps the weights whose scores have the greatest magnitudes. Backward, the
//! choice counts as if it were the identity of the score's magnitude (a straight-through
//! estimator): a score moves as its weight's contribution says, whether the weight is kept or not,
//! and weights get no gradient.
//!
//! The authors' `GetSubnet` (allenai/hidden-networks, `utils/conv_type.py`) is followed exactly: it
//! sorts `scores.abs()`, drops the first `int((1 - k) * n)`, and its gradient passes through `abs`,
//! so that it carries the score's sign. The paper's section 3 leaves the magnitude out.

use candle_core::{CpuStorage, CustomOp2, DType, Device, Layout, Result, Shape, Tensor, bail};

use super::{is_fast, numbers, output, tensor, with_numbers};
use crate::nn::cpu::lanes::build;
use crate::nn::cpu::select::{Top, differences};

/// How many of `count` weights are kept for a share `k`, as the authors' code rounds it.
#[must_use]
pub fn kept_count(count: usize, k: f64) -> usize {
    let dropped = ((1.0 - k.clamp(0.0, 1.0)) * count as f64) as usize;
    count - dropped.min(count)
}

struct Subnetwork {
    k: f64,
}

impl CustomOp2 for Subnetwork {
    fn name(&self) -> &'static str {
        "subnetwork"
    }

    fn cpu_fwd(
        &self,
        scores: &CpuStorage,
        scores_layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let scores = numbers(scores, scores_layout)?;
        let weights = numbers(weights, weights_layout)?;
        let top = Top::new(scores, kept_count(scores.len(), self.k));
        Ok(output(top.choose(scores, weights), scores_layout.shape()))
    }

    fn bwd(
        &self,
        scores: &Tensor,
        weights: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        if !scores.track_op() {
            return Ok((None, None));
        }
        let grad = grad.contiguous()?;
        let moved = with_numbers(scores, |scores| {
            with_numbers(weights, |weights| {
                with_numbers(&grad, |grad| {
                    build(grad.len(), |start, out| {
                        let scores = &scores[start..][..out.len()];
                        let others = weights[start..].iter().zip(&grad[start..]);
                        for ((out, score), (weight, grad)) in out.iter_mut().zip(scores).zip(others)
                        {
                            *out = grad * weight * sign(*score);
                        }
                    })
                })
            })
        })???;
        Ok((Some(tensor(moved, scores.shape())?), None))
    }
}

/// 1, -1, or 0 for zero, as the gradient of the magnitude in `PyTorch`.
fn sign(x: f32) -> f32 {
    f32::from(u8::from(x > 0.0)) - f32::from(u8::from(x < 0.0))
}

/// The weights whose scores are among the share `k` of greatest magnitude, zero elsewhere. Scores
/// and weights have one shape; of equal scores the last are kept.
///
/// The gradient of a score is that of the result times the weight and the score's sign; weights
/// get none.
///
/// # Errors
/// When the shapes differ or `k` is not between 0 and 1.
pub fn subnetwork(scores: &Tensor, weights: &Tensor, k: f64) -> Result<Tensor> {
    if scores.dims() != weights.dims() {
        bail!(
            "subnetwork: scores are {:?}, weights {:?}",
            scores.dims(),
            weights.dims()
        );
    }
    if !(0.0..=1.0).contains(&k) {
        bail!("the share of weights that is kept lies between 0 and 1, not {k}");
    }
    let weights = weights.detach();
    if is_fast(&[scores, &weights]) {
        let weights = weights.contiguous()?;
        scores
            .contiguous()?
            .apply_op2(&weights, Subnetwork { k })
    } else {
        portable(scores, &weights, k)
    }
}

/// [`subnetwork`] out of candle's operations, for every device. Only the choice itself is made on
/// the processor, where it is exact.
///
/// # Errors
/// As [`subnetwork`].
pub fn portable(scores: &Tensor, weights: &Tensor, k: f64) -> Result<Tensor> {
    let fixed = scores.detach();
    let mask = mask(&fixed, k)?.to_device(scores.device())?;
    let chosen = (weights * mask.to_dtype(weights.dtype())?)?.detach();
    // Zero, with the gradient of the magnitude times the weight.
    let through = ((scores - &fixed)? * (weights.detach() * fixed.sign()?)?)?;
    chosen + through
}

/// Which weights are kept: a `u8` tensor of zeros and ones in the scores' shape, in the processor's
/// memory.
///
/// # Errors
/// When the scores are no floats.
pub fn mask(scores: &Tensor, k: f64) -> Result<Tensor> {
    let values = scores
        .detach()
        .flatten_all()?
        .to_dtype(DType::F32)?
        .to_vec1::<f32>()?;
    let top = Top::new(&values, kept_count(values.len(), k));
    let kept = values.iter().enumerate();
    let kept: Vec<u8> = kept.map(|(i, x)| u8::from(top.keeps(i, *x))).collect();
    Tensor::from_vec(kept, scores.shape(), &Device::Cpu)
}

/// How many weights changed places between two results of [`subnetwork`] with the same weights and
/// the same `k`: each swap takes one out and puts another in. Weights that are zero do not count.
///
/// # Errors
/// When the shapes differ.
pub fn swaps(before: &Tensor, after: &Tensor) -> Result<usize> {
    if before.dims() != after.dims() {
        bail!("swaps: {:?} and {:?}", before.dims(), after.dims());
    }
    let on_cpu = |tensor: &Tensor| {
        let tensor = tensor.detach().to_device(&Device::Cpu)?;
        tensor.to_dtype(DType::F32)?.contiguous()
    };
    let (before, after) = (on_cpu(before)?, on_cpu(after)?);
    with_numbers(&before, |before| {
        with_numbers(&after, |after| differences(before, after) / 2)
    })?
}
