//! The numbers of greatest magnitude: which of a layer's weights a subnetwork keeps.
//!
//! Sorting is what makes edge-popup dear: `PyTorch`'s k-th value alone takes as long as the rest of
//! a small net's training step. Here two quantiles of a sample bracket the value that is looked
//! for, one pass counts what lies below and copies out what lies between, and only that small rest
//! is searched. The answer is exact whatever the sample says: where it misleads, everything is
//! searched.
//!
//! Magnitudes are compared by their bits, which for floats without a sign have the order of the
//! numbers, with NaN above all as in `PyTorch`'s sort.
#![expect(
    clippy::inline_always,
    reason = "a loop gets the vector instructions of the function it is inlined into"
)]

use std::cmp::Ordering;

use super::lanes::{each, rows, vectorise};

/// Up to this many numbers are searched as they are.
const SMALL: usize = 1 << 13;

/// Numbers of the sample.
const SAMPLE: usize = 1 << 12;

/// Numbers of one piece of the pass over all.
const PIECE: usize = 1 << 14;

/// Numbers that are compared together.
const BLOCK: usize = 16;

/// Which numbers of a slice are kept: those above a magnitude, and of its equals the last ones.
///
/// The same are kept by a stable sort of the magnitudes from which the first ones are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Top {
    /// The least magnitude that is kept, as bits.
    least: u32,
    /// Equals of it are kept from here on.
    first: usize,
}

#[inline(always)]
fn magnitude(x: f32) -> u32 {
    x.to_bits() & 0x7fff_ffff
}

impl Top {
    /// The `kept` numbers of greatest magnitude.
    ///
    /// # Panics
    /// When more are to be kept than there are.
    #[must_use]
    pub fn new(values: &[f32], kept: usize) -> Self {
        let dropped = values
            .len()
            .checked_sub(kept)
            .expect("no more are kept than there are");
        if kept == 0 {
            return Self {
                least: u32::MAX,
                first: values.len(),
            };
        }
        let (least, below) = ranked(values, dropped);
        // Of the equals so many are dropped that `dropped` are.
        let ties = values.iter().enumerate();
        let mut ties = ties.filter(|(_, x)| magnitude(**x) == least);
        let first = match dropped - below {
            0 => 0,
            more => ties.nth(more).map_or(values.len(), |(at, _)| at),
        };
        Self { least, first }
    }

    /// Whether the number `x` at `index` is kept.
    #[inline(always)]
    #[must_use]
    pub fn keeps(self, index: usize, x: f32) -> bool {
        match magnitude(x).cmp(&self.least) {
            Ordering::Greater => true,
            Ordering::Equal => index >= self.first,
            Ordering::Less => false,
        }
    }

    /// `weights` where the scores' numbers are kept, zero elsewhere.
    ///
    /// # Panics
    /// When there are not as many of both.
    #[must_use]
    pub fn choose(self, scores: &[f32], weights: &[f32]) -> Vec<f32> {
        assert_eq!(scores.len(), weights.len(), "one score for each weight");
        rows(scores.len(), 1, |start, out| {
            let scores = &scores[start..][..out.len()];
            let weights = &weights[start..][..out.len()];
            // Before the first kept equal a magnitude has to be above the least, then at least it.
            let equal = self.first.saturating_sub(start).min(out.len());
            let (before, behind) = out.split_at_mut(equal);
            let above = self.least.saturating_add(1);
            vectorise(
                #[inline(always)]
                || {
                    keep(&scores[..equal], &weights[..equal], before, above);
                    keep(&scores[equal..], &weights[equal..], behind, self.least);
                },
            );
        })
    }
}

#[inline(always)]
fn keep(scores: &[f32], weights: &[f32], out: &mut [f32], least: u32) {
    for ((out, score), weight) in out.iter_mut().zip(scores).zip(weights) {
        *out = if magnitude(*score) >= least {
            *weight
        } else {
            0.0
        };
    }
}

/// The magnitude with `rank` before it in the order of magnitudes, and how many are less than it.
fn ranked(values: &[f32], rank: usize) -> (u32, usize) {
    if values.len() > SMALL {
        let bracket = bracket(values, rank);
        let (below, mut between) = within(values, bracket);
        if let Some(inner) = rank.checked_sub(below)
            && inner < between.len()
        {
            let (found, less) = nth(&mut between, inner);
            return (found, below + less);
        }
    }
    let mut all: Vec<u32> = values.iter().map(|x| magnitude(*x)).collect();
    nth(&mut all, rank)
}

/// The number of this rank, and how many are less than it.
fn nth(values: &mut [u32], rank: usize) -> (u32, usize) {
    let (smaller, found, _) = values.select_nth_unstable(rank);
    let found = *found;
    let less = smaller.iter().filter(|x| **x < found).count();
    (found, less)
}

/// Two magnitudes between which that of a rank lies, almost always.
fn bracket(values: &[f32], rank: usize) -> (u32, u32) {
    // Steps of the golden section spread over the numbers without following their rows.
    let position = |i: usize| {
        let turn = (i as u32).wrapping_mul(0x9e37_79b9);
        ((u64::from(turn) * values.len() as u64) >> 32) as usize
    };
    let mut sample: Vec<u32> = (0..SAMPLE)
        .map(|i| magnitude(values[position(i)]))
        .collect();
    // Four standard deviations of a median's rank, which is the rank that varies most.
    let spread = 2 * SAMPLE.isqrt();
    let middle = (rank as u64 * SAMPLE as u64 / values.len() as u64) as usize;
    let low = match middle.checked_sub(spread) {
        Some(at) => *sample.select_nth_unstable(at).1,
        None => 0,
    };
    let high = match middle + spread {
        at if at < SAMPLE => *sample.select_nth_unstable(at).1,
        _ => u32::MAX,
    };
    (low, high)
}

/// How many magnitudes lie below a bracket, and those within it, in their order.
fn within(values: &[f32], bracket: (u32, u32)) -> (usize, Vec<u32>) {
    let pieces = each(values.len().div_ceil(PIECE), values.len(), |index| {
        let end = values.len().min((index + 1) * PIECE);
        let piece = &values[index * PIECE..end];
        vectorise(
            #[inline(always)]
            || within_piece(piece, bracket),
        )
    });
    let mut below = 0;
    let mut between = Vec::with_capacity(pieces.iter().map(|piece| piece.1.len()).sum());
    for (less, found) in pieces {
        below += less;
        between.extend_from_slice(&found);
    }
    (below, between)
}

#[inline(always)]
fn within_piece(values: &[f32], (low, high): (u32, u32)) -> (usize, Vec<u32>) {
    let mut below = 0_u32;
    // A sample's bracket holds one number in sixteen.
    let mut between = Vec::with_capacity(values.len() / 8);
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    // One comparison: below `low` the difference wraps round to a large number.
    let inside = |x: u32| x.wrapping_sub(low) <= high - low;
    for block in blocks {
        // A branch for each number would be mispredicted once in sixteen; bits are not.
        let mut found = 0_u32;
        for (i, &x) in block.iter().enumerate() {
            let x = magnitude(x);
            below += u32::from(x < low);
            found |= u32::from(inside(x)) << i;
        }
        while found != 0 {
            between.push(magnitude(block[found.trailing_zeros() as usize]));
            found &= found - 1;
        }
    }
    for x in rest.iter().map(|x| magnitude(*x)) {
        below += u32::from(x < low);
        between.extend(inside(x).then_some(x));
    }
    (below as usize, between)
}

/// How many numbers differ between two slices.
///
/// # Panics
/// When there are not as many in both.
#[must_use]
pub fn differences(a: &[f32], b: &[f32]) -> usize {
    assert_eq!(a.len(), b.len(), "numbers of one shape");
    let pieces = each(a.len().div_ceil(PIECE), a.len(), |index| {
        let end = a.len().min((index + 1) * PIECE);
        let (a, b) = (&a[index * PIECE..end], &b[index * PIECE..end]);
        vectorise(
            #[inline(always)]
            || {
                let differ = |(a, b): (&f32, &f32)| u32::from(a.to_bits() != b.to_bits());
                a.iter().zip(b).map(differ).sum::<u32>()
            },
        )
    });
    pieces.into_iter().map(|count| count as usize).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BLOCK, PIECE, SMALL, Top, differences, magnitude};
    use crate::rng::Rng;

    /// What is kept, by a stable sort of everything.
    fn by_sorting(values: &[f32], kept: usize) -> Vec<bool> {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs()));
        let mut keeps = vec![false; values.len()];
        for index in &order[values.len() - kept..] {
            keeps[*index] = true;
        }
        keeps
    }

    fn check(values: &[f32], kept: usize) {
        let top = Top::new(values, kept);
        let keeps = values.iter().enumerate().map(|(i, x)| top.keeps(i, *x));
        let keeps: Vec<bool> = keeps.collect();
        assert_eq!(
            keeps,
            by_sorting(values, kept),
            "{kept} of {}",
            values.len()
        );
        let weights: Vec<f32> = (1..=values.len()).map(|i| i as f32).collect();
        let chosen = top.choose(values, &weights);
        for (i, (chosen, weight)) in chosen.iter().zip(&weights).enumerate() {
            let expected = if keeps[i] { *weight } else { 0.0 };
            assert_eq!(chosen.to_bits(), expected.to_bits(), "weight {i}");
        }
    }

    fn normals(len: usize) -> Vec<f32> {
        let mut rng = Rng::new(4).split("scores");
        (0..len).map(|_| rng.normal() as f32).collect()
    }

    #[test]
    fn as_many_are_kept_as_a_sort_keeps() {
        for len in [1, 5, BLOCK + 3, SMALL, SMALL + 1, 5 * PIECE + 77] {
            let values = normals(len);
            for kept in [0, 1, len / 10, len / 2, len - len / 3, len - 1, len] {
                check(&values, kept);
            }
        }
    }

    #[test]
    fn of_equals_the_last_are_kept() {
        for len in [10, SMALL + 20, 5 * PIECE + 7] {
            for distinct in [1, 2, 7] {
                let mut rng = Rng::new(1).split("ties");
                let one = |_| (rng.below(distinct) as f32 - 1.0) * 0.5;
                let values: Vec<f32> = (0..len).map(one).collect();
                for kept in [0, 1, len / 3, len / 2, len - 1, len] {
                    check(&values, kept);
                }
            }
        }
    }

    #[test]
    fn numbers_that_mislead_the_sample_are_searched_whole() {
        let len = 5 * PIECE;
        let sorted: Vec<f32> = (0..len).map(|i| i as f32 - 1000.0).collect();
        check(&sorted, len / 2);
        // One number in a hundred thousand is not zero: a sample sees zeros only.
        let mut rare = vec![0.0; len];
        (rare[17], rare[len - 5]) = (3.0, -4.0);
        for kept in [1, 2, 3, len - 1] {
            check(&rare, kept);
        }
        let mut wild = normals(len);
        (wild[3], wild[4], wild[5]) = (f32::NAN, f32::NEG_INFINITY, -0.0);
        for kept in [1, 2, 3, len / 2] {
            check(&wild, kept);
        }
    }

    #[test]
    fn the_choice_is_the_same_for_any_number_of_threads() {
        let values = normals(300 * 784);
        let weights = normals(values.len());
        let mut choices = [1, 2, 5].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().expect("a pool");
            pool.install(|| {
                let top = Top::new(&values, 117_600);
                (top, top.choose(&values, &weights))
            })
        });
        let (one, more) = choices.split_at_mut(1);
        assert!(more.iter().all(|other| *other == one[0]));
    }

    #[test]
    fn differences_are_counted() {
        let a = normals(5 * PIECE + 3);
        let mut b = a.clone();
        assert_eq!(differences(&a, &b), 0);
        for at in [0, PIECE, 5 * PIECE + 2] {
            b[at] = 9.0;
        }
        assert_eq!(differences(&a, &b), 3);
    }

    proptest! {
        #[test]
        fn any_scores(values in prop::collection::vec(-3_i8..4, 1..200), kept in 0_usize..200) {
            let values: Vec<f32> = values.into_iter().map(f32::from).collect();
            check(&values, kept.min(values.len()));
        }
    }

    #[test]
    fn magnitudes_have_the_order_of_numbers() {
        let order = [0.0, 1e-40, 1e-20, 0.5, 1.0, 3e38, f32::INFINITY];
        for pair in order.windows(2) {
            assert!(magnitude(-pair[0]) < magnitude(pair[1]));
        }
        assert_eq!(magnitude(-0.0), magnitude(0.0));
    }

    /// Not a check: prints what the choice costs. Run with `--ignored --nocapture`.
    #[test]
    #[ignore = "a measurement"]
    fn cost_of_a_choice() {
        for len in [300 * 784, 266_200, 3_211_264] {
            let values = normals(len);
            let weights = normals(len);
            for threads in [1, 2] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                let pool = pool.build().expect("a pool");
                let (mut find, mut all) = (f64::MAX, f64::MAX);
                for _ in 0..50 {
                    let begin = std::time::Instant::now();
                    let top = pool.install(|| Top::new(&values, len / 2));
                    let found = begin.elapsed().as_secs_f64();
                    let chosen = pool.install(|| top.choose(&values, &weights));
                    std::hint::black_box(chosen);
                    find = find.min(found);
                    all = all.min(begin.elapsed().as_secs_f64());
                }
                println!(
                    "{len} scores, {threads} threads: threshold {:.3} ms, with the weights {:.3} ms",
                    find * 1e3,
                    all * 1e3
                );
            }
        }
    }
}
