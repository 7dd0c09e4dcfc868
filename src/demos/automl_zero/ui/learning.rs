//! How the program in sight learns a task: its plane of predictions while it learns, its learning
//! curve beside those of programs by hand, its answers against the labels.

use std::sync::Arc;

use egui::{RichText, Slider, Stroke, Ui, vec2};

use super::super::study::{SIDE, Seen};
use super::looking::Sight;
use crate::data::Matrix;
use crate::gui::controls::empty_ui;
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit, side_by_side_ui};
use crate::gui::theme;
use crate::view::{ColorMap, HeatMap};

/// Seconds between two stages of the film.
const PACE: f64 = 0.35;
/// The radius of an example on the plane, points.
const DOT: f32 = 3.5;

/// The page.
pub struct LearningPage {
    map: HeatMap,
    planes: Vec<Arc<Matrix>>,
    made: Option<u64>,
    plots: Plots<(u64, usize)>,
    stage: usize,
    /// When the film began, and from where.
    playing: Option<f64>,
}

impl Default for LearningPage {
    fn default() -> Self {
        Self {
            map: HeatMap::new("Plane of predictions", ColorMap::BlueOrange),
            planes: Vec::new(),
            made: None,
            plots: Plots::default(),
            stage: usize::MAX,
            playing: None,
        }
    }
}

impl LearningPage {
    /// Draws the page; `revision` changes with what was seen. True when the sight has changed.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        seen: Option<&Seen>,
        sight: &mut Sight,
        revision: u64,
    ) -> bool {
        let Some(seen) = seen.filter(|seen| !seen.stages.is_empty()) else {
            let text = "The program learns a task in the background.";
            empty_ui(ui, "A moment", text);
            return false;
        };
        self.take_in(seen, revision);
        let changed = Self::choices_ui(ui, seen, sight);
        let room = ui.available_size();
        let side = (room.y - 60.0).min(room.x * 0.42).max(160.0);
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(side);
                self.plane_ui(ui, seen, sight, side);
            });
            let stage = self.stage;
            let plots = self.plots.get((revision, stage), || figures(seen, stage));
            ui.vertical(|ui| side_by_side_ui(ui, plots));
        });
        changed
    }

    fn take_in(&mut self, seen: &Seen, revision: u64) {
        if self.made == Some(revision) {
            return;
        }
        self.made = Some(revision);
        let plane = |values: &[f32]| {
            // The greatest of the vertical feature is at the top.
            let rows = values.chunks_exact(SIDE).rev();
            let values: Vec<f32> = rows.flatten().copied().collect();
            Matrix::new(SIDE, SIDE, values).ok().map(Arc::new)
        };
        self.planes = (seen.stages.iter())
            .filter_map(|stage| plane(&stage.plane))
            .collect();
        self.stage = self.stage.min(self.planes.len().saturating_sub(1));
        let most = if seen.classes {
            let last = seen.stages.last().map_or(&[][..], |stage| &stage.plane);
            last.iter()
                .filter(|v| v.is_finite())
                .fold(0.0_f32, |most, v| most.max(v.abs()))
        } else {
            seen.examples
                .iter()
                .fold(0.0_f32, |most, [_, _, label]| most.max(label.abs()))
        };
        let most = if most > 0.0 { most } else { 1.0 };
        self.map.range = Some([-most, most]);
    }

    /// Which task, which features, which time.
    fn choices_ui(ui: &mut Ui, seen: &Seen, sight: &mut Sight) -> bool {
        let before = *sight;
        ui.horizontal_wrapped(|ui| {
            let mut task = sight.task.min(seen.tasks.saturating_sub(1)) + 1;
            let label = ui.label("Task");
            ui.add(egui::DragValue::new(&mut task).range(1..=seen.tasks.max(1)))
                .labelled_by(label.id)
                .on_hover_text("Of the tasks that programs are chosen by");
            sight.task = task - 1;
            ui.label(RichText::new(&seen.task).color(theme::tokens(ui).faint));
            for (axis, name) in sight.axes.iter_mut().zip(["Across", "Up"]) {
                let label = ui.label(name);
                egui::ComboBox::from_id_salt(name)
                    .width(86.0)
                    .selected_text(format!("Feature {}", *axis + 1))
                    .show_ui(ui, |ui| {
                        for feature in 0..seen.features {
                            let text = format!("Feature {}", feature + 1);
                            ui.selectable_value(axis, feature, text);
                        }
                    })
                    .response
                    .labelled_by(label.id);
            }
        });
        *sight != before
    }

    fn plane_ui(&mut self, ui: &mut Ui, seen: &Seen, sight: &Sight, side: f32) {
        let last = self.planes.len().saturating_sub(1);
        self.play(ui, last);
        let examples = seen
            .stages
            .get(self.stage)
            .map_or(0, |stage| stage.examples);
        ui.horizontal(|ui| {
            let name = if self.playing.is_some() {
                "Hold"
            } else {
                "Play"
            };
            if ui.button(name).on_hover_text("Watch it learn").clicked() {
                self.playing = if self.playing.is_some() {
                    None
                } else {
                    let from = if self.stage >= last { 0 } else { self.stage };
                    Some(ui.input(|input| input.time) - from as f64 * PACE)
                };
            }
            ui.spacing_mut().slider_width = (ui.available_width() - 170.0).clamp(60.0, 260.0);
            let label = ui.label(format!("After {examples} examples"));
            let slider = Slider::new(&mut self.stage, 0..=last).show_value(false);
            if ui.add(slider).labelled_by(label.id).changed() {
                self.playing = None;
            }
        });
        if let Some(plane) = self.planes.get(self.stage) {
            self.map.set(plane);
        }
        let shown = self.map.show(ui, vec2(side, side - 30.0));
        let Some(place) = shown.placement else {
            return;
        };
        let tokens = theme::tokens(ui);
        let painter = ui.painter_at(place.rect());
        let cells = SIDE as f32;
        let at = |value: f32| (value / seen.reach * 0.5 + 0.5) * (cells - 1.0) + 0.5;
        let [_, most] = self.map.shown_range();
        for &[x, y, label] in &seen.examples {
            let value = match (seen.classes, label > 0.5) {
                (true, true) => most,
                (true, false) => -most,
                (false, _) => label,
            };
            let middle = place.window_from_cells(vec2(at(x), cells - at(y)));
            painter.circle(
                middle,
                DOT,
                self.map.map.color(0.5 + 0.5 * value / most),
                Stroke::new(1.0, tokens.text),
            );
        }
        let [x, y] = sight.axes.map(|axis| axis + 1);
        let text = format!(
            "Ground: predictions over features {x} and {y}, the others 0. Dots: examples with their labels."
        );
        ui.label(RichText::new(text).small().color(tokens.faint));
    }

    /// Moves the film on.
    fn play(&mut self, ui: &Ui, last: usize) {
        let Some(began) = self.playing else {
            return;
        };
        let passed = ((ui.input(|input| input.time) - began) / PACE).max(0.0) as usize;
        self.stage = passed.min(last);
        if self.stage == last {
            self.playing = None;
        } else {
            let next = std::time::Duration::from_secs_f64(PACE / 2.0);
            ui.ctx().request_repaint_after(next);
        }
    }
}

/// The figures of the page at a stage.
fn figures(seen: &Seen, stage: usize) -> Vec<Figure> {
    let curves = seen.curves.iter().enumerate().map(|(index, curve)| Series {
        name: curve.name.clone(),
        label: curve.name.clone(),
        hue: Hue::Line(index),
        mark: if index == 0 { Mark::Line } else { Mark::Dashed },
        points: curve
            .points
            .iter()
            .map(|&(examples, fitness)| [examples as f64, fitness])
            .collect(),
        ..Series::default()
    });
    let learning = Figure {
        name: "Learning curve".to_owned(),
        x: Axis::new("examples", Unit::Number),
        y: Axis::new("fitness on other examples", Unit::Number),
        series: curves.collect(),
    };
    let predictions = seen
        .stages
        .get(stage)
        .map_or(&[][..], |stage| &stage.predictions);
    let pairs = seen.examples.iter().zip(predictions);
    let points: Vec<[f64; 2]> = pairs
        .map(|(&[_, _, label], &predicted)| [f64::from(label), f64::from(predicted)])
        .filter(|[_, predicted]| predicted.is_finite())
        .collect();
    let ends = points
        .iter()
        .fold([0.0_f64, 0.0], |[low, high], [label, _]| {
            [low.min(*label), high.max(*label)]
        });
    let answers = Figure {
        name: "Predictions".to_owned(),
        x: Axis::new("label", Unit::Number),
        y: Axis::new("prediction", Unit::Number),
        series: vec![
            Series {
                name: "as it should be".to_owned(),
                mark: Mark::Dashed,
                points: if seen.classes {
                    Vec::new()
                } else {
                    ends.map(|end| [end, end]).to_vec()
                },
                ..Series::default()
            },
            Series {
                name: "example".to_owned(),
                hue: Hue::Line(0),
                mark: Mark::Scatter,
                points,
                ..Series::default()
            },
        ],
    };
    vec![learning, answers]
}
