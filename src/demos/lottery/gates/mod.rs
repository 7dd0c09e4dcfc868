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
pub use net::GateNet;
pub use units::{Chosen, choose, narrow, relative_norms};

use super::net::NetSpec;

/// The mean that the penalty pulls the gates to, the authors' `sparsity_level`.
pub const SPARSITY: f64 = 0.2;

/// The weight of the penalty, the authors' `lambd`.
pub const PENALTY: f64 = 0.5;

/// Adam's learning rate of the gates.
pub const LEARNING_RATE: f64 = 0.01;

/// Steps of a search at least: twice what a gate needs to go from 1 to 0.
pub const LEAST_SEARCH: u64 = 200;

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
