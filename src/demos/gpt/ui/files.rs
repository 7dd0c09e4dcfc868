//! Files and their names.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Larger text files are not opened as prompts.
const MAX_TEXT_FILE: u64 = 1 << 20;

/// The text of a file.
///
/// # Errors
/// When it cannot be read, is too large, or is no text.
pub fn read_text(path: &Path) -> Result<String> {
    let meta = path
        .metadata()
        .map_err(Error::io("cannot read the file", path))?;
    if meta.len() > MAX_TEXT_FILE {
        return Err(Error::bad_file(
            path,
            "neither a GGUF model nor a text of at most 1 MB",
        ));
    }
    let bytes = std::fs::read(path).map_err(Error::io("cannot read the file", path))?;
    String::from_utf8(bytes)
        .map_err(|_| Error::bad_file(path, "neither a GGUF model nor a text in UTF-8"))
}

/// The folder a model was chosen from, for people.
pub fn short_path(path: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_path_buf)) {
        Some(rest) => Path::new("~").join(rest),
        None => path.to_path_buf(),
    }
}
