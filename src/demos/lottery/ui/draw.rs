//! A sheet to draw a digit on, and what the dense net and its ticket make of it.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{Align2, Color32, FontId, RichText, Role, Sense, Shape, Ui, WidgetInfo, pos2, vec2};
use serde::{Deserialize, Serialize};

use super::super::digit::{SIDE, Sheet, Stroke};
use super::super::probe::{Answer, Probe, candidates};
use super::super::store::Store;
use super::bench::Bench;
use crate::compute::{Event, Lane, Run};
use crate::data::{DatasetSource, Matrix};
use crate::gui::controls::empty_ui;
use crate::gui::{TabCx, theme};
use crate::view::{ColorMap, HeatMap};

/// Places of all strokes together; no drawing has as many.
const MOST_PLACES: usize = 20_000;

/// What a session stores.
#[derive(Default, Serialize, Deserialize)]
pub struct Saved(Vec<Stroke>);

/// The view.
pub struct DrawView {
    strokes: Vec<Stroke>,
    undone: Vec<Stroke>,
    drawing: bool,
    sheet: Sheet,
    seen: HeatMap,
    digit: Option<Vec<f32>>,
    answers: Vec<Answer>,
    asking: Option<Run<Vec<Answer>>>,
    /// What the answers are of: the run's place on the bench, and the drawing.
    asked: Option<(u64, u64)>,
    changes: u64,
}

impl Default for DrawView {
    fn default() -> Self {
        let mut seen = HeatMap::new("What the net sees", ColorMap::Viridis);
        seen.range = Some([0.0, 1.0]);
        let mut view = Self {
            strokes: Vec::new(),
            undone: Vec::new(),
            drawing: false,
            sheet: Sheet::default(),
            seen,
            digit: None,
            answers: Vec::new(),
            asking: None,
            asked: None,
            changes: 0,
        };
        view.changed();
        view
    }
}

impl DrawView {
    pub fn save(&self) -> Saved {
        Saved(self.strokes.clone())
    }

    /// Takes up a drawing; places that are none are left out.
    pub fn restore(&mut self, saved: Saved) {
        let mut left = MOST_PLACES;
        let mut strokes = saved.0;
        for stroke in &mut strokes {
            stroke.retain(|place| place.iter().all(|v| (0.0..=1.0).contains(v)));
            stroke.truncate(left);
            left -= stroke.len();
        }
        strokes.retain(|stroke| !stroke.is_empty());
        self.strokes = strokes;
        self.undone.clear();
        self.redraw();
    }

    pub fn can_undo(&self) -> bool {
        !self.strokes.is_empty()
    }

    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    pub fn undo(&mut self) {
        self.undone.extend(self.strokes.pop());
        self.redraw();
    }

    pub fn redo(&mut self) {
        self.strokes.extend(self.undone.pop());
        self.redraw();
    }

    fn clear(&mut self) {
        // One undo brings a stroke back, the last first.
        self.undone.extend(self.strokes.drain(..).rev());
        self.redraw();
    }

    fn redraw(&mut self) {
        self.sheet = Sheet::with(&self.strokes);
        self.changed();
    }

    fn changed(&mut self) {
        self.changes += 1;
        self.digit = self.sheet.digit();
        let values = self.digit.clone().unwrap_or_else(|| vec![0.0; SIDE * SIDE]);
        if let Ok(matrix) = Matrix::new(SIDE, SIDE, values) {
            self.seen.set(&Arc::new(matrix));
        }
        if self.digit.is_none() {
            self.answers.clear();
        }
    }

    /// Takes in answers, and asks when the drawing or the run is another one.
    pub fn logic(&mut self, bench: &Bench, visible: bool, cx: &mut TabCx<'_>) {
        while let Some(event) = self.asking.as_mut().and_then(Run::poll) {
            match event {
                Event::Output(answers) if self.digit.is_some() => self.answers = answers,
                Event::Output(_) => {}
                Event::Warning(text) => cx.toasts.warning(text),
                Event::Ended(_) => self.asking = None,
            }
        }
        let (Some(entry), Some(digit)) = (bench.focus(), &self.digit) else {
            return;
        };
        // A stage that is finished meanwhile is a net more to ask.
        let finished = entry
            .record
            .stages
            .iter()
            .filter(|s| s.summary.is_some())
            .count() as u64;
        let key = (entry.id << 32 | finished, self.changes);
        if !visible || cx.still || self.asking.is_some() || self.asked == Some(key) {
            return;
        }
        self.asked = Some(key);
        let grey = entry.record.config.data != DatasetSource::Cifar10;
        let candidates = candidates(&entry.record).unwrap_or_default();
        if candidates.is_empty() || !grey {
            self.answers.clear();
            return;
        }
        let root: PathBuf = Store::default_root(cx.paths);
        match Probe::new(root, candidates, digit.clone()) {
            Ok(job) => {
                let lane = Lane::Interactive("lottery digit");
                self.asking = Some(cx.worker.submit(lane, "Lottery: reading a digit", job));
            }
            Err(e) => tracing::error!("{e}"),
        }
    }

    /// Draws it. True when the drawing has changed.
    pub fn ui(&mut self, ui: &mut Ui, bench: &Bench) -> bool {
        let before = self.changes;
        if bench.focus().is_none() {
            empty_ui(ui, "No run on the bench", "Choose a preset and press Run");
            return false;
        }
        let faint = theme::tokens(ui).faint;
        ui.horizontal(|ui| {
            if ui
                .add_enabled(self.can_undo(), egui::Button::new("Undo stroke"))
                .clicked()
            {
                self.undo();
            }
            if ui
                .add_enabled(self.can_undo(), egui::Button::new("Clear"))
                .clicked()
            {
                self.clear();
            }
            let text = "Draw a digit: it is moved and scaled as MNIST's are";
            ui.add(egui::Label::new(RichText::new(text).color(faint)).truncate());
        });
        ui.add_space(4.0);
        let side = (ui.available_width() * 0.42)
            .min(ui.available_height() - 12.0)
            .clamp(120.0, 420.0);
        ui.horizontal_top(|ui| {
            self.sheet_ui(ui, side);
            ui.add_space(12.0);
            ui.vertical(|ui| {
                ui.label(RichText::new("What the net sees").small().color(faint));
                self.seen.show(ui, vec2(112.0, 112.0));
                ui.add_space(10.0);
                self.answers_ui(ui);
            });
        });
        before != self.changes
    }

    fn sheet_ui(&mut self, ui: &mut Ui, side: f32) {
        let tokens = theme::tokens(ui);
        let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::drag());
        let enabled = ui.is_enabled();
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, enabled, "Sheet to draw on"));
        let painter = ui.painter_at(rect);
        painter.rect_filled(rect, 6.0, tokens.card);
        painter.rect_stroke(
            rect,
            6.0,
            egui::Stroke::new(1.0, tokens.faint),
            egui::StrokeKind::Inside,
        );
        if let Some(at) = response.interact_pointer_pos() {
            let place = (at - rect.min) / side;
            self.pen_at([place.x.clamp(0.0, 1.0), place.y.clamp(0.0, 1.0)]);
        } else {
            self.drawing = false;
        }
        let width = side * 0.084;
        let color = ui.visuals().strong_text_color();
        for stroke in &self.strokes {
            let places: Vec<_> = stroke
                .iter()
                .map(|[x, y]| rect.min + vec2(*x, *y) * side)
                .collect();
            for end in places.first().into_iter().chain(places.last()) {
                painter.circle_filled(*end, width * 0.5, color);
            }
            painter.add(Shape::line(places, egui::Stroke::new(width, color)));
        }
        if self.strokes.is_empty() {
            painter.text(
                rect.center(),
                Align2::CENTER_CENTER,
                "Draw here",
                FontId::proportional(15.0),
                tokens.faint,
            );
        }
    }

    /// The pen is down here.
    fn pen_at(&mut self, place: [f32; 2]) {
        if !self.drawing {
            self.drawing = true;
            self.undone.clear();
            self.strokes.push(vec![place]);
            self.sheet.line(place, place);
            self.changed();
        } else if let Some(stroke) = self.strokes.last_mut()
            && let Some(last) = stroke.last().copied()
            && (place[0] - last[0]).hypot(place[1] - last[1]) > 0.004
            && stroke.len() < MOST_PLACES
        {
            stroke.push(place);
            self.sheet.line(last, place);
            self.changed();
        }
    }

    fn answers_ui(&self, ui: &mut Ui) {
        let tokens = theme::tokens(ui);
        if self.answers.is_empty() {
            let text = if self.digit.is_none() {
                "The answers of the dense net and its ticket come here"
            } else if self.asking.is_some() {
                "Asking the nets"
            } else {
                "No net of this run is finished"
            };
            ui.label(RichText::new(text).color(tokens.faint));
            return;
        }
        let room = (ui.available_width() / self.answers.len() as f32 - 16.0).clamp(90.0, 200.0);
        ui.horizontal_top(|ui| {
            for (number, answer) in self.answers.iter().enumerate() {
                ui.vertical(|ui| {
                    ui.set_width(room);
                    bars_ui(ui, answer, tokens.line(number));
                });
                ui.add_space(8.0);
            }
        });
    }
}

/// Ten bars, the likeliest class marked.
fn bars_ui(ui: &mut Ui, answer: &Answer, color: Color32) {
    let tokens = theme::tokens(ui);
    ui.label(RichText::new(&answer.label).strong());
    let classes = match &answer.classes {
        Ok(classes) => classes,
        Err(why) => {
            ui.label(RichText::new(crate::gui::controls::capitalised(why)).color(tokens.faint));
            return;
        }
    };
    let best = classes.iter().copied().fold(0.0, f32::max);
    for (class, share) in classes.iter().enumerate() {
        let (rect, response) =
            ui.allocate_exact_size(vec2(ui.available_width(), 17.0), Sense::hover());
        let text = format!("{:.1} %", share * 100.0);
        response.widget_info(|| {
            WidgetInfo::labeled(
                Role::Label,
                true,
                format!("{}: {class}, {text}", answer.label),
            )
        });
        let is_best = (share - best).abs() < f32::EPSILON;
        let paint = if is_best {
            color
        } else {
            color.gamma_multiply(0.45)
        };
        let painter = ui.painter_at(rect);
        let words = if is_best { tokens.text } else { tokens.faint };
        let font = FontId::proportional(13.0);
        let left = rect.left_center();
        painter.text(
            left,
            Align2::LEFT_CENTER,
            class.to_string(),
            font.clone(),
            words,
        );
        let whole = (rect.width() - 72.0).max(10.0);
        let bar = egui::Rect::from_min_size(
            pos2(rect.left() + 16.0, rect.top() + 3.0),
            vec2((whole * share).max(1.0), 11.0),
        );
        painter.rect_filled(bar, 2.0, paint);
        painter.text(rect.right_center(), Align2::RIGHT_CENTER, text, font, words);
    }
}

#[cfg(test)]
mod tests {
    use super::{DrawView, Saved};

    #[test]
    fn strokes_can_be_taken_back_and_done_again() {
        let mut view = DrawView::default();
        view.pen_at([0.2, 0.2]);
        view.pen_at([0.2, 0.8]);
        view.drawing = false;
        view.pen_at([0.6, 0.5]);
        assert_eq!(view.strokes.len(), 2);
        let both = view.digit.clone();
        view.undo();
        assert_ne!(view.digit, both);
        view.redo();
        assert_eq!(view.digit, both, "drawn at once or piece by piece");
        view.clear();
        assert!(view.digit.is_none());
        view.redo();
        view.redo();
        assert_eq!(view.digit, both);
        let mut other = DrawView::default();
        other.restore(view.save());
        assert_eq!(other.digit, both);
    }

    #[test]
    fn a_hostile_session_draws_nothing_strange() {
        let mut view = DrawView::default();
        view.restore(Saved(vec![
            vec![[f32::NAN, 0.0], [4.0, 0.5]],
            vec![[0.5, 0.5]; 50_000],
        ]));
        assert_eq!(view.strokes.len(), 1);
        assert!(view.strokes[0].len() <= super::MOST_PLACES);
    }
}
