//! Numbers as distributions over fixed places: categorical values and rewards.
//!
//! A network that answers with a distribution over places learns better from targets of changing
//! size than one that answers with a number. A target between two places is shared by them in
//! proportion; the number is read back as the mean (appendix F of the paper). Where rewards have no
//! bound, the invertible transform h of Pohlen et al. 2018 brings large numbers close together.
//!
//! Board games need two places, lost and won: a draw lies half way, as does what is undecided.

use serde::{Deserialize, Serialize};

/// The transform's small linear part, which keeps it invertible.
const EPSILON: f32 = 0.001;

/// Places between two ends, evenly spaced in transformed numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Support {
    /// The first place.
    pub low: f32,
    /// The last place.
    pub high: f32,
    /// How many there are, at least two.
    pub bins: usize,
    /// Whether numbers are transformed by h first.
    pub transformed: bool,
}

/// `sign(x) (sqrt(|x| + 1) - 1) + ε x`.
#[must_use]
pub fn h(x: f32) -> f32 {
    x.signum() * ((x.abs() + 1.0).sqrt() - 1.0) + EPSILON * x
}

/// What `h` gives `y` for.
#[must_use]
pub fn h_inverse(y: f32) -> f32 {
    // In double precision: the difference of two near numbers is squared.
    let (epsilon, size) = (f64::from(EPSILON), f64::from(y.abs()));
    let root = (1.0 + 4.0 * epsilon * (size + 1.0 + epsilon)).sqrt();
    let x = ((root - 1.0) / (2.0 * epsilon)).powi(2) - 1.0;
    y.signum() * x as f32
}

impl Support {
    /// Lost and won. A place for draws would also take the targets that are near zero because
    /// nothing is known yet, and those then contradict the outcomes.
    pub const OUTCOME: Self = Self {
        low: -1.0,
        high: 1.0,
        bins: 2,
        transformed: false,
    };

    /// What the last move of a board game earns: -1, 0 or 1.
    pub const LAST_MOVE: Self = Self {
        low: -1.0,
        high: 1.0,
        bins: 3,
        transformed: false,
    };

    /// The distribution of a number; what lies beyond an end is put there. `target` has a place
    /// for each bin.
    pub fn spread(&self, number: f32, target: &mut [f32]) {
        let number = if self.transformed { h(number) } else { number };
        let last = self.bins - 1;
        let place = (number.clamp(self.low, self.high) - self.low) / self.step();
        let below = (place.floor() as usize).min(last);
        let share = place - below as f32;
        target.fill(0.0);
        target[below] += 1.0 - share;
        target[(below + 1).min(last)] += share;
    }

    /// The number that logits stand for.
    #[must_use]
    pub fn mean(&self, logits: &[f32]) -> f32 {
        let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let (mut sum, mut total) = (0.0, 0.0);
        for (bin, logit) in logits.iter().enumerate() {
            let weight = (logit - greatest).exp();
            sum += weight * (self.low + self.step() * bin as f32);
            total += weight;
        }
        let mean = sum / total;
        if self.transformed {
            h_inverse(mean)
        } else {
            mean
        }
    }

    /// From one place to the next.
    fn step(&self) -> f32 {
        (self.high - self.low) / (self.bins - 1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::{Support, h, h_inverse};

    #[test]
    fn the_transform_is_that_of_the_paper() {
        // sqrt(4) - 1 + 0.003, sqrt(101) - 1 + 0.1
        assert!((h(3.0) - 1.003).abs() < 1e-6);
        assert!((h(-100.0) + 9.149_876).abs() < 1e-5);
        for x in [-2000.0, -21.0, -0.5, 0.0, 0.01, 1.0, 7.5, 400.0] {
            let back = h_inverse(h(x));
            assert!((back - x).abs() <= 1e-4 * x.abs().max(0.1), "{x}: {back}");
        }
    }

    #[test]
    fn a_number_comes_back_from_its_distribution() {
        let scalar = Support {
            low: -3.0,
            high: 12.0,
            bins: 61,
            transformed: true,
        };
        for support in [Support::OUTCOME, scalar] {
            let mut target = vec![0.0; support.bins];
            for x in [-1.0_f32, -0.25, 0.0, 0.3, 1.0] {
                support.spread(x, &mut target);
                let logits: Vec<f32> = target.iter().map(|p| (p + 1e-12).ln()).collect();
                let back = support.mean(&logits);
                assert!((back - x).abs() < 1e-4, "{x}: {back}");
                assert!((target.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                assert!(target.iter().filter(|p| **p > 0.0).count() <= 2);
            }
        }
    }

    #[test]
    fn what_lies_beyond_is_put_at_the_end() {
        let mut target = [0.0; 2];
        Support::OUTCOME.spread(7.0, &mut target);
        assert_eq!(target.map(f32::to_bits), [0.0_f32, 1.0].map(f32::to_bits));
    }
}
