//! What stays on disk: shipped and fetched assets, settings, sessions.
//!
//! Three rules hold for every file of this module:
//! - It is replaced whole or not at all ([`atomic_write`]), so a crash or a full disk never costs
//!   what was there before.
//! - It is not trusted when read: a size limit, a check, and an error that says what is wrong, in
//!   which file, and what to do. A damaged file of our own is kept beside the new one as `.bak`
//!   and the user is told by a [`Notice`]; the program starts all the same.
//! - Where it lies comes from a [`Paths`] that is handed in, so that a test never touches the
//!   user's folders.
//!
//! Large weights are rows of [`Manifest`] and come through [`Download`] in a thread of their own;
//! the window never waits for one.

mod atomic;
mod damage;
mod fetch;
mod lock;
mod manifest;
mod paths;
mod session;
mod settings;

pub use atomic::{AtomicFile, atomic_write, remove_stale_temp_files};
pub use fetch::{Apt, Download, Progress, Routes, fetch, fetch_blocking};
pub use lock::FolderLock;
pub use manifest::{
    Asset, DebPackage, Fetch, Gzip, Kind, Manifest, PipPackage, Status, sha256_hex, verify,
};
pub use paths::{Paths, assets_dir};
pub use session::{Autosave, Session};
pub use settings::{Settings, Theme};

/// Something the user should know that is not an error: the program went on with a substitute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One sentence for a toast, without a full stop.
    pub text: String,
    /// The cause and the files involved, for those who unfold it.
    pub details: Option<String>,
}

impl Notice {
    fn new(text: impl Into<String>, details: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            details: Some(details.into()),
        }
    }
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)?;
        match &self.details {
            Some(details) => write!(f, "\n{details}"),
            None => Ok(()),
        }
    }
}
