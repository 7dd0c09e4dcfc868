//! Kernels of softmax, its logarithm and the cross entropy, over rows.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use super::lanes::{LANES, each, rows, sum_of, sums_of, vectorise};
use super::pointwise::exp;

/// Numbers of the rows that one piece of work reads.
const PIECE: usize = 1 << 13;

/// What a row of logits should be.
#[derive(Clone, Debug)]
pub enum Targets {
    /// A class for each row; this much of the weight is spread evenly over all classes.
    Classes(Vec<u32>, f32),
    /// A weight for each class of each row, and a factor for each row.
    Weights(Vec<f32>, Vec<f32>),
}

#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = if x > *lane { x } else { *lane };
    }
    lanes
        .iter()
        .fold(lanes[0], |a, &b| if b > a { b } else { a })
}

/// The largest number of a row and the sum of `e^(x - largest)`.
#[inline(always)]
fn exp_sum(row: &[f32]) -> (f32, f32) {
    let max = largest(row);
    let sum = sum_of(
        row,
        #[inline(always)]
        |x| exp(x - max),
    );
    (max, sum)
}

#[inline(always)]
fn by_rows<'a>(
    out: &'a mut [f32],
    x: &'a [f32],
    row: usize,
) -> impl Iterator<Item = (&'a mut [f32], &'a [f32])> {
    out.chunks_exact_mut(row).zip(x.chunks_exact(row))
}

/// Softmax of rows.
#[must_use]
pub fn softmax(x: &[f32], row: usize) -> Vec<f32> {
    rows(x.len(), row, |first, out| {
        vectorise(
            #[inline(always)]
            || {
                for (out, x) in by_rows(out, &x[first * row..], row) {
                    let max = largest(x);
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = exp(x - max);
                    }
                    let sum = sum_of(
                        out,
                        #[inline(always)]
                        |e| e,
                    );
                    let scale = 1.0 / sum;
                    for out in out {
                        *out *= scale;
                    }
                }
            },
        );
    })
}

/// The logarithm of the softmax of rows.
#[must_use]
pub fn log_softmax(x: &[f32], row: usize) -> Vec<f32> {
    rows(x.len(), row, |first, out| {
        vectorise(
            #[inline(always)]
            || {
                for (out, x) in by_rows(out, &x[first * row..], row) {
                    let (max, sum) = exp_sum(x);
                    let log = sum.ln();
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = (x - max) - log;
                    }
                }
            },
        );
    })
}

/// The gradient of [`softmax`] from its output.
#[must_use]
pub fn softmax_backward(y: &[f32], grad: &[f32], row: usize) -> Vec<f32> {
    rows(y.len(), row, |first, out| {
        let grad = &grad[first * row..];
        vectorise(
            #[inline(always)]
            || {
                let parts = by_rows(out, &y[first * row..], row);
                for ((out, y), grad) in parts.zip(grad.chunks_exact(row)) {
                    let (along, _) = sums_of(
                        y,
                        grad,
                        #[inline(always)]
                        |y, g| (y * g, 0.0),
                    );
                    for ((out, &y), &g) in out.iter_mut().zip(y).zip(grad) {
                        *out = y * (g - along);
                    }
                }
            },
        );
    })
}

/// The gradient of [`log_softmax`] from its output.
#[must_use]
pub fn log_softmax_backward(y: &[f32], grad: &[f32], row: usize) -> Vec<f32> {
    rows(y.len(), row, |first, out| {
        let grad = &grad[first * row..];
        vectorise(
            #[inline(always)]
            || {
                let parts = by_rows(out, &y[first * row..], row);
                for ((out, y), grad) in parts.zip(grad.chunks_exact(row)) {
                    let sum = sum_of(
                        grad,
                        #[inline(always)]
                        |g| g,
                    );
                    for ((out, &y), &g) in out.iter_mut().zip(y).zip(grad) {
                        *out = exp(y).mul_add(-sum, g);
                    }
                }
            },
        );
    })
}

/// The loss of every row, and of every row the largest logit and the logarithm of the sum of
/// `e^(x - largest)`.
#[must_use]
pub fn cross_entropy(x: &[f32], row: usize, targets: &Targets) -> (Vec<f32>, Vec<(f32, f32)>) {
    let count = x.len() / row;
    let together = (PIECE / row).max(1);
    let pieces = each(count.div_ceil(together), x.len(), |piece| {
        let indices = piece * together..count.min((piece + 1) * together);
        let mut found = Vec::with_capacity(indices.len());
        vectorise(
            #[inline(always)]
            || {
                for index in indices {
                    let x = &x[index * row..][..row];
                    let (max, sum) = exp_sum(x);
                    let log = sum.ln();
                    found.push((row_loss(x, max, log, targets, index), (max, log)));
                }
            },
        );
        found
    });
    pieces.into_iter().flatten().unzip()
}

#[inline(always)]
fn row_loss(x: &[f32], max: f32, log: f32, targets: &Targets, index: usize) -> f32 {
    match targets {
        Targets::Classes(classes, smoothing) => {
            let hit = x[classes[index] as usize] - max;
            if *smoothing == 0.0 {
                return log - hit;
            }
            let sum = sum_of(
                x,
                #[inline(always)]
                |x| x - max,
            );
            log - (1.0 - smoothing) * hit - smoothing / x.len() as f32 * sum
        }
        Targets::Weights(weights, factors) => {
            let weights = &weights[index * x.len()..][..x.len()];
            let (sum, along) = sums_of(
                weights,
                x,
                #[inline(always)]
                |w, x| (w, if w == 0.0 { 0.0 } else { w * (x - max) }),
            );
            factors[index] * sum.mul_add(log, -along)
        }
    }
}

/// The gradient of `scale` times the sum of the losses.
#[must_use]
pub fn cross_entropy_backward(
    x: &[f32],
    row: usize,
    targets: &Targets,
    kept: &[(f32, f32)],
    scale: f32,
) -> Vec<f32> {
    rows(x.len(), row, |first, out| {
        vectorise(
            #[inline(always)]
            || {
                let parts = by_rows(out, &x[first * row..], row);
                for (i, ((out, x), &(max, log))) in parts.zip(&kept[first..]).enumerate() {
                    row_gradient(x, (max, log), targets, first + i, scale, out);
                }
            },
        );
    })
}

#[inline(always)]
fn row_gradient(
    x: &[f32],
    (max, log): (f32, f32),
    targets: &Targets,
    index: usize,
    scale: f32,
    out: &mut [f32],
) {
    match targets {
        Targets::Classes(classes, smoothing) => {
            let even = scale * smoothing / x.len() as f32;
            for (out, &x) in out.iter_mut().zip(x) {
                *out = exp((x - max) - log).mul_add(scale, -even);
            }
            out[classes[index] as usize] -= scale * (1.0 - smoothing);
        }
        Targets::Weights(weights, factors) => {
            let weights = &weights[index * x.len()..][..x.len()];
            let scale = scale * factors[index];
            let sum = sum_of(
                weights,
                #[inline(always)]
                |w| w,
            );
            for ((out, &x), &w) in out.iter_mut().zip(x).zip(weights) {
                *out = scale * exp((x - max) - log).mul_add(sum, -w);
            }
        }
    }
}
