//! The answers as the stage shows them: faces in a grid, each with its twin and what is said of it.

use std::sync::Arc;

use egui::{Grid, RichText, Ui, Vec2};

use super::canvas::twin_ui;
use crate::data::Image;
use crate::demos::pulse::answer::Answer;
use crate::gui::theme;
use crate::view::ImageView;

/// Answers are at least this wide.
const LEAST: f32 = 110.0;
/// Between answers.
const GAP: f32 = 10.0;

/// One answer on the stage.
pub(super) struct Shown {
    pub view: ImageView,
    /// Stands in the view now: the surrogate's picture, or the answer.
    pub image: Arc<Image>,
    pub answer: Option<Answer>,
    pub error: f64,
}

/// Shows a picture at a place, which at most the next one after the last is new.
pub(super) fn put(
    all: &mut Vec<Shown>,
    place: usize,
    image: Image,
    answer: Option<Answer>,
    error: f64,
) {
    let image = Arc::new(image);
    if place == all.len() {
        all.push(Shown {
            view: ImageView::new(format!("Answer {}", place + 1)),
            image: Arc::clone(&image),
            answer: None,
            error,
        });
    }
    if let Some(shown) = all.get_mut(place) {
        shown.view.set(&image);
        shown.image = image;
        shown.answer = answer;
        shown.error = error;
    }
}

/// The vector and name of the answer that was clicked on, if one was.
pub(super) fn grid_ui(ui: &mut Ui, all: &mut [Shown]) -> Option<(Vec<f64>, String)> {
    let width = ui.available_width();
    let most = ((width + GAP) / (LEAST + GAP)).floor().max(1.0) as usize;
    let columns = all.len().clamp(1, 4).min(most);
    let side = ((width - GAP * columns as f32) / columns as f32).clamp(60.0, 260.0);
    let mut asked = None;
    Grid::new("faces").spacing([GAP, GAP]).show(ui, |ui| {
        for (place, shown) in all.iter_mut().enumerate() {
            if answer_ui(ui, shown, side)
                && let Some(answer) = &shown.answer
            {
                asked = Some((answer.face.z.clone(), format!("Answer {}", place + 1)));
            }
            if (place + 1) % columns == 0 {
                ui.end_row();
            }
        }
    });
    asked
}

/// Whether it was clicked on.
fn answer_ui(ui: &mut Ui, shown: &mut Shown, side: f32) -> bool {
    let tokens = theme::tokens(ui);
    let twin = (side * 0.30).max(28.0);
    let one = ui.vertical(|ui| {
        ui.set_width(side);
        let picture = shown.view.show(ui, Vec2::splat(side)).response;
        let clicked = shown.answer.is_some() && picture.on_hover_text("Click to turn it").clicked();
        ui.horizontal(|ui| {
            if let Some(answer) = &shown.answer {
                twin_ui(ui, &answer.low, twin, "The answer shrunk");
            }
            ui.vertical(|ui| caption_ui(ui, shown, tokens));
        });
        clicked
    });
    one.inner
}

fn caption_ui(ui: &mut Ui, shown: &Shown, tokens: &theme::Tokens) {
    let Some(answer) = &shown.answer else {
        let text = format!("error {:.5}", shown.error);
        ui.label(RichText::new(text).small().color(tokens.faint));
        return;
    };
    let (mark, color) = if answer.success {
        ("within", tokens.good)
    } else {
        ("not within", tokens.warning)
    };
    let text = format!("{:.5}", answer.error);
    ui.label(RichText::new(text).monospace())
        .on_hover_text("Mean squared error of the answer shrunk");
    ui.label(RichText::new(mark).small().color(color));
    let about = &answer.face.attributes;
    let text = format!("{:.0} years, {}", about.age, about.group.title());
    ui.label(RichText::new(text).small().color(tokens.faint))
        .on_hover_text("Labels of the 3D kit, not of people");
}
