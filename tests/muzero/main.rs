//! The `MuZero` demo's parts against independent sources.

mod games;
mod search;
mod true_rules;
