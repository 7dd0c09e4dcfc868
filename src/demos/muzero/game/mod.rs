//! What is played: one contract for board games, grids of objects and the arcade machine.
//!
//! A game tells what may be done, what is seen, and what it earned. Boards are drawn and observed
//! from their pieces, grids (`MinAtar`'s games) from their channels, the arcade from its screen.
//!
//! Rewards and observations of a game for two are those of the player whose turn it is: the first
//! planes hold the own pieces, and the one who completes a line earns 1. Every move passes the
//! turn; where a player cannot move there is a pass to be played.

pub mod atari;
mod board;
mod chess;
mod connect4;
mod go;
mod gomoku;
mod id;
pub mod minatar;
mod open;
mod othello;
mod record;
mod symmetry;
mod tictactoe;

pub use chess::{Chess, Ends, chess_ends};
pub use connect4::ConnectFour;
pub use go::{Go, KOMI};
pub use gomoku::Gomoku;
pub use id::{GameId, MinAtar};
pub use open::open;
pub use othello::Othello;
pub use record::{Format, Record};
pub use symmetry::{Symmetry, symmetries};
pub use tictactoe::TicTacToe;

use serde::{Deserialize, Serialize};

use crate::data::Image;
use crate::error::Result;
use crate::rng::Rng;

/// What does not change while a game is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Planes, rows and columns of an observation.
    pub observation: [usize; 3],
    /// How many actions there are, legal or not.
    pub actions: usize,
    /// One or two.
    pub players: usize,
    /// Every game ends after so many steps.
    pub max_steps: usize,
    /// How an action is shown to the dynamics.
    pub coding: ActionCoding,
}

/// How an action becomes planes beside a hidden state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActionCoding {
    /// One plane for each action, all ones for the one that is taken.
    Planes,
    /// Action `a` is cell `a` of the board: one plane with a one there. What lies beyond the last
    /// cell (a pass) leaves the plane empty.
    Cell,
    /// Action `a` is column `a`: one plane with ones in it.
    Column,
    /// Action `a` is `from * cells + to`, then promotions: a plane for each end, and one that is
    /// filled for promotions to less than a queen.
    FromTo,
}

/// A player of a game for two: the one who began, or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Player {
    /// Moves first; black in Othello, Gomoku and Go, white in chess.
    First,
    /// Moves second.
    Second,
}

impl Player {
    /// Whose turn it is afterwards.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// How a game for two ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// This player won.
    Won(Player),
    /// Nobody did.
    Drawn,
}

/// What is on the table, to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Scene {
    /// A board with pieces.
    Board(Board),
    /// Channels of cells that are on or off.
    Grid(Grid),
    /// A screen.
    Screen(Image),
}

/// How a board looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardStyle {
    /// Crosses and circles.
    TicTacToe,
    /// Discs in a standing grid of holes.
    ConnectFour,
    /// Discs on squares.
    Othello,
    /// Stones on the crossings of lines, for Gomoku and Go.
    Stones,
    /// Chess pieces on squares of two colours.
    Chess,
}

/// Pieces on a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// How it looks.
    pub style: BoardStyle,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Row by row from the top; `None` is empty.
    pub cells: Vec<Option<Piece>>,
    /// Cells that the last move touched.
    pub last: Vec<usize>,
    /// A line that won, or a king in check.
    pub marked: Vec<usize>,
}

/// A piece and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Whose.
    pub player: Player,
    /// Its kind; [`Kind::Stone`] where there is one kind only.
    pub kind: Kind,
}

/// Kinds of pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of chess")]
pub enum Kind {
    Stone,
    Pawn,
    Knight,
    Bishop,
    Rook,
    Queen,
    King,
}

/// Objects on a grid, one channel for each kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// The names of the channels.
    pub channels: &'static [&'static str],
    /// Channel by channel, row by row: whether there is something.
    pub cells: Vec<bool>,
}

/// Where an action is on the board, for clicks and heat maps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActionCells {
    /// The cell a piece leaves.
    pub from: Option<usize>,
    /// The cell a piece comes to; `None` for a pass.
    pub to: Option<usize>,
}

/// One game that is being played. A copy goes on independently of the original.
pub trait Game: Send + Sync {
    /// What does not change.
    fn spec(&self) -> &Spec;

    /// A copy in the same position.
    ///
    /// # Errors
    /// When the game cannot be copied, as the arcade's.
    fn boxed_clone(&self) -> Result<Box<dyn Game>>;

    /// Begins anew. All chance of the game comes from `rng`; board games have none.
    ///
    /// # Errors
    /// When the arcade does not answer.
    fn reset(&mut self, rng: Rng) -> Result<()>;

    /// Whose turn it is; always the first player's in games for one.
    fn to_play(&self) -> Player;

    /// Whether nothing can be done any more.
    fn is_over(&self) -> bool;

    /// How a game for two ended; `None` before that and in games for one.
    fn outcome(&self) -> Option<Outcome>;

    /// Says of each action whether it may be taken now; `legal` has one place for each.
    fn legal(&self, legal: &mut [bool]);

    /// Takes an action and gives what it earned the one who took it.
    ///
    /// # Errors
    /// When it is not legal, the game is over, or the arcade does not answer. Nothing is changed
    /// then.
    fn step(&mut self, action: usize) -> Result<f32>;

    /// Writes what the player whose turn it is sees: `[planes, rows, columns]`, within 0 and 1.
    fn observe(&self, planes: &mut [f32]);

    /// What is on the table.
    fn scene(&self) -> Scene;

    /// What an action is called in the game's own notation, such as `e2e4`, `D3`, `4`, `left`.
    fn action_name(&self, action: usize) -> String;

    /// The action of this name, legal or not.
    ///
    /// # Errors
    /// When no action is called so.
    fn parse_action(&self, name: &str) -> Result<usize>;

    /// Where an action is on the board.
    fn cells(&self, action: usize) -> ActionCells;

    /// The action that leaves the turn to the other, in games where one may always do so.
    fn pass(&self) -> Option<usize> {
        None
    }

    /// Whether whoever's turn it is would lose if the game ended now, in games that know passing.
    fn is_behind(&self) -> bool {
        false
    }

    /// Lives that are left, in games that have some.
    fn lives(&self) -> Option<u32> {
        None
    }
}
