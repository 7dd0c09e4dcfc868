//! Optimisers, clipping, schedules and weight averages against `PyTorch`; `tests/data/nn/` has the
//! script that made the expected numbers.

use candle_core::{Device, Tensor};
use safetensors::{Dtype, SafeTensors};
use vitrine::nn::optim::{
    Clip, Decay, Ema, Optimizer, OptimizerConfig, Rule, Schedule, global_norm,
};
use vitrine::nn::{Init, Param, Params};
use vitrine::rng::Rng;

const STEPS: usize = 50;
const SHAPES: [(&str, &[usize]); 2] = [("bias", &[11]), ("layer.weight", &[7, 5])];

/// The stored numbers.
struct Fixture(SafeTensors<'static>);

impl Fixture {
    fn open() -> Self {
        let bytes = include_bytes!("../data/nn/optim.safetensors");
        Self(SafeTensors::deserialize(bytes).expect("the fixture"))
    }

    fn get(&self, name: &str) -> Vec<f64> {
        let view = self.0.tensor(name).expect(name);
        let bytes = view.data();
        match view.dtype() {
            Dtype::F32 => bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|b| f64::from(f32::from_le_bytes(*b)))
                .collect(),
            Dtype::F64 => bytes
                .as_chunks::<8>()
                .0
                .iter()
                .map(|b| f64::from_le_bytes(*b))
                .collect(),
            other => panic!("{name} is {other:?}"),
        }
    }

    fn f32(&self, name: &str) -> Vec<f32> {
        self.get(name).iter().map(|x| *x as f32).collect()
    }

    /// A model with the stored initial weights.
    fn params(&self) -> Params {
        let mut params = Params::new(&Device::Cpu, &Rng::new(0));
        for (name, shape) in SHAPES {
            params
                .root()
                .param(name, shape, Init::ZEROS)
                .expect("a new name");
            let start = self.f32(&format!("start/{name}"));
            params
                .get(name)
                .and_then(|param| param.set(&start))
                .expect("set");
        }
        params
    }

    /// A loss with the stored gradients of one step: the weights' product with them.
    fn loss(&self, params: &Params, step: usize) -> Tensor {
        let mut loss = Tensor::new(0.0_f32, &Device::Cpu).expect("zero");
        for (name, shape) in SHAPES {
            let all = self.f32(&format!("gradient/{name}"));
            let count: usize = shape.iter().product();
            let gradient = &all[step * count..][..count];
            let gradient = Tensor::from_slice(gradient, shape, &Device::Cpu).expect("a tensor");
            let weight = params.get(name).expect("there").var();
            let part = weight.mul(&gradient).and_then(|t| t.sum_all());
            loss = part.and_then(|part| loss.add(&part)).expect("a sum");
        }
        loss
    }
}

fn largest_difference(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(a, b)| (f64::from(*a) - b).abs())
        .fold(0.0, f64::max)
}

/// The cases of the script, in this program's words.
fn cases() -> Vec<(&'static str, OptimizerConfig)> {
    let one_cycle = Schedule::new(Decay::OneCycle {
        steps: STEPS as u64 + 1,
        climb: 0.3,
        start_divisor: 25.0,
        end_divisor: 1e4,
    });
    let nesterov = Rule::Sgd {
        momentum: 0.9,
        nesterov: true,
        weight_decay: 0.01,
    };
    let adam_decay = Rule::Adam {
        beta1: 0.5,
        beta2: 0.99,
        epsilon: 1e-3,
        weight_decay: 0.1,
    };
    vec![
        ("sgd", OptimizerConfig::sgd(0.05, 0.0)),
        ("sgd_momentum", OptimizerConfig::sgd(0.05, 0.9)),
        ("sgd_nesterov_decay", OptimizerConfig::new(nesterov, 0.05)),
        ("adam", OptimizerConfig::adam(0.01)),
        ("adam_decay", OptimizerConfig::new(adam_decay, 0.01)),
        ("adamw", OptimizerConfig::adam_w(0.01, 0.1)),
        (
            "adam_clip_norm",
            OptimizerConfig::adam(0.01).with_clip(Clip::Norm(2.0)),
        ),
        (
            "sgd_clip_value",
            OptimizerConfig::sgd(0.05, 0.9).with_clip(Clip::Value(0.4)),
        ),
        (
            "adamw_one_cycle",
            OptimizerConfig::adam_w(0.01, 0.1).with_schedule(one_cycle),
        ),
    ]
}

#[test]
fn fifty_steps_end_where_pytorch_ends() {
    let fixture = Fixture::open();
    for (case, config) in cases() {
        let params = fixture.params();
        let mut optimizer = Optimizer::new(config);
        let mut norms = Vec::new();
        for step in 0..STEPS {
            let gradients = fixture.loss(&params, step).backward().expect("gradients");
            let update = optimizer.step(&params, &gradients).expect("a step");
            norms.extend(update.gradient_norm.map(|norm| norm as f32));
            if [1, 10, STEPS].contains(&(step + 1)) {
                for (name, param) in params.iter() {
                    let expected = fixture.get(&format!("{case}/{}/{name}", step + 1));
                    let values = param.values().expect("numbers");
                    let difference = largest_difference(&values, &expected);
                    assert!(difference < 1e-6, "{case}, {name}: {difference:e}");
                }
            }
        }
        let state = optimizer.state().expect("a state");
        assert_eq!((state.steps, state.weights.len()), (STEPS as u64, 2));
        for (name, weight) in state.weights {
            assert_eq!(weight.steps, STEPS as u64);
            for (moment, values) in weight.moments {
                let expected = fixture.get(&format!("{case}/state/{name}/{moment}"));
                let difference = largest_difference(&values, &expected);
                assert!(
                    difference < 2e-6,
                    "{case}, {name}, {moment}: {difference:e}"
                );
            }
        }
        if case == "adam_clip_norm" {
            let expected = fixture.get("adam_clip_norm/norms");
            assert!(largest_difference(&norms, &expected) < 1e-6);
            let clipped = norms.iter().filter(|norm| **norm > 2.0).count();
            assert!((5..45).contains(&clipped), "{clipped} of 50 are clipped");
        }
    }
}

#[test]
fn schedules_are_those_of_pytorch() {
    let fixture = Fixture::open();
    let one_cycle = Decay::OneCycle {
        steps: 50,
        climb: 0.3,
        start_divisor: 25.0,
        end_divisor: 1e4,
    };
    let milestones = |at: &[u64], gamma| Decay::Milestones {
        at: at.to_vec(),
        gamma,
    };
    let polynomial = |steps, power| Decay::Polynomial { steps, power };
    let cosine = Decay::Cosine {
        steps: 40,
        floor: 0.1,
    };
    let warm = Schedule {
        warmup_steps: 8,
        decay: milestones(&[5, 30], 0.1),
    };
    for (name, schedule) in [
        ("cosine", Schedule::new(cosine)),
        ("milestones", Schedule::new(milestones(&[10, 25, 50], 0.3))),
        ("polynomial", Schedule::new(polynomial(45, 2.0))),
        ("linear", Schedule::new(polynomial(60, 1.0))),
        ("one_cycle", Schedule::new(one_cycle)),
        ("warmup_milestones", warm),
    ] {
        let expected = fixture.get(&format!("schedule/{name}"));
        assert_eq!(expected.len(), 60);
        for (step, expected) in expected.iter().enumerate() {
            let factor = schedule.factor(step as u64);
            assert!(
                (factor - expected).abs() < 1e-12,
                "{name}, step {step}: {factor} and {expected}"
            );
        }
        let text = serde_json::to_string(&schedule).expect("serialises");
        let back: Schedule = serde_json::from_str(&text).expect("reads back");
        assert_eq!(back, schedule);
    }
}

#[test]
fn averages_are_those_of_pytorch_and_swap_without_loss() {
    let fixture = Fixture::open();
    let params = fixture.params();
    let name = "layer.weight";
    let weight = params.get(name).expect("there");
    let mut ema = Ema::new(&params, 0.9).expect("averages");
    let gradients = fixture.f32("gradient/layer.weight");
    for step in gradients.chunks(35) {
        weight.set(step).expect("set");
        ema.update(&params).expect("averaged");
    }
    let average = ema.snapshot().expect("averages")[name].clone();
    assert!(largest_difference(&average, &fixture.get("ema")) < 1e-6);

    let before = weight.values().expect("numbers");
    ema.swap(&params).expect("swapped");
    assert_eq!(weight.values().expect("numbers"), average);
    ema.swap(&params).expect("swapped back");
    assert_eq!(weight.values().expect("numbers"), before);
    assert_eq!(ema.snapshot().expect("averages")[name], average);
}

#[test]
fn masked_weights_stay_zero_and_the_others_go_their_way() {
    let fixture = Fixture::open();
    let name = "layer.weight";
    let mask: Vec<u8> = (0..35).map(|i| u8::from(i % 3 > 0)).collect();
    for (case, config) in cases() {
        if case == "adam_clip_norm" {
            continue; // Masked gradients do not count towards the norm, so all steps are others.
        }
        let mut params = fixture.params();
        params.set_mask(name, Some(&mask)).expect("a mask");
        let mut optimizer = Optimizer::new(config);
        for step in 0..STEPS {
            let gradients = fixture.loss(&params, step).backward().expect("gradients");
            optimizer.step(&params, &gradients).expect("a step");
        }
        let values = params.get(name).and_then(Param::values).expect("numbers");
        let expected = fixture.get(&format!("{case}/{STEPS}/{name}"));
        for ((value, keep), expected) in values.iter().zip(&mask).zip(&expected) {
            if *keep == 0 {
                assert_eq!(value.to_bits(), 0, "{case}");
            } else {
                assert!((f64::from(*value) - expected).abs() < 1e-6, "{case}");
            }
        }
    }
}

#[test]
fn a_gradient_that_lies_across_or_is_the_weight_itself_is_taken_too() {
    let cpu = Device::Cpu;
    let mut params = Params::new(&cpu, &Rng::new(1));
    let weight = params
        .root()
        .param("w", &[3, 2], Init::Normal { std: 1.0 })
        .expect("a new name");
    let before = weight.to_vec2::<f32>().expect("a matrix");
    let factors = Tensor::arange(0.0_f32, 6.0, &cpu).and_then(|t| t.reshape((2, 3)));
    let factors = factors.expect("a matrix");
    // The gradient of sum(w^T * factors) is factors^T, which candle gives as a view.
    let loss = weight.t().and_then(|t| t.mul(&factors)?.sum_all());
    let gradients = loss.and_then(|loss| loss.backward()).expect("gradients");
    let mut optimizer = Optimizer::new(OptimizerConfig::sgd(1.0, 0.0));
    optimizer.step(&params, &gradients).expect("a step");
    let after = weight.to_vec2::<f32>().expect("a matrix");
    for (i, row) in after.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            let expected = before[i][j] - (3 * j + i) as f32;
            assert_eq!(value.to_bits(), expected.to_bits());
        }
    }

    let mut gradients = weight
        .sum_all()
        .and_then(|loss| loss.backward())
        .expect("gradients");
    gradients.insert(&weight, weight.clone());
    optimizer.step(&params, &gradients).expect("a step");
    let gone = weight.flatten_all().and_then(|t| t.to_vec1::<f32>());
    assert_eq!(gone.expect("numbers"), [0.0; 6], "w - 1 * w");
}

#[test]
fn the_norm_is_exact_and_gradients_that_are_not_numbers_change_nothing() {
    let cpu = Device::Cpu;
    let parts = [vec![3.0_f32; 40_000], vec![4.0; 10_000]];
    let tensors = parts.map(|part| Tensor::new(part, &cpu).expect("a tensor"));
    let unmasked = |tensors: &[Tensor; 2]| global_norm(tensors.iter().map(|t| (t, None)));
    let norm = unmasked(&tensors).expect("a norm");
    assert!((norm - 520_000.0_f64.sqrt()).abs() < 1e-9, "{norm}");
    let doubles = tensors
        .each_ref()
        .map(|t| t.to_dtype(candle_core::DType::F64).expect("doubles"));
    assert!((unmasked(&doubles).expect("a norm") - norm).abs() < 1e-9);
    let mask = Tensor::zeros(10_000, candle_core::DType::U8, &cpu).expect("a mask");
    for [threes, fours] in [&tensors, &doubles] {
        let masked = global_norm([(threes, None), (fours, Some(&mask))]);
        assert!((masked.expect("a norm") - 600.0).abs() < 1e-9);
    }

    let fixture = Fixture::open();
    let params = fixture.params();
    let before = params.snapshot().expect("a snapshot");
    let mut gradients = fixture.loss(&params, 0).backward().expect("gradients");
    let poison = Tensor::full(f32::NAN, 11, &cpu).expect("a tensor");
    gradients.insert(params.get("bias").expect("there").var(), poison);
    let config = OptimizerConfig::adam(0.1).with_clip(Clip::Norm(1.0));
    let error = Optimizer::new(config).step(&params, &gradients);
    let message = error.expect_err("refused").to_string();
    assert!(
        message.starts_with("the gradients became NaN or infinite at step 1"),
        "{message}"
    );
    assert_eq!(params.snapshot().expect("a snapshot"), before);
}
