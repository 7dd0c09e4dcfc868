//! A generator in a file: its weights in half precision, and in the header what it is.

use std::path::Path;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::net::{Generator, Sizes};
use super::objective::Evaluation;
use crate::error::{Error, Result};
use crate::human::Sampler;
use crate::nn::Params;
use crate::nn::weights::{self, Precision};
use crate::rng::Rng;

/// The header's entry.
const KEY: &str = "faces";
/// Larger files are no generators.
const MAX_BYTES: u64 = 64 << 20;

/// What a file says of its generator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// What it is made of.
    pub sizes: Sizes,
    /// The names of the vector's numbers.
    pub names: Vec<String>,
    /// Training steps.
    pub steps: u64,
    /// People it learned from.
    pub people: usize,
    /// Where its random numbers began.
    pub seed: u64,
    /// What was measured of it, if it was.
    pub evaluation: Option<Evaluation>,
}

/// Stores a generator's weights.
///
/// # Errors
/// When the file cannot be written.
pub fn save(path: &Path, params: &Params, about: &About) -> Result<()> {
    let note = serde_json::to_string(about)
        .map_err(|error| Error::Input(format!("cannot describe the generator: {error}")))?;
    weights::save_with_note(params, path, Precision::Half, Some((KEY, note)))
}

/// Reads what a file says of its generator.
///
/// # Errors
/// When the file cannot be read or is none of a generator.
pub fn about(path: &Path) -> Result<About> {
    let note = weights::note(path, KEY, MAX_BYTES)?;
    serde_json::from_str(&note).map_err(|error| {
        Error::bad_file(path, format!("this is not a generator of faces: {error}"))
    })
}

/// Reads a generator for a kit's people.
///
/// # Errors
/// When the file cannot be read, is damaged, or its vectors mean something else than the kit's.
pub fn load(path: &Path, sampler: &Sampler, device: &Device) -> Result<(Generator, About)> {
    let about = about(path)?;
    if about.names != sampler.names() {
        return Err(Error::bad_file(
            path,
            "this generator was taught other people than the kit's: train one with `vitrine train \
             faces`",
        ));
    }
    let (params, net) = build(about.sizes.clone(), sampler, device, &Rng::new(0))?;
    weights::load(&params, path)?;
    Ok((net, about))
}

/// A generator with its first weights, drawn from this stream.
///
/// # Errors
/// When there is no generator of these sizes.
pub fn build(
    sizes: Sizes,
    sampler: &Sampler,
    device: &Device,
    rng: &Rng,
) -> Result<(Params, Generator)> {
    let mut params = Params::new(device, rng);
    let net = Generator::new(&mut params.root(), sampler, sizes)?;
    Ok((params, net))
}
