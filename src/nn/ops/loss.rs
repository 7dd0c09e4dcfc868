//! Losses: one number for a batch.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};

use super::pool::{Window, avg_pool2d};
use super::{is_fast, numbers, output, portable, tensor, with_numbers};
use crate::nn::cpu::softmax::{Targets, cross_entropy as losses, cross_entropy_backward};

struct CrossEntropy {
    targets: Targets,
    /// Of each row the largest logit and the logarithm of the sum of exponentials above it.
    kept: OnceLock<Vec<(f32, f32)>>,
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = numbers(storage, layout)?;
        let (batch, classes) = layout.shape().dims2()?;
        let (losses, kept) = losses(x, classes, &self.targets);
        self.kept.get_or_init(|| kept);
        let sum: f64 = losses.into_iter().map(f64::from).sum();
        Ok(output(vec![(sum / batch as f64) as f32], ()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (batch, classes) = x.dims2()?;
        let Some(kept) = self.kept.get() else {
            bail!("a loss goes backward after it went forward");
        };
        let scale = grad.to_scalar::<f32>()? / batch as f32;
        let dx = with_numbers(x, |x| {
            cross_entropy_backward(x, classes, &self.targets, kept, scale)
        })?;
        tensor(dx, x.shape()).map(Some)
    }
}

fn fused(logits: &Tensor, targets: Targets) -> Result<Tensor> {
    let kept = OnceLock::new();
    logits
        .contiguous()?
        .apply_op1(CrossEntropy { targets, kept })
}

fn check(logits: &Tensor) -> Result<(usize, usize)> {
    match logits.dims() {
        [batch, classes] if logits.elem_count() > 0 => Ok((*batch, *classes)),
        dims => bail!("the cross entropy takes logits [batch, classes], not {dims:?}"),
    }
}

/// Whole numbers of a tensor `[..]` of `u8`, `u32` or `i64`, each below `end`.
pub(super) fn indices(ids: &Tensor, end: usize, what: &str) -> Result<Vec<u32>> {
    if !matches!(ids.dtype(), DType::U8 | DType::U32 | DType::I64) {
        bail!("{what} are whole numbers, not {:?}", ids.dtype());
    }
    let ids = ids.flatten_all()?.to_dtype(DType::I64)?.to_vec1::<i64>()?;
    let index = |id: i64| match u32::try_from(id) {
        Ok(index) if (index as usize) < end => Ok(index),
        _ => bail!("{what} are from 0 to {}, not {id}", end.saturating_sub(1)),
    };
    ids.into_iter().map(index).collect()
}

/// The mean over the batch of minus the logarithm of the softmax of `logits`, `[batch, classes]`,
/// at the right classes, `targets` `[batch]`. `smoothing` of the weight of the right class, 0 for
/// none, is spread over all classes (Szegedy et al. 2016).
///
/// # Errors
/// When the shapes do not fit, a class is out of range or the smoothing is not in `[0, 1]`.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor, smoothing: f64) -> Result<Tensor> {
    let (batch, classes) = check(logits)?;
    if targets.dims() != [batch] {
        bail!(
            "{batch} rows of logits take as many classes, not {:?}",
            targets.dims()
        );
    }
    if !(0.0..=1.0).contains(&smoothing) {
        bail!("label smoothing lies between 0 and 1, not {smoothing}");
    }
    let targets = indices(targets, classes, "classes")?;
    if is_fast(&[logits]) {
        fused(logits, Targets::Classes(targets, smoothing as f32))
    } else {
        let targets = Tensor::from_vec(targets, batch, logits.device())?;
        portable::cross_entropy(logits, &targets, smoothing)
    }
}

/// The mean over the batch of the cross entropy of `logits` with `targets`, both
/// `[batch, classes]`, each row times a weight if there are `weights`, `[batch]`; the sum is
/// divided by the batch, not by the weights. Targets and weights get no gradient.
///
/// # Errors
/// When the shapes do not fit.
pub fn soft_cross_entropy(
    logits: &Tensor,
    targets: &Tensor,
    weights: Option<&Tensor>,
) -> Result<Tensor> {
    let (batch, _) = check(logits)?;
    if targets.dims() != logits.dims() {
        bail!(
            "logits {:?} take targets of that shape, not {:?}",
            logits.dims(),
            targets.dims()
        );
    }
    let weights = match weights {
        Some(weights) if weights.dims() != [batch] => {
            bail!(
                "{batch} rows of logits take as many weights, not {:?}",
                weights.dims()
            );
        }
        Some(weights) => weights.detach(),
        None => Tensor::ones(batch, logits.dtype(), logits.device())?,
    };
    let targets = targets.detach();
    if is_fast(&[logits, &targets, &weights]) {
        let targets = targets.flatten_all()?.to_vec1()?;
        fused(logits, Targets::Weights(targets, weights.to_vec1()?))
    } else {
        portable::soft_cross_entropy(logits, &targets, Some(&weights))
    }
}

/// The mean of the squared differences of two tensors of one shape.
///
/// # Errors
/// When the shapes differ.
pub fn mse_loss(x: &Tensor, target: &Tensor) -> Result<Tensor> {
    x.sub(target)?.sqr()?.mean_all()
}

/// The mean absolute slopes of pictures `[batch, channels, height, width]` across and down, each at
/// half the resolution of the one before, by these shares.
///
/// Of the difference of two pictures: the difference of their slopes, which keeps edges sharp.
///
/// # Errors
/// When the sides cannot be halved so often.
pub fn slopes(pictures: &Tensor, shares: &[f64]) -> Result<Tensor> {
    let mut pictures = pictures.clone();
    let mut sum = Tensor::zeros((), pictures.dtype(), pictures.device())?;
    for (at, &share) in shares.iter().enumerate() {
        if at > 0 {
            pictures = avg_pool2d(&pictures, Window::square(2, 2, 0))?;
        }
        for dim in [2, 3] {
            let length = pictures.dims()[dim] - 1;
            let slope = (pictures.narrow(dim, 1, length)? - pictures.narrow(dim, 0, length)?)?;
            sum = (sum + (slope.abs()?.mean_all()? * share)?)?;
        }
    }
    Ok(sum)
}
