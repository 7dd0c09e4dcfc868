//! Idx files, the format of MNIST and of the data sets made after it.
//!
//! Four bytes say what follows: two zeros, the kind of number, how many dimensions. Each dimension
//! is a big-endian `u32`, and then come the numbers, the last dimension running fastest. The
//! format is the one that MNIST was published in, and described with it. Only bytes are read here.
//! Nothing in a file is believed: sizes are multiplied with care and compared with a limit and
//! with the file's length before there is room made for them.

use std::path::Path;

use super::packed::{MAX_BYTES, Unpacked};
use crate::{Error, Result};

/// The most dimensions that are read.
pub const MAX_DIMS: usize = 4;

/// The kind of number that is read: unsigned bytes.
const BYTES: u8 = 0x08;

/// What an idx file holds: `dims` multiplied is the length of `bytes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// One to [`MAX_DIMS`] sizes, the slowest first: `[images, rows, columns]` or `[labels]`.
    pub dims: Vec<usize>,
    /// The numbers, the last dimension running fastest.
    pub bytes: Vec<u8>,
}

impl Idx {
    /// Reads a file, plain or packed with gzip or xz, known by its content, not by its name.
    ///
    /// # Errors
    /// [`Error::Io`] when there is none or it cannot be read; [`Error::BadFile`] when it is no idx
    /// file of bytes, is damaged, cut off, longer than it says, or asks for more than
    /// [`MAX_BYTES`].
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_stream(Unpacked::open(path)?, path)
    }

    /// As [`Idx::read`], from memory; `path` only names the bytes in errors.
    ///
    /// # Errors
    /// [`Error::BadFile`] as [`Idx::read`].
    pub fn decode(bytes: &[u8], path: &Path) -> Result<Self> {
        Self::from_stream(Unpacked::of(bytes, path)?, path)
    }

    fn from_stream(mut stream: Unpacked, path: &Path) -> Result<Self> {
        let dims = read_dims(&mut stream, path)?;
        let expected = data_len(&dims, path)?;
        let head = 4 + 4 * dims.len() as u64;
        if let Some(len) = stream.plain_len()
            && len.saturating_sub(head) != expected
        {
            return Err(wrong_len(path, &dims, len.saturating_sub(head)));
        }
        let bytes = stream.read_up_to(expected)?;
        if bytes.len() as u64 != expected {
            return Err(wrong_len(path, &dims, bytes.len() as u64));
        }
        if !stream.at_end()? {
            return Err(wrong_len(path, &dims, expected + 1));
        }
        let dims = dims.into_iter().map(|dim| dim as usize).collect();
        Ok(Self { dims, bytes })
    }
}

/// The sizes at the beginning of the file.
fn read_dims(stream: &mut Unpacked, path: &Path) -> Result<Vec<u32>> {
    let bad = |reason: String| Error::bad_file(path, reason);
    let magic = stream.read_up_to(4)?;
    let &[0, 0, kind, count] = &magic[..] else {
        return Err(bad(
            "not an idx file (it does not begin with two zeros), use files in MNIST's format"
                .to_owned(),
        ));
    };
    if kind != BYTES {
        return Err(bad(match kind_name(kind) {
            Some(name) => format!("an idx file of {name}, only bytes (kind 0x08) are read"),
            None => format!("not an idx file (kind of number 0x{kind:02x} is not known)"),
        }));
    }
    let count = usize::from(count);
    if !(1..=MAX_DIMS).contains(&count) {
        return Err(bad(format!(
            "an idx file of {count} dimensions, between 1 and {MAX_DIMS} are read"
        )));
    }
    let sizes = stream.read_up_to(4 * count as u64)?;
    if sizes.len() != 4 * count {
        return Err(bad(
            "cut off within the sizes at its beginning, get the file once more".to_owned(),
        ));
    }
    let (sizes, _) = sizes.as_chunks::<4>();
    Ok(sizes.iter().map(|size| u32::from_be_bytes(*size)).collect())
}

/// The number of bytes that the sizes ask for, if that is something that can be read.
fn data_len(dims: &[u32], path: &Path) -> Result<u64> {
    let product = dims
        .iter()
        .try_fold(1_u64, |product, dim| product.checked_mul(u64::from(*dim)));
    match product {
        Some(0) => Err(Error::bad_file(
            path,
            format!("holds nothing: its sizes are {}", shown(dims)),
        )),
        Some(len) if len <= MAX_BYTES => Ok(len),
        _ => Err(Error::bad_file(
            path,
            format!(
                "asks for {} numbers, at most {MAX_BYTES} are read; it is damaged or too large",
                shown(dims)
            ),
        )),
    }
}

fn wrong_len(path: &Path, dims: &[u32], found: u64) -> Error {
    let expected: u64 = dims.iter().map(|dim| u64::from(*dim)).product();
    let sizes = shown(dims);
    Error::bad_file(
        path,
        if found < expected {
            format!(
                "cut off: {found} of the {expected} bytes for {sizes} are there, get the file once more"
            )
        } else {
            format!(
                "there is more in it than the {expected} bytes for {sizes}, get the file once more"
            )
        },
    )
}

/// `60000 × 28 × 28`.
fn shown(dims: &[u32]) -> String {
    let dims: Vec<String> = dims.iter().map(u32::to_string).collect();
    dims.join(" × ")
}

fn kind_name(kind: u8) -> Option<&'static str> {
    match kind {
        0x09 => Some("signed bytes"),
        0x0b => Some("16-bit numbers"),
        0x0c => Some("32-bit numbers"),
        0x0d => Some("32-bit floats"),
        0x0e => Some("64-bit floats"),
        _ => None,
    }
}
