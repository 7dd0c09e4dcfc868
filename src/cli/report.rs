//! Results for people or for programs.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::compute::Progress;

/// Where a command's results go.
pub struct Report {
    json: bool,
    bar: Option<ProgressBar>,
    last: Option<Progress>,
}

impl Report {
    /// Lines of JSON, or text with a progress bar on the standard error.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self {
            json,
            bar: None,
            last: None,
        }
    }

    /// Whether the output is for programs.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints one event, when the output is for programs; `fields` is a JSON object.
    pub fn event(&mut self, event: &str, fields: &Value) {
        if !self.json {
            return;
        }
        // The event's name comes first, for people who read along.
        let fields = fields.to_string();
        let rest = fields.strip_prefix('{').unwrap_or(&fields);
        let comma = if rest == "}" { "" } else { "," };
        print(&format!("{{\"event\":{}{comma}{rest}\n", json!(event)));
    }

    /// Prints text, when the output is for people.
    pub fn text(&mut self, text: &str) {
        if !self.json {
            self.clear();
            print(text);
        }
    }

    /// Shows how far a job is.
    pub fn progress(&mut self, progress: &Progress) {
        if self.last.as_ref() == Some(progress) || progress.unit.is_empty() {
            return;
        }
        self.last = Some(progress.clone());
        if self.json {
            self.event("progress", &json!(progress));
        } else if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(new_bar);
            bar.set_length(progress.total.unwrap_or(0));
            bar.set_position(progress.done);
            let rate = progress.rate.map_or(String::new(), |rate| {
                format!(", {rate:.1} {}/s", progress.unit)
            });
            bar.set_message(format!("{}{rate}", progress.unit));
        }
    }

    /// Takes the progress bar away.
    pub fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Prints to the standard output. When its reader has gone, as `head` does, there is nothing left
/// to do.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if out
        .write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        std::process::exit(0);
    }
}
