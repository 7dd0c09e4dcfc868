//! The window's content: tabs, their three places, and what carries commands out.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use eframe::CreationContext;
use egui::{CentralPanel, Context, Panel, RichText, ScrollArea, Ui, ViewportCommand};
use serde_json::Value;

use super::command::Command;
use super::controls::capitalised;
use super::dialog::{Chosen, FileDialog, Outcome, Purpose};
use super::frames::Frames;
use super::help::HelpCard;
use super::log::LogBuffer;
use super::palette::Palette;
use super::status_bar::StatusBar;
use super::tab::{DemoTab, LOADED, Tab, TabCx};
use super::toasts::{Severity, Toasts};
use super::{settings, theme};
use crate::compute::{Wake, Worker, WorkerOptions};
use crate::data::Image;
use crate::error::{Error, Result};
use crate::store::{Autosave, Notice, Paths, Session, Settings, atomic_write};
use crate::view::Views;

/// Whether the window lives or stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A person uses it.
    Live,
    /// It is drawn once for a picture: nothing is stored and nothing moves.
    Still,
}

/// What the window is made from.
pub struct AppSetup {
    /// The tabs, in order.
    pub tabs: Vec<DemoTab>,
    /// The background thread.
    pub worker: WorkerOptions,
    /// The user's folders.
    pub paths: Paths,
    /// The settings, as they were read.
    pub settings: Settings,
    /// What the user should know of how they were read.
    pub notice: Option<Notice>,
    /// The program's messages.
    pub log: LogBuffer,
    /// When the program began.
    pub started: Instant,
    /// Whether it lives.
    pub mode: Mode,
}

struct Slot {
    info: DemoTab,
    tab: Box<dyn Tab>,
}

/// The window's content.
pub struct App {
    slots: Vec<Slot>,
    active: usize,
    worker: Worker,
    wake: Wake,
    paths: Paths,
    settings: Settings,
    stored_settings: Settings,
    toasts: Toasts,
    log: LogBuffer,
    log_filter: String,
    palette: Palette,
    help: HelpCard,
    status: StatusBar,
    frames: Frames,
    dialog: Option<FileDialog>,
    /// What had the keyboard before the palette or a dialog took it.
    focus_behind: Option<egui::Id>,
    settings_open: bool,
    /// The window has no room for the help card beside the stage.
    narrow: bool,
    /// The card lies over the stage instead.
    help_over: bool,
    commands: Vec<Command>,
    autosave: Option<Autosave>,
    stored_revision: u64,
    changed_since: Option<Instant>,
    lost: Arc<Lost>,
    failure: Arc<Mutex<Option<Error>>>,
    mode: Mode,
}

/// What the graphics driver's callback leaves behind.
#[derive(Default)]
struct Lost {
    happened: AtomicBool,
    reason: Mutex<String>,
}

/// The help card's width, and what the stage keeps beside it.
const HELP_WIDTH: f32 = 310.0;
const MIN_STAGE_WIDTH: f32 = 380.0;
/// Changes are stored this long after the first of them.
const AUTOSAVE_AFTER: Duration = Duration::from_secs(3);

impl App {
    /// Makes the window's content. `failure` receives why it closed by itself.
    ///
    /// # Errors
    /// When the compute thread cannot be started.
    pub fn new(
        cc: &CreationContext<'_>,
        setup: AppSetup,
        failure: Arc<Mutex<Option<Error>>>,
    ) -> Result<Self> {
        let ctx = cc.egui_ctx.clone();
        theme::install(&ctx);
        let lost = Arc::new(Lost::default());
        if let Some(render_state) = &cc.wgpu_render_state {
            let info = render_state.adapter.get_info();
            tracing::info!(
                "graphics: {} ({:?}, {:?})",
                info.name,
                info.backend,
                info.device_type
            );
            watch_device(render_state, &lost, &ctx);
            if let Err(e) = Views::install(render_state, &ctx) {
                tracing::error!("pictures cannot be drawn: {e}");
            }
        }
        let wake: Wake = {
            let ctx = ctx.clone();
            Arc::new(move || ctx.request_repaint())
        };
        let worker = Worker::spawn(setup.worker, Arc::clone(&wake))?;
        let live = setup.mode == Mode::Live;
        if live {
            theme::apply_choice(&ctx, setup.settings.theme);
            ctx.set_zoom_factor(setup.settings.zoom);
        }
        let slots: Vec<Slot> = setup
            .tabs
            .into_iter()
            .map(|info| Slot {
                info,
                tab: (info.open)(),
            })
            .collect();
        let active = slots
            .iter()
            .position(|s| s.info.id == setup.settings.last_tab)
            .unwrap_or(0);
        let mut app = Self {
            slots,
            active,
            worker,
            wake,
            paths: setup.paths,
            stored_settings: setup.settings.clone(),
            settings: setup.settings,
            toasts: Toasts::default(),
            log: setup.log,
            log_filter: String::new(),
            palette: Palette::default(),
            help: HelpCard::default(),
            status: StatusBar::default(),
            frames: Frames::new(setup.started),
            dialog: None,
            focus_behind: None,
            settings_open: false,
            narrow: false,
            help_over: false,
            commands: Vec::new(),
            autosave: None,
            stored_revision: 0,
            changed_since: None,
            lost,
            failure,
            mode: setup.mode,
        };
        app.tell(setup.notice);
        if live {
            let (autosave, session, notice) = Autosave::claim(&app.paths);
            app.autosave = Some(autosave);
            if let Some(session) = session {
                app.take_up(session);
            }
            app.tell(notice);
        }
        app.stored_revision = app.revision();
        Ok(app)
    }

    /// The short messages on display.
    #[must_use]
    pub fn toasts(&self) -> &Toasts {
        &self.toasts
    }

    /// The background thread.
    #[must_use]
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// Carries a command out after this frame.
    pub fn send(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// All tabs' state, as a session stores it.
    #[must_use]
    pub fn session(&self) -> Session {
        let tabs = self
            .slots
            .iter()
            .map(|s| (s.info.id.to_owned(), s.tab.save()))
            .collect();
        Session {
            active: self.active_id().to_owned(),
            tabs,
        }
    }

    fn active_id(&self) -> &'static str {
        self.slots.get(self.active).map_or("", |s| s.info.id)
    }

    fn tell(&mut self, notice: Option<Notice>) {
        if let Some(notice) = notice {
            self.toasts
                .add(Severity::Warning, notice.text, notice.details);
        }
    }

    fn revision(&self) -> u64 {
        self.slots.iter().fold(self.active as u64, |sum, s| {
            sum.wrapping_mul(31).wrapping_add(s.tab.revision())
        })
    }

    fn take_up(&mut self, mut session: Session) {
        for slot in &mut self.slots {
            let state = session.tabs.remove(slot.info.id).unwrap_or(Value::Null);
            if !state.is_null()
                && let Err(e) = slot.tab.restore(state)
            {
                self.toasts.warning(format!(
                    "The session's part for {} could not be read: {e}",
                    slot.info.title
                ));
            }
        }
        if let Some(at) = self.slots.iter().position(|s| s.info.id == session.active) {
            self.active = at;
        }
    }

    /// Calls a closure with the tab in front and what it may use.
    fn with_tab<R>(
        &mut self,
        at: usize,
        call: impl FnOnce(&mut dyn Tab, &mut TabCx<'_>) -> R,
    ) -> Option<R> {
        let slot = self.slots.get_mut(at)?;
        let mut cx = TabCx {
            worker: &self.worker,
            paths: &self.paths,
            settings: &mut self.settings,
            toasts: &mut self.toasts,
            commands: &mut self.commands,
            wake: Arc::clone(&self.wake),
            still: self.mode == Mode::Still,
        };
        Some(call(slot.tab.as_mut(), &mut cx))
    }

    fn is_available(&self, command: Command) -> bool {
        let tab = self.slots.get(self.active).map(|s| s.tab.as_ref());
        match command {
            command if command.is_for_tab() => tab.is_some_and(|t| t.can(command)),
            Command::CopyResult => tab.is_some_and(Tab::can_copy),
            Command::Export => tab.is_some_and(|t| !t.exports().is_empty()),
            Command::Tab(number) => usize::from(number) < self.slots.len(),
            Command::NextTab | Command::PreviousTab => self.slots.len() > 1,
            Command::ReopenLastSession => self.paths.last_session_file().is_file(),
            _ => true,
        }
    }

    fn perform(&mut self, command: Command, ctx: &Context) {
        match command {
            command if command.is_for_tab() => {
                self.with_tab(self.active, |tab, cx| {
                    if tab.can(command) {
                        tab.perform(command, cx);
                    }
                });
            }
            Command::CopyResult => {
                if let Some(text) = self.slots.get(self.active).and_then(|s| s.tab.copy_text()) {
                    ctx.copy_text(text);
                    self.toasts.info("Copied");
                }
            }
            Command::OpenFile | Command::Export | Command::SaveSession | Command::OpenSession => {
                self.remember_focus(ctx);
                self.open_dialog(command);
            }
            Command::ReopenLastSession => self.open_session(&self.paths.last_session_file()),
            Command::Palette => {
                self.remember_focus(ctx);
                self.palette.open();
            }
            Command::Help if self.narrow => self.help_over = !self.help_over,
            Command::Help => self.settings.show_help = !self.settings.show_help,
            Command::Log => self.settings.show_log = !self.settings.show_log,
            Command::Settings => self.settings_open = !self.settings_open,
            Command::NextTab => self.active = (self.active + 1) % self.slots.len().max(1),
            Command::PreviousTab => {
                self.active = self
                    .active
                    .checked_sub(1)
                    .unwrap_or(self.slots.len().saturating_sub(1));
            }
            Command::Tab(number) => {
                self.active = usize::from(number).min(self.slots.len().saturating_sub(1));
            }
            Command::ZoomIn => self.zoom(ctx, self.settings.zoom + 0.1),
            Command::ZoomOut => self.zoom(ctx, self.settings.zoom - 0.1),
            Command::ZoomReset => self.zoom(ctx, 1.0),
            Command::FullScreen => {
                let full = ctx.input(|i| i.viewport().fullscreen.unwrap_or(false));
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(!full));
            }
            Command::DarkTheme => self.choose_theme(ctx, crate::store::Theme::Dark),
            Command::LightTheme => self.choose_theme(ctx, crate::store::Theme::Light),
            Command::SystemTheme => self.choose_theme(ctx, crate::store::Theme::System),
            Command::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
            _ => {}
        }
    }

    fn zoom(&mut self, ctx: &Context, zoom: f32) {
        self.settings.zoom = (zoom.clamp(0.5, 3.0) * 10.0).round() / 10.0;
        ctx.set_zoom_factor(self.settings.zoom);
    }

    fn choose_theme(&mut self, ctx: &Context, choice: crate::store::Theme) {
        self.settings.theme = choice;
        theme::apply_choice(ctx, choice);
    }

    fn open_dialog(&mut self, command: Command) {
        let Some(slot) = self.slots.get(self.active) else {
            return;
        };
        let sessions = self.paths.sessions_dir();
        let (purpose, about, path): (_, String, PathBuf) = match command {
            Command::OpenFile => (
                Purpose::OpenFile,
                format!("This tab opens {}", slot.tab.opens()),
                PathBuf::new(),
            ),
            Command::SaveSession => (
                Purpose::SaveSession,
                "The state of every tab: settings, seeds and results".into(),
                sessions.join(format!("{}.json", slot.info.id)),
            ),
            Command::OpenSession => (
                Purpose::OpenSession,
                "Replaces the state of every tab".into(),
                sessions.join("session.json"),
            ),
            _ => {
                let formats = slot.tab.exports();
                let extension = formats.first().map_or("txt", |f| f.extension);
                let about = "The result with the settings that made it".to_owned();
                (
                    Purpose::Export(formats),
                    about,
                    self.paths
                        .data
                        .join(format!("{}.{extension}", slot.info.id)),
                )
            }
        };
        self.dialog = Some(FileDialog::new(purpose, about, &path));
    }

    /// Whether the palette or a dialog lies in front.
    fn is_covered(&self) -> bool {
        self.dialog.is_some() || self.palette.is_open() || self.settings_open || self.help_over
    }

    fn remember_focus(&mut self, ctx: &Context) {
        if self.focus_behind.is_none() {
            self.focus_behind = ctx.memory(egui::Memory::focused);
        }
    }

    fn dialog_ui(&mut self, ctx: &Context) {
        let Some(dialog) = &mut self.dialog else {
            return;
        };
        match dialog.ui(ctx) {
            Outcome::Open => {}
            Outcome::Cancelled => self.dialog = None,
            Outcome::Chosen(chosen) => {
                self.dialog = None;
                self.use_file(&chosen);
            }
        }
    }

    fn use_file(&mut self, chosen: &Chosen) {
        let path = &chosen.path;
        match chosen.purpose {
            Purpose::OpenFile => self.open_file(path),
            Purpose::OpenSession => self.open_session(path),
            Purpose::SaveSession => {
                let saved = self.session().save(path);
                self.report(saved.map(|()| format!("Session saved: {}", path.display())));
            }
            Purpose::Export(_) => {
                let Some(format) = chosen.format else { return };
                let written = match self.slots.get(self.active) {
                    Some(slot) => slot
                        .tab
                        .export(format)
                        .and_then(|bytes| atomic_write(path, &bytes)),
                    None => return,
                };
                self.report(written.map(|()| format!("Exported: {}", path.display())));
            }
        }
    }

    fn report(&mut self, result: Result<String>) {
        match result {
            Ok(text) => self.toasts.info(text),
            Err(e) => self.toasts.error(capitalised(&e.to_string())),
        }
    }

    /// Gives the tab in front a file, or opens it where it is a session.
    fn open_file(&mut self, path: &Path) {
        // Looked at before opening: a pipe would wait for ever, a device would never end.
        if path.metadata().is_ok_and(|meta| !meta.is_file()) {
            let e = Error::bad_file(path, "this is not a file");
            return self.toasts.error(capitalised(&e.to_string()));
        }
        if is_session(path) {
            return self.open_session(path);
        }
        if let Some(Err(e)) = self.with_tab(self.active, |tab, cx| tab.open_file(path, cx)) {
            self.toasts.error(capitalised(&e.to_string()));
        }
    }

    fn paste(&mut self, picture: &egui::ColorImage) {
        let [width, height] = picture.size.map(|side| u32::try_from(side).unwrap_or(0));
        let rgba = picture
            .pixels
            .iter()
            .flat_map(egui::Color32::to_srgba_unmultiplied);
        let taken = Image::new(width, height, rgba.collect()).map(|image| {
            self.with_tab(self.active, |tab, cx| tab.paste_picture(image, cx))
                .flatten()
        });
        match taken {
            Ok(Some(Ok(()))) => {}
            Ok(None) => self.toasts.warning("This tab has no use for a picture"),
            Err(e) | Ok(Some(Err(e))) => self.toasts.error(capitalised(&e.to_string())),
        }
    }

    fn open_session(&mut self, path: &Path) {
        match Session::open(path) {
            Ok(session) => {
                self.take_up(session);
                self.toasts
                    .info(format!("Session opened: {}", path.display()));
            }
            Err(e) => self.toasts.error(capitalised(&e.to_string())),
        }
    }

    /// Stores changes some seconds after the first of them.
    fn autosave(&mut self, ctx: &Context) {
        if self.settings != self.stored_settings
            && !ctx.input(|i| i.pointer.any_down())
            && self.mode == Mode::Live
        {
            if let Err(e) = self.settings.save(&self.paths.settings_file()) {
                self.toasts.error(capitalised(&e.to_string()));
            }
            self.stored_settings = self.settings.clone();
        }
        let revision = self.revision();
        if revision == self.stored_revision {
            self.changed_since = None;
            return;
        }
        let since = *self.changed_since.get_or_insert_with(Instant::now);
        match AUTOSAVE_AFTER.checked_sub(since.elapsed()) {
            Some(rest) if !rest.is_zero() => ctx.request_repaint_after(rest),
            _ => drop(self.store_session()),
        }
    }

    /// Stores the session for the next start. True when it is on the disk.
    fn store_session(&mut self) -> bool {
        let session = self.session();
        self.stored_revision = self.revision();
        self.changed_since = None;
        let Some(autosave) = self.autosave.as_mut().filter(|a| a.is_active()) else {
            return false;
        };
        match autosave.store(&session) {
            Ok(()) => true,
            Err(e) => {
                self.toasts.error(capitalised(&e.to_string()));
                false
            }
        }
    }

    /// The graphics device is gone: nothing can be drawn any more.
    fn handle_loss(&mut self, ctx: &Context) {
        let failure = Arc::clone(&self.failure);
        let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_some() {
            return;
        }
        let session = if self.store_session() {
            "the session was saved and will be there at the next start"
        } else {
            "the session could not be saved"
        };
        let reason = self
            .lost
            .reason
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        *failure = Some(Error::Graphics(format!(
            "the graphics device was lost ({reason}); {session}"
        )));
        ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    fn tabs_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            ui.label(RichText::new("Vitrine").strong().size(16.0));
            ui.separator();
            for (at, slot) in self.slots.iter().enumerate() {
                let hover = Command::Tab(at as u8)
                    .shortcut()
                    .map(|keys| ui.ctx().format_shortcut(&keys));
                let label = ui.selectable_label(self.active == at, slot.info.title);
                if label.on_hover_text(hover.unwrap_or_default()).clicked() {
                    self.active = at;
                }
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let keys = |command: Command| {
                    command
                        .shortcut()
                        .map_or(String::new(), |keys| ui.ctx().format_shortcut(&keys))
                };
                let help_shown = if self.narrow {
                    self.help_over
                } else {
                    self.settings.show_help
                };
                let hover = [Command::Help, Command::Settings, Command::Palette].map(keys);
                if ui
                    .selectable_label(help_shown, "Help")
                    .on_hover_text(&hover[0])
                    .clicked()
                {
                    self.commands.push(Command::Help);
                }
                if ui.button("Settings").on_hover_text(&hover[1]).clicked() {
                    self.commands.push(Command::Settings);
                }
                self.file_menu_ui(ui);
                if ui.button("Commands").on_hover_text(&hover[2]).clicked() {
                    self.commands.push(Command::Palette);
                }
            });
        });
    }

    /// The help card, beside the stage or, where that would become too narrow, over it.
    fn help_ui(&mut self, ui: &mut Ui, ctx: &Context) {
        self.narrow = ui.available_width() < HELP_WIDTH + MIN_STAGE_WIDTH;
        let Some(slot) = self.slots.get_mut(self.active) else {
            return;
        };
        let help = slot
            .info
            .help
            .replacen(LOADED, slot.tab.help().unwrap_or_default(), 1);
        if self.narrow {
            if self.help_over {
                let modal =
                    egui::Modal::new(egui::Id::unique("help over the stage")).show(ctx, |ui| {
                        ui.set_width(460.0);
                        ui.set_height(ctx.content_rect().height() * 0.75);
                        self.help.ui(ui, &help);
                    });
                self.help_over = !modal.should_close();
            }
        } else if self.settings.show_help {
            Panel::right("help")
                .resizable(true)
                .default_size(HELP_WIDTH)
                .size_range(220.0..=520.0)
                .show(ui, |ui| self.help.ui(ui, &help));
        }
    }

    fn file_menu_ui(&mut self, ui: &mut Ui) {
        const ENTRIES: [Command; 6] = [
            Command::OpenFile,
            Command::Export,
            Command::CopyResult,
            Command::SaveSession,
            Command::OpenSession,
            Command::ReopenLastSession,
        ];
        ui.menu_button("File", |ui| {
            for command in ENTRIES {
                let keys = command
                    .shortcut()
                    .map_or(String::new(), |keys| ui.ctx().format_shortcut(&keys));
                let button = egui::Button::new(command.text()).shortcut_text(keys);
                if ui.add_enabled(self.is_available(command), button).clicked() {
                    self.commands.push(command);
                    ui.close();
                }
            }
        });
    }

    /// Says what will happen to a file that hangs over the window, and takes those let go.
    fn dropped_files_ui(&mut self, ctx: &Context) {
        let (hovering, dropped, picture) = ctx.input(|i| {
            let dropped: Vec<PathBuf> = i
                .raw
                .dropped_files
                .iter()
                .map(|f| f.path().to_path_buf())
                .collect();
            let picture = i.events.iter().find_map(|e| match e {
                egui::Event::PasteImage(image) => Some(Arc::clone(image)),
                _ => None,
            });
            (!i.raw.hovered_files.is_empty(), dropped, picture)
        });
        if hovering && let Some(slot) = self.slots.get(self.active) {
            egui::Modal::new(egui::Id::unique("drop")).show(ctx, |ui| {
                ui.heading("Drop it to open it");
                ui.label(format!("This tab opens {}, or a session", slot.tab.opens()));
            });
        }
        if let Some(picture) = picture {
            self.paste(&picture);
        }
        match dropped.as_slice() {
            [] => {}
            [path] => self.open_file(path),
            several => self
                .toasts
                .warning(format!("{} files at once, drop one", several.len())),
        }
    }
}

fn is_session(path: &Path) -> bool {
    use std::io::Read as _;
    let mut start = [0; 256];
    let read = std::fs::File::open(path)
        .and_then(|mut f| f.read(&mut start))
        .unwrap_or(0);
    start[..read].windows(16).any(|w| w == b"\"vitrine_session")
}

fn watch_device(render_state: &egui_wgpu::RenderState, lost: &Arc<Lost>, ctx: &Context) {
    let (lost, ctx) = (Arc::clone(lost), ctx.clone());
    render_state
        .device
        .set_device_lost_callback(move |reason, message| {
            *lost.reason.lock().unwrap_or_else(PoisonError::into_inner) =
                format!("{reason:?}: {message}");
            lost.happened.store(true, Ordering::Release);
            ctx.request_repaint();
        });
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        if self.lost.happened.load(Ordering::Acquire) {
            self.handle_loss(ctx);
            return;
        }
        for at in 0..self.slots.len() {
            self.with_tab(at, |tab, cx| tab.logic(ctx, cx));
        }
        self.autosave(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        let busy = !self.worker.jobs().is_empty();
        self.frames.begin(frame.info().cpu_usage, busy);
        let ctx = ui.ctx().clone();
        // Keys belong to what lies in front: Esc closes the palette and stops no run behind it.
        let blocked = self.is_covered();
        // A text field has its own history; a tab's own field takes these keys itself.
        let typing = ctx.text_edit_focused();
        let mut commands = Command::pressed(&ctx, |command| {
            let is_history = matches!(command, Command::Undo | Command::Redo);
            // The keys that opened a window over the tab close it too.
            let closes = match command {
                Command::Settings => self.settings_open,
                Command::Help => self.help_over,
                _ => false,
            };
            let elsewhere = (blocked && !closes) || (typing && is_history);
            !elsewhere && self.is_available(command)
        });

        Panel::top("tabs").show(ui, |ui| self.tabs_ui(ui));
        Panel::bottom("status").show(ui, |ui| {
            self.status
                .ui(ui, &self.worker, &self.frames, self.mode == Mode::Still);
        });
        if self.settings.show_log {
            Panel::bottom("log")
                .resizable(true)
                .default_size(160.0)
                .show(ui, |ui| {
                    self.log.ui(ui, &mut self.log_filter);
                });
        }
        let active = self.active;
        Panel::left("controls")
            .resizable(true)
            .default_size(290.0)
            .size_range(240.0..=460.0)
            .show(ui, |ui| {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    self.with_tab(active, |tab, cx| tab.controls_ui(ui, cx));
                });
            });
        self.help_ui(ui, &ctx);
        let ground = egui::Frame::central_panel(ui.style()).fill(theme::tokens(ui).stage);
        CentralPanel::default().frame(ground).show(ui, |ui| {
            self.with_tab(active, |tab, cx| tab.stage_ui(ui, cx));
        });

        settings::ui(&ctx, &mut self.settings_open, &mut self.settings);
        self.dialog_ui(&ctx);
        self.dropped_files_ui(&ctx);
        let mut palette = std::mem::take(&mut self.palette);
        commands.extend(palette.ui(&ctx, |command| self.is_available(command)));
        self.palette = palette;
        self.toasts.ui(&ctx);

        commands.append(&mut self.commands);
        let any = !commands.is_empty();
        for command in commands {
            self.perform(command, &ctx);
        }
        if any || blocked && !self.is_covered() {
            ctx.request_repaint();
        }
        // A frame after it closed: until then egui keeps the keyboard from what was behind.
        if !blocked
            && !self.is_covered()
            && let Some(focus) = self.focus_behind.take()
        {
            ctx.memory_mut(|m| m.request_focus(focus));
            ctx.request_repaint();
        }
        self.remember_window(&ctx);
    }

    fn on_exit(&mut self) {
        self.frames.write_log();
        if self.mode == Mode::Still {
            return;
        }
        if let Err(e) = self.settings.save(&self.paths.settings_file()) {
            tracing::error!("{e}");
        }
        self.store_session();
        // After a loss the marker stays, so that the next start restores the session.
        let lost = self.lost.happened.load(Ordering::Acquire);
        if let Some(autosave) = self.autosave.take().filter(|_| !lost)
            && let Err(e) = autosave.close_cleanly()
        {
            tracing::error!("{e}");
        }
    }
}

impl App {
    fn remember_window(&mut self, ctx: &Context) {
        self.settings.last_tab = self.active_id().to_owned();
        if self.mode == Mode::Still {
            return;
        }
        // Asked for outside of `input`, which holds the context's lock.
        let zoom = ctx.zoom_factor();
        let size = ctx.input(|i| {
            let viewport = i.viewport();
            let whole = viewport.maximized.unwrap_or(false) || viewport.fullscreen.unwrap_or(false);
            viewport
                .inner_rect
                .filter(|_| !whole)
                .map(|r| r.size() * zoom)
        });
        if let Some(size) = size {
            self.settings.window_size = [size.x.round(), size.y.round()];
        }
    }
}
