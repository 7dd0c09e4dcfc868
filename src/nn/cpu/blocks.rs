//! ggml's storage formats for weights: names, sizes, and which of them can be computed with.

use candle_core::quantized::GgmlDType;

/// A storage format of a GGUF tensor.
///
/// A row is a sequence of blocks; a block of `block_len` numbers takes `block_bytes` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockFormat {
    /// The name as ggml writes it, such as `Q4_1`.
    pub name: &'static str,
    /// Numbers in a block.
    pub block_len: usize,
    /// Bytes in a block.
    pub block_bytes: usize,
    /// candle's name for it.
    pub(crate) dtype: GgmlDType,
}

impl BlockFormat {
    /// 32-bit floats.
    pub const F32: Self = Self::new("F32", 1, 4, GgmlDType::F32);
    /// 16-bit floats.
    pub const F16: Self = Self::new("F16", 1, 2, GgmlDType::F16);
    /// 16-bit brain floats.
    pub const BF16: Self = Self::new("BF16", 1, 2, GgmlDType::BF16);
    /// 4 bits and a scale and a minimum for each 32 numbers.
    pub const Q4_1: Self = Self::new("Q4_1", 32, 20, GgmlDType::Q4_1);
    /// 8 bits and a scale for each 32 numbers.
    pub const Q8_0: Self = Self::new("Q8_0", 32, 34, GgmlDType::Q8_0);

    const fn new(
        name: &'static str,
        block_len: usize,
        block_bytes: usize,
        dtype: GgmlDType,
    ) -> Self {
        Self {
            name,
            block_len,
            block_bytes,
            dtype,
        }
    }

    /// The format with this number in a GGUF file.
    ///
    /// # Errors
    /// The format's name, or its number where it has none, when it cannot be computed with.
    pub fn from_ggml_id(id: u32) -> Result<Self, String> {
        Ok(match id {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::new("Q4_0", 32, 18, GgmlDType::Q4_0),
            3 => Self::Q4_1,
            6 => Self::new("Q5_0", 32, 22, GgmlDType::Q5_0),
            7 => Self::new("Q5_1", 32, 24, GgmlDType::Q5_1),
            8 => Self::Q8_0,
            10 => Self::new("Q2_K", 256, 84, GgmlDType::Q2K),
            11 => Self::new("Q3_K", 256, 110, GgmlDType::Q3K),
            12 => Self::new("Q4_K", 256, 144, GgmlDType::Q4K),
            13 => Self::new("Q5_K", 256, 176, GgmlDType::Q5K),
            14 => Self::new("Q6_K", 256, 210, GgmlDType::Q6K),
            30 => Self::BF16,
            _ => return Err(unsupported_name(id)),
        })
    }

    /// Bytes of `rows` rows of `cols` numbers, if the rows are whole blocks and it fits a `usize`.
    #[must_use]
    pub fn bytes(&self, rows: usize, cols: usize) -> Option<usize> {
        if !cols.is_multiple_of(self.block_len) {
            return None;
        }
        (cols / self.block_len)
            .checked_mul(self.block_bytes)?
            .checked_mul(rows)
    }
}

fn unsupported_name(id: u32) -> String {
    let known = match id {
        9 => "Q8_1",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        _ => return format!("number {id}"),
    };
    known.into()
}
