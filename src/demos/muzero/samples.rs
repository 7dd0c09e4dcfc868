//! The stored result: training runs and strength against simulations, made by the program itself.
//!
//! `assets/samples/muzero.json` is `{"runs": [...], "scaling": [...]}`: the `record.json` of runs of
//! `vitrine muzero train`, the most telling first, and the results of `vitrine muzero scaling`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::game::GameId;
use super::record::RunRecord;
use super::scaling::Measured;
use crate::error::{Error, Result};
use crate::store::assets_dir;

/// Larger files are not opened.
const MAX_BYTES: u64 = 64 << 20;
/// More measurements than this nobody makes of one game.
const MOST_ROWS: usize = 1000;

/// Strength of one game's networks against simulations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// The game.
    pub game: GameId,
    /// One row for each number of simulations.
    pub measured: Vec<Measured>,
}

/// What is stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Samples {
    /// Training runs.
    pub runs: Vec<RunRecord>,
    /// Strength against simulations.
    pub scaling: Vec<Scaling>,
}

/// Where the stored result lies.
#[must_use]
pub fn path() -> PathBuf {
    assets_dir().join("samples").join("muzero.json")
}

/// The stored result; nothing where the file is not there.
///
/// # Errors
/// When the file is damaged, which a test excludes.
pub fn stored() -> Result<Samples> {
    let path = path();
    if path.exists() {
        read(&path)
    } else {
        Ok(Samples::default())
    }
}

/// Reads such a file.
///
/// # Errors
/// When it cannot be read, is too large, or holds something else.
pub fn read(path: &Path) -> Result<Samples> {
    let meta = path
        .metadata()
        .map_err(Error::io("cannot read the file", path))?;
    if !meta.is_file() || meta.len() > MAX_BYTES {
        return Err(Error::bad_file(path, "not a file of at most 64 MB"));
    }
    let bytes = std::fs::read(path).map_err(Error::io("cannot read the file", path))?;
    let samples: Samples = serde_json::from_slice(&bytes)
        .map_err(|error| Error::bad_file(path, format!("no runs of MuZero: {error}")))?;
    for run in &samples.runs {
        run.check()
            .map_err(|reason| Error::bad_file(path, reason))?;
    }
    if samples.scaling.iter().any(|s| s.measured.len() > MOST_ROWS) {
        return Err(Error::bad_file(path, "there are too many measurements"));
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::stored;

    #[test]
    fn the_stored_result_can_be_read() {
        stored().expect("a sound file, or none");
    }
}
