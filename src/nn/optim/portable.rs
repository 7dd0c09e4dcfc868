//! The optimisers' formulas put together from candle's operations, for every device.

use candle_core::{Result, Tensor};

use super::Numbers;
use crate::nn::params::Param;

/// One step of a weight; the same formulas, in the same order, as the kernels.
pub(super) fn update(
    numbers: &Numbers,
    param: &Param,
    moments: &mut [Tensor],
    gradient: &Tensor,
    scale: f32,
    limit: f32,
) -> Result<()> {
    let weight = param.var().as_detached_tensor();
    let held = |tensor: Tensor| match param.mask() {
        Some(mask) => mask.where_cond(&tensor, &tensor.zeros_like()?),
        None => Ok(tensor),
    };
    let mut g = (gradient.detach() * f64::from(scale))?;
    if limit.is_finite() {
        g = g.clamp(-limit, limit)?;
    }
    let g = held(g)?;
    let weight = held(weight)?;
    let new = match (numbers, moments) {
        (Numbers::Adam(rule), [m, v]) => {
            let weight = (weight * f64::from(rule.keep))?;
            let g = (g + (&weight * f64::from(rule.decay))?)?;
            *m = (&*m + ((&g - &*m)? * f64::from(rule.forget1))?)?;
            let kept = (&*v * f64::from(rule.beta2))?;
            *v = (kept + ((&g * f64::from(rule.forget2))? * &g)?)?;
            let root = v.sqrt()?;
            let root = ((root * f64::from(rule.root_correction))? + f64::from(rule.epsilon))?;
            (weight - ((&*m / root)? * f64::from(rule.step_size))?)?
        }
        (Numbers::Sgd(rule), moments) => {
            let g = (g + (&weight * f64::from(rule.decay))?)?;
            let direction = if let [velocity] = moments {
                *velocity = ((&*velocity * f64::from(rule.momentum))? + &g)?;
                if rule.nesterov {
                    (g + (&*velocity * f64::from(rule.momentum))?)?
                } else {
                    velocity.clone()
                }
            } else {
                g
            };
            (weight - (direction * f64::from(rule.rate))?)?
        }
        (Numbers::Adam(_), _) => candle_core::bail!("Adam has two moments for each weight"),
    };
    param.var().set(&held(new)?)
}
