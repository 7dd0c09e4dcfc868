//! Moves of chess as they are written down: `Nbd7`, `exd6`, `e8=Q+`, `O-O`.

use cozy_chess::{Board, File, GameStatus, Move, Piece, Rank, Square};

use crate::demos::muzero::game::Chess;
use crate::error::{Error, Result};

/// Pieces and their letters; a pawn's is not written.
const LETTERS: [(char, Piece); 6] = [
    ('P', Piece::Pawn),
    ('N', Piece::Knight),
    ('B', Piece::Bishop),
    ('R', Piece::Rook),
    ('Q', Piece::Queen),
    ('K', Piece::King),
];

fn letter(piece: Piece) -> char {
    LETTERS[piece as usize].0
}

fn piece_of(letter: char) -> Option<Piece> {
    let found = LETTERS.iter().find(|(known, _)| *known == letter);
    found.map(|(_, piece)| *piece)
}

fn legal_moves(position: &Board) -> Vec<Move> {
    let mut all = Vec::new();
    position.generate_moves(|moves| {
        all.extend(moves);
        false
    });
    all
}

/// Castling is the king's move to its own rook.
fn is_castling(position: &Board, step: Move) -> bool {
    position.colors(position.side_to_move()).has(step.to)
}

/// A legal action in this notation.
///
/// # Errors
/// When it is not legal.
pub(super) fn write(game: &Chess, action: usize) -> Result<String> {
    let position = game.position();
    let step = game.move_of_action(action);
    let step = step.filter(|&step| position.is_legal(step));
    let step = step.ok_or_else(|| Error::Input(format!("action {action} is not legal")))?;
    let mut text = if is_castling(position, step) {
        let short = step.from.file() < step.to.file();
        if short { "O-O" } else { "O-O-O" }.to_owned()
    } else {
        plain(position, step)
    };
    let mut next = position.clone();
    next.play_unchecked(step);
    if !next.checkers().is_empty() {
        let mate = next.status() == GameStatus::Won;
        text.push(if mate { '#' } else { '+' });
    }
    Ok(text)
}

fn plain(position: &Board, step: Move) -> String {
    let piece = position.piece_on(step.from).unwrap_or(Piece::Pawn);
    // A pawn that changes its file takes something, in passing too.
    let takes = position.occupied().has(step.to)
        || piece == Piece::Pawn && step.from.file() != step.to.file();
    let mut text = String::new();
    if piece == Piece::Pawn {
        if takes {
            text += &step.from.file().to_string();
        }
    } else {
        text.push(letter(piece));
        text += &origin(position, step, piece);
    }
    if takes {
        text.push('x');
    }
    text += &step.to.to_string();
    if let Some(promotion) = step.promotion {
        text.push('=');
        text.push(letter(promotion));
    }
    text
}

/// What has to be said of where a piece comes from: nothing, its file, its rank or both.
fn origin(position: &Board, step: Move, piece: Piece) -> String {
    let others: Vec<Square> = legal_moves(position)
        .into_iter()
        .filter(|other| other.to == step.to && other.from != step.from)
        .filter(|other| position.piece_on(other.from) == Some(piece))
        .filter(|&other| !is_castling(position, other))
        .map(|other| other.from)
        .collect();
    let same_file = others.iter().any(|from| from.file() == step.from.file());
    let same_rank = others.iter().any(|from| from.rank() == step.from.rank());
    match (others.is_empty(), same_file, same_rank) {
        (true, _, _) => String::new(),
        (_, false, _) => step.from.file().to_string(),
        (_, true, false) => step.from.rank().to_string(),
        (_, true, true) => step.from.to_string(),
    }
}

/// A move taken apart.
struct Wanted {
    /// Any where `None`.
    piece: Option<Piece>,
    to: Square,
    file: Option<File>,
    rank: Option<Rank>,
    promotion: Option<Piece>,
}

/// The legal action that a text means. Squares from where to where, `e2e4`, are understood too.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(game: &Chess, text: &str) -> Result<usize, &'static str> {
    let position = game.position();
    let text = text.trim_end_matches(['+', '#', '!', '?']);
    let castling = match text {
        "O-O" | "0-0" | "o-o" => Some(true),
        "O-O-O" | "0-0-0" | "o-o-o" => Some(false),
        _ => None,
    };
    let wanted = match castling {
        Some(_) => None,
        None => Some(take_apart(text).ok_or("that is no chess move")?),
    };
    let fits = |step: &Move| match (&wanted, castling) {
        (Some(wanted), _) => !is_castling(position, *step) && wanted.fits(position, *step),
        (None, short) => {
            is_castling(position, *step) && short == Some(step.from.file() < step.to.file())
        }
    };
    let mut found = legal_moves(position).into_iter().filter(fits);
    let step = found.next().ok_or("it is not legal there")?;
    if found.next().is_some() {
        return Err("several pieces can do that");
    }
    game.action_of_move(step).ok_or("it is not legal there")
}

impl Wanted {
    fn fits(&self, position: &Board, step: Move) -> bool {
        step.to == self.to
            && step.promotion == self.promotion
            && (self.piece.is_none() || position.piece_on(step.from) == self.piece)
            && self.file.is_none_or(|file| file == step.from.file())
            && self.rank.is_none_or(|rank| rank == step.from.rank())
    }
}

/// From the end: promotion, where to, what it takes, where from, the piece.
fn take_apart(text: &str) -> Option<Wanted> {
    // The longest is `Qa1xb2=Q`, so what is not short is not looked at.
    let mut chars: Vec<char> = text.chars().take(10).collect();
    let mut promotion = None;
    if let Some(piece) = chars.last().and_then(|c| piece_of(c.to_ascii_uppercase())) {
        // A letter at the end cannot be a file.
        chars.pop();
        promotion = Some(piece);
        chars.pop_if(|c| *c == '=');
    }
    let square: String = [*chars.get(chars.len().checked_sub(2)?)?, *chars.last()?]
        .into_iter()
        .collect();
    let to: Square = square.parse().ok()?;
    chars.truncate(chars.len() - 2);
    chars.pop_if(|c| "x:-".contains(*c));
    let rank: Option<Rank> = chars.last().and_then(|c| c.to_string().parse().ok());
    if rank.is_some() {
        chars.pop();
    }
    let file: Option<File> = chars.last().and_then(|c| c.to_string().parse().ok());
    if file.is_some() {
        chars.pop();
    }
    let named = chars.pop().map(piece_of);
    let mut piece = Some(Piece::Pawn);
    if let Some(named) = named {
        piece = Some(named?);
    } else if file.is_some() && rank.is_some() {
        // Squares only: whatever stands there.
        piece = None;
    }
    chars.is_empty().then_some(Wanted {
        piece,
        to,
        file,
        rank,
        promotion,
    })
}
