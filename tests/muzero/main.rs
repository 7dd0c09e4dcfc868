//! The `MuZero` demo's parts against independent sources.

mod atari;
mod games;
mod minatar;
