//! Intervals that hold the true value in 95 of 100 experiments.

use serde::{Deserialize, Serialize};

/// The 97.5 % quantile of the normal distribution.
pub const Z: f64 = 1.959_963_984_540_054;

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

/// The mean of values and its 95 % interval, from Student's t; the interval of less than two values
/// is all numbers.
#[must_use]
pub fn mean_interval(values: &[f64]) -> (f64, Interval) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let freedom = values.len().saturating_sub(1);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / freedom.max(1) as f64).sqrt();
    let half = if freedom == 0 {
        f64::INFINITY
    } else {
        student(freedom) * deviation / n.sqrt()
    };
    let interval = Interval {
        low: mean - half,
        high: mean + half,
    };
    (mean, interval)
}

/// The 97.5 % quantile of Student's t with so many degrees of freedom: from tables where there are
/// few, else by the expansion around the normal one (Abramowitz and Stegun, 26.7.5).
#[must_use]
pub fn student(freedom: usize) -> f64 {
    const FEW: [f64; 10] = [
        f64::INFINITY,
        12.706_205,
        4.302_653,
        3.182_446,
        2.776_445,
        2.570_582,
        2.446_912,
        2.364_624,
        2.306_004,
        2.262_157,
    ];
    if let Some(&quantile) = FEW.get(freedom) {
        return quantile;
    }
    let nu = freedom as f64;
    let z = Z;
    let terms = [
        (z.powi(3) + z) / 4.0,
        (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0,
        (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0,
        (79.0 * z.powi(9) + 776.0 * z.powi(7) + 1482.0 * z.powi(5)
            - 1920.0 * z.powi(3)
            - 945.0 * z)
            / 92_160.0,
    ];
    let correction = |sum: f64, term: &f64| (sum + term) / nu;
    z + terms.iter().rev().fold(0.0, correction)
}
