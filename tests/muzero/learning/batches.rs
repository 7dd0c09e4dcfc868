//! Batches: what a training step is given is a game that could have been played.

use candle_core::{Device, Tensor};
use vitrine::demos::muzero::batch::{Batch, Recipe};
use vitrine::demos::muzero::episode::TargetRule;
use vitrine::demos::muzero::game::{GameId, Symmetry, open, symmetries};
use vitrine::demos::muzero::replay::{Draw, Replay};
use vitrine::rng::Rng;

use super::{random_episode, settings};

fn rows(tensor: &Tensor) -> Vec<Vec<f32>> {
    let flat = tensor.flatten_from(1).expect("a batch");
    flat.to_vec2().expect("numbers")
}

fn rule(players: usize) -> TargetRule {
    TargetRule {
        players,
        td_steps: (players == 1).then_some(5),
        discount: 0.99,
        value_mix: 0.0,
    }
}

/// Whether an example is the game at this draw under a symmetry: the transformed moves are played
/// by the real rules, and what is seen is compared at every unrolled step.
fn is_image(
    id: &GameId,
    replay: &Replay,
    draw: &Draw,
    batch: &Batch,
    index: usize,
    symmetry: Option<&Symmetry>,
) -> bool {
    let episode = replay.episode(draw.episode).expect("remembered");
    let image = |action: u16| symmetry.map_or(usize::from(action), |s| s.action(action.into()));
    let mut game = open(id).expect("built in");
    game.reset(episode.rng.clone()).expect("begins");
    let before = episode
        .opening
        .iter()
        .chain(&episode.actions[..draw.moment]);
    for &action in before {
        game.step(image(action)).expect("the image of a legal move");
    }
    let mut seen = vec![0.0; game.spec().observation.iter().product()];
    let mut same = |game: &dyn vitrine::demos::muzero::game::Game, shown: &Tensor| {
        game.observe(&mut seen);
        let shown = &rows(shown)[index];
        // Observations are kept in bytes.
        (seen.iter().zip(shown)).all(|(a, b)| (a - b).abs() <= 0.5 / 255.0 + 1e-6)
    };
    if !same(&*game, &batch.observations) {
        return false;
    }
    for (k, (actions, later)) in batch.actions.iter().zip(&batch.later).enumerate() {
        let moment = draw.moment + k;
        let policy = &rows(&batch.targets[k].policy)[index];
        if moment >= episode.len() {
            let even = 1.0 / policy.len() as f32;
            return policy.iter().all(|p| (p - even).abs() < 1e-6);
        }
        for (action, &found) in policy.iter().enumerate() {
            let old = symmetry.map_or(action, |s| s.actions[action].into());
            let expected = episode.policy(moment)[old].to_f32();
            if (found - expected).abs() > 1e-6 {
                return false;
            }
        }
        let action = actions.to_vec1::<u32>().expect("actions")[index] as usize;
        if action != image(episode.actions[moment]) || game.step(action).is_err() {
            return false;
        }
        if !same(&*game, later) {
            return false;
        }
    }
    true
}

#[test]
fn transformed_examples_are_transformed_games() {
    for id in GameId::built_in() {
        let mut settings = settings(&id);
        settings.consistency = 1.0;
        settings.unroll = 4;
        let all = symmetries(&id);
        let rule = rule(settings.players);
        let mut replay = Replay::new(1000, 0.0);
        for seed in 0..3 {
            let opening = if settings.players == 2 { 2 } else { 0 };
            replay.push(random_episode(&id, opening, 40, seed), &rule);
        }
        let recipe = Recipe {
            settings: &settings,
            symmetries: &all,
            rule,
            device: &Device::Cpu,
        };
        let mut rng = Rng::new(5);
        let draws = replay.draw(24, &mut rng);
        let batch = recipe.batch(&replay, &draws, 0, &mut rng).expect("a batch");
        let mut used = vec![false; all.len()];
        for (index, draw) in draws.iter().enumerate() {
            let fits = |s: Option<&Symmetry>| is_image(&id, &replay, draw, &batch, index, s);
            if all.is_empty() {
                assert!(fits(None), "{id}: {draw:?}");
                continue;
            }
            let found: Vec<usize> = (0..all.len()).filter(|&s| fits(Some(&all[s]))).collect();
            assert!(!found.is_empty(), "{id}: {draw:?}");
            if let [one] = found[..] {
                used[one] = true;
            }
        }
        let count = used.iter().filter(|used| **used).count();
        assert!(count >= all.len().min(2), "{id}: {used:?}");
    }
}

#[test]
fn what_counts_and_what_does_not() {
    // A finished game of one moment before its end, and a piece of a game that went on.
    let finished = random_episode(&GameId::TicTacToe, 0, 100, 1);
    let settings = settings(&GameId::TicTacToe);
    let mut replay = Replay::new(100, 0.0);
    let len = finished.len();
    let outcome = finished.outcome;
    replay.push(finished, &rule(2));
    let draw = Draw {
        slot: len - 1,
        episode: 0,
        moment: len - 1,
        weight: 0.5,
    };
    let recipe = Recipe {
        settings: &settings,
        symmetries: &[],
        rule: rule(2),
        device: &Device::Cpu,
    };
    let batch = |step: u64| {
        let mut rng = Rng::new(2);
        (recipe.batch(&replay, &[draw], step, &mut rng)).expect("a batch")
    };
    let shown = batch(0);
    let one = |tensor: &Tensor| tensor.to_vec1::<f32>().expect("numbers")[0];
    for (k, targets) in shown.targets.iter().enumerate() {
        let acted = if k == 0 { 0.5 } else { 0.0 };
        assert!(
            (one(&targets.policy_weights) - acted).abs() < 1e-6,
            "step {k}"
        );
        assert!(
            (one(&targets.value_weights) - 0.5).abs() < 1e-6,
            "absorbing"
        );
        // At step 1 the game is over for whoever would move next, then the turn alternates.
        if k > 0 {
            let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
            assert!(
                (targets.values[0] - sign * outcome).abs() < 1e-6,
                "step {k}"
            );
        }
    }
    assert!(
        shown.later.is_empty(),
        "board games have no consistency loss"
    );
    // The probe draws up to the position in which the game ended.
    for step in 0..=settings.unroll as u64 {
        let drawn = batch(step);
        assert_eq!(drawn.probe.0 as u64, step);
        let counts = if step <= 1 { 1.0 } else { 0.0 };
        assert!(
            (one(&drawn.probe_weights) - counts).abs() < 1e-6,
            "step {step}"
        );
    }
}
