//! What the learned model imagines, beside what really happens.
//!
//! From a position `h` makes a state, and `g` alone carries it forward along some moves: neither
//! the rules nor the board are seen again. At every step the probe draws what the state holds, and
//! the true rules play the same moves, so that the two can be compared: pictures, values, rewards,
//! policies, and how much of the policy lies on moves that the rules forbid.
//!
//! The probe is a decoder that was trained beside the networks with a stopped gradient; it is not
//! part of `MuZero`, whose states are free to hold whatever helps to plan. What it cannot draw may
//! still be there: [`Drift`] tells the error of drawing the true state apart from that of
//! imagining it.
//!
//! Pictures and values of games for two are turned to the first player's view, so that they do not
//! flicker with the turn.

mod dream;
mod drift;
mod picture;
mod roll;

pub use dream::{Dream, Look};
pub use drift::{Depth, Drift, DriftConfig, DriftJob, Mean};
pub use picture::{Difference, difference, fixed_view, piece_planes};
pub use roll::{Along, Likely, Roll, RollConfig, RollJob, Step};
