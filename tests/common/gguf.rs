//! Writes GGUF files, and finds the fields of a header, from the format's description and not
//! from the reader under test: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use std::ops::Range;

const ALIGNMENT: usize = 32;

/// A metadata value.
#[derive(Clone, Debug)]
pub enum Meta {
    U32(u32),
    F32(f32),
    Bool(bool),
    Text(Vec<u8>),
    Texts(Vec<Vec<u8>>),
    Ints(Vec<i32>),
    Floats(Vec<f32>),
}

impl Meta {
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    fn type_id(&self) -> u32 {
        match self {
            Self::U32(_) => 4,
            Self::F32(_) => 6,
            Self::Bool(_) => 7,
            Self::Text(_) => 8,
            Self::Texts(_) | Self::Ints(_) | Self::Floats(_) => 9,
        }
    }
}

struct TensorData {
    name: String,
    /// Fastest first.
    dims: Vec<u64>,
    ggml_type: u32,
    bytes: Vec<u8>,
}

/// A file in the making.
#[derive(Default)]
pub struct GgufWriter {
    metas: Vec<(String, Meta)>,
    tensors: Vec<TensorData>,
}

impl GgufWriter {
    /// Sets a value, in place of an older one.
    pub fn set(&mut self, key: &str, value: Meta) -> &mut Self {
        self.unset(key);
        self.metas.push((key.into(), value));
        self
    }

    pub fn unset(&mut self, key: &str) -> &mut Self {
        self.metas.retain(|(k, _)| k != key);
        self
    }

    pub fn tensor(
        &mut self,
        name: &str,
        dims: &[usize],
        ggml_type: u32,
        bytes: Vec<u8>,
    ) -> &mut Self {
        self.tensors.push(TensorData {
            name: name.into(),
            dims: dims.iter().map(|d| *d as u64).collect(),
            ggml_type,
            bytes,
        });
        self
    }

    /// The whole file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3_u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.metas.len() as u64).to_le_bytes());
        for (key, value) in &self.metas {
            put_text(&mut out, key.as_bytes());
            out.extend(value.type_id().to_le_bytes());
            put_value(&mut out, value);
        }
        let mut offset = 0;
        for tensor in &self.tensors {
            put_text(&mut out, tensor.name.as_bytes());
            out.extend((tensor.dims.len() as u32).to_le_bytes());
            for dim in &tensor.dims {
                out.extend(dim.to_le_bytes());
            }
            out.extend(tensor.ggml_type.to_le_bytes());
            out.extend((offset as u64).to_le_bytes());
            offset += tensor.bytes.len().next_multiple_of(ALIGNMENT);
        }
        out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
        for tensor in &self.tensors {
            out.extend(&tensor.bytes);
            out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
        }
        out
    }
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text);
}

fn put_list<T>(
    out: &mut Vec<u8>,
    type_id: u32,
    items: &[T],
    mut put: impl FnMut(&mut Vec<u8>, &T),
) {
    out.extend(type_id.to_le_bytes());
    out.extend((items.len() as u64).to_le_bytes());
    for item in items {
        put(out, item);
    }
}

fn put_value(out: &mut Vec<u8>, value: &Meta) {
    match value {
        Meta::U32(v) => out.extend(v.to_le_bytes()),
        Meta::F32(v) => out.extend(v.to_le_bytes()),
        Meta::Bool(v) => out.push(u8::from(*v)),
        Meta::Text(v) => put_text(out, v),
        Meta::Texts(v) => put_list(out, 8, v, |out, text| put_text(out, text)),
        Meta::Ints(v) => put_list(out, 5, v, |out, n| out.extend(n.to_le_bytes())),
        Meta::Floats(v) => put_list(out, 6, v, |out, n| out.extend(n.to_le_bytes())),
    }
}

/// Where a header's fields lie.
#[derive(Debug, Default)]
pub struct Fields {
    /// Lengths, counts, dimensions and offsets of 8 bytes.
    pub lengths: Vec<usize>,
    /// Type numbers and dimension counts of 4 bytes.
    pub types: Vec<usize>,
    /// Values of metadata numbers.
    pub numbers: Vec<Range<usize>>,
    /// Where the tensor directory begins.
    pub tensors_from: usize,
    /// The header's length.
    pub end: usize,
}

impl Fields {
    /// Finds the fields of a sound header.
    pub fn of(header: &[u8]) -> Self {
        let mut walk = Walk {
            bytes: header,
            at: 8,
            fields: Self::default(),
        };
        let tensors = walk.length();
        let metas = walk.length();
        for _ in 0..metas {
            walk.text();
            let kind = walk.kind();
            walk.value(kind);
        }
        walk.fields.tensors_from = walk.at;
        for _ in 0..tensors {
            walk.text();
            let dims = walk.kind();
            for _ in 0..dims {
                walk.length();
            }
            walk.kind();
            walk.length();
        }
        walk.fields.end = walk.at;
        walk.fields
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    fields: Fields,
}

impl Walk<'_> {
    fn length(&mut self) -> u64 {
        self.fields.lengths.push(self.at);
        let field = self.bytes[self.at..self.at + 8]
            .try_into()
            .expect("8 bytes");
        self.at += 8;
        u64::from_le_bytes(field)
    }

    fn kind(&mut self) -> u32 {
        self.fields.types.push(self.at);
        let field = self.bytes[self.at..self.at + 4]
            .try_into()
            .expect("4 bytes");
        self.at += 4;
        u32::from_le_bytes(field)
    }

    fn text(&mut self) {
        let len = self.length() as usize;
        self.at += len;
    }

    fn value(&mut self, kind: u32) {
        let size = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 => 8,
            8 => return self.text(),
            9 => {
                let kind = self.kind();
                for _ in 0..self.length() {
                    self.value(kind);
                }
                return;
            }
            other => panic!("no such type: {other}"),
        };
        self.fields.numbers.push(self.at..self.at + size);
        self.at += size;
    }
}
