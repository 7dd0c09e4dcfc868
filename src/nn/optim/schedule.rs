//! How the learning rate changes with the step.

use serde::{Deserialize, Serialize};

/// A learning rate over time, as a factor of the configured one.
///
/// The first `warmup_steps` steps climb in equal parts, so that the last of them has the full
/// rate; then `decay` begins with its step 0. `PyTorch`'s `SequentialLR` of `LinearLR` and another
/// one says the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// Steps of linear warm-up; none by default.
    pub warmup_steps: u64,
    /// What follows.
    pub decay: Decay,
}

/// How the learning rate falls. Counts are in optimiser steps; once they are over, the last value
/// stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// Not at all.
    #[default]
    Constant,
    /// Half a cosine from 1 to `floor` (Loshchilov and Hutter 2017, eq. 5).
    Cosine {
        /// Steps until the floor.
        steps: u64,
        /// The factor at the end.
        floor: f64,
    },
    /// Multiplied by `gamma` at each of these steps.
    Milestones {
        /// The steps, counted from 0.
        at: Vec<u64>,
        /// The factor of one fall.
        gamma: f64,
    },
    /// `(1 - step / steps)^power`; power 1 is a straight line to zero.
    Polynomial {
        /// Steps until zero.
        steps: u64,
        /// The exponent.
        power: f64,
    },
    /// Half a cosine up from `1 / start_divisor` to 1, then half a cosine down to
    /// `1 / (start_divisor * end_divisor)` (Smith and Topin 2019, in `PyTorch`'s form).
    OneCycle {
        /// Steps of the whole cycle.
        steps: u64,
        /// The share of the steps that climb, in `[0, 1]`; `PyTorch` takes 0.3.
        climb: f64,
        /// `PyTorch` takes 25.
        start_divisor: f64,
        /// `PyTorch` takes 10,000.
        end_divisor: f64,
    },
}

impl Schedule {
    /// A fall without warm-up.
    #[must_use]
    pub fn new(decay: Decay) -> Self {
        Self {
            warmup_steps: 0,
            decay,
        }
    }

    /// What the learning rate of this step is multiplied by; the first step is 0.
    #[must_use]
    pub fn factor(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return (step + 1) as f64 / self.warmup_steps as f64;
        }
        self.decay.factor(step - self.warmup_steps)
    }
}

impl Decay {
    fn factor(&self, step: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine { steps, floor } => half_cosine(1.0, *floor, share(step, *steps as f64)),
            Self::Milestones { at, gamma } => {
                let falls = at.iter().filter(|&&milestone| milestone <= step).count();
                gamma.powi(i32::try_from(falls).unwrap_or(i32::MAX))
            }
            Self::Polynomial { steps, power } => (1.0 - share(step, *steps as f64)).powf(*power),
            Self::OneCycle {
                steps,
                climb,
                start_divisor,
                end_divisor,
            } => {
                let start = 1.0 / start_divisor;
                let end = start / end_divisor;
                let top = climb * *steps as f64 - 1.0;
                let last = steps.saturating_sub(1) as f64;
                if (step as f64) <= top {
                    half_cosine(start, 1.0, share(step, top))
                } else {
                    let behind = (step as f64 - top) / (last - top);
                    half_cosine(1.0, end, behind.clamp(0.0, 1.0))
                }
            }
        }
    }
}

/// The part of `steps` that is over, at most 1.
fn share(step: u64, steps: f64) -> f64 {
    if steps > 0.0 {
        (step as f64 / steps).min(1.0)
    } else {
        1.0
    }
}

fn half_cosine(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
}
