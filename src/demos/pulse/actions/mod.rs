//! `vitrine pulse …`: people, answers to small pictures, and how fast and how fair they are.

mod bench;
mod bias;
mod learned;
mod pack;
mod person;
mod surrogate;
pub mod train;
mod upscale;

use clap::{ArgMatches, FromArgMatches, Subcommand};

use crate::cli::Globals;
use crate::error::{Error, Result};

#[derive(Subcommand)]
enum Action {
    /// Draw an imaginary person
    Person(person::PersonArgs),
    /// Find faces that shrink to a small picture
    Upscale(upscale::UpscaleArgs),
    /// Find faces of the learned generator that shrink to a small picture, by the paper's own search
    Learned(learned::LearnedArgs),
    /// Measure what becomes of people of each group when they are shrunk and searched for again
    Bias(bias::BiasArgs),
    /// Measure how fast people are drawn, and how well and fast answers are found
    Bench(bench::BenchArgs),
    /// Make the packs of people from the two packages of their sources
    Pack(pack::PackArgs),
    /// Make a surrogate of the renderer, which searches are led by
    Surrogate(surrogate::SurrogateArgs),
}

/// The actions with their flags.
#[must_use]
pub fn command() -> clap::Command {
    Action::augment_subcommands(clap::Command::new("pulse"))
}

/// Runs an action.
///
/// # Errors
/// What it failed with.
pub fn run(matches: &ArgMatches, globals: &Globals) -> Result<()> {
    match Action::from_arg_matches(matches).unwrap_or_else(|e| e.exit()) {
        Action::Person(args) => with_threads(globals, || person::run(&args, globals)),
        Action::Upscale(args) => upscale::run(&args, globals),
        Action::Learned(args) => learned::run(&args, globals),
        Action::Bias(args) => bias::run(&args, globals),
        Action::Bench(args) => with_threads(globals, || bench::run(&args, globals)),
        Action::Pack(args) => pack::run(&args, globals),
        Action::Surrogate(args) => surrogate::run(args, globals),
    }
}

/// Runs in a pool of as many threads as `--threads` says.
fn with_threads(globals: &Globals, work: impl FnOnce() -> Result<()> + Send) -> Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(globals.threads.map_or(0, usize::from))
        .build()
        .map_err(|error| Error::Missing(format!("cannot start threads to draw with: {error}")))?
        .install(work)
}
