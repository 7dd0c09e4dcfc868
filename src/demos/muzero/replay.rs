//! The memory that learning draws from: the newest positions, likelier where the value was wrong.
//!
//! Positions lie in a ring; a game is forgotten when its last position is. Draws follow
//! priorities (Schaul et al. 2016, as in appendix G of the paper): position i comes with
//! probability pᵢ / Σp, and its loss is weighted by (1 / (N P(i)))^β with β = 1, scaled by the
//! greatest weight of the batch. Board games give every position the same priority.

use std::collections::BTreeMap;

use super::episode::{Episode, TargetRule};
use crate::rng::Rng;

/// Keeps every position possible.
const LEAST: f64 = 0.01;

/// A position that was drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draw {
    /// Its place in the ring.
    pub slot: usize,
    /// Its game.
    pub episode: u64,
    /// The moment in it.
    pub moment: usize,
    /// What its loss counts.
    pub weight: f32,
}

/// A game and how many of its positions are still in the ring.
struct Kept {
    episode: Episode,
    positions: usize,
}

/// The newest positions.
pub struct Replay {
    exponent: f64,
    episodes: BTreeMap<u64, Kept>,
    next_episode: u64,
    /// The game and moment of each position.
    slots: Vec<Option<(u64, u32)>>,
    /// Positions that were ever added.
    added: u64,
    tree: SumTree,
}

impl Replay {
    /// Room for so many positions; priorities are raised to `exponent`, 0 for even draws.
    #[must_use]
    pub fn new(capacity: usize, exponent: f64) -> Self {
        Self {
            exponent,
            episodes: BTreeMap::new(),
            next_episode: 0,
            slots: vec![None; capacity],
            added: 0,
            tree: SumTree::new(capacity),
        }
    }

    /// Positions that can be drawn.
    #[must_use]
    pub fn len(&self) -> usize {
        (self.added as usize).min(self.slots.len())
    }

    /// Whether there is nothing yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added == 0
    }

    /// Positions that were ever added.
    #[must_use]
    pub fn added(&self) -> u64 {
        self.added
    }

    /// Games, with their numbers in the order they came in.
    pub fn episodes(&self) -> impl Iterator<Item = (u64, &Episode)> {
        self.episodes.iter().map(|(id, kept)| (*id, &kept.episode))
    }

    /// One game, if it is not forgotten.
    #[must_use]
    pub fn episode(&self, id: u64) -> Option<&Episode> {
        self.episodes.get(&id).map(|kept| &kept.episode)
    }

    /// One game, to be looked at anew.
    pub fn episode_mut(&mut self, id: u64) -> Option<&mut Episode> {
        self.episodes.get_mut(&id).map(|kept| &mut kept.episode)
    }

    /// Adds a game; the oldest positions are forgotten.
    pub fn push(&mut self, episode: Episode, rule: &TargetRule) {
        let positions = episode.len();
        let id = self.next_episode;
        self.next_episode += 1;
        for moment in 0..positions {
            let priority = if self.exponent > 0.0 {
                let error = episode.values[moment] - episode.value(moment, rule);
                self.priority(f64::from(error.abs()))
            } else {
                1.0
            };
            self.place(id, moment as u32, priority);
        }
        // A game longer than the ring has pushed out its own beginning.
        let kept = positions.min(self.slots.len());
        if kept > 0 {
            let positions = kept;
            self.episodes.insert(id, Kept { episode, positions });
        }
    }

    fn place(&mut self, id: u64, moment: u32, priority: f64) {
        let slot = (self.added % self.slots.len() as u64) as usize;
        if let Some((old, _)) = self.slots[slot].replace((id, moment)) {
            self.forget_one(old);
        }
        self.tree.set(slot, priority);
        self.added += 1;
    }

    fn forget_one(&mut self, id: u64) {
        if let Some(kept) = self.episodes.get_mut(&id) {
            kept.positions -= 1;
            if kept.positions == 0 {
                self.episodes.remove(&id);
            }
        }
    }

    fn priority(&self, error: f64) -> f64 {
        (error + LEAST).powf(self.exponent)
    }

    /// Draws positions with replacement.
    #[must_use]
    pub fn draw(&self, count: usize, rng: &mut Rng) -> Vec<Draw> {
        let total = self.tree.total();
        let mut draws: Vec<Draw> = (0..count)
            .filter_map(|_| {
                let slot = self.tree.find(rng.uniform() * total);
                let (episode, moment) = self.slots[slot]?;
                let chance = self.tree.get(slot) / total;
                Some(Draw {
                    slot,
                    episode,
                    moment: moment as usize,
                    weight: (1.0 / (self.len() as f64 * chance)) as f32,
                })
            })
            .collect();
        let greatest = draws.iter().map(|d| d.weight).fold(0.0, f32::max);
        for draw in &mut draws {
            draw.weight /= greatest;
        }
        draws
    }

    /// The positions from number `first` on, as far as they are remembered, oldest first, each with
    /// the weight 1.
    #[must_use]
    pub fn since(&self, first: u64) -> Vec<Draw> {
        let capacity = self.slots.len() as u64;
        let first = first.max(self.added.saturating_sub(capacity));
        (first..self.added)
            .filter_map(|number| {
                let slot = (number % capacity) as usize;
                let (episode, moment) = self.slots[slot]?;
                Some(Draw {
                    slot,
                    episode,
                    moment: moment as usize,
                    weight: 1.0,
                })
            })
            .collect()
    }

    /// Tells how wrong the values of drawn positions were.
    pub fn update(&mut self, draws: &[Draw], errors: &[f32]) {
        if self.exponent > 0.0 {
            for (draw, error) in draws.iter().zip(errors) {
                let priority = self.priority(f64::from(error.abs()));
                self.tree.set(draw.slot, priority);
            }
        }
    }

    /// What a checkpoint holds beside the games.
    #[must_use]
    pub fn state(&self) -> ReplayState {
        ReplayState {
            slots: self.slots.iter().flatten().copied().collect(),
            priorities: (0..self.len()).map(|slot| self.tree.get(slot)).collect(),
            added: self.added,
            next_episode: self.next_episode,
        }
    }

    /// Takes up what a checkpoint held. `None` when it does not fit.
    #[must_use]
    pub fn restore(
        capacity: usize,
        exponent: f64,
        state: &ReplayState,
        episodes: Vec<(u64, Episode)>,
    ) -> Option<Self> {
        let mut replay = Self::new(capacity, exponent);
        let len = (state.added as usize).min(capacity);
        if (state.slots.len(), state.priorities.len()) != (len, len) {
            return None;
        }
        for (id, episode) in episodes {
            let positions = 0;
            replay.episodes.insert(id, Kept { episode, positions });
        }
        for (slot, (&(id, moment), &priority)) in
            state.slots.iter().zip(&state.priorities).enumerate()
        {
            let kept = replay.episodes.get_mut(&id)?;
            if moment as usize >= kept.episode.len() || !priority.is_finite() || priority < 0.0 {
                return None;
            }
            kept.positions += 1;
            replay.slots[slot] = Some((id, moment));
            replay.tree.set(slot, priority);
        }
        if replay.episodes.values().any(|kept| kept.positions == 0) {
            return None;
        }
        replay.added = state.added;
        replay.next_episode = state.next_episode;
        Some(replay)
    }
}

/// The ring of a [`Replay`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplayState {
    /// The game and moment of each position.
    pub slots: Vec<(u64, u32)>,
    /// Of each position.
    pub priorities: Vec<f64>,
    /// Positions that were ever added.
    pub added: u64,
    /// The number of the next game.
    pub next_episode: u64,
}

/// Weights with their sums, in a binary tree.
struct SumTree {
    /// The leaves begin in the middle; node i is the sum of 2i and 2i + 1.
    nodes: Vec<f64>,
}

impl SumTree {
    fn new(len: usize) -> Self {
        Self {
            nodes: vec![0.0; 2 * len.next_power_of_two()],
        }
    }

    fn leaf(&self, index: usize) -> usize {
        self.nodes.len() / 2 + index
    }

    fn get(&self, index: usize) -> f64 {
        self.nodes[self.leaf(index)]
    }

    fn total(&self) -> f64 {
        self.nodes[1]
    }

    fn set(&mut self, index: usize, weight: f64) {
        let mut node = self.leaf(index);
        self.nodes[node] = weight;
        while node > 1 {
            node /= 2;
            // Added anew, not by the difference: no error builds up.
            self.nodes[node] = self.nodes[2 * node] + self.nodes[2 * node + 1];
        }
    }

    /// The leaf in whose part of the total a number lies.
    fn find(&self, mut number: f64) -> usize {
        let mut node = 1;
        while node < self.nodes.len() / 2 {
            node *= 2;
            let left = self.nodes[node];
            // A leaf without weight is never taken, even if rounding points at it.
            if number >= left && self.nodes[node + 1] > 0.0 {
                number -= left;
                node += 1;
            }
        }
        node - self.nodes.len() / 2
    }
}
