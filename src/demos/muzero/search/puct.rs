//! The first paper's choice (Schrittwieser et al. 2020, appendix B, equations 2 and 5).
//!
//! Deviation, as in mctx: the visits of a node count its own creation, so that before the first visit
//! of a child the prior decides, not the order of the actions.

use super::config::{PuctConfig, QNormalisation};
use super::tree::{Best, Forest, NONE, Step};

/// The narrowest range of Q-values that is stretched to `[0, 1]`.
const NARROWEST: f32 = 1e-8;

/// The smallest and the largest Q-value seen in a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub lowest: f32,
    pub highest: f32,
}

impl Range {
    /// Nothing seen yet.
    pub fn empty() -> Self {
        Self {
            lowest: f32::INFINITY,
            highest: f32::NEG_INFINITY,
        }
    }

    pub fn see(&mut self, q: f32) {
        self.lowest = self.lowest.min(q);
        self.highest = self.highest.max(q);
    }
}

/// Brings the Q-values of a node to `[0, 1]`.
struct Normalise {
    lowest: f32,
    range: f32,
}

impl Normalise {
    fn new(forest: &Forest, node: usize, tree: Range, kind: QNormalisation) -> Self {
        match kind {
            // One value alone has no range; it stays as it is.
            QNormalisation::Tree if tree.highest <= tree.lowest => Self {
                lowest: 0.0,
                range: 1.0,
            },
            QNormalisation::Tree => Self {
                lowest: tree.lowest,
                range: tree.highest - tree.lowest,
            },
            QNormalisation::Siblings => {
                let mut near = Range::empty();
                near.see(forest.value[node]);
                forest
                    .children(node)
                    .for_each(|child| near.see(forest.q(child)));
                Self {
                    lowest: near.lowest,
                    range: (near.highest - near.lowest).max(NARROWEST),
                }
            }
        }
    }

    fn of(&self, q: f32) -> f32 {
        (q - self.lowest) / self.range
    }
}

/// The action with the highest upper bound. Without a visit the Q-value counts as the lowest.
pub(super) fn descend(
    forest: &Forest,
    node: usize,
    tree: Range,
    config: &PuctConfig,
) -> Option<Step> {
    let untried = forest.untried_best[node];
    let visits = forest.visits[node] as f32;
    let weight = visits.sqrt() * (config.c1 + ((visits + config.c2 + 1.0) / config.c2).ln());
    let normalise = Normalise::new(forest, node, tree, config.normalisation);
    let mut best = Best::new();
    for child in forest.children(node) {
        let bonus = weight * forest.prior[child] / (forest.visits[child] as f32 + 1.0);
        let score = normalise.of(forest.q(child)) + bonus;
        best.offer(score, forest.action[child], Step::Down(child));
    }
    if untried != NONE {
        let score = weight * forest.untried(node)[untried as usize];
        best.offer(score, untried, Step::Try(untried as usize));
    }
    best.thing
}
