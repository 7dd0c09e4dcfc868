//! Convolutions as correlations of shifted planes.
//!
//! The input of a few images is copied once into zero-padded planes. After that the value that
//! output position `q` needs for a tap (channel, y, x) lies at `q + offset(tap)` for every `q`,
//! when positions are numbered along padded rows. So a convolution is a matrix product whose right
//! side is never built, as im2col would: a kernel takes a few output channels and a few vectors of
//! consecutive positions and reads the planes where they are. What it computes for positions in
//! the padding is thrown away. With a stride, the planes are split by phase, so that what
//! neighbouring outputs read are neighbours again.

#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use std::ops::Range;

use pulp::{Simd, WithSimd};

/// Vectors of positions that a kernel takes at once.
const VECTORS: usize = 3;
/// Output channels that a kernel takes at most.
pub const MAX_BLOCK: usize = 8;
/// The numbers of the widest vector.
const MAX_LANES: usize = 16;
/// Zeros after the last position of a plane, which the last vectors read.
pub(super) const SLACK: usize = VECTORS * MAX_LANES;

/// How the images of a batch are laid out in planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planes {
    /// Planes of one phase each belong to a channel.
    pub channels: usize,
    /// Height and width of a source image, after it was enlarged.
    pub size: [usize; 2],
    /// Every source number is repeated so often along each side.
    pub scale: usize,
    /// Zeros before the first row and column.
    pub pad: [usize; 2],
    /// Phases along each side.
    pub stride: [usize; 2],
    /// Rows and columns of a phase that are read, taps included.
    reach: [usize; 2],
    /// Numbers from one row to the next.
    pub row: usize,
    /// Numbers from one image to the next.
    pub image: usize,
    /// Numbers from one plane to the next.
    plane: usize,
}

/// Planes with their numbers, kept from one use to the next.
#[derive(Debug, Default)]
pub struct Filled {
    /// As they were laid out last: then the zeros of the padding are there already.
    layout: Option<Planes>,
    values: Vec<f32>,
}

impl Filled {
    /// No planes; a thread's scratch memory begins with it.
    pub const EMPTY: Self = Self {
        layout: None,
        values: Vec::new(),
    };

    /// Sees to it that everything outside of the images is zero the next time, also in the place of
    /// images that are not there.
    pub fn forget(&mut self) {
        self.layout = None;
    }

    /// All numbers.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

impl Planes {
    /// Planes for `images` images, read at `positions` rows and columns with `taps` taps a phase.
    #[must_use]
    pub fn new(
        channels: usize,
        (size, scale): ([usize; 2], usize),
        pad: [usize; 2],
        stride: [usize; 2],
        positions: [usize; 2],
        taps: [usize; 2],
        images: usize,
    ) -> Self {
        let reach = [positions[0] + taps[0] - 1, positions[1] + taps[1] - 1];
        // With a stride of one the zeros after a row can be those before the next.
        let step = |side: usize| {
            let filled = size[side] + pad[side];
            let after = reach[side].saturating_sub(filled);
            let fits = positions[side] <= filled && reach[side] >= filled;
            if stride[side] == 1 && fits && after <= pad[side] {
                filled
            } else {
                reach[side]
            }
        };
        let (rows, row) = (step(0), step(1));
        let tail = (reach[0] - rows) * row + (reach[1] - row) + SLACK;
        Self {
            channels,
            size,
            scale,
            pad,
            stride,
            reach,
            row,
            image: rows * row,
            plane: images * rows * row + tail,
        }
    }

    /// Numbers of all planes.
    fn len(&self) -> usize {
        self.channels * self.stride[0] * self.stride[1] * self.plane
    }

    /// Where position 0 finds the tap `(channel, y, x)`.
    #[must_use]
    pub fn offset(&self, channel: usize, y: usize, x: usize) -> u32 {
        let [sy, sx] = self.stride;
        let phase = (channel * sy + y % sy) * sx + x % sx;
        (phase * self.plane + y / sy * self.row + x / sx) as u32
    }

    /// Positions of the first `images` images, of which each has `count` rows and columns.
    #[must_use]
    pub fn positions(&self, images: usize, count: [usize; 2]) -> usize {
        (images - 1) * self.image + (count[0] - 1) * self.row + count[1]
    }

    /// Lays out images `[images, channels, height, width]` (before they are enlarged), with
    /// `between` numbers from one image to the next. Places of images that are not there keep what
    /// was in them.
    pub fn fill(&self, source: &[f32], between: usize, images: usize, filled: &mut Filled) {
        if filled.layout != Some(*self) {
            filled.values.clear();
            filled.values.resize(self.len(), 0.0);
            filled.layout = Some(*self);
        }
        let planes = &mut filled.values;
        let [h, w] = self.size.map(|side| side / self.scale);
        let [sy, sx] = self.stride;
        if self.stride == [1, 1] && self.scale == 1 && self.reach[1] >= w + self.pad[1] {
            macro_rules! short_rows {
                ($($width:literal)*) => {
                    match w {
                        $($width => return self.fill_short::<$width>(source, between, images, planes),)*
                        _ => {}
                    }
                };
            }
            short_rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
        }
        let mut enlarged = vec![0.0; if self.scale == 1 { 0 } else { self.size[1] }];
        for channel in 0..self.channels {
            for image in 0..images {
                let from = &source[image * between + channel * h * w..][..h * w];
                for y in 0..self.size[0] {
                    let line = &from[y / self.scale * w..][..w];
                    let to_row = (y + self.pad[0]) / sy;
                    if to_row >= self.reach[0] {
                        break;
                    }
                    let phase = (channel * sy + (y + self.pad[0]) % sy) * sx;
                    let at = phase * self.plane + image * self.image + to_row * self.row;
                    if self.scale == 1 {
                        self.fill_row(line, at, planes);
                    } else {
                        for (to, from) in enlarged.chunks_mut(self.scale).zip(line) {
                            to.fill(*from);
                        }
                        self.fill_row(&enlarged, at, planes);
                    }
                }
            }
        }
    }

    /// Lays out rows of `WIDTH` numbers: copies of a known length take a few instructions.
    fn fill_short<const WIDTH: usize>(
        &self,
        source: &[f32],
        between: usize,
        images: usize,
        planes: &mut [f32],
    ) {
        let height = self.size[0].min(self.reach[0].saturating_sub(self.pad[0]));
        for channel in 0..self.channels {
            for image in 0..images {
                let from = &source[image * between + channel * self.size[0] * WIDTH..];
                let at = channel * self.plane + image * self.image;
                let at = at + self.pad[0] * self.row + self.pad[1];
                let rows = from.as_chunks::<WIDTH>().0.iter().take(height);
                for (y, line) in rows.enumerate() {
                    planes[at + y * self.row..][..WIDTH].copy_from_slice(line);
                }
            }
        }
    }

    /// Lays out one row; `at` is where its first phase begins.
    fn fill_row(&self, line: &[f32], at: usize, planes: &mut [f32]) {
        let (stride, pad) = (self.stride[1], self.pad[1]);
        for phase in 0..stride {
            let first = (phase + stride - pad % stride) % stride;
            if first >= line.len() {
                continue;
            }
            let to = (first + pad) / stride;
            let room = self.reach[1].saturating_sub(to);
            let count = (line.len() - first).div_ceil(stride).min(room);
            let out = &mut planes[at + phase * self.plane + to..][..count];
            if stride == 1 {
                out.copy_from_slice(&line[..count]);
            } else {
                for (out, value) in out.iter_mut().zip(line[first..].iter().step_by(stride)) {
                    *out = *value;
                }
            }
        }
    }
}

/// How many of `outputs` channels a kernel takes at once, on this machine.
#[must_use]
pub fn block_of(outputs: usize) -> usize {
    struct Largest;
    impl WithSimd for Largest {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            if S::REGISTER_COUNT >= 32 {
                MAX_BLOCK
            } else {
                4
            }
        }
    }
    match outputs {
        1 => 1,
        2..=4 => 4,
        _ => pulp::Arch::new().dispatch(Largest),
    }
}

/// Weights in the order the kernel reads them: blocks of outputs, in a block tap after tap. The
/// weight of an output and a tap is `weights[output * row + taps[tap]]`.
#[must_use]
pub fn pack(outputs: usize, row: usize, taps: &[u32], weights: &[f32]) -> Vec<f32> {
    let block = block_of(outputs);
    let mut packed = vec![0.0; outputs.next_multiple_of(block) * taps.len()];
    if taps.is_empty() {
        return packed;
    }
    for (part, to) in packed.chunks_exact_mut(block * taps.len()).enumerate() {
        let first = part * block;
        if block == MAX_BLOCK && first + MAX_BLOCK <= outputs {
            let rows: [&[f32]; MAX_BLOCK] = std::array::from_fn(|i| &weights[(first + i) * row..]);
            for (to, tap) in to.as_chunks_mut::<MAX_BLOCK>().0.iter_mut().zip(taps) {
                *to = rows.map(|row| row[*tap as usize]);
            }
        } else {
            for (to, tap) in to.chunks_exact_mut(block).zip(taps) {
                for (i, to) in to.iter_mut().enumerate().take(outputs - first) {
                    *to = weights[(first + i) * row + *tap as usize];
                }
            }
        }
    }
    packed
}

/// One block of positions of [`Correlate`] whose taps lie `row` numbers apart:
/// `out[output][q] = Σ_tap weights[output][tap] · from[tap * row + q]`, for three vectors of the
/// widest kind. `out` is `[outputs rounded up to blocks, 48]`.
///
/// # Panics
/// When the parts do not fit together.
pub fn multiply_block(from: &[f32], row: usize, packed: &[f32], block: usize, out: &mut [f32]) {
    const WIDTH: usize = VECTORS * MAX_LANES;
    let taps = from.len() / row;
    assert!(row >= WIDTH && taps > 0, "there are taps and room for them");
    assert_eq!(
        packed.len() * WIDTH,
        out.len() * taps,
        "weights for every output"
    );
    assert!(out.len().is_multiple_of(block * WIDTH), "whole blocks");
    pulp::Arch::new().dispatch(MultiplyBlock {
        from,
        row,
        packed,
        block,
        out,
    });
}

struct MultiplyBlock<'a> {
    from: &'a [f32],
    row: usize,
    packed: &'a [f32],
    block: usize,
    out: &'a mut [f32],
}

impl MultiplyBlock<'_> {
    #[inline(always)]
    fn by_block<S: Simd, const BLOCK: usize>(self, simd: S) {
        const WIDTH: usize = VECTORS * MAX_LANES;
        let taps = self.from.len() / self.row;
        let blocks = self
            .packed
            .chunks_exact(BLOCK * taps)
            .zip(self.out.chunks_exact_mut(BLOCK * WIDTH));
        for (weights, out) in blocks {
            for first in (0..WIDTH).step_by(VECTORS * S::F32_LANES) {
                // SAFETY: every tap has WIDTH numbers, of which three vectors from `first` on are
                // read, since the number of lanes divides MAX_LANES; there are BLOCK weights a
                // tap, and `out` has BLOCK rows of WIDTH numbers.
                unsafe {
                    let from = self.from.as_ptr().add(first);
                    let offsets = (0..taps).map(
                        #[inline(always)]
                        |tap| tap * self.row,
                    );
                    let to = Rows {
                        at: out.as_mut_ptr().add(first),
                        between: WIDTH,
                    };
                    tile::<S, BLOCK, 3>(simd, from, offsets, weights.as_ptr(), to);
                }
            }
        }
    }
}

impl WithSimd for MultiplyBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.block {
            8 => self.by_block::<S, 8>(simd),
            4 => self.by_block::<S, 4>(simd),
            1 => self.by_block::<S, 1>(simd),
            other => unreachable!("block_of gives no {other}"),
        }
    }
}

/// `out[output][q] = Σ_tap weights[output][tap] · planes[q + offsets[tap]]`.
pub struct Correlate<'a, F> {
    /// Filled planes.
    pub planes: &'a [f32],
    /// Of every tap.
    pub offsets: &'a [u32],
    /// From [`pack`].
    pub packed: &'a [f32],
    /// Outputs a block, from [`block_of`].
    pub block: usize,
    /// Blocks; told apart from the weights, of which there are none without taps.
    pub blocks: usize,
    /// Which positions to compute.
    pub positions: Range<usize>,
    /// Takes the number of a block, the first position, values `[block, width]`, and `width`.
    pub store: F,
}

impl<F: FnMut(usize, usize, &[f32], usize)> Correlate<'_, F> {
    /// Computes everything.
    pub fn run(self) {
        pulp::Arch::new().dispatch(self);
    }

    #[inline(always)]
    fn by_block<S: Simd, const BLOCK: usize>(mut self, simd: S) {
        let taps = self.offsets.len();
        let reach = self
            .offsets
            .iter()
            .max()
            .map_or(0, |offset| *offset as usize);
        let mut out = [0.0_f32; MAX_BLOCK * VECTORS * MAX_LANES];
        let mut q = self.positions.start;
        while q < self.positions.end {
            let vectors = (self.positions.end - q).div_ceil(S::F32_LANES).min(VECTORS);
            let width = vectors * S::F32_LANES;
            assert!(q + reach + width <= self.planes.len(), "planes have slack");
            for block in 0..self.blocks {
                let weights = &self.packed[block * BLOCK * taps..][..BLOCK * taps];
                // SAFETY: every read ends before q + reach + width, which was checked; `weights`
                // has BLOCK numbers for every offset; `out` holds BLOCK * VECTORS of the widest
                // vectors.
                unsafe {
                    let from = self.planes.as_ptr().add(q);
                    let offsets = self.offsets.iter().map(
                        #[inline(always)]
                        |offset| *offset as usize,
                    );
                    let weights = weights.as_ptr();
                    let to = Rows {
                        at: out.as_mut_ptr(),
                        between: width,
                    };
                    match vectors {
                        3 => tile::<S, BLOCK, 3>(simd, from, offsets, weights, to),
                        2 => tile::<S, BLOCK, 2>(simd, from, offsets, weights, to),
                        _ => tile::<S, BLOCK, 1>(simd, from, offsets, weights, to),
                    }
                }
                (self.store)(block, q, &out[..BLOCK * width], width);
            }
            q += width;
        }
    }
}

impl<F: FnMut(usize, usize, &[f32], usize)> WithSimd for Correlate<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.block {
            8 => self.by_block::<S, 8>(simd),
            4 => self.by_block::<S, 4>(simd),
            1 => self.by_block::<S, 1>(simd),
            other => unreachable!("block_of gives no {other}"),
        }
    }
}

/// Where a tile's rows go.
#[derive(Clone, Copy)]
struct Rows {
    at: *mut f32,
    /// Numbers from one row to the next.
    between: usize,
}

/// A block of outputs at a few vectors of positions; all sums stay in registers.
///
/// # Safety
/// From `from + offset` on there are `VECTORS` vectors for every offset, at `weights` there are
/// `BLOCK` numbers for every offset, and `out` has room for `VECTORS` vectors in each of `BLOCK`
/// rows.
#[inline(always)]
unsafe fn tile<S: Simd, const BLOCK: usize, const VECTORS: usize>(
    simd: S,
    from: *const f32,
    offsets: impl Iterator<Item = usize>,
    mut weights: *const f32,
    out: Rows,
) {
    // SAFETY: as the caller promises; vectors are read and written unaligned.
    unsafe {
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; BLOCK];
        for offset in offsets {
            let at = from.add(offset);
            let mut x = [simd.splat_f32s(0.0); VECTORS];
            for (v, x) in x.iter_mut().enumerate() {
                *x = at.add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned();
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let w = simd.splat_f32s(*weights.add(i));
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum = simd.mul_add_e_f32s(w, x, *sum);
                }
            }
            weights = weights.add(BLOCK);
        }
        for (i, sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.into_iter().enumerate() {
                let to = out.at.add(i * out.between + v * S::F32_LANES);
                to.cast::<S::f32s>().write_unaligned(sum);
            }
        }
    }
}

/// Positions of planes: runs of a first position and a length.
pub type Runs = [(u32, u32)];

/// `sums[tap][output] += Σ_q planes[q + offsets[tap]] · gradient[q][output]`, which is what a
/// convolution's weights get.
///
/// Lanes go over outputs, so that nothing is summed across a vector.
pub struct Outer<'a> {
    /// Filled planes.
    pub planes: &'a [f32],
    /// Of every tap.
    pub offsets: &'a [u32],
    /// Which positions to sum over.
    pub runs: &'a Runs,
    /// `[positions, width]`.
    pub gradient: &'a [f32],
    /// Outputs, rounded up to a multiple of [`WIDTH_STEP`].
    pub width: usize,
    /// `[taps, width]`.
    pub sums: &'a mut [f32],
}

/// Widths of [`Outer`] are multiples of this.
pub const WIDTH_STEP: usize = MAX_LANES;

impl Outer<'_> {
    /// Adds everything.
    ///
    /// # Panics
    /// When the parts do not fit together.
    pub fn run(self) {
        let positions: usize = self.runs.iter().map(|(_, count)| *count as usize).sum();
        let last = self
            .runs
            .iter()
            .map(|(first, count)| (first + count) as usize)
            .max();
        let reach = self
            .offsets
            .iter()
            .max()
            .map_or(0, |offset| *offset as usize);
        assert!(
            last.unwrap_or(0) + reach <= self.planes.len() + 1,
            "positions lie in the planes"
        );
        assert!(
            positions * self.width <= self.gradient.len(),
            "a gradient for every position"
        );
        assert_eq!(
            self.offsets.len() * self.width,
            self.sums.len(),
            "a sum for every weight"
        );
        assert!(self.width.is_multiple_of(WIDTH_STEP), "whole vectors");
        pulp::Arch::new().dispatch(self);
    }
}

impl WithSimd for Outer<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let vectors = self.width / S::F32_LANES;
        let many = S::REGISTER_COUNT >= 32;
        let mut v = 0;
        while v < vectors {
            let left = vectors - v;
            // Four vectors go as two and two, which needs fewer passes than three and one.
            let count = if many && left != 4 {
                left.min(3)
            } else {
                left.min(2)
            };
            let mut tap = 0;
            while tap < self.offsets.len() {
                let taps = self.offsets.len() - tap;
                macro_rules! tile {
                    ($taps:literal, $vectors:literal) => {{
                        // SAFETY: `run` checked that all positions, gradients and sums are there.
                        unsafe {
                            outer_tile::<S, $taps, $vectors>(
                                simd,
                                &mut self,
                                tap,
                                v * S::F32_LANES,
                            );
                        }
                        tap += $taps;
                    }};
                }
                match (count, many, taps) {
                    (3, _, 9..) => tile!(9, 3),
                    (3, _, 3..) => tile!(3, 3),
                    (3, _, _) => tile!(1, 3),
                    (2, true, 9..) => tile!(9, 2),
                    (2, false, 5..) => tile!(5, 2),
                    (2, _, 3..) => tile!(3, 2),
                    (2, _, _) => tile!(1, 2),
                    (_, _, 9..) => tile!(9, 1),
                    (_, _, 3..) => tile!(3, 1),
                    _ => tile!(1, 1),
                }
            }
            v += count;
        }
    }
}

/// # Safety
/// All positions of the runs with the offsets of `TAPS` taps from `tap` on lie in the planes;
/// gradient and sums have `VECTORS` vectors from `output` on.
#[inline(always)]
unsafe fn outer_tile<S: Simd, const TAPS: usize, const VECTORS: usize>(
    simd: S,
    job: &mut Outer<'_>,
    tap: usize,
    output: usize,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let mut planes = [job.planes.as_ptr(); TAPS];
        for (plane, offset) in planes.iter_mut().zip(&job.offsets[tap..]) {
            *plane = plane.add(*offset as usize);
        }
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; TAPS];
        let mut gradient = job.gradient.as_ptr().add(output);
        for &(first, count) in job.runs {
            for q in first as usize..(first + count) as usize {
                let mut g = [simd.splat_f32s(0.0); VECTORS];
                for (v, g) in g.iter_mut().enumerate() {
                    *g = gradient
                        .add(v * S::F32_LANES)
                        .cast::<S::f32s>()
                        .read_unaligned();
                }
                for (plane, sums) in planes.iter().zip(&mut sums) {
                    let x = simd.splat_f32s(*plane.add(q));
                    for (sum, g) in sums.iter_mut().zip(g) {
                        *sum = simd.mul_add_e_f32s(x, g, *sum);
                    }
                }
                gradient = gradient.add(job.width);
            }
        }
        let to = job.sums.as_mut_ptr().add(tap * job.width + output);
        for (t, sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.into_iter().enumerate() {
                let to = to.add(t * job.width + v * S::F32_LANES).cast::<S::f32s>();
                to.write_unaligned(simd.add_f32s(to.read_unaligned(), sum));
            }
        }
    }
}

/// `sums[tap] += Σ_q planes[q + offsets[tap]] · gradient[q]` for a single output, whose gradient is
/// laid out like the planes, with zeros where there is no output. For convolutions with few
/// outputs a group, where [`Outer`] would leave most lanes empty.
pub struct Dot<'a> {
    /// Filled planes.
    pub planes: &'a [f32],
    /// Of every tap.
    pub offsets: &'a [u32],
    /// For positions from 0 on; a multiple of 16.
    pub gradient: &'a [f32],
    /// One for each tap.
    pub sums: &'a mut [f32],
}

impl Dot<'_> {
    /// Adds everything.
    ///
    /// # Panics
    /// When the parts do not fit together.
    pub fn run(self) {
        let reach = self
            .offsets
            .iter()
            .max()
            .map_or(0, |offset| *offset as usize);
        assert!(
            reach + self.gradient.len() <= self.planes.len(),
            "positions lie in the planes"
        );
        assert!(
            self.gradient.len().is_multiple_of(MAX_LANES),
            "whole vectors"
        );
        assert_eq!(self.offsets.len(), self.sums.len(), "a sum for every tap");
        pulp::Arch::new().dispatch(self);
    }
}

impl WithSimd for Dot<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut tap = 0;
        while tap < self.offsets.len() {
            let (offsets, sums) = (&self.offsets[tap..], &mut self.sums[tap..]);
            // SAFETY: `run` checked that all positions lie in the planes.
            tap += unsafe {
                match offsets.len() {
                    9.. => dot_tile::<S, 9>(simd, self.planes, offsets, self.gradient, sums),
                    3.. => dot_tile::<S, 3>(simd, self.planes, offsets, self.gradient, sums),
                    _ => dot_tile::<S, 1>(simd, self.planes, offsets, self.gradient, sums),
                }
            };
        }
    }
}

/// Returns the number of taps.
///
/// # Safety
/// `offset + gradient.len()` lies in the planes for `TAPS` offsets.
#[inline(always)]
unsafe fn dot_tile<S: Simd, const TAPS: usize>(
    simd: S,
    planes: &[f32],
    offsets: &[u32],
    gradient: &[f32],
    sums: &mut [f32],
) -> usize {
    let (gradient, _) = S::as_simd_f32s(gradient);
    let mut totals = [simd.splat_f32s(0.0); TAPS];
    for (v, g) in gradient.iter().enumerate() {
        for (total, offset) in totals.iter_mut().zip(offsets) {
            // SAFETY: as the caller promises.
            let x = unsafe {
                let at = planes.as_ptr().add(*offset as usize + v * S::F32_LANES);
                at.cast::<S::f32s>().read_unaligned()
            };
            *total = simd.mul_add_e_f32s(x, *g, *total);
        }
    }
    for (sum, total) in sums.iter_mut().zip(totals) {
        *sum += simd.reduce_sum_f32s(total);
    }
    TAPS
}
