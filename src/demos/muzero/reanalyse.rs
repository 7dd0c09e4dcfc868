//! Reanalyse: searching remembered positions anew with the present networks.
//!
//! A policy that was found long ago is worse than what the networks would find now; looking again
//! refreshes the targets without a single new move (Schrittwieser et al. 2021).

use candle_core::Device;
use half::f16;
use rayon::prelude::*;

use super::agent::{self, Asked};
use super::config::Settings;
use super::game::open;
use super::net::Net;
use super::replay::{Draw, Replay};
use crate::error::Result;
use crate::rng::Rng;

/// Positions that are searched as one batch.
const GROUP: usize = 32;

/// A position as it was, and its new targets.
struct Again {
    policy: Vec<f16>,
    value: f32,
}

/// Searches drawn positions and puts what is found in place of what was remembered.
///
/// # Errors
/// When the network fails, or remembered moves are not of this game.
pub fn reanalyse(
    replay: &mut Replay,
    draws: &[Draw],
    net: &Net,
    settings: &Settings,
    device: &Device,
    rng: &mut Rng,
) -> Result<()> {
    let rngs: Vec<Rng> = draws
        .iter()
        .map(|_| {
            let number = rng.next_u64();
            rng.split(&format!("again {number}"))
        })
        .collect();
    let jobs: Vec<(&[Draw], Vec<Rng>)> = draws
        .chunks(GROUP)
        .zip(rngs.chunks(GROUP).map(<[Rng]>::to_vec))
        .collect();
    let found: Vec<Vec<Again>> = jobs
        .into_par_iter()
        .map(|(draws, rngs)| group(replay, draws, net, settings, device, rngs))
        .collect::<Result<_>>()?;
    for (draw, again) in draws.iter().zip(found.into_iter().flatten()) {
        if let Some(episode) = replay.episode_mut(draw.episode) {
            let actions = again.policy.len();
            let at = draw.moment * actions;
            episode.policies[at..at + actions].copy_from_slice(&again.policy);
            episode.values[draw.moment] = again.value;
        }
    }
    Ok(())
}

fn group(
    replay: &Replay,
    draws: &[Draw],
    net: &Net,
    settings: &Settings,
    device: &Device,
    mut rngs: Vec<Rng>,
) -> Result<Vec<Again>> {
    let size: usize = settings.net.observation.iter().product();
    let mut seen = Vec::with_capacity(draws.len() * size);
    let mut games = Vec::new();
    for draw in draws {
        let Some(episode) = replay.episode(draw.episode) else {
            continue;
        };
        let bytes = episode.observation(draw.moment, size);
        seen.extend(bytes.iter().map(|&byte| f32::from(byte) / 255.0));
        let mut game = open(&settings.game)?;
        // In games for one everything may always be done, and boards are quickly set up.
        if settings.players == 2 {
            game.reset(episode.rng.clone())?;
            let played = episode.actions[..draw.moment].iter();
            for &action in episode.opening.iter().chain(played) {
                game.step(usize::from(action))?;
            }
        }
        games.push(game);
    }
    let asked: Vec<Asked<'_>> = games.iter().map(|game| Asked::noisy(&**game)).collect();
    let thoughts = agent::think(
        net,
        settings,
        device,
        &asked,
        &seen,
        rngs.iter_mut().collect(),
    )?;
    let again = thoughts.into_iter().map(|thought| Again {
        policy: thought.policy.into_iter().map(f16::from_f32).collect(),
        value: thought.value,
    });
    Ok(again.collect())
}
