//! What a search is asked for.

use egui::{DragValue, Grid, RichText, Ui};

use super::super::config::{Lengths, SearchConfig, TaskKind};
use super::super::presets::PRESETS;
use super::super::starts::Start;
use crate::gui::controls::seed_ui;
use crate::gui::theme;

const TASKS: [(TaskKind, &str); 5] = [
    (TaskKind::Linear, "Linear regressors"),
    (TaskKind::Affine, "Affine regressors"),
    (TaskKind::Nonlinear, "Two-layer teachers"),
    (TaskKind::Images, "Pairs of picture classes"),
    (TaskKind::Csv, "A table of your own"),
];

const STARTS: [(Option<Start>, &str); 7] = [
    (None, "As usual for the task"),
    (Some(Start::Empty), "Programs that do nothing"),
    (Some(Start::Random), "Random programs"),
    (Some(Start::Linear), "Linear model by hand"),
    (Some(Start::Network), "Two-layer network by hand"),
    (Some(Start::Damaged), "Damaged network"),
    (Some(Start::LastLayer), "Network, last layer learns"),
];

/// What a task is called.
pub fn task_name(task: TaskKind) -> &'static str {
    TASKS
        .iter()
        .find(|(kind, _)| *kind == task)
        .map_or("", |(_, name)| name)
}

/// Buttons with whole configurations. True when one was pressed.
pub fn presets_ui(ui: &mut Ui, config: &mut SearchConfig, enabled: bool) -> bool {
    let mut pressed = false;
    ui.horizontal_wrapped(|ui| {
        for preset in PRESETS {
            let button = ui.add_enabled(enabled, egui::Button::new(preset.title));
            if button.on_hover_text(preset.about).clicked() {
                *config = SearchConfig {
                    seed: config.seed,
                    ..(preset.config)()
                };
                pressed = true;
            }
        }
    });
    pressed
}

/// Draws the settings of a search. True when one has changed.
pub fn config_ui(ui: &mut Ui, config: &mut SearchConfig, control: &mut bool) -> bool {
    let before = (config.clone(), *control);
    ui.strong("Task");
    Grid::new("automl task")
        .num_columns(2)
        .spacing([12.0, 8.0])
        .show(ui, |ui| task_ui(ui, config));
    if config.task == TaskKind::Csv {
        let faint = theme::tokens(ui).faint;
        let text = match &config.csv {
            Some(path) => path.display().to_string(),
            None => "Open or drop a CSV file".to_owned(),
        };
        ui.add(egui::Label::new(RichText::new(text).color(faint)).truncate());
    }
    ui.add_space(6.0);
    ui.separator();
    ui.strong("Evolution");
    Grid::new("automl evolution")
        .num_columns(2)
        .spacing([12.0, 8.0])
        .show(ui, |ui| evolution_ui(ui, config));
    ui.checkbox(control, "Random search beside").on_hover_text(
        "Draws as many random programs on the same tasks: what evolution is worth. Halves the speed",
    );
    ui.add_space(6.0);
    ui.separator();
    ui.strong("Programs");
    Grid::new("automl programs")
        .num_columns(2)
        .spacing([12.0, 8.0])
        .show(ui, |ui| programs_ui(ui, config));
    seed_ui(ui, &mut config.seed);
    before != (config.clone(), *control)
}

fn task_ui(ui: &mut Ui, config: &mut SearchConfig) {
    let label = ui.label("Learn");
    egui::ComboBox::from_id_salt("automl task kind")
        .selected_text(task_name(config.task))
        .show_ui(ui, |ui| {
            for (kind, name) in TASKS {
                if ui.selectable_label(config.task == kind, name).clicked() {
                    // What was asked for of one task means little for another.
                    *config = SearchConfig {
                        task: kind,
                        csv: config.csv.take(),
                        seed: config.seed,
                        ..SearchConfig::default()
                    };
                }
            }
        })
        .response
        .labelled_by(label.id);
    ui.end_row();
    let usual = config.usual();
    if config.task != TaskKind::Csv {
        let about = "Numbers of an example";
        number_ui(
            ui,
            "Features",
            about,
            &mut config.features,
            usual.features,
            2..=32,
        );
    }
    let about = "Every program is tried on so many tasks; sixteen go side by side";
    number_ui(ui, "Tasks", about, &mut config.tasks, usual.tasks, 1..=256);
    if config.task != TaskKind::Csv {
        let about = "Examples that a program learns a task from";
        let value = &mut config.train_examples;
        number_ui(ui, "To learn from", about, value, usual.train, 1..=10_000);
        let about = "Examples that it is judged by";
        let value = &mut config.valid_examples;
        number_ui(ui, "To be judged by", about, value, usual.valid, 1..=10_000);
    }
}

fn evolution_ui(ui: &mut Ui, config: &mut SearchConfig) {
    let usual = config.usual();
    let about = "Individuals of a population: the paper's P";
    let value = &mut config.population;
    number_ui(
        ui,
        "Population",
        about,
        value,
        usual.population,
        1..=100_000,
    );
    let about = "The best of so many becomes a parent: the paper's T";
    let value = &mut config.tournament;
    number_ui(ui, "Tournament", about, value, usual.tournament, 1..=1000);
    let about = "Tournaments take no notice of smaller differences of fitness, which are the noise of the tasks";
    float_ui(
        ui,
        "Resolution",
        about,
        &mut config.resolution,
        usual.resolution,
        0.0..=0.1,
    );
    let about = "Side by side, each on a core of its own; they exchange individuals";
    let value = &mut config.populations;
    number_ui(ui, "Populations", about, value, usual.populations, 1..=64);
    let about = "Begin anew on other tasks after so many programs without success; 0 never does";
    let value = &mut config.restart;
    number_ui(
        ui,
        "Begin anew after",
        about,
        value,
        usual.restart,
        0..=u64::from(u32::MAX),
    );
    let about = "Examples by which programs that predict the same are known; 0 for none";
    plain_ui(ui, "Equivalence cache", about, |ui| {
        ui.add(DragValue::new(&mut config.functional).range(0..=1000))
    });
    let about = "Programs that have learnt too little after this part of the examples are stopped; 0 for none";
    float_ui(
        ui,
        "Hurdle at",
        about,
        &mut config.hurdle,
        usual.hurdle,
        0.0..=1.0,
    );
    let about =
        "Programs that cost more than so many times the network by hand are rejected; 0 for none";
    float_ui(
        ui,
        "Budget",
        about,
        &mut config.budget,
        usual.budget,
        0.0..=100.0,
    );
}

fn programs_ui(ui: &mut Ui, config: &mut SearchConfig) {
    let label = ui.label("Begin with");
    let name = if config.start_text.is_some() {
        "A program of your own"
    } else {
        STARTS
            .iter()
            .find(|(start, _)| *start == config.start)
            .map_or("", |(_, name)| name)
    };
    egui::ComboBox::from_id_salt("automl start")
        .selected_text(name)
        .show_ui(ui, |ui| {
            for (start, name) in STARTS {
                let is_it = config.start_text.is_none() && config.start == start;
                if ui.selectable_label(is_it, name).clicked() {
                    config.start = start;
                    config.start_text = None;
                }
            }
        })
        .response
        .labelled_by(label.id);
    ui.end_row();
    let usual = config.usual();
    let lengths = [
        ("Setup", &mut config.setup, usual.lengths[0]),
        ("Predict", &mut config.predict, usual.lengths[1]),
        ("Learn", &mut config.learn, usual.lengths[2]),
    ];
    for (name, value, usual) in lengths {
        lengths_ui(ui, name, value, usual);
    }
}

/// The first, the least and the greatest length of a function.
fn lengths_ui(ui: &mut Ui, name: &str, value: &mut Option<Lengths>, usual: Lengths) {
    let mut lengths = value.unwrap_or(usual);
    let label = ui
        .label(name)
        .on_hover_text("Instructions at first, at least and at most");
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let [first, least, most] = [&mut lengths.first, &mut lengths.least, &mut lengths.most];
        for (value, hover) in [(first, "at first"), (least, "at least"), (most, "at most")] {
            ui.add(DragValue::new(value).range(1..=64))
                .labelled_by(label.id)
                .on_hover_text(hover);
        }
    });
    ui.end_row();
    let lengths = lengths.ordered();
    if lengths != value.unwrap_or(usual) {
        *value = Some(lengths);
    }
}

fn plain_ui(ui: &mut Ui, name: &str, about: &str, add: impl FnOnce(&mut Ui) -> egui::Response) {
    let label = ui.label(name).on_hover_text(about);
    add(ui).labelled_by(label.id).on_hover_text(about);
    ui.end_row();
}

/// A number that is the task's own until it is changed.
fn number_ui<T: egui::emath::Numeric>(
    ui: &mut Ui,
    name: &str,
    about: &str,
    value: &mut Option<T>,
    usual: T,
    range: std::ops::RangeInclusive<T>,
) {
    plain_ui(ui, name, about, |ui| {
        let mut shown = value.unwrap_or(usual);
        let response = ui.add(DragValue::new(&mut shown).range(range));
        if shown != value.unwrap_or(usual) {
            *value = Some(shown);
        }
        response
    });
}

fn float_ui(
    ui: &mut Ui,
    name: &str,
    about: &str,
    value: &mut Option<f32>,
    usual: f32,
    range: std::ops::RangeInclusive<f32>,
) {
    plain_ui(ui, name, about, |ui| {
        let mut shown = value.unwrap_or(usual);
        let drag = DragValue::new(&mut shown).range(range).speed(0.01);
        let response = ui.add(drag);
        if shown.to_bits() != value.unwrap_or(usual).to_bits() {
            *value = Some(shown);
        }
        response
    });
}
