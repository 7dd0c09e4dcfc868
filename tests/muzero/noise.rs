//! The search's chance against the distributions it is meant to have.

use vitrine::demos::muzero::search::{dirichlet_noise, gumbel_noise, sample};
use vitrine::rng::Rng;

#[test]
fn gumbel_numbers_choose_as_softmax_does() {
    // Argmax of logits plus Gumbel noise draws from the softmax of the logits.
    let mut rng = Rng::new(1);
    let policy = [0.5_f32, 0.2, 0.3];
    let mut counts = [0.0; 3];
    for _ in 0..20_000 {
        let noise = gumbel_noise(&mut rng, 3);
        let score = |action: &usize| policy[*action].ln() + noise[*action];
        let best = (0..3).max_by(|a, b| score(a).total_cmp(&score(b)));
        counts[best.expect("three actions")] += 1.0 / 20_000.0;
    }
    for (count, expected) in counts.iter().zip(policy) {
        assert!((count - expected).abs() < 0.015, "{counts:?}");
    }
}

#[test]
fn dirichlet_noise_has_the_moments_of_its_distribution() {
    let legal = [true, false, true, true];
    for alpha in [0.03_f32, 0.3, 1.0, 4.0] {
        let mut rng = Rng::new(2);
        let samples: Vec<_> = (0..20_000)
            .map(|_| dirichlet_noise(&mut rng, &legal, alpha))
            .collect();
        let (mut mean, mut square) = ([0.0; 4], [0.0; 4]);
        for sample in &samples {
            assert!((sample.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            for (action, share) in sample.iter().enumerate() {
                mean[action] += share / 20_000.0;
                square[action] += share * share / 20_000.0;
            }
        }
        // Mean 1/k and variance (k - 1) / (k² (k alpha + 1)) over k actions.
        let variance = 2.0 / (9.0 * (3.0 * alpha + 1.0));
        for action in [0, 2, 3] {
            let found = square[action] - mean[action].powi(2);
            assert!(
                (mean[action] - 1.0 / 3.0).abs() < 0.012,
                "{alpha}: {mean:?}"
            );
            assert!(
                (found - variance).abs() < 0.006,
                "{alpha}: {found} {variance}"
            );
        }
        assert!(mean[1].abs() < f32::MIN_POSITIVE, "not legal");
    }
}

#[test]
fn moves_are_drawn_by_temperature() {
    let policy = [0.1, 0.0, 0.6, 0.3];
    let mut rng = Rng::new(3);
    let mut share = |temperature: f32| {
        let mut counts = [0.0_f32; 4];
        for _ in 0..10_000 {
            counts[sample(&policy, temperature, &mut rng)] += 1e-4;
        }
        counts
    };
    let close = |found: [f32; 4], expected: [f32; 4]| {
        let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f32::max) < 0.02, "{found:?} {expected:?}");
    };
    close(share(1.0), policy);
    // Squares: 0.01, 0.36, 0.09 of 0.46.
    close(share(0.5), [0.0217, 0.0, 0.7826, 0.1957]);
    close(share(0.0), [0.0, 0.0, 1.0, 0.0]);
    close(share(1e-6), [0.0, 0.0, 1.0, 0.0]);
}
