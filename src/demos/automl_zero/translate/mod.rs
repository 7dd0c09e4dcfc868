//! Programs as source code in other languages, without what is dead.
//!
//! What is written compiles and runs as it is; it computes in double precision, as
//! [`super::scalar`] does for winners. Random numbers are the reader's own: the draws of a search
//! belong to its tasks.

mod python;
mod rust;

use std::str::FromStr;

use super::analysis::{Analysis, register};
use super::instruction::{Instruction, Kind, MAX_REGISTERS};
use super::program::{Function, Program};
use super::text::print;

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// The paper's pseudo-code
    Text,
    /// Python with numpy
    Python,
    /// Rust without crates
    Rust,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Text, Self::Python, Self::Rust];

    /// Its name.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Python => "Python",
            Self::Rust => "Rust",
        }
    }
}

impl FromStr for Language {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        clap::ValueEnum::from_str(text, true)
    }
}

/// The source code of a program.
#[must_use]
pub fn translate(program: &Program, language: Language) -> String {
    let analysis = Analysis::of(program);
    let live = program.filtered(analysis.live);
    match language {
        Language::Text => print(&live),
        Language::Python => python::write(&live),
        Language::Rust => rust::write(&live),
    }
}

/// The registers that a program names, and the label, the prediction and the features.
fn registers(program: &Program) -> Vec<(Kind, u8)> {
    let used = Analysis::of(program).used;
    let kinds = [Kind::Scalar, Kind::Vector, Kind::Matrix];
    kinds
        .into_iter()
        .flat_map(|kind| (0..MAX_REGISTERS).map(move |index| (kind, index)))
        .filter(|&(kind, index)| used & register(kind, index) != 0)
        .collect()
}

fn is_random(program: &Program, function: Function) -> bool {
    let code = program.function(function);
    code.iter().any(|instruction| instruction.op.is_random())
}

/// The names of what an instruction writes and reads, behind `self.`.
fn names(instruction: &Instruction) -> [String; 3] {
    let signature = instruction.op.signature();
    let name = |kind: Kind, index: u8| format!("self.{}{index}", kind.letter());
    let out = signature
        .out
        .map_or(String::new(), |kind| name(kind, instruction.out));
    let read = |place: usize| {
        signature
            .ins
            .get(place)
            .map_or(String::new(), |&kind| name(kind, instruction.ins[place]))
    };
    [out, read(0), read(1)]
}
