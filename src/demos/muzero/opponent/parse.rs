//! Opponents by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::process::Program;
use super::{AlphaBeta, GnuGo, Minimax, Opponent, Random, Solver, Uci};
use crate::demos::muzero::game::GameId;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// An opponent and its setting, as settings and the command line hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum OpponentId {
    /// Any legal move.
    Random,
    /// Perfect tic-tac-toe.
    Minimax,
    /// Perfect Connect Four.
    Solver,
    /// Alpha-beta so many plies deep.
    AlphaBeta(u32),
    /// GNU Go at a level.
    GnuGo(u32),
    /// Stockfish at a skill.
    Stockfish(i32),
    /// Fairy-Stockfish at a skill.
    Fairy(i32),
}

/// A kind of opponent: how it is written, and what its setting may be.
struct Kind {
    word: &'static str,
    /// The first, the least and the largest setting; `None` for those without one.
    setting: Option<[i32; 3]>,
    make: fn(i32) -> OpponentId,
}

const KINDS: &[Kind] = &[
    Kind {
        word: "random",
        setting: None,
        make: |_| OpponentId::Random,
    },
    Kind {
        word: "minimax",
        setting: None,
        make: |_| OpponentId::Minimax,
    },
    Kind {
        word: "solver",
        setting: None,
        make: |_| OpponentId::Solver,
    },
    Kind {
        word: "alphabeta",
        setting: Some([4, 1, 12]),
        make: |depth| OpponentId::AlphaBeta(depth.unsigned_abs()),
    },
    Kind {
        word: "gnugo",
        setting: Some([1, 1, 10]),
        make: |level| OpponentId::GnuGo(level.unsigned_abs()),
    },
    Kind {
        word: "stockfish",
        setting: Some([0, 0, 20]),
        make: OpponentId::Stockfish,
    },
    Kind {
        word: "fairy",
        setting: Some([-20, -20, 20]),
        make: OpponentId::Fairy,
    },
];

impl Kind {
    fn first(&self) -> OpponentId {
        (self.make)(self.setting.map_or(0, |[first, ..]| first))
    }

    /// How it is written, for people.
    fn usage(&self) -> String {
        match self.setting {
            None => self.word.to_owned(),
            Some([_, least, largest]) => format!("{}:{least}..{largest}", self.word),
        }
    }

    fn parse(&self, setting: Option<&str>) -> Option<OpponentId> {
        match (self.setting, setting) {
            (_, None) => Some(self.first()),
            (None, Some(_)) => None,
            (Some([_, least, largest]), Some(text)) => {
                let number: i32 = text.parse().ok()?;
                (least..=largest)
                    .contains(&number)
                    .then(|| (self.make)(number))
            }
        }
    }
}

impl OpponentId {
    /// Whether it knows the game.
    #[must_use]
    pub fn plays(&self, game: &GameId) -> bool {
        match self {
            Self::Random => !matches!(game, GameId::MinAtar(_) | GameId::Atari(_)),
            Self::Minimax => *game == GameId::TicTacToe,
            Self::Solver => *game == GameId::ConnectFour,
            Self::AlphaBeta(_) => matches!(
                game,
                GameId::ConnectFour | GameId::Othello6 | GameId::Othello8
            ),
            Self::GnuGo(_) => *game == GameId::Go,
            Self::Stockfish(_) | Self::Fairy(_) => *game == GameId::Chess,
        }
    }

    /// The command that installs what it needs, if that is not there.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let package = match self {
            Self::GnuGo(_) => "gnugo",
            Self::Stockfish(_) => "stockfish",
            Self::Fairy(_) => "fairy-stockfish",
            Self::Random | Self::Minimax | Self::Solver | Self::AlphaBeta(_) => return None,
        };
        let program = Program::packaged(package, &[]);
        program.find().is_none().then_some(program.remedy)
    }
}

impl fmt::Display for OpponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.write_str("random"),
            Self::Minimax => f.write_str("minimax"),
            Self::Solver => f.write_str("solver"),
            Self::AlphaBeta(depth) => write!(f, "alphabeta:{depth}"),
            Self::GnuGo(level) => write!(f, "gnugo:{level}"),
            Self::Stockfish(skill) => write!(f, "stockfish:{skill}"),
            Self::Fairy(skill) => write!(f, "fairy:{skill}"),
        }
    }
}

impl FromStr for OpponentId {
    type Err = Error;

    /// A word alone has its first setting: `gnugo` is `gnugo:1`.
    fn from_str(text: &str) -> Result<Self> {
        let (word, setting) = match text.split_once(':') {
            Some((word, setting)) => (word, Some(setting)),
            None => (text, None),
        };
        let kind = KINDS.iter().find(|kind| kind.word == word);
        kind.and_then(|kind| kind.parse(setting)).ok_or_else(|| {
            let known: Vec<String> = KINDS.iter().map(Kind::usage).collect();
            let known = known.join(", ");
            let shown: String = text.chars().take(40).collect();
            Error::Input(format!("there is no opponent {shown:?}, there are {known}"))
        })
    }
}

impl From<OpponentId> for String {
    fn from(id: OpponentId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for OpponentId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// Who can play a game, each with its first setting, installed or not ([`OpponentId::remedy`]).
#[must_use]
pub fn available(game: &GameId) -> Vec<OpponentId> {
    let all = KINDS.iter().map(Kind::first);
    all.filter(|opponent| opponent.plays(game)).collect()
}

/// Makes an opponent, whose chance comes from `rng`. Engines start with their first move.
///
/// # Errors
/// When it does not know the game, and when its program is not installed.
pub fn open(id: &OpponentId, game: &GameId, rng: &Rng) -> Result<Box<dyn Opponent>> {
    if !id.plays(game) {
        let known: Vec<String> = available(game).iter().map(ToString::to_string).collect();
        let known = match known.len() {
            0 => "nobody does".to_owned(),
            _ => format!("these do: {}", known.join(", ")),
        };
        return Err(Error::Input(format!("{id} does not play {game}, {known}")));
    }
    if let Some(remedy) = id.remedy() {
        let word = id.to_string();
        let word = word.split(':').next().unwrap_or_default();
        return Err(Error::Missing(format!(
            "{word} is not installed, install it with: {remedy}"
        )));
    }
    let mut rng = rng.split(&id.to_string());
    Ok(match *id {
        OpponentId::Random => Box::new(Random::new(rng)),
        OpponentId::Minimax => Box::new(Minimax::new(rng)),
        OpponentId::Solver => Box::new(Solver::new(rng)),
        OpponentId::AlphaBeta(depth) => Box::new(AlphaBeta::new(depth, rng)),
        OpponentId::GnuGo(level) => Box::new(GnuGo::new(level, &mut rng)),
        OpponentId::Stockfish(skill) => Box::new(Uci::stockfish(skill)),
        OpponentId::Fairy(skill) => Box::new(Uci::fairy_stockfish(skill)),
    })
}
