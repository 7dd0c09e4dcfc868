//! The convolution of style-based generators (Karras et al. 2020, section 2.2).

use candle_core::{Result as TensorResult, Tensor};

use super::init::Init;
use super::layers::Linear;
use super::ops::{Activation, Conv2dOptions, conv2d, demodulation, scale_planes};
use super::params::Scope;
use crate::error::Result;

/// Keeps the norm of kernels of zeros from dividing by zero.
const EPSILON: f64 = 1e-8;

/// A convolution whose kernels a style scales, input channel by input channel.
///
/// Scaled kernels differ from example to example. Scaling the inputs instead, and bringing the
/// results back to variance one by the norms of the scaled kernels, gives the same numbers with one
/// convolution for the whole batch.
#[derive(Clone, Debug)]
pub struct ModulatedConv2d {
    /// From a latent to a factor for each input channel; its bias begins at one.
    pub style: Linear,
    /// `[outputs, inputs, kernel, kernel]`.
    pub weight: Tensor,
    /// `[outputs]`.
    pub bias: Tensor,
    /// Padding and upsampling; stride and groups as for any convolution.
    pub options: Conv2dOptions,
    /// What follows; nothing at first.
    pub activation: Activation,
    /// What the results have for a deviation where the inputs have one; `None` leaves them as the
    /// scaled kernels give them, as the last layer that makes colours does. One at first.
    pub gain: Option<f64>,
}

impl ModulatedConv2d {
    /// A square kernel of odd size, padded so that the picture keeps its size, for latents of so
    /// many numbers.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(
        scope: &mut Scope,
        latent: usize,
        [inputs, outputs]: [usize; 2],
        kernel: usize,
        init: Init,
    ) -> Result<Self> {
        let mut style = scope.scope("style");
        let without_bias = Linear::without_bias(&mut style, latent, inputs)?;
        Ok(Self {
            style: Linear {
                bias: Some(style.param("bias", &[inputs], Init::ONES)?),
                ..without_bias
            },
            weight: scope.param("weight", &[outputs, inputs, kernel, kernel], init)?,
            bias: scope.param("bias", &[outputs], Init::ZEROS)?,
            options: Conv2dOptions::padded(kernel / 2),
            activation: Activation::None,
            gain: Some(1.0),
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
            style: self.style.detached(),
            weight: self.weight.detach(),
            bias: self.bias.detach(),
            ..*self
        }
    }

    /// `[batch, inputs, height, width]` and latents `[batch, latent]` to `[batch, outputs, …]`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor, latents: &Tensor) -> TensorResult<Tensor> {
        let style = self.style.forward(latents)?;
        // Before an upsampling, which is the same as after it and cheaper.
        let x = scale_planes(x, &style, None, Activation::None)?;
        let Some(gain) = self.gain else {
            let bias = Some(&self.bias);
            return conv2d(&x, &self.weight, bias, self.options, self.activation);
        };
        let x = conv2d(&x, &self.weight, None, self.options, Activation::None)?;
        let mut norms = demodulation(&self.weight, &style, EPSILON)?;
        if gain.to_bits() != 1.0_f64.to_bits() {
            norms = (norms * gain)?;
        }
        scale_planes(&x, &norms, Some(&self.bias), self.activation)
    }
}
