//! Shapes, boards, grids and search trees: what they draw, and what they answer.
#![cfg(feature = "gui")]

mod board;
#[path = "../common/mod.rs"]
mod common;
mod pictures;
mod shapes;
mod tree;
mod window;
