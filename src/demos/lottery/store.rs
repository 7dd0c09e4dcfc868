//! Where a run is kept, so that a stopped one goes on and a finished one is not done again.
//!
//! ```text
//! runs/lottery/imp-lenet-3f2a90c1d4e5/    named after the settings and a hash of them
//!     run.json                            the settings
//!     record.json                         all finished stages, for people and other programs
//!     stages/r0-level1-ticket/…           a finished piece of work: weights, masks, its curve
//!     under-way/…                         the last two checkpoints of the present one
//! ```
//!
//! The same settings give the same folder. Files are safetensors with a checksum, written whole or
//! not at all ([`nn::checkpoint`](crate::nn::checkpoint)); a damaged one is set aside and its stage
//! is done again. A piece of work is finished once its file is there; what lies under way is
//! removed afterwards, and belongs to the piece of work that it names. So there is no moment at
//! which killing the program costs more than what was done since the last checkpoint.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::config::{LotteryConfig, Method};
use super::record::{Extras, RunRecord, Stage};
use super::work::{Outcome, Past};
use crate::error::{Error, Result};
use crate::nn::checkpoint::{Checkpoint, Checkpoints};
use crate::rng::Rng;
use crate::store::{FolderLock, Paths, atomic_write};

/// Changes when old runs would not be gone on with as they were begun.
const FORMAT: u32 = 1;

/// One run's folder. It is locked while this value lives.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    _lock: FolderLock,
}

/// A piece of work that was found finished.
#[derive(Debug)]
pub struct Finished {
    /// What it left behind.
    pub outcome: Outcome,
    /// The run's extras when it was done.
    pub extras: Extras,
}

/// A piece of work that was found under way.
#[derive(Debug)]
pub struct UnderWay {
    /// All it needs to go on.
    pub checkpoint: Checkpoint,
    /// The run's extras at that moment.
    pub extras: Extras,
}

/// What a finished piece of work's file holds beside its arrays.
#[derive(Serialize, Deserialize)]
struct Notes {
    key: String,
    stage: Option<Stage>,
    extras: Extras,
    sections: Vec<String>,
}

impl Store {
    /// The folder below which all runs of this user lie.
    #[must_use]
    pub fn default_root(paths: &Paths) -> PathBuf {
        paths.data.join("runs").join("lottery")
    }

    /// The folder of a run of these settings.
    #[must_use]
    pub fn folder(root: &Path, config: &LotteryConfig) -> PathBuf {
        let config = canonical(config);
        let hash = Sha256::digest(json!({ "format": FORMAT, "config": config }).to_string());
        let hash = hash[..6].iter().fold(String::new(), |mut text, byte| {
            text += &format!("{byte:02x}");
            text
        });
        let (method, net) = (name(&config.method), name(&config.net));
        root.join(format!("{method}-{net}-{hash}"))
    }

    /// Opens the folder of a run of these settings, or makes it.
    ///
    /// # Errors
    /// When the run is under way elsewhere, or the folder cannot be written.
    pub fn open(root: &Path, config: &LotteryConfig) -> Result<Self> {
        let folder = Self::folder(root, config);
        let lock = FolderLock::take(&folder)?;
        let run = json!({ "format": FORMAT, "config": canonical(config) });
        atomic_write(&folder.join("run.json"), format!("{run:#}\n").as_bytes())?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Forgets all that was done.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn clear(&self) -> Result<()> {
        // What is under way goes first: it must not be found without the stages before it.
        for name in ["under-way", "stages"] {
            let path = self.folder.join(name);
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("cannot remove the old run", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A piece of work if it is finished, and warnings about files that were damaged.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn load(&self, key: &str) -> Result<(Option<Finished>, Option<String>)> {
        load(&self.folder, key)
    }

    /// Keeps a finished piece of work; what was under way is removed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, key: &str, finished: &Finished) -> Result<()> {
        let Finished { outcome, extras } = finished;
        let arrays = outcome.arrays.iter();
        let split: Vec<_> = arrays
            .filter_map(|(full, array)| Some((full.split_once('/')?, array)))
            .collect();
        let mut sections: Vec<String> = split.iter().map(|((s, _), _)| (*s).into()).collect();
        sections.sort_unstable();
        sections.dedup();
        let notes = Notes {
            key: key.into(),
            stage: outcome.stage.clone(),
            extras: extras.clone(),
            sections,
        };
        let points = outcome.stage.iter().flat_map(|stage| &stage.points);
        let step = points.last().map_or(0, |point| point.step);
        let mut checkpoint = Checkpoint::new(step, &Rng::new(0), to_value(&notes)?);
        for ((section, name), array) in split {
            checkpoint.put_array(section, name, array.clone());
        }
        let folder = Checkpoints::new(stage_folder(&self.folder, key));
        // One of an earlier step cannot be there but by a damaged file that was set aside.
        folder.clear()?;
        folder.save(&checkpoint)?;
        self.under_way().clear()
    }

    /// Keeps a piece of work that is under way, with the extras as they are.
    ///
    /// # Errors
    /// When it cannot be written; those before it are kept then.
    pub fn save_under_way(
        &self,
        key: &str,
        mut checkpoint: Checkpoint,
        extras: &Extras,
    ) -> Result<()> {
        if let Value::Object(meta) = &mut checkpoint.meta {
            meta.insert("key".into(), key.into());
            meta.insert("extras".into(), to_value(extras)?);
        }
        self.under_way().save(&checkpoint).map(drop)
    }

    /// The last checkpoint of a piece of work with the extras of then, and warnings about files
    /// that were damaged.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn load_under_way(&self, key: &str) -> Result<(Option<UnderWay>, Option<String>)> {
        let (checkpoint, notice) = self.under_way().load_latest()?;
        let own = checkpoint.filter(|found| found.meta.get("key") == Some(&key.into()));
        let found = own.and_then(|checkpoint| {
            let extras = checkpoint.meta.get("extras")?.clone();
            Some(UnderWay {
                extras: serde_json::from_value(extras).ok()?,
                checkpoint,
            })
        });
        Ok((found, notice.map(|notice| notice.to_string())))
    }

    /// Writes all that is known of the run, for people and other programs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_record(&self, record: &RunRecord) -> Result<()> {
        let text = serde_json::to_vec(record)
            .map_err(|error| Error::Input(format!("cannot write down the run: {error}")))?;
        atomic_write(&self.folder.join("record.json"), &text)
    }

    fn under_way(&self) -> Checkpoints {
        Checkpoints::new(self.folder.join("under-way"))
    }
}

impl Past for Arc<Store> {
    fn outcome(&self, key: &str) -> Result<Arc<Outcome>> {
        let (found, _) = self.load(key)?;
        let missing = || Error::bad_file(&self.folder, format!("the stage {key} is missing"));
        found
            .map(|finished| Arc::new(finished.outcome))
            .ok_or_else(missing)
    }
}

/// A finished piece of work of another run, if there is one.
///
/// # Errors
/// When its folder cannot be read.
pub fn borrow(root: &Path, config: &LotteryConfig, key: &str) -> Result<Option<Outcome>> {
    let (found, _) = load(&Store::folder(root, config), key)?;
    Ok(found.map(|finished| finished.outcome))
}

fn stage_folder(folder: &Path, key: &str) -> PathBuf {
    folder.join("stages").join(key)
}

fn load(folder: &Path, key: &str) -> Result<(Option<Finished>, Option<String>)> {
    let (checkpoint, notice) = Checkpoints::new(stage_folder(folder, key)).load_latest()?;
    let found = checkpoint.and_then(|mut checkpoint| {
        let notes: Notes = serde_json::from_value(checkpoint.meta.take()).ok()?;
        let mut outcome = Outcome {
            stage: notes.stage,
            ..Outcome::default()
        };
        for section in &notes.sections {
            let arrays = checkpoint.section(section).into_iter();
            let named = arrays.map(|(name, array)| (format!("{section}/{name}"), array));
            outcome.arrays.extend(named);
        }
        Some(Finished {
            outcome,
            extras: notes.extras,
        })
    });
    Ok((found, notice.map(|notice| notice.to_string())))
}

fn to_value(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|error| Error::Input(format!("cannot write down the run: {error}")))
}

/// The name on the command line.
fn name(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// The settings without those that the method does not look at.
#[must_use]
pub fn canonical(config: &LotteryConfig) -> LotteryConfig {
    let mut own = LotteryConfig {
        method: config.method,
        net: config.net,
        width: config.width,
        data: config.data,
        folder: config.folder.clone(),
        steps: config.steps,
        batch: config.batch,
        learning_rate: config.learning_rate,
        eval_every: config.eval_every,
        seeds: config.seeds,
        target: config.target,
        seed: config.seed,
        ..LotteryConfig::default()
    };
    match config.method {
        Method::Dense => {}
        Method::Imp => {
            own.levels = config.levels;
            own.rewind = config.rewind;
            own.last_steps = config.last_steps;
            own.one_shot = config.one_shot;
            own.controls = config.controls;
            own.siblings = config.siblings;
        }
        Method::Gates => own.budget = config.budget,
        Method::EdgePopup => {
            own.k = config.k;
            own.k_sweep.clone_from(&config.k_sweep);
            own.weights = config.weights;
            own.unscaled = config.unscaled;
        }
        Method::SubsetSum => own.n = config.n,
    }
    own
}
