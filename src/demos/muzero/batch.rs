//! What a training step is given: positions with the moves after them and the targets of each.

use candle_core::{Device, Tensor};

use super::config::Settings;
use super::episode::{Episode, TargetRule};
use super::game::Symmetry;
use super::net::NetConfig;
use super::planning::observations;
use super::replay::{Draw, Replay};
use crate::error::Result;
use crate::rng::Rng;

/// A training step's positions, unrolled.
pub struct Batch {
    /// Observations, `[batch, planes, rows, columns]`.
    pub observations: Tensor,
    /// The action of each unrolled step, `[batch]`.
    pub actions: Vec<Tensor>,
    /// Targets of step 0 and each unrolled step.
    pub targets: Vec<Targets>,
    /// What each position counts, `[batch]`.
    pub weights: Tensor,
    /// Observations that the states are compared with: of each unrolled step, if the loss asks for
    /// them.
    pub later: Vec<Tensor>,
    /// The step whose state the probe draws, and what it should draw: numbers in bytes as
    /// `[batch, planes, rows, columns]`, 0 to 1.
    pub probe: (usize, Tensor),
    /// What each example of the probe counts: nothing where nothing was seen.
    pub probe_weights: Tensor,
}

/// Targets of one step.
pub struct Targets {
    /// Distributions over actions, `[batch, actions]`.
    pub policy: Tensor,
    /// What each counts; nothing after the end of a game.
    pub policy_weights: Tensor,
    /// Distributions over the value's places, `[batch, bins]`.
    pub value: Tensor,
    /// The numbers those stand for.
    pub values: Vec<f32>,
    /// What each counts; nothing where the game went on unseen.
    pub value_weights: Tensor,
    /// Distributions over the reward's places, if the game has rewards.
    pub reward: Option<Tensor>,
    /// The numbers those stand for.
    pub rewards: Vec<f32>,
}

/// One example while its arrays are filled.
struct Example<'a> {
    episode: &'a Episode,
    moment: usize,
    weight: f32,
    symmetry: Option<&'a Symmetry>,
    /// Actions of the unrolled steps, as the network sees them.
    actions: Vec<u32>,
}

impl Example<'_> {
    /// Writes an observation as the network sees it; of the last moment where nothing follows.
    fn observe(&self, moment: usize, config: &NetConfig, out: &mut Vec<f32>) {
        let size: usize = config.observation.iter().product();
        let moment = moment.min(self.episode.len());
        let bytes = self.episode.observation(moment, size);
        let cells = config.observation[1] * config.observation[2];
        let number = |&byte: &u8| f32::from(byte) / 255.0;
        match self.symmetry {
            None => out.extend(bytes.iter().map(number)),
            Some(symmetry) => {
                for plane in bytes.chunks_exact(cells) {
                    let cells = symmetry.cells.iter();
                    out.extend(cells.map(|&from| number(&plane[usize::from(from)])));
                }
            }
        }
    }

    fn policy(&self, moment: usize, actions: usize, out: &mut Vec<f32>) {
        if moment >= self.episode.len() {
            out.extend(std::iter::repeat_n(1.0 / actions as f32, actions));
            return;
        }
        let policy = self.episode.policy(moment);
        match self.symmetry {
            None => out.extend(policy.iter().map(|p| p.to_f32())),
            Some(symmetry) => {
                let actions = symmetry.actions.iter();
                out.extend(actions.map(|&from| policy[usize::from(from)].to_f32()));
            }
        }
    }
}

/// What a batch is made of beside the positions.
pub struct Recipe<'a> {
    /// The run's settings.
    pub settings: &'a Settings,
    /// The board's symmetries; empty for none.
    pub symmetries: &'a [Symmetry],
    /// How value targets are made.
    pub rule: TargetRule,
    /// Where tensors are made.
    pub device: &'a Device,
}

impl Recipe<'_> {
    /// The batch of drawn positions; `step` chooses what the probe looks at.
    ///
    /// # Errors
    /// When the device fails.
    pub fn batch(
        &self,
        replay: &Replay,
        draws: &[Draw],
        step: u64,
        rng: &mut Rng,
    ) -> Result<Batch> {
        let examples: Vec<Example> = draws
            .iter()
            .filter_map(|draw| Some(self.example(replay.episode(draw.episode)?, draw, rng)))
            .collect();
        let settings = self.settings;
        let unroll = settings.unroll;
        let targets = (0..=unroll).map(|k| self.targets(&examples, k));
        let probed = (step % (unroll as u64 + 1)) as usize;
        let probe_weights = examples
            .iter()
            .map(|e| {
                if e.moment + probed <= e.episode.len() {
                    1.0
                } else {
                    0.0
                }
            })
            .collect();
        Ok(Batch {
            observations: self.observations(&examples, 0)?,
            actions: (0..unroll)
                .map(|k| {
                    let actions: Vec<u32> = examples.iter().map(|e| e.actions[k]).collect();
                    Ok(Tensor::from_vec(actions, examples.len(), self.device)?)
                })
                .collect::<Result<_>>()?,
            targets: targets.collect::<Result<_>>()?,
            weights: self.numbers(examples.iter().map(|e| e.weight).collect())?,
            later: if settings.consistency > 0.0 {
                (1..=unroll)
                    .map(|k| self.observations(&examples, k))
                    .collect::<Result<_>>()?
            } else {
                Vec::new()
            },
            probe: (probed, self.observations(&examples, probed)?),
            probe_weights: self.numbers(probe_weights)?,
        })
    }

    fn example<'a>(&'a self, episode: &'a Episode, draw: &Draw, rng: &mut Rng) -> Example<'a> {
        let chosen = rng.below(self.symmetries.len());
        let symmetry = self.symmetries.get(chosen);
        let all = self.settings.net.actions;
        let actions = (0..self.settings.unroll)
            .map(|k| {
                // After the end, and where the game went on unseen, anything may be done.
                let random = rng.below(all);
                let taken = episode.actions.get(draw.moment + k);
                let action = taken.map_or(random, |&action| usize::from(action));
                symmetry.map_or(action, |s| s.action(action)) as u32
            })
            .collect();
        Example {
            episode,
            moment: draw.moment,
            weight: draw.weight,
            symmetry,
            actions,
        }
    }

    fn observations(&self, examples: &[Example], k: usize) -> Result<Tensor> {
        let config = &self.settings.net;
        let mut numbers = Vec::new();
        for example in examples {
            example.observe(example.moment + k, config, &mut numbers);
        }
        observations(config, &numbers, self.device)
    }

    fn numbers(&self, numbers: Vec<f32>) -> Result<Tensor> {
        let len = numbers.len();
        Ok(Tensor::from_vec(numbers, len, self.device)?)
    }

    fn targets(&self, examples: &[Example], k: usize) -> Result<Targets> {
        let config = &self.settings.net;
        let (actions, bins) = (config.actions, config.value.bins);
        let (mut policy, mut values) = (Vec::new(), Vec::new());
        let (mut policy_weights, mut value_weights) = (Vec::new(), Vec::new());
        let mut spread = vec![0.0; examples.len() * bins];
        for (example, spread) in examples.iter().zip(spread.chunks_exact_mut(bins)) {
            let (episode, moment) = (example.episode, example.moment + k);
            let known = if episode.is_known(moment) { 1.0 } else { 0.0 };
            let acted = if moment < episode.len() { 1.0 } else { 0.0 };
            let value = episode.value(moment, &self.rule);
            example.policy(moment, actions, &mut policy);
            config.value.spread(value, spread);
            values.push(value);
            policy_weights.push(acted * example.weight);
            value_weights.push(known * example.weight);
        }
        let count = examples.len();
        let rewards: Vec<f32> = examples
            .iter()
            .map(|example| example.episode.reward_before(example.moment + k))
            .collect();
        Ok(Targets {
            policy: Tensor::from_vec(policy, (count, actions), self.device)?,
            policy_weights: self.numbers(policy_weights)?,
            value: Tensor::from_vec(spread, (count, bins), self.device)?,
            values,
            value_weights: self.numbers(value_weights)?,
            reward: config
                .reward
                .map(|support| {
                    let mut spread = vec![0.0; count * support.bins];
                    let rows = spread.chunks_exact_mut(support.bins);
                    for (&reward, row) in rewards.iter().zip(rows) {
                        support.spread(reward, row);
                    }
                    Tensor::from_vec(spread, (count, support.bins), self.device)
                })
                .transpose()?,
            rewards,
        })
    }
}
