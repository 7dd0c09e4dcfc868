//! Layers with weights: small structs that a model is put together from.
//!
//! Each is built against a [`Scope`], names its weights as `PyTorch` does and begins with
//! `PyTorch`'s initial values, drawn from the scope's own random numbers. A field holds what may be
//! changed afterwards, such as the activation that is fused into the operation:
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use vitrine::nn::layers::{Conv2d, Linear};
//! use vitrine::nn::ops::Activation;
//! use vitrine::nn::Params;
//! use vitrine::rng::Rng;
//!
//! let mut params = Params::new(&Device::Cpu, &Rng::new(1));
//! let conv = Conv2d::new(&mut params.scope("conv"), 1, 8, 3)?.with(Activation::Relu);
//! let out = Linear::new(&mut params.scope("out"), 8 * 28 * 28, 10)?;
//! let images = Tensor::zeros((5, 1, 28, 28), candle_core::DType::F32, &Device::Cpu)?;
//! let logits = out.forward(&conv.forward(&images)?.flatten_from(1)?)?;
//! assert_eq!(logits.dims(), [5, 10]);
//! # Ok::<(), vitrine::Error>(())
//! ```

use candle_core::{Result as TensorResult, Tensor, Var};

use super::init::Init;
use super::ops::{self, Activation, Conv2dOptions};
use super::params::Scope;
use crate::error::Result;

/// `activation(x wᵀ + b)`: `[…, inputs]` to `[…, outputs]`.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[outputs, inputs]`.
    pub weight: Tensor,
    /// `[outputs]`.
    pub bias: Option<Tensor>,
    /// What follows; nothing at first.
    pub activation: Activation,
}

/// `PyTorch`'s initial bias: uniform within `1 / sqrt(fan_in)`.
fn bias(scope: &mut Scope, outputs: usize, fan_in: usize) -> Result<Tensor> {
    let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
    scope.param("bias", &[outputs], Init::Uniform { bound })
}

impl Linear {
    /// With a bias.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope, inputs: usize, outputs: usize) -> Result<Self> {
        Ok(Self {
            bias: Some(bias(scope, outputs, inputs)?),
            ..Self::without_bias(scope, inputs, outputs)?
        })
    }

    /// Without a bias.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn without_bias(scope: &mut Scope, inputs: usize, outputs: usize) -> Result<Self> {
        Ok(Self {
            weight: scope.param("weight", &[outputs, inputs], Init::PYTORCH)?,
            bias: None,
            activation: Activation::None,
        })
    }

    /// With this activation after it.
    #[must_use]
    pub fn with(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The same layer, sharing its numbers, that gets no gradient and keeps nothing for one.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            weight: self.weight.detach(),
            bias: self.bias.as_ref().map(Tensor::detach),
            ..*self
        }
    }

    /// `[…, inputs]` to `[…, outputs]`.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn forward(&self, x: &Tensor) -> TensorResult<Tensor> {
        ops::linear(x, &self.weight, self.bias.as_ref(), self.activation)
    }
}

/// A convolution: `[batch, inputs, height, width]` to `[batch, outputs, …]`.
#[derive(Clone, Debug)]
pub struct Conv2d {
    /// `[outputs, inputs / groups, kernel, kernel]`.
    pub weight: Tensor,
    /// `[outputs]`.
    pub bias: Option<Tensor>,
    /// Stride, padding, groups.
    pub options: Conv2dOptions,
    /// What follows; nothing at first.
    pub activation: Activation,
}

impl Conv2d {
    /// A square kernel of odd size with a bias, padded so that the image keeps its size.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope, inputs: usize, outputs: usize, kernel: usize) -> Result<Self> {
        let options = Conv2dOptions::padded(kernel / 2);
        Self::with_options(scope, inputs, outputs, kernel, options)
    }

    /// A square kernel with a bias.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn with_options(
        scope: &mut Scope,
        inputs: usize,
        outputs: usize,
        kernel: usize,
        options: Conv2dOptions,
    ) -> Result<Self> {
        let fan_in = inputs / options.groups.max(1) * kernel * kernel;
        Ok(Self {
            bias: Some(bias(scope, outputs, fan_in)?),
            ..Self::without_bias(scope, inputs, outputs, kernel, options)?
        })
    }

    /// A square kernel without a bias.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn without_bias(
        scope: &mut Scope,
        inputs: usize,
        outputs: usize,
        kernel: usize,
        options: Conv2dOptions,
    ) -> Result<Self> {
        let shape = [outputs, inputs / options.groups.max(1), kernel, kernel];
        Ok(Self {
            weight: scope.param("weight", &shape, Init::PYTORCH)?,
            bias: None,
            options,
            activation: Activation::None,
        })
    }

    /// With this activation after it.
    #[must_use]
    pub fn with(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The same layer, sharing its numbers, that gets no gradient and keeps nothing for one.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            weight: self.weight.detach(),
            bias: self.bias.as_ref().map(Tensor::detach),
            ..*self
        }
    }

    /// `[batch, inputs, height, width]` to `[batch, outputs, …]`.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn forward(&self, x: &Tensor) -> TensorResult<Tensor> {
        let bias = self.bias.as_ref();
        ops::conv2d(x, &self.weight, bias, self.options, self.activation)
    }
}

/// A transposed convolution: `[batch, inputs, height, width]` to `[batch, outputs, …]`.
#[derive(Clone, Debug)]
pub struct ConvTranspose2d {
    /// `[inputs, outputs / groups, kernel, kernel]`.
    pub weight: Tensor,
    /// `[outputs]`.
    pub bias: Option<Tensor>,
    /// Stride, padding, groups, padding of the output.
    pub options: Conv2dOptions,
    /// What follows; nothing at first.
    pub activation: Activation,
}

impl ConvTranspose2d {
    /// A square kernel with a bias.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(
        scope: &mut Scope,
        inputs: usize,
        outputs: usize,
        kernel: usize,
        options: Conv2dOptions,
    ) -> Result<Self> {
        let per_group = outputs / options.groups.max(1);
        // PyTorch takes the second dimension for the inputs here too.
        let fan_in = per_group * kernel * kernel;
        let shape = [inputs, per_group, kernel, kernel];
        Ok(Self {
            weight: scope.param("weight", &shape, Init::PYTORCH)?,
            bias: Some(bias(scope, outputs, fan_in)?),
            options,
            activation: Activation::None,
        })
    }

    /// With this activation after it.
    #[must_use]
    pub fn with(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The same layer, sharing its numbers, that gets no gradient and keeps nothing for one.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            weight: self.weight.detach(),
            bias: self.bias.as_ref().map(Tensor::detach),
            ..*self
        }
    }

    /// `[batch, inputs, height, width]` to `[batch, outputs, …]`.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn forward(&self, x: &Tensor) -> TensorResult<Tensor> {
        let bias = self.bias.as_ref();
        ops::conv_transpose2d(x, &self.weight, bias, self.options, self.activation)
    }
}

/// A factor of one and a term of zero for each place of a shape.
fn affine(scope: &mut Scope, shape: &[usize]) -> Result<(Tensor, Tensor)> {
    Ok((
        scope.param("weight", shape, Init::ONES)?,
        scope.param("bias", shape, Init::ZEROS)?,
    ))
}

/// Batch norm of `[batch, channels, …]` with running statistics.
#[derive(Clone, Debug)]
pub struct BatchNorm2d {
    /// `[channels]`.
    pub weight: Tensor,
    /// `[channels]`.
    pub bias: Tensor,
    /// Means for evaluation, `[channels]`.
    pub running_mean: Var,
    /// Unbiased variances for evaluation, `[channels]`.
    pub running_var: Var,
    /// Added to the variance; 1e-5 at first.
    pub eps: f64,
    /// How far a batch moves the running statistics; 0.1 at first.
    pub momentum: f64,
    /// What follows; nothing at first.
    pub activation: Activation,
}

impl BatchNorm2d {
    /// With factors and terms.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope, channels: usize) -> Result<Self> {
        let (weight, bias) = affine(scope, &[channels])?;
        Ok(Self {
            weight,
            bias,
            running_mean: scope.buffer("running_mean", &[channels], Init::ZEROS)?,
            running_var: scope.buffer("running_var", &[channels], Init::ONES)?,
            eps: 1e-5,
            momentum: 0.1,
            activation: Activation::None,
        })
    }

    /// With this activation after it.
    #[must_use]
    pub fn with(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// With the statistics of the batch, which move the running ones; the shape stays.
    ///
    /// # Errors
    /// When the shape does not fit, or a channel has one number only.
    pub fn forward_train(&self, x: &Tensor) -> TensorResult<Tensor> {
        let affine = Some((&self.weight, &self.bias));
        let (y, batch) = ops::batch_norm::batch_norm(x, affine, self.eps, self.activation)?;
        let (mean, var) = batch.blend(
            &self.running_mean.as_detached_tensor(),
            &self.running_var.as_detached_tensor(),
            self.momentum,
        )?;
        self.running_mean.set(&mean)?;
        self.running_var.set(&var)?;
        Ok(y)
    }

    /// With the running statistics; the shape stays.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn forward(&self, x: &Tensor) -> TensorResult<Tensor> {
        let (mean, var) = (
            self.running_mean.as_detached_tensor(),
            self.running_var.as_detached_tensor(),
        );
        let affine = Some((&self.weight, &self.bias));
        ops::batch_norm::batch_norm_eval(x, (&mean, &var), affine, self.eps, self.activation)
    }
}

/// Group norm of `[batch, channels, …]`.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    /// `[channels]`.
    pub weight: Tensor,
    /// `[channels]`.
    pub bias: Tensor,
    /// A divisor of the channels.
    pub groups: usize,
    /// Added to the variance; 1e-5 at first.
    pub eps: f64,
    /// What follows; nothing at first.
    pub activation: Activation,
}

impl GroupNorm {
    /// With factors and terms.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope, groups: usize, channels: usize) -> Result<Self> {
        let (weight, bias) = affine(scope, &[channels])?;
        Ok(Self {
            weight,
            bias,
            groups,
            eps: 1e-5,
            activation: Activation::None,
        })
    }

    /// With this activation after it.
    #[must_use]
    pub fn with(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The shape stays.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn forward(&self, x: &Tensor) -> TensorResult<Tensor> {
        let affine = Some((&self.weight, &self.bias));
        ops::norm::group_norm(x, self.groups, affine, self.eps, self.activation)
    }
}

/// Layer norm over the last dimensions.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// Of the shape of those dimensions.
    pub weight: Tensor,
    /// Of the shape of those dimensions.
    pub bias: Tensor,
    /// Added to the variance; 1e-5 at first.
    pub eps: f64,
}

impl LayerNorm {
    /// With factors and terms of this shape.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope, shape: &[usize]) -> Result<Self> {
        let (weight, bias) = affine(scope, shape)?;
        Ok(Self {
            weight,
            bias,
            eps: 1e-5,
        })
    }

    /// The shape stays.
    ///
    /// # Errors
    /// When the last dimensions are not those of the weight.
    pub fn forward(&self, x: &Tensor) -> TensorResult<Tensor> {
        let affine = Some((&self.weight, &self.bias));
        ops::norm::layer_norm(x, self.weight.rank(), affine, self.eps)
    }
}

/// A table of vectors that whole numbers choose from: `[…]` to `[…, dim]`.
#[derive(Clone, Debug)]
pub struct Embedding {
    /// `[count, dim]`.
    pub weight: Tensor,
}

impl Embedding {
    /// Vectors of standard normal numbers.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope, count: usize, dim: usize) -> Result<Self> {
        let weight = scope.param("weight", &[count, dim], Init::Normal { std: 1.0 })?;
        Ok(Self { weight })
    }

    /// Whole numbers `[…]`, each below the count, to `[…, dim]`.
    ///
    /// # Errors
    /// When a number is out of range.
    pub fn forward(&self, ids: &Tensor) -> TensorResult<Tensor> {
        ops::embedding::embedding(&self.weight, ids)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Tensor};

    use super::{BatchNorm2d, Conv2d, ConvTranspose2d, Embedding, GroupNorm, LayerNorm, Linear};
    use crate::nn::ops::{Activation, Conv2dOptions};
    use crate::nn::{Kind, Params, Scope};
    use crate::rng::Rng;

    fn params() -> Params {
        Params::new(&Device::Cpu, &Rng::new(5))
    }

    /// Names and shapes of what a layer adds.
    fn added(build: impl FnOnce(&mut Scope)) -> Vec<(String, Vec<usize>)> {
        let mut params = params();
        build(&mut params.scope("layer"));
        params
            .iter()
            .map(|(name, param)| (name.to_owned(), param.shape().to_vec()))
            .collect()
    }

    fn ramp(shape: &[usize]) -> Tensor {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|i| (i % 17) as f32 / 8.0 - 1.0).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).expect("the shape fits")
    }

    fn close(a: &Tensor, b: &Tensor) {
        let gap = a
            .sub(b)
            .and_then(|d| d.abs()?.max_all()?.to_scalar::<f32>());
        assert!(gap.expect("shapes agree") < 1e-5);
    }

    #[test]
    fn names_and_shapes_are_pytorchs() {
        let found = added(|s| drop(Linear::new(s, 5, 3).expect("new")));
        let pair = |bias: &[usize], weight: &[usize]| {
            vec![
                ("layer.bias".to_owned(), bias.to_vec()),
                ("layer.weight".to_owned(), weight.to_vec()),
            ]
        };
        assert_eq!(found, pair(&[3], &[3, 5]));
        let found = added(|s| drop(Linear::without_bias(s, 5, 3).expect("new")));
        assert_eq!(found, pair(&[3], &[3, 5])[1..]);
        let options = Conv2dOptions {
            groups: 2,
            stride: [2, 2],
            ..Conv2dOptions::padded(1)
        };
        let found = added(|s| drop(Conv2d::with_options(s, 4, 6, 3, options).expect("new")));
        assert_eq!(found, pair(&[6], &[6, 2, 3, 3]));
        let found = added(|s| drop(ConvTranspose2d::new(s, 4, 6, 3, options).expect("new")));
        assert_eq!(found, pair(&[6], &[4, 3, 3, 3]));
        let found = added(|s| drop(GroupNorm::new(s, 2, 6).expect("new")));
        assert_eq!(found, pair(&[6], &[6]));
        let found = added(|s| drop(LayerNorm::new(s, &[2, 6]).expect("new")));
        assert_eq!(found, pair(&[2, 6], &[2, 6]));
        let found = added(|s| drop(Embedding::new(s, 9, 4).expect("new")));
        assert_eq!(found, pair(&[], &[9, 4])[1..]);
    }

    #[test]
    fn running_statistics_are_saved_but_not_trained() {
        let mut params = params();
        BatchNorm2d::new(&mut params.scope("norm"), 4).expect("new");
        assert_eq!(params.count_trained(), 8);
        let names: Vec<_> = params.names().collect();
        let buffers = ["norm.running_mean", "norm.running_var"];
        assert_eq!(
            names,
            [&["norm.bias"], &buffers[..], &["norm.weight"]].concat()
        );
        for name in buffers {
            assert_eq!(params.get(name).expect("there").kind(), Kind::Buffer);
        }
    }

    #[test]
    fn initial_values_lie_within_pytorchs_bound() {
        let mut params = params();
        let layer = Linear::new(&mut params.root(), 400, 50).expect("new");
        let largest = |t: &Tensor| {
            let top = t.abs().and_then(|t| t.max_all()?.to_scalar::<f32>());
            top.expect("a number")
        };
        // Uniform within 1/20: the largest of 20,000 comes close to it.
        assert!((0.0499..0.05001).contains(&largest(&layer.weight)));
        assert!((0.035..0.05001).contains(&largest(&layer.bias.expect("there"))));
    }

    #[test]
    fn layers_compute_what_their_operations_do() {
        let mut params = params();
        let mut root = params.root();
        let linear = Linear::new(&mut root.scope("linear"), 6, 3)
            .expect("new")
            .with(Activation::Relu);
        let x = ramp(&[4, 6]);
        let expected = x
            .matmul(&linear.weight.t().expect("a matrix"))
            .and_then(|y| {
                y.broadcast_add(linear.bias.as_ref().expect("there"))?
                    .relu()
            });
        close(
            &linear.forward(&x).expect("computes"),
            &expected.expect("computes"),
        );

        let conv = Conv2d::new(&mut root.scope("conv"), 3, 5, 3).expect("new");
        let x = ramp(&[2, 3, 6, 7]);
        let bias = conv.bias.as_ref().expect("there");
        let expected = x
            .conv2d(&conv.weight, 1, 1, 1, 1)
            .and_then(|y| y.broadcast_add(&bias.reshape((1, 5, 1, 1))?));
        close(
            &conv.forward(&x).expect("computes"),
            &expected.expect("computes"),
        );

        let options = Conv2dOptions {
            stride: [2, 2],
            ..Conv2dOptions::padded(1)
        };
        let up = ConvTranspose2d::new(&mut root.scope("up"), 3, 2, 4, options).expect("new");
        assert_eq!(up.forward(&x).expect("computes").dims(), [2, 2, 12, 14]);

        let table = Embedding::new(&mut root.scope("table"), 9, 4).expect("new");
        let ids = Tensor::new(&[[8_u32, 0], [3, 3]], &Device::Cpu).expect("ids");
        let rows = table.forward(&ids).expect("computes");
        assert_eq!(rows.dims(), [2, 2, 4]);
        let last = table.weight.get(8).expect("a row");
        close(&rows.get(0).and_then(|r| r.get(0)).expect("a row"), &last);
    }

    #[test]
    fn norms_start_as_plain_ones() {
        let mut params = params();
        let mut root = params.root();
        let x = ramp(&[4, 6, 3, 5]);
        let layer = LayerNorm::new(&mut root.scope("layer"), &[3, 5]).expect("new");
        let group = GroupNorm::new(&mut root.scope("group"), 6, 6).expect("new");
        // With one channel a group, both norms are over one plane.
        close(
            &layer.forward(&x).expect("computes"),
            &group.forward(&x).expect("computes"),
        );
        let mean = layer
            .forward(&x)
            .and_then(|y| y.mean_all()?.to_scalar::<f32>());
        assert!(mean.expect("a number").abs() < 1e-6);
    }

    #[test]
    fn batches_move_the_running_statistics_towards_theirs() {
        let mut params = params();
        let norm = BatchNorm2d::new(&mut params.root(), 2).expect("new");
        let x = ramp(&[8, 2, 3, 3]);
        let before = norm.forward(&x).expect("computes");
        // Mean 0 and variance 1 at first: nothing changes but for eps.
        close(&before, &x);
        let mut trained = x.clone();
        for _ in 0..200 {
            trained = norm.forward_train(&x).expect("computes");
        }
        let evaluated = norm.forward(&x).expect("computes");
        // They differ by the unbiased variance only: 72 numbers a channel.
        let ratio = (71.0_f64 / 72.0).sqrt();
        close(&(trained * ratio).expect("scales"), &evaluated);
        assert_eq!(evaluated.dtype(), DType::F32);
    }
}
