//! Regularised evolution (Real et al. 2019): a ring in which a child of the best of a few takes
//! the place of the oldest.
//!
//! Individuals are nodes of a tree that forgets: one that has died and has no descendants is used
//! again, and a dead one whose only child has its fitness is passed over, so that the line to the
//! best keeps every step of fitness with its mutation and little else.

use serde::{Deserialize, Serialize};

use super::evaluator::{Evaluator, Memories, Score};
use super::mutate::{Mutation, Space};
use super::program::Program;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// How children come about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A changed copy of the best of a few
    #[default]
    Evolution,
    /// A random program, the control
    Random,
}

/// One individual.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its program.
    pub program: Program,
    /// How good it is.
    pub score: Score,
    /// The number of its birth in its population.
    pub birth: u64,
    /// What made it differ from its parent.
    pub mutation: Mutation,
    /// Mutations without an effect on fitness between its parent and itself that are passed over.
    pub skipped: u32,
    parent: Option<u32>,
    children: u32,
    alive: bool,
}

/// A ring of individuals with their ancestors.
#[derive(Clone, Debug)]
pub struct Population {
    nodes: Vec<Node>,
    free: Vec<u32>,
    ring: Vec<u32>,
    oldest: usize,
    births: u64,
    tournament: usize,
    resolution: f32,
    method: Method,
    rng: Rng,
    evaluator: Evaluator,
    hurdle: f32,
    best: Option<u32>,
}

/// A population as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPopulation {
    nodes: Vec<Node>,
    free: Vec<u32>,
    ring: Vec<u32>,
    oldest: usize,
    births: u64,
    rng: Rng,
    hurdle: f32,
    best: Option<u32>,
    memories: Memories,
}

/// The most ancestors that are kept; where there are more, those without a record go first.
const MAX_NODES_PER_INDIVIDUAL: usize = 4;

impl Population {
    /// An empty ring; [`Population::grow`] fills it.
    #[must_use]
    pub fn new(tournament: usize, method: Method, rng: Rng, evaluator: Evaluator) -> Self {
        Self {
            nodes: Vec::new(),
            free: Vec::new(),
            ring: Vec::new(),
            oldest: 0,
            births: 0,
            tournament: tournament.max(1),
            resolution: 0.0,
            method,
            rng,
            evaluator,
            hurdle: 0.0,
            best: None,
        }
    }

    /// The same with tournaments that take no notice of smaller differences of fitness: what lies
    /// within the noise of the tasks does not sweep the population.
    #[must_use]
    pub fn with_resolution(mut self, resolution: f32) -> Self {
        self.resolution = resolution;
        self
    }

    /// Adds an individual without parents.
    pub fn grow(&mut self, program: Program) {
        let score = self.evaluator.evaluate(&program, 0.0);
        let node = self.take();
        let place = &mut self.nodes[node as usize];
        place.program = program;
        place.score = score;
        place.birth = self.births;
        self.births += 1;
        self.ring.push(node);
        self.note(node);
    }

    /// Individuals that were born so far.
    #[must_use]
    pub fn births(&self) -> u64 {
        self.births
    }

    /// The evaluator.
    #[must_use]
    pub fn evaluator(&self) -> &Evaluator {
        &self.evaluator
    }

    /// The individuals that live, from the oldest on.
    #[must_use]
    pub fn living(&self) -> impl ExactSizeIterator<Item = &Node> {
        let (young, old) = self.ring.split_at(self.oldest.min(self.ring.len()));
        let order: Vec<u32> = old.iter().chain(young).copied().collect();
        order.into_iter().map(|node| &self.nodes[node as usize])
    }

    /// The best that ever lived; among equals the first.
    #[must_use]
    pub fn best(&self) -> Option<&Node> {
        self.best.map(|node| &self.nodes[node as usize])
    }

    /// The ancestors of the best, from the first to itself.
    #[must_use]
    pub fn lineage(&self) -> Vec<&Node> {
        self.line_to(self.best)
    }

    fn line_to(&self, mut at: Option<u32>) -> Vec<&Node> {
        let mut line = Vec::new();
        while let Some(node) = at {
            line.push(&self.nodes[node as usize]);
            at = self.nodes[node as usize].parent;
        }
        line.reverse();
        line
    }

    /// Copies of individuals that won a tournament, each behind its ancestors.
    pub fn emigrants(&mut self, count: usize) -> Vec<Vec<Node>> {
        let winners: Vec<u32> = (0..count).map(|_| self.tournament()).collect();
        let line = |node| self.line_to(Some(node)).into_iter().cloned().collect();
        winners.into_iter().map(line).collect()
    }

    /// Takes in an individual with its ancestors, in the place of the oldest.
    pub fn immigrate(&mut self, line: &[Node]) {
        let Some((child, ancestors)) = line.split_last() else {
            return;
        };
        let mut parent = None;
        for ancestor in ancestors {
            let node = self.take();
            self.nodes[node as usize] = Node {
                parent,
                children: 0,
                alive: false,
                ..ancestor.clone()
            };
            if let Some(parent) = parent {
                self.nodes[parent as usize].children += 1;
            }
            parent = Some(node);
        }
        let node = self.take();
        self.nodes[node as usize].skipped = child.skipped;
        self.born(
            node,
            child.program.clone(),
            child.score,
            parent,
            child.mutation,
        );
    }

    /// Everything, for a checkpoint.
    #[must_use]
    pub fn save(&self) -> SavedPopulation {
        SavedPopulation {
            nodes: self.nodes.clone(),
            free: self.free.clone(),
            ring: self.ring.clone(),
            oldest: self.oldest,
            births: self.births,
            rng: self.rng.clone(),
            hurdle: self.hurdle,
            best: self.best,
            memories: self.evaluator.memories(),
        }
    }

    /// Puts back what was saved. The evaluator has to be new and for the same tasks.
    ///
    /// # Errors
    /// [`Error::Input`] when the parts do not fit together.
    pub fn restore(&mut self, saved: SavedPopulation) -> Result<()> {
        let count = saved.nodes.len() as u32;
        let links = saved.nodes.iter().filter_map(|node| node.parent);
        let named = saved
            .ring
            .iter()
            .chain(&saved.free)
            .copied()
            .chain(saved.best)
            .chain(links);
        if named.max().is_some_and(|most| most >= count) || saved.oldest > saved.ring.len() {
            return Err(Error::Input("the stored search is damaged".to_owned()));
        }
        self.nodes = saved.nodes;
        self.free = saved.free;
        self.ring = saved.ring;
        self.oldest = saved.oldest;
        self.births = saved.births;
        self.rng = saved.rng;
        self.hurdle = saved.hurdle;
        self.best = saved.best;
        self.evaluator.restore(&saved.memories);
        Ok(())
    }

    /// Sets what a program has to reach early to be run to the end: the early fitness that a part
    /// of the living, from 0 to 1, stays below.
    pub fn set_hurdle(&mut self, part: f32) {
        let mut early: Vec<f32> = self.living().map(|node| node.score.early).collect();
        early.sort_by(f32::total_cmp);
        early.dedup();
        let at = (part * early.len() as f32) as usize;
        self.hurdle = early.get(at).copied().unwrap_or(0.0);
    }

    /// Lets `count` individuals be born.
    pub fn run(&mut self, space: &Space, count: u64) {
        for _ in 0..count {
            self.step(space);
        }
    }

    fn step(&mut self, space: &Space) {
        if self.ring.is_empty() {
            return;
        }
        let child = self.take();
        let parent = match self.method {
            Method::Evolution => Some(self.tournament()),
            Method::Random => None,
        };
        let mut program = std::mem::take(&mut self.nodes[child as usize].program);
        let mutation = if let Some(parent) = parent {
            program.clone_from(&self.nodes[parent as usize].program);
            space.mutate(&mut program, &mut self.rng)
        } else {
            program = space.random_program(&mut self.rng);
            Mutation::RandomizeFunction
        };
        let score = self.evaluator.evaluate(&program, self.hurdle);
        self.born(child, program, score, parent, mutation);
    }

    /// Puts an evaluated child into the place of the oldest.
    fn born(
        &mut self,
        child: u32,
        program: Program,
        score: Score,
        parent: Option<u32>,
        mutation: Mutation,
    ) {
        let place = &mut self.nodes[child as usize];
        place.program = program;
        place.score = score;
        place.birth = self.births;
        place.parent = parent;
        place.mutation = mutation;
        self.births += 1;
        if let Some(parent) = parent {
            self.nodes[parent as usize].children += 1;
        }
        let dead = std::mem::replace(&mut self.ring[self.oldest], child);
        self.oldest = (self.oldest + 1) % self.ring.len();
        self.note(child);
        self.nodes[dead as usize].alive = false;
        self.tidy(dead);
    }

    fn tournament(&mut self) -> u32 {
        let mut best = self.ring[self.rng.below(self.ring.len())];
        for _ in 1..self.tournament {
            let other = self.ring[self.rng.below(self.ring.len())];
            let least = self.nodes[best as usize].score.fitness + self.resolution;
            if self.nodes[other as usize].score.fitness > least {
                best = other;
            }
        }
        best
    }

    fn note(&mut self, node: u32) {
        let fitness = self.nodes[node as usize].score.fitness;
        let record = self
            .best()
            .map_or(f32::NEG_INFINITY, |best| best.score.fitness);
        if fitness > record {
            // The former best need not be kept for its own sake any more.
            if let Some(former) = self.best.replace(node) {
                self.tidy(former);
            }
        }
    }

    /// A node to use.
    fn take(&mut self) -> u32 {
        let node = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(Node::default());
            self.nodes.len() as u32 - 1
        });
        let place = &mut self.nodes[node as usize];
        place.parent = None;
        place.children = 0;
        place.skipped = 0;
        place.mutation = Mutation::Copy;
        place.alive = true;
        node
    }

    /// Frees a node and its ancestors where nobody needs them.
    fn tidy(&mut self, node: u32) {
        let mut at = Some(node);
        while let Some(node) = at {
            let place = &mut self.nodes[node as usize];
            if place.alive || place.children > 0 || self.best == Some(node) {
                break;
            }
            at = place.parent.take();
            self.free.push(node);
            if let Some(parent) = at {
                self.nodes[parent as usize].children -= 1;
            }
        }
    }

    /// Passes over dead ancestors whose only child has their fitness, and where still too many are
    /// left over those that did not improve on their parents.
    pub fn shorten(&mut self) {
        let limit = MAX_NODES_PER_INDIVIDUAL * self.ring.len();
        self.pass_over(|parent, node| parent.fitness.to_bits() == node.fitness.to_bits());
        if self.nodes.len() - self.free.len() > limit {
            self.pass_over(|parent, node| node.fitness <= parent.fitness);
        }
    }

    /// Passes over dead nodes with one child where `dull` says so of their parents' and their own
    /// score.
    fn pass_over(&mut self, dull: impl Fn(Score, Score) -> bool) {
        for node in 0..self.nodes.len() as u32 {
            while let Some(parent) = self.nodes[node as usize].parent {
                let Node {
                    alive,
                    children,
                    score,
                    skipped,
                    parent: grandparent,
                    ..
                } = self.nodes[parent as usize];
                let Some(grandparent) = grandparent else {
                    break;
                };
                let passed = !alive
                    && children == 1
                    && self.best != Some(parent)
                    && dull(self.nodes[grandparent as usize].score, score);
                if !passed {
                    break;
                }
                // The grandparent keeps its number of children: this one for that one.
                let place = &mut self.nodes[node as usize];
                place.parent = Some(grandparent);
                place.skipped += skipped + 1;
                self.nodes[parent as usize].parent = None;
                self.nodes[parent as usize].children = 0;
                self.free.push(parent);
            }
        }
    }
}
