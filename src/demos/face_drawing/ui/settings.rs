//! How a drawing is understood and painted, and the controls for it.

use egui::{Button, Grid, RichText, Slider, Ui};
use serde::{Deserialize, Serialize};

use crate::demos::face_drawing::appearance;
use crate::demos::face_drawing::engine::Refinement;
use crate::demos::face_drawing::job::{MOST_ANSWERS, Painter, Question, Turn};
use crate::demos::face_drawing::parts::{PARTS, PerPart};
use crate::error::{Error, Result};
use crate::gui::controls::{capitalised, next_seed};
use crate::gui::theme;
use crate::rng::Rng;

/// The neighbours that span a part's manifold.
const NEIGHBOURS: std::ops::RangeInclusive<usize> = 1..=64;
/// How far numbers of the appearance go, in standard deviations.
const FARTHEST: f32 = 2.5;
/// How far a face is turned, radians.
const FARTHEST_TURN: f32 = 0.9;
/// Pixels in a side of the kit's face, while the pen moves and when it rests.
const SIZES: [usize; 2] = [128, 320];
/// The numbers of the appearance that have a control, as they are called there, and what lies at both
/// ends.
const CONTROLS: [(&str, &str, &str); 10] = [
    ("skin, bright", "Skin", "dark to light"),
    ("skin, warm", "Skin tone", "cool to warm"),
    ("hair brightness", "Hair", "dark to light"),
    ("hair red", "Hair tone", "ashen to red"),
    ("iris", "Eyes", "their colour"),
    ("age", "Age", "young to old"),
    ("sex-shape", "Shape", "of the head, between female and male"),
    ("top, bright", "Clothes", "dark to light"),
    ("light from the side", "Light", "from the left to the right"),
    ("light from above", "Light above", "low to high"),
];

/// What opened, dropped and pasted pictures are taken as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Incoming {
    #[default]
    Sketch,
    Tracing,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    /// How far each part is moved onto its manifold: 0 as it is drawn, 1 all the way.
    pub(super) refinement: PerPart<f32>,
    /// How many neighbours span a manifold, K.
    pub(super) neighbours: usize,
    pub(super) painter: Painter,
    /// From where the kit's person is seen.
    pub(super) turn: Turn,
    /// Other answers that are shown.
    pub(super) answers: usize,
    /// People of the bank whose parts stand in for what is drawn.
    pub(super) swapped: PerPart<Option<usize>>,
    /// The numbers of the appearance that were set; the others follow from the drawing.
    pub(super) appearance: [Option<f32>; appearance::COUNT],
    pub(super) incoming: Incoming,
    pub(super) seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            refinement: [1.0; PARTS.len()],
            neighbours: 30,
            painter: Painter::default(),
            turn: Turn::default(),
            answers: 4,
            swapped: [None; PARTS.len()],
            appearance: [None; appearance::COUNT],
            incoming: Incoming::default(),
            seed: 1,
        }
    }
}

impl Settings {
    /// Whether all numbers are possible.
    ///
    /// # Errors
    /// Which one is not.
    pub(super) fn check(&self) -> Result<()> {
        let bad = |what: &str| Err(Error::Input(format!("the session's {what} is impossible")));
        if self.refinement.iter().any(|v| !(0.0..=1.0).contains(v)) {
            return bad("refinement");
        }
        if !NEIGHBOURS.contains(&self.neighbours) {
            return bad("number of neighbours");
        }
        if self.answers > MOST_ANSWERS {
            return bad("number of answers");
        }
        let Turn { yaw, pitch } = self.turn;
        if [yaw, pitch]
            .iter()
            .any(|v| !v.is_finite() || v.abs() > FARTHEST_TURN)
        {
            return bad("turn");
        }
        let set = self.appearance.iter().flatten();
        if set.into_iter().any(|v| !v.is_finite() || v.abs() > 10.0) {
            return bad("appearance");
        }
        Ok(())
    }

    /// The question about a drawing's ink. While the pen moves only the face is asked for.
    pub(super) fn question(&self, ink: Vec<f32>, moving: bool, maps: bool) -> Question {
        Question {
            ink,
            refinement: Refinement {
                parts: self.refinement,
                neighbours: self.neighbours,
                swapped: self.swapped,
            },
            set: self.appearance,
            painter: self.painter,
            size: SIZES[usize::from(!moving)],
            turn: self.turn,
            answers: if moving { 0 } else { self.answers },
            neighbours: !moving,
            maps,
            seed: self.seed,
        }
    }

    /// Draws the controls for how a drawing is understood. True when something was changed.
    pub(super) fn refinement_ui(&mut self, ui: &mut Ui) -> bool {
        let before = self.clone();
        ui.strong("Refinement");
        let faint = theme::tokens(ui).faint;
        let text = "How far each part is moved to parts of faces that are known";
        ui.label(RichText::new(text).small().color(faint));
        Grid::new("refinement")
            .num_columns(2)
            .spacing([12.0, 6.0])
            .show(ui, |ui| {
                let mut all = self.refinement.iter().sum::<f32>() / PARTS.len() as f32;
                let label = ui.label("All parts");
                if ui.add(percent(&mut all)).labelled_by(label.id).changed() {
                    self.refinement = [all; PARTS.len()];
                }
                ui.end_row();
                for (value, part) in self.refinement.iter_mut().zip(&PARTS) {
                    let label = ui.label(capitalised(part.name));
                    ui.add(percent(value)).labelled_by(label.id);
                    ui.end_row();
                }
                let label = ui.label("Neighbours");
                ui.add(Slider::new(&mut self.neighbours, NEIGHBOURS))
                    .labelled_by(label.id)
                    .on_hover_text(
                        "How many known parts span the plane that a part is moved to, K",
                    );
                ui.end_row();
            });
        before != *self
    }

    /// Draws the choice of the painter and what concerns it. True when something was changed.
    pub(super) fn painter_ui(&mut self, ui: &mut Ui) -> bool {
        let before = (self.painter, self.turn, self.answers);
        ui.strong("Painter");
        ui.horizontal_wrapped(|ui| {
            for (painter, name, about) in [
                (
                    Painter::Kit,
                    "Kit",
                    "The person that the drawing is understood as, drawn by the 3D kit",
                ),
                (Painter::Net, "Network", "The paper's way: a network paints"),
            ] {
                ui.selectable_value(&mut self.painter, painter, name)
                    .on_hover_text(about);
            }
        });
        let is_kit = self.painter == Painter::Kit;
        Grid::new("painter")
            .num_columns(2)
            .spacing([12.0, 6.0])
            .show(ui, |ui| {
                let reach = -FARTHEST_TURN..=FARTHEST_TURN;
                for (value, title) in [(&mut self.turn.yaw, "Turn"), (&mut self.turn.pitch, "Nod")]
                {
                    let label = ui.label(title);
                    let slider = Slider::new(value, reach.clone()).show_value(false);
                    ui.add_enabled(is_kit, slider)
                        .labelled_by(label.id)
                        .on_hover_text("The kit's person can be seen from another side")
                        .on_disabled_hover_text("The network paints faces from the front");
                    ui.end_row();
                }
                let label = ui.label("Other faces");
                ui.add(Slider::new(&mut self.answers, 0..=MOST_ANSWERS))
                    .labelled_by(label.id)
                    .on_hover_text("How many other faces that the drawing allows are shown");
                ui.end_row();
            });
        before != (self.painter, self.turn, self.answers)
    }

    /// Draws the controls of the appearance; `now` is the appearance of the face that is shown. True
    /// when something was changed.
    pub(super) fn appearance_ui(&mut self, ui: &mut Ui, now: &[f32]) -> bool {
        let before = self.appearance;
        ui.horizontal(|ui| {
            ui.strong("Appearance");
            if ui
                .button("New")
                .on_hover_text("Another appearance by chance")
                .clicked()
            {
                self.throw();
            }
            let any = self.appearance.iter().any(Option::is_some);
            let free = ui.add_enabled(any, Button::new("Free all"));
            if free
                .on_hover_text("Let the drawing decide on everything")
                .clicked()
            {
                self.appearance = [None; appearance::COUNT];
            }
        });
        Grid::new("appearance")
            .num_columns(3)
            .spacing([12.0, 6.0])
            .show(ui, |ui| {
                for (name, title, about) in CONTROLS {
                    let place = appearance::NAMES.iter().position(|n| *n == name);
                    if let Some(place) = place {
                        number_ui(
                            ui,
                            &mut self.appearance[place],
                            now.get(place),
                            title,
                            about,
                        );
                        ui.end_row();
                    }
                }
            });
        before != self.appearance
    }

    /// Another appearance by chance, which follows from the seed.
    pub(super) fn throw(&mut self) {
        self.seed = next_seed(self.seed);
        let mut rng = Rng::new(self.seed).split("appearance");
        for (name, ..) in CONTROLS {
            let number = (rng.normal() as f32).clamp(-FARTHEST, FARTHEST);
            if let Some(place) = appearance::NAMES.iter().position(|n| *n == name) {
                self.appearance[place] = Some(number);
            }
        }
    }
}

/// A slider from 0 to 100 %.
fn percent(value: &mut f32) -> Slider<'_> {
    Slider::new(value, 0.0..=1.0)
        .custom_formatter(|v, _| format!("{:.0} %", v * 100.0))
        .custom_parser(|text| {
            let number: f64 = text.trim_end_matches([' ', '%']).parse().ok()?;
            Some(number / 100.0)
        })
}

/// One number of the appearance, which is set or follows from the drawing.
fn number_ui(ui: &mut Ui, number: &mut Option<f32>, now: Option<&f32>, title: &str, about: &str) {
    let faint = theme::tokens(ui).faint;
    let is_set = number.is_some();
    let text = RichText::new(title);
    let label = ui.label(if is_set { text } else { text.color(faint) });
    let mut value = number.or(now.copied()).unwrap_or(0.0);
    let slider = Slider::new(&mut value, -FARTHEST..=FARTHEST).show_value(false);
    let moved = ui.add(slider).labelled_by(label.id).on_hover_text(about);
    if moved.changed() {
        *number = Some(value);
    }
    let free = ui.add_enabled(is_set, Button::new("Free").small());
    free.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Button, is_set, format!("Free {title}"))
    });
    if free.on_hover_text("Let the drawing decide").clicked() {
        *number = None;
    }
}
