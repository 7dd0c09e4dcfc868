//! A training run in a checkpoint.
//!
//! Remembered games are kept as their moves with what the search found; their observations are
//! made again by playing them. The arcade's cannot be: a run of an arcade game goes on with its
//! weights and an empty memory, and says so.

use half::f16;
use serde::{Deserialize, Serialize};
use serde_json::json;

use candle_core::Device;

use super::config::Settings;
use super::episode::Episode;
use super::game::{GameId, open};
use super::replay::{Replay, ReplayState};
use super::self_play::{ActorState, SelfPlay};
use super::training::{Counters, Debts, Training};
use crate::error::{Error, Result};
use crate::nn::arrays::{Array, Arrays, Data};
use crate::nn::checkpoint::Checkpoint;
use crate::rng::Rng;

/// The arrays of the memory.
const MEMORY: &str = "memory";

/// What a checkpoint notes.
#[derive(Serialize, Deserialize)]
struct Notes {
    settings: Settings,
    counters: Counters,
    debts: Debts,
    actors: Vec<ActorState>,
    added: u64,
    next_episode: u64,
}

/// What is not numbers of a remembered game.
#[derive(Serialize, Deserialize)]
struct Head {
    id: u64,
    rng: Rng,
    opening: usize,
    len: usize,
    values: usize,
    ended: bool,
    outcome: f32,
}

fn is_arcade(settings: &Settings) -> bool {
    matches!(settings.game, GameId::Atari(_))
}

impl Training {
    /// All that the run goes on from.
    ///
    /// # Errors
    /// When the device fails.
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let arcade = is_arcade(&self.settings);
        let state = self.replay.state();
        let notes = Notes {
            settings: self.settings.clone(),
            counters: self.counters,
            debts: self.debts,
            actors: if arcade {
                Vec::new()
            } else {
                self.self_play.state()
            },
            added: state.added,
            next_episode: state.next_episode,
        };
        let mut checkpoint = Checkpoint::new(self.counters.steps, &self.rng, json!(notes));
        self.learner.save(&mut checkpoint)?;
        if !arcade {
            for (name, array) in pack(&self.replay, &state) {
                checkpoint.put_array(MEMORY, &name, array);
            }
        }
        Ok(checkpoint)
    }

    /// A run that goes on, with settings that may be changed in the middle of it.
    ///
    /// # Errors
    /// When the checkpoint is of another game or network, or a setting changed that may not.
    pub fn resume(checkpoint: &Checkpoint, wanted: &Settings, device: &Device) -> Result<Self> {
        let notes: Notes = serde_json::from_value(checkpoint.meta.clone())
            .map_err(|error| Error::Input(format!("this is no run of MuZero: {error}")))?;
        let settings = changed(&notes.settings, wanted)?;
        let mut training = Self::new(settings.clone(), device)?;
        training.learner.restore(checkpoint)?;
        training.rng = checkpoint.rng.clone();
        training.counters = notes.counters;
        // Rates are of what is done from here on.
        training.window.since = notes.counters;
        if !is_arcade(&settings) {
            let state = ReplayState {
                added: notes.added,
                next_episode: notes.next_episode,
                ..ReplayState::default()
            };
            training.replay = unpack(&settings, state, &checkpoint.section(MEMORY))?;
            training.self_play = SelfPlay::restore(&settings, notes.actors)?;
            training.debts = notes.debts;
        }
        Ok(training)
    }
}

/// The settings of a run that goes on: what is wanted now, where that is possible.
fn changed(before: &Settings, wanted: &Settings) -> Result<Settings> {
    let now = Settings {
        seed: before.seed,
        ..wanted.clone()
    };
    let fixed = |s: &Settings| (s.game.clone(), s.net.clone(), s.games, s.buffer, s.agent);
    if fixed(before) == fixed(&now) {
        Ok(now)
    } else {
        Err(Error::Input(
            "game, agent, networks, games at a time and memory of a run stay as they were: choose \
             another folder or begin anew"
                .into(),
        ))
    }
}

/// The memory as arrays, game behind game.
fn pack(replay: &Replay, state: &ReplayState) -> Vec<(String, Array)> {
    let mut heads = Vec::new();
    let (mut moves, mut policies, mut explored) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rewards, mut values) = (Vec::new(), Vec::new());
    for (id, episode) in replay.episodes() {
        heads.push(Head {
            id,
            rng: episode.rng.clone(),
            opening: episode.opening.len(),
            len: episode.len(),
            values: episode.values.len(),
            ended: episode.ended,
            outcome: episode.outcome,
        });
        let taken = episode.opening.iter().chain(&episode.actions);
        moves.extend(taken.flat_map(|action| action.to_le_bytes()));
        policies.extend(episode.policies.iter().flat_map(|p| p.to_le_bytes()));
        explored.extend(episode.explored.iter().map(|&random| u8::from(random)));
        rewards.extend(&episode.rewards);
        values.extend(&episode.values);
    }
    let heads = json!(heads).to_string().into_bytes();
    let slots = state.slots.iter().flat_map(|(id, moment)| {
        let id = id.to_le_bytes().into_iter();
        id.chain(moment.to_le_bytes())
    });
    let bytes = |bytes: Vec<u8>| Array::u8(&[bytes.len()], bytes);
    let floats = |values: Vec<f32>| Array::f32(&[values.len()], values);
    vec![
        ("heads".into(), bytes(heads)),
        ("moves".into(), bytes(moves)),
        ("policies".into(), bytes(policies)),
        ("explored".into(), bytes(explored)),
        ("rewards".into(), floats(rewards)),
        ("values".into(), floats(values)),
        ("slots".into(), bytes(slots.collect())),
        ("priorities".into(), Array::f64(state.priorities.clone())),
    ]
}

/// Arrays that are read from front to back.
struct Reader<'a> {
    bytes: std::collections::BTreeMap<&'a str, &'a [u8]>,
    floats: std::collections::BTreeMap<&'a str, &'a [f32]>,
}

fn damaged() -> Error {
    Error::Input("the checkpoint's memory of games is damaged".into())
}

impl<'a> Reader<'a> {
    fn new(arrays: &'a Arrays) -> Self {
        let mut reader = Self {
            bytes: std::collections::BTreeMap::new(),
            floats: std::collections::BTreeMap::new(),
        };
        for (name, array) in arrays {
            match &array.data {
                Data::U8(bytes) => {
                    reader.bytes.insert(name, bytes);
                }
                Data::F32(floats) => {
                    reader.floats.insert(name, floats);
                }
                Data::F64(_) => {}
            }
        }
        reader
    }

    fn bytes(&mut self, name: &str, count: usize) -> Result<&'a [u8]> {
        let rest = self.bytes.get_mut(name).ok_or_else(damaged)?;
        let (taken, left) = rest.split_at_checked(count).ok_or_else(damaged)?;
        *rest = left;
        Ok(taken)
    }

    fn words(&mut self, name: &str, count: usize) -> Result<Vec<u16>> {
        let bytes = self.bytes(name, count.checked_mul(2).ok_or_else(damaged)?)?;
        let (words, _) = bytes.as_chunks::<2>();
        Ok(words.iter().map(|&word| u16::from_le_bytes(word)).collect())
    }

    fn floats(&mut self, name: &str, count: usize) -> Result<Vec<f32>> {
        let rest = self.floats.get_mut(name).ok_or_else(damaged)?;
        let (taken, left) = rest.split_at_checked(count).ok_or_else(damaged)?;
        *rest = left;
        Ok(taken.to_vec())
    }
}

fn unpack(settings: &Settings, mut state: ReplayState, arrays: &Arrays) -> Result<Replay> {
    let mut reader = Reader::new(arrays);
    let all = reader.bytes.get("heads").map_or(0, |bytes| bytes.len());
    let heads: Vec<Head> =
        serde_json::from_slice(reader.bytes("heads", all)?).map_err(|_| damaged())?;
    let mut game = open(&settings.game)?;
    let mut episodes = Vec::with_capacity(heads.len());
    for head in heads {
        let opening = reader.words("moves", head.opening)?;
        let mut episode = Episode::new(head.rng, opening);
        episode.actions = reader.words("moves", head.len)?;
        let policies = reader.words("policies", head.len * settings.net.actions)?;
        episode.policies = policies.into_iter().map(f16::from_bits).collect();
        let explored = reader.bytes("explored", head.len)?;
        episode.explored = explored.iter().map(|&random| random != 0).collect();
        episode.rewards = reader.floats("rewards", head.len)?;
        episode.values = reader.floats("values", head.values)?;
        if head.values != head.len + usize::from(!head.ended) {
            return Err(damaged());
        }
        episode.ended = head.ended;
        episode.outcome = head.outcome;
        episode.observe(&mut *game)?;
        episodes.push((head.id, episode));
    }
    let slots = reader.bytes.get("slots").copied().ok_or_else(damaged)?;
    let (slots, _) = slots.as_chunks::<12>();
    let slot = |bytes: &[u8; 12]| {
        let (id, moment) = bytes.split_at(8);
        Some((
            u64::from_le_bytes(id.try_into().ok()?),
            u32::from_le_bytes(moment.try_into().ok()?),
        ))
    };
    state.slots = slots.iter().filter_map(slot).collect();
    if let Some(Data::F64(priorities)) = arrays.get("priorities").map(|array| &array.data) {
        state.priorities.clone_from(priorities);
    }
    Replay::restore(settings.buffer, settings.priority, &state, episodes).ok_or_else(damaged)
}
