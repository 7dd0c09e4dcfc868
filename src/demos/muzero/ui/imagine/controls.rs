//! The page's controls.

use egui::{Button, DragValue, RichText, Slider, Ui};

use super::super::super::imagination::Drift;
use super::super::games::game_picker_ui;
use super::super::page::Shared;
use super::{MOST_STEPS, Options, POSITIONS, Source};
use crate::compute::Progress;
use crate::gui::controls::{progress_ui, seed_ui};
use crate::gui::{Command, theme};

/// Most simulations of the search for the principal variation.
pub const MOST_SIMULATIONS: usize = 2000;

const SOURCES: [(Source, &str, &str); 4] = [
    (
        Source::Principal,
        "Principal variation",
        "What a search in the learned model holds best for both sides",
    ),
    (
        Source::Played,
        "Moves played",
        "The moves that led to the position on the table",
    ),
    (Source::Random, "Random moves", "Legal moves by chance"),
    (
        Source::Own,
        "Own moves",
        "Click on the last imagined board to go on, also where the rules forbid it",
    ),
];

/// The game, and the moves to imagine.
pub fn ui(ui: &mut Ui, options: &mut Options, shared: &mut Shared) {
    ui.add_space(4.0);
    ui.strong("Position");
    game_ui(ui, shared);
    let faint = theme::tokens(ui).faint;
    let count = shared.moves.len();
    let text = match count {
        0 => "The beginning of a game".to_owned(),
        1 => "After 1 move".to_owned(),
        _ => format!("After {count} moves"),
    };
    ui.label(RichText::new(text).small().color(faint));
    ui.add_space(6.0);
    ui.separator();
    ui.strong("Moves to imagine");
    for (source, name, about) in SOURCES {
        ui.radio_value(&mut options.source, source, name)
            .on_hover_text(about);
    }
    ui.add_space(4.0);
    match options.source {
        Source::Principal => {
            number_ui(ui, "Simulations", |ui| {
                ui.add(
                    DragValue::new(&mut options.simulations)
                        .speed(4.0)
                        .range(1..=MOST_SIMULATIONS),
                )
            });
        }
        Source::Played => {
            options.from = options.from.min(count);
            number_ui(ui, "Begin after move", |ui| {
                ui.add(DragValue::new(&mut options.from).range(0..=count))
            });
        }
        Source::Random => {
            seed_ui(ui, &mut options.seed);
        }
        Source::Own => own_ui(ui, options),
    }
    if options.source != Source::Own {
        number_ui(ui, "Steps", |ui| {
            ui.add(Slider::new(&mut options.depth, 1..=MOST_STEPS))
        });
    }
}

fn number_ui(ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui) -> egui::Response) {
    ui.horizontal(|ui| {
        let label = ui.label(name);
        add(ui).labelled_by(label.id);
    });
}

fn game_ui(ui: &mut Ui, shared: &mut Shared) {
    let mut game = shared.game.clone();
    ui.horizontal(|ui| {
        let label = ui.label("Game");
        game_picker_ui(ui, &mut game, None).labelled_by(label.id);
    });
    if game != shared.game {
        shared.begin(game);
    }
}

fn own_ui(ui: &mut Ui, options: &mut Options) {
    let faint = theme::tokens(ui).faint;
    ui.horizontal(|ui| {
        let any = !options.own.is_empty();
        if ui.add_enabled(any, Button::new("Take back")).clicked() {
            options.own.pop();
        }
        if ui.add_enabled(any, Button::new("Clear")).clicked() {
            options.own.clear();
        }
    });
    let text = format!("{} of at most {MOST_STEPS} moves", options.own.len());
    ui.label(RichText::new(text).small().color(faint));
}

/// Measuring the error over many positions.
pub fn measure_ui(
    ui: &mut Ui,
    runs: bool,
    progress: Option<&Progress>,
    drift: Option<&Drift>,
    commands: &mut Vec<Command>,
) {
    let tokens = theme::tokens(ui);
    ui.strong("Error against depth");
    let about = format!(
        "Imagines {MOST_STEPS} steps from {POSITIONS} positions of self-play that began with \
         random moves"
    );
    if runs {
        let stop = Button::new(RichText::new("Stop").color(tokens.on_accent).strong());
        if ui.add(stop.fill(tokens.bad)).clicked() {
            commands.push(Command::Stop);
        }
    } else {
        let run = Button::new(RichText::new("Measure").color(tokens.on_accent).strong());
        if ui
            .add(run.fill(tokens.accent))
            .on_hover_text(about)
            .clicked()
        {
            commands.push(Command::Run);
        }
    }
    if let Some(progress) = progress {
        progress_ui(ui, progress);
    }
    let text = match drift {
        Some(drift) => format!(
            "Means with 95 % bands over {} positions, the model was unrolled {} steps in training",
            drift.positions, drift.unroll
        ),
        None => "Not measured yet".into(),
    };
    ui.label(RichText::new(text).small().color(tokens.faint));
}
