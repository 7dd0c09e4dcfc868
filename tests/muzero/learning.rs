//! What learning is made of: targets, memory, batches, networks and their files.

mod batches;
mod imagination;
mod network;
mod pictures;
mod replay;
mod targets;
mod weights;

use half::f16;
use vitrine::demos::muzero::config::{Settings, TrainConfig};
use vitrine::demos::muzero::episode::{Episode, outcome_for_next};
use vitrine::demos::muzero::game::{ActionCoding, Game, GameId, Spec, open};
use vitrine::demos::muzero::self_play::random_action;
use vitrine::rng::Rng;

/// What suits a game, but with small networks.
fn settings(id: &GameId) -> Settings {
    let config = TrainConfig {
        channels: Some(8),
        blocks: Some(1),
        represent_blocks: Some(1),
        ..TrainConfig::new(id.clone())
    };
    config.settings(&spec(id)).expect("possible settings")
}

/// A game's sizes; the arcade's are known without its program.
fn spec(id: &GameId) -> Spec {
    match id {
        GameId::Atari(_) => Spec {
            observation: [8, 96, 96],
            actions: 18,
            players: 1,
            max_steps: 27_000,
            coding: ActionCoding::Planes,
        },
        _ => open(id).expect("built in").spec().clone(),
    }
}

/// A game of at most so many random moves, with made-up results of searches.
fn random_episode(id: &GameId, opening: usize, most: usize, seed: u64) -> Episode {
    let mut rng = Rng::new(seed);
    let mut game = open(id).expect("built in");
    let chance = rng.split("chance");
    game.reset(chance.clone()).expect("begins");
    let actions = game.spec().actions;
    let step = |game: &mut dyn Game, rng: &mut Rng| {
        let action = random_action(&*game, actions, rng);
        (action, game.step(action).expect("legal"))
    };
    let mut before = Vec::new();
    for _ in 0..opening {
        before.push(step(&mut *game, &mut rng).0 as u16);
    }
    let mut episode = Episode::new(chance, before);
    while episode.len() < most && !game.is_over() {
        let (action, reward) = step(&mut *game, &mut rng);
        episode.actions.push(action as u16);
        episode.rewards.push(reward);
        episode.values.push(rng.uniform() as f32 * 2.0 - 1.0);
        episode.explored.push(false);
        let weights: Vec<f32> = (0..actions).map(|_| rng.uniform() as f32).collect();
        let total: f32 = weights.iter().sum();
        let policy = weights.iter().map(|w| f16::from_f32(w / total));
        episode.policies.extend(policy);
    }
    if game.is_over() {
        episode.ended = true;
        episode.outcome = outcome_for_next(&*game);
    } else {
        episode.values.push(rng.uniform() as f32);
    }
    episode.observe(&mut *game).expect("the same moves");
    episode
}
