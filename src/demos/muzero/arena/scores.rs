//! Mean returns of episodes for one player.

use serde::{Deserialize, Serialize};

use crate::data::interval::{Interval, mean_interval};

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
    let (mean, interval) = mean_interval(returns);
    let freedom = returns.len() - 1;
    let squares: f64 = returns.iter().map(|value| (value - mean).powi(2)).sum();
    Some(MeanReturn {
        episodes: returns.len(),
        mean,
        deviation: (squares / freedom.max(1) as f64).sqrt(),
        interval: (freedom > 0).then_some(interval),
    })
}
