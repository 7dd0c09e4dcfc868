//! From a screen in colour to a small grey square.

/// Averages over areas, along one side: what each new pixel takes from which old ones.
#[derive(Clone, Debug)]
struct Taps {
    /// The first old pixel of each new one, and where its weights begin.
    starts: Vec<(usize, usize)>,
    /// In a row for all; the weights of one new pixel sum to 1.
    weights: Vec<f32>,
}

impl Taps {
    /// New pixel `i` covers the old side from `i * from / to` to `(i + 1) * from / to`.
    fn new(from: usize, to: usize) -> Self {
        let mut starts = Vec::with_capacity(to + 1);
        let mut weights = Vec::new();
        for new in 0..to {
            // In units of 1 / to of an old pixel, so that all is exact.
            let (begin, end) = (new * from, (new + 1) * from);
            starts.push((begin / to, weights.len()));
            for old in begin / to..end.div_ceil(to) {
                let covered = end.min((old + 1) * to) - begin.max(old * to);
                weights.push(covered as f32 / from as f32);
            }
        }
        starts.push((from, weights.len()));
        Self { starts, weights }
    }

    /// For each new pixel: the first old one, and the weights from there.
    fn iter(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let ends = self.starts.iter().skip(1);
        self.starts
            .iter()
            .zip(ends)
            .map(|(&(first, begin), &(_, end))| (first, &self.weights[begin..end]))
    }
}

/// Makes grey squares of screens of one size.
#[derive(Clone, Debug)]
pub struct Shrink {
    width: usize,
    rows: Taps,
    columns: Taps,
    /// The screen in grey, and then narrowed: `[height, size]`.
    grey: Vec<f32>,
    narrow: Vec<f32>,
}

impl Shrink {
    /// For screens of `height` by `width` pixels, to squares with sides of `size`.
    #[must_use]
    pub fn new(height: usize, width: usize, size: usize) -> Self {
        Self {
            width,
            rows: Taps::new(height, size),
            columns: Taps::new(width, size),
            grey: vec![0.0; height * width],
            narrow: vec![0.0; height * size],
        }
    }

    /// Writes the square `[size, size]` of a screen of red, green, blue: the luminance (ITU-R
    /// BT.601, as in the Atari papers), averaged over areas and rounded.
    ///
    /// # Panics
    /// When the screen or the square is of another size.
    pub fn run(&mut self, rgb: &[u8], square: &mut [u8]) {
        assert_eq!(rgb.len(), 3 * self.grey.len(), "the size of the screen");
        for (grey, pixel) in self.grey.iter_mut().zip(rgb.chunks_exact(3)) {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
            *grey = 0.299 * red + 0.587 * green + 0.114 * blue;
        }
        let size = self.columns.starts.len() - 1;
        assert_eq!(square.len(), size * size, "the size of the square");
        let rows = self.grey.chunks_exact(self.width);
        for (row, narrow) in rows.zip(self.narrow.chunks_exact_mut(size)) {
            for (out, (first, weights)) in narrow.iter_mut().zip(self.columns.iter()) {
                *out = weights.iter().zip(&row[first..]).map(|(w, x)| w * x).sum();
            }
        }
        let mut sums = vec![0.0_f32; size];
        for (out, (first, weights)) in square.chunks_exact_mut(size).zip(self.rows.iter()) {
            sums.fill(0.0);
            for (weight, row) in weights
                .iter()
                .zip(self.narrow[first * size..].chunks_exact(size))
            {
                for (sum, x) in sums.iter_mut().zip(row) {
                    *sum += weight * x;
                }
            }
            for (out, sum) in out.iter_mut().zip(&sums) {
                *out = sum.round() as u8;
            }
        }
    }
}
