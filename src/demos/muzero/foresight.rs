//! What the model says of each unrolled step, beside what happened.
//!
//! From a remembered position the model is rolled along the moves that were made; after `k` of them
//! its value, reward and policy can be held against those of the real game. The errors grow with
//! `k`: the model has seen nothing since its first step.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::batch::Targets;
use super::net::Prediction;
use super::support::Support;
use crate::error::Result;

/// Means over the positions of one unrolled step; where a game had ended before it counts no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Foresight {
    /// Positions that were counted.
    pub positions: f32,
    /// The value that was predicted.
    pub value: f32,
    /// The value that learning aims at.
    pub value_target: f32,
    /// How far apart they lie, without the sign.
    pub value_error: f32,
    /// The reward that was predicted; 0 of games without rewards and of step 0.
    pub reward: f32,
    /// The reward that came.
    pub reward_target: f32,
    /// How far apart they lie, without the sign.
    pub reward_error: f32,
    /// Cross entropy of the policy with the search's, in nats.
    pub policy: f32,
}

/// Places of values and of rewards.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// Of values.
    pub value: Support,
    /// Of rewards, if the game has any.
    pub reward: Option<Support>,
}

fn rows(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.detach().flatten_all()?.to_vec1()?)
}

impl Foresight {
    /// Compares one step's prediction with its targets. `reward` holds logits.
    ///
    /// # Errors
    /// When the device fails.
    pub fn of_step(
        places: &Places,
        prediction: &Prediction,
        reward: Option<&Tensor>,
        targets: &Targets,
    ) -> Result<Self> {
        let values = rows(&prediction.value)?;
        let known = rows(&targets.value_weights)?;
        let mut sums = Self::default();
        let values = values.chunks_exact(places.value.bins);
        for ((logits, &target), _) in values.zip(&targets.values).zip(&known).filter(is_counted) {
            let value = places.value.mean(logits);
            sums.positions += 1.0;
            sums.value += value;
            sums.value_target += target;
            sums.value_error += (value - target).abs();
        }
        if let (Some(logits), Some(support)) = (reward, places.reward) {
            let rewards = rows(logits)?;
            let rewards = rewards.chunks_exact(support.bins);
            let both = rewards.zip(&targets.rewards).zip(&known);
            for ((logits, &target), _) in both.filter(is_counted) {
                let reward = support.mean(logits);
                sums.reward += reward;
                sums.reward_target += target;
                sums.reward_error += (reward - target).abs();
            }
        }
        sums.policy = entropy(prediction, targets)?;
        Ok(sums.divided())
    }

    /// The sums over so many positions as means; the policy is one already.
    fn divided(self) -> Self {
        let by = |sum: f32| sum / self.positions.max(1.0);
        Self {
            positions: self.positions,
            value: by(self.value),
            value_target: by(self.value_target),
            value_error: by(self.value_error),
            reward: by(self.reward),
            reward_target: by(self.reward_target),
            reward_error: by(self.reward_error),
            policy: self.policy,
        }
    }
}

/// Whether a position has a weight.
fn is_counted<T>((_, weight): &(T, &f32)) -> bool {
    **weight > 0.0
}

/// The mean cross entropy over positions where something was done.
fn entropy(prediction: &Prediction, targets: &Targets) -> Result<f32> {
    let logits = rows(&prediction.policy)?;
    let policies = rows(&targets.policy)?;
    let weights = rows(&targets.policy_weights)?;
    let actions = logits.len() / weights.len().max(1);
    let both = logits
        .chunks_exact(actions.max(1))
        .zip(policies.chunks_exact(actions.max(1)))
        .zip(&weights);
    let (mut sum, mut count) = (0.0, 0.0);
    for ((logits, policy), _) in both.filter(is_counted) {
        let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f32 = logits.iter().map(|logit| (logit - greatest).exp()).sum();
        let log_total = greatest + total.ln();
        let each = logits.iter().zip(policy);
        sum += each.map(|(logit, p)| p * (log_total - logit)).sum::<f32>();
        count += 1.0;
    }
    Ok(sum / f32::max(count, 1.0))
}

/// The means over several training steps, each of which may have fewer positions than another.
#[must_use]
pub fn mean(steps: &[Vec<Foresight>]) -> Vec<Foresight> {
    let depth = steps.iter().map(Vec::len).max().unwrap_or(0);
    (0..depth)
        .map(|k| {
            let at_k = || steps.iter().filter_map(|step| step.get(k));
            let positions: f32 = at_k().map(|step| step.positions).sum();
            let of = |part: fn(&Foresight) -> f32| {
                at_k().map(|s| s.positions * part(s)).sum::<f32>() / positions.max(1.0)
            };
            Foresight {
                positions,
                value: of(|s| s.value),
                value_target: of(|s| s.value_target),
                value_error: of(|s| s.value_error),
                reward: of(|s| s.reward),
                reward_target: of(|s| s.reward_target),
                reward_error: of(|s| s.reward_error),
                policy: of(|s| s.policy),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::{Foresight, Places, mean};
    use crate::demos::muzero::batch::Targets;
    use crate::demos::muzero::net::Prediction;
    use crate::demos::muzero::support::Support;

    fn tensor(rows: usize, values: &[f32]) -> Tensor {
        let columns = values.len() / rows;
        Tensor::from_slice(values, (rows, columns), &Device::Cpu).expect("it fits")
    }

    #[test]
    fn what_is_counted_follows_from_the_weights() {
        // Logits of ln: the distribution itself. Three positions, of which the last is unknown.
        let ln = |p: f32| (p + 1e-20).ln();
        let value = [0.0, 0.0, 1.0, 0.25, 0.5, 0.25, 1.0, 0.0, 0.0].map(ln);
        let policy = [0.5, 0.5, 0.9, 0.1, 0.5, 0.5].map(ln);
        let line = |values: [f32; 3]| Tensor::new(&values, &Device::Cpu).expect("it fits");
        let targets = Targets {
            policy: tensor(3, &[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]),
            policy_weights: line([1.0, 0.5, 0.0]),
            value: tensor(3, &[0.0; 9]),
            values: vec![0.5, -1.0, 1.0],
            value_weights: line([1.0, 1.0, 0.0]),
            reward: None,
            rewards: Vec::new(),
        };
        let prediction = Prediction {
            policy: tensor(3, &policy),
            value: tensor(3, &value),
        };
        let places = Places {
            value: Support::LAST_MOVE,
            reward: None,
        };
        let found = Foresight::of_step(&places, &prediction, None, &targets).expect("it works");
        let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-5, "{a} is not {b}");
        near(found.positions, 2.0);
        near(found.value, 0.5);
        near(found.value_target, -0.25);
        near(found.value_error, 0.75);
        // The mean of -ln 0.5 and -ln 0.9.
        near(found.policy, 0.399_254);
        let other = Foresight {
            positions: 6.0,
            value: 1.0,
            ..Foresight::default()
        };
        let both = mean(&[vec![found], vec![other]]);
        near(both[0].value, (2.0 * 0.5 + 6.0) / 8.0);
    }
}
