//! Mean returns of episodes for one player.

use serde::{Deserialize, Serialize};

use super::interval::{Interval, Z};

/// A mean and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanReturn {
    /// How many episodes.
    pub episodes: usize,
    /// The mean return.
    pub mean: f64,
    /// The spread of single returns: the sample's standard deviation.
    pub deviation: f64,
    /// The mean's 95 % interval, from Student's t; `None` for less than two episodes.
    pub interval: Option<Interval>,
}

/// The mean return of episodes; `None` without any.
#[must_use]
pub fn mean_return(returns: &[f64]) -> Option<MeanReturn> {
    if returns.is_empty() {
        return None;
    }
    let n = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / n;
    let squares: f64 = returns.iter().map(|value| (value - mean).powi(2)).sum();
    let freedom = returns.len() - 1;
    let deviation = (squares / freedom.max(1) as f64).sqrt();
    let half = student(freedom) * deviation / n.sqrt();
    Some(MeanReturn {
        episodes: returns.len(),
        mean,
        deviation,
        interval: (freedom > 0).then_some(Interval {
            low: mean - half,
            high: mean + half,
        }),
    })
}

/// The 97.5 % quantile of Student's t with so many degrees of freedom: from tables where there are
/// few, else by the expansion around the normal one (Abramowitz and Stegun, 26.7.5).
fn student(freedom: usize) -> f64 {
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
