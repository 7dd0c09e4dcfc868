//! What a training run is asked for: the command line's flags, the tab's controls, and what a
//! session and an export hold.
//!
//! A setting that is not given takes the value that suits the game ([`TrainConfig::settings`]).

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::game::{GameId, Spec};
use super::net::NetConfig;
use super::search::{Algorithm, GumbelConfig, PuctConfig, SearchConfig};
use super::support::Support;
use crate::error::{Error, Result};

/// How the agent learns and plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agent {
    /// Searches in a model it learned
    #[default]
    #[value(name = "muzero")]
    #[serde(rename = "muzero")]
    MuZero,
    /// Searches with the true rules of the game, the same network without dynamics
    #[value(name = "alphazero")]
    #[serde(rename = "alphazero")]
    AlphaZero,
    /// Does not search: a policy trained by its own results, with a value as baseline
    ActorCritic,
}

/// How the tree grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchKind {
    /// Gumbel `MuZero`: sequential halving at the root
    #[default]
    Gumbel,
    /// The paper's: upper confidence bounds, Dirichlet noise
    Puct,
}

/// What a training run is asked for.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainConfig {
    /// The game: tictactoe, connect4, othello6, othello8, gomoku, go9, chess, minatar:NAME,
    /// atari:NAME
    #[arg(long, default_value = "tictactoe")]
    pub game: GameId,
    /// How the agent learns
    #[arg(long, value_enum, default_value_t = Agent::MuZero)]
    pub agent: Agent,
    /// How the tree grows
    #[arg(long, value_enum, default_value_t = SearchKind::Gumbel)]
    pub search: SearchKind,
    /// Simulations a move in self-play; 0 plays from the policy alone
    #[arg(long)]
    pub simulations: Option<usize>,
    /// Q-values within this range are not stretched: what differs by less hardly sways the search
    #[arg(long)]
    pub least_range: Option<f32>,
    /// Channels of the networks
    #[arg(long)]
    pub channels: Option<usize>,
    /// Residual blocks of the dynamics
    #[arg(long)]
    pub blocks: Option<usize>,
    /// Residual blocks of the representation
    #[arg(long)]
    pub represent_blocks: Option<usize>,
    /// Games that are played at the same time
    #[arg(long)]
    pub games: Option<usize>,
    /// Positions of a training step
    #[arg(long)]
    pub batch: Option<usize>,
    /// Steps that the model is unrolled in training
    #[arg(long)]
    pub unroll: Option<usize>,
    /// Steps of real reward before a target trusts a value; board games wait for the end
    #[arg(long)]
    pub td_steps: Option<usize>,
    /// What a reward counts one step earlier
    #[arg(long)]
    pub discount: Option<f32>,
    /// The optimiser's learning rate
    #[arg(long)]
    pub learning_rate: Option<f64>,
    /// The optimiser's weight decay
    #[arg(long)]
    pub weight_decay: Option<f64>,
    /// How often a position is trained on, on average
    #[arg(long)]
    pub reuse: Option<f64>,
    /// Positions that are remembered
    #[arg(long)]
    pub buffer: Option<usize>,
    /// Share of the searches that look at remembered positions anew, 0 to 1
    #[arg(long)]
    pub reanalyse: Option<f64>,
    /// How much of a board's value target is what the search found instead of how the game ended
    #[arg(long)]
    pub value_mix: Option<f32>,
    /// Share of the games that begin with random moves
    #[arg(long)]
    pub openings: Option<f64>,
    /// Share of the moves that are random
    #[arg(long)]
    pub explore: Option<f64>,
    /// Moves of a game for two that are drawn with noise; later ones are the best that are found
    #[arg(long)]
    pub noisy_moves: Option<usize>,
    /// Whether self-play passes in Go while it is behind
    #[arg(long)]
    pub pass_behind: Option<bool>,
    /// Weight of the consistency loss
    #[arg(long)]
    pub consistency: Option<f64>,
    /// Turns and mirrors boards at random in training
    #[arg(long)]
    pub symmetries: Option<bool>,
    /// Stop after so many training steps
    #[arg(long)]
    pub steps: Option<u64>,
    /// Stop after so many minutes
    #[arg(long)]
    pub minutes: Option<f64>,
    /// Seconds of training between two measurements, 0 for none; as often as costs less than a tenth
    /// of the time if not given
    #[arg(long)]
    pub evaluate_every: Option<f64>,
    /// Simulations a move in those measurements; those of self-play if not given
    #[arg(long)]
    pub evaluate_with: Option<usize>,
    /// Where random numbers begin
    #[arg(skip)]
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self::new(GameId::TicTacToe)
    }
}

/// A run's settings, all decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The game.
    pub game: GameId,
    /// How the agent learns.
    pub agent: Agent,
    /// Self-play's search.
    pub search: SearchConfig,
    /// The networks.
    pub net: NetConfig,
    /// One or two.
    pub players: usize,
    /// Games at the same time.
    pub games: usize,
    /// Positions of a training step.
    pub batch: usize,
    /// Steps of unrolling.
    pub unroll: usize,
    /// Steps before a target trusts a value; `None` waits for the end.
    pub td_steps: Option<usize>,
    /// What a reward counts one step earlier.
    pub discount: f32,
    /// `AdamW`'s learning rate.
    pub learning_rate: f64,
    /// `AdamW`'s weight decay.
    pub weight_decay: f64,
    /// How often a position is trained on.
    pub reuse: f64,
    /// Positions that are remembered.
    pub buffer: usize,
    /// Share of the searches that look at remembered positions anew.
    pub reanalyse: f64,
    /// Share of the search's value in a board's value target.
    pub value_mix: f32,
    /// Exponent of the priorities; 0 draws positions evenly.
    pub priority: f64,
    /// Share of the games that begin with random moves.
    pub openings: f64,
    /// Most random moves at the beginning.
    pub opening_moves: usize,
    /// Share of the moves that are random.
    pub explore: f64,
    /// Moves since a game began that are drawn with noise.
    #[serde(default = "all_moves")]
    pub noisy_moves: usize,
    /// Whether whoever is behind may pass, though something else is legal.
    #[serde(default = "always")]
    pub pass_behind: bool,
    /// Weight of the value's loss beside the policy's.
    pub value_weight: f64,
    /// Weight of the consistency loss.
    pub consistency: f64,
    /// Whether boards are turned and mirrored.
    pub symmetries: bool,
    /// Where random numbers begin.
    pub seed: u64,
}

/// What suits a game.
struct Preset {
    simulations: usize,
    channels: usize,
    blocks: usize,
    represent_blocks: usize,
    games: usize,
    batch: usize,
    learning_rate: f64,
    reuse: f64,
    buffer: usize,
    openings: f64,
    opening_moves: usize,
    explore: f64,
    noisy_moves: usize,
    value_mix: f32,
}

/// More moves than a game has.
pub const ALL_MOVES: usize = 10_000;

/// What runs did before there was a choice.
fn all_moves() -> usize {
    ALL_MOVES
}

fn always() -> bool {
    true
}

/// Positions that an agent without a search keeps.
const ON_POLICY_BUFFER: usize = 16_384;

/// Board games unless said otherwise.
const BOARD: Preset = Preset {
    simulations: 32,
    channels: 32,
    blocks: 2,
    represent_blocks: 3,
    games: 128,
    batch: 128,
    learning_rate: 2e-3,
    reuse: 3.0,
    buffer: 200_000,
    openings: 0.5,
    opening_moves: 12,
    explore: 0.02,
    noisy_moves: 10,
    value_mix: 0.25,
};

fn preset(game: &GameId) -> Preset {
    match game {
        GameId::TicTacToe => Preset {
            simulations: 16,
            channels: 16,
            blocks: 1,
            represent_blocks: 1,
            games: 64,
            learning_rate: 5e-3,
            buffer: 30_000,
            opening_moves: 5,
            explore: 0.1,
            noisy_moves: ALL_MOVES,
            ..BOARD
        },
        GameId::ConnectFour => Preset {
            buffer: 100_000,
            opening_moves: 20,
            ..BOARD
        },
        GameId::Othello6 | GameId::Othello8 => Preset {
            opening_moves: 10,
            ..BOARD
        },
        GameId::Go => Preset {
            opening_moves: 8,
            noisy_moves: 20,
            ..BOARD
        },
        GameId::Gomoku | GameId::Chess => Preset {
            channels: 48,
            opening_moves: 8,
            noisy_moves: 20,
            ..BOARD
        },
        GameId::MinAtar(_) => Preset {
            simulations: 16,
            channels: 16,
            blocks: 1,
            represent_blocks: 1,
            games: 64,
            reuse: 1.0,
            openings: 0.0,
            explore: 0.0,
            noisy_moves: ALL_MOVES,
            value_mix: 0.0,
            ..BOARD
        },
        GameId::Atari(_) => Preset {
            simulations: 50,
            channels: 64,
            blocks: 1,
            represent_blocks: 1,
            games: 16,
            reuse: 8.0,
            buffer: 30_000,
            openings: 0.0,
            explore: 0.0,
            noisy_moves: ALL_MOVES,
            value_mix: 0.0,
            ..BOARD
        },
    }
}

/// The places of rewards and values in games for one. As many below zero as above: untrained networks
/// then say about 0. With more above, they began at 65 in a game of rare rewards, and bootstrapping
/// took hours to forget it.
fn scalar_support(game: &GameId) -> Support {
    let (low, high, bins) = match game {
        GameId::Atari(_) => (-24.0, 24.0, 193),
        _ => (-8.0, 8.0, 65),
    };
    Support {
        low,
        high,
        bins,
        transformed: true,
    }
}

impl TrainConfig {
    /// A run of a game with what suits it.
    #[must_use]
    pub fn new(game: GameId) -> Self {
        Self {
            game,
            agent: Agent::default(),
            search: SearchKind::default(),
            simulations: None,
            least_range: None,
            channels: None,
            blocks: None,
            represent_blocks: None,
            games: None,
            batch: None,
            unroll: None,
            td_steps: None,
            discount: None,
            learning_rate: None,
            weight_decay: None,
            reuse: None,
            buffer: None,
            reanalyse: None,
            value_mix: None,
            openings: None,
            explore: None,
            noisy_moves: None,
            pass_behind: None,
            consistency: None,
            symmetries: None,
            steps: None,
            minutes: None,
            evaluate_every: None,
            evaluate_with: None,
            seed: 0,
        }
    }

    /// The same, with what is not given taken from another one; game, agent, search and seed are
    /// those of the other.
    #[must_use]
    pub fn over(self, base: &Self) -> Self {
        Self {
            game: base.game.clone(),
            agent: base.agent,
            search: base.search,
            simulations: self.simulations.or(base.simulations),
            least_range: self.least_range.or(base.least_range),
            channels: self.channels.or(base.channels),
            blocks: self.blocks.or(base.blocks),
            represent_blocks: self.represent_blocks.or(base.represent_blocks),
            games: self.games.or(base.games),
            batch: self.batch.or(base.batch),
            unroll: self.unroll.or(base.unroll),
            td_steps: self.td_steps.or(base.td_steps),
            discount: self.discount.or(base.discount),
            learning_rate: self.learning_rate.or(base.learning_rate),
            weight_decay: self.weight_decay.or(base.weight_decay),
            reuse: self.reuse.or(base.reuse),
            buffer: self.buffer.or(base.buffer),
            reanalyse: self.reanalyse.or(base.reanalyse),
            value_mix: self.value_mix.or(base.value_mix),
            openings: self.openings.or(base.openings),
            explore: self.explore.or(base.explore),
            noisy_moves: self.noisy_moves.or(base.noisy_moves),
            pass_behind: self.pass_behind.or(base.pass_behind),
            consistency: self.consistency.or(base.consistency),
            symmetries: self.symmetries.or(base.symmetries),
            // When to stop is asked for anew each time.
            steps: self.steps,
            minutes: self.minutes,
            evaluate_every: self.evaluate_every.or(base.evaluate_every),
            evaluate_with: self.evaluate_with.or(base.evaluate_with),
            seed: base.seed,
        }
    }

    /// All settings, of a game of this kind.
    ///
    /// # Errors
    /// When one is impossible.
    pub fn settings(&self, spec: &Spec) -> Result<Settings> {
        let mut preset = preset(&self.game);
        let searches = self.agent != Agent::ActorCritic;
        if !searches {
            // What is learnt from once need not be kept, and random moves teach nothing.
            preset.buffer = ON_POLICY_BUFFER;
            preset.explore = 0.0;
        }
        let board = spec.players == 2;
        let pixels = !board;
        let channels = self.channels.unwrap_or(preset.channels);
        let consistency = if self.agent == Agent::MuZero {
            self.consistency.unwrap_or(if pixels { 2.0 } else { 0.0 })
        } else {
            0.0
        };
        let settings = Settings {
            game: self.game.clone(),
            agent: self.agent,
            search: self.search_config(preset.simulations, spec),
            net: NetConfig {
                observation: spec.observation,
                actions: spec.actions,
                coding: spec.coding,
                channels,
                represent_blocks: self.represent_blocks.unwrap_or(preset.represent_blocks),
                dynamics_blocks: self.blocks.unwrap_or(preset.blocks),
                head_channels: 8,
                hidden: 64,
                value: if board {
                    Support::OUTCOME
                } else {
                    scalar_support(&self.game)
                },
                reward: Some(if board {
                    Support::LAST_MOVE
                } else {
                    scalar_support(&self.game)
                }),
                downsample: matches!(self.game, GameId::Atari(_)),
                projection: if consistency > 0.0 { 128 } else { 0 },
            },
            players: spec.players,
            games: self.games.unwrap_or(preset.games),
            batch: self.batch.unwrap_or(preset.batch),
            unroll: self.unroll.unwrap_or(5),
            td_steps: if board {
                self.td_steps
            } else {
                Some(self.td_steps.unwrap_or(10))
            },
            discount: self.discount.unwrap_or(if board { 1.0 } else { 0.99 }),
            learning_rate: self.learning_rate.unwrap_or(preset.learning_rate),
            weight_decay: self.weight_decay.unwrap_or(1e-4),
            reuse: self.reuse.unwrap_or(preset.reuse),
            buffer: self.buffer.unwrap_or(preset.buffer),
            reanalyse: self.reanalyse.unwrap_or(0.0),
            value_mix: self.value_mix.unwrap_or(preset.value_mix),
            priority: if pixels { 0.5 } else { 0.0 },
            openings: self.openings.unwrap_or(preset.openings),
            opening_moves: preset.opening_moves,
            explore: self.explore.unwrap_or(preset.explore),
            noisy_moves: self.noisy_moves.unwrap_or(preset.noisy_moves),
            // Two passes end a game, and white, who has the 7.5, soon answers any: whoever passes while
            // behind has lost, learns that all is lost, and passes. No game got beyond 22 moves.
            pass_behind: self.pass_behind.unwrap_or(self.game != GameId::Go),
            value_weight: if pixels { 0.5 } else { 1.0 },
            consistency,
            symmetries: searches && self.symmetries.unwrap_or(board),
            seed: self.seed,
        };
        check(&settings)?;
        let every = self.evaluate_every.unwrap_or(0.0);
        if !(every.is_finite() && every >= 0.0) || self.evaluate_with.unwrap_or(0) > 10_000 {
            return Err(Error::Input(
                "measurements take seconds of at least 0 and at most 10000 simulations".into(),
            ));
        }
        Ok(settings)
    }

    fn search_config(&self, simulations: usize, spec: &Spec) -> SearchConfig {
        SearchConfig {
            simulations: match self.agent {
                Agent::ActorCritic => 0,
                Agent::MuZero | Agent::AlphaZero => self.simulations.unwrap_or(simulations),
            },
            algorithm: match self.search {
                SearchKind::Gumbel => {
                    let usual = if spec.players == 2 {
                        GumbelConfig::board()
                    } else {
                        GumbelConfig::arcade()
                    };
                    Algorithm::Gumbel(GumbelConfig {
                        least_range: self.least_range.unwrap_or(usual.least_range),
                        ..usual
                    })
                }
                // As the paper's, 0.3 for chess: about ten over the number of moves.
                SearchKind::Puct => Algorithm::Puct(PuctConfig {
                    dirichlet_alpha: (10.0 / spec.actions as f32).clamp(0.03, 1.0),
                    dirichlet_fraction: 0.25,
                    temperature: 1.0,
                    ..PuctConfig::default()
                }),
            },
        }
    }
}

fn check(settings: &Settings) -> Result<()> {
    let share = |name: &str, value: f64| {
        if (0.0..=1.0).contains(&value) {
            Ok(())
        } else {
            Err(Error::Input(format!(
                "{name} lies between 0 and 1, not {value}"
            )))
        }
    };
    share("openings", settings.openings)?;
    share("explore", settings.explore)?;
    share("reanalyse", settings.reanalyse)?;
    share("value-mix", f64::from(settings.value_mix))?;
    share("discount", f64::from(settings.discount))?;
    let within = |name: &str, value: usize, least: usize, most: usize| {
        if (least..=most).contains(&value) {
            Ok(())
        } else {
            Err(Error::Input(format!(
                "{name} lies between {least} and {most}, not {value}"
            )))
        }
    };
    within("simulations", settings.search.simulations, 0, 10_000)?;
    within("games", settings.games, 1, 4096)?;
    within("batch", settings.batch, 1, 8192)?;
    within("unroll", settings.unroll, 1, 50)?;
    within("td-steps", settings.td_steps.unwrap_or(1), 1, 1000)?;
    within("buffer", settings.buffer, 1000, 100_000_000)?;
    let sane = |x: f64| x.is_finite() && x >= 0.0;
    if !sane(settings.learning_rate) || !sane(settings.weight_decay) || !sane(settings.consistency)
    {
        return Err(Error::Input(
            "learning rate, weight decay and consistency are numbers of at least 0".into(),
        ));
    }
    if let Algorithm::Gumbel(gumbel) = &settings.search.algorithm
        && !(1e-8..=1000.0).contains(&gumbel.least_range)
    {
        return Err(Error::Input(format!(
            "least-range lies between 1e-8 and 1000, not {}",
            gumbel.least_range
        )));
    }
    if !(0.01..=1000.0).contains(&settings.reuse) {
        return Err(Error::Input(format!(
            "reuse lies between 0.01 and 1000, not {}",
            settings.reuse
        )));
    }
    if settings.agent == Agent::AlphaZero && settings.players == 1 {
        return Err(Error::Input(
            "alphazero plays board games only: chance would have to be known before".into(),
        ));
    }
    Ok(())
}
