//! Pruning a trained network out of a random one, a few milliseconds at a time.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::layer::Layer;
use super::network::PrunedLayer;
use super::solver;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// A pruned random network in the making: layers with a `ReLU` between them, none behind the last.
#[derive(Clone, Debug)]
pub struct Construction {
    targets: Vec<Layer>,
    layers: Vec<PrunedLayer>,
    paths: usize,
    tolerance: f64,
    wall_secs: f64,
}

/// How many parameters of the target have their subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Parameters searched for.
    pub done: usize,
    /// Parameters of the target.
    pub total: usize,
}

impl Progress {
    /// Whether every parameter has its subset.
    #[must_use]
    pub fn finished(self) -> bool {
        self.done == self.total
    }
}

impl Construction {
    /// Random layers for each layer of a target, with `paths` (n) usable paths for each weight.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] where there is no layer, one does not fit the next, or `paths` is not within
    /// 1 to [`solver::MAX_COEFFICIENTS`].
    pub fn new(targets: Vec<Layer>, paths: usize, seed: u64) -> Result<Self> {
        let fit = targets.windows(2).all(|w| w[0].outputs() == w[1].inputs());
        if targets.is_empty() || !fit {
            return Err(Error::Input(
                "each layer must have as many outputs as the next has inputs".into(),
            ));
        }
        let rng = Rng::new(seed).split("subset-sum network");
        let random = |(index, target)| {
            PrunedLayer::new(target, paths, &rng.split(&format!("layer {index}")))
        };
        let layers = targets
            .iter()
            .enumerate()
            .map(random)
            .collect::<Result<_>>()?;
        Ok(Self {
            targets,
            layers,
            paths,
            tolerance: 0.0,
            wall_secs: 0.0,
        })
    }

    /// Takes the first subset found within `tolerance` of a weight instead of the nearest one.
    #[must_use]
    pub fn with_tolerance(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// Finds the subsets of about `weights` more parameters, at least of one block.
    ///
    /// The result does not depend on the sizes of the steps, nor on the number of threads.
    pub fn advance(&mut self, weights: usize) -> Progress {
        let start = Instant::now();
        let mut left = weights.max(1);
        for (layer, target) in self.layers.iter_mut().zip(&self.targets) {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(layer.search(target, left, self.tolerance));
        }
        self.wall_secs += start.elapsed().as_secs_f64();
        self.progress()
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            done: self.layers.iter().map(|layer| layer.errors().len()).sum(),
            total: self.targets.iter().map(Layer::parameters).sum(),
        }
    }

    /// The pruned random layers, in pairs that stand for one layer of the target each.
    #[must_use]
    pub fn layers(&self) -> &[PrunedLayer] {
        &self.layers
    }

    /// The linear layers that the kept paths amount to: the fast way to run the pruned network.
    #[must_use]
    pub fn effective(&self) -> Vec<Layer> {
        self.layers.iter().map(PrunedLayer::effective).collect()
    }

    /// The pruned random network's outputs, computed from its random weights; see
    /// [`PrunedLayer::forward`].
    ///
    /// # Errors
    ///
    /// [`Error::Input`] where `x` has the wrong length or a negative number.
    pub fn forward(&self, x: &[f32]) -> Result<Vec<f32>> {
        let mut x = x.to_vec();
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                for x in &mut x {
                    *x = x.max(0.0);
                }
            }
            x = layer.forward(&x)?;
        }
        Ok(x)
    }

    /// What the networks hold and keep.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let layers = self.layers.iter().map(PrunedLayer::counts);
        layers.fold(Counts::default(), |all, layer| all + layer)
    }

    /// What it has cost so far.
    #[must_use]
    pub fn cost(&self) -> Cost {
        Cost {
            operations: self.progress().done as f64 * solver::operations(self.paths),
            wall_secs: self.wall_secs,
        }
    }

    /// The errors of the parameters so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let layers = self.layers.iter();
        let errors = layers.flat_map(|layer| layer.errors().iter().map(|e| f64::from(e.abs())));
        Statistics {
            unreachable: self.layers.iter().map(PrunedLayer::unreachable).sum(),
            ..Statistics::of(errors.collect())
        }
    }
}

/// What the search has cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Additions and comparisons of 64-bit whole numbers; with a tolerance, an upper bound.
    pub operations: f64,
    /// Seconds inside [`Construction::advance`].
    pub wall_secs: f64,
}

/// Absolute errors of the pruned network's weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// How many parameters.
    pub count: usize,
    /// The median, 0 without parameters, as the others.
    pub median: f64,
    /// The mean.
    pub mean: f64,
    /// The error that 99 % stay below.
    pub percentile_99: f64,
    /// The largest.
    pub largest: f64,
    /// How many parameters lay below the least or above the greatest sum.
    pub unreachable: usize,
    /// Parameters with an error of at least 10^(-12 + i / 4) and below the next bin's; the first
    /// bin also has the smaller ones, the last also the larger ones.
    pub histogram: Vec<usize>,
}

impl Statistics {
    /// The number of bins.
    pub const BINS: usize = 52;

    /// The least error of bin i.
    #[must_use]
    pub fn bin_start(i: usize) -> f64 {
        10f64.powf(i as f64 / 4.0 - 12.0)
    }

    fn of(mut errors: Vec<f64>) -> Self {
        errors.sort_unstable_by(f64::total_cmp);
        let at = |p: f64| {
            let place = (errors.len().saturating_sub(1)) as f64 * p;
            errors.get(place.round() as usize).copied().unwrap_or(0.0)
        };
        // The errors are sorted, so a bin is what lies between two places.
        let below = |edge: f64| errors.partition_point(|&e| e < edge);
        let mut edges: Vec<usize> = (1..Self::BINS).map(|i| below(Self::bin_start(i))).collect();
        edges.insert(0, 0);
        edges.push(errors.len());
        Self {
            count: errors.len(),
            median: at(0.5),
            mean: errors.iter().sum::<f64>() / errors.len().max(1) as f64,
            percentile_99: at(0.99),
            largest: at(1.0),
            unreachable: 0,
            histogram: edges.windows(2).map(|w| w[1] - w[0]).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Statistics;

    #[test]
    fn statistics_of_known_errors() {
        let s = Statistics::of(vec![1e-3, 0.0, 1e-6, 1e-2, 1e9]);
        assert_eq!((s.count, s.histogram.len()), (5, Statistics::BINS));
        assert!((s.median - 1e-3).abs() < 1e-15 && (s.largest - 1e9).abs() < 1.0);
        assert_eq!(s.histogram.iter().sum::<usize>(), 5);
        assert_eq!(s.histogram[0], 1, "0 lies in the first bin");
        assert_eq!(s.histogram[Statistics::BINS - 1], 1, "1e9 lies in the last");
        let none = Statistics::of(Vec::new());
        assert_eq!((none.count, none.histogram.iter().sum::<usize>()), (0, 0));
        assert!(none.median.abs() < 1e-15);
    }
}
