//! Several plots on a stage: worked out again only when what they show has changed, and laid out
//! beside one another or one below the other.

use egui::{RichText, Ui, vec2};

use super::{Figure, Plotted};

/// Plots that are narrower than this go below one another.
const NARROWEST: f32 = 300.0;

/// Plots with what they were made from.
pub struct Plots<K> {
    made: Option<(K, Vec<Plotted>)>,
}

impl<K> Default for Plots<K> {
    fn default() -> Self {
        Self { made: None }
    }
}

impl<K: PartialEq> Plots<K> {
    /// The plots for `key`; `build` is called when it is another one than the last time.
    pub fn get(&mut self, key: K, build: impl FnOnce() -> Vec<Figure>) -> &[Plotted] {
        if self.made.as_ref().is_none_or(|(old, _)| *old != key) {
            let plots = build().into_iter().map(Plotted::new).collect();
            self.made = Some((key, plots));
        }
        self.made.as_ref().map_or(&[], |(_, plots)| plots)
    }
}

/// Plots with their names: beside one another, or below where there is no room.
pub fn side_by_side_ui(ui: &mut Ui, plots: &[Plotted]) {
    let room = ui.available_size();
    let gap = ui.spacing().item_spacing;
    let count = plots.len().max(1) as f32;
    let stacked = room.x / count < NARROWEST;
    let cell = if stacked {
        vec2(room.x, (room.y - gap.y * (count - 1.0)) / count)
    } else {
        vec2((room.x - gap.x * (count - 1.0)) / count, room.y)
    };
    let one = |ui: &mut Ui, plot: &Plotted| {
        ui.vertical(|ui| {
            ui.set_width(cell.x);
            ui.label(RichText::new(&plot.figure().name).strong());
            plot.show(ui, vec2(cell.x, (cell.y - 24.0).max(80.0)));
        });
    };
    if stacked {
        ui.vertical(|ui| plots.iter().for_each(|plot| one(ui, plot)));
    } else {
        ui.horizontal_top(|ui| plots.iter().for_each(|plot| one(ui, plot)));
    }
}
