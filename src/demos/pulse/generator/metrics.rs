//! How alike two pictures are.
//!
//! Both take planes one after the other, `[planes, side, side]`, with numbers from 0 to 1.

/// The window of the structural similarity and its deviation (Wang et al. 2004, section III.C).
const WINDOW: usize = 11;
const DEVIATION: f64 = 1.5;
/// `(K1 L)²` and `(K2 L)²` for numbers up to `L` = 1.
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// The mean of the squared differences.
#[must_use]
pub fn mean_square(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    sum / a.len().max(1) as f64
}

/// The mean of the absolute differences.
#[must_use]
pub fn mean_absolute(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum();
    sum / a.len().max(1) as f64
}

/// The peak signal-to-noise ratio in decibels; infinite for equal pictures.
#[must_use]
pub fn psnr(a: &[f32], b: &[f32]) -> f64 {
    -10.0 * mean_square(a, b).log10()
}

/// The mean structural similarity (Wang et al. 2004, equations 13 to 17) of planes with so many
/// pixels in a side, where the whole window lies inside; 1 for equal pictures.
///
/// # Panics
/// When the sides are shorter than the window's eleven pixels, or the pictures differ in size.
#[must_use]
pub fn ssim(a: &[f32], b: &[f32], side: usize) -> f64 {
    assert!(side >= WINDOW, "the window is larger than the picture");
    assert_eq!(a.len(), b.len(), "pictures of one size");
    let window = window();
    let area = side * side;
    let (mut sum, mut count) = (0.0, 0);
    for (a, b) in a.chunks_exact(area).zip(b.chunks_exact(area)) {
        let local = |f: &dyn Fn(f64, f64) -> f64| {
            let values: Vec<f64> = a
                .iter()
                .zip(b)
                .map(|(&a, &b)| f(f64::from(a), f64::from(b)))
                .collect();
            filtered(&values, side, &window)
        };
        let (mean_a, mean_b) = (local(&|a, _| a), local(&|_, b| b));
        let (square_a, square_b) = (local(&|a, _| a * a), local(&|_, b| b * b));
        let product = local(&|a, b| a * b);
        for at in 0..mean_a.len() {
            let (ma, mb) = (mean_a[at], mean_b[at]);
            let (va, vb) = (square_a[at] - ma * ma, square_b[at] - mb * mb);
            let cov = product[at] - ma * mb;
            sum += (2.0 * ma * mb + C1) * (2.0 * cov + C2)
                / ((ma * ma + mb * mb + C1) * (va + vb + C2));
        }
        count += mean_a.len();
    }
    sum / f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX))
}

/// A Gaussian that sums to one.
fn window() -> [f64; WINDOW] {
    let mut window = [0.0; WINDOW];
    for (at, weight) in window.iter_mut().enumerate() {
        let off = at as f64 - (WINDOW / 2) as f64;
        *weight = (-off * off / (2.0 * DEVIATION * DEVIATION)).exp();
    }
    let sum: f64 = window.iter().sum();
    window.map(|weight| weight / sum)
}

/// Weighted means of windows inside the picture: along rows, then along columns.
fn filtered(values: &[f64], side: usize, window: &[f64; WINDOW]) -> Vec<f64> {
    let inner = side - WINDOW + 1;
    let mut rows = vec![0.0; side * inner];
    for y in 0..side {
        for x in 0..inner {
            rows[y * inner + x] = (0..WINDOW)
                .map(|k| window[k] * values[y * side + x + k])
                .sum();
        }
    }
    let mut out = vec![0.0; inner * inner];
    for y in 0..inner {
        for x in 0..inner {
            out[y * inner + x] = (0..WINDOW)
                .map(|k| window[k] * rows[(y + k) * inner + x])
                .sum();
        }
    }
    out
}
