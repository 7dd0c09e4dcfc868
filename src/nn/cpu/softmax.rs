//! Kernels of softmax, its logarithm and the cross entropy, over rows.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use super::lanes::{LANES, dot_and_sum, each, rows, sum, total, vectorise};
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
    let mut sums = [0.0; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += exp(x - max);
        }
    }
    let mut last = [f32::NEG_INFINITY; LANES];
    last[..rest.len()].copy_from_slice(rest);
    for (sum, x) in sums.iter_mut().zip(last) {
        *sum += exp(x - max);
    }
    (max, total(sums))
}

/// `out = e^(x - max)`; returns the sum.
#[inline(always)]
fn exponentials(x: &[f32], max: f32, out: &mut [f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    let (outs, out_rest) = out.as_chunks_mut::<LANES>();
    for (chunk, out) in chunks.iter().zip(outs) {
        for i in 0..LANES {
            out[i] = exp(chunk[i] - max);
            sums[i] += out[i];
        }
    }
    for ((sum, &x), out) in sums.iter_mut().zip(rest).zip(out_rest) {
        *out = exp(x - max);
        *sum += *out;
    }
    total(sums)
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
                    let sum = exponentials(x, max, out);
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
                    let (along, _) = dot_and_sum(y, grad);
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
                    let sum = sum(grad);
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
            let sum = sum(x) - max * x.len() as f32;
            log - (1.0 - smoothing) * hit - smoothing / x.len() as f32 * sum
        }
        Targets::Weights(weights, factors) => {
            let weights = &weights[index * x.len()..][..x.len()];
            let (mut along, mut sum) = ([0.0; LANES], [0.0; LANES]);
            for (weights, x) in weights.chunks(LANES).zip(x.chunks(LANES)) {
                let lanes = along.iter_mut().zip(&mut sum);
                for ((along, sum), (&w, &x)) in lanes.zip(weights.iter().zip(x)) {
                    // An impossible class that has no weight costs nothing.
                    *along += if w == 0.0 { 0.0 } else { w * (x - max) };
                    *sum += w;
                }
            }
            let (sum, along) = (total(sum), total(along));
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
            let sum = sum(weights);
            for ((out, &x), &w) in out.iter_mut().zip(x).zip(weights) {
                *out = scale * exp((x - max) - log).mul_add(sum, -w);
            }
        }
    }
}
