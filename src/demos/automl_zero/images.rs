//! Two classes of pictures, projected to a few numbers (paper, section 4.2).
//!
//! A task is a pair of classes and a random projection. Of the 45 pairs of ten classes, programs
//! are searched on 36; the other nine, those that the released code recommends, are held out for
//! the last check. There the pictures to be judged by are also those of the published test part.

use super::lanes::LANES;
use super::scalar::Rules;
use super::search::Tasks;
use super::task::{Labelled, Size, Task, TaskSet};
use crate::data::batches::shuffle;
use crate::data::{Dataset, Datasets};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// The pairs that no search sees.
pub const HELD_OUT: [[u8; 2]; 9] = [
    [4, 6],
    [3, 5],
    [8, 9],
    [3, 8],
    [0, 9],
    [2, 9],
    [1, 8],
    [3, 6],
    [0, 5],
];

/// Tasks that programs are chosen by.
const SELECTED: usize = 2 * LANES;
/// Projections of each held-out pair in the last check.
const PROJECTIONS: usize = 4;

/// Tasks out of pictures.
pub struct ImageTasks {
    data: Datasets,
    size: Size,
    rules: Rules,
    epochs: u32,
    count: usize,
    /// The last check learns from so many pictures.
    unseen_train: usize,
    seed: u64,
}

impl ImageTasks {
    /// Tasks of this size, `count` of them for a search.
    ///
    /// # Errors
    /// [`Error::Input`] when the set has fewer than ten classes or too few pictures.
    pub fn new(
        data: Datasets,
        (size, rules, epochs): (Size, Rules, u32),
        count: usize,
        unseen_train: usize,
        seed: u64,
    ) -> Result<Self> {
        let least = (0..10)
            .map(|class| count_of(&data.train, class))
            .min()
            .unwrap_or(0);
        let asked = size.train.max(unseen_train) + size.valid;
        if 2 * least < asked {
            return Err(Error::Input(format!(
                "a task of {asked} pictures needs two classes with half as many, one has {least}"
            )));
        }
        Ok(Self {
            data,
            size,
            rules,
            epochs,
            count,
            unseen_train,
            seed,
        })
    }

    fn pairs(held_out: bool) -> Vec<[u8; 2]> {
        if held_out {
            return HELD_OUT.to_vec();
        }
        let all = (0..10_u8).flat_map(|a| (a + 1..10).map(move |b| [a, b]));
        all.filter(|pair| !HELD_OUT.contains(pair)).collect()
    }

    fn set(&self, size: Size, tasks: Vec<Task>) -> TaskSet {
        TaskSet::new(size, self.rules, self.epochs, tasks)
    }

    /// The size of tasks that are learnt from more pictures than a search can afford.
    fn long(&self) -> Size {
        Size {
            train: self.unseen_train,
            ..self.size
        }
    }

    /// Tasks of pairs drawn at random.
    fn drawn(&self, label: &str, size: Size, count: usize) -> TaskSet {
        let root = Rng::new(self.seed).split(label);
        let pairs = Self::pairs(false);
        let mut chooser = root.split("pairs");
        let tasks = (0..count).map(|index| {
            let pair = pairs[chooser.below(pairs.len())];
            let rng = root.split(&format!("task {index}"));
            task(&self.data.train, &self.data.train, pair, size, &rng)
        });
        self.set(size, tasks.collect())
    }
}

impl Tasks for ImageTasks {
    fn search(&self, experiment: u32) -> TaskSet {
        self.drawn(&format!("search {experiment}"), self.size, self.count)
    }

    fn select(&self) -> TaskSet {
        // As long as the last check: what learns fast at first need not learn best in the end.
        self.drawn("select", self.long(), SELECTED)
    }

    fn unseen(&self) -> TaskSet {
        let root = Rng::new(self.seed).split("unseen");
        let size = self.long();
        let pairs = Self::pairs(true)
            .into_iter()
            .flat_map(|pair| (0..PROJECTIONS).map(move |p| (pair, p)));
        let tasks = pairs.map(|(pair, projection)| {
            let rng = root.split(&format!("{pair:?} {projection}"));
            task(&self.data.train, &self.data.test, pair, size, &rng)
        });
        self.set(size, tasks.collect())
    }
}

fn count_of(set: &Dataset, class: u8) -> usize {
    let labels = set.labels().iter();
    labels.map(|label| usize::from(*label == class)).sum()
}

/// A task of a pair of classes, the second of which has the label 1.
fn task(train: &Dataset, valid: &Dataset, pair: [u8; 2], size: Size, rng: &Rng) -> Task {
    let dim = train.shape().len();
    let mut draw = rng.split("projection");
    let projection: Vec<f32> = (0..dim * size.features)
        .map(|_| draw.normal() as f32)
        .collect();
    let parts = |set: &Dataset, counts: &[usize], label: &str| {
        chosen(set, pair, counts, &mut rng.split(label))
    };
    let (learnt, judged) = if std::ptr::eq(train, valid) {
        let mut parts = parts(train, &[size.train, size.valid], "train");
        let judged = parts.pop().unwrap_or_default();
        (parts.pop().unwrap_or_default(), judged)
    } else {
        let first = |mut parts: Vec<Vec<u32>>| parts.pop().unwrap_or_default();
        (
            first(parts(train, &[size.train], "train")),
            first(parts(valid, &[size.valid], "valid")),
        )
    };
    let project = |set: &Dataset, indices: &[u32]| -> Labelled {
        let one = |&index: &u32| {
            let index = index as usize;
            let label = f32::from(u8::from(set.labels()[index] == pair[1]));
            (
                projected(
                    set.image(index).unwrap_or_default(),
                    &projection,
                    size.features,
                ),
                label,
            )
        };
        indices.iter().map(one).collect()
    };
    let (mut learnt, mut judged) = (project(train, &learnt), project(valid, &judged));
    standardise(&mut learnt, &mut judged, size.features);
    let [a, b] = pair.map(|class| {
        train
            .classes()
            .get(usize::from(class))
            .cloned()
            .unwrap_or_default()
    });
    let seed = rng.split("program").next_u64() as u32;
    Task::new(seed, format!("{a} or {b}"), &learnt, &judged)
}

/// Indices of pictures of two classes, half of each, for parts of so many that share none; each in
/// random order.
fn chosen(set: &Dataset, pair: [u8; 2], counts: &[usize], rng: &mut Rng) -> Vec<Vec<u32>> {
    let mut of = pair.map(|class| {
        let labels = (0..).zip(set.labels());
        let of = labels.filter(|(_, label)| **label == class);
        of.map(|(index, _)| index).collect::<Vec<u32>>()
    });
    for of in &mut of {
        shuffle(of, rng);
    }
    let mut parts = Vec::new();
    for &count in counts {
        let mut part = Vec::new();
        for (of, share) in of.iter_mut().zip([count - count / 2, count / 2]) {
            part.extend(of.split_off(of.len().saturating_sub(share)));
        }
        shuffle(&mut part, rng);
        parts.push(part);
    }
    parts
}

fn projected(image: &[u8], projection: &[f32], features: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f32; features];
    for (&pixel, row) in image.iter().zip(projection.chunks_exact(features)) {
        if pixel != 0 {
            let pixel = f32::from(pixel);
            for (sum, weight) in sums.iter_mut().zip(row) {
                *sum = pixel.mul_add(*weight, *sum);
            }
        }
    }
    sums
}

/// Every feature of what is learnt from has mean 0 and deviation 1; the others follow.
fn standardise(learnt: &mut Labelled, judged: &mut Labelled, features: usize) {
    let n = learnt.len().max(1) as f64;
    for feature in 0..features {
        let value = |example: &(Vec<f32>, f32)| f64::from(example.0[feature]);
        let mean = learnt.iter().map(value).sum::<f64>() / n;
        let variance = learnt
            .iter()
            .map(|example| (value(example) - mean).powi(2))
            .sum::<f64>()
            / n;
        let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        for example in learnt.iter_mut().chain(judged.iter_mut()) {
            example.0[feature] = ((f64::from(example.0[feature]) - mean) / deviation) as f32;
        }
    }
}
