//! Iterative magnitude pruning (Frankle and Carbin 2019): train, prune, set back, again.
//!
//! 1. A net with random weights is trained.
//! 2. Every layer loses a share of its weights, those of the least magnitude ([`prune`](super::prune)).
//! 3. Those that are left go back to their first values, or to those of an early step k (Frankle et
//!    al. 2019, "Stabilizing the lottery ticket hypothesis"). This is the ticket; on to 1 with it.
//!
//! A ticket that was wound back to step k is trained for the steps that were left, on the batches
//! that came after step k. Biases go back, too, but are not pruned. The optimiser begins anew.
//!
//! Controls for each ticket: the same mask with new random weights, and the ticket's first weights
//! with a random mask of as many weights in each layer. One-shot pruning leaves out the rounds in
//! between, after one training to the same number of weights in each layer.
//!
//! Siblings are two trainings of one net that see the pictures in different orders. If the straight
//! line between where they end does not leave the valley, the net was stable to the order (Frankle
//! et al. 2020, "Linear mode connectivity"). They are trained for the dense net, and for the last
//! ticket wound back to several steps.

use std::collections::BTreeSet;

use super::config::LotteryConfig;
use super::dense::{self, initialised, schedule};
use super::engine::{Schedule, Training};
use super::line::Line;
use super::net::NetSpec;
use super::prune::{at_random, by_magnitude, histogram, ladder};
use super::record::{Extras, StageKind};
use super::sparse_net::ticket;
use super::work::{Bench, Outcome, Plan, Procedure, Spent, Work};
use crate::error::{Error, Result};

/// A run of iterative magnitude pruning.
pub struct Imp {
    config: LotteryConfig,
    entries: Vec<Entry>,
}

/// A piece of work and what it stands for.
struct Entry {
    plan: Plan,
    role: Role,
}

#[derive(Clone)]
enum Role {
    Dense,
    Ticket,
    Reinitialised,
    RandomMask,
    /// Wound back to a step and trained in one of two orders.
    Sibling {
        rewind: u64,
        order: &'static str,
    },
    /// Between the ends of two trainings.
    Line {
        rewind: u64,
        ends: [String; 2],
    },
}

impl Imp {
    /// As the settings ask for.
    ///
    /// # Errors
    /// When there are no rounds, too many, or it is to be wound back to beyond the end.
    pub fn new(config: &LotteryConfig) -> Result<Self> {
        if !(1..=60).contains(&config.levels) {
            return Err(Error::Input(format!(
                "{} rounds of pruning are not possible, choose 1 to 60",
                config.levels
            )));
        }
        if config.rewind >= config.steps.min(config.last_steps.unwrap_or(u64::MAX)) {
            return Err(Error::Input(format!(
                "a training of {} steps cannot be wound back to step {}",
                config.steps, config.rewind
            )));
        }
        let mut imp = Self {
            config: config.clone(),
            entries: Vec::new(),
        };
        for repetition in 0..config.seeds {
            imp.add_repetition(repetition);
        }
        Ok(imp)
    }

    fn add(&mut self, key: String, role: Role, level: u32, repetition: u32) -> String {
        let kind = match role {
            Role::Dense => Some(StageKind::Dense),
            Role::Ticket => Some(StageKind::Ticket),
            Role::Reinitialised => Some(StageKind::Reinitialised),
            Role::RandomMask => Some(StageKind::RandomMask),
            Role::Sibling { .. } => Some(StageKind::Sibling),
            Role::Line { .. } => None,
        };
        let plan = Plan {
            key: key.clone(),
            kind,
            level,
            repetition,
            same_as: None,
        };
        self.entries.push(Entry { plan, role });
        key
    }

    fn add_repetition(&mut self, repetition: u32) {
        let r = repetition;
        self.add(dense::key(r), Role::Dense, 0, r);
        for level in self.levels() {
            self.add(ticket_key(r, level), Role::Ticket, level, r);
            if self.config.controls {
                let key = |what| format!("r{r}-level{level}-{what}");
                self.add(key("reinitialised"), Role::Reinitialised, level, r);
                self.add(key("random-mask"), Role::RandomMask, level, r);
            }
        }
        // The extras have one line for each step, so one repetition has to do.
        if self.config.siblings && repetition == 0 {
            self.add_siblings(0, 0);
            for rewind in self.sibling_steps() {
                self.add_siblings(self.config.levels, rewind);
            }
        }
    }

    fn add_siblings(&mut self, level: u32, rewind: u64) {
        let key = |what| format!("r0-level{level}-{what}-{rewind}");
        let ticket_rewind = self.config.rewind;
        let mut sibling = |what, order| {
            let role = Role::Sibling { rewind, order };
            self.add(key(what), role, level, 0)
        };
        // The net's own training is one of the two, where it began at this step.
        let second = sibling("sibling", "order of the sibling");
        let first = if level == 0 {
            dense::key(0)
        } else if rewind == ticket_rewind {
            ticket_key(0, level)
        } else {
            sibling("twin", "order")
        };
        let role = Role::Line {
            rewind,
            ends: [first, second],
        };
        self.add(key("line"), role, level, 0);
    }

    /// The rounds after which there is a training.
    fn levels(&self) -> Vec<u32> {
        if self.config.one_shot {
            vec![self.config.levels]
        } else {
            (1..=self.config.levels).collect()
        }
    }

    /// Steps that siblings of the last ticket are wound back to: the beginning, a thirtieth and a
    /// sixth of the training, and where the tickets were wound back to.
    fn sibling_steps(&self) -> BTreeSet<u64> {
        let steps = self.config.steps;
        BTreeSet::from([0, steps / 30, steps / 6, self.config.rewind])
    }

    /// Steps of the dense training whose weights something begins with.
    fn kept_steps(&self) -> Vec<u64> {
        let mut steps = BTreeSet::from([0, self.config.rewind]);
        if self.config.siblings {
            steps.extend(self.sibling_steps());
        }
        steps.into_iter().collect()
    }

    /// The training before a ticket's.
    fn before(&self, plan: &Plan) -> String {
        if plan.level <= 1 || self.config.one_shot {
            dense::key(plan.repetition)
        } else {
            ticket_key(plan.repetition, plan.level - 1)
        }
    }

    /// What led to the mask of a ticket.
    fn spent_before(&self, plan: &Plan, bench: &Bench) -> Spent {
        let r = plan.repetition;
        let tickets = self
            .levels()
            .into_iter()
            .filter(|&level| level < plan.level);
        let trainings = tickets.map(|level| ticket_key(r, level));
        let dense = (plan.level > 0).then(|| dense::key(r));
        let all = dense.into_iter().chain(trainings);
        all.map(|key| bench.spent(&key))
            .fold(Spent::default(), |a, b| a + b)
    }

    fn ticket(&self, plan: &Plan, bench: &Bench) -> Result<Training> {
        let before = bench.past.outcome(&self.before(plan))?;
        let masks = pruned(&before, plan.level, &bench.spec)?;
        let rewind = self.config.rewind;
        self.begin_at(plan, bench, rewind, &masks, "order")
    }

    /// A training from the dense net's weights at a step, with these masks.
    fn begin_at(
        &self,
        plan: &Plan,
        bench: &Bench,
        rewind: u64,
        masks: &[Vec<u8>],
        order: &str,
    ) -> Result<Training> {
        let dense = bench.past.outcome(&dense::key(plan.repetition))?;
        let weights = dense.snapshot(&format!("step-{rewind}"))?;
        let (params, model) = ticket(bench, &weights, masks)?;
        let schedule = Schedule {
            order: dense::repetition_rng(&self.config, plan.repetition).split(order),
            ..self.wound_back(plan, bench, rewind)
        };
        Training::new(plan, schedule, params, model, &bench.images)
    }

    fn wound_back(&self, plan: &Plan, bench: &Bench, rewind: u64) -> Schedule {
        let last = plan.level == self.config.levels;
        let steps = self.config.last_steps.filter(|_| last);
        Schedule {
            steps: steps.unwrap_or(self.config.steps) - rewind,
            first_step: rewind,
            before: self.spent_before(plan, bench),
            ..schedule(plan, bench)
        }
    }

    fn reinitialised(&self, plan: &Plan, bench: &Bench) -> Result<Training> {
        let masks = ticket_masks(plan, bench)?;
        let label = format!("reinitialised, level {}", plan.level);
        let (params, _) = initialised(plan, bench, &label)?;
        let (params, model) = ticket(bench, &params.snapshot()?, &masks)?;
        let schedule = self.wound_back(plan, bench, self.config.rewind);
        Training::new(plan, schedule, params, model, &bench.images)
    }

    fn random_mask(&self, plan: &Plan, bench: &Bench) -> Result<Training> {
        let rng = dense::repetition_rng(&self.config, plan.repetition);
        let mut rng = rng.split(&format!("random mask, level {}", plan.level));
        let masks = ticket_masks(plan, bench)?;
        let masks: Vec<Vec<u8>> = masks
            .iter()
            .map(|mask| {
                let keep = mask.iter().map(|&keep| u64::from(keep)).sum();
                at_random(mask.len(), keep, &mut rng)
            })
            .collect();
        self.begin_at(plan, bench, self.config.rewind, &masks, "order")
    }

    fn role(&self, plan: &Plan) -> Result<&Role> {
        let entry = self.entries.iter().find(|entry| entry.plan == *plan);
        entry
            .map(|entry| &entry.role)
            .ok_or_else(|| Error::Input(format!("{} is not of this run", plan.key)))
    }
}

impl Procedure for Imp {
    fn plans(&self) -> Vec<Plan> {
        self.entries
            .iter()
            .map(|entry| entry.plan.clone())
            .collect()
    }

    fn begin(&self, plan: &Plan, bench: &Bench) -> Result<Box<dyn Work>> {
        Ok(Box::new(match self.role(plan)? {
            Role::Dense => dense::training(plan, bench, self.kept_steps())?,
            Role::Ticket => self.ticket(plan, bench)?,
            Role::Reinitialised => self.reinitialised(plan, bench)?,
            Role::RandomMask => self.random_mask(plan, bench)?,
            Role::Sibling { rewind, order } => {
                let masks = ticket_masks(plan, bench)?;
                self.begin_at(plan, bench, *rewind, &masks, order)?
            }
            Role::Line { rewind, ends } => {
                let [a, b] = [&ends[0], &ends[1]].map(|key| bench.past.outcome(key));
                return Ok(Box::new(Line::new(bench, *rewind, &*a?, &*b?)?));
            }
        }))
    }

    fn conclude(
        &self,
        plan: &Plan,
        outcome: &Outcome,
        bench: &Bench,
        extras: &mut Extras,
    ) -> Result<()> {
        if plan.repetition > 0 || !matches!(self.role(plan)?, Role::Dense | Role::Ticket) {
            return Ok(());
        }
        let first = if plan.level == 0 {
            outcome.snapshot("step-0")?
        } else {
            bench.past.outcome(&dense::key(0))?.snapshot("step-0")?
        };
        let masks = outcome.masks(&bench.spec)?;
        for (index, (layer, mask)) in bench.spec.layers.iter().zip(&masks).enumerate() {
            if let Some(first) = first.get(&layer.weight_name()) {
                let survivors = histogram(first, mask, plan.level, index);
                extras.survivors.push(survivors);
            }
        }
        Ok(())
    }
}

/// The mask of the ticket that a plan belongs to; the dense net's leaves everything.
fn ticket_masks(plan: &Plan, bench: &Bench) -> Result<Vec<Vec<u8>>> {
    let key = match plan.level {
        0 => dense::key(plan.repetition),
        level => ticket_key(plan.repetition, level),
    };
    bench.past.outcome(&key)?.masks(&bench.spec)
}

fn ticket_key(repetition: u32, level: u32) -> String {
    format!("r{repetition}-level{level}-ticket")
}

/// The masks of a ticket, out of the training before it.
///
/// # Errors
/// When that is one of another net.
pub fn pruned(before: &Outcome, level: u32, spec: &NetSpec) -> Result<Vec<Vec<u8>>> {
    let (weights, masks) = (before.snapshot("weight")?, before.masks(spec)?);
    let kept = ladder(spec, level).pop().unwrap_or_default();
    let layers = spec.layers.iter().zip(&masks).zip(kept);
    layers
        .map(|((layer, mask), keep)| {
            let name = layer.weight_name();
            let weights = weights
                .get(&name)
                .ok_or_else(|| Error::Input(format!("the stage has no weights {name}")))?;
            Ok(by_magnitude(weights, mask, keep))
        })
        .collect()
}
