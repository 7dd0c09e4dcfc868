//! The tab: a notebook into which the model writes, with its probabilities in colour.

mod export;
mod figures;
mod files;
mod in_context;
mod look;
mod model_panel;
mod notebook;
mod sampling;
mod tokens;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::util::undoer::Undoer;
use egui::{Context, Frame, RichText, Ui};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::figures::figures_ui;
use self::files::read_text;
use self::in_context::InContextPage;
use self::look::{Look, StripView};
use self::model_panel::ModelPanel;
use self::notebook::Notebook;
use self::tokens::TokenStrip;
use super::document::Document;
use super::engine::{Candidate, ModelCard};
use super::job::{Complete, CompleteConfig, Output, Summary, escape};
use super::presets::{PRESETS, Preset};
use super::recording::Recording;
use crate::compute::{Ending, Event, Lane, Run};
use crate::error::{Error, Result};
use crate::gui::controls::{
    RunState, capitalised, next_seed, progress_ui, run_bar_ui, steer, views_ui,
};
use crate::gui::figure::{PNG, SVG, to_png, to_svg};
use crate::gui::{Command, Export, Tab, TabCx, theme};

/// Typing must rest this long before the prompt is coloured.
const TYPING_PAUSE: Duration = Duration::from_millis(350);
/// What the stage shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum View {
    #[default]
    Notebook,
    InContext,
}

const VIEWS: [(View, &str, &str); 2] = [
    (
        View::Notebook,
        "Completion",
        "Write, and let the model go on",
    ),
    (
        View::InContext,
        "Learning in context",
        "How often the model is right by the number of examples",
    ),
];

/// Opens the tab on its stored run.
pub fn open() -> Box<dyn Tab> {
    Box::new(GptTab::new())
}

/// What a run is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The user asked for text.
    Complete,
    /// Only the prompt's colours are wanted.
    Score,
}

struct Running {
    run: Run<Output>,
    purpose: Purpose,
    /// Tokens come one by one while the prompt is read anew.
    begun: bool,
}

/// A state to go back to. Two are the same when the text is: colours are not the user's doing, and
/// must neither be undone one by one nor end what can be done again.
#[derive(Clone)]
struct Kept(Arc<Document>);

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.text() == other.0.text() && self.0.generated() == other.0.generated())
    }
}

/// What waits for the model.
#[derive(Clone, Copy)]
enum Wanted {
    Completion(usize),
    Curve,
}

struct GptTab {
    notebook: Notebook,
    config: CompleteConfig,
    stop_text: String,
    look: Look,
    view: View,
    in_context: InContextPage,
    model: ModelPanel,
    card: Option<ModelCard>,
    running: Option<Running>,
    /// Begin as soon as the model is there: a completion of so many tokens, or a curve.
    wanted: Option<Wanted>,
    undoer: Undoer<Kept>,
    typed_at: Option<Instant>,
    summary: Option<Summary>,
    next: Vec<Candidate>,
    strip: TokenStrip,
    /// The name of the model of the stored run that is shown, until something changes.
    recorded_by: Option<String>,
    revision: u64,
}

impl GptTab {
    fn new() -> Self {
        let mut tab = Self {
            notebook: Notebook::new(Document::default()),
            config: CompleteConfig::default(),
            stop_text: String::new(),
            look: Look::default(),
            view: View::default(),
            in_context: InContextPage::default(),
            model: ModelPanel::default(),
            card: None,
            running: None,
            wanted: None,
            undoer: Undoer::default(),
            typed_at: None,
            summary: None,
            next: Vec::new(),
            strip: TokenStrip::default(),
            recorded_by: None,
            revision: 0,
        };
        match Recording::stored() {
            Ok(recording) => {
                tab.notebook.set(recording.document());
                tab.config = CompleteConfig {
                    model: None,
                    ..recording.config.clone()
                };
                tab.recorded_by = Some(recording.model);
            }
            Err(e) => tracing::error!("{e}"),
        }
        tab.show_stops();
        tab
    }

    fn show_stops(&mut self) {
        self.stop_text = self
            .config
            .stop
            .iter()
            .map(|s| escape(s))
            .collect::<Vec<_>>()
            .join("\n");
    }

    fn kept(&self) -> Kept {
        Kept(Arc::clone(self.notebook.document()))
    }

    fn state(&self) -> RunState {
        match &self.running {
            Some(running) if running.purpose == Purpose::Complete => {
                if running.run.is_paused() {
                    RunState::Paused
                } else {
                    RunState::Running
                }
            }
            _ => RunState::Idle,
        }
    }

    fn is_completing(&self) -> bool {
        self.state() != RunState::Idle
    }

    /// Begins to complete the text, or first fetches the model and then begins.
    fn complete(&mut self, max_tokens: usize, cx: &mut TabCx<'_>) {
        if self.model.path(cx).is_none() {
            self.wanted = Some(Wanted::Completion(max_tokens));
            self.model.fetch(cx);
            return;
        }
        self.undoer.add_undo(&self.kept());
        self.submit(Purpose::Complete, max_tokens, cx);
    }

    /// Begins to measure a curve, or first fetches the model and then begins.
    fn measure(&mut self, cx: &mut TabCx<'_>) {
        if let Some(path) = self.model.path(cx) {
            self.in_context.begin(path, cx);
        } else {
            self.wanted = Some(Wanted::Curve);
            self.model.fetch(cx);
        }
    }

    fn submit(&mut self, purpose: Purpose, max_tokens: usize, cx: &mut TabCx<'_>) {
        let Some(path) = self.model.path(cx) else {
            return;
        };
        let config = CompleteConfig {
            prompt: self.notebook.document().text().to_owned(),
            max_tokens,
            model: Some(path),
            ..self.config.clone()
        };
        self.typed_at = None;
        if purpose == Purpose::Complete {
            self.summary = None;
        }
        match Complete::new(config, true) {
            Ok(job) => {
                let name = if purpose == Purpose::Complete {
                    "GPT-3: completing"
                } else {
                    "GPT-3: reading"
                };
                // Replacing the old run cancels it.
                let run = cx.worker.submit(Lane::Interactive("gpt"), name, job);
                self.running = Some(Running {
                    run,
                    purpose,
                    begun: false,
                });
            }
            Err(e) => cx.toasts.error(e.to_string()),
        }
    }

    fn hear(&mut self, output: Output) {
        let Some(running) = &mut self.running else {
            return;
        };
        match output {
            Output::Loaded(card) => self.card = Some(card),
            Output::Prompt { first, positions } => {
                if first == 0 || !running.begun {
                    self.notebook.change(Document::begin_tokens);
                    running.begun = true;
                }
                self.notebook.change(|d| d.add_prompt(&positions));
            }
            Output::Token { position, text } => {
                self.revision += 1;
                self.notebook.change(|d| d.add_generated(&text, position));
            }
            Output::Next(next) => self.next = next,
            Output::Done(summary) => {
                self.summary = Some(summary)
                    .filter(|s| !s.ids.is_empty())
                    .or(self.summary.take());
            }
        }
    }

    fn poll(&mut self, cx: &mut TabCx<'_>) {
        while let Some(event) = self.running.as_mut().and_then(|r| r.run.poll()) {
            match event {
                Event::Output(output) => {
                    let completing = self.is_completing();
                    let reading = matches!(output, Output::Token { .. });
                    if completing && reading && !self.notebook.is_generating() {
                        self.notebook.begin_generating();
                    }
                    self.hear(output);
                }
                Event::Warning(text) => cx.toasts.warning(text),
                Event::Ended(ending) => self.finish(ending, cx),
            }
        }
    }

    fn finish(&mut self, ending: Ending, cx: &mut TabCx<'_>) {
        let purpose = self.running.take().map(|r| r.purpose);
        self.notebook.end_generating();
        self.recorded_by = None;
        self.revision += 1;
        if purpose == Some(Purpose::Complete) {
            self.undoer.add_undo(&self.kept());
        }
        if let Ending::Failed(e) = ending {
            cx.toasts.error(capitalised(&e.to_string()));
        }
    }

    fn take_preset(&mut self, preset: &Preset) {
        self.undoer.add_undo(&self.kept());
        self.notebook.set(Document::new(preset.prompt));
        self.config.stop = preset.stop.iter().map(ToString::to_string).collect();
        self.config.max_tokens = preset.max_tokens;
        self.config.sampling.temperature = preset.temperature;
        self.show_stops();
        self.summary = None;
        self.next.clear();
        self.recorded_by = None;
        self.touched();
    }

    fn touched(&mut self) {
        self.revision += 1;
        self.summary = None;
        self.next.clear();
        // A reading that is under way is one of the old text.
        self.running.take_if(|r| r.purpose == Purpose::Score);
        self.typed_at = Some(Instant::now());
    }

    fn set_document(&mut self, document: Document) {
        self.notebook.set(document);
        self.recorded_by = None;
        self.touched();
    }

    fn views_ui(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            self.revision += u64::from(views_ui(ui, &mut self.view, &VIEWS));
        });
        ui.add_space(2.0);
    }

    fn banner_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        let tokens = theme::tokens(ui);
        let Some(model) = &self.recorded_by else {
            return;
        };
        let have_model = self.model.path(cx).is_some();
        Frame::new()
            .fill(tokens.card)
            .corner_radius(6)
            .inner_margin(10)
            .show(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    ui.label(RichText::new("A stored run").strong());
                    ui.label(
                        RichText::new(format!("of {model}: the examples are yours to change"))
                            .color(tokens.faint),
                    );
                    if !have_model
                        && !self.model.is_fetching()
                        && ui.button("Fetch the model").clicked()
                    {
                        self.model.fetch(cx);
                    }
                });
            });
        ui.add_space(4.0);
    }

    fn strip_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            for (view, name, hover) in [
                (
                    StripView::Alternatives,
                    "Alternatives",
                    "For each token the probabilities of the ten likeliest in its place",
                ),
                (
                    StripView::Surprise,
                    "Surprise",
                    "For each token how unexpected it was, in nats",
                ),
            ] {
                let chosen = self.look.strip == Some(view);
                if ui
                    .selectable_label(chosen, name)
                    .on_hover_text(hover)
                    .clicked()
                {
                    self.look.strip = (!chosen).then_some(view);
                    self.revision += 1;
                }
            }
            ui.separator();
            let document = self.notebook.document();
            figures_ui(ui, document, self.summary.as_ref());
        });
        let document = Arc::clone(self.notebook.document());
        match self.look.strip {
            Some(StripView::Alternatives) => self.strip.alternatives_ui(ui, &document),
            Some(StripView::Surprise) => self.strip.surprise_ui(ui, &document),
            None => {}
        }
    }

    fn step_undo(&mut self, redo: bool) {
        let current = self.kept();
        let found = if redo {
            self.undoer.redo(&current)
        } else {
            self.undoer.undo(&current)
        };
        if let Some(Kept(document)) = found.cloned() {
            self.set_document(Arc::unwrap_or_clone(document));
        }
    }
}

impl Tab for GptTab {
    fn logic(&mut self, ctx: &Context, cx: &mut TabCx<'_>) {
        self.poll(cx);
        self.in_context.logic(cx);
        if let Some(result) = self.model.poll(cx) {
            match result {
                Ok(()) => match self.wanted.take() {
                    Some(Wanted::Completion(most)) => self.complete(most, cx),
                    Some(Wanted::Curve) => self.measure(cx),
                    None => {}
                },
                Err(e) => {
                    self.wanted = None;
                    cx.toasts.error(e.to_string());
                }
            }
        }
        if let Some(typed_at) = self.typed_at {
            if self.is_completing()
                || !self.look.score_typing
                || self.model.path(cx).is_none()
                || self.notebook.document().text().is_empty()
            {
                self.typed_at = None;
            } else {
                match TYPING_PAUSE.checked_sub(typed_at.elapsed()) {
                    Some(rest) if !rest.is_zero() => ctx.request_repaint_after(rest),
                    _ => self.submit(Purpose::Score, 0, cx),
                }
            }
        }
        if !self.is_completing() && !cx.still {
            let kept = self.kept();
            self.undoer.feed_state(ctx.input(|i| i.time), &kept);
            if self.undoer.is_in_flux() {
                // It takes a second without changes until an edit can be undone on its own.
                ctx.request_repaint_after(Duration::from_millis(1100));
            }
        }
    }

    fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        ui.add_space(4.0);
        let can_run = self.can(Command::Run);
        if self.view == View::InContext {
            run_bar_ui(ui, self.in_context.state(), "Run", can_run, cx.commands);
            ui.add_space(6.0);
            ui.separator();
            ui.strong("Model");
            self.model.ui(ui, self.card.as_ref(), cx);
            ui.add_space(6.0);
            ui.separator();
            self.in_context.controls_ui(ui, cx.still);
            return;
        }
        run_bar_ui(ui, self.state(), "Complete", can_run, cx.commands);
        if let Some(running) = &self.running
            && running.purpose == Purpose::Complete
            && !cx.still
        {
            progress_ui(ui, &running.run.progress());
        }
        ui.add_space(6.0);
        ui.separator();
        ui.strong("Model");
        self.model.ui(ui, self.card.as_ref(), cx);
        ui.add_space(6.0);
        ui.separator();
        ui.strong("Prompts");
        ui.horizontal_wrapped(|ui| {
            for preset in PRESETS {
                let button = ui.add_enabled(!self.is_completing(), egui::Button::new(preset.title));
                if button.on_hover_text(preset.about).clicked() {
                    self.take_preset(preset);
                }
            }
        });
        ui.add_space(6.0);
        ui.separator();
        ui.strong("Choice of the next token");
        let changed = sampling::sampling_ui(ui, &mut self.config, &mut self.stop_text);
        self.revision += u64::from(changed);
        ui.add_space(6.0);
        ui.separator();
        ui.strong("Colours");
        let hover = "Blue: the model expected the token; orange: it came as a surprise";
        let mut changed = ui
            .checkbox(&mut self.look.colours, "Probability of each token")
            .on_hover_text(hover)
            .changed();
        changed |= ui
            .checkbox(&mut self.look.score_typing, "Also while typing")
            .changed();
        self.revision += u64::from(changed);
        tokens::legend_ui(ui);
        ui.add_space(8.0);
    }

    fn stage_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        self.views_ui(ui);
        if self.view == View::InContext {
            self.in_context.stage_ui(ui);
            return;
        }
        self.banner_ui(ui, cx);
        let strip = match self.look.strip {
            Some(_) => 168.0,
            None => 34.0,
        };
        let next = if self.next.is_empty() || self.is_completing() {
            0.0
        } else {
            30.0
        };
        let height = (ui.available_height() - strip - next).max(120.0);
        let editable = !self.is_completing();
        if self.notebook.has_focus(ui) {
            // The tab's history also covers what the model wrote.
            let history = |c| matches!(c, Command::Undo | Command::Redo);
            cx.commands.extend(Command::pressed(ui.ctx(), history));
        }
        if self.notebook.ui(ui, height, self.look.colours, editable) {
            self.recorded_by = None;
            self.next.clear();
            self.touched();
        }
        if next > 0.0 {
            tokens::next_ui(ui, &self.next);
        }
        self.strip_ui(ui);
    }

    fn can(&self, command: Command) -> bool {
        if self.view == View::InContext {
            let state = self.in_context.state();
            return match command {
                Command::Run => state == RunState::Idle && !self.model.is_fetching(),
                Command::Pause | Command::Stop => state != RunState::Idle,
                _ => false,
            };
        }
        let document = self.notebook.document();
        let idle = !self.is_completing();
        match command {
            Command::Run | Command::Step => {
                idle && !self.model.is_fetching() && !document.text().is_empty()
            }
            Command::Pause | Command::Stop => !idle,
            Command::NewSeed => true,
            Command::Undo => idle && self.undoer.has_undo(&self.kept()),
            Command::Redo => idle && self.undoer.has_redo(&self.kept()),
            _ => false,
        }
    }

    fn perform(&mut self, command: Command, cx: &mut TabCx<'_>) {
        if self.view == View::InContext {
            match command {
                Command::Run => self.measure(cx),
                _ => steer(self.in_context.run(), command),
            }
            return;
        }
        match command {
            Command::Run => self.complete(self.config.max_tokens, cx),
            Command::Step => self.complete(1, cx),
            Command::Stop => {
                if let Some(running) = &self.running {
                    running.run.cancel();
                }
            }
            Command::Pause => {
                if let Some(running) = &self.running {
                    running.run.set_paused(!running.run.is_paused());
                }
            }
            Command::NewSeed => {
                self.config.seed = next_seed(self.config.seed);
                self.revision += 1;
            }
            Command::Undo => self.step_undo(false),
            Command::Redo => self.step_undo(true),
            _ => {}
        }
    }

    fn opens(&self) -> &'static str {
        "a GGUF model of the Llama family, or a text file as the prompt"
    }

    fn open_file(&mut self, path: &Path, cx: &mut TabCx<'_>) -> Result<()> {
        if model_panel::is_gguf(path)? {
            ModelPanel::choose(path.to_path_buf(), cx)?;
            self.running = None;
            self.notebook.end_generating();
            self.card = None;
            self.touched();
            return Ok(());
        }
        let text = read_text(path)?;
        self.undoer.add_undo(&self.kept());
        self.running = None;
        self.set_document(Document::new(text));
        Ok(())
    }

    fn copy_text(&self) -> Option<String> {
        let document = self.notebook.document();
        let generated = document.last_generated();
        let text = if generated.is_empty() {
            document.text()
        } else {
            generated
        };
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn exports(&self) -> &'static [Export] {
        export::ALL
    }

    fn export(&self, format: Export) -> Result<Vec<u8>> {
        let document = self.notebook.document();
        Ok(match format {
            export::RUN => json!({
                "text": document.text(), "generated": document.last_generated(),
                "model": self.card.as_ref().map(|c| &c.name), "config": self.config,
                "tokens": document.spans(), "summary": self.summary,
            })
            .to_string()
            .into_bytes(),
            export::TOKENS => tokens::csv(document).into_bytes(),
            export::CURVES => self.in_context.csv().into_bytes(),
            SVG => to_svg(&self.in_context.figures())?.into_bytes(),
            PNG => to_png(&self.in_context.figures())?.encode_png()?,
            _ => document.text().as_bytes().to_vec(),
        })
    }

    fn save(&self) -> Value {
        json!({
            "document": self.notebook.document().as_ref(), "config": self.config, "look": self.look,
            "summary": self.summary, "recorded_by": self.recorded_by, "view": self.view,
            "in_context": self.in_context.save(),
        })
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        #[derive(Deserialize)]
        struct State {
            document: Document,
            config: CompleteConfig,
            look: Look,
            summary: Option<Summary>,
            recorded_by: Option<String>,
            #[serde(default)]
            view: View,
            #[serde(default)]
            in_context: in_context::Saved,
        }
        let state: State =
            serde_json::from_value(state).map_err(|e| Error::Input(e.to_string()))?;
        if !state.document.is_consistent() {
            return Err(Error::Input("its tokens do not fit its text".into()));
        }
        state.config.sampling.check().map_err(Error::Input)?;
        self.running = None;
        self.undoer.add_undo(&self.kept());
        self.notebook.set(state.document);
        self.config = state.config;
        self.look = state.look;
        self.summary = state.summary;
        self.recorded_by = state.recorded_by;
        self.view = state.view;
        self.in_context.restore(state.in_context);
        self.next.clear();
        self.show_stops();
        self.revision += 1;
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.revision + self.in_context.revision()
    }
}
