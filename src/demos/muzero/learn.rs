//! Learning: the loss of an unrolled batch, and the weights that play.
//!
//! From each position the model is unrolled along the moves that were made; at every step policy,
//! value and reward are compared with their targets (appendix G): cross entropies, the unrolled
//! steps together counting as much as the first, half of the gradient passing from step to step.
//! `EfficientZero`'s consistency loss compares imagined states with those of the true
//! observations. The probe learns beside it and changes nothing else.
//!
//! `AlphaZero` learns the first step only: it has the true rules. The agent without a search has a
//! loss of its own ([`super::actor_critic`]).
//!
//! Games are played, and strength is measured, with a moving average of the weights: it does
//! better than the weights themselves and needs no schedule of learning rates.

use candle_core::{D, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::actor_critic;
use super::batch::{Batch, Targets};
use super::config::{Agent, Settings};
use super::foresight::{Foresight, Places};
use super::net::{Net, Prediction};
use crate::error::Result;
use crate::nn::Params;
use crate::nn::checkpoint::Checkpoint;
use crate::nn::ops::pointwise::softplus;
use crate::nn::ops::soft_cross_entropy;
use crate::nn::optim::{Clip, Ema, Optimizer, OptimizerConfig};
use crate::rng::Rng;

/// What the moving average keeps in a step.
const AVERAGE: f64 = 0.998;
/// Longer gradients are shortened.
const LONGEST_GRADIENT: f64 = 5.0;
/// Every eighth step predictions are held against what happened.
const COMPARED: u64 = 8;

/// The weights that learn and those that play.
pub struct Learner {
    params: Params,
    net: Net,
    optimizer: Optimizer,
    average: Ema,
    playing_params: Params,
    playing: Net,
}

/// The parts of a step's loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Losses {
    /// All parts together, as they are weighted.
    pub total: f32,
    /// Of the policy, summed as in the total.
    pub policy: f32,
    /// Of the value.
    pub value: f32,
    /// Of the reward.
    pub reward: f32,
    /// Minus the cosine between imagined and true states; -1 is best.
    pub consistency: f32,
    /// Of the probe, mean binary cross entropy.
    pub probe: f32,
}

/// What a training step tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Learnt {
    /// The loss and its parts.
    pub losses: Losses,
    /// By how much the first step's values missed their targets, for the priorities.
    pub errors: Vec<f32>,
    /// Of every unrolled step, what was predicted beside what happened; of some training steps only.
    pub foresight: Vec<Foresight>,
}

/// The sums of a loss while it is put together.
struct Sums {
    policy: Tensor,
    value: Tensor,
    reward: Option<Tensor>,
    consistency: Option<Tensor>,
    foresight: Vec<Foresight>,
    compared: bool,
}

impl Learner {
    /// First weights.
    ///
    /// # Errors
    /// When the sizes are impossible.
    pub fn new(settings: &Settings, device: &Device) -> Result<Self> {
        let rng = Rng::new(settings.seed).split("weights");
        let mut params = Params::new(device, &rng);
        let net = Net::new(&mut params.root(), &settings.net)?;
        let mut playing_params = Params::new(device, &rng);
        let playing = Net::new(&mut playing_params.root(), &settings.net)?.detached();
        let config = OptimizerConfig::adam_w(settings.learning_rate, settings.weight_decay)
            .with_clip(Clip::Norm(LONGEST_GRADIENT));
        Ok(Self {
            average: Ema::new(&params, AVERAGE)?,
            params,
            net,
            optimizer: Optimizer::new(config),
            playing_params,
            playing,
        })
    }

    /// The networks that play.
    #[must_use]
    pub fn playing(&self) -> &Net {
        &self.playing
    }

    /// The networks that play, alone.
    #[must_use]
    pub fn into_playing(self) -> Net {
        self.playing
    }

    /// The weights that play.
    #[must_use]
    pub fn playing_params(&self) -> &Params {
        &self.playing_params
    }

    /// Training steps done.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.optimizer.steps()
    }

    /// One training step.
    ///
    /// # Errors
    /// When the loss is not finite, or the device fails.
    pub fn step(&mut self, batch: &Batch, settings: &Settings) -> Result<Learnt> {
        let compared = self.steps().is_multiple_of(COMPARED);
        let (loss, learnt) = if settings.agent == Agent::ActorCritic {
            actor_critic::loss(&self.net, batch, settings, compared)?
        } else {
            loss(&self.net, batch, settings, compared)?
        };
        let gradients = loss.backward()?;
        self.optimizer.step(&self.params, &gradients)?;
        // A young average would remember the first, random weights for long.
        if self.steps() <= 10 {
            self.average = Ema::new(&self.params, AVERAGE)?;
        } else {
            self.average.update(&self.params)?;
        }
        Ok(learnt)
    }

    /// Hands the averaged weights to the networks that play.
    ///
    /// # Errors
    /// When the device fails.
    pub fn publish(&mut self) -> Result<()> {
        self.playing_params.restore(&self.average.snapshot()?)
    }

    /// Hands the weights as they are to the networks that play: a policy gradient is that of the
    /// policy which acted.
    ///
    /// # Errors
    /// When the device fails.
    pub fn publish_newest(&mut self) -> Result<()> {
        self.playing_params.restore(&self.params.snapshot()?)
    }

    /// A copy of the networks that play, which does not change any more.
    ///
    /// # Errors
    /// When the device fails.
    pub fn frozen(&self) -> Result<Net> {
        let mut params = Params::new(self.params.device(), &Rng::new(0));
        let net = Net::new(&mut params.root(), self.net.config())?;
        params.restore(&self.playing_params.snapshot()?)?;
        Ok(net.detached())
    }

    /// Adds everything that learning goes on from.
    ///
    /// # Errors
    /// When the device fails.
    pub fn save(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        checkpoint.put_params(&self.params)?;
        checkpoint.put_optimizer(&self.optimizer)?;
        checkpoint.put_snapshot("average", &self.average.snapshot()?, &self.params)?;
        checkpoint.put_snapshot("playing", &self.playing_params.snapshot()?, &self.params)
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// When it is of other networks.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let average = checkpoint.snapshot("average", &self.params)?;
        let playing = checkpoint.snapshot("playing", &self.params)?;
        checkpoint.restore_params(&mut self.params)?;
        checkpoint.restore_optimizer(&mut self.optimizer, &self.params)?;
        self.average.restore(&average)?;
        self.playing_params.restore(&playing)
    }
}

/// The loss of a batch.
fn loss(net: &Net, batch: &Batch, settings: &Settings, compared: bool) -> Result<(Tensor, Learnt)> {
    let first = &batch.targets[0];
    let mut state = net.represent(&batch.observations)?;
    let prediction = net.predict(&state)?;
    let mut sums = Sums {
        policy: soft_cross_entropy(
            &prediction.policy,
            &first.policy,
            Some(&first.policy_weights),
        )?,
        value: soft_cross_entropy(&prediction.value, &first.value, Some(&first.value_weights))?,
        reward: None,
        consistency: None,
        foresight: Vec::new(),
        compared,
    };
    sums.compare(net, &prediction, None, first)?;
    let errors = value_errors(net, &prediction.value, first)?;
    let (probed, picture) = &batch.probe;
    let mut probe = (*probed == 0)
        .then(|| probe_loss(net, &state, picture, &batch.probe_weights))
        .transpose()?;
    let unroll = if settings.agent == Agent::MuZero {
        batch.actions.len()
    } else {
        0
    };
    for (k, actions) in batch.actions.iter().take(unroll).enumerate() {
        let (reward, next) = net.unroll(&state, actions)?;
        sums.add(net, batch, k, reward.as_ref(), &next)?;
        if *probed == k + 1 {
            probe = Some(probe_loss(net, &next, picture, &batch.probe_weights)?);
        }
        state = next;
    }
    let total = sums.total(settings)?;
    let number = |part: &Option<Tensor>| part.as_ref().map_or(Ok(0.0), Tensor::to_scalar::<f32>);
    let losses = Losses {
        total: total.to_scalar()?,
        policy: sums.policy.to_scalar()?,
        value: sums.value.to_scalar()?,
        reward: number(&sums.reward)?,
        consistency: number(&sums.consistency)?,
        probe: number(&probe)?,
    };
    if !losses.total.is_finite() {
        return Err(crate::Error::Input(
            "the loss is not a number any more: try a smaller learning rate".into(),
        ));
    }
    // The probe's gradient reaches the probe alone, so adding it changes nothing else.
    let all = match probe {
        Some(probe) => (total + probe)?,
        None => total,
    };
    let learnt = Learnt {
        losses,
        errors,
        foresight: sums.foresight,
    };
    Ok((all, learnt))
}

impl Sums {
    /// Adds an unrolled step; all of them together count as much as the first one.
    fn add(
        &mut self,
        net: &Net,
        batch: &Batch,
        k: usize,
        reward: Option<&Tensor>,
        state: &Tensor,
    ) -> Result<()> {
        let targets = &batch.targets[k + 1];
        let share = 1.0 / batch.actions.len() as f64;
        let prediction = net.predict(state)?;
        self.compare(net, &prediction, reward, targets)?;
        let weighted = |logits: &Tensor, target: &Tensor, weights: &Tensor| -> Result<Tensor> {
            Ok((soft_cross_entropy(logits, target, Some(weights))? * share)?)
        };
        let policy = weighted(&prediction.policy, &targets.policy, &targets.policy_weights)?;
        let value = weighted(&prediction.value, &targets.value, &targets.value_weights)?;
        self.policy = (&self.policy + policy)?;
        self.value = (&self.value + value)?;
        if let (Some(logits), Some(target)) = (reward, &targets.reward) {
            let reward = weighted(logits, target, &targets.value_weights)?;
            self.reward = Some(plus(self.reward.take(), reward)?);
        }
        if let Some(later) = batch.later.get(k) {
            let seen = net.detached().represent(later)?;
            let loss = (net.inconsistency(state, &seen, &targets.value_weights)? * share)?;
            self.consistency = Some(plus(self.consistency.take(), loss)?);
        }
        Ok(())
    }

    /// Holds a prediction against what happened, if that is asked for.
    fn compare(
        &mut self,
        net: &Net,
        prediction: &Prediction,
        reward: Option<&Tensor>,
        targets: &Targets,
    ) -> Result<()> {
        if self.compared {
            let found = Foresight::of_step(&places(net), prediction, reward, targets)?;
            self.foresight.push(found);
        }
        Ok(())
    }

    fn total(&self, settings: &Settings) -> Result<Tensor> {
        let mut total = (&self.policy + (&self.value * settings.value_weight)?)?;
        if let Some(reward) = &self.reward {
            total = (total + reward)?;
        }
        if let Some(consistency) = &self.consistency {
            total = (total + (consistency * settings.consistency)?)?;
        }
        Ok(total)
    }
}

fn plus(sum: Option<Tensor>, term: Tensor) -> Result<Tensor> {
    Ok(match sum {
        Some(sum) => (sum + term)?,
        None => term,
    })
}

/// The places of a network's values and rewards.
pub(super) fn places(net: &Net) -> Places {
    Places {
        value: net.config().value,
        reward: net.config().reward,
    }
}

/// Binary cross entropy between what the probe draws and what was there.
pub(super) fn probe_loss(
    net: &Net,
    state: &Tensor,
    picture: &Tensor,
    weights: &Tensor,
) -> Result<Tensor> {
    let logits = net.probe(state)?;
    let target = net.probe_target(picture)?;
    let each = (softplus(&logits)? - (&logits * target)?)?;
    let each = each.flatten_from(1)?.mean(D::Minus1)?;
    Ok((each * weights)?.mean_all()?)
}

/// How far values lie from their targets.
pub(super) fn value_errors(net: &Net, logits: &Tensor, targets: &Targets) -> Result<Vec<f32>> {
    let support = net.config().value;
    let logits: Vec<f32> = logits.detach().flatten_all()?.to_vec1()?;
    let rows = logits.chunks_exact(support.bins);
    let errors = rows
        .zip(&targets.values)
        .map(|(row, target)| support.mean(row) - target);
    Ok(errors.collect())
}
