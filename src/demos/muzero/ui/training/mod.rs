//! The page for training: runs on a bench, their curves, a game of self-play.

mod bench;
mod board;
mod controls;
mod curves;
mod export;
mod runs;

use std::path::PathBuf;

use egui::{Context, RichText, Ui, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::bench::{Bench, free_folder, run_name};
use self::board::LiveBoard;
use self::controls::Known;
use self::curves::{Cost, VIEWS, View, figures};
use self::runs::{Asked, Runs, Start};
use super::super::config::TrainConfig;
use super::super::game::GameId;
use super::super::job::{Output, RunOptions, TrainJob};
use super::super::record::RunRecord;
use super::super::samples;
use super::page::{Page, Shared};
use crate::compute::Lane;
use crate::error::{Error, Result};
use crate::gui::controls::{RunState, capitalised, empty_ui, next_seed, progress_ui, run_bar_ui};
use crate::gui::figure::{PNG, Plots, SVG, side_by_side_ui, to_png, to_svg};
use crate::gui::running::{News, Running};
use crate::gui::{Command, Export, TabCx, theme};

/// Runs that are read from the user's folder at most.
const MOST_FOUND: usize = 12;
/// The board beside the curves.
const BOARD_WIDTH: f32 = 190.0;

/// The page.
pub struct Training {
    config: TrainConfig,
    known: Known,
    bench: Bench,
    runs: Runs,
    start: Start,
    view: View,
    cost: Cost,
    plots: Plots<(u64, View, Cost)>,
    board: LiveBoard,
    running: Option<Running<Output>>,
    /// Where runs are kept, once the window has told.
    root: PathBuf,
    revision: u64,
}

/// What a session stores.
#[derive(Serialize, Deserialize)]
struct Saved {
    config: TrainConfig,
    bench: bench::Saved,
    start: Start,
    view: View,
    cost: Cost,
}

/// The stored runs.
fn shipped() -> Vec<RunRecord> {
    match samples::stored() {
        Ok(samples) => samples.runs,
        Err(error) => {
            tracing::error!("{error}");
            Vec::new()
        }
    }
}

impl Training {
    /// The page with the stored runs.
    pub fn new() -> Self {
        Self {
            config: TrainConfig::new(GameId::TicTacToe),
            known: Known::default(),
            bench: Bench::with_stored(shipped()),
            runs: Runs::default(),
            start: Start::default(),
            view: View::default(),
            cost: Cost::default(),
            plots: Plots::default(),
            board: LiveBoard::default(),
            running: None,
            root: PathBuf::new(),
            revision: 0,
        }
    }

    fn state(&self) -> RunState {
        self.running.as_ref().map_or(RunState::Idle, Running::state)
    }

    /// Puts runs of earlier sittings and of the command line on the bench, the newest ones.
    fn find(&mut self, cx: &TabCx<'_>) {
        self.root = cx.paths.data.join("runs").join("muzero");
        let Ok(folders) = std::fs::read_dir(&self.root) else {
            return;
        };
        let mut found: Vec<(std::time::SystemTime, PathBuf)> = folders
            .filter_map(|entry| {
                let folder = entry.ok()?.path();
                let record = folder.join("record.json").metadata().ok()?;
                Some((record.modified().ok()?, folder))
            })
            .filter(|(_, folder)| !self.bench.has(folder))
            .collect();
        found.sort();
        let spare = found.len().saturating_sub(MOST_FOUND);
        let focus = self.bench.focus().map(|entry| entry.id);
        for (_, folder) in found.into_iter().skip(spare) {
            match RunRecord::load(&folder) {
                Ok(Some(record)) => {
                    let name = run_name(&record.config);
                    self.bench.add(&name, Some(folder), Some(record));
                }
                Ok(None) => {}
                Err(error) => tracing::warn!("{error}"),
            }
        }
        if let Some(focus) = focus {
            self.bench.look_at(focus);
        }
    }

    /// Whether the run that is looked at can go on: a run of the person's own, with a checkpoint.
    fn can_go_on(&self) -> bool {
        let entry = self.bench.focus();
        entry.is_some_and(|entry| {
            let idle = self.running.as_ref().map(Running::id) != Some(entry.id);
            idle && entry.folder.is_some() && entry.record.is_some()
        })
    }

    fn begin(&mut self, hold: bool, cx: &mut TabCx<'_>) {
        let focus = self.bench.focus().filter(|_| self.can_go_on());
        let own = focus.and_then(|entry| Some((entry.id, entry.folder.clone()?)));
        let free = || free_folder(&self.root, &self.config.game, &self.bench);
        let (place, folder, from) = match (self.start, own) {
            (Start::GoOn, Some((id, folder))) => (Some(id), folder, None),
            (Start::Branch, Some((_, folder))) => (None, free(), Some(folder)),
            _ => (None, free(), None),
        };
        let options = RunOptions {
            folder: folder.clone(),
            from,
            fresh: false,
        };
        match TrainJob::new(self.config.clone(), options) {
            Ok(job) => {
                let name = format!("MuZero: training {}", self.config.game);
                let run = cx.worker.submit(Lane::Long, name, job);
                let id = place.unwrap_or_else(|| {
                    let name = run_name(&self.config);
                    self.bench.add(&name, Some(folder), None)
                });
                let is_point = |output: &Output| matches!(output, Output::Point(_));
                self.running = Some(Running::new(run, id, hold, is_point));
                // What was stopped goes on when Run is pressed again.
                self.start = Start::GoOn;
                self.revision += 1;
            }
            Err(error) => cx.toasts.error(capitalised(&error.to_string())),
        }
    }

    fn poll(&mut self, cx: &mut TabCx<'_>) {
        let Some(running) = &mut self.running else {
            return;
        };
        let id = running.id();
        let mut ended = false;
        while let Some(news) = running.poll() {
            match news {
                News::Output(output) => {
                    self.revision += u64::from(self.bench.hear(id, output));
                }
                News::Warning(text) => cx.toasts.warning(text),
                News::Ended(failure) => {
                    ended = true;
                    if let Some(error) = failure {
                        cx.toasts.error(capitalised(&error.to_string()));
                    }
                }
            }
        }
        if ended {
            self.running = None;
            self.revision += 1;
            // One that failed before it began leaves nothing to look at.
            if self.bench.get(id).is_some_and(|e| e.record.is_none()) {
                self.bench.remove(id);
                self.start = Start::New;
            }
        }
    }

    fn answer(&mut self, asked: Asked, cx: &mut TabCx<'_>) {
        self.revision += 1;
        match asked {
            Asked::LookAt(id) => {
                self.bench.look_at(id);
                self.take_settings();
            }
            Asked::Hide(id) => {
                if let Some(entry) = self.bench.get_mut(id) {
                    entry.hidden = !entry.hidden;
                }
            }
            Asked::Rename(id, name) => {
                if let Some(entry) = self.bench.get_mut(id) {
                    entry.name = name;
                }
            }
            Asked::Delete(id) => {
                let folder = self.bench.get(id).and_then(|entry| entry.folder.clone());
                // Only what lies where this page keeps its runs.
                let own = folder.filter(|folder| folder.parent() == Some(&*self.root));
                if let Some(folder) = own
                    && let Err(error) = std::fs::remove_dir_all(&folder)
                {
                    let failed = Error::io("cannot delete the run", &folder)(error);
                    cx.toasts.error(capitalised(&failed.to_string()));
                }
                self.bench.remove(id);
                self.start = Start::New;
            }
        }
    }

    /// A run that goes on begins with its own settings.
    fn take_settings(&mut self) {
        if !self.can_go_on() && self.running.is_none() {
            self.start = Start::New;
        }
        let record = self.bench.focus().and_then(|entry| entry.record.as_ref());
        if let Some(record) = record.filter(|_| self.running.is_none()) {
            self.config = record.config.clone();
        }
    }

    fn head_ui(&mut self, ui: &mut Ui) {
        let before = (self.view, self.cost);
        ui.horizontal_wrapped(|ui| {
            for (view, name, about) in VIEWS {
                ui.selectable_value(&mut self.view, view, name)
                    .on_hover_text(about);
            }
            if self.view != View::Unroll {
                ui.separator();
                ui.label("Against");
                for cost in Cost::ALL {
                    ui.selectable_value(&mut self.cost, cost, cost.name());
                }
            }
        });
        self.revision += u64::from(before != (self.view, self.cost));
    }

    fn curves_ui(&mut self, ui: &mut Ui) {
        let Some(entry) = self.bench.focus() else {
            empty_ui(ui, "No run on the bench", "Choose a question and press Run");
            return;
        };
        let name = entry.name.clone();
        let one_run = matches!(self.view, View::Unroll | View::Losses);
        if one_run {
            ui.label(RichText::new(format!("Of {name}")).color(theme::tokens(ui).faint));
        }
        let key = (self.bench.revision(), self.view, self.cost);
        let (bench, view, cost) = (&self.bench, self.view, self.cost);
        let plots = self.plots.get(key, || figures(bench, view, cost));
        if plots.is_empty() {
            let text = match self.view {
                View::Strength => "The first measurement comes after some seconds of training",
                View::Unroll => "The first comparison comes with the first training steps",
                _ => "The first point comes after two seconds",
            };
            empty_ui(ui, "Nothing to draw yet", text);
        } else {
            side_by_side_ui(ui, plots);
        }
    }
}

impl Page for Training {
    fn id(&self) -> &'static str {
        "training"
    }

    fn name(&self) -> &'static str {
        "Train"
    }

    fn about(&self) -> &'static str {
        "Let it learn a game by playing against itself, and compare runs"
    }

    fn logic(&mut self, _: &Context, _: &mut Shared, _front: bool, cx: &mut TabCx<'_>) {
        if self.root.as_os_str().is_empty() {
            self.find(cx);
        }
        self.poll(cx);
    }

    fn controls_ui(&mut self, ui: &mut Ui, shared: &mut Shared, cx: &mut TabCx<'_>) {
        ui.add_space(4.0);
        let can_run = self.can(Command::Run, shared);
        let label = match self.start {
            Start::New => "Run",
            Start::GoOn => "Go on",
            Start::Branch => "Branch",
        };
        run_bar_ui(ui, self.state(), label, can_run, cx.commands);
        if let Some(running) = self.running.as_ref().filter(|_| !cx.still) {
            progress_ui(ui, &running.progress());
        }
        let idle = self.running.is_none();
        let before = self.start;
        ui.add_enabled_ui(idle, |ui| {
            let can_go_on = self.can_go_on();
            runs::start_ui(ui, &mut self.start, can_go_on);
        });
        if before != self.start {
            self.revision += 1;
            if self.start != Start::New {
                self.take_settings();
            }
        }
        ui.separator();
        ui.strong("Runs");
        let running = self.running.as_ref().map(Running::id);
        if let Some(asked) = self.runs.ui(ui, &self.bench, running) {
            self.answer(asked, cx);
        }
        ui.separator();
        ui.add_enabled_ui(idle, |ui| {
            ui.strong("Questions");
            if controls::presets_ui(ui, &mut self.config) {
                self.start = Start::New;
                self.revision += 1;
            }
            ui.separator();
            ui.strong("Settings");
            let fixed = self.start != Start::New;
            let changed = controls::config_ui(ui, &mut self.config, &mut self.known, fixed);
            self.revision += u64::from(changed);
        });
        if !idle {
            let text = "Stop to change settings, then go on or branch";
            ui.label(RichText::new(text).small().color(theme::tokens(ui).faint));
        }
        ui.add_space(8.0);
    }

    fn stage_ui(&mut self, ui: &mut Ui, _: &mut Shared, _: &mut TabCx<'_>) {
        self.head_ui(ui);
        ui.add_space(4.0);
        let live = self.bench.focus().and_then(|entry| {
            let record = entry.record.as_ref()?;
            Some((record.settings.game.clone(), entry.game.clone()?))
        });
        let Some((game, line)) = live.filter(|_| ui.available_width() > 520.0) else {
            self.curves_ui(ui);
            return;
        };
        let room = ui.available_size();
        ui.horizontal_top(|ui| {
            let curves = vec2(room.x - BOARD_WIDTH - 16.0, room.y);
            ui.allocate_ui(curves, |ui| {
                ui.set_min_size(curves);
                ui.vertical(|ui| self.curves_ui(ui));
            });
            self.board.ui(ui, &game, &line, BOARD_WIDTH);
        });
    }

    fn can(&self, command: Command, _: &Shared) -> bool {
        let idle = self.running.is_none();
        match command {
            Command::Run => idle,
            Command::Step => idle || self.state() == RunState::Paused,
            Command::Pause | Command::Stop => !idle,
            Command::NewSeed => idle && self.start == Start::New,
            _ => false,
        }
    }

    fn perform(&mut self, command: Command, _: &mut Shared, cx: &mut TabCx<'_>) {
        match (command, &mut self.running) {
            (Command::Run, None) => self.begin(false, cx),
            (Command::Step, None) => self.begin(true, cx),
            (Command::Step, Some(running)) => running.step(),
            (Command::Stop, Some(running)) => running.cancel(),
            (Command::Pause, Some(running)) => running.toggle_pause(),
            (Command::NewSeed, _) => {
                self.config.seed = next_seed(self.config.seed);
                self.revision += 1;
            }
            _ => {}
        }
    }

    fn copy_text(&self, _: &Shared) -> Option<String> {
        let table = export::measured_csv(&self.bench).replace(',', "\t");
        (self.bench.shown().count() > 0).then_some(table)
    }

    fn exports(&self) -> &'static [Export] {
        export::ALL
    }

    fn export(&self, format: Export, _: &Shared) -> Result<Vec<u8>> {
        if self.bench.shown().count() == 0 {
            return Err(Error::Input("there is no run to export yet".into()));
        }
        let figures = || figures(&self.bench, self.view, self.cost);
        Ok(match format {
            export::MEASURED => export::measured_csv(&self.bench).into_bytes(),
            export::RUNS => export::runs_json(&self.bench)?,
            SVG => to_svg(&figures())?.into_bytes(),
            PNG => to_png(&figures())?.encode_png()?,
            _ => export::curves_csv(&self.bench).into_bytes(),
        })
    }

    fn save(&self) -> Value {
        json!(Saved {
            config: self.config.clone(),
            bench: self.bench.save(),
            start: self.start,
            view: self.view,
            cost: self.cost,
        })
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        let saved: Saved =
            serde_json::from_value(state).map_err(|error| Error::Input(error.to_string()))?;
        self.running = None;
        self.config = saved.config;
        self.bench.restore(saved.bench, &shipped());
        // Runs that are not of the session are found again.
        self.root = PathBuf::new();
        self.start = if self.can_go_on() {
            saved.start
        } else {
            Start::New
        };
        self.view = saved.view;
        self.cost = saved.cost;
        self.revision += 1;
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.revision
    }
}
