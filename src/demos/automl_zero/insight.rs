//! What a program does, looked into: which lines matter and how much, what an instruction writes
//! example by example, how the errors shrink.

use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::instruction::{Instruction, Kind};
use super::program::{Function, Program};
use super::scalar::{Examples, Machine};
use super::search::fitness_on;
use super::task::{Task, TaskSet};
use super::text::line;

/// An instruction and what it is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The function.
    pub function: Function,
    /// Its place in the function.
    pub index: usize,
    /// The instruction as text.
    pub text: String,
    /// Whether it can reach a prediction.
    pub live: bool,
    /// The fitness that is lost without it; 0 for what is dead.
    pub worth: f64,
}

/// Every instruction of a program with what it is worth on tasks: the fitness with it less the
/// fitness without it.
#[must_use]
pub fn ablation(program: &Program, tasks: &TaskSet) -> Vec<Line> {
    let analysis = Analysis::of(program);
    let whole = fitness_on(tasks, program);
    let mut lines = Vec::new();
    for function in Function::ALL {
        for (index, instruction) in program.function(function).iter().enumerate() {
            let live = analysis.is_live(function, index);
            let mut without = program.clone();
            without.remove(function, index);
            lines.push(Line {
                function,
                index,
                text: line(instruction),
                live,
                worth: if live {
                    whole - fitness_on(tasks, &without)
                } else {
                    0.0
                },
            });
        }
    }
    lines
}

/// What an instruction wrote, example by example.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Numbers of a value: 1, those of a vector, or those of a matrix row after row.
    pub width: usize,
    /// The values, one after the other, of `Setup` once and of the others for every example.
    pub values: Vec<f32>,
}

impl Trace {
    /// The first numbers of every value alone.
    #[must_use]
    pub fn narrowed(mut self, widest: usize) -> Self {
        if self.width > widest {
            let values = self.values.chunks_exact(self.width);
            self.values = values
                .flat_map(|value| value.iter().take(widest).copied())
                .collect();
            self.width = widest;
        }
        self
    }
}

/// The values that the instructions of a function write on a task, on at most `most` training
/// examples.
#[must_use]
pub fn traces(
    program: &Program,
    task: &Task,
    tasks: &TaskSet,
    function: Function,
    most: usize,
) -> Vec<Trace> {
    let features = tasks.size.features;
    let width = |instruction: &Instruction| match instruction.op.signature().out {
        Some(Kind::Vector) => features,
        Some(Kind::Matrix) => features * features,
        Some(Kind::Scalar) | None => 1,
    };
    let mut traces: Vec<Trace> = program
        .function(function)
        .iter()
        .map(|instruction| Trace {
            width: width(instruction),
            values: Vec::new(),
        })
        .collect();
    let mut machine = Machine::<f32>::new(program, features, task.seed);
    let mut run = |machine: &mut Machine<'_, f32>, of: Function, step: u32| {
        machine.run(of, step, |at, written| {
            if of == function {
                traces[at].values.extend_from_slice(written);
            }
        });
    };
    run(&mut machine, Function::Setup, 0);
    let train = task.train();
    let examples = train
        .features
        .chunks_exact(features)
        .zip(train.labels)
        .take(most);
    for (step, (example, &label)) in (1..).zip(examples) {
        machine.show(example);
        run(&mut machine, Function::Predict, step);
        machine.meet(label, tasks.rules.loss);
        run(&mut machine, Function::Learn, step);
    }
    traces
}

/// The fitness on validation examples while a program learns on a task, each with the number of
/// examples learnt from before: about `points` of them.
#[must_use]
pub fn learning_curve(
    program: &Program,
    task: &Task,
    tasks: &TaskSet,
    points: usize,
) -> Vec<(usize, f64)> {
    let features = tasks.size.features;
    let (train, valid) = (task.train(), task.valid());
    let count = train.labels.len();
    let mut machine = Machine::<f32>::new(program, features, task.seed);
    machine.run(Function::Setup, 0, |_, _| {});
    let mut curve = Vec::new();
    let (mut done, mut going) = (0, true);
    loop {
        let step = 1 + done as u32;
        let outcome = machine.clone().validate(valid, tasks.rules, step, |_| {});
        let fitness = if going && outcome.going {
            tasks
                .rules
                .fitness(f64::from(outcome.sum), valid.labels.len())
        } else {
            0.0
        };
        curve.push((done, fitness));
        if done == count {
            return curve;
        }
        let end = (done + count.div_ceil(points.max(1))).min(count);
        let part = Examples {
            features: &train.features[done * features..end * features],
            labels: &train.labels[done..end],
        };
        going &= machine.train(part, tasks.rules, step).going;
        done = end;
    }
}

/// What a program predicts after some examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Training examples learnt from before.
    pub examples: usize,
    /// What it predicts for the points asked for.
    pub plane: Vec<f32>,
    /// What it predicts for the validation examples.
    pub predictions: Vec<f32>,
}

/// What a program predicts for points, `features` numbers each, before it has learnt, at `stages`
/// times while it does, and after.
#[must_use]
pub fn surfaces(
    program: &Program,
    task: &Task,
    tasks: &TaskSet,
    points: &[f32],
    stages: usize,
) -> Vec<Stage> {
    let features = tasks.size.features;
    let train = task.train();
    let count = train.labels.len();
    let mut machine = Machine::<f32>::new(program, features, task.seed);
    machine.run(Function::Setup, 0, |_, _| {});
    let predict = |machine: &Machine<'_, f32>, step: u32, examples: &[f32]| -> Vec<f32> {
        let one = |example: &[f32]| {
            // Every point as the first after learning.
            let mut machine = machine.clone();
            machine.show(example);
            machine.run(Function::Predict, step, |_, _| {});
            machine.prediction()
        };
        examples.chunks_exact(features).map(one).collect()
    };
    let mut seen = Vec::new();
    let mut done = 0;
    loop {
        let step = 1 + done as u32;
        seen.push(Stage {
            examples: done,
            plane: predict(&machine, step, points),
            predictions: predict(&machine, step, task.valid().features),
        });
        if done == count {
            return seen;
        }
        let end = (done + count.div_ceil(stages.max(1))).min(count);
        let part = Examples {
            features: &train.features[done * features..end * features],
            labels: &train.labels[done..end],
        };
        machine.train(part, tasks.rules, step);
        done = end;
    }
}
