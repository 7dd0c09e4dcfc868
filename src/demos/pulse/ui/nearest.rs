//! The nearest people of a bank, beside the answers of the search.

use std::sync::Arc;

use egui::{RichText, Ui, Vec2};

use crate::compute::{Lane, Run};
use crate::demos::pulse::bank::{self, NearestJob, PEOPLE, Reference};
use crate::demos::pulse::pixels::Pixels;
use crate::demos::pulse::sheet;
use crate::gui::controls::progress_ui;
use crate::gui::{TabCx, theme};
use crate::view::ImageView;

/// People that are shown.
const SHOWN: usize = 4;
/// Pixels in a side of each.
const SIZE: usize = 96;

/// The reference.
pub(super) struct Nearest {
    run: Option<Run<Reference>>,
    faces: Vec<(ImageView, f64)>,
}

impl Nearest {
    pub(super) fn new() -> Self {
        Self {
            run: None,
            faces: Vec::new(),
        }
    }

    /// Forgets the people of another picture.
    pub(super) fn clear(&mut self) {
        self.faces.clear();
    }

    pub(super) fn logic(&mut self, cx: &mut TabCx<'_>) {
        for output in cx.heard(&mut self.run).into_iter().flatten() {
            let Reference::Nearest(found) = output else {
                continue;
            };
            self.faces = found
                .into_iter()
                .map(|(face, error)| {
                    let mut view = ImageView::new("One of the nearest people");
                    view.set(&Arc::new(sheet::picture(&face)));
                    (view, error)
                })
                .collect();
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, low: &Pixels, side: f32, cx: &mut TabCx<'_>) {
        ui.label(RichText::new(format!("Nearest of {PEOPLE} people")).strong());
        if let Some(run) = &self.run {
            if !cx.still {
                progress_ui(ui, &run.progress());
            }
            if ui.button("Stop").clicked() {
                run.cancel();
            }
            return;
        }
        if self.faces.is_empty() {
            let small = low.side <= bank::SIDE;
            let look = ui.add_enabled(small, egui::Button::new("Look them up"));
            let about = "Nobody is searched for: people are drawn by chance, shrunk and compared. \
                         They are rendered once, which takes some minutes";
            if look.on_hover_text(about).clicked() {
                let job = NearestJob {
                    low: low.clone(),
                    count: SHOWN,
                    size: SIZE,
                    file: bank::file(&cx.paths.data),
                };
                self.run = Some(cx.worker.submit(Lane::Long, "PULSE: nearest people", job));
            }
            if !small {
                let faint = theme::tokens(ui).faint;
                let text = format!("For at most {} pixels a side", bank::SIDE);
                ui.label(RichText::new(text).small().color(faint));
            }
            return;
        }
        let each = (side - 8.0 * (SHOWN as f32 - 1.0)) / SHOWN as f32;
        let faint = theme::tokens(ui).faint;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            for (view, error) in &mut self.faces {
                ui.vertical(|ui| {
                    view.show(ui, Vec2::splat(each));
                    ui.label(RichText::new(format!("{error:.4}")).small().color(faint));
                });
            }
        });
    }
}
