//! The networks: shapes, where gradients flow, and that planning is nothing but the networks.

use candle_core::{Device, Tensor, Var};
use vitrine::demos::muzero::game::GameId;
use vitrine::demos::muzero::net::Net;
use vitrine::demos::muzero::planning::Planner;
use vitrine::demos::muzero::search::{Answers, Model, Request};
use vitrine::nn::Params;
use vitrine::rng::Rng;

use super::{settings, spec};

fn net(id: &GameId, projection: usize) -> (Params, Net) {
    let mut config = settings(id).net;
    config.projection = projection;
    let mut params = Params::new(&Device::Cpu, &Rng::new(3));
    let net = Net::new(&mut params.root(), &config).expect("possible sizes");
    // Some first weights are zeros, behind which no gradient would be seen.
    let mut rng = Rng::new(4);
    for (_, param) in params.iter() {
        let values = param.values().expect("numbers");
        let moved: Vec<f32> = (values.iter())
            .map(|x| x + 0.05 * rng.normal() as f32)
            .collect();
        param.set(&moved).expect("as many");
    }
    (params, net)
}

/// Numbers in `[0, 1)` of this shape.
fn numbers(shape: &[usize], seed: u64) -> Tensor {
    let mut rng = Rng::new(seed);
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.uniform() as f32).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).expect("a tensor")
}

fn values(tensor: &Tensor) -> Vec<f32> {
    let flat = tensor.flatten_all().expect("a tensor");
    flat.to_vec1().expect("numbers")
}

fn largest(tensor: Option<&Tensor>) -> f32 {
    let size = |tensor: &Tensor| values(tensor).into_iter().fold(0.0, |m, x| x.abs().max(m));
    tensor.map_or(0.0, size)
}

#[test]
fn every_game_has_networks_of_its_shape() {
    let arcade = GameId::Atari("pong".into());
    for id in GameId::built_in().chain([arcade.clone()]) {
        let (_, net) = net(&id, 0);
        let (config, spec) = (net.config(), spec(&id));
        assert!(config.fits(&spec), "{id}");
        let [planes, rows, columns] = spec.observation;
        let seen = numbers(&[2, planes, rows, columns], 1);
        let state = net.represent(&seen).expect("h");
        let grid = if id == arcade {
            [6, 6]
        } else {
            [rows, columns]
        };
        assert_eq!(state.dims(), [2, 8, grid[0], grid[1]], "{id}");
        assert_eq!(config.state_len(), 8 * grid[0] * grid[1], "{id}");
        let last = spec.actions as u32 - 1;
        let actions = Tensor::new(&[0_u32, last], &Device::Cpu).expect("actions");
        let (reward, next) = net.dynamics(&state, &actions).expect("g");
        assert_eq!(next.dims(), state.dims(), "{id}");
        assert!(reward.is_some(), "{id}");
        if let (Some(reward), Some(support)) = (reward, config.reward) {
            assert_eq!(reward.dims(), [2, support.bins], "{id}");
        }
        for state in [&state, &next] {
            for one in values(state).chunks(config.state_len()) {
                let least = one.iter().copied().fold(f32::MAX, f32::min);
                let most = one.iter().copied().fold(f32::MIN, f32::max);
                assert!(
                    least.abs() < 1e-6 && (most - 1.0).abs() < 1e-4,
                    "{id}: {least} {most}"
                );
            }
        }
        let prediction = net.predict(&next).expect("f");
        assert_eq!(prediction.policy.dims(), [2, spec.actions], "{id}");
        assert_eq!(prediction.value.dims(), [2, config.value.bins], "{id}");
        let drawn = net.probe(&next).expect("the probe");
        let target = net.probe_target(&seen).expect("a picture");
        let shape = if id == arcade {
            [1, 48, 48]
        } else {
            spec.observation
        };
        assert_eq!(config.probe_shape(), shape, "{id}");
        assert_eq!(drawn.dims()[1..], shape, "{id}");
        assert_eq!(target.dims(), drawn.dims(), "{id}");
    }
}

#[test]
fn the_arcade_s_picture_is_the_newest_frame_at_half_its_size() {
    let (_, net) = net(&GameId::Atari("pong".into()), 0);
    let seen = numbers(&[1, 8, 96, 96], 2);
    let shown = values(&net.probe_target(&seen).expect("a picture"));
    let all = values(&seen);
    for (row, column) in [(0, 0), (17, 40), (47, 47)] {
        let at = |r: usize, c: usize| all[(3 * 96 + 2 * row + r) * 96 + 2 * column + c];
        let mean = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4.0;
        assert!((shown[row * 48 + column] - mean).abs() < 1e-6);
    }
}

#[test]
fn the_probe_learns_alone() {
    let (params, net) = net(&GameId::TicTacToe, 4);
    let state = net.represent(&numbers(&[3, 2, 3, 3], 5)).expect("h");
    let actions = Tensor::new(&[0_u32, 4, 8], &Device::Cpu).expect("actions");
    let (_, next) = net.unroll(&state, &actions).expect("g");
    let loss = net.probe(&next).and_then(|x| x.sqr()?.sum_all());
    let gradients = loss.and_then(|loss| loss.backward()).expect("gradients");
    let mut probes = 0;
    for (name, param) in params.iter() {
        let size = largest(gradients.get(param.var().as_tensor()));
        if name.starts_with("probe") {
            assert!(size > 0.0, "{name}");
            probes += 1;
        } else {
            assert!(size <= 0.0, "{name}: {size}");
        }
    }
    assert!(probes >= 4, "{probes}");
}

#[test]
fn half_of_the_gradient_passes_from_step_to_step() {
    let (params, net) = net(&GameId::ConnectFour, 0);
    let state = Var::from_tensor(&numbers(&[2, 8, 6, 7], 6)).expect("a state");
    let actions = Tensor::new(&[1_u32, 6], &Device::Cpu).expect("actions");
    let pull = numbers(&[2, 8, 6, 7], 7);
    let gradients = |halved: bool| {
        let (_, next) = if halved {
            net.unroll(&state, &actions)
        } else {
            net.dynamics(&state, &actions)
        }
        .expect("g");
        let loss = (next * &pull).and_then(|x| x.sum_all()).expect("a loss");
        (
            values(&loss.reshape(1).expect("one")),
            loss.backward().expect("gradients"),
        )
    };
    let ((whole_loss, whole), (half_loss, half)) = (gradients(false), gradients(true));
    assert!(
        (whole_loss[0] - half_loss[0]).abs() < 1e-3,
        "the same numbers"
    );
    let of = |store: &candle_core::backprop::GradStore, var: &Var| {
        store.get(var.as_tensor()).map(values)
    };
    let (a, b) = (of(&whole, &state), of(&half, &state));
    let (a, b) = (a.expect("a gradient"), b.expect("a gradient"));
    assert!(a.iter().any(|x| x.abs() > 1e-3));
    assert!(
        a.iter()
            .zip(&b)
            .all(|(a, b)| (0.5 * a - b).abs() < 1e-5 + 1e-4 * a.abs())
    );
    // What the weights learn of this step is not halved.
    let mut compared = 0;
    for (name, param) in params
        .iter()
        .filter(|(name, _)| name.starts_with("dynamics"))
    {
        let (a, b) = (of(&whole, param.var()), of(&half, param.var()));
        let (a, b) = (a.expect("a gradient"), b.expect("a gradient"));
        let near = a
            .iter()
            .zip(&b)
            .all(|(a, b)| (a - b).abs() < 1e-4 + 1e-3 * a.abs());
        assert!(near, "{name}");
        compared += 1;
    }
    assert!(compared >= 6, "{compared}");
}

#[test]
fn consistency_pulls_imagined_states_only() {
    let (params, net) = net(&GameId::TicTacToe, 6);
    let imagined = Var::from_tensor(&numbers(&[2, 8, 3, 3], 8)).expect("states");
    let seen = Var::from_tensor(&numbers(&[2, 8, 3, 3], 9)).expect("states");
    let weights = Tensor::new(&[1.0_f32, 0.25], &Device::Cpu).expect("weights");
    let of = |imagined: &Tensor| {
        let loss = net
            .inconsistency(imagined, &seen, &weights)
            .expect("a loss");
        (loss.to_scalar::<f32>().expect("one number"), loss)
    };
    let (least, loss) = of(&imagined);
    assert!(
        (-1.0..=1.0).contains(&least),
        "minus a mean of weighted cosines: {least}"
    );
    let gradients = loss.backward().expect("gradients");
    assert!(
        largest(gradients.get(seen.as_tensor())) <= 0.0,
        "the true states stay"
    );
    let gradient = values(gradients.get(imagined.as_tensor()).expect("a gradient"));
    for (name, param) in params.iter() {
        let size = largest(gradients.get(param.var().as_tensor()));
        if name.starts_with("consistency") {
            assert!(size > 0.0 || name.ends_with("bias"), "{name}");
        } else {
            assert!(size <= 0.0, "{name}: {size}");
        }
    }
    // The gradient is that of the loss with the true side held.
    let start = values(&imagined);
    for at in [0, 13, 71, 72, 100, 143] {
        let moved = |by: f32| {
            let mut numbers = start.clone();
            numbers[at] += by;
            let tensor = Tensor::from_vec(numbers, (2, 8, 3, 3), &Device::Cpu).expect("states");
            of(&tensor).0
        };
        let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
        assert!(
            (slope - gradient[at]).abs() < 2e-3,
            "{at}: {slope} {}",
            gradient[at]
        );
    }
    // Equal states have not reached the optimum, because a prediction lies between: but twice the
    // weight is twice the loss.
    let double = Tensor::new(&[2.0_f32, 0.5], &Device::Cpu).expect("weights");
    let twice = net
        .inconsistency(&imagined, &seen, &double)
        .expect("a loss");
    let twice = twice.to_scalar::<f32>().expect("one number");
    assert!((twice - 2.0 * least).abs() < 1e-5);
}

#[test]
fn planning_is_the_networks_step_by_step() {
    for id in [
        GameId::ConnectFour,
        "minatar:breakout".parse().expect("a game"),
    ] {
        let settings = settings(&id);
        let (_, net) = net(&id, 0);
        let net = net.detached();
        let config = net.config();
        let [planes, rows, columns] = config.observation;
        let seen = numbers(&[3, planes, rows, columns], 10);
        let mut planner = Planner::new(&net, &Device::Cpu, settings.players, 0.9);
        let looked = planner.begin(&values(&seen), 2).expect("roots");
        let near = |a: &[f32], b: &[f32]| {
            assert_eq!(a.len(), b.len());
            let off = a
                .iter()
                .zip(b)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(off < 1e-4, "{id}: {off}");
        };
        // Each tree alone, by hand.
        let mut states = Vec::new();
        for tree in 0..3 {
            let state = net
                .represent(&seen.narrow(0, tree, 1).expect("one"))
                .expect("h");
            let prediction = net.predict(&state).expect("f");
            let logits = values(&prediction.policy);
            near(
                &looked.logits[tree * config.actions..][..config.actions],
                &logits,
            );
            let value = config.value.mean(&values(&prediction.value));
            near(&looked.values[tree..=tree], &[value]);
            near(planner.state(tree, 0), &values(&state));
            states.push(vec![state]);
        }
        // Trees 2 and 0 go one step, then both from there.
        for node in [1, 2] {
            let requests = [(2, 1), (0, 3)].map(|(tree, action)| Request {
                tree,
                parent: node - 1,
                node,
                action: (action + node) % config.actions,
            });
            let mut answers = Answers::default();
            planner.expand(&requests, &mut answers).expect("g and f");
            for (place, request) in requests.iter().enumerate() {
                let from = &states[request.tree][request.parent];
                let action = Tensor::new(&[request.action as u32], &Device::Cpu).expect("one");
                let (reward, state) = net.dynamics(from, &action).expect("g");
                let prediction = net.predict(&state).expect("f");
                let expected = match (reward, config.reward) {
                    (Some(reward), Some(support)) => support.mean(&values(&reward)),
                    _ => 0.0,
                };
                near(&answers.rewards[place..=place], &[expected]);
                let value = config.value.mean(&values(&prediction.value));
                near(&answers.values[place..=place], &[value]);
                let logits = values(&prediction.policy);
                near(
                    &answers.logits[place * config.actions..][..config.actions],
                    &logits,
                );
                near(planner.state(request.tree, node), &values(&state));
                let sign = if settings.players == 2 { -1.0 } else { 1.0 };
                near(&answers.discounts[place..=place], &[sign * 0.9]);
                states[request.tree].push(state);
            }
        }
        let beyond = Request {
            tree: 0,
            parent: 0,
            node: 3,
            action: 0,
        };
        assert!(
            planner.expand(&[beyond], &mut Answers::default()).is_err(),
            "no room"
        );
    }
}
