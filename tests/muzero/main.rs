//! The `MuZero` demo's parts against independent sources.

mod arena;
mod games;
mod opponents;
mod search;
mod true_rules;
