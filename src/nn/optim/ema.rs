//! A moving average of the weights, which often does better than the weights themselves.

use std::collections::BTreeMap;

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::cpu::optim::move_towards;
use crate::nn::in_place::with_numbers_mut;
use crate::nn::ops::{is_fast, with_numbers};
use crate::nn::params::{Params, Snapshot};

/// The exponential moving average of every trained weight. Buffers are not averaged.
#[derive(Debug)]
pub struct Ema {
    decay: f64,
    averages: BTreeMap<String, Tensor>,
}

impl Ema {
    /// Begins with the weights as they are. `decay` is what is kept in a step, such as 0.999.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(params: &Params, decay: f64) -> Result<Self> {
        let averages = params
            .trained()
            .map(|(name, param)| Ok((name.to_owned(), param.var().as_detached_tensor().copy()?)))
            .collect::<Result<_>>()?;
        Ok(Self { decay, averages })
    }

    /// Moves every average towards its weight: `a += (1 - decay) * (w - a)`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn update(&mut self, params: &Params) -> Result<()> {
        let share = 1.0 - self.decay;
        for (name, average) in &mut self.averages {
            let weight = params.get(name)?.var();
            if is_fast(&[weight]) {
                with_numbers(weight, |values| {
                    with_numbers_mut(average, |average| {
                        move_towards(average, values, share as f32);
                        Ok(())
                    })
                })??;
            } else {
                let weight = weight.as_detached_tensor();
                *average = average.add(&((weight - &*average)? * share)?)?;
            }
        }
        Ok(())
    }

    /// Exchanges the averages and the weights: once to evaluate with the averages, once more to go
    /// on training.
    ///
    /// # Errors
    /// When the device fails.
    pub fn swap(&mut self, params: &Params) -> Result<()> {
        for (name, average) in &mut self.averages {
            let weight = params.get(name)?.var();
            let before = weight.as_detached_tensor().copy()?;
            weight.set(average)?;
            *average = before;
        }
        Ok(())
    }

    /// A copy of the averages, by the weights' names.
    ///
    /// # Errors
    /// When the device fails.
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.averages
            .iter()
            .map(|(name, average)| Ok((name.clone(), average.flatten_all()?.to_vec1()?)))
            .collect()
    }

    /// Takes averages from a snapshot of the same model.
    ///
    /// # Errors
    /// When the names or sizes are not those of this model.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        for (name, average) in &mut self.averages {
            let values = snapshot.get(name).ok_or_else(|| missing(name))?;
            if values.len() != average.elem_count() {
                return Err(missing(name));
            }
            *average = Tensor::from_slice(values, average.shape(), average.device())?;
        }
        Ok(())
    }
}

fn missing(name: &str) -> crate::Error {
    crate::Error::Input(format!("no fitting average of the weight {name}"))
}
