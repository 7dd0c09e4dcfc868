//! Searches on synthetic tasks: which are searched on, chosen by and left unseen.

use super::scalar::Rules;
use super::search::Tasks;
use super::task::{Size, Task, TaskSet, Teacher, synthetic};
use crate::rng::Rng;

/// Tasks that the best is chosen by, and tasks that are left unseen: of each so many, as in the
/// released demo.
const OTHERS: usize = 100;
/// What these learn from, as in the released demo.
const OTHERS_TRAIN: usize = 1000;

/// Tasks with one kind of teacher.
#[derive(Clone, Debug)]
pub struct SyntheticTasks {
    /// The teacher.
    pub teacher: Teacher,
    /// The sizes of the tasks that are searched on.
    pub size: Size,
    /// How predictions are judged.
    pub rules: Rules,
    /// How often the examples are gone through.
    pub epochs: u32,
    /// Tasks that are searched on.
    pub count: usize,
    /// Where random numbers begin.
    pub seed: u64,
}

impl SyntheticTasks {
    fn set(&self, label: &str, size: Size, count: usize) -> TaskSet {
        let root = Rng::new(self.seed).split(label);
        let task = |index| synthetic(self.teacher, size, &root.split(&format!("task {index}")));
        let tasks: Vec<Task> = (0..count).map(task).collect();
        TaskSet::new(size, self.rules, self.epochs, tasks)
    }

    fn others(&self, label: &str) -> TaskSet {
        let size = Size {
            train: OTHERS_TRAIN.max(self.size.train),
            ..self.size
        };
        self.set(label, size, OTHERS)
    }
}

impl Tasks for SyntheticTasks {
    fn search(&self, experiment: u32) -> TaskSet {
        self.set(&format!("search {experiment}"), self.size, self.count)
    }

    fn select(&self) -> TaskSet {
        self.others("select")
    }

    fn unseen(&self) -> TaskSet {
        self.others("unseen")
    }
}
