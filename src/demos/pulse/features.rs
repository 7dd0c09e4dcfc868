//! What networks see of a vector: a differentiable function of it.
//!
//! The numbers themselves, the shares that the sampler makes of the three numbers of origin, and
//! for each choice (hair, brows, irises) how much the vector belongs to each option: 1 within the
//! option's interval, with soft ends. Numbers that do not show in a head are left out, and so are
//! those of the backdrop, which is computed ([`super::backdrop`]).

use std::f64::consts::SQRT_2;

use candle_core::{D, Device, Result as TensorResult, Tensor};

use super::prior::origins;
use crate::error::Result;
use crate::human::Sampler;
use crate::human::sampler::{Mix, ORIGIN_STEEPNESS, SEX_STEEPNESS};
use crate::nn::ops::{pointwise, softmax};

/// Numbers whose names begin so do not show in a head, or are computed.
const LEFT_OUT: [&str; 4] = ["bottom", "skirt", "lashes", "backdrop"];

/// What is made of choices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choices {
    /// How wide the ends of their intervals are, in probability. A search crosses wide ends, but
    /// what lies there is seen as a mixture that nobody has, and options that few people take are
    /// never seen whole.
    pub ends: f64,
    /// Whether their numbers are seen besides, which tell how near the next option is.
    pub numbers: bool,
}

/// The function.
#[derive(Clone, Debug)]
pub struct Features {
    /// Places of the numbers that are taken as they are.
    kept: Tensor,
    origins: Tensor,
    sex: usize,
    choices: Vec<Soft>,
    ends: f64,
    count: usize,
    dims: usize,
}

/// A choice as tensors.
#[derive(Clone, Debug)]
struct Soft {
    at: usize,
    by: Mix,
    /// Where options end, all but the last, before dividing by the sum: `[options - 1]` where the
    /// mix is 0, and what is added to them where it is 1.
    ends: [Tensor; 2],
    sums: [f64; 2],
}

impl Features {
    /// The function for a sampler's vectors.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(sampler: &Sampler, seen: Choices, device: &Device) -> Result<Self> {
        let chooses = |place: usize| sampler.choices().iter().any(|choice| choice.at == place);
        let kept: Vec<u32> = sampler
            .names()
            .iter()
            .enumerate()
            .filter(|(_, name)| !LEFT_OUT.iter().any(|left| name.starts_with(left)))
            .filter(|(place, _)| seen.numbers || !chooses(*place))
            .map(|(place, _)| place as u32)
            .collect();
        let choices: Vec<Soft> = sampler
            .choices()
            .into_iter()
            .map(|choice| {
                let ends = |mix: usize| -> Vec<f32> {
                    let mut sum = 0.0;
                    let all = choice.often.iter().map(|often| {
                        sum += often[mix];
                        sum as f32
                    });
                    all.take(choice.often.len() - 1).collect()
                };
                let sums = [0, 1].map(|mix| choice.often.iter().map(|o| o[mix]).sum());
                let [from, to] = [ends(0), ends(1)];
                let more: Vec<f32> = to.iter().zip(&from).map(|(to, from)| to - from).collect();
                Ok(Soft {
                    at: choice.at,
                    by: choice.by,
                    ends: [
                        Tensor::new(from, device)?.unsqueeze(0)?,
                        Tensor::new(more, device)?.unsqueeze(0)?,
                    ],
                    sums,
                })
            })
            .collect::<TensorResult<_>>()?;
        let options: usize = sampler.choices().iter().map(|c| c.often.len()).sum();
        Ok(Self {
            count: kept.len() + 3 + options,
            dims: sampler.dims(),
            ends: seen.ends,
            kept: Tensor::new(kept, device)?,
            origins: Tensor::new(
                origins(sampler).map(|place| place as u32).as_slice(),
                device,
            )?,
            sex: sampler.place("sex-shape").unwrap_or(3),
            choices,
        })
    }

    /// How many numbers a vector has.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// How many features it becomes.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Vectors `[n, dims]` to features `[n, count]`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn of(&self, z: &Tensor) -> TensorResult<Tensor> {
        let raw = z.index_select(&self.kept, 1)?;
        let origin = (z.index_select(&self.origins, 1)? * ORIGIN_STEEPNESS)?;
        let origin = softmax::softmax(&origin)?;
        let sex = pointwise::sigmoid(&(z.narrow(1, self.sex, 1)? * SEX_STEEPNESS)?)?;
        let mut all = vec![raw, origin.clone()];
        for choice in &self.choices {
            let mix = match choice.by {
                Mix::Nothing => None,
                Mix::Sex => Some(sex.clone()),
                Mix::ThirdOrigin => Some(origin.narrow(1, 2, 1)?),
            };
            let z = z.narrow(1, choice.at, 1)?;
            all.push(choice.memberships(&z, mix.as_ref(), self.ends)?);
        }
        Tensor::cat(&all, D::Minus1)
    }
}

impl Soft {
    /// How much numbers `[n, 1]` belong to each option `[n, options]`; 1 together.
    fn memberships(&self, z: &Tensor, mix: Option<&Tensor>, soft: f64) -> TensorResult<Tensor> {
        let share = cdf(z)?;
        let [from, more] = &self.ends;
        let ends = match mix {
            None => (from / self.sums[0])?,
            Some(mix) => {
                let ends = mix.broadcast_mul(more)?.broadcast_add(from)?;
                let sum = mix.affine(self.sums[1] - self.sums[0], self.sums[0])?;
                ends.broadcast_div(&sum)?
            }
        };
        // Above each end: from 1 for the first option's beginning down to 0 for the last one's end.
        let above = share.broadcast_sub(&ends)?;
        let above = pointwise::sigmoid(&(above / soft)?)?;
        let ones = Tensor::ones_like(z)?;
        let begins = Tensor::cat(&[&ones, &above], 1)?;
        let ends = Tensor::cat(&[&above, &(ones * 0.0)?], 1)?;
        begins - ends
    }
}

/// The standard normal distribution function.
pub(super) fn cdf(z: &Tensor) -> TensorResult<Tensor> {
    (z * (1.0 / SQRT_2))?.erf()?.affine(0.5, 0.5)
}
