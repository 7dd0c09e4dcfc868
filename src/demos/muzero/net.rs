//! The networks: representation h, dynamics g, prediction f.
//!
//! ```text
//! observation ── h: conv, blocks ──► state s⁰, scaled to 0..1 ──┬─ f ──► policy, value
//!                                                               │
//! action as planes ────────────────► g: conv, + s, blocks ──────┴──► reward, state s¹ ── f …
//! ```
//!
//! All are residual nets of 3 by 3 convolutions with the height and width of the board; pictures
//! of the arcade are first brought from 96 to 6 pixels as in appendix F. There is no batch norm:
//! what a state may be is bounded by its scaling, and without it a state in the tree costs one pass
//! over fewer numbers.
//!
//! Two parts are used in training only: the projections of the consistency loss (Ye et al. 2021,
//! section 4.1), and the probe, which is not part of `MuZero`: a small decoder that draws what a
//! hidden state holds, with no gradient into the state.

use candle_core::{DType, Result as TensorResult, Tensor};
use serde::{Deserialize, Serialize};

use super::game::{ActionCoding, Spec, chess_ends};
use super::support::Support;
use crate::error::{Error, Result};
use crate::nn::layers::{Conv2d, Linear};
use crate::nn::ops::pool::{Window, avg_pool2d};
use crate::nn::ops::resample::upsample_nearest2d;
use crate::nn::ops::{Activation, Conv2dOptions, add_activate, min_max_scale, scale_gradient};
use crate::nn::{Init, Scope};

/// Keeps a state of equal numbers from being divided by zero.
const SCALE_EPSILON: f64 = 1e-5;
/// The arcade's observations begin with so many frames, the newest last.
const FRAMES: usize = 4;
/// Actions whose planes make a table of more numbers are refused.
const MAX_TABLE: usize = 1 << 24;

/// The sizes of the networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetConfig {
    /// Planes, rows and columns of an observation.
    pub observation: [usize; 3],
    /// How many actions there are.
    pub actions: usize,
    /// How an action is shown to the dynamics.
    pub coding: ActionCoding,
    /// Channels of a state and of all blocks.
    pub channels: usize,
    /// Residual blocks of the representation.
    pub represent_blocks: usize,
    /// Residual blocks of the dynamics.
    pub dynamics_blocks: usize,
    /// Channels that a head looks at.
    pub head_channels: usize,
    /// Hidden units of the value's and the reward's head.
    pub hidden: usize,
    /// The places of a value.
    pub value: Support,
    /// The places of a reward; `None` where there are no rewards at all.
    pub reward: Option<Support>,
    /// Halves height and width four times, as for the arcade's screen.
    pub downsample: bool,
    /// Units of the consistency loss's projections; 0 for none.
    pub projection: usize,
}

impl NetConfig {
    /// Rows and columns of a state.
    #[must_use]
    pub fn grid(&self) -> [usize; 2] {
        let [_, rows, columns] = self.observation;
        if self.downsample {
            [rows / 16, columns / 16]
        } else {
            [rows, columns]
        }
    }

    /// Numbers in a state.
    #[must_use]
    pub fn state_len(&self) -> usize {
        let [rows, columns] = self.grid();
        self.channels * rows * columns
    }

    /// Planes, rows and columns of what the probe draws: the observation, or the newest frame of
    /// the arcade at half its size.
    #[must_use]
    pub fn probe_shape(&self) -> [usize; 3] {
        let [planes, rows, columns] = self.observation;
        if self.downsample {
            [1, rows / 2, columns / 2]
        } else {
            [planes, rows, columns]
        }
    }

    /// Planes that show an action.
    fn action_planes(&self) -> usize {
        match self.coding {
            ActionCoding::Planes => self.actions,
            ActionCoding::Cell | ActionCoding::Column => 1,
            ActionCoding::FromTo => 3,
        }
    }

    /// Whether the networks fit a game.
    #[must_use]
    pub fn fits(&self, spec: &Spec) -> bool {
        (self.observation, self.actions, self.coding)
            == (spec.observation, spec.actions, spec.coding)
    }
}

/// A 3 by 3 convolution that keeps the size, with first weights for what follows a rectifier:
/// without norms, smaller ones would let a signal fade from layer to layer.
fn conv(scope: &mut Scope, inputs: usize, outputs: usize, init: Init) -> Result<Conv2d> {
    Ok(Conv2d {
        weight: scope.param("weight", &[outputs, inputs, 3, 3], init)?,
        bias: Some(scope.param("bias", &[outputs], Init::ZEROS)?),
        options: Conv2dOptions::padded(1),
        activation: Activation::None,
    })
}

/// Two convolutions beside which the input goes on. The second begins at zero, so that the block
/// begins as the identity.
#[derive(Clone, Debug)]
struct Block([Conv2d; 2]);

impl Block {
    fn new(scope: &mut Scope, channels: usize) -> Result<Self> {
        let first = conv(
            &mut scope.scope("first"),
            channels,
            channels,
            Init::KAIMING_NORMAL,
        )?;
        let second = conv(&mut scope.scope("second"), channels, channels, Init::ZEROS)?;
        Ok(Self([first.with(Activation::Relu), second]))
    }

    fn forward(&self, x: &Tensor) -> TensorResult<Tensor> {
        let [first, second] = &self.0;
        add_activate(&second.forward(&first.forward(x)?)?, x, Activation::Relu)
    }

    fn detached(&self) -> Self {
        Self(self.0.each_ref().map(Conv2d::detached))
    }
}

fn blocks(scope: &mut Scope, count: usize, channels: usize) -> Result<Vec<Block>> {
    (0..count)
        .map(|i| Block::new(&mut scope.scope(format!("block{i}")), channels))
        .collect()
}

fn through(blocks: &[Block], x: Tensor) -> TensorResult<Tensor> {
    blocks.iter().try_fold(x, |x, block| block.forward(&x))
}

fn detached(blocks: &[Block]) -> Vec<Block> {
    blocks.iter().map(Block::detached).collect()
}

/// From 96 to 6 pixels: two strided convolutions with blocks behind them, and two poolings.
#[derive(Clone, Debug)]
struct Downsample {
    convs: [Conv2d; 2],
    blocks: [Block; 3],
}

impl Downsample {
    fn new(scope: &mut Scope, inputs: usize, channels: usize) -> Result<Self> {
        let half = channels / 2;
        let options = Conv2dOptions {
            stride: [2, 2],
            ..Conv2dOptions::padded(1)
        };
        let mut strided = |name: &str, inputs, outputs| {
            let conv = Conv2d::with_options(&mut scope.scope(name), inputs, outputs, 3, options)?;
            Ok::<_, Error>(conv.with(Activation::Relu))
        };
        let convs = [
            strided("conv0", inputs, half)?,
            strided("conv1", half, channels)?,
        ];
        let mut block = |name: &str, channels| Block::new(&mut scope.scope(name), channels);
        Ok(Self {
            convs,
            blocks: [
                block("block0", half)?,
                block("block1", channels)?,
                block("block2", channels)?,
            ],
        })
    }

    fn forward(&self, x: &Tensor) -> TensorResult<Tensor> {
        let halve = Window::square(3, 2, 1);
        let [first, second] = &self.convs;
        let [a, b, c] = &self.blocks;
        let x = a.forward(&first.forward(x)?)?;
        let x = avg_pool2d(&b.forward(&second.forward(&x)?)?, halve)?;
        avg_pool2d(&c.forward(&x)?, halve)
    }

    fn detached(&self) -> Self {
        Self {
            convs: self.convs.each_ref().map(Conv2d::detached),
            blocks: self.blocks.each_ref().map(Block::detached),
        }
    }
}

/// A look at all channels at each place, then linear layers over all places.
#[derive(Clone, Debug)]
struct Head {
    conv: Conv2d,
    layers: Vec<Linear>,
}

impl Head {
    fn new(scope: &mut Scope, config: &NetConfig, hidden: usize, outputs: usize) -> Result<Self> {
        let [rows, columns] = config.grid();
        let conv = Conv2d::new(
            &mut scope.scope("conv"),
            config.channels,
            config.head_channels,
            1,
        )?;
        let places = config.head_channels * rows * columns;
        let mut layers = Vec::new();
        if hidden > 0 {
            let layer = Linear::new(&mut scope.scope("hidden"), places, hidden)?;
            layers.push(layer.with(Activation::Relu));
        }
        let inputs = if hidden > 0 { hidden } else { places };
        layers.push(Linear::new(&mut scope.scope("out"), inputs, outputs)?);
        Ok(Self {
            conv: conv.with(Activation::Relu),
            layers,
        })
    }

    fn forward(&self, x: &Tensor) -> TensorResult<Tensor> {
        let x = self.conv.forward(x)?.flatten_from(1)?;
        self.layers.iter().try_fold(x, |x, layer| layer.forward(&x))
    }

    fn detached(&self) -> Self {
        Self {
            conv: self.conv.detached(),
            layers: self.layers.iter().map(Linear::detached).collect(),
        }
    }
}

/// The projections of the consistency loss.
#[derive(Clone, Debug)]
struct Projection {
    project: [Linear; 2],
    predict: [Linear; 2],
}

impl Projection {
    fn new(scope: &mut Scope, inputs: usize, units: usize) -> Result<Self> {
        let mut linear = |name: &str, inputs| Linear::new(&mut scope.scope(name), inputs, units);
        Ok(Self {
            project: [
                linear("project0", inputs)?.with(Activation::Relu),
                linear("project1", units)?,
            ],
            predict: [
                linear("predict0", units)?.with(Activation::Relu),
                linear("predict1", units)?,
            ],
        })
    }
}

/// Draws what a state holds.
#[derive(Clone, Debug)]
struct Probe {
    hidden: Conv2d,
    /// Each is followed by twice the size.
    larger: Vec<Conv2d>,
    out: Conv2d,
}

/// Channels of the probe.
const PROBE_CHANNELS: usize = 16;

impl Probe {
    fn new(scope: &mut Scope, config: &NetConfig) -> Result<Self> {
        let mut layer = |name: String, inputs, outputs, kernel| {
            Conv2d::new(&mut scope.scope(name), inputs, outputs, kernel)
        };
        let doublings = if config.downsample { 3 } else { 0 };
        Ok(Self {
            hidden: layer("hidden".into(), config.channels, PROBE_CHANNELS, 3)?
                .with(Activation::Relu),
            larger: (0..doublings)
                .map(|i| {
                    let conv = layer(format!("larger{i}"), PROBE_CHANNELS, PROBE_CHANNELS, 3)?;
                    Ok(conv.with(Activation::Relu))
                })
                .collect::<Result<_>>()?,
            out: layer("out".into(), PROBE_CHANNELS, config.probe_shape()[0], 1)?,
        })
    }

    fn forward(&self, state: &Tensor) -> TensorResult<Tensor> {
        let mut x = self.hidden.forward(state)?;
        for conv in &self.larger {
            x = conv.forward(&upsample_nearest2d(&x, 2)?)?;
        }
        self.out.forward(&x)
    }
}

/// A state's prediction.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// Logits of the actions, `[batch, actions]`.
    pub policy: Tensor,
    /// Logits of the value's places, `[batch, bins]`.
    pub value: Tensor,
}

/// All networks of one agent.
#[derive(Clone, Debug)]
pub struct Net {
    config: NetConfig,
    downsample: Option<Downsample>,
    represent_conv: Option<Conv2d>,
    represent: Vec<Block>,
    dynamics_conv: Conv2d,
    dynamics: Vec<Block>,
    reward: Option<Head>,
    policy: Head,
    value: Head,
    projection: Option<Projection>,
    probe: Probe,
    /// Of each action its planes, `[actions, planes, rows, columns]`.
    planes: Tensor,
}

impl Net {
    /// Networks with first weights.
    ///
    /// # Errors
    /// When the sizes are impossible, or names are taken.
    pub fn new(scope: &mut Scope, config: &NetConfig) -> Result<Self> {
        let c = config.channels;
        check(config)?;
        let (downsample, represent_conv) = if config.downsample {
            let inputs = config.observation[0];
            let down = Downsample::new(&mut scope.scope("downsample"), inputs, c)?;
            (Some(down), None)
        } else {
            let mut scope = scope.scope("represent.conv");
            let conv = conv(&mut scope, config.observation[0], c, Init::KAIMING_NORMAL)?;
            (None, Some(conv.with(Activation::Relu)))
        };
        let inputs = c + config.action_planes();
        let hidden = config.hidden;
        Ok(Self {
            downsample,
            represent_conv,
            represent: blocks(&mut scope.scope("represent"), config.represent_blocks, c)?,
            dynamics_conv: conv(
                &mut scope.scope("dynamics.conv"),
                inputs,
                c,
                Init::KAIMING_NORMAL,
            )?,
            dynamics: blocks(&mut scope.scope("dynamics"), config.dynamics_blocks, c)?,
            reward: config
                .reward
                .map(|support| Head::new(&mut scope.scope("reward"), config, hidden, support.bins))
                .transpose()?,
            policy: Head::new(&mut scope.scope("policy"), config, 0, config.actions)?,
            value: Head::new(&mut scope.scope("value"), config, hidden, config.value.bins)?,
            projection: (config.projection > 0)
                .then(|| {
                    let mut scope = scope.scope("consistency");
                    Projection::new(&mut scope, config.state_len(), config.projection)
                })
                .transpose()?,
            probe: Probe::new(&mut scope.scope("probe"), config)?,
            planes: action_planes(scope, config)?,
            config: config.clone(),
        })
    }

    /// The sizes.
    #[must_use]
    pub fn config(&self) -> &NetConfig {
        &self.config
    }

    /// The same networks, sharing their numbers, for playing: nothing is kept for a backward pass.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            config: self.config.clone(),
            downsample: self.downsample.as_ref().map(Downsample::detached),
            represent_conv: self.represent_conv.as_ref().map(Conv2d::detached),
            represent: detached(&self.represent),
            dynamics_conv: self.dynamics_conv.detached(),
            dynamics: detached(&self.dynamics),
            reward: self.reward.as_ref().map(Head::detached),
            policy: self.policy.detached(),
            value: self.value.detached(),
            projection: self.projection.as_ref().map(|p| Projection {
                project: p.project.each_ref().map(Linear::detached),
                predict: p.predict.each_ref().map(Linear::detached),
            }),
            probe: Probe {
                hidden: self.probe.hidden.detached(),
                larger: self.probe.larger.iter().map(Conv2d::detached).collect(),
                out: self.probe.out.detached(),
            },
            planes: self.planes.clone(),
        }
    }

    /// h: observations `[batch, planes, rows, columns]` to states `[batch, channels, …]`.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn represent(&self, observations: &Tensor) -> TensorResult<Tensor> {
        let x = match (&self.downsample, &self.represent_conv) {
            (Some(downsample), _) => downsample.forward(observations)?,
            (None, Some(conv)) => conv.forward(observations)?,
            (None, None) => observations.clone(),
        };
        min_max_scale(&through(&self.represent, x)?, SCALE_EPSILON)
    }

    /// g: states and actions `[batch]` (`u32`) to reward logits, if the game has any, and the next
    /// states.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn dynamics(
        &self,
        states: &Tensor,
        actions: &Tensor,
    ) -> TensorResult<(Option<Tensor>, Tensor)> {
        let planes = self.planes.index_select(actions, 0)?;
        let x = self
            .dynamics_conv
            .forward(&Tensor::cat(&[states, &planes], 1)?)?;
        let x = add_activate(&x, states, Activation::Relu)?;
        let state = min_max_scale(&through(&self.dynamics, x)?, SCALE_EPSILON)?;
        let reward = self.reward.as_ref().map(|head| head.forward(&state));
        Ok((reward.transpose()?, state))
    }

    /// g with half of the gradient into the state it starts from (appendix G).
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn unroll(
        &self,
        states: &Tensor,
        actions: &Tensor,
    ) -> TensorResult<(Option<Tensor>, Tensor)> {
        self.dynamics(&scale_gradient(states, 0.5)?, actions)
    }

    /// f: states to policies and values.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn predict(&self, states: &Tensor) -> TensorResult<Prediction> {
        Ok(Prediction {
            policy: self.policy.forward(states)?,
            value: self.value.forward(states)?,
        })
    }

    /// What the probe draws of states: logits, `[batch, planes, rows, columns]`. No gradient flows
    /// into the states.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn probe(&self, states: &Tensor) -> TensorResult<Tensor> {
        self.probe.forward(&states.detach())
    }

    /// What the probe should draw of observations: these, or the arcade's newest frame at half its
    /// size.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn probe_target(&self, observations: &Tensor) -> TensorResult<Tensor> {
        if self.config.downsample {
            let newest = observations.narrow(1, FRAMES - 1, 1)?.contiguous()?;
            avg_pool2d(&newest, Window::square(2, 2, 0))
        } else {
            Ok(observations.clone())
        }
    }

    /// The mean over a batch of minus the cosine between the states that were imagined, projected
    /// and predicted from, and the true ones, projected; the gradient flows into the imagined ones
    /// only. Each example counts by its weight, `[batch]`.
    ///
    /// # Errors
    /// When the networks have no projections, or the shape does not fit.
    pub fn inconsistency(
        &self,
        imagined: &Tensor,
        true_states: &Tensor,
        weights: &Tensor,
    ) -> TensorResult<Tensor> {
        let Some(projection) = &self.projection else {
            candle_core::bail!("these networks were built without a consistency loss");
        };
        let forward = |layers: &[Linear; 2], x: &Tensor| layers[1].forward(&layers[0].forward(x)?);
        let project = |x: &Tensor| forward(&projection.project, &x.flatten_from(1)?);
        let online = unit(&forward(&projection.predict, &project(imagined)?)?)?;
        let target = unit(&project(&true_states.detach())?)?.detach();
        let cosine = (online * target)?.sum(1)?;
        (cosine * weights)?.mean_all()?.neg()
    }
}

/// Rows of length one.
fn unit(x: &Tensor) -> TensorResult<Tensor> {
    x.broadcast_div(&(x.sqr()?.sum_keepdim(1)? + 1e-8)?.sqrt()?)
}

fn check(config: &NetConfig) -> Result<()> {
    let [planes, rows, columns] = config.observation;
    let sizes = [planes, rows, columns, config.actions, config.channels];
    let sane = sizes.iter().all(|size| (1..=8192).contains(size))
        && (1..=64).contains(&config.head_channels)
        && config.hidden <= 4096
        && config.projection <= 8192
        && config.represent_blocks.max(config.dynamics_blocks) <= 64
        && (2..=2048).contains(&config.value.bins)
        && config.reward.is_none_or(|r| (2..=2048).contains(&r.bins))
        && (!config.downsample || (rows >= 16 && columns >= 16 && config.channels >= 2))
        && config.actions * config.action_planes() * rows * columns <= MAX_TABLE;
    if sane {
        Ok(())
    } else {
        Err(Error::Input(format!(
            "networks of these sizes cannot be built: {config:?}"
        )))
    }
}

/// The planes of every action.
fn action_planes(scope: &Scope, config: &NetConfig) -> Result<Tensor> {
    let [rows, columns] = config.grid();
    let (cells, planes) = (rows * columns, config.action_planes());
    let mut table = vec![0.0_f32; config.actions * planes * cells];
    for (action, table) in table.chunks_exact_mut(planes * cells).enumerate() {
        match config.coding {
            ActionCoding::Planes => table[action * cells..(action + 1) * cells].fill(1.0),
            ActionCoding::Cell => {
                if let Some(cell) = table.get_mut(action) {
                    *cell = 1.0;
                }
            }
            ActionCoding::Column => {
                for row in table.chunks_exact_mut(columns) {
                    if let Some(cell) = row.get_mut(action) {
                        *cell = 1.0;
                    }
                }
            }
            ActionCoding::FromTo => {
                let Some(ends) = chess_ends(action) else {
                    continue;
                };
                table[ends.from] = 1.0;
                table[cells + ends.to] = 1.0;
                if ends.promotion.is_some() {
                    table[2 * cells..].fill(1.0);
                }
            }
        }
    }
    let shape = (config.actions, planes, rows, columns);
    Ok(Tensor::from_vec(table, shape, scope.device())?.to_dtype(DType::F32)?)
}
