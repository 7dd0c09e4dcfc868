//! What a badly drawn part most likely was meant to be, before its neighbours are looked for.
//!
//! A rough drawing's code lies beside the manifold and beside its place on it. Locally linear
//! embedding takes away only what no combination of neighbours has, and of that little: thirty
//! neighbours span most of a code's directions. What hands get wrong is known from drawings of the
//! same people, rough and clean: this is the linear map from the codes of the first to those of the
//! second that is right on average (Wiener's filter, 1949), a map for each part. Directions in which
//! codes differ by chance are shortened, those in which people differ are kept.

use super::manifold::Factor;
use super::parts::{CODES, PARTS, PerPart, ranges};
use crate::error::Result;
use crate::nn::arrays::{Array, Arrays};

/// Pairs of codes that count for none: maps stay short in directions that few codes have.
const RIDGE: f64 = 100.0;

/// A map for each part: what is away from the mean of rough codes, to what is away from the mean of
/// clean ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    means: [Vec<f32>; 2],
    /// Row by row, a row for each number of the clean code.
    maps: PerPart<Vec<f32>>,
}

impl Default for Filter {
    /// Leaves codes as they are.
    fn default() -> Self {
        let maps = PARTS.map(|part| {
            let size = part.code;
            (0..size * size)
                .map(|at| if at % (size + 1) == 0 { 1.0 } else { 0.0 })
                .collect()
        });
        Self {
            means: [vec![0.0; CODES], vec![0.0; CODES]],
            maps,
        }
    }
}

impl Filter {
    /// Of codes `[people, CODES]` of rough drawings, in any number of sets, and of clean drawings of
    /// the same people.
    ///
    /// # Errors
    /// When numbers are not finite.
    pub fn of_pairs(rough: &[&[f32]], clean: &[f32]) -> Result<Self> {
        let means = [mean(rough), mean(&[clean])];
        let mut maps = Vec::with_capacity(PARTS.len());
        for range in ranges() {
            let size = range.len();
            let mut square = vec![vec![0.0_f64; size]; size];
            let mut with = vec![vec![0.0_f64; size]; size];
            let off = |row: &[f32], mean: &[f32]| -> Vec<f64> {
                row[range.clone()]
                    .iter()
                    .zip(&mean[range.clone()])
                    .map(|(value, mean)| f64::from(value - mean))
                    .collect()
            };
            for set in rough {
                for (rough, clean) in set.chunks_exact(CODES).zip(clean.chunks_exact(CODES)) {
                    let (seen, meant) = (off(rough, &means[0]), off(clean, &means[1]));
                    for (at, value) in seen.iter().enumerate() {
                        add(&mut square[at], *value, &seen);
                        add(&mut with[at], *value, &meant);
                    }
                }
            }
            for (at, row) in square.iter_mut().enumerate() {
                row[at] += RIDGE;
            }
            let factor = Factor::of(square)?;
            let map = (0..size)
                .flat_map(|to| factor.solve(with.iter().map(|row| row[to]).collect()))
                .map(|value| value as f32)
                .collect();
            maps.push(map);
        }
        Ok(Self {
            means,
            maps: maps
                .try_into()
                .unwrap_or_else(|_| unreachable!("a map was made for each part")),
        })
    }

    /// A part's code as it was most likely meant.
    #[must_use]
    pub fn meant(&self, part: usize, code: &[f32]) -> Vec<f32> {
        let range = &ranges()[part];
        let [seen, meant] = self.means.each_ref().map(|mean| &mean[range.clone()]);
        let off: Vec<f32> = code.iter().zip(seen).map(|(v, mean)| v - mean).collect();
        self.maps[part]
            .chunks_exact(range.len())
            .zip(meant)
            .map(|(row, mean)| mean + row.iter().zip(&off).map(|(a, b)| a * b).sum::<f32>())
            .collect()
    }

    /// Its numbers by name, for a file.
    #[must_use]
    pub fn to_arrays(&self) -> Arrays {
        let [seen, meant] = self.means.clone();
        let mut all = Arrays::from([
            (SEEN.to_owned(), Array::f32(&[CODES], seen)),
            (MEANT.to_owned(), Array::f32(&[CODES], meant)),
        ]);
        for (part, map) in PARTS.iter().zip(&self.maps) {
            let array = Array::f32(&[part.code, part.code], map.clone());
            all.insert(name(part.name), array);
        }
        all
    }

    /// Takes it out of a file's numbers; none when they do not fit.
    #[must_use]
    pub fn of_arrays(all: &mut Arrays) -> Option<Self> {
        let mut numbers = |name: &str, count: usize| {
            let values = all.remove(name)?.into_f32()?;
            let fits = values.len() == count && values.iter().all(|value| value.is_finite());
            fits.then_some(values)
        };
        let means = [numbers(SEEN, CODES)?, numbers(MEANT, CODES)?];
        let maps: Vec<Vec<f32>> = PARTS
            .iter()
            .map(|part| numbers(&name(part.name), part.code * part.code))
            .collect::<Option<_>>()?;
        Some(Self {
            means,
            maps: maps.try_into().ok()?,
        })
    }
}

const SEEN: &str = "filter, rough mean";
const MEANT: &str = "filter, clean mean";

fn name(part: &str) -> String {
    format!("filter, {part}")
}

fn add(sums: &mut [f64], share: f64, values: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += share * value;
    }
}

fn mean(sets: &[&[f32]]) -> Vec<f32> {
    let mut sums = vec![0.0_f64; CODES];
    let mut count = 0_usize;
    for row in sets.iter().flat_map(|set| set.chunks_exact(CODES)) {
        count += 1;
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value);
        }
    }
    sums.iter()
        .map(|sum| (sum / count.max(1) as f64) as f32)
        .collect()
}
