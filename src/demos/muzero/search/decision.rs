//! What a search found out about its root.

use serde::{Deserialize, Serialize};

use super::batch::Search;
use super::config::Algorithm;
use super::gumbel::{self, Completed};
use super::tree::{Best, Step, softmax};

/// What a search found out about its root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The action to play: of the most visited ones the one with the highest score (Gumbel), or the
    /// most visited (pUCT; of equals the one with the higher Q-value).
    pub action: usize,
    /// The policy to learn, `[actions]`, 0 where not legal: the softmax of logits and completed
    /// Q-values (Gumbel), or the shares of visits (pUCT; before the first one the prior).
    pub policy: Vec<f32>,
    /// How often each action was taken, `[actions]`.
    pub visits: Vec<u32>,
    /// What each visited action is worth for the player whose turn it is, `[actions]`.
    pub values: Vec<Option<f32>>,
    /// The root's value after the search, for the player whose turn it is: the mean over all
    /// simulations, bad moves that were tried included. What the move promises is in `values`.
    pub value: f32,
    /// What the value was before the search.
    pub raw_value: f32,
}

impl Search {
    /// What has been found out about a tree's root so far, also before the first simulation.
    ///
    /// # Panics
    /// Where there is no such tree.
    #[must_use]
    pub fn decide(&self, tree: usize) -> Decision {
        let forest = &self.forest;
        let root = forest.root(tree);
        let mut visits = vec![0; forest.actions];
        let mut values = vec![None; forest.actions];
        for child in forest.children(root) {
            let action = forest.action[child] as usize;
            visits[action] = forest.visits[child];
            values[action] = Some(forest.q(child));
        }
        let (action, policy) = match &self.config.algorithm {
            Algorithm::Gumbel(_) => (self.gumbel_action(tree), self.gumbel_policy(tree)),
            Algorithm::Puct(_) => (self.puct_action(tree), self.puct_policy(tree, &visits)),
        };
        Decision {
            action,
            policy,
            visits,
            values,
            value: forest.value[root],
            raw_value: forest.raw_value[root],
        }
    }

    fn gumbel_action(&self, tree: usize) -> usize {
        let Algorithm::Gumbel(config) = &self.config.algorithm else {
            return 0;
        };
        let root = self.forest.root(tree);
        let most = self.most_visits(root);
        match gumbel::choose(&self.forest, root, &self.roots[tree].scores, config, most) {
            Some(Step::Down(child)) => self.forest.action[child] as usize,
            Some(Step::Try(action)) => action,
            None => 0,
        }
    }

    fn gumbel_policy(&self, tree: usize) -> Vec<f32> {
        let Algorithm::Gumbel(config) = &self.config.algorithm else {
            return Vec::new();
        };
        let forest = &self.forest;
        let root = forest.root(tree);
        let completed = Completed::new(forest, root, config);
        let mut logits = self.roots[tree].logits.clone();
        for (logit, &prior) in logits.iter_mut().zip(forest.untried(root)) {
            if prior >= 0.0 {
                *logit += completed.unvisited();
            }
        }
        for child in forest.children(root) {
            logits[forest.action[child] as usize] += completed.visited(forest.q(child));
        }
        let mut policy = vec![0.0; forest.actions];
        softmax(&logits, &mut policy);
        policy
    }

    fn puct_action(&self, tree: usize) -> usize {
        let forest = &self.forest;
        let root = forest.root(tree);
        let most = self.most_visits(root);
        let mut best = Best::new();
        for child in forest.children(root) {
            if forest.visits[child] == most {
                let action = forest.action[child];
                best.offer(forest.q(child), action, action);
            }
        }
        best.thing.unwrap_or(forest.untried_best[root]) as usize
    }

    fn puct_policy(&self, tree: usize, visits: &[u32]) -> Vec<f32> {
        let root = self.forest.root(tree);
        let sum: u32 = visits.iter().sum();
        if sum == 0 {
            let priors = self.forest.untried(root).iter();
            return priors.map(|prior| prior.max(0.0)).collect();
        }
        visits.iter().map(|&n| n as f32 / sum as f32).collect()
    }

    fn most_visits(&self, root: usize) -> u32 {
        let children = self.forest.children(root);
        children
            .map(|child| self.forest.visits[child])
            .max()
            .unwrap_or(0)
    }
}
