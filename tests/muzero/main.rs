//! The `MuZero` demo's parts against independent sources.

mod games;
mod noise;
mod search;
mod true_rules;
