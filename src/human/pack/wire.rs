//! Numbers as bytes: little-endian, whole numbers in sevens of bits, differences with their sign in
//! the lowest bit. Reading checks every length against what is left, so that a damaged file gives
//! an error and asks for no more memory than it has bytes.

use crate::human::geometry::Vec3;

/// What is wrong with the bytes.
pub type Damage = String;

/// Collects bytes.
#[derive(Default)]
pub struct Writer {
    /// What was written so far.
    pub bytes: Vec<u8>,
}

impl Writer {
    /// A whole number, seven bits a byte.
    pub fn number(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// A whole number with a sign.
    pub fn signed(&mut self, value: i32) {
        self.number(((value << 1) ^ (value >> 31)).cast_unsigned());
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u32);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// A number with a fraction.
    pub fn float(&mut self, value: f32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Whole numbers, each as the difference to the one before.
    pub fn differences(&mut self, values: impl IntoIterator<Item = i32>) {
        let mut last = 0;
        for value in values {
            self.signed(value - last);
            last = value;
        }
    }

    /// Indices, which mostly rise by little.
    pub fn indices(&mut self, values: &[u16]) {
        self.number(values.len() as u32);
        self.differences(values.iter().map(|&v| i32::from(v)));
    }
}

/// Takes bytes apart.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or("it ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    /// A whole number.
    ///
    /// # Errors
    /// At the end of the bytes, or for a number beyond 32 bits.
    pub fn number(&mut self) -> Result<u32, Damage> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map_err(|_| "a number is too large".into());
            }
        }
        Err("a number is too long".into())
    }

    /// The length of a list whose items take `item_bytes` each at least.
    ///
    /// # Errors
    /// When fewer bytes are left than that.
    pub fn count(&mut self, item_bytes: usize) -> Result<usize, Damage> {
        let count = self.number()? as usize;
        if count.saturating_mul(item_bytes) > self.rest.len() {
            return Err("a list is longer than the file".into());
        }
        Ok(count)
    }

    /// A whole number with a sign.
    ///
    /// # Errors
    /// As [`Reader::number`].
    pub fn signed(&mut self) -> Result<i32, Damage> {
        let value = self.number()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A text of at most 256 bytes.
    ///
    /// # Errors
    /// When it is longer or not UTF-8.
    pub fn text(&mut self) -> Result<String, Damage> {
        let len = self.count(1)?;
        if len > 256 {
            return Err("a name is too long".into());
        }
        String::from_utf8(self.take(len)?.to_vec()).map_err(|_| "a name is not text".into())
    }

    /// A finite number with a fraction.
    ///
    /// # Errors
    /// When it is not finite.
    pub fn float(&mut self) -> Result<f32, Damage> {
        let bytes = self.take(4)?.first_chunk().ok_or("it ends too early")?;
        let value = f32::from_le_bytes(*bytes);
        if value.is_finite() {
            Ok(value)
        } else {
            Err("a number is not finite".into())
        }
    }

    /// Three finite numbers.
    ///
    /// # Errors
    /// When one is not finite.
    pub fn vector(&mut self) -> Result<Vec3, Damage> {
        Ok([self.float()?, self.float()?, self.float()?])
    }

    /// `count` whole numbers written as differences.
    ///
    /// # Errors
    /// When a sum leaves 32 bits.
    pub fn differences(&mut self, count: usize) -> Result<Vec<i32>, Damage> {
        let mut last = 0_i32;
        (0..count)
            .map(|_| {
                last = last
                    .checked_add(self.signed()?)
                    .ok_or("a number is too large")?;
                Ok(last)
            })
            .collect()
    }

    /// Indices below `end`.
    ///
    /// # Errors
    /// When one is not below `end`.
    pub fn indices(&mut self, end: usize) -> Result<Vec<u16>, Damage> {
        let count = self.count(1)?;
        self.differences(count)?
            .into_iter()
            .map(|value| {
                u16::try_from(value)
                    .ok()
                    .filter(|&value| usize::from(value) < end)
                    .ok_or_else(|| "an index points nowhere".into())
            })
            .collect()
    }

    /// Makes sure that nothing is left.
    ///
    /// # Errors
    /// When something is.
    pub fn finish(self) -> Result<(), Damage> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err("there is more in it than belongs there".into())
        }
    }
}
