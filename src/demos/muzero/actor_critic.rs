//! The baseline without a search: a policy that learns from its own results.
//!
//! Advantage actor-critic (Mnih et al. 2016, "Asynchronous methods for deep reinforcement
//! learning", section 4), on the same representation and prediction networks. A move that ended
//! better than the value expected becomes likelier, by
//!
//! ```text
//! ∇ [ -(R - V(s)) log π(a | s)  -  β H(π(· | s))  +  c · value loss ]
//! ```
//!
//! R is how the game ended on boards, else rewards over some steps and then the value. This holds
//! only for moves that the present policy chose: each position is learnt from once, soon after it
//! was played ([`super::training`]), with the weights as they are and not their average; random
//! moves teach nothing, and boards are not turned.

use candle_core::{D, Tensor};

use super::batch::Batch;
use super::config::Settings;
use super::foresight::Foresight;
use super::learn::{Learnt, Losses, places, probe_loss, value_errors};
use super::net::Net;
use super::replay::{Draw, Replay};
use crate::error::{Error, Result};
use crate::nn::ops::soft_cross_entropy;

/// What a nat of the policy's entropy counts: β.
const ENTROPY: f64 = 0.01;
/// Logits of what is not legal; the exponential of less is 0.
const NEVER: f64 = -1e4;
/// Batches that one step takes at most; what is older was played by another policy.
const MOST_BATCHES: usize = 16;

/// The positions that were played since the last step and are not learnt from yet: those from
/// number `used` on, the newest ones where there are too many.
#[must_use]
pub fn newest(replay: &Replay, used: u64, batch: usize) -> Vec<Draw> {
    let most = (MOST_BATCHES * batch) as u64;
    let first = used.max(replay.added().saturating_sub(most));
    let mut draws = replay.since(first);
    for draw in &mut draws {
        let random = replay
            .episode(draw.episode)
            .is_some_and(|episode| episode.explored[draw.moment]);
        draw.weight = if random { 0.0 } else { 1.0 };
    }
    draws
}

/// The loss of positions that the present policy played.
///
/// # Errors
/// When the loss is not finite, or the device fails.
pub fn loss(
    net: &Net,
    batch: &Batch,
    settings: &Settings,
    compared: bool,
) -> Result<(Tensor, Learnt)> {
    let first = &batch.targets[0];
    let state = net.represent(&batch.observations)?;
    let prediction = net.predict(&state)?;
    let errors = value_errors(net, &prediction.value, first)?;
    // The value is too low by so much: the move was better than expected.
    let advantages: Vec<f32> = errors.iter().map(|error| -error).collect();
    let count = advantages.len();
    let advantages = Tensor::from_vec(advantages, count, state.device())?;

    let log_policy = log_policy(&prediction.policy, &first.policy)?;
    let taken = batch.actions[0].unsqueeze(1)?;
    let taken = log_policy.gather(&taken, 1)?.squeeze(1)?;
    let weights = &first.policy_weights;
    let gain = ((taken * advantages)? * weights)?.mean_all()?;
    let entropy = (log_policy.exp()? * &log_policy)?
        .sum(D::Minus1)?
        .neg()?
        .broadcast_mul(weights)?
        .mean_all()?;
    let policy = (gain.neg()? - (entropy * ENTROPY)?)?;
    let value = soft_cross_entropy(&prediction.value, &first.value, Some(&first.value_weights))?;
    let total = (&policy + (&value * settings.value_weight)?)?;

    let (probed, picture) = &batch.probe;
    let probe = (*probed == 0)
        .then(|| probe_loss(net, &state, picture, &batch.probe_weights))
        .transpose()?;
    let losses = Losses {
        total: total.to_scalar()?,
        policy: policy.to_scalar()?,
        value: value.to_scalar()?,
        reward: 0.0,
        consistency: 0.0,
        probe: probe.as_ref().map_or(Ok(0.0), Tensor::to_scalar::<f32>)?,
    };
    if !losses.total.is_finite() {
        return Err(Error::Input(
            "the loss is not a number any more: try a smaller learning rate".into(),
        ));
    }
    let foresight = if compared {
        vec![Foresight::of_step(&places(net), &prediction, None, first)?]
    } else {
        Vec::new()
    };
    // The probe's gradient reaches the probe alone, so adding it changes nothing else.
    let all = match probe {
        Some(probe) => (total + probe)?,
        None => total,
    };
    let learnt = Learnt {
        losses,
        errors,
        foresight,
    };
    Ok((all, learnt))
}

/// The logarithms of the policy over what was legal: where the policy that acted has a chance.
fn log_policy(logits: &Tensor, acted: &Tensor) -> Result<Tensor> {
    let legal = acted.gt(0.0)?.to_dtype(logits.dtype())?;
    let never = legal.affine(-NEVER, NEVER)?;
    let logits = ((logits * legal)? + never)?;
    let greatest = logits.max_keepdim(D::Minus1)?.detach();
    let shifted = logits.broadcast_sub(&greatest)?;
    let total = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    Ok(shifted.broadcast_sub(&total)?)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor, Var};

    use super::log_policy;

    #[test]
    fn what_is_not_legal_has_no_chance_and_no_gradient() {
        let device = Device::Cpu;
        let logits = Var::new(&[[1.0_f32, 7.0, 2.0]], &device).expect("it fits");
        let acted = Tensor::new(&[[0.4_f32, 0.0, 0.6]], &device).expect("it fits");
        let log = log_policy(&logits, &acted).expect("it works");
        let found = log.to_vec2::<f32>().expect("it is there");
        // ln(1 / (1 + e)) and ln(e / (1 + e))
        assert!((found[0][0] + 1.313_262).abs() < 1e-5);
        assert!((found[0][2] + 0.313_262).abs() < 1e-5);
        assert!(found[0][1] < -1e3);
        let entropy = (log.exp().expect("it works") * &log).expect("it works");
        let gradients = entropy
            .sum_all()
            .and_then(|sum| sum.backward())
            .expect("it works");
        let gradient = gradients.get(&logits).expect("there is one");
        let gradient = gradient.to_vec2::<f32>().expect("it is there");
        // p (ln p + H) with p = 0.268941, H = 0.582203: finite differences agree.
        assert!((gradient[0][0] + 0.196_612).abs() < 1e-4, "{gradient:?}");
        assert!(gradient[0][1].abs() < 1e-12);
        assert!((gradient[0][0] + gradient[0][2]).abs() < 1e-6);
    }
}
