//! The optimisers' updates, each in one pass over the numbers of a weight.
//!
//! Adam reads a weight, its gradient and two moments and writes three of them; put together from
//! tensor operations that is more than ten passes through memory and as many allocations. The
//! loops here are plain Rust. `pulp` compiles them for the widest vectors the machine has; as no
//! product is fused with a sum, the results are the same on all of them. Work is cut into chunks
//! of a fixed length, whatever the number of threads.
#![expect(
    clippy::inline_always,
    reason = "a loop gets the vector instructions of the function it is inlined into"
)]

use pulp::Arch;
use rayon::prelude::*;

/// Numbers in one piece of work: with Adam's four arrays 256 KiB, which fit a core's cache.
const CHUNK: usize = 16 * 1024;

/// A gradient, and what is done to it on the way.
#[derive(Clone, Copy, Debug)]
pub struct Gradient<'a> {
    /// One number for each of the weight's.
    pub values: &'a [f32],
    /// Multiplies every number, as clipping by the norm does.
    pub scale: f32,
    /// Numbers are then held within `[-limit, limit]`; infinite for no limit.
    pub limit: f32,
    /// Zeros and ones. Where it is zero, the gradient counts as zero and the weight becomes zero.
    pub mask: Option<&'a [u8]>,
}

impl Gradient<'_> {
    /// The gradient and the mask of one chunk.
    fn chunk(&self, index: usize) -> Self {
        let from = index * CHUNK;
        let to = self.values.len().min(from + CHUNK);
        Self {
            values: &self.values[from..to],
            mask: self.mask.map(|mask| &mask[from..to]),
            ..*self
        }
    }

    #[inline(always)]
    fn clipped(&self, value: f32) -> f32 {
        // clamp hands NaN on, so that it is found.
        (value * self.scale).clamp(-self.limit, self.limit)
    }

    fn check(&self, weights: usize) {
        assert_eq!(self.values.len(), weights, "one gradient for each weight");
        let masked = self.mask.map_or(weights, <[u8]>::len);
        assert_eq!(masked, weights, "one mask for each weight");
    }
}

/// The value where `keep` is 1, zero where it is 0, whatever the value; without a branch, so that
/// it becomes a vector instruction.
#[inline(always)]
fn held(value: f32, keep: u8) -> f32 {
    f32::from_bits(value.to_bits() & 0_u32.wrapping_sub(u32::from(keep)))
}

/// The numbers of one step of Adam.
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// The learning rate over the first moment's bias correction, `lr / (1 - beta1^t)`.
    pub step_size: f32,
    /// One over the root of the second moment's bias correction, `1 / sqrt(1 - beta2^t)`.
    pub root_correction: f32,
    /// What the first moment forgets in a step, `1 - beta1`.
    pub forget1: f32,
    /// What is kept of the second moment in a step.
    pub beta2: f32,
    /// What the second moment forgets in a step, `1 - beta2`.
    pub forget2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Weight decay that is added to the gradient (Adam).
    pub decay: f32,
    /// What the weight is multiplied with first, `1 - lr * decay` (`AdamW`).
    pub keep: f32,
}

impl Adam {
    /// One number's update: returns the weight and both moments.
    #[inline(always)]
    fn one(&self, w: f32, m: f32, v: f32, g: f32) -> (f32, f32, f32) {
        let w = w * self.keep;
        let g = g + self.decay * w;
        let m = m + (g - m) * self.forget1;
        let v = v * self.beta2 + self.forget2 * g * g;
        let root = v.sqrt() * self.root_correction + self.epsilon;
        (w - self.step_size * (m / root), m, v)
    }

    /// One step of Adam (Kingma and Ba 2015, algorithm 1) or `AdamW` (Loshchilov and Hutter 2019,
    /// algorithm 2) on a weight and its two moments.
    ///
    /// # Panics
    /// When the arrays differ in length.
    pub fn step(&self, weight: &mut [f32], m: &mut [f32], v: &mut [f32], gradient: Gradient<'_>) {
        gradient.check(weight.len());
        let arch = Arch::new();
        let chunk = |index: usize, weight: &mut [f32], m: &mut [f32], v: &mut [f32]| {
            arch.dispatch(AdamChunk {
                rule: self,
                weight,
                m,
                v,
                gradient: gradient.chunk(index),
            });
        };
        if weight.len() <= CHUNK {
            return chunk(0, weight, m, v);
        }
        weight
            .par_chunks_mut(CHUNK)
            .zip_eq(m.par_chunks_mut(CHUNK))
            .zip_eq(v.par_chunks_mut(CHUNK))
            .enumerate()
            .for_each(|(index, ((weight, m), v))| chunk(index, weight, m, v));
    }
}

struct AdamChunk<'a> {
    rule: &'a Adam,
    weight: &'a mut [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
    gradient: Gradient<'a>,
}

impl pulp::NullaryFnOnce for AdamChunk<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        // Copies, so that the loop need not fear that writing a weight changes them.
        let (rule, gradient) = (*self.rule, self.gradient);
        let numbers = self.weight.iter_mut().zip(self.m).zip(self.v);
        let numbers = numbers.zip(gradient.values);
        match gradient.mask {
            None => {
                for (((w, m), v), &g) in numbers {
                    (*w, *m, *v) = rule.one(*w, *m, *v, gradient.clipped(g));
                }
            }
            Some(mask) => {
                for ((((w, m), v), &g), &keep) in numbers.zip(mask) {
                    let g = gradient.clipped(held(g, keep));
                    let (new, first, second) = rule.one(held(*w, keep), *m, *v, g);
                    (*w, *m, *v) = (held(new, keep), first, second);
                }
            }
        }
    }
}

/// The numbers of one step of gradient descent.
#[derive(Clone, Copy, Debug)]
pub struct Sgd {
    /// The learning rate.
    pub rate: f32,
    /// What is kept of the velocity in a step.
    pub momentum: f32,
    /// Whether the gradient is taken ahead of the velocity (Nesterov).
    pub nesterov: bool,
    /// Weight decay, added to the gradient.
    pub decay: f32,
}

impl Sgd {
    /// One number's update with momentum: returns the weight and the velocity.
    #[inline(always)]
    fn one(&self, w: f32, velocity: f32, g: f32, ahead: f32) -> (f32, f32) {
        let g = g + self.decay * w;
        let velocity = self.momentum * velocity + g;
        // `ahead` is one for Nesterov's form, zero for the heavy ball's.
        let direction = ahead * (g + self.momentum * velocity) + (1.0 - ahead) * velocity;
        (w - self.rate * direction, velocity)
    }

    /// One step of gradient descent on a weight and its velocity (Sutskever et al. 2013, as
    /// `PyTorch` writes it). Without momentum the velocity is not needed.
    ///
    /// # Panics
    /// When the arrays differ in length.
    pub fn step(&self, weight: &mut [f32], velocity: Option<&mut [f32]>, gradient: Gradient<'_>) {
        gradient.check(weight.len());
        let arch = Arch::new();
        let chunk = |index: usize, weight: &mut [f32], velocity: Option<&mut [f32]>| {
            let gradient = gradient.chunk(index);
            match velocity {
                Some(velocity) => arch.dispatch(MomentumChunk {
                    rule: self,
                    weight,
                    velocity,
                    gradient,
                }),
                None => arch.dispatch(DescentChunk {
                    rule: self,
                    weight,
                    gradient,
                }),
            }
        };
        if weight.len() <= CHUNK {
            return chunk(0, weight, velocity);
        }
        let weights = weight.par_chunks_mut(CHUNK).enumerate();
        match velocity {
            Some(velocity) => weights
                .zip_eq(velocity.par_chunks_mut(CHUNK))
                .for_each(|((index, weight), velocity)| chunk(index, weight, Some(velocity))),
            None => weights.for_each(|(index, weight)| chunk(index, weight, None)),
        }
    }
}

struct MomentumChunk<'a> {
    rule: &'a Sgd,
    weight: &'a mut [f32],
    velocity: &'a mut [f32],
    gradient: Gradient<'a>,
}

impl pulp::NullaryFnOnce for MomentumChunk<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (rule, gradient) = (*self.rule, self.gradient);
        let ahead = f32::from(u8::from(rule.nesterov));
        let numbers = self.weight.iter_mut().zip(self.velocity);
        let numbers = numbers.zip(gradient.values);
        match gradient.mask {
            None => {
                for ((w, u), &g) in numbers {
                    (*w, *u) = rule.one(*w, *u, gradient.clipped(g), ahead);
                }
            }
            Some(mask) => {
                for (((w, u), &g), &keep) in numbers.zip(mask) {
                    let g = gradient.clipped(held(g, keep));
                    let (new, velocity) = rule.one(held(*w, keep), *u, g, ahead);
                    (*w, *u) = (held(new, keep), velocity);
                }
            }
        }
    }
}

struct DescentChunk<'a> {
    rule: &'a Sgd,
    weight: &'a mut [f32],
    gradient: Gradient<'a>,
}

impl pulp::NullaryFnOnce for DescentChunk<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (rule, gradient) = (*self.rule, self.gradient);
        let numbers = self.weight.iter_mut().zip(gradient.values);
        let one = |w: f32, g: f32| w - rule.rate * (gradient.clipped(g) + rule.decay * w);
        match gradient.mask {
            None => {
                for (w, &g) in numbers {
                    *w = one(*w, g);
                }
            }
            Some(mask) => {
                for ((w, &g), &keep) in numbers.zip(mask) {
                    *w = held(one(*w, g), keep);
                }
            }
        }
    }
}

/// Moves every number of `average` towards that of `values`: `a += (x - a) * share`.
///
/// # Panics
/// When the arrays differ in length.
pub fn move_towards(average: &mut [f32], values: &[f32], share: f32) {
    assert_eq!(average.len(), values.len(), "one average for each number");
    let arch = Arch::new();
    average
        .par_chunks_mut(CHUNK)
        .zip_eq(values.par_chunks(CHUNK))
        .for_each(|(average, values)| {
            arch.dispatch(
                #[inline(always)]
                || {
                    for (a, &x) in average.iter_mut().zip(values) {
                        *a += (x - *a) * share;
                    }
                },
            );
        });
}

/// The sum of the squares, in double precision and in an order that depends on the length only.
/// Numbers whose mask is zero are left out.
///
/// # Panics
/// When there is a mask of another length.
#[must_use]
pub fn square_sum(values: &[f32], mask: Option<&[u8]>) -> f64 {
    let masked = mask.map_or(values.len(), <[u8]>::len);
    assert_eq!(masked, values.len(), "one mask for each number");
    let arch = Arch::new();
    let one = |index: usize, values: &[f32]| {
        let from = index * CHUNK;
        let mask = mask.map_or(&ALL[..values.len()], |mask| {
            &mask[from..from + values.len()]
        });
        arch.dispatch(SquareSum { values, mask })
    };
    if values.len() <= CHUNK {
        return one(0, values);
    }
    // The sums of the chunks are found in any order but added in that of the numbers.
    let chunks = values.par_chunks(CHUNK).enumerate();
    let sums: Vec<f64> = chunks.map(|(index, values)| one(index, values)).collect();
    sums.iter().sum()
}

/// The mask of a chunk without one. It costs nothing beside the numbers, and a second loop without
/// a mask would be compiled to scalar instructions, at a quarter of the speed.
static ALL: [u8; CHUNK] = [1; CHUNK];

struct SquareSum<'a> {
    values: &'a [f32],
    mask: &'a [u8],
}

impl pulp::NullaryFnOnce for SquareSum<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let (groups, rest) = self.values.as_chunks::<16>();
        let (masks, rest_mask) = self.mask.as_chunks::<16>();
        let mut lanes = [0.0_f64; 16];
        for (group, mask) in groups.iter().zip(masks) {
            for ((lane, &x), &keep) in lanes.iter_mut().zip(group).zip(mask) {
                let x = f64::from(held(x, keep));
                *lane += x * x;
            }
        }
        for ((lane, &x), &keep) in lanes.iter_mut().zip(rest).zip(rest_mask) {
            let x = f64::from(held(x, keep));
            *lane += x * x;
        }
        lanes.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Adam, CHUNK, Gradient, Sgd, move_towards, square_sum};
    use crate::rng::Rng;

    /// More than two chunks, and a rest that fills no vector.
    const LEN: usize = 2 * CHUNK + 13;

    fn normals(label: &str) -> Vec<f32> {
        let mut rng = Rng::new(1).split(label);
        (0..LEN).map(|_| rng.normal() as f32).collect()
    }

    fn mask() -> Vec<u8> {
        let mut rng = Rng::new(1).split("mask");
        (0..LEN).map(|_| u8::from(rng.below(3) > 0)).collect()
    }

    const ADAM: Adam = Adam {
        step_size: 0.01,
        root_correction: 1.5,
        forget1: 0.1,
        beta2: 0.99,
        forget2: 0.01,
        epsilon: 1e-8,
        decay: 0.02,
        keep: 0.999,
    };

    /// The loops as compiled for the baseline, one number at a time, are the reference: vectors of
    /// any width must give the same bits.
    #[test]
    fn adam_equals_its_scalar_form_for_any_number_of_threads() {
        let (w0, g, mask) = (normals("w"), normals("g"), mask());
        let m0 = normals("m");
        let v0: Vec<f32> = normals("v").iter().map(|x| x * x).collect();
        for masked in [false, true] {
            let gradient = Gradient {
                values: &g,
                scale: 0.5,
                limit: 0.7,
                mask: masked.then_some(&mask[..]),
            };
            let expected: Vec<(f32, f32, f32)> = (0..LEN)
                .map(|i| {
                    let held = masked && mask[i] == 0;
                    let (w, x) = if held { (0.0, 0.0) } else { (w0[i], g[i]) };
                    let x = (x * 0.5).clamp(-0.7, 0.7);
                    let (new, m, v) = ADAM.one(w, m0[i], v0[i], x);
                    (if held { 0.0 } else { new }, m, v)
                })
                .collect();
            for threads in [1, 5] {
                let (mut w, mut m, mut v) = (w0.clone(), m0.clone(), v0.clone());
                pool(threads).install(|| ADAM.step(&mut w, &mut m, &mut v, gradient));
                for i in 0..LEN {
                    let bits = |(a, b, c): (f32, f32, f32)| (a.to_bits(), b.to_bits(), c.to_bits());
                    assert_eq!(bits((w[i], m[i], v[i])), bits(expected[i]), "number {i}");
                }
            }
        }
    }

    #[test]
    fn descent_equals_its_scalar_form_for_any_number_of_threads() {
        let (w0, u0, g, mask) = (normals("w"), normals("u"), normals("g"), mask());
        for (momentum, nesterov, masked) in [
            (0.0, false, false),
            (0.0, false, true),
            (0.9, false, true),
            (0.9, true, false),
            (0.9, true, true),
        ] {
            let rule = Sgd {
                rate: 0.1,
                momentum,
                nesterov,
                decay: 1e-3,
            };
            let gradient = Gradient {
                values: &g,
                scale: 1.0,
                limit: f32::INFINITY,
                mask: masked.then_some(&mask[..]),
            };
            let mut outcomes = [1, 5].map(|threads| {
                let (mut w, mut u) = (w0.clone(), u0.clone());
                let velocity = (momentum > 0.0).then_some(&mut u[..]);
                pool(threads).install(|| rule.step(&mut w, velocity, gradient));
                (w, u)
            });
            let (one, five) = outcomes.split_at_mut(1);
            assert_eq!(one, five);
            for i in 0..LEN {
                let held = masked && mask[i] == 0;
                // In f64, with the textbook's branches.
                let [w, u, x] = [w0[i], u0[i], g[i]].map(f64::from);
                let (w, x) = if held { (0.0, 0.0) } else { (w, x) };
                let x = x + 1e-3 * w;
                let u = if momentum > 0.0 { 0.9 * u + x } else { x };
                let step = if nesterov { x + 0.9 * u } else { u };
                let new = if held { 0.0 } else { w - 0.1 * step };
                assert!((f64::from(one[0].0[i]) - new).abs() < 1e-6, "number {i}");
            }
        }
    }

    #[test]
    fn not_a_number_is_not_clipped_away() {
        let mut w = [1.0_f32];
        let rule = Sgd {
            rate: 1.0,
            momentum: 0.0,
            nesterov: false,
            decay: 0.0,
        };
        let gradient = Gradient {
            values: &[f32::NAN],
            scale: 1.0,
            limit: 1.0,
            mask: None,
        };
        rule.step(&mut w, None, gradient);
        assert!(w[0].is_nan());
        let mask = Some(&[0][..]);
        rule.step(&mut w, None, Gradient { mask, ..gradient });
        assert_eq!(w[0].to_bits(), 0, "a masked weight is zero whatever comes");
    }

    #[test]
    fn sums_and_averages_are_right_and_the_same_for_any_number_of_threads() {
        let values = normals("g");
        let exact: f64 = values.iter().map(|&x| f64::from(x).powi(2)).sum();
        let sums = [1, 5].map(|threads| pool(threads).install(|| square_sum(&values, None)));
        assert!((sums[0] / exact - 1.0).abs() < 1e-12);
        assert_eq!(sums[0].to_bits(), sums[1].to_bits());
        assert!(square_sum(&[], None).abs() < 1e-300);
        let mask = mask();
        let masked = square_sum(&values, Some(&mask));
        let kept = values.iter().zip(&mask).filter(|(_, keep)| **keep > 0);
        let exact: f64 = kept.map(|(&x, _)| f64::from(x).powi(2)).sum();
        assert!((masked / exact - 1.0).abs() < 1e-12);

        let mut average = normals("w");
        move_towards(&mut average, &values, 0.25);
        for ((a, w), x) in average.iter().zip(normals("w")).zip(&values) {
            assert!((f64::from(*a) - (0.75 * f64::from(w) + 0.25 * f64::from(*x))).abs() < 1e-6);
        }
    }

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool")
    }
}
