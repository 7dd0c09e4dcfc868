//! The random network, and what is left of it after pruning.
//!
//! # The construction
//!
//! A layer of the target, `y = W x + v` with `x` of length `d_in` and `y` of length `d_out`, becomes two
//! layers of the random network: `z = relu(A x⁺)` and `y = B z`, where `x⁺` is `x` with a constant 1
//! behind it. So a bias is one more weight, as in the program of Pensia et al. and with the
//! same supply of paths. Between layers stands the target's own `ReLU`; so the random network has
//! twice the target's depth.
//!
//! * **First weights A**, uniform in [-1, 1), one row for each neuron of `z`. Pruning leaves each
//!   neuron the weight of one input, so A becomes block-diagonal. Neurons are dealt out input by
//!   input until n with `a >= 0` have been dealt to each, about 2n in all. Those with `a < 0` say
//!   nothing where x >= 0, which is the only half here; they are pruned with all their second
//!   weights. (For inputs of either sign they would carry the other half, -w relu(-x).)
//! * **Second weights B**, uniform in [-s, s), independent for each pair of a neuron and an output.
//!   For the target weight from input j to output o, the n usable neurons of j offer the numbers
//!   `a_k b_ok`. The kept ones are a subset with a sum near the target weight.
//! * **Scale s**, [`REACH`] times the largest |weight| or |bias| of the target's layer. The
//!   theorems ask for target weights in [-1, 1]; a `ReLU` network is positively homogeneous, so random
//!   weights in [-s, s) are those in [-1, 1) with s multiplied onto the layer's output. This is the
//!   one thing the random network is told about the target.
//!
//! What is generated are the n usable paths of each weight, in blocks of [`BLOCK`] weights with a
//! stream of their own, again whenever they are asked for. The weights outside A's blocks and those
//! of silent neurons are pruned whatever their values, so they are counted but never drawn.

use rayon::prelude::*;

use super::counts::Counts;
use super::layer::Layer;
use super::solver::{MAX_COEFFICIENTS, Solver};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Half of the range of second weights, over the largest weight of the target's layer.
///
/// A larger one spreads the sums and makes the typical error larger in proportion; a smaller one
/// leaves large weights out of reach where most numbers have the wrong sign. For `LeNet-300-100` with
/// Glorot's weights and n = 21, 1 leaves 66 of 266,610 out of reach with a median error of 1.0e-7,
/// 2 leaves 15 with 2.0e-7, 3 leaves 5 with 2.9e-7; for n = 12, 3029, 861 and 486. The mean error,
/// which weights out of reach dominate, is near its least at 2 from n = 12 on.
pub const REACH: f32 = 2.0;

/// Weights whose random numbers come from one stream.
pub const BLOCK: usize = 64;

/// Two random layers that stand for one of the target's, and which of their weights are kept.
#[derive(Clone, Debug)]
pub struct PrunedLayer {
    inputs: usize,
    outputs: usize,
    paths: usize,
    scale: f32,
    /// The one weight of each neuron that A's blocks hold; neurons in the order of their inputs.
    first: Vec<f32>,
    /// The input of each neuron, `inputs` for the constant 1.
    input_of: Vec<u32>,
    /// The usable neurons `[inputs + 1, paths]`.
    usable: Vec<u32>,
    second: Rng,
    /// Kept paths of each parameter `[outputs, inputs + 1]`, bit k for usable neuron k of its input.
    kept: Vec<u32>,
    /// The sums of the kept paths, in the same order.
    effective: Vec<f32>,
    /// How far each sum is from its target; one for each parameter that has been searched for.
    errors: Vec<f32>,
    unreachable: usize,
}

impl PrunedLayer {
    /// Random layers for a target, everything still pruned.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] where `paths` is 0 or more than the solver takes.
    pub fn new(target: &Layer, paths: usize, rng: &Rng) -> Result<Self> {
        if !(1..=MAX_COEFFICIENTS).contains(&paths) {
            return Err(Error::Input(format!(
                "{paths} paths for each weight: choose from 1 to {MAX_COEFFICIENTS}"
            )));
        }
        let (mut first, mut input_of, mut usable) = (Vec::new(), Vec::new(), Vec::new());
        let mut stream = rng.split("first weights");
        for input in 0..=target.inputs {
            while usable.len() < (input + 1) * paths {
                let a = symmetric((stream.next_u64() >> 32) as u32);
                if a >= 0.0 {
                    usable.push(first.len() as u32);
                }
                first.push(a);
                input_of.push(input as u32);
            }
        }
        let largest = target.largest();
        Ok(Self {
            inputs: target.inputs,
            outputs: target.outputs,
            paths,
            // A layer of zeros is met by keeping nothing, whatever the scale.
            scale: if largest > 0.0 { REACH * largest } else { 1.0 },
            first,
            input_of,
            usable,
            second: rng.split("second weights"),
            kept: vec![0; target.parameters()],
            effective: vec![0.0; target.parameters()],
            errors: Vec::with_capacity(target.parameters()),
            unreachable: 0,
        })
    }

    /// Finds the subsets for the next parameters, at least `count` of them where so many are left,
    /// in whole blocks. A subset within `tolerance` of its target is good enough. Returns how many
    /// parameters were searched for.
    pub fn search(&mut self, target: &Layer, count: usize, tolerance: f64) -> usize {
        let start = self.errors.len();
        let wanted = count.div_ceil(BLOCK).saturating_mul(BLOCK);
        let end = start.saturating_add(wanted).min(self.kept.len());
        let mut kept = std::mem::take(&mut self.kept);
        let mut effective = std::mem::take(&mut self.effective);
        self.errors.resize(end, 0.0);
        let mut errors = std::mem::take(&mut self.errors);
        let blocks = kept[start..end]
            .par_chunks_mut(BLOCK)
            .zip(effective[start..end].par_chunks_mut(BLOCK))
            .zip(errors[start..end].par_chunks_mut(BLOCK))
            .enumerate();
        let unreachable: usize = blocks
            .map_init(
                Scratch::default,
                |scratch, (index, ((kept, sums), errors))| {
                    let first = start + index * BLOCK;
                    self.second_weights(first / BLOCK, kept.len(), &mut scratch.second);
                    let mut unreachable = 0;
                    for i in 0..kept.len() {
                        let second = &scratch.second[i * self.paths..][..self.paths];
                        self.coefficients(first + i, second, &mut scratch.coefficients);
                        let wanted = f64::from(target.parameter(first + i));
                        let found = scratch
                            .solver
                            .within(&scratch.coefficients, wanted, tolerance);
                        kept[i] = found.mask;
                        sums[i] = found.sum as f32;
                        errors[i] = found.error as f32;
                        unreachable += usize::from(!found.within_reach);
                    }
                    unreachable
                },
            )
            .sum();
        self.unreachable += unreachable;
        (self.kept, self.effective, self.errors) = (kept, effective, errors);
        end - start
    }

    /// The second weights of the usable paths of block `block`, `[parameters, paths]`.
    fn second_weights(&self, block: usize, parameters: usize, weights: &mut Vec<f32>) {
        let mut stream = self.second.split(&format!("block {block}"));
        weights.clear();
        // Two numbers from each draw; of an odd count the last half is not used.
        for _ in 0..(parameters * self.paths).div_ceil(2) {
            let bits = stream.next_u64();
            weights.push(self.scale * symmetric(bits as u32));
            weights.push(self.scale * symmetric((bits >> 32) as u32));
        }
    }

    /// The numbers that parameter `index` can be put together from.
    fn coefficients(&self, index: usize, second: &[f32], coefficients: &mut Vec<f64>) {
        let neurons = self.neurons_of(index % (self.inputs + 1));
        coefficients.clear();
        coefficients.extend(
            neurons
                .iter()
                .zip(second)
                .map(|(&neuron, &b)| f64::from(self.first[neuron as usize]) * f64::from(b)),
        );
    }

    fn neurons_of(&self, input: usize) -> &[u32] {
        &self.usable[input * self.paths..][..self.paths]
    }

    /// What the pruned random layers really compute for one input, neuron by neuron, from the first
    /// and second weights themselves. Slow: all second weights are drawn again.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] where `x` has the wrong length, or a negative number: only the half for
    /// x >= 0 was built.
    pub fn forward(&self, x: &[f32]) -> Result<Vec<f32>> {
        if x.len() != self.inputs || !x.iter().all(|&x| x >= 0.0) {
            return Err(Error::Input(format!(
                "the layer takes {} inputs, none of them negative",
                self.inputs
            )));
        }
        let input = |i: u32| x.get(i as usize).copied().unwrap_or(1.0);
        let weights = self.first.iter().zip(&self.input_of);
        let z: Vec<f32> = weights.map(|(a, &i)| (a * input(i)).max(0.0)).collect();
        let mut y = vec![0.0; self.outputs];
        let mut second = Vec::new();
        for (block, kept) in self.kept.chunks(BLOCK).enumerate() {
            self.second_weights(block, kept.len(), &mut second);
            for (i, (&kept, second)) in kept.iter().zip(second.chunks(self.paths)).enumerate() {
                let index = block * BLOCK + i;
                let neurons = self.neurons_of(index % (self.inputs + 1)).iter();
                let of_parameter: f64 = neurons
                    .zip(second)
                    .enumerate()
                    .filter(|(k, _)| kept >> k & 1 == 1)
                    .map(|(_, (&neuron, &b))| f64::from(b) * f64::from(z[neuron as usize]))
                    .sum();
                y[index / (self.inputs + 1)] += of_parameter;
            }
        }
        Ok(y.into_iter().map(|y| y as f32).collect())
    }

    /// The pruned random layers as whole matrices: A `[neurons, inputs + 1]` and B
    /// `[outputs, neurons]`, row-major, with 0 for every pruned weight. Large: for `LeNet`'s first
    /// layer and n = 21 some 140 MB.
    #[must_use]
    pub fn matrices(&self) -> (Vec<f32>, Vec<f32>) {
        let (columns, neurons) = (self.inputs + 1, self.first.len());
        let (mut a, mut b) = (
            vec![0.0; neurons * columns],
            vec![0.0; self.outputs * neurons],
        );
        let mut second = Vec::new();
        for (block, kept) in self.kept.chunks(BLOCK).enumerate() {
            self.second_weights(block, kept.len(), &mut second);
            for (i, &kept) in kept.iter().enumerate() {
                let (output, input) =
                    ((block * BLOCK + i) / columns, (block * BLOCK + i) % columns);
                for (k, &neuron) in self.neurons_of(input).iter().enumerate() {
                    if kept >> k & 1 == 1 {
                        let neuron = neuron as usize;
                        a[neuron * columns + input] = self.first[neuron];
                        b[output * neurons + neuron] = second[i * self.paths + k];
                    }
                }
            }
        }
        (a, b)
    }

    /// The linear layer that the kept paths amount to for inputs that are not negative. Parameters
    /// that were not searched for yet are 0.
    #[must_use]
    pub fn effective(&self) -> Layer {
        let rows = self.effective.chunks_exact(self.inputs + 1);
        Layer {
            inputs: self.inputs,
            outputs: self.outputs,
            weight: rows
                .clone()
                .flat_map(|r| &r[..self.inputs])
                .copied()
                .collect(),
            bias: rows.map(|r| r[self.inputs]).collect(),
        }
    }

    /// Which paths are kept: bits `[outputs, inputs + 1, paths]`, the lowest bit of a byte first. The
    /// last of the inputs is the constant 1, a path is a usable neuron of its input.
    #[must_use]
    pub fn mask_bits(&self) -> Vec<u8> {
        let mut bits = vec![0; (self.kept.len() * self.paths).div_ceil(8)];
        for (index, &kept) in self.kept.iter().enumerate() {
            for k in 0..self.paths {
                let bit = index * self.paths + k;
                bits[bit / 8] |= ((kept >> k & 1) as u8) << (bit % 8);
            }
        }
        bits
    }

    /// Kept paths of each parameter `[outputs, inputs + 1]`; bit k is path k.
    #[must_use]
    pub fn kept(&self) -> &[u32] {
        &self.kept
    }

    /// `sum - target` of each parameter searched for so far, in the order of [`Self::kept`].
    #[must_use]
    pub fn errors(&self) -> &[f32] {
        &self.errors
    }

    /// Parameters so far that lay below the least or above the greatest sum.
    #[must_use]
    pub fn unreachable(&self) -> usize {
        self.unreachable
    }

    /// s: second weights are uniform in [-s, s).
    #[must_use]
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// What the layer holds and keeps.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (inputs, neurons) = (self.inputs + 1, self.first.len());
        let second: u64 = self
            .kept
            .iter()
            .map(|kept| u64::from(kept.count_ones()))
            .sum();
        // A first weight is kept where any output reads its neuron.
        let read = |input: usize| {
            let column = self.kept.iter().skip(input).step_by(inputs);
            u64::from(column.fold(0, |all, kept| all | kept).count_ones())
        };
        Counts {
            target: self.kept.len() as u64,
            paths: (self.kept.len() * self.paths) as u64,
            random: (neurons * (1 + self.outputs)) as u64,
            random_dense: (neurons * (inputs + self.outputs)) as u64,
            kept_paths: second,
            kept: second + (0..inputs).map(read).sum::<u64>(),
        }
    }
}

/// What a thread needs for a block.
#[derive(Default)]
struct Scratch {
    solver: Solver,
    second: Vec<f32>,
    coefficients: Vec<f64>,
}

/// A number in [-1, 1) from the upper 24 bits.
fn symmetric(bits: u32) -> f32 {
    (bits >> 8) as f32 / 8_388_608.0 - 1.0
}
