//! The tab: a search in sight, the program it finds, how that learns, how it came about.

mod controls;
mod editor;
mod export;
mod hall;
mod learning;
mod lineage;
mod listing;
mod looking;
mod population;
mod program;
mod subject;

use std::path::{Path, PathBuf};

use egui::{Context, RichText, Ui};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use self::editor::{EditorPage, Wish};
use self::hall::{HallPage, SavedPin};
use self::learning::LearningPage;
use self::lineage::LineagePage;
use self::looking::{Looking, Sight, Wanted};
use self::population::PopulationPage;
use self::program::{Known, ProgramPage};
use self::subject::Subject;
use super::config::{SearchConfig, TaskKind};
use super::job::{self, Output, RunOptions, SearchJob};
use super::program::Program;
use super::record::Record;
use super::text::{self, parse};
use super::translate::{Language, translate};
use crate::compute::Lane;
use crate::error::{Error, Result};
use crate::gui::controls::{RunState, capitalised, next_seed, progress_ui, run_bar_ui, views_ui};
use crate::gui::figure::{Figure, PNG, SVG, to_png, to_svg};
use crate::gui::running::{News, Running};
use crate::gui::{Command, Export, Tab, TabCx, theme};

/// The search that is shown before there is one of the person's own.
const STORED: &str = include_str!("../../../../assets/samples/automl_zero.json");

/// Opens the tab on its stored search.
pub fn open() -> Box<dyn Tab> {
    Box::new(AutomlTab::new())
}

/// What the stage shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum View {
    #[default]
    Search,
    Program,
    Learning,
    Lineage,
    Hall,
    Editor,
}

const VIEWS: [(View, &str, &str); 6] = [
    (
        View::Search,
        "Search",
        "The living, and fitness over the search",
    ),
    (
        View::Program,
        "Program",
        "What each line means and is worth",
    ),
    (
        View::Learning,
        "Learning",
        "The program learns a task before your eyes",
    ),
    (
        View::Lineage,
        "Lineage",
        "How it was found, mutation by mutation",
    ),
    (
        View::Hall,
        "Hall of fame",
        "The best of each length; pin and compare",
    ),
    (View::Editor, "Edit", "Write a program by hand"),
];

struct AutomlTab {
    config: SearchConfig,
    /// Random search runs beside.
    control: bool,
    record: Record,
    /// Another one for each record that is shown.
    run: u64,
    /// The record is the one that ships with the program.
    is_stored: bool,
    running: Option<Running<Output>>,
    view: View,
    /// The program in sight where it is not the best.
    chosen: Option<Subject>,
    /// The best, with how far the search was when it was taken.
    best: Option<(u64, Subject)>,
    sight: Sight,
    looking: Looking,
    population: PopulationPage,
    program: ProgramPage,
    learning: LearningPage,
    lineage: LineagePage,
    hall: HallPage,
    editor: EditorPage,
    revision: u64,
}

impl AutomlTab {
    fn new() -> Self {
        let record = serde_json::from_str(STORED).unwrap_or_else(|error| {
            tracing::error!("the stored search cannot be read: {error}");
            Record::default()
        });
        let mut tab = Self {
            config: record.config.clone(),
            control: true,
            is_stored: !record.course.is_empty(),
            record,
            run: 0,
            running: None,
            view: View::default(),
            chosen: None,
            best: None,
            sight: Sight {
                task: 0,
                axes: [1, 3],
            },
            looking: Looking::default(),
            population: PopulationPage::default(),
            program: ProgramPage::default(),
            learning: LearningPage::default(),
            lineage: LineagePage::default(),
            hall: HallPage::default(),
            editor: EditorPage::default(),
            revision: 0,
        };
        tab.take_best();
        tab
    }

    fn state(&self) -> RunState {
        self.running.as_ref().map_or(RunState::Idle, Running::state)
    }

    /// The program in sight: the one that was chosen, or the best.
    fn subject(&self) -> Option<&Subject> {
        let best = self.best.as_ref().map(|(_, best)| best);
        self.chosen.as_ref().or(best)
    }

    /// Takes the best of the search into sight.
    fn take_best(&mut self) {
        let Some(node) = self.record.lineage().last() else {
            self.best = None;
            return;
        };
        let at = self
            .record
            .last
            .as_ref()
            .map_or(0, |last| last.counts.individuals);
        let is_same = |(_, best): &(u64, Subject)| *best.program() == node.program;
        if self.best.as_ref().is_none_or(|best| !is_same(best)) {
            self.best = Some((at, Subject::new("The best so far", node.program.clone())));
        }
    }

    /// Whether the search in sight was stopped and can go on.
    fn can_go_on(&self, cx: &TabCx<'_>) -> bool {
        self.record.ended.is_none()
            && self.record.last.is_some()
            && self.record.config == self.config
            && job::is_kept(&folder(&cx.paths.data, &self.config))
    }

    fn begin(&mut self, hold: bool, cx: &mut TabCx<'_>) {
        let fresh = !self.can_go_on(cx);
        let options = RunOptions {
            folder: Some(folder(&cx.paths.data, &self.config)),
            fresh,
            control: self.control,
        };
        match SearchJob::new(self.config.clone(), options, cx.paths.clone()) {
            Ok(job) => {
                let name = format!("AutoML-Zero: {}", controls::task_name(self.config.task));
                let run = cx.worker.submit(Lane::Long, name, job);
                if fresh {
                    self.show_record(Record::new(self.config.clone()), false);
                }
                let is_point = |output: &Output| matches!(output, Output::Snapshot(_));
                self.running = Some(Running::new(run, self.run, hold, is_point));
                self.revision += 1;
            }
            Err(error) => cx.toasts.error(capitalised(&error.to_string())),
        }
    }

    fn show_record(&mut self, record: Record, is_stored: bool) {
        self.record = record;
        self.is_stored = is_stored;
        self.run += 1;
        self.chosen = None;
        self.best = None;
        self.take_best();
    }

    fn poll(&mut self, cx: &mut TabCx<'_>) {
        let Some(running) = &mut self.running else {
            return;
        };
        let (mut ended, mut heard) = (false, false);
        while let Some(news) = running.poll() {
            match news {
                News::Output(output) => {
                    heard = true;
                    // Snapshots alone are stored with what comes after them.
                    self.revision += u64::from(!matches!(output, Output::Snapshot(_)));
                    self.record.hear(output);
                }
                News::Warning(text) => cx.toasts.warning(capitalised(&text)),
                News::Ended(failure) => {
                    ended = true;
                    if let Some(error) = failure {
                        cx.toasts.error(capitalised(&error.to_string()));
                    }
                }
            }
        }
        if heard {
            self.take_best();
        }
        if ended {
            self.running = None;
            self.revision += 1;
        }
    }

    fn look_at(&mut self, subject: Subject) {
        self.chosen = Some(subject);
        self.view = View::Program;
        self.revision += 1;
    }

    fn head_ui(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            self.revision += u64::from(views_ui(ui, &mut self.view, &VIEWS));
            if self.is_stored && self.view == View::Search {
                let faint = theme::tokens(ui).faint;
                let text = "Stored search: change a setting and press Run";
                ui.add(egui::Label::new(RichText::new(text).color(faint)).truncate());
            }
        });
    }

    /// The name of the program in sight, and what can be done with it.
    fn subject_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        let Some(subject) = self.subject().cloned() else {
            return;
        };
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(subject.title()).strong());
            if self.chosen.is_some() && self.best.is_some() {
                let back = ui.button("Back to the best");
                if back
                    .on_hover_text("Follow the best of the search")
                    .clicked()
                {
                    self.chosen = None;
                    self.revision += 1;
                }
            }
            ui.menu_button("Copy as", |ui| {
                for language in Language::ALL {
                    if ui.button(language.title()).clicked() {
                        ui.ctx().copy_text(translate(subject.program(), language));
                        cx.toasts.info(format!("Copied as {}", language.title()));
                        ui.close();
                    }
                }
            });
            if ui
                .button("Pin")
                .on_hover_text("Keep it for comparison")
                .clicked()
            {
                let pinned = self.hall.pin(&subject);
                self.revision += 1;
                cx.toasts.info(if pinned {
                    "Pinned"
                } else {
                    "It is pinned already, or there is no room"
                });
            }
            if ui.button("Edit").clicked() {
                self.editor.set(subject.text());
                self.view = View::Editor;
                self.revision += 1;
            }
            if self.looking.is_busy() && !cx.still {
                ui.spinner();
            }
        });
    }

    fn editor_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        if self.editor.text().is_empty()
            && let Some(text) = self.subject().map(|subject| subject.text().to_owned())
        {
            self.editor.set(text);
        }
        let (wish, changed) = self.editor.ui(ui, self.running.is_none());
        self.revision += u64::from(changed);
        match wish {
            Some(Wish::LookAt(subject)) => self.look_at(subject),
            Some(Wish::BeginWith(text)) => {
                self.config.start_text = Some(text);
                self.view = View::Search;
                self.begin(false, cx);
            }
            None => {}
        }
    }

    fn figures(&self) -> Vec<Figure> {
        match self.view {
            View::Lineage => lineage::figures(self.record.lineage()),
            View::Hall => vec![hall::figure(self.famed())],
            _ => population::figures(&self.record, self.population.options),
        }
    }

    fn famed(&self) -> &[super::hall::Famed] {
        self.record.last.as_ref().map_or(&[], |last| &last.hall)
    }
}

/// Where a search of these settings is kept.
fn folder(data: &Path, config: &SearchConfig) -> PathBuf {
    let hash = Sha256::digest(json!(config).to_string());
    let head = hash
        .iter()
        .take(8)
        .fold(0, |head, byte| head << 8 | u64::from(*byte));
    let name = format!("{head:016x}");
    data.join("runs").join("automl").join(name)
}

impl Tab for AutomlTab {
    fn logic(&mut self, _ctx: &Context, cx: &mut TabCx<'_>) {
        self.poll(cx);
        let wanted = Wanted {
            judged: self.view == View::Program,
            seen: matches!(self.view, View::Program | View::Learning),
        };
        let best = self.best.as_ref().map(|(_, best)| best);
        if let Some(subject) = self.chosen.as_ref().or(best) {
            let config = &self.record.config;
            self.looking
                .logic(subject.program(), config, self.sight, wanted, cx);
        }
    }

    fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        ui.add_space(4.0);
        let can_run = self.can(Command::Run);
        let label = if self.can_go_on(cx) { "Go on" } else { "Run" };
        run_bar_ui(ui, self.state(), label, can_run, cx.commands);
        if let Some(running) = self.running.as_ref().filter(|_| !cx.still) {
            progress_ui(ui, &running.progress());
            let faint = theme::tokens(ui).faint;
            let text = "No estimate: nobody knows when evolution finds it";
            ui.label(RichText::new(text).small().color(faint));
        }
        ui.add_space(6.0);
        ui.separator();
        ui.strong("Searches");
        let idle = self.running.is_none();
        let mut changed = controls::presets_ui(ui, &mut self.config, idle);
        ui.add_space(6.0);
        ui.separator();
        ui.add_enabled_ui(idle, |ui| {
            changed |= controls::config_ui(ui, &mut self.config, &mut self.control);
        });
        self.revision += u64::from(changed);
        ui.add_space(8.0);
    }

    fn stage_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        self.head_ui(ui);
        if matches!(self.view, View::Program | View::Learning) {
            self.subject_ui(ui, cx);
        }
        ui.add_space(2.0);
        let run = self.run;
        let mut wanted = None;
        let changed = match self.view {
            View::Search => self.population.ui(ui, &self.record, run),
            View::Program => {
                let best = self.best.as_ref().map(|(_, best)| best);
                match self.chosen.as_ref().or(best) {
                    Some(subject) => self.program.ui(
                        ui,
                        &Known {
                            subject,
                            judged: self.looking.judged(subject.program()),
                            seen: self.looking.seen(),
                            revision: self.looking.revision(),
                        },
                    ),
                    None => nothing_ui(ui),
                }
            }
            View::Learning if self.subject().is_none() => nothing_ui(ui),
            View::Learning => {
                let (seen, revision) = (self.looking.seen(), self.looking.revision());
                self.learning.ui(ui, seen, &mut self.sight, revision)
            }
            View::Lineage => {
                wanted = self.lineage.ui(ui, self.record.lineage(), run);
                false
            }
            View::Hall => {
                let famed = self.record.last.as_ref().map_or(&[][..], |last| &last.hall);
                let (subject, changed) = self.hall.ui(ui, famed, run);
                wanted = subject;
                changed
            }
            View::Editor => {
                self.editor_ui(ui, cx);
                false
            }
        };
        self.revision += u64::from(changed);
        if let Some(subject) = wanted {
            self.look_at(subject);
        }
    }

    fn can(&self, command: Command) -> bool {
        let idle = self.running.is_none();
        match command {
            Command::Run => {
                idle && (self.config.task != TaskKind::Csv || self.config.csv.is_some())
            }
            Command::Step => self.can(Command::Run) || self.state() == RunState::Paused,
            Command::Pause | Command::Stop => !idle,
            Command::NewSeed => idle,
            _ => false,
        }
    }

    fn perform(&mut self, command: Command, cx: &mut TabCx<'_>) {
        match (command, &mut self.running) {
            (Command::Run, None) => self.begin(false, cx),
            (Command::Step, None) => self.begin(true, cx),
            (Command::Step, Some(running)) => running.step(),
            (Command::Stop, Some(running)) => running.cancel(),
            (Command::Pause, Some(running)) => running.toggle_pause(),
            (Command::NewSeed, None) => {
                self.config.seed = next_seed(self.config.seed);
                self.revision += 1;
            }
            _ => {}
        }
    }

    fn opens(&self) -> &'static str {
        "a search that was exported as JSON, a program as text, or a CSV file to learn"
    }

    fn open_file(&mut self, path: &Path, cx: &mut TabCx<'_>) -> Result<()> {
        let extension = path.extension().and_then(|end| end.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("csv" | "tsv") => {
                super::table::Table::read(path, None)?;
                self.config = SearchConfig {
                    task: TaskKind::Csv,
                    csv: Some(path.to_owned()),
                    seed: self.config.seed,
                    ..SearchConfig::default()
                };
                cx.toasts
                    .info("Press Run to search for what learns its last column");
            }
            Some("json") => {
                if self.running.is_some() {
                    return Err(Error::Input("stop the search that runs first".to_owned()));
                }
                let record = Record::read(path)?;
                self.config = record.config.clone();
                self.show_record(record, false);
                self.view = View::Search;
            }
            _ => {
                let program: Program = text::read(path)?;
                let name = path
                    .file_stem()
                    .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
                self.look_at(Subject::new(name, program));
            }
        }
        self.revision += 1;
        Ok(())
    }

    fn copy_text(&self) -> Option<String> {
        self.subject().map(|subject| subject.text().to_owned())
    }

    fn can_copy(&self) -> bool {
        self.subject().is_some()
    }

    fn exports(&self) -> &'static [Export] {
        export::ALL
    }

    fn export(&self, format: Export) -> Result<Vec<u8>> {
        let program = || {
            self.subject()
                .map(Subject::program)
                .ok_or_else(|| Error::Input("there is no program to export yet".to_owned()))
        };
        if self.record.course.is_empty()
            && !matches!(format, export::TEXT | export::PYTHON | export::RUST)
        {
            return Err(Error::Input("there is no search to export yet".to_owned()));
        }
        Ok(match format {
            export::RECORD => self.record.to_json()?,
            export::TEXT => text::print(program()?).into_bytes(),
            export::PYTHON => translate(program()?, Language::Python).into_bytes(),
            export::RUST => translate(program()?, Language::Rust).into_bytes(),
            export::HALL => export::hall_csv(self.famed()).into_bytes(),
            SVG => to_svg(&self.figures())?.into_bytes(),
            PNG => to_png(&self.figures())?.encode_png()?,
            _ => export::course_csv(&self.record).into_bytes(),
        })
    }

    fn save(&self) -> Value {
        let chosen = self.chosen.as_ref();
        json!({
            "config": self.config, "control": self.control, "view": self.view,
            // What ships need not be stored once more.
            "record": (!self.is_stored).then_some(&self.record),
            "chosen": chosen.map(|subject| [subject.title(), subject.text()]),
            "sight": self.sight, "population": self.population.options,
            "program": self.program.options, "pins": self.hall.save(),
            "edited": self.editor.text(),
        })
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        #[derive(Deserialize)]
        struct State {
            config: SearchConfig,
            control: bool,
            view: View,
            record: Option<Record>,
            chosen: Option<[String; 2]>,
            #[serde(default)]
            sight: Sight,
            #[serde(default)]
            population: population::Options,
            #[serde(default)]
            program: program::Options,
            #[serde(default)]
            pins: Vec<SavedPin>,
            #[serde(default)]
            edited: String,
        }
        let state: State =
            serde_json::from_value(state).map_err(|error| Error::Input(error.to_string()))?;
        let hall = HallPage::restored(&state.pins)?;
        let chosen = match &state.chosen {
            Some([title, text]) => Some(Subject::new(title, parse(text).map_err(Error::from)?)),
            None => None,
        };
        self.running = None;
        self.config = state.config;
        self.control = state.control;
        self.view = state.view;
        if let Some(record) = state.record {
            self.show_record(record, false);
        }
        self.chosen = chosen;
        self.sight = state.sight;
        self.population.options = state.population;
        self.program.options = state.program;
        self.hall = hall;
        self.editor.set(state.edited);
        self.revision += 1;
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.revision
    }
}

fn nothing_ui(ui: &mut Ui) -> bool {
    crate::gui::controls::empty_ui(
        ui,
        "No program yet",
        "Press Run, or write one on the page Edit.",
    );
    false
}
