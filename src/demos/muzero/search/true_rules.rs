//! The true rules in the tree, as in `AlphaZero`.
//!
//! A node's state is a real game, so legality and the end are known everywhere. What is not legal
//! gets no probability. A finished game is never stepped: what the tree asks for below its end
//! earns nothing and counts nothing. Only games that still run are shown to the evaluator.

use super::{Answers, Model, Request, Root};
use crate::demos::muzero::game::Game;
use crate::error::{Error, Result};

/// Predicts policies and values of real games.
pub trait Evaluator {
    /// Appends the policy logits `[games, actions]` and the values `[games]` for the players whose
    /// turn it is. No game is over. What it says of illegal actions does not count.
    ///
    /// # Errors
    /// When the network fails.
    fn evaluate(
        &mut self,
        games: &[&dyn Game],
        logits: &mut Vec<f32>,
        values: &mut Vec<f32>,
    ) -> Result<()>;
}

/// A [`Model`] that plays the real game.
pub struct TrueRules<'a> {
    evaluator: &'a mut dyn Evaluator,
    actions: usize,
    /// What the value after a move counts for the mover: negative in games for two.
    discount: f32,
    /// The game at each node of each tree, in the order of the nodes; `None` below an end.
    states: Vec<Vec<Option<Box<dyn Game>>>>,
    legal: Vec<bool>,
    logits: Vec<f32>,
    values: Vec<f32>,
}

impl<'a> TrueRules<'a> {
    /// Searches in copies of `games`, all of one kind and none of them over. `discount` is what a
    /// step later counts, 1 in board games; the change of turns is seen to.
    ///
    /// # Errors
    /// When a game cannot be copied, is over, or is of another kind.
    pub fn new(
        games: &[&dyn Game],
        discount: f32,
        evaluator: &'a mut dyn Evaluator,
    ) -> Result<Self> {
        let spec = games.first().map(|game| game.spec().clone());
        let two = spec.as_ref().is_some_and(|spec| spec.players == 2);
        let mut states = Vec::with_capacity(games.len());
        for game in games {
            if game.is_over() || Some(game.spec()) != spec.as_ref() {
                return Err(Error::Input(
                    "the search needs games of one kind that are not over".into(),
                ));
            }
            states.push(vec![Some(game.boxed_clone()?)]);
        }
        Ok(Self {
            evaluator,
            actions: spec.map_or(0, |spec| spec.actions),
            discount: if two { -discount } else { discount },
            states,
            legal: Vec::new(),
            logits: Vec::new(),
            values: Vec::new(),
        })
    }

    /// What is known of the games before the search, without noise.
    ///
    /// # Errors
    /// When the evaluator fails.
    pub fn roots(&mut self) -> Result<Vec<Root>> {
        let nodes: Vec<_> = (0..self.states.len()).map(|tree| (tree, 0)).collect();
        self.evaluate(&nodes)?;
        let mut roots = Vec::with_capacity(nodes.len());
        for (tree, &value) in self.values.iter().enumerate() {
            let mut legal = vec![false; self.actions];
            if let Some(game) = self.game(tree, 0) {
                game.legal(&mut legal);
            }
            roots.push(Root {
                logits: self.logits[tree * self.actions..(tree + 1) * self.actions].to_vec(),
                value,
                legal,
                noise: Vec::new(),
            });
        }
        Ok(roots)
    }

    /// The game at a node; `None` below the end of a game, or where there is no such node.
    #[must_use]
    pub fn game(&self, tree: usize, node: usize) -> Option<&dyn Game> {
        self.states.get(tree)?.get(node)?.as_deref()
    }

    /// Fills `logits` and `values` for these nodes, all of which hold games that go on.
    fn evaluate(&mut self, nodes: &[(usize, usize)]) -> Result<()> {
        self.logits.clear();
        self.values.clear();
        if nodes.is_empty() {
            return Ok(());
        }
        let games: Vec<&dyn Game> = nodes
            .iter()
            .filter_map(|&(tree, node)| self.states[tree][node].as_deref())
            .collect();
        self.evaluator
            .evaluate(&games, &mut self.logits, &mut self.values)?;
        if self.logits.len() != nodes.len() * self.actions || self.values.len() != nodes.len() {
            return Err(Error::Input(
                "the evaluator gave another number of answers than it was asked for".into(),
            ));
        }
        self.legal.resize(self.actions, false);
        for (game, logits) in games.iter().zip(self.logits.chunks_exact_mut(self.actions)) {
            game.legal(&mut self.legal);
            for (logit, &legal) in logits.iter_mut().zip(&self.legal) {
                if !legal {
                    *logit = f32::NEG_INFINITY;
                }
            }
        }
        Ok(())
    }

    /// Plays the action of a request, keeps the game, and gives the reward.
    fn play(&mut self, request: &Request) -> Result<f32> {
        let states = &mut self.states[request.tree];
        let parent = states[request.parent].as_ref();
        let (state, reward) = match parent.filter(|game| !game.is_over()) {
            Some(parent) => {
                let mut game = parent.boxed_clone()?;
                let reward = game.step(request.action)?;
                (Some(game), reward)
            }
            None => (None, 0.0),
        };
        // A simulation that failed may have left a game at this place.
        states.truncate(request.node);
        states.push(state);
        Ok(reward)
    }
}

impl Model for TrueRules<'_> {
    fn expand(&mut self, requests: &[Request], answers: &mut Answers) -> Result<()> {
        let mut running = Vec::with_capacity(requests.len());
        for request in requests {
            answers.rewards.push(self.play(request)?);
            let game = self.game(request.tree, request.node);
            if game.is_some_and(|game| !game.is_over()) {
                running.push((request.tree, request.node));
            }
        }
        self.evaluate(&running)?;
        let mut next = 0;
        for request in requests {
            if running.get(next) == Some(&(request.tree, request.node)) {
                let logits = &self.logits[next * self.actions..(next + 1) * self.actions];
                answers.logits.extend_from_slice(logits);
                answers.values.push(self.values[next]);
                answers.discounts.push(self.discount);
                next += 1;
            } else {
                answers
                    .logits
                    .extend(std::iter::repeat_n(0.0, self.actions));
                answers.values.push(0.0);
                answers.discounts.push(0.0);
            }
        }
        Ok(())
    }
}
