//! The network: mapping, principal pictures, modulated convolutions.
//!
//! It draws people cut out: before an even grey, with how much of each pixel they cover. The backdrop
//! is a known function of the vector ([`Backdrops`]) and put behind them.

use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};

use super::CHOICES;
use super::basis::Basis;
use crate::demos::pulse::backdrop::Backdrops;
use crate::demos::pulse::features::Features;
use crate::error::{Error, Result};
use crate::human::Sampler;
use crate::nn::layers::Linear;
use crate::nn::ops::resample::{pixel_shuffle, upsample_bilinear2d, upsample_nearest2d};
use crate::nn::ops::{Activation, linear};
use crate::nn::{Init, ModulatedConv2d, Scope};

type TensorResult = candle_core::Result<Tensor>;

/// Pixels in a side of the principal pictures.
pub const BASE: usize = 32;
/// Planes of a person cut out: red, green, blue, cover.
pub const PLANES: usize = 4;
/// The even backdrop that people are cut out before, sRGB: that of a vector of zeros.
pub const GREY: f32 = 0.437;
/// What a difference in cover counts against one in a colour: how far backdrops are from the grey,
/// the square root of the mean square over people of the three colours together.
pub const COVER: f32 = 0.27;
/// Channels from 16 pixels on.
const CHANNELS: [usize; 4] = [96, 64, 48, 24];
const LEAKY: Activation = Activation::LeakyRelu(0.2);
/// Keeps the deviation through a leaky `ReLU` (Karras et al. 2020).
const GAIN: f64 = std::f64::consts::SQRT_2;
/// Of a convolution's first weights. Their size does not matter to the results, only to how fast
/// they turn.
const SPREAD: Init = Init::Normal { std: 0.1 };

/// What a generator is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Pixels in a side of its pictures: 64 or 128.
    pub size: usize,
    /// Numbers in the mapping network's hidden layers.
    pub hidden: usize,
    /// Numbers in a latent.
    pub latent: usize,
    /// Principal pictures.
    pub pictures: usize,
}

impl Sizes {
    /// The usual sizes for pictures of so many pixels; a file of its weights in half precision
    /// has less than 6 MB.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self {
            size,
            hidden: 640,
            latent: 512,
            pictures: 256,
        }
    }

    /// Resolutions from 64 pixels on.
    fn doublings(&self) -> Result<usize> {
        match self.size {
            64 => Ok(1),
            128 => Ok(2),
            size => Err(Error::Input(format!(
                "a generator has pictures of 64 or 128 pixels, not {size}"
            ))),
        }
    }
}

/// Two convolutions at one resolution, and the colours they add.
#[derive(Clone, Debug)]
struct Stage {
    convolutions: [ModulatedConv2d; 2],
    colors: ModulatedConv2d,
}

/// The generator of faces.
#[derive(Clone, Debug)]
pub struct Generator {
    sizes: Sizes,
    features: Features,
    backdrops: Backdrops,
    /// What each feature is multiplied by, `[1, features]`.
    relevance: Var,
    mapping: [Linear; 3],
    coefficients: Linear,
    /// `[4 * 32 * 32, pictures]`, each as large as it is in the corpus.
    pictures: Var,
    /// `[4 * 32 * 32]`.
    mean: Var,
    first: Vec<ModulatedConv2d>,
    stages: Vec<Stage>,
}

fn convolution(scope: &mut Scope, latent: usize, channels: [usize; 2]) -> Result<ModulatedConv2d> {
    let layer = ModulatedConv2d::new(scope, latent, channels, 3, SPREAD)?;
    Ok(ModulatedConv2d {
        gain: Some(GAIN),
        ..layer.with(LEAKY)
    })
}

/// A layer of the mapping network, which keeps the deviation of its inputs.
fn mapped(scope: &mut Scope, inputs: usize, outputs: usize) -> Result<Linear> {
    Ok(Linear {
        weight: scope.param("weight", &[outputs, inputs], Init::KAIMING_NORMAL)?,
        bias: Some(scope.param("bias", &[outputs], Init::ZEROS)?),
        activation: Activation::Silu,
    })
}

impl Stage {
    /// `before` channels at half the resolution; at the first stage they are enlarged as they are,
    /// and the base picture's colours come to them.
    fn new(scope: &mut Scope, latent: usize, at: usize) -> Result<Self> {
        let [before, width] = [CHANNELS[at - 1], CHANNELS[at]];
        let channels = if at == 1 {
            [before + PLANES, width]
        } else {
            [before, 4 * width]
        };
        let colors = ModulatedConv2d::new(
            &mut scope.scope("colors"),
            latent,
            [width, PLANES],
            1,
            Init::ZEROS,
        )?;
        Ok(Self {
            convolutions: [
                convolution(&mut scope.scope("conv0"), latent, channels)?,
                convolution(&mut scope.scope("conv1"), latent, [width, width])?,
            ],
            colors: ModulatedConv2d {
                gain: None,
                ..colors
            },
        })
    }
}

impl Generator {
    /// A generator with its first weights for a sampler's people; the principal pictures are zero
    /// until [`Generator::set_basis`].
    ///
    /// # Errors
    /// When a name is taken or there is no generator of this size.
    pub fn new(scope: &mut Scope, sampler: &Sampler, sizes: Sizes) -> Result<Self> {
        let features = Features::new(sampler, CHOICES, scope.device())?;
        let backdrops = Backdrops::new(sampler, sizes.size, scope.device())?;
        let Sizes {
            hidden,
            latent,
            pictures,
            ..
        } = sizes;
        let stages = 2 + sizes.doublings()?;
        let mapping = [
            mapped(&mut scope.scope("mapping0"), features.count(), hidden)?,
            mapped(&mut scope.scope("mapping1"), hidden, hidden)?,
            // A search undoes the last one.
            mapped(&mut scope.scope("mapping2"), hidden, latent)?.with(LEAKY),
        ];
        let coefficients = Linear::new(&mut scope.scope("coefficients"), latent, pictures)?;
        let values = PLANES * BASE * BASE;
        let first = [4 * PLANES, CHANNELS[0], CHANNELS[0]]
            .into_iter()
            .enumerate()
            .map(|(i, inputs)| {
                let scope = &mut scope.scope(format!("first{i}"));
                convolution(scope, latent, [inputs, CHANNELS[0]])
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            relevance: scope.buffer("relevance", &[1, features.count()], Init::ONES)?,
            backdrops,
            mapping,
            coefficients,
            pictures: scope.buffer("pictures", &[values, pictures], Init::ZEROS)?,
            mean: scope.buffer("mean", &[values], Init::ZEROS)?,
            first,
            stages: (1..stages)
                .map(|at| Stage::new(&mut scope.scope(format!("stage{at}")), latent, at))
                .collect::<Result<_>>()?,
            sizes,
            features,
        })
    }

    /// Takes the principal pictures of a corpus.
    ///
    /// # Errors
    /// When there are more or fewer than the generator has.
    pub fn set_basis(&self, basis: &Basis) -> Result<()> {
        let device = self.mean.device();
        let shape = (basis.count(), basis.mean.len());
        let rows = Tensor::from_slice(&basis.pictures, shape, device)?;
        self.pictures.set(&rows.t()?.contiguous()?)?;
        self.mean
            .set(&Tensor::from_slice(&basis.mean, basis.mean.len(), device)?)?;
        Ok(())
    }

    /// Takes what each feature is multiplied by.
    ///
    /// # Errors
    /// When there are more or fewer than the generator has.
    pub fn set_relevance(&self, relevance: &[f32]) -> Result<()> {
        let row = Tensor::from_slice(relevance, (1, relevance.len()), self.relevance.device())?;
        Ok(self.relevance.set(&row)?)
    }

    /// What it is made of.
    #[must_use]
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// What it is told about a person.
    #[must_use]
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// Where its weights lie.
    #[must_use]
    pub fn device(&self) -> Device {
        self.mean.device().clone()
    }

    /// How many latents a picture takes: one for the principal pictures, one for each convolution.
    /// The colours of a resolution take that of its last convolution.
    #[must_use]
    pub fn layers(&self) -> usize {
        1 + self.first.len() + 2 * self.stages.len()
    }

    /// The same generator, sharing its numbers, whose weights get no gradient: for searches.
    #[must_use]
    pub fn detached(&self) -> Self {
        let stage = |stage: &Stage| Stage {
            convolutions: [
                stage.convolutions[0].detached(),
                stage.convolutions[1].detached(),
            ],
            colors: stage.colors.detached(),
        };
        Self {
            mapping: [0, 1, 2].map(|i| self.mapping[i].detached()),
            coefficients: self.coefficients.detached(),
            first: self.first.iter().map(ModulatedConv2d::detached).collect(),
            stages: self.stages.iter().map(stage).collect(),
            ..self.clone()
        }
    }

    /// The mapping network: vectors `[batch, dims]` to latents `[batch, latent]`.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn map(&self, z: &Tensor) -> TensorResult {
        let relevance = self.relevance.as_detached_tensor();
        let mut x = self.features.of(z)?.broadcast_mul(&relevance)?;
        for layer in &self.mapping {
            x = layer.forward(&x)?;
        }
        Ok(x)
    }

    /// The person that the convolutions begin with: `[batch, latent]` to `[batch, 4, 32, 32]`, cut
    /// out.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn base(&self, w: &Tensor) -> TensorResult {
        let pictures = self.pictures.as_detached_tensor();
        let mean = self.mean.as_detached_tensor();
        let coefficients = self.coefficients.forward(w)?;
        linear(&coefficients, &pictures, Some(&mean), Activation::None)?.reshape((
            (),
            PLANES,
            BASE,
            BASE,
        ))
    }

    /// A latent for each layer, `[batch, latent]` each, to people `[batch, 4, size, size]` cut out:
    /// sRGB before the grey and cover, from 0 to 1, beyond that where the network overshoots.
    ///
    /// # Errors
    /// When there are not [`Generator::layers`] latents, or a shape does not fit.
    pub fn synthesize(&self, latents: &[Tensor]) -> TensorResult {
        match latents {
            [first, rest @ ..] if latents.len() == self.layers() => {
                self.refine(&self.base(first)?, rest)
            }
            _ => candle_core::bail!(
                "this generator takes {} latents, not {}",
                self.layers(),
                latents.len()
            ),
        }
    }

    /// People `[batch, 4, size, size]` cut out, before backdrops of the numbers `[batch, 7]` that
    /// make them: pictures `[batch, 3, size, size]`.
    ///
    /// # Errors
    /// When a shape does not fit.
    pub fn place(&self, people: &Tensor, numbers: &Tensor) -> TensorResult {
        placed(people, &self.backdrops.made_of(numbers)?)
    }

    /// Vectors `[batch, dims]` to pictures `[batch, 3, size, size]`.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn forward(&self, z: &Tensor) -> TensorResult {
        let w = self.map(z)?;
        let people = self.synthesize(&vec![w; self.layers()])?;
        placed(&people, &self.backdrops.of(z)?)
    }

    /// What comes after [`Generator::base`]; `latents` lacks that of the base.
    pub(super) fn refine(&self, base: &Tensor, latents: &[Tensor]) -> TensorResult {
        // As near to deviation one as a style's factors expect.
        let centred = base.affine(4.0, -2.0)?;
        let mut latents = latents.iter();
        let mut next = || latents.next().ok_or_else(no_latent);
        let mut x = halved(&centred)?;
        for layer in &self.first {
            x = layer.forward(&x, next()?)?;
        }
        let mut picture = base.clone();
        for (at, stage) in self.stages.iter().enumerate() {
            let [first, second] = &stage.convolutions;
            x = if at == 0 {
                let large = upsample_nearest2d(&x, 2)?;
                first.forward(&Tensor::cat(&[&large, &centred], 1)?, next()?)?
            } else {
                picture = upsample_bilinear2d(&picture, 2)?;
                pixel_shuffle(&first.forward(&x, next()?)?, 2)?
            };
            let w = next()?;
            x = second.forward(&x, w)?;
            picture = (picture + stage.colors.forward(&x, w)?)?;
        }
        Ok(picture)
    }
}

/// People `[batch, 4, side, side]` cut out, before backdrops `[batch, 3, side * side]`.
pub(super) fn placed(people: &Tensor, behind: &Tensor) -> TensorResult {
    let (batch, _, side, _) = people.dims4()?;
    let open = people.narrow(1, PLANES - 1, 1)?.affine(-1.0, 1.0)?;
    let behind = behind.reshape((batch, PLANES - 1, side, side))?;
    let more = (behind - f64::from(GREY))?.broadcast_mul(&open)?;
    people.narrow(1, 0, 3)? + more
}

fn no_latent() -> candle_core::Error {
    candle_core::Error::Msg("a layer has no latent".into())
}

/// Squares of two by two pixels become channels: `[batch, 4, n, n]` to `[batch, 16, n/2, n/2]`.
fn halved(x: &Tensor) -> TensorResult {
    let (batch, channels, height, width) = x.dims4()?;
    x.reshape((batch, channels, height / 2, 2, width / 2, 2))?
        .permute((0, 1, 3, 5, 2, 4))?
        .contiguous()?
        .reshape((batch, 4 * channels, height / 2, width / 2))
}
