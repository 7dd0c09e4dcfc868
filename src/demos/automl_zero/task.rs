//! Tasks: examples to learn from and examples to be judged by, packed sixteen tasks to a block.
//!
//! The synthetic ones are those of the paper (section 4.1 and the released code): features from a
//! standard normal distribution, labels from a linear map, an affine map, or a network of two
//! layers whose weights are drawn for each task.

use super::lanes::{self, LANES, Rows};
use super::scalar::{Examples, Rules};
use crate::rng::Rng;

/// One task.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// What the random draws of a program on this task begin with.
    pub seed: u32,
    /// What it is, for people.
    pub title: String,
    train: Part,
    valid: Part,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Part {
    features: Vec<f32>,
    labels: Vec<f32>,
}

impl Part {
    fn examples(&self) -> Examples<'_> {
        Examples {
            features: &self.features,
            labels: &self.labels,
        }
    }
}

/// Examples, each its features and its label.
pub type Labelled = Vec<(Vec<f32>, f32)>;

impl Task {
    /// A task out of examples to learn from and examples to be judged by.
    #[must_use]
    pub fn new(seed: u32, title: impl Into<String>, train: &Labelled, valid: &Labelled) -> Self {
        let part = |examples: &Labelled| Part {
            features: examples
                .iter()
                .flat_map(|(features, _)| features.iter().copied())
                .collect(),
            labels: examples.iter().map(|(_, label)| *label).collect(),
        };
        Self {
            seed,
            title: title.into(),
            train: part(train),
            valid: part(valid),
        }
    }

    /// The examples to learn from.
    #[must_use]
    pub fn train(&self) -> Examples<'_> {
        self.train.examples()
    }

    /// The examples to be judged by.
    #[must_use]
    pub fn valid(&self) -> Examples<'_> {
        self.valid.examples()
    }
}

/// What the synthetic tasks hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teacher {
    /// Weights.
    Linear,
    /// Weights and a constant.
    Affine,
    /// Two layers with a `ReLU` between. As in the released code the first and the third of the
    /// hidden units have no weights, so that of four features two units matter. Unlike there the
    /// labels have mean 0: otherwise evolution is content with the running mean of the labels, out
    /// of which no small step leads.
    TwoLayers,
}

/// The sizes of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Numbers of an example.
    pub features: usize,
    /// Examples to learn from.
    pub train: usize,
    /// Examples to be judged by.
    pub valid: usize,
}

/// A synthetic task.
#[must_use]
pub fn synthetic(teacher: Teacher, size: Size, rng: &Rng) -> Task {
    let (mut params, mut data) = (rng.split("parameters"), rng.split("data"));
    let normals =
        |rng: &mut Rng, count: usize| (0..count).map(|_| rng.normal()).collect::<Vec<_>>();
    let n = size.features;
    let (mut hidden, mut weights) = (Vec::new(), normals(&mut params, n));
    let constant = if teacher == Teacher::Affine {
        params.normal()
    } else {
        0.0
    };
    if teacher == Teacher::TwoLayers {
        hidden = normals(&mut params, n * n);
        for unit in [0, 2] {
            if n > 3 {
                hidden[unit * n..][..n].fill(0.0);
                weights[unit] = 0.0;
            }
        }
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    // A ReLU less its mean, which for normal features is the length of its weights over sqrt(2 pi).
    let unit = |row: &[f64], x: &[f64]| {
        dot(row, x).max(0.0) - (dot(row, row) / std::f64::consts::TAU).sqrt()
    };
    let mut examples = |count: usize| -> Labelled {
        (0..count)
            .map(|_| {
                let x = normals(&mut data, n);
                let label = if hidden.is_empty() {
                    dot(&weights, &x) + constant
                } else {
                    let units: Vec<f64> = hidden.chunks(n).map(|row| unit(row, &x)).collect();
                    dot(&weights, &units)
                };
                (x.iter().map(|x| *x as f32).collect(), label as f32)
            })
            .collect()
    };
    let (train, valid) = (examples(size.train), examples(size.valid));
    let title = match teacher {
        Teacher::Linear => "linear regressor",
        Teacher::Affine => "affine regressor",
        Teacher::TwoLayers => "two-layer teacher",
    };
    Task::new(params.next_u64() as u32, title, &train, &valid)
}

/// Sixteen tasks or fewer, side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The tasks' seeds.
    pub seeds: Vec<u32>,
    train: Rows,
    valid: Rows,
    /// Numbers of an example, all tasks together.
    stride: usize,
}

impl Block {
    fn new(tasks: &[Task], features: usize) -> Self {
        let rows = features + 1;
        let pack = |parts: Vec<Examples<'_>>| {
            let count = parts.first().map_or(0, |part| part.labels.len());
            let mut packed = Rows::zeros(count * rows);
            for (lane, part) in parts.iter().enumerate() {
                let examples = part.features.chunks_exact(features).zip(part.labels);
                for (example, (features, &label)) in
                    packed.rows_mut().chunks_exact_mut(rows).zip(examples)
                {
                    for (row, &x) in example.iter_mut().zip(features.iter().chain([&label])) {
                        row[lane] = x;
                    }
                }
            }
            packed
        };
        Self {
            seeds: tasks.iter().map(|task| task.seed).collect(),
            train: pack(tasks.iter().map(Task::train).collect()),
            valid: pack(tasks.iter().map(Task::valid).collect()),
            stride: rows * LANES,
        }
    }

    /// Training examples from one index to another, which functions see after `first_step` runs.
    #[must_use]
    pub fn train(&self, from: usize, to: usize, first_step: u32) -> lanes::Examples<'_> {
        self.part(&self.train, from, to, first_step)
    }

    /// The same of validation examples.
    #[must_use]
    pub fn valid(&self, from: usize, to: usize, first_step: u32) -> lanes::Examples<'_> {
        self.part(&self.valid, from, to, first_step)
    }

    fn part<'a>(
        &self,
        all: &'a Rows,
        from: usize,
        to: usize,
        first_step: u32,
    ) -> lanes::Examples<'a> {
        let flat = all.flat();
        let end = (to * self.stride).min(flat.len());
        lanes::Examples {
            flat: &flat[(from * self.stride).min(end)..end],
            first_step,
        }
    }
}

/// Tasks of one size, judged by the same rules.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSet {
    /// The tasks' sizes.
    pub size: Size,
    /// How predictions are judged.
    pub rules: Rules,
    /// How often the training examples are gone through; validation follows every time and the
    /// best of them counts.
    pub epochs: u32,
    tasks: Vec<Task>,
    blocks: Vec<Block>,
}

impl TaskSet {
    /// Packs tasks, all of this size.
    #[must_use]
    pub fn new(size: Size, rules: Rules, epochs: u32, tasks: Vec<Task>) -> Self {
        let blocks = tasks
            .chunks(LANES)
            .map(|tasks| Block::new(tasks, size.features))
            .collect();
        Self {
            size,
            rules,
            epochs,
            tasks,
            blocks,
        }
    }

    /// The tasks.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// The tasks, packed.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}
