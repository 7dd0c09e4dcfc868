//! A matrix of numbers to be looked at: attention, weights, distances.

use crate::{Error, Result};

/// `rows * cols` numbers, row after row; NaN stands for a missing value.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// A matrix of these values, row after row.
    ///
    /// # Errors
    /// When there are not `rows * cols` values.
    pub fn new(rows: usize, cols: usize, values: Vec<f32>) -> Result<Self> {
        if rows.checked_mul(cols) == Some(values.len()) {
            Ok(Self { rows, cols, values })
        } else {
            Err(Error::Input(format!(
                "a matrix of {rows} × {cols} cannot be made of {} values",
                values.len()
            )))
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All values, row after row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The value of a cell; `None` outside, NaN where it is missing.
    #[must_use]
    pub fn get(&self, row: usize, col: usize) -> Option<f32> {
        if row < self.rows && col < self.cols {
            self.values.get(row * self.cols + col).copied()
        } else {
            None
        }
    }

    /// The least and the greatest finite value; `None` where there is none.
    #[must_use]
    pub fn range(&self) -> Option<[f32; 2]> {
        self.values
            .iter()
            .filter(|value| value.is_finite())
            .fold(None, |range, &value| match range {
                None => Some([value, value]),
                Some([low, high]) => Some([value.min(low), value.max(high)]),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::Matrix;

    #[test]
    fn cells_are_found_by_row_and_column() {
        let values = vec![0.0, 1.0, 2.0, f32::NAN, f32::INFINITY, -5.0];
        let matrix = Matrix::new(2, 3, values).expect("fits");
        assert_eq!(matrix.get(0, 2), Some(2.0));
        assert_eq!(matrix.get(1, 2), Some(-5.0));
        assert_eq!(matrix.get(0, 3), None);
        assert_eq!(
            matrix.range(),
            Some([-5.0, 2.0]),
            "only finite values count"
        );
    }

    #[test]
    fn a_wrong_number_of_values_is_refused() {
        assert!(Matrix::new(2, 2, vec![0.0; 3]).is_err());
        assert!(Matrix::new(usize::MAX, 2, vec![]).is_err());
        assert_eq!(
            Matrix::new(0, 0, vec![]).expect("empty is fine").range(),
            None
        );
    }
}
