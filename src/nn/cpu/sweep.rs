//! Sweeps of a kernel over the images of a batch, cut into pieces for several threads.

use std::cell::RefCell;

use rayon::prelude::*;

use super::conv::{ConvShape, Epilogue, PARALLEL_FROM, PIECES, finish_rest, with_scratch};
use super::correlate::{self, Correlate, Filled, Planes, block_of};
use super::over_outputs::{self, OverOutputs, WIDTH_STEP};
use crate::nn::ops::Activation;

/// Columns up to which lanes go over outputs instead of positions.
const SHORT_ROW: usize = 14;

thread_local! {
    static PLANES: RefCell<Filled> = const { RefCell::new(Filled::EMPTY) };
    static SUMS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Where a sweep reads and where it stores.
pub(super) struct Places {
    /// Of the source.
    pub planes: Planes,
    /// Where every tap is read.
    pub offsets: Vec<u32>,
    /// Outputs of a group.
    pub outputs: usize,
    /// Rows and columns of positions.
    pub count: [usize; 2],
    /// Position `(u, v)` is stored at `(u, v) * step + shift`, if that lies inside.
    pub step: [usize; 2],
    /// See `step`.
    pub shift: [isize; 2],
    /// Height and width of the result.
    pub target: [usize; 2],
}

/// One kernel sweep.
pub(super) struct Sweep {
    places: Places,
    /// Lanes go over outputs, see [`over_outputs`].
    over_outputs: bool,
    /// The weights of every group, in the order of the kernel.
    packed: Vec<Vec<f32>>,
    block: usize,
}

impl Sweep {
    /// `weights` gives those of a group; the weight of an output and a tap lies at
    /// `output * row + taps[tap]`.
    pub fn new<'w>(
        places: Places,
        groups: usize,
        row: usize,
        taps: &[u32],
        weights: impl Fn(usize) -> &'w [f32],
    ) -> Self {
        let outputs = places.outputs;
        let whole =
            places.step == [1, 1] && places.shift == [0, 0] && places.count == places.target;
        // At most a quarter of the lanes may be left empty.
        let full = 4 * outputs >= 3 * outputs.next_multiple_of(WIDTH_STEP);
        let over_outputs = whole && full && places.count[1] <= SHORT_ROW && !taps.is_empty();
        let pack = |group: usize| {
            if over_outputs {
                over_outputs::pack(outputs, row, taps, weights(group))
            } else {
                correlate::pack(outputs, row, taps, weights(group))
            }
        };
        Self {
            over_outputs,
            packed: (0..groups).map(pack).collect(),
            block: block_of(outputs),
            places,
        }
    }

    fn run_over_outputs(
        &self,
        planes: &[f32],
        group: usize,
        images: usize,
        epilogue: Epilogue<'_>,
        out: &mut [f32],
        between: usize,
    ) {
        let Places {
            planes: layout,
            outputs,
            count,
            ..
        } = &self.places;
        let area = count[0] * count[1];
        let rows = (0..images).flat_map(|image| (0..count[0]).map(move |u| (image, u)));
        let positions: Vec<u32> = rows
            .flat_map(|(image, u)| {
                let first = image * layout.image + u * layout.row;
                (first..first + count[1]).map(|position| position as u32)
            })
            .collect();
        let width = outputs.next_multiple_of(WIDTH_STEP);
        with_scratch(&SUMS, |sums| {
            sums.resize(positions.len() * width, 0.0);
            OverOutputs {
                planes,
                offsets: &self.places.offsets,
                packed: &self.packed[group],
                width,
                positions: &positions,
                sums,
            }
            .run();
            for (image, sums) in sums.chunks_exact(area * width).enumerate() {
                let out = &mut out[image * between..][..outputs * area];
                over_outputs::store(sums, width, epilogue, out, area);
            }
        });
    }

    /// Computes some blocks of outputs of one group. `out` begins with the first of them; the next
    /// image follows after `between` numbers.
    #[expect(clippy::too_many_arguments, reason = "the parts of one inner loop")]
    fn run_blocks(
        &self,
        planes: &[f32],
        group: usize,
        blocks: std::ops::Range<usize>,
        images: usize,
        epilogue: Epilogue<'_>,
        out: &mut [f32],
        between: usize,
    ) {
        let area = self.places.target[0] * self.places.target[1];
        let last = blocks.end.min(self.places.outputs.div_ceil(self.block));
        let weights = self.block * self.places.offsets.len();
        let first_output = blocks.start * self.block;
        let store = |block: usize, position: usize, values: &[f32], width: usize| {
            let mut at = position;
            let outputs = (self.places.outputs - first_output - block * self.block).min(self.block);
            while at < position + width {
                let (image, inside) =
                    (at / self.places.planes.image, at % self.places.planes.image);
                let (u, v) = (
                    inside / self.places.planes.row,
                    inside % self.places.planes.row,
                );
                let run = (self.places.planes.row - v).min(position + width - at);
                if image < images && u < self.places.count[0] && v < self.places.count[1] {
                    let count = run.min(self.places.count[1] - v);
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
            offsets: &self.places.offsets,
            packed: &self.packed[group][blocks.start * weights..last * weights],
            block: self.block,
            blocks: last - blocks.start,
            positions: 0..self.places.planes.positions(images, self.places.count),
            store,
        }
        .run();
    }

    /// Stores the values of positions `(u, v)`, `(u, v + 1)`, … of one output channel.
    #[inline]
    fn store_run(
        &self,
        values: &[f32],
        [u, v]: [usize; 2],
        bias: f32,
        activation: Activation,
        out: &mut [f32],
    ) {
        let [h, w] = self.places.target;
        let y = (u * self.places.step[0]).cast_signed() + self.places.shift[0];
        let Ok(y) = usize::try_from(y) else { return };
        if y >= h {
            return;
        }
        let line = &mut out[y * w..][..w];
        let finish = |value: f32| match activation {
            Activation::Relu => (value + bias).max(0.0),
            Activation::LeakyRelu(slope) => {
                let value = value + bias;
                if value > 0.0 { value } else { value * slope }
            }
            // SiLU needs what it was applied to for its gradient; the caller applies it.
            Activation::None | Activation::Silu => value + bias,
        };
        if self.places.step[1] == 1 && self.places.shift[1] == 0 {
            for (to, value) in line[v..].iter_mut().zip(values) {
                *to = finish(*value);
            }
            return;
        }
        for (i, value) in values.iter().enumerate() {
            let x = ((v + i) * self.places.step[1]).cast_signed() + self.places.shift[1];
            if let Some(to) = usize::try_from(x).ok().and_then(|x| line.get_mut(x)) {
                *to = finish(*value);
            }
        }
    }
}

impl ConvShape {
    /// Runs sweeps that read `source` and share the result. They have the same planes.
    pub(super) fn sweep(
        &self,
        sweeps: &[Sweep],
        source: &[f32],
        images: usize,
        epilogue: Epilogue<'_>,
        out: &mut [f32],
    ) {
        let first = &sweeps[0];
        let places = &first.places;
        let target = places.target[0] * places.target[1];
        let per_image = self.groups * places.outputs * target;
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
                    places
                        .planes
                        .fill(&source[group * from_group..], from_image, count, planes);
                    let planes = planes.values();
                    let range = group * places.outputs..(group + 1) * places.outputs;
                    let bias = epilogue.bias.map(|bias| &bias[range.clone()]);
                    let epilogue = Epilogue { bias, ..epilogue };
                    if first.over_outputs {
                        let out = &mut out[range.start * target..];
                        first.run_over_outputs(planes, group, count, epilogue, out, per_image);
                    } else if few && worth_it {
                        // Few images: split the outputs.
                        let blocks = places.outputs.div_ceil(first.block);
                        let blocks = blocks.div_ceil(PIECES / 2).max(1);
                        let rows = blocks * first.block * target;
                        let out = &mut out[range.start * target..range.end * target];
                        out.par_chunks_mut(rows)
                            .enumerate()
                            .for_each(|(part, out)| {
                                let part = part * blocks;
                                for sweep in sweeps {
                                    sweep.run_blocks(
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
                            let all = 0..places.outputs.div_ceil(first.block);
                            let out = &mut out[range.start * target..];
                            sweep.run_blocks(planes, group, all, count, epilogue, out, per_image);
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
}
