//! Kernels of layer, root mean square and group norm: rows that are normalised by themselves.
//!
//! Where a norm is followed by an activation, its gradient is taken through the activation first:
//! from the sign of the output, or for `Silu` from the argument, which is computed again because
//! that is cheaper than to keep it.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use super::lanes::{
    PairSums, dot_and_sum, moments_of, pieces_aside, rough_mean, rows_aside, vectorise,
};
use super::pointwise::{activate, leaky_relu_grad, relu_grad, silu_derivative};
use crate::nn::ops::Activation;

/// The gradients of an argument, of the factors and of the terms.
pub struct NormGrads {
    /// As the argument.
    pub x: Vec<f32>,
    /// One for each factor.
    pub weight: Vec<f32>,
    /// One for each term.
    pub bias: Vec<f32>,
}

/// How group norm cuts `[batch, groups, channels, area]`.
#[derive(Clone, Copy, Debug)]
pub struct Groups {
    /// Groups of an example.
    pub groups: usize,
    /// Channels of a group.
    pub channels: usize,
    /// Numbers of a channel.
    pub area: usize,
    /// Added to the variance.
    pub eps: f32,
    /// What follows.
    pub act: Activation,
}

/// The mean and the biased variance of a row.
#[inline(always)]
fn moments(row: &[f32]) -> (f32, f32) {
    let shift = rough_mean(row);
    let mut sums = PairSums::default();
    sums.add_squares(row, shift);
    moments_of(sums, shift, row.len())
}

/// `out = x factor + term`.
#[inline(always)]
pub fn scale_shift(x: &[f32], out: &mut [f32], factor: f32, term: f32) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = x.mul_add(factor, term);
    }
}

/// The gradient before an activation of `x factor + term`, whose output is `y`.
#[inline(always)]
pub fn before_activation(
    act: Activation,
    (x, y, grad): (&[f32], &[f32], &[f32]),
    (factor, term): (f32, f32),
    out: &mut [f32],
) {
    match act {
        Activation::None => out.copy_from_slice(grad),
        Activation::Relu => {
            for ((out, &y), &g) in out.iter_mut().zip(y).zip(grad) {
                *out = relu_grad(y, g);
            }
        }
        Activation::LeakyRelu(slope) => {
            for ((out, &y), &g) in out.iter_mut().zip(y).zip(grad) {
                *out = leaky_relu_grad(y, g, slope);
            }
        }
        Activation::Silu => {
            for ((out, &x), &g) in out.iter_mut().zip(x).zip(grad) {
                *out = g * silu_derivative(x.mul_add(factor, term));
            }
        }
    }
}

/// Group norm of `[batch, groups, channels, area]`; also `[mean, 1 / deviation]` of every group.
#[must_use]
pub fn group_forward(x: &[f32], weight: &[f32], bias: &[f32], cut: Groups) -> (Vec<f32>, Vec<f32>) {
    let Groups { channels, area, .. } = cut;
    let row = channels * area;
    rows_aside(x.len(), row, 2, |first, out, kept| {
        vectorise(
            #[inline(always)]
            || {
                let x = x[first * row..].chunks_exact(row);
                let rows = out.chunks_exact_mut(row).zip(x);
                for (i, ((out, x), kept)) in rows.zip(kept.chunks_exact_mut(2)).enumerate() {
                    let (mean, variance) = moments(x);
                    let inverse = 1.0 / (variance + cut.eps).sqrt();
                    kept.copy_from_slice(&[mean, inverse]);
                    let from = (first + i) % cut.groups * channels;
                    let parts = out.chunks_exact_mut(area).zip(x.chunks_exact(area));
                    for (c, (out, x)) in parts.enumerate() {
                        let factor = inverse * weight[from + c];
                        scale_shift(x, out, factor, (-mean).mul_add(factor, bias[from + c]));
                    }
                }
            },
        );
        activate(out, cut.act);
    })
}

/// The gradients of [`group_forward`], from its argument, output and what it kept.
#[must_use]
pub fn group_backward(
    (x, y, grad): (&[f32], &[f32], &[f32]),
    (weight, bias): (&[f32], &[f32]),
    kept: &[f32],
    cut: Groups,
) -> NormGrads {
    let row = cut.channels * cut.area;
    // Sums of the gradient, and of it times the normalised numbers, of every channel.
    let (dx, sums) = rows_aside(x.len(), row, 2 * cut.channels, |first, out, sums| {
        vectorise(
            #[inline(always)]
            || {
                let rows = out.chunks_exact_mut(row);
                for (i, (dx, sums)) in rows
                    .zip(sums.chunks_exact_mut(2 * cut.channels))
                    .enumerate()
                {
                    let at = (first + i) * row..(first + i + 1) * row;
                    let part = (&x[at.clone()], &y[at.clone()], &grad[at]);
                    let from = (first + i) % cut.groups * cut.channels;
                    let affine = (
                        &weight[from..][..cut.channels],
                        &bias[from..][..cut.channels],
                    );
                    let moments = (kept[2 * (first + i)], kept[2 * (first + i) + 1]);
                    group_row_backward(part, affine, moments, cut, dx, sums);
                }
            },
        );
    });
    let all = cut.groups * cut.channels;
    let (mut dw, mut db) = (vec![0.0; all], vec![0.0; all]);
    for example in sums.chunks_exact(2 * all) {
        for (c, pair) in example.chunks_exact(2).enumerate() {
            db[c] += pair[0];
            dw[c] += pair[1];
        }
    }
    NormGrads {
        x: dx,
        weight: dw,
        bias: db,
    }
}

#[inline(always)]
fn group_row_backward(
    (x, y, grad): (&[f32], &[f32], &[f32]),
    (weight, bias): (&[f32], &[f32]),
    (mean, inverse): (f32, f32),
    cut: Groups,
    dx: &mut [f32],
    sums: &mut [f32],
) {
    let area = cut.area;
    let (mut plain, mut along) = (0.0, 0.0);
    for c in 0..cut.channels {
        let at = c * area..(c + 1) * area;
        let factor = inverse * weight[c];
        let term = (-mean).mul_add(factor, bias[c]);
        let out = &mut dx[at.clone()];
        before_activation(
            cut.act,
            (&x[at.clone()], &y[at.clone()], &grad[at.clone()]),
            (factor, term),
            out,
        );
        let mut found = PairSums::default();
        found.add(out, &x[at], mean);
        let (centred, sum) = found.totals();
        sums[2 * c] = sum;
        sums[2 * c + 1] = centred * inverse;
        plain += weight[c] * sum;
        along += weight[c] * sums[2 * c + 1];
    }
    let count = x.len() as f32;
    let (plain, along) = (plain / count, along / count);
    // dx = inverse (weight g - plain - normalised along), normalised = (x - mean) inverse.
    let slope = -inverse * inverse * along;
    let term = (-mean).mul_add(slope, -inverse * plain);
    let parts = dx.chunks_exact_mut(area).zip(x.chunks_exact(area));
    for ((dx, x), weight) in parts.zip(weight) {
        let factor = inverse * weight;
        for (dx, &x) in dx.iter_mut().zip(x) {
            *dx = dx.mul_add(factor, x.mul_add(slope, term));
        }
    }
}

/// How a row norm works: over rows of this length, with or without taking off the mean.
#[derive(Clone, Copy, Debug)]
pub struct RowNorm {
    /// Numbers of a row, and of the factors and terms.
    pub row: usize,
    /// Added to the variance or mean square.
    pub eps: f32,
    /// Layer norm takes off the mean; root mean square norm does not.
    pub centred: bool,
}

/// Layer or root mean square norm of rows; also `[mean, 1 / deviation]` of every row.
#[must_use]
pub fn row_forward(x: &[f32], weight: &[f32], bias: &[f32], norm: RowNorm) -> (Vec<f32>, Vec<f32>) {
    let row = norm.row;
    rows_aside(x.len(), row, 2, |first, out, kept| {
        vectorise(
            #[inline(always)]
            || {
                let x = x[first * row..].chunks_exact(row);
                let rows = out.chunks_exact_mut(row).zip(x);
                for ((out, x), kept) in rows.zip(kept.chunks_exact_mut(2)) {
                    let (mean, square) = if norm.centred {
                        moments(x)
                    } else {
                        (0.0, dot_and_sum(x, x).0 / row as f32)
                    };
                    let inverse = 1.0 / (square + norm.eps).sqrt();
                    kept.copy_from_slice(&[mean, inverse]);
                    for (((out, &x), &w), &b) in out.iter_mut().zip(x).zip(weight).zip(bias) {
                        *out = ((x - mean) * inverse).mul_add(w, b);
                    }
                }
            },
        );
    })
}

/// The gradients of [`row_forward`], from its argument and what it kept.
#[must_use]
pub fn row_backward(
    x: &[f32],
    grad: &[f32],
    weight: &[f32],
    kept: &[f32],
    norm: RowNorm,
) -> NormGrads {
    let row = norm.row;
    let piece_rows = ((1 << 13) / row).max(16);
    let piece = piece_rows * row;
    let aside_len = x.len().div_ceil(piece) * 2 * row;
    let (dx, sums) = pieces_aside(x.len(), piece, 2 * row, aside_len, |index, out, sums| {
        let (dw, db) = sums.split_at_mut(row);
        let start = index * piece;
        vectorise(
            #[inline(always)]
            || {
                let (x, grad) = (
                    x[start..].chunks_exact(row),
                    grad[start..].chunks_exact(row),
                );
                let kept = kept[2 * index * piece_rows..].chunks_exact(2);
                let rows = out.chunks_exact_mut(row).zip(x).zip(grad).zip(kept);
                for (((dx, x), grad), kept) in rows {
                    row_backward_one((x, grad, weight), (kept[0], kept[1]), norm, dx, (dw, db));
                }
            },
        );
    });
    let (mut dw, mut db) = (vec![0.0; row], vec![0.0; row]);
    for sums in sums.chunks_exact(2 * row) {
        for (to, from) in dw.iter_mut().chain(&mut db).zip(sums) {
            *to += from;
        }
    }
    NormGrads {
        x: dx,
        weight: dw,
        bias: db,
    }
}

#[inline(always)]
fn row_backward_one(
    (x, grad, weight): (&[f32], &[f32], &[f32]),
    (mean, inverse): (f32, f32),
    norm: RowNorm,
    dx: &mut [f32],
    (dw, db): (&mut [f32], &mut [f32]),
) {
    // The gradient times the factors is kept in `dx` until its sums are known.
    for ((dx, &g), &w) in dx.iter_mut().zip(grad).zip(weight) {
        *dx = g * w;
    }
    let mut sums = PairSums::default();
    sums.add(dx, x, mean);
    let (along, plain) = sums.totals();
    let count = x.len() as f32;
    let along = along * inverse / count;
    let plain = if norm.centred { plain / count } else { 0.0 };
    let parts = dw.iter_mut().zip(db).zip(x.iter().zip(grad));
    for (dx, ((dw, db), (&x, &g))) in dx.iter_mut().zip(parts) {
        let normalised = (x - mean) * inverse;
        *dw = g.mul_add(normalised, *dw);
        *db += g;
        *dx = inverse * (*dx - normalised.mul_add(along, plain));
    }
}
