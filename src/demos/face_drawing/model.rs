//! The networks together, as they ship: what a drawing's ink becomes.

use std::path::{Path, PathBuf};

use candle_core::{Device, Result as TensorResult, Tensor, Var};

use super::autoencoder::{self, Autoencoder};
use super::bank::Bank;
use super::landmarks;
use super::painter::Painter;
use super::parts::{CODES, PARTS, PerPart, SIDE, ranges};
use super::person_net::PersonNet;
use crate::error::Result;
use crate::nn::{Init, Params, Scope, weights};
use crate::rng::Rng;

/// The autoencoders, with what their codes' numbers are centred and divided by.
#[derive(Clone, Debug)]
pub struct Codec {
    /// One for each part.
    pub parts: PerPart<Autoencoder>,
    mean: Var,
    spread: Var,
}

impl Codec {
    /// With its first weights.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope) -> Result<Self> {
        Ok(Self {
            parts: autoencoder::all(scope)?,
            mean: scope.buffer("code_mean", &[CODES], Init::ZEROS)?,
            spread: scope.buffer("code_spread", &[CODES], Init::ONES)?,
        })
    }

    /// The same networks, sharing their numbers, whose weights get no gradient.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            parts: self.parts.each_ref().map(Autoencoder::detached),
            ..self.clone()
        }
    }

    /// Makes the mean of these codes `[people, CODES]`, as they come from [`Codec::encode`] now, zero
    /// and their deviation one.
    ///
    /// # Errors
    /// When the device fails.
    pub fn standardise(&self, codes: &Tensor) -> Result<()> {
        let spread = self.spread.as_detached_tensor();
        let mean = codes.mean(0)?;
        let off = codes.broadcast_sub(&mean)?.sqr()?.mean(0)?.sqrt()?;
        let mean = (self.mean.as_detached_tensor() + (mean * &spread)?)?;
        self.mean.set(&mean)?;
        self.spread.set(&(spread * (off + 1e-6)?)?)?;
        Ok(())
    }

    /// Ink of whole drawings `[batch, SIDE * SIDE]`, 0 to 1, as each part's `[batch, 1, side, side]`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn cut(inks: &[Vec<f32>], device: &Device) -> Result<PerPart<Tensor>> {
        let mut cut = Vec::with_capacity(PARTS.len());
        for part in PARTS {
            let mut values = Vec::with_capacity(inks.len() * part.side * part.side);
            for ink in inks {
                part.cut(ink, &mut values);
            }
            let shape = (inks.len(), 1, part.side, part.side);
            cut.push(Tensor::from_vec(values, shape, device)?);
        }
        cut.try_into()
            .map_err(|_| crate::error::Error::Input("there are five parts".into()))
    }

    /// Parts' ink to codes `[batch, CODES]`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn encode(&self, parts: &PerPart<Tensor>) -> TensorResult<Tensor> {
        let codes: Vec<Tensor> = self
            .parts
            .iter()
            .zip(parts)
            .map(|(net, ink)| net.encode(ink))
            .collect::<TensorResult<_>>()?;
        Tensor::cat(&codes, 1)?
            .broadcast_sub(&self.mean.as_detached_tensor())?
            .broadcast_div(&self.spread.as_detached_tensor())
    }

    /// The codes as the networks gave them, before they were centred.
    fn raw(&self, codes: &Tensor) -> TensorResult<Tensor> {
        codes
            .broadcast_mul(&self.spread.as_detached_tensor())?
            .broadcast_add(&self.mean.as_detached_tensor())
    }

    /// One part's codes `[batch, code]` to its ink, 0 to 1.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn decode_part(&self, part: usize, codes: &Tensor) -> TensorResult<Tensor> {
        let range = ranges()[part].clone();
        let of = |all: &Var| all.as_detached_tensor().narrow(0, range.start, range.len());
        let raw = codes
            .broadcast_mul(&of(&self.spread)?)?
            .broadcast_add(&of(&self.mean)?)?;
        self.parts[part].decode(&raw)
    }

    /// Codes `[batch, CODES]` to the ink of whole drawings, `[batch, 1, SIDE, SIDE]`: that of the four
    /// parts over the remainder's.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn decode(&self, codes: &Tensor) -> TensorResult<Tensor> {
        let raw = self.raw(codes)?;
        let mut whole: Option<Tensor> = None;
        for (net, range) in self.parts.iter().zip(ranges()).rev() {
            let part = net.part();
            let ink = net.decode(&raw.narrow(1, range.start, range.len())?)?;
            let placed = if part.side == SIDE {
                ink
            } else {
                ink.pad_with_zeros(2, part.top, SIDE - part.top - part.side)?
                    .pad_with_zeros(3, part.left, SIDE - part.left - part.side)?
            };
            whole = Some(match whole {
                None => placed,
                Some(below) => below.maximum(&placed)?,
            });
        }
        whole.ok_or_else(|| candle_core::Error::Msg("there are no parts".into()))
    }
}

/// The network that reads people off codes, with what its outputs mean.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The network.
    pub net: PersonNet,
    /// Landmarks' means and deviations, pixels: `[2 * landmarks::COUNT]`.
    pub landmark_mean: Var,
    /// The same.
    pub landmark_spread: Var,
    /// How landmarks move with the vector's numbers, pixels: `[2 * landmarks::COUNT, dims]`.
    pub slopes: Var,
    /// How far the vector's numbers usually are from what is read: `[dims]`.
    pub doubt: Var,
}

impl Reader {
    /// With its first weights, for vectors of so many numbers.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(scope: &mut Scope, dims: usize) -> Result<Self> {
        let places = 2 * landmarks::COUNT;
        Ok(Self {
            net: PersonNet::new(scope, dims)?,
            landmark_mean: scope.buffer("landmark_mean", &[places], Init::ZEROS)?,
            landmark_spread: scope.buffer("landmark_spread", &[places], Init::ONES)?,
            slopes: scope.buffer("slopes", &[places, dims], Init::ZEROS)?,
            doubt: scope.buffer("doubt", &[dims], Init::ONES)?,
        })
    }
}

/// Everything that ships.
#[derive(Clone, Debug)]
pub struct Model {
    /// Ink to codes and back.
    pub codec: Codec,
    /// The codes of people.
    pub bank: Bank,
    /// The first painter.
    pub painter: Painter,
    /// Of the second painter.
    pub reader: Reader,
}

/// The files below a folder: autoencoders, bank, painter, reader.
#[must_use]
pub fn files(folder: &Path) -> [PathBuf; 4] {
    ["autoencoders", "bank", "painter", "person"]
        .map(|name| folder.join(format!("{name}.safetensors")))
}

/// Where the shipped ones lie.
#[must_use]
pub fn shipped(assets: &Path) -> PathBuf {
    assets.join("weights").join("sketch")
}

/// A network with weights of its own.
pub(super) fn alone<T>(
    device: &Device,
    rng: &Rng,
    build: impl FnOnce(&mut Scope) -> Result<T>,
) -> Result<(Params, T)> {
    let mut params = Params::new(device, rng);
    let built = build(&mut params.root())?;
    Ok((params, built))
}

/// Reads a network's weights.
pub(super) fn read<T>(
    path: &Path,
    device: &Device,
    build: impl FnOnce(&mut Scope) -> Result<T>,
) -> Result<T> {
    let (params, built) = alone(device, &Rng::new(0), build)?;
    weights::load(&params, path)?;
    Ok(built)
}

impl Model {
    /// Reads the files of a folder, for vectors of so many numbers.
    ///
    /// # Errors
    /// When one is missing, damaged or of another shape.
    pub fn load(folder: &Path, dims: usize, device: &Device) -> Result<Self> {
        let [codec, bank, painter, reader] = files(folder);
        let reader = read(&reader, device, |scope| Reader::new(scope, dims))?;
        Ok(Self {
            codec: read(&codec, device, Codec::new)?.detached(),
            bank: Bank::load(&bank)?,
            painter: read(&painter, device, Painter::new)?.detached(),
            reader: Reader {
                net: reader.net.detached(),
                ..reader
            },
        })
    }
}
