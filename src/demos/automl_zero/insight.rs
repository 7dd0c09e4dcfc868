//! What a program does, looked into: which lines matter and how much, what an instruction writes
//! example by example, how the errors shrink.

use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::instruction::Kind;
use super::program::{Function, Program};
use super::scalar::Machine;
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Numbers of a value: 1, those of a vector, or those of a matrix row after row.
    pub width: usize,
    /// The values, one after the other, of `Setup` once and of the others for every example.
    pub values: Vec<f32>,
}

/// The values that an instruction writes on a task, on at most `most` training examples.
#[must_use]
pub fn trace(
    program: &Program,
    task: &Task,
    tasks: &TaskSet,
    (function, index): (Function, usize),
    most: usize,
) -> Trace {
    let features = tasks.size.features;
    let mut machine = Machine::<f32>::new(program, features, task.seed);
    let mut values = Vec::new();
    let mut run = |machine: &mut Machine<'_, f32>, of: Function, step: u32| {
        machine.run(of, step, |at, written| {
            if of == function && at == index {
                values.extend_from_slice(written);
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
    let kind = program
        .function(function)
        .get(index)
        .and_then(|instruction| instruction.op.signature().out);
    let width = match kind {
        Some(Kind::Vector) => features,
        Some(Kind::Matrix) => features * features,
        Some(Kind::Scalar) | None => 1,
    };
    Trace { width, values }
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
        let part = super::scalar::Examples {
            features: &train.features[done * features..end * features],
            labels: &train.labels[done..end],
        };
        going &= machine.train(part, tasks.rules, step).going;
        done = end;
    }
}

/// What a program that has learnt a task predicts for examples, `features` numbers each.
#[must_use]
pub fn surface(program: &Program, task: &Task, tasks: &TaskSet, examples: &[f32]) -> Vec<f32> {
    let features = tasks.size.features;
    let mut machine = Machine::<f32>::new(program, features, task.seed);
    machine.run(Function::Setup, 0, |_, _| {});
    machine.train(task.train(), tasks.rules, 1);
    let step = 1 + task.train().labels.len() as u32;
    let one = |example: &[f32]| {
        // Every point as the first after learning.
        let mut machine = machine.clone();
        machine.show(example);
        machine.run(Function::Predict, step, |_, _| {});
        machine.prediction()
    };
    examples.chunks_exact(features).map(one).collect()
}
