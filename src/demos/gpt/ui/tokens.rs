//! What is drawn of single tokens: alternatives, the strip below the text, the legend, the export.

use std::fmt::Write as _;
use std::sync::Arc;

use egui::{Align2, FontId, RichText, Sense, Ui, vec2};
use egui_plot::{Bar, BarChart, Plot};

use super::super::document::Document;
use super::super::engine::{ALTERNATIVES, Candidate, Position};
use crate::data::Matrix;
use crate::gui::theme;
use crate::view::{ColorMap, HeatMap};

/// Columns of the strip must stay wide enough to point at.
const MIN_COLUMN: f32 = 7.0;
const STRIP_HEIGHT: f32 = 122.0;

/// A token's text with its white space visible.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        match c {
            ' ' => out.push('\u{b7}'),
            '\n' => out.push('\u{21b5}'),
            '\t' => out.push('\u{2192}'),
            // A part of a character whose bytes are not known here; the fonts lack this sign.
            '\u{fffd}' => out.push_str("\\x??"),
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A token's bytes as text; those that are a part of a character as numbers.
fn visible_bytes(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        out += &visible(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// `63 %`, `0.4 %`, `< 0.01 %`.
pub fn percent(logprob: f32) -> String {
    let p = f64::from(logprob).exp() * 100.0;
    if p >= 9.95 {
        format!("{p:.0} %")
    } else if p >= 0.095 {
        format!("{p:.1} %")
    } else if p >= 0.01 {
        format!("{p:.2} %")
    } else {
        "< 0.01 %".into()
    }
}

/// What was expected in a token's place.
pub fn position_ui(ui: &mut Ui, position: &Position) {
    let tokens = theme::tokens(ui);
    let text = visible_bytes(&position.bytes);
    ui.horizontal(|ui| {
        ui.label(RichText::new(text).monospace().strong());
        let told = match (position.logprob, position.rank) {
            (Some(logprob), Some(1)) => format!("{}, the likeliest", percent(logprob)),
            (Some(logprob), Some(rank)) => format!("{}, number {rank}", percent(logprob)),
            _ => "the first token, nothing predicts it".into(),
        };
        ui.label(RichText::new(told).color(tokens.faint));
    });
    candidates_ui(ui, &position.top, Some(position.id));
    ui.label(
        RichText::new(format!("token {}", position.id))
            .small()
            .color(tokens.faint),
    );
}

/// Bars for the likeliest tokens; the one that came is marked.
fn candidates_ui(ui: &mut Ui, candidates: &[Candidate], came: Option<u32>) {
    let tokens = theme::tokens(ui);
    let font = FontId::monospace(13.0);
    for candidate in candidates {
        let (rect, response) = ui.allocate_exact_size(vec2(264.0, 18.0), Sense::hover());
        let text = visible(&candidate.text);
        response.widget_info(|| {
            egui::WidgetInfo::labeled(
                egui::Role::Label,
                true,
                format!("{text} {}", percent(candidate.logprob)),
            )
        });
        let painter = ui.painter_at(rect);
        let marked = came == Some(candidate.id);
        let bar = egui::Rect::from_min_size(
            rect.min + vec2(120.0, 4.0),
            vec2(84.0 * candidate.logprob.exp().min(1.0), 10.0),
        );
        painter.rect_filled(
            bar,
            2.0,
            if marked {
                tokens.accent
            } else {
                tokens.faint.gamma_multiply(0.6)
            },
        );
        let color = if marked {
            tokens.accent
        } else {
            ui.visuals().text_color()
        };
        let shown: String = if text.chars().count() > 14 {
            text.chars().take(13).chain(['\u{2026}']).collect()
        } else {
            text
        };
        painter.text(
            rect.left_center(),
            Align2::LEFT_CENTER,
            shown,
            font.clone(),
            color,
        );
        painter.text(
            rect.right_center(),
            Align2::RIGHT_CENTER,
            percent(candidate.logprob),
            font.clone(),
            color,
        );
    }
}

/// One line: what could come next.
pub fn next_ui(ui: &mut Ui, next: &[Candidate]) {
    let tokens = theme::tokens(ui);
    ui.horizontal(|ui| {
        ui.set_height(24.0);
        ui.label(RichText::new("Next").small().color(tokens.faint));
        for candidate in next {
            let text = RichText::new(visible(&candidate.text)).monospace();
            let share = RichText::new(percent(candidate.logprob))
                .small()
                .color(tokens.faint);
            if ui.available_width() < 110.0 {
                break;
            }
            ui.label(text.background_color(tokens.surprise(candidate.logprob)));
            ui.label(share);
        }
    });
}

/// What the colours mean.
pub fn legend_ui(ui: &mut Ui) {
    let tokens = theme::tokens(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for share in [0.9_f32, 0.5, 0.2, 0.05, 0.01, 0.001] {
            let (rect, _) = ui.allocate_exact_size(vec2(42.0, 18.0), Sense::hover());
            ui.painter()
                .rect_filled(rect, 0.0, tokens.surprise(share.ln()));
            let text = percent(share.ln());
            ui.painter().text(
                rect.center(),
                Align2::CENTER_CENTER,
                text,
                FontId::proportional(10.5),
                ui.visuals().text_color(),
            );
        }
    });
}

/// The strip below the text.
pub struct TokenStrip {
    map: HeatMap,
    shown: Option<(Arc<Document>, usize)>,
    first: usize,
}

impl Default for TokenStrip {
    fn default() -> Self {
        let mut map = HeatMap::new("Alternatives", ColorMap::Cividis);
        map.range = Some([0.0, 1.0]);
        map.square_cells = false;
        Self {
            map,
            shown: None,
            first: 0,
        }
    }
}

impl TokenStrip {
    /// For the last tokens the probabilities of the ten likeliest in their place, as a heat map.
    pub fn alternatives_ui(&mut self, ui: &mut Ui, document: &Arc<Document>) {
        let width = ui.available_width();
        let columns = ((width / MIN_COLUMN) as usize).max(1);
        let fresh = self
            .shown
            .as_ref()
            .is_none_or(|(old, n)| !Arc::ptr_eq(old, document) || *n != columns);
        if fresh {
            self.fill(document, columns);
            self.shown = Some((Arc::clone(document), columns));
        }
        if document.spans().is_empty() {
            empty_ui(ui);
            return;
        }
        let shown = self.map.show(ui, vec2(width, STRIP_HEIGHT));
        if let Some([rank, column]) = shown.cell
            && let Some(span) = document.spans().get(self.first + column)
        {
            shown.response.on_hover_ui_at_pointer(|ui| {
                ui.set_width(280.0);
                position_ui(ui, &span.position);
                if let Some(candidate) = span.position.top.get(rank) {
                    ui.label(
                        RichText::new(format!(
                            "row {}: {} {}",
                            rank + 1,
                            visible(&candidate.text),
                            percent(candidate.logprob)
                        ))
                        .small(),
                    );
                }
            });
        }
    }

    fn fill(&mut self, document: &Document, columns: usize) {
        let spans = document.spans();
        self.first = spans.len().saturating_sub(columns);
        let last = &spans[self.first..];
        // Few tokens are not stretched over the whole width.
        let width = columns.min(last.len().max(MIN_COLUMNS));
        let mut values = vec![f32::NAN; ALTERNATIVES * width];
        for (column, span) in last.iter().enumerate() {
            for (row, candidate) in span.position.top.iter().take(ALTERNATIVES).enumerate() {
                values[row * width + column] = candidate.logprob.exp();
            }
        }
        match Matrix::new(ALTERNATIVES, width, values) {
            Ok(matrix) => self.map.set(&Arc::new(matrix)),
            Err(e) => tracing::error!("{e}"),
        }
    }

    /// For each token how unexpected it was, as bars.
    #[expect(clippy::unused_self, reason = "the strip's two views are called alike")]
    pub fn surprise_ui(&self, ui: &mut Ui, document: &Document) {
        if document.spans().is_empty() {
            empty_ui(ui);
            return;
        }
        let tokens = theme::tokens(ui);
        let bars = document
            .spans()
            .iter()
            .enumerate()
            .filter_map(|(at, span)| {
                let nats = -f64::from(span.position.logprob?);
                let color = if span.range.start
                    >= document.generated().last().map_or(usize::MAX, |r| r.start)
                {
                    tokens.accent
                } else {
                    tokens.faint
                };
                Some(
                    Bar::new(at as f64, nats)
                        .width(0.8)
                        .fill(color)
                        .name(visible_bytes(&span.position.bytes)),
                )
            });
        let chart = BarChart::new("surprise", bars.collect());
        Plot::new("surprise")
            .height(STRIP_HEIGHT)
            .show_grid([false, true])
            .show_axes([false, true])
            .allow_scroll(false)
            .y_axis_label("nats")
            .include_y(0.0)
            .show(ui, |plot| plot.bar_chart(chart));
    }
}

/// The heat map has at least so many columns.
const MIN_COLUMNS: usize = 60;

fn empty_ui(ui: &mut Ui) {
    let (rect, _) =
        ui.allocate_exact_size(vec2(ui.available_width(), STRIP_HEIGHT), Sense::hover());
    let text = "Tokens and their alternatives appear here once the model has read the text";
    ui.painter().text(
        rect.center(),
        Align2::CENTER_CENTER,
        text,
        FontId::proportional(13.0),
        theme::tokens(ui).faint,
    );
}

/// One line for each token.
pub fn csv(document: &Document) -> String {
    let mut out = String::from("token,text,logprob,probability,rank,generated\n");
    let number = |v: Option<f32>| v.map_or(String::new(), |v| v.to_string());
    for span in document.spans() {
        let position = &span.position;
        let text = String::from_utf8_lossy(&position.bytes).replace('"', "\"\"");
        let generated = document
            .generated()
            .iter()
            .any(|r| r.contains(&span.range.start));
        let rank = position.rank.map_or(String::new(), |r| r.to_string());
        let (logprob, p) = (
            number(position.logprob),
            number(position.logprob.map(f32::exp)),
        );
        let _ = writeln!(
            out,
            "{},\"{text}\",{logprob},{p},{rank},{generated}",
            position.id
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{percent, visible, visible_bytes};

    #[test]
    fn probabilities_read_well() {
        let text = |p: f32| percent(p.ln());
        assert_eq!(text(1.0), "100 %");
        assert_eq!(text(0.634), "63 %");
        assert_eq!(text(0.004), "0.4 %");
        assert_eq!(text(0.0003), "0.03 %");
        assert_eq!(text(1e-9), "< 0.01 %");
    }

    #[test]
    fn white_space_is_visible() {
        assert_eq!(visible(" a\n\u{1}"), "\u{b7}a\u{21b5}\\x01");
        assert_eq!(visible_bytes(b" a\xd0"), "\u{b7}a\\xd0");
    }
}
