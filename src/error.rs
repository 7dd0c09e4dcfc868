//! The library's one error type.
//!
//! A message says what is wrong and what to do, and ends with the path it is about. Errors are
//! handled once: whoever shows one does not pass it on.

use std::path::{Path, PathBuf};

/// The command that brings a graphics adapter in software to a Debian machine.
pub const ADAPTER_REMEDY: &str = "sudo apt-get install -y mesa-vulkan-drivers libvulkan1";

/// What the library's fallible functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong in the library.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused to read or write a file.
    #[error("{action}: {source}: {}", path.display())]
    Io {
        /// What was being done, such as `cannot read the settings`.
        action: &'static str,
        /// The operating system's own words.
        source: std::io::Error,
        /// The file it was about.
        path: PathBuf,
    },
    /// A file is damaged, of the wrong kind, or asks for something this program cannot do.
    #[error("{reason}: {}", path.display())]
    BadFile {
        /// What is wrong, and what to do about it where something can be done.
        reason: String,
        /// The file it was about.
        path: PathBuf,
    },
    /// Input that the user can mend: a prompt that is too long, a value out of range.
    #[error("{0}")]
    Input(String),
    /// Something that has to be fetched or installed first.
    #[error("{0}")]
    Missing(String),
    /// A download failed or did not match its checksum.
    #[error("{0}")]
    Fetch(String),
    /// A graphics adapter is missing or was lost.
    #[error("{0}")]
    Graphics(String),
    /// A job's step panicked; the worker goes on without it.
    #[error("internal error, the job was stopped: {0}")]
    Panic(String),
    /// The user stopped it.
    #[error("cancelled")]
    Cancelled,
    /// The tensor library failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl Error {
    /// Wraps an I/O error with what was being done and the file it was about.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            source,
            path,
        }
    }

    /// A file that cannot be used, and why.
    pub fn bad_file(path: &Path, reason: impl Into<String>) -> Self {
        Self::BadFile {
            reason: reason.into(),
            path: path.to_path_buf(),
        }
    }
}
