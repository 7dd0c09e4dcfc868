//! The face that answers a drawing, and how the drawing was understood.

use std::sync::Arc;

use egui::{Grid, RichText, ScrollArea, Ui, Vec2};

use crate::data::Image;
use crate::demos::face_drawing::parts::{PARTS, PerPart};
use crate::gui::controls::{capitalised, empty_ui};
use crate::gui::theme;
use crate::view::ImageView;

/// How a part was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PartView {
    /// Whether it is drawn.
    pub(super) drawn: bool,
    /// The distances of the nearest people's parts.
    pub(super) distances: Vec<f32>,
    /// The ink that the code as it was drawn stands for, and the code as it is painted; the part's
    /// side squared.
    pub(super) inks: [Vec<f32>; 2],
}

/// All that is known of an answer; what has not come yet is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// The face.
    pub(super) face: Option<Arc<Image>>,
    /// Its appearance, number by number.
    pub(super) appearance: Vec<f32>,
    /// From ink to picture.
    pub(super) milliseconds: f64,
    /// What could lie under the pen: ink from 0 to 1, of the networks' side squared.
    pub(super) shadow: Vec<f32>,
    /// How each part was understood.
    pub(super) parts: PerPart<PartView>,
    /// The nearest people's faces, part by part, nearest first.
    pub(super) neighbours: PerPart<Vec<Arc<Image>>>,
    /// Other answers that the drawing allows.
    pub(super) others: Vec<Arc<Image>>,
}

/// The answer on the stage.
pub(super) struct AnswerView {
    face: ImageView,
    inks: PerPart<[ImageView; 2]>,
    neighbours: PerPart<Vec<ImageView>>,
    others: Vec<ImageView>,
}

/// The sides of small pictures, in points.
const INK_SIDE: f32 = 64.0;
const NEIGHBOUR_SIDE: f32 = 40.0;
const OTHER_SIDE: f32 = 88.0;

impl AnswerView {
    pub(super) fn new() -> Self {
        let ink = |part: &str, which: &str| ImageView::new(format!("The {part}, {which}"));
        Self {
            face: ImageView::new("The face"),
            inks: PARTS.map(|part| [ink(part.name, "as drawn"), ink(part.name, "as painted")]),
            neighbours: PerPart::default(),
            others: Vec::new(),
        }
    }

    /// Takes another answer, or the same with more in it.
    pub(super) fn set(&mut self, answer: &Answer) {
        match &answer.face {
            Some(face) => self.face.set(face),
            None => self.face.clear(),
        }
        for ((views, part), place) in self.inks.iter_mut().zip(&answer.parts).zip(&PARTS) {
            for (view, ink) in views.iter_mut().zip(&part.inks) {
                match picture(ink, place.side) {
                    Some(image) => view.set(&Arc::new(image)),
                    None => view.clear(),
                }
            }
        }
        for ((views, images), place) in
            (self.neighbours.iter_mut().zip(&answer.neighbours)).zip(&PARTS)
        {
            follow(views, images, |at| {
                format!("Neighbour {} of the {}", at + 1, place.name)
            });
        }
        follow(&mut self.others, &answer.others, |at| {
            format!("Another answer, {}", at + 1)
        });
    }

    /// Draws the face, as large as the room allows, and below it how the drawing was understood.
    pub(super) fn ui(&mut self, ui: &mut Ui, answer: &Answer) {
        let room = ui.available_size();
        if answer.face.is_none() {
            let text = "Draw a face on the sheet, or begin with one of the sample sketches";
            empty_ui(ui, "No face yet", text);
            return;
        }
        let side = room.x.min(room.y * 0.72).max(120.0);
        ui.vertical_centered(|ui| self.face.show(ui, Vec2::splat(side)));
        let faint = theme::tokens(ui).faint;
        let text = format!(
            "{:.0} ms from ink to picture. An imaginary person: nobody looks like this",
            answer.milliseconds
        );
        ui.label(RichText::new(text).small().color(faint));
        ScrollArea::both()
            .id_salt("understood")
            .auto_shrink([false, true])
            .show(ui, |ui| {
                self.others_ui(ui);
                self.parts_ui(ui, answer);
            });
    }

    fn others_ui(&mut self, ui: &mut Ui) {
        if self.others.is_empty() {
            return;
        }
        ui.strong("Other faces that the drawing allows");
        ui.horizontal(|ui| {
            for view in &mut self.others {
                view.show(ui, Vec2::splat(OTHER_SIDE));
            }
        });
    }

    fn parts_ui(&mut self, ui: &mut Ui, answer: &Answer) {
        if answer.parts.iter().all(|part| part.inks[0].is_empty()) {
            return;
        }
        let faint = theme::tokens(ui).faint;
        Grid::new("understood parts")
            .num_columns(4)
            .spacing([10.0, 6.0])
            .show(ui, |ui| {
                for title in ["Part", "As drawn", "As painted", "Nearest people"] {
                    ui.label(RichText::new(title).small().color(faint));
                }
                ui.end_row();
                for (at, part) in PARTS.iter().enumerate() {
                    let view = &answer.parts[at];
                    ui.vertical(|ui| {
                        ui.label(capitalised(part.name));
                        let text = match (view.drawn, view.distances.first()) {
                            (false, _) => "not drawn".to_owned(),
                            (true, Some(distance)) => format!("{distance:.2} away"),
                            (true, None) => String::new(),
                        };
                        ui.label(RichText::new(text).small().color(faint));
                    });
                    for ink in &mut self.inks[at] {
                        ink.show(ui, Vec2::splat(INK_SIDE));
                    }
                    ui.horizontal(|ui| {
                        for neighbour in &mut self.neighbours[at] {
                            neighbour.show(ui, Vec2::splat(NEIGHBOUR_SIDE));
                        }
                    });
                    ui.end_row();
                }
            });
    }
}

/// As many views as there are pictures.
fn follow(views: &mut Vec<ImageView>, images: &[Arc<Image>], name: impl Fn(usize) -> String) {
    views.truncate(images.len());
    for (at, image) in images.iter().enumerate() {
        if views.len() == at {
            views.push(ImageView::new(name(at)));
        }
        views[at].set(image);
    }
}

/// Ink as a picture of `side * side` pixels.
fn picture(ink: &[f32], side: usize) -> Option<Image> {
    let grey = |v: &f32| (255.0 - v.clamp(0.0, 1.0) * 255.0).round() as u8;
    let rgba = ink.iter().map(grey).flat_map(|v| [v, v, v, 255]);
    Image::new(side as u32, side as u32, rgba.collect()).ok()
}
