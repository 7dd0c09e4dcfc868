//! How strong a player is: matches, every line of play, Elo, graded moves, mean returns.
//!
//! A [`Player`] chooses for many games at once, so that a network is asked in batches. What runs
//! for long goes step by step, for a job to drive.

mod anchors;
mod elo;
mod exhaustive;
mod grade;
mod matches;
mod player;
mod scores;
mod tally;

pub use crate::data::interval::{Interval, wilson};
pub use anchors::{anchors, opening_plies};
pub use elo::{Anchor, EloCurve, EloPoint, Faced, Rating, calibrate, rate};
pub use exhaustive::Exhaustive;
pub use grade::{Graded, Grader, Kept, positions, share_kept};
pub use matches::{Finished, Match, MatchOptions};
pub use player::{Choice, Opponents, Player, Position};
pub use scores::{MeanReturn, mean_return};
pub use tally::{GameResult, Tally};
