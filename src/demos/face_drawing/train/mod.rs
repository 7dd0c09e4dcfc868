//! How the networks are made: people are drawn, autoencoders learn their drawings, everybody's codes
//! are made, and the reader and the painter learn from those.

mod codes;
mod drawn;
mod encoding;
mod gallery;
mod job;
mod painting;
mod reading;
mod warp;

pub use gallery::ink;
pub use job::{Output, SketchConfig, SketchJob, SketchOptions};
