//! The `MuZero` demo's parts against independent sources.

mod arena;
mod atari;
mod games;
mod minatar;
mod noise;
mod opponents;
mod search;
mod training;
mod true_rules;
