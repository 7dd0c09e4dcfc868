//! A linear layer in plain numbers: what is pruned out of a random network, and what comes out.

use crate::error::{Error, Result};

/// A linear layer, `y = W x + v`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Layer {
    /// A layer from its weight `[outputs, inputs]`, row-major, and its bias `[outputs]`.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] where the lengths do not fit, or a number is not finite.
    pub fn new(inputs: usize, weight: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        let outputs = bias.len();
        if inputs == 0 || outputs == 0 || weight.len() != inputs * outputs {
            return Err(Error::Input(format!(
                "{} weights do not make a layer of {inputs} inputs and {outputs} outputs",
                weight.len()
            )));
        }
        if !weight.iter().chain(&bias).all(|w| w.is_finite()) {
            return Err(Error::Input("a weight of the layer is not finite".into()));
        }
        Ok(Self {
            inputs,
            outputs,
            weight,
            bias,
        })
    }

    /// How many inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The weight `[outputs, inputs]`, row-major.
    #[must_use]
    pub fn weight(&self) -> &[f32] {
        &self.weight
    }

    /// The bias `[outputs]`.
    #[must_use]
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Weights and biases.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.weight.len() + self.bias.len()
    }

    /// Parameter `index` of `[outputs, inputs + 1]`, where the bias is the last of each row.
    pub(super) fn parameter(&self, index: usize) -> f32 {
        let (output, input) = (index / (self.inputs + 1), index % (self.inputs + 1));
        if input == self.inputs {
            self.bias[output]
        } else {
            self.weight[output * self.inputs + input]
        }
    }

    /// The largest |weight| or |bias|.
    pub(super) fn largest(&self) -> f32 {
        let all = self.weight.iter().chain(&self.bias);
        all.fold(0.0, |largest, w| largest.max(w.abs()))
    }
}
