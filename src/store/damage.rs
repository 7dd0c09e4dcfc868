//! Reading our own files without trusting them, and keeping a damaged one.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::atomic_write;
use crate::{Error, Result};

/// The bytes of a file, or none where there is no such file.
///
/// # Errors
/// When it is larger than `limit` bytes (nothing is read then), not a regular file, or refused by
/// the operating system.
pub(super) fn read_limited(
    path: &Path,
    limit: u64,
    action: &'static str,
) -> Result<Option<Vec<u8>>> {
    let meta = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        outcome => outcome.map_err(Error::io(action, path))?,
    };
    // Looked at before opening: opening a pipe would wait for ever.
    if !meta.is_file() {
        return Err(Error::bad_file(path, "this is not a file: move it away"));
    }
    if meta.len() > limit {
        return Err(too_large(path, meta.len(), limit));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(Error::io(action, path))?;
    let len = bytes.len() as u64;
    if len > limit {
        return Err(too_large(path, len, limit)); // It grew since.
    }
    Ok(Some(bytes))
}

/// The refusal of a file of `len` bytes where `limit` are allowed.
pub(super) fn too_large(path: &Path, len: u64, limit: u64) -> Error {
    let mib = |bytes: u64| bytes.div_ceil(1024 * 1024);
    Error::bad_file(
        path,
        format!(
            "too large, {} MiB where at most {} MiB are expected",
            mib(len),
            mib(limit)
        ),
    )
}

/// Keeps a damaged file as `name.bak` and says where, in one sentence.
///
/// What could be read is copied. What could not (too large, no permission) is renamed, so that
/// it neither stays in the way nor is overwritten by the next save. A folder stays.
pub(super) fn set_aside(path: &Path, bytes: Option<&[u8]>) -> String {
    let backup = backup_path(path);
    let kept = match bytes {
        Some(bytes) => atomic_write(&backup, bytes).map(|()| "A copy was kept"),
        None if path.is_dir() => return "It was left as it is".to_owned(),
        None => fs::rename(path, &backup)
            .map(|()| "It was renamed")
            .map_err(Error::io("cannot rename", path)),
    };
    match kept {
        Ok(how) => format!("{how}: {}", backup.display()),
        Err(error) => format!("No copy could be kept: {error}"),
    }
}

/// `name.bak` beside the file.
pub(super) fn backup_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".bak");
    path.with_file_name(name)
}
