//! The file that a kit's parts ship in.
//!
//! ```text
//! magic     8 bytes   "VITRINEH"
//! version   varint    1
//! sections  varint    how many
//! each section:
//!   name     varint length, UTF-8
//!   coding   varint    0 as it is, 1 packed with xz
//!   unpacked varint    bytes when unpacked
//!   stored   varint    bytes in the file
//! then the sections' bytes, one after another, to the end of the file
//! ```
//!
//! Pictures are WebP without loss and stored as they are; numbers are packed. Nothing is believed:
//! lengths are checked before memory is asked for, and what is inside is checked by its reader.

pub mod wire;

use std::io::{Read, Write};
use std::path::Path;

use lzma_rust2::{XzOptions, XzReader, XzWriter};

use self::wire::{Damage, Reader, Writer};
use crate::error::{Error, Result};

const MAGIC: &[u8; 8] = b"VITRINEH";
const VERSION: u32 = 1;

/// The most bytes that a pack may have; the larger of ours has an eighth of it.
pub const MAX_BYTES: u64 = 96 << 20;
/// The most bytes that one section may unpack to.
const MAX_UNPACKED: usize = 64 << 20;

/// How a section's bytes lie in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As they are.
    Plain,
    /// Packed with xz.
    Xz,
}

/// One named piece of a pack, unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is, such as `mesh` or `texture/hair/short01`.
    pub name: String,
    /// How it lies in the file.
    pub coding: Coding,
    /// Its bytes, unpacked.
    pub bytes: Vec<u8>,
}

/// Puts sections into the bytes of a file. The same sections give the same bytes.
///
/// # Errors
/// When packing fails, which it does only without memory.
pub fn encode(sections: &[Section]) -> std::io::Result<Vec<u8>> {
    let mut head = Writer::default();
    head.bytes.extend_from_slice(MAGIC);
    head.number(VERSION);
    head.number(sections.len() as u32);
    let mut bodies = Vec::new();
    for section in sections {
        let stored = match section.coding {
            Coding::Plain => section.bytes.clone(),
            Coding::Xz => {
                let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(9))?;
                writer.write_all(&section.bytes)?;
                writer.finish()?
            }
        };
        head.text(&section.name);
        head.number(u32::from(section.coding == Coding::Xz));
        head.number(section.bytes.len() as u32);
        head.number(stored.len() as u32);
        bodies.extend(stored);
    }
    head.bytes.extend(bodies);
    Ok(head.bytes)
}

/// Takes the bytes of a file apart; `path` only names it in errors.
///
/// # Errors
/// [`Error::BadFile`] when it is no pack of this version or damaged.
pub fn decode(bytes: &[u8], path: &Path) -> Result<Vec<Section>> {
    sections(bytes).map_err(|damage| damaged(path, &damage))
}

/// The error for a pack that cannot be used.
#[must_use]
pub fn damaged(path: &Path, damage: &str) -> Error {
    Error::bad_file(
        path,
        format!("this pack of people is damaged, {damage}; install the program again"),
    )
}

fn sections(bytes: &[u8]) -> Result<Vec<Section>, Damage> {
    let mut reader = Reader::new(bytes);
    if reader.take(MAGIC.len())? != MAGIC {
        return Err("it does not begin as one".into());
    }
    let version = reader.number()?;
    if version != VERSION {
        return Err(format!("it has version {version}, not {VERSION}"));
    }
    let count = reader.count(4)?;
    let heads = (0..count)
        .map(|_| {
            let name = reader.text()?;
            let coding = match reader.number()? {
                0 => Coding::Plain,
                1 => Coding::Xz,
                _ => return Err("a section is coded in an unknown way".to_owned()),
            };
            let unpacked = reader.number()? as usize;
            if unpacked > MAX_UNPACKED {
                return Err("a section is too large".to_owned());
            }
            Ok((name, coding, unpacked, reader.number()? as usize))
        })
        .collect::<Result<Vec<_>, Damage>>()?;
    let sections = heads
        .into_iter()
        .map(|(name, coding, unpacked, stored)| {
            let stored = reader.take(stored)?;
            let bytes = match coding {
                Coding::Plain if stored.len() == unpacked => stored.to_vec(),
                Coding::Plain => return Err("a section has the wrong length".to_owned()),
                Coding::Xz => unpack(stored, unpacked)?,
            };
            Ok(Section {
                name,
                coding,
                bytes,
            })
        })
        .collect::<Result<Vec<_>, Damage>>()?;
    reader.finish()?;
    Ok(sections)
}

fn unpack(stored: &[u8], unpacked: usize) -> Result<Vec<u8>, Damage> {
    let mut bytes = Vec::new();
    // One more than expected, so that a longer one is noticed.
    XzReader::new(stored, false)
        .take(unpacked as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("a section cannot be unpacked ({error})"))?;
    if bytes.len() == unpacked {
        Ok(bytes)
    } else {
        Err("a section has the wrong length".into())
    }
}
