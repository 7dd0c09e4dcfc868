//! Matches and episodes as jobs.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::arena::{Finished, Match, MatchOptions, MeanReturn, Player, Tally, mean_return};
use super::evaluate::Episodes;
use super::game::{GameId, open};
use super::who::{Who, seat};
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Frames that the arcade shows a decision for.
const FRAME_SKIP: u64 = 4;

/// What is played.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize)]
pub struct PlayConfig {
    /// The game, as in `train`
    #[arg(long, default_value = "connect4")]
    pub game: GameId,
    /// Who plays: muzero:N (N simulations a move), random, minimax, solver, alphabeta:DEPTH,
    /// gnugo:LEVEL, stockfish:SKILL, fairy:SKILL
    #[arg(long, default_value = "muzero:200")]
    pub a: Who,
    /// Against whom; not in games for one
    #[arg(long)]
    pub b: Option<Who>,
    /// Weights of A, in place of the shipped ones
    #[arg(long)]
    pub weights: Option<PathBuf>,
    /// Weights of B, in place of the shipped ones
    #[arg(long)]
    pub weights_b: Option<PathBuf>,
    /// Games; they take turns in beginning
    #[arg(long, default_value_t = 100)]
    pub games: usize,
    /// Random moves before each game, the same for two games with either side
    #[arg(long, default_value_t = 0)]
    pub opening: usize,
    /// 0 plays the best move, 1 draws from the policy that the search found
    #[arg(long, default_value_t = 0.0)]
    pub temperature: f32,
    /// Cut episodes of games for one after so many decisions
    #[arg(long)]
    pub max_steps: Option<usize>,
    /// Where random numbers begin
    #[arg(skip)]
    pub seed: u64,
}

/// How a contest stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Of games for two, for A.
    Match {
        /// All games.
        tally: Tally,
        /// Those A began, and those B began.
        by_side: [Tally; 2],
    },
    /// Of games for one.
    Episodes {
        /// Their mean return.
        score: Option<MeanReturn>,
        /// Frames that were shown.
        frames: u64,
        /// Decisions that were made.
        decisions: u64,
    },
}

/// What a contest tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// A game of a match ended.
    Game(Box<Finished>),
    /// An episode ended with this return.
    Episode(f64),
    /// How it stands; the last is the result.
    Standing(Standing),
}

/// A match, or episodes of a game for one.
pub struct ContestJob {
    config: PlayConfig,
    work: Option<Work>,
}

enum Work {
    Match {
        contest: Box<Match>,
        a: Box<dyn Player>,
        b: Box<dyn Player>,
    },
    Episodes {
        episodes: Episodes,
        player: Box<dyn Player>,
        told: usize,
        frame_skip: u64,
    },
}

impl ContestJob {
    /// A contest.
    ///
    /// # Errors
    /// When a setting is impossible.
    pub fn new(config: PlayConfig) -> Result<Self> {
        let refuse = |text: &str| Err(Error::Input(text.into()));
        if !(1..=100_000).contains(&config.games) {
            return refuse("games lie between 1 and 100000");
        }
        if !(0.0..=100.0).contains(&config.temperature) {
            return refuse("the temperature lies between 0 and 100");
        }
        Ok(Self { config, work: None })
    }

    fn begin(&self, cx: &mut StepCx<'_, Output>) -> Result<Work> {
        let config = &self.config;
        let game = open(&config.game)?;
        let rng = Rng::new(config.seed);
        let at_once = config.games.min(64);
        let device = cx.device().clone();
        let mut sit = |who, weights: &Option<PathBuf>, label: &str| {
            let (player, warning) = seat(
                who,
                &config.game,
                weights.as_deref(),
                config.temperature,
                at_once.min(rayon::current_num_threads()),
                &device,
                &rng.split(label),
            )?;
            if let Some(warning) = warning {
                cx.warn(warning);
            }
            Ok::<_, Error>(player)
        };
        let a = sit(config.a, &config.weights, "a")?;
        if game.spec().players == 1 {
            if config.b.is_some() {
                return Err(Error::Input(format!("{} is played alone", config.game)));
            }
            let (games, rng) = (config.games, rng.split("episodes"));
            return Ok(Work::Episodes {
                episodes: Episodes::new(&config.game, games, config.max_steps, &rng)?,
                player: a,
                told: 0,
                frame_skip: match config.game {
                    GameId::Atari(_) => FRAME_SKIP,
                    _ => 1,
                },
            });
        }
        let who = config
            .b
            .unwrap_or(Who::Opponent(super::opponent::OpponentId::Random));
        let b = sit(who, &config.weights_b, "b")?;
        let options = MatchOptions {
            games: config.games,
            at_once,
            opening_plies: config.opening,
        };
        Ok(Work::Match {
            contest: Box::new(Match::new(&*game, options, &rng)?),
            a,
            b,
        })
    }
}

impl Job for ContestJob {
    type Output = Output;

    fn step(&mut self, cx: &mut StepCx<'_, Output>) -> Result<Flow> {
        let total = Some(self.config.games as u64);
        let over = match &mut self.work {
            None => {
                self.work = Some(self.begin(cx)?);
                return Ok(Flow::Continue);
            }
            Some(Work::Match { contest, a, b }) => {
                for finished in contest.step(&mut **a, &mut **b)? {
                    cx.emit(Output::Game(Box::new(finished)));
                    cx.emit(Output::Standing(Standing::Match {
                        tally: contest.tally(),
                        by_side: contest.by_side(),
                    }));
                }
                cx.progress(contest.tally().games(), total, "games");
                contest.is_over()
            }
            Some(Work::Episodes {
                episodes,
                player,
                told,
                frame_skip,
            }) => {
                episodes.step(&mut **player)?;
                for earned in &episodes.returns[*told..] {
                    cx.emit(Output::Episode(*earned));
                }
                *told = episodes.returns.len();
                cx.progress(*told as u64, total, "episodes");
                let over = episodes.is_over();
                if over {
                    cx.emit(Output::Standing(Standing::Episodes {
                        score: mean_return(&episodes.returns),
                        frames: episodes.decisions * *frame_skip,
                        decisions: episodes.decisions,
                    }));
                }
                over
            }
        };
        Ok(if over { Flow::Finished } else { Flow::Continue })
    }
}
