//! Kernels of batch norm: `[batch, channels, area]`, a channel normalised over batch and area.
//!
//! With an area of 1 the numbers of a channel lie apart, and the sums run down the columns.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use std::borrow::Cow;

use super::lanes::{PairSums, each, moments_of, rough_mean, rows, rows_aside, vectorise};
use super::norm::{NormGrads, before_activation, scale_shift};
use super::pointwise::{activate, activation_backward};
use crate::nn::ops::Activation;

/// Columns that are summed together.
const COLUMNS: usize = 64;

/// `[channels, area]` of an example.
#[derive(Clone, Copy, Debug)]
pub struct Channels {
    /// How many.
    pub channels: usize,
    /// Numbers of a channel in one example.
    pub area: usize,
}

/// The mean and the biased variance of every channel.
#[must_use]
pub fn batch_moments(x: &[f32], shape: Channels) -> Vec<(f32, f32)> {
    let Channels { channels, area } = shape;
    if area == 1 {
        return column_moments(x, channels);
    }
    let example = channels * area;
    each(channels, x.len(), |c| {
        let at = c * area..(c + 1) * area;
        vectorise(
            #[inline(always)]
            || {
                let shift = rough_mean(&x[at.clone()]);
                let mut sums = PairSums::default();
                for example in x.chunks_exact(example) {
                    sums.add_squares(&example[at.clone()], shift);
                }
                moments_of(sums, shift, x.len() / channels)
            },
        )
    })
}

/// For blocks of columns of `[batch, channels]`: `of_block(first, width)` has a pair for each.
fn per_block(
    channels: usize,
    len: usize,
    of_block: impl Fn(usize, usize) -> [(f32, f32); COLUMNS] + Sync + Send,
) -> Vec<(f32, f32)> {
    let blocks = each(channels.div_ceil(COLUMNS), len, |block| {
        let first = block * COLUMNS;
        of_block(first, COLUMNS.min(channels - first))
    });
    let mut pairs = blocks.concat();
    pairs.truncate(channels);
    pairs
}

fn column_moments(x: &[f32], channels: usize) -> Vec<(f32, f32)> {
    let batch = (x.len() / channels) as f32;
    per_block(channels, x.len(), |first, width| {
        vectorise(
            #[inline(always)]
            || {
                let (mut means, mut squares) = ([0.0; COLUMNS], [0.0; COLUMNS]);
                for row in x.chunks_exact(channels) {
                    for (mean, &x) in means.iter_mut().zip(&row[first..first + width]) {
                        *mean += x;
                    }
                }
                means = means.map(|sum| sum / batch);
                for row in x.chunks_exact(channels) {
                    let columns = squares.iter_mut().zip(&means);
                    for ((square, mean), &x) in columns.zip(&row[first..first + width]) {
                        *square += (x - mean) * (x - mean);
                    }
                }
                std::array::from_fn(|i| (means[i], squares[i] / batch))
            },
        )
    })
}

/// `act(x factor + term)` with a factor and a term for each channel.
#[must_use]
pub fn channel_affine(
    x: &[f32],
    affine: &[(f32, f32)],
    shape: Channels,
    act: Activation,
) -> Vec<f32> {
    let Channels { channels, area } = shape;
    if area == 1 {
        return column_affine(x, affine, act);
    }
    rows(x.len(), area, |first, out| {
        let x = &x[first * area..][..out.len()];
        vectorise(
            #[inline(always)]
            || {
                let parts = out.chunks_exact_mut(area).zip(x.chunks_exact(area));
                for ((out, x), &(factor, term)) in parts.zip(cycle(affine, first % channels)) {
                    scale_shift(x, out, factor, term);
                }
            },
        );
        activate(out, act);
    })
}

fn column_affine(x: &[f32], affine: &[(f32, f32)], act: Activation) -> Vec<f32> {
    let channels = affine.len();
    let (factors, terms): (Vec<f32>, Vec<f32>) = affine.iter().copied().unzip();
    rows(x.len(), channels, |first, out| {
        let x = &x[first * channels..][..out.len()];
        vectorise(
            #[inline(always)]
            || {
                let rows = out.chunks_exact_mut(channels).zip(x.chunks_exact(channels));
                for (out, x) in rows {
                    let columns = factors.iter().zip(&terms);
                    for ((out, &x), (&factor, &term)) in out.iter_mut().zip(x).zip(columns) {
                        *out = x.mul_add(factor, term);
                    }
                }
            },
        );
        activate(out, act);
    })
}

/// The channels' values over and over, beginning with channel `first`.
#[inline(always)]
fn cycle<T>(values: &[T], first: usize) -> impl Iterator<Item = &T> {
    values[first..].iter().chain(values.iter().cycle())
}

/// What the backward pass knows of a channel.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    /// The mean that was taken off.
    pub mean: f32,
    /// One over the deviation.
    pub inverse: f32,
    /// The factor after normalising.
    pub weight: f32,
    /// The term after that.
    pub bias: f32,
}

impl Channel {
    /// The whole map as a factor and a term.
    #[must_use]
    pub fn affine(self) -> (f32, f32) {
        let factor = self.inverse * self.weight;
        (factor, (-self.mean).mul_add(factor, self.bias))
    }
}

/// The gradients of a batch norm from its argument and output.
///
/// With `of_batch` the mean and the deviation depend on the argument, otherwise they are given.
#[must_use]
pub fn batch_backward(
    (x, y, grad): (&[f32], &[f32], &[f32]),
    channels: &[Channel],
    area: usize,
    act: Activation,
    of_batch: bool,
) -> NormGrads {
    let shape = Channels {
        channels: channels.len(),
        area,
    };
    let (inner, sums) = gradient_sums((x, y, grad), channels, shape, act);
    let count = (x.len() / channels.len()) as f32;
    // dx = inner factor + x slope + term.
    let affine: Vec<[f32; 3]> = channels
        .iter()
        .zip(&sums)
        .map(|(c, &(plain, along))| {
            let factor = c.inverse * c.weight;
            if !of_batch {
                return [factor, 0.0, 0.0];
            }
            let slope = -factor * c.inverse * along / count;
            let term = (-c.mean).mul_add(slope, -factor * plain / count);
            [factor, slope, term]
        })
        .collect();
    NormGrads {
        x: if area == 1 {
            column_gradient(x, &inner, &affine)
        } else {
            area_gradient(x, &inner, &affine, area)
        },
        weight: sums.iter().map(|pair| pair.1).collect(),
        bias: sums.iter().map(|pair| pair.0).collect(),
    }
}

fn area_gradient(x: &[f32], inner: &[f32], affine: &[[f32; 3]], area: usize) -> Vec<f32> {
    rows(x.len(), area, |first, out| {
        let at = first * area..first * area + out.len();
        let (x, g) = (&x[at.clone()], &inner[at]);
        vectorise(
            #[inline(always)]
            || {
                let parts = x.chunks_exact(area).zip(g.chunks_exact(area));
                let parts = out.chunks_exact_mut(area).zip(parts);
                let of_rows = cycle(affine, first % affine.len());
                for ((out, (x, g)), &[factor, slope, term]) in parts.zip(of_rows) {
                    for ((out, &x), &g) in out.iter_mut().zip(x).zip(g) {
                        *out = g.mul_add(factor, x.mul_add(slope, term));
                    }
                }
            },
        );
    })
}

fn column_gradient(x: &[f32], inner: &[f32], affine: &[[f32; 3]]) -> Vec<f32> {
    let count = affine.len();
    let [factors, slopes, terms] =
        [0, 1, 2].map(|i| affine.iter().map(|a| a[i]).collect::<Vec<f32>>());
    rows(x.len(), count, |first, out| {
        let at = first * count..first * count + out.len();
        let (x, g) = (&x[at.clone()], &inner[at]);
        vectorise(
            #[inline(always)]
            || {
                let numbers = x.chunks_exact(count).zip(g.chunks_exact(count));
                for (out, (x, g)) in out.chunks_exact_mut(count).zip(numbers) {
                    let maps = factors.iter().zip(&slopes).zip(&terms);
                    for ((out, ((f, s), &t)), (&x, &g)) in
                        out.iter_mut().zip(maps).zip(x.iter().zip(g))
                    {
                        *out = g.mul_add(*f, x.mul_add(*s, t));
                    }
                }
            },
        );
    })
}

/// The gradient before the activation; for each channel its sum, and its sum times the normalised
/// numbers.
fn gradient_sums<'a>(
    (x, y, grad): (&[f32], &[f32], &'a [f32]),
    channels: &[Channel],
    shape: Channels,
    act: Activation,
) -> (Cow<'a, [f32]>, Vec<(f32, f32)>) {
    let (area, count) = (shape.area, channels.len());
    if area == 1 {
        let inner = column_inner((x, y, grad), channels, shape, act);
        let sums = column_sums(x, &inner, channels);
        return (inner, sums);
    }
    if act == Activation::None {
        return (Cow::Borrowed(grad), channel_sums(x, grad, channels, area));
    }
    let (inner, parts) = rows_aside(x.len(), area, 2, |first, out, sums| {
        vectorise(
            #[inline(always)]
            || {
                let rows = out.chunks_exact_mut(area).zip(sums.chunks_exact_mut(2));
                for (i, ((out, sums), c)) in rows.zip(cycle(channels, first % count)).enumerate() {
                    let at = (first + i) * area..(first + i + 1) * area;
                    let part = (&x[at.clone()], &y[at.clone()], &grad[at.clone()]);
                    before_activation(act, part, c.affine(), out);
                    let (plain, along) = row_sums(out, &x[at], c);
                    sums.copy_from_slice(&[plain, along]);
                }
            },
        );
    });
    let parts = parts.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    (Cow::Owned(inner), over_batch(parts.collect(), count))
}

fn channel_sums(x: &[f32], grad: &[f32], channels: &[Channel], area: usize) -> Vec<(f32, f32)> {
    let example = channels.len() * area;
    each(channels.len(), x.len(), |c| {
        let at = c * area..(c + 1) * area;
        vectorise(
            #[inline(always)]
            || {
                let mut sums = PairSums::default();
                for (x, grad) in x.chunks_exact(example).zip(grad.chunks_exact(example)) {
                    sums.add(&grad[at.clone()], &x[at.clone()], channels[c].mean);
                }
                let (along, plain) = sums.totals();
                (plain, along * channels[c].inverse)
            },
        )
    })
}

#[inline(always)]
fn row_sums(grad: &[f32], x: &[f32], channel: &Channel) -> (f32, f32) {
    let mut sums = PairSums::default();
    sums.add(grad, x, channel.mean);
    let (along, plain) = sums.totals();
    (plain, along * channel.inverse)
}

fn column_inner<'a>(
    (x, y, grad): (&[f32], &[f32], &'a [f32]),
    channels: &[Channel],
    shape: Channels,
    act: Activation,
) -> Cow<'a, [f32]> {
    let mut inner = match act {
        Activation::None => return Cow::Borrowed(grad),
        _ => grad.to_vec(),
    };
    if act == Activation::Silu {
        let affine: Vec<_> = channels.iter().map(|channel| channel.affine()).collect();
        let argument = channel_affine(x, &affine, shape, Activation::None);
        activation_backward(&mut inner, &argument, act);
    } else {
        activation_backward(&mut inner, y, act);
    }
    Cow::Owned(inner)
}

fn over_batch(parts: Vec<(f32, f32)>, channels: usize) -> Vec<(f32, f32)> {
    let mut sums = parts;
    let rest = sums.split_off(channels);
    for example in rest.chunks_exact(channels) {
        for (sum, part) in sums.iter_mut().zip(example) {
            sum.0 += part.0;
            sum.1 += part.1;
        }
    }
    sums
}

fn column_sums(x: &[f32], grad: &[f32], channels: &[Channel]) -> Vec<(f32, f32)> {
    let count = channels.len();
    per_block(count, x.len(), |first, width| {
        let block = &channels[first..first + width];
        vectorise(
            #[inline(always)]
            || {
                let (mut plain, mut along) = ([0.0; COLUMNS], [0.0; COLUMNS]);
                let mut means = [0.0; COLUMNS];
                for (mean, channel) in means.iter_mut().zip(block) {
                    *mean = channel.mean;
                }
                for (x, grad) in x.chunks_exact(count).zip(grad.chunks_exact(count)) {
                    let numbers = x[first..first + width]
                        .iter()
                        .zip(&grad[first..first + width]);
                    let columns = plain.iter_mut().zip(&mut along).zip(&means);
                    for (((plain, along), mean), (&x, &g)) in columns.zip(numbers) {
                        *plain += g;
                        *along += g * (x - mean);
                    }
                }
                let inverse = |i: usize| block.get(i).map_or(0.0, |channel| channel.inverse);
                std::array::from_fn(|i| (plain[i], along[i] * inverse(i)))
            },
        )
    })
}
