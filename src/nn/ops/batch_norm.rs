//! Batch norm, with the statistics of the batch or with running ones.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::norm::{Gradients, factors_and_terms, gradients};
use super::{Activation, is_fast, numbers, output, portable, tensor, with_numbers};
use crate::nn::cpu::batch_norm::{
    Channel, Channels, batch_backward, batch_moments, channel_affine,
};

/// What a batch says about each channel, to be blended into running statistics.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    /// The means, `[channels]`.
    pub mean: Tensor,
    /// The unbiased variances, `[channels]`.
    pub var: Tensor,
}

impl BatchStatistics {
    /// New running means and variances: the old ones moved by `momentum` (`PyTorch`: 0.1) of the
    /// way to this batch.
    ///
    /// # Errors
    /// When the shapes differ.
    pub fn blend(&self, mean: &Tensor, var: &Tensor, momentum: f64) -> Result<(Tensor, Tensor)> {
        let mix = |old: &Tensor, new: &Tensor| -> Result<Tensor> {
            Ok(((old * (1.0 - momentum))? + (new * momentum)?)?.detach())
        };
        Ok((mix(mean, &self.mean)?, mix(var, &self.var)?))
    }
}

struct BatchOp {
    /// The mean and one over the deviation of each channel.
    moments: Vec<(f32, f32)>,
    of_batch: bool,
    act: Activation,
}

impl BatchOp {
    fn channels(&self, weight: &[f32], bias: &[f32]) -> Vec<Channel> {
        let moments = self.moments.iter().zip(weight.iter().zip(bias));
        moments
            .map(|(&(mean, inverse), (&weight, &bias))| Channel {
                mean,
                inverse,
                weight,
                bias,
            })
            .collect()
    }
}

/// `[channels, area]` of an example of shape `[batch, channels, ..]`.
fn example(dims: &[usize]) -> Channels {
    Channels {
        channels: dims[1],
        area: dims[2..].iter().product(),
    }
}

impl CustomOp3 for BatchOp {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let weight = numbers(weight, weight_layout)?;
        let channels = self.channels(weight, numbers(bias, bias_layout)?);
        let affine: Vec<_> = channels.iter().map(|channel| channel.affine()).collect();
        let shape = example(x_layout.dims());
        let y = channel_affine(numbers(x, x_layout)?, &affine, shape, self.act);
        Ok(output(y, x_layout.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<Gradients> {
        let grad = grad.contiguous()?;
        let area = example(x.dims()).area;
        let channels = with_numbers(weight, |weight| {
            with_numbers(bias, |bias| self.channels(weight, bias))
        })??;
        let found = with_numbers(x, |x| {
            with_numbers(y, |y| {
                with_numbers(&grad, |grad| {
                    batch_backward((x, y, grad), &channels, area, self.act, self.of_batch)
                })
            })
        })???;
        gradients(found, [x, weight, bias])
    }
}

fn check(x: &Tensor) -> Result<&[usize]> {
    let dims = x.dims();
    if dims.len() < 2 || x.elem_count() == 0 {
        bail!("batch norm takes [batch, channels, ..], not {dims:?}");
    }
    Ok(dims)
}

/// Batch norm (Ioffe and Szegedy 2015) while training: every channel of `[batch, channels, ..]`
/// with mean zero and (biased) variance one over the batch, then a factor and a term for each
/// channel, `[channels]`, then an activation. Also what the running statistics need.
///
/// # Errors
/// When the shapes do not fit, or a channel has one number only.
pub fn batch_norm(
    x: &Tensor,
    affine: Option<(&Tensor, &Tensor)>,
    eps: f64,
    act: Activation,
) -> Result<(Tensor, BatchStatistics)> {
    let dims = check(x)?;
    let count = x.elem_count() / dims[1];
    if count < 2 {
        bail!("batch norm needs more than one number in a channel, not {dims:?}");
    }
    let (weight, bias) = factors_and_terms(affine, &dims[1..2], x)?;
    if !is_fast(&[x, &weight, &bias]) {
        return portable::batch_norm(x, Some((&weight, &bias)), eps, act);
    }
    let x = x.contiguous()?;
    let moments = with_numbers(&x, |numbers| batch_moments(numbers, example(dims)))?;
    let unbiased = count as f32 / (count - 1) as f32;
    let statistics = BatchStatistics {
        mean: tensor(moments.iter().map(|m| m.0).collect(), dims[1])?,
        var: tensor(moments.iter().map(|m| m.1 * unbiased).collect(), dims[1])?,
    };
    let eps = eps as f32;
    let inverse = |&(mean, var): &(f32, f32)| (mean, 1.0 / (var + eps).sqrt());
    let op = BatchOp {
        moments: moments.iter().map(inverse).collect(),
        of_batch: true,
        act,
    };
    Ok((x.apply_op3(&weight, &bias, op)?, statistics))
}

/// Batch norm with running means and variances, `[channels]` each, which get no gradient; then the
/// factors and terms and the activation.
///
/// # Errors
/// When the shapes do not fit.
pub fn batch_norm_eval(
    x: &Tensor,
    (mean, var): (&Tensor, &Tensor),
    affine: Option<(&Tensor, &Tensor)>,
    eps: f64,
    act: Activation,
) -> Result<Tensor> {
    let dims = check(x)?;
    let (mean, var) = factors_and_terms(Some((mean, var)), &dims[1..2], x)?;
    let (weight, bias) = factors_and_terms(affine, &dims[1..2], x)?;
    if !is_fast(&[x, &mean, &var, &weight, &bias]) {
        let statistics = (&mean, &var);
        return portable::batch_norm_eval(x, statistics, Some((&weight, &bias)), eps, act);
    }
    let eps = eps as f32;
    let moments = with_numbers(&mean, |mean| {
        with_numbers(&var, |var| {
            let pairs = mean.iter().zip(var);
            pairs.map(|(m, v)| (*m, 1.0 / (v + eps).sqrt())).collect()
        })
    })??;
    let op = BatchOp {
        moments,
        of_batch: false,
        act,
    };
    x.contiguous()?.apply_op3(&weight, &bias, op)
}
