//! The networks of the lottery-ticket paper: their layers, and what a pass through them costs.
//!
//! | Net | Layers | Weights at 28 × 28 | Adam's rate |
//! |---|---|---|---|
//! | LeNet-300-100 | 300, 100, 10 | 266,200 | 1.2e-3 |
//! | Conv-2 | 64, 64, pool, 256, 256, 10 | 3,316,800 | 2e-4 |
//! | Conv-4 | Conv-2's, 128, 128, pool | 1,932,352 | 3e-4 |
//! | Conv-6 | Conv-4's, 256, 256, pool | 1,801,280 | 3e-4 |
//! | Conv-2-lite | 16, 16, pool, 64, 10 | 203,792 | 1.2e-3 |
//!
//! Convolutions are 3 × 3, padded by 1; pools halve both sides. A `ReLU` follows every layer but
//! the last. Weights begin with Glorot's normal distribution, biases with 0 (Frankle and Carbin,
//! figure 2). Conv-2-lite is ours, small enough to be watched; it takes Conv-2's pruning rates and
//! `LeNet`'s learning rate.
//!
//! Costs are counted from the weights that are left: each takes part in one multiplication and one
//! addition for each position of its layer's output. A backward pass does the same twice, for the
//! weights' gradient and for the inputs'; the first layer needs no gradient of its input. Biases,
//! activations and pools are not counted: together they are below 1 % in these nets.

use candle_core::Tensor;

use super::config::NetKind;
use super::record::LayerShape;
use crate::data::Shape;
use crate::error::{Error, Result};
use crate::nn::ops::{Activation, Conv2dOptions, Window, conv2d, linear, max_pool2d};
use crate::nn::optim::OptimizerConfig;
use crate::nn::{Init, Params};

/// The layers of a net, in order, for pictures of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct NetSpec {
    /// Which net.
    pub kind: NetKind,
    /// The pictures it takes.
    pub input: Shape,
    /// From the pixels to the classes.
    pub layers: Vec<LayerSpec>,
}

/// One layer with weights.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerSpec {
    /// `conv1`, `fc1`, …; its weights are `NAME.weight` and `NAME.bias`.
    pub name: String,
    /// Channels or features that it reads.
    pub inputs: usize,
    /// Channels or features that it makes.
    pub outputs: usize,
    /// A linear layer or a convolution.
    pub kind: LayerKind,
    /// The share of its weights that a round of pruning takes away.
    pub prune_rate: f64,
    /// What follows it.
    pub activation: Activation,
}

/// What a layer does with its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    /// `[outputs, inputs]`.
    Linear,
    /// `[outputs, inputs, 3, 3]`, with a margin of 1, so that the sides stay.
    Conv {
        /// Rows.
        height: usize,
        /// Pixels in a row.
        width: usize,
        /// Whether the greatest of 2 × 2 pixels is taken afterwards.
        pool: bool,
    },
}

/// Sides of a convolution's kernel.
const KERNEL: usize = 3;

impl NetSpec {
    /// The layers of a net; `width` scales the hidden ones.
    ///
    /// # Errors
    /// [`Error::Input`] when the width is not a positive number up to 16, or the pictures are too
    /// small for the pools.
    pub fn new(kind: NetKind, width: f64, input: Shape, classes: usize) -> Result<Self> {
        if !(width > 0.0 && width <= 16.0) {
            return Err(Error::Input(format!(
                "a width of {width} is not possible, choose above 0 and up to 16"
            )));
        }
        let scaled = |units: usize| ((units as f64 * width).round() as usize).max(1);
        let (convs, hidden): (&[usize], &[usize]) = match kind {
            NetKind::Lenet => (&[], &[300, 100]),
            NetKind::Conv2 => (&[64, 64], &[256, 256]),
            NetKind::Conv4 => (&[64, 64, 128, 128], &[256, 256]),
            NetKind::Conv6 => (&[64, 64, 128, 128, 256, 256], &[256, 256]),
            NetKind::Conv2Lite => (&[16, 16], &[64]),
        };
        let conv_rate = if kind == NetKind::Conv6 { 0.15 } else { 0.1 };
        let (mut channels, mut height, mut width) = (input.channels, input.height, input.width);
        let mut layers = Vec::new();
        for (index, &outputs) in convs.iter().enumerate() {
            let pool = index % 2 == 1;
            let kind = LayerKind::Conv {
                height,
                width,
                pool,
            };
            let name = format!("conv{}", index + 1);
            layers.push(LayerSpec::hidden(
                name,
                channels,
                scaled(outputs),
                kind,
                conv_rate,
            ));
            channels = scaled(outputs);
            if pool {
                (height, width) = (height / 2, width / 2);
            }
        }
        let mut inputs = channels * height * width;
        if inputs == 0 {
            return Err(Error::Input(format!(
                "pictures of {} × {} are too small for this net",
                input.height, input.width
            )));
        }
        for (index, &outputs) in hidden.iter().enumerate() {
            let (name, outputs) = (format!("fc{}", index + 1), scaled(outputs));
            layers.push(LayerSpec::hidden(
                name,
                inputs,
                outputs,
                LayerKind::Linear,
                0.2,
            ));
            inputs = outputs;
        }
        layers.push(LayerSpec {
            name: format!("fc{}", hidden.len() + 1),
            inputs,
            outputs: classes,
            kind: LayerKind::Linear,
            prune_rate: 0.1,
            activation: Activation::None,
        });
        Ok(Self {
            kind,
            input,
            layers,
        })
    }

    /// The number of weights, biases not counted.
    #[must_use]
    pub fn weights(&self) -> u64 {
        self.layers.iter().map(LayerSpec::weights).sum()
    }

    /// The number of biases, which are never pruned.
    #[must_use]
    pub fn biases(&self) -> u64 {
        self.layers.iter().map(|layer| layer.outputs as u64).sum()
    }

    /// All weights of every layer, as a list of what is left before any pruning.
    #[must_use]
    pub fn all_kept(&self) -> Vec<u64> {
        self.layers.iter().map(LayerSpec::weights).collect()
    }

    /// Names and shapes for a record.
    #[must_use]
    pub fn shapes(&self) -> Vec<LayerShape> {
        let shape = |layer: &LayerSpec| LayerShape {
            name: layer.name.clone(),
            shape: layer.shape(),
        };
        self.layers.iter().map(shape).collect()
    }

    /// The learning rate of Adam that the paper found for it.
    #[must_use]
    pub fn learning_rate(&self) -> f64 {
        match self.kind {
            NetKind::Lenet | NetKind::Conv2Lite => 1.2e-3,
            NetKind::Conv2 => 2e-4,
            NetKind::Conv4 | NetKind::Conv6 => 3e-4,
        }
    }

    /// The paper's optimiser, with another learning rate if one is given.
    #[must_use]
    pub fn optimizer(&self, learning_rate: Option<f64>) -> OptimizerConfig {
        OptimizerConfig::adam(learning_rate.unwrap_or_else(|| self.learning_rate()))
    }

    /// Operations for the answer to one picture, with so many weights left in each layer.
    #[must_use]
    pub fn forward_flops(&self, kept: &[u64]) -> f64 {
        let layers = self.layers.iter().zip(kept);
        layers.map(|(layer, &kept)| layer.flops(kept)).sum()
    }

    /// Operations of a training step for one picture: the answer, the gradient of the weights that
    /// are left, and of every layer's input but the first one's.
    #[must_use]
    pub fn training_flops(&self, kept: &[u64]) -> f64 {
        let first = self.layers.first().zip(kept.first());
        3.0 * self.forward_flops(kept) - first.map_or(0.0, |(layer, &kept)| layer.flops(kept))
    }

    /// Carries pictures `[batch, pixels]` from layer to layer to logits `[batch, classes]`.
    ///
    /// `layer` is given a layer's number, the layer, and its input: `[batch, inputs, height, width]`
    /// for a convolution, `[batch, inputs]` for a linear layer. It returns the output after the
    /// activation, for which [`LayerSpec::apply`] is there; the pools are done here.
    ///
    /// # Errors
    /// What `layer` fails with, and when the shapes do not fit.
    pub fn run(
        &self,
        x: &Tensor,
        mut layer: impl FnMut(usize, &LayerSpec, &Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let batch = x.dim(0)?;
        let mut x = x.clone();
        for (index, spec) in self.layers.iter().enumerate() {
            x = match spec.kind {
                LayerKind::Linear => x.reshape((batch, spec.inputs))?,
                LayerKind::Conv { height, width, .. } => {
                    x.reshape((batch, spec.inputs, height, width))?
                }
            };
            x = layer(index, spec, &x)?;
            if matches!(spec.kind, LayerKind::Conv { pool: true, .. }) {
                x = max_pool2d(&x, Window::square(2, 2, 0))?;
            }
        }
        Ok(x)
    }

    /// How many pictures an evaluation takes at once: what they are inside the net stays within
    /// some megabytes. It follows from the net alone, so that results do not depend on a machine.
    #[must_use]
    pub fn evaluation_batch(&self) -> usize {
        let most = self
            .layers
            .iter()
            .map(|layer| layer.outputs * layer.positions());
        let most = most.max().unwrap_or(1).max(self.input.len());
        ((1 << 20) / most).clamp(50, 1000)
    }
}

impl LayerSpec {
    fn hidden(name: String, inputs: usize, outputs: usize, kind: LayerKind, rate: f64) -> Self {
        Self {
            name,
            inputs,
            outputs,
            kind,
            prune_rate: rate,
            activation: Activation::Relu,
        }
    }

    /// The name of its weights in files, `NAME.weight`.
    #[must_use]
    pub fn weight_name(&self) -> String {
        format!("{}.weight", self.name)
    }

    /// The name of its biases in files, `NAME.bias`.
    #[must_use]
    pub fn bias_name(&self) -> String {
        format!("{}.bias", self.name)
    }

    /// `[outputs, inputs]` or `[outputs, inputs, 3, 3]`.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        match self.kind {
            LayerKind::Linear => vec![self.outputs, self.inputs],
            LayerKind::Conv { .. } => vec![self.outputs, self.inputs, KERNEL, KERNEL],
        }
    }

    /// Weights that an output unit or channel has: inputs, times the kernel's entries.
    #[must_use]
    pub fn fan_in(&self) -> usize {
        match self.kind {
            LayerKind::Linear => self.inputs,
            LayerKind::Conv { .. } => self.inputs * KERNEL * KERNEL,
        }
    }

    /// The number of its weights, biases not counted.
    #[must_use]
    pub fn weights(&self) -> u64 {
        (self.outputs * self.fan_in()) as u64
    }

    /// Places of the output at which every weight is used once.
    #[must_use]
    pub fn positions(&self) -> usize {
        match self.kind {
            LayerKind::Linear => 1,
            LayerKind::Conv { height, width, .. } => height * width,
        }
    }

    /// Operations for one picture if `kept` weights are left.
    #[must_use]
    pub fn flops(&self, kept: u64) -> f64 {
        2.0 * kept as f64 * self.positions() as f64
    }

    /// The layer with these weights, its activation included: `x` is `[batch, inputs]` or
    /// `[batch, inputs, height, width]`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn apply(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        Ok(match self.kind {
            LayerKind::Linear => linear(x, weight, bias, self.activation)?,
            LayerKind::Conv { .. } => {
                conv2d(x, weight, bias, Conv2dOptions::padded(1), self.activation)?
            }
        })
    }
}

/// A net with weights of its own, which lie in a [`Params`].
#[derive(Debug)]
pub struct Net {
    spec: NetSpec,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    body: Body,
    bias: Tensor,
}

/// How a layer's weights are held.
#[derive(Debug)]
enum Body {
    /// All of them, zeros where a mask holds them.
    Dense(Tensor),
}

impl Net {
    /// Adds a net's weights to `params`, with their first values.
    ///
    /// # Errors
    /// When the names are taken.
    pub fn new(spec: &NetSpec, params: &mut Params) -> Result<Self> {
        let mut layers = Vec::with_capacity(spec.layers.len());
        for layer in &spec.layers {
            let mut scope = params.scope(&layer.name);
            let weight = scope.param("weight", &layer.shape(), Init::GLOROT_NORMAL)?;
            layers.push(Layer {
                body: Body::Dense(weight),
                bias: scope.param("bias", &[layer.outputs], Init::ZEROS)?,
            });
        }
        Ok(Self {
            spec: spec.clone(),
            layers,
        })
    }

    /// The layers.
    #[must_use]
    pub fn spec(&self) -> &NetSpec {
        &self.spec
    }

    /// Pictures `[batch, pixels]` to logits `[batch, classes]`.
    ///
    /// # Errors
    /// When the pictures are of another shape.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.spec.run(x, |index, spec, x| {
            let Layer { body, bias } = &self.layers[index];
            match body {
                Body::Dense(weight) => spec.apply(x, weight, Some(bias)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::{Net, NetSpec};
    use crate::data::Shape;
    use crate::demos::lottery::config::NetKind;
    use crate::nn::Params;
    use crate::rng::Rng;

    const GREY: Shape = Shape {
        channels: 1,
        height: 28,
        width: 28,
    };
    const COLOUR: Shape = Shape {
        channels: 3,
        height: 32,
        width: 32,
    };

    fn spec(kind: NetKind, input: Shape) -> NetSpec {
        NetSpec::new(kind, 1.0, input, 10).expect("a net of the paper")
    }

    #[test]
    fn sizes_are_those_of_the_papers() {
        let with_biases = |kind, input| {
            let spec = spec(kind, input);
            spec.weights() + spec.biases()
        };
        assert_eq!(spec(NetKind::Lenet, GREY).weights(), 266_200);
        assert_eq!(with_biases(NetKind::Lenet, GREY), 266_610);
        // Counted with PyTorch at CIFAR-10's size, see research.
        assert_eq!(with_biases(NetKind::Conv2, COLOUR), 4_301_642);
        assert_eq!(with_biases(NetKind::Conv4, COLOUR), 2_425_930);
        assert_eq!(with_biases(NetKind::Conv6, COLOUR), 2_262_602);
    }

    #[test]
    fn the_tables_weights_are_right() {
        for (kind, weights) in [
            (NetKind::Lenet, 266_200),
            (NetKind::Conv2, 3_316_800),
            (NetKind::Conv4, 1_932_352),
            (NetKind::Conv6, 1_801_280),
            (NetKind::Conv2Lite, 203_792),
        ] {
            assert_eq!(spec(kind, GREY).weights(), weights, "{kind:?}");
        }
    }

    #[test]
    fn operations_of_the_convolutions_are_those_measured_elsewhere() {
        // Millions of multiply-adds a picture, from the research's table.
        for (kind, input, mmac) in [
            (NetKind::Conv2, COLOUR, 43.8),
            (NetKind::Conv2, GREY, 32.6),
            (NetKind::Conv4, COLOUR, 98.3),
            (NetKind::Conv6, GREY, 116.7),
        ] {
            let spec = spec(kind, input);
            let found = spec.forward_flops(&spec.all_kept()) / 2e6;
            assert!((found - mmac).abs() < 0.06, "{kind:?}: {found}");
        }
    }

    #[test]
    fn every_net_answers_with_ten_logits() {
        for kind in [NetKind::Lenet, NetKind::Conv2Lite, NetKind::Conv6] {
            let spec = NetSpec::new(kind, 0.25, GREY, 10).expect("a narrow net");
            let mut params = Params::new(&Device::Cpu, &Rng::new(1));
            let net = Net::new(&spec, &mut params).expect("new names");
            let x = Tensor::ones((2, 784), candle_core::DType::F32, &Device::Cpu).expect("ones");
            let y = net.forward(&x).expect("pictures of its shape");
            assert_eq!(y.dims(), [2, 10]);
            let y = y.to_vec2::<f32>().expect("numbers");
            assert!(y[0].iter().any(|y| *y != 0.0) && y[0] == y[1]);
        }
    }

    #[test]
    fn impossible_widths_and_pictures_are_refused() {
        for width in [0.0, -1.0, f64::NAN, 17.0] {
            assert!(NetSpec::new(NetKind::Lenet, width, GREY, 10).is_err());
        }
        let tiny = Shape { height: 3, ..GREY };
        assert!(NetSpec::new(NetKind::Conv4, 1.0, tiny, 10).is_err());
    }
}
