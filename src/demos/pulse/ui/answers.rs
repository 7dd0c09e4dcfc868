//! The page of answers: the question on the left, faces that shrink to it on the right, and what
//! they do not agree on.

use std::path::Path;
use std::sync::Arc;

use egui::{Grid, RichText, ScrollArea, Slider, Ui, Vec2, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::canvas::canvas_ui;
use super::nearest::Nearest;
use super::question::{Asked, Changed, Source};
use super::settings::{generator_ui, search_ui};
use super::shown::{self, Shown};
use super::turn::Turn;
use crate::compute::{Lane, Run};
use crate::data::Image;
use crate::demos::pulse::answer::{Answer, Face};
use crate::demos::pulse::input;
use crate::demos::pulse::morph::morphed;
use crate::demos::pulse::pixels::{Pixels, SIDES};
use crate::demos::pulse::prior::{Collection, MOST, Prior};
use crate::demos::pulse::search::SearchConfig;
use crate::demos::pulse::sheet;
use crate::demos::pulse::upscale::{Heard, NewPerson, Question, UpscaleJob};
use crate::error::{Error, Result};
use crate::gui::controls::{
    RunState, capitalised, empty_ui, next_seed, progress_ui, run_bar_ui, seed_ui, steer,
};
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit};
use crate::gui::{Command, Export, TabCx, theme};
use crate::view::ImageView;

const PNG: Export = Export {
    extension: "png",
    about: "the small picture, the answers and their spread, in a row",
};
const GIF: Export = Export {
    extension: "gif",
    about: "the first answer growing out of its small picture",
};
const JSON: Export = Export {
    extension: "json",
    about: "the answers' vectors, errors and attributes",
};
pub(super) const EXPORTS: &[Export] = &[PNG, GIF, JSON];

/// Pixels in a side of the answers.
const SIZE: usize = 128;
/// The column of the question is this wide.
const QUESTION_WIDTH: f32 = 240.0;
/// The curves are at least this wide.
const LEAST_PLOT: f32 = 240.0;
/// The spread's column is at least this wide, which its heading takes in one line.
const LEAST_SPREAD: f32 = 190.0;
/// A heading and a caption take this much height.
const TEXTS: f32 = 56.0;

/// What a session stores, and what a search is told.
#[derive(Clone, Serialize, Deserialize)]
struct Options {
    samples: usize,
    collection: Collection,
    imbalance: f64,
    search: SearchConfig,
    seed: u64,
    person: u64,
    at_once: bool,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    options: Options,
    source: Source,
    low: Pixels,
}

pub(super) struct Answers {
    options: Options,
    asked: Asked,
    shown: Vec<Shown>,
    truth: ImageView,
    spread: Option<(ImageView, Arc<Image>, f32)>,
    /// Errors against steps, for each answer.
    curves: Vec<Vec<[f64; 2]>>,
    run: Option<Run<Heard>>,
    person: Option<Run<Face>>,
    /// A session was read: its person is asked for again.
    renew: bool,
    /// Where between the small picture and the answer the faces are shown; 1 is the answer.
    morph: f32,
    turn: Turn,
    reference: Nearest,
    plots: Plots<u64>,
    changes: u64,
    revision: u64,
}

impl Answers {
    pub(super) fn new() -> Self {
        Self {
            options: Options {
                samples: 6,
                collection: Collection::Balanced,
                imbalance: 0.0,
                search: SearchConfig::default(),
                seed: 0,
                person: 8,
                at_once: true,
            },
            asked: Asked::new(),
            shown: Vec::new(),
            truth: ImageView::new("The true face"),
            spread: None,
            curves: Vec::new(),
            run: None,
            person: None,
            renew: false,
            morph: 1.0,
            turn: Turn::new(),
            reference: Nearest::new(),
            plots: Plots::default(),
            changes: 0,
            revision: 0,
        }
    }

    /// Shows a question that was answered before.
    pub(super) fn take_stored(&mut self, truth: Face, answers: Vec<Answer>) {
        self.truth.set(&Arc::new(sheet::picture(&truth)));
        if self.asked.take_person(truth).is_ok() {
            self.options.samples = answers.len().clamp(1, 16);
            self.take(Heard::Answers(answers));
        }
    }

    /// The small picture, and who it is of where that is known.
    pub(super) fn question(&self) -> (&Pixels, Option<&Face>) {
        (&self.asked.low, self.asked.truth.as_ref())
    }

    pub(super) fn state(&self) -> RunState {
        RunState::of(self.run.as_ref())
    }

    fn touch(&mut self) {
        self.changes += 1;
        self.revision += 1;
    }

    fn ask_for_person(&mut self, cx: &mut TabCx<'_>) {
        let job = NewPerson {
            prior: Prior::default(),
            seed: self.options.person,
            size: SIZE,
        };
        let lane = Lane::Interactive("pulse person");
        self.person = Some(cx.worker.submit(lane, "PULSE: a person", job));
    }

    fn begin(&mut self, cx: &mut TabCx<'_>) {
        let question = Question {
            low: self.asked.low.clone(),
            samples: self.options.samples,
            size: SIZE,
            collection: self.options.collection,
            prior: Prior {
                imbalance: self.options.imbalance,
            },
            search: self.options.search.clone(),
            seed: self.options.seed,
            previews: true,
        };
        if let Some(old) = self.run.take() {
            old.cancel();
        }
        match UpscaleJob::new(question) {
            Ok(job) => {
                let lane = Lane::Interactive("pulse answers");
                self.run = Some(cx.worker.submit(lane, "PULSE: answers", job));
                self.curves = vec![Vec::new(); self.options.samples];
                self.spread = None;
                self.turn.clear();
                self.reference.clear();
                self.touch();
            }
            Err(error) => cx.toasts.error(capitalised(&error.to_string())),
        }
    }

    pub(super) fn logic(&mut self, cx: &mut TabCx<'_>) {
        if std::mem::take(&mut self.renew) {
            self.ask_for_person(cx);
        }
        self.poll_person(cx);
        self.poll_run(cx);
        self.turn.logic(cx);
        self.reference.logic(cx);
    }

    fn poll_person(&mut self, cx: &mut TabCx<'_>) {
        let came = cx.heard(&mut self.person).and_then(|mut faces| faces.pop());
        if let Some(face) = came {
            self.truth.set(&Arc::new(sheet::picture(&face)));
            if let Err(error) = self.asked.take_person(face) {
                cx.toasts.error(capitalised(&error.to_string()));
            }
            self.touch();
            if self.options.at_once {
                self.begin(cx);
            }
        }
    }

    fn poll_run(&mut self, cx: &mut TabCx<'_>) {
        let Some(heard) = cx.heard(&mut self.run) else {
            return;
        };
        self.touch();
        for output in heard {
            self.take(output);
        }
    }

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Step {
                done,
                errors,
                previews,
            } => {
                // In the corrections the target moves: errors against it say little.
                let searching = done <= self.options.search.steps as u64;
                for (curve, error) in self.curves.iter_mut().zip(&errors) {
                    if error.is_finite() && searching {
                        curve.push([done as f64, *error]);
                    }
                }
                self.shown.truncate(errors.len());
                for (place, preview) in previews.into_iter().enumerate() {
                    let error = errors.get(place).copied().unwrap_or(f64::INFINITY);
                    shown::put(&mut self.shown, place, preview.to_image(), None, error);
                }
            }
            Heard::Answers(answers) => {
                self.shown.truncate(answers.len());
                let mut answers = answers;
                answers.sort_by(|a, b| a.error.total_cmp(&b.error));
                for (place, answer) in answers.into_iter().enumerate() {
                    let image = sheet::picture(&answer.face);
                    let error = answer.error;
                    shown::put(&mut self.shown, place, image, Some(answer), error);
                }
                self.work_out_spread();
                self.apply_morph();
            }
        }
    }

    fn answers(&self) -> Vec<&Answer> {
        self.shown
            .iter()
            .filter_map(|s| s.answer.as_ref())
            .collect()
    }

    fn work_out_spread(&mut self) {
        let answers: Vec<&Answer> = self.answers();
        self.spread = sheet::spread(&answers).map(|(image, most)| {
            let image = Arc::new(image);
            let mut view = ImageView::new("Spread of the answers");
            view.set(&image);
            (view, image, most)
        });
    }

    /// Shows the answers as they look between the small picture and themselves.
    fn apply_morph(&mut self) {
        for shown in &mut self.shown {
            let Some(answer) = &shown.answer else {
                continue;
            };
            let image = Arc::new(morphed(&answer.face, answer.low.side, self.morph));
            shown.view.set(&image);
            shown.image = image;
        }
    }

    pub(super) fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        ui.add_space(4.0);
        run_bar_ui(ui, self.state(), "Search", self.run.is_none(), cx.commands);
        if let Some(run) = self.run.as_ref().filter(|_| !cx.still) {
            progress_ui(ui, &run.progress());
        }
        ui.add_space(6.0);
        match self.asked.controls_ui(ui) {
            Ok(Changed::Nothing) => {}
            Ok(Changed::Person) => {
                self.options.person = next_seed(self.options.person);
                self.ask_for_person(cx);
            }
            Ok(Changed::Low) => self.changed(cx),
            Err(error) => cx.toasts.error(capitalised(&error.to_string())),
        }
        ui.checkbox(&mut self.options.at_once, "Search at once")
            .on_hover_text("A search begins whenever the small picture has changed");
        ui.separator();
        ui.strong("Answers");
        Grid::new("answers")
            .num_columns(2)
            .spacing([12.0, 8.0])
            .show(ui, |ui| {
                let label = ui.label("How many");
                ui.add(Slider::new(&mut self.options.samples, 1..=16))
                    .labelled_by(label.id);
                ui.end_row();
                let options = &mut self.options;
                generator_ui(ui, &mut options.collection, &mut options.imbalance);
            });
        seed_ui(ui, &mut self.options.seed);
        ui.separator();
        ui.strong("Search");
        search_ui(ui, &mut self.options.search);
        ui.add_space(8.0);
    }

    /// The small picture was changed by hand.
    fn changed(&mut self, cx: &mut TabCx<'_>) {
        if self.asked.truth.is_none() {
            self.truth.clear();
        }
        self.touch();
        if self.options.at_once {
            self.begin(cx);
        }
    }

    pub(super) fn stage_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        let room = ui.available_width();
        let question = QUESTION_WIDTH.min(room * 0.38);
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(question);
                ScrollArea::vertical()
                    .id_salt("question")
                    .show(ui, |ui| self.question_ui(ui, question, cx));
            });
            ui.add_space(8.0);
            ui.vertical(|ui| {
                ui.set_width(room - question - 32.0);
                self.answers_ui(ui, cx);
            });
        });
    }

    fn question_ui(&mut self, ui: &mut Ui, width: f32, cx: &mut TabCx<'_>) {
        let side = width - 16.0;
        ui.label(RichText::new("Small picture").strong());
        let touched = canvas_ui(ui, &self.asked.low, side, "The small picture");
        if let Some(cell) = touched.cell {
            if ui.input(|input| input.pointer.secondary_down()) {
                self.asked.pick(cell);
            } else if self.asked.paint(cell) {
                self.truth.clear();
                self.touch();
                // The first preview comes while the brush is still down.
                if self.options.at_once {
                    self.begin(cx);
                }
            }
        }
        if touched.done {
            self.revision += 1;
        }
        match self.asked.crop_ui(ui, side) {
            Ok(false) => {}
            Ok(true) => self.changed(cx),
            Err(error) => cx.toasts.error(capitalised(&error.to_string())),
        }
        let faint = theme::tokens(ui).faint;
        if self.asked.truth.is_some() {
            ui.add_space(6.0);
            ui.label(RichText::new("The true face").strong());
            let picture = self.truth.show(ui, Vec2::splat(side)).response;
            if picture.on_hover_text("Click to turn it").clicked()
                && let Some(truth) = &self.asked.truth
            {
                self.turn.ask(truth.z.clone(), "The true face".into(), cx);
            }
            let text = "An imaginary person of a 3D kit: nobody looks like this";
            ui.label(RichText::new(text).small().color(faint));
        } else {
            let text = match self.asked.source {
                Source::Picture => {
                    "The answers are people of a 3D kit. A photograph lies outside their world: \
                     expect no face within epsilon, and never the person in it"
                }
                Source::Paint | Source::Person => "There is no true face: it was painted",
            };
            ui.add_space(4.0);
            ui.label(RichText::new(text).small().color(faint));
        }
        ui.add_space(6.0);
        self.reference.ui(ui, &self.asked.low, side, cx);
    }

    fn answers_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        if self.shown.is_empty() {
            let (title, text) = if self.run.is_some() || self.person.is_some() {
                ("The search is under way", "")
            } else {
                (
                    "No answers yet",
                    "Press Search, or paint on the small picture",
                )
            };
            empty_ui(ui, title, text);
            return;
        }
        self.verdict_ui(ui);
        let room = ui.available_size();
        let low_height = (room.y * 0.32).clamp(120.0, 230.0);
        ScrollArea::vertical()
            .id_salt("grid")
            .max_height(room.y - low_height - 12.0)
            .auto_shrink([false, false])
            .show(ui, |ui| self.grid_ui(ui, cx));
        ui.add_space(6.0);
        ScrollArea::horizontal().id_salt("below").show(ui, |ui| {
            ui.horizontal_top(|ui| self.below_ui(ui, low_height));
        });
    }

    fn verdict_ui(&mut self, ui: &mut Ui) {
        let tokens = theme::tokens(ui);
        let answers = self.answers();
        let (count, good) = (answers.len(), answers.iter().filter(|a| a.success).count());
        let epsilon = self.options.search.epsilon;
        ui.horizontal_wrapped(|ui| {
            if count == 0 {
                let text = "The surrogate's pictures, while it searches";
                ui.label(RichText::new(text).color(tokens.faint));
            } else if good == 0 {
                let text = format!(
                    "Could not find a face that downscales correctly within epsilon {epsilon}: the \
                     picture lies outside what the generator can draw"
                );
                ui.label(RichText::new(text).color(tokens.warning));
            } else {
                let text = format!("{good} of {count} shrink to the picture within {epsilon}");
                ui.label(RichText::new(text).color(tokens.good));
            }
        });
        if count > 0 {
            ui.horizontal_wrapped(|ui| {
                let label = ui.label("From pixels to face");
                let slider = Slider::new(&mut self.morph, 0.0..=1.0).show_value(false);
                if ui.add(slider).labelled_by(label.id).changed() {
                    self.apply_morph();
                }
            });
        }
    }

    fn grid_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        if let Some((z, name)) = shown::grid_ui(ui, &mut self.shown) {
            self.turn.ask(z, name, cx);
        }
    }

    fn below_ui(&mut self, ui: &mut Ui, height: f32) {
        let side = height - TEXTS;
        if let Some((view, _, most)) = &mut self.spread {
            ui.vertical(|ui| {
                ui.set_width(side.max(LEAST_SPREAD));
                ui.label(RichText::new("What the pixels cannot tell").strong());
                view.show(ui, Vec2::splat(side));
                let text = format!("They differ by up to {:.0} %", *most * 100.0);
                let faint = theme::tokens(ui).faint;
                ui.label(RichText::new(text).small().color(faint));
            });
            ui.add_space(10.0);
        }
        if self.turn.is_shown() {
            self.turn.ui(ui, side);
            ui.add_space(10.0);
        }
        if self.curves.iter().all(Vec::is_empty) {
            return;
        }
        let (curves, options) = (&self.curves, &self.options);
        let plots = self
            .plots
            .get(self.changes, || vec![figure(curves, options)]);
        let width = ui.available_width().max(LEAST_PLOT);
        ui.vertical(|ui| {
            ui.set_width(width);
            for plot in plots {
                ui.label(RichText::new(&plot.figure().name).strong());
                plot.show(ui, vec2(width, side));
            }
        });
    }

    pub(super) fn perform(&mut self, command: Command, cx: &mut TabCx<'_>) {
        match (command, &self.run) {
            (Command::Run, None) => self.begin(cx),
            (Command::NewSeed, _) => {
                self.options.seed = next_seed(self.options.seed);
                self.revision += 1;
            }
            (command, run) => steer(run.as_ref(), command),
        }
    }

    pub(super) fn open_file(&mut self, path: &Path, cx: &mut TabCx<'_>) -> Result<()> {
        self.take_picture(input::open(path)?, cx)
    }

    /// Asks for faces of a picture's square.
    pub(super) fn take_picture(&mut self, image: Image, cx: &mut TabCx<'_>) -> Result<()> {
        self.asked.take_picture(image)?;
        self.changed(cx);
        Ok(())
    }

    pub(super) fn copy_text(&self) -> Option<String> {
        let answers = self.answers();
        (!answers.is_empty()).then(|| {
            let line = |answer: &&Answer| {
                let about = &answer.face.attributes;
                format!(
                    "{:.6}\t{}\t{}\t{:.0}\n",
                    answer.error,
                    about.group.title(),
                    about.hair,
                    about.age
                )
            };
            let lines: String = answers.iter().map(line).collect();
            format!("error\tgroup\thair\tage\n{lines}")
        })
    }

    pub(super) fn export(&self, format: Export) -> Result<Vec<u8>> {
        let answers = self.answers();
        if answers.is_empty() {
            return Err(Error::Input("there are no answers yet".into()));
        }
        match format {
            GIF => sheet::growing(answers[0]),
            JSON => serde_json::to_vec_pretty(&json!({
                "low": self.asked.low,
                "options": self.options,
                "answers": answers.iter().map(|a| sheet::summary(a)).collect::<Vec<_>>(),
            }))
            .map_err(|error| Error::Input(format!("it cannot be written: {error}"))),
            _ => {
                let spread = self.spread.as_ref().map(|(_, image, _)| &**image);
                sheet::row(&self.asked.low, &answers, spread)?.encode_png()
            }
        }
    }

    pub(super) fn save(&self) -> Value {
        json!(Saved {
            options: self.options.clone(),
            source: self.asked.source,
            low: self.asked.low.clone(),
        })
    }

    pub(super) fn restore(&mut self, state: Value) -> Result<()> {
        let mut saved: Saved =
            serde_json::from_value(state).map_err(|error| Error::Input(error.to_string()))?;
        let side = saved.low.side;
        if !SIDES.contains(&side) || saved.low.planes.len() != 3 * side * side {
            return Err(Error::Input(
                "the session's small picture is damaged".into(),
            ));
        }
        saved.options.samples = saved.options.samples.clamp(1, 16);
        saved.options.imbalance = saved.options.imbalance.clamp(0.0, MOST);
        saved.options.search.check()?;
        self.run = None;
        self.shown.clear();
        self.spread = None;
        self.curves.clear();
        self.asked = Asked::of(saved.source, saved.low);
        self.options = saved.options;
        // The person and the answers are found again from their seeds.
        self.renew = self.asked.source == Source::Person;
        self.touch();
        Ok(())
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }
}

fn figure(curves: &[Vec<[f64; 2]>], options: &Options) -> Figure {
    let mut series: Vec<Series> = curves
        .iter()
        .enumerate()
        .map(|(place, curve)| Series {
            name: format!("search {}", place + 1),
            hue: Hue::Line(place),
            points: curve.clone(),
            ..Series::default()
        })
        .collect();
    let last = curves.iter().filter_map(|c| c.last()).map(|p| p[0]);
    let end = last.fold(options.search.steps as f64, f64::max);
    series.push(Series {
        name: "epsilon".into(),
        hue: Hue::Faint,
        mark: Mark::Dashed,
        points: vec![[0.0, options.search.epsilon], [end, options.search.epsilon]],
        label: "epsilon".into(),
        ..Series::default()
    });
    Figure {
        name: "Downscaling error of the surrogate's picture".into(),
        x: Axis::new("Steps", Unit::Number),
        y: Axis::new("Mean squared error", Unit::Number).logarithmic(),
        series,
    }
}
