//! The text box: editable, coloured by probability, with each token's alternatives on hover.

use std::sync::Arc;

use egui::text::{LayoutJob, LayoutSection, TextFormat};
use egui::{FontId, Galley, ScrollArea, TextEdit, Tooltip, Ui};

use super::super::document::Document;
use super::tokens;
use crate::gui::theme;

/// The notebook's document with what drawing it needs.
pub struct Notebook {
    document: Arc<Document>,
    buffer: String,
    generating: bool,
    /// Bring the end of the text into view in the next frame.
    show_end: bool,
    /// The last layout and what it was made from.
    layout: Option<(LayoutKey, LayoutJob)>,
    changes: u64,
    /// The text box, once it was drawn.
    id: Option<egui::Id>,
    /// The cursor is to go behind what the model wrote.
    to_the_end: bool,
}

#[derive(Clone, Copy, PartialEq)]
struct LayoutKey {
    changes: u64,
    colours: bool,
    dark: bool,
}

impl Notebook {
    pub fn new(document: Document) -> Self {
        let buffer = document.text().to_owned();
        Self {
            document: Arc::new(document),
            buffer,
            generating: false,
            show_end: false,
            layout: None,
            changes: 0,
            id: None,
            to_the_end: false,
        }
    }

    /// Whether it has the keyboard.
    pub fn has_focus(&self, ui: &Ui) -> bool {
        self.id
            .is_some_and(|id| ui.memory(|memory| memory.has_focus(id)))
    }

    pub fn document(&self) -> &Arc<Document> {
        &self.document
    }

    pub fn set(&mut self, document: Document) {
        self.document = Arc::new(document);
        self.generating = false;
        self.sync();
    }

    /// Changes the document in place; states kept for undo are copies.
    pub fn change(&mut self, change: impl FnOnce(&mut Document)) {
        change(Arc::make_mut(&mut self.document));
        self.sync();
    }

    fn sync(&mut self) {
        if self.buffer != self.document.text() {
            self.buffer.clear();
            self.buffer.push_str(self.document.text());
        }
        self.changes += 1;
    }

    pub fn is_generating(&self) -> bool {
        self.generating
    }

    pub fn begin_generating(&mut self) {
        self.generating = true;
        self.show_end = true;
        self.change(Document::end_prompt);
    }

    pub fn end_generating(&mut self) {
        self.to_the_end = self.generating;
        self.generating = false;
        self.change(Document::end_tokens);
    }

    /// Draws it. True when the user changed the text.
    pub fn ui(&mut self, ui: &mut Ui, height: f32, colours: bool, editable: bool) -> bool {
        let key = LayoutKey {
            changes: self.changes,
            colours,
            dark: ui.visuals().dark_mode,
        };
        if self.layout.as_ref().is_none_or(|(old, _)| *old != key) {
            self.layout = Some((key, layout(&self.document, ui, colours)));
        }
        let document = Arc::clone(&self.document);
        let cached = self.layout.as_ref().map(|(_, job)| job);
        // While a key is being handled the text is newer than the document: then it is laid out
        // as if edited already.
        let mut layouter = |ui: &Ui, text: &dyn egui::TextBuffer, width: f32| -> Arc<Galley> {
            let mut job = match cached {
                Some(job) if job.text == text.as_str() => job.clone(),
                _ => {
                    let mut edited = document.as_ref().clone();
                    edited.edit(text.as_str().to_owned());
                    layout(&edited, ui, colours)
                }
            };
            job.wrap.max_width = width;
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        let (mut changed, mut id) = (false, None);
        // A text that only shows keeps the keyboard and can be copied while the model writes.
        let mut shown = self.buffer.as_str();
        let buffer: &mut dyn egui::TextBuffer = if editable {
            &mut self.buffer
        } else {
            &mut shown
        };
        ScrollArea::vertical()
            .max_height(height)
            .min_scrolled_height(height)
            .auto_shrink(false)
            .stick_to_bottom(self.generating)
            .show(ui, |ui| {
                let output = TextEdit::multiline(buffer)
                    // It must not depend on what is drawn above it.
                    .id(egui::Id::unique("gpt notebook"))
                    .desired_width(f32::INFINITY)
                    .min_size(egui::vec2(0.0, height - 8.0))
                    .margin(egui::Margin::symmetric(14, 12))
                    .hint_text("Type a text with a few examples, then let the model continue it")
                    .lock_focus(false)
                    .layouter(&mut layouter)
                    .show(ui);
                if self.to_the_end {
                    let mut state = output.state.clone();
                    let end = egui::text::CCursorRange::one(output.galley.end());
                    state.cursor.set_char_range(Some(end));
                    state.store(ui.ctx(), output.response.response.id);
                    self.to_the_end = false;
                }
                let response = &output.response.response;
                // One accessible name for people and tests.
                response.widget_info(|| {
                    let mut info = egui::WidgetInfo::labeled(
                        egui::Role::MultilineTextInput,
                        editable,
                        "Notebook",
                    );
                    info.current_text_value = Some(document.text().to_owned());
                    info
                });
                id = Some(response.id);
                if std::mem::take(&mut self.show_end) {
                    // From here on the view sticks to the end, unless the user scrolls away.
                    let end = output
                        .galley
                        .pos_from_cursor(output.galley.end())
                        .translate(output.galley_pos.to_vec2());
                    ui.scroll_to_rect(end.expand(40.0), Some(egui::Align::BOTTOM));
                }
                changed = response.changed();
                if !changed
                    && let Some(pointer) = response.hover_pos()
                    && ui.input(|i| !i.pointer.any_down())
                    && let Some(span) =
                        span_under(&document, &output.galley, pointer - output.galley_pos)
                {
                    let mut tooltip = Tooltip::for_widget(response).at_pointer().gap(14.0);
                    tooltip.popup = tooltip.popup.width(280.0);
                    tooltip.show(|ui| tokens::position_ui(ui, &span.position));
                }
            });
        self.id = id;
        if changed {
            let text = self.buffer.clone();
            self.change(|d| d.edit(text));
        }
        changed
    }
}

/// The token under a point of the galley, if the point is on text at all.
fn span_under<'d>(
    document: &'d Document,
    galley: &Galley,
    at: egui::Vec2,
) -> Option<&'d super::super::document::Span> {
    let row = galley
        .rows
        .iter()
        .find(|row| row.rect().y_range().contains(at.y))?;
    if !row.rect().x_range().contains(at.x) {
        return None;
    }
    let cursor = galley.cursor_from_pos(at);
    // The nearest gap between characters may lie behind the one that is pointed at.
    let right = galley.pos_from_cursor(cursor).center().x > at.x;
    let index = cursor.index.0.saturating_sub(usize::from(right));
    let byte = document
        .text()
        .char_indices()
        .nth(index)
        .map(|(byte, _)| byte)?;
    document.span_at(byte)
}

/// The text in sections: what the model wrote in its own colour, probabilities behind the tokens.
fn layout(document: &Document, ui: &Ui, colours: bool) -> LayoutJob {
    let colors = theme::tokens(ui);
    let text = document.text();
    let font = FontId::monospace(15.0);
    let mut job = LayoutJob {
        text: text.to_owned(),
        ..LayoutJob::default()
    };
    let mut cuts: Vec<usize> = document
        .generated()
        .iter()
        .flat_map(|r| [r.start, r.end])
        .chain([0, text.len()])
        .collect();
    if colours {
        cuts.extend(
            document
                .spans()
                .iter()
                .flat_map(|s| [s.range.start, s.range.end]),
        );
    }
    // A token may end inside a character, a section may not.
    for cut in &mut cuts {
        *cut = text.floor_char_boundary((*cut).min(text.len()));
    }
    cuts.sort_unstable();
    cuts.dedup();
    for pair in cuts.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        let generated = document.generated().iter().any(|r| r.contains(&start));
        let span = document.span_at(start).filter(|_| colours);
        let background = span
            .and_then(|s| s.position.logprob)
            .map_or(egui::Color32::TRANSPARENT, |l| colors.surprise(l));
        let format = TextFormat {
            font_id: font.clone(),
            color: if generated {
                colors.generated
            } else {
                colors.text
            },
            background,
            expand_bg: 1.0,
            line_height: Some(23.0),
            ..TextFormat::default()
        };
        let range = egui::text::ByteIndex(start)..egui::text::ByteIndex(end);
        job.sections.push(LayoutSection {
            leading_space: 0.0,
            byte_range: range,
            format,
        });
    }
    if job.sections.is_empty() {
        let format = TextFormat {
            font_id: font,
            color: ui.visuals().text_color(),
            ..TextFormat::default()
        };
        let range = egui::text::ByteIndex(0)..egui::text::ByteIndex(text.len());
        job.sections.push(LayoutSection {
            leading_space: 0.0,
            byte_range: range,
            format,
        });
    }
    job
}
