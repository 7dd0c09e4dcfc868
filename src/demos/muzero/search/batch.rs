//! A batch of searches in lockstep.
//!
//! Each simulation descends every tree to an action that was not tried yet, asks the model for all
//! of them at once, and carries the values up. All trees therefore hold equally many nodes, and the
//! node that simulation `i` adds is number `i` (counted from 1).

use super::config::{Algorithm, GumbelConfig, PuctConfig, SearchConfig};
use super::gumbel::{self, RootScores};
use super::halving::schedule;
use super::puct::{self, Range};
use super::tree::{Forest, Step, softmax};
use super::{Answers, Model, Request, Root};
use crate::error::{Error, Result};

/// Searches from some roots, all of one kind and size.
#[derive(Clone, Debug)]
pub struct Search {
    pub(super) config: SearchConfig,
    pub(super) forest: Forest,
    pub(super) roots: Vec<RootState>,
    /// Simulations done.
    pub(super) done: usize,
    /// The action each simulation began with, `[trees, simulations]`.
    pub(super) first_actions: Vec<u32>,
    requests: Vec<Request>,
    answers: Answers,
    weights: Vec<(usize, f32)>,
}

/// What is kept of a root beside its node.
#[derive(Clone, Debug)]
pub(super) struct RootState {
    /// Logits, at most 0, minus infinity for what is not legal, `[actions]`.
    pub logits: Vec<f32>,
    /// For Gumbel's choice; empty otherwise.
    pub scores: RootScores,
    /// The Q-values seen in the tree.
    pub range: Range,
}

impl Search {
    /// Begins searches from `roots` in a game with so many `actions`.
    ///
    /// The noise of a root is mixed into the prior (pUCT) or added to the logits (Gumbel); an empty
    /// one is no noise. What the logits say of illegal actions does not count.
    ///
    /// # Errors
    /// When a root has no legal action, a wrong number of logits, legal actions or noise, or
    /// numbers that are not finite.
    pub fn new(config: &SearchConfig, actions: usize, roots: Vec<Root>) -> Result<Self> {
        let trees = roots.len();
        let nodes = config.simulations + 1;
        let mut forest = Forest::new(trees, nodes, actions);
        let mut states = Vec::with_capacity(trees);
        let mut priors = vec![0.0; actions];
        for (tree, mut root) in roots.into_iter().enumerate() {
            normalise(&mut root, actions)?;
            softmax(&root.logits, &mut priors);
            let mut scores = RootScores::default();
            match &config.algorithm {
                Algorithm::Gumbel(gumbel) => {
                    scores = root_scores(&root, gumbel, config.simulations);
                }
                Algorithm::Puct(puct) => mix_noise(&mut priors, &root, puct),
            }
            forest.plant(tree, &priors, &root.legal, root.value);
            states.push(RootState {
                logits: root.logits,
                scores,
                range: Range::empty(),
            });
        }
        Ok(Self {
            config: config.clone(),
            forest,
            roots: states,
            done: 0,
            first_actions: vec![0; trees * config.simulations],
            requests: Vec::with_capacity(trees),
            answers: Answers::default(),
            weights: Vec::with_capacity(actions.min(nodes)),
        })
    }

    /// How many trees there are.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.forest.trees
    }

    /// How many simulations were done.
    #[must_use]
    pub fn simulations(&self) -> usize {
        self.done
    }

    /// Whether all simulations were done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done >= self.config.simulations
    }

    /// Does one simulation in every tree, with one call of the model.
    ///
    /// # Errors
    /// When all simulations were done, the model fails, or answers too few numbers or such that are
    /// not finite. The trees are then as they were before.
    pub fn simulate(&mut self, model: &mut dyn Model) -> Result<()> {
        if self.is_done() {
            return Err(Error::Input(
                "the search has done all its simulations".into(),
            ));
        }
        self.requests.clear();
        for tree in 0..self.forest.trees {
            let request = self.descend(tree)?;
            self.requests.push(request);
        }
        self.answers.clear();
        model.expand(&self.requests, &mut self.answers)?;
        self.answers
            .check(self.requests.len(), self.forest.actions)?;
        for index in 0..self.requests.len() {
            self.grow(index);
        }
        self.done += 1;
        Ok(())
    }

    /// Finds what a tree has to try next.
    fn descend(&mut self, tree: usize) -> Result<Request> {
        let root = self.forest.root(tree);
        let mut node = root;
        loop {
            let step = self.step(tree, node).ok_or_else(not_finite)?;
            if node == root {
                let action = match step {
                    Step::Down(child) => self.forest.action[child],
                    Step::Try(action) => action as u32,
                };
                self.first_actions[tree * self.config.simulations + self.done] = action;
            }
            match step {
                Step::Down(child) => node = child,
                Step::Try(action) => {
                    return Ok(Request {
                        tree,
                        parent: node - root,
                        node: self.done + 1,
                        action,
                    });
                }
            }
        }
    }

    fn step(&mut self, tree: usize, node: usize) -> Option<Step> {
        let (forest, state) = (&self.forest, &self.roots[tree]);
        match &self.config.algorithm {
            Algorithm::Gumbel(config) if node == forest.root(tree) => {
                let visits = state.scores.schedule[self.done];
                gumbel::choose(forest, node, &state.scores, config, visits)
            }
            Algorithm::Gumbel(config) => gumbel::descend(forest, node, config, &mut self.weights),
            Algorithm::Puct(config) => puct::descend(forest, node, state.range, config),
        }
    }

    /// Adds the node that a request asked for, and carries its value up.
    fn grow(&mut self, index: usize) {
        let request = self.requests[index];
        let (forest, answers) = (&mut self.forest, &self.answers);
        let root = forest.root(request.tree);
        let node = root + request.node;
        forest.attach(node, root + request.parent, request.action);
        forest.reward[node] = answers.rewards[index];
        forest.discount[node] = answers.discounts[index];
        let logits = &answers.logits[index * forest.actions..(index + 1) * forest.actions];
        forest.fill(node, logits, answers.values[index]);
        let range = &mut self.roots[request.tree].range;
        forest.back_up(node, |q| range.see(q));
    }
}

impl Answers {
    /// Takes all numbers out, and keeps the room for others.
    pub fn clear(&mut self) {
        self.rewards.clear();
        self.discounts.clear();
        self.logits.clear();
        self.values.clear();
    }

    fn check(&self, requests: usize, actions: usize) -> Result<()> {
        let one_each = [&self.rewards, &self.discounts, &self.values];
        if one_each.iter().any(|list| list.len() != requests)
            || self.logits.len() != requests * actions
        {
            return Err(Error::Input(
                "the model gave another number of answers than it was asked for".into(),
            ));
        }
        // Minus infinity rules an action out, so logits may hold it, but not for all actions.
        let logits = |row: &[f32]| {
            let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            highest.is_finite() && !row.iter().any(|logit| logit.is_nan())
        };
        let finite = one_each
            .iter()
            .all(|list| list.iter().all(|number| number.is_finite()));
        if finite && self.logits.chunks_exact(actions.max(1)).all(logits) {
            Ok(())
        } else {
            Err(not_finite())
        }
    }
}

fn not_finite() -> Error {
    Error::Input("the search was given numbers that are not finite".into())
}

/// Checks a root, rules out what is not legal, and shifts the logits so that the highest is 0.
fn normalise(root: &mut Root, actions: usize) -> Result<()> {
    let noise = root.noise.len();
    if root.logits.len() != actions
        || root.legal.len() != actions
        || (noise != actions && noise != 0)
    {
        return Err(Error::Input(
            "a root of the search does not fit the number of actions".into(),
        ));
    }
    if !root.legal.contains(&true) {
        return Err(Error::Input(
            "nothing can be searched where no action is legal".into(),
        ));
    }
    for (logit, &legal) in root.logits.iter_mut().zip(&root.legal) {
        if !legal {
            *logit = f32::NEG_INFINITY;
        }
    }
    let highest = root
        .logits
        .iter()
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
    let noise = root.noise.iter().all(|number| number.is_finite());
    if !highest.is_finite()
        || !root.value.is_finite()
        || !noise
        || root.logits.iter().any(|logit| logit.is_nan())
    {
        return Err(not_finite());
    }
    for logit in &mut root.logits {
        *logit -= highest;
    }
    Ok(())
}

fn root_scores(root: &Root, config: &GumbelConfig, simulations: usize) -> RootScores {
    let legal = root.legal.iter().filter(|&&legal| legal).count();
    let (schedule, stages) = schedule(config.considered.min(legal), simulations);
    let mut base = root.logits.clone();
    for (score, noise) in base.iter_mut().zip(&root.noise) {
        *score += config.scale * noise;
    }
    RootScores {
        base,
        schedule,
        stages,
    }
}

/// Mixes a Dirichlet sample into a root's prior. What the sample gives illegal actions is lost and
/// the rest scaled up.
fn mix_noise(priors: &mut [f32], root: &Root, config: &PuctConfig) {
    if root.noise.is_empty() {
        return;
    }
    let fraction = config.dirichlet_fraction;
    let mut sum = 0.0;
    for ((prior, noise), &legal) in priors.iter_mut().zip(&root.noise).zip(&root.legal) {
        if legal {
            *prior = (1.0 - fraction) * *prior + fraction * noise;
            sum += *prior;
        }
    }
    for prior in priors {
        *prior /= sum;
    }
}
