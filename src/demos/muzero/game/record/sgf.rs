//! The Smart Game Format, FF 4 (red-bean.com/sgf): Go, Gomoku and Othello.
//!
//! The main line takes the first variation wherever there are several, so it is all nodes before
//! the first closing parenthesis.

use super::{Line, Record, one_line};
use crate::demos::muzero::game::{GameId, Outcome, Player, Scene};
use crate::error::{Error, Result};

/// Moves on a line.
const PER_LINE: usize = 10;
/// The crossing that stood for a pass before FF 4.
const OLD_PASS: &str = "tt";

/// The kind of a game, its GM, and how many rows its board has.
fn kind(game: &GameId) -> Option<(u32, usize)> {
    match game {
        GameId::Go => Some((1, 9)),
        GameId::Othello8 => Some((2, 8)),
        GameId::Othello6 => Some((2, 6)),
        GameId::Gomoku => Some((4, 9)),
        _ => None,
    }
}

fn cells(size: usize) -> usize {
    size * size
}

/// A text as a property's value, in which `]` and `\` must be escaped.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace(']', "\\]")
}

pub(super) fn write(record: &Record) -> Result<String> {
    let Some((kind, size)) = kind(&record.game) else {
        return Err(Error::Input(format!("{} has no SGF", record.game)));
    };
    let mut text = format!("(;FF[4]CA[UTF-8]AP[Vitrine]GM[{kind}]SZ[{size}]");
    if record.game == GameId::Go {
        text += &format!("RU[Tromp-Taylor]KM[{}]", crate::demos::muzero::game::KOMI);
    }
    for (key, name) in ["PB", "PW"].into_iter().zip(&record.players) {
        let name = one_line(name);
        if !name.is_empty() {
            text += &format!("{key}[{}]", escape(&name));
        }
    }
    let result = match record.outcome {
        Some(Outcome::Won(Player::First)) => "RE[B+]",
        Some(Outcome::Won(Player::Second)) => "RE[W+]",
        Some(Outcome::Drawn) => "RE[0]",
        None => "",
    };
    text += result;
    let mut line = Line::begin(&record.game, record.seed)?;
    for (index, &action) in record.moves.iter().enumerate() {
        let mover = line.game.to_play();
        line.play(action)?;
        if index % PER_LINE == 0 {
            text.push('\n');
        }
        text += match mover {
            Player::First => ";B[",
            Player::Second => ";W[",
        };
        if action < cells(size) {
            text.push(letter(action % size));
            text.push(letter(action / size));
        }
        text.push(']');
    }
    text += ")\n";
    Ok(text)
}

fn letter(place: usize) -> char {
    char::from(b'a' + place as u8)
}

/// A property of a node and its values.
struct Property {
    name: String,
    values: Vec<String>,
}

/// A node: its properties in order.
type Node = Vec<Property>;

pub(super) fn read(text: &str) -> Result<Record> {
    let nodes = Reader::new(text).main_line()?;
    let Some(root) = nodes.first() else {
        return Err(wrong("there is no game in it"));
    };
    let (id, size) = game_of(root)?;
    let mut line = Line::begin(&id, None)?;
    for node in &nodes {
        check_setup(node, &line, size)?;
        for property in node {
            let player = match property.name.as_str() {
                "B" => Player::First,
                "W" => Player::Second,
                _ => continue,
            };
            let value = property.values.first().map_or("", |value| value.trim());
            read_move(&mut line, &id, size, player, value)?;
        }
    }
    let mut record = line.record(id, None);
    for (name, key) in record.players.iter_mut().zip(["PB", "PW"]) {
        *name = value(root, key).map(one_line).unwrap_or_default();
    }
    let said = value(root, "RE").and_then(result);
    record.outcome = record.outcome.or(said);
    Ok(record)
}

fn wrong(why: &str) -> Error {
    Error::Input(format!("the SGF cannot be read: {why}"))
}

fn value<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    let property = node.iter().find(|property| property.name == name)?;
    property.values.first().map(String::as_str)
}

fn game_of(root: &Node) -> Result<(GameId, usize)> {
    let number = |name: &str, otherwise: &str| -> Result<usize> {
        let text = value(root, name).unwrap_or(otherwise).trim();
        // `SZ[9:9]` is allowed where rows and columns are as many.
        let text = match text.split_once(':') {
            Some((columns, rows)) if columns == rows => columns,
            _ => text,
        };
        text.parse().map_err(|_| {
            let text = super::short(text);
            wrong(&format!("{name}[{text}] is no number"))
        })
    };
    let kind = number("GM", "1")?;
    let size = number("SZ", if kind == 2 { "8" } else { "19" })?;
    let known = match (kind, size) {
        (1, 9) => GameId::Go,
        (2, 6) => GameId::Othello6,
        (2, 8) => GameId::Othello8,
        (4, 9) => GameId::Gomoku,
        (1 | 2 | 4, _) => {
            return Err(wrong(&format!(
                "its board has {size} rows, played here are 9 (Go and Gomoku), 8 and 6 (Othello)"
            )));
        }
        _ => {
            return Err(wrong(&format!(
                "its game is GM[{kind}], played here are 1 (Go), 2 (Othello) and 4 (Gomoku)"
            )));
        }
    };
    Ok((known, size))
}

/// Refuses handicaps and positions that were set up, other than Othello's first four discs.
fn check_setup(node: &Node, line: &Line, size: usize) -> Result<()> {
    let handicap = value(node, "HA").map_or("0", str::trim);
    if !handicap.is_empty() && handicap.parse() != Ok(0_u32) {
        return Err(wrong("games with a handicap are not played here"));
    }
    let not_from_the_beginning = || wrong("it begins from a position that was set up");
    if value(node, "AE").is_some() {
        return Err(not_from_the_beginning());
    }
    for (name, player) in [("AB", Player::First), ("AW", Player::Second)] {
        let stones = node.iter().filter(|property| property.name == name);
        for point in stones.flat_map(|property| &property.values) {
            let cell = cell(point.trim(), size).ok_or_else(not_from_the_beginning)?;
            let Scene::Board(board) = line.game.scene() else {
                return Err(not_from_the_beginning());
            };
            let lies = board.cells[cell].is_some_and(|piece| piece.player == player);
            if !lies || !line.moves.is_empty() {
                return Err(not_from_the_beginning());
            }
        }
    }
    Ok(())
}

/// The cell of two letters, the column first.
fn cell(point: &str, size: usize) -> Option<usize> {
    let &[column, row] = point.as_bytes() else {
        return None;
    };
    let place = |byte: u8| {
        let place = usize::from(byte.checked_sub(b'a')?);
        (place < size).then_some(place)
    };
    Some(place(row)? * size + place(column)?)
}

fn read_move(line: &mut Line, id: &GameId, size: usize, player: Player, point: &str) -> Result<()> {
    let is_othello = matches!(id, GameId::Othello6 | GameId::Othello8);
    let is_pass = *id != GameId::Gomoku && (point.is_empty() || point == OLD_PASS);
    let pass = cells(size);
    if is_pass && line.game.is_over() {
        // Some programs write a third pass, or Othello's when the board is full.
        return Ok(());
    }
    if is_othello && line.game.to_play() != player && !is_pass && must_pass(line) {
        // Most programs leave Othello's passes out.
        line.step(pass, "pass")?;
    }
    if line.game.to_play() != player && !line.game.is_over() {
        return Err(line.wrong(point, "the other player is to move"));
    }
    let action = if is_pass {
        Some(pass)
    } else {
        cell(point, size)
    };
    let action = action.ok_or_else(|| line.wrong(point, "no such point is on the board"))?;
    line.step(action, point)
}

fn must_pass(line: &Line) -> bool {
    let actions = line.game.spec().actions;
    let mut legal = vec![false; actions];
    line.game.legal(&mut legal);
    legal[actions - 1]
}

/// `B+3.5`, `W+R`, `0`, `Draw`; what is unknown or void is none.
fn result(text: &str) -> Option<Outcome> {
    let text = text.trim();
    match text.get(..2) {
        Some("B+" | "b+") => Some(Outcome::Won(Player::First)),
        Some("W+" | "w+") => Some(Outcome::Won(Player::Second)),
        _ if text == "0" || text.eq_ignore_ascii_case("draw") => Some(Outcome::Drawn),
        _ => None,
    }
}

/// Goes through the text a character at a time.
struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.chars().peekable(),
        }
    }

    /// The nodes of the main line.
    fn main_line(mut self) -> Result<Vec<Node>> {
        let mut nodes: Vec<Node> = Vec::new();
        while let Some(&next) = self.rest.peek() {
            match next {
                ')' => return Ok(nodes),
                ';' => {
                    self.rest.next();
                    nodes.push(Node::new());
                }
                '(' => {
                    self.rest.next();
                }
                _ if next.is_whitespace() => {
                    self.rest.next();
                }
                _ if next.is_ascii_alphabetic() => {
                    let property = self.property()?;
                    let node = nodes.last_mut();
                    let node = node.ok_or_else(|| wrong("a property stands before the first ;"))?;
                    node.push(property);
                }
                _ => return Err(wrong(&format!("{next:?} where a node should be"))),
            }
        }
        Err(wrong("it ends before the game does, a ) is missing"))
    }

    fn property(&mut self) -> Result<Property> {
        let mut name = String::new();
        while let Some(c) = self.rest.next_if(char::is_ascii_alphabetic) {
            // Before FF 4 small letters could be added: `White` is `W`.
            if c.is_ascii_uppercase() {
                name.push(c);
            }
        }
        let mut values = Vec::new();
        loop {
            while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
            if self.rest.next_if_eq(&'[').is_none() {
                break;
            }
            values.push(self.value()?);
        }
        if values.is_empty() {
            let name = super::short(&name);
            return Err(wrong(&format!("{name} has no value")));
        }
        Ok(Property { name, values })
    }

    /// What stands before the next `]` that is not escaped.
    fn value(&mut self) -> Result<String> {
        let mut value = String::new();
        while let Some(c) = self.rest.next() {
            match c {
                ']' => return Ok(value),
                // An escaped end of line joins the lines.
                '\\' => value.extend(self.rest.next().filter(|&c| c != '\n' && c != '\r')),
                _ => value.push(c),
            }
        }
        Err(wrong("it ends inside a value, a ] is missing"))
    }
}
