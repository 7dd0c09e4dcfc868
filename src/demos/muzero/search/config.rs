//! What can be set about a search.

use serde::{Deserialize, Serialize};

/// A search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchConfig {
    /// How many nodes are added to the root; 0 plays from the network alone.
    pub simulations: usize,
    /// How the tree is descended.
    pub algorithm: Algorithm,
}

/// How the tree is descended and a move chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Algorithm {
    /// Danihelka et al. 2022.
    Gumbel(GumbelConfig),
    /// Schrittwieser et al. 2020, appendix B.
    Puct(PuctConfig),
}

/// Gumbel `MuZero` (Danihelka et al. 2022, sections 3 to 5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GumbelConfig {
    /// How many actions are sampled at the root, `m`; fewer where fewer are legal.
    pub considered: usize,
    /// `c_scale`: what a completed Q-value in `[0, 1]` weighs against a logit.
    pub value_scale: f32,
    /// `c_visit`: what is added to the highest visit count before that.
    pub max_visit_init: f32,
    /// Scale of the Gumbel noise at the root; 0 plays greedily.
    pub scale: f32,
    /// The narrowest range of a node's Q-values that is stretched to `[0, 1]`. mctx stretches every
    /// range, which makes much of nothing where all moves are alike.
    pub least_range: f32,
}

impl Default for GumbelConfig {
    fn default() -> Self {
        Self {
            considered: 16,
            value_scale: 0.1,
            max_visit_init: 50.0,
            scale: 1.0,
            least_range: 1e-8,
        }
    }
}

impl GumbelConfig {
    /// For games that are lost, drawn or won: values lie between -1 and 1, and weigh as in the
    /// paper's experiments with Go, a little less for the noise of small networks.
    #[must_use]
    pub fn board() -> Self {
        Self {
            value_scale: 0.5,
            least_range: 2.0,
            ..Self::default()
        }
    }

    /// For games whose rewards come in ones.
    #[must_use]
    pub fn arcade() -> Self {
        Self {
            least_range: 1.0,
            ..Self::default()
        }
    }
}

/// The search of the first paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PuctConfig {
    /// `c_1` of equation 2: the weight of the prior.
    pub c1: f32,
    /// `c_2` of equation 2: at about so many visits the prior weighs more.
    pub c2: f32,
    /// Concentration of the Dirichlet noise, for whoever draws the roots' noise.
    pub dirichlet_alpha: f32,
    /// How much of a root's prior its noise replaces.
    pub dirichlet_fraction: f32,
    /// Moves are drawn from visit counts to the power of one over this, by whoever plays; 0 plays
    /// the most visited action.
    pub temperature: f32,
    /// How Q-values are brought to `[0, 1]`.
    pub normalisation: QNormalisation,
}

impl Default for PuctConfig {
    fn default() -> Self {
        Self {
            c1: 1.25,
            c2: 19_652.0,
            dirichlet_alpha: 0.3,
            dirichlet_fraction: 0.25,
            temperature: 1.0,
            normalisation: QNormalisation::Tree,
        }
    }
}

/// Between which values a Q-value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QNormalisation {
    /// The smallest and the largest Q seen in the whole tree so far (Schrittwieser et al. 2020,
    /// equation 5).
    Tree,
    /// The smallest and the largest of the node's value and its children's Q-values, as in mctx.
    /// Where they hardly differ, this makes much of little.
    Siblings,
}
