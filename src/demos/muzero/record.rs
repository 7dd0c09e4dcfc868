//! What a training run leaves behind: the curves, what was measured, what was changed on the way.
//!
//! The job keeps it and stores it beside each checkpoint as `record.json`; a reader such as the tab
//! keeps its own from what the job reports ([`RunRecord::hear`]). A run that goes on appends.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::config::{Settings, TrainConfig};
use super::evaluation::Evaluation;
use super::job::Output;
use super::training::Point;
use crate::error::{Error, Result};
use crate::store::atomic_write;

/// More points are merged by twos.
const MOST_POINTS: usize = 2000;
/// More measurements than this no run makes.
const MOST_EVALUATIONS: usize = 20_000;
/// Larger files are not records of runs.
const MAX_BYTES: u64 = 64 << 20;
/// Its name in the folder of a run.
const FILE: &str = "record.json";

/// Settings that were changed in the middle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// At which training step.
    pub steps: u64,
    /// What, such as `learning rate 0.005 → 0.001`.
    pub what: Vec<String>,
}

/// A run that another one was branched off from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The name of its folder.
    pub run: String,
    /// At which training step.
    pub steps: u64,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// What was asked for.
    pub config: TrainConfig,
    /// All settings, the newest ones.
    pub settings: Settings,
    /// Numbers that are trained.
    pub weights: usize,
    /// The curves, oldest first.
    #[serde(default)]
    pub points: Vec<Point>,
    /// What was measured, oldest first.
    #[serde(default)]
    pub evaluations: Vec<Evaluation>,
    /// What was changed, oldest first.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Training steps that were done before the newest sitting.
    #[serde(default)]
    pub resumed_at: u64,
    /// Where it was branched off.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// Whether it did all that was asked for.
    #[serde(default)]
    pub finished: bool,
}

impl RunRecord {
    /// A run at its beginning.
    #[must_use]
    pub fn new(config: TrainConfig, settings: Settings, weights: usize) -> Self {
        Self {
            config,
            settings,
            weights,
            points: Vec::new(),
            evaluations: Vec::new(),
            changes: Vec::new(),
            resumed_at: 0,
            origin: None,
            finished: false,
        }
    }

    /// Takes in what the run's job reports.
    pub fn hear(&mut self, output: &Output) {
        match output {
            Output::Began(record) => self.clone_from(record),
            Output::Point(point) => self.add(point),
            Output::Evaluated(evaluation) => self.evaluations.push((**evaluation).clone()),
            Output::Finished => self.finished = true,
            Output::Game(_) | Output::Saved(_) => {}
        }
    }

    fn add(&mut self, point: &Point) {
        self.points.push(point.clone());
        if self.points.len() > MOST_POINTS {
            self.points = halved(&self.points);
        }
    }

    /// Goes on from a training step, perhaps with other settings; what was reported after it is
    /// done again.
    pub fn resume(&mut self, steps: u64, config: TrainConfig, settings: Settings) {
        self.points.retain(|point| point.counters.steps <= steps);
        self.evaluations.retain(|found| found.at.steps <= steps);
        self.changes.retain(|change| change.steps <= steps);
        let what = differences(&self.settings, &settings);
        if !what.is_empty() {
            self.changes.push(Change { steps, what });
        }
        self.config = config;
        self.settings = settings;
        self.resumed_at = steps;
        self.finished = false;
    }

    /// Training steps done, as far as is known.
    #[must_use]
    pub fn steps(&self) -> u64 {
        let last = self.points.last();
        last.map_or(0, |point| point.counters.steps)
            .max(self.resumed_at)
    }

    /// The record in the folder of a run; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn load(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let meta = path
            .metadata()
            .map_err(Error::io("cannot read the record of a run", &path))?;
        if !meta.is_file() || meta.len() > MAX_BYTES {
            return Err(Error::bad_file(&path, "not a file of at most 64 MB"));
        }
        let bytes =
            std::fs::read(&path).map_err(Error::io("cannot read the record of a run", &path))?;
        let record: Self = serde_json::from_slice(&bytes)
            .map_err(|error| Error::bad_file(&path, format!("no record of a run: {error}")))?;
        record
            .check()
            .map_err(|reason| Error::bad_file(&path, reason))?;
        Ok(Some(record))
    }

    /// Stores it in the folder of its run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn store(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec(self)
            .map_err(|error| Error::Input(format!("the run cannot be stored: {error}")))?;
        atomic_write(&folder.join(FILE), &text)
    }

    /// Whether a record from a file hangs together, as those of the program's own runs do.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> std::result::Result<(), String> {
        if self.points.len() > MOST_POINTS || self.evaluations.len() > MOST_EVALUATIONS {
            return Err("the run has too many points".into());
        }
        let rising = |steps: &mut dyn Iterator<Item = u64>| {
            let steps: Vec<u64> = steps.collect();
            steps.is_sorted()
        };
        let points = &mut self.points.iter().map(|point| point.counters.steps);
        let found = &mut self.evaluations.iter().map(|found| found.at.steps);
        if !rising(points) || !rising(found) {
            return Err("the points of the run are out of order".into());
        }
        Ok(())
    }
}

/// Two points after another as one, the last alone where it has no partner.
fn halved(points: &[Point]) -> Vec<Point> {
    let mut before = Point::default().counters;
    let mut halves = Vec::with_capacity(points.len().div_ceil(2));
    for pair in points.chunks(2) {
        let last = &pair[pair.len() - 1];
        halves.push(match pair {
            [one, two] => one.merged(two, &before),
            _ => last.clone(),
        });
        before = last.counters;
    }
    halves
}

/// The settings that differ, by name, before and after.
#[must_use]
pub fn differences(before: &Settings, after: &Settings) -> Vec<String> {
    fn compare(name: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
        if let (Value::Object(one), Value::Object(other)) = (before, after) {
            let names = one
                .keys()
                .chain(other.keys().filter(|k| !one.contains_key(*k)));
            for key in names {
                let part = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or(Value::Null)
                };
                compare(key, &part(one), &part(other), found);
            }
        } else if before != after {
            let text = |value: &Value| match value {
                Value::Null => "none".to_owned(),
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            let name = name.replace('_', " ");
            found.push(format!("{name} {} to {}", text(before), text(after)));
        }
    }
    let value = |settings: &Settings| serde_json::to_value(settings).unwrap_or_default();
    let mut found = Vec::new();
    compare("settings", &value(before), &value(after), &mut found);
    found
}
