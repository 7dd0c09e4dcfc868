//! Strength against simulations, of the same networks: the paper's figure 3.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::arena::{Faced, Match, MatchOptions, Player, Rating, Tally, opening_plies, rate};
use super::evaluate::{Found, Measure, Measuring};
use super::game::{GameId, open};
use super::player::{Machine, PlayOptions};
use super::weights_file::Trained;
use super::who::{Who, networks, seat};
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// What the networks are measured against where nobody else is named: themselves, with so many
/// simulations.
const BASE: usize = 50;
/// Games that are played at the same time.
const AT_ONCE: usize = 16;
/// Most games against one opponent.
const MOST_GAMES: usize = 10_000;

/// What is measured.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize)]
#[serde(default)]
pub struct ScalingConfig {
    /// The game, as in `train`
    #[arg(long, default_value = "connect4")]
    pub game: GameId,
    /// Numbers of simulations
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1,2,5,10,20,50,100,200,400,800"
    )]
    pub simulations: Vec<usize>,
    /// What is measured; what suits the game if not given
    #[arg(long, value_enum)]
    pub measure: Option<Measure>,
    /// Who is played against, as in `play`; itself with 50 simulations if not given
    #[arg(long)]
    pub opponent: Option<Who>,
    /// Games against the opponent, for each number of simulations
    #[arg(long, default_value_t = 40)]
    pub games: usize,
    /// Weights, in place of the shipped ones
    #[arg(long)]
    pub weights: Option<PathBuf>,
    /// Where random numbers begin
    #[arg(skip)]
    pub seed: u64,
}

impl Default for ScalingConfig {
    fn default() -> Self {
        Self {
            game: GameId::ConnectFour,
            simulations: vec![1, 2, 5, 10, 20, 50, 100, 200, 400, 800],
            measure: None,
            opponent: None,
            games: 40,
            weights: None,
            seed: 0,
        }
    }
}

impl ScalingConfig {
    /// The measure that is used: the one asked for, else games if an opponent is named, else what
    /// suits the game.
    #[must_use]
    pub fn measured_by(&self) -> Measure {
        let named = self.opponent.map(|_| Measure::Match);
        let suits = || Measure::of(&self.game).unwrap_or(Measure::Match);
        self.measure.or(named).unwrap_or_else(suits)
    }

    /// Who is played against.
    #[must_use]
    pub fn plays_against(&self) -> Who {
        self.opponent.unwrap_or(Who::Machine(BASE))
    }
}

/// Games against an opponent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Versus {
    /// Who, such as `muzero:50`.
    pub opponent: Who,
    /// The results of the networks.
    pub tally: Tally,
    /// How many Elo points they are stronger, and the 95 % interval.
    pub elo: Option<Rating>,
}

/// A measurement and how long it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
    /// Games against an opponent, where those were played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versus: Option<Versus>,
    /// Seconds.
    pub seconds: f64,
}

/// Measures the same networks at several numbers of simulations.
pub struct ScalingJob {
    config: ScalingConfig,
    measure: Measure,
    trained: Option<Arc<Trained>>,
    /// How many are done.
    done: usize,
    under_way: Option<(Work, Instant)>,
}

enum Work {
    Measuring(Box<Measuring>),
    Match(Box<Contest>),
}

/// A match at one number of simulations.
struct Contest {
    simulations: usize,
    opponent: Who,
    games: Match,
    networks: Machine,
    other: Box<dyn Player>,
}

impl ScalingJob {
    /// Measures the shipped weights, or those of a file, at each number of simulations.
    ///
    /// # Errors
    /// When the game has no such measure, or a number is impossible.
    pub fn new(config: ScalingConfig) -> Result<Self> {
        let measure = config.measured_by();
        let refuse = |text: String| Err(Error::Input(text));
        if !(1..=MOST_GAMES).contains(&config.games) {
            return refuse(format!("games lie between 1 and {MOST_GAMES}"));
        }
        if config.simulations.is_empty() || config.simulations.iter().any(|&n| n > 10_000) {
            return refuse("name numbers of simulations of 0 to 10000".into());
        }
        if config.opponent.is_some() && measure != Measure::Match {
            return refuse("an opponent is for --measure match".into());
        }
        Ok(Self {
            config,
            measure,
            trained: None,
            done: 0,
            under_way: None,
        })
    }

    fn trained(&mut self, cx: &mut StepCx<'_, Measured>) -> Result<Arc<Trained>> {
        if let Some(trained) = &self.trained {
            return Ok(Arc::clone(trained));
        }
        let (game, file) = (&self.config.game, self.config.weights.as_deref());
        let (trained, warning) = networks(game, file, cx.device())?;
        if let Some(warning) = warning {
            cx.warn(warning);
        }
        self.trained = Some(Arc::clone(&trained));
        Ok(trained)
    }

    fn begin(&self, trained: Arc<Trained>, cx: &StepCx<'_, Measured>) -> Result<Work> {
        let simulations = self.config.simulations[self.done];
        let options = PlayOptions::best(&trained.about.settings, simulations);
        let rng = Rng::new(self.config.seed).split("measure");
        if self.measure != Measure::Match {
            let measuring = Measuring::new(self.measure, trained, options, cx.device(), &rng)?;
            return Ok(Work::Measuring(Box::new(measuring)));
        }
        let game = &self.config.game;
        let opponent = self.config.plays_against();
        let (games, file) = (self.config.games, self.config.weights.as_deref());
        let at_once = games.min(AT_ONCE);
        let seated = rng.split("opponent");
        let (other, _) = seat(opponent, game, file, 0.0, at_once, cx.device(), &seated)?;
        let options_of_match = MatchOptions {
            games,
            at_once,
            opening_plies: opening_plies(game),
        };
        Ok(Work::Match(Box::new(Contest {
            simulations,
            opponent,
            games: Match::new(&*open(game)?, options_of_match, &rng)?,
            networks: Machine::new(trained, options, cx.device(), &rng),
            other,
        })))
    }
}

impl Work {
    /// Goes on for a batch of moves. True when it is done.
    fn step(&mut self) -> Result<bool> {
        match self {
            Self::Measuring(measuring) => measuring.step(),
            Self::Match(contest) => {
                (contest.games).step(&mut contest.networks, &mut *contest.other)?;
                Ok(contest.games.is_over())
            }
        }
    }

    fn measured(&self, seconds: f64) -> Measured {
        match self {
            Self::Measuring(measuring) => Measured {
                found: measuring.found(),
                versus: None,
                seconds,
            },
            Self::Match(contest) => {
                let tally = contest.games.tally();
                Measured {
                    found: Found::of_match(contest.simulations, tally),
                    versus: Some(Versus {
                        opponent: contest.opponent,
                        tally,
                        elo: rate(&[Faced { elo: 0.0, tally }]),
                    }),
                    seconds,
                }
            }
        }
    }
}

impl Job for ScalingJob {
    type Output = Measured;

    fn step(&mut self, cx: &mut StepCx<'_, Measured>) -> Result<Flow> {
        let trained = self.trained(cx)?;
        let total = self.config.simulations.len();
        cx.progress(self.done as u64, Some(total as u64), "measurements");
        if let Some((work, begun)) = &mut self.under_way {
            if work.step()? {
                cx.emit(work.measured(begun.elapsed().as_secs_f64()));
                self.under_way = None;
                self.done += 1;
            }
        } else if self.done == total {
            return Ok(Flow::Finished);
        } else {
            self.under_way = Some((self.begin(trained, cx)?, Instant::now()));
        }
        Ok(Flow::Continue)
    }
}
