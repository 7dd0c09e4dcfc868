//! The error against n, measured: draw n coefficients and a target, find the nearest subset sum,
//! many times for each n.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::gap::{self, Law};
use super::solver::{MAX_COEFFICIENTS, Solver};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// What is drawn, and how often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurveConfig {
    /// The smallest n.
    pub smallest: usize,
    /// The largest n.
    pub largest: usize,
    /// Draws for each n.
    pub trials: usize,
    /// How coefficients are drawn.
    pub law: Law,
    /// Targets are uniform in [-`half_width`, `half_width`].
    pub half_width: f64,
    /// The seed of every draw.
    pub seed: u64,
}

impl Default for CurveConfig {
    fn default() -> Self {
        Self {
            smallest: 2,
            largest: 26,
            trials: 1000,
            law: Law::Uniform,
            half_width: 0.5,
            seed: 0,
        }
    }
}

/// Measured and expected errors for one n.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurveRow {
    /// How many coefficients.
    pub n: usize,
    /// How many draws so far.
    pub trials: usize,
    /// The measured error below which 5, 25, 50, 75 and 95 % of the draws lie, and the largest.
    pub quantiles: [f64; 6],
    /// What [`gap::quantile`] expects for 5, 25, 50, 75 and 95 %.
    pub expected: [f64; 5],
}

impl CurveRow {
    /// The measured median error.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantiles[2]
    }

    /// The largest error met.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.quantiles[5]
    }
}

const LEVELS: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// The measurement, a few trials at a time.
#[derive(Clone, Debug)]
pub struct ErrorCurve {
    config: CurveConfig,
    rng: Rng,
    expected: Vec<[f64; 5]>,
    /// Absolute errors for each n, in the order of the trials.
    errors: Vec<Vec<f64>>,
}

impl ErrorCurve {
    /// Nothing measured yet.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] where the range of n is empty or beyond the solver, or the targets' range is
    /// not a number.
    pub fn new(config: CurveConfig) -> Result<Self> {
        let (smallest, largest) = (config.smallest, config.largest);
        if smallest < 1 || largest < smallest || largest > MAX_COEFFICIENTS {
            return Err(Error::Input(format!(
                "n from {smallest} to {largest} cannot be measured: choose from 1 to \
                 {MAX_COEFFICIENTS}"
            )));
        }
        if !config.half_width.is_finite() || config.half_width < 0.0 {
            return Err(Error::Input("the targets' range must be 0 or more".into()));
        }
        let expect = |n| LEVELS.map(|p| gap::quantile(n, config.law, config.half_width, p));
        Ok(Self {
            rng: Rng::new(config.seed).split("subset-sum error curve"),
            expected: (smallest..=largest).map(expect).collect(),
            errors: vec![Vec::new(); largest - smallest + 1],
            config,
        })
    }

    /// Measures up to `trials` more draws for every n. Returns the fraction done.
    ///
    /// A trial's numbers depend on the seed, n and the trial's index only.
    pub fn advance(&mut self, trials: usize) -> f64 {
        let start = self.trials();
        let end = self.config.trials.min(start.saturating_add(trials));
        for (index, errors) in self.errors.iter_mut().enumerate() {
            let n = self.config.smallest + index;
            let (rng, config) = (self.rng.split(&format!("n {n}")), &self.config);
            let more = (start..end).into_par_iter().map_init(
                || (Solver::new(), vec![0.0; n]),
                |(solver, coefficients), trial| {
                    let mut rng = rng.split(&format!("trial {trial}"));
                    coefficients.fill_with(|| config.law.draw(&mut rng));
                    let target = config.half_width * (2.0 * rng.uniform() - 1.0);
                    solver.nearest(coefficients, target).error.abs()
                },
            );
            errors.par_extend(more);
        }
        if self.config.trials == 0 {
            1.0
        } else {
            end as f64 / self.config.trials as f64
        }
    }

    /// Draws measured so far for each n.
    #[must_use]
    pub fn trials(&self) -> usize {
        self.errors[0].len()
    }

    /// A row for each n; none before the first trial.
    #[must_use]
    pub fn rows(&self) -> Vec<CurveRow> {
        if self.trials() == 0 {
            return Vec::new();
        }
        let measured = self.errors.iter().zip(&self.expected).enumerate();
        measured
            .map(|(index, (errors, expected))| {
                let mut sorted = errors.clone();
                sorted.sort_unstable_by(f64::total_cmp);
                let at = |p: f64| sorted[((sorted.len() - 1) as f64 * p).round() as usize];
                let [a, b, c, d, e] = LEVELS.map(at);
                CurveRow {
                    n: self.config.smallest + index,
                    trials: errors.len(),
                    quantiles: [a, b, c, d, e, at(1.0)],
                    expected: *expected,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{CurveConfig, ErrorCurve};

    #[test]
    fn small_steps_and_one_large_one_measure_the_same() {
        let config = CurveConfig {
            largest: 9,
            trials: 50,
            ..CurveConfig::default()
        };
        let mut whole = ErrorCurve::new(config.clone()).expect("a valid range");
        assert!(whole.rows().is_empty());
        assert!((whole.advance(usize::MAX) - 1.0).abs() < 1e-12);
        let mut pieces = ErrorCurve::new(config).expect("a valid range");
        while pieces.advance(7) < 1.0 {}
        assert_eq!(whole.rows(), pieces.rows());
        assert_eq!(whole.rows()[0].trials, 50);
    }

    #[test]
    fn ranges_beyond_the_solver_are_refused() {
        for (smallest, largest) in [(0, 5), (5, 4), (2, 31)] {
            let config = CurveConfig {
                smallest,
                largest,
                ..CurveConfig::default()
            };
            assert!(ErrorCurve::new(config).is_err(), "{smallest} to {largest}");
        }
    }
}
