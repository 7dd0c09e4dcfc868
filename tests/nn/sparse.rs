//! Linear maps with few weights: against the dense ones with a mask, candle's own operations,
//! finite differences, and for any number of threads. Trainings that use them take less time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use vitrine::data::Shape;
use vitrine::demos::lottery::config::NetKind;
use vitrine::demos::lottery::model::{Pass, PlainNet, Trainable};
use vitrine::demos::lottery::net::{Net, NetSpec};
use vitrine::demos::lottery::sparse_net::SparseNet;
use vitrine::nn::Params;
use vitrine::nn::cpu::process_cpu_time;
use vitrine::nn::ops::sparse::Pattern;
use vitrine::nn::ops::{Activation, cross_entropy, linear, sparse_linear, with_portable};
use vitrine::nn::train::{Objective, TrainConfig, Trainer};
use vitrine::rng::Rng;

use crate::tensors::{
    ACTIVATIONS, assert_numbers_close, assert_threads_change_nothing, check_differences, random,
    values, with_gradients,
};

fn pattern(density: f64, outputs: usize, inputs: usize, rng: &mut Rng) -> Arc<Pattern> {
    let mut keep = || u8::from(rng.uniform() < density);
    let mut mask: Vec<u8> = (0..outputs * inputs).map(|_| keep()).collect();
    if density < 1.0 {
        // A row and a column without any weight.
        mask[inputs * (outputs / 2)..][..inputs].fill(0);
        mask.iter_mut().step_by(inputs).for_each(|keep| *keep = 0);
    }
    Arc::new(Pattern::from_mask(&mask, outputs, inputs).expect("a mask of this size"))
}

/// The whole matrix.
fn whole(pattern: &Pattern, values: &[f32]) -> Vec<f32> {
    let mut whole = vec![0.0; pattern.outputs() * pattern.inputs()];
    for (place, value) in pattern.places().zip(values) {
        whole[place] = *value;
    }
    whole
}

/// A map with its arguments: `x`, values, and a bias or none.
struct Case {
    name: String,
    pattern: Arc<Pattern>,
    activation: Activation,
    arguments: Vec<Tensor>,
    g: Tensor,
}

impl Case {
    fn new(
        density: f64,
        [batch, outputs, inputs]: [usize; 3],
        activation: Activation,
        has_bias: bool,
        rng: &mut Rng,
    ) -> Self {
        let pattern = pattern(density, outputs, inputs, rng);
        let mut arguments = vec![random(&[batch, inputs], rng), random(&[pattern.len()], rng)];
        if has_bias {
            arguments.push(random(&[outputs], rng));
        }
        Self {
            name: format!("{density} of {outputs} × {inputs}, batch {batch}, {activation:?}"),
            pattern,
            activation,
            arguments,
            g: random(&[batch, outputs], rng),
        }
    }

    fn run(&self, arguments: &[Tensor]) -> candle_core::Result<Tensor> {
        let [x, values, bias @ ..] = arguments else {
            panic!("there are two arguments");
        };
        sparse_linear(x, values, &self.pattern, bias.first(), self.activation)
    }

    fn all() -> Vec<Self> {
        let mut rng = Rng::new(1);
        let mut cases = Vec::new();
        for (i, batch) in [1, 7, 60, 64, 130].into_iter().enumerate() {
            for (j, density) in [0.03, 0.3, 1.0].into_iter().enumerate() {
                let activation = ACTIVATIONS[(i + j) % 4];
                let shape = [batch, [10, 33, 48][j], [100, 16, 37][(i + j) % 3]];
                let has_bias = (i + j) % 3 > 0;
                cases.push(Self::new(density, shape, activation, has_bias, &mut rng));
            }
        }
        for activation in ACTIVATIONS {
            cases.push(Self::new(0.1, [60, 30, 70], activation, true, &mut rng));
        }
        cases
    }
}

#[test]
fn it_is_the_dense_map_with_a_mask() {
    for case in Case::all() {
        let ours = with_gradients(&|t| case.run(t), &case.arguments, &case.g);
        let (outputs, inputs) = (case.pattern.outputs(), case.pattern.inputs());
        let matrix = whole(&case.pattern, &values(&case.arguments[1]));
        let mut dense = case.arguments.clone();
        dense[1] = Tensor::from_vec(matrix, (outputs, inputs), &Device::Cpu).expect("a matrix");
        let dense_map = |t: &[Tensor]| linear(&t[0], &t[1], t.get(2), case.activation);
        let theirs = with_gradients(&dense_map, &dense, &case.g);
        for (i, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            let mut theirs = values(theirs);
            if i == 2 {
                theirs = case.pattern.places().map(|place| theirs[place]).collect();
            }
            assert_numbers_close(&format!("{}, {i}", case.name), &values(ours), &theirs, 1e-5);
        }
    }
}

#[test]
fn it_agrees_with_its_portable_twin() {
    for case in Case::all() {
        let ours = with_gradients(&|t| case.run(t), &case.arguments, &case.g);
        let theirs = with_portable(|| with_gradients(&|t| case.run(t), &case.arguments, &case.g));
        for (i, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(ours.dims(), theirs.dims());
            let name = format!("{}, {i}", case.name);
            assert_numbers_close(&name, &values(ours), &values(theirs), 1e-5);
        }
    }
}

#[test]
fn its_gradients_agree_with_finite_differences() {
    let mut rng = Rng::new(2);
    let mut checked = 0;
    // Kinks make differences coarse.
    let smooth = [Activation::None, Activation::Silu];
    for case in Case::all() {
        if !smooth.contains(&case.activation) || case.pattern.is_empty() {
            continue;
        }
        let f = |t: &[Tensor]| case.run(t);
        check_differences(&case.name, &f, &case.arguments, [2e-3, 5e-3], &mut rng);
        checked += 1;
    }
    assert!(checked > 5, "{checked} cases");
}

#[test]
fn threads_change_nothing() {
    let mut rng = Rng::new(3);
    // More than one tile, and enough of them that threads share them.
    let case = Case::new(0.1, [1000, 300, 200], Activation::Relu, true, &mut rng);
    assert_threads_change_nothing(|| {
        let mut all = with_gradients(&|t| case.run(t), &case.arguments, &case.g);
        // Without gradients, tiles are shared out.
        let plain = case.run(&case.arguments).expect("computes");
        assert_eq!(values(&all[0]), values(&plain));
        all.push(plain);
        all
    });
}

#[test]
fn matrices_without_weights_leave_the_bias() {
    let pattern = Arc::new(Pattern::from_mask(&[0; 20], 4, 5).expect("a mask of this size"));
    let mut rng = Rng::new(4);
    let x = random(&[2, 3, 5], &mut rng);
    let none = Tensor::from_vec(Vec::<f32>::new(), 0, &Device::Cpu).expect("no values");
    let b = Tensor::new(&[1.0_f32, -2.0, 3.0, 0.5], &Device::Cpu).expect("a bias");
    let f = |t: &[Tensor]| sparse_linear(&t[0], &none, &pattern, Some(&t[1]), Activation::Relu);
    let g = random(&[2, 3, 4], &mut rng);
    let found = with_gradients(&f, &[x, b], &g);
    assert_eq!(values(&found[0]), [1.0, 0.0, 3.0, 0.5].repeat(6));
    assert_eq!(values(&found[1]), [0.0; 30]);
    let g = values(&g);
    let sum = |unit: usize| g.iter().skip(unit).step_by(4).sum::<f32>();
    assert_numbers_close(
        "bias",
        &values(&found[2]),
        &[sum(0), 0.0, sum(2), sum(3)],
        1e-6,
    );
}

#[test]
fn misfits_are_refused() {
    let mut rng = Rng::new(5);
    let pattern = pattern(0.5, 4, 6, &mut rng);
    let (x, v) = (
        random(&[2, 6], &mut rng),
        random(&[pattern.len()], &mut rng),
    );
    let b = random(&[4], &mut rng);
    let run = |x: &Tensor, v: &Tensor, b: &Tensor| {
        sparse_linear(x, v, &pattern, Some(b), Activation::None).is_ok()
    };
    assert!(run(&x, &v, &b));
    assert!(!run(&random(&[2, 5], &mut rng), &v, &b));
    assert!(!run(&x, &random(&[pattern.len() + 1], &mut rng), &b));
    assert!(!run(&x, &v, &random(&[6], &mut rng)));
}

/// A net that learns random pictures.
struct Pictures {
    model: Box<dyn Trainable>,
    batches: Vec<(Tensor, Tensor)>,
}

impl Objective for Pictures {
    fn loss(&mut self, step: u64, _rng: &mut Rng) -> vitrine::Result<Tensor> {
        let (x, classes) = &self.batches[step as usize % self.batches.len()];
        let logits = self.model.forward(x, Pass::Train)?;
        Ok(cross_entropy(&logits, classes, 0.0)?)
    }
}

fn trainer(model: Box<dyn Trainable>, params: Params) -> Trainer<Pictures> {
    let mut rng = Rng::new(6);
    let batches = (0..16).map(|_| {
        let classes: Vec<u32> = (0..60).map(|_| rng.below(10) as u32).collect();
        let classes = Tensor::from_vec(classes, 60, &Device::Cpu).expect("classes");
        (random(&[60, 784], &mut rng), classes)
    });
    let batches = batches.collect();
    let config = TrainConfig::new(u64::MAX, model.optimizer());
    Trainer::new(config, params, Pictures { model, batches }).expect("a trainer")
}

/// The milliseconds of processor time of a step, over a block of them.
fn block(trainer: &mut Trainer<Pictures>) -> f64 {
    let (cpu, wall, first) = (process_cpu_time(), Instant::now(), trainer.steps());
    while wall.elapsed() < Duration::from_millis(50) {
        trainer.step().expect("a step");
    }
    let spent = process_cpu_time().saturating_sub(cpu).as_secs_f64();
    1e3 * spent / (trainer.steps() - first) as f64
}

/// LeNet-300-100 of which 3.6 % is left: 0.8^15 of the hidden layers' weights and 0.9^15 of the
/// last one's. Where they lie is drawn by lot, which is worse than magnitudes do: these leave out
/// pixels at the border and cut units off.
#[test]
#[ignore = "measures times, which other programs disturb"]
fn tickets_train_at_least_twice_as_fast() {
    let input = Shape {
        channels: 1,
        height: 28,
        width: 28,
    };
    let spec = NetSpec::new(NetKind::Lenet, 1.0, input, 10).expect("the paper's net");
    let mut rng = Rng::new(7);
    let layers = spec.layers.iter();
    let masks: Vec<Vec<u8>> = layers
        .map(|layer| {
            let density = (1.0 - layer.prune_rate).powi(15);
            let mut keep = || u8::from(rng.uniform() < density);
            (0..layer.weights()).map(|_| keep()).collect()
        })
        .collect();
    let build = || {
        let mut params = Params::new(&Device::Cpu, &Rng::new(8));
        let net = Net::new(&spec, &mut params).expect("new names");
        (params, net)
    };
    let (dense_params, net) = build();
    let first = dense_params.snapshot().expect("weights");
    let dense = PlainNet::new(net, spec.optimizer(None));
    let (mut masked_params, net) = build();
    for (layer, mask) in spec.layers.iter().zip(&masks) {
        let set = masked_params.set_mask(&layer.weight_name(), Some(mask));
        set.expect("a mask of this size");
    }
    let masked = PlainNet::new(net, spec.optimizer(None));
    let (ticket_params, ticket) =
        SparseNet::new(&spec, &first, &masks, spec.optimizer(None), &Device::Cpu).expect("fits");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    let [dense, masked, ticket] = pool.build().expect("a pool").install(|| {
        let mut trainers = [
            trainer(Box::new(dense), dense_params),
            trainer(Box::new(masked), masked_params),
            trainer(Box::new(ticket), ticket_params),
        ];
        let mut best = [f64::INFINITY; 3];
        for _ in 0..20 {
            for (trainer, best) in trainers.iter_mut().zip(&mut best) {
                *best = best.min(block(trainer));
            }
        }
        best
    });
    println!("ms a step: dense {dense:.3}, masked {masked:.3}, ticket {ticket:.3}");
    assert!(2.0 * ticket <= dense, "{ticket} ms against {dense} ms");
}
