//! Weights in files: what is loaded is exactly what the model asks for, or an error.
//!
//! ```no_run
//! # fn run(params: &vitrine::nn::Params) -> vitrine::Result<()> {
//! use vitrine::nn::weights::{self, Precision};
//!
//! let path = std::path::Path::new("lenet.safetensors");
//! weights::save(params, path, Precision::Half)?;
//! weights::load(params, path)?;
//! # Ok(()) }
//! ```
//!
//! A file holds every weight and buffer of the model under its name and nothing else, in single or
//! half precision. A name too many or too few, another shape or another type is an error that
//! lists the first of them, and the model is left as it was.

use std::path::Path;

use half::f16;

use super::arrays::{self, Array, Arrays, Data, MAX_HEADER_BYTES};
use super::params::{Params, Snapshot};
use crate::error::{Error, Result};
use crate::store::atomic_write;

/// How numbers are stored. In memory they are always single precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Single precision: what is loaded equals what was saved.
    #[default]
    Single,
    /// Half precision: half the bytes, three decimal digits, at most 65504.
    Half,
}

/// Names that an error lists of each kind.
const LISTED: usize = 3;

/// Stores all weights and buffers, whole or not at all.
///
/// # Errors
/// When a number does not fit half precision, or the file cannot be written.
pub fn save(params: &Params, path: &Path, precision: Precision) -> Result<()> {
    save_with_note(params, path, precision, None)
}

/// As [`save`], with a key and a text in the file's header, such as the model's sizes.
///
/// # Errors
/// As [`save`].
pub fn save_with_note(
    params: &Params,
    path: &Path,
    precision: Precision,
    note: Option<(&str, String)>,
) -> Result<()> {
    let arrays = to_arrays(&params.snapshot()?, params)?;
    let half = precision == Precision::Half;
    if half {
        let too_large = |x: &f32| x.is_finite() && !f16::from_f32(*x).is_finite();
        for (name, array) in &arrays {
            if matches!(&array.data, Data::F32(values) if values.iter().any(too_large)) {
                return Err(Error::Input(format!(
                    "{name} has numbers beyond half precision: store single precision"
                )));
            }
        }
    }
    atomic_write(path, &arrays::to_bytes(&arrays, note, half))
}

/// The text that a file of at most `limit` bytes holds under a key.
///
/// # Errors
/// When the file cannot be read, is damaged, or has no such text.
pub fn note(path: &Path, key: &str, limit: u64) -> Result<String> {
    let bytes = arrays::read(path, limit)?;
    let bad = |reason: String| Error::bad_file(path, reason);
    let (_, note) = arrays::from_bytes(&bytes, key).map_err(bad)?;
    note.ok_or_else(|| {
        bad(format!(
            "the file does not say what model it is of: no {key}"
        ))
    })
}

/// Loads all weights and buffers. Masked weights stay zero.
///
/// # Errors
/// When the file cannot be read, is damaged, or is not of this model. Nothing is changed then.
pub fn load(params: &Params, path: &Path) -> Result<()> {
    let numbers: usize = params.iter().map(|(_, p)| p.var().elem_count()).sum();
    let bytes = arrays::read(path, numbers as u64 * 4 + MAX_HEADER_BYTES)?;
    let bad = |reason: String| Error::bad_file(path, reason);
    let (arrays, _) = arrays::from_bytes(&bytes, "").map_err(bad)?;
    params.restore(&fit(arrays, params).map_err(bad)?)
}

/// The arrays of a snapshot, in the model's shapes.
pub(super) fn to_arrays(snapshot: &Snapshot, params: &Params) -> Result<Arrays> {
    snapshot
        .iter()
        .map(|(name, values)| {
            let shape = params.get(name)?.shape();
            Ok((name.clone(), Array::f32(shape, values.clone())))
        })
        .collect()
}

/// The numbers of all weights and buffers, if the arrays are theirs and no others.
///
/// # Errors
/// What does not fit, in words.
pub(super) fn fit(mut arrays: Arrays, params: &Params) -> Result<Snapshot, String> {
    let mut found = Snapshot::new();
    let (mut missing, mut wrong) = (Vec::new(), Vec::new());
    for (name, param) in params.iter() {
        match arrays.remove(name) {
            None => missing.push(name.to_owned()),
            Some(Array { shape, .. }) if shape != param.shape() => wrong.push(format!(
                "{name} has shape {shape:?} and not {:?}",
                param.shape()
            )),
            Some(Array { data, .. }) => match data {
                Data::F32(values) => {
                    found.insert(name.to_owned(), values);
                }
                _ => wrong.push(format!("{name} has another type than f32 or f16")),
            },
        }
    }
    let unexpected: Vec<String> = arrays.into_keys().collect();
    let mut complaints = Vec::new();
    for (what, names) in [
        ("missing ", missing),
        ("unexpected ", unexpected),
        ("", wrong),
    ] {
        if !names.is_empty() {
            let mut text = format!("{what}{}", names[..names.len().min(LISTED)].join(", "));
            if names.len() > LISTED {
                text += &format!(" and {} more", names.len() - LISTED);
            }
            complaints.push(text);
        }
    }
    if complaints.is_empty() {
        Ok(found)
    } else {
        Err(format!(
            "these are weights of another model: {}",
            complaints.join("; ")
        ))
    }
}
