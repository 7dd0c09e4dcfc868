//! What a run is asked for. Only what matters for the chosen method is shown.

use egui::{DragValue, Grid, RichText, Slider, TextEdit, Ui};

use super::super::config::{LotteryConfig, Method, NetKind, RandomWeights};
use super::super::presets::PRESETS;
use super::bench::{method_name, net_name};
use super::stages::percent;
use crate::data::DatasetSource;
use crate::gui::controls::seed_ui;
use crate::gui::theme;

const METHODS: [(Method, &str); 5] = [
    (
        Method::Dense,
        "All weights are trained: what the others are compared with",
    ),
    (
        Method::Imp,
        "Train, prune the smallest weights, go back, train again (Frankle and Carbin)",
    ),
    (
        Method::Gates,
        "Gates on random weights choose the channels (Wang et al.)",
    ),
    (
        Method::EdgePopup,
        "Choose among random weights and train none (Ramanujan et al.)",
    ),
    (
        Method::SubsetSum,
        "Rebuild a trained net out of random weights (Malach, Orseau, Pensia)",
    ),
];

const NETS: [NetKind; 5] = [
    NetKind::Lenet,
    NetKind::Conv2Lite,
    NetKind::Conv2,
    NetKind::Conv4,
    NetKind::Conv6,
];

/// The texts that are typed and mean numbers.
#[derive(Default)]
pub struct Typed {
    sweep: String,
    /// The numbers that the text was made from.
    shown: Vec<f64>,
}

/// Buttons with whole configurations. True when one was pressed.
pub fn presets_ui(ui: &mut Ui, config: &mut LotteryConfig, enabled: bool) -> bool {
    let mut pressed = false;
    ui.horizontal_wrapped(|ui| {
        for preset in PRESETS {
            let button = ui.add_enabled(enabled, egui::Button::new(preset.title));
            if button.on_hover_text(preset.about).clicked() {
                *config = LotteryConfig {
                    seed: config.seed,
                    ..(preset.config)()
                };
                pressed = true;
            }
        }
    });
    pressed
}

/// Draws the settings of a run. True when one has changed.
pub fn config_ui(ui: &mut Ui, config: &mut LotteryConfig, typed: &mut Typed) -> bool {
    let before = config.clone();
    ui.strong("Method");
    ui.horizontal_wrapped(|ui| {
        for (method, about) in METHODS {
            ui.selectable_value(&mut config.method, method, method_name(method))
                .on_hover_text(about);
        }
    });
    ui.add_space(6.0);
    ui.separator();
    ui.strong("Net and images");
    Grid::new("net")
        .num_columns(2)
        .spacing([12.0, 8.0])
        .show(ui, |ui| net_ui(ui, config));
    ui.add_space(6.0);
    ui.separator();
    ui.strong("Run");
    Grid::new("run")
        .num_columns(2)
        .spacing([12.0, 8.0])
        .show(ui, |ui| {
            training_ui(ui, config);
            match config.method {
                Method::Dense => {}
                Method::Imp => pruning_ui(ui, config),
                Method::Gates => gates_ui(ui, config),
                Method::EdgePopup => edge_popup_ui(ui, config, typed),
                Method::SubsetSum => subset_ui(ui, config),
            }
        });
    match config.method {
        Method::Imp => {
            ui.checkbox(&mut config.controls, "Controls")
                .on_hover_text("Also train each ticket with new weights, and with a random mask");
            ui.checkbox(&mut config.one_shot, "One-shot")
                .on_hover_text("Prune once, to where the rounds would have led");
            ui.checkbox(&mut config.siblings, "Siblings")
                .on_hover_text("Train siblings and look at the error between them");
        }
        Method::EdgePopup => {
            let mut scaled = !config.unscaled;
            ui.checkbox(&mut scaled, "Scaled weights").on_hover_text(
                "By the square root of 1/k, so that what is left has the usual size",
            );
            config.unscaled = !scaled;
        }
        _ => {}
    }
    target_ui(ui, config);
    seed_ui(ui, &mut config.seed);
    *config != before
}

fn net_ui(ui: &mut Ui, config: &mut LotteryConfig) {
    let label = ui.label("Net");
    egui::ComboBox::from_id_salt("net")
        .selected_text(net_name(config.net))
        .show_ui(ui, |ui| {
            for net in NETS {
                ui.selectable_value(&mut config.net, net, net_name(net));
            }
        })
        .response
        .labelled_by(label.id);
    ui.end_row();
    let label = ui.label("Width");
    ui.add(
        Slider::new(&mut config.width, 0.25..=4.0)
            .logarithmic(true)
            .step_by(0.05)
            .fixed_decimals(2)
            .suffix(" ×"),
    )
    .labelled_by(label.id)
    .on_hover_text("Scales the hidden layers");
    ui.end_row();
    let label = ui.label("Images");
    egui::ComboBox::from_id_salt("images")
        .selected_text(config.data.title())
        .show_ui(ui, |ui| {
            for source in DatasetSource::ALL {
                ui.selectable_value(&mut config.data, source, source.title());
            }
        })
        .response
        .labelled_by(label.id);
    ui.end_row();
    if config.data != DatasetSource::Mnist || config.folder.is_some() {
        let label = ui.label("Folder");
        let mut text = config
            .folder
            .as_ref()
            .map_or(String::new(), |f| f.display().to_string());
        let hint = if config.data == DatasetSource::Cifar10 {
            "needed"
        } else {
            "none"
        };
        let field = TextEdit::singleline(&mut text)
            .hint_text(hint)
            .desired_width(120.0);
        if ui
            .add(field)
            .labelled_by(label.id)
            .on_hover_text("With idx files, or CIFAR-10's binary files")
            .changed()
        {
            config.folder = (!text.trim().is_empty()).then(|| text.trim().into());
        }
        ui.end_row();
    }
}

fn training_ui(ui: &mut Ui, config: &mut LotteryConfig) {
    let label = ui.label("Steps");
    ui.add(
        DragValue::new(&mut config.steps)
            .range(100..=1_000_000)
            .speed(50.0),
    )
    .labelled_by(label.id)
    .on_hover_text("Optimiser steps of one training");
    ui.end_row();
    let label = ui.label("Batch");
    ui.add(
        DragValue::new(&mut config.batch)
            .range(1..=1000)
            .suffix(" images"),
    )
    .labelled_by(label.id);
    ui.end_row();
    let label = ui.label("Repetitions");
    ui.add(DragValue::new(&mut config.seeds).range(1..=20))
        .labelled_by(label.id)
        .on_hover_text("With seeds of their own; curves show the mean, bars the extremes");
    ui.end_row();
}

fn pruning_ui(ui: &mut Ui, config: &mut LotteryConfig) {
    let label = ui.label("Levels");
    ui.add(Slider::new(&mut config.levels, 1..=20))
        .labelled_by(label.id)
        .on_hover_text("Rounds of pruning");
    ui.end_row();
    ui.label("");
    let left = 0.8f64.powf(f64::from(config.levels));
    let text = format!("about {} left at the end", percent(left));
    ui.label(RichText::new(text).small().color(theme::tokens(ui).faint));
    ui.end_row();
    let label = ui.label("Rewind to");
    ui.add(
        DragValue::new(&mut config.rewind)
            .range(0..=config.steps)
            .speed(10.0)
            .prefix("step "),
    )
    .labelled_by(label.id)
    .on_hover_text("Survivors go back to their weights of this step; 0 are the first ones");
    ui.end_row();
    let label = ui.label("Last ticket");
    let mut steps = config.last_steps.unwrap_or(config.steps);
    let steps_field = DragValue::new(&mut steps)
        .range(config.rewind + 1..=200_000)
        .speed(50.0)
        .suffix(" steps");
    let hover = "The last ticket and its controls; early stopping needs a training that overfits";
    let changed = ui
        .add(steps_field)
        .labelled_by(label.id)
        .on_hover_text(hover)
        .changed();
    if changed {
        config.last_steps = (steps != config.steps).then_some(steps);
    }
    ui.end_row();
}

fn share_slider(value: &mut f64) -> Slider<'_> {
    Slider::new(value, 0.02..=0.98)
        .custom_formatter(|v, _| format!("{:.0} %", v * 100.0))
        .custom_parser(|text| {
            let number = text
                .trim()
                .trim_end_matches('%')
                .trim()
                .parse::<f64>()
                .ok()?;
            Some(number / 100.0)
        })
}

fn gates_ui(ui: &mut Ui, config: &mut LotteryConfig) {
    let label = ui.label("Budget");
    ui.add(share_slider(&mut config.budget))
        .labelled_by(label.id)
        .on_hover_text("The share of the operations to keep");
    ui.end_row();
}

fn edge_popup_ui(ui: &mut Ui, config: &mut LotteryConfig, typed: &mut Typed) {
    let label = ui.label("k");
    ui.add(share_slider(&mut config.k))
        .labelled_by(label.id)
        .on_hover_text("The share of each layer's weights that is kept");
    ui.end_row();
    let label = ui.label("Also k");
    if typed.shown != config.k_sweep {
        typed.shown.clone_from(&config.k_sweep);
        let texts: Vec<String> = typed
            .shown
            .iter()
            .map(|k| format!("{}", k * 100.0))
            .collect();
        typed.sweep = texts.join(", ");
    }
    let field = TextEdit::singleline(&mut typed.sweep)
        .hint_text("10, 30, 70")
        .desired_width(120.0);
    if ui
        .add(field)
        .labelled_by(label.id)
        .on_hover_text("Further shares to try, in per cent")
        .changed()
    {
        let numbers = typed
            .sweep
            .split(',')
            .filter_map(|t| t.trim().parse::<f64>().ok());
        config.k_sweep = numbers
            .filter(|p| *p > 0.0 && *p <= 100.0)
            .map(|p| p / 100.0)
            .take(20)
            .collect();
        typed.shown.clone_from(&config.k_sweep);
    }
    ui.end_row();
    ui.label("Weights");
    ui.horizontal(|ui| {
        for (weights, name, about) in [
            (
                RandomWeights::SignedConstant,
                "± constant",
                "One magnitude a layer, random signs",
            ),
            (
                RandomWeights::KaimingNormal,
                "Normal",
                "Kaiming's normal distribution",
            ),
        ] {
            ui.selectable_value(&mut config.weights, weights, name)
                .on_hover_text(about);
        }
    });
    ui.end_row();
}

fn subset_ui(ui: &mut Ui, config: &mut LotteryConfig) {
    let label = ui.label("n");
    ui.add(Slider::new(&mut config.n, 2..=26))
        .labelled_by(label.id)
        .on_hover_text("Random numbers to choose from for each weight; the paper has 21");
    ui.end_row();
}

fn target_ui(ui: &mut Ui, config: &mut LotteryConfig) {
    ui.horizontal(|ui| {
        let mut on = config.target.is_some();
        ui.checkbox(&mut on, "Stop at an accuracy")
            .on_hover_text("End a training when the test accuracy is reached");
        if !on {
            config.target = None;
            return;
        }
        let target = config.target.get_or_insert(0.97);
        let mut per_cent = *target * 100.0;
        let widget = DragValue::new(&mut per_cent)
            .range(10.0..=100.0)
            .speed(0.05)
            .max_decimals(2)
            .suffix(" %");
        ui.add(widget).on_hover_text("Target test accuracy");
        *target = per_cent / 100.0;
    });
}
