//! How a method is cut into pieces that can be stopped, stored and gone on with.
//!
//! A method is a [`Procedure`]: a fixed list of [`Plan`]s, each of which becomes a piece of
//! [`Work`] when its turn comes, out of the [`Outcome`]s of earlier ones. An outcome is stored when
//! the work is done and never again changed. So a run that is begun again skips what is stored, and
//! the same settings always give the same list.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::config::LotteryConfig;
use super::images::Images;
use super::net::{LayerSpec, NetSpec};
use super::record::{Extras, Point, Shot, Stage, StageKind};
use crate::error::{Error, Result};
use crate::nn::Snapshot;
use crate::nn::arrays::{Array, Arrays, Data};
use crate::nn::checkpoint::Checkpoint;

/// A piece of work of a method's list.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its name among those of the run and in the run's folder, such as `r0-level3-ticket`.
    pub key: String,
    /// What it does; `None` for measurements that add to the extras and have no curve.
    pub kind: Option<StageKind>,
    /// Rounds of pruning before it.
    pub level: u32,
    /// The repetition it belongs to.
    pub repetition: u32,
    /// Settings of a run with a piece of work of the same key that gives the same outcome, which
    /// is taken from there if it is finished.
    pub same_as: Option<Box<LotteryConfig>>,
}

/// A method.
pub trait Procedure: Send + 'static {
    /// Everything that it will do, in order. It follows from the settings alone.
    fn plans(&self) -> Vec<Plan>;

    /// Makes a piece of work out of what earlier ones led to.
    ///
    /// # Errors
    /// When an earlier outcome is missing or does not fit.
    fn begin(&self, plan: &Plan, bench: &Bench) -> Result<Box<dyn Work>>;

    /// Adds what a finished piece of work has to show beside its curve.
    ///
    /// # Errors
    /// When an earlier outcome is missing or does not fit.
    fn conclude(
        &self,
        _plan: &Plan,
        _outcome: &Outcome,
        _bench: &Bench,
        _extras: &mut Extras,
    ) -> Result<()> {
        Ok(())
    }
}

/// What procedures build with.
pub struct Bench {
    /// What was asked for.
    pub config: LotteryConfig,
    /// The net.
    pub spec: NetSpec,
    /// The pictures.
    pub images: Arc<Images>,
    /// Where tensors are made.
    pub device: Device,
    /// Outcomes of earlier work, by key.
    pub past: Box<dyn Past>,
    /// What each of them has cost alone.
    pub spent: BTreeMap<String, Spent>,
}

impl Bench {
    /// What a piece of work has cost alone; nothing if it is not finished.
    #[must_use]
    pub fn spent(&self, key: &str) -> Spent {
        self.spent.get(key).copied().unwrap_or_default()
    }
}

/// Outcomes of earlier work.
pub trait Past: Send {
    /// The outcome of the piece of work with this key.
    ///
    /// # Errors
    /// When it is not finished or cannot be read.
    fn outcome(&self, key: &str) -> Result<Arc<Outcome>>;
}

/// What a step of work brought.
#[derive(Debug, Default)]
pub struct News {
    /// Further points of the curve.
    pub points: Vec<Point>,
    /// Nothing is left to do but [`Work::finish`].
    pub done: bool,
}

/// A piece of work under way.
pub trait Work: Send {
    /// Its place in the record, with the points so far; `None` for a measurement.
    fn stage(&self) -> Option<Stage>;

    /// Works for about this long.
    ///
    /// # Errors
    /// Whatever goes wrong there. The work cannot go on after an error.
    fn advance(&mut self, time: Duration, extras: &mut Extras) -> Result<News>;

    /// Done and to do, and of what.
    fn progress(&self) -> (u64, u64, &'static str);

    /// All it needs to go on from here; `None` if it is better begun anew.
    ///
    /// # Errors
    /// When the device fails.
    fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        Ok(None)
    }

    /// Goes on from what [`Work::checkpoint`] gave.
    ///
    /// # Errors
    /// When it is of other work.
    fn resume(&mut self, _checkpoint: &Checkpoint) -> Result<()> {
        Err(Error::Input(
            "this piece of work has no checkpoints to go on from".into(),
        ))
    }

    /// The net as it is now, as of this stage of the record.
    ///
    /// # Errors
    /// When the device fails.
    fn shot(&self, _stage: usize) -> Result<Option<Shot>> {
        Ok(None)
    }

    /// What it leaves behind.
    ///
    /// # Errors
    /// When the device fails.
    fn finish(self: Box<Self>) -> Result<Outcome>;
}

/// Operations and processor seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Operations; a multiply-add is two.
    pub flops: f64,
    /// Processor seconds of training.
    pub cpu_seconds: f64,
}

impl std::ops::Add for Spent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            flops: self.flops + other.flops,
            cpu_seconds: self.cpu_seconds + other.cpu_seconds,
        }
    }
}

/// What a finished piece of work leaves behind. Arrays are in the layers' own shapes, by sections:
/// `weight/fc1.weight` at the end, `mask/fc1.weight` as bytes, `step-500/fc1.weight` at step 500.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// For the record, with its summary; `None` for a measurement.
    pub stage: Option<Stage>,
    /// The numbers.
    pub arrays: Arrays,
}

impl Outcome {
    /// What the stage has cost alone.
    #[must_use]
    pub fn spent(&self) -> Spent {
        let summary = self.stage.as_ref().and_then(|stage| stage.summary);
        summary.map_or(Spent::default(), |summary| Spent {
            flops: summary.flops,
            cpu_seconds: summary.cpu_seconds,
        })
    }

    /// Adds the numbers of a net under a section, in the layers' shapes.
    pub fn put_snapshot(&mut self, section: &str, snapshot: Snapshot, spec: &NetSpec) {
        for (name, values) in snapshot {
            let layer = spec.layers.iter().find(|layer| layer.weight_name() == name);
            let shape = layer.map_or_else(|| vec![values.len()], LayerSpec::shape);
            self.arrays
                .insert(format!("{section}/{name}"), Array::f32(&shape, values));
        }
    }

    /// The numbers of a section.
    ///
    /// # Errors
    /// When there is no such section.
    pub fn snapshot(&self, section: &str) -> Result<Snapshot> {
        let prefix = format!("{section}/");
        let found = self.arrays.iter().filter_map(|(name, array)| {
            let Data::F32(values) = &array.data else {
                return None;
            };
            Some((name.strip_prefix(&prefix)?.to_owned(), values.clone()))
        });
        let found: Snapshot = found.collect();
        if found.is_empty() {
            return Err(Error::Input(format!("the stage has no weights {section}")));
        }
        Ok(found)
    }

    /// Adds the masks of the layers.
    pub fn put_masks(&mut self, masks: Vec<Vec<u8>>, spec: &NetSpec) {
        for (layer, mask) in spec.layers.iter().zip(masks) {
            let name = format!("mask/{}", layer.weight_name());
            self.arrays.insert(name, Array::u8(&layer.shape(), mask));
        }
    }

    /// The masks of the layers.
    ///
    /// # Errors
    /// When one is missing or not of this net.
    pub fn masks(&self, spec: &NetSpec) -> Result<Vec<Vec<u8>>> {
        let mask = |layer: &LayerSpec| {
            let name = layer.weight_name();
            match self.arrays.get(&format!("mask/{name}")).map(|a| &a.data) {
                Some(Data::U8(mask)) if mask.len() as u64 == layer.weights() => Ok(mask.clone()),
                _ => Err(Error::Input(format!("the stage has no mask of {name}"))),
            }
        };
        spec.layers.iter().map(mask).collect()
    }
}
