//! How wide the random network has to be: the papers' orders of growth, as functions to draw.
//!
//! **These are orders, not widths.** The theorems hold up to constants. Where a constant was not
//! found in print it is 1 here; so the curves show how fast the demands grow with d, l and ε, and
//! where they cross says nothing. Exact are only [`fewest_paths`], which is a count, and
//! [`published_paths`], which is what a program did. The number of paths that this construction
//! really takes is measured by `error_curve` and predicted by [`super::gap::paths_for`].
//!
//! Sources: Malach et al. 2020 and Pensia et al. 2020 as the abstract of Pensia et al. gives them
//! ("a factor O(d⁴ l²) wider and twice as deep", "a factor O(log(dl)) wider and twice as deep");
//! 1/ε² and log 1/ε for each weight from the first figure of Orseau et al. 2020.

use serde::{Deserialize, Serialize};

/// A target network and how near the pruned one has to come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// Width d: neurons of a layer of the target.
    pub width: f64,
    /// Depth l: layers of the target.
    pub depth: f64,
    /// ε: how far the two networks' outputs may be apart.
    pub epsilon: f64,
    /// δ: the probability with which the random network may turn out not to contain the target.
    pub delta: f64,
}

impl Demand {
    /// Malach et al. 2020: order of the factor of width, d⁴ l² / ε², with constant 1.
    #[must_use]
    pub fn malach_factor(&self) -> f64 {
        self.width.powi(4) * self.depth.powi(2) / self.epsilon.powi(2)
    }

    /// Orseau et al. 2020: order of the neurons for each target weight, log₂(d l / ε), with
    /// constant 1. At least 1.
    #[must_use]
    pub fn orseau_neurons(&self) -> f64 {
        (self.width * self.depth / self.epsilon).log2().max(1.0)
    }

    /// Pensia et al. 2020: order of the factor of width, log₂(d l / min(ε, δ)), with constant 1. At
    /// least 1.
    #[must_use]
    pub fn pensia_factor(&self) -> f64 {
        let least = self.epsilon.min(self.delta);
        (self.width * self.depth / least).log2().max(1.0)
    }

    /// Weights of the target: l matrices of d x d.
    #[must_use]
    pub fn target_weights(&self) -> f64 {
        self.depth * self.width.powi(2)
    }

    /// Weights of a random network twice as deep whose every other layer is wider by `factor`: for
    /// each target layer a matrix of d x (factor d) and one back.
    #[must_use]
    pub fn random_weights(&self, factor: f64) -> f64 {
        2.0 * factor * self.target_weights()
    }
}

/// No n numbers, however chosen, come within ε of *every* target in [-1, 1] with fewer than
/// log₂(1/ε) of them: 2^n sums cover intervals of length 2ε each, and the range has length 2.
#[must_use]
pub fn fewest_paths(epsilon: f64) -> f64 {
    (1.0 / epsilon).log2().max(0.0)
}

/// The n of the published experiment, c · round(log₂(1/ε)) rounded down, as its program computes it.
/// It ran with c = 3 and ε = 0.01, so n = 21.
#[must_use]
pub fn published_paths(c: f64, epsilon: f64) -> usize {
    (c * (1.0 / epsilon).log2().round()) as usize
}

#[cfg(test)]
mod tests {
    use super::{Demand, fewest_paths, published_paths};

    const LENET: Demand = Demand {
        width: 300.0,
        depth: 3.0,
        epsilon: 0.01,
        delta: 0.1,
    };

    #[test]
    fn the_published_experiment_had_21_numbers_for_a_weight() {
        assert_eq!(published_paths(3.0, 0.01), 21);
        // 397,000 weights of 784-500-10, 8.34 million numbers.
        let numbers = 397_000 * published_paths(3.0, 0.01);
        assert!((8_335_000..8_345_000).contains(&numbers), "{numbers}");
    }

    #[test]
    fn the_orders_grow_as_stated() {
        let wider = Demand {
            width: 600.0,
            ..LENET
        };
        let finer = Demand {
            epsilon: 0.005,
            ..LENET
        };
        let ratio = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-12;
        assert!(ratio(wider.malach_factor(), 16.0 * LENET.malach_factor()));
        assert!(ratio(finer.malach_factor(), 4.0 * LENET.malach_factor()));
        // One more path halves the error, or doubles the width.
        assert!((wider.pensia_factor() - LENET.pensia_factor() - 1.0).abs() < 1e-12);
        assert!((finer.orseau_neurons() - LENET.orseau_neurons() - 1.0).abs() < 1e-12);
        assert!((fewest_paths(0.005) - fewest_paths(0.01) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn orders_stay_sensible_for_the_smallest_networks() {
        let tiny = Demand {
            width: 1.0,
            depth: 1.0,
            epsilon: 2.0,
            delta: 2.0,
        };
        assert!((tiny.orseau_neurons() - 1.0).abs() < 1e-12);
        assert!((tiny.pensia_factor() - 1.0).abs() < 1e-12);
        assert!(fewest_paths(2.0).abs() < 1e-12);
        assert!((tiny.random_weights(1.0) - 2.0).abs() < 1e-12);
    }
}
