//! Opens the window for a test, and finds its way around in it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, ViewportId};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, HarnessBuilder};
use serde_json::Value;
use tempfile::TempDir;
use vitrine::Error;
use vitrine::compute::{DeviceChoice, WorkerOptions};
use vitrine::demos::DEMOS;
use vitrine::gui::{App, AppSetup, Command, DemoTab, LogBuffer, Mode};
use vitrine::store::{Notice, Paths, Settings};

/// The window in its test bench.
pub type Window = Harness<'static, App>;

/// Ctrl as a desktop reports it.
pub const CTRL: Modifiers = Modifiers::CTRL.plus(Modifiers::COMMAND);
pub const CTRL_SHIFT: Modifiers = CTRL.plus(Modifiers::SHIFT);

const MODEL_BYTES: u64 = 98_362_432;
/// Nothing here takes this long, even where several tests share two slow cores.
const PATIENCE: Duration = Duration::from_mins(2);

/// The default model, if this machine has it.
///
/// Without it a test prints that it was skipped and passes, unless `VITRINE_REQUIRE_MODEL=1` says
/// that this machine must have it.
pub fn model_or_skip() -> Option<PathBuf> {
    let path = Paths::discover()
        .expect("a home folder")
        .models_dir()
        .join("SmolLM2-135M-Instruct.Q4_1.gguf");
    if path.metadata().is_ok_and(|m| m.len() == MODEL_BYTES) {
        return Some(path);
    }
    let required = std::env::var("VITRINE_REQUIRE_MODEL").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "VITRINE_REQUIRE_MODEL=1, but the model is not here"
    );
    println!("skipped: the model is not here, vitrine fetch gpt");
    None
}

/// Folders of a user who has never opened Vitrine.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    pub fn paths(&self) -> Paths {
        Paths::under(self.0.path())
    }

    /// A path for a file of the test's own.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file with this content.
    pub fn with_file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.file(name);
        vitrine::store::atomic_write(&path, bytes).expect("it can be written");
        path
    }

    /// Opens the window as a start of the program does.
    pub fn open(&self) -> Window {
        let (settings, notice) = Settings::load(&self.paths().settings_file());
        self.open_with(settings, notice)
    }

    /// Opens the window with a model.
    pub fn open_with_model(&self, model: &Path) -> Window {
        self.open_with(settings_with_model(model), None)
    }

    pub fn open_with(&self, settings: Settings, notice: Option<Notice>) -> Window {
        let setup = self.setup(settings, notice);
        build(bench(), setup, Arc::default())
    }

    pub fn setup(&self, settings: Settings, notice: Option<Notice>) -> AppSetup {
        AppSetup {
            tabs: tabs(),
            worker: WorkerOptions {
                device: DeviceChoice::Cpu,
                threads: Some(2),
            },
            paths: self.paths(),
            settings,
            notice,
            log: LogBuffer::default(),
            started: Instant::now(),
            mode: Mode::Live,
        }
    }
}

pub fn tabs() -> Vec<DemoTab> {
    DEMOS.iter().filter_map(|demo| demo.tab).collect()
}

pub fn settings_with_model(model: &Path) -> Settings {
    let mut settings = Settings::default();
    settings.models.insert("gpt".into(), model.to_path_buf());
    settings
}

pub fn bench() -> HarnessBuilder<App> {
    // Frames come about as fast as on a screen, so that pauses in typing are what they are.
    Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(0.02)
        .with_max_steps(12)
}

/// Opens the window; `failure` receives why it closed by itself.
pub fn build(
    bench: HarnessBuilder<App>,
    setup: AppSetup,
    failure: Arc<Mutex<Option<Error>>>,
) -> Window {
    let mut window =
        bench.build_eframe(move |cc| App::new(cc, setup, failure).expect("the window opens"));
    window.wait("the compute thread", |w| {
        w.state().worker().device().is_some()
    });
    window.run_steps(4);
    window
}

/// What the tests do with a window.
pub trait Drive {
    /// Steps until something is so. The worker is another thread: frames alone do not wait for it.
    fn wait(&mut self, what: &str, done: impl Fn(&Window) -> bool);
    /// Steps for a time by the clock.
    fn rest(&mut self, time: Duration);
    /// Presses keys together and steps.
    fn press(&mut self, modifiers: Modifiers, key: Key);
    /// Clicks a button and steps.
    fn click(&mut self, label: &str);
    /// Carries out a command and steps.
    fn command(&mut self, command: Command);
    /// Puts the keyboard into the notebook.
    fn focus_notebook(&mut self);
    /// Types at the keyboard's place.
    fn type_in(&mut self, text: &str);
    /// Replaces the notebook's text as a person would.
    fn write(&mut self, text: &str);
    /// In an open file dialog, types a path and clicks a button.
    fn choose(&mut self, path: &Path, button: &str);
    /// Exports in a format by its line in the dialog.
    fn export(&mut self, format: &str, path: &Path);
    /// The tab's part of the session.
    fn saved(&self) -> Value;
    /// The notebook's text.
    fn text(&self) -> String;
    /// How many tokens have known probabilities.
    fn spans(&self) -> usize;
    /// Whether a text is on the screen, as a part of a label.
    fn reads(&self, text: &str) -> bool;
    /// Whether a completion or a reading is under way.
    fn is_busy(&self) -> bool;
    /// When the next frame is wanted.
    fn next_frame(&self) -> Duration;
    /// Whether the widget with this role and name has the keyboard.
    fn has_focus(&self, role: Role, label: &str) -> bool;
}

impl Drive for Window {
    #[track_caller]
    fn wait(&mut self, what: &str, done: impl Fn(&Window) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(
                begun.elapsed() < PATIENCE,
                "waited too long for {what}; on the screen: {:?}",
                labels(self)
            );
            std::thread::sleep(Duration::from_millis(5));
            self.step();
        }
        // One more frame shows it.
        self.step();
    }

    fn rest(&mut self, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            std::thread::sleep(Duration::from_millis(20));
            self.step();
        }
    }

    fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.key_press_modifiers(modifiers, key);
        self.run_steps(3);
    }

    #[track_caller]
    fn click(&mut self, label: &str) {
        self.get_by_role_and_label(Role::Button, label).click();
        self.run_steps(3);
    }

    fn command(&mut self, command: Command) {
        self.state_mut().send(command);
        self.run_steps(3);
    }

    #[track_caller]
    fn focus_notebook(&mut self) {
        self.get_by_label("Notebook").focus();
        self.run_steps(2);
    }

    fn type_in(&mut self, text: &str) {
        self.event(Event::Text(text.to_owned()));
        self.run_steps(2);
    }

    #[track_caller]
    fn write(&mut self, text: &str) {
        self.focus_notebook();
        self.press(CTRL, Key::A);
        if text.is_empty() {
            self.press(Modifiers::NONE, Key::Delete);
        } else {
            self.event(Event::Paste(text.to_owned()));
            self.run_steps(2);
        }
        assert_eq!(self.text(), text);
    }

    #[track_caller]
    fn choose(&mut self, path: &Path, button: &str) {
        self.run_steps(2);
        assert!(
            self.has_focus(Role::TextInput, "Path"),
            "the dialog takes the keyboard"
        );
        self.press(CTRL, Key::A);
        self.type_in(&path.display().to_string());
        self.click(button);
    }

    #[track_caller]
    fn export(&mut self, format: &str, path: &Path) {
        self.command(Command::Export);
        self.get_by_label_contains(format).click();
        self.run_steps(2);
        self.choose(path, "Save");
    }

    fn saved(&self) -> Value {
        self.state().session().tabs["gpt"].clone()
    }

    fn text(&self) -> String {
        let saved = self.saved();
        saved["document"]["text"]
            .as_str()
            .expect("a text")
            .to_owned()
    }

    fn spans(&self) -> usize {
        let saved = self.saved();
        saved["document"]["spans"].as_array().expect("a list").len()
    }

    fn reads(&self, text: &str) -> bool {
        labels(self).iter().any(|label| label.contains(text))
    }

    fn is_busy(&self) -> bool {
        !self.state().worker().jobs().is_empty()
    }

    fn next_frame(&self) -> Duration {
        self.output().viewport_output[&ViewportId::ROOT].repaint_delay
    }

    fn has_focus(&self, role: Role, label: &str) -> bool {
        self.query_by_role_and_label(role, label)
            .is_some_and(|node| node.is_focused())
    }
}

/// All that a screen reader would read.
pub fn labels(window: &Window) -> Vec<String> {
    window
        .root()
        .children_recursive()
        .filter_map(|node| {
            let node = node.accesskit_node();
            node.label().or_else(|| node.value())
        })
        .collect()
}
