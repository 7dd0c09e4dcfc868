//! The fitness of a program, with as little work as may be.
//!
//! Before anything runs: dead code is left out, and a program that computes the same as one seen
//! lately for obvious reasons gets its fitness ([`Analysis::canonical_hash`]). After a few examples:
//! a program that predicts the same on them as another gets the other's fitness (the paper's
//! functional equivalence cache; here one probe for all tasks, which is the beginning of the real
//! run and not thrown away). After some more: a program that has learnt less than most of the
//! population ends there (hurdles, which the paper uses and the released code lacks). A program
//! dearer than a hand-made one is rejected, one that predicts no number or is far off ends its task
//! with fitness 0.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::compile::Code;
use super::lanes::{LANES, Lanes};
use super::program::{Function, Program};
use super::task::{Block, TaskSet};

/// What the evaluator may save itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shortcuts {
    /// Leave out dead code.
    pub dead_code: bool,
    /// Remember programs by what is left of them.
    pub structural: bool,
    /// Remember programs by their first predictions: on so many examples of both parts.
    pub functional: Option<usize>,
    /// Stop programs that have learnt too little after this part of the examples.
    pub hurdle: Option<f32>,
    /// Reject programs that cost more than this per example, in units of
    /// [`super::instruction::Signature::cost`].
    pub budget: Option<f32>,
}

impl Shortcuts {
    /// None of them: every instruction runs on every example.
    pub const NONE: Self = Self {
        dead_code: false,
        structural: false,
        functional: None,
        hurdle: None,
        budget: None,
    };
}

/// How good a program is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// From 0 to 1, mean over the tasks.
    pub fitness: f32,
    /// The same of the training examples up to the hurdle; 0 where there is none.
    pub early: f32,
}

/// What became of the programs so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All of them.
    pub individuals: u64,
    /// Known by structure.
    pub structural: u64,
    /// Known by their first predictions.
    pub functional: u64,
    /// Stopped at the hurdle.
    pub hurdle: u64,
    /// Too dear.
    pub rejected: u64,
    /// Those that failed every task.
    pub failed: u64,
    /// Run to the end.
    pub full: u64,
    /// Examples learnt from, all tasks together.
    pub train_steps: u64,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            individuals: self.individuals + other.individuals,
            structural: self.structural + other.structural,
            functional: self.functional + other.functional,
            hurdle: self.hurdle + other.hurdle,
            rejected: self.rejected + other.rejected,
            failed: self.failed + other.failed,
            full: self.full + other.full,
            train_steps: self.train_steps + other.train_steps,
        }
    }
}

/// Scores by 64-bit hash. A newer one takes the place of an older one; which, depends on the hashes
/// alone.
#[derive(Clone, Debug, PartialEq)]
struct Table {
    entries: Vec<(u64, Score)>,
}

const TABLE_BITS: u32 = 16;

impl Table {
    fn new() -> Self {
        Self {
            entries: vec![(0, Score::default()); 1 << TABLE_BITS],
        }
    }

    fn place(hash: u64) -> usize {
        (hash >> (64 - TABLE_BITS)) as usize
    }

    fn get(&self, hash: u64) -> Option<Score> {
        let (key, score) = self.entries[Self::place(hash)];
        (key == hash && hash != 0).then_some(score)
    }

    fn set(&mut self, hash: u64, score: Score) {
        self.entries[Self::place(hash)] = (hash, score);
    }

    fn stored(&self) -> Vec<(u64, Score)> {
        self.entries
            .iter()
            .filter(|(hash, _)| *hash != 0)
            .copied()
            .collect()
    }

    fn restored(entries: &[(u64, Score)]) -> Self {
        let mut table = Self::new();
        for &(hash, score) in entries {
            table.set(hash, score);
        }
        table
    }
}

/// What an evaluator remembers, for a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memories {
    structural: Vec<(u64, Score)>,
    functional: Vec<(u64, Score)>,
    counts: Counts,
}

/// Evaluates programs on tasks.
#[derive(Clone, Debug)]
pub struct Evaluator {
    tasks: Arc<TaskSet>,
    shortcuts: Shortcuts,
    lanes: Lanes,
    code: Code,
    structural: Table,
    functional: Table,
    counts: Counts,
}

impl Evaluator {
    /// An evaluator that remembers nothing yet.
    #[must_use]
    pub fn new(tasks: Arc<TaskSet>, shortcuts: Shortcuts) -> Self {
        let rules = tasks.rules;
        Self {
            lanes: Lanes::new(tasks.size.features, rules.loss, rules.max_error),
            tasks,
            shortcuts,
            code: Code::default(),
            structural: Table::new(),
            functional: Table::new(),
            counts: Counts::default(),
        }
    }

    /// The tasks.
    #[must_use]
    pub fn tasks(&self) -> &Arc<TaskSet> {
        &self.tasks
    }

    /// What became of the programs so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What it remembers.
    #[must_use]
    pub fn memories(&self) -> Memories {
        Memories {
            structural: self.structural.stored(),
            functional: self.functional.stored(),
            counts: self.counts,
        }
    }

    /// Puts back what it remembered.
    pub fn restore(&mut self, memories: &Memories) {
        self.structural = Table::restored(&memories.structural);
        self.functional = Table::restored(&memories.functional);
        self.counts = memories.counts;
    }

    /// The score of a program; `hurdle` is the [`Score::early`] that it has to reach.
    pub fn evaluate(&mut self, program: &Program, hurdle: f32) -> Score {
        self.counts.individuals += 1;
        let mut analysis = Analysis::of(program);
        if !self.shortcuts.dead_code {
            analysis = analysis.with_dead_code(program);
        }
        if self
            .shortcuts
            .budget
            .is_some_and(|budget| cost(program, &analysis) > budget)
        {
            self.counts.rejected += 1;
            return Score::default();
        }
        let hash = if self.shortcuts.structural {
            let hash = analysis.canonical_hash(program);
            if let Some(score) = self.structural.get(hash) {
                self.counts.structural += 1;
                return score;
            }
            Some(hash)
        } else {
            None
        };
        self.code
            .compile(program, &analysis, self.tasks.size.features);
        let score = self.run(hurdle);
        if let Some(hash) = hash {
            self.structural.set(hash, score);
        }
        score
    }

    /// Runs the compiled program.
    fn run(&mut self, hurdle: f32) -> Score {
        let tasks = Arc::clone(&self.tasks);
        let mut total = 0.0;
        let mut early = 0.0;
        let mut functional = None;
        for (index, block) in tasks.blocks().iter().enumerate() {
            let mut done = 0;
            self.lanes.begin(&self.code, &block.seeds);
            if index == 0 {
                if let Some(count) = self.shortcuts.functional {
                    let hash = self.probe(block, count);
                    done = count.min(tasks.size.train);
                    if !self.lanes.any_going() {
                        self.counts.failed += 1;
                        return Score::default();
                    }
                    if let Some(score) = self.functional.get(hash) {
                        self.counts.functional += 1;
                        return score;
                    }
                    functional = Some(hash);
                }
                if let Some(part) = self.shortcuts.hurdle {
                    let end =
                        ((part * tasks.size.train as f32) as usize).clamp(done, tasks.size.train);
                    self.train(block, done, end, 1);
                    early = self.fitness(block.seeds.len(), end - done) / block.seeds.len() as f64;
                    done = end;
                    if (early as f32) < hurdle {
                        self.counts.hurdle += 1;
                        // Its early fitness is one of other examples, and may be above any at the end.
                        let score = Score {
                            fitness: 0.0,
                            early: early as f32,
                        };
                        if let Some(hash) = functional {
                            self.functional.set(hash, score);
                        }
                        return score;
                    }
                }
            }
            total += self.finish(block, done);
        }
        let score = Score {
            fitness: (total / tasks.tasks().len().max(1) as f64) as f32,
            early: early as f32,
        };
        self.counts.full += 1;
        if let Some(hash) = functional {
            self.functional.set(hash, score);
        }
        score
    }

    fn train(&mut self, block: &Block, from: usize, to: usize, first: u32) {
        self.lanes
            .train(&self.code, block.train(from, to, first + from as u32));
        self.counts.train_steps += (block.seeds.len() * (to - from)) as u64;
    }

    /// Learns from the first examples and looks at some predictions.
    fn probe(&mut self, block: &Block, count: usize) -> u64 {
        let count = count.min(self.tasks.size.train);
        self.counts.train_steps += (block.seeds.len() * count) as u64;
        let learnt = block.train(0, count, 1);
        self.lanes
            .probe(&self.code, learnt, block.valid(0, count, 1 + count as u32))
    }

    /// Learns from the rest and is judged; the sum of the fitnesses of the block's tasks.
    fn finish(&mut self, block: &Block, done: usize) -> f64 {
        let tasks = Arc::clone(&self.tasks);
        let (count, valid) = (tasks.size.train, tasks.size.valid);
        let mut best = [0.0_f64; LANES];
        let mut step = 1;
        for epoch in 0..tasks.epochs {
            self.train(block, if epoch == 0 { done } else { 0 }, count, step);
            step += count as u32;
            self.lanes.validate(&self.code, block.valid(0, valid, step));
            step += valid as u32;
            for (lane, (best, sum)) in best.iter_mut().zip(self.lanes.sums()).enumerate() {
                if self.lanes.is_going(lane) {
                    *best = best.max(tasks.rules.fitness(f64::from(sum), valid));
                }
            }
            if !self.lanes.any_going() {
                break;
            }
        }
        best[..block.seeds.len()].iter().sum()
    }

    /// The sum of the fitnesses by the last losses.
    fn fitness(&self, tasks: usize, count: usize) -> f64 {
        let sums = self.lanes.sums();
        (0..tasks)
            .filter(|lane| self.lanes.is_going(*lane))
            .map(|lane| self.tasks.rules.fitness(f64::from(sums[lane]), count))
            .sum()
    }
}

/// What the live instructions of `Predict` and `Learn` cost together.
#[must_use]
pub fn cost(program: &Program, analysis: &Analysis) -> f32 {
    let live = |function: Function| {
        let code = program.function(function).iter().enumerate();
        code.filter(move |(index, _)| analysis.is_live(function, *index))
            .map(|(_, instruction)| instruction.op.signature().cost)
    };
    live(Function::Predict).chain(live(Function::Learn)).sum()
}
