//! Plain moves: their names with spaces between, and what else is known in lines that begin with
//! `#`.
//!
//! ```text
//! # game: connect4
//! # first: Ada
//! # result: 1-0
//! 4 4 5 3 6 7 7
//! ```
//!
//! The names of Connect Four and tic-tac-toe may also stand without spaces, `4453`.

use super::{Line, Record, one_line, parse_result, result_text};
use crate::demos::muzero::game::{GameId, Outcome};
use crate::error::{Error, Result};

/// Moves on a line.
const PER_LINE: usize = 16;

pub(super) fn write(record: &Record) -> Result<String> {
    let mut text = format!("# game: {}\n", record.game);
    for (key, name) in ["first", "second"].into_iter().zip(&record.players) {
        let name = one_line(name);
        if !name.is_empty() {
            text += &format!("# {key}: {name}\n");
        }
    }
    if let Some(seed) = record.seed {
        text += &format!("# seed: {seed}\n");
    }
    if record.outcome.is_some() {
        text += &format!("# result: {}\n", result_text(record.outcome));
    }
    let mut line = Line::begin(&record.game, record.seed)?;
    for (index, &action) in record.moves.iter().enumerate() {
        let name = line.play(action)?;
        let is_last = index + 1 == record.moves.len() || index % PER_LINE == PER_LINE - 1;
        text += &name;
        text.push(if is_last { '\n' } else { ' ' });
    }
    Ok(text)
}

pub(super) fn read(text: &str, game: Option<&GameId>) -> Result<Record> {
    let header = Header::read(text)?;
    let id = header.game.as_ref().or(game).ok_or_else(|| {
        Error::Input(
            "these are plain moves, but of which game? Begin with a line such as # game: connect4"
                .to_owned(),
        )
    })?;
    let mut line = Line::begin(id, header.seed)?;
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    for word in lines.flat_map(|line| line.split([' ', '\t', ',', ';'])) {
        if !word.is_empty() {
            read_word(&mut line, id, word)?;
        }
    }
    let mut record = line.record(id.clone(), header.seed);
    record.players = header.players;
    record.outcome = record.outcome.or(header.outcome);
    Ok(record)
}

fn read_word(line: &mut Line, id: &GameId, word: &str) -> Result<()> {
    let one_digit = matches!(id, GameId::ConnectFour | GameId::TicTacToe);
    if one_digit && word.bytes().all(|byte| byte.is_ascii_digit()) {
        for digit in word.split("").filter(|digit| !digit.is_empty()) {
            read_move(line, digit)?;
        }
        return Ok(());
    }
    read_move(line, word)
}

fn read_move(line: &mut Line, name: &str) -> Result<()> {
    let action = line.game.parse_action(name).map_err(|error| match error {
        Error::Input(why) => Error::Input(format!("move {}: {why}", line.moves.len() + 1)),
        other => other,
    })?;
    line.step(action, name)
}

/// What the lines that begin with `#` say.
#[derive(Default)]
struct Header {
    game: Option<GameId>,
    players: [String; 2],
    outcome: Option<Outcome>,
    seed: Option<u64>,
}

impl Header {
    /// Lines that say nothing known are comments.
    fn read(text: &str) -> Result<Self> {
        let mut header = Self::default();
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix('#'));
        for (key, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match key.trim() {
                "game" => header.game = Some(value.parse()?),
                "first" => header.players[0] = one_line(value),
                "second" => header.players[1] = one_line(value),
                "seed" => header.seed = Some(parse_seed(value)?),
                "result" => {
                    let known = parse_result(value);
                    let (_, outcome) = known.ok_or_else(|| {
                        let value = super::short(value);
                        Error::Input(format!(
                            "the result {value:?} is none of 1-0, 0-1, 1/2-1/2 and *"
                        ))
                    })?;
                    header.outcome = *outcome;
                }
                _ => {}
            }
        }
        Ok(header)
    }
}

fn parse_seed(text: &str) -> Result<u64> {
    text.parse().map_err(|_| {
        let text = super::short(text);
        Error::Input(format!("the seed {text:?} is no whole number"))
    })
}
