//! Convolutions of small images: lanes over output channels.
//!
//! Where rows are short, vectors of positions as in [`super::correlate`] would spend much of their
//! width on padding. Here a kernel takes two vectors of output channels and up to nine positions
//! wherever they lie, so that nothing is computed in vain; the result comes out position after
//! position and is turned round at the end.

#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use pulp::{Simd, WithSimd};

use super::conv::Epilogue;
use super::lanes::vectorise;
use crate::nn::ops::Activation;

/// Widths of the sums are multiples of this, the widest vector.
pub const WIDTH_STEP: usize = 16;
/// Weights in the order the kernel reads them, `[taps, width]`. The weight of an output and a tap
/// is `weights[output * row + taps[tap]]`.
#[must_use]
pub fn pack(outputs: usize, row: usize, taps: &[u32], weights: &[f32]) -> Vec<f32> {
    let width = outputs.next_multiple_of(WIDTH_STEP);
    let mut packed = vec![0.0; taps.len() * width];
    for first in (0..outputs).step_by(WIDTH_STEP) {
        let last = outputs.min(first + WIDTH_STEP);
        for (to, tap) in packed.chunks_exact_mut(width).zip(taps) {
            for (to, output) in to[first..last].iter_mut().zip(first..last) {
                *to = weights[output * row + *tap as usize];
            }
        }
    }
    packed
}

/// `sums[i][output] = Σ_tap weights[output][tap] · planes[positions[i] + offsets[tap]]`.
pub struct OverOutputs<'a> {
    /// Filled planes.
    pub planes: &'a [f32],
    /// Of every tap.
    pub offsets: &'a [u32],
    /// From [`pack`].
    pub packed: &'a [f32],
    /// Outputs, rounded up to a multiple of [`WIDTH_STEP`].
    pub width: usize,
    /// Where to compute.
    pub positions: &'a [u32],
    /// `[positions, width]`.
    pub sums: &'a mut [f32],
}

impl OverOutputs<'_> {
    /// Computes everything.
    ///
    /// # Panics
    /// When the parts do not fit together.
    pub fn run(self) {
        let reach = self
            .offsets
            .iter()
            .max()
            .map_or(0, |offset| *offset as usize);
        let last = self
            .positions
            .iter()
            .max()
            .map_or(0, |position| *position as usize);
        assert!(
            reach + last < self.planes.len(),
            "positions lie in the planes"
        );
        assert!(self.width.is_multiple_of(WIDTH_STEP), "whole vectors");
        assert_eq!(
            self.packed.len(),
            self.offsets.len() * self.width,
            "a weight for every tap"
        );
        assert_eq!(
            self.sums.len(),
            self.positions.len() * self.width,
            "a sum for every position"
        );
        pulp::Arch::new().dispatch(self);
    }
}

impl WithSimd for OverOutputs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let step = 2 * S::F32_LANES;
        let many = S::REGISTER_COUNT >= 32;
        let mut at = 0;
        while at < self.positions.len() {
            let count = match self.positions.len() - at {
                9.. if many => 9,
                5.. => 5,
                3.. => 3,
                _ => 1,
            };
            for output in (0..self.width).step_by(step) {
                let two = self.width - output >= step;
                macro_rules! tile {
                    ($count:literal, $vectors:literal) => {
                        // SAFETY: `run` checked that all positions lie in the planes, and that
                        // there are weights and sums of `width` numbers for every tap and
                        // position; from `output` on these have one vector, or two where `two`
                        // says so.
                        unsafe {
                            let weights = self.packed.as_ptr().add(output);
                            let sums = self.sums.as_mut_ptr().add(at * self.width + output);
                            let positions = &self.positions[at..];
                            tile::<S, $count, $vectors>(simd, &self, positions, weights, sums);
                        }
                    };
                }
                match (count, two) {
                    (9, true) => tile!(9, 2),
                    (9, false) => tile!(9, 1),
                    (5, true) => tile!(5, 2),
                    (5, false) => tile!(5, 1),
                    (3, true) => tile!(3, 2),
                    (3, false) => tile!(3, 1),
                    (_, true) => tile!(1, 2),
                    (_, false) => tile!(1, 1),
                }
            }
            at += count;
        }
    }
}

/// # Safety
/// The first `COUNT` positions with all offsets lie in the planes; at `weights` there are `VECTORS`
/// vectors for every tap, at `sums` for every position, `width` numbers apart.
#[inline(always)]
unsafe fn tile<S: Simd, const COUNT: usize, const VECTORS: usize>(
    simd: S,
    job: &OverOutputs<'_>,
    positions: &[u32],
    mut weights: *const f32,
    sums: *mut f32,
) {
    // SAFETY: as the caller promises; vectors are read and written unaligned.
    unsafe {
        let mut from = [job.planes.as_ptr(); COUNT];
        for (from, position) in from.iter_mut().zip(positions) {
            *from = from.add(*position as usize);
        }
        let mut totals = [[simd.splat_f32s(0.0); VECTORS]; COUNT];
        for &offset in job.offsets {
            let mut w = [simd.splat_f32s(0.0); VECTORS];
            for (v, w) in w.iter_mut().enumerate() {
                *w = weights
                    .add(v * S::F32_LANES)
                    .cast::<S::f32s>()
                    .read_unaligned();
            }
            for (from, totals) in from.iter().zip(&mut totals) {
                let x = simd.splat_f32s(*from.add(offset as usize));
                for (total, w) in totals.iter_mut().zip(w) {
                    *total = simd.mul_add_e_f32s(x, w, *total);
                }
            }
            weights = weights.add(job.width);
        }
        for (i, totals) in totals.into_iter().enumerate() {
            for (v, total) in totals.into_iter().enumerate() {
                let to = sums.add(i * job.width + v * S::F32_LANES);
                to.cast::<S::f32s>().write_unaligned(total);
            }
        }
    }
}

/// Turns sums `[positions, width]` of one image into `[outputs, positions]` and finishes them.
pub fn store(sums: &[f32], width: usize, epilogue: Epilogue<'_>, out: &mut [f32], area: usize) {
    const TILE: usize = 16;
    vectorise(
        #[inline(always)]
        || {
            for (block, out) in out.chunks_mut(TILE * area).enumerate() {
                for first in (0..area).step_by(TILE) {
                    let count = TILE.min(area - first);
                    let mut tile = [[0.0_f32; TILE]; TILE];
                    for (q, line) in tile.iter_mut().enumerate().take(count) {
                        let from = &sums[(first + q) * width + block * TILE..][..TILE];
                        for (o, value) in from.iter().enumerate() {
                            line[o] = *value;
                        }
                    }
                    for (o, out) in out.chunks_mut(area).enumerate() {
                        let bias = epilogue.bias.map_or(0.0, |bias| bias[block * TILE + o]);
                        let mut line = [0.0_f32; TILE];
                        for (to, from) in line.iter_mut().zip(&tile) {
                            *to = from[o] + bias;
                        }
                        match epilogue.activation {
                            Activation::Relu => line.iter_mut().for_each(
                                #[inline(always)]
                                |x| *x = x.max(0.0),
                            ),
                            Activation::LeakyRelu(slope) => line.iter_mut().for_each(
                                #[inline(always)]
                                |x| *x = if *x > 0.0 { *x } else { *x * slope },
                            ),
                            // The caller applies what needs its argument for its gradient.
                            Activation::None | Activation::Silu => {}
                        }
                        // A copy of known length takes two instructions.
                        match out[first..].first_chunk_mut() {
                            Some(to) if count == TILE => *to = line,
                            _ => out[first..first + count].copy_from_slice(&line[..count]),
                        }
                    }
                }
            }
        },
    );
}
