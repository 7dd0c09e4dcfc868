//! Putting a file in its place: only whole, and only if it is the one of the manifest.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::Meter;
use crate::store::manifest::hex;
use crate::store::{Asset, AtomicFile};
use crate::{Error, Result};

/// Where a stream of bytes comes from, for messages.
pub(super) struct Origin<'a> {
    /// The file that is read.
    pub path: &'a Path,
    /// What failed if it cannot be read.
    pub action: &'static str,
    /// What is wrong if it is not as expected.
    pub what: &'a str,
}

/// Copies a stream into `file`, which appears only if its size and checksum are the asset's. Of a
/// longer stream no more than one byte too many is read.
pub(super) fn place(
    stream: impl Read,
    origin: &Origin,
    asset: &Asset,
    file: &Path,
    meter: &mut Meter,
) -> Result<()> {
    let mut stream = stream.take(asset.bytes.saturating_add(1));
    let mut out = AtomicFile::create(file)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut done = 0;
    loop {
        let len = stream
            .read(&mut buffer)
            .map_err(Error::io(origin.action, origin.path))?;
        if len == 0 {
            break;
        }
        hash.update(&buffer[..len]);
        out.write_all(&buffer[..len])
            .map_err(Error::io("cannot write", file))?;
        done += len as u64;
        meter.done(done)?;
    }
    let found = hex(&hash.finalize());
    let what = origin.what;
    let wrong = match done.cmp(&asset.bytes) {
        Ordering::Less => format!("{what} has {done} bytes, not {}", asset.bytes),
        Ordering::Greater => format!("{what} has more than {} bytes", asset.bytes),
        Ordering::Equal if found == asset.sha256 => return out.commit(),
        Ordering::Equal => format!("{what} has the SHA-256 {found}, not {}", asset.sha256),
    };
    Err(Error::Fetch(wrong))
}

/// As [`place`], out of a file that is packed with gzip.
pub(super) fn place_gunzipped(
    packed: &Path,
    what: &str,
    asset: &Asset,
    file: &Path,
    meter: &mut Meter,
) -> Result<()> {
    let origin = Origin {
        path: packed,
        action: "cannot unpack",
        what,
    };
    let opened = File::open(packed).map_err(Error::io("cannot unpack", packed))?;
    let stream = MultiGzDecoder::new(BufReader::new(opened));
    place(stream, &origin, asset, file, meter)
}
