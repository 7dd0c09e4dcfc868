//! Value targets against the paper's pseudocode, a second definition by recursion, and by hand.

use vitrine::demos::muzero::episode::{Episode, TargetRule};
use vitrine::rng::Rng;

/// An episode of these numbers; nothing was seen in it.
fn episode(rewards: &[f32], values: &[f32]) -> Episode {
    let mut episode = Episode::new(Rng::new(0), Vec::new());
    episode.actions = vec![0; rewards.len()];
    episode.rewards = rewards.to_vec();
    episode.values = values.to_vec();
    episode.explored = vec![false; rewards.len()];
    episode.ended = rewards.len() == values.len();
    episode
}

fn one(td_steps: usize, discount: f32) -> TargetRule {
    TargetRule {
        players: 1,
        td_steps: Some(td_steps),
        discount,
        value_mix: 0.0,
    }
}

fn board(td_steps: Option<usize>, value_mix: f32) -> TargetRule {
    TargetRule {
        players: 2,
        td_steps,
        discount: 1.0,
        value_mix,
    }
}

fn near(a: f32, b: f32) -> bool {
    (a - b).abs() < 1e-5
}

#[test]
fn returns_over_some_steps_are_those_worked_out_by_hand() {
    let played = episode(&[1.0, 0.0, 2.0, 4.0], &[0.5, 0.6, 0.7, 0.8]);
    let rule = one(2, 0.5);
    // 1 + 0.5 · 0 + 0.25 · 0.7, 0 + 0.5 · 2 + 0.25 · 0.8, 2 + 0.5 · 4, 4, then nothing.
    for (moment, expected) in [1.175, 1.2, 4.0, 4.0, 0.0, 0.0].into_iter().enumerate() {
        let found = played.value(moment, &rule);
        assert!(near(found, expected), "{moment}: {found} for {expected}");
    }
    let rewards: Vec<f32> = (0..7).map(|moment| played.reward_before(moment)).collect();
    assert_eq!(rewards, [0.0, 1.0, 0.0, 2.0, 4.0, 0.0, 0.0]);
    assert!(played.is_known(9), "an absorbing state");
}

#[test]
fn a_piece_of_a_long_game_trusts_the_value_after_it() {
    // Two moments of a game that went on, whose next position was worth 10.
    let piece = episode(&[1.0, 2.0], &[0.0, 0.0, 10.0]);
    let rule = one(5, 0.5);
    for (moment, expected) in [1.0 + 1.0 + 2.5, 2.0 + 5.0, 10.0].into_iter().enumerate() {
        let found = piece.value(moment, &rule);
        assert!(near(found, expected), "{moment}: {found} for {expected}");
    }
    assert!(piece.is_known(2) && !piece.is_known(3), "unseen beyond");
}

#[test]
fn an_outcome_changes_its_sign_with_the_turn() {
    // Five moves; whoever would move next has lost: the player of moments 0, 2 and 4 has won.
    let mut won = episode(&[0.0, 0.0, 0.0, 0.0, 1.0], &[0.0; 5]);
    won.outcome = -1.0;
    for moment in 0..9 {
        let expected = match moment {
            // After the end nothing is won any more: the last move has earned it.
            5.. => 0.0,
            _ if moment % 2 == 0 => 1.0,
            _ => -1.0,
        };
        let found = won.value(moment, &board(None, 0.0));
        assert!(near(found, expected), "{moment}: {found}");
    }
}

#[test]
fn a_random_move_cuts_the_targets_before_it() {
    let mut played = episode(&[0.0; 5], &[0.1, 0.2, 0.3, 0.4, 0.5]);
    played.outcome = -1.0;
    played.explored[2] = true;
    // Up to the random move what was thought of its position counts, after it the outcome.
    for (moment, expected) in [0.3, -0.3, 0.3, -1.0, 1.0].into_iter().enumerate() {
        let found = played.value(moment, &board(None, 0.0));
        assert!(near(found, expected), "{moment}: {found} for {expected}");
    }
    // A quarter of the search's own value.
    let found = played.value(3, &board(None, 0.25));
    assert!(near(found, -0.75 + 0.25 * 0.4), "{found}");
    assert!(
        near(played.value(5, &board(None, 0.25)), 0.0),
        "no value after the end"
    );
}

/// `make_target` of the paper's pseudocode (Schrittwieser et al. 2020, supplementary material),
/// which is of one player: values only, for finished games.
fn pseudocode(played: &Episode, current_index: usize, td_steps: usize, discount: f32) -> f32 {
    let bootstrap_index = current_index + td_steps;
    let mut value = if bootstrap_index < played.values.len() {
        played.values[bootstrap_index] * discount.powf(td_steps as f32)
    } else {
        0.0
    };
    let end = bootstrap_index.min(played.rewards.len());
    let rewards = played.rewards.get(current_index..end).unwrap_or_default();
    for (i, reward) in rewards.iter().enumerate() {
        value += reward * discount.powf(i as f32);
    }
    value
}

/// A board's target by recursion from one move to the next.
fn by_recursion(played: &Episode, moment: usize, steps: Option<usize>, discount: f32) -> f32 {
    if moment == played.len() {
        return played.outcome;
    }
    if steps == Some(0) || played.explored[moment] {
        return played.values[moment];
    }
    let steps = steps.map(|steps| steps - 1);
    -discount * by_recursion(played, moment + 1, steps, discount)
}

fn random(rng: &mut Rng) -> Episode {
    let len = 1 + rng.below(30);
    let numbers = |rng: &mut Rng| -> Vec<f32> {
        (0..len).map(|_| rng.uniform() as f32 * 2.0 - 1.0).collect()
    };
    let rewards = numbers(rng);
    let mut played = episode(&rewards, &numbers(rng));
    played.explored = (0..len).map(|_| rng.uniform() < 0.1).collect();
    played.outcome = [-1.0, 0.0, 1.0][rng.below(3)];
    played
}

#[test]
fn targets_are_those_of_the_pseudocode() {
    let mut rng = Rng::new(1);
    for _ in 0..300 {
        let played = random(&mut rng);
        let (steps, discount) = (1 + rng.below(12), 0.5 + 0.5 * rng.uniform() as f32);
        for moment in 0..played.len() + 8 {
            let found = played.value(moment, &one(steps, discount));
            let expected = pseudocode(&played, moment, steps, discount);
            assert!(near(found, expected), "{moment}: {found} for {expected}");
        }
    }
}

#[test]
fn targets_of_boards_follow_from_move_to_move() {
    let mut rng = Rng::new(2);
    for round in 0..300 {
        let played = random(&mut rng);
        let steps = (round % 2 == 0).then(|| 1 + rng.below(12));
        let mix = rng.uniform() as f32;
        let rule = TargetRule {
            discount: 0.9 + 0.1 * rng.uniform() as f32,
            ..board(steps, mix)
        };
        for moment in 0..played.len() + 8 {
            let mut expected = if moment < played.len() {
                by_recursion(&played, moment, steps, rule.discount)
            } else {
                0.0
            };
            if let Some(found) = played.values.get(moment) {
                expected += mix * (found - expected);
            }
            let found = played.value(moment, &rule);
            assert!(near(found, expected), "{moment}: {found} for {expected}");
        }
    }
}
