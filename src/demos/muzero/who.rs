//! Players by name: `muzero:200`, or an opponent such as `alphabeta:4`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::arena::{Opponents, Player};
use super::config::TrainConfig;
use super::game::{GameId, open};
use super::learn::Learner;
use super::opponent::OpponentId;
use super::player::{Machine, PlayOptions};
use super::training::Counters;
use super::weights_file::{self, About, Trained};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Most simulations a move.
const MAX_SIMULATIONS: usize = 10_000;

/// A player by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Who {
    /// Trained networks with so many simulations a move.
    Machine(usize),
    /// Anybody else.
    Opponent(OpponentId),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine(simulations) => write!(f, "muzero:{simulations}"),
            Self::Opponent(id) => id.fmt(f),
        }
    }
}

impl FromStr for Who {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some(rest) = text.strip_prefix("muzero") else {
            return text.parse().map(Self::Opponent).map_err(|error| {
                Error::Input(format!("{error}; or muzero:N for N simulations a move"))
            });
        };
        let simulations = match rest.strip_prefix(':') {
            None if rest.is_empty() => Some(200),
            None => None,
            Some(number) => number.parse().ok().filter(|&n| n <= MAX_SIMULATIONS),
        };
        simulations.map(Self::Machine).ok_or_else(|| {
            Error::Input(format!(
                "muzero:N takes 0 to {MAX_SIMULATIONS} simulations, not {text:?}"
            ))
        })
    }
}

impl From<Who> for String {
    fn from(who: Who) -> Self {
        who.to_string()
    }
}

impl TryFrom<String> for Who {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// The networks of a game: from a file, else the shipped ones, else untrained ones with a warning.
///
/// # Errors
/// When the file is not of this game, or the game is not there.
pub fn networks(
    game: &GameId,
    file: Option<&Path>,
    device: &Device,
) -> Result<(Arc<Trained>, Option<String>)> {
    let shipped = weights_file::shipped(game);
    let path: Option<PathBuf> = match file {
        Some(file) => Some(file.to_owned()),
        None => shipped.exists().then_some(shipped),
    };
    let spec = open(game)?.spec().clone();
    let Some(path) = path else {
        let settings = TrainConfig::new(game.clone()).settings(&spec)?;
        let net = Learner::new(&settings, device)?.into_playing();
        let counters = Counters::default();
        let about = About { settings, counters };
        let warning = format!("no trained weights of {game}: these are untrained");
        return Ok((Arc::new(Trained { about, net }), Some(warning)));
    };
    let trained = weights_file::load(&path, device)?;
    if trained.about.settings.game != *game || !trained.about.settings.net.fits(&spec) {
        return Err(Error::bad_file(
            &path,
            format!(
                "these are weights of {}, not of {game}",
                trained.about.settings.game
            ),
        ));
    }
    Ok((Arc::new(trained), None))
}

/// A player, with a warning if its networks are untrained. `copies` opponents think at once.
///
/// # Errors
/// When it is not installed or does not play the game.
pub fn seat(
    who: Who,
    game: &GameId,
    weights: Option<&Path>,
    temperature: f32,
    copies: usize,
    device: &Device,
    rng: &Rng,
) -> Result<(Box<dyn Player>, Option<String>)> {
    match who {
        Who::Machine(simulations) => {
            let (trained, warning) = networks(game, weights, device)?;
            let options = PlayOptions {
                temperature,
                ..PlayOptions::best(&trained.about.settings, simulations)
            };
            let machine = Machine::new(trained, options, device, rng);
            Ok((Box::new(machine), warning))
        }
        Who::Opponent(id) => {
            let opponents = Opponents::open(&id, game, copies, rng)?;
            Ok((Box::new(opponents), None))
        }
    }
}
