//! The names of all games.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A game by name, as settings, weights and the command line hold it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum GameId {
    /// 3 by 3, three in a row.
    TicTacToe,
    /// 6 rows of 7, four in a row, discs fall.
    ConnectFour,
    /// Othello on 6 by 6.
    Othello6,
    /// Othello on 8 by 8.
    Othello8,
    /// 9 by 9, five in a row.
    Gomoku,
    /// Go on 9 by 9, area scoring, superko.
    Go,
    /// Chess.
    Chess,
    /// A game of `MinAtar`: `breakout`, `freeway`, `asterix`, `space_invaders`, `seaquest`.
    MinAtar(MinAtar),
    /// A game of the arcade machine, by the name of its ROM.
    Atari(String),
}

/// `MinAtar`'s games.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MinAtar {
    /// A ball, a paddle, bricks.
    Breakout,
    /// A chicken crosses a road.
    Freeway,
    /// Gold among enemies.
    Asterix,
    /// A cannon against rows of aliens.
    SpaceInvaders,
    /// A submarine saves divers.
    Seaquest,
}

/// The games whose names are fixed.
const NAMES: &[(&str, GameId)] = &[
    ("tictactoe", GameId::TicTacToe),
    ("connect4", GameId::ConnectFour),
    ("othello6", GameId::Othello6),
    ("othello8", GameId::Othello8),
    ("gomoku", GameId::Gomoku),
    ("go9", GameId::Go),
    ("chess", GameId::Chess),
    ("minatar:breakout", GameId::MinAtar(MinAtar::Breakout)),
    ("minatar:freeway", GameId::MinAtar(MinAtar::Freeway)),
    ("minatar:asterix", GameId::MinAtar(MinAtar::Asterix)),
    (
        "minatar:space_invaders",
        GameId::MinAtar(MinAtar::SpaceInvaders),
    ),
    ("minatar:seaquest", GameId::MinAtar(MinAtar::Seaquest)),
];

impl GameId {
    /// All games but the arcade's.
    pub fn built_in() -> impl Iterator<Item = GameId> {
        NAMES.iter().map(|(_, id)| id.clone())
    }

    /// What people call it.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::TicTacToe => "Tic-tac-toe".into(),
            Self::ConnectFour => "Connect Four".into(),
            Self::Othello6 => "Othello 6 × 6".into(),
            Self::Othello8 => "Othello 8 × 8".into(),
            Self::Gomoku => "Gomoku 9 × 9".into(),
            Self::Go => "Go 9 × 9".into(),
            Self::Chess => "Chess".into(),
            Self::MinAtar(MinAtar::Breakout) => "MinAtar Breakout".into(),
            Self::MinAtar(MinAtar::Freeway) => "MinAtar Freeway".into(),
            Self::MinAtar(MinAtar::Asterix) => "MinAtar Asterix".into(),
            Self::MinAtar(MinAtar::SpaceInvaders) => "MinAtar Space Invaders".into(),
            Self::MinAtar(MinAtar::Seaquest) => "MinAtar Seaquest".into(),
            Self::Atari(rom) => format!("Atari {rom}"),
        }
    }
}

impl fmt::Display for GameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Atari(rom) = self {
            return write!(f, "atari:{rom}");
        }
        let name = NAMES.iter().find(|(_, id)| id == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

impl FromStr for GameId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let rom = text.strip_prefix("atari:").filter(|rom| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            !rom.is_empty() && rom.len() <= 64 && rom.chars().all(plain)
        });
        if let Some(rom) = rom {
            return Ok(Self::Atari(rom.to_owned()));
        }
        let known = NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, id)| id.clone()).ok_or_else(|| {
            // Some come from files, and may be anything.
            let text: String = text.chars().take(64).collect();
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            Error::Input(format!(
                "there is no game {text:?}, there are {} and atari:NAME",
                names.join(", ")
            ))
        })
    }
}

impl From<GameId> for String {
    fn from(id: GameId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for GameId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}
