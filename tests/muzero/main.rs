//! The games, opponents, search and learning of the MuZero tab.

mod atari;
mod minatar;
