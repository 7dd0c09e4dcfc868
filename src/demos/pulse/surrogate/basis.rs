//! A few hundred pictures whose sums come near every person: the space of the first principal
//! components of a corpus.
//!
//! Found by randomised subspace iteration (Halko, Martinsson and Tropp 2011, algorithm 4.4): random
//! directions, pulled to the strongest components by multiplying with the data and made orthonormal
//! again. The basis spans the components without being ordered by them, which a network that
//! predicts coefficients does not need. Shrinking is linear, so the basis of the shrunk pictures is
//! the shrunk basis.

use std::path::Path;

use candle_core::{Device, Tensor};

use crate::demos::pulse::corpus::{Corpus, NUMBERS, SIDE};
use crate::demos::pulse::pixels::shrink;
use crate::error::Result;
use crate::nn::weights::{self, Precision};
use crate::nn::{Init, Params};
use crate::rng::Rng;

/// Rounds of the iteration; each sharpens the space by the square of the components' ratios.
pub const ROUNDS: usize = 4;

/// The basis: `components` orthonormal rows and the mean that they are added to, numbers in the
/// order of a [`Corpus`], from 0 to 1.
#[derive(Clone, Debug)]
pub struct Basis {
    /// `[k, NUMBERS]`.
    pub components: Tensor,
    /// `[1, NUMBERS]`.
    pub mean: Tensor,
}

/// A basis of shrunk pictures.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// `[k, 4 * side * side]`.
    pub components: Tensor,
    /// `[1, 4 * side * side]`.
    pub mean: Tensor,
}

/// The iteration, one round at a time.
pub struct Fit {
    centred: Tensor,
    mean: Tensor,
    rows: Vec<f32>,
    components: usize,
}

impl Fit {
    /// Begins with random directions.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(corpus: &Corpus, people: usize, components: usize, rng: &Rng) -> Result<Self> {
        let people = people.min(corpus.len());
        let device = Device::Cpu;
        let numbers: Vec<f32> = corpus.pixels[..people * NUMBERS]
            .iter()
            .map(|&value| f32::from(value) / 255.0)
            .collect();
        let all = Tensor::from_vec(numbers, (people, NUMBERS), &device)?;
        let mean = all.mean_keepdim(0)?;
        let mut rng = rng.split("basis");
        let mut rows: Vec<f32> = (0..components * NUMBERS)
            .map(|_| rng.normal() as f32)
            .collect();
        orthonormalise(&mut rows, NUMBERS);
        Ok(Self {
            centred: all.broadcast_sub(&mean)?,
            mean,
            rows,
            components,
        })
    }

    /// One round.
    ///
    /// # Errors
    /// When the device fails.
    pub fn round(&mut self) -> Result<()> {
        let rows = self.components()?;
        let seen = self.centred.matmul(&rows.t()?)?;
        let rows = seen.t()?.matmul(&self.centred)?;
        self.rows = rows.flatten_all()?.to_vec1()?;
        orthonormalise(&mut self.rows, NUMBERS);
        Ok(())
    }

    fn components(&self) -> Result<Tensor> {
        let shape = (self.components, NUMBERS);
        Ok(Tensor::from_vec(self.rows.clone(), shape, &Device::Cpu)?)
    }

    /// What was found.
    ///
    /// # Errors
    /// When the device fails.
    pub fn finish(self) -> Result<Basis> {
        Ok(Basis {
            components: self.components()?,
            mean: self.mean,
        })
    }
}

impl Basis {
    /// Coefficients `[n, k]` of people of a corpus.
    ///
    /// # Errors
    /// When the device fails.
    pub fn coefficients(&self, corpus: &Corpus, people: std::ops::Range<usize>) -> Result<Tensor> {
        let count = people.len();
        let numbers: Vec<f32> = corpus.pixels[people.start * NUMBERS..people.end * NUMBERS]
            .iter()
            .map(|&value| f32::from(value) / 255.0)
            .collect();
        let all = Tensor::from_vec(numbers, (count, NUMBERS), &Device::Cpu)?;
        let centred = all.broadcast_sub(&self.mean)?;
        Ok(centred.matmul(&self.components.t()?)?)
    }

    /// The basis of pictures of `side * side` pixels.
    ///
    /// # Errors
    /// When the device fails.
    pub fn shrunk(&self, side: usize) -> Result<Shrunk> {
        let shrunk = |rows: &Tensor| -> Result<Tensor> {
            let count = rows.dim(0)?;
            let numbers: Vec<f32> = rows.flatten_all()?.to_vec1()?;
            let planes = numbers.chunks_exact(SIDE * SIDE);
            let small: Vec<f32> = planes.flat_map(|plane| shrink(plane, SIDE, side)).collect();
            Ok(Tensor::from_vec(
                small,
                (count, 4 * side * side),
                rows.device(),
            )?)
        };
        Ok(Shrunk {
            components: shrunk(&self.components)?,
            mean: shrunk(&self.mean)?,
        })
    }

    fn params(components: usize, device: &Device) -> Result<Params> {
        let mut params = Params::new(device, &Rng::new(0));
        let mut root = params.root();
        root.buffer("components", &[components, NUMBERS], Init::ZEROS)?;
        root.buffer("mean", &[1, NUMBERS], Init::ZEROS)?;
        Ok(params)
    }

    /// Stores it in half precision.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let params = Self::params(self.components.dim(0)?, &Device::Cpu)?;
        let values = |tensor: &Tensor| -> Result<Vec<f32>> { Ok(tensor.flatten_all()?.to_vec1()?) };
        params.get("components")?.set(&values(&self.components)?)?;
        params.get("mean")?.set(&values(&self.mean)?)?;
        weights::save(&params, path, Precision::Half)
    }

    /// Reads what [`Basis::save`] stored.
    ///
    /// # Errors
    /// When the file is missing, damaged or of another size.
    pub fn load(path: &Path, components: usize, device: &Device) -> Result<Self> {
        let params = Self::params(components, device)?;
        weights::load(&params, path)?;
        Ok(Self {
            components: params.get("components")?.var().as_tensor().detach(),
            mean: params.get("mean")?.var().as_tensor().detach(),
        })
    }
}

/// Makes rows orthonormal one after the other, twice for accuracy (modified Gram-Schmidt).
fn orthonormalise(rows: &mut [f32], width: usize) {
    let count = rows.len() / width;
    for row in 0..count {
        let (before, rest) = rows.split_at_mut(row * width);
        let this = &mut rest[..width];
        for _ in 0..2 {
            for other in before.chunks_exact(width) {
                let along = dot(this, other);
                for (value, direction) in this.iter_mut().zip(other) {
                    *value -= along * direction;
                }
            }
        }
        let length = dot(this, this).sqrt().max(1e-20);
        for value in this {
            *value /= length;
        }
    }
}

/// In several sums side by side, which the compiler turns into wide instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}
