//! A small model that learns another one's answers, for the tests of training.

use candle_core::{Device, Tensor, Var};
use serde_json::Value;
use vitrine::Result;
use vitrine::nn::optim::{Clip, Decay, OptimizerConfig, Schedule};
use vitrine::nn::train::{Objective, TrainConfig, Trainer};
use vitrine::nn::{Init, Params, Scope};
use vitrine::rng::Rng;

const INPUTS: usize = 160;
/// The first layer has 19,200 weights, more than one chunk of an optimiser's work.
const HIDDEN: usize = 120;
const BATCH: usize = 16;

struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    fn new(mut scope: Scope, inputs: usize, outputs: usize) -> Result<Self> {
        Ok(Self {
            weight: scope.param("weight", &[outputs, inputs], Init::KAIMING_NORMAL)?,
            bias: scope.param("bias", &[outputs], Init::ZEROS)?,
        })
    }

    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(xs.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)?)
    }
}

/// Two layers that learn a fixed linear map from random inputs.
pub struct Teacher {
    first: Linear,
    second: Linear,
    /// A running mean of the outputs: a buffer that training changes.
    mean: Var,
    target: Tensor,
    /// Draws the inputs, so that there is a state to be kept.
    inputs: Rng,
}

/// The model and its weights; a tenth of the first layer is masked.
pub fn build(device: &Device, rng: &Rng) -> Result<(Params, Teacher)> {
    let mut params = Params::new(device, rng);
    let mut root = params.root();
    let model = Teacher {
        first: Linear::new(root.scope("layers").scope(0), INPUTS, HIDDEN)?,
        second: Linear::new(root.scope("layers").scope(1), HIDDEN, 1)?,
        mean: root.buffer("mean", &[1], Init::ZEROS)?,
        target: normals(&mut Rng::new(99), (INPUTS, 1), device)?,
        inputs: Rng::new(5),
    };
    let mask: Vec<u8> = (0..HIDDEN * INPUTS).map(|i| u8::from(i % 10 > 0)).collect();
    params.set_mask("layers.0.weight", Some(&mask))?;
    Ok((params, model))
}

/// Adam with everything that has a state: clipping, a schedule, averages, evaluations.
pub fn config(steps: u64) -> TrainConfig {
    let schedule = Schedule {
        warmup_steps: 5,
        decay: Decay::Cosine {
            steps: 400,
            floor: 0.1,
        },
    };
    let optimizer = OptimizerConfig::adam(3e-3)
        .with_clip(Clip::Norm(5.0))
        .with_schedule(schedule);
    TrainConfig {
        seed: 7,
        evaluate_every: 10,
        ema_decay: Some(0.9),
        ..TrainConfig::new(steps, optimizer)
    }
}

/// A run of this model at its beginning.
pub fn trainer(steps: u64) -> Trainer<Teacher> {
    let (params, model) = build(&Device::Cpu, &Rng::new(3)).expect("a model");
    Trainer::new(config(steps), params, model).expect("a trainer")
}

fn normals(rng: &mut Rng, shape: (usize, usize), device: &Device) -> Result<Tensor> {
    let values: Vec<f32> = (0..shape.0 * shape.1)
        .map(|_| rng.normal() as f32)
        .collect();
    Ok(Tensor::from_vec(values, shape, device)?)
}

impl Teacher {
    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let hidden = self.first.forward(xs)?.relu()?;
        self.second.forward(&hidden)
    }
}

impl Objective for Teacher {
    fn loss(&mut self, _step: u64, rng: &mut Rng) -> Result<Tensor> {
        let device = self.target.device().clone();
        let xs = normals(&mut self.inputs, (BATCH, INPUTS), &device)?;
        let noise = normals(rng, (BATCH, 1), &device)?;
        let ys = (xs.matmul(&self.target)? + (noise * 0.1)?)?;
        let outputs = self.forward(&xs)?;
        let mean = outputs.detach().mean_all()?.reshape(1)?;
        let moved = ((self.mean.as_detached_tensor() * 0.9)? + (mean * 0.1)?)?;
        self.mean.set(&moved)?;
        Ok((outputs - ys)?.sqr()?.mean_all()?)
    }

    fn evaluate(&mut self) -> Result<Vec<(String, f64)>> {
        let xs = normals(&mut Rng::new(11), (64, INPUTS), self.target.device())?;
        let error = (self.forward(&xs)? - xs.matmul(&self.target)?)?;
        let error = error.sqr()?.mean_all()?.to_scalar::<f32>()?;
        Ok(vec![("error".into(), f64::from(error))])
    }

    fn state(&self) -> Result<Value> {
        Ok(serde_json::to_value(&self.inputs).expect("serialises"))
    }

    fn restore(&mut self, state: &Value) -> Result<()> {
        self.inputs = serde_json::from_value(state.clone()).expect("a random stream");
        Ok(())
    }
}
