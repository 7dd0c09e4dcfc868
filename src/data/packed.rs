//! Files of numbers as they are, or packed with gzip or xz, told apart by their first bytes.
//!
//! A packed file can grow a thousandfold and more. So nothing here reads to the end of one: the
//! caller takes as many bytes as it expects, and asks whether more would come.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use crate::{Error, Result};

/// The most bytes that a file of numbers may hold unpacked, 256 MiB: five times MNIST.
pub const MAX_BYTES: u64 = 256 << 20;

/// The memory that unpacking xz may take; the largest of its presets needs 65 MiB.
const XZ_MEMORY_KIB: u32 = 96 << 10;

const GZIP: &[u8] = &[0x1f, 0x8b];
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];

/// The bytes of a file, unpacked on the way.
pub(super) struct Unpacked<'a> {
    stream: Box<dyn Read + 'a>,
    path: &'a Path,
    /// What the operating system says; none where it is packed.
    plain_len: Option<u64>,
}

impl<'a> Unpacked<'a> {
    /// Opens a file of at most [`MAX_BYTES`] as it lies there.
    pub(super) fn open(path: &'a Path) -> Result<Self> {
        let failed = || Error::io("cannot read the data", path);
        // Looked at before opening: opening a pipe would wait for ever.
        let meta = fs::metadata(path).map_err(failed())?;
        if !meta.is_file() {
            return Err(Error::bad_file(path, "this is not a file of data"));
        }
        if meta.len() > MAX_BYTES {
            return Err(Error::bad_file(
                path,
                format!(
                    "too large, {} MiB where at most {} MiB are read",
                    meta.len().div_ceil(1 << 20),
                    MAX_BYTES >> 20
                ),
            ));
        }
        let file = File::open(path).map_err(failed())?;
        Self::new(BufReader::with_capacity(1 << 16, file), meta.len(), path)
    }

    /// The same for bytes in memory; `path` only names them in errors.
    pub(super) fn of(bytes: &'a [u8], path: &'a Path) -> Result<Self> {
        Self::new(bytes, bytes.len() as u64, path)
    }

    fn new(mut stream: impl BufRead + 'a, len: u64, path: &'a Path) -> Result<Self> {
        let first = stream
            .fill_buf()
            .map_err(Error::io("cannot read the data", path))?;
        let (gzip, xz) = (first.starts_with(GZIP), first.starts_with(XZ));
        let stream: Box<dyn Read + 'a> = if gzip {
            Box::new(MultiGzDecoder::new(stream))
        } else if xz {
            Box::new(XzReader::new_mem_limit(stream, true, XZ_MEMORY_KIB))
        } else {
            Box::new(stream)
        };
        Ok(Self {
            stream,
            path,
            plain_len: (!gzip && !xz).then_some(len),
        })
    }

    /// The number of bytes where that is known before reading.
    pub(super) fn plain_len(&self) -> Option<u64> {
        self.plain_len
    }

    /// The next bytes, `limit` of them or fewer where the file ends before.
    ///
    /// Memory grows with what comes, not with the limit.
    pub(super) fn read_up_to(&mut self, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(len) = self.plain_len {
            bytes.reserve_exact(usize::try_from(len.min(limit)).unwrap_or(0));
        }
        let read = (&mut self.stream).take(limit).read_to_end(&mut bytes);
        read.map_err(|error| self.damaged(&error))?;
        bytes.shrink_to_fit();
        Ok(bytes)
    }

    /// Whether nothing is left. Checks the checksum at the end of a packed file.
    pub(super) fn at_end(&mut self) -> Result<bool> {
        Ok(self.read_up_to(1)?.is_empty())
    }

    fn damaged(&self, error: &io::Error) -> Error {
        let what = if self.plain_len.is_some() {
            "cannot be read"
        } else {
            "damaged and cannot be unpacked"
        };
        Error::bad_file(
            self.path,
            format!("{what} ({error}), get the file once more"),
        )
    }
}
