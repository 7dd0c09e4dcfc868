//! Games that the agent plays against itself, many at a time.
//!
//! All games advance together by one move: every group of 32 is one search over a batch of
//! trees, and the groups are spread over the threads. Each game has random numbers of its own and
//! the groups do not depend on the number of threads, so any number plays the same games.
//!
//! Games are begun and bent a little away from best play, so that the agent learns what lies
//! beside it: some begin with random moves, and a few moves later are random too. Targets know
//! (see [`super::episode`]). Only the first moves of a game for two are drawn with noise, as
//! `AlphaZero`'s are: the rest is played as well as possible, so that how a game ends says what its
//! positions are worth.

use candle_core::Device;
use half::f16;
use rayon::prelude::*;

use super::agent::{self, Asked, Thought};
use super::config::{Agent, Settings};
use super::episode::{Episode, outcome_for_next, to_bytes};
use super::game::{Game, Outcome, Player, open};
use super::net::Net;
use crate::error::Result;
use crate::rng::Rng;

/// Games that are searched as one batch.
const GROUP: usize = 32;
/// Long games for one are remembered in pieces of so many moments.
const PIECE: usize = 200;
/// Share of the second player's random first moves that are passes, in games that know them. Whoever
/// cannot play loses Go against a komi that is fair among masters: with a few moves more than the
/// other black wins as often, so that both ends are seen.
const LEFT: f64 = 0.5;
/// Shorter ones where positions have to be learnt from soon.
const ON_POLICY_PIECE: usize = 20;

/// All games of self-play.
pub struct SelfPlay {
    actors: Vec<Actor>,
}

/// One game and what is remembered of it so far.
struct Actor {
    game: Box<dyn Game>,
    rng: Rng,
    episode: Episode,
    /// All that was done since the game began, opening included.
    moves: Vec<u16>,
    earned: f32,
}

/// What became of a game.
#[derive(Clone, Debug, PartialEq)]
pub struct GameReport {
    /// Moves, opening included.
    pub moves: usize,
    /// What was earned, in games for one.
    pub earned: f32,
    /// How it ended, in games for two.
    pub outcome: Option<Outcome>,
    /// All moves, opening included, of games for two: to be shown.
    pub line: Vec<u16>,
}

/// What an advance brought.
#[derive(Clone, Debug, Default)]
pub struct Advance {
    /// Games and pieces that are to be remembered.
    pub episodes: Vec<Episode>,
    /// Games that ended.
    pub finished: Vec<GameReport>,
    /// Moves that were made.
    pub moves: u64,
    /// Simulations that were run.
    pub simulations: u64,
    /// What went wrong with games that had to be given up.
    pub lost: Vec<String>,
}

/// A game under way, as a checkpoint holds it: it is played again to go on.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct ActorState {
    /// The game's own random numbers from here on.
    pub rng: Rng,
    /// The chance the game was begun with.
    pub begun_with: Rng,
    /// Moves since the beginning.
    pub moves: Vec<u16>,
    /// How many of them lie before what is remembered.
    pub opening: usize,
    /// What was earned since the beginning.
    pub earned: f32,
    /// Of the moments remembered: rewards, values, whether random.
    pub rewards: Vec<f32>,
    /// The search's values.
    pub values: Vec<f32>,
    /// Whether moves were random.
    pub explored: Vec<bool>,
    /// Policies as bits of half precision.
    pub policies: Vec<u16>,
}

impl SelfPlay {
    /// All games at their beginning.
    ///
    /// # Errors
    /// When the game cannot be opened.
    pub fn new(settings: &Settings, rng: &Rng) -> Result<Self> {
        let actors = (0..settings.games).map(|index| {
            let rng = rng.split(&format!("game {index}"));
            let game = open(&settings.game)?;
            let mut actor = Actor {
                game,
                episode: Episode::new(rng.clone(), Vec::new()),
                rng,
                moves: Vec::new(),
                earned: 0.0,
            };
            actor.begin(settings)?;
            Ok(actor)
        });
        Ok(Self {
            actors: actors.collect::<Result<_>>()?,
        })
    }

    /// One move in every game.
    ///
    /// # Errors
    /// When the network fails or a game cannot be begun anew.
    pub fn advance(&mut self, net: &Net, settings: &Settings, device: &Device) -> Result<Advance> {
        let groups: Vec<Advance> = self
            .actors
            .par_chunks_mut(GROUP)
            .map(|group| advance_group(group, net, settings, device))
            .collect::<Result<_>>()?;
        let mut all = Advance::default();
        for group in groups {
            all.episodes.extend(group.episodes);
            all.finished.extend(group.finished);
            all.moves += group.moves;
            all.simulations += group.simulations;
            all.lost.extend(group.lost);
        }
        Ok(all)
    }

    /// All games under way.
    #[must_use]
    pub fn state(&self) -> Vec<ActorState> {
        self.actors.iter().map(Actor::state).collect()
    }

    /// Goes on with games under way.
    ///
    /// # Errors
    /// When they are not of these settings.
    pub fn restore(settings: &Settings, states: Vec<ActorState>) -> Result<Self> {
        let actors = states
            .into_iter()
            .map(|state| Actor::restore(settings, state));
        Ok(Self {
            actors: actors.collect::<Result<_>>()?,
        })
    }
}

fn advance_group(
    group: &mut [Actor],
    net: &Net,
    settings: &Settings,
    device: &Device,
) -> Result<Advance> {
    let mut seen = Vec::new();
    let mut one = vec![0.0; settings.net.observation.iter().product()];
    for actor in &mut *group {
        actor.game.observe(&mut one);
        seen.extend_from_slice(&one);
    }
    let (asked, rngs): (Vec<Asked<'_>>, Vec<&mut Rng>) = group
        .iter_mut()
        .map(|actor| {
            let asked = Asked {
                game: &*actor.game,
                noisy: actor.moves.len() < settings.noisy_moves,
                gives_up: settings.pass_behind,
            };
            (asked, &mut actor.rng)
        })
        .unzip();
    let thoughts = agent::think(net, settings, device, &asked, &seen, rngs)?;
    let mut advance = Advance {
        moves: group.len() as u64,
        simulations: (group.len() * settings.search.simulations) as u64,
        ..Advance::default()
    };
    for ((actor, thought), seen) in group
        .iter_mut()
        .zip(thoughts)
        .zip(seen.chunks_exact(one.len()))
    {
        actor.play(&thought, seen, settings, &mut advance)?;
    }
    Ok(advance)
}

impl Actor {
    /// Begins a new game, perhaps with random moves.
    fn begin(&mut self, settings: &Settings) -> Result<()> {
        let number = self.rng.next_u64();
        let chance = self.rng.split(&format!("chance {number}"));
        self.moves.clear();
        self.earned = 0.0;
        self.game.reset(chance.clone())?;
        if self.rng.uniform() < settings.openings {
            let count = 1 + self.rng.below(settings.opening_moves);
            for _ in 0..count {
                let left = self
                    .game
                    .pass()
                    .filter(|_| self.game.to_play() == Player::Second && self.rng.uniform() < LEFT);
                let action = left.unwrap_or_else(|| {
                    random_action(&*self.game, settings.net.actions, &mut self.rng)
                });
                self.game.step(action)?;
                self.moves.push(action as u16);
                if self.game.is_over() {
                    self.moves.clear();
                    self.game.reset(chance.clone())?;
                }
            }
        }
        self.episode = Episode::new(chance, self.moves.clone());
        Ok(())
    }

    /// Makes the move that was thought of, or a random one, and remembers it.
    fn play(
        &mut self,
        thought: &Thought,
        seen: &[f32],
        settings: &Settings,
        advance: &mut Advance,
    ) -> Result<()> {
        let piece = match settings.agent {
            Agent::ActorCritic => ON_POLICY_PIECE,
            Agent::MuZero | Agent::AlphaZero => PIECE,
        };
        if settings.players == 1 && self.episode.len() == piece {
            let next = Episode::new(self.episode.rng.clone(), self.moves.clone());
            let mut piece = std::mem::replace(&mut self.episode, next);
            piece.values.push(thought.value);
            to_bytes(seen, &mut piece.observations);
            advance.episodes.push(piece);
        }
        let explored = self.rng.uniform() < settings.explore;
        let action = if explored {
            random_action(&*self.game, settings.net.actions, &mut self.rng)
        } else {
            thought.action
        };
        let reward = match self.game.step(action) {
            Ok(reward) => reward,
            Err(error) => {
                advance.lost.push(error.to_string());
                return self.begin(settings);
            }
        };
        self.moves.push(action as u16);
        self.earned += reward;
        let episode = &mut self.episode;
        to_bytes(seen, &mut episode.observations);
        episode.actions.push(action as u16);
        episode.rewards.push(reward);
        let policy = thought.policy.iter();
        episode.policies.extend(policy.map(|&p| f16::from_f32(p)));
        episode.values.push(thought.value);
        episode.explored.push(explored);
        if self.game.is_over() {
            self.end(settings, advance)?;
        }
        Ok(())
    }

    fn end(&mut self, settings: &Settings, advance: &mut Advance) -> Result<()> {
        let mut last = vec![0.0; settings.net.observation.iter().product()];
        self.game.observe(&mut last);
        let next = Episode::new(self.rng.clone(), Vec::new());
        let mut episode = std::mem::replace(&mut self.episode, next);
        to_bytes(&last, &mut episode.observations);
        episode.ended = true;
        episode.outcome = outcome_for_next(&*self.game);
        advance.episodes.push(episode);
        advance.finished.push(GameReport {
            moves: self.moves.len(),
            earned: self.earned,
            outcome: self.game.outcome(),
            line: if settings.players == 2 {
                std::mem::take(&mut self.moves)
            } else {
                Vec::new()
            },
        });
        self.begin(settings)
    }

    fn state(&self) -> ActorState {
        let episode = &self.episode;
        ActorState {
            rng: self.rng.clone(),
            begun_with: episode.rng.clone(),
            moves: self.moves.clone(),
            opening: episode.opening.len(),
            earned: self.earned,
            rewards: episode.rewards.clone(),
            values: episode.values.clone(),
            explored: episode.explored.clone(),
            policies: episode.policies.iter().map(|p| p.to_bits()).collect(),
        }
    }

    fn restore(settings: &Settings, state: ActorState) -> Result<Self> {
        let damaged = || crate::Error::Input("a game of the checkpoint is damaged".into());
        let mut game = open(&settings.game)?;
        let opening = state.moves.get(..state.opening).ok_or_else(damaged)?;
        let mut episode = Episode::new(state.begun_with, opening.to_vec());
        episode.actions = state.moves[state.opening..].to_vec();
        let len = episode.len();
        let fits = [
            state.rewards.len(),
            state.values.len(),
            state.explored.len(),
        ] == [len; 3]
            && state.policies.len() == len * settings.net.actions;
        if !fits {
            return Err(damaged());
        }
        episode.observe(&mut *game)?;
        // The moment that is next is remembered when it is played.
        let size: usize = settings.net.observation.iter().product();
        episode.observations.truncate(len * size);
        episode.rewards = state.rewards;
        episode.values = state.values;
        episode.explored = state.explored;
        episode.policies = state.policies.into_iter().map(f16::from_bits).collect();
        Ok(Self {
            game,
            rng: state.rng,
            episode,
            moves: state.moves,
            earned: state.earned,
        })
    }
}

/// Any legal action.
pub fn random_action(game: &dyn Game, actions: usize, rng: &mut Rng) -> usize {
    let legal = agent::legal(&[game], actions).concat();
    let count = legal.iter().filter(|legal| **legal).count();
    let chosen = rng.below(count);
    let mut places = (0..actions).filter(|&action| legal[action]);
    places.nth(chosen).unwrap_or(0)
}
