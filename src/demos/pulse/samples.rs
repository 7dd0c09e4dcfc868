//! The stored bias table, which the tab shows at first.

use super::bias::Row;
use crate::error::{Error, Result};
use crate::store::assets_dir;

/// The table.
///
/// # Errors
/// When the file is missing or damaged.
pub fn stored() -> Result<Vec<Row>> {
    let path = assets_dir().join("samples").join("pulse.json");
    let bytes = std::fs::read(&path).map_err(Error::io("cannot read the file", &path))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::bad_file(&path, format!("the stored result is damaged: {error}")))
}
