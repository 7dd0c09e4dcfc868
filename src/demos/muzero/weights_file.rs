//! Trained networks in a file: half-precision weights, and in the header what they are of.

use std::path::{Path, PathBuf};

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::config::Settings;
use super::game::GameId;
use super::net::Net;
use super::training::Counters;
use crate::error::{Error, Result};
use crate::nn::Params;
use crate::nn::weights::{self, Precision};
use crate::rng::Rng;
use crate::store::assets_dir;

/// The header's key.
const KEY: &str = "muzero";
/// Larger files are not networks of this size.
const MAX_BYTES: u64 = 64 << 20;

/// What weights are of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// How they were trained.
    pub settings: Settings,
    /// How long.
    pub counters: Counters,
}

/// Networks that can play.
#[derive(Debug)]
pub struct Trained {
    /// What they are of.
    pub about: About,
    /// The networks, without a backward pass.
    pub net: Net,
}

/// Stores networks.
///
/// # Errors
/// When a number does not fit half precision, or the file cannot be written.
pub fn save(path: &Path, params: &Params, about: &About) -> Result<()> {
    let text = serde_json::to_string(about)
        .map_err(|error| Error::Input(format!("the settings cannot be stored: {error}")))?;
    weights::save_with_note(params, path, Precision::Half, Some((KEY, text)))
}

/// What a file holds weights of.
///
/// # Errors
/// When the file cannot be read, is damaged, or holds something else.
pub fn about(path: &Path) -> Result<About> {
    let text = weights::note(path, KEY, MAX_BYTES)?;
    serde_json::from_str(&text)
        .map_err(|error| Error::bad_file(path, format!("the header is damaged: {error}")))
}

/// Loads networks.
///
/// # Errors
/// When the file cannot be read, is damaged, or holds something else.
pub fn load(path: &Path, device: &Device) -> Result<Trained> {
    let about = about(path)?;
    let mut params = Params::new(device, &Rng::new(0));
    let net = Net::new(&mut params.root(), &about.settings.net)
        .map_err(|error| Error::bad_file(path, error.to_string()))?;
    weights::load(&params, path)?;
    let net = net.detached();
    Ok(Trained { about, net })
}

/// Where the shipped weights of a game lie.
#[must_use]
pub fn shipped(game: &GameId) -> PathBuf {
    let name = game.to_string().replace(':', "-");
    let folder = assets_dir().join("weights").join("muzero");
    folder.join(format!("{name}.safetensors"))
}
