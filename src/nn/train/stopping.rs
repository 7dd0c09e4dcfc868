//! When a run ends before its last step.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Ends a run by one metric of its evaluations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStop {
    /// The metric's name.
    pub metric: String,
    /// Which way is better.
    pub goal: Goal,
    /// Evaluations without a new best after which the run ends; never by default.
    #[serde(default)]
    pub patience: Option<u64>,
    /// By how much a new best must be better.
    #[serde(default)]
    pub min_delta: f64,
    /// The run ends once the metric is this good.
    #[serde(default)]
    pub target: Option<f64>,
    /// Ends with the weights of the best evaluation rather than the last ones.
    #[serde(default)]
    pub keep_best: bool,
}

/// Which way a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// A loss or an error.
    Lowest,
    /// An accuracy or a score.
    Highest,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// All steps are done.
    Steps,
    /// The metric did not improve for as long as allowed.
    Patience,
    /// The metric reached its target.
    Target,
}

/// The best evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Steps done then.
    pub step: u64,
    /// The metric then.
    pub value: f64,
}

/// What is remembered of the evaluations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Watch {
    pub best: Option<Best>,
    /// Evaluations since the best one.
    pub waited: u64,
    pub stop: Option<Stop>,
}

impl Watch {
    /// Takes in an evaluation. True if it is the best so far.
    ///
    /// # Errors
    /// When the metric was not measured.
    pub fn see(&mut self, rule: &EarlyStop, step: u64, metrics: &[(String, f64)]) -> Result<bool> {
        let found = metrics.iter().find(|(name, _)| *name == rule.metric);
        let &(_, value) = found.ok_or_else(|| {
            let names: Vec<&str> = metrics.iter().map(|(name, _)| name.as_str()).collect();
            Error::Input(format!(
                "early stopping watches {}, measured are: {}",
                rule.metric,
                names.join(", ")
            ))
        })?;
        let better_by = |other: f64| match rule.goal {
            Goal::Lowest => other - value,
            Goal::Highest => value - other,
        };
        // A NaN is never the best.
        let is_best = match self.best {
            Some(best) => better_by(best.value) > rule.min_delta,
            None => !value.is_nan(),
        };
        if is_best {
            self.best = Some(Best { step, value });
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        if rule.target.is_some_and(|target| better_by(target) >= 0.0) {
            self.stop = Some(Stop::Target);
        } else if rule.patience.is_some_and(|most| self.waited >= most) {
            self.stop = Some(Stop::Patience);
        }
        Ok(is_best)
    }
}

#[cfg(test)]
mod tests {
    use super::{EarlyStop, Goal, Stop, Watch};

    fn rule(goal: Goal) -> EarlyStop {
        EarlyStop {
            metric: "score".into(),
            goal,
            patience: Some(2),
            min_delta: 0.5,
            target: Some(10.0),
            keep_best: false,
        }
    }

    /// Shows values one by one; returns the count shown, the best step and the reason.
    fn watch(goal: Goal, values: &[f64]) -> (usize, u64, Option<Stop>) {
        let mut watch = Watch::default();
        for (i, value) in values.iter().enumerate() {
            let metrics = [("other".to_owned(), 0.0), ("score".to_owned(), *value)];
            watch
                .see(&rule(goal), i as u64, &metrics)
                .expect("measured");
            if watch.stop.is_some() {
                return (i + 1, watch.best.expect("one is best").step, watch.stop);
            }
        }
        (values.len(), watch.best.expect("one is best").step, None)
    }

    #[test]
    fn it_waits_for_a_better_value_and_no_longer() {
        let rising = [1.0, 2.0, 2.4, 3.0, 3.2, 3.5, 9.0];
        assert_eq!(
            watch(Goal::Highest, &rising),
            (6, 3, Some(Stop::Patience)),
            "3.2 and 3.5 are not better by more than a half"
        );
        let falling = [30.0, 20.0, 15.0, 14.0];
        assert_eq!(watch(Goal::Lowest, &falling), (4, 3, None));
        assert_eq!(
            watch(Goal::Lowest, &[30.0, 9.0, 1.0]),
            (2, 1, Some(Stop::Target))
        );
        let broken = [1.0, f64::NAN, f64::NAN, 2.0];
        assert_eq!(
            watch(Goal::Highest, &broken),
            (3, 0, Some(Stop::Patience)),
            "not a number is no progress"
        );
    }

    #[test]
    fn a_metric_that_is_not_measured_is_an_error() {
        let seen = Watch::default().see(&rule(Goal::Lowest), 0, &[("loss".to_owned(), 1.0)]);
        let message = seen.expect_err("not measured").to_string();
        assert_eq!(message, "early stopping watches score, measured are: loss");
    }
}
