//! A small learned stand-in for the renderer, which gives the search its gradients.
//!
//! ```text
//! z ─► features ─► network ─► coefficients ─► basis ─► the person before black, and the cover
//! z ─► backdrop ─────────────────────────────────────► behind what is not covered
//! ```
//!
//! The renderer has no gradients and takes tens of milliseconds; this takes a tenth of a
//! millisecond for the 16 by 16 pixels that the search looks at. Its pictures are blurred, so none
//! is shown as an answer: answers are drawn by the renderer from the vector that was found.

pub mod basis;
pub mod train;

use std::path::{Path, PathBuf};

use candle_core::{Device, Result as TensorResult, Tensor};

use self::basis::{Basis, Shrunk};
use crate::demos::pulse::backdrop::Backdrops;
use crate::demos::pulse::corpus::SIDE;
use crate::demos::pulse::features::{Choices, Features};
use crate::demos::pulse::prior::Collection;
use crate::error::Result;
use crate::human::Sampler;
use crate::nn::layers::Linear;
use crate::nn::ops::Activation;
use crate::nn::{Params, Scope, weights};
use crate::rng::Rng;

/// Wide enough for a search to go from one option to the next.
const CHOICES: Choices = Choices {
    ends: 0.01,
    numbers: true,
};
/// Pictures in the basis.
pub const COMPONENTS: usize = 256;
/// Units of the network's layers.
const WIDTHS: [usize; 3] = [512, 512, 512];

/// The network from features to coefficients.
#[derive(Clone, Debug)]
pub struct Network {
    layers: Vec<Linear>,
}

impl Network {
    /// With initial weights.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope, features: usize, components: usize) -> Result<Self> {
        let mut inputs = features;
        let mut layers = Vec::new();
        for (number, outputs) in WIDTHS.into_iter().enumerate() {
            let layer = Linear::new(&mut scope.scope(format!("layer{number}")), inputs, outputs)?;
            layers.push(layer.with(Activation::Silu));
            inputs = outputs;
        }
        layers.push(Linear::new(&mut scope.scope("out"), inputs, components)?);
        Ok(Self { layers })
    }

    /// Features `[n, features]` to coefficients `[n, components]`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn forward(&self, features: &Tensor) -> TensorResult<Tensor> {
        self.layers
            .iter()
            .try_fold(features.clone(), |x, layer| layer.forward(&x))
    }

    /// The same weights as constants: gradients go through to the features only.
    #[must_use]
    pub fn frozen(&self) -> Self {
        Self {
            layers: self.layers.iter().map(Linear::detached).collect(),
        }
    }
}

/// The surrogate of one collection.
#[derive(Clone, Debug)]
pub struct Surrogate {
    features: Features,
    network: Network,
    basis: Basis,
    sampler: Sampler,
}

/// The surrogate's pictures of one side.
#[derive(Clone, Debug)]
pub struct Eyes {
    features: Features,
    network: Network,
    basis: Shrunk,
    backdrops: Backdrops,
    side: usize,
}

/// Where the shipped weights of a collection lie, and the basis.
#[must_use]
pub fn shipped(assets: &Path, collection: Collection) -> [PathBuf; 2] {
    let folder = assets.join("weights").join("pulse");
    [
        folder.join(format!("surrogate-{}.safetensors", collection.name())),
        folder.join("basis.safetensors"),
    ]
}

impl Surrogate {
    /// Of its parts.
    #[must_use]
    pub fn new(sampler: &Sampler, features: Features, network: &Network, basis: Basis) -> Self {
        Self {
            features,
            network: network.frozen(),
            basis,
            sampler: sampler.clone(),
        }
    }

    /// Reads weights and basis.
    ///
    /// # Errors
    /// When a file is missing, damaged or of another shape.
    pub fn load([network, basis]: [&Path; 2], sampler: &Sampler, device: &Device) -> Result<Self> {
        let features = Features::new(sampler, CHOICES, device)?;
        let mut params = Params::new(device, &Rng::new(0));
        let net = Network::new(&mut params.root(), features.count(), COMPONENTS)?;
        weights::load(&params, network)?;
        let basis = Basis::load(basis, COMPONENTS, device)?;
        Ok(Self::new(sampler, features, &net, basis))
    }

    /// Its pictures of `side * side` pixels.
    ///
    /// # Errors
    /// When the device fails.
    pub fn eyes(&self, side: usize) -> Result<Eyes> {
        let device = self.basis.mean.device();
        Ok(Eyes {
            features: self.features.clone(),
            network: self.network.clone(),
            basis: self.basis.shrunk(side.min(SIDE))?,
            backdrops: Backdrops::new(&self.sampler, side.min(SIDE), device)?,
            side: side.min(SIDE),
        })
    }
}

impl Eyes {
    /// Pixels in a side.
    #[must_use]
    pub fn side(&self) -> usize {
        self.side
    }

    /// Where the weights lie.
    #[must_use]
    pub fn device(&self) -> &Device {
        self.basis.mean.device()
    }

    /// Vectors `[n, dims]` to pictures `[n, 3 * side * side]`, sRGB, about 0 to 1.
    ///
    /// # Errors
    /// When the device fails.
    pub fn see(&self, z: &Tensor) -> TensorResult<Tensor> {
        let coefficients = self.network.forward(&self.features.of(z)?)?;
        let cut_out = coefficients
            .matmul(&self.basis.components)?
            .broadcast_add(&self.basis.mean)?;
        place(&cut_out, &self.backdrops.of(z)?, self.side)
    }
}

/// People `[n, 4 * side * side]` before backdrops `[n, 3, side * side]`: `[n, 3 * side * side]`.
pub(super) fn place(people: &Tensor, backdrops: &Tensor, side: usize) -> TensorResult<Tensor> {
    let pixels = side * side;
    let person = people.narrow(1, 0, 3 * pixels)?;
    let open = people
        .narrow(1, 3 * pixels, pixels)?
        .affine(-1.0, 1.0)?
        .unsqueeze(1)?;
    person + backdrops.broadcast_mul(&open)?.flatten_from(1)?
}
