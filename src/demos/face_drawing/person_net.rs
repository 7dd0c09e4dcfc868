//! From codes to the person that was drawn: the first half of the second painter.
//!
//! A network reads the person's own numbers off the codes, which hair and brows it is, and where the
//! landmarks lie. The numbers are then moved a little, so that the kit's landmarks come to lie where
//! the network saw them ([`super::fit`]).

use candle_core::{Result as TensorResult, Tensor};

use super::blocks::dense;
use super::landmarks;
use super::parts::CODES;
use crate::error::Result;
use crate::human::sampler::{BROWS, HAIR};
use crate::nn::Scope;
use crate::nn::layers::Linear;

/// Units of the hidden layers.
const HIDDEN: usize = 768;

/// What is read off codes, a row for each example.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The person's numbers, `[batch, dims]`.
    pub z: Tensor,
    /// Logits of hair styles, `[batch, HAIR.len()]`.
    pub hair: Tensor,
    /// Logits of the side the hair is parted on, `[batch, 2]`.
    pub side: Tensor,
    /// Logits of brows, `[batch, BROWS.len()]`.
    pub brows: Tensor,
    /// Places of landmarks in deviations from their means, `[batch, 2 * landmarks::COUNT]`.
    pub landmarks: Tensor,
}

/// The network.
#[derive(Clone, Debug)]
pub struct PersonNet {
    layers: Vec<Linear>,
    out: Linear,
    dims: usize,
}

impl PersonNet {
    /// With its first weights, for vectors of so many numbers.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope, dims: usize) -> Result<Self> {
        let layers = [CODES, HIDDEN, HIDDEN]
            .into_iter()
            .enumerate()
            .map(|(at, inputs)| dense(&mut scope.scope(format!("layer{at}")), inputs, HIDDEN))
            .collect::<Result<_>>()?;
        let outputs = dims + HAIR.len() + 2 + BROWS.len() + 2 * landmarks::COUNT;
        Ok(Self {
            layers,
            out: Linear::new(&mut scope.scope("out"), HIDDEN, outputs)?,
            dims,
        })
    }

    /// The same network, sharing its numbers, whose weights get no gradient.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            layers: self.layers.iter().map(Linear::detached).collect(),
            out: self.out.detached(),
            dims: self.dims,
        }
    }

    /// Codes `[batch, CODES]` to what is read off them.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn read(&self, codes: &Tensor) -> TensorResult<Reading> {
        let x = self
            .layers
            .iter()
            .try_fold(codes.clone(), |x, layer| layer.forward(&x))?;
        let all = self.out.forward(&x)?;
        let mut from = 0;
        let mut next = |count: usize| {
            from += count;
            all.narrow(1, from - count, count)
        };
        Ok(Reading {
            z: next(self.dims)?,
            hair: next(HAIR.len())?,
            side: next(2)?,
            brows: next(BROWS.len())?,
            landmarks: next(2 * landmarks::COUNT)?,
        })
    }
}
