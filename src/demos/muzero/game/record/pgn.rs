//! Portable Game Notation (Edwards 1994): chess.

use super::{Line, Record, one_line, parse_result, result_text, san};
use crate::demos::muzero::game::{Chess, Game, GameId};
use crate::error::{Error, Result};

/// Columns of the moves' text.
const COLUMNS: usize = 80;

pub(super) fn write(record: &Record) -> Result<String> {
    let result = result_text(record.outcome);
    let name = |name: &String| match one_line(name) {
        name if name.is_empty() => "?".to_owned(),
        name => name.replace('\\', "\\\\").replace('"', "\\\""),
    };
    let [white, black] = [&record.players[0], &record.players[1]].map(name);
    let mut text = format!(
        "[Event \"?\"]\n[Site \"?\"]\n[Date \"????.??.??\"]\n[Round \"?\"]\n\
         [White \"{white}\"]\n[Black \"{black}\"]\n[Result \"{result}\"]\n\n"
    );
    let mut words = Vec::new();
    let mut game = Chess::new();
    for (index, &action) in record.moves.iter().enumerate() {
        if index % 2 == 0 {
            words.push(format!("{}.", index / 2 + 1));
        }
        words.push(san::write(&game, action)?);
        game.step(action)?;
    }
    words.push(result.to_owned());
    let mut column = 0;
    for word in words {
        if column > 0 && column + 1 + word.len() >= COLUMNS {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        column += word.len();
        text += &word;
    }
    text.push('\n');
    Ok(text)
}

fn wrong(why: &str) -> Error {
    Error::Input(format!("the PGN cannot be read: {why}"))
}

pub(super) fn read(text: &str) -> Result<Record> {
    let mut reader = Reader { rest: text };
    let tags = reader.tags()?;
    let tag = |name: &str| {
        let found = tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    if tag("FEN").is_some_and(|fen| fen.trim() != Chess::new().fen()) {
        return Err(wrong("it begins from a position that was set up"));
    }
    let variant = tag("Variant").unwrap_or("Standard");
    if !variant.eq_ignore_ascii_case("standard") {
        let variant = super::short(variant);
        return Err(wrong(&format!(
            "{variant} is not played here, only chess is"
        )));
    }
    let mut line = Line::begin(&GameId::Chess, None)?;
    let mut game = Chess::new();
    let mut said = tag("Result").and_then(|text| parse_result(text.trim())?.1);
    while let Some(word) = reader.word()? {
        if let Some((_, result)) = parse_result(word) {
            said = result.or(said);
            break;
        }
        if line.game.is_over() {
            return Err(line.wrong(word, "the game is over before it"));
        }
        let action = san::read(&game, word).map_err(|why| line.wrong(word, why))?;
        line.step(action, word)?;
        game.step(action)?;
    }
    let mut record = line.record(GameId::Chess, None);
    for (name, key) in record.players.iter_mut().zip(["White", "Black"]) {
        let value = tag(key).map(one_line).unwrap_or_default();
        *name = if value == "?" { String::new() } else { value };
    }
    record.outcome = record.outcome.or(said);
    Ok(record)
}

/// What is left of the text.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// The lines `[Name "value"]` at the beginning.
    fn tags(&mut self) -> Result<Vec<(String, String)>> {
        let mut tags = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if let Some(line) = self.rest.strip_prefix('%') {
                self.rest = after_line(line);
                continue;
            }
            let Some(inside) = self.rest.strip_prefix('[') else {
                return Ok(tags);
            };
            let (name, value) = inside
                .split_once('"')
                .ok_or_else(|| wrong("a tag has no value"))?;
            let (value, rest) = quoted(value).ok_or_else(|| wrong("a tag's value has no end"))?;
            let closed = rest.trim_start().strip_prefix(']');
            self.rest = closed.ok_or_else(|| wrong("a tag has no ]"))?;
            tags.push((name.trim().to_owned(), value));
        }
    }

    /// The next move or result, without comments, variations, numbers and marks.
    fn word(&mut self) -> Result<Option<&'a str>> {
        loop {
            self.rest = self.rest.trim_start();
            let Some(first) = self.rest.chars().next() else {
                return Ok(None);
            };
            match first {
                '{' => self.skip_comment()?,
                ';' | '%' => self.rest = after_line(self.rest),
                '(' => self.skip_variation()?,
                ')' => return Err(wrong("a ) closes nothing")),
                '}' => return Err(wrong("a } closes nothing")),
                // The next game's tags.
                '[' => return Ok(None),
                _ => {
                    let ends = |c: char| c.is_whitespace() || "{}();[]".contains(c);
                    let end = self.rest.find(ends).unwrap_or(self.rest.len());
                    // A character that ends a word cannot begin one, other than a lone bracket.
                    let (word, rest) = self.rest.split_at(end.max(first.len_utf8()));
                    self.rest = rest;
                    let word = without_number(word);
                    let is_mark = word.starts_with('$') || word.chars().all(|c| "!?.".contains(c));
                    if !is_mark {
                        return Ok(Some(word));
                    }
                }
            }
        }
    }

    fn skip_comment(&mut self) -> Result<()> {
        let end = self.rest.find('}');
        let end = end.ok_or_else(|| wrong("a comment has no end, a } is missing"))?;
        self.rest = &self.rest[end + 1..];
        Ok(())
    }

    /// Variations hold variations and comments.
    fn skip_variation(&mut self) -> Result<()> {
        let mut depth = 0;
        loop {
            let next = self.rest.find(['(', ')', '{', ';']);
            let next = next.ok_or_else(|| wrong("a variation has no end, a ) is missing"))?;
            self.rest = &self.rest[next..];
            match self.rest.as_bytes()[0] {
                b'{' => {
                    self.skip_comment()?;
                    continue;
                }
                b';' => {
                    self.rest = after_line(self.rest);
                    continue;
                }
                b'(' => depth += 1,
                _ => depth -= 1,
            }
            self.rest = &self.rest[1..];
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

/// What follows the line that the text begins with.
fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

/// What stands before the next quotation mark that is not escaped, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((place, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[place + 1..])),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

/// A word without the move's number before it: `12.`, `12...`, `1.e4`.
fn without_number(word: &str) -> &str {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() < word.len() && rest.starts_with('.') {
        rest.trim_start_matches('.')
    } else if rest.is_empty() {
        // A number without its dot.
        ""
    } else {
        word
    }
}
