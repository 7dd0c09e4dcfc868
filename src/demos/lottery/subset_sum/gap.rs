//! How near the nearest subset sum should be: the line beside the measured errors.
//!
//! Take n coefficients, independent, symmetric about 0, with mean square q. In a random subset each
//! is there with probability 1/2. Given the coefficients, its sum has mean m = Σc/2 and variance
//! σ² = Σc²/4, about n q / 4; for many coefficients it is normal, so near a target t the 2^n sums
//! lie with density
//!
//! ```text
//! 2^n ρ,    ρ = φ((t - m) / σ) / σ,    φ the standard normal density.
//! ```
//!
//! Seen from the target, the sums near it lie as independent points would (a Poisson process; for
//! number partitioning this is known as the local random-energy picture). None is nearer than e
//! with probability exp(-2 · 2^n ρ e). The mean m differs from draw to draw, and is itself normal
//! with variance n q / 4 = σ². Averaged over it and over targets uniform in [-h, h]:
//!
//! ```text
//! P(error > e) = E exp(-2 · 2^n ρ e),    median ~ ln 2 / (2 · 2^n ρ) for a typical ρ.
//! ```
//!
//! So each coefficient more halves the error, but for the slow growth of σ with √n. The picture
//! needs many sums near the target: it fits medians and quartiles from n = 8 on, and says nothing
//! about targets that are out of reach, so nothing about the largest errors.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::rng::Rng;

/// How coefficients are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Law {
    /// Uniform in [-1, 1): as in the published experiment.
    Uniform,
    /// a b with a uniform in [0, 1) and b uniform in [-1, 1): a path of a random network.
    Path,
}

impl Law {
    /// The mean of the square of a coefficient, q.
    #[must_use]
    pub fn mean_square(self) -> f64 {
        match self {
            Self::Uniform => 1.0 / 3.0,
            Self::Path => 1.0 / 9.0,
        }
    }

    /// One coefficient.
    pub fn draw(self, rng: &mut Rng) -> f64 {
        let symmetric = 2.0 * rng.uniform() - 1.0;
        match self {
            Self::Uniform => symmetric,
            Self::Path => symmetric * rng.uniform(),
        }
    }
}

/// Points of the grid over the standard normal m / σ, from -`NORMAL_END` to `NORMAL_END`.
const NORMAL_POINTS: usize = 81;
const NORMAL_END: f64 = 5.0;
/// Midpoints of the grid over targets.
const TARGET_POINTS: usize = 9;

/// The error that the nearest of all subset sums of `n` coefficients stays below with probability
/// `p`; targets are uniform in [-`half_width`, `half_width`].
///
/// `p` is moved into [0, 0.999].
#[must_use]
pub fn quantile(n: usize, law: Law, half_width: f64, p: f64) -> f64 {
    let densities = weighted_densities(n, law, half_width);
    let survival = 1.0 - p.clamp(0.0, 0.999);
    let sums = (n as f64).exp2();
    let exceeds = |error: f64| -> f64 {
        let terms = densities.iter();
        terms
            .map(|(weight, density)| weight * (-2.0 * sums * density * error).exp())
            .sum()
    };
    // In the logarithm of the error, which spans many magnitudes.
    let (mut low, mut high) = (-60.0, 5.0);
    for _ in 0..48 {
        let middle = f64::midpoint(low, high);
        if exceeds(f64::exp(middle)) > survival {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high).exp()
}

/// Pairs of a probability and a density ρ, over the grids of m and t.
fn weighted_densities(n: usize, law: Law, half_width: f64) -> Vec<(f64, f64)> {
    let sigma = (n as f64 * law.mean_square() / 4.0).sqrt();
    let normal = |z: f64| (-z * z / 2.0).exp() / TAU.sqrt();
    let mut pairs = Vec::with_capacity(NORMAL_POINTS * TARGET_POINTS);
    let mut total = 0.0;
    for i in 0..NORMAL_POINTS {
        let m = NORMAL_END * (2.0 * i as f64 / (NORMAL_POINTS - 1) as f64 - 1.0);
        for j in 0..TARGET_POINTS {
            let t = half_width * ((2 * j + 1) as f64 / TARGET_POINTS as f64 - 1.0);
            pairs.push((normal(m), normal(t / sigma - m) / sigma));
            total += normal(m);
        }
    }
    for (weight, _) in &mut pairs {
        *weight /= total;
    }
    pairs
}

/// The fewest coefficients whose error stays below `epsilon` with probability `p`; `None` where 60
/// are not enough.
#[must_use]
pub fn paths_for(epsilon: f64, law: Law, half_width: f64, p: f64) -> Option<usize> {
    (1..=60).find(|&n| quantile(n, law, half_width, p) <= epsilon)
}

#[cfg(test)]
mod tests {
    use super::{Law, paths_for, quantile};
    use crate::rng::Rng;

    #[test]
    fn coefficients_have_the_stated_mean_square() {
        for law in [Law::Uniform, Law::Path] {
            let mut rng = Rng::new(1);
            let draws = 100_000;
            let sum: f64 = (0..draws).map(|_| law.draw(&mut rng).powi(2)).sum();
            let ratio = sum / f64::from(draws) / law.mean_square();
            assert!((ratio - 1.0).abs() < 0.02, "{law:?}: {ratio}");
        }
    }

    #[test]
    fn the_quantiles_are_those_of_an_exponential_where_the_density_is_one_number() {
        // With very many coefficients all that is left of t is nothing, and of m a factor: with
        // z normal, P(error > e) = E exp(-s exp(-z²/2)). For small s this is 1 - s / √2.
        let n: usize = 40;
        let sigma = (n as f64 / 12.0).sqrt();
        let s = 0.01;
        let error = s * sigma * std::f64::consts::TAU.sqrt() / 2.0 / 2f64.powi(40);
        let p = s / 2f64.sqrt();
        let ratio = quantile(n, Law::Uniform, 0.0, p) / error;
        assert!((ratio - 1.0).abs() < 0.01, "{ratio}");
    }

    #[test]
    fn each_coefficient_more_halves_the_error() {
        for n in 8..40 {
            let ratio = quantile(n, Law::Path, 0.5, 0.5) / quantile(n + 1, Law::Path, 0.5, 0.5);
            assert!((1.8..2.1).contains(&ratio), "{n}: {ratio}");
        }
    }

    #[test]
    fn the_fewest_paths_meet_the_demand_and_one_fewer_does_not() {
        let n = paths_for(1e-4, Law::Uniform, 0.5, 0.9).expect("14 or so are enough");
        assert!(quantile(n, Law::Uniform, 0.5, 0.9) <= 1e-4);
        assert!(quantile(n - 1, Law::Uniform, 0.5, 0.9) > 1e-4);
        assert_eq!(paths_for(1e-30, Law::Uniform, 0.5, 0.9), None);
    }
}
