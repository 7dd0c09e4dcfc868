//! A training run: self-play, looking again, learning, in turns.
//!
//! The turns follow from counters alone: so many positions searched owe so many training steps. So
//! a run that goes on from a checkpoint does exactly what it would have done. The agent without a
//! search plays until there is a batch, learns from it and forgets it.

use std::time::{Duration, Instant};

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::actor_critic;
use super::batch::Recipe;
use super::config::{Agent, Settings};
use super::episode::TargetRule;
use super::foresight::{self, Foresight};
use super::game::{Outcome, Player, Symmetry, symmetries};
use super::learn::{Learner, Losses};
use super::net::Net;
use super::reanalyse::reanalyse;
use super::replay::{Draw, Replay};
use super::self_play::{GameReport, SelfPlay};
use super::weights_file::{About, Trained};
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
    /// Positions that were learnt from, of those that were ever remembered; of the agent without a
    /// search, which learns from each once.
    #[serde(default)]
    pub used: u64,
}

/// Means over the games and steps since the last point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    pub(super) since: Counters,
    losses: Vec<Losses>,
    foresight: Vec<Vec<Foresight>>,
    games: Vec<GameReport>,
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
    /// Of the unrolled steps, what was predicted beside what happened; empty between two
    /// comparisons.
    #[serde(default)]
    pub foresight: Vec<Foresight>,
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
        rule(&self.settings)
    }

    /// A copy of the networks that play, as they are now.
    ///
    /// # Errors
    /// When the device fails.
    pub fn trained(&self) -> Result<Trained> {
        let about = About {
            settings: self.settings.clone(),
            counters: self.counters,
        };
        let net = self.learner.frozen()?;
        Ok(Trained { about, net })
    }

    /// The moves of the newest game that ended since the last point, of games for two.
    #[must_use]
    pub fn newest_game(&self) -> Option<&[u16]> {
        let games = self.window.games.iter().rev();
        let mut lines = games.map(|game| game.line.as_slice());
        lines.find(|line| !line.is_empty())
    }

    /// Does what is owed most.
    ///
    /// # Errors
    /// When learning fails.
    pub fn turn(&mut self) -> Result<Turn> {
        let start = Instant::now();
        let turn = if self.settings.agent == Agent::ActorCritic {
            self.turn_on_policy()?
        } else {
            self.turn_by_debts()?
        };
        self.counters.seconds += start.elapsed().as_secs_f64();
        Ok(turn)
    }

    fn turn_by_debts(&mut self) -> Result<Turn> {
        let ready = self.replay.len() >= FIRST_BATCHES * self.settings.batch;
        Ok(if ready && self.debts.learning >= 1.0 {
            self.learn()?;
            Turn::Learnt
        } else if ready && (self.debts.again >= AGAIN as f64 || self.settings.reanalyse >= 1.0) {
            self.look_again()?;
            Turn::Reanalysed
        } else {
            Turn::Played(self.play()?)
        })
    }

    /// Learns from what was just played as soon as there is enough of it, then forgets it.
    fn turn_on_policy(&mut self) -> Result<Turn> {
        let fresh = self.replay.added() - self.debts.used;
        if fresh < self.settings.batch as u64 {
            return Ok(Turn::Played(self.play()?));
        }
        let draws = actor_critic::newest(&self.replay, self.debts.used, self.settings.batch);
        self.step(&draws)?;
        self.debts.used = self.replay.added();
        self.learner.publish_newest()?;
        Ok(Turn::Learnt)
    }

    /// A training step on these positions.
    fn step(&mut self, draws: &[Draw]) -> Result<()> {
        let recipe = Recipe {
            settings: &self.settings,
            symmetries: &self.symmetries,
            rule: rule(&self.settings),
            device: &self.device,
        };
        let step = self.counters.steps;
        let batch = recipe.batch(&self.replay, draws, step, &mut self.rng)?;
        let learnt = self.learner.step(&batch, &self.settings)?;
        self.replay.update(draws, &learnt.errors);
        self.window.losses.push(learnt.losses);
        if !learnt.foresight.is_empty() {
            self.window.foresight.push(learnt.foresight);
        }
        self.counters.steps += 1;
        Ok(())
    }

    fn learn(&mut self) -> Result<()> {
        let draws = self.replay.draw(self.settings.batch, &mut self.rng);
        self.step(&draws)?;
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
        // Both debts are those of searches; a policy without one learns when there is enough.
        if self.settings.agent != Agent::ActorCritic {
            self.debts.again += advance.moves as f64 * share / (1.0 - share);
            self.owe(advance.moves as usize);
        }
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
            foresight: foresight::mean(&window.foresight),
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

impl Point {
    /// This point and the next one as one; `before` is what had been done before this one.
    #[must_use]
    pub fn merged(&self, next: &Self, before: &Counters) -> Self {
        let (first, second) = (&self.counters, &next.counters);
        let share = |before: f64, middle: f64, after: f64| {
            let all = after - before;
            let second = if all > 0.0 {
                (after - middle) / all
            } else {
                0.5
            };
            (1.0 - second, second)
        };
        let (a, b) = share(before.steps as f64, first.steps as f64, second.steps as f64);
        let by_steps = |one: f32, two: f32| (a as f32).mul_add(one, b as f32 * two);
        let (a, b) = share(before.games as f64, first.games as f64, second.games as f64);
        let by_games = |one: f32, two: f32| (a as f32).mul_add(one, b as f32 * two);
        let (a, b) = share(before.seconds, first.seconds, second.seconds);
        let by_time = |one: f64, two: f64| a.mul_add(one, b * two);
        let (one, two) = (&self.losses, &next.losses);
        Self {
            counters: next.counters,
            losses: Losses {
                total: by_steps(one.total, two.total),
                policy: by_steps(one.policy, two.policy),
                value: by_steps(one.value, two.value),
                reward: by_steps(one.reward, two.reward),
                consistency: by_steps(one.consistency, two.consistency),
                probe: by_steps(one.probe, two.probe),
            },
            remembered: next.remembered,
            length: by_games(self.length, next.length),
            score: by_games(self.score, next.score),
            drawn: by_games(self.drawn, next.drawn),
            games_per_second: by_time(self.games_per_second, next.games_per_second),
            simulations_per_second: by_time(
                self.simulations_per_second,
                next.simulations_per_second,
            ),
            steps_per_second: by_time(self.steps_per_second, next.steps_per_second),
            foresight: foresight::mean(&[self.foresight.clone(), next.foresight.clone()]),
        }
    }
}

/// How value targets are made with these settings.
fn rule(settings: &Settings) -> TargetRule {
    TargetRule {
        players: settings.players,
        td_steps: settings.td_steps,
        discount: settings.discount,
        value_mix: settings.value_mix,
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
