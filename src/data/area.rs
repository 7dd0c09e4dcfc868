//! Resampling by the mean over the area of each new pixel.

/// One pixel of a resampled row: where it begins and what it weighs the pixels from there on with.
#[derive(Clone, Debug, PartialEq)]
pub struct Taps {
    /// The first pixel.
    pub first: usize,
    /// The weights, 1 together.
    pub weights: Vec<f32>,
}

/// The mean over each of `to` equal stretches of `from` pixels.
///
/// # Panics
/// When `to` is 0.
#[must_use]
pub fn area(from: usize, to: usize) -> Vec<Taps> {
    let width = from as f64 / to as f64;
    (0..to)
        .map(|at| {
            let (start, end) = (at as f64 * width, (at + 1) as f64 * width);
            let first = start.floor() as usize;
            let last = (end.ceil() as usize).clamp(first + 1, from.max(first + 1));
            let covered = |pixel: usize| {
                let overlap = end.min((pixel + 1) as f64) - start.max(pixel as f64);
                (overlap.max(0.0) / width) as f32
            };
            Taps {
                first,
                weights: (first..last).map(covered).collect(),
            }
        })
        .collect()
}

/// Shrinks one square plane of `from * from` numbers to `to * to`.
///
/// # Panics
/// When the plane has fewer numbers.
#[must_use]
pub fn shrink(plane: &[f32], from: usize, to: usize) -> Vec<f32> {
    resample(plane, [from, from], [to, to])
}

/// Resamples one plane of columns by rows to others. Between larger pixels there are no new ones: they
/// are repeated.
///
/// # Panics
/// When the plane has fewer numbers.
#[must_use]
pub fn resample(plane: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    if from == to {
        return plane.to_vec();
    }
    let taps = area(from[0], to[0]);
    let mut rows = vec![0.0; from[1] * to[0]];
    for (row, out) in plane
        .chunks_exact(from[0])
        .zip(rows.chunks_exact_mut(to[0]))
    {
        for (value, taps) in out.iter_mut().zip(&taps) {
            let of = &row[taps.first..taps.first + taps.weights.len()];
            *value = of.iter().zip(&taps.weights).map(|(x, w)| x * w).sum();
        }
    }
    let mut out = vec![0.0; to[0] * to[1]];
    let taps = area(from[1], to[1]);
    for (taps, out) in taps.iter().zip(out.chunks_exact_mut(to[0])) {
        for (row, weight) in rows[taps.first * to[0]..]
            .chunks_exact(to[0])
            .zip(&taps.weights)
        {
            for (value, x) in out.iter_mut().zip(row) {
                *value += x * weight;
            }
        }
    }
    out
}
