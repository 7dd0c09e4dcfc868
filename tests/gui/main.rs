//! The window, driven as a person drives it: by the names of its widgets, by keys, by files.
//!
//! The window is the real one, with the real tabs; only the desktop around it is missing. Most
//! tests draw nothing, those in [`pictures`] need a graphics adapter, software will do. Tests that
//! complete text need the model and are skipped without it.
#![cfg(feature = "gui")]

mod automl;
#[path = "../common/mod.rs"]
mod common;
mod face_drawing;
mod files;
mod first_look;
mod in_context;
mod lottery;
mod muzero;
mod muzero_training;
mod notebook;
mod pictures;
mod pulse;
mod sessions;
mod shell;
mod window;
