//! What several test files share.

#![allow(
    dead_code,
    reason = "each test file is a crate of its own and uses a part"
)]

pub mod gguf;
pub mod tiny;

use std::path::{Path, PathBuf};

use serde_json::Value;
use vitrine::demos::gpt::DEFAULT_MODEL;
use vitrine::store::{Manifest, Paths, assets_dir};

/// The default language model's file, if it was fetched.
///
/// Without it a test prints that it was skipped and passes, unless `VITRINE_REQUIRE_MODEL=1` says
/// that this machine must have it.
pub fn model_or_skip() -> Option<PathBuf> {
    let manifest = Manifest::embedded().expect("a sound manifest");
    let asset = manifest.get(DEFAULT_MODEL).expect("the default model");
    let paths = Paths::discover().expect("a home folder");
    let file = asset.location(&assets_dir(), &paths);
    if file
        .metadata()
        .is_ok_and(|m| m.is_file() && m.len() == asset.bytes)
    {
        return Some(file);
    }
    let required = std::env::var("VITRINE_REQUIRE_MODEL").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "VITRINE_REQUIRE_MODEL=1, but there is no model: {}",
        file.display()
    );
    println!("skipped: the model is not here, vitrine fetch gpt");
    None
}

/// The records of a file in `tests/data/gpt`.
pub fn records(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/gpt")
        .join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// A list of token ids in a record.
pub fn ids(record: &Value, key: &str) -> Vec<u32> {
    let list = record[key].as_array().expect("a list of ids");
    list.iter()
        .map(|id| id.as_u64().expect("an id") as u32)
        .collect()
}

/// A text's bytes, written as hexadecimal digits in a record.
pub fn hex(record: &Value, key: &str) -> Vec<u8> {
    let digits = record[key].as_str().expect("hexadecimal digits");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits"))
        .collect()
}

/// Writes a file of a test's own folder.
pub fn write(path: &Path, bytes: &[u8]) {
    vitrine::store::atomic_write(path, bytes).expect("a test can write its files");
}

/// Whether there is something to draw with, be it software.
///
/// Without it a test prints that it was skipped and passes, unless `VITRINE_REQUIRE_GPU=1` says
/// that this machine must have one.
#[cfg(feature = "gui")]
pub fn adapter_or_skip() -> bool {
    use std::sync::OnceLock;

    static FOUND: OnceLock<bool> = OnceLock::new();
    let found = *FOUND.get_or_init(|| !vitrine::view::adapter_names().is_empty());
    if !found {
        let required = std::env::var("VITRINE_REQUIRE_GPU").is_ok_and(|value| value == "1");
        assert!(!required, "VITRINE_REQUIRE_GPU=1, but no graphics adapter");
        println!("skipped: no graphics adapter");
    }
    found
}

/// A PNG's header chunk with these sides and a right checksum, and nothing after it.
pub fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    let mut crc = u32::MAX;
    for &byte in &header {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(header);
    png.extend((!crc).to_be_bytes());
    // The beginning of pixels, so that the reader reaches the end of the header.
    png.extend(b"\0\0\x10\0IDAT\x78\x9c");
    png
}
