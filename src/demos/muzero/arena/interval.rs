//! Intervals that hold the true value in 95 of 100 experiments.

use serde::{Deserialize, Serialize};

/// The 97.5 % quantile of the normal distribution.
pub(super) const Z: f64 = 1.959_963_984_540_054;

/// From where to where.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Wilson's 95 % interval of a share (1927), of which `successes` of `trials` were seen; all of 0
/// to 1 without trials. Halves, as draws count, make the true spread smaller than that of wins
/// alone, so for them the interval is wide enough and a little more.
#[must_use]
pub fn wilson(successes: f64, trials: u64) -> Interval {
    if trials == 0 {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let n = trials as f64;
    let share = successes / n;
    let shrink = 1.0 + Z * Z / n;
    let centre = (share + Z * Z / (2.0 * n)) / shrink;
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / shrink;
    Interval {
        low: (centre - half).max(0.0),
        high: (centre + half).min(1.0),
    }
}
