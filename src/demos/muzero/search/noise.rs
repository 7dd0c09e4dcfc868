//! Chance at the root: Gumbel and Dirichlet noise, and moves drawn from a policy.

use crate::rng::Rng;

/// Standard Gumbel numbers, one for each action.
#[must_use]
pub fn gumbel_noise(rng: &mut Rng, actions: usize) -> Vec<f32> {
    (0..actions)
        .map(|_| {
            // 1 - u lies in (0, 1]; at 1 the inner logarithm would be 0 and the outer one infinite.
            let exponential = -(1.0 - rng.uniform()).ln();
            -exponential.max(f64::MIN_POSITIVE).ln() as f32
        })
        .collect()
}

/// A sample of the symmetric Dirichlet distribution over the legal actions; 0 for the others.
#[must_use]
pub fn dirichlet_noise(rng: &mut Rng, legal: &[bool], alpha: f32) -> Vec<f32> {
    // Kept as logarithms: with a small alpha all gamma numbers may be too small for a float.
    let logs: Vec<f64> = legal
        .iter()
        .map(|&legal| {
            if legal {
                log_gamma_number(rng, f64::from(alpha))
            } else {
                f64::NEG_INFINITY
            }
        })
        .collect();
    let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if highest == f64::NEG_INFINITY {
        return vec![0.0; legal.len()];
    }
    let sum: f64 = logs.iter().map(|log| (log - highest).exp()).sum();
    let share = |log: &f64| ((log - highest).exp() / sum) as f32;
    logs.iter().map(share).collect()
}

/// The logarithm of a gamma number of this shape (Marsaglia and Tsang 2000; below shape 1 by their
/// power of a uniform number).
fn log_gamma_number(rng: &mut Rng, shape: f64) -> f64 {
    let shape = shape.max(1e-6);
    if shape < 1.0 {
        let power = (1.0 - rng.uniform()).ln() / shape;
        return log_gamma_number(rng, shape + 1.0) + power;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = rng.normal();
        let v = (1.0 + c * x).powi(3);
        if v <= 0.0 {
            continue;
        }
        let u = 1.0 - rng.uniform();
        if u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return (d * v).ln();
        }
    }
}

/// Draws an action from a policy whose probabilities are raised to the power of one over
/// `temperature`; at 0 the likeliest, the first of equals. Actions of probability 0 are not drawn.
#[must_use]
pub fn sample(policy: &[f32], temperature: f32, rng: &mut Rng) -> usize {
    let mut likeliest = 0;
    for (action, &probability) in policy.iter().enumerate() {
        if probability > policy[likeliest] {
            likeliest = action;
        }
    }
    let Some(&highest) = policy.get(likeliest) else {
        return 0;
    };
    if temperature <= 0.0 || highest <= 0.0 {
        return likeliest;
    }
    // Relative to the highest, so that a low temperature does not make all weights 0.
    let weight = |p: f32| f64::from(p / highest).powf(1.0 / f64::from(temperature));
    let sum: f64 = policy.iter().map(|&p| weight(p)).sum();
    let mut left = rng.uniform() * sum;
    for (action, &probability) in policy.iter().enumerate() {
        left -= weight(probability);
        if left < 0.0 {
            return action;
        }
    }
    // Rounding left a rest.
    likeliest
}
