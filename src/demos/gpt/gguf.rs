//! The GGUF file format: metadata and tensor directory, read with distrust.
//!
//! A header names lengths, counts and offsets; each is compared with what the file holds before
//! anything of that size is allocated. The header is read in growing prefixes, so neither a huge
//! file nor a header that claims to be huge costs memory; arrays stay as ranges of the bytes read.
//! candle's reader expands every array element to 32 bytes, replaces bytes that are not UTF-8 and
//! strips trailing zero bytes, which loses tokens.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::nn::cpu::BlockFormat;

/// The first prefix that is read; `SmolLM2`'s header takes 1.8 MB.
const FIRST_PREFIX: u64 = 4 << 20;
/// No header of a model worth opening is larger.
const MAX_HEADER: u64 = 512 << 20;
/// ggml's own limit on a tensor's dimensions.
const MAX_DIMS: u32 = 4;
const MAX_KEY: u64 = 65_535;

/// A metadata value. Arrays of strings are kept as byte ranges of the header.
#[derive(Clone, Debug)]
enum Value {
    /// Integers of any width, and booleans as 0 and 1.
    Int(i128),
    Float(f64),
    Text(Range<usize>),
    Texts(Vec<Range<usize>>),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    /// An array of arrays, which no key in use has.
    Other,
}

/// Where a tensor lies and how it is stored.
#[derive(Clone, Debug)]
struct TensorInfo {
    /// Fastest first, as the file has them.
    dims: Vec<u64>,
    ggml_type: u32,
    offset: u64,
}

/// An open GGUF file.
pub struct Gguf {
    path: PathBuf,
    file: File,
    file_len: u64,
    header: Vec<u8>,
    values: HashMap<String, Value>,
    tensors: HashMap<String, TensorInfo>,
    data_start: u64,
}

/// A tensor's bytes with its shape, slowest dimension first.
pub struct RawTensor {
    /// How the numbers are stored.
    pub format: BlockFormat,
    /// Rows; 1 for a vector.
    pub rows: usize,
    /// Numbers in a row.
    pub cols: usize,
    /// Row after row.
    pub bytes: Vec<u8>,
}

/// Why a header could not be parsed.
enum Stop {
    /// The prefix ends too early; the header may go on behind it.
    NeedMore,
    Bad(String),
}

type Parse<T> = std::result::Result<T, Stop>;

fn bad<T>(reason: impl Into<String>) -> Parse<T> {
    Err(Stop::Bad(reason.into()))
}

impl Gguf {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// When the file cannot be read or is not a GGUF file this program understands.
    pub fn open(path: &Path) -> Result<Self> {
        let io = |e| Error::io("cannot read the model", path)(e);
        let mut file = File::open(path).map_err(io)?;
        let meta = file.metadata().map_err(io)?;
        if meta.is_dir() {
            return Err(Error::bad_file(path, "a folder, not a GGUF model file"));
        }
        let file_len = meta.len();
        let mut header = Vec::new();
        let mut prefix = FIRST_PREFIX.min(file_len);
        loop {
            let missing = prefix - header.len() as u64;
            (&mut file)
                .take(missing)
                .read_to_end(&mut header)
                .map_err(io)?;
            let mut parser = Parser {
                bytes: &header,
                at: 0,
                file_len,
            };
            match parser.header() {
                Ok((values, tensors, data_start)) => {
                    header.truncate(parser.at);
                    let path = path.to_path_buf();
                    return Ok(Self {
                        path,
                        file,
                        file_len,
                        header,
                        values,
                        tensors,
                        data_start,
                    });
                }
                Err(Stop::Bad(reason)) => return Err(Error::bad_file(path, reason)),
                Err(Stop::NeedMore) if (header.len() as u64) < prefix || prefix == file_len => {
                    return Err(Error::bad_file(
                        path,
                        "the file ends inside its header, it was cut off",
                    ));
                }
                Err(Stop::NeedMore) if prefix >= MAX_HEADER => {
                    return Err(Error::bad_file(
                        path,
                        "the header is larger than 512 MB, it is damaged",
                    ));
                }
                Err(Stop::NeedMore) => prefix = (prefix * 4).min(file_len).min(MAX_HEADER),
            }
        }
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An error about this file.
    pub fn error(&self, reason: impl Into<String>) -> Error {
        Error::bad_file(&self.path, reason)
    }

    fn utf8(&self, range: &Range<usize>) -> Option<&str> {
        std::str::from_utf8(&self.header[range.clone()]).ok()
    }

    /// A text, if the key is there.
    ///
    /// # Errors
    /// When the value is of another kind or not UTF-8.
    pub fn text(&self, key: &str) -> Result<Option<&str>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Text(range)) => self
                .utf8(range)
                .map(Some)
                .ok_or_else(|| self.error(format!("`{key}` is not UTF-8"))),
            Some(_) => Err(self.error(format!("`{key}` is not a text"))),
        }
    }

    /// A whole number, if the key is there.
    ///
    /// # Errors
    /// When the value is of another kind or below zero.
    pub fn count(&self, key: &str) -> Result<Option<u64>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Int(v)) => u64::try_from(*v)
                .map(Some)
                .map_err(|_| self.error(format!("`{key}` is {v}, out of range"))),
            Some(_) => Err(self.error(format!("`{key}` is not a whole number"))),
        }
    }

    /// A number, if the key is there.
    ///
    /// # Errors
    /// When the value is not a number.
    pub fn number(&self, key: &str) -> Result<Option<f64>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Float(v)) => Ok(Some(*v)),
            Some(Value::Int(v)) => Ok(Some(*v as f64)),
            Some(_) => Err(self.error(format!("`{key}` is not a number"))),
        }
    }

    /// A yes or no, if the key is there.
    ///
    /// # Errors
    /// When the value is not a number.
    pub fn flag(&self, key: &str) -> Result<Option<bool>> {
        Ok(self.count(key)?.map(|v| v != 0))
    }

    /// An array of byte strings, if the key is there.
    ///
    /// # Errors
    /// When the value is of another kind.
    pub fn byte_strings(&self, key: &str) -> Result<Option<Vec<&[u8]>>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Texts(ranges)) => Ok(Some(
                ranges.iter().map(|r| &self.header[r.clone()]).collect(),
            )),
            Some(_) => Err(self.error(format!("`{key}` is not a list of texts"))),
        }
    }

    /// An array of whole numbers, if the key is there.
    ///
    /// # Errors
    /// When the value is of another kind.
    pub fn integers(&self, key: &str) -> Result<Option<&[i64]>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Ints(v)) => Ok(Some(v)),
            Some(_) => Err(self.error(format!("`{key}` is not a list of whole numbers"))),
        }
    }

    /// An array of numbers, if the key is there.
    ///
    /// # Errors
    /// When the value is of another kind.
    pub fn numbers(&self, key: &str) -> Result<Option<&[f32]>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Floats(v)) => Ok(Some(v)),
            Some(_) => Err(self.error(format!("`{key}` is not a list of numbers"))),
        }
    }

    /// Whether the file has a tensor of this name.
    #[must_use]
    pub fn has_tensor(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The names of all tensors, in no order.
    pub fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The file's size.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.file_len
    }

    /// Format, rows, columns and bytes of a tensor, checked against the file.
    fn extent(&self, info: &TensorInfo) -> Result<(BlockFormat, usize, usize, usize), String> {
        let format = BlockFormat::from_ggml_id(info.ggml_type).map_err(|name| {
            format!("is stored as {name}, which this program cannot compute with")
        })?;
        let cols = info.dims.first().copied().unwrap_or(1);
        let rows = info
            .dims
            .iter()
            .skip(1)
            .try_fold(1_u64, |n, d| n.checked_mul(*d));
        let sizes =
            rows.and_then(|rows| Some((usize::try_from(rows).ok()?, usize::try_from(cols).ok()?)));
        let Some((rows, cols)) = sizes else {
            return Err("has an impossible shape".into());
        };
        let bytes = format
            .bytes(rows, cols)
            .ok_or("has rows that are not whole blocks")?;
        let end = self
            .data_start
            .checked_add(info.offset)
            .and_then(|s| s.checked_add(bytes as u64));
        if end.is_none_or(|end| end > self.file_len) {
            return Err("lies beyond the end of the file, which was cut off or is damaged".into());
        }
        Ok((format, rows, cols, bytes))
    }

    /// Reads a tensor that must have this shape, `[cols]` or `[rows, cols]`.
    ///
    /// # Errors
    /// When it is missing, has another shape, cannot be computed with or lies outside the file.
    pub fn tensor(&mut self, name: &str, rows: usize, cols: usize) -> Result<RawTensor> {
        let Some(info) = self.tensors.get(name) else {
            return Err(self.error(format!("the tensor `{name}` is missing")));
        };
        let offset = info.offset;
        let (format, has_rows, has_cols, bytes) = self
            .extent(info)
            .map_err(|reason| self.error(format!("the tensor `{name}` {reason}")))?;
        if (has_rows, has_cols) != (rows, cols) {
            return Err(self.error(format!(
                "the tensor `{name}` has shape [{has_rows}, {has_cols}], not [{rows}, {cols}]"
            )));
        }
        let mut data = vec![0; bytes];
        self.file
            .seek(SeekFrom::Start(self.data_start + offset))
            .and_then(|_| self.file.read_exact(&mut data))
            .map_err(Error::io("cannot read the model", &self.path))?;
        Ok(RawTensor {
            format,
            rows,
            cols,
            bytes: data,
        })
    }
}

type Header = (HashMap<String, Value>, HashMap<String, TensorInfo>, u64);

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    file_len: u64,
}

impl Parser<'_> {
    fn header(&mut self) -> Parse<Header> {
        let magic: [u8; 4] = self.array()?;
        if &magic != b"GGUF" {
            return bad("not a GGUF file: it does not begin with the letters GGUF");
        }
        match self.u32()? {
            2 | 3 => {}
            version if version.swap_bytes() <= 3 => {
                return bad("a big-endian GGUF file, which is not supported");
            }
            version => {
                return bad(format!(
                    "GGUF version {version} is not supported, only 2 and 3 are"
                ));
            }
        }
        let tensor_count = self.u64()?;
        let value_count = self.u64()?;
        // The least a tensor (name length, dimensions, type, offset) and a value (key length,
        // type, one byte) take.
        self.fits(tensor_count, 24, "tensors")?;
        self.fits(value_count, 13, "metadata entries")?;

        let mut values = HashMap::new();
        for _ in 0..value_count {
            let key = self.key()?;
            let kind = self.u32()?;
            let value = self.value(kind, &key)?;
            values.insert(key, value);
        }
        let mut tensors = HashMap::new();
        for _ in 0..tensor_count {
            let name = self.key()?;
            let dim_count = self.u32()?;
            if dim_count > MAX_DIMS {
                return bad(format!(
                    "the tensor `{name}` has {dim_count} dimensions, the header is damaged"
                ));
            }
            let dims = (0..dim_count)
                .map(|_| self.u64())
                .collect::<Parse<Vec<_>>>()?;
            let ggml_type = self.u32()?;
            let offset = self.u64()?;
            if tensors
                .insert(
                    name.clone(),
                    TensorInfo {
                        dims,
                        ggml_type,
                        offset,
                    },
                )
                .is_some()
            {
                return bad(format!("the tensor `{name}` is there twice"));
            }
        }
        let alignment = match values.get("general.alignment") {
            Some(Value::Int(v)) => u64::try_from(*v).unwrap_or(0),
            _ => 32,
        };
        if !alignment.is_power_of_two() || alignment > 1 << 20 {
            return bad(format!("an alignment of {alignment} is not possible"));
        }
        Ok((
            values,
            tensors,
            (self.at as u64).next_multiple_of(alignment),
        ))
    }

    /// Refuses a count whose items, `least` bytes each, cannot all be in the file.
    fn fits(&self, count: u64, least: u64, what: &str) -> Parse<()> {
        let left = self.file_len.saturating_sub(self.at as u64);
        if count.checked_mul(least).is_none_or(|need| need > left) {
            return bad(format!(
                "the header claims {count} {what}, more than the file can hold"
            ));
        }
        Ok(())
    }

    fn take(&mut self, len: u64) -> Parse<Range<usize>> {
        self.fits(len, 1, "bytes of text")?;
        let end = usize::try_from(len)
            .ok()
            .and_then(|len| self.at.checked_add(len));
        match end {
            Some(end) if end <= self.bytes.len() => {
                let range = self.at..end;
                self.at = end;
                Ok(range)
            }
            _ => Err(Stop::NeedMore),
        }
    }

    fn array<const N: usize>(&mut self) -> Parse<[u8; N]> {
        let bytes = self
            .bytes
            .get(self.at..)
            .and_then(|rest| rest.first_chunk::<N>())
            .ok_or(Stop::NeedMore)?;
        self.at += N;
        Ok(*bytes)
    }

    fn u32(&mut self) -> Parse<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Parse<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn key(&mut self) -> Parse<String> {
        let len = self.u64()?;
        if len > MAX_KEY {
            return bad(format!("a name of {len} bytes, the header is damaged"));
        }
        let range = self.take(len)?;
        match std::str::from_utf8(&self.bytes[range]) {
            Ok(name) => Ok(name.to_owned()),
            Err(_) => bad("a name that is not UTF-8, the header is damaged"),
        }
    }

    fn value(&mut self, kind: u32, key: &str) -> Parse<Value> {
        Ok(match kind {
            8 => {
                let len = self.u64()?;
                Value::Text(self.take(len)?)
            }
            9 => self.list(key)?,
            6 => Value::Float(f64::from(f32::from_le_bytes(self.array()?))),
            12 => Value::Float(f64::from_le_bytes(self.array()?)),
            _ => Value::Int(self.integer(kind, key)?),
        })
    }

    fn integer(&mut self, kind: u32, key: &str) -> Parse<i128> {
        Ok(match kind {
            0 | 7 => self.array::<1>()?[0].into(),
            1 => i8::from_le_bytes(self.array()?).into(),
            2 => u16::from_le_bytes(self.array()?).into(),
            3 => i16::from_le_bytes(self.array()?).into(),
            4 => self.u32()?.into(),
            5 => i32::from_le_bytes(self.array()?).into(),
            10 => self.u64()?.into(),
            11 => i64::from_le_bytes(self.array()?).into(),
            _ => {
                return bad(format!(
                    "`{key}` has the unknown type {kind}, the header is damaged"
                ));
            }
        })
    }

    fn list(&mut self, key: &str) -> Parse<Value> {
        let kind = self.u32()?;
        let count = self.u64()?;
        let least = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            9 => {
                return bad(format!(
                    "`{key}` is a list of lists, which is not supported"
                ));
            }
            _ => {
                return bad(format!(
                    "`{key}` is a list of the unknown type {kind}, the header is damaged"
                ));
            }
        };
        self.fits(count, least, "list entries")?;
        // All entries are there before any is stored: with texts this is a lower bound.
        if (self.bytes.len() - self.at) as u64 / least < count {
            return Err(Stop::NeedMore);
        }
        Ok(match kind {
            8 => {
                let mut texts = Vec::new();
                for _ in 0..count {
                    let len = self.u64()?;
                    texts.push(self.take(len)?);
                }
                Value::Texts(texts)
            }
            6 => {
                let floats = (0..count).map(|_| self.array().map(f32::from_le_bytes));
                Value::Floats(floats.collect::<Parse<_>>()?)
            }
            12 => {
                self.take(count * 8)?;
                Value::Other
            }
            _ if count > MAX_LIST => {
                return bad(format!(
                    "`{key}` has {count} entries, the header is damaged"
                ));
            }
            _ => {
                let ints = (0..count)
                    .map(|_| Ok(i64::try_from(self.integer(kind, key)?).unwrap_or(i64::MAX)));
                Value::Ints(ints.collect::<Parse<_>>()?)
            }
        })
    }
}

/// Whole numbers in a list: no vocabulary comes near it.
const MAX_LIST: u64 = 16 << 20;
