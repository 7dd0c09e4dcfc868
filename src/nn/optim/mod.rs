//! Optimisers: gradient descent with momentum, Adam and `AdamW`, with `PyTorch`'s formulas.
//!
//! ```no_run
//! # fn run(params: &vitrine::nn::Params, loss: &candle_core::Tensor) -> vitrine::Result<()> {
//! use vitrine::nn::optim::{Optimizer, OptimizerConfig};
//!
//! let mut optimizer = Optimizer::new(OptimizerConfig::adam(1.2e-3));
//! optimizer.step(params, &loss.backward()?)?;
//! # Ok(()) }
//! ```
//!
//! On the processor a weight, its gradient and its moments are passed through once, in place
//! ([`cpu::optim`](super::cpu::optim)); clipping and the mask go along. On other devices the same
//! formulas are put together from candle's operations (`portable`). The state is named after the
//! weights as `PyTorch` names it, so that a checkpoint can hold it.
//!
//! A weight without a gradient is left out of the step, as in `PyTorch`. The training loop checks
//! in its first step that there is none such, because candle loses gradients without a word.

mod clip;
mod config;
mod ema;
mod portable;
mod schedule;

pub use clip::{Clip, global_norm};
pub use config::{OptimizerConfig, Rule};
pub use ema::Ema;
pub use schedule::{Decay, Schedule};

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

use super::cpu::optim as kernel;
use super::in_place::{share_storage, with_numbers_mut};
use super::ops::{is_fast, with_numbers};
use super::params::{Param, Params};
use crate::error::{Error, Result};

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update {
    /// The learning rate used.
    pub learning_rate: f64,
    /// The norm of all gradients before clipping, where clipping by the norm needed it.
    pub gradient_norm: Option<f64>,
}

/// What an optimiser remembers, as plain data, by the weights' names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OptimizerState {
    /// Steps done, by which the schedule goes.
    pub steps: u64,
    /// What is remembered of each weight.
    pub weights: BTreeMap<String, WeightState>,
}

/// What an optimiser remembers of one weight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WeightState {
    /// Steps this weight had a gradient in.
    pub steps: u64,
    /// The moments, by `PyTorch`'s names.
    pub moments: BTreeMap<String, Vec<f32>>,
}

/// An optimiser and what it remembers of each weight.
#[derive(Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    steps: u64,
    slots: BTreeMap<String, Slot>,
}

#[derive(Debug)]
struct Slot {
    steps: u64,
    moments: Vec<Tensor>,
}

/// A rule's numbers for one step of one weight, in the kernels' form.
enum Numbers {
    Sgd(kernel::Sgd),
    Adam(kernel::Adam),
}

impl Optimizer {
    /// An optimiser that remembers nothing yet.
    #[must_use]
    pub fn new(config: OptimizerConfig) -> Self {
        Self {
            config,
            steps: 0,
            slots: BTreeMap::new(),
        }
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &OptimizerConfig {
        &self.config
    }

    /// Steps done.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The learning rate of the next step.
    #[must_use]
    pub fn learning_rate(&self) -> f64 {
        self.config.learning_rate * self.config.schedule.factor(self.steps)
    }

    /// Updates every trained weight that has a gradient, in the order of their names.
    ///
    /// # Errors
    /// When the norm that clipping asks for is not finite (nothing is changed then), a gradient's
    /// shape is not its weight's, or the device fails.
    pub fn step(&mut self, params: &Params, gradients: &GradStore) -> Result<Update> {
        let present: Vec<(&str, &Param, &Tensor)> = params
            .trained()
            .filter_map(|(name, param)| Some((name, param, gradients.get(param.var())?)))
            .collect();
        let gradient_norm = match self.config.clip {
            Clip::Norm(_) => {
                let gradients = present.iter().map(|(_, param, g)| (*g, param.mask()));
                Some(global_norm(gradients)?)
            }
            _ => None,
        };
        if gradient_norm.is_some_and(|norm| !norm.is_finite()) {
            return Err(Error::Input(format!(
                "the gradients became NaN or infinite at step {}: try a smaller learning rate",
                self.steps + 1
            )));
        }
        let (scale, limit) = self.config.clip.factors(gradient_norm);
        let learning_rate = self.learning_rate();
        for (name, param, gradient) in present {
            if gradient.dims() != param.shape() {
                return Err(Error::Input(format!(
                    "the gradient has shape {:?}, the weight {:?}: {name}",
                    gradient.dims(),
                    param.shape()
                )));
            }
            let rule = self.config.rule;
            let slot = slot(&mut self.slots, rule, name, param)?;
            slot.steps += 1;
            let numbers = rule.numbers(learning_rate, slot.steps);
            if is_fast(&[param.var(), gradient]) {
                update_fast(&numbers, param, &slot.moments, gradient, scale, limit)?;
            } else {
                portable::update(&numbers, param, &mut slot.moments, gradient, scale, limit)?;
            }
        }
        self.steps += 1;
        Ok(Update {
            learning_rate,
            gradient_norm,
        })
    }

    /// A copy of what it remembers.
    ///
    /// # Errors
    /// When the device fails.
    pub fn state(&self) -> Result<OptimizerState> {
        let names = self.config.rule.moments();
        let one = |slot: &Slot| -> Result<WeightState> {
            let moments = names
                .iter()
                .zip(&slot.moments)
                .map(|(name, moment)| {
                    Ok(((*name).to_owned(), moment.flatten_all()?.to_vec1::<f32>()?))
                })
                .collect::<Result<_>>()?;
            Ok(WeightState {
                steps: slot.steps,
                moments,
            })
        };
        let weights = self
            .slots
            .iter()
            .map(|(name, slot)| Ok((name.clone(), one(slot)?)))
            .collect::<Result<_>>()?;
        Ok(OptimizerState {
            steps: self.steps,
            weights,
        })
    }

    /// Goes on from a state of the same rule and model.
    ///
    /// # Errors
    /// When a weight or a moment is not of this model or rule. Nothing is changed then.
    pub fn restore(&mut self, state: &OptimizerState, params: &Params) -> Result<()> {
        let names = self.config.rule.moments();
        let mut slots = BTreeMap::new();
        for (name, weight) in &state.weights {
            let param = params.get(name)?;
            let misfit = || Error::Input(format!("the moments do not fit the weight {name}"));
            if weight.moments.len() != names.len() {
                return Err(misfit());
            }
            let tensor = |moment: &&str| -> Result<Tensor> {
                let values = weight.moments.get(*moment).ok_or_else(misfit)?;
                if values.len() != param.var().elem_count() {
                    return Err(misfit());
                }
                let device = param.var().device();
                Ok(Tensor::from_slice(values, param.shape(), device)?)
            };
            let slot = Slot {
                steps: weight.steps,
                moments: names.iter().map(tensor).collect::<Result<_>>()?,
            };
            slots.insert(name.clone(), slot);
        }
        self.steps = state.steps;
        self.slots = slots;
        Ok(())
    }
}

impl Rule {
    /// The numbers of a weight's step `t`, which counts from 1.
    fn numbers(self, learning_rate: f64, t: u64) -> Numbers {
        match self {
            Self::Sgd {
                momentum,
                nesterov,
                weight_decay,
            } => Numbers::Sgd(kernel::Sgd {
                rate: learning_rate as f32,
                momentum: momentum as f32,
                nesterov,
                decay: weight_decay as f32,
            }),
            Self::Adam {
                beta1,
                beta2,
                epsilon,
                weight_decay,
            }
            | Self::AdamW {
                beta1,
                beta2,
                epsilon,
                weight_decay,
            } => {
                let t = t as f64;
                let beside = matches!(self, Self::AdamW { .. });
                let (added, kept) = if beside {
                    (0.0, 1.0 - learning_rate * weight_decay)
                } else {
                    (weight_decay, 1.0)
                };
                Numbers::Adam(kernel::Adam {
                    step_size: (learning_rate / (1.0 - beta1.powf(t))) as f32,
                    root_correction: (1.0 / (1.0 - beta2.powf(t)).sqrt()) as f32,
                    forget1: (1.0 - beta1) as f32,
                    beta2: beta2 as f32,
                    forget2: (1.0 - beta2) as f32,
                    epsilon: epsilon as f32,
                    decay: added as f32,
                    keep: kept as f32,
                })
            }
        }
    }
}

/// What is remembered of a weight; zeros before its first step.
fn slot<'a>(
    slots: &'a mut BTreeMap<String, Slot>,
    rule: Rule,
    name: &str,
    param: &Param,
) -> Result<&'a mut Slot> {
    if !slots.contains_key(name) {
        let zeros = |_: &&str| Tensor::zeros(param.shape(), DType::F32, param.var().device());
        let moments = rule.moments().iter().map(zeros).collect::<Result<_, _>>()?;
        slots.insert(name.to_owned(), Slot { steps: 0, moments });
    }
    slots
        .get_mut(name)
        .ok_or_else(|| Error::Input(format!("no state of the weight {name}")))
}

/// One pass over the weight in the processor's memory, in place.
fn update_fast(
    numbers: &Numbers,
    param: &Param,
    moments: &[Tensor],
    gradient: &Tensor,
    scale: f32,
    limit: f32,
) -> Result<()> {
    let weight = param.var().as_tensor();
    let gradient = gradient.contiguous()?;
    // A gradient may be a tensor of the model itself, which would be locked twice.
    let gradient = if share_storage(&gradient, weight) {
        gradient.copy()?
    } else {
        gradient
    };
    let run =
        |weight: &mut [f32], values: &[f32], mask: Option<&[u8]>| -> candle_core::Result<()> {
            let gradient = kernel::Gradient {
                values,
                scale,
                limit,
                mask,
            };
            match (numbers, moments) {
                (Numbers::Adam(rule), [m, v]) => with_numbers_mut(m, |m| {
                    with_numbers_mut(v, |v| {
                        rule.step(weight, m, v, gradient);
                        Ok(())
                    })
                }),
                (Numbers::Sgd(rule), [velocity]) => with_numbers_mut(velocity, |velocity| {
                    rule.step(weight, Some(velocity), gradient);
                    Ok(())
                }),
                (Numbers::Sgd(rule), _) => {
                    rule.step(weight, None, gradient);
                    Ok(())
                }
                (Numbers::Adam(_), _) => candle_core::bail!("Adam has two moments for each weight"),
            }
        };
    clip::with_mask(param.mask(), |mask| {
        with_numbers(&gradient, |values| {
            with_numbers_mut(weight, |weight| run(weight, values, mask))
        })
    })???;
    Ok(())
}
