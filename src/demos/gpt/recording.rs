//! The stored run that the tab shows before a model is there.
//!
//! It is the output of `vitrine gpt complete … --explain --json`, unchanged; the manifest has the
//! command.

use serde::Deserialize;

use super::document::Document;
use super::engine::Position;
use super::job::CompleteConfig;
use crate::error::{Error, Result};

const STORED: &str = include_str!("../../../assets/samples/gpt.json");
const STORED_PATH: &str = "assets/samples/gpt.json";

/// A completion with all its probabilities.
#[derive(Deserialize)]
pub struct Recording {
    /// The model that made it, by its own name.
    pub model: String,
    /// The settings it was made with.
    pub config: CompleteConfig,
    text: String,
    prompt_positions: Vec<Position>,
    positions: Vec<Position>,
}

impl Recording {
    /// The run that ships with the program.
    ///
    /// # Errors
    /// When the file does not hold a run, which a test excludes.
    pub fn stored() -> Result<Self> {
        serde_json::from_str(STORED)
            .map_err(|e| Error::bad_file(STORED_PATH.as_ref(), e.to_string()))
    }

    /// The run as the notebook shows it.
    #[must_use]
    pub fn document(&self) -> Document {
        let mut document = Document::new(self.config.prompt.clone());
        document.begin_tokens();
        document.add_prompt(&self.prompt_positions);
        document.end_prompt();
        document.add_generated(&self.text, None);
        for position in &self.positions {
            document.add_generated("", Some(position.clone()));
        }
        document.end_tokens();
        document
    }
}

#[cfg(test)]
mod tests {
    use super::Recording;

    #[test]
    fn the_stored_run_is_whole() {
        let recording = Recording::stored().expect("it can be read");
        let document = recording.document();
        assert!(
            document.text().ends_with(" She went to the market."),
            "{}",
            document.text()
        );
        assert_eq!(document.last_generated(), " She went to the market.");
        let covered: usize = document.spans().iter().map(|s| s.range.len()).sum();
        assert_eq!(covered, document.text().len(), "every byte has its token");
        assert!(
            document.spans()[1..]
                .iter()
                .all(|s| s.position.top.len() == 10)
        );
    }
}
