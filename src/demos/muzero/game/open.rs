//! From a game's name to the game.

use super::atari::{AtariGame, AtariSettings};
use super::minatar::{MinAtarGame, STICKY};
use super::{Chess, ConnectFour, Game, GameId, Go, Gomoku, Othello, TicTacToe};
use crate::error::Result;

/// A game at its beginning, with the settings of the papers; the chances are those of seed 0 until
/// it is reset.
///
/// # Errors
/// When what the game needs is not there; the message says what to install.
pub fn open(id: &GameId) -> Result<Box<dyn Game>> {
    Ok(match id {
        GameId::TicTacToe => Box::new(TicTacToe::new()),
        GameId::ConnectFour => Box::new(ConnectFour::new()),
        GameId::Othello6 => Box::new(Othello::<6>::new()),
        GameId::Othello8 => Box::new(Othello::<8>::new()),
        GameId::Gomoku => Box::new(Gomoku::new()),
        GameId::Go => Box::new(Go::new()),
        GameId::Chess => Box::new(Chess::new()),
        GameId::MinAtar(kind) => Box::new(MinAtarGame::new(*kind, STICKY, true)),
        GameId::Atari(rom) => Box::new(AtariGame::new(rom, AtariSettings::default())?),
    })
}
