//! Chess, on the move generator of the crate `cozy-chess`.
//!
//! Drawn at once: stalemate, the third time of a position, 50 moves of each side without a capture
//! or a pawn's move, too few pieces to mate, and the 512th move of a game.
//!
//! An observation is seen by the mover ([`chess_ends`] describes the frame, which actions share):
//! six planes of own pieces and six of the other's, from pawn to king; own rights to castle, short
//! and long, and the other's; the square behind a pawn that has just gone two steps; how much of
//! the 50 moves is used up; whether this position was there before.

mod coding;

use cozy_chess::{
    BitBoard, Board as Position, Color, GameStatus, Move, Piece as Man, Rank, Square,
};

use coding::{ACTIONS, CELLS};
pub use coding::{Ends, chess_ends};

use super::board::{Bits, check_action, illegal, no_name};
use super::{
    ActionCells, ActionCoding, Board, BoardStyle, Game, Kind, Outcome, Piece, Player, Scene, Spec,
};
use crate::error::{Error, Result};
use crate::rng::Rng;

const MAX_STEPS: usize = 512;
/// Half moves without a capture or a pawn's move after which a game is drawn.
const FIFTY: usize = 100;

const SPEC: Spec = Spec {
    observation: [19, 8, 8],
    actions: ACTIONS,
    players: 2,
    max_steps: MAX_STEPS,
    coding: ActionCoding::FromTo,
};

/// A game of chess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chess {
    position: Position,
    /// Hashes of the positions since the last capture or pawn's move, this one included.
    since: [u64; FIFTY + 1],
    since_len: u8,
    /// How often this position was there, this time included.
    times: u8,
    steps: u16,
    last: Option<[Square; 2]>,
    outcome: Option<Outcome>,
}

impl Default for Chess {
    fn default() -> Self {
        Self::new()
    }
}

impl Chess {
    /// The usual position, white to move.
    #[must_use]
    pub fn new() -> Self {
        Self::from_position(Position::default())
    }

    /// A position in Forsyth and Edwards's notation.
    ///
    /// # Errors
    /// When the text is not that of a possible position.
    pub fn from_fen(fen: &str) -> Result<Self> {
        let position = Position::from_fen(fen.trim(), false);
        let position = position.map_err(|error| {
            let shown: String = fen.chars().take(100).collect();
            Error::Input(format!(
                "the chess position cannot be read, {error}: {shown}"
            ))
        })?;
        Ok(Self::from_position(position))
    }

    /// The position in Forsyth and Edwards's notation.
    #[must_use]
    pub fn fen(&self) -> String {
        self.position.to_string()
    }

    fn from_position(position: Position) -> Self {
        let mut since = [0; FIFTY + 1];
        since[0] = repetition_key(&position);
        let mut game = Self {
            position,
            since,
            since_len: 1,
            times: 1,
            steps: 0,
            last: None,
            outcome: None,
        };
        game.outcome = game.find_outcome();
        game
    }

    pub(super) fn position(&self) -> &Position {
        &self.position
    }

    pub(super) fn action_of_move(&self, step: Move) -> Option<usize> {
        coding::action_of_move(&self.position, step)
    }

    pub(super) fn move_of_action(&self, action: usize) -> Option<Move> {
        coding::move_of_action(&self.position, action)
    }

    fn find_outcome(&self) -> Option<Outcome> {
        match self.position.status() {
            GameStatus::Won => Some(Outcome::Won(self.to_play().other())),
            GameStatus::Drawn => Some(Outcome::Drawn),
            GameStatus::Ongoing => {
                let drawn = self.times >= 3
                    || usize::from(self.steps) == MAX_STEPS
                    || cannot_mate(&self.position);
                drawn.then_some(Outcome::Drawn)
            }
        }
    }

    /// Counts this position among those since the last capture or pawn's move.
    fn remember(&mut self) {
        if self.position.halfmove_clock() == 0 {
            self.since_len = 0;
        }
        let key = repetition_key(&self.position);
        let len = usize::from(self.since_len);
        let before = &self.since[..len];
        self.times = 1 + before.iter().filter(|&&other| other == key).count() as u8;
        self.since[len] = key;
        self.since_len += 1;
    }

    fn move_squares(&self, action: usize) -> Option<[Square; 2]> {
        let mover = self.position.side_to_move();
        let ends = chess_ends(action)?;
        Some([ends.from, ends.to].map(|cell| coding::square(cell, mover)))
    }
}

/// A position's hash. That a pawn has gone two steps counts only where it can be taken in passing,
/// because positions are the same when the same moves are possible (FIDE laws of chess, 9.2).
fn repetition_key(position: &Position) -> u64 {
    let mover = position.side_to_move();
    let possible = position.en_passant().is_some_and(|file| {
        let to = Square::new(file, Rank::Sixth.relative_to(mover));
        let takers = cozy_chess::get_pawn_attacks(to, !mover);
        let takers = takers & position.colored_pieces(mover, Man::Pawn);
        let legal = |from| {
            position.is_legal(Move {
                from,
                to,
                promotion: None,
            })
        };
        takers.into_iter().any(legal)
    });
    if possible {
        position.hash()
    } else {
        position.hash_without_ep()
    }
}

/// Whether no moves of any kind lead to a mate: kings alone, with one minor piece, or with bishops
/// on squares of one colour.
fn cannot_mate(position: &Position) -> bool {
    let of = |man| position.pieces(man);
    if !(of(Man::Pawn) | of(Man::Rook) | of(Man::Queen)).is_empty() {
        return false;
    }
    let (knights, bishops) = (of(Man::Knight), of(Man::Bishop));
    let one_colour = (bishops & BitBoard::DARK_SQUARES).is_empty()
        || (bishops & BitBoard::LIGHT_SQUARES).is_empty();
    (knights | bishops).len() <= 1 || knights.is_empty() && one_colour
}

fn kind(man: Man) -> Kind {
    match man {
        Man::Pawn => Kind::Pawn,
        Man::Knight => Kind::Knight,
        Man::Bishop => Kind::Bishop,
        Man::Rook => Kind::Rook,
        Man::Queen => Kind::Queen,
        Man::King => Kind::King,
    }
}

/// Where a square is drawn: white's side is below.
fn drawn(square: Square) -> usize {
    coding::cell(square, Color::White)
}

impl Game for Chess {
    fn spec(&self) -> &Spec {
        &SPEC
    }

    fn boxed_clone(&self) -> Result<Box<dyn Game>> {
        Ok(Box::new(self.clone()))
    }

    fn reset(&mut self, _rng: Rng) -> Result<()> {
        *self = Self::new();
        Ok(())
    }

    fn to_play(&self) -> Player {
        match self.position.side_to_move() {
            Color::White => Player::First,
            Color::Black => Player::Second,
        }
    }

    fn is_over(&self) -> bool {
        self.outcome.is_some()
    }

    fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    fn legal(&self, legal: &mut [bool]) {
        legal.fill(false);
        if self.is_over() {
            return;
        }
        self.position.generate_moves(|moves| {
            for action in moves
                .into_iter()
                .filter_map(|step| self.action_of_move(step))
            {
                legal[action] = true;
            }
            false
        });
    }

    fn step(&mut self, action: usize) -> Result<f32> {
        check_action(action, ACTIONS)?;
        let step = self.move_of_action(action);
        let step = step.filter(|&step| !self.is_over() && self.position.is_legal(step));
        let Some(step) = step else {
            return Err(illegal(&self.action_name(action)));
        };
        self.last = self.move_squares(action);
        self.position.play_unchecked(step);
        self.steps += 1;
        self.remember();
        self.outcome = self.find_outcome();
        let won = matches!(self.outcome, Some(Outcome::Won(_)));
        Ok(f32::from(u8::from(won)))
    }

    fn observe(&self, planes: &mut [f32]) {
        let mover = self.position.side_to_move();
        planes.fill(0.0);
        let mut planes = planes.chunks_exact_mut(CELLS);
        for (side, man) in [mover, !mover]
            .into_iter()
            .flat_map(|side| Man::ALL.iter().map(move |&man| (side, man)))
        {
            let Some(plane) = planes.next() else { return };
            for square in Bits(self.position.colored_pieces(side, man).0) {
                // White sees the squares' own numbers upside down.
                plane[coding::cell(Square::index(square), mover)] = 1.0;
            }
        }
        let [own, other] = [mover, !mover].map(|side| self.position.castle_rights(side));
        for right in [own.short, own.long, other.short, other.long] {
            if let (Some(plane), Some(_)) = (planes.next(), right) {
                plane.fill(1.0);
            }
        }
        if let (Some(plane), Some(file)) = (planes.next(), self.position.en_passant()) {
            let square = Square::new(file, Rank::Sixth.relative_to(mover));
            plane[coding::cell(square, mover)] = 1.0;
        }
        let used = f32::from(self.position.halfmove_clock()) / FIFTY as f32;
        let again = f32::from(u8::from(self.times > 1));
        for (plane, value) in planes.zip([used, again]) {
            plane.fill(value);
        }
    }

    fn scene(&self) -> Scene {
        let mut cells = vec![None; CELLS];
        for (color, player) in [
            (Color::White, Player::First),
            (Color::Black, Player::Second),
        ] {
            for &man in &Man::ALL {
                for square in self.position.colored_pieces(color, man) {
                    let kind = kind(man);
                    cells[drawn(square)] = Some(Piece { player, kind });
                }
            }
        }
        let in_check = !self.position.checkers().is_empty();
        let king = in_check.then(|| drawn(self.position.king(self.position.side_to_move())));
        Scene::Board(Board {
            style: BoardStyle::Chess,
            rows: 8,
            columns: 8,
            cells,
            last: self.last.into_iter().flatten().map(drawn).collect(),
            marked: king.into_iter().collect(),
        })
    }

    /// The move in the notation of engines (UCI), by the player whose turn it is: actions are seen
    /// from the mover's side.
    fn action_name(&self, action: usize) -> String {
        let Some([from, to]) = self.move_squares(action) else {
            return "none".to_owned();
        };
        let less = chess_ends(action).and_then(|ends| ends.promotion);
        let is_queen = || self.move_of_action(action)?.promotion;
        let promotion = match less {
            Some(less) => ["n", "b", "r"][less],
            None if is_queen().is_some() => "q",
            None => "",
        };
        format!("{from}{to}{promotion}")
    }

    fn parse_action(&self, name: &str) -> Result<usize> {
        let name = name.trim();
        let wrong = || no_name(name, "squares such as e2e4, or e7e8q");
        let lower = name.to_ascii_lowercase();
        if lower.len() > 5 || lower.get(4..).is_some_and(|end| end == "k" || end == "p") {
            return Err(wrong());
        }
        let step: Move = lower.parse().map_err(|_| wrong())?;
        let mover = self.position.side_to_move();
        coding::action(step.from, step.to, step.promotion, mover).ok_or_else(wrong)
    }

    /// As the board is drawn, with white below whoever moves.
    fn cells(&self, action: usize) -> ActionCells {
        let squares = self.move_squares(action);
        ActionCells {
            from: squares.map(|[from, _]| drawn(from)),
            to: squares.map(|[_, to]| drawn(to)),
        }
    }
}
