//! The program in sight.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::super::program::Program;
use super::super::text::print;

/// A program with where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    title: String,
    text: String,
    program: Program,
    id: u64,
}

impl Subject {
    /// A program to look at.
    #[must_use]
    pub fn new(title: impl Into<String>, program: Program) -> Self {
        let text = print(&program);
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self {
            title: title.into(),
            text,
            program,
            id: hasher.finish(),
        }
    }

    /// Where it comes from, for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The program as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same for equal programs, another for others.
    pub fn id(&self) -> u64 {
        self.id
    }
}
