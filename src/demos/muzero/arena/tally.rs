//! Counted results.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::data::interval::{Interval, wilson};
use crate::demos::muzero::game::{Outcome, Player as Side};

/// How a game ended for one of the players.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GameResult {
    /// Won.
    Won,
    /// Drawn.
    Drawn,
    /// Lost.
    Lost,
}

impl GameResult {
    /// For the player on one side; a game that nobody won is drawn.
    #[must_use]
    pub fn of(outcome: Option<Outcome>, side: Side) -> Self {
        match outcome {
            Some(Outcome::Won(winner)) if winner == side => Self::Won,
            Some(Outcome::Won(_)) => Self::Lost,
            Some(Outcome::Drawn) | None => Self::Drawn,
        }
    }
}

/// Won, drawn and lost games of one player.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Won.
    pub wins: u64,
    /// Drawn.
    pub draws: u64,
    /// Lost.
    pub losses: u64,
}

impl Tally {
    /// All games.
    #[must_use]
    pub fn games(&self) -> u64 {
        self.wins + self.draws + self.losses
    }

    /// Points: 1 for a win, half for a draw.
    #[must_use]
    pub fn points(&self) -> f64 {
        self.wins as f64 + 0.5 * self.draws as f64
    }

    /// Points a game, 0 to 1; 0 without games.
    #[must_use]
    pub fn score(&self) -> f64 {
        share(self.points(), self.games())
    }

    /// The score's 95 % interval.
    #[must_use]
    pub fn score_interval(&self) -> Interval {
        wilson(self.points(), self.games())
    }

    /// Won games of all, 0 to 1; 0 without games.
    #[must_use]
    pub fn win_rate(&self) -> f64 {
        share(self.wins as f64, self.games())
    }

    /// The win rate's 95 % interval.
    #[must_use]
    pub fn win_interval(&self) -> Interval {
        wilson(self.wins as f64, self.games())
    }

    /// Adds the same result some times.
    pub fn add(&mut self, result: GameResult, times: u64) {
        match result {
            GameResult::Won => self.wins += times,
            GameResult::Drawn => self.draws += times,
            GameResult::Lost => self.losses += times,
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.wins += more.wins;
        self.draws += more.draws;
        self.losses += more.losses;
    }
}

pub(super) fn share(part: f64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part / all as f64 }
}
