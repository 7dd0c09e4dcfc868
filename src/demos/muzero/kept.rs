//! What stays on the worker between the window's questions: loaded networks, engines.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::game::{Game, GameId};
use super::opponent::{self, Opponent, OpponentId};
use super::weights_file::{Trained, shipped};
use super::who;
use crate::compute::StepCx;
use crate::error::Result;
use crate::rng::Rng;

/// The networks that were asked last.
struct Networks {
    game: GameId,
    weights: Option<PathBuf>,
    /// Of the file, so that weights which were trained anew are read anew.
    written: Option<SystemTime>,
    trained: Arc<Trained>,
    untrained: Option<String>,
}

/// The engine that was asked last.
struct Engine {
    id: OpponentId,
    game: GameId,
    opponent: Box<dyn Opponent>,
}

/// The networks of a game, and a warning where they are untrained.
///
/// # Errors
/// When the file is damaged or of another game, or the game is not there.
pub fn networks<T>(
    cx: &mut StepCx<'_, T>,
    game: &GameId,
    weights: Option<&Path>,
) -> Result<(Arc<Trained>, Option<String>)> {
    let file = weights.map_or_else(|| shipped(game), Path::to_owned);
    let written = file.metadata().and_then(|about| about.modified()).ok();
    let kept = cx.resources().take::<Networks>();
    let same = |kept: &Networks| {
        kept.game == *game && kept.weights.as_deref() == weights && kept.written == written
    };
    let kept = if let Some(kept) = kept.filter(|kept| same(kept)) {
        kept
    } else {
        let (trained, untrained) = who::networks(game, weights, cx.device())?;
        Box::new(Networks {
            game: game.clone(),
            weights: weights.map(Path::to_owned),
            written,
            trained,
            untrained,
        })
    };
    let answer = (Arc::clone(&kept.trained), kept.untrained.clone());
    cx.resources().put(kept);
    Ok(answer)
}

/// An engine's move. The engine stays for the next one; one that fails does not.
///
/// # Errors
/// When the engine is not installed, does not play the game, or fails.
pub fn engine_move<T>(
    cx: &mut StepCx<'_, T>,
    id: OpponentId,
    game: &GameId,
    position: &dyn Game,
    moves: &[usize],
) -> Result<usize> {
    let kept = cx.resources().take::<Engine>();
    let same = kept.filter(|kept| kept.id == id && kept.game == *game);
    let mut engine = match same {
        Some(engine) => engine,
        None => Box::new(Engine {
            id,
            game: game.clone(),
            opponent: opponent::open(&id, game, &Rng::new(0))?,
        }),
    };
    let chosen = engine.opponent.choose(position, moves)?;
    cx.resources().put(engine);
    Ok(chosen)
}
