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

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::super::{OptimizerConfig, Rule, update_fast};
    use super::update;
    use crate::nn::{Init, Params};
    use crate::rng::Rng;

    /// The same weight, updated by the kernels and by candle's operations.
    #[test]
    fn both_ways_agree_for_every_rule_with_and_without_a_mask() {
        let rules = [
            OptimizerConfig::sgd(0.1, 0.0).rule,
            OptimizerConfig::sgd(0.1, 0.9).rule,
            Rule::Sgd {
                momentum: 0.9,
                nesterov: true,
                weight_decay: 0.1,
            },
            Rule::Adam {
                beta1: 0.8,
                beta2: 0.9,
                epsilon: 1e-3,
                weight_decay: 0.1,
            },
            OptimizerConfig::adam_w(0.1, 0.1).rule,
        ];
        for rule in rules {
            for masked in [false, true] {
                let [fast, portable] = [true, false].map(|fast| run(rule, masked, fast));
                for (a, b) in fast.iter().zip(&portable) {
                    assert!((a - b).abs() < 2e-6, "{rule:?}: {a} and {b}");
                }
                assert_eq!(fast.iter().filter(|x| **x == 0.0).count() > 0, masked);
            }
        }
    }

    fn run(rule: Rule, masked: bool, fast: bool) -> Vec<f32> {
        let mut params = Params::new(&Device::Cpu, &Rng::new(1));
        params
            .root()
            .param("w", &[20, 30], Init::Normal { std: 1.0 })
            .expect("a new name");
        let mut rng = Rng::new(2);
        if masked {
            let mask: Vec<u8> = (0..600).map(|_| u8::from(rng.below(2) > 0)).collect();
            params.set_mask("w", Some(&mask)).expect("a mask");
        }
        let param = params.get("w").expect("there");
        let zeros = || param.var().zeros_like().expect("zeros");
        let mut moments: Vec<Tensor> = rule.moments().iter().map(|_| zeros()).collect();
        for t in 1..=10 {
            let gradient: Vec<f32> = (0..600).map(|_| rng.normal() as f32).collect();
            let gradient = Tensor::from_vec(gradient, (20, 30), &Device::Cpu).expect("a tensor");
            let numbers = rule.numbers(0.01, t);
            if fast {
                update_fast(&numbers, param, &moments, &gradient, 0.7, 0.9).expect("updates");
            } else {
                update(&numbers, param, &mut moments, &gradient, 0.7, 0.9).expect("updates");
            }
        }
        param.values().expect("numbers")
    }
}
