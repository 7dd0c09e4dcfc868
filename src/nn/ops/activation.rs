//! Activations that are fused into the operation before them.

use serde::{Deserialize, Serialize};

/// What follows a linear map, a convolution or a norm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
    /// `x` above zero, below it `x` times the slope, which is not negative.
    LeakyRelu(f32),
    /// `x / (1 + exp(-x))`.
    Silu,
}
