//! The last messages of the program, for the log panel.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use egui::{RichText, ScrollArea, Ui};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::theme;

/// Lines that are kept.
const CAPACITY: usize = 1024;

#[derive(Clone)]
struct Line {
    level: Level,
    source: String,
    text: String,
}

/// A ring of the last log lines; a layer of `tracing` fills it.
#[derive(Clone, Default)]
pub struct LogBuffer {
    lines: Arc<Mutex<VecDeque<Line>>>,
}

impl LogBuffer {
    /// The layer that fills it.
    #[must_use]
    pub fn layer<S: Subscriber>(&self) -> impl Layer<S> + use<S> {
        self.clone()
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, VecDeque<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: Line) {
        let mut lines = self.lines();
        if lines.len() == CAPACITY {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Draws the panel's content.
    pub(super) fn ui(&self, ui: &mut Ui, filter: &mut String) {
        let tokens = theme::tokens(ui);
        let lines: Vec<Line> = self
            .lines()
            .iter()
            .filter(|l| l.text.contains(filter.as_str()) || l.source.contains(filter.as_str()))
            .cloned()
            .collect();
        ui.horizontal(|ui| {
            ui.strong("Log");
            let label = ui.label("Filter");
            ui.add(egui::TextEdit::singleline(filter).desired_width(180.0))
                .labelled_by(label.id);
            if ui
                .button("Copy")
                .on_hover_text("Copy the lines below")
                .clicked()
            {
                let mut text = String::new();
                for line in &lines {
                    let _ = writeln!(text, "{} {} {}", line.level, line.source, line.text);
                }
                ui.ctx().copy_text(text);
            }
            if ui.button("Clear").clicked() {
                self.lines().clear();
            }
        });
        ui.separator();
        let height = ui.text_style_height(&egui::TextStyle::Small);
        ScrollArea::both()
            .auto_shrink(false)
            .stick_to_bottom(true)
            .show_rows(ui, height, lines.len(), |ui, rows| {
                if lines.is_empty() {
                    ui.label(
                        RichText::new("Nothing was logged")
                            .small()
                            .color(tokens.faint),
                    );
                }
                for line in lines.get(rows).unwrap_or_default() {
                    let color = match line.level {
                        Level::ERROR => tokens.bad,
                        Level::WARN => tokens.warning,
                        _ => tokens.faint,
                    };
                    ui.horizontal(|ui| {
                        ui.label(
                            RichText::new(line.level.as_str())
                                .small()
                                .color(color)
                                .monospace(),
                        );
                        ui.label(
                            RichText::new(format!("{}  {}", line.source, line.text))
                                .small()
                                .monospace(),
                        );
                    });
                }
            });
    }
}

impl<S: Subscriber> Layer<S> for LogBuffer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let meta = event.metadata();
        self.push(Line {
            level: *meta.level(),
            source: meta.target().to_owned(),
            text: text.0,
        });
    }
}

/// Collects an event's message and fields.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = if field.name() == "message" {
            write!(self.0, "{value:?}")
        } else {
            write!(self.0, " {}={value:?}", field.name())
        };
    }
}
