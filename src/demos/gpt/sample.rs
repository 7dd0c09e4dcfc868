//! From scores to the next token.
//!
//! The chain is llama.cpp's: top-k, top-p (Holtzman et al. 2020), min-p, then temperature and a
//! draw. A temperature of 0 takes the best token and ignores the rest of the chain.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::rng::Rng;

/// The chain's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default)]
pub struct Sampling {
    /// Flatter above 1, sharper below; 0 always takes the likeliest token
    #[arg(long, default_value_t = 0.0)]
    pub temperature: f32,
    /// Keep only this many of the likeliest tokens; 0 keeps all
    #[arg(long, default_value_t = 40)]
    pub top_k: usize,
    /// Keep the likeliest tokens until their probabilities add up to this; 1 keeps all
    #[arg(long, default_value_t = 0.95)]
    pub top_p: f32,
    /// Drop tokens less likely than this share of the likeliest; 0 drops none
    #[arg(long, default_value_t = 0.05)]
    pub min_p: f32,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.05,
        }
    }
}

impl Sampling {
    /// Says which setting is out of range.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        let within = |name: &str, value: f32, most: f32| {
            if (0.0..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!(
                    "{name} is {value}, it must lie between 0 and {most}"
                ))
            }
        };
        within("temperature", self.temperature, 100.0)?;
        within("top-p", self.top_p, 1.0)?;
        within("min-p", self.min_p, 1.0)
    }

    /// Chooses the next token.
    ///
    /// `None` when a score is not a number, which only damaged weights bring about.
    #[must_use]
    pub fn choose(&self, logits: &[f32], rng: &mut Rng) -> Option<u32> {
        if logits.iter().any(|l| l.is_nan()) {
            return None;
        }
        if self.temperature <= 0.0 {
            return best(logits);
        }
        let kept = self.filter(logits);
        let max = kept.first()?.1;
        let weight = |logit: f32| (f64::from(logit - max) / f64::from(self.temperature)).exp();
        let total: f64 = kept.iter().map(|(_, l)| weight(*l)).sum();
        let mut left = rng.uniform() * total;
        for (id, logit) in &kept {
            left -= weight(*logit);
            if left < 0.0 {
                return Some(*id);
            }
        }
        kept.last().map(|(id, _)| *id)
    }

    /// The tokens that pass the filters with their scores, likeliest first.
    fn filter(&self, logits: &[f32]) -> Vec<(u32, f32)> {
        let count = if self.top_k == 0 {
            logits.len()
        } else {
            self.top_k.min(logits.len())
        };
        let mut kept = largest(logits, count);
        let max = kept.first().map_or(0.0, |k| k.1);
        let probability = |logit: f32| f64::from(logit - max).exp();
        if self.top_p < 1.0 {
            let total: f64 = kept.iter().map(|(_, l)| probability(*l)).sum();
            let mut sum = 0.0;
            let enough = kept.iter().position(|(_, l)| {
                sum += probability(*l);
                sum >= f64::from(self.top_p) * total
            });
            kept.truncate(enough.map_or(kept.len(), |last| last + 1));
        }
        let least = f64::from(self.min_p);
        let likely = kept
            .iter()
            .take_while(|(_, l)| probability(*l) >= least)
            .count();
        kept.truncate(likely.max(1));
        kept
    }
}

/// The first of the largest.
fn best(logits: &[f32]) -> Option<u32> {
    let mut best: Option<(usize, f32)> = None;
    for (id, logit) in logits.iter().enumerate() {
        if best.is_none_or(|(_, b)| *logit > b) {
            best = Some((id, *logit));
        }
    }
    best.map(|(id, _)| id as u32)
}

/// The `count` largest with their places, largest first; of equals the first.
pub(super) fn largest(values: &[f32], count: usize) -> Vec<(u32, f32)> {
    let order =
        |a: &(u32, f32), b: &(u32, f32)| -> Ordering { b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)) };
    let mut all: Vec<(u32, f32)> = (0..).zip(values.iter().copied()).collect();
    let count = count.min(all.len());
    if count == 0 {
        return Vec::new();
    }
    if count < all.len() {
        all.select_nth_unstable_by(count - 1, order);
        all.truncate(count);
    }
    all.sort_unstable_by(order);
    all
}

#[cfg(test)]
mod tests {
    use super::{Sampling, largest};
    use crate::rng::Rng;

    const LOGITS: [f32; 5] = [1.0, 3.0, 2.0, 3.0, -1.0];

    fn sampling(temperature: f32, top_k: usize, top_p: f32, min_p: f32) -> Sampling {
        Sampling {
            temperature,
            top_k,
            top_p,
            min_p,
        }
    }

    #[test]
    fn zero_temperature_takes_the_first_best() {
        assert_eq!(
            sampling(0.0, 1, 1.0, 0.0).choose(&LOGITS, &mut Rng::new(1)),
            Some(1)
        );
        assert_eq!(
            sampling(0.0, 1, 1.0, 0.0).choose(&[0.0, f32::NAN], &mut Rng::new(1)),
            None
        );
    }

    #[test]
    fn largest_orders_equals_by_place() {
        assert_eq!(largest(&LOGITS, 3), [(1, 3.0), (3, 3.0), (2, 2.0)]);
        assert_eq!(largest(&LOGITS, 9).len(), 5);
    }

    #[test]
    fn filters_keep_what_they_say() {
        let ids = |s: &Sampling| s.filter(&LOGITS).iter().map(|k| k.0).collect::<Vec<_>>();
        assert_eq!(ids(&sampling(1.0, 2, 1.0, 0.0)), [1, 3]);
        // Shares of 3, 3, 2, 1, -1 after softmax: 0.40, 0.40, 0.15, 0.05, 0.01.
        assert_eq!(ids(&sampling(1.0, 0, 0.75, 0.0)), [1, 3]);
        assert_eq!(ids(&sampling(1.0, 0, 0.90, 0.0)), [1, 3, 2]);
        // exp(-1) = 0.37 passes 0.3, exp(-2) = 0.14 does not.
        assert_eq!(ids(&sampling(1.0, 0, 1.0, 0.3)), [1, 3, 2]);
        assert_eq!(ids(&sampling(1.0, 0, 0.0, 1.0)), [1]);
    }

    #[test]
    fn draws_follow_the_softmax_at_each_temperature() {
        for temperature in [0.5, 1.0, 2.0] {
            let mut rng = Rng::new(9);
            let mut counts = [0_u32; 5];
            let draws = 20_000;
            for _ in 0..draws {
                let id = sampling(temperature, 0, 1.0, 0.0)
                    .choose(&LOGITS, &mut rng)
                    .expect("a token");
                counts[id as usize] += 1;
            }
            let weights = LOGITS.map(|l| f64::from(l / temperature).exp());
            let total: f64 = weights.iter().sum();
            for (count, weight) in counts.iter().zip(weights) {
                let share = f64::from(*count) / f64::from(draws);
                // Four standard deviations of a share of 20,000 draws.
                assert!(
                    (share - weight / total).abs() < 0.015,
                    "{counts:?} at {temperature}"
                );
            }
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        assert!(
            sampling(f32::NAN, 0, 1.0, 0.0)
                .check()
                .is_err_and(|e| e.contains("temperature"))
        );
        assert!(
            sampling(1.0, 0, 1.5, 0.0)
                .check()
                .is_err_and(|e| e.contains("top-p"))
        );
        assert_eq!(Sampling::default().check(), Ok(()));
    }
}
