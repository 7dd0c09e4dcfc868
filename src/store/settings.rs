//! What the user chose, kept in `settings.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::damage::{read_limited, set_aside};
use super::{Notice, atomic_write};
use crate::{Error, Result};

/// The version this program writes.
const VERSION: u32 = 1;
const MAX_BYTES: u64 = 1024 * 1024;
const ZOOM_RANGE: std::ops::RangeInclusive<f32> = 0.5..=3.0;
const WINDOW_RANGE: std::ops::RangeInclusive<f32> = 200.0..=16_384.0;
const MAX_THREADS: usize = 1024;

/// What the user chose.
///
/// A field that the file lacks has its default, one that this program does not know is ignored,
/// and a number out of range is brought back into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The layout of the file, 1 so far.
    pub version: u32,
    /// Colours of the window.
    pub theme: Theme,
    /// Scale of everything in the window, 0.5 to 3.
    pub zoom: f32,
    /// Width and height of the window in points.
    pub window_size: [f32; 2],
    /// The tab that was open, by its name.
    pub last_tab: String,
    /// Threads for the CPU's share of the work; as many as there are cores where absent.
    pub threads: Option<usize>,
    /// `auto`, `cpu`, `cuda` or `metal`.
    pub device: String,
    /// Whether the help card is unfolded.
    pub show_help: bool,
    /// Whether the log is shown.
    pub show_log: bool,
    /// A model file of the user's own, by the name of the demo that uses it.
    pub models: BTreeMap<String, PathBuf>,
}

/// Colours of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
    /// As the desktop.
    #[default]
    System,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            theme: Theme::default(),
            zoom: 1.0,
            window_size: [1280.0, 800.0],
            last_tab: String::new(),
            threads: None,
            device: "auto".to_owned(),
            show_help: true,
            show_log: false,
            models: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Reads the settings. This cannot fail: where there is no file the defaults are used, and
    /// where it is damaged too, with a notice that says what was wrong and where a copy of it is.
    #[must_use]
    pub fn load(path: &Path) -> (Self, Option<Notice>) {
        let (reason, bytes) = match read_limited(path, MAX_BYTES, "cannot read the settings") {
            Ok(None) => return (Self::default(), None),
            Err(error) => (error.to_string(), None),
            Ok(Some(bytes)) => match Self::parse(&bytes) {
                Ok(settings) => return (settings, None),
                Err(reason) => (format!("{reason}: {}", path.display()), Some(bytes)),
            },
        };
        let kept = set_aside(path, bytes.as_deref());
        let notice = Notice::new(
            "The settings could not be read, so the defaults are used",
            format!("{reason}\n{kept}"),
        );
        (Self::default(), Some(notice))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "the file is not text".to_owned())?;
        // Editors on Windows put this mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err("the file is empty".to_owned());
        }
        let table: toml::Table = text.parse().map_err(|e| one_line(&e))?;
        if let Some(version) = table.get("version").and_then(toml::Value::as_integer)
            && version > i64::from(VERSION)
        {
            return Err(format!(
                "the settings were written by a newer Vitrine (version {version}, this one \
                 reads {VERSION})"
            ));
        }
        let settings: Self = table.try_into().map_err(|e| one_line(&e))?;
        Ok(settings.clamped())
    }

    /// Brings every number into its range.
    fn clamped(mut self) -> Self {
        let defaults = Self::default();
        self.version = VERSION;
        self.zoom = clamp(self.zoom, &ZOOM_RANGE, defaults.zoom);
        for (size, default) in self.window_size.iter_mut().zip(defaults.window_size) {
            *size = clamp(*size, &WINDOW_RANGE, default);
        }
        self.threads = self
            .threads
            .filter(|&threads| threads > 0)
            .map(|threads| threads.min(MAX_THREADS));
        self
    }

    /// Writes the settings, replacing the file whole.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is intact then.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = toml::to_string_pretty(&self.clone().clamped()).map_err(|error| {
            Error::bad_file(path, format!("the settings cannot be written: {error}"))
        })?;
        atomic_write(path, text.as_bytes())
    }
}

fn clamp(value: f32, range: &std::ops::RangeInclusive<f32>, default: f32) -> f32 {
    if value.is_nan() {
        default
    } else {
        value.clamp(*range.start(), *range.end())
    }
}

/// The message without the excerpt of the file below it.
fn one_line(error: &toml::de::Error) -> String {
    error.message().lines().collect::<Vec<_>>().join(", ")
}
