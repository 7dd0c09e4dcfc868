//! A program written by hand: read as it is typed, looked at, begun with.

use egui::{RichText, ScrollArea, TextEdit, Ui};

use super::super::program::Program;
use super::super::text::{MAX_TEXT, parse};
use super::subject::Subject;
use crate::gui::theme;

/// The page.
#[derive(Default)]
pub struct EditorPage {
    text: String,
}

/// What somebody wants to do with the program.
pub enum Wish {
    /// See what it is worth.
    LookAt(Subject),
    /// Begin a search with it.
    BeginWith(String),
}

impl EditorPage {
    /// The text, for a session.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Puts a program into the editor.
    pub fn set(&mut self, text: impl Into<String>) {
        self.text = text.into();
    }

    /// Draws the page. What is wanted, and whether the text has changed.
    pub fn ui(&mut self, ui: &mut Ui, idle: bool) -> (Option<Wish>, bool) {
        let tokens = theme::tokens(ui);
        let label = ui.label(
            RichText::new("A program as text: Setup once, then Predict and Learn for each example")
                .color(tokens.faint),
        );
        let parsed: Result<Program, String> = if self.text.trim().is_empty() {
            Err("empty: write a program, or take one from the page Program".to_owned())
        } else {
            parse(&self.text).map_err(|error| error.to_string())
        };
        let mut wish = None;
        ui.horizontal_wrapped(|ui| {
            let good = parsed.is_ok();
            if ui
                .add_enabled(good, egui::Button::new("Evaluate"))
                .clicked()
                && let Ok(program) = &parsed
            {
                wish = Some(Wish::LookAt(Subject::new(
                    "Written by hand",
                    program.clone(),
                )));
            }
            let about = "Every individual of the next search is this program at first";
            let begin = ui.add_enabled(good && idle, egui::Button::new("Begin a search with it"));
            if begin.on_hover_text(about).clicked() {
                wish = Some(Wish::BeginWith(self.text.clone()));
            }
            match &parsed {
                Ok(program) => {
                    let count = program.len();
                    let text = format!("reads well: {count} instructions");
                    ui.label(RichText::new(text).color(tokens.good));
                }
                Err(error) => {
                    ui.label(RichText::new(error).color(tokens.bad));
                }
            }
        });
        let changed = ScrollArea::vertical()
            .id_salt("automl editor")
            .auto_shrink([false, false])
            .show(ui, |ui| {
                let edit = TextEdit::multiline(&mut self.text)
                    .code_editor()
                    .char_limit(MAX_TEXT)
                    .desired_width(f32::INFINITY)
                    .desired_rows(24);
                ui.add(edit).labelled_by(label.id).changed()
            })
            .inner;
        (wish, changed)
    }
}
