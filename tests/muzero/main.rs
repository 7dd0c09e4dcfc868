//! The `MuZero` demo's parts against independent sources.

mod arena;
mod games;
<<<<<<< HEAD
mod opponents;
=======
mod noise;
>>>>>>> search
mod search;
mod true_rules;
