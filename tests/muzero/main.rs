//! The `MuZero` demo's parts against independent sources.

mod arena;
mod atari;
mod engines;
mod games;
mod learning;
mod minatar;
mod noise;
mod opponents;
mod search;
mod shipped;
mod training;
mod true_rules;
