//! The record of a search: what the tab draws, what is exported and what is stored as an example.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::config::SearchConfig;
use super::job::{Ended, Output, Snapshot};
use super::population::Node;
use super::search::Candidate;
use crate::error::{Error, Result};

/// Moments that are kept; of more every second one goes.
const MAX_MOMENTS: usize = 1024;
/// The largest record that is read.
const MAX_BYTES: u64 = 64 << 20;

/// How the populations stood at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Programs so far, in all experiments.
    pub individuals: u64,
    /// Seconds of searching so far.
    pub seconds: f64,
    /// The experiment, from 0.
    pub experiment: u32,
    /// The best fitness of the experiment so far.
    pub best: f32,
    /// The mean of the living.
    pub mean: f32,
    /// What a tenth of the living stay below, half of them, nine tenths.
    pub percentiles: [f32; 3],
    /// The best fitness of as many random programs.
    pub control: Option<f32>,
}

impl Moment {
    fn of(snapshot: &Snapshot) -> Self {
        let populations = &snapshot.populations;
        let mut living: Vec<f32> = populations
            .iter()
            .flat_map(|population| population.fitness.iter().copied())
            .collect();
        living.sort_by(f32::total_cmp);
        let at = |part: f64| {
            let place = (part * living.len().saturating_sub(1) as f64).round() as usize;
            living.get(place).copied().unwrap_or(0.0)
        };
        let best = populations.iter().map(|population| population.best);
        Self {
            individuals: snapshot.counts.individuals,
            seconds: snapshot.seconds,
            experiment: snapshot.experiment,
            best: best.fold(0.0, f32::max),
            mean: living.iter().sum::<f32>() / living.len().max(1) as f32,
            percentiles: [0.1, 0.5, 0.9].map(at),
            control: snapshot.control,
        }
    }
}

/// A search, as far as it has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What was asked for.
    pub config: SearchConfig,
    /// How it went.
    pub course: Vec<Moment>,
    /// How it stood last.
    pub last: Option<Box<Snapshot>>,
    /// The best on tasks that were not searched on.
    pub best: Option<Box<Candidate>>,
    /// How it ended, if it did.
    pub ended: Option<Box<Ended>>,
}

impl Record {
    /// Of a search that is about to begin.
    #[must_use]
    pub fn new(config: SearchConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// Takes in what the search tells.
    pub fn hear(&mut self, output: Output) {
        match output {
            Output::Began(..) => {}
            Output::Better(candidate) => self.best = Some(candidate),
            Output::Snapshot(snapshot) => {
                self.course.push(Moment::of(&snapshot));
                if self.course.len() > MAX_MOMENTS {
                    let mut keep = false;
                    self.course.retain(|_| {
                        keep = !keep;
                        keep
                    });
                }
                self.last = Some(snapshot);
            }
            Output::Ended(ended) => self.ended = Some(ended),
        }
    }

    /// The ancestors of the best, from the first to itself: of the one that was chosen, or else of
    /// the one that leads now.
    #[must_use]
    pub fn lineage(&self) -> &[Node] {
        if let Some(ended) = &self.ended {
            return &ended.lineage;
        }
        let leader = self.last.as_ref().and_then(|last| {
            let populations = last.populations.iter();
            populations.max_by(|a, b| a.best.total_cmp(&b.best))
        });
        match (leader, &self.best) {
            (Some(leader), Some(best)) if best.search_fitness >= leader.best => &best.lineage,
            (Some(leader), _) => &leader.lineage,
            (None, Some(best)) => &best.lineage,
            (None, None) => &[],
        }
    }

    /// A record in a file.
    ///
    /// # Errors
    /// What reading fails with, or [`Error::BadFile`] for what is no record.
    pub fn read(path: &Path) -> Result<Self> {
        let size = std::fs::metadata(path)
            .map_err(Error::io("cannot read the record", path))?
            .len();
        if size > MAX_BYTES {
            return Err(Error::bad_file(
                path,
                "too large for the record of a search",
            ));
        }
        let bytes = std::fs::read(path).map_err(Error::io("cannot read the record", path))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::bad_file(path, format!("not the record of a search: {error}")))
    }

    /// The record as JSON.
    ///
    /// # Errors
    /// When a number cannot be written.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|error| Error::Input(format!("the record cannot be written: {error}")))
    }
}
