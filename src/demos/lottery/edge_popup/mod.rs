//! Edge-popup (Ramanujan et al. 2020, section 3): a net is chosen out of random weights, and none of
//! them is ever trained.
//!
//! Every weight has a score. A layer acts with the share `k` of its weights whose scores have the
//! greatest magnitudes; gradient descent moves the scores, through the choice as if it were not
//! there ([`subnetwork`](crate::nn::ops::subnetwork())). The weights are buffers: no optimiser sees them.
//!
//! As in the authors' code (allenai/hidden-networks): no biases, scores begin as `PyTorch`'s
//! `Linear` begins (Kaiming's uniform distribution with `a = sqrt 5`), descent with momentum 0.9,
//! weight decay 1e-4 and a learning rate that falls with half a cosine. Done differently:
//!
//! - The paper scales the random weights by the square root of 1/k. The authors' `scale_fan` divides
//!   the fan by `1 - prune_rate`, where `prune_rate` is what `GetSubnet` takes for `k`: the same at
//!   one half, the reverse elsewhere. Here it is as the paper says.
//! - The learning rate is 0.5. The authors' 0.1 is for pixels of deviation 1 and a hundred epochs;
//!   with pixels from 0 to 1 and 1,500 steps of `LeNet` it reaches 95.2 % where 0.3 reaches 96.5 %.
//! - The rate follows the cosine step by step, not epoch by epoch, as runs here are shorter.

mod net;

pub use net::{EdgePopupNet, optimizer, random_init};

use super::config::LotteryConfig;
use super::dense::{repetition_rng, schedule};
use super::engine::Training;
use super::record::{Extras, StageKind};
use super::work::{Bench, Outcome, Plan, Procedure, Work};
use crate::error::Result;
use crate::nn::Params;

/// The first learning rate of the scores.
pub const LEARNING_RATE: f64 = 0.5;

/// A run of edge-popup: a search for each repetition, and one for each further share `k`.
///
/// No search begins with what another one did, so each is charged for itself alone.
pub struct EdgePopup {
    config: LotteryConfig,
    entries: Vec<(Plan, f64)>,
}

impl EdgePopup {
    /// As the settings ask for. Every share begins with the same random signs and scores.
    #[must_use]
    pub fn new(config: &LotteryConfig) -> Self {
        let mut entries: Vec<(Plan, f64)> = Vec::new();
        for repetition in 0..config.seeds {
            for &k in std::iter::once(&config.k).chain(&config.k_sweep) {
                let plan = plan(k, repetition);
                if entries.iter().all(|(other, _)| *other != plan) {
                    entries.push((plan, k));
                }
            }
        }
        Self {
            config: config.clone(),
            entries,
        }
    }

    fn k(&self, plan: &Plan) -> f64 {
        let entry = self.entries.iter().find(|(other, _)| other == plan);
        entry.map_or(self.config.k, |(_, k)| *k)
    }
}

/// The search for a share `k` of the weights.
fn plan(k: f64, repetition: u32) -> Plan {
    Plan {
        key: format!("r{repetition}-edge-popup-k{k}"),
        kind: Some(StageKind::EdgePopup),
        level: 0,
        repetition,
        same_as: None,
    }
}

impl Procedure for EdgePopup {
    fn plans(&self) -> Vec<Plan> {
        self.entries.iter().map(|(plan, _)| plan.clone()).collect()
    }

    fn begin(&self, plan: &Plan, bench: &Bench) -> Result<Box<dyn Work>> {
        let config = LotteryConfig {
            k: self.k(plan),
            ..self.config.clone()
        };
        let rng = repetition_rng(&config, plan.repetition).split("random weights");
        let mut params = Params::new(&bench.device, &rng);
        let net = EdgePopupNet::new(&bench.spec, &config, &mut params)?;
        let schedule = schedule(plan, bench);
        let training = Training::new(plan, schedule, params, Box::new(net), &bench.images)?;
        Ok(Box::new(training))
    }

    fn conclude(
        &self,
        plan: &Plan,
        outcome: &Outcome,
        _bench: &Bench,
        extras: &mut Extras,
    ) -> Result<()> {
        let summary = outcome.stage.as_ref().and_then(|stage| stage.summary);
        if let Some(summary) = summary.filter(|_| plan.repetition == 0) {
            extras.k_sweep.push((self.k(plan), summary.final_accuracy));
            extras.k_sweep.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        Ok(())
    }
}
