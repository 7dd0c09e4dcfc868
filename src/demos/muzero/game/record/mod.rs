//! Games as text: plain moves for every game, SGF for Go, Gomoku and Othello, PGN for chess.
//!
//! What is read is played from the beginning, so a [`Record`] holds legal moves only. Of SGF and
//! PGN the main line of the first game is read; variations, comments and what else they hold are
//! left out, and are not written.

mod moves;
mod pgn;
mod san;
mod sgf;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Game, GameId, Outcome, Player, open};
use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::store::atomic_write;

/// The longest text that is read.
const MAX_BYTES: usize = 1 << 20;
/// The longest name of a player that is kept.
const MAX_NAME: usize = 100;

/// A game as it was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which game.
    pub game: GameId,
    /// The actions from the beginning.
    pub moves: Vec<usize>,
    /// Who played, first the one who began; empty where nobody said.
    pub players: [String; 2],
    /// How it ended: as the rules say, or as was said, such as when somebody resigned.
    pub outcome: Option<Outcome>,
    /// The seed of all chance in the game; board games need none.
    pub seed: Option<u64>,
}

/// How a game is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The names of the moves.
    Moves,
    /// The Smart Game Format, FF 4.
    Sgf,
    /// Portable Game Notation.
    Pgn,
}

impl Format {
    /// The formats of a game, the usual one first.
    #[must_use]
    pub fn of(game: &GameId) -> &'static [Self] {
        match game {
            GameId::Go | GameId::Gomoku | GameId::Othello6 | GameId::Othello8 => {
                &[Self::Sgf, Self::Moves]
            }
            GameId::Chess => &[Self::Pgn, Self::Moves],
            _ => &[Self::Moves],
        }
    }

    /// How files of this format end.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Moves => "txt",
            Self::Sgf => "sgf",
            Self::Pgn => "pgn",
        }
    }
}

impl Record {
    /// A record of moves from the beginning.
    ///
    /// # Errors
    /// When a move is not legal, or the game cannot be opened.
    pub fn new(game: GameId, moves: Vec<usize>, seed: Option<u64>) -> Result<Self> {
        let mut line = Line::begin(&game, seed)?;
        for action in moves {
            line.play(action)?;
        }
        Ok(line.record(game, seed))
    }

    /// The game with all moves played.
    ///
    /// # Errors
    /// When a move is not legal, or the game cannot be opened.
    pub fn replay(&self) -> Result<Box<dyn Game>> {
        let mut line = Line::begin(&self.game, self.seed)?;
        for &action in &self.moves {
            line.play(action)?;
        }
        Ok(line.game)
    }

    /// Writes the game down.
    ///
    /// # Errors
    /// When the format is not made for this game, or a move is not legal.
    pub fn write(&self, format: Format) -> Result<String> {
        if !Format::of(&self.game).contains(&format) {
            let extension = format.extension().to_uppercase();
            return Err(Error::Input(format!(
                "games of {} are not written as {extension}",
                self.game
            )));
        }
        match format {
            Format::Moves => moves::write(self),
            Format::Sgf => sgf::write(self),
            Format::Pgn => pgn::write(self),
        }
    }

    /// Reads a game in any format, which is told from how the text begins. `game` says of which
    /// game plain moves are where the text does not.
    ///
    /// # Errors
    /// When the text is too long, no game, of a game that is not played here, or a move is not
    /// legal; the message says which.
    pub fn read(text: &str, game: Option<&GameId>) -> Result<Self> {
        if text.len() > MAX_BYTES {
            let mib = text.len() >> 20;
            return Err(Error::Input(format!(
                "the game is {mib} MiB of text, at most 1 MiB is read"
            )));
        }
        let text = text.trim_start_matches('\u{feff}');
        let begins = |with: &[&str]| {
            let text = text.trim_start();
            with.iter().any(|start| text.starts_with(start))
        };
        if begins(&["("]) {
            sgf::read(text)
        } else if begins(&["[", "{", ";", "%", "1."]) {
            pgn::read(text)
        } else {
            moves::read(text, game)
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When the file cannot be read, or as [`Record::read`].
    pub fn load(path: &Path, game: Option<&GameId>) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("cannot open the game", path))?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(Error::io("cannot read the game", path))?;
        if bytes.len() > MAX_BYTES {
            return Err(Error::bad_file(path, "a game of more than 1 MiB"));
        }
        // Old files are Latin-1 here and there: names suffer, moves do not.
        let text = String::from_utf8_lossy(&bytes);
        Self::read(&text, game).map_err(|error| match error {
            Error::Input(reason) => Error::bad_file(path, reason),
            other => other,
        })
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written, or as [`Record::write`].
    pub fn save(&self, path: &Path, format: Format) -> Result<()> {
        atomic_write(path, self.write(format)?.as_bytes())
    }
}

/// A game that is being read or written, move by move.
struct Line {
    game: Box<dyn Game>,
    moves: Vec<usize>,
}

impl Line {
    fn begin(id: &GameId, seed: Option<u64>) -> Result<Self> {
        let mut game = open(id)?;
        game.reset(Rng::new(seed.unwrap_or_default()))?;
        Ok(Self {
            game,
            moves: Vec::new(),
        })
    }

    /// Plays an action and gives its name.
    fn play(&mut self, action: usize) -> Result<String> {
        if action >= self.game.spec().actions {
            return Err(self.wrong(&action.to_string(), "there is no such action"));
        }
        let name = self.game.action_name(action);
        self.step(action, &name)?;
        Ok(name)
    }

    /// Plays a move; `shown` is how the text has it.
    fn step(&mut self, action: usize, shown: &str) -> Result<()> {
        if self.game.is_over() {
            return Err(self.wrong(shown, "the game is over before it"));
        }
        let step = self.game.step(action);
        step.map_err(|error| match error {
            Error::Input(_) => self.wrong(shown, "it is not legal there"),
            other => other,
        })?;
        self.moves.push(action);
        Ok(())
    }

    /// What is wrong with the move that comes next.
    fn wrong(&self, shown: &str, why: &str) -> Error {
        let number = self.moves.len() + 1;
        Error::Input(format!("move {number}, {:?}: {why}", short(shown)))
    }

    fn record(self, game: GameId, seed: Option<u64>) -> Record {
        Record {
            game,
            outcome: self.game.outcome(),
            moves: self.moves,
            players: Default::default(),
            seed,
        }
    }
}

/// As much of a text as fits a message.
fn short(text: &str) -> String {
    text.chars().take(20).collect()
}

/// A name on one line, of reasonable length.
fn one_line(name: &str) -> String {
    let words: Vec<&str> = name
        .split(|c: char| c.is_whitespace() || c.is_control())
        .collect();
    let words = words.into_iter().filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars()
        .take(MAX_NAME)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// Results as PGN has them: the first player's points, then the second's.
const RESULTS: [(&str, Option<Outcome>); 4] = [
    ("1-0", Some(Outcome::Won(Player::First))),
    ("0-1", Some(Outcome::Won(Player::Second))),
    ("1/2-1/2", Some(Outcome::Drawn)),
    ("*", None),
];

fn result_text(outcome: Option<Outcome>) -> &'static str {
    let known = RESULTS.iter().find(|(_, known)| *known == outcome);
    known.map_or("*", |(text, _)| text)
}

/// What a result says, where the text is one.
fn parse_result(text: &str) -> Option<&'static (&'static str, Option<Outcome>)> {
    RESULTS.iter().find(|(known, _)| *known == text)
}
