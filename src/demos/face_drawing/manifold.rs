//! Moving a code onto the manifold of the parts that are known (section 3.2 of the paper).
//!
//! The K nearest codes of the bank span a piece of the manifold; the code is replaced by the
//! combination of them that is nearest to it (locally linear embedding, Roweis and Saul 2000). The
//! weights sum to one. As in the authors' code, that of the nearest neighbour is one minus the
//! others, and ten times the sum of the others is kept small along with the distance.

use crate::error::{Error, Result};

/// How strongly the weights of all but the nearest neighbour are drawn to sum to nothing: the
/// authors' row of tens.
const DAMPING: f64 = 10.0;

/// A code's neighbours in a bank.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    /// Their places in the bank, the nearest first.
    pub people: Vec<usize>,
    /// Their distances.
    pub distances: Vec<f32>,
    /// Their weights, 1 together.
    pub weights: Vec<f64>,
    /// The combination of their codes.
    pub projected: Vec<f32>,
}

/// The nearest `count` rows to a code, of rows of its length, by Euclid; exact. One row may be left
/// out.
#[must_use]
pub fn nearest(
    rows: &[f32],
    code: &[f32],
    count: usize,
    without: Option<usize>,
) -> Vec<(f32, usize)> {
    let all: Vec<(f32, usize)> = rows
        .chunks_exact(code.len())
        .enumerate()
        .filter(|&(at, _)| Some(at) != without)
        .map(|(at, row)| (square_distance(row, code), at))
        .collect();
    least(all, count)
}

/// In eight sums side by side, which a processor adds at once.
fn square_distance(a: &[f32], b: &[f32]) -> f32 {
    let (many, rest) = a.as_chunks::<8>();
    let (others, other_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (a, b) in many.iter().zip(others) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += (a - b) * (a - b);
        }
    }
    let rest = rest.iter().zip(other_rest).map(|(a, b)| (a - b) * (a - b));
    sums.iter().sum::<f32>() + rest.sum::<f32>()
}

/// The `count` least of numbers with who they belong to, rising.
pub(super) fn least(mut all: Vec<(f32, usize)>, count: usize) -> Vec<(f32, usize)> {
    let order = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if count > 0 && count < all.len() {
        all.select_nth_unstable_by(count - 1, order);
    }
    all.truncate(count);
    all.sort_unstable_by(order);
    all
}

/// The weights of neighbours (rows of the code's length), the nearest first, that put their
/// combination nearest to the code.
///
/// # Errors
/// When there are no neighbours, or numbers are not finite.
pub fn weights(neighbours: &[&[f32]], code: &[f32]) -> Result<Vec<f64>> {
    let Some((first, others)) = neighbours.split_first() else {
        return Err(Error::Input("a code has no neighbours".into()));
    };
    let from_first = |row: &[f32]| -> Vec<f64> {
        row.iter()
            .zip(*first)
            .map(|(a, b)| f64::from(*a) - f64::from(*b))
            .collect()
    };
    let spans: Vec<Vec<f64>> = others.iter().map(|row| from_first(row)).collect();
    let target = from_first(code);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut matrix: Vec<Vec<f64>> = spans
        .iter()
        .map(|a| {
            spans
                .iter()
                .map(|b| dot(a, b) + DAMPING * DAMPING)
                .collect()
        })
        .collect();
    let right: Vec<f64> = spans.iter().map(|span| dot(span, &target)).collect();
    // Two neighbours alike leave the system without one answer; the least of them is as good.
    let scale = (0..matrix.len()).map(|k| matrix[k][k]).fold(0.0, f64::max);
    for (k, row) in matrix.iter_mut().enumerate() {
        row[k] += 1e-9 * scale;
    }
    let rest = Factor::of(matrix)?.solve(right);
    let mut weights = vec![1.0 - rest.iter().sum::<f64>()];
    weights.extend(rest);
    Ok(weights)
}

/// Moves a code onto the manifold of a bank's rows, of which one may be left out.
///
/// # Errors
/// When the bank is empty or numbers are not finite.
pub fn project(
    rows: &[f32],
    code: &[f32],
    count: usize,
    without: Option<usize>,
) -> Result<Neighbours> {
    let found = nearest(rows, code, count, without);
    let row = |at: usize| &rows[at * code.len()..(at + 1) * code.len()];
    let near: Vec<&[f32]> = found.iter().map(|&(_, at)| row(at)).collect();
    let weights = weights(&near, code)?;
    let mut projected = vec![0.0_f64; code.len()];
    for (row, weight) in near.iter().zip(&weights) {
        for (sum, &value) in projected.iter_mut().zip(*row) {
            *sum += weight * f64::from(value);
        }
    }
    Ok(Neighbours {
        people: found.iter().map(|&(_, at)| at).collect(),
        distances: found.iter().map(|&(square, _)| square.sqrt()).collect(),
        weights,
        projected: projected.into_iter().map(|value| value as f32).collect(),
    })
}

/// Rows that count alike, in place of a code that there is none of: their mean.
#[must_use]
pub fn mean(rows: &[f32], size: usize, people: &[(f32, usize)]) -> Neighbours {
    let weight = 1.0 / people.len().max(1) as f64;
    let mut projected = vec![0.0_f32; size];
    for &(_, person) in people {
        for (sum, value) in projected.iter_mut().zip(&rows[person * size..]) {
            *sum += weight as f32 * value;
        }
    }
    Neighbours {
        people: people.iter().map(|&(_, person)| person).collect(),
        distances: people.iter().map(|&(square, _)| square.sqrt()).collect(),
        weights: vec![weight; people.len()],
        projected,
    }
}

/// The lower factor of a symmetric, positive matrix (Cholesky), to solve systems with.
#[derive(Clone, Debug)]
pub struct Factor {
    rows: Vec<Vec<f64>>,
}

impl Factor {
    /// Of a matrix, row by row.
    ///
    /// # Errors
    /// When it is not positive, as with numbers that are not finite.
    pub fn of(mut matrix: Vec<Vec<f64>>) -> Result<Self> {
        for row in 0..matrix.len() {
            for column in 0..=row {
                let known: f64 = (0..column)
                    .map(|k| matrix[row][k] * matrix[column][k])
                    .sum();
                let value = matrix[row][column] - known;
                if row != column {
                    matrix[row][column] = value / matrix[column][column];
                } else if value > 0.0 && value.is_finite() {
                    matrix[row][row] = value.sqrt();
                } else {
                    return Err(Error::Input("a system of equations has no answer".into()));
                }
            }
        }
        Ok(Self { rows: matrix })
    }

    /// What the matrix times this is `right`.
    #[must_use]
    pub fn solve(&self, mut right: Vec<f64>) -> Vec<f64> {
        let rows = &self.rows;
        for row in 0..right.len() {
            let known: f64 = (0..row).map(|k| rows[row][k] * right[k]).sum();
            right[row] = (right[row] - known) / rows[row][row];
        }
        for row in (0..right.len()).rev() {
            let known: f64 = (row + 1..right.len())
                .map(|k| rows[k][row] * right[k])
                .sum();
            right[row] = (right[row] - known) / rows[row][row];
        }
        right
    }
}
