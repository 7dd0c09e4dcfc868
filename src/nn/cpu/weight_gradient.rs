//! The gradient of a convolution's weights.

use std::cell::RefCell;

use rayon::prelude::*;

use super::conv::{ConvShape, PARALLEL_FROM, PIECES, with_scratch};
use super::correlate::{Dot, Filled, Outer, Planes, WIDTH_STEP};

/// Outputs a group from which on lanes go over outputs.
const OUTER_FROM: usize = 6;

thread_local! {
    static PLANES: RefCell<Filled> = const { RefCell::new(Filled::EMPTY) };
    static GRADIENT: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl ConvShape {
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
                        if self.outputs < OUTER_FROM {
                            // There zeros meet everything, and zero times NaN is NaN.
                            scratch.forget();
                        }
                        planes.fill(x, x_image, count, scratch);
                        let scratch = scratch.values();
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
