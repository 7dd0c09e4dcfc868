//! The trees of a batch, on flat arrays.
//!
//! A node is known by its number in the arrays, `tree * nodes + node`, so that no offset has to be
//! carried around. What belongs to an edge (reward, discount, prior) is kept at the node it leads
//! to, and visited children form a list: a descent looks at visited children only. The actions
//! that were not tried yet differ in nothing but their prior, so of these just the likeliest and
//! the sum are needed; both are kept and change only when the node gets a child. With the
//! thousands of actions of chess this saves nearly all of the work.

/// No node, no action.
pub(super) const NONE: u32 = u32::MAX;

/// Marks an action that is no longer, or never, to be tried first.
const TAKEN: f32 = -1.0;

/// All trees of a batch.
#[derive(Clone, Debug)]
pub(super) struct Forest {
    pub trees: usize,
    /// How many nodes a tree has room for.
    pub nodes: usize,
    pub actions: usize,
    /// The node above.
    pub parent: Vec<u32>,
    /// The action that leads here from the node above.
    pub action: Vec<u32>,
    /// How often the node was passed or reached; its own creation counts.
    pub visits: Vec<u32>,
    /// The mean of what was found at and below the node, for the player whose turn it is there.
    pub value: Vec<f32>,
    /// The value that the model gave.
    pub raw_value: Vec<f32>,
    /// What the action that leads here earned.
    pub reward: Vec<f32>,
    /// What the value here counts for the node above.
    pub discount: Vec<f32>,
    /// The probability of the action that leads here.
    pub prior: Vec<f32>,
    /// Its logarithm.
    pub log_prior: Vec<f32>,
    /// The visited child that was added last.
    first_child: Vec<u32>,
    /// The child of the same node that was added before.
    next_sibling: Vec<u32>,
    /// How many children were visited.
    pub children: Vec<u32>,
    /// The likeliest action without a child, the first of equals; none where all have probability 0,
    /// for those are ruled out.
    pub untried_best: Vec<u32>,
    /// The summed probability of the actions without a child.
    pub untried_sum: Vec<f32>,
    /// The probability of each action without a child, `[trees, nodes, actions]`; negative for the
    /// others and for what is not legal at the root.
    untried: Vec<f32>,
}

impl Forest {
    pub fn new(trees: usize, nodes: usize, actions: usize) -> Self {
        let all = trees * nodes;
        Self {
            trees,
            nodes,
            actions,
            parent: vec![NONE; all],
            action: vec![0; all],
            visits: vec![0; all],
            value: vec![0.0; all],
            raw_value: vec![0.0; all],
            reward: vec![0.0; all],
            discount: vec![0.0; all],
            prior: vec![1.0; all],
            log_prior: vec![0.0; all],
            first_child: vec![NONE; all],
            next_sibling: vec![NONE; all],
            children: vec![0; all],
            untried_best: vec![NONE; all],
            untried_sum: vec![0.0; all],
            untried: vec![0.0; all * actions],
        }
    }

    /// The number of a tree's root.
    pub fn root(&self, tree: usize) -> usize {
        tree * self.nodes
    }

    /// The probabilities of the actions without a child; negative for the others.
    pub fn untried(&self, node: usize) -> &[f32] {
        &self.untried[node * self.actions..(node + 1) * self.actions]
    }

    /// The visited children, the newest first.
    pub fn children(&self, node: usize) -> Children<'_> {
        Children {
            forest: self,
            next: self.first_child[node],
        }
    }

    /// What the action that leads to `node` is worth for the player who takes it.
    pub fn q(&self, node: usize) -> f32 {
        self.reward[node] + self.discount[node] * self.value[node]
    }

    /// Sets what is known of a root: probabilities of the actions, of which `legal` may be played.
    pub fn plant(&mut self, tree: usize, priors: &[f32], legal: &[bool], value: f32) {
        let root = self.root(tree);
        let start = root * self.actions;
        for (slot, (&prior, &legal)) in self.untried[start..]
            .iter_mut()
            .zip(priors.iter().zip(legal))
        {
            *slot = if legal { prior } else { TAKEN };
        }
        self.value_is(root, value);
    }

    /// Adds `node` below `parent`. Its reward, discount, value and logits are to be set too.
    pub fn attach(&mut self, node: usize, parent: usize, action: usize) {
        let slot = parent * self.actions + action;
        self.parent[node] = parent as u32;
        self.action[node] = action as u32;
        self.prior[node] = self.untried[slot];
        self.log_prior[node] = self.untried[slot].ln();
        self.untried[slot] = TAKEN;
        self.next_sibling[node] = self.first_child[parent];
        self.first_child[parent] = node as u32;
        self.children[parent] += 1;
        self.look_at_untried(parent);
    }

    /// Sets the model's prediction for a new node.
    pub fn fill(&mut self, node: usize, logits: &[f32], value: f32) {
        let start = node * self.actions;
        softmax(logits, &mut self.untried[start..start + self.actions]);
        self.value_is(node, value);
    }

    fn value_is(&mut self, node: usize, value: f32) {
        self.visits[node] = 1;
        self.value[node] = value;
        self.raw_value[node] = value;
        self.look_at_untried(node);
    }

    fn look_at_untried(&mut self, node: usize) {
        let (mut best, mut highest, mut sum) = (NONE, 0.0, 0.0);
        for (action, &prior) in self.untried(node).iter().enumerate() {
            if prior >= 0.0 {
                sum += prior;
                if prior > highest {
                    (best, highest) = (action as u32, prior);
                }
            }
        }
        self.untried_best[node] = best;
        self.untried_sum[node] = sum;
    }

    /// Carries the value of a new node up to the root. `seen` is told each Q-value on the way.
    pub fn back_up(&mut self, node: usize, mut seen: impl FnMut(f32)) {
        let mut gain = self.value[node];
        let mut node = node;
        while self.parent[node] != NONE {
            let parent = self.parent[node] as usize;
            gain = self.reward[node] + self.discount[node] * gain;
            seen(self.q(node));
            let count = self.visits[parent] as f32;
            self.value[parent] = (self.value[parent] * count + gain) / (count + 1.0);
            self.visits[parent] += 1;
            node = parent;
        }
    }
}

/// The visited children of a node.
pub(super) struct Children<'a> {
    forest: &'a Forest,
    next: u32,
}

impl Iterator for Children<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.next == NONE {
            return None;
        }
        let child = self.next as usize;
        self.next = self.forest.next_sibling[child];
        Some(child)
    }
}

/// Turns logits into probabilities.
pub(super) fn softmax(logits: &[f32], probabilities: &mut [f32]) {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (probability, &logit) in probabilities.iter_mut().zip(logits) {
        *probability = (logit - highest).exp();
        sum += *probability;
    }
    for probability in probabilities {
        *probability /= sum;
    }
}

/// The best of some scored things; of equals the one with the lowest number, in whatever order they
/// come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Best<T> {
    score: f32,
    number: u32,
    pub thing: Option<T>,
}

impl<T> Best<T> {
    pub fn new() -> Self {
        Self {
            score: f32::NEG_INFINITY,
            number: NONE,
            thing: None,
        }
    }

    pub fn offer(&mut self, score: f32, number: u32, thing: T) {
        // `total_cmp` is not meant: both zeros are equal.
        if score > self.score || (score >= self.score && number < self.number) {
            (self.score, self.number, self.thing) = (score, number, Some(thing));
        }
    }
}

/// Where a descent goes on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// To a child that is there.
    Down(usize),
    /// Nowhere: this action is tried for the first time.
    Try(usize),
}
