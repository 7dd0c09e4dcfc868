//! How strong trained networks are: every line of play, perfect moves, matches, mean returns, all
//! in steps that a job can drive.

use std::sync::Arc;

use candle_core::Device;
use clap::ValueEnum;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::arena::{
    Exhaustive, Graded, Interval, Kept, MeanReturn, Player, Position, Tally, mean_return,
    share_kept, wilson,
};
use super::game::{GameId, open};
use super::player::{Machine, PlayOptions};
use super::weights_file::Trained;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Positions of Connect Four with what each move leads to, by perfect play.
const GRADED: &str = include_str!("../../../assets/data/connect4-graded.txt");
/// Positions that are answered at the same time.
const AT_ONCE: usize = 256;

/// A measure of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Every line of play of an opponent, either side beginning
    Exhaustive,
    /// The share of moves that keep the result of perfect play; Connect Four only
    Graded,
    /// The mean return of 100 episodes, in games for one
    Return,
    /// Games against an opponent, as a difference in Elo; games for two
    Match,
}

/// What a measure found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Which.
    pub measure: Measure,
    /// Simulations a move.
    pub simulations: usize,
    /// Games or lines of play.
    #[serde(flatten)]
    pub tally: Option<Tally>,
    /// Games or lines of play in all.
    pub games: Option<u64>,
    /// The share of moves that keep the result, and its 95 % interval.
    pub kept: Option<(f64, Interval)>,
    /// The mean return.
    pub score: Option<MeanReturn>,
}

impl Found {
    /// What a match came to.
    #[must_use]
    pub fn of_match(simulations: usize, tally: Tally) -> Self {
        Self {
            measure: Measure::Match,
            simulations,
            tally: Some(tally),
            games: Some(tally.games()),
            kept: None,
            score: None,
        }
    }
}

impl Measure {
    /// What suits a game.
    #[must_use]
    pub fn of(game: &GameId) -> Option<Self> {
        match game {
            GameId::TicTacToe => Some(Self::Exhaustive),
            GameId::ConnectFour => Some(Self::Graded),
            GameId::MinAtar(_) | GameId::Atari(_) => Some(Self::Return),
            _ => None,
        }
    }
}

/// The graded positions that ship with the program.
///
/// # Errors
/// When the file is damaged.
pub fn graded() -> Result<Vec<Graded>> {
    GRADED.lines().map(Graded::from_line).collect()
}

/// A measurement under way.
pub struct Measuring {
    measure: Measure,
    machine: Machine,
    simulations: usize,
    work: Work,
}

enum Work {
    Exhaustive(Box<Exhaustive>),
    Graded {
        positions: Vec<Graded>,
        choices: Vec<super::arena::Choice>,
    },
    Return(Episodes),
}

impl Measuring {
    /// Begins a measurement of networks at a number of simulations.
    ///
    /// # Errors
    /// When the measure is not one of the game.
    pub fn new(
        measure: Measure,
        trained: Arc<Trained>,
        options: PlayOptions,
        device: &Device,
        rng: &Rng,
    ) -> Result<Self> {
        let game = trained.about.settings.game.clone();
        let refuse = |what: &str| Err(Error::Input(format!("{what}, not of {game}")));
        let work = match measure {
            Measure::Match => return refuse("matches are played by `scaling` and `play`"),
            Measure::Exhaustive => {
                if game != GameId::TicTacToe {
                    return refuse("all lines of play are counted of tictactoe only");
                }
                Work::Exhaustive(Box::new(Exhaustive::new(&*open(&game)?, true)?))
            }
            Measure::Graded => {
                if game != GameId::ConnectFour {
                    return refuse("moves are graded of connect4 only");
                }
                Work::Graded {
                    positions: graded()?,
                    choices: Vec::new(),
                }
            }
            Measure::Return => {
                if trained.about.settings.players == 2 {
                    return refuse("returns are those of games for one");
                }
                Work::Return(Episodes::new(&game, 100, None, &rng.split("episodes"))?)
            }
        };
        Ok(Self {
            measure,
            simulations: options.simulations,
            machine: Machine::new(trained, options, device, rng),
            work,
        })
    }

    /// Goes on for one batch of moves. True when it is done.
    ///
    /// # Errors
    /// When the network or the game fails.
    pub fn step(&mut self) -> Result<bool> {
        match &mut self.work {
            Work::Exhaustive(exhaustive) => {
                exhaustive.step(&mut self.machine, AT_ONCE)?;
                Ok(exhaustive.is_over())
            }
            Work::Graded { positions, choices } => {
                let end = (choices.len() + AT_ONCE).min(positions.len());
                let next: Vec<Position> = positions[choices.len()..end]
                    .iter()
                    .map(Graded::position)
                    .collect::<Result<_>>()?;
                let next: Vec<&Position> = next.iter().collect();
                choices.extend(self.machine.choose(&next)?);
                Ok(choices.len() == positions.len())
            }
            Work::Return(episodes) => {
                episodes.step(&mut self.machine)?;
                Ok(episodes.is_over())
            }
        }
    }

    /// What was found.
    #[must_use]
    pub fn found(&self) -> Found {
        let mut found = Found {
            measure: self.measure,
            simulations: self.simulations,
            tally: None,
            games: None,
            kept: None,
            score: None,
        };
        match &self.work {
            Work::Exhaustive(exhaustive) => {
                let tally = exhaustive.tally();
                found.games = Some(tally.games());
                found.tally = Some(tally);
            }
            Work::Graded { positions, choices } => {
                let Kept {
                    kept, positions, ..
                } = share_kept(positions, choices);
                found.kept = Some((
                    kept as f64 / positions.max(1) as f64,
                    wilson(kept as f64, positions),
                ));
            }
            Work::Return(episodes) => found.score = mean_return(&episodes.returns),
        }
        found
    }
}

/// Episodes of a game for one, played at the same time.
pub struct Episodes {
    running: Vec<(Position, f64)>,
    /// What each finished one earned.
    pub returns: Vec<f64>,
    /// Decisions made.
    pub decisions: u64,
    max_steps: Option<usize>,
}

impl Episodes {
    /// So many episodes, each with chance of its own; cut after `max_steps` decisions.
    ///
    /// # Errors
    /// When the game cannot be opened.
    pub fn new(game: &GameId, count: usize, max_steps: Option<usize>, rng: &Rng) -> Result<Self> {
        let running = (0..count).map(|index| {
            let mut game = open(game)?;
            game.reset(rng.split(&index.to_string()))?;
            Ok((Position::new(game), 0.0))
        });
        Ok(Self {
            running: running.collect::<Result<_>>()?,
            returns: Vec::new(),
            decisions: 0,
            max_steps,
        })
    }

    /// Whether all are done.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.running.is_empty()
    }

    /// The first one that is still under way.
    #[must_use]
    pub fn first(&self) -> Option<&Position> {
        self.running.first().map(|(position, _)| position)
    }

    /// One decision in each.
    ///
    /// # Errors
    /// When the player or the game fails.
    pub fn step(&mut self, player: &mut dyn Player) -> Result<()> {
        let positions: Vec<&Position> = self.running.iter().map(|(position, _)| position).collect();
        let choices = player.choose(&positions)?;
        self.decisions += choices.len() as u64;
        self.running
            .par_iter_mut()
            .zip(choices)
            .try_for_each(|((position, earned), choice)| {
                let action = choice.map_err(Error::Input)?;
                *earned += f64::from(position.play(action)?);
                Ok::<_, Error>(())
            })?;
        let max_steps = self.max_steps.unwrap_or(usize::MAX);
        let over =
            |position: &Position| position.game.is_over() || position.moves.len() >= max_steps;
        let (done, running): (Vec<_>, Vec<_>) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|(position, _)| over(position));
        self.returns
            .extend(done.into_iter().map(|(_, earned)| earned));
        self.running = running;
        Ok(())
    }
}
