//! The exact solver: which subset of n coefficients has the sum nearest to a target.
//!
//! Meet in the middle (Horowitz and Sahni 1974): the 2^(n/2) sums of each half of the coefficients
//! are listed in ascending order, and one walk along both lists meets the nearest pair. That is
//! about 2^(n/2 + 2) steps instead of 2^n. Four things make a step cheap:
//!
//! * **Keys.** A sum is a whole number in fixed point, and the subset it belongs to sits in its
//!   lowest 16 bits. Adding a coefficient to sum and subset is one addition, ordering is one
//!   comparison, and no subset has to be searched for afterwards.
//! * **Only positive coefficients.** Taking `c < 0` is leaving out `|c|` from a sum that starts
//!   lower. So each list begins at 0, and it is symmetric: the complement of a subset has the total
//!   minus its sum. Of each merge only the lower half is done; the upper half is its mirror.
//! * **No branches.** Which list the next sum comes from is a coin toss, so a branch would be
//!   predicted wrongly every other time. The comparison's result is added to an index instead.
//! * **Several walks at once.** Such a step waits for the one before. A merge can start anywhere
//!   (Green, Odeh and Birk 2014, "merge path"), so four stretches advance side by side.
//!
//! Fixed point is no loss: a key has 44 bits for its sum, so the answer is the exact optimum up to
//! n · 2⁻⁴⁴ of the coefficients' total, and the reported error is summed anew in `f64`.

use std::array;

use super::lists::{List, SUBSET_BITS, fill};

/// The most coefficients a [`Solver`] takes.
pub const MAX_COEFFICIENTS: usize = 30;

/// Bits of a key that hold a sum. Keys stay two bits below the sentinel.
const SUM_BITS: i32 = 44;
/// Steps of a walk between two looks at what it has found.
const BLOCK: usize = 64;
/// Walks side by side.
const LANES: usize = 4;

/// A subset and how near its sum comes to the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subset {
    /// Bit i is set where coefficient i is in the subset.
    pub mask: u32,
    /// The subset's sum, added in ascending order of i.
    pub sum: f64,
    /// `sum - target`.
    pub error: f64,
    /// Whether the target lies between the least and the greatest sum.
    pub within_reach: bool,
}

/// Finds nearest subset sums; keeps its scratch memory from one call to the next.
#[derive(Clone, Debug, Default)]
pub struct Solver {
    first: List,
    second: List,
}

impl Solver {
    /// A solver without scratch memory; the first call takes it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The subset whose sum is nearest to `target`.
    ///
    /// # Panics
    ///
    /// With more than [`MAX_COEFFICIENTS`] coefficients, or with a number that is not finite.
    pub fn nearest(&mut self, coefficients: &[f64], target: f64) -> Subset {
        self.within(coefficients, target, 0.0)
    }

    /// A subset whose sum is within `tolerance` of `target`, or else the nearest one.
    ///
    /// The search stops soon after the first subset that is near enough. The lists are made all the
    /// same, so at most half of the time is saved.
    ///
    /// # Panics
    ///
    /// As [`Solver::nearest`].
    pub fn within(&mut self, coefficients: &[f64], target: f64, tolerance: f64) -> Subset {
        let scale = Scale::of(coefficients, target);
        let (front, back) = coefficients.split_at(coefficients.len() / 2);
        let keys = |half: &[f64]| -> [i64; 16] {
            array::from_fn(|i| half.get(i).map_or(0, |&c| scale.key(c.abs()) | 1 << i))
        };
        let (front_keys, back_keys) = (keys(front), keys(back));
        fill(
            &mut self.first,
            &front_keys[..front.len()],
            &mut self.second,
            &back_keys[..back.len()],
        );
        let all: i64 = back_keys.iter().sum();
        let offset = all - scale.key(scale.target);
        let stop = if scale.within_reach {
            (tolerance * scale.factor) as u64
        } else {
            0
        };
        let (i, j) = nearest_pair(self.first.keys(), self.second.keys(), offset, stop);

        let subset = |key: i64| (key & ((1 << SUBSET_BITS) - 1)) as u32;
        let taken =
            subset(self.first.keys()[i]) | subset(all - self.second.keys()[j]) << front.len();
        let mask = taken ^ scale.negative;
        let sum = sum_of(coefficients, mask);
        Subset {
            mask,
            sum,
            error: sum - target,
            within_reach: scale.within_reach,
        }
    }
}

/// The sum of the coefficients whose bit is set, in ascending order.
#[must_use]
pub fn sum_of(coefficients: &[f64], mask: u32) -> f64 {
    let chosen = coefficients.iter().enumerate();
    chosen
        .filter(|(i, _)| mask >> i & 1 == 1)
        .map(|(_, c)| c)
        .sum()
}

/// Additions and comparisons of whole numbers for n coefficients, one each: what the solver costs,
/// to be put beside floating-point operations.
#[must_use]
pub fn operations(n: usize) -> f64 {
    let length = |coefficients: usize| (coefficients as f64).exp2();
    let (first, second) = (length(n / 2), length(n - n / 2));
    // A list of length 2m takes m merge steps of an addition and a comparison, and m subtractions;
    // those before it take as many again. A step of the search: two additions, three comparisons.
    3.0 * (first + second) + 5.0 * (first + second)
}

/// Fixed point: which whole number stands for a coefficient.
struct Scale {
    factor: f64,
    /// The target, counted from the sum of the negative coefficients and moved within reach.
    target: f64,
    within_reach: bool,
    /// Bit i is set where coefficient i is negative.
    negative: u32,
}

impl Scale {
    fn of(coefficients: &[f64], target: f64) -> Self {
        let n = coefficients.len();
        assert!(n <= MAX_COEFFICIENTS, "{n} coefficients are too many");
        let mut negative = 0;
        let (mut total, mut lowest) = (0.0, 0.0);
        for (i, &c) in coefficients.iter().enumerate() {
            negative |= u32::from(c < 0.0) << i;
            total += c.abs();
            lowest += c.min(0.0);
        }
        assert!(
            f64::is_finite(total) && target.is_finite(),
            "coefficients and target must be finite"
        );
        // A power of two, so that scaling rounds nothing: total * factor < 2^SUM_BITS.
        // -900 keeps the factor finite for the smallest of numbers, and for a total of 0.
        let exponent = ((total.to_bits() >> 52) as i32 - 1023).max(-900);
        let above_lowest = target - lowest;
        Self {
            factor: 2f64.powi(SUM_BITS - 1 - exponent),
            target: above_lowest.clamp(0.0, total),
            within_reach: (0.0..=total).contains(&above_lowest),
            negative,
        }
    }

    /// The key of a number and of no subset.
    fn key(&self, value: f64) -> i64 {
        // A cast rounds towards zero; half a unit more rounds to the nearest.
        ((value * self.factor + 0.5) as i64) << SUBSET_BITS
    }
}

/// The places in the two lists whose keys bring `a[i] - b[j] + offset` nearest to 0, or a pair
/// within `stop` of it. Both lists end with a sentinel.
fn nearest_pair(a: &[i64], b: &[i64], offset: i64, stop: u64) -> (usize, usize) {
    if (a.len() - 1).min(b.len() - 1) < LANES {
        walk::<1>(a, b, offset, stop)
    } else {
        walk::<LANES>(a, b, offset, stop)
    }
}

/// Walks along both lists in ascending order, in `N` stretches of one length.
fn walk<const N: usize>(a: &[i64], b: &[i64], offset: i64, stop: u64) -> (usize, usize) {
    let stretch = (a.len() + b.len() - 2) / N;
    let starts: [usize; N] = array::from_fn(|lane| lane * stretch);
    let mut taken = starts.map(|start| consumed(a, b, offset, start));
    let mut best = (u64::MAX, 0, 0, 0);
    let mut done = 0;
    while done < stretch {
        let steps = BLOCK.min(stretch - done);
        let before = taken;
        // As unsigned numbers the negative differences lie above all others. So the least is the
        // nearest one from above, the greatest the nearest one from below.
        let (mut above, mut below) = ([u64::MAX; N], [0; N]);
        for step in done..done + steps {
            for lane in 0..N {
                let i = taken[lane];
                let difference = (a[i] - b[starts[lane] + step - i] + offset) as u64;
                above[lane] = above[lane].min(difference);
                below[lane] = below[lane].max(difference);
                taken[lane] = i + (difference >> 63) as usize;
            }
        }
        for lane in 0..N {
            for difference in [above[lane], below[lane]] {
                let distance = (difference.cast_signed() >> SUBSET_BITS).unsigned_abs();
                if distance < best.0 {
                    best = (
                        distance,
                        difference.cast_signed(),
                        before[lane],
                        starts[lane] + done,
                    );
                }
            }
        }
        if best.0 <= stop {
            break;
        }
        done += steps;
    }
    // The best block is walked again, to see where in it the difference was met.
    let (_, difference, mut i, mut step) = best;
    loop {
        let here = a[i] - b[step - i] + offset;
        if here == difference {
            return (i, step - i);
        }
        i += usize::from(here < 0);
        step += 1;
    }
}

/// How many of the first `steps` steps of the walk advance in `a` (the merge path's split).
fn consumed(a: &[i64], b: &[i64], offset: i64, steps: usize) -> usize {
    let (mut low, mut high) = ((steps + 1).saturating_sub(b.len()), steps.min(a.len() - 1));
    while low < high {
        let middle = usize::midpoint(low, high);
        if a[middle] + offset < b[steps - 1 - middle] {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::{MAX_COEFFICIENTS, Solver, Subset, sum_of};
    use crate::rng::Rng;

    /// The least error of all 2^n subsets, each summed on its own.
    fn brute_force(coefficients: &[f64], target: f64) -> f64 {
        let errors = (0..1_u32 << coefficients.len())
            .map(|mask| (sum_of(coefficients, mask) - target).abs());
        errors.fold(f64::INFINITY, f64::min)
    }

    fn assert_optimal(coefficients: &[f64], target: f64, found: Subset) {
        let total: f64 = coefficients.iter().map(|c| c.abs()).sum();
        let best = brute_force(coefficients, target);
        assert!(
            found.error.abs() <= best + total * 2f64.powi(-38),
            "{found:?} misses {best} for {target} of {coefficients:?}"
        );
        let again = sum_of(coefficients, found.mask);
        assert!((again - found.sum).abs() <= 0.0 && (again - target - found.error).abs() <= 0.0);
        assert_eq!(found.mask >> coefficients.len(), 0, "no bit beyond n");
    }

    #[test]
    fn the_solver_finds_what_brute_force_finds() {
        let mut rng = Rng::new(1);
        let mut solver = Solver::new();
        for n in 0..=14 {
            for trial in 0..40 {
                let c: Vec<f64> = (0..n).map(|_| 2.0 * rng.uniform() - 1.0).collect();
                // Some targets out of reach.
                let width = if trial % 4 == 0 { 20.0 } else { 1.0 };
                let target = width * (2.0 * rng.uniform() - 1.0);
                assert_optimal(&c, target, solver.nearest(&c, target));
            }
        }
    }

    #[test]
    fn ties_zeros_one_sign_and_wild_magnitudes_are_solved_too() {
        let mut solver = Solver::new();
        let cases: [(&[f64], f64); 9] = [
            (&[0.0; 7], 0.3),
            (&[1.0; 9], 4.4),
            (&[-1.0; 9], -4.6),
            (&[0.5, 0.5, -0.5, -0.5, 0.25], 0.2),
            (&[1e-30, 3e-30, -2e-30, 5e-30], 5.4e-30),
            (&[1e30, 3e30, -2e30, 5e30, 1e29], 2.2e30),
            (&[-0.0, 1.0, 1e-9], 1.0),
            (&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0], 201.0),
            (&[f64::MIN_POSITIVE / 4.0, 0.0], 1.0),
        ];
        for (c, target) in cases {
            assert_optimal(c, target, solver.nearest(c, target));
        }
    }

    #[test]
    fn long_lists_agree_with_a_search_over_sorted_halves() {
        // Above brute force's reach: every sum of one half, looked up among the other's.
        let mut rng = Rng::new(2);
        let mut solver = Solver::new();
        for n in [17, 21, 24, 26, 29, MAX_COEFFICIENTS] {
            let c: Vec<f64> = (0..n).map(|_| 2.0 * rng.uniform() - 1.0).collect();
            let target = rng.uniform() - 0.5;
            let (front, back) = c.split_at(n / 3);
            let all = |half: &[f64]| -> Vec<f64> {
                (0..1 << half.len())
                    .map(|mask| sum_of(half, mask))
                    .collect()
            };
            let mut sorted = all(back);
            sorted.sort_unstable_by(f64::total_cmp);
            let mut best = f64::INFINITY;
            for a in all(front) {
                let place = sorted.partition_point(|b| a + b < target);
                for b in &sorted[place.saturating_sub(1)..(place + 1).min(sorted.len())] {
                    best = best.min((a + b - target).abs());
                }
            }
            let found = solver.nearest(&c, target);
            assert!(found.within_reach);
            assert!(found.error.abs() <= best + 1e-10, "{n}: {found:?}, {best}");
        }
    }

    #[test]
    fn a_tolerance_is_kept_and_costs_nothing_where_it_cannot_be_met() {
        let mut rng = Rng::new(3);
        let mut solver = Solver::new();
        let mut coarser = 0;
        for _ in 0..200 {
            let c: Vec<f64> = (0..18).map(|_| 2.0 * rng.uniform() - 1.0).collect();
            let target = 12.0 * rng.uniform() - 6.0;
            let nearest = solver.nearest(&c, target);
            let enough = solver.within(&c, target, 1e-3);
            let allowed = nearest.error.abs().max(1e-3);
            assert!(
                enough.error.abs() <= allowed + 1e-9,
                "{enough:?} {nearest:?}"
            );
            coarser += usize::from(enough.mask != nearest.mask);
        }
        assert!(
            coarser > 50,
            "the search should stop early: {coarser} of 200"
        );
    }

    #[test]
    fn reach_is_from_the_sum_of_the_negative_to_that_of_the_positive() {
        let c = [0.5, -0.25, 0.125];
        let mut solver = Solver::new();
        for (target, within) in [(-0.25, true), (-0.26, false), (0.625, true), (0.63, false)] {
            assert_eq!(solver.nearest(&c, target).within_reach, within, "{target}");
        }
        assert_eq!(solver.nearest(&c, 9.0).mask, 0b101);
        assert_eq!(solver.nearest(&c, -9.0).mask, 0b010);
    }

    #[test]
    #[should_panic(expected = "too many")]
    fn more_coefficients_than_bits_are_refused() {
        Solver::new().nearest(&[0.1; MAX_COEFFICIENTS + 1], 0.0);
    }
}
