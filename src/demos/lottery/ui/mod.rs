//! The tab: a bench of runs, and views of what they show.

mod bench;
mod chains;
mod connections;
mod controls;
mod curves;
mod data_panel;
mod draw;
mod early_stop;
mod export;
mod ledger;
mod net;
mod net_figures;
mod rewinding;
mod shots;
mod stages;
mod theory;

use std::path::{Path, PathBuf};

use egui::{Context, RichText, Ui};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::bench::{Bench, run_name};
use self::controls::Typed;
use self::curves::Curves;
use self::data_panel::DataPanel;
use self::draw::DrawView;
use self::early_stop::EarlyStop;
use self::ledger::Ledger;
use self::net::NetView;
use self::rewinding::Rewinding;
use self::shots::Shots;
use self::theory::Theory;
use super::config::LotteryConfig;
use super::job::{LotteryJob, RunOptions};
use super::record::Output;
use super::store::Store;
use super::{recorded, weights_file};
use crate::compute::Lane;
use crate::error::{Error, Result};
use crate::gui::controls::{RunState, capitalised, next_seed, progress_ui, run_bar_ui, views_ui};
use crate::gui::figure::{Figure, PNG, SVG, to_png, to_svg};
use crate::gui::running::{News, Running};
use crate::gui::{Command, Export, Tab, TabCx, theme};

/// Opens the tab on its stored runs.
pub fn open() -> Box<dyn Tab> {
    Box::new(LotteryTab::new())
}

/// What the stage shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum View {
    #[default]
    Curves,
    EarlyStop,
    Ledger,
    Net,
    Theory,
    Rewinding,
    Draw,
}

const VIEWS: [(View, &str, &str); 7] = [
    (
        View::Curves,
        "Curves",
        "Test accuracy while training, for each sparsity",
    ),
    (
        View::EarlyStop,
        "Early stop",
        "When training should stop, tickets beside their twins",
    ),
    (
        View::Ledger,
        "Ledger",
        "What every method has spent for its accuracy",
    ),
    (
        View::Net,
        "Net",
        "Weights, masks and connections through time",
    ),
    (
        View::Theory,
        "Theory",
        "Subset sums, and how wide a random net has to be",
    ),
    (
        View::Rewinding,
        "Rewinding",
        "The error on the line between two siblings",
    ),
    (
        View::Draw,
        "Draw a digit",
        "And see the dense net and its ticket answer",
    ),
];

struct LotteryTab {
    config: LotteryConfig,
    typed: Typed,
    bench: Bench,
    view: View,
    curves: Curves,
    early_stop: EarlyStop,
    ledger: Ledger,
    net: NetView,
    theory: Theory,
    rewinding: Rewinding,
    draw: DrawView,
    shots: Shots,
    data: DataPanel,
    running: Option<Running<Output>>,
    /// Begin as soon as the images are there; hold at the first point.
    wanted: Option<bool>,
    /// The runs on the bench are those that ship with the program, until something changes.
    is_stored: bool,
    /// Where runs are kept, once the window has told.
    root: PathBuf,
    revision: u64,
}

impl LotteryTab {
    fn new() -> Self {
        let records = recorded::stored().unwrap_or_else(|e| {
            tracing::error!("{e}");
            Vec::new()
        });
        let mut bench = Bench::with_records(records);
        // The first stored run is the paper's figure.
        if let Some(id) = bench.entries().first().map(|e| e.id) {
            bench.look_at(id);
        }
        let config = bench.focus().map(|e| e.record.config.clone());
        Self {
            config: config.unwrap_or_default(),
            typed: Typed::default(),
            is_stored: !bench.entries().is_empty(),
            bench,
            view: View::default(),
            curves: Curves::default(),
            early_stop: EarlyStop::default(),
            ledger: Ledger::default(),
            net: NetView::default(),
            theory: Theory::default(),
            rewinding: Rewinding::default(),
            draw: DrawView::default(),
            shots: Shots::default(),
            data: DataPanel::default(),
            running: None,
            wanted: None,
            root: PathBuf::new(),
            revision: 0,
        }
    }

    fn state(&self) -> RunState {
        self.running.as_ref().map_or(RunState::Idle, Running::state)
    }

    /// Begins a run, or first fetches the images and then begins.
    fn begin(&mut self, hold: bool, cx: &mut TabCx<'_>) {
        if !self.data.is_ready(&self.config, cx) {
            self.wanted = Some(hold);
            self.data.fetch(&self.config, cx);
            return;
        }
        let options = RunOptions {
            root: self.root.clone(),
            paths: cx.paths.clone(),
            fresh: false,
            shots: true,
        };
        match LotteryJob::new(self.config.clone(), options) {
            Ok(job) => {
                let name = format!("Lottery: {}", run_name(&self.config));
                let run = cx.worker.submit(Lane::Long, name, job);
                let id = self.bench.begin(&self.config);
                self.shots.begin(id);
                let is_point = |output: &Output| matches!(output, Output::Point(_));
                self.running = Some(Running::new(run, id, hold, is_point));
                self.is_stored = false;
                self.revision += 1;
            }
            Err(e) => cx.toasts.error(capitalised(&e.to_string())),
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
                News::Output(Output::Shot(shot)) => self.shots.add(shot),
                News::Output(output) => {
                    // Points alone are stored with what comes after them.
                    if !matches!(output, Output::Point(_)) {
                        self.revision += 1;
                    }
                    self.bench.hear(id, &output);
                }
                News::Warning(text) => cx.toasts.warning(text),
                News::Ended(failure) => {
                    ended = true;
                    if let Some(e) = failure {
                        cx.toasts.error(capitalised(&e.to_string()));
                    }
                }
            }
        }
        if ended {
            self.running = None;
            self.revision += 1;
            // One that failed before it began leaves nothing to look at.
            if self
                .bench
                .get(id)
                .is_some_and(|e| e.record.layers.is_empty())
            {
                self.bench.remove(id);
            }
        }
    }

    /// The runs, and which view of them.
    fn head_ui(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            self.revision += u64::from(views_ui(ui, &mut self.view, &VIEWS));
        });
        let has_row = self.view != View::Ledger || self.is_stored;
        if self.bench.entries().is_empty() || !has_row {
            return;
        }
        let tokens = theme::tokens(ui);
        let looked_at = self.bench.focus().map_or("none", |e| &e.name).to_owned();
        let mut chosen = None;
        ui.horizontal(|ui| {
            if self.view != View::Ledger {
                let label = ui.label("Of the run");
                egui::ComboBox::from_id_salt("looked at")
                    .selected_text(looked_at)
                    .width(220.0)
                    .show_ui(ui, |ui| {
                        for entry in self.bench.entries() {
                            let is_it = self.bench.focus().map(|e| e.id) == Some(entry.id);
                            if ui.selectable_label(is_it, &entry.name).clicked() {
                                chosen = Some(entry.id);
                            }
                        }
                    })
                    .response
                    .labelled_by(label.id);
            }
            if self.is_stored {
                let text = RichText::new("Stored runs: change a setting and press Run")
                    .color(tokens.faint);
                ui.add(egui::Label::new(text).truncate());
            }
        });
        if let Some(id) = chosen {
            self.bench.look_at(id);
            self.revision += 1;
        }
    }

    fn figures(&self) -> Vec<Figure> {
        match self.view {
            View::Curves | View::Draw => self.curves.figures(&self.bench),
            View::EarlyStop => EarlyStop::figures(&self.bench),
            View::Ledger => self.ledger.figures(&self.bench),
            View::Net => self.net.figures(&self.bench),
            View::Theory => self.theory.figures(&self.bench),
            View::Rewinding => Rewinding::figures(&self.bench),
        }
    }
}

impl Tab for LotteryTab {
    fn logic(&mut self, _ctx: &Context, cx: &mut TabCx<'_>) {
        if self.root.as_os_str().is_empty() {
            self.root = Store::default_root(cx.paths);
        }
        self.poll(cx);
        match self.data.poll(&self.config, cx) {
            Ok(true) => {
                if let Some(hold) = self.wanted.take() {
                    self.begin(hold, cx);
                }
            }
            Ok(false) => {}
            Err(e) => {
                self.wanted = None;
                cx.toasts.error(e.to_string());
            }
        }
        self.draw.logic(&self.bench, self.view == View::Draw, cx);
    }

    fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        ui.add_space(4.0);
        let can_run = self.can(Command::Run);
        run_bar_ui(ui, self.state(), "Run", can_run, cx.commands);
        if let Some(running) = self.running.as_ref().filter(|_| !cx.still) {
            progress_ui(ui, &running.progress());
        }
        self.data.ui(ui, &self.config, cx);
        ui.add_space(6.0);
        ui.separator();
        ui.strong("Questions");
        let idle = self.running.is_none();
        let mut changed = controls::presets_ui(ui, &mut self.config, idle);
        ui.add_space(6.0);
        ui.separator();
        ui.add_enabled_ui(idle, |ui| {
            changed |= controls::config_ui(ui, &mut self.config, &mut self.typed);
        });
        self.revision += u64::from(changed);
        ui.add_space(8.0);
    }

    fn stage_ui(&mut self, ui: &mut Ui, _cx: &mut TabCx<'_>) {
        self.head_ui(ui);
        ui.add_space(2.0);
        let bench = &self.bench;
        let changed = match self.view {
            View::Curves => self.curves.ui(ui, bench),
            View::EarlyStop => {
                self.early_stop.ui(ui, bench);
                false
            }
            View::Ledger => {
                let running = self.running.as_ref().map(Running::id);
                self.ledger.ui(ui, &mut self.bench, running)
            }
            View::Net => self.net.ui(ui, bench, &mut self.shots),
            View::Theory => self.theory.ui(ui, bench),
            View::Rewinding => {
                self.rewinding.ui(ui, bench);
                false
            }
            View::Draw => self.draw.ui(ui, bench),
        };
        self.revision += u64::from(changed);
    }

    fn can(&self, command: Command) -> bool {
        let idle = self.running.is_none();
        let drawing = self.view == View::Draw;
        match command {
            Command::Run => idle && self.wanted.is_none(),
            Command::Step => idle && self.wanted.is_none() || self.state() == RunState::Paused,
            Command::Pause | Command::Stop => !idle,
            Command::NewSeed => idle,
            Command::Undo => drawing && self.draw.can_undo(),
            Command::Redo => drawing && self.draw.can_redo(),
            _ => false,
        }
    }

    fn perform(&mut self, command: Command, cx: &mut TabCx<'_>) {
        match (command, &mut self.running) {
            (Command::Run, _) => self.begin(false, cx),
            (Command::Step, None) => self.begin(true, cx),
            (Command::Step, Some(running)) => running.step(),
            (Command::Stop, Some(running)) => running.cancel(),
            (Command::Pause, Some(running)) => running.toggle_pause(),
            (Command::NewSeed, _) => {
                self.config.seed = next_seed(self.config.seed);
                self.revision += 1;
            }
            (Command::Undo, _) => {
                self.draw.undo();
                self.revision += 1;
            }
            (Command::Redo, _) => {
                self.draw.redo();
                self.revision += 1;
            }
            _ => {}
        }
    }

    fn opens(&self) -> &'static str {
        "runs that were exported as JSON"
    }

    fn open_file(&mut self, path: &Path, cx: &mut TabCx<'_>) -> Result<()> {
        let records = recorded::read(path)?;
        let count = records.len();
        for record in records {
            self.bench.add(record);
        }
        self.is_stored = false;
        self.revision += 1;
        let word = if count == 1 { "run" } else { "runs" };
        cx.toasts.info(format!("{count} {word} put on the bench"));
        Ok(())
    }

    fn copy_text(&self) -> Option<String> {
        let rows = self.ledger.table(&self.bench);
        let table = export::ledger_table(&rows, self.ledger.target(), "\t");
        (!rows.is_empty()).then_some(table)
    }

    fn exports(&self) -> &'static [Export] {
        export::ALL
    }

    fn export(&self, format: Export) -> Result<Vec<u8>> {
        if self.bench.entries().is_empty() {
            return Err(Error::Input("there is no run to export yet".into()));
        }
        Ok(match format {
            export::LEDGER => {
                let rows = self.ledger.table(&self.bench);
                export::ledger_table(&rows, self.ledger.target(), ",").into_bytes()
            }
            export::RECORDS => export::records_json(&self.bench)?,
            SVG => to_svg(&self.figures())?.into_bytes(),
            PNG => to_png(&self.figures())?.encode_png()?,
            export::WEIGHTS => {
                let entry = self.bench.focus();
                let entry = entry.ok_or_else(|| Error::Input("there is no run".into()))?;
                weights_file::last_weights(&self.root, &entry.record)?
            }
            _ => export::curves_csv(&self.bench).into_bytes(),
        })
    }

    fn save(&self) -> Value {
        json!({
            "config": self.config, "bench": self.bench.save(), "view": self.view,
            "curves": self.curves.options, "ledger": self.ledger.options, "net": self.net.options,
            "theory": self.theory.options, "drawing": self.draw.save(), "is_stored": self.is_stored,
        })
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        #[derive(Deserialize)]
        struct State {
            config: LotteryConfig,
            bench: bench::Saved,
            view: View,
            #[serde(default)]
            curves: curves::Options,
            #[serde(default)]
            ledger: ledger::Options,
            #[serde(default)]
            net: net::Options,
            #[serde(default)]
            theory: theory::Options,
            #[serde(default)]
            drawing: draw::Saved,
            #[serde(default)]
            is_stored: bool,
        }
        let state: State =
            serde_json::from_value(state).map_err(|e| Error::Input(e.to_string()))?;
        for record in state.bench.records() {
            recorded::check(record).map_err(Error::Input)?;
        }
        self.running = None;
        self.config = state.config;
        self.bench.restore(state.bench);
        self.view = state.view;
        self.curves.options = state.curves;
        self.ledger.options = state.ledger.limited();
        self.net.options = state.net;
        self.theory.options = state.theory.limited();
        self.draw.restore(state.drawing);
        self.is_stored = state.is_stored;
        self.revision += 1;
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.revision
    }
}
