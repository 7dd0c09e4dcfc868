//! Layer, root mean square and group norm.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::{Activation, gradient, is_fast, numbers, output, portable, with_numbers};
use crate::nn::cpu::norm::{
    Groups, NormGrads, RowNorm, group_backward, group_forward, row_backward, row_forward,
};

/// The gradients of the three arguments of a norm.
pub(super) type Gradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

pub(super) fn gradients(found: NormGrads, args: [&Tensor; 3]) -> Result<Gradients> {
    Ok((
        gradient(found.x, args[0])?,
        gradient(found.weight, args[1])?,
        gradient(found.bias, args[2])?,
    ))
}

/// Factors and terms, contiguous; ones and zeros where there are none.
pub(super) fn factors_and_terms(
    affine: Option<(&Tensor, &Tensor)>,
    shape: &[usize],
    x: &Tensor,
) -> Result<(Tensor, Tensor)> {
    let Some((weight, bias)) = affine else {
        let ones = Tensor::ones(shape, x.dtype(), x.device())?;
        return Ok((ones.clone(), ones.zeros_like()?));
    };
    if weight.dims() != shape || bias.dims() != shape {
        bail!(
            "a norm of {:?} takes factors and terms of shape {shape:?}, not {:?} and {:?}",
            x.dims(),
            weight.dims(),
            bias.dims()
        );
    }
    Ok((weight.contiguous()?, bias.contiguous()?))
}

struct RowOp {
    norm: RowNorm,
    kept: OnceLock<Vec<f32>>,
}

impl CustomOp3 for RowOp {
    fn name(&self) -> &'static str {
        "row-norm"
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
        let x = numbers(x, x_layout)?;
        let weight = numbers(weight, weight_layout)?;
        let (y, kept) = row_forward(x, weight, numbers(bias, bias_layout)?, self.norm);
        self.kept.get_or_init(|| kept);
        Ok(output(y, x_layout.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<Gradients> {
        let grad = grad.contiguous()?;
        let kept = kept(&self.kept)?;
        let found = with_numbers(x, |x| {
            with_numbers(weight, |weight| {
                with_numbers(&grad, |grad| row_backward(x, grad, weight, kept, self.norm))
            })
        })???;
        gradients(found, [x, weight, bias])
    }
}

fn kept(kept: &OnceLock<Vec<f32>>) -> Result<&[f32]> {
    match kept.get() {
        Some(kept) => Ok(kept),
        None => bail!("a norm goes backward after it went forward"),
    }
}

fn row_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64, centred: bool) -> Result<Tensor> {
    let norm = RowNorm {
        row: weight.elem_count(),
        eps: eps as f32,
        centred,
    };
    let op = RowOp {
        norm,
        kept: OnceLock::new(),
    };
    x.contiguous()?.apply_op3(weight, bias, op)
}

fn check_row(x: &Tensor, dims: usize) -> Result<&[usize]> {
    let all = x.dims();
    if dims == 0 || dims > all.len() || x.elem_count() == 0 {
        bail!("a norm over the last {dims} dimensions cannot take a tensor of shape {all:?}");
    }
    Ok(&all[all.len() - dims..])
}

/// Layer norm (Ba et al. 2016) over the last `dims` dimensions: mean zero and variance one, then
/// the factors and terms of `affine`, which have the shape of those dimensions.
///
/// # Errors
/// When the shapes do not fit.
pub fn layer_norm(
    x: &Tensor,
    dims: usize,
    affine: Option<(&Tensor, &Tensor)>,
    eps: f64,
) -> Result<Tensor> {
    let shape = check_row(x, dims)?;
    let (weight, bias) = factors_and_terms(affine, shape, x)?;
    if is_fast(&[x, &weight, &bias]) {
        row_norm(x, &weight, &bias, eps, true)
    } else {
        portable::layer_norm(x, dims, Some((&weight, &bias)), eps)
    }
}

/// Root mean square norm (Zhang and Sennrich 2019) over the last dimensions, those of `weight`:
/// mean square one, then the factors.
///
/// # Errors
/// When the shapes do not fit.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let shape = check_row(x, weight.rank())?;
    let zeros = weight.zeros_like()?.detach();
    let (weight, bias) = factors_and_terms(Some((weight, &zeros)), shape, x)?;
    if is_fast(&[x, &weight]) {
        row_norm(x, &weight, &bias, eps, false)
    } else {
        portable::rms_norm(x, &weight, eps)
    }
}

struct GroupOp {
    cut: Groups,
    kept: OnceLock<Vec<f32>>,
}

impl CustomOp3 for GroupOp {
    fn name(&self) -> &'static str {
        "group-norm"
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
        let x = numbers(x, x_layout)?;
        let weight = numbers(weight, weight_layout)?;
        let (y, kept) = group_forward(x, weight, numbers(bias, bias_layout)?, self.cut);
        self.kept.get_or_init(|| kept);
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
        let kept = kept(&self.kept)?;
        let found = with_numbers(x, |x| {
            with_numbers(y, |y| {
                with_numbers(&grad, |grad| {
                    with_numbers(weight, |weight| {
                        with_numbers(bias, |bias| {
                            group_backward((x, y, grad), (weight, bias), kept, self.cut)
                        })
                    })
                })
            })
        })?????;
        gradients(found, [x, weight, bias])
    }
}

/// Group norm (Wu and He 2018) of `[batch, channels, ..]`: the channels in `groups` groups, each
/// with mean zero and variance one in every example, then a factor and a term for each channel,
/// `[channels]`, then an activation.
///
/// # Errors
/// When the shapes do not fit.
pub fn group_norm(
    x: &Tensor,
    groups: usize,
    affine: Option<(&Tensor, &Tensor)>,
    eps: f64,
    act: Activation,
) -> Result<Tensor> {
    let dims = x.dims();
    if dims.len() < 2 || x.elem_count() == 0 || groups == 0 || !dims[1].is_multiple_of(groups) {
        bail!("a norm of {groups} groups cannot take a tensor of shape {dims:?}");
    }
    let (weight, bias) = factors_and_terms(affine, &dims[1..2], x)?;
    if !is_fast(&[x, &weight, &bias]) {
        return portable::group_norm(x, groups, Some((&weight, &bias)), eps, act);
    }
    let cut = Groups {
        groups,
        channels: dims[1] / groups,
        area: dims[2..].iter().product(),
        eps: eps as f32,
        act,
    };
    let op = GroupOp {
        cut,
        kept: OnceLock::new(),
    };
    x.contiguous()?.apply_op3(&weight, &bias, op)
}
