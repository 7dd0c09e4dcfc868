//! Winograd's minimal filtering for 3 by 3 kernels: F(2 × 2, 3 × 3) of Lavin and Gray, "Fast
//! algorithms for convolutional neural networks" (2016), equations 8 to 12.
//!
//! Four outputs of a 2 by 2 tile need 16 products instead of 36. A tile of 4 by 4 inputs becomes
//! `Bᵀ d B`, a kernel `G g Gᵀ`, both of 16 numbers; for each of these 16 places there is a matrix
//! product over the channels, and `Aᵀ m A` turns the 16 sums into four outputs. The transforms
//! add and subtract only, so results differ from the plain sums in the last bits.
//!
//! Tiles are numbered row after row over a few images, and are taken in blocks that fit the
//! registers of the kernel. Their inputs come from [`Planes`] split into even and odd rows and
//! columns, where neighbouring tiles read neighbouring numbers.

#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use std::cell::RefCell;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::conv::{ConvShape, Epilogue, with_scratch};
use super::correlate::{Filled, Planes, block_of, multiply_block, pack};
use crate::nn::ops::Activation;

/// Products of a tile.
const PLACES: usize = 16;
/// Numbers that a transform takes at once; the kernel's vectors divide it.
const LANES: usize = 16;
/// Tiles of a block: three of the widest vectors.
pub(super) const TILES: usize = 48;
/// Room for a block's tiles, and for what the last store of a row writes too much.
const ROOM: usize = TILES + LANES;
/// Tiles from which on transforming the kernels pays.
const WORTH_TILES: usize = 128;
/// Channels of the smaller side, and of both together, from which on transforming images pays.
const WORTH_CHANNELS: [usize; 2] = [32, 96];

thread_local! {
    static PLANES: RefCell<Filled> = const { RefCell::new(Filled::EMPTY) };
    static INPUTS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    static SUMS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// A sweep over images with transformed kernels.
pub struct Winograd {
    inputs: usize,
    outputs: usize,
    /// Height and width of the source before it is enlarged, and by how much it is.
    size: [usize; 2],
    scale: usize,
    pad: [usize; 2],
    /// Height and width of the result.
    target: [usize; 2],
    /// Of every group and place.
    packed: Vec<Vec<f32>>,
    block: usize,
}

/// Some tiles of one row: image, row, first column, number.
struct Segment {
    image: usize,
    row: usize,
    column: usize,
    count: usize,
}

impl Winograd {
    /// Whether it is the faster way for the forward pass, or for that of the gradient.
    pub fn suits(shape: &ConvShape) -> bool {
        let [height, width] = shape.output.map(|side| side.div_ceil(2));
        shape.kernel == [3, 3]
            && shape.stride == [1, 1]
            && shape.padding.iter().all(|padding| *padding <= 2)
            && shape.inputs.min(shape.outputs) >= WORTH_CHANNELS[0]
            && shape.inputs + shape.outputs >= WORTH_CHANNELS[1]
            && shape.batch * height * width >= WORTH_TILES
            // Half of every tile would be thrown away.
            && height.min(width) > 1
    }

    /// For some outputs of each group in [`ConvShape::forward`].
    pub fn forward(shape: &ConvShape, weight: &[f32], part: Range<usize>) -> Self {
        let taps = shape.inputs * 9;
        Self::new(
            [shape.inputs, part.len()],
            (shape.size, shape.scale, shape.padding, shape.output),
            shape.groups,
            |group, output, input, tap| {
                weight[(group * shape.outputs + part.start + output) * taps + input * 9 + tap]
            },
        )
    }

    /// For some inputs of each group in [`ConvShape::backward_input`]: the kernels are turned by 180 degrees.
    pub fn backward(shape: &ConvShape, weight: &[f32], part: Range<usize>) -> Self {
        let enlarged = shape.size.map(|side| side * shape.scale);
        let taps = shape.inputs * 9;
        Self::new(
            [shape.outputs, part.len()],
            (
                shape.output,
                1,
                shape.padding.map(|padding| 2 - padding),
                enlarged,
            ),
            shape.groups,
            |group, output, input, tap| {
                let output = part.start + output;
                weight[(group * shape.outputs + input) * taps + output * 9 + 8 - tap]
            },
        )
    }

    fn new(
        [inputs, outputs]: [usize; 2],
        (size, scale, pad, target): ([usize; 2], usize, [usize; 2], [usize; 2]),
        groups: usize,
        weight: impl Fn(usize, usize, usize, usize) -> f32,
    ) -> Self {
        let block = block_of(outputs);
        let mut packed = Vec::with_capacity(groups * PLACES);
        let mut places = vec![0.0; PLACES * outputs * inputs];
        let offsets: Vec<u32> = (0..inputs as u32).collect();
        for group in 0..groups {
            for output in 0..outputs {
                for first in (0..inputs).step_by(LANES) {
                    // A line of every place at once, since these lie far from each other.
                    let count = LANES.min(inputs - first);
                    let mut lines = [[0.0; LANES]; PLACES];
                    for i in 0..count {
                        let kernel =
                            std::array::from_fn(|tap| weight(group, output, first + i, tap));
                        for (line, value) in lines.iter_mut().zip(kernel_transform(kernel)) {
                            line[i] = value;
                        }
                    }
                    for (place, line) in lines.iter().enumerate() {
                        places[(place * outputs + output) * inputs + first..][..count]
                            .copy_from_slice(&line[..count]);
                    }
                }
            }
            for place in places.chunks(outputs * inputs) {
                packed.push(pack(outputs, inputs, &offsets, place));
            }
        }
        Self {
            inputs,
            outputs,
            size,
            scale,
            pad,
            target,
            packed,
            block,
        }
    }

    /// Numbers from one place to the next in the transformed inputs. A line more than they need:
    /// otherwise the places would compete for the same few lines of the cache.
    fn input_place(&self) -> usize {
        self.inputs * ROOM + LANES
    }

    /// As [`Self::input_place`], in the sums.
    fn sum_place(&self) -> usize {
        self.outputs.next_multiple_of(self.block) * TILES + LANES
    }

    /// Rows and columns of tiles.
    fn tiles(&self) -> [usize; 2] {
        self.target.map(|side| side.div_ceil(2))
    }

    /// Images that fill a block of tiles.
    pub fn images_a_block(&self) -> usize {
        TILES.div_ceil(self.tiles().iter().product())
    }

    /// One group of some images. `source` begins with the group's first channel, `out` with its
    /// first output; `between` are the numbers from one image to the next in both.
    pub fn run(
        &self,
        group: usize,
        images: usize,
        source: &[f32],
        out: &mut [f32],
        between: [usize; 2],
        epilogue: Epilogue<'_>,
    ) {
        let tiles = self.tiles();
        let size = (self.size.map(|side| side * self.scale), self.scale);
        let planes = Planes::new(self.inputs, size, self.pad, [2, 2], tiles, [2, 2], images);
        let packed = &self.packed[group * PLACES..][..PLACES];
        let outputs = self.outputs.next_multiple_of(self.block);
        with_scratch(&PLANES, |filled| {
            planes.fill(source, between[0], images, filled);
            let filled = filled.values();
            with_scratch(&INPUTS, |inputs| {
                inputs.resize(PLACES * self.input_place(), 0.0);
                with_scratch(&SUMS, |sums| {
                    sums.resize(PLACES * self.sum_place() + LANES, 0.0);
                    let all = images * tiles[0] * tiles[1];
                    for first in (0..all).step_by(TILES) {
                        let segments = segments(first..(first + TILES).min(all), tiles);
                        self.transform_inputs(&planes, filled, &segments, inputs);
                        for (place, weights) in packed.iter().enumerate() {
                            let from = &inputs[place * self.input_place()..][..self.inputs * ROOM];
                            let to = &mut sums[place * self.sum_place()..][..outputs * TILES];
                            multiply_block(from, ROOM, weights, self.block, to);
                        }
                        self.transform_outputs(sums, &segments, out, between[1], epilogue);
                    }
                });
            });
        });
    }

    fn transform_inputs(
        &self,
        planes: &Planes,
        filled: &[f32],
        segments: &[Segment],
        inputs: &mut [f32],
    ) {
        assert_eq!(
            inputs.len(),
            PLACES * self.input_place(),
            "room for a block"
        );
        let offsets: [usize; PLACES] =
            std::array::from_fn(|i| planes.offset(0, i / 4, i % 4) as usize);
        let channel = planes.offset(1, 0, 0) as usize;
        let last = segments
            .iter()
            .map(|s| s.position(planes) + s.count)
            .max()
            .unwrap_or(0);
        let reach = offsets.iter().max().copied().unwrap_or(0);
        assert!(
            (self.inputs - 1) * channel + reach + last + LANES <= filled.len() + 1,
            "tiles lie in the planes"
        );
        pulp::Arch::new().dispatch(TransformInputs {
            channels: self.inputs,
            place: self.input_place(),
            channel,
            offsets,
            planes,
            filled,
            segments,
            inputs,
        });
    }

    fn transform_outputs(
        &self,
        sums: &[f32],
        segments: &[Segment],
        out: &mut [f32],
        between: usize,
        epilogue: Epilogue<'_>,
    ) {
        let place = self.sum_place();
        assert!(sums.len() >= PLACES * place + LANES, "sums have slack");
        pulp::Arch::new().dispatch(TransformOutputs {
            outputs: self.outputs,
            target: self.target,
            place,
            sums,
            segments,
            out,
            between,
            epilogue,
        });
    }
}

impl Segment {
    /// Where the planes hold its first tile.
    fn position(&self, planes: &Planes) -> usize {
        self.image * planes.image + self.row * planes.row + self.column
    }
}

struct TransformInputs<'a> {
    channels: usize,
    /// Numbers from one place to the next.
    place: usize,
    /// Numbers from one channel to the next.
    channel: usize,
    offsets: [usize; PLACES],
    planes: &'a Planes,
    filled: &'a [f32],
    segments: &'a [Segment],
    inputs: &'a mut [f32],
}

impl WithSimd for TransformInputs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let place = self.place;
        for channel in 0..self.channels {
            let mut at = channel * ROOM;
            for segment in self.segments {
                let position = segment.position(self.planes) + channel * self.channel;
                for column in (0..segment.count).step_by(S::F32_LANES) {
                    // SAFETY: the caller checked that the tiles of all segments lie in the planes
                    // with a vector to spare, and that the inputs have room for all places,
                    // channels and a vector beyond the tiles.
                    unsafe {
                        let from = self.filled.as_ptr().add(position + column);
                        let to = self.inputs.as_mut_ptr().add(at + column);
                        let mut d = [[simd.splat_f32s(0.0); 4]; 4];
                        for (i, offset) in self.offsets.iter().enumerate() {
                            d[i / 4][i % 4] = from.add(*offset).cast::<S::f32s>().read_unaligned();
                        }
                        let v = input_transform(simd, d);
                        for i in 0..PLACES {
                            to.add(i * place)
                                .cast::<S::f32s>()
                                .write_unaligned(v[i / 4][i % 4]);
                        }
                    }
                }
                at += segment.count;
            }
        }
    }
}

struct TransformOutputs<'a> {
    outputs: usize,
    target: [usize; 2],
    /// Numbers from one place to the next.
    place: usize,
    sums: &'a [f32],
    segments: &'a [Segment],
    out: &'a mut [f32],
    between: usize,
    epilogue: Epilogue<'a>,
}

impl WithSimd for TransformOutputs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [height, width] = self.target;
        let slope = match self.epilogue.activation {
            Activation::Relu => Some(0.0),
            Activation::LeakyRelu(slope) => Some(slope),
            // The caller applies what needs its argument for its gradient.
            Activation::None | Activation::Silu => None,
        };
        for output in 0..self.outputs {
            let bias = simd.splat_f32s(self.epilogue.bias.map_or(0.0, |bias| bias[output]));
            let mut at = output * TILES;
            for segment in self.segments {
                let plane = segment.image * self.between + output * height * width;
                for column in (0..segment.count).step_by(S::F32_LANES) {
                    let mut m = [[simd.splat_f32s(0.0); 4]; 4];
                    for i in 0..PLACES {
                        // SAFETY: the caller checked that the sums have a vector to spare.
                        m[i / 4][i % 4] = unsafe {
                            let from = self.sums.as_ptr().add(i * self.place + at + column);
                            from.cast::<S::f32s>().read_unaligned()
                        };
                    }
                    let first = 2 * (segment.column + column);
                    let tiles = (segment.count - column).min(S::F32_LANES);
                    let count = (2 * tiles).min(width - first);
                    let rows = output_transform(simd, m);
                    for (y, sides) in rows.iter().enumerate() {
                        let row = 2 * segment.row + y;
                        if row >= height {
                            continue;
                        }
                        let even = finish(simd, simd.add_f32s(sides[0], bias), slope);
                        let odd = finish(simd, simd.add_f32s(sides[1], bias), slope);
                        let line = &mut self.out[plane + row * width + first..][..count];
                        interleave::<S>(even, odd, line);
                    }
                }
                at += segment.count;
            }
        }
    }
}

#[inline(always)]
fn finish<S: Simd>(simd: S, x: S::f32s, slope: Option<f32>) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    match slope {
        None => x,
        Some(slope) => {
            let below = simd.mul_f32s(simd.min_f32s(x, zero), simd.splat_f32s(slope));
            simd.add_f32s(simd.max_f32s(x, zero), below)
        }
    }
}

/// Writes numbers of two vectors in turn.
#[inline(always)]
fn interleave<S: Simd>(even: S::f32s, odd: S::f32s, line: &mut [f32]) {
    let mut both = [[0.0_f32; LANES]; 2];
    // SAFETY: no vector is wider than LANES.
    unsafe {
        both[0].as_mut_ptr().cast::<S::f32s>().write_unaligned(even);
        both[1].as_mut_ptr().cast::<S::f32s>().write_unaligned(odd);
    }
    let mut woven = [0.0_f32; 2 * LANES];
    for i in 0..LANES {
        woven[2 * i] = both[0][i];
        woven[2 * i + 1] = both[1][i];
    }
    line.copy_from_slice(&woven[..line.len()]);
}

/// Cuts a range of tiles where rows end.
fn segments(range: Range<usize>, tiles: [usize; 2]) -> Vec<Segment> {
    let mut all = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let (row, column) = (at / tiles[1], at % tiles[1]);
        let count = (tiles[1] - column).min(range.end - at);
        all.push(Segment {
            image: row / tiles[0],
            row: row % tiles[0],
            column,
            count,
        });
        at += count;
    }
    all
}

/// `Bᵀ d` for four numbers.
#[inline(always)]
fn input_step<S: Simd>(simd: S, d: [S::f32s; 4]) -> [S::f32s; 4] {
    [
        simd.sub_f32s(d[0], d[2]),
        simd.add_f32s(d[1], d[2]),
        simd.sub_f32s(d[2], d[1]),
        simd.sub_f32s(d[1], d[3]),
    ]
}

/// `Bᵀ d B`.
#[inline(always)]
fn input_transform<S: Simd>(simd: S, d: [[S::f32s; 4]; 4]) -> [[S::f32s; 4]; 4] {
    let mut rows = d;
    for x in 0..4 {
        let column = input_step(simd, [d[0][x], d[1][x], d[2][x], d[3][x]]);
        for y in 0..4 {
            rows[y][x] = column[y];
        }
    }
    for row in &mut rows {
        *row = input_step(simd, *row);
    }
    rows
}

/// `Aᵀ m` for four numbers.
#[inline(always)]
fn output_step<S: Simd>(simd: S, m: [S::f32s; 4]) -> [S::f32s; 2] {
    let (sum, difference) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
    [simd.add_f32s(m[0], sum), simd.sub_f32s(difference, m[3])]
}

/// `Aᵀ m A`.
#[inline(always)]
fn output_transform<S: Simd>(simd: S, m: [[S::f32s; 4]; 4]) -> [[S::f32s; 2]; 2] {
    let mut rows = [m[0], m[1]];
    for x in 0..4 {
        let column = output_step(simd, [m[0][x], m[1][x], m[2][x], m[3][x]]);
        rows[0][x] = column[0];
        rows[1][x] = column[1];
    }
    [output_step(simd, rows[0]), output_step(simd, rows[1])]
}

/// `G g Gᵀ`.
fn kernel_transform(g: [f32; 9]) -> [f32; PLACES] {
    let step = |a: f32, b: f32, c: f32| [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c];
    let mut rows = [[0.0; 3]; 4];
    for x in 0..3 {
        for (row, value) in rows.iter_mut().zip(step(g[x], g[3 + x], g[6 + x])) {
            row[x] = value;
        }
    }
    let mut out = [0.0; PLACES];
    for (out, [a, b, c]) in out.chunks_exact_mut(4).zip(rows) {
        out.copy_from_slice(&step(a, b, c));
    }
    out
}
