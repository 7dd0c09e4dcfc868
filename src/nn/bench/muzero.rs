//! The residual net of `MuZero` on a board of 6 x 7: 32 channels, 2 blocks, batch norm folded into
//! the convolutions.

use std::hint::black_box;

use candle_core::{Device, Tensor};

use super::{BATCHES, Row, conv_flops, integers, linear_flops, normal, params, uniform};
use crate::error::Result;
use crate::nn::Scope;
use crate::nn::layers::{Conv2d, Linear};
use crate::nn::ops::{
    Activation, add_activate, loss::soft_cross_entropy, min_max_scale, scale_gradient,
    softmax::softmax,
};
use crate::nn::optim::{Optimizer, OptimizerConfig};
use crate::rng::Rng;

const WIDTH: usize = 32;
const BOARD: [usize; 2] = [6, 7];
const PIXELS: usize = BOARD[0] * BOARD[1];
const ACTIONS: usize = 7;
const SUPPORT: usize = 21;
const UNROLL: usize = 5;
/// Channels of an observation.
const OBSERVED: usize = 3;

type TensorResult = candle_core::Result<Tensor>;

struct Block([Conv2d; 2]);

impl Block {
    fn new(scope: &mut Scope) -> Result<Self> {
        let first = Conv2d::new(&mut scope.scope("first"), WIDTH, WIDTH, 3)?;
        let second = Conv2d::new(&mut scope.scope("second"), WIDTH, WIDTH, 3)?;
        Ok(Self([first.with(Activation::Relu), second]))
    }

    fn forward(&self, x: &Tensor) -> TensorResult {
        let [first, second] = &self.0;
        add_activate(&second.forward(&first.forward(x)?)?, x, Activation::Relu)
    }
}

/// A convolution and two residual blocks.
struct Tower {
    first: Conv2d,
    blocks: [Block; 2],
}

impl Tower {
    fn new(scope: &mut Scope, inputs: usize) -> Result<Self> {
        let first = Conv2d::new(&mut scope.scope("first"), inputs, WIDTH, 3)?;
        Ok(Self {
            first: first.with(Activation::Relu),
            blocks: [
                Block::new(&mut scope.scope("block0"))?,
                Block::new(&mut scope.scope("block1"))?,
            ],
        })
    }

    fn forward(&self, x: &Tensor) -> TensorResult {
        let [first, second] = &self.blocks;
        second.forward(&first.forward(&self.first.forward(x)?)?)
    }

    fn detached(&self) -> Self {
        let block = |block: &Block| Block(block.0.each_ref().map(Conv2d::detached));
        Self {
            first: self.first.detached(),
            blocks: self.blocks.each_ref().map(block),
        }
    }
}

struct Head {
    conv: Conv2d,
    linear: Linear,
}

impl Head {
    fn new(scope: &mut Scope, outputs: usize) -> Result<Self> {
        let conv = Conv2d::new(&mut scope.scope("conv"), WIDTH, 4, 1)?;
        Ok(Self {
            conv: conv.with(Activation::Relu),
            linear: Linear::new(&mut scope.scope("linear"), 4 * PIXELS, outputs)?,
        })
    }

    fn forward(&self, x: &Tensor) -> TensorResult {
        self.linear.forward(&self.conv.forward(x)?.flatten_from(1)?)
    }

    fn detached(&self) -> Self {
        Self {
            conv: self.conv.detached(),
            linear: self.linear.detached(),
        }
    }

    fn flops(outputs: usize) -> usize {
        conv_flops(WIDTH, 4, 1, PIXELS) + linear_flops(4 * PIXELS, outputs)
    }
}

struct MuZero {
    represent: Tower,
    dynamics: Tower,
    reward: Head,
    policy: Head,
    value: Head,
    /// For each action its plane of ones among planes of zeros: `[7, 7, 6, 7]`.
    planes: Tensor,
}

impl MuZero {
    fn new(scope: &mut Scope) -> Result<Self> {
        let [height, width] = BOARD;
        let mut planes = vec![0.0_f32; ACTIONS * ACTIONS * PIXELS];
        for action in 0..ACTIONS {
            let at = action * (ACTIONS + 1) * PIXELS;
            planes[at..at + PIXELS].fill(1.0);
        }
        Ok(Self {
            represent: Tower::new(&mut scope.scope("represent"), OBSERVED)?,
            dynamics: Tower::new(&mut scope.scope("dynamics"), WIDTH + ACTIONS)?,
            reward: Head::new(&mut scope.scope("reward"), SUPPORT)?,
            policy: Head::new(&mut scope.scope("policy"), ACTIONS)?,
            value: Head::new(&mut scope.scope("value"), SUPPORT)?,
            planes: Tensor::from_vec(planes, (ACTIONS, ACTIONS, height, width), &Device::Cpu)?,
        })
    }

    /// For evaluation only: nothing is kept for a backward pass.
    fn detached(&self) -> Self {
        Self {
            represent: self.represent.detached(),
            dynamics: self.dynamics.detached(),
            reward: self.reward.detached(),
            policy: self.policy.detached(),
            value: self.value.detached(),
            planes: self.planes.clone(),
        }
    }

    /// The state of an observation.
    fn h(&self, observation: &Tensor) -> TensorResult {
        min_max_scale(&self.represent.forward(observation)?, 1e-5)
    }

    /// The reward of an action and the state after it.
    fn g(&self, state: &Tensor, actions: &Tensor) -> candle_core::Result<(Tensor, Tensor)> {
        let planes = self.planes.index_select(actions, 0)?;
        let state = self.dynamics.forward(&Tensor::cat(&[state, &planes], 1)?)?;
        Ok((self.reward.forward(&state)?, min_max_scale(&state, 1e-5)?))
    }

    /// The policy and the value of a state.
    fn f(&self, state: &Tensor) -> candle_core::Result<(Tensor, Tensor)> {
        Ok((self.policy.forward(state)?, self.value.forward(state)?))
    }
}

/// Operations of two blocks.
fn blocks_flops() -> usize {
    4 * conv_flops(WIDTH, WIDTH, 3, PIXELS)
}

fn h_flops() -> usize {
    conv_flops(OBSERVED, WIDTH, 3, PIXELS) + blocks_flops()
}

fn g_flops() -> usize {
    conv_flops(WIDTH + ACTIONS, WIDTH, 3, PIXELS) + blocks_flops() + Head::flops(SUPPORT)
}

fn f_flops() -> usize {
    Head::flops(ACTIONS) + Head::flops(SUPPORT)
}

/// One step of the dynamics and a prediction, as the tree search asks for them.
pub(super) fn eval(batch: usize, rng: &Rng) -> Result<Row> {
    let net = MuZero::new(&mut params(rng).root())?.detached();
    let mut rng = rng.split("data");
    let shape = [batch, WIDTH, BOARD[0], BOARD[1]];
    let batches = (0..BATCHES)
        .map(|_| {
            Ok((
                uniform(&shape, &mut rng)?,
                integers(batch, ACTIONS, &mut rng)?,
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    let step = move |i: usize| {
        let (state, actions) = &batches[i % BATCHES];
        let (reward, state) = net.g(state, actions)?;
        black_box((reward, net.f(&state)?));
        Ok(())
    };
    Ok(Row {
        step: Box::new(step),
        samples: batch,
        flops: (batch * (g_flops() + f_flops())) as u64,
    })
}

/// What a training step is given.
struct Batch {
    observation: Tensor,
    /// Of each unrolled step.
    actions: Vec<Tensor>,
    /// Of step 0 and each unrolled step: distributions.
    policies: Vec<Tensor>,
    values: Vec<Tensor>,
    rewards: Vec<Tensor>,
}

impl Batch {
    fn new(batch: usize, rng: &mut Rng) -> Result<Self> {
        let targets = |outputs: usize, rng: &mut Rng| -> Result<Vec<Tensor>> {
            let one = |_| Ok(softmax(&normal(&[batch, outputs], rng)?)?);
            (0..=UNROLL).map(one).collect()
        };
        Ok(Self {
            observation: uniform(&[batch, OBSERVED, BOARD[0], BOARD[1]], rng)?,
            policies: targets(ACTIONS, rng)?,
            values: targets(SUPPORT, rng)?,
            rewards: targets(SUPPORT, rng)?,
            actions: (0..UNROLL)
                .map(|_| integers(batch, ACTIONS, rng))
                .collect::<Result<_>>()?,
        })
    }

    fn loss(&self, net: &MuZero) -> TensorResult {
        let entropy = |logits: &Tensor, targets: &Tensor| soft_cross_entropy(logits, targets, None);
        let mut state = net.h(&self.observation)?;
        let (policy, value) = net.f(&state)?;
        let mut loss = (entropy(&policy, &self.policies[0])? + entropy(&value, &self.values[0])?)?;
        for (k, actions) in self.actions.iter().enumerate() {
            let (reward, next) = net.g(&scale_gradient(&state, 0.5)?, actions)?;
            let (policy, value) = net.f(&next)?;
            let sum =
                (entropy(&policy, &self.policies[k + 1])? + entropy(&value, &self.values[k + 1])?)?;
            let sum = (sum + entropy(&reward, &self.rewards[k + 1])?)?;
            loss = (loss + (sum / UNROLL as f64)?)?;
            state = next;
        }
        Ok(loss)
    }
}

/// Five unrolled steps of training.
pub(super) fn train(batch: usize, rng: &Rng) -> Result<Row> {
    let mut params = params(rng);
    let net = MuZero::new(&mut params.root())?;
    let mut rng = rng.split("data");
    let batches = (0..BATCHES)
        .map(|_| Batch::new(batch, &mut rng))
        .collect::<Result<Vec<_>>>()?;
    let mut optimizer = Optimizer::new(OptimizerConfig::adam_w(1e-3, 1e-4));
    let step = move |i: usize| {
        let loss = batches[i % BATCHES].loss(&net)?;
        optimizer.step(&params, &loss.backward()?)?;
        Ok(())
    };
    let forward = h_flops() + (UNROLL + 1) * f_flops() + UNROLL * g_flops();
    let flops = batch * (3 * forward - conv_flops(OBSERVED, WIDTH, 3, PIXELS));
    Ok(Row {
        step: Box::new(step),
        samples: batch,
        flops: flops as u64,
    })
}
