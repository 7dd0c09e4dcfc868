//! The fast evaluator: one program on sixteen tasks at once.
//!
//! A program has no branches, so every task does the same at the same time. Memory is rows of
//! sixteen numbers, one of each task; an instruction is a loop over rows, in registers of whatever
//! width the machine has (`kernels.rs`). Loading the example, the check of the prediction and
//! the loop over examples belong to one function with one copy of the big `match`, compiled for
//! each width and for the numbers of features that are worth it.
//!
//! The order of every sum is that of [`super::scalar`], so a lane has the bits of that interpreter.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use pulp::{Arch, Simd, WithSimd};

use super::compile::Code;
use super::kernels::{Draws, execute, per_row};
use super::math;
use super::program::Function;

/// Tasks side by side.
pub const LANES: usize = 16;

/// One number of each task.
pub type Row = [f32; LANES];

/// Rows that begin where a line of the cache does, so that no vector lies across two.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    values: Vec<f32>,
    start: usize,
    len: usize,
}

impl Rows {
    /// So many rows of zeros.
    #[must_use]
    pub fn zeros(count: usize) -> Self {
        let mut rows = Self::default();
        rows.reset(count);
        rows
    }

    /// Becomes so many rows of zeros; the memory is kept.
    pub fn reset(&mut self, count: usize) {
        self.len = count * LANES;
        self.values.clear();
        self.values.resize(self.len + LANES, 0.0);
        let bytes = size_of::<Row>();
        self.start = self.values.as_ptr().align_offset(bytes).min(LANES);
    }

    /// The numbers, row after row.
    #[must_use]
    pub fn flat(&self) -> &[f32] {
        &self.values[self.start..self.start + self.len]
    }

    /// The same, to change them.
    pub fn flat_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..self.start + self.len]
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        self.flat().as_chunks().0
    }

    /// The same, to change them.
    pub fn rows_mut(&mut self) -> &mut [Row] {
        self.flat_mut().as_chunks_mut().0
    }

    /// Becomes as another is.
    pub fn copy_from(&mut self, other: &Self) {
        if self.len != other.len {
            self.reset(other.len / LANES);
        }
        self.flat_mut().copy_from_slice(other.flat());
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        self.flat() == other.flat()
    }
}

/// What a prediction is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The root of the mean squared error, squashed.
    Squared,
    /// Whether the class is the right one; while learning the prediction becomes a probability.
    Accuracy,
}

/// Examples of sixteen tasks: for each the rows of its features, then that of its label.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    /// The rows, one number after the other.
    pub flat: &'a [f32],
    /// How often functions ran before the first of them, for random draws.
    pub first_step: u32,
}

/// Which functions run on examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Setup,
    Train,
    Validate,
}

/// The memory of a program that runs on sixteen tasks.
#[derive(Clone, Debug)]
pub struct Lanes {
    memory: Rows,
    aside: Rows,
    features: usize,
    seeds: [u32; LANES],
    loss: Loss,
    max_error: f32,
    /// 1 for a task that goes on, 0 for one that failed.
    going: Row,
    sums: Row,
    hashes: [[u32; LANES]; 2],
    hashing: bool,
}

impl Lanes {
    /// For examples of `features` numbers; a prediction that is `max_error` off ends a task.
    #[must_use]
    pub fn new(features: usize, loss: Loss, max_error: f32) -> Self {
        Self {
            memory: Rows::default(),
            aside: Rows::default(),
            features,
            seeds: [0; LANES],
            loss,
            max_error,
            going: [0.0; LANES],
            sums: [0.0; LANES],
            hashes: [[0; LANES]; 2],
            hashing: false,
        }
    }

    /// Empties the memory and runs `Setup` for tasks of these seeds, at most [`LANES`].
    pub fn begin(&mut self, code: &Code, seeds: &[u32]) {
        self.memory.reset(code.rows);
        self.going = [0.0; LANES];
        for ((going, lane), &seed) in self.going.iter_mut().zip(&mut self.seeds).zip(seeds) {
            *going = 1.0;
            *lane = seed;
        }
        self.hashes = [[0x9e37_79b9; LANES], [0x7f4a_7c15; LANES]];
        self.run(Mode::Setup, code, &[], 0);
    }

    /// Learns from examples. The sums of losses begin anew.
    pub fn train(&mut self, code: &Code, examples: Examples<'_>) {
        self.run(Mode::Train, code, examples.flat, examples.first_step);
    }

    /// Predicts examples. The sums of losses begin anew.
    pub fn validate(&mut self, code: &Code, examples: Examples<'_>) {
        self.run(Mode::Validate, code, examples.flat, examples.first_step);
    }

    /// Learns from the first of two lots of examples, predicts the second and forgets that it did.
    /// What comes back is a hash of all these predictions, of all tasks that go on.
    pub fn probe(&mut self, code: &Code, learnt: Examples<'_>, seen: Examples<'_>) -> u64 {
        self.hashing = true;
        self.train(code, learnt);
        let going = self.going;
        self.aside.copy_from(&self.memory);
        self.validate(code, seen);
        self.hashing = false;
        std::mem::swap(&mut self.memory, &mut self.aside);
        let mut hash = 1;
        for (lane, [&first, &second]) in
            (0..).zip(going.iter().zip(&self.going).map(|(a, b)| [a, b]))
        {
            // What a task predicts after it failed does not matter, when it did does.
            let [a, b] = self.hashes.map(|hashes| u64::from(hashes[lane]));
            let word = if second > 0.0 {
                a << 32 | b
            } else {
                u64::from(first > 0.0)
            };
            hash = super::analysis::mixed(hash, word);
        }
        self.going = going;
        hash
    }

    /// Whether a task goes on.
    #[must_use]
    pub fn is_going(&self, lane: usize) -> bool {
        self.going.get(lane).is_some_and(|going| *going > 0.0)
    }

    /// Whether any task goes on.
    #[must_use]
    pub fn any_going(&self) -> bool {
        self.going.iter().any(|going| *going > 0.0)
    }

    /// The losses of the last examples, task by task: squares of errors, or wrong classes.
    #[must_use]
    pub fn sums(&self) -> Row {
        self.sums
    }

    /// The memory as it is now.
    #[must_use]
    pub fn memory(&self) -> &[Row] {
        self.memory.rows()
    }

    fn run(&mut self, mode: Mode, code: &Code, examples: &[f32], first_step: u32) {
        self.sums = [0.0; LANES];
        let (lanes, arch) = (self, Arch::new());
        match lanes.features {
            4 => arch.dispatch(Pass::<4, 4, 4> {
                lanes,
                mode,
                code,
                examples,
                first_step,
            }),
            16 => arch.dispatch(Pass::<16, 4, 16> {
                lanes,
                mode,
                code,
                examples,
                first_step,
            }),
            features if features % 4 == 0 => {
                arch.dispatch(Pass::<0, 4, 32> {
                    lanes,
                    mode,
                    code,
                    examples,
                    first_step,
                });
            }
            _ => arch.dispatch(Pass::<0, 1, 32> {
                lanes,
                mode,
                code,
                examples,
                first_step,
            }),
        }
    }

    /// Mixes the predictions into the hashes.
    #[inline(always)]
    fn hash(&mut self, prediction: &[f32]) {
        let [first, second] = &mut self.hashes;
        for ((a, b), x) in first.iter_mut().zip(second).zip(prediction) {
            *a = (*a ^ x.to_bits()).wrapping_mul(0x85eb_ca6b).rotate_left(13);
            *b = (*b ^ x.to_bits()).wrapping_mul(0xc2b2_ae35).rotate_left(17);
        }
    }
}

/// A run over examples of `F` features, or as many as the lanes say where it is 0: a multiple of
/// `C`, at most `N`.
struct Pass<'a, const F: usize, const C: usize, const N: usize> {
    lanes: &'a mut Lanes,
    mode: Mode,
    code: &'a Code,
    examples: &'a [f32],
    first_step: u32,
}

impl<const F: usize, const C: usize, const N: usize> WithSimd for Pass<'_, F, C, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            lanes,
            mode,
            code,
            examples,
            first_step,
        } = self;
        let features = if F == 0 { lanes.features } else { F };
        let mut memory = std::mem::take(&mut lanes.memory);
        let (m, _) = S::as_mut_simd_f32s(memory.flat_mut());
        let (examples, _) = S::as_simd_f32s(examples);
        let k = per_row::<S>();
        let stride = (features + 1) * k;
        let features_at = code.features_at * k;
        let (count, first) = match mode {
            Mode::Setup => (1, code.function(Function::Setup)),
            Mode::Train | Mode::Validate => {
                (examples.len() / stride, code.function(Function::Predict))
            }
        };
        let zero = simd.splat_f32s(0.0);
        let seeds = lanes.seeds;
        let mut index = 0;
        while index < count {
            let draws = Draws {
                seeds: &seeds,
                step: first_step.wrapping_add(index as u32),
            };
            let example = examples.get(index * stride..).unwrap_or_default();
            if mode != Mode::Setup {
                if let (Some(to), Some(from)) = (
                    m.get_mut(features_at..features_at + features * k),
                    example.get(..features * k),
                ) {
                    to.copy_from_slice(from);
                }
                for label in &mut m[..k] {
                    *label = zero;
                }
            }
            let mut ops = first;
            let mut learning = mode != Mode::Train;
            loop {
                for op in ops {
                    execute::<S, F, C, N>(simd, m, op, features, &draws);
                }
                if learning {
                    break;
                }
                check(
                    simd,
                    lanes,
                    mode,
                    example.get(features * k..).unwrap_or_default(),
                    m,
                );
                learning = true;
                ops = code.function(Function::Learn);
            }
            if mode == Mode::Validate {
                check(
                    simd,
                    lanes,
                    mode,
                    example.get(features * k..).unwrap_or_default(),
                    m,
                );
            }
            index += 1;
            if index % 16 == 0 && !lanes.any_going() {
                break;
            }
        }
        lanes.memory = memory;
    }
}

/// Adds the losses of the predictions, ends the tasks where they are too far off, and leaves what
/// `Learn` sees.
#[inline(always)]
fn check<S: Simd>(simd: S, lanes: &mut Lanes, mode: Mode, labels: &[S::f32s], m: &mut [S::f32s]) {
    let k = per_row::<S>();
    let (given, predicted) = m.split_at_mut(k);
    if lanes.hashing {
        let flat: &[f32] = pulp::bytemuck::cast_slice(&predicted[..k]);
        lanes.hash(flat);
    }
    let (sums, _) = S::as_mut_simd_f32s(&mut lanes.sums);
    let (going, _) = S::as_mut_simd_f32s(&mut lanes.going);
    let zero = simd.splat_f32s(0.0);
    for i in 0..k {
        let (Some(&label), Some(prediction), Some(given)) =
            (labels.get(i), predicted.get_mut(i), given.get_mut(i))
        else {
            return;
        };
        let fine = match lanes.loss {
            Loss::Squared => {
                let error = simd.sub_f32s(label, *prediction);
                sums[i] = simd.mul_add_f32s(error, error, sums[i]);
                simd.and_m32s(
                    simd.less_than_or_equal_f32s(error, simd.splat_f32s(lanes.max_error)),
                    simd.greater_than_or_equal_f32s(error, simd.splat_f32s(-lanes.max_error)),
                )
            }
            Loss::Accuracy => {
                let (one, half) = (simd.splat_f32s(1.0), simd.splat_f32s(0.5));
                let wrong = simd.xor_m32s(
                    simd.greater_than_f32s(label, half),
                    simd.greater_than_f32s(*prediction, zero),
                );
                sums[i] = simd.add_f32s(sums[i], simd.select_f32s(wrong, one, zero));
                // Only what is not a number differs from itself.
                simd.equal_f32s(*prediction, *prediction)
            }
        };
        going[i] = simd.select_f32s(fine, going[i], zero);
        if mode == Mode::Train {
            *given = label;
        }
    }
    if mode == Mode::Train && lanes.loss == Loss::Accuracy {
        let flat: &mut [f32] = pulp::bytemuck::cast_slice_mut(&mut predicted[..k]);
        if let Some(row) = flat.first_chunk_mut::<LANES>() {
            *row = super::kernels::each(*row, math::sigmoid);
        }
    }
}
