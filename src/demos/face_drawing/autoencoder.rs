//! An autoencoder for each part (section 3.2 of the paper): a part's ink to a code and back.

use candle_core::{Result as TensorResult, Tensor};

use super::blocks::{LEAKY, convolution, dense};
use super::parts::{PARTS, Part, PerPart};
use crate::error::{Error, Result};
use crate::nn::Scope;
use crate::nn::layers::{Conv2d, Linear};
use crate::nn::ops::Activation;
use crate::nn::ops::pointwise::sigmoid;
use crate::nn::ops::resample::pixel_shuffle;

/// A part's two networks.
#[derive(Clone, Debug)]
pub struct Autoencoder {
    part: Part,
    /// Each halves the sides.
    encoder: Vec<Conv2d>,
    to_code: Linear,
    from_code: Linear,
    /// Each doubles them.
    decoder: Vec<Conv2d>,
    /// Channels and pixels in a side where both begin and end.
    deep: [usize; 2],
}

impl Autoencoder {
    /// With its first weights.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope, part: Part) -> Result<Self> {
        let channels: &[usize] = if part.side > 64 {
            &[1, 12, 24, 48, 64]
        } else {
            &[1, 16, 32, 64]
        };
        let layers = channels.len() - 1;
        let encoder = (0..layers)
            .map(|at| {
                let scope = &mut scope.scope(format!("encoder{at}"));
                convolution(scope, [channels[at], channels[at + 1]], 2, LEAKY)
            })
            .collect::<Result<_>>()?;
        let deep = [channels[layers], part.side >> layers];
        let numbers = deep[0] * deep[1] * deep[1];
        let decoder = (0..layers)
            .map(|at| {
                let from = layers - at;
                let scope = &mut scope.scope(format!("decoder{at}"));
                let last = from == 1;
                let activation = if last { Activation::None } else { LEAKY };
                convolution(
                    scope,
                    [channels[from], 4 * channels[from - 1]],
                    1,
                    activation,
                )
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            part,
            encoder,
            to_code: Linear::new(&mut scope.scope("to_code"), numbers, part.code)?,
            from_code: dense(&mut scope.scope("from_code"), part.code, numbers)?,
            decoder,
            deep,
        })
    }

    /// Whose ink it knows.
    #[must_use]
    pub fn part(&self) -> Part {
        self.part
    }

    /// The same networks, sharing their numbers, whose weights get no gradient.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            part: self.part,
            encoder: self.encoder.iter().map(Conv2d::detached).collect(),
            to_code: self.to_code.detached(),
            from_code: self.from_code.detached(),
            decoder: self.decoder.iter().map(Conv2d::detached).collect(),
            deep: self.deep,
        }
    }

    /// Ink `[batch, 1, side, side]`, 0 to 1, to codes `[batch, code]`.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn encode(&self, ink: &Tensor) -> TensorResult<Tensor> {
        let deep = self
            .encoder
            .iter()
            .try_fold(ink.clone(), |x, layer| layer.forward(&x))?;
        self.to_code.forward(&deep.flatten_from(1)?)
    }

    /// Codes `[batch, code]` to the logits of ink `[batch, 1, side, side]`.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn logits(&self, codes: &Tensor) -> TensorResult<Tensor> {
        let [channels, side] = self.deep;
        let deep = self
            .from_code
            .forward(codes)?
            .reshape(((), channels, side, side))?;
        self.decoder
            .iter()
            .try_fold(deep, |x, layer| pixel_shuffle(&layer.forward(&x)?, 2))
    }

    /// Codes `[batch, code]` to ink `[batch, 1, side, side]`, 0 to 1.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn decode(&self, codes: &Tensor) -> TensorResult<Tensor> {
        sigmoid(&self.logits(codes)?)
    }
}

/// One for each part.
///
/// # Errors
/// When a name is taken.
pub fn all(scope: &mut Scope) -> Result<PerPart<Autoencoder>> {
    let mut made = Vec::with_capacity(PARTS.len());
    for part in PARTS {
        let name = part.name.replace(' ', "_");
        made.push(Autoencoder::new(&mut scope.scope(name), part)?);
    }
    made.try_into()
        .map_err(|_| Error::Input("there are five parts".into()))
}
