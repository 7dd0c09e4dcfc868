//! Everything a training run needs to go on, in one file.
//!
//! A [`Checkpoint`] holds the step, the random stream, weights with their masks, the optimiser's
//! state, any further arrays, and free-form notes. [`Checkpoints`] keeps the last two in a folder:
//! each is written whole or not at all, and only then is the oldest removed, so that a killed
//! process or a power cut leaves at least one that can be read. Each carries a checksum of all it
//! holds; a damaged one is set aside as `.bak`, the one before it is taken, and the user is told.
//! On the processor a run that goes on from a checkpoint ends with the same bits as one that was
//! never stopped.
//!
//! ```text
//! runs/lenet/step-000000001200.safetensors   weight/fc1.weight, mask/fc1.weight,
//!            step-000000001800.safetensors   optimizer/fc1.weight/exp_avg, …, checkpoint.json
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::arrays::{self, Array, Arrays, Data};
use super::optim::{Optimizer, OptimizerState};
use super::params::{Params, Snapshot};
use super::weights;
use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::store::{Notice, atomic_write, remove_stale_temp_files};

/// Larger files are not checkpoints of ours.
const MAX_BYTES: u64 = 8 << 30;
/// Checkpoints that stay in a folder.
const KEPT: usize = 2;
/// The array that holds what is not numbers.
const NOTES: &str = "checkpoint.json";
/// The header's entry with the checksum.
const CHECKSUM: &str = "sha256";

/// A training run at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Steps done.
    pub step: u64,
    /// The run's random stream.
    pub rng: Rng,
    /// Whatever else is needed: settings, a sampler's state, the time spent.
    pub meta: Value,
    optimizer: Option<OptimizerState>,
    arrays: Arrays,
}

/// What a checkpoint holds beside its arrays.
#[derive(Serialize, Deserialize)]
struct Notes {
    step: u64,
    rng: Rng,
    meta: Value,
    /// Without the moments, which are arrays.
    optimizer: Option<OptimizerState>,
}

impl Checkpoint {
    /// A moment without weights yet.
    #[must_use]
    pub fn new(step: u64, rng: &Rng, meta: Value) -> Self {
        Self {
            step,
            rng: rng.clone(),
            meta,
            optimizer: None,
            arrays: Arrays::new(),
        }
    }

    /// Adds all weights, buffers and masks.
    ///
    /// # Errors
    /// When the device fails.
    pub fn put_params(&mut self, params: &Params) -> Result<()> {
        self.put_snapshot("weight", &params.snapshot()?, params)?;
        for (name, param) in params.iter() {
            if let Some(mask) = param.mask() {
                let values = mask.flatten_all()?.to_vec1::<u8>()?;
                let array = Array::u8(param.shape(), values);
                self.arrays.insert(format!("mask/{name}"), array);
            }
        }
        Ok(())
    }

    /// Puts weights, buffers and masks back.
    ///
    /// # Errors
    /// When they are those of another model. Nothing is changed then.
    pub fn restore_params(&self, params: &mut Params) -> Result<()> {
        let weights = self.snapshot("weight", params)?;
        let masks = self.section("mask");
        for (name, mask) in &masks {
            if params.get(name)?.shape() != mask.shape {
                return Err(Error::Input(format!("the mask does not fit {name}")));
            }
        }
        let names: Vec<String> = params.names().map(str::to_owned).collect();
        for name in &names {
            match masks.get(name).map(|array| &array.data) {
                Some(Data::U8(mask)) => params.set_mask(name, Some(mask))?,
                _ => params.set_mask(name, None)?,
            }
        }
        params.restore(&weights)
    }

    /// Adds an optimiser's state.
    ///
    /// # Errors
    /// When the device fails.
    pub fn put_optimizer(&mut self, optimizer: &Optimizer) -> Result<()> {
        self.optimizer = Some(optimizer.state()?);
        Ok(())
    }

    /// Puts an optimiser's state back.
    ///
    /// # Errors
    /// When there is none, or it is that of another rule or model. Nothing is changed then.
    pub fn restore_optimizer(&self, optimizer: &mut Optimizer, params: &Params) -> Result<()> {
        let none = || Error::Input("the checkpoint has no state of an optimiser".into());
        optimizer.restore(self.optimizer.as_ref().ok_or_else(none)?, params)
    }

    /// Adds further numbers of the model's weights, such as their moving averages.
    ///
    /// # Errors
    /// When a name is not the model's.
    pub fn put_snapshot(
        &mut self,
        section: &str,
        snapshot: &Snapshot,
        params: &Params,
    ) -> Result<()> {
        let arrays = weights::to_arrays(snapshot, params)?;
        let named = arrays
            .into_iter()
            .map(|(name, array)| (format!("{section}/{name}"), array));
        self.arrays.extend(named);
        Ok(())
    }

    /// Numbers of all the model's weights and buffers that were added under this section.
    ///
    /// # Errors
    /// When they are those of another model.
    pub fn snapshot(&self, section: &str, params: &Params) -> Result<Snapshot> {
        weights::fit(self.section(section), params).map_err(Error::Input)
    }

    /// Adds one array under a section.
    pub fn put_array(&mut self, section: &str, name: &str, array: Array) {
        self.arrays.insert(format!("{section}/{name}"), array);
    }

    /// Copies of the arrays of a section, by the names they were added with.
    #[must_use]
    pub fn section(&self, section: &str) -> Arrays {
        let prefix = format!("{section}/");
        self.arrays
            .iter()
            .filter_map(|(name, array)| {
                let name = name.strip_prefix(&prefix)?;
                Some((name.to_owned(), array.clone()))
            })
            .collect()
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut arrays = self.arrays.clone();
        let mut optimizer = self.optimizer.clone();
        for (name, weight) in optimizer.iter_mut().flat_map(|state| &mut state.weights) {
            for (moment, values) in std::mem::take(&mut weight.moments) {
                let array = Array::f32(&[values.len()], values);
                arrays.insert(format!("optimizer/{name}/{moment}"), array);
            }
        }
        let notes = Notes {
            step: self.step,
            rng: self.rng.clone(),
            meta: self.meta.clone(),
            optimizer,
        };
        let text = serde_json::to_vec(&notes)
            .map_err(|error| Error::Input(format!("the checkpoint's notes: {error}")))?;
        arrays.insert(NOTES.into(), Array::u8(&[text.len()], text));
        let checksum = checksum(&arrays);
        Ok(arrays::to_bytes(&arrays, Some((CHECKSUM, checksum)), false))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let (mut arrays, stored) = arrays::from_bytes(bytes, CHECKSUM)?;
        if stored != Some(checksum(&arrays)) {
            return Err("the checkpoint is damaged: its checksum differs".into());
        }
        let notes = match arrays.remove(NOTES).map(|array| array.data) {
            Some(Data::U8(text)) => serde_json::from_slice::<Notes>(&text)
                .map_err(|error| format!("the checkpoint's notes are damaged: {error}"))?,
            _ => return Err("this is not a checkpoint: it has no notes".into()),
        };
        let Notes {
            step,
            rng,
            meta,
            mut optimizer,
        } = notes;
        for (name, weight) in optimizer.iter_mut().flat_map(|state| &mut state.weights) {
            let prefix = format!("optimizer/{name}/");
            let found: Vec<String> = arrays
                .range(prefix.clone()..)
                .map(|(name, _)| name.clone())
                .take_while(|name| name.starts_with(&prefix))
                .collect();
            for full in found {
                if let Some(Data::F32(values)) = arrays.remove(&full).map(|array| array.data) {
                    let moment = full[prefix.len()..].to_owned();
                    weight.moments.insert(moment, values);
                }
            }
        }
        Ok(Self {
            step,
            rng,
            meta,
            optimizer,
            arrays,
        })
    }
}

/// The SHA-256 of every name, shape and number.
fn checksum(arrays: &Arrays) -> String {
    let mut hash = Sha256::new();
    for (name, array) in arrays {
        hash.update(name.as_bytes());
        hash.update(format!("{:?}", array.shape));
        match &array.data {
            Data::F32(values) => update(&mut hash, values, f32::to_le_bytes),
            Data::F64(values) => update(&mut hash, values, f64::to_le_bytes),
            Data::U8(values) => hash.update(values),
        }
    }
    format!("{:x}", hash.finalize())
}

fn update<const N: usize, T: Copy>(hash: &mut Sha256, values: &[T], bytes: impl Fn(T) -> [u8; N]) {
    // By blocks: one number at a time would spend the time on calls.
    for block in values.chunks(4096) {
        let block: Vec<u8> = block.iter().flat_map(|&value| bytes(value)).collect();
        hash.update(block);
    }
}

/// A folder that keeps the last two checkpoints of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    folder: PathBuf,
}

impl Checkpoints {
    /// The folder is made with the first checkpoint. Each run has one of its own.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Where they lie.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stores a checkpoint, then removes all but the last two.
    ///
    /// # Errors
    /// When it cannot be written. Those before it are kept then.
    pub fn save(&self, checkpoint: &Checkpoint) -> Result<PathBuf> {
        let path = self
            .folder
            .join(format!("step-{:012}.safetensors", checkpoint.step));
        atomic_write(&path, &checkpoint.to_bytes()?)?;
        // Those with later steps are of a run that was begun anew: they are not this one's.
        let stored = self.stored()?;
        let (past, future): (Vec<_>, Vec<_>) = stored
            .into_iter()
            .partition(|(step, _)| *step <= checkpoint.step);
        let spare = past.len().saturating_sub(KEPT);
        for (_, old) in past.into_iter().take(spare).chain(future) {
            if let Err(error) = fs::remove_file(&old) {
                tracing::warn!(
                    "cannot remove an old checkpoint: {error}: {}",
                    old.display()
                );
            }
        }
        Ok(path)
    }

    /// The newest checkpoint that can be read; none in a new folder. The notice tells of those
    /// that were damaged.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn load_latest(&self) -> Result<(Option<Checkpoint>, Option<Notice>)> {
        remove_stale_temp_files(&self.folder);
        let mut damage: Vec<String> = Vec::new();
        let mut found = None;
        for (_, path) in self.stored()?.into_iter().rev() {
            let read = arrays::read(&path, MAX_BYTES).and_then(|bytes| {
                Checkpoint::from_bytes(&bytes).map_err(|reason| Error::bad_file(&path, reason))
            });
            match read {
                Ok(checkpoint) => {
                    found = Some(checkpoint);
                    break;
                }
                Err(error) => {
                    tracing::warn!("{error}");
                    damage.push(error.to_string());
                    set_aside(&path);
                }
            }
        }
        let notice = (!damage.is_empty()).then(|| Notice {
            text: match &found {
                Some(checkpoint) => format!(
                    "The newest checkpoint is damaged, going on from step {}",
                    checkpoint.step
                ),
                None => "No checkpoint could be read, starting anew".into(),
            },
            details: Some(damage.join("\n")),
        });
        Ok((found, notice))
    }

    /// Removes all checkpoints, so that the run starts anew.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn clear(&self) -> Result<()> {
        for (_, path) in self.stored()? {
            fs::remove_file(&path).map_err(Error::io("cannot remove the checkpoint", &path))?;
        }
        Ok(())
    }

    /// The files of this folder by step, oldest first.
    fn stored(&self) -> Result<BTreeMap<u64, PathBuf>> {
        let failed = || Error::io("cannot read the folder of checkpoints", &self.folder);
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(BTreeMap::new());
            }
            entries => entries.map_err(failed())?,
        };
        let mut stored = BTreeMap::new();
        for entry in entries {
            let path = entry.map_err(failed())?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let step = name
                .and_then(|name| name.strip_prefix("step-"))
                .and_then(|name| name.strip_suffix(".safetensors"))
                .and_then(|step| step.parse().ok());
            if let Some(step) = step {
                stored.insert(step, path);
            }
        }
        Ok(stored)
    }
}

/// Renames a damaged checkpoint to `name.bak`, so that it is not counted among the last two.
fn set_aside(path: &Path) {
    let backup = path.with_added_extension("bak");
    if let Err(error) = fs::rename(path, &backup) {
        tracing::warn!(
            "cannot set a damaged checkpoint aside: {error}: {}",
            path.display()
        );
    }
}
