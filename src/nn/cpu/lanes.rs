//! What the kernels that the compiler vectorises share.
//!
//! A kernel is safe code over slices inside [`vectorise`], which compiles it once for every width
//! of vector unit and chooses at run time. Products and sums that may be fused are written as
//! `mul_add`, and sums run over [`LANES`] partial sums, so a result has the same bits for every
//! width. [`build`] and [`rows`] cut the work into pieces that depend on its size only.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use std::mem::MaybeUninit;

use rayon::prelude::*;

/// Partial sums of a reduction: two AVX-512 registers, so that an addition need not wait for the
/// one before it.
pub const LANES: usize = 32;

/// Below this many numbers a second thread costs more than it brings.
pub const PARALLEL: usize = 1 << 16;

/// Numbers of a piece: small enough to stay in the first two caches with what it is made from.
const PIECE: usize = 1 << 13;

/// Runs a closure compiled for the widest vectors of this machine.
///
/// The closure and what it calls must be `#[inline(always)]`, or they stay at the narrowest width.
#[inline(always)]
pub fn vectorise<R>(f: impl FnOnce() -> R) -> R {
    struct Body<F>(F);
    impl<R, F: FnOnce() -> R> pulp::WithSimd for Body<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> R {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Body(f))
}

/// A vector of `len` numbers made in pieces: `fill(start, piece)` computes those from `start` on.
///
/// Each piece is zero at first and still in the cache when it is filled.
pub fn build(len: usize, fill: impl Fn(usize, &mut [f32]) + Sync + Send) -> Vec<f32> {
    rows(len, 1, |start, piece| fill(start, piece))
}

/// As [`build`], where no row of `row` numbers is cut: `fill(first_row, rows)`.
///
/// # Panics
/// When `len` is not a multiple of `row`.
pub fn rows(len: usize, row: usize, fill: impl Fn(usize, &mut [f32]) + Sync + Send) -> Vec<f32> {
    let row = row.max(1);
    assert_eq!(len % row, 0, "whole rows");
    let piece_rows = (PIECE / row).max(1);
    let mut values = Vec::with_capacity(len);
    let spare = &mut values.spare_capacity_mut()[..len];
    let job = |(index, piece): (usize, &mut [MaybeUninit<f32>])| {
        fill(index * piece_rows, zeroed(piece));
    };
    let piece = piece_rows * row;
    if len >= PARALLEL {
        spare.par_chunks_mut(piece).enumerate().for_each(job);
    } else {
        spare.chunks_mut(piece).enumerate().for_each(job);
    }
    // SAFETY: the capacity is `len` and `zeroed` has initialised every piece.
    unsafe { values.set_len(len) };
    values
}

/// As [`rows`], with `aside` numbers, zero at first, for each row: `fill(first_row, rows, asides)`.
///
/// # Panics
/// When `len` is not a multiple of `row`, or `aside` is 0.
pub fn rows_aside(
    len: usize,
    row: usize,
    aside: usize,
    fill: impl Fn(usize, &mut [f32], &mut [f32]) + Sync + Send,
) -> (Vec<f32>, Vec<f32>) {
    let row = row.max(1);
    let piece_rows = (PIECE / row).max(1);
    pieces_aside(
        len,
        row * piece_rows,
        aside * piece_rows,
        aside * (len / row),
        |index, out, asides| {
            fill(index * piece_rows, out, asides);
        },
    )
}

/// A piece that is not yet initialised, with its aside.
type Pair<'a> = (&'a mut [MaybeUninit<f32>], &'a mut [f32]);

/// As [`build`] with pieces of `piece` numbers, and with chunks of `aside` of `aside_len` other
/// numbers, zero at first: `fill(index, piece, aside)`.
///
/// # Panics
/// When a size is 0 where there is something to cut.
pub fn pieces_aside(
    len: usize,
    piece: usize,
    aside: usize,
    aside_len: usize,
    fill: impl Fn(usize, &mut [f32], &mut [f32]) + Sync + Send,
) -> (Vec<f32>, Vec<f32>) {
    let mut asides = vec![0.0; aside_len];
    let mut values = Vec::with_capacity(len);
    let spare = &mut values.spare_capacity_mut()[..len];
    assert!(aside > 0 && piece > 0, "pieces of some size");
    assert_eq!(
        len.div_ceil(piece),
        aside_len.div_ceil(aside),
        "as many of both"
    );
    let job = |(index, (piece, aside)): (usize, Pair)| fill(index, zeroed(piece), aside);
    if len >= PARALLEL {
        let pieces = spare
            .par_chunks_mut(piece)
            .zip(asides.par_chunks_mut(aside));
        pieces.enumerate().for_each(job);
    } else {
        let pieces = spare.chunks_mut(piece).zip(asides.chunks_mut(aside));
        pieces.enumerate().for_each(job);
    }
    // SAFETY: the capacity is `len`, and the pieces, each initialised by `zeroed`, cover it: there
    // are as many asides as pieces.
    unsafe { values.set_len(len) };
    (values, asides)
}

fn zeroed(piece: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    for value in piece.iter_mut() {
        value.write(0.0);
    }
    // SAFETY: every element was written above, and `MaybeUninit<f32>` has the layout of `f32`.
    unsafe { &mut *(std::ptr::from_mut(piece) as *mut [f32]) }
}

/// Calls `work(index)` for every index, on several threads where `numbers` in all is large, and
/// returns the results in order.
pub fn each<R: Send>(
    count: usize,
    numbers: usize,
    work: impl Fn(usize) -> R + Sync + Send,
) -> Vec<R> {
    if numbers >= PARALLEL && count > 1 {
        (0..count).into_par_iter().map(work).collect()
    } else {
        (0..count).map(work).collect()
    }
}

/// The sum of the lanes, in a fixed order.
#[inline(always)]
#[must_use]
pub fn total<const N: usize>(lanes: [f32; N]) -> f32 {
    const { assert!(N.is_power_of_two()) };
    let mut lanes = lanes;
    let mut half = N / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The numbers after the last whole chunk, with `pad` behind them.
///
/// # Panics
/// When there are more than `N`.
#[inline(always)]
#[must_use]
pub fn padded<const N: usize>(rest: &[f32], pad: f32) -> [f32; N] {
    let mut last = [pad; N];
    last[..rest.len()].copy_from_slice(rest);
    last
}

/// The sum of a slice, in lanes.
#[inline(always)]
#[must_use]
pub fn sum(x: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    for (sum, x) in sums.iter_mut().zip(padded::<LANES>(rest, 0.0)) {
        *sum += x;
    }
    total(sums)
}

/// The sums of `x y` and of `x`, in lanes.
#[inline(always)]
#[must_use]
pub fn dot_and_sum(x: &[f32], y: &[f32]) -> (f32, f32) {
    let mut sums = PairSums::default();
    sums.add(x, y, 0.0);
    sums.totals()
}

/// Two running sums in lanes.
#[derive(Clone, Copy)]
pub struct PairSums {
    along: [f32; LANES],
    plain: [f32; LANES],
}

impl Default for PairSums {
    #[inline(always)]
    fn default() -> Self {
        Self {
            along: [0.0; LANES],
            plain: [0.0; LANES],
        }
    }
}

impl PairSums {
    /// Adds `x (y - shift)` to the first sum and `x` to the second.
    #[inline(always)]
    pub fn add(&mut self, x: &[f32], y: &[f32], shift: f32) {
        let (xs, x_rest) = x.as_chunks::<LANES>();
        let (ys, y_rest) = y.as_chunks::<LANES>();
        for (x, y) in xs.iter().zip(ys) {
            self.add_chunk(x, y, shift);
        }
        if !x_rest.is_empty() {
            self.add_chunk(&padded(x_rest, 0.0), &padded(y_rest, shift), shift);
        }
    }

    #[inline(always)]
    fn add_chunk(&mut self, x: &[f32; LANES], y: &[f32; LANES], shift: f32) {
        for i in 0..LANES {
            self.along[i] = x[i].mul_add(y[i] - shift, self.along[i]);
            self.plain[i] += x[i];
        }
    }

    /// Adds `(x - shift)^2` to the first sum and `x - shift` to the second.
    #[inline(always)]
    pub fn add_squares(&mut self, x: &[f32], shift: f32) {
        let (chunks, rest) = x.as_chunks::<LANES>();
        for chunk in chunks {
            self.add_square_chunk(chunk, shift);
        }
        if !rest.is_empty() {
            self.add_square_chunk(&padded(rest, shift), shift);
        }
    }

    #[inline(always)]
    fn add_square_chunk(&mut self, x: &[f32; LANES], shift: f32) {
        for ((along, plain), &x) in self.along.iter_mut().zip(&mut self.plain).zip(x) {
            let off = x - shift;
            *along = off.mul_add(off, *along);
            *plain += off;
        }
    }

    /// The two sums.
    #[inline(always)]
    #[must_use]
    pub fn totals(self) -> (f32, f32) {
        (total(self.along), total(self.plain))
    }
}

/// The mean and the biased variance of `count` numbers from their [`PairSums::add_squares`].
///
/// The shift, a rough mean, keeps the difference of squares from cancelling.
#[inline(always)]
#[must_use]
pub fn moments_of(sums: PairSums, shift: f32, count: usize) -> (f32, f32) {
    let (squares, plain) = sums.totals();
    let count = count as f32;
    let off = plain / count;
    let variance = off.mul_add(-off, squares / count);
    // What is not a number stays so.
    (shift + off, if variance < 0.0 { 0.0 } else { variance })
}

/// A rough mean of a row: that of its first numbers.
#[inline(always)]
#[must_use]
pub fn rough_mean(row: &[f32]) -> f32 {
    let first = &row[..row.len().min(LANES)];
    sum(first) / first.len() as f32
}

#[cfg(test)]
mod tests {
    use super::{
        LANES, PARALLEL, PIECE, PairSums, build, dot_and_sum, each, moments_of, rough_mean, rows,
        rows_aside, sum, total, vectorise,
    };

    #[test]
    fn every_number_is_filled_once_whatever_the_size() {
        for len in [0, 1, 5, PIECE, PIECE + 1, PARALLEL - 1, PARALLEL + 7] {
            let values = build(len, |start, piece| {
                for (i, value) in piece.iter_mut().enumerate() {
                    *value += (start + i) as f32;
                }
            });
            let expected: Vec<f32> = (0..len).map(|i| i as f32).collect();
            assert_eq!(values, expected, "{len} numbers");
        }
    }

    #[test]
    fn rows_are_not_cut() {
        for (count, row) in [(3, 7), (1000, 100), (5, 2 * PIECE), (4, 0)] {
            let values = rows(count * row, row, |first, rows| {
                for (i, row) in rows.chunks_mut(row).enumerate() {
                    row.fill((first + i) as f32);
                }
            });
            for (i, &value) in values.iter().enumerate() {
                assert!((value - (i / row) as f32).abs() < 0.5, "row {}", i / row);
            }
        }
        let (values, asides) = rows_aside(3 * PIECE, 2, 1, |first, rows, asides| {
            for (i, (row, aside)) in rows.chunks_mut(2).zip(asides).enumerate() {
                row.fill((first + i) as f32);
                *aside = row[0];
            }
        });
        assert_eq!(asides.len(), 3 * PIECE / 2);
        for (i, (row, aside)) in values.chunks(2).zip(asides).enumerate() {
            assert_eq!(row, [i as f32, i as f32]);
            assert!((aside - i as f32).abs() < 0.5);
        }
        assert_eq!(each(5, PARALLEL, |i| i * i), [0, 1, 4, 9, 16]);
    }

    #[test]
    fn sums_take_every_number() {
        for len in [1, LANES - 1, LANES, 3 * LANES + 5] {
            let x: Vec<f32> = (1..=len).map(|i| i as f32).collect();
            let n = len as f32;
            let (plain, squares) = (n * (n + 1.0) / 2.0, n * (n + 1.0) * (2.0 * n + 1.0) / 6.0);
            let close = |got: f32, expected: f32| (got - expected).abs() <= 1e-5 * expected.abs();
            assert!(close(sum(&x), plain), "{len}");
            let (along, first) = dot_and_sum(&x, &x);
            assert!(close(along, squares) && close(first, plain), "{len}");
            let mut sums = PairSums::default();
            sums.add(&x, &x, 2.0);
            assert!(close(sums.totals().0, squares - 2.0 * plain), "{len}");
        }
        assert!((total([1.0; LANES]) - LANES as f32).abs() < 1e-6);
    }

    #[inline(always)]
    fn all(x: &[f32], y: &[f32]) -> [u32; 3] {
        let (along, plain) = dot_and_sum(x, y);
        [sum(x), along, plain].map(f32::to_bits)
    }

    #[test]
    fn every_width_of_vectors_gives_the_same_bits() {
        let mut rng = crate::rng::Rng::new(1);
        for len in [1, 40, 1003] {
            let [x, y] = [0, 1].map(|_| (0..len).map(|_| rng.normal() as f32).collect::<Vec<_>>());
            // Outside `vectorise` it is compiled for the narrowest machine.
            let narrow = all(&x, &y);
            assert_eq!(
                vectorise(
                    #[inline(always)]
                    || all(&x, &y)
                ),
                narrow,
                "{len}"
            );
        }
    }

    #[test]
    fn moments_do_not_cancel_far_from_zero() {
        for len in [1, 7, LANES, 1000] {
            for offset in [0.0, 3e3, -1e5] {
                let x: Vec<f32> = (0..len).map(|i| (i % 5) as f32 + offset).collect();
                let n = len as f64;
                let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
                let squares = x.iter().map(|x| (f64::from(*x) - mean).powi(2));
                let variance = squares.sum::<f64>() / n;
                let shift = rough_mean(&x);
                let mut sums = PairSums::default();
                sums.add_squares(&x, shift);
                let (got, spread) = moments_of(sums, shift, len);
                assert!((f64::from(got) - mean).abs() <= 1e-7 * mean.abs() + 1e-6);
                assert!(
                    (f64::from(spread) - variance).abs() <= 1e-5,
                    "{len} {offset}"
                );
            }
        }
    }
}
