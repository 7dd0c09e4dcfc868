//! Tree search in a model, batched over games.
//!
//! A [`Search`] holds one tree for each of its roots, all on flat arrays and all growing by one
//! node a simulation, so that a network evaluates one batch a simulation. What a node's state is,
//! only the [`Model`] knows: it stores states under (tree, node) and answers what follows from an
//! action. A learned model keeps numbers there, the true rules a game, a test a table.
//!
//! Trees and decisions are those of mctx 0.0.71 to rounding (`tests/muzero/search.rs`). Two things
//! differ. Illegal actions are ruled out before Dirichlet noise is mixed in, as in the paper's
//! pseudocode, not after. And pUCT's most visited action is chosen among equals by its Q-value.

mod batch;
mod config;
mod decision;
mod gumbel;
mod halving;
mod noise;
mod puct;
mod shot;
mod tree;
mod true_rules;

pub use batch::Search;
pub use config::{Algorithm, GumbelConfig, PuctConfig, QNormalisation, SearchConfig};
pub use decision::Decision;
pub use noise::{dirichlet_noise, gumbel_noise, sample};
pub use shot::{NodeShot, Round, TreeShot};
pub use true_rules::{Evaluator, TrueRules};

use crate::error::Result;

/// What has to be computed: the state after `action` in the state of `parent`, to be kept as `node`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The tree, counted from 0 in the order of the roots.
    pub tree: usize,
    /// The node whose state is known; 0 is the root.
    pub parent: usize,
    /// The node that is new.
    pub node: usize,
    /// The action between them.
    pub action: usize,
}

/// The model's answers, one for each request in order.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// What the action earned the player who took it.
    pub rewards: Vec<f32>,
    /// What the value of the new state counts for the player who took the action: the discount,
    /// negative where the turn passes to the other player, 0 after the end of a game.
    pub discounts: Vec<f32>,
    /// Policy logits at the new state, `[requests, actions]`.
    pub logits: Vec<f32>,
    /// The new state's value for the player whose turn it is there.
    pub values: Vec<f32>,
}

/// What a search plans in.
pub trait Model {
    /// Answers all requests and keeps the new states. `answers` comes in empty.
    ///
    /// # Errors
    /// When the network or the game fails.
    fn expand(&mut self, requests: &[Request], answers: &mut Answers) -> Result<()>;
}

/// What is known of a root before the search: the prediction of its state, which the model holds
/// as node 0.
#[derive(Clone, Debug)]
pub struct Root {
    /// Policy logits.
    pub logits: Vec<f32>,
    /// The value for the player whose turn it is.
    pub value: f32,
    /// What may be played.
    pub legal: Vec<bool>,
    /// Chance: Gumbel numbers, or a Dirichlet sample for pUCT; empty for none.
    pub noise: Vec<f32>,
}
