//! A training run: self-play, looking again, learning, in turns.
//!
//! The turns follow from counters alone: so many positions searched owe so many training steps. So
//! a run that goes on from a checkpoint does exactly what it would have done.

use std::time::{Duration, Instant};

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::batch::Recipe;
use super::config::{Agent, Settings};
use super::episode::TargetRule;
use super::game::{Outcome, Player, Symmetry, symmetries};
use super::learn::{Learner, Losses};
use super::net::Net;
use super::reanalyse::reanalyse;
use super::replay::Replay;
use super::self_play::{GameReport, SelfPlay};
use crate::error::Result;
use crate::rng::Rng;

/// Positions that are looked at again in one turn.
const AGAIN: usize = 64;
/// Learning begins when so many batches are remembered.
const FIRST_BATCHES: usize = 8;

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Training steps.
    pub steps: u64,
    /// Games that ended.
    pub games: u64,
    /// Moves in them and in those under way.
    pub moves: u64,
    /// Simulations, of looking again too.
    pub simulations: u64,
    /// Positions looked at again.
    pub reanalysed: u64,
    /// Games that were given up because the arcade failed.
    pub lost: u64,
    /// Seconds that the run took, pauses left out.
    pub seconds: f64,
}

/// What is owed to the other activities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Debts {
    /// Training steps.
    pub learning: f64,
    /// Positions to be looked at again.
    pub again: f64,
}

/// Means over the games and steps since the last point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    losses: Vec<Losses>,
    games: Vec<GameReport>,
    since: Counters,
}

/// A point of the curves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// All that was done until then.
    pub counters: Counters,
    /// Means since the last point.
    pub losses: Losses,
    /// Positions remembered.
    pub remembered: usize,
    /// Moves of a game.
    pub length: f32,
    /// Of games for one, what was earned; of games for two, wins of who began minus losses.
    pub score: f32,
    /// Of games for two, the share that was drawn.
    pub drawn: f32,
    /// Games a second.
    pub games_per_second: f64,
    /// Simulations a second of self-play and looking again, over all the time.
    pub simulations_per_second: f64,
    /// Training steps a second.
    pub steps_per_second: f64,
}

/// What a turn brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// A move in every game; what went wrong in games that were given up.
    Played(Vec<String>),
    /// Remembered positions were looked at again.
    Reanalysed,
    /// A training step.
    Learnt,
}

/// All that a training run is made of.
pub struct Training {
    pub(super) settings: Settings,
    pub(super) device: Device,
    pub(super) symmetries: Vec<Symmetry>,
    pub(super) learner: Learner,
    pub(super) self_play: SelfPlay,
    pub(super) replay: Replay,
    pub(super) rng: Rng,
    pub(super) counters: Counters,
    pub(super) debts: Debts,
    pub(super) window: Window,
}

impl Training {
    /// A run at its beginning.
    ///
    /// # Errors
    /// When the game cannot be opened or a setting is impossible.
    pub fn new(settings: Settings, device: &Device) -> Result<Self> {
        let rng = Rng::new(settings.seed);
        Ok(Self {
            symmetries: allowed_symmetries(&settings),
            learner: Learner::new(&settings, device)?,
            self_play: SelfPlay::new(&settings, &rng.split("self-play"))?,
            replay: Replay::new(settings.buffer, settings.priority),
            rng: rng.split("learning"),
            counters: Counters::default(),
            debts: Debts::default(),
            window: Window::default(),
            device: device.clone(),
            settings,
        })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What was done.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What learns.
    #[must_use]
    pub fn learner(&self) -> &Learner {
        &self.learner
    }

    /// The networks that play.
    #[must_use]
    pub fn playing(&self) -> &Net {
        self.learner.playing()
    }

    /// How value targets are made.
    #[must_use]
    pub fn rule(&self) -> TargetRule {
        TargetRule {
            players: self.settings.players,
            td_steps: self.settings.td_steps,
            discount: self.settings.discount,
            value_mix: self.settings.value_mix,
        }
    }

    /// Does what is owed most.
    ///
    /// # Errors
    /// When learning fails.
    pub fn turn(&mut self) -> Result<Turn> {
        let start = Instant::now();
        let ready = self.replay.len() >= FIRST_BATCHES * self.settings.batch;
        let turn = if ready && self.debts.learning >= 1.0 {
            self.learn()?;
            Turn::Learnt
        } else if ready && (self.debts.again >= AGAIN as f64 || self.settings.reanalyse >= 1.0) {
            self.look_again()?;
            Turn::Reanalysed
        } else {
            Turn::Played(self.play()?)
        };
        self.counters.seconds += start.elapsed().as_secs_f64();
        Ok(turn)
    }

    fn learn(&mut self) -> Result<()> {
        let recipe = Recipe {
            settings: &self.settings,
            symmetries: &self.symmetries,
            rule: TargetRule {
                players: self.settings.players,
                td_steps: self.settings.td_steps,
                discount: self.settings.discount,
                value_mix: self.settings.value_mix,
            },
            device: &self.device,
        };
        let draws = self.replay.draw(self.settings.batch, &mut self.rng);
        let step = self.counters.steps;
        let batch = recipe.batch(&self.replay, &draws, step, &mut self.rng)?;
        let learnt = self.learner.step(&batch, &self.settings)?;
        self.replay.update(&draws, &learnt.errors);
        self.window.losses.push(learnt.losses);
        self.counters.steps += 1;
        self.debts.learning -= 1.0;
        if self.debts.learning < 1.0 {
            self.learner.publish()?;
        }
        Ok(())
    }

    fn look_again(&mut self) -> Result<()> {
        let draws = self.replay.draw(AGAIN, &mut self.rng);
        reanalyse(
            &mut self.replay,
            &draws,
            self.learner.playing(),
            &self.settings,
            &self.device,
            &mut self.rng,
        )?;
        self.counters.reanalysed += AGAIN as u64;
        self.counters.simulations += (AGAIN * self.settings.search.simulations) as u64;
        self.debts.again = (self.debts.again - AGAIN as f64).max(0.0);
        self.owe(AGAIN);
        Ok(())
    }

    fn play(&mut self) -> Result<Vec<String>> {
        let net = self.learner.playing();
        let advance = self.self_play.advance(net, &self.settings, &self.device)?;
        let rule = self.rule();
        for episode in advance.episodes {
            self.replay.push(episode, &rule);
        }
        self.counters.games += advance.finished.len() as u64;
        self.counters.moves += advance.moves;
        self.counters.simulations += advance.simulations;
        self.counters.lost += advance.lost.len() as u64;
        self.window.games.extend(advance.finished);
        let share = self.settings.reanalyse.min(0.99);
        // Looking again is for searches; a policy without one finds nothing new.
        if self.settings.agent != Agent::ActorCritic {
            self.debts.again += advance.moves as f64 * share / (1.0 - share);
        }
        self.owe(advance.moves as usize);
        Ok(advance.lost)
    }

    /// So many positions were searched.
    fn owe(&mut self, positions: usize) {
        if self.replay.len() >= FIRST_BATCHES * self.settings.batch {
            self.debts.learning +=
                positions as f64 * self.settings.reuse / self.settings.batch as f64;
        }
    }

    /// The means since the last point; `elapsed` is the time since then.
    pub fn point(&mut self, elapsed: Duration) -> Point {
        let window = std::mem::replace(
            &mut self.window,
            Window {
                since: self.counters,
                ..Window::default()
            },
        );
        let (now, then) = (&self.counters, &window.since);
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let rate = |now: u64, then: u64| (now - then) as f64 / seconds;
        Point {
            counters: self.counters,
            losses: mean(&window.losses),
            remembered: self.replay.len(),
            length: average(&window.games, |game| game.moves as f32),
            score: average(&window.games, score),
            drawn: average(&window.games, |game| {
                f32::from(u8::from(game.outcome == Some(Outcome::Drawn)))
            }),
            games_per_second: rate(now.games, then.games),
            simulations_per_second: rate(now.simulations, then.simulations),
            steps_per_second: rate(now.steps, then.steps),
        }
    }
}

/// The board's symmetries, if they are wanted.
pub(super) fn allowed_symmetries(settings: &Settings) -> Vec<Symmetry> {
    if settings.symmetries {
        symmetries(&settings.game)
    } else {
        Vec::new()
    }
}

/// What a game brought: what was earned, or 1 where who began won.
fn score(game: &GameReport) -> f32 {
    match game.outcome {
        None => game.earned,
        Some(Outcome::Won(Player::First)) => 1.0,
        Some(Outcome::Won(Player::Second)) => -1.0,
        Some(Outcome::Drawn) => 0.0,
    }
}

fn average(games: &[GameReport], number: impl Fn(&GameReport) -> f32) -> f32 {
    games.iter().map(number).sum::<f32>() / games.len().max(1) as f32
}

fn mean(losses: &[Losses]) -> Losses {
    let count = losses.len().max(1) as f32;
    let of = |part: fn(&Losses) -> f32| losses.iter().map(part).sum::<f32>() / count;
    Losses {
        total: of(|l| l.total),
        policy: of(|l| l.policy),
        value: of(|l| l.value),
        reward: of(|l| l.reward),
        consistency: of(|l| l.consistency),
        // Drawn from in every step, so it has a mean like the others.
        probe: of(|l| l.probe),
    }
}
