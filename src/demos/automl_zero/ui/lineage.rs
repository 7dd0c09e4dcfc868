//! How the best came about: its ancestors, each with its mutation and what that was worth, as a
//! film.

use egui::{Button, RichText, ScrollArea, Slider, Ui, vec2};

use super::super::changes::changes;
use super::super::population::Node;
use super::super::program::Program;
use super::listing::{Mark, Row, listing_ui, rows};
use super::subject::Subject;
use crate::gui::controls::empty_ui;
use crate::gui::figure::{Axis, Figure, Hue, Mark as Dot, Plots, Series, Unit};
use crate::gui::theme;

/// Seconds between two steps of the film.
const PACE: f64 = 0.7;
/// A step of fitness that shows as 0.0000.
const NOTHING: f32 = 0.000_05;
/// The height of the curve, points.
const CURVE: f32 = 150.0;

/// The page.
#[derive(Default)]
pub struct LineagePage {
    step: usize,
    /// The step and the length of the line that the rows were made for.
    made: Option<(u64, usize, usize)>,
    rows: Vec<Row>,
    plots: Plots<(u64, usize, usize)>,
    playing: Option<f64>,
}

impl LineagePage {
    /// Draws the page. The program that somebody wants to look at.
    pub fn ui(&mut self, ui: &mut Ui, line: &[Node], run: u64) -> Option<Subject> {
        let Some(last) = line.len().checked_sub(1) else {
            let text = "The ancestors of the best program appear here once there is one.";
            empty_ui(ui, "No lineage yet", text);
            return None;
        };
        self.step = self.step.min(last);
        self.film_ui(ui, last);
        let made = (run, self.step, line.len());
        if self.made != Some(made) {
            self.made = Some(made);
            self.rows = step_rows(line, self.step);
        }
        let step = self.step;
        let plots = self.plots.get(made, || vec![figure(line, step)]);
        for plot in plots {
            plot.show(ui, vec2(ui.available_width(), CURVE));
        }
        let mut wanted = None;
        let room = ui.available_size();
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(room.x * 0.4);
                self.steps_ui(ui, line);
            });
            ui.separator();
            ui.vertical(|ui| wanted = self.step_ui(ui, &line[step]));
        });
        wanted
    }

    fn film_ui(&mut self, ui: &mut Ui, last: usize) {
        if let Some(began) = self.playing {
            let passed = ((ui.input(|input| input.time) - began) / PACE).max(0.0) as usize;
            self.step = passed.min(last);
            if self.step == last {
                self.playing = None;
            } else {
                let next = std::time::Duration::from_secs_f64(PACE / 2.0);
                ui.ctx().request_repaint_after(next);
            }
        }
        ui.horizontal(|ui| {
            let name = if self.playing.is_some() {
                "Hold"
            } else {
                "Play"
            };
            let about = "The film of how the algorithm was found";
            if ui.button(name).on_hover_text(about).clicked() {
                self.playing = if self.playing.is_some() {
                    None
                } else {
                    let from = if self.step >= last { 0 } else { self.step };
                    Some(ui.input(|input| input.time) - from as f64 * PACE)
                };
            }
            ui.spacing_mut().slider_width = (ui.available_width() - 180.0).clamp(60.0, 480.0);
            let label = ui.label(format!("Ancestor {} of {}", self.step + 1, last + 1));
            let slider = Slider::new(&mut self.step, 0..=last).show_value(false);
            if ui.add(slider).labelled_by(label.id).changed() {
                self.playing = None;
            }
        });
    }

    /// All steps, one line each.
    fn steps_ui(&mut self, ui: &mut Ui, line: &[Node]) {
        let height = ui.text_style_height(&egui::TextStyle::Body) + 6.0;
        let mut area = ScrollArea::vertical()
            .id_salt("automl lineage")
            .auto_shrink([false, false]);
        if self.playing.is_some() {
            let row = height + ui.spacing().item_spacing.y;
            let middle = self.step as f32 * row - ui.available_height() * 0.5;
            area = area.vertical_scroll_offset(middle.max(0.0));
        }
        area.show_rows(ui, height, line.len(), |ui, shown| {
            for index in shown {
                let tokens = theme::tokens(ui);
                let node = &line[index];
                let fitness = node.score.fitness;
                let before = index.checked_sub(1).map(|at| line[at].score.fitness);
                let gain = before.map_or(0.0, |before| fitness - before);
                let text = match before {
                    None => format!("{}. begins at {fitness:.4}", index + 1),
                    Some(_) => format!(
                        "{}. {fitness:.4} ({gain:+.4}) {}",
                        index + 1,
                        node.mutation.title()
                    ),
                };
                let color = if gain > NOTHING {
                    tokens.good
                } else if gain < -NOTHING {
                    tokens.bad
                } else {
                    tokens.faint
                };
                let text = RichText::new(text).color(color);
                let step = Button::selectable(self.step == index, text).truncate();
                if ui.add(step).clicked() {
                    self.step = index;
                    self.playing = None;
                }
            }
        });
    }

    /// The program of a step, with what is different from its parent.
    fn step_ui(&self, ui: &mut Ui, node: &Node) -> Option<Subject> {
        let mut wanted = None;
        ui.horizontal(|ui| {
            let mut text = format!("Born as number {}", node.birth + 1);
            if node.skipped > 0 {
                text += &format!(", after {} changes without effect", node.skipped);
            }
            ui.label(RichText::new(text).color(theme::tokens(ui).faint));
            if ui.button("Look at it").clicked() {
                let title = format!("Ancestor {}", self.step + 1);
                wanted = Some(Subject::new(title, node.program.clone()));
            }
        });
        ScrollArea::both()
            .id_salt("automl ancestor")
            .auto_shrink([false, false])
            .show(ui, |ui| {
                listing_ui(ui, "ancestor", &self.rows, false, &mut None);
            });
        wanted
    }
}

/// The listing of a step, with the lines that came and went.
fn step_rows(line: &[Node], step: usize) -> Vec<Row> {
    let program = &line[step].program;
    let parent = match step.checked_sub(1) {
        Some(before) => &line[before].program,
        None => program,
    };
    marked_rows(parent, program)
}

/// The listing of a program, with the lines that it has not in common with another.
pub fn marked_rows(old: &Program, new: &Program) -> Vec<Row> {
    let own = rows(new, None);
    let gone = rows(old, None);
    let find = |rows: &[Row], place| rows.iter().find(|row: &&Row| row.place == place).cloned();
    changes(old, new)
        .into_iter()
        .filter_map(|change| {
            let (row, mark) = match (change.old, change.new) {
                (Some(_), Some(at)) => (find(&own, (change.function, at)), Mark::Plain),
                (None, Some(at)) => (find(&own, (change.function, at)), Mark::Added),
                (Some(at), None) => (find(&gone, (change.function, at)), Mark::Removed),
                (None, None) => (None, Mark::Plain),
            };
            Some(Row { mark, ..row? })
        })
        .collect()
}

fn figure(line: &[Node], step: usize) -> Figure {
    let point = |(index, node): (usize, &Node)| [(index + 1) as f64, f64::from(node.score.fitness)];
    Figure {
        name: "Fitness of the ancestors".to_owned(),
        x: Axis::new("ancestor", Unit::Number),
        y: Axis::new("fitness", Unit::Number),
        series: vec![
            Series {
                name: "ancestor".to_owned(),
                hue: Hue::Line(0),
                mark: Dot::Dots,
                points: line.iter().enumerate().map(point).collect(),
                ..Series::default()
            },
            Series {
                name: "in sight".to_owned(),
                hue: Hue::Line(1),
                mark: Dot::Scatter,
                points: line
                    .get(step)
                    .map(|node| point((step, node)))
                    .into_iter()
                    .collect(),
                ..Series::default()
            },
        ],
    }
}

/// The figure of the page.
#[must_use]
pub fn figures(line: &[Node]) -> Vec<Figure> {
    vec![figure(line, line.len())]
}
