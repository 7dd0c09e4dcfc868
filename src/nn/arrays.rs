//! Named arrays of numbers in a safetensors file.
//!
//! The container of weights and checkpoints: a header in JSON that names every array with its
//! type, shape and place, then the numbers. Files are not trusted: a size limit before anything is
//! read, a limit on the header before it is parsed, and the safetensors crate's checks that arrays
//! neither overlap nor leave gaps nor reach beyond the end.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, View};

use crate::error::{Error, Result};

/// A header of 16 MiB names more than 100,000 arrays.
pub const MAX_HEADER_BYTES: u64 = 16 << 20;

/// Arrays by name.
pub type Arrays = BTreeMap<String, Array>;

/// Numbers in a shape, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The sizes of the dimensions.
    pub shape: Vec<usize>,
    /// The numbers.
    pub data: Data,
}

/// Numbers of one type.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Single precision; half precision becomes this when read.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
    /// Bytes.
    U8(Vec<u8>),
}

impl Array {
    /// Single-precision numbers.
    #[must_use]
    pub fn f32(shape: &[usize], values: Vec<f32>) -> Self {
        let shape = shape.to_vec();
        let data = Data::F32(values);
        Self { shape, data }
    }

    /// A list of double-precision numbers.
    #[must_use]
    pub fn f64(values: Vec<f64>) -> Self {
        let shape = vec![values.len()];
        let data = Data::F64(values);
        Self { shape, data }
    }

    /// Bytes.
    #[must_use]
    pub fn u8(shape: &[usize], values: Vec<u8>) -> Self {
        let shape = shape.to_vec();
        let data = Data::U8(values);
        Self { shape, data }
    }

    /// The numbers, if they are of single precision.
    #[must_use]
    pub fn into_f32(self) -> Option<Vec<f32>> {
        match self.data {
            Data::F32(values) => Some(values),
            _ => None,
        }
    }

    /// The numbers as they lie in a file; `half` stores single precision as half precision.
    fn bytes(&self, half: bool) -> Vec<u8> {
        match &self.data {
            Data::F32(values) if half => values
                .iter()
                .flat_map(|&x| f16::from_f32(x).to_le_bytes())
                .collect(),
            Data::F32(values) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Data::F64(values) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Data::U8(values) => values.clone(),
        }
    }

    fn dtype(&self, half: bool) -> Dtype {
        match &self.data {
            Data::F32(_) if half => Dtype::F16,
            Data::F32(_) => Dtype::F32,
            Data::F64(_) => Dtype::F64,
            Data::U8(_) => Dtype::U8,
        }
    }
}

/// An array on its way into a file.
struct Stored<'a> {
    array: &'a Array,
    half: bool,
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        self.array.dtype(self.half)
    }

    fn shape(&self) -> &[usize] {
        &self.array.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.array.bytes(self.half).into()
    }

    fn data_len(&self) -> usize {
        let count: usize = self.array.shape.iter().product();
        count * self.dtype().bitsize() / 8
    }
}

/// The bytes of a file with these arrays; the same arrays give the same bytes.
///
/// `note` is one text for the header, `half` stores single precision as half precision.
#[must_use]
pub fn to_bytes(arrays: &Arrays, note: Option<(&str, String)>, half: bool) -> Vec<u8> {
    let stored = arrays
        .iter()
        .map(|(name, array)| (name.as_str(), Stored { array, half }));
    // One entry: the order of several would be a matter of chance.
    let notes = note.map(|(key, text)| HashMap::from([(key.to_owned(), text)]));
    safetensors::serialize(stored, notes)
        .unwrap_or_else(|error| unreachable!("arrays in memory lie one behind the other: {error}"))
}

/// The arrays of a file of at most `limit` bytes.
///
/// # Errors
/// When it is missing, larger or damaged.
pub fn load(path: &Path, limit: u64) -> Result<Arrays> {
    let (arrays, _) =
        from_bytes(&read(path, limit)?, "").map_err(|reason| Error::bad_file(path, reason))?;
    Ok(arrays)
}

/// The arrays of a file's bytes and its note of this key.
///
/// # Errors
/// What is wrong with the file, in words.
pub(super) fn from_bytes(bytes: &[u8], key: &str) -> Result<(Arrays, Option<String>), String> {
    let damaged = |error| format!("the safetensors file is damaged: {error}");
    let header: [u8; 8] = bytes
        .get(..8)
        .and_then(|first| first.try_into().ok())
        .ok_or("the safetensors file is damaged: it is shorter than its header")?;
    let header = u64::from_le_bytes(header);
    if header > MAX_HEADER_BYTES {
        return Err(format!(
            "the safetensors file is damaged: its header claims {header} bytes"
        ));
    }
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let arrays = file
        .iter()
        .map(|(name, view)| Ok((name.to_owned(), array(name, &view)?)))
        .collect::<Result<_, String>>()?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let note = metadata.metadata().as_ref().and_then(|all| all.get(key));
    Ok((arrays, note.cloned()))
}

fn array(name: &str, view: &TensorView) -> Result<Array, String> {
    let bytes = view.data();
    let data = match view.dtype() {
        Dtype::F32 => Data::F32(numbers(bytes, f32::from_le_bytes)),
        Dtype::F16 => Data::F32(numbers(bytes, |b| f16::from_le_bytes(b).to_f32())),
        Dtype::F64 => Data::F64(numbers(bytes, f64::from_le_bytes)),
        Dtype::U8 => Data::U8(bytes.to_vec()),
        other => return Err(format!("{name} has the type {other}, which is not read")),
    };
    Ok(Array {
        shape: view.shape().to_vec(),
        data,
    })
}

fn numbers<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (whole, _) = bytes.as_chunks::<N>();
    whole.iter().map(|&bytes| number(bytes)).collect()
}

/// The bytes of a file of at most `limit` bytes.
///
/// # Errors
/// When it is larger, not a regular file, or refused by the operating system.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let action = "cannot read the weights";
    let meta = fs::metadata(path).map_err(Error::io(action, path))?;
    // Looked at before opening: opening a pipe would wait for ever.
    if !meta.is_file() {
        return Err(Error::bad_file(path, "this is not a file"));
    }
    let mut bytes = Vec::new();
    if meta.len() <= limit {
        File::open(path)
            .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
            .map_err(Error::io(action, path))?;
    }
    if meta.len().max(bytes.len() as u64) > limit {
        let reason = format!("{} bytes where at most {limit} are expected", meta.len());
        return Err(Error::bad_file(path, reason));
    }
    Ok(bytes)
}
