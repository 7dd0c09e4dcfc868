//! The face that answers a drawing, and how the drawing was understood.

use std::sync::Arc;

use egui::{Grid, RichText, ScrollArea, Ui, Vec2};

use super::map::{Maps, Shown};
use super::task::Model;
use crate::data::{Image, Matrix};
use crate::demos::face_drawing::job::{Heard, PartView};
use crate::demos::face_drawing::landmarks::Landmarks;
use crate::demos::face_drawing::parts::{PARTS, PerPart};
use crate::gui::controls::{capitalised, empty_ui};
use crate::gui::theme;
use crate::view::{ColorMap, HeatMap, ImageView};

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
    /// Where the landmarks of the face lie.
    pub(super) landmarks: Landmarks,
    /// How each part was understood.
    pub(super) parts: Option<Box<PerPart<PartView>>>,
    /// The nearest people's faces, part by part, nearest first.
    pub(super) neighbours: PerPart<Vec<Arc<Image>>>,
    /// Other answers that the drawing allows.
    pub(super) others: Vec<Arc<Image>>,
    /// How much they differ, pixel by pixel.
    pub(super) spread: Option<Arc<Matrix>>,
}

impl Answer {
    /// Takes what was heard.
    pub(super) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Face {
                image,
                appearance,
                landmarks,
                milliseconds,
            } => {
                self.face = Some(image);
                self.appearance = appearance;
                self.landmarks = landmarks;
                self.milliseconds = milliseconds;
                self.others.clear();
                self.spread = None;
            }
            Heard::Shadow(ink) => self.shadow = ink,
            Heard::Parts(parts) => self.parts = Some(parts),
            Heard::Neighbours { part, images } => self.neighbours[part] = images,
            Heard::Answer(image) => self.others.push(image),
            Heard::Spread(values) => self.spread = matrix(values),
            Heard::Maps(_) => {}
            Heard::Nothing => *self = Self::default(),
        }
    }
}

/// A square of numbers.
fn matrix(values: Vec<f32>) -> Option<Arc<Matrix>> {
    let side = values.len().isqrt();
    Matrix::new(side, side, values).ok().map(Arc::new)
}

/// What is shown below the face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Below {
    #[default]
    Parts,
    Map,
    Others,
}

/// What somebody chose in the answer: a part, and whose it should be.
pub(super) struct Swap {
    pub(super) part: usize,
    pub(super) person: Option<usize>,
}

/// The answer on the stage.
pub(super) struct AnswerView {
    face: ImageView,
    inks: PerPart<[ImageView; 2]>,
    neighbours: PerPart<Vec<ImageView>>,
    others: Vec<ImageView>,
    spread: HeatMap,
    maps: Maps,
    below: Below,
    part: usize,
}

/// The sides of small pictures, in points.
const INK_SIDE: f32 = 64.0;
const NEIGHBOUR_SIDE: f32 = 40.0;
const OTHER_SIDE: f32 = 112.0;
const LABEL: f32 = 78.0;
/// The room below the face.
const BELOW: f32 = 300.0;

impl AnswerView {
    pub(super) fn new() -> Self {
        let ink = |part: &str, which: &str| ImageView::new(format!("The {part}, {which}"));
        Self {
            face: ImageView::new("The face"),
            inks: PARTS.map(|part| [ink(part.name, "as drawn"), ink(part.name, "as painted")]),
            neighbours: PerPart::default(),
            others: Vec::new(),
            spread: HeatMap::new("How much the faces differ", ColorMap::Viridis),
            maps: Maps::default(),
            below: Below::default(),
            part: 2,
        }
    }

    /// The maps of the bank.
    pub(super) fn maps_mut(&mut self) -> &mut Maps {
        &mut self.maps
    }

    /// Takes another answer, or the same with more in it.
    pub(super) fn set(&mut self, answer: &Answer) {
        match &answer.face {
            Some(face) => self.face.set(face),
            None => self.face.clear(),
        }
        for (at, views) in self.inks.iter_mut().enumerate() {
            let inks = answer.parts.as_ref().map(|parts| &parts[at].inks);
            for (which, view) in views.iter_mut().enumerate() {
                match inks.and_then(|inks| picture(&inks[which], PARTS[at].side)) {
                    Some(image) => view.set(&Arc::new(image)),
                    None => view.clear(),
                }
            }
        }
        match &answer.spread {
            Some(spread) => self.spread.set(spread),
            None => self.spread.clear(),
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

    /// Draws the face, as large as the room allows, and below it how the drawing was understood. With
    /// somebody to draw after, that person stands beside the face.
    pub(super) fn ui(&mut self, ui: &mut Ui, answer: &Answer, model: &mut Model) -> Option<Swap> {
        let room = ui.available_size();
        if answer.face.is_none() && !model.is_there() {
            let text = "Draw a face on the sheet, or begin with one of the sample sketches";
            empty_ui(ui, "No face yet", text);
            return None;
        }
        let tall = (room.y - BELOW).max(120.0);
        let faint = theme::tokens(ui).faint;
        if model.is_there() {
            let side = ((room.x - 12.0) * 0.5).min(tall);
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| {
                    self.face.show(ui, Vec2::splat(side));
                    ui.label(RichText::new("your drawing").small().color(faint));
                });
                ui.vertical(|ui| {
                    let found = answer.face.is_some().then_some(&answer.landmarks);
                    model.ui(ui, side, found);
                });
            });
        } else {
            let side = room.x.min(tall);
            ui.vertical_centered(|ui| self.face.show(ui, Vec2::splat(side)));
        }
        answer.face.as_ref()?;
        let text = if answer.milliseconds > 0.0 {
            let milliseconds = answer.milliseconds;
            format!("{milliseconds:.0} ms from ink to picture. An imaginary person")
        } else {
            "A stored answer. An imaginary person".to_owned()
        };
        ui.label(RichText::new(text).small().color(faint));
        self.below_ui(ui, answer)
    }

    fn below_ui(&mut self, ui: &mut Ui, answer: &Answer) -> Option<Swap> {
        ui.horizontal_wrapped(|ui| {
            for (below, name, about) in [
                (
                    Below::Parts,
                    "Parts",
                    "How each part was understood, and by whom",
                ),
                (Below::Map, "Map", "Where a part lies among all known ones"),
                (
                    Below::Others,
                    "Other faces",
                    "What else the drawing allows, and where that differs",
                ),
            ] {
                ui.selectable_value(&mut self.below, below, name)
                    .on_hover_text(about);
            }
        });
        ScrollArea::both()
            .id_salt("understood")
            .auto_shrink([false, true])
            .show(ui, |ui| match self.below {
                Below::Parts => self.parts_ui(ui, answer),
                Below::Map => self.map_ui(ui, answer),
                Below::Others => {
                    self.others_ui(ui, answer);
                    None
                }
            })
            .inner
    }

    fn others_ui(&mut self, ui: &mut Ui, answer: &Answer) {
        let faint = theme::tokens(ui).faint;
        if self.others.is_empty() {
            ui.label(RichText::new("They come when the pen rests").color(faint));
            return;
        }
        ui.horizontal(|ui| {
            for view in &mut self.others {
                view.show(ui, Vec2::splat(OTHER_SIDE));
            }
            if answer.spread.is_some() {
                self.spread.show(ui, Vec2::splat(OTHER_SIDE));
            }
        });
        let text = "The lines are kept; what they leave open is drawn by chance. The map at the right \
                    is bright where the faces differ";
        ui.label(RichText::new(text).small().color(faint));
    }

    fn map_ui(&mut self, ui: &mut Ui, answer: &Answer) -> Option<Swap> {
        let faint = theme::tokens(ui).faint;
        let Some(parts) = answer.parts.as_ref().filter(|_| self.maps.are_known()) else {
            ui.label(RichText::new("The map comes with the first stroke").color(faint));
            return None;
        };
        let mut swap = None;
        ui.horizontal_top(|ui| {
            let view = &parts[self.part];
            let shown = Shown {
                part: self.part,
                name: PARTS[self.part].name,
                places: view.places,
                people: &view.people,
            };
            if let Some(person) = self.maps.ui(ui, &shown) {
                swap = Some(Swap {
                    part: self.part,
                    person: Some(person),
                });
            }
            ui.vertical(|ui| {
                for (at, part) in PARTS.iter().enumerate() {
                    ui.selectable_value(&mut self.part, at, capitalised(part.name));
                }
                let text = "Ring: as drawn\nDot: as painted\nBright: the neighbours\nClick: that \
                            person's part";
                ui.label(RichText::new(text).small().color(faint));
            });
        });
        swap
    }

    fn parts_ui(&mut self, ui: &mut Ui, answer: &Answer) -> Option<Swap> {
        let faint = theme::tokens(ui).faint;
        let Some(parts) = &answer.parts else {
            ui.label(RichText::new("They come with the first stroke").color(faint));
            return None;
        };
        let mut swap = None;
        Grid::new("understood parts")
            .num_columns(4)
            .spacing([10.0, 6.0])
            .show(ui, |ui| {
                for title in [
                    "Part",
                    "As drawn",
                    "As painted",
                    "Nearest people, by weight",
                ] {
                    ui.label(RichText::new(title).small().color(faint));
                }
                ui.end_row();
                for (at, part) in PARTS.iter().enumerate() {
                    let view = &parts[at];
                    ui.vertical(|ui| {
                        ui.set_min_width(LABEL);
                        ui.label(capitalised(part.name));
                        let text = match (view.drawn, view.distances.first()) {
                            (false, _) => "not drawn".to_owned(),
                            (true, Some(distance)) => format!("{distance:.1} away"),
                            (true, None) => String::new(),
                        };
                        ui.label(RichText::new(text).small().color(faint));
                    });
                    for ink in &mut self.inks[at] {
                        ink.show(ui, Vec2::splat(INK_SIDE));
                    }
                    ui.horizontal(|ui| {
                        for (near, neighbour) in self.neighbours[at].iter_mut().enumerate() {
                            let weight = view.weights.get(near).copied().unwrap_or(0.0);
                            ui.vertical(|ui| {
                                let shown = neighbour.show(ui, Vec2::splat(NEIGHBOUR_SIDE));
                                let text = RichText::new(format!("{weight:.2}")).small();
                                ui.label(text.color(faint));
                                let about = "Click for this person's part";
                                if shown.response.on_hover_text(about).clicked() {
                                    swap = Some(Swap {
                                        part: at,
                                        person: view.people.get(near).copied(),
                                    });
                                }
                            });
                        }
                    });
                    ui.end_row();
                }
            });
        swap
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
