//! Sessions: the state of every tab, saved by hand or by itself.
//!
//! A session file is JSON, `{"vitrine_session":1,"saved_unix_secs":…,"active":"gpt","tabs":{…}}`.
//! What stands below a tab's name is that tab's business; a tab checks it as it would check any
//! file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::damage::{read_limited, set_aside, too_large};
use super::{Notice, Paths, atomic_write, remove_stale_temp_files};
use crate::{Error, Result};

/// The version this program writes.
const VERSION: u64 = 1;
const VERSION_KEY: &str = "vitrine_session";
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// A session that was restored this often and never lived to be stored again is what ends the
/// program, so it is not restored once more.
const MAX_RESTORES: u32 = 3;

/// The state of every tab.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    /// The tab in front, by its name.
    pub active: String,
    /// Each tab's own state, by the tab's name.
    pub tabs: BTreeMap<String, Value>,
}

impl Session {
    /// Writes the session, replacing the file whole.
    ///
    /// # Errors
    /// When it is larger than 64 MiB, which [`Session::open`] would refuse, or cannot be written;
    /// an old file is intact then.
    pub fn save(&self, path: &Path) -> Result<()> {
        let saved_unix_secs = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let text = json!({
            VERSION_KEY: VERSION,
            "saved_unix_secs": saved_unix_secs,
            "active": self.active,
            "tabs": self.tabs,
        })
        .to_string();
        if text.len() as u64 > MAX_BYTES {
            return Err(too_large(path, text.len() as u64, MAX_BYTES));
        }
        atomic_write(path, text.as_bytes())
    }

    /// Reads a session.
    ///
    /// # Errors
    /// [`Error::Io`] when there is no such file or it cannot be read; [`Error::BadFile`] when it
    /// is not a session, is damaged, larger than 64 MiB, or from a newer Vitrine.
    pub fn open(path: &Path) -> Result<Self> {
        let action = "cannot open the session";
        let bytes = read_limited(path, MAX_BYTES, action)?
            .ok_or_else(|| Error::io(action, path)(io::ErrorKind::NotFound.into()))?;
        Self::parse(&bytes).map_err(|reason| Error::bad_file(path, reason))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err("the session is empty".to_owned());
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| format!("the session is damaged, {error}"))?;
        let Value::Object(mut fields) = value else {
            return Err("this is not a Vitrine session".to_owned());
        };
        match fields.get(VERSION_KEY).map(Value::as_u64) {
            None => return Err("this is not a Vitrine session".to_owned()),
            Some(Some(VERSION)) => {}
            Some(Some(version)) if version > VERSION => {
                return Err(format!(
                    "the session was saved by a newer Vitrine (version {version}, this one \
                     reads {VERSION}): update Vitrine to open it"
                ));
            }
            Some(_) => return Err(format!("the session's `{VERSION_KEY}` is damaged")),
        }
        Ok(Self {
            active: take(&mut fields, "active")?,
            tabs: take(&mut fields, "tabs")?,
        })
    }
}

fn take<T: serde::de::DeserializeOwned>(
    fields: &mut Map<String, Value>,
    key: &str,
) -> Result<T, String> {
    let value = fields
        .remove(key)
        .ok_or_else(|| format!("the session is damaged, it has no `{key}`"))?;
    serde_json::from_value(value)
        .map_err(|error| format!("the session is damaged, its `{key}` is wrong: {error}"))
}

/// The session of the running window, stored every now and then for the case that it ends badly.
///
/// A window claims the file with an advisory lock, which the operating system gives back however
/// the window ends, and leaves a marker that only [`Autosave::close_cleanly`] removes. A marker
/// without a lock is therefore a window that ended badly.
pub struct Autosave {
    /// None in a window that did not get the claim: it stores nothing.
    claim: Option<Claim>,
}

struct Claim {
    file: PathBuf,
    marker: PathBuf,
    /// Held, never read.
    _lock: File,
    /// How often the session was restored since it was last stored.
    restores: u32,
}

impl Autosave {
    /// Claims the autosave for this window.
    ///
    /// Returns the session to go on with when the last window ended badly, and a notice when the
    /// user should know something: that a session was restored, that it was damaged, that another
    /// window has the claim. After a good end the last session is moved to
    /// [`Paths::last_session_file`], so that an autosave is always one of the running window.
    #[must_use]
    pub fn claim(paths: &Paths) -> (Self, Option<Session>, Option<Notice>) {
        let unclaimed = |notice| (Self { claim: None }, None, Some(notice));
        let lock = match lock(&paths.data) {
            Ok(Some(lock)) => lock,
            Ok(None) => {
                return unclaimed(Notice::new(
                    "Another Vitrine window is open, so this one does not autosave",
                    "Save the session by hand to keep it",
                ));
            }
            Err(error) => {
                return unclaimed(Notice::new("Autosave is off", error.to_string()));
            }
        };
        for folder in [&paths.data, &paths.config, &paths.sessions_dir()] {
            remove_stale_temp_files(folder);
        }
        let mut claim = Claim {
            file: paths.autosave_file(),
            marker: paths.data.join("autosave.running"),
            _lock: lock,
            restores: 0,
        };
        let (session, notice) = claim.recover(&paths.last_session_file());
        if let Err(error) = claim.mark() {
            return (
                Self { claim: None },
                session,
                Some(Notice::new("Autosave is off", error.to_string())),
            );
        }
        (Self { claim: Some(claim) }, session, notice)
    }

    /// Whether this window has the claim.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.claim.is_some()
    }

    /// Stores the session; does nothing in a window without the claim.
    ///
    /// # Errors
    /// As [`Session::save`].
    pub fn store(&mut self, session: &Session) -> Result<()> {
        let Some(claim) = &mut self.claim else {
            return Ok(());
        };
        session.save(&claim.file)?;
        if claim.restores > 0 {
            claim.restores = 0;
            claim.mark()?;
        }
        Ok(())
    }

    /// Says that the window ended as it should, so that the next one starts afresh.
    ///
    /// # Errors
    /// When the marker cannot be removed; the next window will restore the session then.
    pub fn close_cleanly(self) -> Result<()> {
        match self.claim {
            None => Ok(()),
            Some(claim) => fs::remove_file(&claim.marker)
                .map_err(Error::io("cannot end the autosave", &claim.marker)),
        }
    }
}

impl Claim {
    /// What the last window left, if it ended badly.
    fn recover(&mut self, last_session: &Path) -> (Option<Session>, Option<Notice>) {
        // A marker that cannot be read as a number is still a marker.
        let Some(restores) = read_marker(&self.marker) else {
            if let Err(error) = fs::rename(&self.file, last_session)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!("{error}: {}", self.file.display());
            }
            return (None, None);
        };
        let file = &self.file;
        let damaged = |error: &Error| {
            // Renamed, not copied: it must not be met again by the next window.
            let kept = set_aside(file, None);
            Notice::new(
                "Vitrine ended unexpectedly and its session could not be restored",
                format!("{error}\n{kept}"),
            )
        };
        let bytes = match read_limited(file, MAX_BYTES, "cannot read the autosave") {
            Ok(None) => return (None, None), // It ended before anything was stored.
            Ok(Some(bytes)) => bytes,
            Err(error) => return (None, Some(damaged(&error))),
        };
        if restores >= MAX_RESTORES {
            let reason = format!(
                "Vitrine ended again each of the {restores} times that the session was restored"
            );
            return (None, Some(damaged(&Error::bad_file(file, reason))));
        }
        match Session::parse(&bytes) {
            Ok(session) => {
                self.restores = restores + 1;
                let notice = Notice::new(
                    "Vitrine ended unexpectedly; the session was restored",
                    format!("From {}", file.display()),
                );
                (Some(session), Some(notice))
            }
            Err(reason) => (None, Some(damaged(&Error::bad_file(file, reason)))),
        }
    }

    fn mark(&self) -> Result<()> {
        atomic_write(&self.marker, self.restores.to_string().as_bytes())
    }
}

/// How often the autosave was restored, where a window left its marker.
fn read_marker(marker: &Path) -> Option<u32> {
    match read_limited(marker, 64, "cannot read the marker") {
        Ok(None) => None,
        Ok(Some(bytes)) => Some(
            std::str::from_utf8(&bytes)
                .ok()
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0),
        ),
        Err(error) => {
            tracing::warn!("{error}");
            Some(0)
        }
    }
}

/// Takes the advisory lock of the autosave; none when another window has it.
fn lock(folder: &Path) -> Result<Option<File>> {
    let path = folder.join("autosave.lock");
    fs::create_dir_all(folder).map_err(Error::io("cannot create the folder", folder))?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(Error::io("cannot open the lock", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::io("cannot lock", &path)(error)),
    }
}
