//! Choosing a file: a path that can be typed, and the desktop's own dialog behind a button.
//!
//! The desktop's dialog blocks, so it runs in a thread of its own; where there is none (no portal,
//! a bare X server) the text field still works.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use egui::{Context, Id, Key, Modal, RichText, TextEdit};

use super::tab::Export;
use super::theme;

/// What the chosen path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    OpenFile,
    SaveSession,
    OpenSession,
    Export(&'static [Export]),
}

/// An open dialog.
pub(super) struct FileDialog {
    purpose: Purpose,
    about: String,
    path: String,
    format: usize,
    native: Option<JoinHandle<Option<PathBuf>>>,
}

/// What was chosen.
pub(super) struct Chosen {
    pub purpose: Purpose,
    pub path: PathBuf,
    pub format: Option<Export>,
}

/// How a dialog stands after a frame.
pub(super) enum Outcome {
    Open,
    Cancelled,
    Chosen(Chosen),
}

impl FileDialog {
    /// `about` says what will happen; `path` is where it starts.
    pub fn new(purpose: Purpose, about: impl Into<String>, path: &Path) -> Self {
        let path = path.display().to_string();
        Self {
            purpose,
            about: about.into(),
            path,
            format: 0,
            native: None,
        }
    }

    fn saves(&self) -> bool {
        matches!(self.purpose, Purpose::SaveSession | Purpose::Export(_))
    }

    fn chosen_format(&self) -> Option<Export> {
        match self.purpose {
            Purpose::Export(formats) => formats.get(self.format).copied(),
            _ => None,
        }
    }

    pub fn ui(&mut self, ctx: &Context) -> Outcome {
        if let Some(native) = self.native.take_if(|n| n.is_finished())
            && let Ok(Some(path)) = native.join()
        {
            return self.choose(path);
        }
        let mut outcome = Outcome::Open;
        let title = match self.purpose {
            Purpose::OpenFile => "Open a file",
            Purpose::SaveSession => "Save the session",
            Purpose::OpenSession => "Open a session",
            Purpose::Export(_) => "Export the result",
        };
        let modal = Modal::new(Id::unique("file dialog")).show(ctx, |ui| {
            ui.set_width(520.0);
            ui.heading(title);
            ui.label(RichText::new(&self.about).color(theme::tokens(ui).faint));
            if let Purpose::Export(formats) = self.purpose {
                for (i, format) in formats.iter().enumerate() {
                    let text = format!("{}: {}", format.extension.to_uppercase(), format.about);
                    if ui.radio_value(&mut self.format, i, text).changed() {
                        let path = Path::new(&self.path).with_extension(format.extension);
                        self.path = path.display().to_string();
                    }
                }
            }
            let label = ui.label("Path");
            let field = ui
                .add(TextEdit::singleline(&mut self.path).desired_width(f32::INFINITY))
                .labelled_by(label.id);
            // Asked before the field takes the keyboard again, which hides that it had lost it.
            let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            if !entered && ui.memory(|m| m.focused().is_none()) {
                field.request_focus();
            }
            ui.horizontal(|ui| {
                let word = if self.saves() { "Save" } else { "Open" };
                let ready = !self.path.trim().is_empty();
                if ui.add_enabled(ready, egui::Button::new(word)).clicked() || (entered && ready) {
                    let path = PathBuf::from(self.path.trim());
                    outcome = self.choose(path);
                }
                if ui
                    .add_enabled(self.native.is_none(), egui::Button::new("Browse…"))
                    .clicked()
                {
                    self.browse(ctx);
                }
                if ui.button("Cancel").clicked() {
                    outcome = Outcome::Cancelled;
                }
            });
        });
        if modal.should_close() && matches!(outcome, Outcome::Open) {
            outcome = Outcome::Cancelled;
        }
        outcome
    }

    fn choose(&self, path: PathBuf) -> Outcome {
        Outcome::Chosen(Chosen {
            purpose: self.purpose,
            path,
            format: self.chosen_format(),
        })
    }

    fn browse(&mut self, ctx: &Context) {
        let mut dialog = rfd::FileDialog::new();
        let path = Path::new(&self.path);
        if let Some(folder) = path.parent().filter(|p| p.is_dir()) {
            dialog = dialog.set_directory(folder);
        }
        if let Some(name) = path.file_name().filter(|_| self.saves()) {
            dialog = dialog.set_file_name(name.to_string_lossy());
        }
        let (saves, ctx) = (self.saves(), ctx.clone());
        let thread = std::thread::Builder::new()
            .name("file dialog".into())
            .spawn(move || {
                let path = if saves {
                    dialog.save_file()
                } else {
                    dialog.pick_file()
                };
                ctx.request_repaint();
                path
            });
        match thread {
            Ok(thread) => self.native = Some(thread),
            Err(e) => tracing::error!("cannot open the desktop's file dialog: {e}"),
        }
    }
}
