//! How strong the networks are while they learn: small measurements between the turns of a run.
//!
//! A measurement works on a copy of the playing weights with random numbers of its own, in steps of
//! about a tenth of a second that a job takes in turns with learning. So a run with measurements
//! ends with the same weights as one without.
//!
//! What is measured follows from the game: every line of play of tic-tac-toe; of Connect Four the
//! share of moves that keep the result of perfect play, and how far values lie from that result; of
//! other games for two a rating against the fixed opponents of [`super::arena::anchors`]; the mean
//! return of games for one.

use std::sync::Arc;
use std::time::Instant;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::agent::expected;
use super::arena::{
    Anchor, Choice, Exhaustive, Faced, Graded, Interval, Match, MatchOptions, MeanReturn,
    Opponents, Position, Rating, Tally, anchors, mean_return, opening_plies, rate, share_kept,
};
use super::evaluate::{Episodes, graded};
use super::game::{Game, GameId, open};
use super::player::{Machine, PlayOptions};
use super::training::Counters;
use super::weights_file::Trained;
use crate::error::Result;
use crate::rng::Rng;

/// Every so many of the graded positions are asked for.
const GRADED_STEP: usize = 4;
/// Positions that are answered in one step.
const AT_ONCE: usize = 16;
/// Games against each fixed opponent.
const GAMES: usize = 8;
/// Seconds of training before the first measurement, and between two at least.
const LEAST_PAUSE: f64 = 10.0;
/// The pause, if nobody asks for another: so many times as long as the last measurement took.
const PAUSE: f64 = 11.0;

/// Results against an opponent whose rating is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// Who, such as `alphabeta:4`.
    pub opponent: String,
    /// The opponent's rating.
    pub elo: f64,
    /// The results of the networks.
    pub tally: Tally,
}

/// What a measurement found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// What had been done when the networks were copied.
    pub at: Counters,
    /// Simulations a move.
    pub simulations: usize,
    /// Lines of play of tic-tac-toe, either side beginning.
    #[serde(default)]
    pub lines: Option<Tally>,
    /// The share of moves that keep the result of perfect play, and its 95 % interval.
    #[serde(default)]
    pub kept: Option<(f64, Interval)>,
    /// How far the values after the search lie from the result of perfect play, on average.
    #[serde(default)]
    pub value_error: Option<f64>,
    /// The mean return of episodes.
    #[serde(default)]
    pub score: Option<MeanReturn>,
    /// Games against fixed opponents.
    #[serde(default)]
    pub against: Vec<Against>,
    /// The rating from those.
    #[serde(default)]
    pub rating: Option<Rating>,
    /// Seconds that it took.
    pub took: f64,
}

/// When to measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Seconds between measurements, 0 for none; `None` for as often as costs little.
    every: Option<f64>,
    /// Seconds of training at which the next one is due.
    next: f64,
}

impl Schedule {
    /// For a run that has taken so many seconds, after its last measurement if there was one.
    #[must_use]
    pub fn new(every: Option<f64>, seconds: f64, last: Option<&Evaluation>) -> Self {
        let mut schedule = Self {
            every,
            next: seconds + every.unwrap_or(LEAST_PAUSE),
        };
        if let Some(last) = last {
            schedule.measured(last);
        }
        schedule
    }

    /// Whether one is due.
    #[must_use]
    pub fn is_due(&self, seconds: f64) -> bool {
        self.every != Some(0.0) && seconds >= self.next
    }

    /// One is done.
    pub fn measured(&mut self, evaluation: &Evaluation) {
        let pause = (PAUSE * evaluation.took).max(LEAST_PAUSE);
        self.next = evaluation.at.seconds + self.every.unwrap_or(pause);
    }
}

/// A measurement under way.
pub struct Evaluating {
    at: Counters,
    simulations: usize,
    machine: Machine,
    rng: Rng,
    game: GameId,
    work: Work,
    took: f64,
}

enum Work {
    Lines(Box<Exhaustive>),
    Graded {
        positions: Vec<Graded>,
        choices: Vec<Choice>,
        errors: f64,
    },
    Episodes(Episodes),
    Matches {
        waiting: Vec<Anchor>,
        current: Option<Box<Facing>>,
        done: Vec<Against>,
    },
}

/// Games against one of the fixed opponents.
struct Facing {
    anchor: Anchor,
    contest: Match,
    opponents: Opponents,
}

/// Who is played against; random play alone where nobody is rated.
#[must_use]
pub fn opponents(game: &GameId) -> Vec<Anchor> {
    let mut rated = anchors(game);
    if rated.is_empty() {
        rated.push(Anchor {
            name: "random".into(),
            elo: 0.0,
        });
    }
    rated
}

impl Evaluating {
    /// Begins to measure networks at a number of simulations a move.
    ///
    /// # Errors
    /// When the game is not there.
    pub fn new(trained: Trained, simulations: usize, device: &Device) -> Result<Self> {
        let (at, settings) = (trained.about.counters, trained.about.settings.clone());
        let rng = Rng::new(settings.seed)
            .split("evaluation")
            .split(&at.steps.to_string());
        let work = match &settings.game {
            GameId::TicTacToe => {
                Work::Lines(Box::new(Exhaustive::new(&*open(&settings.game)?, true)?))
            }
            GameId::ConnectFour => Work::Graded {
                positions: graded()?.into_iter().step_by(GRADED_STEP).collect(),
                choices: Vec::new(),
                errors: 0.0,
            },
            game @ (GameId::MinAtar(_) | GameId::Atari(_)) => {
                // The arcade is slow; episodes of games that are played well can be endless.
                let (count, most) = match game {
                    GameId::Atari(_) => (2, 3000),
                    _ => (10, 2500),
                };
                let rng = rng.split("episodes");
                Work::Episodes(Episodes::new(game, count, Some(most), &rng)?)
            }
            game => Work::Matches {
                waiting: opponents(game),
                current: None,
                done: Vec::new(),
            },
        };
        let options = PlayOptions::best(&settings, simulations);
        Ok(Self {
            at,
            simulations,
            machine: Machine::new(Arc::new(trained), options, device, &rng),
            rng,
            game: settings.game,
            work,
            took: 0.0,
        })
    }

    /// Goes on for a moment. True when it is done.
    ///
    /// # Errors
    /// When the network or the game fails.
    pub fn step(&mut self) -> Result<bool> {
        let start = Instant::now();
        let over = match &mut self.work {
            Work::Lines(lines) => {
                lines.step(&mut self.machine, AT_ONCE)?;
                lines.is_over()
            }
            Work::Graded {
                positions,
                choices,
                errors,
            } => grade(&self.machine, positions, choices, errors)?,
            Work::Episodes(episodes) => {
                episodes.step(&mut self.machine)?;
                episodes.is_over()
            }
            Work::Matches {
                waiting,
                current,
                done,
            } => {
                if let Some(facing) = current {
                    facing
                        .contest
                        .step(&mut self.machine, &mut facing.opponents)?;
                    if facing.contest.is_over() {
                        done.push(Against {
                            opponent: facing.anchor.name.clone(),
                            elo: facing.anchor.elo,
                            tally: facing.contest.tally(),
                        });
                        *current = None;
                    }
                } else if !waiting.is_empty() {
                    let anchor = waiting.remove(0);
                    *current = Some(Box::new(face(&self.game, anchor, &self.rng)?));
                }
                waiting.is_empty() && current.is_none()
            }
        };
        self.took += start.elapsed().as_secs_f64();
        Ok(over)
    }

    /// What was found.
    #[must_use]
    pub fn found(&self) -> Evaluation {
        let mut found = Evaluation {
            at: self.at,
            simulations: self.simulations,
            lines: None,
            kept: None,
            value_error: None,
            score: None,
            against: Vec::new(),
            rating: None,
            took: self.took,
        };
        match &self.work {
            Work::Lines(lines) => found.lines = Some(lines.tally()),
            Work::Graded {
                positions,
                choices,
                errors,
            } => {
                let kept = share_kept(positions, choices);
                found.kept = Some((kept.share, kept.interval));
                found.value_error = Some(errors / choices.len().max(1) as f64);
            }
            Work::Episodes(episodes) => found.score = mean_return(&episodes.returns),
            Work::Matches { done, .. } => {
                let faced: Vec<Faced> = done
                    .iter()
                    .map(|against| Faced {
                        elo: against.elo,
                        tally: against.tally,
                    })
                    .collect();
                found.rating = rate(&faced);
                found.against.clone_from(done);
            }
        }
        found
    }
}

/// The next few graded positions. True after the last.
fn grade(
    machine: &Machine,
    positions: &[Graded],
    choices: &mut Vec<Choice>,
    errors: &mut f64,
) -> Result<bool> {
    let end = (choices.len() + AT_ONCE).min(positions.len());
    let asked = &positions[choices.len()..end];
    let games: Vec<Position> = asked.iter().map(Graded::position).collect::<Result<_>>()?;
    let games: Vec<&dyn Game> = games.iter().map(|position| &*position.game).collect();
    for (decision, graded) in machine.decide(&games)?.iter().zip(asked) {
        let result = f64::from(graded.best().unwrap_or(0));
        *errors += (f64::from(expected(decision)) - result).abs();
        choices.push(Ok(decision.action));
    }
    Ok(choices.len() == positions.len())
}

fn face(game: &GameId, anchor: Anchor, rng: &Rng) -> Result<Facing> {
    let options = MatchOptions {
        games: GAMES,
        at_once: GAMES,
        opening_plies: opening_plies(game),
    };
    let rng = rng.split(&anchor.name);
    Ok(Facing {
        contest: Match::new(&*open(game)?, options, &rng)?,
        opponents: Opponents::open(&anchor.name.parse()?, game, GAMES, &rng)?,
        anchor,
    })
}

#[cfg(test)]
mod tests {
    use super::{Evaluation, Schedule};
    use crate::demos::muzero::training::Counters;

    fn evaluation(seconds: f64, took: f64) -> Evaluation {
        Evaluation {
            at: Counters {
                seconds,
                ..Counters::default()
            },
            simulations: 0,
            lines: None,
            kept: None,
            value_error: None,
            score: None,
            against: Vec::new(),
            rating: None,
            took,
        }
    }

    #[test]
    fn measurements_cost_less_than_a_tenth() {
        let mut schedule = Schedule::new(None, 0.0, None);
        assert!(!schedule.is_due(9.9));
        assert!(schedule.is_due(10.0));
        schedule.measured(&evaluation(10.0, 4.0));
        assert!(!schedule.is_due(50.0));
        assert!(schedule.is_due(54.0));
        let resumed = Schedule::new(None, 30.0, Some(&evaluation(10.0, 4.0)));
        assert_eq!(resumed, schedule);
    }

    #[test]
    fn they_come_as_often_as_asked_for_or_never() {
        let mut schedule = Schedule::new(Some(2.0), 0.0, None);
        assert!(schedule.is_due(2.0));
        schedule.measured(&evaluation(2.5, 60.0));
        assert!(schedule.is_due(4.5));
        assert!(!Schedule::new(Some(0.0), 0.0, None).is_due(1e9));
    }
}
