//! Gumbel `MuZero`'s choices (Danihelka et al. 2022, sections 3 to 5 and appendix D).
//!
//! At the root the sampled actions are halved round by round; below it the choice is deterministic
//! and brings the visits near the improved policy, the softmax of logits and completed Q-values.

use super::config::GumbelConfig;
use super::halving::Stage;
use super::tree::{Best, Forest, NONE, Step};

/// Scores do not fall below this, so that an action the policy rules out can still be visited when
/// it is the only one.
const LOWEST: f32 = -1e9;

/// What a root keeps beside its node.
#[derive(Clone, Debug, Default)]
pub(super) struct RootScores {
    /// Gumbel noise plus logits, `[actions]`; the logits' maximum over legal actions is 0.
    pub base: Vec<f32>,
    /// The visit count that each simulation has to choose among.
    pub schedule: Vec<u32>,
    /// The rounds of halving.
    pub stages: Vec<Stage>,
}

/// How Q-values of one node are completed and brought to the scale of logits.
pub(super) struct Completed {
    lowest: f32,
    range: f32,
    scale: f32,
    /// What stands for an action without a visit: the mixed value of appendix D.
    mixed: f32,
}

impl Completed {
    pub fn new(forest: &Forest, node: usize, config: &GumbelConfig) -> Self {
        let (mut probability, mut weighted) = (0.0, 0.0);
        let (mut lowest, mut highest) = (f32::INFINITY, f32::NEG_INFINITY);
        let mut most = 0;
        for child in forest.children(node) {
            let q = forest.q(child);
            let prior = forest.prior[child].max(f32::MIN_POSITIVE);
            probability += prior;
            weighted += prior * q;
            lowest = lowest.min(q);
            highest = highest.max(q);
            most = most.max(forest.visits[child]);
        }
        let mut mixed = forest.raw_value[node];
        if probability > 0.0 {
            let visits = (forest.visits[node] - 1) as f32;
            mixed = (mixed + visits * (weighted / probability)) / (visits + 1.0);
        }
        // Also actions that are not legal at the root count as not visited, as in mctx.
        if (forest.children[node] as usize) < forest.actions {
            lowest = lowest.min(mixed);
            highest = highest.max(mixed);
        }
        Self {
            lowest,
            range: (highest - lowest).max(config.least_range),
            scale: (config.max_visit_init + most as f32) * config.value_scale,
            mixed,
        }
    }

    /// The completed Q-value of a visited action with this Q-value.
    pub fn visited(&self, q: f32) -> f32 {
        self.scale * ((q - self.lowest) / self.range)
    }

    /// The completed Q-value of an action without a visit.
    pub fn unvisited(&self) -> f32 {
        self.visited(self.mixed)
    }
}

/// The highest score at a root among the legal actions with this visit count.
pub(super) fn choose(
    forest: &Forest,
    root: usize,
    scores: &RootScores,
    config: &GumbelConfig,
    visits: u32,
) -> Option<Step> {
    let completed = Completed::new(forest, root, config);
    let mut best = Best::new();
    if visits == 0 {
        let completed = completed.unvisited();
        for (action, (&prior, &base)) in forest.untried(root).iter().zip(&scores.base).enumerate() {
            if prior >= 0.0 {
                let score = LOWEST.max(base + completed);
                best.offer(score, action as u32, Step::Try(action));
            }
        }
    } else {
        for child in forest.children(root) {
            if forest.visits[child] == visits {
                let action = forest.action[child];
                let score = scores.base[action as usize] + completed.visited(forest.q(child));
                best.offer(LOWEST.max(score), action, Step::Down(child));
            }
        }
    }
    best.thing
}

/// The choice below the root (section 5). `weights` is working space.
pub(super) fn descend(
    forest: &Forest,
    node: usize,
    config: &GumbelConfig,
    weights: &mut Vec<(usize, f32)>,
) -> Option<Step> {
    let untried = forest.untried_best[node];
    if forest.children[node] == 0 {
        return (untried != NONE).then_some(Step::Try(untried as usize));
    }
    let completed = Completed::new(forest, node, config);
    weights.clear();
    // Logits of the improved policy; those of all actions without a visit as one.
    let rest = forest.untried_sum[node].ln() + completed.unvisited();
    let mut highest = rest;
    for child in forest.children(node) {
        let logit = forest.log_prior[child] + completed.visited(forest.q(child));
        highest = highest.max(logit);
        weights.push((child, logit));
    }
    let rest = (rest - highest).exp();
    let mut sum = rest;
    for (_, weight) in &mut *weights {
        *weight = (*weight - highest).exp();
        sum += *weight;
    }
    let mut best = Best::new();
    for &(child, weight) in &*weights {
        let share = forest.visits[child] as f32 / forest.visits[node] as f32;
        let score = weight / sum - share;
        best.offer(score, forest.action[child], Step::Down(child));
    }
    if untried != NONE {
        let prior = forest.untried(node)[untried as usize];
        let of_rest = prior / forest.untried_sum[node].max(f32::MIN_POSITIVE);
        let score = of_rest * rest / sum;
        best.offer(score, untried, Step::Try(untried as usize));
    }
    best.thing
}
