//! In-context learning, live: accuracy by the number of examples, with intervals that shrink while
//! queries are asked; every run stays as a curve, so that tasks, models and settings compare.

use std::path::PathBuf;

use egui::{DragValue, Grid, RichText, Ui, vec2};
use serde::{Deserialize, Serialize};

use crate::compute::{Lane, Run};
use crate::data::csv::field;
use crate::demos::gpt::in_context::curve::{CurveConfig, CurveJob, Heard, Point, Sample};
use crate::demos::gpt::in_context::paper::{SIZES, few_shot};
use crate::demos::gpt::in_context::tasks::TaskKind;
use crate::gui::TabCx;
use crate::gui::controls::{RunState, capitalised, empty_ui, progress_ui, seed_ui};
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit};
use crate::gui::theme;

/// Curves that are kept.
const MOST_CURVES: usize = 6;
/// Room for the last query below the figure, points.
const SAMPLE: f32 = 74.0;
/// Up to how many examples, and which numbers of them.
const REACHES: [(usize, &[usize]); 3] = [
    (4, &[0, 1, 2, 4]),
    (16, &[0, 1, 2, 4, 8, 16]),
    (64, &[0, 1, 2, 4, 8, 16, 32, 64]),
];

/// A run as it stays on the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    config: CurveConfig,
    model: String,
    points: Vec<Point>,
    sample: Option<Sample>,
}

impl Curve {
    fn name(&self) -> String {
        let mut name = self.config.task.title().to_owned();
        if self.config.description {
            name += ", described";
        }
        if self.config.shuffled {
            name += ", answers shuffled";
        }
        name
    }
}

/// What a session keeps of the page.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    config: CurveConfig,
    curves: Vec<Curve>,
}

/// The page.
#[derive(Default)]
pub struct InContextPage {
    config: CurveConfig,
    curves: Vec<Curve>,
    running: Option<Run<Heard>>,
    plots: Plots<u64>,
    revision: u64,
}

impl InContextPage {
    /// How the page's run stands.
    pub fn state(&self) -> RunState {
        RunState::of(self.running.as_ref())
    }

    /// The run, to be held or stopped.
    pub fn run(&self) -> Option<&Run<Heard>> {
        self.running.as_ref()
    }

    /// Changes with what a session keeps.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What a session keeps.
    pub fn save(&self) -> Saved {
        Saved {
            // Where files lie is the machine's affair.
            config: CurveConfig {
                model: None,
                ..self.config.clone()
            },
            curves: self.curves.clone(),
        }
    }

    /// Takes up what a session kept.
    pub fn restore(&mut self, saved: Saved) {
        self.running = None;
        self.config = saved.config;
        self.curves = saved.curves;
        self.curves.truncate(MOST_CURVES);
        self.revision += 1;
    }

    /// Begins to measure with the model of a file.
    pub fn begin(&mut self, model: PathBuf, cx: &mut TabCx<'_>) {
        let config = CurveConfig {
            model: Some(model),
            ..self.config.clone()
        };
        match CurveJob::new(config) {
            Ok(job) => {
                let name = format!("GPT-3: {}", self.config.task.title());
                self.running = Some(cx.worker.submit(Lane::Long, name, job));
                if self.curves.len() == MOST_CURVES {
                    self.curves.remove(0);
                }
                self.curves.push(Curve {
                    config: self.save().config,
                    model: String::new(),
                    points: Vec::new(),
                    sample: None,
                });
                self.revision += 1;
            }
            Err(error) => cx.toasts.error(capitalised(&error.to_string())),
        }
    }

    /// Takes in what the run tells.
    pub fn logic(&mut self, cx: &mut TabCx<'_>) {
        let Some(heard) = cx.heard(&mut self.running) else {
            return;
        };
        if let Some(curve) = self.curves.last_mut() {
            for heard in heard {
                match heard {
                    Heard::Loaded(model) => curve.model = model,
                    Heard::Points(points, sample) => {
                        curve.points = points;
                        curve.sample = Some(sample);
                    }
                }
            }
        }
        if self.running.is_none() {
            // One that failed before the first query leaves nothing to look at.
            self.curves.retain(|curve| !curve.points.is_empty());
        }
        self.revision += 1;
    }

    /// Draws the settings.
    pub fn controls_ui(&mut self, ui: &mut Ui, still: bool) {
        if let Some(running) = self.running.as_ref().filter(|_| !still) {
            progress_ui(ui, &running.progress());
        }
        ui.strong("Task");
        let idle = self.running.is_none();
        let before = self.config.clone();
        ui.add_enabled_ui(idle, |ui| settings_ui(ui, &mut self.config));
        self.revision += u64::from(before != self.config);
        let can = idle && !self.curves.is_empty();
        if ui
            .add_enabled(can, egui::Button::new("Clear the curves"))
            .clicked()
        {
            self.curves.clear();
            self.revision += 1;
        }
    }

    /// Draws the curves and the last query.
    pub fn stage_ui(&mut self, ui: &mut Ui) {
        if self.curves.iter().all(|curve| curve.points.is_empty()) {
            let text =
                "Press Run: the model answers queries with more and more examples in its prompt.";
            empty_ui(ui, "No curve yet", text);
            return;
        }
        let curves = &self.curves;
        let plots = self.plots.get(self.revision, || vec![figure(curves)]);
        let size = ui.available_size();
        for plot in plots {
            ui.label(RichText::new(&plot.figure().name).strong());
            plot.show(ui, vec2(size.x, (size.y - SAMPLE - 24.0).max(120.0)));
        }
        let shown = curves.iter().rev().find(|curve| curve.sample.is_some());
        if let Some(curve) = shown {
            sample_ui(ui, curve);
        }
    }

    /// One line for each point of every curve.
    pub fn csv(&self) -> String {
        let mut csv = "curve,model,examples,accuracy,low,high,queries\n".to_owned();
        for curve in &self.curves {
            let (name, model) = (field(&curve.name()), field(&curve.model));
            for point in &curve.points {
                csv += &format!(
                    "{name},{model},{},{},{},{},{}\n",
                    point.shots, point.accuracy, point.low, point.high, point.n
                );
            }
        }
        csv
    }

    /// The figure on the stage.
    pub fn figures(&self) -> Vec<Figure> {
        vec![figure(&self.curves)]
    }
}

fn settings_ui(ui: &mut Ui, config: &mut CurveConfig) {
    Grid::new("in context")
        .num_columns(2)
        .spacing([12.0, 8.0])
        .show(ui, |ui| {
            let label = ui.label("Answer");
            egui::ComboBox::from_id_salt("in context task")
                .selected_text(config.task.title())
                .height(420.0)
                .show_ui(ui, |ui| {
                    for task in <TaskKind as clap::ValueEnum>::value_variants() {
                        ui.selectable_value(&mut config.task, *task, task.title())
                            .on_hover_text(task.description());
                    }
                })
                .response
                .labelled_by(label.id);
            ui.end_row();
            let label = ui.label("Examples");
            let most = config.shots.iter().copied().max().unwrap_or(0);
            egui::ComboBox::from_id_salt("in context shots")
                .selected_text(format!("up to {most}"))
                .show_ui(ui, |ui| {
                    for (reach, shots) in REACHES {
                        let text = format!("up to {reach}");
                        if ui.selectable_label(most == reach, text).clicked() {
                            config.shots = shots.to_vec();
                        }
                    }
                })
                .response
                .labelled_by(label.id);
            ui.end_row();
            let label = ui.label("Queries");
            ui.add(DragValue::new(&mut config.n).range(1..=10_000))
                .labelled_by(label.id)
                .on_hover_text("The more, the narrower the intervals");
            ui.end_row();
        });
    ui.checkbox(&mut config.description, "Say what the task is")
        .on_hover_text("A sentence before the examples");
    ui.checkbox(&mut config.shuffled, "Shuffle the examples' answers")
        .on_hover_text("Does the model learn from the pairs, or only find the task?");
    seed_ui(ui, &mut config.seed);
}

/// The last query, with what was answered.
fn sample_ui(ui: &mut Ui, curve: &Curve) {
    let Some(sample) = &curve.sample else {
        return;
    };
    let tokens = theme::tokens(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&sample.query).monospace());
        ui.label(RichText::new(format!("right: {}", sample.answer)).color(tokens.faint));
    });
    ui.horizontal_wrapped(|ui| {
        for (point, written) in curve.points.iter().zip(&sample.written) {
            let written = written.trim();
            let right = written.eq_ignore_ascii_case(&sample.answer);
            let color = if right { tokens.good } else { tokens.bad };
            let shown = if written.is_empty() {
                "nothing"
            } else {
                written
            };
            ui.label(RichText::new(format!("{}:", point.shots)).color(tokens.faint));
            ui.label(RichText::new(shown).monospace().color(color));
            ui.add_space(8.0);
        }
    });
}

/// All curves, and what the paper's models reached on the task of the last.
fn figure(curves: &[Curve]) -> Figure {
    let most = curves
        .iter()
        .flat_map(|curve| curve.points.iter().map(|point| point.shots))
        .max()
        .unwrap_or(1);
    let mut series = Vec::new();
    let paper = curves.last().and_then(|curve| few_shot(curve.config.task));
    for (size, percent) in SIZES.iter().zip(paper.into_iter().flatten()) {
        series.push(Series {
            name: format!("GPT-3 {size}, few-shot, {percent} % (table H.1)"),
            label: if ["125M", "13B", "175B"].contains(size) {
                format!("GPT-3 {size}")
            } else {
                String::new()
            },
            mark: Mark::Dashed,
            points: vec![[0.0, percent / 100.0], [most as f64, percent / 100.0]],
            ..Series::default()
        });
    }
    for (index, curve) in curves.iter().enumerate() {
        series.push(Series {
            name: format!("{}, {}", curve.name(), curve.model),
            label: curve.name(),
            hue: Hue::Line(index),
            mark: Mark::Dots,
            points: curve
                .points
                .iter()
                .map(|point| [point.shots as f64, point.accuracy])
                .collect(),
            bars: curve
                .points
                .iter()
                .map(|point| [point.low, point.high])
                .collect(),
        });
    }
    Figure {
        name: "Right answers by examples in the prompt".to_owned(),
        x: Axis::new("examples in the prompt", Unit::Number),
        y: Axis::new("right answers", Unit::Percent).with_range(0.0, 1.0),
        series,
    }
}
