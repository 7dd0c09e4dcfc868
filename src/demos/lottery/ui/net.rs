//! The net itself: which weights are left, their values, the strongest connections, gates, swaps.

use std::sync::Arc;

use egui::{RichText, Slider, Ui, vec2};
use serde::{Deserialize, Serialize};

use super::super::record::{LayerShot, RunRecord, Shot};
use super::bench::{Bench, Entry};
use super::connections::{self, Edge};
use super::net_figures::{self, Chart};
use super::shots::Shots;
use super::stages::{kind_name, percent};
use crate::data::{Image, Matrix};
use crate::gui::controls::empty_ui;
use crate::gui::figure::{Figure, Plots, Unit};
use crate::gui::theme;
use crate::view::{ColorMap, HeatMap, ImageView};

/// What the large picture is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Picture {
    /// A layer's matrix: values, and what is pruned.
    #[default]
    Layer,
    /// Units and the strongest connections.
    Connections,
}

/// What the person chose to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    picture: Picture,
    layer: usize,
    mask_only: bool,
    edges: usize,
    chart: Chart,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            picture: Picture::default(),
            layer: 0,
            mask_only: false,
            edges: 400,
            chart: Chart::default(),
        }
    }
}

/// The most connections that are drawn.
const MOST_EDGES: usize = 3000;

/// The view.
pub struct NetView {
    pub options: Options,
    inputs: HeatMap,
    layer: ImageView,
    edges: Vec<Edge>,
    /// What the pictures were made of.
    made: Option<(*const Shot, Picture, usize, bool, usize)>,
    /// Keeps the address above from being used again.
    shown: Option<Arc<Shot>>,
    plots: Plots<(u64, Chart, usize)>,
}

impl Default for NetView {
    fn default() -> Self {
        Self {
            options: Options::default(),
            inputs: HeatMap::new("Surviving weights of each input", ColorMap::Viridis),
            layer: ImageView::new("Weights of a layer"),
            edges: Vec::new(),
            made: None,
            shown: None,
            plots: Plots::default(),
        }
    }
}

impl NetView {
    /// Draws it. True when a choice has changed.
    pub fn ui(&mut self, ui: &mut Ui, bench: &Bench, shots: &mut Shots) -> bool {
        let before = self.options.clone();
        self.options.edges = self.options.edges.min(MOST_EDGES);
        let Some(entry) = bench.focus() else {
            empty_ui(ui, "No run on the bench", "Choose a preset and press Run");
            return false;
        };
        let layers = entry.record.layers.len();
        self.options.layer = self.options.layer.min(layers.saturating_sub(1));
        scrubber_ui(ui, entry, shots);
        self.choices_ui(ui, &entry.record);
        let charts = 190.0_f32.min(ui.available_height() * 0.42);
        let pictures = (ui.available_height() - charts - 34.0).max(120.0);
        let size = vec2(ui.available_width(), pictures);
        match shots.shown(entry.id).cloned() {
            Some(shot) => self.pictures_ui(ui, &entry.record, &shot, size),
            None => {
                ui.allocate_ui(size, |ui| {
                    ui.set_min_size(size);
                    kept_ui(ui, &entry.record);
                });
            }
        }
        self.chart_ui(ui, bench, &entry.record);
        before != self.options
    }

    pub fn figures(&self, bench: &Bench) -> Vec<Figure> {
        let figure = bench
            .focus()
            .and_then(|e| net_figures::figure(&e.record, self.options.chart, self.options.layer));
        figure.into_iter().collect()
    }

    fn choices_ui(&mut self, ui: &mut Ui, record: &RunRecord) {
        ui.horizontal_wrapped(|ui| {
            for (picture, name) in [
                (Picture::Layer, "Layer"),
                (Picture::Connections, "Connections"),
            ] {
                ui.selectable_value(&mut self.options.picture, picture, name);
            }
            ui.separator();
            for (number, layer) in record.layers.iter().enumerate() {
                ui.selectable_value(&mut self.options.layer, number, &layer.name);
            }
            ui.separator();
            match self.options.picture {
                Picture::Layer => {
                    ui.checkbox(&mut self.options.mask_only, "Mask only")
                        .on_hover_text("Which weights are left, not how large they are");
                }
                Picture::Connections => {
                    let label = ui.label("Strongest");
                    ui.add(Slider::new(&mut self.options.edges, 10..=MOST_EDGES).logarithmic(true))
                        .labelled_by(label.id);
                }
            }
        });
    }

    fn pictures_ui(&mut self, ui: &mut Ui, record: &RunRecord, shot: &Arc<Shot>, size: egui::Vec2) {
        self.make(shot);
        let tokens = theme::tokens(ui);
        ui.horizontal_top(|ui| {
            ui.set_height(size.y);
            let side = (size.y - 40.0).clamp(60.0, size.x * 0.34);
            ui.vertical(|ui| {
                ui.set_width(side);
                let name = record.layers.first().map_or("", |l| &l.name);
                ui.label(
                    RichText::new(format!("Left of {name}, by input"))
                        .small()
                        .color(tokens.faint),
                );
                let shown = self.inputs.show(ui, vec2(side, side));
                if let (Some([row, col]), Some(matrix)) = (shown.cell, self.inputs.matrix()) {
                    let share = matrix.get(row, col).unwrap_or(0.0);
                    let text = format!("Input {row}, {col}: {}", percent(f64::from(share)));
                    shown.response.on_hover_text(text);
                }
                let [low, high] = self.inputs.shown_range().map(f64::from);
                ui.label(
                    RichText::new(format!(
                        "{} to {} of the weights",
                        percent(low),
                        percent(high)
                    ))
                    .small()
                    .color(tokens.faint),
                );
            });
            ui.vertical(|ui| {
                let room = vec2(ui.available_width(), size.y - 40.0);
                match self.options.picture {
                    Picture::Layer => self.layer_ui(ui, record, shot, room),
                    Picture::Connections => {
                        let text = format!(
                            "The {} strongest of the net, orange positive, blue negative",
                            self.edges.len()
                        );
                        ui.label(RichText::new(text).small().color(tokens.faint));
                        let names: Vec<String> =
                            record.layers.iter().map(|l| l.name.clone()).collect();
                        connections::show(ui, &self.edges, &names, room);
                    }
                }
            });
        });
    }

    fn layer_ui(&mut self, ui: &mut Ui, record: &RunRecord, shot: &Shot, room: egui::Vec2) {
        let faint = theme::tokens(ui).faint;
        let number = self.options.layer;
        let (Some(layer), Some(shape)) = (shot.layers.get(number), record.layers.get(number))
        else {
            return;
        };
        let left = layer.mask.iter().filter(|keep| **keep).count();
        let text = format!(
            "{}: {} × {}, {} of {} weights left; orange positive, blue negative, dark pruned",
            shape.name,
            layer.rows,
            layer.cols,
            Unit::Number.text(left as f64),
            Unit::Number.text(layer.mask.len() as f64)
        );
        ui.add(egui::Label::new(RichText::new(text).small().color(faint)).truncate());
        let shown = self.layer.show(ui, room);
        if let Some([x, y]) = shown.pixel {
            let index = y as usize * layer.cols + x as usize;
            let weight = layer.weights.get(index).copied().unwrap_or(0.0);
            let told = if layer.mask.get(index) == Some(&true) {
                format!("unit {y}, input {x}: {weight:.4}")
            } else {
                format!("unit {y}, input {x}: pruned")
            };
            shown.response.on_hover_text(told);
        }
        let hint = "Ctrl and wheel zooms, dragging moves, a double click shows all";
        ui.label(RichText::new(hint).small().color(faint));
    }

    /// Makes the pictures of a moment, if they are not those already.
    fn make(&mut self, shot: &Arc<Shot>) {
        let Options {
            picture,
            layer,
            mask_only,
            edges,
            ..
        } = self.options;
        let key = (Arc::as_ptr(shot), picture, layer, mask_only, edges);
        if self.made == Some(key) {
            return;
        }
        let same_shot = self.made.is_some_and(|(old, ..)| old == key.0);
        if !same_shot && let Some(first) = shot.layers.first() {
            match input_map(first) {
                Some(map) => {
                    // From nothing, so that a whole net is bright and not one colour of many.
                    self.inputs.range = map.range().map(|[_, most]| [0.0, most.max(0.01)]);
                    self.inputs.set(&Arc::new(map));
                }
                None => self.inputs.clear(),
            }
        }
        match picture {
            Picture::Layer => {
                if let Some(image) = shot
                    .layers
                    .get(layer)
                    .and_then(|l| layer_image(l, mask_only))
                {
                    self.layer.set(&Arc::new(image));
                }
            }
            Picture::Connections => self.edges = connections::strongest(shot, edges),
        }
        self.made = Some(key);
        self.shown = Some(Arc::clone(shot));
    }

    fn chart_ui(&mut self, ui: &mut Ui, bench: &Bench, record: &RunRecord) {
        ui.horizontal_wrapped(|ui| {
            for chart in Chart::ALL {
                ui.selectable_value(&mut self.options.chart, chart, chart.name());
            }
        });
        let (chart, layer) = (self.options.chart, self.options.layer);
        let key = (bench.revision(), chart, layer);
        let plots = self.plots.get(key, || {
            net_figures::figure(record, chart, layer)
                .into_iter()
                .collect()
        });
        let size = ui.available_size();
        match plots.first() {
            Some(plot) => {
                plot.show(ui, size);
            }
            None => empty_ui(ui, chart.missing(), ""),
        }
    }
}

/// Goes back in time.
fn scrubber_ui(ui: &mut Ui, entry: &Entry, shots: &mut Shots) {
    let count = shots.of(entry.id).len();
    let faint = theme::tokens(ui).faint;
    ui.horizontal(|ui| {
        let mut place = shots.place();
        let label = ui.label("Time");
        ui.spacing_mut().slider_width = (ui.available_width() - 250.0).clamp(60.0, 420.0);
        let slider = Slider::new(&mut place, 0..=count.saturating_sub(1)).show_value(false);
        let moved = ui
            .add_enabled(count > 1, slider)
            .labelled_by(label.id)
            .on_hover_text("Moments kept of this run; with the arrow keys one by one");
        if moved.changed() {
            shots.look_at(place);
        }
        let text = match shots.shown(entry.id) {
            Some(shot) => match entry.record.stages.get(shot.stage) {
                Some(stage) => format!(
                    "{}, {}, step {}",
                    kind_name(stage.kind),
                    percent(stage.weights_remaining),
                    shot.step
                ),
                None => format!("step {}", shot.step),
            },
            None => "kept while a run goes on".into(),
        };
        ui.add(egui::Label::new(RichText::new(text).small().color(faint)).truncate());
    });
}

/// Without a moment to show: how much of each layer is left at each stage.
fn kept_ui(ui: &mut Ui, record: &RunRecord) {
    let tokens = theme::tokens(ui);
    let Some(stage) = record.stages.last() else {
        return empty_ui(
            ui,
            "Nothing has run yet",
            "The net shows here while it learns",
        );
    };
    let text = format!(
        "{} at the end, {} of the weights left; press Run to watch the weights themselves",
        kind_name(stage.kind),
        percent(stage.weights_remaining)
    );
    ui.label(RichText::new(text).color(tokens.faint));
    egui::Grid::new("kept")
        .num_columns(4)
        .spacing([16.0, 6.0])
        .show(ui, |ui| {
            for head in ["Layer", "Weights left", "", "Units at work"] {
                ui.label(RichText::new(head).small().color(tokens.faint));
            }
            ui.end_row();
            for (number, layer) in record.layers.iter().enumerate() {
                let all: usize = layer.shape.iter().product();
                let kept = stage.kept.get(number).copied().unwrap_or(0);
                ui.label(&layer.name);
                ui.label(format!(
                    "{} of {}",
                    Unit::Number.text(kept as f64),
                    Unit::Number.text(all as f64)
                ));
                let share = kept as f32 / all.max(1) as f32;
                ui.add(
                    egui::ProgressBar::new(share)
                        .desired_width(180.0)
                        .desired_height(12.0)
                        .fill(tokens.line(0)),
                );
                let alive = stage.alive_units.get(number).copied().unwrap_or(0);
                let units = layer.shape.first().copied().unwrap_or(0);
                ui.label(format!("{alive} of {units}"));
                ui.end_row();
            }
        });
}

/// For each input of the first layer the share of its weights that are left, as the picture that
/// the inputs come from.
fn input_map(layer: &LayerShot) -> Option<Matrix> {
    if layer.rows == 0 || layer.mask.len() != layer.rows * layer.cols {
        return None;
    }
    let mut left = vec![0.0_f32; layer.cols];
    for row in layer.mask.chunks_exact(layer.cols) {
        for (sum, keep) in left.iter_mut().zip(row) {
            *sum += f32::from(u8::from(*keep));
        }
    }
    // Grey pictures are one square, those in colour three of them.
    let side = |channels: usize| {
        let side = (layer.cols as f64 / channels as f64).sqrt().round() as usize;
        (side * side * channels == layer.cols).then_some((channels, side))
    };
    let (channels, side) = side(1).or_else(|| side(3))?;
    let area = side * side;
    let share = |i: usize| {
        let sum: f32 = (0..channels).map(|c| left[c * area + i]).sum();
        sum / (layer.rows * channels) as f32
    };
    Matrix::new(side, side, (0..area).map(share).collect()).ok()
}

/// A layer's weights in colour; what is pruned is dark.
fn layer_image(layer: &LayerShot, mask_only: bool) -> Option<Image> {
    /// Values beyond this many times the usual one have the full colour.
    const FULL: f32 = 2.5;
    const PRUNED: [u8; 3] = [34, 38, 46];
    const KEPT: [u8; 3] = [243, 243, 243];
    let kept = layer.weights.iter().zip(&layer.mask).filter(|(_, k)| **k);
    let (count, sum) = kept.fold((0_u32, 0.0), |(n, s), (w, _)| (n + 1, s + w * w));
    let full = FULL * (sum / count.max(1) as f32).sqrt().max(f32::MIN_POSITIVE);
    let pixel = |(weight, keep): (&f32, &bool)| {
        let [r, g, b] = match (*keep, mask_only) {
            (false, _) => PRUNED,
            (true, true) => KEPT,
            (true, false) => ColorMap::BlueOrange.rgb8(0.5 + 0.5 * weight / full),
        };
        [r, g, b, 255]
    };
    let rgba = layer
        .weights
        .iter()
        .zip(&layer.mask)
        .flat_map(pixel)
        .collect();
    let side = |n: usize| u32::try_from(n).ok();
    Image::new(side(layer.cols)?, side(layer.rows)?, rgba).ok()
}

#[cfg(test)]
mod tests {
    use super::{input_map, layer_image};
    use crate::demos::lottery::record::LayerShot;

    fn layer(rows: usize, cols: usize) -> LayerShot {
        LayerShot {
            rows,
            cols,
            weights: (0..rows * cols).map(|i| i as f32 - 8.0).collect(),
            mask: (0..rows * cols).map(|i| i % cols != 1).collect(),
        }
    }

    #[test]
    fn inputs_lie_where_their_pixels_do() {
        let map = input_map(&layer(4, 4)).expect("a square");
        assert_eq!((map.rows(), map.cols()), (2, 2));
        assert_eq!(map.values(), [1.0, 0.0, 1.0, 1.0]);
        let colour = input_map(&layer(2, 12)).expect("three squares");
        assert!((colour.values()[1] - 2.0 / 3.0).abs() < 1e-6);
        assert!(input_map(&layer(2, 7)).is_none());
    }

    #[test]
    fn pruned_weights_are_dark_and_signs_have_colours() {
        let image = layer_image(&layer(4, 4), false).expect("a picture");
        assert_eq!(image.pixel(1, 2), Some([34, 38, 46, 255]));
        let negative = image.pixel(0, 0).expect("a pixel");
        let positive = image.pixel(3, 3).expect("a pixel");
        assert!(negative[2] > negative[0] && positive[0] > positive[2]);
        let mask = layer_image(&layer(4, 4), true).expect("a picture");
        assert_eq!(mask.pixel(0, 0), mask.pixel(3, 3));
    }
}
