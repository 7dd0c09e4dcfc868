//! Programs and tasks for the other tests.

use std::sync::Arc;

use vitrine::demos::automl_zero::instruction::SIGNATURES;
use vitrine::demos::automl_zero::lanes::Loss;
use vitrine::demos::automl_zero::mutate::Space;
use vitrine::demos::automl_zero::program::Program;
use vitrine::demos::automl_zero::scalar::Rules;
use vitrine::demos::automl_zero::task::{Size, Task, TaskSet, Teacher, synthetic};
use vitrine::demos::automl_zero::text::parse;
use vitrine::rng::Rng;

/// A program that has to be right.
pub fn program(text: &str) -> Program {
    parse(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

/// Every operation everywhere, with few enough registers that they meet.
pub fn everything() -> Space {
    let all: Vec<_> = SIGNATURES.iter().map(|row| row.op).collect();
    Space {
        ops: [all.clone(), all.clone(), all],
        first_len: [6, 6, 9],
        least_len: [0, 0, 0],
        most_len: [12, 12, 16],
        registers: [5, 4, 3],
        weights: [1.0; 6],
        mutate: 0.9,
        digits: None,
    }
}

/// Tasks with labels of about one; for classes the sign decides.
pub fn tasks(features: usize, count: usize, loss: Loss, seed: u64) -> Arc<TaskSet> {
    let size = Size {
        features,
        train: 40,
        valid: 20,
    };
    let rules = Rules {
        loss,
        max_error: 100.0,
    };
    let rng = Rng::new(seed);
    let made = (0..count).map(|index| {
        let task = synthetic(Teacher::Affine, size, &rng.split(&format!("task {index}")));
        match loss {
            Loss::Squared => task,
            Loss::Accuracy => classes(&task, features),
        }
    });
    Arc::new(TaskSet::new(size, rules, 1, made.collect()))
}

fn classes(task: &Task, features: usize) -> Task {
    let part = |examples: vitrine::demos::automl_zero::scalar::Examples<'_>| {
        let rows = examples
            .features
            .chunks_exact(features)
            .zip(examples.labels);
        rows.map(|(x, &y)| (x.to_vec(), f32::from(u8::from(y > 0.0))))
            .collect()
    };
    Task::new(
        task.seed,
        "classes",
        &part(task.train()),
        &part(task.valid()),
    )
}
