//! Two-dimensional convolutions and their gradients on slices, cut into pieces for several threads.
//!
//! The pieces depend on the shape alone, and partial sums are added in the order of the images, so
//! the result does not depend on the number of threads.

use std::cell::RefCell;

use rayon::prelude::*;

use super::correlate::{Planes, block_of};
use super::lanes::{sum, vectorise};
use super::pointwise::activate;
use super::sweep::{Places, Sweep};
use super::winograd::Winograd;
use crate::nn::ops::Activation;

/// Bytes of planes that stay in a core's cache beside the weights.
const PLANE_BYTES: usize = 256 << 10;
/// Pieces that a batch is cut into, if it has so many images.
pub(super) const PIECES: usize = 8;
/// Multiplications that are worth handing to another thread.
pub(super) const PARALLEL_FROM: usize = 1 << 19;

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

/// Lends a thread's scratch memory. Taken out meanwhile, because rayon may run another piece on
/// this thread before the closure ends.
pub(super) fn with_scratch<S: Default, T>(
    scratch: &'static std::thread::LocalKey<RefCell<S>>,
    f: impl FnOnce(&mut S) -> T,
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

    pub(super) fn taps(&self) -> usize {
        self.inputs * self.kernel[0] * self.kernel[1]
    }

    pub(super) fn enlarged(&self) -> [usize; 2] {
        self.size.map(|side| side * self.scale)
    }

    /// Planes of the input, for `images` images.
    pub(super) fn input_planes(&self, images: usize) -> Planes {
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

    pub(super) fn input_offsets(&self, planes: &Planes) -> Vec<u32> {
        let [kh, kw] = self.kernel;
        let taps = (0..self.taps()).map(|k| planes.offset(k / (kh * kw), k / kw % kh, k % kw));
        taps.collect()
    }

    /// Images whose planes fit the cache.
    pub(super) fn images_a_sweep(&self, channels: usize, size: [usize; 2]) -> usize {
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
        let places = Places {
            planes,
            offsets: self.input_offsets(&planes),
            outputs: self.outputs,
            count: self.output,
            step: [1, 1],
            shift: [0, 0],
            target: self.output,
        };
        let taps: Vec<u32> = (0..self.taps() as u32).collect();
        let sweep = Sweep::new(places, self.groups, taps.len(), &taps, |group| {
            &weight[group * self.outputs * taps.len()..]
        });
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
        // As many as a block has room for.
        let fewest = parts[0].images_a_block().min(self.batch);
        let images = self.batch.div_ceil(PIECES).max(fewest);
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
        let places_in_kernel: Vec<u32> = taps
            .iter()
            .map(|[o, j, i]| {
                let (ky, kx) = (phase[0] + j * stride[0], phase[1] + i * stride[1]);
                (o * self.inputs * area + ky * kernel[1] + kx) as u32
            })
            .collect();
        let places = Places {
            planes,
            offsets: taps.iter().map(offset).collect(),
            outputs: self.inputs,
            count,
            step: stride,
            shift: [0, 1].map(|side| {
                let first = skipped[side] * stride[side] + phase[side];
                first.cast_signed() - padding[side].cast_signed()
            }),
            target: size,
        };
        Sweep::new(places, self.groups, area, &places_in_kernel, |group| {
            &weight[group * self.outputs * self.inputs * area..]
        })
    }
}

/// Applies those activations that are not applied where sums are stored.
pub(super) fn finish_rest(activation: Activation, out: &mut [f32]) {
    match activation {
        Activation::None | Activation::Relu | Activation::LeakyRelu(_) => {}
        Activation::Silu => activate(out, activation),
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
