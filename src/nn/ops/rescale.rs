//! Rescaling: of examples to the span from 0 to 1, of channels by factors, of gradients; and sums
//! with an activation, as at the end of a residual block.

use std::sync::OnceLock;

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail,
};

use super::{Activation, gradient, is_fast, numbers, output, portable, tensor, with_numbers};
use crate::nn::cpu::rescale::{self as kernel, Planes};

/// `(x - min) / max(max - min, eps)` with the least and greatest number of each example, for `x`
/// `[batch, …]`: every example spans 0 to 1 (Schrittwieser et al. 2020, appendix G).
///
/// The gradient flows through minimum and maximum too, shared evenly by the numbers that equal
/// them.
///
/// # Errors
/// When there are no numbers in an example.
pub fn min_max_scale(x: &Tensor, eps: f64) -> Result<Tensor> {
    let row = x.dims().iter().skip(1).product();
    if x.rank() < 2 || row == 0 {
        bail!("min_max_scale takes [batch, ..], not {:?}", x.dims());
    }
    if !is_fast(&[x]) {
        return portable::rescale::min_max_scale(x, eps);
    }
    x.contiguous()?.apply_op1(MinMax {
        row,
        eps: eps as f32,
        extremes: OnceLock::new(),
    })
}

struct MinMax {
    row: usize,
    eps: f32,
    /// Of each example the least and the greatest number.
    extremes: OnceLock<Vec<f32>>,
}

impl CustomOp1 for MinMax {
    fn name(&self) -> &'static str {
        "min-max-scale"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (y, extremes) = kernel::min_max(numbers(x, layout)?, self.row, self.eps);
        self.extremes.get_or_init(|| extremes);
        Ok(output(y, layout.shape()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, g: &Tensor) -> Result<Option<Tensor>> {
        let Some(extremes) = self.extremes.get() else {
            bail!("min_max_scale goes backward after it went forward");
        };
        let g = g.contiguous()?;
        let dx = with_numbers(x, |x| {
            with_numbers(y, |y| {
                with_numbers(&g, |g| {
                    kernel::min_max_backward((x, y, g), extremes, self.row, self.eps)
                })
            })
        })???;
        tensor(dx, x.shape()).map(Some)
    }
}

/// `x` itself, whose gradient is multiplied with `factor` on the way back.
///
/// # Errors
/// What candle fails with.
pub fn scale_gradient(x: &Tensor, factor: f64) -> Result<Tensor> {
    if !x.track_op() {
        return Ok(x.clone());
    }
    if !is_fast(&[x]) {
        return portable::rescale::scale_gradient(x, factor);
    }
    x.contiguous()?.apply_op1(ScaleGradient(factor as f32))
}

struct ScaleGradient(f32);

impl CustomOp1 for ScaleGradient {
    fn name(&self) -> &'static str {
        "scale-gradient"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(output(numbers(x, layout)?.to_vec(), layout.shape()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, g: &Tensor) -> Result<Option<Tensor>> {
        let dx = with_numbers(&g.contiguous()?, |g| kernel::scale(g, self.0))?;
        tensor(dx, x.shape()).map(Some)
    }
}

/// `activation(a + b)` for two tensors of one shape.
///
/// # Errors
/// When the shapes differ.
pub fn add_activate(a: &Tensor, b: &Tensor, act: Activation) -> Result<Tensor> {
    if a.dims() != b.dims() {
        bail!("add_activate: a is {:?}, b {:?}", a.dims(), b.dims());
    }
    if !is_fast(&[a, b]) {
        return portable::rescale::add_activate(a, b, act);
    }
    a.contiguous()?
        .apply_op2(&b.contiguous()?, AddActivate(act))
}

struct AddActivate(Activation);

impl CustomOp2 for AddActivate {
    fn name(&self) -> &'static str {
        "add-activate"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let y = kernel::add_activate(numbers(a, a_layout)?, numbers(b, b_layout)?, self.0);
        Ok(output(y, a_layout.shape()))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        y: &Tensor,
        g: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let g = g.contiguous()?;
        let d = with_numbers(a, |a| {
            with_numbers(b, |b| {
                with_numbers(y, |y| {
                    with_numbers(&g, |g| kernel::add_activate_backward((a, b, y), g, self.0))
                })
            })
        })????;
        let d = tensor(d, a.shape())?;
        let to = |argument: &Tensor| argument.track_op().then(|| d.clone());
        Ok((to(a), to(b)))
    }
}

/// `activation(x * factor + term)` with a factor for each channel of each example, `factors`
/// `[batch, channels]`, and a term for each channel, `terms` `[channels]`; `x` is
/// `[batch, channels, height, width]`.
///
/// # Errors
/// When the shapes do not fit together.
pub fn scale_planes(
    x: &Tensor,
    factors: &Tensor,
    terms: Option<&Tensor>,
    act: Activation,
) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let fits = factors.dims() == [batch, channels]
        && terms.is_none_or(|terms| terms.dims() == [channels])
        && x.elem_count() > 0;
    if !fits {
        bail!(
            "scale_planes: x is {:?}, factors {:?}, terms {:?}",
            x.dims(),
            factors.dims(),
            terms.map(Tensor::dims)
        );
    }
    if !is_fast(&[x, factors, terms.unwrap_or(factors)]) {
        return portable::rescale::scale_planes(x, factors, terms, act);
    }
    let op = ScalePlanes {
        area: height * width,
        has_terms: terms.is_some(),
        act,
    };
    let factors = factors.contiguous()?;
    let terms = terms.unwrap_or(&factors).contiguous()?;
    x.contiguous()?.apply_op3(&factors, &terms, op)
}

struct ScalePlanes {
    area: usize,
    has_terms: bool,
    act: Activation,
}

impl ScalePlanes {
    fn planes<'a>(&self, factors: &'a [f32], terms: &'a [f32]) -> Planes<'a> {
        Planes {
            area: self.area,
            factors,
            terms: if self.has_terms { terms } else { &[] },
            act: self.act,
        }
    }
}

impl CustomOp3 for ScalePlanes {
    fn name(&self) -> &'static str {
        "scale-planes"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        factors: &CpuStorage,
        factors_layout: &Layout,
        terms: &CpuStorage,
        terms_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let factors = numbers(factors, factors_layout)?;
        let planes = self.planes(factors, numbers(terms, terms_layout)?);
        let y = planes.forward(numbers(x, x_layout)?);
        Ok(output(y, x_layout.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        factors: &Tensor,
        terms: &Tensor,
        y: &Tensor,
        g: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let g = g.contiguous()?;
        let (dx, d_factors, d_terms) = with_numbers(x, |x| {
            with_numbers(y, |y| {
                with_numbers(&g, |g| {
                    with_numbers(factors, |factors| {
                        with_numbers(terms, |terms| self.planes(factors, terms).backward(x, y, g))
                    })
                })
            })
        })?????;
        let d_terms = if self.has_terms {
            gradient(d_terms, terms)?
        } else {
            None
        };
        Ok((gradient(dx, x)?, gradient(d_factors, factors)?, d_terms))
    }
}

/// What brings the results of a convolution whose inputs were scaled back to variance one: one
/// over the norm of the scaled kernels, `1 / sqrt(sum over i and the kernel of (s_i w_oi)² + eps)`
/// `[batch, outputs]`, for `w` `[outputs, inputs, …]` and scales `s` `[batch, inputs]` (Karras et
/// al. 2020, eq. 3).
///
/// # Errors
/// When the shapes do not fit together.
pub fn demodulation(w: &Tensor, s: &Tensor, eps: f64) -> Result<Tensor> {
    let fits = w.rank() >= 2 && s.rank() == 2 && w.dims()[1] == s.dims()[1] && w.elem_count() > 0;
    if !fits {
        bail!("demodulation: w is {:?}, s {:?}", w.dims(), s.dims());
    }
    if !is_fast(&[w, s]) {
        return portable::rescale::demodulation(w, s, eps);
    }
    let op = Demodulation {
        sizes: (w.dims()[1], w.dims()[2..].iter().product()),
        eps: eps as f32,
        powers: OnceLock::new(),
    };
    w.contiguous()?.apply_op2(&s.contiguous()?, op)
}

struct Demodulation {
    /// Inputs, and numbers of a kernel.
    sizes: (usize, usize),
    eps: f32,
    /// The sum of squares of each kernel.
    powers: OnceLock<Vec<f32>>,
}

impl CustomOp2 for Demodulation {
    fn name(&self) -> &'static str {
        "demodulation"
    }

    fn cpu_fwd(
        &self,
        w: &CpuStorage,
        w_layout: &Layout,
        s: &CpuStorage,
        s_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (w, s) = (numbers(w, w_layout)?, numbers(s, s_layout)?);
        let (inputs, taps) = self.sizes;
        let (norms, powers) = kernel::inverse_norms(w, s, inputs, taps, self.eps);
        self.powers.get_or_init(|| powers);
        Ok(output(norms, (s_layout.dims()[0], w_layout.dims()[0])))
    }

    fn bwd(
        &self,
        w: &Tensor,
        s: &Tensor,
        y: &Tensor,
        g: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let Some(powers) = self.powers.get() else {
            bail!("demodulation goes backward after it went forward");
        };
        let g = g.contiguous()?;
        let (dw, ds) = with_numbers(w, |w| {
            with_numbers(s, |s| {
                with_numbers(y, |y| {
                    with_numbers(&g, |g| {
                        kernel::inverse_norms_backward((w, s), (y, powers), g, self.sizes)
                    })
                })
            })
        })????;
        Ok((gradient(dw, w)?, gradient(ds, s)?))
    }
}
