//! Matrix products in single precision, by the `gemm` crate.

use gemm::Parallelism;

/// A matrix that lies row after row, or the transpose of one.
#[derive(Clone, Copy)]
pub struct Operand<'a> {
    values: &'a [f32],
    rows: usize,
    cols: usize,
    transposed: bool,
}

impl<'a> Operand<'a> {
    /// `[rows, cols]`, row after row.
    ///
    /// # Panics
    /// When there are not `rows * cols` values.
    #[must_use]
    pub fn new(values: &'a [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(values.len(), rows * cols, "a matrix of {rows} by {cols}");
        Self {
            values,
            rows,
            cols,
            transposed: false,
        }
    }

    /// Its transpose.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            transposed: !self.transposed,
            ..self
        }
    }

    /// The sum of every column, taken from the first row to the last.
    ///
    /// # Panics
    /// When it is a transpose.
    #[must_use]
    pub fn column_sums(&self) -> Vec<f32> {
        assert!(
            !self.transposed,
            "columns of a matrix that lies row after row"
        );
        let mut sums = vec![0.0; self.cols];
        for row in self.values.chunks_exact(self.cols.max(1)) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
        sums
    }

    /// From one column to the next, from one row to the next.
    fn strides(&self) -> (isize, isize) {
        if self.transposed {
            (self.rows.cast_signed(), 1)
        } else {
            (1, self.cols.cast_signed())
        }
    }
}

/// `out = a b`, or `out += a b`; `out` is `[a.rows, b.cols]`, row after row.
///
/// # Panics
/// When the shapes do not fit together.
pub fn product(a: Operand<'_>, b: Operand<'_>, add: bool, out: &mut [f32]) {
    assert_eq!(a.cols, b.rows, "inner sides");
    assert_eq!(out.len(), a.rows * b.cols, "the product's shape");
    if out.is_empty() {
        return;
    }
    if a.cols == 0 {
        if !add {
            out.fill(0.0);
        }
        return;
    }
    let threads = rayon::current_num_threads();
    let parallelism = if threads > 1 {
        Parallelism::Rayon(threads)
    } else {
        Parallelism::None
    };
    let ((a_col, a_row), (b_col, b_row)) = (a.strides(), b.strides());
    // SAFETY: the strides stay within `a`, `b` and `out`, whose lengths were checked, and `out` is
    // borrowed mutably, so it does not overlap the others.
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            out.as_mut_ptr(),
            1,
            b.cols.cast_signed(),
            add,
            a.values.as_ptr(),
            a_col,
            a_row,
            b.values.as_ptr(),
            b_col,
            b_row,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}
