//! The training of all weights: what the other methods are compared with and begin from.

use super::config::{LotteryConfig, Method};
use super::engine::{Schedule, Training};
use super::model::PlainNet;
use super::net::Net;
use super::record::StageKind;
use super::work::{Bench, Plan, Procedure, Work};
use crate::error::Result;
use crate::nn::{Params, Snapshot};
use crate::rng::Rng;

/// A run with dense trainings only, one for each repetition.
pub struct Dense {
    config: LotteryConfig,
}

impl Dense {
    /// As the settings ask for.
    #[must_use]
    pub fn new(config: &LotteryConfig) -> Self {
        Self {
            config: config.clone(),
        }
    }
}

impl Procedure for Dense {
    fn plans(&self) -> Vec<Plan> {
        (0..self.config.seeds).map(plan).collect()
    }

    fn begin(&self, plan: &Plan, bench: &Bench) -> Result<Box<dyn Work>> {
        Ok(Box::new(training(plan, bench, vec![0])?))
    }
}

/// The key of a repetition's dense training.
#[must_use]
pub fn key(repetition: u32) -> String {
    format!("r{repetition}-dense")
}

/// The dense training of a repetition.
#[must_use]
pub fn plan(repetition: u32) -> Plan {
    Plan {
        key: key(repetition),
        kind: Some(StageKind::Dense),
        level: 0,
        repetition,
        same_as: None,
    }
}

/// The dense training at the beginning of a run of another method, which is taken from a dense run
/// of the same settings if there is one.
#[must_use]
pub fn shared_plan(config: &LotteryConfig, repetition: u32) -> Plan {
    let alone = LotteryConfig {
        method: Method::Dense,
        ..config.clone()
    };
    Plan {
        same_as: Some(Box::new(alone)),
        ..plan(repetition)
    }
}

/// All random numbers of a repetition.
#[must_use]
pub fn repetition_rng(config: &LotteryConfig, repetition: u32) -> Rng {
    Rng::new(config.seed).split(&format!("repetition {repetition}"))
}

/// A training of as many steps as the settings say, in the repetition's order of the batches.
#[must_use]
pub fn schedule(plan: &Plan, bench: &Bench) -> Schedule {
    let config = &bench.config;
    Schedule {
        steps: config.steps,
        first_step: 0,
        batch: config.batch,
        eval_every: config.eval_every,
        target: config.target,
        order: repetition_rng(config, plan.repetition).split("order"),
        keep: Vec::new(),
        before: super::work::Spent::default(),
    }
}

/// The dense training of a repetition, which keeps its weights at these steps.
///
/// # Errors
/// When a setting is impossible or the device fails.
pub fn training(plan: &Plan, bench: &Bench, keep: Vec<u64>) -> Result<Training> {
    let (params, net) = initialised(plan, bench, "initial weights")?;
    let schedule = Schedule {
        keep,
        ..schedule(plan, bench)
    };
    Training::new(plan, schedule, params, plain(net, bench), &bench.images)
}

/// A net with new weights. The same label gives the same ones for a repetition.
///
/// # Errors
/// When the device fails.
pub fn initialised(plan: &Plan, bench: &Bench, label: &str) -> Result<(Params, Net)> {
    let rng = repetition_rng(&bench.config, plan.repetition).split(label);
    let mut params = Params::new(&bench.device, &rng);
    let net = Net::new(&bench.spec, &mut params)?;
    Ok((params, net))
}

/// A net with these weights, held at zero where the masks say.
///
/// # Errors
/// When the weights or masks are those of another net.
pub fn restored(bench: &Bench, weights: &Snapshot, masks: &[Vec<u8>]) -> Result<(Params, Net)> {
    let mut params = Params::new(&bench.device, &Rng::new(0));
    let net = Net::new(&bench.spec, &mut params)?;
    params.restore(weights)?;
    mask(&mut params, bench, masks)?;
    Ok((params, net))
}

/// Puts masks on a net's weights; those that hold nothing are left out.
///
/// # Errors
/// When they are those of another net.
pub fn mask(params: &mut Params, bench: &Bench, masks: &[Vec<u8>]) -> Result<()> {
    for (layer, mask) in bench.spec.layers.iter().zip(masks) {
        let mask = mask.contains(&0).then_some(&mask[..]);
        params.set_mask(&layer.weight_name(), mask)?;
    }
    Ok(())
}

/// A net that is trained as the settings say.
#[must_use]
pub fn plain(net: Net, bench: &Bench) -> Box<PlainNet> {
    let optimizer = bench.spec.optimizer(bench.config.learning_rate);
    Box::new(PlainNet::new(net, optimizer))
}
