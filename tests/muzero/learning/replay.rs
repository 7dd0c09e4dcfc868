//! The memory: who is drawn how often, what is forgotten, what comes back.

use vitrine::demos::muzero::episode::{Episode, TargetRule};
use vitrine::demos::muzero::replay::Replay;
use vitrine::rng::Rng;

const RULE: TargetRule = TargetRule {
    players: 1,
    td_steps: Some(1),
    discount: 1.0,
    value_mix: 0.0,
};

/// A finished game whose values are off by these numbers: with no rewards, a value's target is the
/// next value.
fn episode(values: &[f32]) -> Episode {
    let mut episode = Episode::new(Rng::new(0), Vec::new());
    episode.actions = vec![0; values.len()];
    episode.rewards = vec![0.0; values.len()];
    episode.values = values.to_vec();
    episode.explored = vec![false; values.len()];
    episode.ended = true;
    episode
}

/// The sum over all places of (found - expected)² / expected, for draws with these chances.
fn chi_square(replay: &Replay, chances: &[f64], seed: u64) -> f64 {
    const DRAWS: usize = 50_000;
    let mut counts = vec![0.0; chances.len()];
    for draw in replay.draw(DRAWS, &mut Rng::new(seed)) {
        counts[draw.slot] += 1.0;
    }
    let part = |(count, chance): (&f64, &f64)| {
        let expected = chance * DRAWS as f64;
        (count - expected).powi(2) / expected
    };
    counts.iter().zip(chances).map(part).sum()
}

#[test]
fn draws_follow_the_priorities() {
    let values = [3.0, 0.0, 0.5, 0.5, 2.0, -1.0, 0.25];
    let mut replay = Replay::new(16, 0.5);
    replay.push(episode(&values), &RULE);
    let mut errors: Vec<f64> = (values.windows(2))
        .map(|pair| f64::from((pair[0] - pair[1]).abs()))
        .collect();
    errors.push(0.25);
    let chances = |errors: &[f64]| -> Vec<f64> {
        let powers: Vec<f64> = errors.iter().map(|e| (e + 0.01).sqrt()).collect();
        let total: f64 = powers.iter().sum();
        powers.iter().map(|p| p / total).collect()
    };
    // Six degrees of freedom: beyond 27.9 once in ten thousand.
    let first = chances(&errors);
    assert!(chi_square(&replay, &first, 1) < 27.9);
    let draws = replay.draw(2000, &mut Rng::new(2));
    let weights: Vec<f64> = draws.iter().map(|d| 1.0 / (7.0 * first[d.slot])).collect();
    let greatest = weights.iter().copied().fold(0.0, f64::max);
    for (draw, weight) in draws.iter().zip(weights) {
        let expected = weight / greatest;
        assert!((f64::from(draw.weight) - expected).abs() < 1e-5, "{draw:?}");
        assert_eq!(draw.moment, draw.slot);
    }
    // What was learnt of one position changes its chances and no others' weights.
    let one = *draws.iter().find(|d| d.slot == 2).expect("drawn");
    replay.update(&[one], &[-9.0]);
    errors[2] = 9.0;
    assert!(chi_square(&replay, &chances(&errors), 3) < 27.9);
    assert!(chi_square(&replay, &first, 3) > 100.0, "no longer");
}

#[test]
fn without_priorities_all_are_alike() {
    let mut replay = Replay::new(8, 0.0);
    replay.push(episode(&[5.0, 0.0, 0.0, 1.0]), &RULE);
    assert!(chi_square(&replay, &[0.25; 4], 4) < 21.1);
    let draws = replay.draw(50, &mut Rng::new(5));
    assert!(draws.iter().all(|d| (d.weight - 1.0).abs() < 1e-6));
    replay.update(&draws, &[7.0; 50]);
    assert!(chi_square(&replay, &[0.25; 4], 6) < 21.1);
}

#[test]
fn the_oldest_positions_are_forgotten() {
    let mut replay = Replay::new(25, 0.5);
    for number in 0..5 {
        replay.push(episode(&[number as f32; 10]), &RULE);
    }
    assert_eq!((replay.len(), replay.added()), (25, 50));
    let kept: Vec<u64> = replay.episodes().map(|(id, _)| id).collect();
    assert_eq!(kept, [2, 3, 4], "of game 2 the last five positions");
    assert!(replay.episode(1).is_none());
    let draws = replay.draw(2000, &mut Rng::new(7));
    assert_eq!(draws.len(), 2000);
    assert!(
        draws
            .iter()
            .all(|d| d.episode > 2 || d.episode == 2 && d.moment >= 5)
    );
    assert!(draws.iter().any(|d| d.episode == 2));
    // One longer than the whole memory pushes everything out.
    replay.push(episode(&[0.5; 40]), &RULE);
    let kept: Vec<u64> = replay.episodes().map(|(id, _)| id).collect();
    assert_eq!(kept, [5]);
    let draws = replay.draw(500, &mut Rng::new(8));
    assert!(draws.iter().all(|d| d.episode == 5 && d.moment >= 15));
}

#[test]
fn what_was_stored_comes_back() {
    let mut replay = Replay::new(30, 0.5);
    for number in 0..7 {
        let values: Vec<f32> = (0..8).map(|i| ((number * i) as f32).sin()).collect();
        replay.push(episode(&values), &RULE);
    }
    let draws = replay.draw(20, &mut Rng::new(9));
    let errors: Vec<f32> = (0..20).map(|i| i as f32 * 0.1).collect();
    replay.update(&draws, &errors);
    let state = replay.state();
    let episodes = || replay.episodes().map(|(id, e)| (id, e.clone())).collect();
    let mut back = Replay::restore(30, 0.5, &state, episodes()).expect("its own state");
    assert_eq!(back.state(), state);
    let again = back.draw(100, &mut Rng::new(10));
    assert_eq!(again, replay.draw(100, &mut Rng::new(10)));
    // It goes on alike.
    for memory in [&mut replay, &mut back] {
        memory.push(episode(&[0.3; 12]), &RULE);
    }
    assert_eq!(back.state(), replay.state());
    let all = |memory: &Replay| -> Vec<u64> { memory.episodes().map(|(id, _)| id).collect() };
    assert_eq!(all(&back), all(&replay));

    let damaged = |change: &dyn Fn(&mut vitrine::demos::muzero::replay::ReplayState)| {
        let mut state = state.clone();
        change(&mut state);
        Replay::restore(30, 0.5, &state, back_episodes(&state, &replay)).is_none()
    };
    assert!(damaged(&|state| state.slots[3].0 = 999), "no such game");
    assert!(damaged(&|state| state.slots[3].1 = 8), "no such moment");
    assert!(damaged(&|state| state.priorities[0] = f64::NAN));
    assert!(damaged(&|state| state.priorities[0] = -1.0));
    assert!(damaged(&|state| {
        state.priorities.pop();
    }));
}

/// The games that a state names, as far as there are any.
fn back_episodes(
    state: &vitrine::demos::muzero::replay::ReplayState,
    replay: &Replay,
) -> Vec<(u64, Episode)> {
    let mut ids: Vec<u64> = state.slots.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    let one = |id: u64| {
        Some((
            id,
            replay
                .episode(id)
                .cloned()
                .unwrap_or_else(|| episode(&[0.0; 8])),
        ))
        .filter(|_| id != 999)
    };
    ids.into_iter().filter_map(one).collect()
}
