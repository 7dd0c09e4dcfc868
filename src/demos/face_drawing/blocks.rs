//! Layers as this demo's networks begin with them: leaky, with He's first weights, which keep the
//! deviation of what goes through.

use crate::error::Result;
use crate::nn::layers::{Conv2d, Linear};
use crate::nn::ops::{Activation, Conv2dOptions};
use crate::nn::{Init, Scope};

/// What follows most layers.
pub const LEAKY: Activation = Activation::LeakyRelu(0.2);

/// A convolution of three by three, padded, with this stride.
///
/// # Errors
/// When a name is taken.
pub fn convolution(
    scope: &mut Scope,
    [inputs, outputs]: [usize; 2],
    stride: usize,
    activation: Activation,
) -> Result<Conv2d> {
    Ok(Conv2d {
        weight: scope.param("weight", &[outputs, inputs, 3, 3], Init::KAIMING_NORMAL)?,
        bias: Some(scope.param("bias", &[outputs], Init::ZEROS)?),
        options: Conv2dOptions {
            stride: [stride; 2],
            ..Conv2dOptions::padded(1)
        },
        activation,
    })
}

/// A linear layer, leaky.
///
/// # Errors
/// When a name is taken.
pub fn dense(scope: &mut Scope, inputs: usize, outputs: usize) -> Result<Linear> {
    Ok(Linear {
        weight: scope.param("weight", &[outputs, inputs], Init::KAIMING_NORMAL)?,
        bias: Some(scope.param("bias", &[outputs], Init::ZEROS)?),
        activation: LEAKY,
    })
}
