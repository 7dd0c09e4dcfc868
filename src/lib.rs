//! Vitrine: the landmark AI systems of 2020, to be used rather than looked at.
//!
//! ARCHITECTURE.md has the picture. Arrows point one way: `demos` use `compute`, `nn` and, in
//! their `ui.rs`, `gui` and `view`; everything may use `store`, `rng` and `error`.

pub mod cli;
pub mod compute;
pub mod data;
pub mod demos;
pub mod error;
#[cfg(feature = "gui")]
pub mod gui;
pub mod human;
pub mod nn;
pub mod rng;
pub mod store;
#[cfg(feature = "gui")]
pub mod view;

pub use error::{Error, Result};
