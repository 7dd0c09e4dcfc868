//! Short messages in the corner. They stay while the pointer is on them; those that tell of a
//! failure stay until they are closed.

use std::time::{Duration, Instant};

use egui::{Align2, Area, Context, Frame, Id, Order, RichText, Stroke, Ui};

use super::theme;

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It worked.
    Info,
    /// It went on, but.
    Warning,
    /// It failed.
    Error,
}

struct Toast {
    number: u64,
    severity: Severity,
    text: String,
    details: Option<String>,
    until: Option<Instant>,
}

/// The messages on display.
#[derive(Default)]
pub struct Toasts {
    shown: Vec<Toast>,
    count: u64,
}

const MAX_SHOWN: usize = 4;

impl Toasts {
    /// Says that something worked.
    pub fn info(&mut self, text: impl Into<String>) {
        self.add(Severity::Info, text.into(), None);
    }

    /// Says that something went on, but not as asked.
    pub fn warning(&mut self, text: impl Into<String>) {
        self.add(Severity::Warning, text.into(), None);
    }

    /// Says that something failed.
    pub fn error(&mut self, text: impl Into<String>) {
        self.add(Severity::Error, text.into(), None);
    }

    /// Shows a message, with more for those who unfold it. The log gets it too.
    pub fn add(&mut self, severity: Severity, text: String, details: Option<String>) {
        let more = details
            .as_deref()
            .map_or(String::new(), |d| format!(" ({d})"));
        match severity {
            Severity::Info => tracing::info!("{text}{more}"),
            Severity::Warning => tracing::warn!("{text}{more}"),
            Severity::Error => tracing::error!("{text}{more}"),
        }
        // The same message again replaces the old one instead of piling up.
        self.shown.retain(|t| t.text != text);
        let until = match severity {
            Severity::Info => Some(Instant::now() + Duration::from_secs(5)),
            Severity::Warning => Some(Instant::now() + Duration::from_secs(12)),
            Severity::Error => None,
        };
        self.count += 1;
        self.shown.push(Toast {
            number: self.count,
            severity,
            text,
            details,
            until,
        });
        if self.shown.len() > MAX_SHOWN {
            self.shown.remove(0);
        }
    }

    /// Whether a message with this text in it is on display.
    #[must_use]
    pub fn shows(&self, text: &str) -> bool {
        self.shown.iter().any(|t| t.text.contains(text))
    }

    /// Draws them, newest at the bottom.
    pub(super) fn ui(&mut self, ctx: &Context) {
        let now = Instant::now();
        let mut closed = Vec::new();
        let mut offset = -36.0;
        for toast in self.shown.iter_mut().rev() {
            let area = Area::new(Id::unique(("toast", toast.number)))
                .order(Order::Foreground)
                .anchor(Align2::RIGHT_BOTTOM, [-12.0, offset])
                .show(ctx, |ui| toast.ui(ui));
            offset -= area.response.rect.height() + 8.0;
            if area.inner {
                closed.push(toast.number);
            }
            if area.response.contains_pointer() {
                toast.until = toast
                    .until
                    .map(|until| until.max(now + Duration::from_secs(2)));
            }
        }
        self.shown
            .retain(|t| !closed.contains(&t.number) && t.until.is_none_or(|until| until > now));
        if let Some(next) = self.shown.iter().filter_map(|t| t.until).min() {
            ctx.request_repaint_after(next.saturating_duration_since(now));
        }
    }
}

impl Toast {
    /// Draws it. True when it was closed.
    fn ui(&self, ui: &mut Ui) -> bool {
        let tokens = theme::tokens(ui);
        let (color, name) = match self.severity {
            Severity::Info => (tokens.good, "Done"),
            Severity::Warning => (tokens.warning, "Note"),
            Severity::Error => (tokens.bad, "Failed"),
        };
        let frame = Frame::popup(ui.style()).stroke(Stroke::new(1.0, color));
        frame
            .show(ui, |ui| {
                ui.set_max_width(420.0);
                let mut close = false;
                ui.horizontal(|ui| {
                    ui.label(RichText::new(name).color(color).strong());
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        close = ui.small_button("Close").clicked();
                        if ui
                            .small_button("Copy")
                            .on_hover_text("Copy the message")
                            .clicked()
                        {
                            let details = self.details.as_deref().unwrap_or_default();
                            ui.ctx().copy_text(format!("{}\n{details}", self.text));
                        }
                    });
                });
                ui.label(&self.text);
                if let Some(details) = &self.details {
                    ui.collapsing("Details", |ui| {
                        ui.label(RichText::new(details).color(tokens.faint))
                    });
                }
                close
            })
            .inner
    }
}
