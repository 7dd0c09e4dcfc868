//! Which weights a round of pruning takes away.
//!
//! Each layer loses a share of what it has left, those of the least magnitude (Frankle and Carbin,
//! section 2). A mask says which are left, never a weight's value: a weight that happens to be 0 is
//! not pruned, and a pruned one does not come back.

use super::net::NetSpec;
use super::record::Histogram;
use crate::rng::Rng;

/// How many weights each layer has left after every round, from before the first one on:
/// `rounds + 1` lists.
#[must_use]
pub fn ladder(spec: &NetSpec, rounds: u32) -> Vec<Vec<u64>> {
    let mut steps = vec![spec.all_kept()];
    for round in 0..rounds as usize {
        let layers = spec.layers.iter().zip(&steps[round]);
        let next =
            layers.map(|(layer, &kept)| kept - (layer.prune_rate * kept as f64).round() as u64);
        steps.push(next.collect());
    }
    steps
}

/// Leaves the `keep` weights of the greatest magnitude of those that `mask` leaves; of equal ones
/// the later go first.
///
/// # Panics
/// When the mask is of another length, or `keep` is more than it leaves.
#[must_use]
pub fn by_magnitude(weights: &[f32], mask: &[u8], keep: u64) -> Vec<u8> {
    assert_eq!(weights.len(), mask.len(), "a mask of these weights");
    let mut left: Vec<u32> = (0..)
        .zip(mask)
        .filter(|(_, m)| **m == 1)
        .map(|(i, _)| i)
        .collect();
    let keep = keep as usize;
    assert!(keep <= left.len(), "{keep} of {} weights", left.len());
    if keep < left.len() {
        left.select_nth_unstable_by(keep, |&a, &b| {
            let magnitude = |i: u32| weights[i as usize].abs();
            magnitude(b).total_cmp(&magnitude(a)).then(a.cmp(&b))
        });
    }
    mask_of(&left[..keep], weights.len())
}

/// Leaves `keep` of `len` weights, every choice equally likely.
///
/// # Panics
/// When `keep` is more than `len`.
#[must_use]
pub fn at_random(len: usize, keep: u64, rng: &mut Rng) -> Vec<u8> {
    let keep = keep as usize;
    assert!(keep <= len, "{keep} of {len} weights");
    let mut order: Vec<u32> = (0..).take(len).collect();
    for place in 0..keep {
        order.swap(place, place + rng.below(len - place));
    }
    mask_of(&order[..keep], len)
}

fn mask_of(kept: &[u32], len: usize) -> Vec<u8> {
    let mut mask = vec![0; len];
    for &index in kept {
        mask[index as usize] = 1;
    }
    mask
}

/// Bins of a histogram of weights.
const BINS: usize = 41;

/// How the first values of the weights that a mask leaves are distributed, over the range of all
/// first values of the layer.
#[must_use]
pub fn histogram(first: &[f32], mask: &[u8], level: u32, layer: usize) -> Histogram {
    let most = first.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
    let width = 2.0 * most / BINS as f32;
    let mut bins = vec![0; BINS];
    for (weight, _) in first.iter().zip(mask).filter(|(_, mask)| **mask == 1) {
        // The right edge, and a layer of zeros, fall into the last and the first bin.
        let bin = ((weight + most) / width).max(0.0) as usize;
        bins[bin.min(BINS - 1)] += 1;
    }
    Histogram {
        level,
        layer,
        range: [-most, most],
        bins,
    }
}

#[cfg(test)]
mod tests {
    use super::{at_random, by_magnitude, histogram};
    use crate::rng::Rng;

    #[test]
    fn the_least_magnitudes_go_first_whatever_their_sign() {
        let weights = [0.5, -3.0, 0.0, 0.1, -0.1, 2.0];
        let all = [1; 6];
        assert_eq!(by_magnitude(&weights, &all, 3), [1, 1, 0, 0, 0, 1]);
        assert_eq!(
            by_magnitude(&weights, &all, 4),
            [1, 1, 0, 1, 0, 1],
            "of equal ones the later"
        );
        assert_eq!(
            by_magnitude(&weights, &all, 6),
            all,
            "a weight of 0 is not pruned by itself"
        );
        let mask = [1, 0, 1, 1, 1, 0];
        assert_eq!(
            by_magnitude(&weights, &mask, 1),
            [1, 0, 0, 0, 0, 0],
            "pruned ones stay so"
        );
        assert_eq!(by_magnitude(&weights, &mask, 0), [0; 6]);
    }

    #[test]
    fn random_masks_keep_exactly_so_many_and_favour_none() {
        let mut rng = Rng::new(4);
        let mut counts = [0_u32; 20];
        for _ in 0..4000 {
            let mask = at_random(20, 5, &mut rng);
            assert_eq!(mask.iter().map(|&m| u32::from(m)).sum::<u32>(), 5);
            for (count, keep) in counts.iter_mut().zip(&mask) {
                *count += u32::from(*keep);
            }
        }
        // 1000 expected of each, with a standard deviation of 27.
        assert!(
            counts.iter().all(|count| (860..1140).contains(count)),
            "{counts:?}"
        );
        assert_eq!(at_random(3, 3, &mut rng), [1; 3]);
    }

    #[test]
    fn histograms_count_survivors_only() {
        let first = [-1.0, -0.99, 0.0, 0.02, 1.0, 0.5];
        let found = histogram(&first, &[1, 1, 1, 1, 1, 0], 2, 1);
        assert_eq!((found.range, found.bins.len()), ([-1.0, 1.0], 41));
        assert_eq!(found.bins.iter().sum::<u32>(), 5);
        assert_eq!((found.bins[0], found.bins[20], found.bins[40]), (2, 2, 1));
        assert_eq!(
            histogram(&[0.0; 3], &[1; 3], 0, 0).bins[0],
            3,
            "a layer of zeros"
        );
    }
}
