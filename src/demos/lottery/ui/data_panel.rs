//! Images that come on first use.

use std::sync::Arc;

use egui::{ProgressBar, RichText, Ui};

use super::super::config::LotteryConfig;
use crate::error::{Error, Result};
use crate::gui::{TabCx, theme};
use crate::store::{Asset, Download, Manifest, assets_dir};

/// The files that a run's images still lack, and the download that brings them one by one.
#[derive(Default)]
pub struct DataPanel {
    download: Option<Download>,
    /// The names looked for, and the files of those that were missing then.
    looked: Option<(&'static [&'static str], Vec<Asset>)>,
}

impl DataPanel {
    /// The files that are missing for a run's images.
    fn missing(&mut self, config: &LotteryConfig, cx: &TabCx<'_>) -> &[Asset] {
        let needs = if config.folder.is_some() {
            &[][..]
        } else {
            config.data.needs()
        };
        if cx.still || needs.is_empty() {
            return &[];
        }
        if self
            .looked
            .as_ref()
            .is_none_or(|(names, _)| *names != needs)
        {
            let here = |asset: &Asset| {
                let path = asset.location(&assets_dir(), cx.paths);
                path.metadata()
                    .is_ok_and(|m| m.is_file() && m.len() == asset.bytes)
            };
            let rows = Manifest::embedded().and_then(|manifest| {
                let rows = needs.iter().map(|name| manifest.get(name).cloned());
                rows.collect::<Result<Vec<Asset>>>()
            });
            let missing = rows.map(|rows| rows.into_iter().filter(|a| !here(a)).collect());
            let missing = missing
                .inspect_err(|e| tracing::error!("{e}"))
                .unwrap_or_default();
            self.looked = Some((needs, missing));
        }
        self.looked.as_ref().map_or(&[], |(_, missing)| missing)
    }

    /// Whether a run's images are there, as far as the program brings them itself.
    pub fn is_ready(&mut self, config: &LotteryConfig, cx: &TabCx<'_>) -> bool {
        self.missing(config, cx).is_empty()
    }

    /// Begins to fetch the next missing file.
    pub fn fetch(&mut self, config: &LotteryConfig, cx: &mut TabCx<'_>) {
        if self.download.is_some() {
            return;
        }
        let Some(asset) = self.missing(config, cx).first().cloned() else {
            return;
        };
        match Download::start(asset, cx.paths, Arc::clone(&cx.wake)) {
            Ok(download) => self.download = Some(download),
            Err(e) => cx.toasts.error(e.to_string()),
        }
    }

    /// Goes on with the next file when one has come. True when the last one has.
    ///
    /// # Errors
    /// When a download ended without its file.
    pub fn poll(&mut self, config: &LotteryConfig, cx: &mut TabCx<'_>) -> Result<bool> {
        let Some(ended) = self.download.as_ref().and_then(Download::finished) else {
            return Ok(false);
        };
        let ended = match ended {
            Ok(_) => Ok(()),
            Err(Error::Cancelled) => Err(Error::Fetch(
                "The download was stopped, what came is kept".into(),
            )),
            Err(e) => Err(Error::Fetch(e.to_string())),
        };
        self.download = None;
        self.looked = None;
        ended?;
        if self.is_ready(config, cx) {
            cx.toasts.info(format!("{} is here", config.data.title()));
            return Ok(true);
        }
        self.fetch(config, cx);
        Ok(false)
    }

    /// Says what is missing, with a button that fetches it.
    pub fn ui(&mut self, ui: &mut Ui, config: &LotteryConfig, cx: &mut TabCx<'_>) {
        let faint = theme::tokens(ui).faint;
        if let Some(download) = &self.download {
            let progress = download.progress();
            let share = progress.done_bytes as f32 / progress.total_bytes.max(1) as f32;
            ui.add(ProgressBar::new(share).desired_height(14.0));
            let text = format!(
                "{}: {:.1} of {:.1} MB",
                progress.stage,
                progress.done_bytes as f64 / 1e6,
                progress.total_bytes as f64 / 1e6
            );
            ui.label(RichText::new(text).small().color(faint));
            if ui.button("Stop the download").clicked() {
                download.cancel();
            }
            return;
        }
        let missing = self.missing(config, cx);
        if missing.is_empty() {
            return;
        }
        let bytes: u64 = missing.iter().map(|a| a.bytes).sum();
        let licence = missing.first().map_or("", |a| &a.licence);
        let about = format!("{:.0} MB, {licence}", bytes as f64 / 1e6);
        ui.horizontal(|ui| {
            let fetch = ui.button(format!("Fetch {}", config.data.title()));
            ui.label(RichText::new(about).small().color(faint));
            if fetch.clicked() {
                self.fetch(config, cx);
            }
        });
    }
}
