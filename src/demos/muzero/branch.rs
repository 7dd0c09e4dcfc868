//! Branching a run: a copy of its newest checkpoint and of its record in a folder of its own, to go
//! on there with other settings.

use std::path::Path;

use super::record::{Origin, RunRecord};
use crate::error::{Error, Result};
use crate::nn::checkpoint::Checkpoints;

/// The checkpoints of a run.
#[must_use]
pub fn checkpoints(folder: &Path) -> Checkpoints {
    Checkpoints::new(folder.join("checkpoints"))
}

/// Copies the run in the folder `from` to the folder `to`, which has none.
///
/// # Errors
/// When there is no run to copy, there is one already where it should go, or a file cannot be read
/// or written.
pub fn branch(from: &Path, to: &Path) -> Result<()> {
    let (there, _) = checkpoints(to).load_latest()?;
    if there.is_some() {
        return Err(Error::bad_file(
            to,
            "there is a run in this folder already, choose another one to branch into",
        ));
    }
    let (found, _) = checkpoints(from).load_latest()?;
    let Some(checkpoint) = found else {
        return Err(Error::bad_file(
            from,
            "there is no checkpoint to branch off from",
        ));
    };
    if let Some(mut record) = RunRecord::load(from)? {
        let run = from.file_name().map(|name| name.to_string_lossy().into());
        record.origin = Some(Origin {
            run: run.unwrap_or_default(),
            steps: checkpoint.step,
        });
        record.finished = false;
        record.store(to)?;
    }
    checkpoints(to).save(&checkpoint)?;
    Ok(())
}
