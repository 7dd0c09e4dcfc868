//! Imagination: the numbers are the networks', the truth is the rules'.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use vitrine::compute::{Event, Job, WorkerOptions, run_to_end};
use vitrine::demos::muzero::game::{Game, GameId, Player, open};
use vitrine::demos::muzero::imagination::{
    Along, Drift, DriftConfig, DriftJob, Roll, RollConfig, RollJob, fixed_view,
};
use vitrine::demos::muzero::net::Net;
use vitrine::demos::muzero::training::Counters;
use vitrine::demos::muzero::weights_file::{About, load, save};
use vitrine::nn::Params;
use vitrine::rng::Rng;

use super::settings;

/// Networks with random weights in a file.
fn stored(folder: &Path, id: &GameId) -> PathBuf {
    let path = folder.join("weights.safetensors");
    let about = About {
        settings: settings(id),
        counters: Counters::default(),
    };
    let mut params = Params::new(&Device::Cpu, &Rng::new(21));
    Net::new(&mut params.root(), &about.settings.net).expect("possible sizes");
    save(&path, &params, &about).expect("a file");
    path
}

fn outputs<J: Job>(job: J) -> Vec<J::Output> {
    let mut all = Vec::new();
    run_to_end(WorkerOptions::default(), job, |event, _| {
        if let Some(Event::Output(output)) = event {
            all.push(output);
        }
        true
    })
    .expect("it ends well");
    all
}

fn roll(id: &GameId, weights: &Path, moves: &[usize], along: Along, depth: usize) -> Roll {
    let job = RollJob::new(RollConfig {
        game: id.clone(),
        moves: moves.to_vec(),
        along,
        depth,
        weights: Some(weights.to_owned()),
        seed: 5,
    });
    outputs(job).pop().expect("a line")
}

#[test]
fn a_line_is_the_networks_beside_the_rules() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = GameId::TicTacToe;
    let path = stored(folder.path(), &id);
    let net = load(&path, &Device::Cpu).expect("networks").net;
    // Seven moves in all, nobody has a line.
    let line = [4, 1, 2, 6, 3, 5];
    let found = roll(&id, &path, &[0], Along::Given(line.to_vec()), 20);
    assert_eq!((found.steps.len(), found.shape), (7, [2, 3, 3]));
    let mut game = open(&id).expect("built in");
    game.step(0).expect("legal");
    let seen = |game: &dyn Game| {
        let mut planes = vec![0.0; 18];
        game.observe(&mut planes);
        planes
    };
    let tensor = Tensor::from_vec(seen(&*game), (1, 2, 3, 3), &Device::Cpu).expect("one");
    let mut state = net.represent(&tensor).expect("h");
    for (k, step) in found.steps.iter().enumerate() {
        if k > 0 {
            let action = Tensor::new(&[line[k - 1] as u32], &Device::Cpu).expect("one");
            state = net.dynamics(&state, &action).expect("g").1;
            game.step(line[k - 1]).expect("legal");
            assert_eq!(step.action, Some(line[k - 1]));
        }
        let mover = if k % 2 == 0 {
            Player::Second
        } else {
            Player::First
        };
        assert_eq!(step.first_to_play, mover == Player::First);
        let sign = if step.first_to_play { 1.0 } else { -1.0 };
        let logits = net.predict(&state).expect("f").value;
        let logits: Vec<f32> = logits.flatten_all().and_then(|x| x.to_vec1()).expect("f");
        let value = sign * net.config().value.mean(&logits);
        assert!((step.value - value).abs() < 1e-5, "step {k}");
        let mut truth = seen(&*game);
        fixed_view(&id, found.shape, mover, &mut truth);
        assert_eq!(step.seen.as_ref(), Some(&truth), "step {k}");
        let drawn = net
            .probe(&state)
            .and_then(|x| x.flatten_all()?.to_vec1::<f32>());
        let mut drawn: Vec<f32> = (drawn.expect("the probe").iter())
            .map(|x| 1.0 / (1.0 + (-x).exp()))
            .collect();
        fixed_view(&id, found.shape, mover, &mut drawn);
        let apart = drawn.iter().zip(&truth).map(|(a, b)| (a - b).abs());
        let mean = apart.sum::<f32>() / 18.0;
        let told = step.difference.expect("both are there").mean;
        assert!((told - mean).abs() < 1e-5, "step {k}");
        assert!(!step.over && step.illegal.is_some(), "step {k}");
    }
    let first = &found.steps[0];
    assert_eq!(
        first.true_value,
        Some(first.value),
        "nothing is imagined yet"
    );
    assert_eq!(first.true_likely, first.likely);
}

#[test]
fn the_end_and_forbidden_moves_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = GameId::TicTacToe;
    let path = stored(folder.path(), &id);
    // Crosses win with the fifth move; what comes then changes nothing.
    let found = roll(&id, &path, &[], Along::Given(vec![0, 3, 1, 4, 2, 2, 7]), 20);
    let over: Vec<bool> = found.steps.iter().map(|step| step.over).collect();
    assert_eq!(over, [false, false, false, false, false, true, true, true]);
    for step in &found.steps[5..] {
        assert_eq!(step.true_value, Some(1.0));
        assert_eq!(step.seen, found.steps[5].seen);
        assert!(step.illegal.is_none() && step.true_likely.is_empty());
    }
    assert_eq!(found.steps[5].true_reward, Some(1.0));
    assert_eq!(found.steps[6].true_reward, Some(0.0));
    // The second move is on a taken cell: from there on there is no truth.
    let found = roll(&id, &path, &[], Along::Given(vec![4, 4, 0]), 20);
    let there: Vec<bool> = found.steps.iter().map(|step| step.seen.is_some()).collect();
    assert_eq!(there, [true, true, false, false]);
    assert!(found.steps[2].true_value.is_none() && !found.steps[2].over);
}

#[test]
fn lines_come_from_chance_or_from_a_search() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["connect4", "minatar:breakout"] {
        let id: GameId = name.parse().expect("a game");
        let path = stored(folder.path(), &id);
        let random = roll(&id, &path, &[], Along::Random, 6);
        assert_eq!(random.steps.len(), 7, "{name}");
        assert!(
            random.steps.iter().all(|step| step.seen.is_some()),
            "{name}: legal"
        );
        assert_eq!(
            random,
            roll(&id, &path, &[], Along::Random, 6),
            "{name}: the same seed"
        );
        let principal = roll(&id, &path, &[], Along::Principal(40), 6);
        assert!((2..=7).contains(&principal.steps.len()), "{name}");
        // More simulations than fit one level: the line goes on below the first move.
        assert!(principal.steps.len() > 2, "{name}");
    }
}

#[test]
fn drift_is_measured_at_every_depth() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = GameId::TicTacToe;
    let path = stored(folder.path(), &id);
    let config = DriftConfig {
        game: id,
        weights: Some(path),
        depth: 9,
        positions: 40,
        seed: 3,
    };
    let all = outputs(DriftJob::new(config.clone()));
    let drift = all.last().expect("a result");
    assert_eq!(drift.positions, 40);
    assert_eq!(drift.depths[0].count, 40);
    assert!(
        drift.depths.windows(2).all(|w| w[0].count >= w[1].count),
        "games end"
    );
    assert!(
        drift.depths.len() < 10,
        "nobody plays nine moves and goes on"
    );
    let first = &drift.depths[0];
    assert!(
        (first.error.mean - first.probe.mean).abs() < 1e-6,
        "nothing is imagined yet"
    );
    assert!(first.still.mean.abs() < 1e-9 && first.value.mean.abs() < 1e-6);
    // A move puts one stone on 18 places.
    let still = &drift.depths[1].still;
    assert!(
        (still.mean - 1.0 / 18.0).abs() < 1e-6 && still.half < 1e-6,
        "{still:?}"
    );
    assert!((drift.depths[2].still.mean - 2.0 / 18.0).abs() < 1e-6);
    for d in &drift.depths {
        assert!((0.0..=1.0).contains(&d.wrong.mean) && (0.0..=1.0).contains(&d.illegal.mean));
        assert!(d.error.mean > 0.0 && d.error.half.is_finite());
    }
    let again: Vec<Drift> = outputs(DriftJob::new(config));
    assert_eq!(again.last(), Some(drift), "the same seed");
}
