//! Where files lie.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The environment variable that moves everything below one folder.
const HOME_VARIABLE: &str = "VITRINE_HOME";

/// The folder of the shipped assets: `$VITRINE_ASSETS`, or beside the program, or where it was
/// built.
#[must_use]
pub fn assets_dir() -> PathBuf {
    if let Some(dir) = env::var_os("VITRINE_ASSETS").filter(|dir| !dir.is_empty()) {
        return PathBuf::from(dir);
    }
    let beside = env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join("assets")));
    beside
        .filter(|dir| dir.join("manifest.toml").is_file())
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("assets"))
}

/// The folders of this user, handed to whoever needs one. None of them has to exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Models, sessions and the autosave: what the user would miss.
    pub data: PathBuf,
    /// Settings.
    pub config: PathBuf,
    /// What can be deleted at any time.
    pub cache: PathBuf,
}

impl Paths {
    /// The platform's folders, or the ones below `$VITRINE_HOME` where that is set.
    ///
    /// # Errors
    /// [`Error::Missing`] when the user has no home folder.
    pub fn discover() -> Result<Self> {
        Self::from_home_variable(env::var_os(HOME_VARIABLE))
    }

    fn from_home_variable(value: Option<OsString>) -> Result<Self> {
        if let Some(root) = value.filter(|value| !value.is_empty()) {
            let root = std::path::absolute(&root)
                .map_err(Error::io("cannot use VITRINE_HOME", Path::new(&root)))?;
            return Ok(Self::under(&root));
        }
        let folders = directories::ProjectDirs::from("", "", "vitrine").ok_or_else(|| {
            Error::Missing(format!(
                "this user has no home folder: set {HOME_VARIABLE} to a folder for Vitrine's files"
            ))
        })?;
        Ok(Self {
            data: folders.data_local_dir().to_path_buf(),
            config: folders.config_dir().to_path_buf(),
            cache: folders.cache_dir().to_path_buf(),
        })
    }

    /// All folders below one root.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        Self {
            data: root.join("data"),
            config: root.join("config"),
            cache: root.join("cache"),
        }
    }

    /// The [`Settings`](super::Settings).
    #[must_use]
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("settings.toml")
    }

    /// The session of the running window, see [`Autosave`](super::Autosave).
    #[must_use]
    pub fn autosave_file(&self) -> PathBuf {
        self.data.join("autosave.json")
    }

    /// The session of the last window that was closed in good order.
    #[must_use]
    pub fn last_session_file(&self) -> PathBuf {
        self.data.join("last_session.json")
    }

    /// Where a file dialog starts for sessions.
    #[must_use]
    pub fn sessions_dir(&self) -> PathBuf {
        self.data.join("sessions")
    }

    /// Fetched models.
    #[must_use]
    pub fn models_dir(&self) -> PathBuf {
        self.data.join("models")
    }

    /// Reports of panics.
    #[must_use]
    pub fn crash_report_dir(&self) -> PathBuf {
        self.data.join("crash_reports")
    }
}

#[cfg(test)]
mod tests {
    use super::Paths;
    use std::path::Path;

    #[test]
    fn the_variable_moves_every_folder() {
        let root = Path::new("/somewhere");
        let paths = Paths::from_home_variable(Some(root.into())).expect("paths");
        assert_eq!(paths, Paths::under(root));
        for path in [
            paths.settings_file(),
            paths.autosave_file(),
            paths.last_session_file(),
            paths.sessions_dir(),
            paths.models_dir(),
            paths.crash_report_dir(),
            paths.cache,
        ] {
            assert!(path.starts_with(root), "{}", path.display());
        }
    }

    #[test]
    fn a_relative_variable_does_not_follow_the_working_folder() {
        let paths = Paths::from_home_variable(Some("here".into())).expect("paths");
        assert!(paths.data.is_absolute());
        assert!(paths.data.ends_with("here/data"));
    }

    #[test]
    fn an_empty_variable_is_as_good_as_none() {
        let empty = Paths::from_home_variable(Some("".into())).ok();
        assert_eq!(empty, Paths::from_home_variable(None).ok());
        if let Some(paths) = empty {
            assert!(paths.data.is_absolute(), "{}", paths.data.display());
            assert!(paths.data.to_string_lossy().contains("vitrine"));
        }
    }
}
