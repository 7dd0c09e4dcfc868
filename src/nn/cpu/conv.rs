//! Two-dimensional convolutions and their gradients on slices, cut into pieces for several threads.
//!
//! The pieces depend on the shape alone, and partial sums are added in the order of the images, so
//! the result does not depend on the number of threads.

use std::cell::RefCell;

use rayon::prelude::*;

use super::correlate::{Correlate, Dot, Outer, Planes, WIDTH_STEP, block_of, pack};
use super::lanes::{sum, vectorise};
use super::pointwise::activate;
use super::winograd::Winograd;
use crate::nn::ops::Activation;

/// Bytes of planes that stay in a core's cache beside the weights.
const PLANE_BYTES: usize = 256 << 10;
/// Pieces that a batch is cut into, if it has so many images.
const PIECES: usize = 8;
/// Multiplications that are worth handing to another thread.
const PARALLEL_FROM: usize = 1 << 19;
/// Outputs a group from which on lanes go over outputs where the weights' gradient is summed.
const OUTER_FROM: usize = 6;

/// A convolution's shape. A transposed convolution is described by the one it is the adjoint of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Images.
    pub batch: usize,
    /// Independent convolutions side by side.
    pub groups: usize,
    /// Input channels of a group.
    pub inputs: usize,
    /// Output channels of a group.
    pub outputs: usize,
    /// Height and width of the input.
    pub size: [usize; 2],
    /// The input is enlarged so often first, by repeating every number.
    pub scale: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps down and right.
    pub stride: [usize; 2],
    /// Zeros around the input.
    pub padding: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
}

/// What is done to sums before they are stored.
#[derive(Clone, Copy)]
pub struct Epilogue<'a> {
    /// Added to every output channel.
    pub bias: Option<&'a [f32]>,
    /// Applied last.
    pub activation: Activation,
}

impl Epilogue<'_> {
    /// Sums are stored as they are.
    pub const NONE: Self = Self {
        bias: None,
        activation: Activation::None,
    };
}

/// One kernel sweep: where every tap reads, and where every position is stored.
struct Sweep {
    planes: Planes,
    offsets: Vec<u32>,
    /// Of every group.
    packed: Vec<Vec<f32>>,
    block: usize,
    outputs: usize,
    /// Rows and columns of positions.
    count: [usize; 2],
    /// Position `(u, v)` is stored at `(u, v) * step + shift`, if that lies inside.
    step: [usize; 2],
    shift: [isize; 2],
    target: [usize; 2],
}

thread_local! {
    static PLANES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    static GRADIENT: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Lends a thread's scratch memory. Taken out meanwhile, because rayon may run another piece on
/// this thread before the closure ends.
pub(super) fn with_scratch<T>(
    scratch: &'static std::thread::LocalKey<RefCell<Vec<f32>>>,
    f: impl FnOnce(&mut Vec<f32>) -> T,
) -> T {
    let mut buffer = scratch.take();
    let result = f(&mut buffer);
    scratch.set(buffer);
    result
}

impl ConvShape {
    /// Numbers of the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.groups * self.inputs * self.size[0] * self.size[1]
    }

    /// Numbers of the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.batch * self.groups * self.outputs * self.output[0] * self.output[1]
    }

    /// Numbers of the weights `[groups * outputs, inputs, kernel height, kernel width]`.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        self.groups * self.outputs * self.taps()
    }

    /// Multiplications of the forward pass.
    #[must_use]
    pub fn multiplications(&self) -> usize {
        self.output_len() * self.taps()
    }

    fn taps(&self) -> usize {
        self.inputs * self.kernel[0] * self.kernel[1]
    }

    fn enlarged(&self) -> [usize; 2] {
        self.size.map(|side| side * self.scale)
    }

    /// Planes of the input, for `images` images.
    fn input_planes(&self, images: usize) -> Planes {
        let taps = [0, 1].map(|side| (self.kernel[side] - 1) / self.stride[side] + 1);
        let size = (self.enlarged(), self.scale);
        Planes::new(
            self.inputs,
            size,
            self.padding,
            self.stride,
            self.output,
            taps,
            images,
        )
    }

    fn input_offsets(&self, planes: &Planes) -> Vec<u32> {
        let [kh, kw] = self.kernel;
        let taps = (0..self.taps()).map(|k| planes.offset(k / (kh * kw), k / kw % kh, k % kw));
        taps.collect()
    }

    /// Images whose planes fit the cache.
    fn images_a_sweep(&self, channels: usize, size: [usize; 2]) -> usize {
        let image = 4 * channels * (size[0] + 2) * (size[1] + 2);
        (PLANE_BYTES / image).clamp(1, self.batch.div_ceil(PIECES).max(1))
    }

    /// The convolution of `x` with `weight`.
    #[must_use]
    pub fn forward(&self, x: &[f32], weight: &[f32], epilogue: Epilogue<'_>) -> Vec<f32> {
        if Winograd::suits(self) {
            let mut y = vec![0.0; self.output_len()];
            let parts = |outputs| Winograd::forward(self, weight, outputs);
            self.winograd(parts, self.outputs, x, epilogue, &mut y);
            return y;
        }
        let images = self.images_a_sweep(self.inputs, self.enlarged());
        let planes = self.input_planes(images);
        let taps: Vec<u32> = (0..self.taps() as u32).collect();
        let packed = |group: usize| {
            let mut packed = Vec::new();
            let weight = &weight[group * self.outputs * taps.len()..];
            pack(self.outputs, taps.len(), &taps, weight, &mut packed);
            packed
        };
        let sweep = Sweep {
            planes,
            offsets: self.input_offsets(&planes),
            packed: (0..self.groups).map(packed).collect(),
            block: block_of(self.outputs),
            outputs: self.outputs,
            count: self.output,
            step: [1, 1],
            shift: [0, 0],
            target: self.output,
        };
        let mut y = vec![0.0; self.output_len()];
        self.sweep(&[sweep], x, images, epilogue, &mut y);
        y
    }

    /// What the input gets of the gradient `g` of the output. It is also the forward pass of the
    /// transposed convolution, hence the epilogue.
    #[must_use]
    pub fn backward_input(&self, g: &[f32], weight: &[f32], epilogue: Epilogue<'_>) -> Vec<f32> {
        let [h, w] = self.enlarged();
        let mut dx = vec![0.0; self.input_len() * self.scale * self.scale];
        if Winograd::suits(self) {
            let parts = |inputs| Winograd::backward(self, weight, inputs);
            self.winograd(parts, self.inputs, g, epilogue, &mut dx);
        } else {
            self.sweep_inputs(g, weight, epilogue, &mut dx);
        }
        if self.scale == 1 {
            return dx;
        }
        let mut reduced = vec![0.0; self.input_len()];
        let [small_h, small_w] = self.size;
        let channels = reduced.chunks_mut(small_h * small_w).zip(dx.chunks(h * w));
        for (to, from) in channels {
            for (y, line) in from.chunks(w).enumerate() {
                let to = &mut to[y / self.scale * small_w..][..small_w];
                for (to, from) in to.iter_mut().zip(line.chunks(self.scale)) {
                    *to += from.iter().sum::<f32>();
                }
            }
        }
        reduced
    }

    fn sweep_inputs(&self, g: &[f32], weight: &[f32], epilogue: Epilogue<'_>, dx: &mut [f32]) {
        let images = self.images_a_sweep(self.outputs, self.output);
        let sweeps: Vec<Sweep> = (0..self.stride[0] * self.stride[1])
            .map(|phase| [phase / self.stride[1], phase % self.stride[1]])
            .map(|phase| self.input_sweep(phase, weight, images))
            .collect();
        self.sweep(&sweeps, g, images, epilogue, dx);
    }

    /// Runs Winograd's way; `parts` makes the sweep for some of `outputs` channels a group.
    fn winograd(
        &self,
        parts: impl Fn(std::ops::Range<usize>) -> Winograd,
        outputs: usize,
        source: &[f32],
        epilogue: Epilogue<'_>,
        out: &mut [f32],
    ) {
        let (from_image, per_image) = (source.len() / self.batch, out.len() / self.batch);
        let worth_it = self.multiplications() >= PARALLEL_FROM;
        let step = if worth_it && self.batch < PIECES / 2 && rayon::current_num_threads() > 1 {
            // Few images: share out the outputs, in two parts since each transforms the images.
            // An output's sums are the same in either part.
            outputs.div_ceil(2).next_multiple_of(block_of(outputs))
        } else {
            outputs
        };
        let parts: Vec<Winograd> = (0..outputs)
            .step_by(step)
            .map(|first| parts(first..(first + step).min(outputs)))
            .collect();
        let images = self.batch.div_ceil(PIECES);
        let (from_group, per_group) = (from_image / self.groups, per_image / self.groups);
        let bias = |group: usize, part: usize| {
            let bias = epilogue
                .bias
                .map(|bias| &bias[group * outputs + part * step..]);
            Epilogue { bias, ..epilogue }
        };
        if parts.len() > 1 {
            let area = per_group / outputs;
            for (out, source) in out.chunks_mut(per_image).zip(source.chunks(from_image)) {
                for (group, out) in out.chunks_mut(per_group).enumerate() {
                    let source = &source[group * from_group..];
                    out.par_chunks_mut(step * area)
                        .zip(&parts)
                        .enumerate()
                        .for_each(|(part, (out, sweep))| {
                            sweep.run(group, 1, source, out, [0, 0], bias(group, part));
                        });
                }
            }
        } else {
            let piece = |(out, source): (&mut [f32], &[f32])| {
                for group in 0..self.groups {
                    let (source, count) = (&source[group * from_group..], out.len() / per_image);
                    let out = &mut out[group * per_group..];
                    let between = [from_image, per_image];
                    parts[0].run(group, count, source, out, between, bias(group, 0));
                }
            };
            let pieces = (images * per_image, images * from_image);
            if worth_it {
                let pieces = out
                    .par_chunks_mut(pieces.0)
                    .zip(source.par_chunks(pieces.1));
                pieces.for_each(piece);
            } else {
                out.chunks_mut(pieces.0)
                    .zip(source.chunks(pieces.1))
                    .for_each(piece);
            }
        }
        finish_rest(epilogue.activation, out);
    }

    /// The sweep for those inputs whose row and column, padding included, have this remainder
    /// when divided by the stride. Only some taps reach them.
    fn input_sweep(&self, phase: [usize; 2], weight: &[f32], images: usize) -> Sweep {
        let (stride, padding, kernel) = (self.stride, self.padding, self.kernel);
        let size = self.enlarged();
        let most = [0, 1].map(|side| kernel[side].div_ceil(stride[side]));
        let own = [0, 1].map(|i| (kernel[i] + stride[i] - 1).saturating_sub(phase[i]) / stride[i]);
        // Positions before the first input are left out.
        let skipped = [0, 1].map(|side| (padding[side] / stride[side]).min(most[side] - 1));
        let pad = [0, 1].map(|side| most[side] - 1 - skipped[side]);
        let count =
            [0, 1].map(|side| (size[side] - 1 + padding[side]) / stride[side] + 1 - skipped[side]);
        let planes = Planes::new(
            self.outputs,
            (self.output, 1),
            pad,
            [1, 1],
            count,
            most,
            images,
        );
        let taps: Vec<[usize; 3]> = (0..self.outputs)
            .flat_map(|o| (0..own[0]).map(move |j| (o, j)))
            .flat_map(|(o, j)| (0..own[1]).map(move |i| [o, j, i]))
            .collect();
        let offset = |&[o, j, i]: &[usize; 3]| planes.offset(o, most[0] - 1 - j, most[1] - 1 - i);
        let area = kernel[0] * kernel[1];
        let places: Vec<u32> = taps
            .iter()
            .map(|[o, j, i]| {
                let (ky, kx) = (phase[0] + j * stride[0], phase[1] + i * stride[1]);
                (o * self.inputs * area + ky * kernel[1] + kx) as u32
            })
            .collect();
        let packed = |group: usize| {
            let mut packed = Vec::new();
            let weight = &weight[group * self.outputs * self.inputs * area..];
            pack(self.inputs, area, &places, weight, &mut packed);
            packed
        };
        Sweep {
            planes,
            offsets: taps.iter().map(offset).collect(),
            packed: (0..self.groups).map(packed).collect(),
            block: block_of(self.inputs),
            outputs: self.inputs,
            count,
            step: stride,
            shift: [0, 1].map(|side| {
                (skipped[side] * stride[side] + phase[side]) as isize - padding[side] as isize
            }),
            target: size,
        }
    }

    /// Runs sweeps that read `source` and share the result. They have the same planes.
    fn sweep(
        &self,
        sweeps: &[Sweep],
        source: &[f32],
        images: usize,
        epilogue: Epilogue<'_>,
        out: &mut [f32],
    ) {
        let first = &sweeps[0];
        let target = first.target[0] * first.target[1];
        let per_image = self.groups * first.outputs * target;
        let from_image = source.len() / self.batch;
        let worth_it = self.multiplications() >= PARALLEL_FROM;
        let few = images == 1 && self.batch < PIECES / 2;
        let pieces = out
            .chunks_mut(images * per_image)
            .zip(source.chunks(images * from_image));
        let piece = |(out, source): (&mut [f32], &[f32])| {
            let count = out.len() / per_image;
            let from_group = from_image / self.groups;
            for group in 0..self.groups {
                with_scratch(&PLANES, |planes| {
                    first
                        .planes
                        .fill(&source[group * from_group..], from_image, count, planes);
                    let range = group * first.outputs..(group + 1) * first.outputs;
                    let bias = epilogue.bias.map(|bias| &bias[range.clone()]);
                    let epilogue = Epilogue { bias, ..epilogue };
                    if few && worth_it {
                        // Few images: split the outputs.
                        let blocks = first.outputs.div_ceil(first.block);
                        let blocks = blocks.div_ceil(PIECES / 2).max(1);
                        let rows = blocks * first.block * target;
                        let out = &mut out[range.start * target..range.end * target];
                        out.par_chunks_mut(rows)
                            .enumerate()
                            .for_each(|(part, out)| {
                                let part = part * blocks;
                                for sweep in sweeps {
                                    sweep.run(
                                        planes,
                                        group,
                                        part..part + blocks,
                                        count,
                                        epilogue,
                                        out,
                                        0,
                                    );
                                }
                            });
                    } else {
                        for sweep in sweeps {
                            let all = 0..first.outputs.div_ceil(first.block);
                            let out = &mut out[range.start * target..];
                            sweep.run(planes, group, all, count, epilogue, out, per_image);
                        }
                    }
                });
            }
        };
        if worth_it && !few {
            let pieces: Vec<_> = pieces.collect();
            pieces.into_par_iter().for_each(piece);
        } else {
            pieces.for_each(piece);
        }
        finish_rest(epilogue.activation, out);
    }

    /// What the weights get: `x` is the input, `g` the gradient of the output.
    #[must_use]
    pub fn backward_weight(&self, x: &[f32], g: &[f32]) -> Vec<f32> {
        let chunk = self.batch.div_ceil(PIECES);
        let chunks = self.batch.div_ceil(chunk);
        // With few images, input channels are shared out too.
        let blocks = if self.multiplications() >= PARALLEL_FROM {
            (PIECES / 2 / chunks).clamp(1, self.inputs)
        } else {
            1
        };
        let channels = self.inputs.div_ceil(blocks);
        let blocks = self.inputs.div_ceil(channels);
        let work = |part: usize| {
            let first = part / blocks * chunk;
            let images = first..(first + chunk).min(self.batch);
            let from = part % blocks * channels;
            self.weight_part(x, g, images, from..(from + channels).min(self.inputs))
        };
        let parts: Vec<Vec<f32>> = if self.multiplications() >= PARALLEL_FROM {
            (0..chunks * blocks).into_par_iter().map(work).collect()
        } else {
            (0..chunks * blocks).map(work).collect()
        };
        let mut dw = vec![0.0; self.weight_len()];
        let area = self.kernel[0] * self.kernel[1];
        for (part, sums) in parts.iter().enumerate() {
            let from = part % blocks * channels;
            let taps = (from + channels).min(self.inputs) * area - from * area;
            let outputs = dw.chunks_mut(self.taps()).zip(sums.chunks(taps));
            for (to, from_part) in outputs {
                for (to, from) in to[from * area..].iter_mut().zip(from_part) {
                    *to += from;
                }
            }
        }
        dw
    }

    /// The share of some images and input channels, `[groups * outputs, channels, kernel]`.
    fn weight_part(
        &self,
        x: &[f32],
        g: &[f32],
        images: std::ops::Range<usize>,
        channels: std::ops::Range<usize>,
    ) -> Vec<f32> {
        let part = Self {
            inputs: channels.len(),
            ..*self
        };
        let at_once = self.images_a_sweep(part.inputs.max(self.outputs), self.enlarged());
        let planes = part.input_planes(at_once);
        let offsets = part.input_offsets(&planes);
        let mut sums = vec![0.0; part.weight_len()];
        let (x_image, g_image) = (x.len() / self.batch, g.len() / self.batch);
        let (x_channel, g_channel) = (self.size[0] * self.size[1], self.output[0] * self.output[1]);
        let width = self.outputs.next_multiple_of(WIDTH_STEP);
        let mut wide = vec![
            0.0;
            if self.outputs < OUTER_FROM {
                0
            } else {
                offsets.len() * width
            }
        ];
        with_scratch(&PLANES, |scratch| {
            with_scratch(&GRADIENT, |gradient| {
                for group in 0..self.groups {
                    wide.fill(0.0);
                    let sums = &mut sums[group * self.outputs * offsets.len()..]
                        [..self.outputs * offsets.len()];
                    for first in images.clone().step_by(at_once) {
                        let count = at_once.min(images.end - first);
                        let channel = group * self.inputs + channels.start;
                        let x = &x[first * x_image + channel * x_channel..];
                        planes.fill(x, x_image, count, scratch);
                        let g = &g[first * g_image + group * self.outputs * g_channel..];
                        if self.outputs < OUTER_FROM {
                            self.dots(
                                &planes,
                                scratch,
                                &offsets,
                                (g, g_image),
                                count,
                                gradient,
                                sums,
                            );
                        } else {
                            gradient.resize(count * g_channel * width, 0.0);
                            for (image, to) in gradient.chunks_mut(g_channel * width).enumerate() {
                                transpose(
                                    &g[image * g_image..],
                                    self.outputs,
                                    g_channel,
                                    width,
                                    to,
                                );
                            }
                            let runs = self.runs(&planes, count);
                            Outer {
                                planes: scratch,
                                offsets: &offsets,
                                runs: &runs,
                                gradient,
                                width,
                                sums: &mut wide,
                            }
                            .run();
                        }
                    }
                    if !wide.is_empty() {
                        for (output, to) in sums.chunks_mut(offsets.len()).enumerate() {
                            for (to, from) in to.iter_mut().zip(wide.chunks(width)) {
                                *to = from[output];
                            }
                        }
                    }
                }
            });
        });
        sums
    }

    /// The positions of all outputs of `images` images.
    fn runs(&self, planes: &Planes, images: usize) -> Vec<(u32, u32)> {
        (0..images)
            .flat_map(|image| {
                (0..self.output[0]).map(move |y| image * planes.image + y * planes.row)
            })
            .map(|first| (first as u32, self.output[1] as u32))
            .collect()
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one inner loop")]
    fn dots(
        &self,
        planes: &Planes,
        filled: &[f32],
        offsets: &[u32],
        (g, g_image): (&[f32], usize),
        images: usize,
        gradient: &mut Vec<f32>,
        sums: &mut [f32],
    ) {
        let area = self.output[0] * self.output[1];
        let len = planes
            .positions(images, self.output)
            .next_multiple_of(WIDTH_STEP);
        for (output, sums) in sums.chunks_mut(offsets.len()).enumerate() {
            gradient.clear();
            gradient.resize(len, 0.0);
            for image in 0..images {
                let lines = g[image * g_image + output * area..][..area].chunks(self.output[1]);
                for (y, line) in lines.enumerate() {
                    let at = image * planes.image + y * planes.row;
                    gradient[at..at + line.len()].copy_from_slice(line);
                }
            }
            Dot {
                planes: filled,
                offsets,
                gradient,
                sums,
            }
            .run();
        }
    }
}

impl Sweep {
    /// Computes some blocks of outputs of one group. `out` begins with the first of them; the next
    /// image follows after `between` numbers.
    #[expect(clippy::too_many_arguments, reason = "the parts of one inner loop")]
    fn run(
        &self,
        planes: &[f32],
        group: usize,
        blocks: std::ops::Range<usize>,
        images: usize,
        epilogue: Epilogue<'_>,
        out: &mut [f32],
        between: usize,
    ) {
        let area = self.target[0] * self.target[1];
        let last = blocks.end.min(self.outputs.div_ceil(self.block));
        let weights = self.block * self.offsets.len();
        let first_output = blocks.start * self.block;
        let store = |block: usize, position: usize, values: &[f32], width: usize| {
            let mut at = position;
            let outputs = (self.outputs - first_output - block * self.block).min(self.block);
            while at < position + width {
                let (image, inside) = (at / self.planes.image, at % self.planes.image);
                let (u, v) = (inside / self.planes.row, inside % self.planes.row);
                let run = (self.planes.row - v).min(position + width - at);
                if image < images && u < self.count[0] && v < self.count[1] {
                    let count = run.min(self.count[1] - v);
                    for output in 0..outputs {
                        let values = &values[output * width + at - position..][..count];
                        let output = block * self.block + output;
                        let bias = epilogue
                            .bias
                            .map_or(0.0, |bias| bias[first_output + output]);
                        let out = &mut out[image * between + output * area..][..area];
                        self.store_run(values, [u, v], bias, epilogue.activation, out);
                    }
                }
                at += run;
            }
        };
        Correlate {
            planes,
            offsets: &self.offsets,
            packed: &self.packed[group][blocks.start * weights..last * weights],
            block: self.block,
            blocks: last - blocks.start,
            positions: 0..self.planes.positions(images, self.count),
            store,
        }
        .run();
    }

    /// Stores the values of positions `(u, v)`, `(u, v + 1)`, … of one output channel.
    #[inline(always)]
    fn store_run(
        &self,
        values: &[f32],
        [u, v]: [usize; 2],
        bias: f32,
        activation: Activation,
        out: &mut [f32],
    ) {
        let [h, w] = self.target;
        let y = (u * self.step[0]) as isize + self.shift[0];
        if y < 0 || y as usize >= h {
            return;
        }
        let line = &mut out[y as usize * w..][..w];
        let finish = |value: f32| match activation {
            Activation::Relu => (value + bias).max(0.0),
            Activation::LeakyRelu(slope) => {
                let value = value + bias;
                if value > 0.0 { value } else { value * slope }
            }
            // SiLU needs what it was applied to for its gradient; the caller applies it.
            Activation::None | Activation::Silu => value + bias,
        };
        if self.step[1] == 1 && self.shift[1] == 0 {
            for (to, value) in line[v..].iter_mut().zip(values) {
                *to = finish(*value);
            }
            return;
        }
        for (i, value) in values.iter().enumerate() {
            let x = ((v + i) * self.step[1]) as isize + self.shift[1];
            if x >= 0 && (x as usize) < w {
                line[x as usize] = finish(*value);
            }
        }
    }
}

/// `[outputs, positions]` to `[positions, width]`, zeros where there is no output.
fn transpose(from: &[f32], outputs: usize, positions: usize, width: usize, to: &mut [f32]) {
    const TILE: usize = 16;
    for first in (0..positions).step_by(TILE) {
        let count = TILE.min(positions - first);
        for from_output in (0..width).step_by(TILE) {
            let mut tile = [[0.0_f32; TILE]; TILE];
            for (o, line) in tile.iter_mut().enumerate() {
                let output = from_output + o;
                if output < outputs {
                    line[..count].copy_from_slice(&from[output * positions + first..][..count]);
                }
            }
            for q in 0..count {
                let to = &mut to[(first + q) * width + from_output..][..TILE];
                for (to, line) in to.iter_mut().zip(&tile) {
                    *to = line[q];
                }
            }
        }
    }
}

/// Applies those activations that are not applied where sums are stored.
fn finish_rest(activation: Activation, out: &mut [f32]) {
    match activation {
        Activation::None | Activation::Relu | Activation::LeakyRelu(_) => {}
        other => activate(out, other),
    }
}

/// What a bias gets: the sum over images and pixels of every channel of `[images, channels, area]`.
#[must_use]
pub fn channel_sums(g: &[f32], channels: usize, area: usize) -> Vec<f32> {
    (0..channels)
        .into_par_iter()
        .with_min_len(8)
        .map(|channel| {
            let images = g.chunks_exact(area).skip(channel).step_by(channels);
            images
                .map(|image| {
                    vectorise(
                        #[inline(always)]
                        || sum(image),
                    )
                })
                .sum()
        })
        .collect()
}
