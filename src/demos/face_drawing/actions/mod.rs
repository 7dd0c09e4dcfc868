//! `vitrine sketch …`: drawings of imaginary people, and faces from drawings.

mod bench;
mod draw;
mod render;
pub mod train;

use clap::{ArgMatches, FromArgMatches, Subcommand};

use crate::cli::Globals;
use crate::error::Result;

#[derive(Subcommand)]
enum Action {
    /// Have a face painted from a drawing
    Draw(draw::DrawArgs),
    /// Draw an imaginary person as a sketch
    Render(render::RenderArgs),
    /// Measure how near answers come to the truth, and how fast
    Bench(bench::BenchArgs),
}

/// The actions with their flags.
#[must_use]
pub fn command() -> clap::Command {
    Action::augment_subcommands(clap::Command::new("sketch"))
}

/// Runs an action.
///
/// # Errors
/// What it failed with.
pub fn run(matches: &ArgMatches, globals: &Globals) -> Result<()> {
    match Action::from_arg_matches(matches).unwrap_or_else(|e| e.exit()) {
        Action::Draw(args) => draw::run(&args, globals),
        Action::Bench(args) => bench::run(&args, globals),
        Action::Render(args) => render::run(&args, globals),
    }
}
