//! The only source of randomness: seeded, splittable, resumable.
//!
//! candle cannot be seeded on the CPU, so every random number of the project comes from here. A
//! stream is a `ChaCha8` generator whose key is the hash of a seed and a path of labels. Splitting
//! by label rather than by drawing a number means that adding a consumer does not shift the
//! numbers another one sees.

use rand::{Rng as _, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A seeded stream of random numbers.
///
/// Serialising keeps the position in the stream, so a checkpoint resumes with the same numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rng {
    key: [u8; 32],
    stream: ChaCha8Rng,
}

impl Rng {
    /// The root stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::from_key(Sha256::digest(seed.to_le_bytes()).into())
    }

    /// An independent stream for one purpose.
    ///
    /// It depends on this stream's key and the label only, not on what was drawn from it.
    #[must_use]
    pub fn split(&self, label: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(label.as_bytes());
        Self::from_key(hash.finalize().into())
    }

    fn from_key(key: [u8; 32]) -> Self {
        Self {
            key,
            stream: ChaCha8Rng::from_seed(key),
        }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.stream.next_u64()
    }

    /// A number in `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        self.stream.random()
    }

    /// A whole number in `[0, end)`; 0 where `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            0
        } else {
            self.stream.random_range(0..end)
        }
    }

    /// A standard normal number (Box and Muller's transform).
    pub fn normal(&mut self) -> f64 {
        // 1 - u lies in (0, 1], so the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn a_seed_gives_the_same_numbers_and_another_seed_others() {
        let draw = |seed| {
            let mut rng = Rng::new(seed);
            (0..8).map(|_| rng.next_u64()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7), "same seed");
        assert_ne!(draw(7), draw(8), "other seed");
    }

    #[test]
    fn splitting_ignores_what_was_drawn() {
        let fresh = Rng::new(1);
        let mut used = Rng::new(1);
        used.normal();
        assert_eq!(fresh.split("a").next_u64(), used.split("a").next_u64());
        assert_ne!(fresh.split("a").next_u64(), fresh.split("b").next_u64());
    }

    #[test]
    fn a_stored_stream_resumes() {
        let mut rng = Rng::new(3);
        rng.uniform();
        let text = serde_json::to_string(&rng).expect("serialises");
        let mut back: Rng = serde_json::from_str(&text).expect("reads back");
        assert_eq!(rng.next_u64(), back.next_u64());
    }

    #[test]
    fn normal_has_mean_zero_and_variance_one() {
        let mut rng = Rng::new(5);
        let xs: Vec<f64> = (0..20_000).map(|_| rng.normal()).collect();
        let n = 20_000.0;
        let mean = xs.iter().sum::<f64>() / n;
        let variance = xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 0.03, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.04, "variance {variance}");
    }
}
