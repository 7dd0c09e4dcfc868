//! The principal pictures of a corpus: its mean, and the directions in which its pictures differ
//! most.
//!
//! They are the first eigenvectors of the covariance between pixels, found by orthogonal iteration
//! (Golub and Van Loan, section 8.2.4): a set of vectors is multiplied with the matrix and made
//! orthonormal again, over and over.

use candle_core::{Device, Tensor};

use crate::error::{Error, Result};
use crate::nn::ops::{Activation, linear};
use crate::rng::Rng;

/// Multiplications. Directions that have not turned all the way by then are of nearly one size and
/// serve as well in any order.
const ROUNDS: usize = 15;
/// Vectors beyond those that are wanted, which let the last of them settle.
const SPARE: usize = 16;

/// A mean and principal pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Basis {
    /// The mean of the corpus.
    pub mean: Vec<f32>,
    /// One row after another, each of the length that it has as deviation in the corpus, so that
    /// coefficients have deviation one.
    pub pictures: Vec<f32>,
    /// The share of the corpus' variance that they hold.
    pub explained: f64,
}

impl Basis {
    /// How many principal pictures.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pictures.len() / self.mean.len().max(1)
    }

    /// The `count` principal pictures of `[examples, values]` on the processor.
    ///
    /// # Errors
    /// When there are fewer examples or values than that.
    pub fn of(examples: &Tensor, count: usize, rng: &Rng) -> Result<Self> {
        let (rows, values) = examples.dims2()?;
        if rows <= count || values < count || count == 0 {
            return Err(Error::Input(format!(
                "{count} principal pictures need more than {rows} people of {values} numbers"
            )));
        }
        let mean = examples.mean(0)?;
        let centred = examples.broadcast_sub(&mean)?.t()?.contiguous()?;
        let covariance = (linear(&centred, &centred, None, Activation::None)? / rows as f64)?;
        let total: f64 = diagonal(&covariance)?.iter().map(|&v| f64::from(v)).sum();

        let width = (count + SPARE).min(values);
        let mut rng = rng.split("principal pictures");
        let mut vectors: Vec<f32> = (0..width * values).map(|_| rng.normal() as f32).collect();
        let mut lengths = vec![0.0; width];
        for _ in 0..=ROUNDS {
            orthonormalise(&mut vectors, values);
            let now = Tensor::from_slice(&vectors, (width, values), &Device::Cpu)?;
            let turned = linear(&now, &covariance, None, Activation::None)?;
            let turned: Vec<f32> = turned.flatten_all()?.to_vec1()?;
            for (at, length) in lengths.iter_mut().enumerate() {
                let row = at * values..(at + 1) * values;
                *length = dot(&vectors[row.clone()], &turned[row]).max(0.0);
            }
            vectors = turned;
        }
        orthonormalise(&mut vectors, values);
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by(|&a, &b| lengths[b].total_cmp(&lengths[a]));
        order.truncate(count);
        let pictures = order.iter().flat_map(|&at| {
            let deviation = lengths[at].sqrt();
            vectors[at * values..(at + 1) * values]
                .iter()
                .map(move |value| value * deviation)
        });
        let held: f64 = order.iter().map(|&at| f64::from(lengths[at])).sum();
        Ok(Self {
            mean: mean.to_vec1()?,
            pictures: pictures.collect(),
            explained: held / total.max(f64::MIN_POSITIVE),
        })
    }
}

fn diagonal(matrix: &Tensor) -> Result<Vec<f32>> {
    let (rows, columns) = matrix.dims2()?;
    let all: Vec<f32> = matrix.flatten_all()?.to_vec1()?;
    Ok((0..rows).map(|at| all[at * columns + at]).collect())
}

/// Gram and Schmidt's rows of length one, each cleared twice of those before it, which single
/// precision needs.
fn orthonormalise(rows: &mut [f32], width: usize) {
    for at in 0..rows.len() / width {
        let (before, rest) = rows.split_at_mut(at * width);
        for _ in 0..2 {
            let row = &mut rest[..width];
            for other in before.chunks_exact(width) {
                let share = dot(row, other);
                for (value, other) in row.iter_mut().zip(other) {
                    *value -= share * other;
                }
            }
            let length = dot(row, row).sqrt().max(f32::MIN_POSITIVE);
            for value in row {
                *value /= length;
            }
        }
    }
}

/// Sixteen sums side by side, so that they fill vector registers.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    for (a, b) in a.chunks(16).zip(b.chunks(16)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::{Basis, dot};
    use crate::rng::Rng;

    /// Pictures of 40 numbers: three known directions of deviation 4, 2 and 1 around a mean, and
    /// almost nothing else.
    #[test]
    fn known_directions_are_found_with_their_sizes() {
        let (rows, values) = (4000, 40);
        let mut rng = Rng::new(8);
        let direction = |k: usize| -> Vec<f32> {
            let wave = |i: usize| (std::f64::consts::TAU * (k + 1) as f64 * i as f64 / 40.0).cos();
            let raw: Vec<f32> = (0..values).map(|i| wave(i) as f32).collect();
            let length = dot(&raw, &raw).sqrt();
            raw.into_iter().map(|v| v / length).collect()
        };
        let directions: Vec<_> = (0..3).map(direction).collect();
        let mut all = Vec::new();
        for _ in 0..rows {
            let shares = [4.0, 2.0, 1.0].map(|size: f64| (size * rng.normal()) as f32);
            for i in 0..values {
                let sum: f32 = directions.iter().zip(shares).map(|(d, s)| d[i] * s).sum();
                all.push(0.5 + sum + 0.01 * rng.normal() as f32);
            }
        }
        let examples = Tensor::from_vec(all, (rows, values), &Device::Cpu).expect("fits");
        let basis = Basis::of(&examples, 3, &Rng::new(1)).expect("a basis");
        assert_eq!(basis.count(), 3);
        assert!(basis.mean.iter().all(|m| (m - 0.5).abs() < 0.1));
        for (k, size) in [4.0_f32, 2.0, 1.0].into_iter().enumerate() {
            let found = &basis.pictures[k * values..(k + 1) * values];
            let along = dot(found, &directions[k]).abs();
            // Four standard errors of a deviation from 4,000 draws.
            assert!((along / size - 1.0).abs() < 0.045, "{k}: {along}");
            assert!((dot(found, found).sqrt() / along - 1.0).abs() < 0.01, "{k}");
        }
        assert!(basis.explained > 0.999, "{}", basis.explained);
    }

    #[test]
    fn too_few_examples_are_an_error() {
        let few = Tensor::ones((3, 40), candle_core::DType::F32, &Device::Cpu).expect("fits");
        assert!(Basis::of(&few, 3, &Rng::new(1)).is_err());
    }
}
