//! Pruning from Scratch (Wang et al. 2020): which units a net needs is learnt while its weights are
//! random, and only the narrow net is trained.
//!
//! Every hidden unit or channel has a gate that its output is multiplied with. The weights stay as
//! they were drawn; the gates alone are trained, by the cross entropy and a penalty that pulls their
//! mean towards [`SPARSITY`]. Then one threshold for all layers is searched that leaves the wanted
//! share of operations, and the net of the open units is
//! trained from new random weights: for as many steps as the full net, or for as many operations.
//! The other way round is what it is compared with: the full net is trained, loses its weakest units,
//! and is trained further.
//!
//! Followed are the paper and the authors' code (frankwang345/pruning-from-scratch): gates begin at
//! 1 and are held within 0 and 1, Adam with 0.01, a penalty of 0.5, a search of a sixteenth of the
//! training (10 of 160 epochs). Done differently:
//!
//! - The nets here have no batch norm. A gate multiplies the unit's output after its `ReLU`, which is
//!   the same for a gate that is not negative. Weights begin as they would for training.
//! - Of short trainings the search is more than a sixteenth: with Adam's 0.01 a gate needs 100 steps
//!   to close at all ([`LEAST_SEARCH`]).
//! - The authors keep the gates of the best validation accuracy among those sparse enough; here they
//!   are the last ones.
//! - Their search for the threshold ends within 0.1 % of the budget; here it finds the most units
//!   that stay within it. Equal gates, of which there are many at 0 and 1, close in equal shares in
//!   all layers. Every layer keeps a unit.

mod narrow;
mod net;
mod units;

pub use narrow::NarrowNet;
pub use net::{GateNet, gates_name};
pub use units::{Chosen, choose, narrow, relative_norms};

use super::config::LotteryConfig;
use super::dense::{self, repetition_rng, schedule};
use super::engine::{Schedule, Training};
use super::net::NetSpec;
use super::record::{Extras, StageKind};
use super::work::{Bench, Outcome, Plan, Procedure, Work};
use crate::error::{Error, Result};
use crate::nn::Params;

/// The mean that the penalty pulls the gates to, the authors' `sparsity_level`.
pub const SPARSITY: f64 = 0.2;

/// The weight of the penalty, the authors' `lambd`.
pub const PENALTY: f64 = 0.5;

/// Adam's learning rate of the gates.
pub const LEARNING_RATE: f64 = 0.01;

/// Steps of a search at least: twice what a gate needs to go from 1 to 0.
pub const LEAST_SEARCH: u64 = 200;

/// Steps of the training after a trained net lost its weakest units, as a share of the first one:
/// 40 of 160 epochs in Li et al. 2017. The learning rate stays as it was at the end of the first.
pub const FINE_TUNING: f64 = 0.25;

/// Steps of the search before a training of so many.
#[must_use]
pub fn search_steps(training: u64) -> u64 {
    (training / 16).max(LEAST_SEARCH)
}

/// Steps in which a narrow net is trained with the operations that `steps` of the full net take,
/// the authors' `budget_train`.
#[must_use]
pub fn budget_steps(full: &NetSpec, narrow: &NetSpec, steps: u64) -> u64 {
    let cost = |spec: &NetSpec| spec.training_flops(&spec.all_kept());
    (steps as f64 * cost(full) / cost(narrow)).round() as u64
}

/// A run that compares four ways to a trained net, for each repetition: the full net; the full net
/// that loses units after its training, and is trained further; and the net that gates chose before
/// any training, trained for as many steps and for as many operations as the full one.
///
/// Every curve is charged for what led to it: the fine-tuning for the full training, the narrow
/// nets for the search.
pub struct Gates {
    config: LotteryConfig,
}

impl Gates {
    /// As the settings ask for.
    ///
    /// # Errors
    /// [`Error::Input`] when the budget is not above 0 and at most 1.
    pub fn new(config: &LotteryConfig) -> Result<Self> {
        units::check_budget(config.budget)?;
        Ok(Self {
            config: config.clone(),
        })
    }

    fn search(&self, plan: &Plan, bench: &Bench) -> Result<Training> {
        let mut params = Params::new(&bench.device, &self.initial(plan));
        let net = GateNet::new(&bench.spec, &mut params)?;
        let schedule = Schedule {
            steps: search_steps(self.config.steps),
            // The accuracy of random weights is no end in itself.
            target: None,
            ..schedule(plan, bench)
        };
        Training::new(plan, schedule, params, Box::new(net), &bench.images)
    }

    /// The random weights that the full training begins with, too.
    fn initial(&self, plan: &Plan) -> crate::rng::Rng {
        repetition_rng(&self.config, plan.repetition).split("initial weights")
    }

    fn fine_tuning(&self, plan: &Plan, bench: &Bench) -> Result<Training> {
        let before = dense::key(plan.repetition);
        let trained = bench.past.outcome(&before)?.snapshot("weight")?;
        let norms = relative_norms(&bench.spec, &trained)?;
        let chosen = choose(&bench.spec, &norms, self.config.budget)?;
        let (params, net) = self.narrow_net(plan, bench, &chosen)?;
        net.take_over(&trained, &params)?;
        let schedule = Schedule {
            steps: ((self.config.steps as f64 * FINE_TUNING).round() as u64).max(1),
            // On where the full training stopped.
            first_step: self.config.steps,
            before: bench.spent(&before),
            ..schedule(plan, bench)
        };
        Training::new(plan, schedule, params, Box::new(net), &bench.images)
    }

    fn gated(&self, plan: &Plan, bench: &Bench, same_budget: bool) -> Result<Training> {
        let search = search_key(plan.repetition);
        let chosen = self.chosen(&*bench.past.outcome(&search)?, bench)?;
        let (params, net) = self.narrow_net(plan, bench, &chosen)?;
        let steps = self.config.steps;
        let schedule = Schedule {
            steps: if same_budget {
                budget_steps(&bench.spec, net.narrow_spec(), steps)
            } else {
                steps
            },
            before: bench.spent(&search),
            ..schedule(plan, bench)
        };
        Training::new(plan, schedule, params, Box::new(net), &bench.images)
    }

    /// The units that a search left open.
    fn chosen(&self, search: &Outcome, bench: &Bench) -> Result<Chosen> {
        let numbers = search.snapshot("weight")?;
        let hidden = bench.spec.layers.split_last();
        let hidden = hidden.map_or(&[][..], |(_, hidden)| hidden);
        let gates = hidden.iter().map(|layer| {
            let name = gates_name(layer);
            let gates = numbers.get(&name).cloned();
            gates.ok_or_else(|| Error::Input(format!("the search has no {name}")))
        });
        let gates: Vec<Vec<f32>> = gates.collect::<Result<_>>()?;
        choose(&bench.spec, &gates, self.config.budget)
    }

    /// A narrow net with new random weights, the same for both ways of training it.
    fn narrow_net(
        &self,
        plan: &Plan,
        bench: &Bench,
        chosen: &Chosen,
    ) -> Result<(Params, NarrowNet)> {
        let rng = repetition_rng(&self.config, plan.repetition).split("narrow net");
        let mut params = Params::new(&bench.device, &rng);
        let optimizer = bench.spec.optimizer(self.config.learning_rate);
        let net = NarrowNet::new(&bench.spec, &chosen.units, optimizer, &mut params)?;
        Ok((params, net))
    }
}

fn search_key(repetition: u32) -> String {
    format!("r{repetition}-gate-search")
}

impl Procedure for Gates {
    fn plans(&self) -> Vec<Plan> {
        let plan = |kind, key, repetition| Plan {
            key,
            kind: Some(kind),
            level: 0,
            repetition,
            same_as: None,
        };
        let repetition = |r: u32| {
            [
                dense::shared_plan(&self.config, r),
                plan(StageKind::FineTune, format!("r{r}-fine-tune"), r),
                plan(StageKind::GateSearch, search_key(r), r),
                plan(
                    StageKind::GatedSameSteps,
                    format!("r{r}-gated-same-steps"),
                    r,
                ),
                plan(
                    StageKind::GatedSameBudget,
                    format!("r{r}-gated-same-budget"),
                    r,
                ),
            ]
        };
        (0..self.config.seeds).flat_map(repetition).collect()
    }

    fn begin(&self, plan: &Plan, bench: &Bench) -> Result<Box<dyn Work>> {
        Ok(Box::new(match plan.kind {
            Some(StageKind::Dense) => dense::training(plan, bench, vec![0])?,
            Some(StageKind::FineTune) => self.fine_tuning(plan, bench)?,
            Some(StageKind::GateSearch) => self.search(plan, bench)?,
            Some(StageKind::GatedSameSteps) => self.gated(plan, bench, false)?,
            Some(StageKind::GatedSameBudget) => self.gated(plan, bench, true)?,
            _ => return Err(Error::Input(format!("{} is not of this run", plan.key))),
        }))
    }

    fn conclude(
        &self,
        plan: &Plan,
        outcome: &Outcome,
        bench: &Bench,
        extras: &mut Extras,
    ) -> Result<()> {
        if plan.kind == Some(StageKind::GateSearch) {
            extras.gate_threshold = Some(self.chosen(outcome, bench)?.threshold);
        }
        Ok(())
    }
}
