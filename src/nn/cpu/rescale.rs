//! Rescaling of rows: to the span from 0 to 1, and by factors and terms.
//!
//! A row here is what is scaled alike: an example, or one channel of an example.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]
#![expect(
    clippy::float_cmp,
    reason = "an extreme is one of the numbers that it is compared with"
)]

use super::lanes::{LANES, build, dot_and_sum, rows, rows_aside, vectorise};
use super::pointwise::{activate, activation_backward};
use crate::nn::ops::Activation;

/// How many numbers of a row are this one.
#[inline(always)]
fn count(row: &[f32], value: f32) -> f32 {
    row.iter().map(|x| u32::from(*x == value)).sum::<u32>() as f32
}

/// The least and the greatest number of a row; what is not a number is passed over.
#[inline(always)]
fn extremes(row: &[f32]) -> (f32, f32) {
    let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    let mut meet = |i: usize, x: f32| {
        low[i] = if x < low[i] { x } else { low[i] };
        high[i] = if x > high[i] { x } else { high[i] };
    };
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (i, &x) in chunk.iter().enumerate() {
            meet(i, x);
        }
    }
    for (i, &x) in rest.iter().enumerate() {
        meet(i, x);
    }
    let least = low.iter().fold(f32::INFINITY, |a, &b| a.min(b));
    let greatest = high.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    (least, greatest)
}

/// `(x - min) / max(max - min, eps)` of every row of `row` numbers, and each row's `[min, max]`,
/// one after the other.
///
/// # Panics
/// When `x` is not whole rows, or `row` is 0.
#[must_use]
pub fn min_max(x: &[f32], row: usize, eps: f32) -> (Vec<f32>, Vec<f32>) {
    rows_aside(x.len(), row, 2, |first, out, asides| {
        vectorise(
            #[inline(always)]
            || {
                let x = x[first * row..].chunks_exact(row);
                let out = out.chunks_exact_mut(row);
                for ((x, out), aside) in x.zip(out).zip(asides.as_chunks_mut::<2>().0) {
                    let (low, high) = extremes(x);
                    *aside = [low, high];
                    let span = (high - low).max(eps);
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = (x - low) / span;
                    }
                }
            },
        );
    })
}

/// The gradient of [`min_max`] with respect to `x`, given the result `y`, the rows' extremes and
/// the gradient of the result. What flows through an extreme is shared evenly by the numbers that
/// equal it.
///
/// # Panics
/// When `x` is not whole rows, or `row` is 0.
#[must_use]
pub fn min_max_backward(
    (x, y, grad): (&[f32], &[f32], &[f32]),
    extremes: &[f32],
    row: usize,
    eps: f32,
) -> Vec<f32> {
    rows(x.len(), row, |first, out| {
        vectorise(
            #[inline(always)]
            || {
                for (i, out) in out.chunks_exact_mut(row).enumerate() {
                    let at = (first + i) * row;
                    let (x, y, grad) = (&x[at..at + row], &y[at..at + row], &grad[at..at + row]);
                    let [low, high] = [extremes[2 * (first + i)], extremes[2 * (first + i) + 1]];
                    let (product, sum) = dot_and_sum(grad, y);
                    let (lows, highs) = (count(x, low), count(x, high));
                    // Where the span is held at eps, only the subtracted minimum counts.
                    let moves = if high - low >= eps { product } else { 0.0 };
                    let inverse = 1.0 / (high - low).max(eps);
                    let (to_low, to_high) =
                        ((moves - sum) * inverse / lows, -moves * inverse / highs);
                    for ((out, &x), &g) in out.iter_mut().zip(x).zip(grad) {
                        let low_share = if x == low { to_low } else { 0.0 };
                        let high_share = if x == high { to_high } else { 0.0 };
                        *out = g.mul_add(inverse, low_share + high_share);
                    }
                }
            },
        );
    })
}

/// `x` times a factor.
#[must_use]
pub fn scale(x: &[f32], factor: f32) -> Vec<f32> {
    build(x.len(), |start, piece| {
        vectorise(
            #[inline(always)]
            || {
                for (out, &x) in piece.iter_mut().zip(&x[start..]) {
                    *out = x * factor;
                }
            },
        );
    })
}

/// `activation(a + b)`.
#[must_use]
pub fn add_activate(a: &[f32], b: &[f32], act: Activation) -> Vec<f32> {
    build(a.len(), |start, piece| {
        add_into(piece, &a[start..], &b[start..]);
        activate(piece, act);
    })
}

fn add_into(out: &mut [f32], a: &[f32], b: &[f32]) {
    vectorise(
        #[inline(always)]
        || {
            for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *out = a + b;
            }
        },
    );
}

/// The gradient of [`add_activate`] with respect to each of its arguments, given the result.
#[must_use]
pub fn add_activate_backward(
    (a, b, y): (&[f32], &[f32], &[f32]),
    grad: &[f32],
    act: Activation,
) -> Vec<f32> {
    build(a.len(), |start, piece| {
        let end = start + piece.len();
        piece.copy_from_slice(&grad[start..end]);
        if act == Activation::Silu {
            let mut sum = vec![0.0; piece.len()];
            add_into(&mut sum, &a[start..end], &b[start..end]);
            activation_backward(piece, &sum, act);
        } else {
            activation_backward(piece, &y[start..end], act);
        }
    })
}

/// Planes that are scaled each by its own factor.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    /// Numbers of a plane.
    pub area: usize,
    /// A factor for each plane.
    pub factors: &'a [f32],
    /// A term for each channel, that is for every so manieth plane; none if empty.
    pub terms: &'a [f32],
    /// What follows.
    pub act: Activation,
}

impl Planes<'_> {
    fn term(&self, plane: usize) -> f32 {
        match self.terms.len() {
            0 => 0.0,
            channels => self.terms[plane % channels],
        }
    }

    fn before_activation(&self, plane: usize, x: &[f32], out: &mut [f32]) {
        let (factor, term) = (self.factors[plane], self.term(plane));
        vectorise(
            #[inline(always)]
            || {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = x.mul_add(factor, term);
                }
            },
        );
    }

    /// `activation(x * factor + term)`, plane by plane.
    ///
    /// # Panics
    /// When `x` is not whole planes.
    #[must_use]
    pub fn forward(&self, x: &[f32]) -> Vec<f32> {
        rows(x.len(), self.area, |first, out| {
            for (i, out) in out.chunks_exact_mut(self.area).enumerate() {
                let plane = first + i;
                self.before_activation(plane, &x[plane * self.area..], out);
                activate(out, self.act);
            }
        })
    }

    /// The gradients of `x`, of the factors and of the terms, given the result and its gradient.
    ///
    /// # Panics
    /// When `x` is not whole planes.
    #[must_use]
    pub fn backward(&self, x: &[f32], y: &[f32], grad: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let area = self.area;
        let (dx, sums) = rows_aside(x.len(), area, 2, |first, out, asides| {
            let asides = asides.as_chunks_mut::<2>().0;
            for (i, (out, aside)) in out.chunks_exact_mut(area).zip(asides).enumerate() {
                let plane = first + i;
                let at = plane * area..(plane + 1) * area;
                out.copy_from_slice(&grad[at.clone()]);
                if self.act == Activation::Silu {
                    let mut before = vec![0.0; area];
                    self.before_activation(plane, &x[at.clone()], &mut before);
                    activation_backward(out, &before, self.act);
                } else {
                    activation_backward(out, &y[at.clone()], self.act);
                }
                let factor = self.factors[plane];
                *aside = vectorise(
                    #[inline(always)]
                    || {
                        let (product, sum) = dot_and_sum(out, &x[at]);
                        for g in out {
                            *g *= factor;
                        }
                        [product, sum]
                    },
                );
            }
        });
        let factors = sums.as_chunks::<2>().0.iter().map(|sums| sums[0]).collect();
        let channels = self.terms.len();
        let mut terms = vec![0.0; channels];
        if channels > 0 {
            for example in sums.chunks_exact(2 * channels) {
                for (term, sums) in terms.iter_mut().zip(example.as_chunks::<2>().0) {
                    *term += sums[1];
                }
            }
        }
        (dx, factors, terms)
    }
}

/// `1 / sqrt(sum over i of s_i² A_oi + eps)` for every example and output, where `A` is the sum of
/// squares of each kernel of `w` `[outputs, inputs, kernel]`; `s` is `[examples, inputs]`. Returns
/// `[examples, outputs]` and `A` `[outputs, inputs]`.
#[must_use]
pub fn inverse_norms(
    w: &[f32],
    s: &[f32],
    inputs: usize,
    kernel: usize,
    eps: f32,
) -> (Vec<f32>, Vec<f32>) {
    let powers = rows(w.len() / kernel.max(1), 1, |first, out| {
        vectorise(
            #[inline(always)]
            || {
                let kernels = w[first * kernel..].chunks_exact(kernel);
                for (out, w) in out.iter_mut().zip(kernels) {
                    *out = w.iter().fold(0.0, |sum, &w| w.mul_add(w, sum));
                }
            },
        );
    });
    let norms = vectorise(
        #[inline(always)]
        || {
            let mut norms = Vec::new();
            let mut squares = vec![0.0; inputs];
            for s in s.chunks_exact(inputs) {
                for (square, s) in squares.iter_mut().zip(s) {
                    *square = s * s;
                }
                for powers in powers.chunks_exact(inputs) {
                    let (sum, _) = dot_and_sum(&squares, powers);
                    norms.push(1.0 / (sum + eps).sqrt());
                }
            }
            norms
        },
    );
    (norms, powers)
}

/// The gradients of `w` and of `s` of [`inverse_norms`], given its results and their gradient.
#[must_use]
pub fn inverse_norms_backward(
    (w, s): (&[f32], &[f32]),
    (norms, powers): (&[f32], &[f32]),
    grad: &[f32],
    (inputs, kernel): (usize, usize),
) -> (Vec<f32>, Vec<f32>) {
    let outputs = powers.len() / inputs;
    // The gradient of the sum under the root.
    let sums: Vec<f32> = norms
        .iter()
        .zip(grad)
        .map(|(n, g)| -0.5 * g * n * n * n)
        .collect();
    let mut ds = vec![0.0; s.len()];
    let mut d_powers = vec![0.0; powers.len()];
    vectorise(
        #[inline(always)]
        || {
            for (example, (s, ds)) in s
                .chunks_exact(inputs)
                .zip(ds.chunks_exact_mut(inputs))
                .enumerate()
            {
                for output in 0..outputs {
                    let g = sums[example * outputs + output];
                    let row = output * inputs..(output + 1) * inputs;
                    let rows = powers[row.clone()].iter().zip(&mut d_powers[row]);
                    for ((&s, ds), (&p, dp)) in s.iter().zip(ds.iter_mut()).zip(rows) {
                        *ds = (2.0 * g * s).mul_add(p, *ds);
                        *dp = (g * s).mul_add(s, *dp);
                    }
                }
            }
        },
    );
    let dw = rows(w.len(), kernel, |first, out| {
        let at = first * kernel;
        vectorise(
            #[inline(always)]
            || {
                let w = w[at..].chunks_exact(kernel);
                for ((out, w), &dp) in out.chunks_exact_mut(kernel).zip(w).zip(&d_powers[first..]) {
                    for (out, &w) in out.iter_mut().zip(w) {
                        *out = 2.0 * w * dp;
                    }
                }
            },
        );
    });
    (dw, ds)
}
