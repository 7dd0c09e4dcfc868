//! The `MuZero` demo's parts against independent sources.

mod arena;
mod games;
mod noise;
mod opponents;
mod search;
mod true_rules;
