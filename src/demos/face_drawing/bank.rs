//! The people whose parts are known: a code for each part of each, and who they are.
//!
//! Codes are stored as bytes, which keeps a bank of ten thousand people below four megabytes; a step
//! is a fortieth of a deviation. A person is not stored but a number in a random stream. The filter
//! that drawn codes go through lies in the same file.

use std::path::Path;

use super::filter::Filter;
use super::manifold::{self, Neighbours};
use super::parts::{CODES, PARTS, PerPart, ranges};
use crate::error::{Error, Result};
use crate::nn::arrays::{self, Array, Data};
use crate::rng::Rng;
use crate::store::atomic_write;

/// Steps of a byte in a deviation.
const STEPS: f32 = 40.0;
/// The most bytes of a bank's file.
const MAX_BYTES: u64 = 64 << 20;
/// The seed of the people in the shipped bank, and of those that networks learn from.
pub const SEED: u64 = 0;

/// The stream that the people come from.
#[must_use]
pub fn people(seed: u64) -> Rng {
    Rng::new(seed).split("people of drawings")
}

/// Codes of people.
#[derive(Clone, Debug, PartialEq)]
pub struct Bank {
    /// For each part its rows, one after another.
    rows: PerPart<Vec<f32>>,
    count: usize,
    /// What comes before the search for neighbours.
    filter: Filter,
}

impl Bank {
    /// Of codes `[people, CODES]`, row by row, as bytes have them.
    #[must_use]
    pub fn new(codes: &[f32]) -> Self {
        let bytes: Vec<u8> = codes.iter().map(|&value| byte(value)).collect();
        Self::of_bytes(&bytes)
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        let rows = ranges().map(|range| {
            bytes
                .chunks_exact(CODES)
                .flat_map(|row| &row[range.clone()])
                .map(|&byte| (f32::from(byte) - 128.0) / STEPS)
                .collect()
        });
        Self {
            rows,
            count: bytes.len() / CODES,
            filter: Filter::default(),
        }
    }

    /// The bank with a filter that comes before the search for neighbours.
    #[must_use]
    pub fn with_filter(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// How many people.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// A part's codes, one after another.
    #[must_use]
    pub fn rows(&self, part: usize) -> &[f32] {
        &self.rows[part]
    }

    /// One person's code of a part.
    #[must_use]
    pub fn code(&self, part: usize, person: usize) -> &[f32] {
        let size = PARTS[part].code;
        &self.rows[part][person * size..(person + 1) * size]
    }

    /// A drawn part's code as it was most likely meant, moved onto the manifold of these people, of
    /// whom one may be left out.
    ///
    /// # Errors
    /// When numbers are not finite.
    pub fn project(
        &self,
        part: usize,
        code: &[f32],
        count: usize,
        without: Option<usize>,
    ) -> Result<Neighbours> {
        let meant = self.filter.meant(part, code);
        manifold::project(&self.rows[part], &meant, count, without)
    }

    /// A person of the bank among their neighbours, of whom they are the nearest.
    ///
    /// # Errors
    /// When numbers are not finite.
    pub fn around(&self, part: usize, person: usize, count: usize) -> Result<Neighbours> {
        manifold::project(&self.rows[part], self.code(part, person), count, None)
    }

    /// The `count` people whose codes of some parts are nearest, each part counted alike, with the
    /// squares of their distances.
    #[must_use]
    pub fn alike(&self, codes: &[f32], which: &PerPart<bool>, count: usize) -> Vec<(f32, usize)> {
        let distance = |person: usize| -> f32 {
            ranges()
                .into_iter()
                .enumerate()
                .filter(|&(part, _)| which[part])
                .map(|(part, range)| {
                    let size = range.len() as f32;
                    let row = self.code(part, person);
                    let squares = row
                        .iter()
                        .zip(&codes[range])
                        .map(|(a, b)| (a - b) * (a - b));
                    squares.sum::<f32>() / size
                })
                .sum()
        };
        let all = (0..self.count).map(|person| (distance(person), person));
        manifold::least(all.collect(), count)
    }

    /// Writes the bank.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut bytes = Vec::with_capacity(self.count * CODES);
        for person in 0..self.count {
            for part in 0..PARTS.len() {
                bytes.extend(self.code(part, person).iter().map(|&value| byte(value)));
            }
        }
        let mut all = self.filter.to_arrays();
        all.insert("codes".to_owned(), Array::u8(&[self.count, CODES], bytes));
        atomic_write(path, &arrays::to_bytes(&all, None, true))
    }

    /// Reads a bank.
    ///
    /// # Errors
    /// When the file is missing, damaged or none of a bank.
    pub fn load(path: &Path) -> Result<Self> {
        let none = || Error::bad_file(path, "this is not a bank of parts");
        let mut all = arrays::load(path, MAX_BYTES)?;
        let codes = all.remove("codes").ok_or_else(none)?;
        let filter = Filter::of_arrays(&mut all).ok_or_else(none)?;
        match (&*codes.shape, codes.data) {
            (&[people, CODES], Data::U8(bytes)) if people > 0 => {
                Ok(Self::of_bytes(&bytes).with_filter(filter))
            }
            _ => Err(none()),
        }
    }
}

fn byte(value: f32) -> u8 {
    (value * STEPS + 128.0).round().clamp(0.0, 255.0) as u8
}
