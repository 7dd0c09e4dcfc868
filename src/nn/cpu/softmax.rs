//! Kernels of softmax, its logarithm and the cross entropy, over rows.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use super::lanes::{dot_and_sum, each, padded, rows, sum, total, vectorise};
use super::pointwise::exp;

/// Numbers of the rows that one piece of work reads.
const PIECE: usize = 1 << 13;

/// Lanes of sums of exponentials: with more, the compiler goes back to memory between steps.
const EXP_LANES: usize = 16;

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
    let mut lanes = [f32::NEG_INFINITY; EXP_LANES];
    let (chunks, rest) = row.as_chunks::<EXP_LANES>();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = greater(*lane, x);
        }
    }
    if !rest.is_empty() {
        let last = padded::<EXP_LANES>(rest, f32::NEG_INFINITY);
        for (lane, x) in lanes.iter_mut().zip(last) {
            *lane = greater(*lane, x);
        }
    }
    let mut half = EXP_LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = greater(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// The largest number of a row and the sum of `e^(x - largest)`.
#[inline(always)]
fn exp_sum(row: &[f32]) -> (f32, f32) {
    let max = largest(row);
    let mut sums = [0.0; EXP_LANES];
    let (chunks, rest) = row.as_chunks::<EXP_LANES>();
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += exp(x - max);
        }
    }
    if !rest.is_empty() {
        let last = padded::<EXP_LANES>(rest, f32::NEG_INFINITY);
        for (sum, x) in sums.iter_mut().zip(last) {
            *sum += exp(x - max);
        }
    }
    (max, total(sums))
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
            move || {
                for (out, x) in by_rows(out, &x[first * row..], row) {
                    let max = largest(x);
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = exp(x - max);
                    }
                    let sum = sum(out);
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
            move || {
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
            move || {
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
            move || {
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
            let (along, sum) = weighted(weights, x, max);
            factors[index] * sum.mul_add(log, -along)
        }
    }
}

/// The sums of `w (x - max)` and of `w`. An impossible class that has no weight costs nothing.
#[inline(always)]
fn weighted(weights: &[f32], x: &[f32], max: f32) -> (f32, f32) {
    let (mut along, mut sum) = ([0.0; EXP_LANES], [0.0; EXP_LANES]);
    let mut add = |w: &[f32; EXP_LANES], x: &[f32; EXP_LANES]| {
        for i in 0..EXP_LANES {
            along[i] += if w[i] == 0.0 {
                0.0
            } else {
                w[i] * (x[i] - max)
            };
            sum[i] += w[i];
        }
    };
    let (ws, w_rest) = weights.as_chunks::<EXP_LANES>();
    let (xs, x_rest) = x.as_chunks::<EXP_LANES>();
    for (w, x) in ws.iter().zip(xs) {
        add(w, x);
    }
    add(&padded(w_rest, 0.0), &padded(x_rest, 0.0));
    (total(along), total(sum))
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
            move || {
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
