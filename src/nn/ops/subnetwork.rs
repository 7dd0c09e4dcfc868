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
        scores.contiguous()?.apply_op2(&weights, Subnetwork { k })
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

#[cfg(test)]
mod tests {
    use candle_core::{Device, Result, Tensor, Var};

    use super::{kept_count, mask, portable, subnetwork, swaps};
    use crate::nn::ops::{Activation, linear};
    use crate::rng::Rng;

    fn normals(label: &str, shape: (usize, usize)) -> Tensor {
        let mut rng = Rng::new(2).split(label);
        let values: Vec<f32> = (0..shape.0 * shape.1)
            .map(|_| rng.normal() as f32)
            .collect();
        Tensor::from_vec(values, shape, &Device::Cpu).expect("numbers of the shape")
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        let flat = tensor.flatten_all().and_then(|t| t.to_vec1());
        flat.expect("numbers")
    }

    /// Python: `n - int((1 - k) * n)`, in double precision.
    #[test]
    fn counts_are_those_of_the_authors_code() {
        for (count, k, kept) in [
            (10, 0.5, 5),
            (7, 0.5, 4),
            (235_200, 0.3, 70_560),
            (30_000, 0.9, 27_001), // (1 - 0.9) * 30000 is 2999.9999999999995
            (1000, 0.0, 0),
            (1000, 1.0, 1000),
            (3, 0.01, 1),
        ] {
            assert_eq!(kept_count(count, k), kept, "{k} of {count}");
        }
    }

    /// A small case by hand: of |0.1 -0.5 0.5 0.2 0 -2| a half is 0.5, 0.5 and 2, a third is the
    /// later 0.5 and 2.
    #[test]
    fn the_greatest_magnitudes_are_kept_and_scores_move_by_weight_and_sign() -> Result<()> {
        let scores = Var::from_slice(&[0.1_f32, -0.5, 0.5, 0.2, 0.0, -2.0], 6, &Device::Cpu)?;
        let weights = Var::from_slice(&[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0], 6, &Device::Cpu)?;
        let half = subnetwork(&scores, &weights, 0.5)?;
        assert_eq!(values(&half), [0.0, 2.0, 3.0, 0.0, 0.0, 6.0]);
        let third = subnetwork(&scores, &weights, 1.0 / 3.0)?;
        assert_eq!(values(&third), [0.0, 0.0, 3.0, 0.0, 0.0, 6.0]);
        assert_eq!(
            values(&mask(&scores, 1.0)?.to_dtype(scores.dtype())?),
            [1.0; 6]
        );
        assert_eq!(swaps(&half, &half)?, 0);

        let factors = Tensor::new(&[1.0_f32, 1.0, 1.0, -1.0, 1.0, 10.0], &Device::Cpu)?;
        let gradients = (half * factors)?.sum_all()?.backward()?;
        let moved = gradients.get(&scores).expect("scores have a gradient");
        assert_eq!(values(moved), [1.0, -2.0, 3.0, -4.0, 0.0, -60.0]);
        assert!(gradients.get(&weights).is_none(), "weights stay");
        Ok(())
    }

    /// The scores' gradient in a net is that of the weights that act, times weight and sign; the
    /// gradient of weights in the same net is tested against finite differences elsewhere.
    #[test]
    fn both_bodies_agree_with_the_gradient_of_the_weights_that_act() -> Result<()> {
        let shape = (120, 90);
        let (weights, x) = (normals("weights", shape), normals("x", (7, shape.1)));
        let scores = Var::from_tensor(&normals("scores", shape))?;
        for k in [0.0, 0.1, 0.5, 0.7, 1.0] {
            let fast = subnetwork(&scores, &weights, k)?;
            let kept = values(&fast).iter().filter(|w| **w != 0.0).count();
            assert_eq!(kept, kept_count(shape.0 * shape.1, k));
            let slow = portable(&scores, &weights, k)?;
            assert_eq!(values(&fast), values(&slow), "k = {k}");

            let loss = |w: &Tensor| linear(&x, w, None, Activation::Relu)?.sqr()?.sum_all();
            let acting = Var::from_tensor(&fast.detach())?;
            let expected = loss(&acting)?.backward()?;
            let expected = expected.get(&acting).expect("a gradient");
            let expected = (expected * &weights)?.mul(&scores.as_detached_tensor().sign()?)?;
            for w in [fast, slow] {
                let found = loss(&w)?.backward()?;
                let found = found.get(&scores).expect("scores have a gradient");
                for (found, expected) in values(found).iter().zip(values(&expected)) {
                    let error = (found - expected).abs();
                    assert!(error <= 1e-4 * (1.0 + expected.abs()), "{found} {expected}");
                }
            }
        }
        Ok(())
    }

    #[test]
    fn swaps_count_pairs() -> Result<()> {
        let weights = Tensor::ones(4, candle_core::DType::F32, &Device::Cpu)?;
        let choice = |scores: [f32; 4]| {
            let scores = Tensor::new(&scores, &Device::Cpu)?;
            subnetwork(&scores, &weights, 0.5)
        };
        let (a, b) = (choice([4.0, 3.0, 2.0, 1.0])?, choice([4.0, 2.0, 3.0, 1.0])?);
        assert_eq!(swaps(&a, &b)?, 1);
        assert_eq!(swaps(&a, &choice([1.0, 2.0, 3.0, 4.0])?)?, 2);
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (a, b) = (normals("a", (2, 3)), normals("b", (3, 2)));
        assert!(subnetwork(&a, &b, 0.5).is_err());
        for k in [-0.1, 1.1, f64::NAN] {
            assert!(subnetwork(&a, &a, k).is_err(), "{k}");
        }
        assert!(swaps(&a, &b).is_err());
    }
}
