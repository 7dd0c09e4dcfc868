//! A program looked into on one task: how it learns, beside the hand-made programs; what it
//! predicts over a plane of the features while it learns; what every instruction writes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::config::SearchConfig;
use super::insight::{Stage, Trace, learning_curve, surfaces, traces};
use super::lanes::Loss;
use super::program::{Function, Program};
use super::search::Tasks;
use super::starts::{LINEAR, NETWORK};
use super::task::{Task, TaskSet};
use super::text::parse;
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};
use crate::store::Paths;

/// Points of a learning curve.
const CURVE_POINTS: usize = 40;
/// Times at which the plane is predicted.
const STAGES: usize = 12;
/// Points of a side of the plane.
pub const SIDE: usize = 33;
/// Examples whose values are kept.
const TRACED: usize = 200;
/// Values of an instruction that are kept of one example.
pub const WIDEST: usize = 64;

/// What is looked into.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The program.
    pub program: Program,
    /// Where the tasks come from.
    pub config: SearchConfig,
    /// Which of the tasks of selection.
    pub task: usize,
    /// The features along the sides of the plane.
    pub axes: [usize; 2],
}

/// A learning curve: fitness on validation examples by the number of examples learnt from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Whose.
    pub name: String,
    /// Examples and fitness.
    pub points: Vec<(usize, f64)>,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// What the task is.
    pub task: String,
    /// How many tasks there are.
    pub tasks: usize,
    /// Numbers of an example.
    pub features: usize,
    /// Whether classes are learnt.
    pub classes: bool,
    /// The program's learning curve and those of the hand-made ones.
    pub curves: Vec<Curve>,
    /// The half side of the plane, about 0; the other features are 0 on it.
    pub reach: f32,
    /// The plane while the program learns: [`SIDE`] rows of as many points.
    pub stages: Vec<Stage>,
    /// The validation examples: the two features of the plane and the label.
    pub examples: Vec<[f32; 3]>,
    /// What the instructions wrote, function by function.
    pub traces: [Vec<Trace>; 3],
}

/// Looks into a program, a part a step.
pub struct StudyJob {
    question: Question,
    paths: Paths,
    set: Option<Arc<TaskSet>>,
    seen: Seen,
    done: u64,
}

/// Steps of a study.
const STEPS: u64 = 6;

impl StudyJob {
    /// A study that has not begun.
    #[must_use]
    pub fn new(question: Question, paths: Paths) -> Self {
        Self {
            question,
            paths,
            set: None,
            seen: Seen::default(),
            done: 0,
        }
    }

    fn task(&self) -> Result<(Arc<TaskSet>, Task)> {
        let set = self.set.as_ref();
        let found = set.and_then(|set| {
            let tasks = set.tasks();
            let task = tasks.get(self.question.task.min(tasks.len().saturating_sub(1)))?;
            Some((Arc::clone(set), task.clone()))
        });
        found.ok_or_else(|| Error::Input("there is no task to learn".to_owned()))
    }

    fn curve(&mut self, name: &str, program: &Program) -> Result<()> {
        let (set, task) = self.task()?;
        self.seen.curves.push(Curve {
            name: name.to_owned(),
            points: learning_curve(program, &task, &set, CURVE_POINTS),
        });
        Ok(())
    }

    fn begin(&mut self) -> Result<()> {
        let tasks: Arc<dyn Tasks> = self.question.config.tasks(&self.paths)?;
        self.set = Some(Arc::new(tasks.select()));
        let (set, task) = self.task()?;
        let features = set.size.features;
        self.question.axes = self.question.axes.map(|axis| axis.min(features - 1));
        let [x, y] = self.question.axes;
        let valid = task.valid();
        let rows = valid.features.chunks_exact(features);
        let examples: Vec<[f32; 3]> = rows
            .zip(valid.labels)
            .map(|(row, &label)| [row[x], row[y], label])
            .collect();
        let sizes = examples.iter().flat_map(|[x, y, _]| [x.abs(), y.abs()]);
        let reach = sizes.fold(0.0, f32::max);
        self.seen = Seen {
            task: task.title.clone(),
            tasks: set.tasks().len(),
            features,
            classes: set.rules.loss == Loss::Accuracy,
            reach: if reach > 0.0 { reach } else { 1.0 },
            examples,
            ..Seen::default()
        };
        Ok(())
    }

    fn planes(&mut self) -> Result<()> {
        let (set, task) = self.task()?;
        let features = set.size.features;
        let [x, y] = self.question.axes;
        let reach = self.seen.reach;
        let at = |place: usize| (2.0 * place as f32 / (SIDE - 1) as f32 - 1.0) * reach;
        let mut grid = vec![0.0; SIDE * SIDE * features];
        for (place, example) in grid.chunks_exact_mut(features).enumerate() {
            example[x] = at(place % SIDE);
            example[y] = at(place / SIDE);
        }
        self.seen.stages = surfaces(&self.question.program, &task, &set, &grid, STAGES);
        Ok(())
    }

    fn traces(&mut self) -> Result<()> {
        let (set, task) = self.task()?;
        let program = &self.question.program;
        self.seen.traces = Function::ALL.map(|function| {
            traces(program, &task, &set, function, TRACED)
                .into_iter()
                .map(|trace| trace.narrowed(WIDEST))
                .collect()
        });
        Ok(())
    }
}

impl Job for StudyJob {
    type Output = Seen;

    fn step(&mut self, cx: &mut StepCx<'_, Seen>) -> Result<Flow> {
        match self.done {
            0 => self.begin()?,
            1 => {
                let program = self.question.program.clone();
                self.curve("the program", &program)?;
            }
            2 => self.planes()?,
            3 => self.traces()?,
            4 => self.curve("linear model by hand", &parse(LINEAR)?)?,
            _ => self.curve("two-layer network by hand", &parse(NETWORK)?)?,
        }
        self.done += 1;
        if self.done > 2 {
            cx.show(self.seen.clone());
        }
        cx.progress(self.done, Some(STEPS), "parts");
        if self.done < STEPS {
            return Ok(Flow::Continue);
        }
        cx.emit(std::mem::take(&mut self.seen));
        Ok(Flow::Finished)
    }
}
