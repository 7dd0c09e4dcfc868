//! Kernels of max and average pooling.
//!
//! A plane is first copied with its padding, its columns dealt out by their remainder modulo the
//! stride. Then the numbers that one place of the window meets along an output row lie side by
//! side, for any stride and padding. The gradient takes the same way back.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use super::lanes::{rows, sum, vectorise};

/// Sizes of a pooling of planes.
#[derive(Clone, Copy, Debug)]
pub struct Pooling {
    /// Height and width of a plane.
    pub size: [usize; 2],
    /// Height and width of the result.
    pub out: [usize; 2],
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps down and to the right.
    pub stride: [usize; 2],
    /// Rows above and below, columns left and right.
    pub padding: [usize; 2],
}

/// A padded plane, its columns dealt out by their remainder modulo the stride.
struct Dealt {
    values: Vec<f32>,
    /// Columns of one remainder.
    width: usize,
    /// Numbers of a row.
    row: usize,
}

impl Pooling {
    fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    fn out_area(&self) -> usize {
        self.out[0] * self.out[1]
    }

    /// Whether windows lie side by side without padding, two by two.
    fn is_halving(&self) -> bool {
        self.kernel == [2, 2] && self.stride == [2, 2] && self.padding == [0, 0]
    }

    fn deal(&self) -> Dealt {
        let width = (self.kernel[1] - 1) / self.stride[1] + self.out[1];
        let row = width * self.stride[1];
        let height = (self.out[0] - 1) * self.stride[0] + self.kernel[0];
        Dealt {
            values: vec![0.0; height * row],
            width,
            row,
        }
    }

    /// For a remainder: its first column that is not padding, that column's place in the plane,
    /// and how many there are.
    fn columns(&self, remainder: usize, width: usize) -> (usize, usize, usize) {
        let (stride, padding) = (self.stride[1], self.padding[1]);
        let first = padding.saturating_sub(remainder).div_ceil(stride);
        let from = first * stride + remainder - padding;
        let count = self.size[1].saturating_sub(from).div_ceil(stride);
        (first, from, count.min(width.saturating_sub(first)))
    }

    /// The rows of the padded plane that are rows of the plane: pairs of the two indices.
    fn inner_rows(&self, dealt: &Dealt) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (padding, height) = (self.padding[0], self.size[0]);
        let end = (dealt.values.len() / dealt.row).min(padding + height);
        (padding..end).map(move |row| (row, row - padding))
    }

    #[inline(always)]
    fn fill(&self, plane: &[f32], pad: f32, dealt: &mut Dealt) {
        dealt.values.fill(pad);
        for (to, from) in self.inner_rows(dealt) {
            let source = &plane[from * self.size[1]..][..self.size[1]];
            let target = &mut dealt.values[to * dealt.row..][..dealt.row];
            for (remainder, target) in target.chunks_exact_mut(dealt.width).enumerate() {
                let (first, from, count) = self.columns(remainder, dealt.width);
                if count > 0 {
                    take(
                        &source[from..],
                        self.stride[1],
                        &mut target[first..first + count],
                    );
                }
            }
        }
    }

    #[inline(always)]
    fn empty(&self, dealt: &Dealt, plane: &mut [f32]) {
        for (from, to) in self.inner_rows(dealt) {
            let target = &mut plane[to * self.size[1]..][..self.size[1]];
            let source = &dealt.values[from * dealt.row..][..dealt.row];
            for (remainder, source) in source.chunks_exact(dealt.width).enumerate() {
                let (first, to, count) = self.columns(remainder, dealt.width);
                if count > 0 {
                    put(
                        &source[first..first + count],
                        self.stride[1],
                        &mut target[to..],
                    );
                }
            }
        }
    }

    /// Where in a dealt plane the numbers begin that a place of the window meets along a row.
    #[inline(always)]
    fn meets(&self, dealt: &Dealt, out_row: usize, ky: usize, kx: usize) -> usize {
        let stride = self.stride[1];
        (out_row * self.stride[0] + ky) * dealt.row + kx % stride * dealt.width + kx / stride
    }
}

/// `target[i] = source[i stride]`.
#[inline(always)]
fn take(source: &[f32], stride: usize, target: &mut [f32]) {
    match stride {
        1 => target.copy_from_slice(&source[..target.len()]),
        2 => {
            let (pairs, rest) = source.as_chunks::<2>();
            for (target, pair) in target.iter_mut().zip(pairs) {
                *target = pair[0];
            }
            if let (Some(target), Some(&last)) = (target.get_mut(pairs.len()), rest.first()) {
                *target = last;
            }
        }
        _ => {
            for (target, chunk) in target.iter_mut().zip(source.chunks(stride)) {
                *target = chunk[0];
            }
        }
    }
}

/// `target[i stride] = source[i]`.
#[inline(always)]
fn put(source: &[f32], stride: usize, target: &mut [f32]) {
    if stride == 1 {
        target[..source.len()].copy_from_slice(source);
        return;
    }
    for (&source, chunk) in source.iter().zip(target.chunks_mut(stride)) {
        chunk[0] = source;
    }
}

/// The greater, or what is not a number.
#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

/// The greatest number under every window.
#[must_use]
pub fn max_forward(x: &[f32], pooling: Pooling) -> Vec<f32> {
    let (area, out_area) = (pooling.area(), pooling.out_area());
    rows(x.len() / area * out_area, out_area, |first, out| {
        let mut dealt = pooling.deal();
        vectorise(
            #[inline(always)]
            || {
                let planes = x[first * area..].chunks_exact(area);
                for (out, plane) in out.chunks_exact_mut(out_area).zip(planes) {
                    if pooling.is_halving() {
                        halve_max(plane, pooling, out);
                    } else {
                        pooling.fill(plane, f32::NEG_INFINITY, &mut dealt);
                        max_plane(&dealt, pooling, out);
                    }
                }
            },
        );
    })
}

#[inline(always)]
fn max_plane(dealt: &Dealt, pooling: Pooling, out: &mut [f32]) {
    for (oy, out) in out.chunks_exact_mut(pooling.out[1]).enumerate() {
        out.fill(f32::NEG_INFINITY);
        for ky in 0..pooling.kernel[0] {
            for kx in 0..pooling.kernel[1] {
                let met = &dealt.values[pooling.meets(dealt, oy, ky, kx)..];
                for (out, &x) in out.iter_mut().zip(met) {
                    *out = greater(*out, x);
                }
            }
        }
    }
}

#[inline(always)]
fn halve_max(plane: &[f32], pooling: Pooling, out: &mut [f32]) {
    let width = pooling.size[1];
    let pairs = plane.chunks_exact(2 * width);
    for (out, pair) in out.chunks_exact_mut(pooling.out[1]).zip(pairs) {
        let (upper, lower) = pair.split_at(width);
        let columns = upper
            .as_chunks::<2>()
            .0
            .iter()
            .zip(lower.as_chunks::<2>().0);
        for (out, (a, b)) in out.iter_mut().zip(columns) {
            *out = greater(greater(greater(a[0], a[1]), b[0]), b[1]);
        }
    }
}

/// The gradient of [`max_forward`] from its argument `x` and output `y`: it goes to the first of
/// several equal numbers, by rows.
#[must_use]
pub fn max_backward(x: &[f32], y: &[f32], grad: &[f32], pooling: Pooling) -> Vec<f32> {
    let (area, out_area) = (pooling.area(), pooling.out_area());
    rows(x.len(), area, |first, out| {
        let (mut dealt, mut grads) = (pooling.deal(), pooling.deal());
        let mut rest = vec![0.0; pooling.out[1]];
        vectorise(
            #[inline(always)]
            || {
                for (i, dx) in out.chunks_exact_mut(area).enumerate() {
                    let x = &x[(first + i) * area..][..area];
                    let y = &y[(first + i) * out_area..][..out_area];
                    let grad = &grad[(first + i) * out_area..][..out_area];
                    if pooling.is_halving() {
                        halve_max_back(x, y, grad, pooling, dx);
                        continue;
                    }
                    pooling.fill(x, f32::NEG_INFINITY, &mut dealt);
                    grads.values.fill(0.0);
                    max_plane_back(&dealt, (y, grad), pooling, &mut grads, &mut rest);
                    pooling.empty(&grads, dx);
                }
            },
        );
    })
}

#[inline(always)]
fn max_plane_back(
    dealt: &Dealt,
    (y, grad): (&[f32], &[f32]),
    pooling: Pooling,
    grads: &mut Dealt,
    rest: &mut [f32],
) {
    let out_rows = y
        .chunks_exact(pooling.out[1])
        .zip(grad.chunks_exact(pooling.out[1]));
    for (oy, (y, grad)) in out_rows.enumerate() {
        // What has not yet found the number that it belongs to.
        rest.copy_from_slice(grad);
        for ky in 0..pooling.kernel[0] {
            for kx in 0..pooling.kernel[1] {
                let at = pooling.meets(dealt, oy, ky, kx);
                let at = at..at + rest.len();
                hand_out(&dealt.values[at.clone()], y, rest, &mut grads.values[at]);
            }
        }
    }
}

/// Gives the rest of the gradients to those numbers `x` that are the greatest, `y`.
#[inline(always)]
fn hand_out(x: &[f32], y: &[f32], rest: &mut [f32], dx: &mut [f32]) {
    /// Few enough to stay in registers.
    const WIDTH: usize = 8;
    let (xs, x_rest) = x.as_chunks::<WIDTH>();
    let (ys, y_rest) = y.as_chunks::<WIDTH>();
    let (rests, rest_rest) = rest.as_chunks_mut::<WIDTH>();
    let (dxs, dx_rest) = dx.as_chunks_mut::<WIDTH>();
    for (((x, y), rest), dx) in xs.iter().zip(ys).zip(rests).zip(dxs) {
        let parts: [(f32, f32); WIDTH] = std::array::from_fn(|i| part(x[i] >= y[i], rest[i]));
        *dx = std::array::from_fn(|i| dx[i] + parts[i].0);
        *rest = parts.map(|(_, left)| left);
    }
    let numbers = x_rest.iter().zip(y_rest);
    for ((x, y), (rest, dx)) in numbers.zip(rest_rest.iter_mut().zip(dx_rest)) {
        let (found, left) = part(x >= y, *rest);
        *dx += found;
        *rest = left;
    }
}

/// What of the rest of a gradient a place gets, and what remains.
#[inline(always)]
fn part(is_greatest: bool, rest: f32) -> (f32, f32) {
    if is_greatest {
        (rest, 0.0)
    } else {
        (0.0, rest)
    }
}

#[inline(always)]
fn halve_max_back(x: &[f32], y: &[f32], grad: &[f32], pooling: Pooling, dx: &mut [f32]) {
    let (width, half) = (pooling.size[1], pooling.out[1]);
    let outs = y.chunks_exact(half).zip(grad.chunks_exact(half));
    let ins = x
        .chunks_exact(2 * width)
        .zip(dx.chunks_exact_mut(2 * width));
    for ((y, grad), (x, dx)) in outs.zip(ins) {
        let (upper, lower) = x.split_at(width);
        let (dx_upper, dx_lower) = dx.split_at_mut(width);
        let numbers = upper
            .as_chunks::<2>()
            .0
            .iter()
            .zip(lower.as_chunks::<2>().0);
        let grads = dx_upper.as_chunks_mut::<2>().0.iter_mut();
        let grads = grads.zip(dx_lower.as_chunks_mut::<2>().0);
        for (((&y, &g), (a, b)), (da, db)) in y.iter().zip(grad).zip(numbers).zip(grads) {
            let (first, rest) = part(a[0] >= y, g);
            let (second, rest) = part(a[1] >= y, rest);
            let (third, rest) = part(b[0] >= y, rest);
            let (fourth, _) = part(b[1] >= y, rest);
            *da = [first, second];
            *db = [third, fourth];
        }
    }
}

/// The mean under every window; padding counts as zeros.
#[must_use]
pub fn avg_forward(x: &[f32], pooling: Pooling) -> Vec<f32> {
    let (area, out_area) = (pooling.area(), pooling.out_area());
    let scale = 1.0 / (pooling.kernel[0] * pooling.kernel[1]) as f32;
    rows(x.len() / area * out_area, out_area, |first, out| {
        let mut dealt = pooling.deal();
        vectorise(
            #[inline(always)]
            || {
                let planes = x[first * area..].chunks_exact(area);
                for (out, plane) in out.chunks_exact_mut(out_area).zip(planes) {
                    if pooling.is_halving() {
                        halve_avg(plane, pooling, out);
                    } else {
                        pooling.fill(plane, 0.0, &mut dealt);
                        avg_plane(&dealt, pooling, scale, out);
                    }
                }
            },
        );
    })
}

#[inline(always)]
fn avg_plane(dealt: &Dealt, pooling: Pooling, scale: f32, out: &mut [f32]) {
    for (oy, out) in out.chunks_exact_mut(pooling.out[1]).enumerate() {
        for ky in 0..pooling.kernel[0] {
            for kx in 0..pooling.kernel[1] {
                let met = &dealt.values[pooling.meets(dealt, oy, ky, kx)..];
                for (out, &x) in out.iter_mut().zip(met) {
                    *out += x;
                }
            }
        }
        for out in out {
            *out *= scale;
        }
    }
}

#[inline(always)]
fn halve_avg(plane: &[f32], pooling: Pooling, out: &mut [f32]) {
    let width = pooling.size[1];
    let pairs = plane.chunks_exact(2 * width);
    for (out, pair) in out.chunks_exact_mut(pooling.out[1]).zip(pairs) {
        let (upper, lower) = pair.split_at(width);
        let columns = upper
            .as_chunks::<2>()
            .0
            .iter()
            .zip(lower.as_chunks::<2>().0);
        for (out, (a, b)) in out.iter_mut().zip(columns) {
            *out = 0.25 * ((a[0] + a[1]) + (b[0] + b[1]));
        }
    }
}

/// The gradient of [`avg_forward`] for `planes` planes.
#[must_use]
pub fn avg_backward(grad: &[f32], planes: usize, pooling: Pooling) -> Vec<f32> {
    let (area, out_area) = (pooling.area(), pooling.out_area());
    let scale = 1.0 / (pooling.kernel[0] * pooling.kernel[1]) as f32;
    rows(planes * area, area, |first, out| {
        let mut grads = pooling.deal();
        vectorise(
            #[inline(always)]
            || {
                let parts = grad[first * out_area..].chunks_exact(out_area);
                for (dx, grad) in out.chunks_exact_mut(area).zip(parts) {
                    if pooling.is_halving() {
                        halve_avg_back(grad, pooling, dx);
                        continue;
                    }
                    grads.values.fill(0.0);
                    for (oy, grad) in grad.chunks_exact(pooling.out[1]).enumerate() {
                        for ky in 0..pooling.kernel[0] {
                            for kx in 0..pooling.kernel[1] {
                                let at = pooling.meets(&grads, oy, ky, kx);
                                for (dx, &g) in grads.values[at..].iter_mut().zip(grad) {
                                    *dx = g.mul_add(scale, *dx);
                                }
                            }
                        }
                    }
                    pooling.empty(&grads, dx);
                }
            },
        );
    })
}

#[inline(always)]
fn halve_avg_back(grad: &[f32], pooling: Pooling, dx: &mut [f32]) {
    let width = pooling.size[1];
    let pairs = dx.chunks_exact_mut(2 * width);
    for (grad, pair) in grad.chunks_exact(pooling.out[1]).zip(pairs) {
        let (upper, lower) = pair.split_at_mut(width);
        for row in [upper, lower] {
            for (pair, &g) in row.as_chunks_mut::<2>().0.iter_mut().zip(grad) {
                *pair = [0.25 * g; 2];
            }
        }
    }
}

/// The mean of every plane of `area` numbers.
#[must_use]
pub fn plane_means(x: &[f32], area: usize) -> Vec<f32> {
    let scale = 1.0 / area as f32;
    let together = ((1 << 13) / area).max(1);
    let count = x.len() / area;
    let parts = super::lanes::each(count.div_ceil(together), x.len(), |piece| {
        let planes = piece * together..count.min((piece + 1) * together);
        let mut means = Vec::with_capacity(together);
        vectorise(
            #[inline(always)]
            || {
                for plane in planes {
                    let sum = sum(&x[plane * area..][..area]);
                    means.push(sum * scale);
                }
            },
        );
        means
    });
    parts.concat()
}

/// The gradient of [`plane_means`].
#[must_use]
pub fn plane_means_backward(grad: &[f32], area: usize) -> Vec<f32> {
    let scale = 1.0 / area as f32;
    rows(grad.len() * area, area, |first, out| {
        for (plane, &g) in out.chunks_exact_mut(area).zip(&grad[first..]) {
            plane.fill(g * scale);
        }
    })
}
