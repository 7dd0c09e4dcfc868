//! A program judged on the tasks of a search, on those it would be chosen by and on unseen ones.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::config::SearchConfig;
use super::evaluator::cost;
use super::insight::{Line, ablation};
use super::program::Program;
use super::search::{Tasks, exact_fitness, fitness_on};
use crate::compute::{Flow, Job, StepCx};
use crate::error::Result;
use crate::store::Paths;

/// What is known of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its fitness on the tasks of the search, in `f32` as the search has it.
    pub search_fitness: f64,
    /// The same in `f64`.
    pub exact_search_fitness: f64,
    /// Its fitness on tasks of selection, in `f64`.
    pub select_fitness: f64,
    /// Its fitness on unseen tasks, in `f64`.
    pub unseen_fitness: f64,
    /// Its instructions.
    pub instructions: usize,
    /// Those that can reach a prediction.
    pub live: usize,
    /// What an example costs, in units of [`super::instruction::Signature::cost`].
    pub cost: f32,
    /// Its instructions, each with what it is worth.
    pub lines: Vec<Line>,
}

/// Judges a program, a set of tasks a step.
pub struct JudgeJob {
    program: Program,
    config: SearchConfig,
    paths: Paths,
    tasks: Option<Arc<dyn Tasks>>,
    judged: Judged,
    done: u64,
}

/// Steps of a judgement.
const STEPS: u64 = 5;

impl JudgeJob {
    /// Judges a program on the tasks of these settings.
    #[must_use]
    pub fn new(program: Program, config: SearchConfig, paths: Paths) -> Self {
        let analysis = Analysis::of(&program);
        Self {
            judged: Judged {
                search_fitness: 0.0,
                exact_search_fitness: 0.0,
                select_fitness: 0.0,
                unseen_fitness: 0.0,
                instructions: program.len(),
                live: analysis.len(),
                cost: cost(&program, &analysis),
                lines: Vec::new(),
            },
            program,
            config,
            paths,
            tasks: None,
            done: 0,
        }
    }
}

impl Job for JudgeJob {
    type Output = Judged;

    fn step(&mut self, cx: &mut StepCx<'_, Judged>) -> Result<Flow> {
        let tasks = match &self.tasks {
            Some(tasks) => Arc::clone(tasks),
            None => Arc::clone(self.tasks.insert(self.config.tasks(&self.paths)?)),
        };
        let program = &self.program;
        match self.done {
            0 => {}
            1 => {
                let set = tasks.search(0);
                self.judged.search_fitness = fitness_on(&set, program);
                self.judged.exact_search_fitness = exact_fitness(&set, program);
            }
            2 => self.judged.select_fitness = exact_fitness(&tasks.select(), program),
            3 => self.judged.unseen_fitness = exact_fitness(&tasks.unseen(), program),
            _ => {
                self.judged.lines = ablation(program, &tasks.search(0));
                cx.emit(self.judged.clone());
                return Ok(Flow::Finished);
            }
        }
        self.done += 1;
        cx.progress(self.done, Some(STEPS), "sets of tasks");
        Ok(Flow::Continue)
    }
}
