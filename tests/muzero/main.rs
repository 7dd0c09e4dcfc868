//! The `MuZero` demo's parts against independent sources.

mod games;
