//! What the generator is told about a person: the vector's numbers, and its choices as smooth
//! functions of them.
//!
//! A choice is an interval of one number, whose bounds depend on a trait. The network would have to
//! find that out from pictures, and the step at a bound has no gradient for a search. So for each
//! bound the features say, between 0 and 1, how far the number lies above it.

use candle_core::{DType, Device, Result, Tensor};

use crate::error::Error;
use crate::human::Sampler;
use crate::human::sampler::{BROWS, HAIR, IRISES};
use crate::nn::ops::pointwise::{sigmoid, tanh};

/// The share of people within which a bound is crossed.
const SOFTNESS: f64 = 0.015;

/// Which trait moves the bounds of a choice.
#[derive(Clone, Copy, Debug)]
enum By {
    Sex,
    Light,
}

#[derive(Clone, Debug)]
struct Choice {
    /// The number's place in the vector.
    at: usize,
    by: By,
    /// `[2, bounds + 1]`: how often something below a bound is chosen, where the trait is 0 and
    /// where it is 1; the last column is the sum of all.
    below: Tensor,
}

/// Features of vectors.
#[derive(Clone, Debug)]
pub struct Features {
    dims: usize,
    origin: usize,
    sex: usize,
    slope: usize,
    choices: Vec<Choice>,
}

impl Features {
    /// Features of a sampler's vectors.
    ///
    /// # Errors
    /// When the sampler lacks one of the numbers, or the device fails.
    pub fn new(sampler: &Sampler, device: &Device) -> crate::error::Result<Self> {
        let place = |name: &str| {
            let found = sampler.names().iter().position(|n| n == name);
            found.ok_or_else(|| Error::Missing(format!("the kit's people have no {name}")))
        };
        let choice = |name: &str, by, often: &[[f64; 2]]| {
            Ok::<_, Error>(Choice {
                at: place(name)?,
                by,
                below: below(often, device)?,
            })
        };
        let often = |rows: &[(&str, [f64; 2])]| rows.iter().map(|row| row.1).collect::<Vec<_>>();
        Ok(Self {
            dims: sampler.dims(),
            origin: place("origin 1")?,
            sex: place("sex-shape")?,
            slope: place("backdrop's slope")?,
            choices: vec![
                choice("hair style", By::Sex, &often(&HAIR))?,
                choice("hair side", By::Sex, &[[1.0; 2]; 2])?,
                choice("brows", By::Sex, &[[1.0; 2]; BROWS.len()])?,
                choice("iris", By::Light, &often(&IRISES))?,
            ],
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
        let bounds = |choice: &Choice| choice.below.dims()[1] - 1;
        self.dims + 3 + 2 + self.choices.iter().map(bounds).sum::<usize>()
    }

    /// Vectors `[batch, dims]` to features `[batch, count]`, differentiable everywhere.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn forward(&self, z: &Tensor) -> Result<Tensor> {
        // The sampler's own transforms of these traits.
        let raised = (z.narrow(1, self.origin, 3)? * 4.0)?;
        let most = raised.max_keepdim(1)?.detach();
        let parts = raised.broadcast_sub(&most)?.exp()?;
        let origin = parts.broadcast_div(&parts.sum_keepdim(1)?)?;
        let sex = sigmoid(&(z.narrow(1, self.sex, 1)? * 2.6)?)?;
        let light = origin.narrow(1, 2, 1)?;
        let turn = (cdf(&z.narrow(1, self.slope, 1)?)? * std::f64::consts::TAU)?;
        let mut parts = vec![z.clone(), origin, turn.sin()?, turn.cos()?];
        for choice in &self.choices {
            let by = match choice.by {
                By::Sex => &sex,
                By::Light => &light,
            };
            let share = cdf(&z.narrow(1, choice.at, 1)?)?;
            parts.push(choice.above(&share, by)?);
        }
        Tensor::cat(&parts, 1)
    }
}

impl Choice {
    /// For a share and a trait `[batch, 1]` how far the share is above each bound.
    fn above(&self, share: &Tensor, by: &Tensor) -> Result<Tensor> {
        let ends = Tensor::cat(&[by.affine(-1.0, 1.0)?, by.clone()], 1)?;
        let below = ends.matmul(&self.below)?;
        let bounds = below.dims()[1] - 1;
        let bound = below
            .narrow(1, 0, bounds)?
            .broadcast_div(&below.narrow(1, bounds, 1)?)?;
        sigmoid(&(share.broadcast_sub(&bound)? / SOFTNESS)?)
    }
}

fn below(often: &[[f64; 2]], device: &Device) -> crate::error::Result<Tensor> {
    let mut rows = [Vec::new(), Vec::new()];
    for (end, row) in rows.iter_mut().enumerate() {
        let mut sum = 0.0;
        for pair in often {
            sum += pair[end];
            row.push(sum as f32);
        }
    }
    let values = Tensor::from_vec(rows.concat(), (2, often.len()), device)?;
    Ok(values.to_dtype(DType::F32)?)
}

/// The probability of a standard normal number below `z`, exact to 2e-4.
fn cdf(z: &Tensor) -> Result<Tensor> {
    let cubic = (z.sqr()?.affine(0.044_715, 1.0)? * z)?;
    tanh(&(cubic * 0.797_884_56)?)?.affine(0.5, 0.5)
}
