//! All subset sums of positive numbers in ascending order, made by merging: the list for one number
//! more is the list merged with itself plus that number. [`super::solver`] says why it is done so.

/// Bits of a key that hold the subset of one half; one more than the 15 of the longest half, so that
/// adding the subsets of both halves does not reach the sum.
pub(super) const SUBSET_BITS: u32 = 16;
/// Ends a list: larger than every key and every difference of keys.
pub(super) const SENTINEL: i64 = 1 << 62;
/// Half lists from this length on are merged in two stretches.
const SPLIT_FROM: usize = 128;

/// The sums of one half in ascending order, then a sentinel; and the room to make the next longer
/// list in.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    front: Vec<i64>,
    back: Vec<i64>,
    len: usize,
}

impl List {
    /// Room for `len` sums, and the one sum of no coefficient.
    fn reset(&mut self, len: usize) {
        if self.front.len() <= len {
            self.front.resize(len + 1, 0);
            self.back.resize(len + 1, 0);
        }
        self.front[0] = 0;
        self.len = 1;
    }

    /// After the lower half of the next list lies in `back`: mirrors it, and makes it the list.
    fn mirror(&mut self, key: i64) {
        let m = self.len;
        let total = self.front[m - 1] + key;
        let (lower, upper) = self.back[..2 * m].split_at_mut(m);
        for (high, low) in upper.iter_mut().rev().zip(lower) {
            *high = total - *low;
        }
        std::mem::swap(&mut self.front, &mut self.back);
        self.len = 2 * m;
    }

    /// The sums and the sentinel.
    pub(super) fn keys(&self) -> &[i64] {
        &self.front[..=self.len]
    }
}

/// Lists the sums of both halves, level by level side by side. The keys are positive; the second half
/// has as many as the first, or one more.
pub(super) fn fill(a: &mut List, a_keys: &[i64], b: &mut List, b_keys: &[i64]) {
    a.reset(1 << a_keys.len());
    b.reset(1 << b_keys.len());
    for (&a_key, &b_key) in a_keys.iter().zip(b_keys) {
        let m = a.len;
        let (a_low, b_low) = (&mut a.back[..m], &mut b.back[..m]);
        let (a_now, b_now) = (&a.front[..m], &b.front[..m]);
        if m < SPLIT_FROM {
            merge([
                Stretch::new(a_now, a_key, 0, a_low),
                Stretch::new(b_now, b_key, 0, b_low),
            ]);
        } else {
            let (a0, a1) = a_low.split_at_mut(m / 2);
            let (b0, b1) = b_low.split_at_mut(m / 2);
            merge([
                Stretch::new(a_now, a_key, 0, a0),
                Stretch::new(a_now, a_key, m / 2, a1),
                Stretch::new(b_now, b_key, 0, b0),
                Stretch::new(b_now, b_key, m / 2, b1),
            ]);
        }
        a.mirror(a_key);
        b.mirror(b_key);
    }
    // An odd coefficient belongs to the second half.
    if let Some(&key) = b_keys.get(a_keys.len()) {
        let m = b.len;
        let (low, now) = (&mut b.back[..m], &b.front[..m]);
        if m < SPLIT_FROM {
            merge([Stretch::new(now, key, 0, low)]);
        } else {
            let (left, right) = low.split_at_mut(m / 2);
            let (q0, q1) = left.split_at_mut(m / 4);
            let (q2, q3) = right.split_at_mut(m / 4);
            merge([
                Stretch::new(now, key, 0, q0),
                Stretch::new(now, key, m / 4, q1),
                Stretch::new(now, key, m / 2, q2),
                Stretch::new(now, key, 3 * (m / 4), q3),
            ]);
        }
        b.mirror(key);
    }
    for list in [a, b] {
        let end = list.len;
        list.front[end] = SENTINEL;
    }
}

/// A stretch of the merge of a list with itself plus `key`.
struct Stretch<'a> {
    list: &'a [i64],
    key: i64,
    /// How many merged sums lie before this stretch, and how many of them come from the list itself.
    start: usize,
    taken: usize,
    out: &'a mut [i64],
}

impl<'a> Stretch<'a> {
    fn new(list: &'a [i64], key: i64, start: usize, out: &'a mut [i64]) -> Self {
        let (mut low, mut high) = (0, start);
        while low < high {
            let middle = usize::midpoint(low, high);
            if list[middle] < list[start - 1 - middle] + key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Self {
            list,
            key,
            start,
            taken: low,
            out,
        }
    }
}

/// Merges stretches of one length side by side.
#[inline]
fn merge<const N: usize>(mut stretches: [Stretch<'_>; N]) {
    let steps = stretches[0].out.len();
    for step in 0..steps {
        for s in &mut stretches {
            let (plain, added) = (s.list[s.taken], s.list[s.start + step - s.taken] + s.key);
            s.out[step] = plain.min(added);
            s.taken += usize::from(plain < added);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{List, SENTINEL, SUBSET_BITS, fill};
    use crate::rng::Rng;

    #[test]
    fn lists_hold_every_sum_with_its_subset_in_order() {
        let mut rng = Rng::new(1);
        let mut lists = (List::default(), List::default());
        // Descending lengths too: what a longer list left behind must not be read.
        for (short, long) in [
            (0, 0),
            (0, 1),
            (1, 1),
            (3, 4),
            (9, 10),
            (8, 8),
            (7, 8),
            (2, 3),
        ] {
            let mut draw = |count: usize| -> Vec<i64> {
                let number = |rng: &mut Rng| 1 + (rng.next_u64() >> 34).cast_signed();
                (0..count)
                    .map(|i| number(&mut rng) << SUBSET_BITS | 1 << i)
                    .collect()
            };
            let keys = (draw(short), draw(long));
            fill(&mut lists.0, &keys.0, &mut lists.1, &keys.1);
            for (list, keys) in [(&lists.0, &keys.0), (&lists.1, &keys.1)] {
                let chosen = |mask: i64| {
                    keys.iter()
                        .enumerate()
                        .filter(move |(i, _)| mask >> i & 1 == 1)
                };
                let mut expected: Vec<i64> = (0..1_i64 << keys.len())
                    .map(|mask| chosen(mask).map(|(_, key)| key).sum())
                    .collect();
                expected.sort_unstable();
                expected.push(SENTINEL);
                assert_eq!(list.keys(), expected, "{} keys", keys.len());
            }
        }
    }
}
