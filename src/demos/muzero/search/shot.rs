//! A tree as plain data, to be drawn.

use serde::{Deserialize, Serialize};

use super::batch::Search;
use super::config::{Algorithm, GumbelConfig};
use super::gumbel::Completed;
use super::halving::Stage;

/// A tree as plain data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TreeShot {
    /// In the order in which they were added; the first is the root.
    pub nodes: Vec<NodeShot>,
    /// The rounds of sequential halving so far; none with pUCT.
    pub rounds: Vec<Round>,
}

/// A node, with the edge that leads to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeShot {
    /// The node above; `None` for the root.
    pub parent: Option<usize>,
    /// The action that leads here; 0 for the root.
    pub action: usize,
    /// How many actions from the root.
    pub depth: usize,
    /// How often the node was passed or reached; for the root one more than simulations.
    pub visits: u32,
    /// The probability of the action that leads here, with noise where there is some; 1 for the
    /// root.
    pub prior: f32,
    /// The mean value, for the player whose turn it is here.
    pub value: f32,
    /// The value the model gave, for the same player.
    pub raw_value: f32,
    /// What the action that leads here earned the player who took it.
    pub reward: f32,
    /// What the action that leads here is worth for the player who took it; the root's own value
    /// for the root.
    pub q: f32,
}

/// A round of sequential halving.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// How many simulations were done when it began.
    pub after: usize,
    /// The root's actions still considered, in rising order. Those the round has not come to yet are
    /// told by their present scores, which may change until then.
    pub survivors: Vec<usize>,
}

impl Search {
    /// A tree as it is now.
    ///
    /// # Panics
    /// Where there is no such tree.
    #[must_use]
    pub fn shot(&self, tree: usize) -> TreeShot {
        let mut nodes: Vec<NodeShot> = Vec::with_capacity(self.done + 1);
        for index in 0..=self.done {
            let node = self.node_shot(tree, index, &nodes);
            nodes.push(node);
        }
        let rounds = match &self.config.algorithm {
            Algorithm::Gumbel(config) => self.rounds(tree, config),
            Algorithm::Puct(_) => Vec::new(),
        };
        TreeShot { nodes, rounds }
    }

    fn node_shot(&self, tree: usize, index: usize, above: &[NodeShot]) -> NodeShot {
        let forest = &self.forest;
        let root = forest.root(tree);
        let node = root + index;
        let parent = (index > 0).then(|| forest.parent[node] as usize - root);
        NodeShot {
            parent,
            action: forest.action[node] as usize,
            depth: parent.map_or(0, |parent| above[parent].depth + 1),
            visits: forest.visits[node],
            prior: forest.prior[node],
            value: forest.value[node],
            raw_value: forest.raw_value[node],
            reward: forest.reward[node],
            q: match parent {
                Some(_) => forest.q(node),
                None => forest.value[node],
            },
        }
    }

    /// Which actions a round is about shows in what its first simulations began with: each takes
    /// another one. What is left of a round that has just begun is told by the scores.
    fn rounds(&self, tree: usize, config: &GumbelConfig) -> Vec<Round> {
        let simulations = self.config.simulations;
        let log = &self.first_actions[tree * simulations..][..self.done];
        let begun = |stage: &&Stage| stage.after <= self.done;
        let stages = self.roots[tree].scores.stages.iter().filter(begun);
        stages
            .map(|stage| {
                let end = (stage.after + stage.considered).min(self.done);
                let taken = log[stage.after..end].iter();
                let mut survivors: Vec<usize> = taken.map(|&action| action as usize).collect();
                if survivors.len() < stage.considered {
                    let visits = self.roots[tree].scores.schedule.get(stage.after);
                    let rest = self.ranking(tree, config, visits.copied().unwrap_or(0));
                    survivors.extend(rest.into_iter().take(stage.considered - survivors.len()));
                }
                survivors.sort_unstable();
                Round {
                    after: stage.after,
                    survivors,
                }
            })
            .collect()
    }

    /// The root's legal actions with this visit count, the highest score first.
    fn ranking(&self, tree: usize, config: &GumbelConfig, visits: u32) -> Vec<usize> {
        let forest = &self.forest;
        let root = forest.root(tree);
        let completed = Completed::new(forest, root, config);
        let base = &self.roots[tree].scores.base;
        let mut scored: Vec<(f32, usize)> = if visits == 0 {
            let untried = forest.untried(root).iter().enumerate();
            let untried = untried.filter(|(_, prior)| **prior >= 0.0);
            untried
                .map(|(action, _)| (base[action] + completed.unvisited(), action))
                .collect()
        } else {
            let children = forest.children(root);
            let children = children.filter(|&child| forest.visits[child] == visits);
            children
                .map(|child| {
                    let action = forest.action[child] as usize;
                    (base[action] + completed.visited(forest.q(child)), action)
                })
                .collect()
        };
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.into_iter().map(|(_, action)| action).collect()
    }
}
