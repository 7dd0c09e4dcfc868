//! A part's bank as a flat map: the two directions in which its codes differ most.

/// A map of codes.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    mean: Vec<f32>,
    axes: [Vec<f32>; 2],
    /// Where each of the bank's people lies.
    pub points: Vec<[f32; 2]>,
}

/// Multiplications by the covariance until an axis stands still.
const ROUNDS: usize = 24;

impl Map {
    /// Of codes of this many numbers, one after another.
    #[must_use]
    pub fn new(rows: &[f32], size: usize) -> Self {
        let count = (rows.len() / size.max(1)).max(1) as f32;
        let mut mean = vec![0.0; size];
        for row in rows.chunks_exact(size) {
            for (sum, value) in mean.iter_mut().zip(row) {
                *sum += value / count;
            }
        }
        let mut covariance = vec![vec![0.0_f32; size]; size];
        for row in rows.chunks_exact(size) {
            let off: Vec<f32> = row.iter().zip(&mean).map(|(v, m)| v - m).collect();
            for (sums, a) in covariance.iter_mut().zip(&off) {
                for (sum, b) in sums.iter_mut().zip(&off) {
                    *sum += a * b / count;
                }
            }
        }
        let first = axis(&covariance, None);
        let second = axis(&covariance, Some(&first));
        let mut map = Self {
            mean,
            axes: [first, second],
            points: Vec::new(),
        };
        map.points = rows.chunks_exact(size).map(|row| map.place(row)).collect();
        map
    }

    /// Where a code lies.
    #[must_use]
    pub fn place(&self, code: &[f32]) -> [f32; 2] {
        let along = |axis: &[f32]| -> f32 {
            code.iter()
                .zip(&self.mean)
                .zip(axis)
                .map(|((value, mean), a)| (value - mean) * a)
                .sum()
        };
        [along(&self.axes[0]), along(&self.axes[1])]
    }
}

/// The direction of the greatest spread, across another one if given (power iteration).
fn axis(covariance: &[Vec<f32>], across: Option<&[f32]>) -> Vec<f32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let mut axis: Vec<f32> = (0..covariance.len())
        .map(|at| 1.0 + 0.1 * (at % 7) as f32)
        .collect();
    for _ in 0..ROUNDS {
        axis = covariance.iter().map(|row| dot(row, &axis)).collect();
        if let Some(other) = across {
            let share = dot(&axis, other);
            for (value, other) in axis.iter_mut().zip(other) {
                *value -= share * other;
            }
        }
        let length = dot(&axis, &axis).sqrt().max(1e-12);
        for value in &mut axis {
            *value /= length;
        }
    }
    axis
}
