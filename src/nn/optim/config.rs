//! An optimiser's settings.

use serde::{Deserialize, Serialize};

use super::{Clip, Schedule};

/// The formula of an update. Rates of decay apply to every weight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Stochastic gradient descent.
    Sgd {
        /// What is kept of the velocity in a step; 0 for none.
        momentum: f64,
        /// Nesterov's form.
        nesterov: bool,
        /// Added to the gradient, times the weight.
        weight_decay: f64,
    },
    /// Adam; weight decay is added to the gradient.
    Adam {
        /// What is kept of the first moment in a step.
        beta1: f64,
        /// What is kept of the second moment in a step.
        beta2: f64,
        /// Added to the root of the second moment.
        epsilon: f64,
        /// Added to the gradient, times the weight.
        weight_decay: f64,
    },
    /// Adam with weight decay beside the gradient.
    AdamW {
        /// What is kept of the first moment in a step.
        beta1: f64,
        /// What is kept of the second moment in a step.
        beta2: f64,
        /// Added to the root of the second moment.
        epsilon: f64,
        /// The share of the weight that a step takes away, times the learning rate.
        weight_decay: f64,
    },
}

impl Rule {
    /// `PyTorch`'s names of the moments it keeps for each weight.
    pub(super) fn moments(self) -> &'static [&'static str] {
        match self {
            Self::Sgd { momentum: 0.0, .. } => &[],
            Self::Sgd { .. } => &["momentum_buffer"],
            Self::Adam { .. } | Self::AdamW { .. } => &["exp_avg", "exp_avg_sq"],
        }
    }
}

/// An optimiser's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimizerConfig {
    /// The formula.
    pub rule: Rule,
    /// The learning rate that the schedule multiplies.
    pub learning_rate: f64,
    /// How the learning rate changes; constant by default.
    #[serde(default)]
    pub schedule: Schedule,
    /// A limit on the gradients; none by default.
    #[serde(default)]
    pub clip: Clip,
}

impl OptimizerConfig {
    /// A rule with a constant learning rate and no clipping.
    #[must_use]
    pub fn new(rule: Rule, learning_rate: f64) -> Self {
        Self {
            rule,
            learning_rate,
            schedule: Schedule::default(),
            clip: Clip::None,
        }
    }

    /// Gradient descent with momentum.
    #[must_use]
    pub fn sgd(learning_rate: f64, momentum: f64) -> Self {
        let rule = Rule::Sgd {
            momentum,
            nesterov: false,
            weight_decay: 0.0,
        };
        Self::new(rule, learning_rate)
    }

    /// Adam with the paper's settings.
    #[must_use]
    pub fn adam(learning_rate: f64) -> Self {
        let rule = Rule::Adam {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        };
        Self::new(rule, learning_rate)
    }

    /// `AdamW` with Adam's settings.
    #[must_use]
    pub fn adam_w(learning_rate: f64, weight_decay: f64) -> Self {
        let rule = Rule::AdamW {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay,
        };
        Self::new(rule, learning_rate)
    }

    /// With this schedule.
    #[must_use]
    pub fn with_schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }

    /// With this limit on the gradients.
    #[must_use]
    pub fn with_clip(self, clip: Clip) -> Self {
        Self { clip, ..self }
    }
}
