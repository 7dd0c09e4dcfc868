//! The WGSL sources: where they come from, how they import each other, whether they are sound.
//!
//! A shader begins with lines such as `#import "lib/colormap.wgsl"`. [`resolve`] puts the named
//! file in their place, each file at most once, and remembers which line came from where, so that
//! an error in the joined text is reported at the line that a person can edit.
//!
//! The sources are part of the program ([`EMBEDDED`]). A debug build reads them from the source
//! folder instead and notices when one changes ([`Watch`]).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use egui_wgpu::wgpu::naga;

use crate::{Error, Result};

/// Every shader: its path below `shaders/` and its text.
pub const EMBEDDED: &[(&str, &str)] = &[
    ("heatmap.wgsl", include_str!("../../shaders/heatmap.wgsl")),
    ("image.wgsl", include_str!("../../shaders/image.wgsl")),
    (
        "lib/colormap.wgsl",
        include_str!("../../shaders/lib/colormap.wgsl"),
    ),
    (
        "lib/light.wgsl",
        include_str!("../../shaders/lib/light.wgsl"),
    ),
    (
        "lib/screen.wgsl",
        include_str!("../../shaders/lib/screen.wgsl"),
    ),
    (
        "lib/target.wgsl",
        include_str!("../../shaders/lib/target.wgsl"),
    ),
    ("mesh.wgsl", include_str!("../../shaders/mesh.wgsl")),
    (
        "mesh_show.wgsl",
        include_str!("../../shaders/mesh_show.wgsl"),
    ),
    ("shapes.wgsl", include_str!("../../shaders/shapes.wgsl")),
];

/// The least time between two looks at the source folder.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Where shader texts are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sources {
    /// What was compiled in.
    Embedded,
    /// A folder, read anew each time.
    Folder(PathBuf),
}

impl Sources {
    /// The source folder in a debug build that still has it, else what was compiled in.
    #[must_use]
    pub fn for_this_build() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
        if cfg!(debug_assertions) && folder.is_dir() {
            Self::Folder(folder)
        } else {
            Self::Embedded
        }
    }

    fn read(&self, path: &str) -> Option<Cow<'static, str>> {
        match self {
            Self::Embedded => EMBEDDED
                .iter()
                .find(|(known, _)| *known == path)
                .map(|(_, text)| Cow::Borrowed(*text)),
            Self::Folder(folder) => std::fs::read_to_string(folder.join(path))
                .ok()
                .map(Cow::Owned),
        }
    }
}

/// A shader with its imports in place.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// The whole WGSL text.
    pub text: String,
    /// The files in it, each once, in the order in which they were first named.
    pub files: Vec<String>,
    /// For each line of the text, its file (an index of `files`) and line there, from 1.
    lines: Vec<(usize, usize)>,
}

impl Resolved {
    /// The place of a line of the text (from 1), such as `shaders/lib/colormap.wgsl:12`.
    #[must_use]
    pub fn origin(&self, line: usize) -> PathBuf {
        let (file, line) = line
            .checked_sub(1)
            .and_then(|index| self.lines.get(index))
            .or(self.lines.last())
            .copied()
            .unwrap_or_default();
        place(self.files.get(file).map_or("", String::as_str), line)
    }

    fn include(&mut self, sources: &Sources, path: &str, text: &str, open: &[&str]) -> Result<()> {
        let file = self.files.len();
        self.files.push(path.to_owned());
        for (index, line) in text.lines().enumerate() {
            let at = || place(path, index + 1);
            if let Some(rest) = line.trim_start().strip_prefix("#import") {
                let name = rest
                    .trim()
                    .strip_prefix('"')
                    .and_then(|rest| rest.strip_suffix('"'))
                    .ok_or_else(|| {
                        Error::bad_file(&at(), r#"an import is written #import "lib/name.wgsl""#)
                    })?;
                if name == path || open.contains(&name) {
                    let reason = format!("\"{name}\" imports itself");
                    return Err(Error::bad_file(&at(), reason));
                }
                if !self.files.iter().any(|known| known == name) {
                    let text = sources.read(name).ok_or_else(|| {
                        Error::bad_file(&at(), format!("no shader \"{name}\" to import"))
                    })?;
                    self.include(sources, name, &text, &[open, &[path]].concat())?;
                }
            } else {
                self.text.push_str(line);
                self.text.push('\n');
                self.lines.push((file, index + 1));
            }
        }
        Ok(())
    }
}

fn place(path: &str, line: usize) -> PathBuf {
    PathBuf::from(format!("shaders/{path}:{line}"))
}

/// Reads a shader and puts its imports in place.
///
/// # Errors
/// When a file is not there, an import is malformed, or files import each other in a circle; the
/// message ends with file and line.
pub fn resolve(sources: &Sources, path: &str) -> Result<Resolved> {
    let text = sources.read(path).ok_or_else(|| {
        Error::bad_file(&Path::new("shaders").join(path), "cannot read the shader")
    })?;
    let mut resolved = Resolved::default();
    resolved.include(sources, path, &text, &[])?;
    Ok(resolved)
}

/// Parses and type-checks a shader with naga, as the graphics driver's layer will.
///
/// # Errors
/// What is wrong, ending with file and line.
pub fn validate(shader: &Resolved) -> Result<naga::Module> {
    let refuse = |reason: String, at: Option<naga::SourceLocation>| {
        let line = at.map_or(1, |at| at.line_number as usize);
        Error::bad_file(&shader.origin(line), reason)
    };
    let module = naga::front::wgsl::parse_str(&shader.text).map_err(|error| {
        let labels: Vec<_> = error.labels().map(|(_, label)| label).collect();
        let reason = format!("{} ({})", error.message(), labels.join(", "));
        refuse(reason, error.location(&shader.text))
    })?;
    let mut validator = naga::valid::Validator::new(
        naga::valid::ValidationFlags::all(),
        naga::valid::Capabilities::default(),
    );
    match validator.validate(&module) {
        Ok(_) => Ok(module),
        Err(error) => {
            let mut reason = error.as_inner().to_string();
            let mut cause = std::error::Error::source(error.as_inner());
            while let Some(inner) = cause {
                reason = format!("{reason}: {inner}");
                cause = inner.source();
            }
            Err(refuse(reason, error.location(&shader.text)))
        }
    }
}

/// Notices, at most twice a second, that a file of a shader folder changed.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    looked: Instant,
    stamps: BTreeMap<PathBuf, SystemTime>,
}

impl Watch {
    /// Watches a folder from its present state on.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            looked: Instant::now(),
            stamps: stamps(folder),
        }
    }

    /// Whether a file was changed, added or removed since it was last asked.
    pub fn changed(&mut self) -> bool {
        if self.looked.elapsed() < LOOK_EVERY {
            return false;
        }
        self.looked = Instant::now();
        let stamps = stamps(&self.folder);
        let changed = stamps != self.stamps;
        self.stamps = stamps;
        changed
    }
}

/// When each file of the folder and its `lib/` was last changed; what cannot be read is left out.
fn stamps(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    [folder.to_path_buf(), folder.join("lib")]
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flat_map(|entries| entries.filter_map(std::io::Result::ok))
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.modified().ok()?)))
        .collect()
}
