//! The page of the learned generator: the paper's own search, a latent for each layer, every step's
//! picture seen.

use std::fmt::Write as _;
use std::sync::Arc;

use egui::{DragValue, Grid, RichText, ScrollArea, Slider, Ui, Vec2, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::canvas::twin_ui;
use crate::compute::{Lane, Run};
use crate::data::image::beside;
use crate::demos::pulse::answer::Face;
use crate::demos::pulse::generator::search::LayersConfig;
use crate::demos::pulse::learned::{self, Answer, Heard, LearnedJob, MOST, Question};
use crate::demos::pulse::pixels::Pixels;
use crate::demos::pulse::sheet;
use crate::error::{Error, Result};
use crate::gui::controls::{
    RunState, capitalised, empty_ui, next_seed, progress_ui, run_bar_ui, seed_ui, steer,
};
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit};
use crate::gui::{Command, Export, TabCx, theme};
use crate::view::ImageView;

const PNG: Export = Export {
    extension: "png",
    about: "the network's answers, in a row",
};
pub(super) const EXPORTS: &[Export] = &[PNG];

/// The column of the question is this wide.
const QUESTION_WIDTH: f32 = 200.0;
/// Answers are at least and at most this wide.
const ANSWER: [f32; 2] = [96.0, 280.0];
/// The shrunk answer beside its error, as a share of the answer.
const TWIN: f32 = 0.3;
/// The curves are this high, and at least so wide each.
const PLOT: [f32; 2] = [170.0, 240.0];

/// What a search is told; a session stores it.
#[derive(Clone, Serialize, Deserialize)]
struct Options {
    samples: usize,
    search: LayersConfig,
    seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            samples: 4,
            search: LayersConfig::default(),
            seed: 0,
        }
    }
}

/// One answer on the stage.
struct Shown {
    view: ImageView,
    low: Pixels,
    error: f64,
    /// At the end.
    answer: Option<Answer>,
}

/// The small picture that the answers are of, and what is known of the truth.
struct Asked {
    low: Pixels,
    face: Option<ImageView>,
    drawn: Option<(ImageView, Answer)>,
}

pub(super) struct Learned {
    options: Options,
    asked: Option<Asked>,
    shown: Vec<Shown>,
    errors: Vec<Vec<[f64; 2]>>,
    crosses: Vec<Vec<[f64; 2]>>,
    run: Option<Run<Heard>>,
    plots: Plots<u64>,
    changes: u64,
    revision: u64,
}

impl Learned {
    pub(super) fn new() -> Self {
        Self {
            options: Options::default(),
            asked: None,
            shown: Vec::new(),
            errors: Vec::new(),
            crosses: Vec::new(),
            run: None,
            plots: Plots::default(),
            changes: 0,
            revision: 0,
        }
    }

    pub(super) fn state(&self) -> RunState {
        RunState::of(self.run.as_ref())
    }

    fn begin(&mut self, low: &Pixels, truth: Option<&Face>, cx: &mut TabCx<'_>) {
        let question = Question {
            low: low.clone(),
            truth: truth.map(|face| face.z.clone()),
            samples: self.options.samples,
            search: self.options.search.clone(),
            seed: self.options.seed,
        };
        match LearnedJob::new(question, &learned::shipped()) {
            Ok(job) => {
                let lane = Lane::Interactive("pulse learned");
                self.run = Some(cx.worker.submit(lane, "PULSE: learned generator", job));
                self.asked = Some(Asked {
                    low: low.clone(),
                    face: truth.map(|face| {
                        let mut view = ImageView::new("The true face");
                        view.set(&Arc::new(sheet::picture(face)));
                        view
                    }),
                    drawn: None,
                });
                self.shown.clear();
                self.errors = vec![Vec::new(); self.options.samples];
                self.crosses = self.errors.clone();
                self.changes += 1;
                self.revision += 1;
            }
            Err(error) => cx.toasts.error(capitalised(&error.to_string())),
        }
    }

    pub(super) fn logic(&mut self, cx: &mut TabCx<'_>) {
        let Some(heard) = cx.heard(&mut self.run) else {
            return;
        };
        self.changes += 1;
        self.revision += 1;
        for output in heard {
            self.take(output);
        }
    }

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Truth(answer) => {
                if let Some(asked) = &mut self.asked {
                    let mut view = ImageView::new("The network's picture of the true person");
                    view.set(&Arc::new(answer.picture.to_image()));
                    asked.drawn = Some((view, *answer));
                }
            }
            Heard::Step {
                done,
                errors,
                crosses,
                pictures,
            } => {
                for (curves, values) in [(&mut self.errors, &errors), (&mut self.crosses, &crosses)]
                {
                    for (curve, value) in curves.iter_mut().zip(values) {
                        curve.push([done as f64, *value]);
                    }
                }
                let side = self.asked.as_ref().map_or(1, |asked| asked.low.side);
                for (place, (picture, error)) in pictures.iter().zip(errors).enumerate() {
                    self.put(place, picture, picture.shrunk(side), error, None);
                }
            }
            Heard::Answers(answers) => {
                for (place, answer) in answers.into_iter().enumerate() {
                    let (picture, low) = (answer.picture.clone(), answer.low.clone());
                    self.put(place, &picture, low, answer.error, Some(answer));
                }
            }
        }
    }

    fn put(
        &mut self,
        place: usize,
        picture: &Pixels,
        low: Pixels,
        error: f64,
        answer: Option<Answer>,
    ) {
        if place == self.shown.len() {
            self.shown.push(Shown {
                view: ImageView::new(format!("Answer {}", place + 1)),
                low: low.clone(),
                error,
                answer: None,
            });
        }
        if let Some(shown) = self.shown.get_mut(place) {
            shown.view.set(&Arc::new(picture.to_image()));
            shown.low = low;
            shown.error = error;
            shown.answer = answer;
        }
    }

    pub(super) fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        ui.add_space(4.0);
        run_bar_ui(ui, self.state(), "Search", self.run.is_none(), cx.commands);
        if let Some(run) = self.run.as_ref().filter(|_| !cx.still) {
            progress_ui(ui, &run.progress());
        }
        ui.add_space(6.0);
        let faint = theme::tokens(ui).faint;
        let text = "Searches for the small picture of the page Answers, as the paper does: through \
                    a style-based network that learned the kit's people, with a latent for each of \
                    its layers. The answers are the network's own pictures: softer than the kit's";
        ui.label(RichText::new(text).small().color(faint));
        ui.add_space(4.0);
        ui.add_enabled_ui(self.run.is_none(), |ui| {
            let options = &mut self.options;
            Grid::new("learned")
                .num_columns(2)
                .spacing([12.0, 8.0])
                .show(ui, |ui| {
                    let label = ui.label("Answers");
                    ui.add(Slider::new(&mut options.samples, 1..=MOST))
                        .labelled_by(label.id);
                    ui.end_row();
                    let mut row = |name: &str, about: &str, drag: DragValue<'_>| {
                        let label = ui.label(name);
                        ui.add(drag).labelled_by(label.id).on_hover_text(about);
                        ui.end_row();
                    };
                    let search = &mut options.search;
                    row(
                        "Steps",
                        "100 in the paper",
                        DragValue::new(&mut search.steps).range(1..=10_000),
                    );
                    row(
                        "Learning rate",
                        "Adam's greatest, 0.4 in the paper",
                        DragValue::new(&mut search.learning_rate)
                            .range(0.001..=10.0)
                            .speed(0.01),
                    );
                    row(
                        "Epsilon",
                        "The mean squared error that counts as the same small picture: 0.001 in \
                         the paper, 0.002 in its published code",
                        DragValue::new(&mut search.epsilon)
                            .range(1e-5..=0.5)
                            .speed(1e-4)
                            .max_decimals(5),
                    );
                    row(
                        "Cross weight",
                        "What the geodesic cross loss counts, which holds the layers together: \
                         0.05 in the published code. At 0 the layers draw different people",
                        DragValue::new(&mut search.cross_weight)
                            .range(0.0..=10.0)
                            .speed(0.005)
                            .max_decimals(4),
                    );
                });
            seed_ui(ui, &mut options.seed);
        });
        ui.add_space(8.0);
    }

    /// `now` is the question of the page of answers.
    pub(super) fn stage_ui(&mut self, ui: &mut Ui, now: (&Pixels, Option<&Face>)) {
        let room = ui.available_width();
        let width = QUESTION_WIDTH.min(room * 0.34);
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(width);
                ScrollArea::vertical()
                    .id_salt("question")
                    .show(ui, |ui| self.question_ui(ui, width - 16.0, now.0));
            });
            ui.add_space(8.0);
            ui.vertical(|ui| {
                ui.set_width(room - width - 32.0);
                self.answers_ui(ui);
            });
        });
    }

    fn question_ui(&mut self, ui: &mut Ui, side: f32, now: &Pixels) {
        let faint = theme::tokens(ui).faint;
        ui.label(RichText::new("Small picture").strong());
        let Some(asked) = &mut self.asked else {
            twin_ui(ui, now, side, "The small picture");
            return;
        };
        twin_ui(ui, &asked.low, side, "The small picture");
        if asked.low != *now {
            let text = "Another one now stands on the page Answers: search again for that";
            ui.label(RichText::new(text).small().color(faint));
        }
        if let Some(face) = &mut asked.face {
            ui.add_space(6.0);
            ui.label(RichText::new("The true face").strong());
            face.show(ui, Vec2::splat(side));
        }
        if let Some((view, answer)) = &mut asked.drawn {
            ui.add_space(6.0);
            ui.label(RichText::new("As the network has it").strong());
            view.show(ui, Vec2::splat(side));
            let text = format!("From the true vector: error {:.5}", answer.error);
            ui.label(RichText::new(text).small().color(faint));
        }
    }

    fn answers_ui(&mut self, ui: &mut Ui) {
        if self.shown.is_empty() {
            let (title, text) = if self.run.is_some() {
                ("The search is under way", "")
            } else {
                (
                    "Not searched yet",
                    "Press Search: some seconds for four answers",
                )
            };
            empty_ui(ui, title, text);
            return;
        }
        self.verdict_ui(ui);
        let room = ui.available_height();
        let height = (room - PLOT[0] - 40.0).max(120.0);
        ScrollArea::vertical()
            .id_salt("grid")
            .max_height(height)
            .auto_shrink([false, false])
            .show(ui, |ui| self.grid_ui(ui, height));
        ui.add_space(6.0);
        let (errors, crosses, search) = (&self.errors, &self.crosses, &self.options.search);
        let plots = self
            .plots
            .get(self.changes, || figures(errors, crosses, search));
        let width = ((ui.available_width() - 16.0) / 2.0).max(PLOT[1]);
        ScrollArea::horizontal().id_salt("below").show(ui, |ui| {
            ui.horizontal_top(|ui| {
                for plot in plots {
                    ui.vertical(|ui| {
                        ui.set_width(width);
                        ui.label(RichText::new(&plot.figure().name).strong());
                        plot.show(ui, vec2(width, PLOT[0] - 24.0));
                    });
                }
            });
        });
    }

    fn verdict_ui(&self, ui: &mut Ui) {
        let tokens = theme::tokens(ui);
        let ended: Vec<&Answer> = self
            .shown
            .iter()
            .filter_map(|s| s.answer.as_ref())
            .collect();
        let good = ended.iter().filter(|answer| answer.success).count();
        let epsilon = self.options.search.epsilon;
        let (text, color) = match (ended.len(), good) {
            (0, _) => (
                "The network's pictures, while it searches".to_owned(),
                tokens.faint,
            ),
            (_, 0) => (
                format!(
                    "Could not find a face that downscales correctly within epsilon {epsilon}: the \
                     picture lies outside what the network can draw"
                ),
                tokens.warning,
            ),
            (count, good) => (
                format!("{good} of {count} shrink to the picture within {epsilon}"),
                tokens.good,
            ),
        };
        ui.label(RichText::new(text).color(color));
    }

    fn grid_ui(&mut self, ui: &mut Ui, height: f32) {
        let gap = 10.0;
        let (count, width) = (self.shown.len(), ui.available_width());
        // The columns that let the answers be largest without scrolling.
        let side = |columns: usize| {
            let high = height / count.div_ceil(columns) as f32 - gap;
            let wide = width / columns as f32 - gap;
            wide.min(high / (1.0 + TWIN) - gap).min(ANSWER[1])
        };
        let columns = (1..=count).max_by(|&a, &b| side(a).total_cmp(&side(b)));
        let columns = columns.unwrap_or(1);
        let side = side(columns).max(ANSWER[0].min(width - gap));
        let tokens = theme::tokens(ui);
        Grid::new("faces").spacing([gap, gap]).show(ui, |ui| {
            for (place, shown) in self.shown.iter_mut().enumerate() {
                ui.vertical(|ui| {
                    ui.set_width(side);
                    shown.view.show(ui, Vec2::splat(side));
                    ui.horizontal(|ui| {
                        twin_ui(ui, &shown.low, side * TWIN, "The answer shrunk");
                        ui.vertical(|ui| {
                            ui.label(RichText::new(format!("{:.5}", shown.error)).monospace())
                                .on_hover_text("Mean squared error of the answer shrunk");
                            let (mark, color) = match &shown.answer {
                                None => ("searching", tokens.faint),
                                Some(answer) if answer.success => ("within", tokens.good),
                                Some(_) => ("not within", tokens.warning),
                            };
                            ui.label(RichText::new(mark).small().color(color));
                        });
                    });
                });
                if (place + 1) % columns == 0 {
                    ui.end_row();
                }
            }
        });
    }

    pub(super) fn perform(
        &mut self,
        command: Command,
        low: &Pixels,
        truth: Option<&Face>,
        cx: &mut TabCx<'_>,
    ) {
        match (command, &self.run) {
            (Command::Run, None) => self.begin(low, truth, cx),
            (Command::NewSeed, _) => {
                self.options.seed = next_seed(self.options.seed);
                self.revision += 1;
            }
            (command, run) => steer(run.as_ref(), command),
        }
    }

    fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.shown.iter().filter_map(|shown| shown.answer.as_ref())
    }

    pub(super) fn copy_text(&self) -> Option<String> {
        let mut text = String::from("error\n");
        for answer in self.answers() {
            let _ = writeln!(text, "{:.6}", answer.error);
        }
        self.answers().next().map(|_| text)
    }

    pub(super) fn export(&self) -> Result<Vec<u8>> {
        let pictures: Vec<_> = self.answers().map(|a| a.picture.to_image()).collect();
        if pictures.is_empty() {
            return Err(Error::Input("there are no answers yet".into()));
        }
        beside(&pictures)?.encode_png()
    }

    pub(super) fn save(&self) -> Value {
        json!(self.options)
    }

    /// What sessions before this page had does not say anything of it.
    pub(super) fn restore(&mut self, state: Value) -> Result<()> {
        let mut options = match state {
            Value::Null => Options::default(),
            state => {
                serde_json::from_value(state).map_err(|error| Error::Input(error.to_string()))?
            }
        };
        options.samples = options.samples.clamp(1, MOST);
        options.search.check()?;
        *self = Self {
            options,
            revision: self.revision + 1,
            changes: self.changes + 1,
            ..Self::new()
        };
        Ok(())
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }
}

fn figures(
    errors: &[Vec<[f64; 2]>],
    crosses: &[Vec<[f64; 2]>],
    search: &LayersConfig,
) -> Vec<Figure> {
    let lines = |curves: &[Vec<[f64; 2]>]| -> Vec<Series> {
        curves
            .iter()
            .enumerate()
            .map(|(place, curve)| Series {
                name: format!("answer {}", place + 1),
                hue: Hue::Line(place),
                points: curve.clone(),
                ..Series::default()
            })
            .collect()
    };
    let mut errors = lines(errors);
    errors.push(Series {
        name: "epsilon".into(),
        hue: Hue::Faint,
        mark: Mark::Dashed,
        points: vec![[0.0, search.epsilon], [search.steps as f64, search.epsilon]],
        label: "epsilon".into(),
        ..Series::default()
    });
    let figure = |name: &str, y: &str, series| Figure {
        name: name.into(),
        x: Axis::new("Steps", Unit::Number),
        y: Axis::new(y, Unit::Number).logarithmic(),
        series,
    };
    vec![
        figure("Downscaling error", "Mean squared error", errors),
        figure(
            "How far apart the layers' latents are",
            "Geodesic cross loss",
            lines(crosses),
        ),
    ]
}
