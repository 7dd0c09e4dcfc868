//! The help card: what the paper did, what this does differently, the figures side by side.

use egui::{ScrollArea, Ui};
use egui_commonmark::{CommonMarkCache, CommonMarkViewer};

/// Draws markdown; keeps what was worked out for the next frame.
#[derive(Default)]
pub(super) struct HelpCard {
    cache: CommonMarkCache,
}

impl HelpCard {
    pub fn ui(&mut self, ui: &mut Ui, markdown: &str) {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            CommonMarkViewer::new()
                .max_image_width(Some(320))
                .show(ui, &mut self.cache, markdown);
        });
    }
}
