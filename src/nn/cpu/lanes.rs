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

/// Partial sums of a reduction: one AVX-512 register.
pub const LANES: usize = 16;

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
    type Pair<'a> = (&'a mut [MaybeUninit<f32>], &'a mut [f32]);
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
pub fn total(lanes: [f32; LANES]) -> f32 {
    let mut lanes = lanes;
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The sum of `f(x)` over a slice, in lanes.
#[inline(always)]
pub fn sum_of(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += f(x);
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum += f(x);
    }
    total(sums)
}

/// The sums of `f(x, y)`, a pair, over two slices of one length, in lanes.
#[inline(always)]
pub fn sums_of(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> (f32, f32)) -> (f32, f32) {
    let (mut first, mut second) = ([0.0; LANES], [0.0; LANES]);
    let (xs, x_rest) = x.as_chunks::<LANES>();
    let (ys, y_rest) = y.as_chunks::<LANES>();
    for (x, y) in xs.iter().zip(ys) {
        for i in 0..LANES {
            let (a, b) = f(x[i], y[i]);
            first[i] += a;
            second[i] += b;
        }
    }
    for (i, (&x, &y)) in x_rest.iter().zip(y_rest).enumerate() {
        let (a, b) = f(x, y);
        first[i] += a;
        second[i] += b;
    }
    (total(first), total(second))
}

#[cfg(test)]
mod tests {
    use super::{LANES, PARALLEL, PIECE, build, each, rows, rows_aside, sum_of, sums_of, total};

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
        for len in [0, 1, LANES - 1, LANES, 3 * LANES + 5] {
            let x: Vec<f32> = (1..=len).map(|i| i as f32).collect();
            let expected = (len * (len + 1) / 2) as f32;
            let close = |got: f32| (got - expected).abs() < 1e-3;
            assert!(close(sum_of(&x, |x| x)), "{len}");
            let (first, second) = sums_of(&x, &x, |x, y| (x, -y));
            assert!(close(first) && close(-second), "{len}");
        }
        assert!((total([1.0; LANES]) - LANES as f32).abs() < 1e-6);
    }
}
