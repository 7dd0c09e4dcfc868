//! The ratings of opponents that do not change, for a learner to be rated against.
//!
//! Measured by 400 games of every pair, begun with random moves as [`opening_plies`] says, and
//! fitted by [`calibrate`](super::calibrate) with random play at 0. The test `measure_the_anchors`
//! (ignored, it takes minutes) prints them anew. A rating says something within its game only.

use super::elo::Anchor;
use crate::demos::muzero::game::GameId;

/// The rated opponents of a game, weakest first; none where nobody was measured.
#[must_use]
pub fn anchors(game: &GameId) -> Vec<Anchor> {
    let rated: &[(&str, f64)] = match game {
        GameId::TicTacToe => &[("random", 0.0), ("minimax", 482.0)],
        GameId::ConnectFour => &[
            ("random", 0.0),
            ("alphabeta:1", 737.0),
            ("alphabeta:2", 1085.0),
            ("alphabeta:4", 1146.0),
            ("alphabeta:6", 1234.0),
            ("alphabeta:8", 1319.0),
        ],
        GameId::Othello6 => &[
            ("random", 0.0),
            ("alphabeta:1", 465.0),
            ("alphabeta:2", 595.0),
            ("alphabeta:4", 762.0),
            ("alphabeta:6", 904.0),
        ],
        GameId::Othello8 => &[
            ("random", 0.0),
            ("alphabeta:1", 597.0),
            ("alphabeta:2", 853.0),
            ("alphabeta:4", 1150.0),
            ("alphabeta:6", 1430.0),
        ],
        GameId::Gomoku | GameId::Go | GameId::Chess | GameId::MinAtar(_) | GameId::Atari(_) => &[],
    };
    let anchors = rated.iter().map(|&(name, elo)| Anchor {
        name: name.to_owned(),
        elo,
    });
    anchors.collect()
}

/// Random moves before each of the measured games: so that games differ, and the stronger player
/// does not win them all.
#[must_use]
pub fn opening_plies(game: &GameId) -> usize {
    match game {
        GameId::TicTacToe => 0,
        GameId::ConnectFour => 2,
        _ => 4,
    }
}
