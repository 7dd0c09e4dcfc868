//! Edge-popup and channel gates on a part of MNIST: what is trained, what stays, what is kept, and
//! what it costs.

use std::sync::OnceLock;

use candle_core::{Device, Tensor};
use vitrine::compute::{Event, WorkerOptions, run_to_end};
use vitrine::data::{DatasetSource, Datasets};
use vitrine::demos::lottery::config::{LotteryConfig, Method, NetKind, RandomWeights};
use vitrine::demos::lottery::edge_popup::EdgePopupNet;
use vitrine::demos::lottery::gates::{
    GateNet, NarrowNet, PENALTY, SPARSITY, budget_steps, choose, gates_name, narrow, relative_norms,
};
use vitrine::demos::lottery::images::{Evaluation, Images, Part};
use vitrine::demos::lottery::job::{LotteryJob, RunOptions};
use vitrine::demos::lottery::model::{Pass, Trainable, count_kept};
use vitrine::demos::lottery::net::NetSpec;
use vitrine::demos::lottery::record::{Extras, RunRecord, Stage, StageKind, Summary};
use vitrine::nn::ops::{cross_entropy, subnetwork::kept_count};
use vitrine::nn::optim::{Optimizer, OptimizerConfig};
use vitrine::nn::{Kind, Params};
use vitrine::rng::Rng;
use vitrine::store::{Paths, assets_dir};

/// 12,000 digits to learn from and 2,000 to test on.
fn images() -> &'static Images {
    static IMAGES: OnceLock<Images> = OnceLock::new();
    IMAGES.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = Paths::under(folder.path());
        let sets = DatasetSource::Mnist.load(None, &assets_dir(), &paths);
        let sets = sets.expect("MNIST is shipped");
        let first = |len: u32| (0..len).collect::<Vec<_>>();
        let sets = Datasets {
            train: sets.train.subset(&first(12_000)).expect("there are more"),
            test: sets.test.subset(&first(2000)).expect("there are more"),
        };
        Images::new(&sets, &Device::Cpu).expect("pictures")
    })
}

fn spec(kind: NetKind, width: f64) -> NetSpec {
    NetSpec::new(kind, width, images().shape(), images().classes()).expect("a net of the papers")
}

fn params(seed: u64) -> Params {
    Params::new(&Device::Cpu, &Rng::new(seed))
}

/// One optimiser step on the batch of this number.
fn step(model: &mut dyn Trainable, params: &Params, optimizer: &mut Optimizer, number: u32) {
    let len = images().train_len() as u32;
    let batch: Vec<u32> = (0..60).map(|i| (number * 60 + i) % len).collect();
    let (x, targets) = images().batch(&batch, &Device::Cpu).expect("a batch");
    let logits = model.forward(&x, Pass::Train).expect("logits");
    let mut loss = cross_entropy(&logits, &targets, 0.0).expect("a loss");
    if let Some(penalty) = model.regulariser().expect("a penalty") {
        loss = (loss + penalty).expect("a sum");
    }
    let gradients = loss.backward().expect("gradients");
    optimizer.step(params, &gradients).expect("a step");
    model.after_step(params).expect("the end of a step");
}

fn train(model: &mut dyn Trainable, params: &Params, steps: u32) {
    let mut optimizer = Optimizer::new(model.optimizer());
    for number in 0..steps {
        step(model, params, &mut optimizer, number);
    }
}

fn accuracy(model: &mut dyn Trainable) -> f64 {
    let spec = model.spec().clone();
    let score = Evaluation::new(Part::Test, &spec).finish(model, images());
    score.expect("an evaluation").accuracy
}

/// The bits of every weight that is not trained, by name; the mask that churn counts from is one.
fn buffers(params: &Params) -> Vec<(String, Vec<u32>)> {
    let buffers = params
        .iter()
        .filter(|(_, param)| param.kind() == Kind::Buffer);
    let weights = buffers.filter(|(name, _)| name.ends_with(".weight"));
    weights
        .map(|(name, param)| {
            let values = param.values().expect("numbers");
            (
                name.to_owned(),
                values.iter().map(|x| x.to_bits()).collect(),
            )
        })
        .collect()
}

// --- Edge-popup -----------------------------------------------------------------------------------

fn popup(config: &LotteryConfig, spec: &NetSpec, seed: u64) -> (Params, EdgePopupNet) {
    let mut params = params(seed);
    let net = EdgePopupNet::new(spec, config, &mut params).expect("a net");
    (params, net)
}

#[test]
fn a_net_learns_without_a_weight_being_touched() {
    let config = LotteryConfig {
        steps: 300,
        ..LotteryConfig::default()
    };
    let spec = spec(NetKind::Lenet, 1.0);
    let (params, mut net) = popup(&config, &spec, 1);
    let before = buffers(&params);
    assert_eq!(
        before.len(),
        3,
        "weights of three layers are no matter of training"
    );
    let first = accuracy(&mut net);

    let mut optimizer = Optimizer::new(net.optimizer());
    let mut churn = Vec::new();
    for number in 0..config.steps as u32 {
        step(&mut net, &params, &mut optimizer, number);
        if (number + 1) % 50 == 0 {
            churn.push(net.churn(&params).expect("a churn").expect("it chooses"));
        }
    }
    assert!(buffers(&params) == before, "random weights have changed");
    let trained = optimizer.state().expect("a state").weights;
    assert!(
        trained.keys().all(|name| name.ends_with(".scores")),
        "{trained:?}"
    );

    let kept = count_kept(&net.masks(&params).expect("masks"));
    let expected: Vec<u64> = spec
        .layers
        .iter()
        .map(|layer| layer.weights() / 2)
        .collect();
    assert_eq!(kept, expected);
    for (weights, (_, bits)) in net.weights(&params).expect("weights").iter().zip(&before) {
        let unlike = |(w, bits): &(&f32, &u32)| **w != 0.0 && w.to_bits() != **bits;
        assert_eq!(weights.iter().zip(bits).filter(unlike).count(), 0);
    }
    // With the rate, changes die down.
    assert!(
        churn.iter().all(|share| (0.0..1.0).contains(share)),
        "{churn:?}"
    );
    assert!(churn[5] < churn[0] / 2.0 && churn[5] > 0.0, "{churn:?}");
    assert_eq!(
        net.churn(&params).expect("a churn"),
        Some(0.0),
        "nothing since"
    );

    // Ten classes; the full training set reaches more, see the measured figures.
    let last = accuracy(&mut net);
    assert!(first < 0.25, "before: {first}");
    assert!(last > 0.85, "after: {last}");
}

#[test]
fn other_shares_weights_and_layers_can_be_chosen_from() {
    for (kind, width, k, weights) in [
        (NetKind::Lenet, 0.3, 0.1, RandomWeights::KaimingNormal),
        (NetKind::Lenet, 2.0, 0.7, RandomWeights::SignedConstant),
        (NetKind::Conv2Lite, 0.5, 0.3, RandomWeights::SignedConstant),
        (NetKind::Lenet, 0.3, 1.0, RandomWeights::KaimingNormal),
    ] {
        let config = LotteryConfig {
            steps: 12,
            k,
            weights,
            ..LotteryConfig::default()
        };
        let spec = spec(kind, width);
        let (params, mut net) = popup(&config, &spec, 2);
        let before = buffers(&params);
        train(&mut net, &params, 12);
        assert!(buffers(&params) == before, "{kind:?} at {k}");
        let kept = count_kept(&net.masks(&params).expect("masks"));
        for (layer, kept) in spec.layers.iter().zip(kept) {
            let expected = kept_count(layer.weights() as usize, k) as u64;
            assert_eq!(kept, expected, "{kind:?} {} at {k}", layer.name);
        }
        let churn = net.churn(&params).expect("a churn").expect("it chooses");
        assert_eq!(churn > 0.0, k < 1.0, "{kind:?} at {k}: {churn}");
    }
}

#[test]
fn scaled_weights_have_the_deviation_of_the_paper() {
    let spec = spec(NetKind::Lenet, 1.0);
    for (k, unscaled, weights) in [
        (0.25, false, RandomWeights::SignedConstant),
        (0.25, true, RandomWeights::SignedConstant),
        (0.64, false, RandomWeights::KaimingNormal),
    ] {
        let config = LotteryConfig {
            k,
            unscaled,
            weights,
            ..LotteryConfig::default()
        };
        let (params, _) = popup(&config, &spec, 3);
        let values = params.get("fc1.weight").and_then(|w| w.values());
        let values = values.expect("random weights");
        let squares: f64 = values.iter().map(|&w| f64::from(w).powi(2)).sum();
        let deviation = (squares / values.len() as f64).sqrt();
        let scale = if unscaled { 1.0 } else { 1.0 / k };
        let expected = (2.0 / 784.0 * scale).sqrt();
        assert!(
            (deviation / expected - 1.0).abs() < 0.01,
            "{k}: {deviation}"
        );
    }
    for k in [0.0, -0.5, 1.5, f64::NAN] {
        let config = LotteryConfig {
            k,
            ..LotteryConfig::default()
        };
        assert!(EdgePopupNet::new(&spec, &config, &mut params(1)).is_err());
    }
}

#[test]
fn a_search_gives_the_same_bits_for_any_number_of_threads() {
    let config = LotteryConfig {
        steps: 15,
        ..LotteryConfig::default()
    };
    let spec = spec(NetKind::Lenet, 1.0);
    let runs = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().expect("a pool").install(|| {
            let (params, mut net) = popup(&config, &spec, 4);
            train(&mut net, &params, 15);
            params.snapshot().expect("numbers")
        })
    });
    assert!(runs[0] == runs[1]);
}

/// Half of LeNet: forwards and back to the inputs a half takes part, in the scores' gradient all.
#[test]
fn operations_of_a_search_are_counted() {
    let spec = spec(NetKind::Lenet, 1.0);
    let (_, net) = popup(&LotteryConfig::default(), &spec, 5);
    let kept = [117_600, 15_000, 500];
    let found = net.training_flops(&kept);
    let forward = 2.0 * 133_100.0;
    let back = 2.0 * 15_500.0;
    let scores = 2.0 * 266_200.0;
    assert!((found - (forward + back + scores)).abs() < 1e-6, "{found}");
}

// --- Gates ----------------------------------------------------------------------------------------

#[test]
fn gates_are_trained_alone_and_stay_within_bounds() {
    let spec = spec(NetKind::Lenet, 1.0);
    let mut params = params(6);
    let mut net = GateNet::new(&spec, &mut params).expect("a net");
    let before = buffers(&params);
    assert_eq!(params.count_trained(), 400, "a gate for each hidden unit");
    let penalty = net.regulariser().expect("a penalty").expect("gates");
    let penalty = f64::from(penalty.to_scalar::<f32>().expect("one number"));
    let expected = PENALTY * (1.0 - SPARSITY).powi(2);
    assert!(
        (penalty - expected).abs() < 1e-6,
        "all gates open: {penalty}"
    );

    let first = accuracy(&mut net);
    train(&mut net, &params, 200);
    assert!(buffers(&params) == before, "random weights have changed");
    let gates = net.gates().expect("gates");
    let all: Vec<f32> = gates.concat();
    assert_eq!(all.len(), 400);
    assert!(all.iter().all(|gate| (0.0..=1.0).contains(gate)));
    assert!(all.iter().any(|gate| *gate == 0.0), "none has closed");
    let mean = all.iter().sum::<f32>() / 400.0;
    assert!(mean < 0.7, "the penalty pulls: {mean}");
    let last = accuracy(&mut net);
    assert!(last > first + 0.2, "from {first} to {last} by gates alone");

    // A closed unit has no weights left; the rest is the random weight times its gate.
    let (masks, weights) = (net.masks(&params), net.weights(&params));
    let (masks, weights) = (masks.expect("masks"), weights.expect("weights"));
    let fc1 = params.get("fc1.weight").and_then(|w| w.values());
    let fc1 = fc1.expect("random weights");
    for unit in 0..300 {
        let row = unit * 784..(unit + 1) * 784;
        let gate = gates[0][unit];
        assert!(
            masks[0][row.clone()]
                .iter()
                .all(|&m| (m == 1) == (gate > 0.0))
        );
        for (w, random) in weights[0][row.clone()].iter().zip(&fc1[row]) {
            assert!((w - random * gate).abs() < 1e-7);
        }
    }
    assert!(masks[2].iter().all(|&m| m == 1), "classes have no gates");
}

/// The gradient of a gate, penalty included, against a difference of losses.
#[test]
fn gates_have_the_gradient_of_the_loss() {
    for (kind, width) in [(NetKind::Lenet, 0.1), (NetKind::Conv2Lite, 0.25)] {
        let spec = spec(kind, width);
        let mut params = params(7);
        let mut net = GateNet::new(&spec, &mut params).expect("a net");
        let batch: Vec<u32> = (0..20).collect();
        let (x, targets) = images().batch(&batch, &Device::Cpu).expect("a batch");
        let mut loss = || {
            let logits = net.forward(&x, Pass::Train).expect("logits");
            let loss = cross_entropy(&logits, &targets, 0.0).expect("a loss");
            let penalty = net.regulariser().expect("a penalty").expect("gates");
            (loss + penalty).expect("a sum")
        };
        let gradients = loss().backward().expect("gradients");
        for layer in &spec.layers[..spec.layers.len() - 1] {
            let gates = params.get(&gates_name(layer)).expect("gates");
            let found = gradients.get(gates.var()).expect("a gradient");
            let found: Vec<f32> = found.to_vec1().expect("numbers");
            let open = gates.values().expect("numbers");
            for unit in [0, layer.outputs - 1] {
                let mut at = |gate: f32| {
                    let mut values = open.clone();
                    values[unit] = gate;
                    gates.set(&values).expect("as many");
                    let loss = loss().to_scalar::<f32>().expect("one number");
                    gates.set(&open).expect("as many");
                    f64::from(loss)
                };
                let expected = (at(1.02) - at(0.98)) / 0.04;
                let error = (f64::from(found[unit]) - expected).abs();
                let name = &layer.name;
                assert!(
                    error < 2e-4 + 0.03 * expected.abs(),
                    "{name} {unit}: {expected}"
                );
            }
        }
    }
}

/// Multiply-adds of a LeNet with a and b hidden units.
fn multiply_adds(a: usize, b: usize) -> f64 {
    (784 * a + a * b + b * 10) as f64
}

#[test]
fn a_budget_is_met_within_one_units_worth() {
    let spec = spec(NetKind::Lenet, 1.0);
    let mut rng = Rng::new(8);
    let mut list = |len| (0..len).map(|_| rng.uniform() as f32).collect::<Vec<_>>();
    let random = vec![list(300), list(100)];
    // Gates that have ended at their bounds, half of them open.
    let shut = [300, 100].map(|len| (0..len).map(|i| (i % 2) as f32).collect::<Vec<_>>());
    for values in [random, shut.to_vec()] {
        for budget in [0.01, 0.1, 0.3, 0.5, 0.77, 1.0] {
            let chosen = choose(&spec, &values, budget).expect("a budget");
            let counts = chosen
                .units
                .iter()
                .map(|u| u.iter().filter(|&&s| s).count());
            let counts: Vec<usize> = counts.collect();
            let (a, b) = (counts[0], counts[1]);
            let found = multiply_adds(a, b) / 266_200.0;
            let small = narrow(&spec, &chosen.units);
            let flops = small.forward_flops(&small.all_kept());
            assert!((flops / 2.0 - multiply_adds(a, b)).abs() < 1e-6);
            let unit = multiply_adds(a + 1, b).max(multiply_adds(a, b + 1)) / 266_200.0;
            let full = (a, b) == (300, 100);
            assert!(found <= budget, "{found} of {budget}");
            assert!(full || unit > budget, "{unit} would still be in {budget}");
            // Whoever stays is worth no less than whoever goes, but for a layer's last one.
            let pairs = values.iter().zip(&chosen.units).zip(&counts);
            let all = pairs.flat_map(|((v, u), count)| {
                let alone = *count == 1;
                v.iter().zip(u).map(move |(v, stays)| (*v, *stays, alone))
            });
            let all: Vec<(f32, bool, bool)> = all.collect();
            let stay = all.iter().filter(|(_, stays, alone)| *stays && !alone);
            let least = stay.map(|(v, ..)| *v).fold(f32::INFINITY, f32::min);
            let go = all.iter().filter(|(_, stays, _)| !stays);
            let most = go.map(|(v, ..)| *v).fold(f32::NEG_INFINITY, f32::max);
            assert!(least >= most, "{least} stays, {most} goes");
            assert!(chosen.threshold <= least && chosen.threshold >= most);
            assert!(counts[2] == 10, "all classes stay");
        }
    }
    for budget in [0.0, -1.0, 1.01, f64::NAN] {
        assert!(choose(&spec, &[vec![1.0; 300], vec![1.0; 100]], budget).is_err());
    }
    assert!(choose(&spec, &[vec![1.0; 300]], 0.5).is_err());
    // A layer that is worth nothing keeps a unit.
    let values = [vec![1.0; 300], vec![0.0; 100]];
    let chosen = choose(&spec, &values, 0.3).expect("a budget");
    assert_eq!(chosen.units[1].iter().filter(|&&stays| stays).count(), 1);
}

/// A net without some units and the full net in which they are zero give the same answers.
#[test]
fn a_narrow_net_answers_as_the_full_one_without_those_units() {
    for kind in [NetKind::Lenet, NetKind::Conv2Lite, NetKind::Conv4] {
        let spec = spec(kind, 0.2);
        let mut rng = Rng::new(9);
        let mut units: Vec<Vec<bool>> = spec
            .layers
            .iter()
            .map(|layer| (0..layer.outputs).map(|_| rng.below(3) > 0).collect())
            .collect();
        units.iter_mut().for_each(|units| units[1] = true);
        units.last_mut().expect("classes").fill(true);

        let mut full_params = params(10);
        let full = vitrine::demos::lottery::net::Net::new(&spec, &mut full_params);
        let full = full.expect("a net");
        for layer in &spec.layers {
            let biases: Vec<f32> = (0..layer.outputs).map(|_| rng.normal() as f32).collect();
            let param = full_params.get(&layer.bias_name()).expect("biases");
            param.set(&biases).expect("as many");
        }
        let trained = full_params.snapshot().expect("numbers");
        let mut small_params = params(11);
        let optimizer = OptimizerConfig::adam(1e-3);
        let small = NarrowNet::new(&spec, &units, optimizer, &mut small_params);
        let mut small = small.expect("a narrow net");
        small
            .take_over(&trained, &small_params)
            .expect("its own net");

        // Shown as a part of the full net it is the same net.
        let shown = small.snapshot(&small_params).expect("numbers");
        full_params.restore(&shown).expect("the same shapes");
        let (x, _) = images()
            .batch(&[3, 1, 4, 15, 9], &Device::Cpu)
            .expect("a batch");
        let values = |y: Tensor| y.flatten_all().and_then(|y| y.to_vec1::<f32>());
        let expected = values(full.forward(&x).expect("logits")).expect("numbers");
        let found = small.forward(&x, Pass::EvaluateFirst).expect("logits");
        for (found, expected) in values(found).expect("numbers").iter().zip(&expected) {
            assert!(
                (found - expected).abs() < 1e-4 * (1.0 + expected.abs()),
                "{kind:?}"
            );
        }
        let kept = count_kept(&small.masks(&small_params).expect("masks"));
        assert_eq!(kept, small.narrow_spec().all_kept());
        let flops = small.narrow_spec().training_flops(&kept);
        assert!((small.training_flops(&kept) - flops).abs() < 1e-3);
        for (layer, mask) in small
            .masks(&small_params)
            .expect("masks")
            .iter()
            .enumerate()
        {
            let weights = &shown[&spec.layers[layer].weight_name()];
            let outside = weights.iter().zip(mask).filter(|(_, m)| **m == 0);
            assert!(outside.into_iter().all(|(w, _)| *w == 0.0));
        }
    }
}

#[test]
fn norms_are_relative_to_their_layer() {
    let spec = spec(NetKind::Lenet, 0.02); // 6 and 2 units
    let mut trained = vitrine::nn::Snapshot::new();
    let rows = |sizes: &[f32], inputs: usize| -> Vec<f32> {
        let sign = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        let row = |&size: &f32| (0..inputs).map(move |i| size * sign(i));
        sizes.iter().flat_map(row).collect()
    };
    trained.insert(
        "fc1.weight".into(),
        rows(&[1.0, 2.0, 3.0, 1.0, 2.0, 3.0], 784),
    );
    trained.insert("fc2.weight".into(), rows(&[30.0, 10.0], 6));
    let norms = relative_norms(&spec, &trained).expect("a net of this shape");
    let close = |found: &[f32], expected: &[f32]| {
        let pairs = found.iter().zip(expected);
        found.len() == expected.len() && pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-6)
    };
    assert!(
        close(&norms[0], &[0.5, 1.0, 1.5, 0.5, 1.0, 1.5]),
        "{norms:?}"
    );
    assert!(
        close(&norms[1], &[1.5, 0.5]) && norms.len() == 2,
        "{norms:?}"
    );
}

#[test]
fn the_same_operations_are_more_steps_of_a_narrow_net() {
    let spec = spec(NetKind::Lenet, 1.0);
    let mut units = vec![vec![true; 300], vec![true; 100], vec![true; 10]];
    assert_eq!(budget_steps(&spec, &narrow(&spec, &units), 3000), 3000);
    units[0][150..].fill(false);
    units[1][50..].fill(false);
    // Three products a layer, two in the first.
    let cost = |a: f64, b: f64| 2.0 * 784.0 * a + 3.0 * (a * b + 10.0 * b);
    let expected = (3000.0 * cost(300.0, 100.0) / cost(150.0, 50.0)).round() as u64;
    assert_eq!(budget_steps(&spec, &narrow(&spec, &units), 3000), expected);
    assert!((6000..7000).contains(&expected));
}

// --- Whole runs -----------------------------------------------------------------------------------

/// Runs a method to its end on the whole of MNIST.
fn run(config: &LotteryConfig, root: &std::path::Path) -> RunRecord {
    let options = RunOptions {
        root: root.to_owned(),
        paths: Paths::under(root),
        fresh: false,
        shots: false,
    };
    let mut record = RunRecord {
        config: config.clone(),
        weights: 0,
        layers: Vec::new(),
        stages: Vec::new(),
        extras: Extras::default(),
        finished: false,
    };
    let job = LotteryJob::new(config.clone(), options).expect("possible settings");
    run_to_end(WorkerOptions::default(), job, |event, _| {
        if let Some(Event::Output(output)) = event {
            record.hear(&output);
        }
        true
    })
    .expect("a run");
    assert!(record.finished);
    record
}

fn summary(stage: &Stage) -> Summary {
    stage.summary.expect("a finished stage")
}

#[test]
fn the_four_ways_of_pruning_are_charged_for_what_led_to_them() {
    let config = LotteryConfig {
        method: Method::Gates,
        steps: 200,
        eval_every: 100,
        budget: 0.4,
        ..LotteryConfig::default()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let record = run(&config, folder.path());
    let kinds: Vec<StageKind> = record.stages.iter().map(|stage| stage.kind).collect();
    assert_eq!(
        kinds,
        [
            StageKind::Dense,
            StageKind::FineTune,
            StageKind::GateSearch,
            StageKind::GatedSameSteps,
            StageKind::GatedSameBudget
        ]
    );
    let [dense, tuned, search, same_steps, same_budget] = &record.stages[..] else {
        unreachable!("five were found");
    };
    let flops = |stage: &Stage| summary(stage).flops;
    let from = |stage: &Stage| stage.points[0].flops;
    let steps = |stage: &Stage| stage.points.last().expect("a point").step;
    let close = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
    assert!(from(dense) == 0.0 && from(search) == 0.0);
    assert!(close(from(tuned), flops(dense)), "after the full training");
    assert!(close(from(same_steps), flops(search)) && close(from(same_budget), flops(search)));
    assert_eq!(
        [dense, tuned, search, same_steps].map(steps),
        [200, 50, 200, 200]
    );
    // A step of 60 pictures through LeNet: forwards 266,200 multiply-adds, and back.
    assert!(close(
        flops(dense),
        200.0 * 60.0 * 2.0 * (3.0 * 266_200.0 - 235_200.0)
    ));
    assert!(close(
        flops(search),
        200.0 * 60.0 * 2.0 * (2.0 * 266_200.0 - 235_200.0)
    ));
    let same = flops(same_budget) / flops(dense);
    assert!((same - 1.0).abs() < 0.01, "as many operations: {same}");
    for stage in [tuned, same_steps, same_budget] {
        let kept: u64 = stage.kept.iter().sum();
        let share = kept as f64 / 266_200.0;
        assert!(share <= 0.4 && share > 0.39, "{share}");
        assert!((stage.weights_remaining - share).abs() < 1e-12);
        let units = &stage.alive_units;
        assert!((multiply_adds(units[0] as usize, units[1] as usize) - kept as f64).abs() < 0.1);
        assert!(summary(stage).final_accuracy > 0.85, "{:?}", stage.kind);
        assert!(summary(stage).stored_bytes < summary(dense).stored_bytes / 2);
    }
    assert_eq!(same_steps.kept, same_budget.kept);
    assert_eq!(
        record.extras.gates.iter().map(Vec::len).collect::<Vec<_>>(),
        [300, 100]
    );
    assert!(record.extras.gate_threshold.is_some());
    // Fine-tuning goes on from trained weights, the others begin anew.
    assert!(tuned.points[0].test_accuracy > 0.5 && same_steps.points[0].test_accuracy < 0.3);
}

#[test]
fn a_sweep_over_k_is_run_and_reported() {
    let config = LotteryConfig {
        method: Method::EdgePopup,
        steps: 60,
        eval_every: 30,
        k: 0.5,
        k_sweep: vec![0.9, 0.1, 0.5],
        ..LotteryConfig::default()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let record = run(&config, folder.path());
    let shares: Vec<f64> = record.extras.k_sweep.iter().map(|(k, _)| *k).collect();
    assert_eq!(shares, [0.1, 0.5, 0.9]);
    assert_eq!(record.stages.len(), 3);
    for (stage, k) in record.stages.iter().zip([0.5, 0.9, 0.1]) {
        assert_eq!(stage.kind, StageKind::EdgePopup);
        assert!((stage.weights_remaining - k).abs() < 1e-3, "{k}");
        let churn: Vec<Option<f64>> = stage.points.iter().map(|p| p.mask_churn).collect();
        assert!(
            churn[0].is_none() && churn[1].is_some_and(|share| share > 0.0),
            "{churn:?}"
        );
        assert!(stage.points[0].flops == 0.0, "charged for itself alone");
        let found = record.extras.k_sweep.iter().find(|(other, _)| *other == k);
        assert_eq!(found, Some(&(k, summary(stage).final_accuracy)));
        // Packed bits; the weights follow from the seed.
        assert_eq!(summary(stage).stored_bytes, 29_400 + 3750 + 125);
    }
    assert!(summary(&record.stages[0]).final_accuracy > 0.6);
}

/// Not a check: prints what methods reach. Run with `--ignored --nocapture`; `VITRINE_LOTTERY` is
/// settings as JSON.
#[test]
#[ignore = "a measurement"]
fn measure() {
    let text = std::env::var("VITRINE_LOTTERY").expect("VITRINE_LOTTERY is set");
    let config: LotteryConfig = serde_json::from_str(&text).expect("settings");
    let folder = tempfile::tempdir().expect("a folder");
    let begin = std::time::Instant::now();
    let record = run(&config, folder.path());
    println!("{:.2} s in all", begin.elapsed().as_secs_f64());
    for stage in &record.stages {
        let s = summary(stage);
        let best = stage
            .points
            .iter()
            .map(|p| p.test_accuracy)
            .fold(0.0, f64::max);
        let first = stage.points[0].test_accuracy;
        let end = stage.points.last().expect("a point");
        println!(
            "{:?}: units {:?}, kept {:.4}, accuracy {first:.4} to {:.4} (best {best:.4}), {} steps, {:.3} ms a step, {:.2} cpu s, {:.3e} operations, with what led there {:.3e} and {:.2} cpu s, {} bytes",
            stage.kind,
            stage.alive_units,
            stage.weights_remaining,
            s.final_accuracy,
            end.step,
            s.ms_per_step,
            s.cpu_seconds,
            s.flops,
            end.flops,
            end.cpu_seconds,
            s.stored_bytes,
        );
        let churn: Vec<f64> = stage.points.iter().filter_map(|p| p.mask_churn).collect();
        if !churn.is_empty() {
            println!("  churn {churn:.4?}");
        }
    }
    println!(
        "{:?} threshold {:?}",
        record.extras.k_sweep, record.extras.gate_threshold
    );
    for gates in &record.extras.gates {
        let bins = (0..=10).map(|bin| {
            gates
                .iter()
                .filter(|g| (**g * 10.0) as usize == bin)
                .count()
        });
        println!("  gates by tenths {:?}", bins.collect::<Vec<_>>());
    }
}
