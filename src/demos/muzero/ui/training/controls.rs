//! What a run is asked for. Only what matters for the chosen agent and game is shown.

use egui::{CollapsingHeader, ComboBox, DragValue, Grid, Slider, Ui};

use super::super::super::config::{ALL_MOVES, Agent, SearchKind, Settings, TrainConfig};
use super::super::super::game::{GameId, Spec, open};
use super::super::super::presets::PRESETS;
use super::super::super::search::Algorithm;
use super::super::games::game_picker_ui;
use super::bench::agent_name;
use crate::gui::controls::seed_ui;

const AGENTS: [(Agent, &str); 3] = [
    (Agent::MuZero, "Searches in a model that it learned"),
    (
        Agent::AlphaZero,
        "The same network, but the search is given the rules; board games only",
    ),
    (
        Agent::ActorCritic,
        "No search: a policy gradient with the value as baseline",
    ),
];

/// What a game is, kept so that it is not opened in every frame.
#[derive(Default)]
pub struct Known {
    spec: Option<(GameId, Option<Spec>)>,
}

impl Known {
    fn spec(&mut self, game: &GameId) -> Option<&Spec> {
        if self.spec.as_ref().is_none_or(|(known, _)| known != game) {
            let spec = match game {
                // To ask it, an arcade would have to be started.
                GameId::Atari(_) => None,
                game => open(game).ok().map(|game| game.spec().clone()),
            };
            self.spec = Some((game.clone(), spec));
        }
        self.spec.as_ref().and_then(|(_, spec)| spec.as_ref())
    }

    /// What the settings come to.
    fn settings(&mut self, config: &TrainConfig) -> Option<Settings> {
        config.settings(self.spec(&config.game)?).ok()
    }
}

/// Buttons with whole configurations. True when one was pressed.
pub fn presets_ui(ui: &mut Ui, config: &mut TrainConfig) -> bool {
    let mut pressed = false;
    ui.horizontal_wrapped(|ui| {
        for preset in PRESETS {
            if ui
                .button(preset.title)
                .on_hover_text(preset.about)
                .clicked()
            {
                *config = TrainConfig {
                    seed: config.seed,
                    ..(preset.config)()
                };
                pressed = true;
            }
        }
    });
    pressed
}

/// A row for a setting that has a value of its own unless somebody chooses another.
fn row<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    about: &str,
    value: &mut Option<T>,
    usual: T,
    widget: impl FnOnce(&mut Ui, &mut T) -> egui::Response,
) {
    let label = ui.label(name);
    let mut shown = value.unwrap_or(usual);
    widget(ui, &mut shown)
        .labelled_by(label.id)
        .on_hover_text(about);
    if shown != value.unwrap_or(usual) {
        *value = Some(shown);
    }
    ui.end_row();
}

fn share(ui: &mut Ui, value: &mut f64) -> egui::Response {
    let slider = Slider::new(value, 0.0..=1.0)
        .custom_formatter(|v, _| format!("{:.0} %", v * 100.0))
        .custom_parser(|text| {
            let number = text.trim().trim_end_matches('%').trim();
            Some(number.parse::<f64>().ok()? / 100.0)
        });
    ui.add(slider)
}

fn grid(ui: &mut Ui, name: &str, rows: impl FnOnce(&mut Ui)) {
    Grid::new(name)
        .num_columns(2)
        .spacing([12.0, 8.0])
        .show(ui, rows);
}

/// Draws the settings of a run; with `fixed`, what a run that goes on cannot change is locked. True
/// when one has changed.
pub fn config_ui(ui: &mut Ui, config: &mut TrainConfig, known: &mut Known, fixed: bool) -> bool {
    let before = config.clone();
    ui.add_enabled_ui(!fixed, |ui| game_ui(ui, config));
    let Some(usual) = known.settings(&TrainConfig {
        agent: config.agent,
        search: config.search,
        ..TrainConfig::new(config.game.clone())
    }) else {
        return *config != before;
    };
    ui.add_space(4.0);
    let searches = config.agent != Agent::ActorCritic;
    if searches {
        search_ui(ui, config, &usual);
    }
    grid(ui, "learning", |ui| learning_ui(ui, config, &usual));
    if usual.players == 2 && searches {
        let mut on = config.symmetries.unwrap_or(usual.symmetries);
        let about = "Turn and mirror boards at random in training";
        if ui
            .checkbox(&mut on, "Symmetries")
            .on_hover_text(about)
            .changed()
        {
            config.symmetries = Some(on);
        }
    }
    seed_ui(ui, &mut config.seed);
    CollapsingHeader::new("Measurements and end").show(ui, |ui| {
        grid(ui, "measurements", |ui| end_ui(ui, config, &usual));
    });
    CollapsingHeader::new("Network and memory").show(ui, |ui| {
        ui.add_enabled_ui(!fixed, |ui| {
            grid(ui, "network", |ui| network_ui(ui, config, &usual));
        });
    });
    CollapsingHeader::new("Targets and games").show(ui, |ui| {
        grid(ui, "targets", |ui| targets_ui(ui, config, &usual));
    });
    *config != before
}

fn game_ui(ui: &mut Ui, config: &mut TrainConfig) {
    grid(ui, "game", |ui| {
        let label = ui.label("Game");
        let mut game = config.game.clone();
        game_picker_ui(ui, &mut game, None).labelled_by(label.id);
        ui.end_row();
        if game != config.game {
            // Another game has other sizes; what was asked for of the agent stays.
            *config = TrainConfig {
                agent: config.agent,
                search: config.search,
                seed: config.seed,
                ..TrainConfig::new(game)
            };
        }
    });
    let alone = matches!(config.game, GameId::MinAtar(_) | GameId::Atari(_));
    ui.horizontal_wrapped(|ui| {
        for (agent, about) in AGENTS {
            let possible = !(alone && agent == Agent::AlphaZero);
            let button = egui::Button::selectable(config.agent == agent, agent_name(agent));
            let shown = ui.add_enabled(possible, button);
            if shown
                .on_hover_text(about)
                .on_disabled_hover_text(about)
                .clicked()
            {
                config.agent = agent;
            }
        }
    });
    if alone && config.agent == Agent::AlphaZero {
        config.agent = Agent::MuZero;
    }
}

fn search_ui(ui: &mut Ui, config: &mut TrainConfig, usual: &Settings) {
    ui.horizontal_wrapped(|ui| {
        ui.label("Search");
        ui.selectable_value(&mut config.search, SearchKind::Gumbel, "Gumbel")
            .on_hover_text("Sequential halving at the root: improves with any number (2022)");
        ui.selectable_value(&mut config.search, SearchKind::Puct, "pUCT")
            .on_hover_text("The paper's: upper confidence bounds and noise at the root");
    });
    grid(ui, "search", |ui| {
        let about = "Simulations a move in self-play; 0 plays from the policy alone";
        let simulations = usual.search.simulations;
        row(
            ui,
            "Simulations",
            about,
            &mut config.simulations,
            simulations,
            |ui, n| ui.add(Slider::new(n, 0..=800).logarithmic(true)),
        );
        let about = "Share of all searches that look at remembered positions anew";
        row(
            ui,
            "Reanalyse",
            about,
            &mut config.reanalyse,
            usual.reanalyse,
            share,
        );
    });
}

fn learning_ui(ui: &mut Ui, config: &mut TrainConfig, usual: &Settings) {
    let about = "Of AdamW";
    row(
        ui,
        "Learning rate",
        about,
        &mut config.learning_rate,
        usual.learning_rate,
        |ui, rate| {
            let slider = Slider::new(rate, 1e-5..=0.1).logarithmic(true);
            ui.add(slider.custom_formatter(|v, _| crate::gui::figure::Unit::Number.text(v)))
        },
    );
    if config.agent == Agent::MuZero {
        let about = "Steps that the model is unrolled in training";
        row(
            ui,
            "Unroll",
            about,
            &mut config.unroll,
            usual.unroll,
            |ui, n| ui.add(Slider::new(n, 1..=10)),
        );
        let about = "Weight of EfficientZero's loss between imagined and seen states";
        row(
            ui,
            "Consistency",
            about,
            &mut config.consistency,
            usual.consistency,
            |ui, weight| ui.add(Slider::new(weight, 0.0..=5.0).fixed_decimals(1)),
        );
    }
    if config.agent != Agent::ActorCritic {
        let about = "How often a position is trained on, on average";
        row(
            ui,
            "Reuse",
            about,
            &mut config.reuse,
            usual.reuse,
            |ui, reuse| {
                ui.add(
                    DragValue::new(reuse)
                        .range(0.1..=50.0)
                        .speed(0.05)
                        .suffix(" ×"),
                )
            },
        );
    }
}

fn number(ui: &mut Ui, value: &mut usize, least: usize, most: usize) -> egui::Response {
    ui.add(DragValue::new(value).range(least..=most))
}

/// A row for something that may be left out; 0 leaves it out.
fn limit(ui: &mut Ui, name: &str, about: &str, value: &mut Option<f64>, suffix: &str) {
    let label = ui.label(name);
    let mut shown = value.unwrap_or(0.0);
    let field = DragValue::new(&mut shown)
        .range(0.0..=1e9)
        .suffix(suffix)
        .custom_formatter(|v, _| {
            if v > 0.0 {
                v.to_string()
            } else {
                "none".into()
            }
        });
    if ui
        .add(field)
        .labelled_by(label.id)
        .on_hover_text(about)
        .changed()
    {
        *value = (shown > 0.0).then_some(shown);
    }
    ui.end_row();
}

fn end_ui(ui: &mut Ui, config: &mut TrainConfig, usual: &Settings) {
    let label = ui.label("Measure");
    let name = |every: Option<f64>| match every {
        None => "when it costs little".to_owned(),
        Some(0.0) => "never".into(),
        Some(seconds) => format!("every {seconds:.0} s"),
    };
    ComboBox::from_id_salt("measure")
        .selected_text(name(config.evaluate_every))
        .show_ui(ui, |ui| {
            for every in [
                None,
                Some(5.0),
                Some(20.0),
                Some(60.0),
                Some(300.0),
                Some(0.0),
            ] {
                ui.selectable_value(&mut config.evaluate_every, every, name(every));
            }
        })
        .response
        .labelled_by(label.id)
        .on_hover_text("When it costs little: less than a tenth of the time");
    ui.end_row();
    if config.agent != Agent::ActorCritic {
        let about = "Simulations a move in measurements";
        let simulations = config.simulations.unwrap_or(usual.search.simulations);
        row(
            ui,
            "With",
            about,
            &mut config.evaluate_with,
            simulations,
            |ui, n| ui.add(DragValue::new(n).range(0..=800).suffix(" simulations")),
        );
    }
    let mut steps = config.steps.map(|steps| steps as f64);
    limit(
        ui,
        "Stop at",
        "After so many training steps",
        &mut steps,
        " steps",
    );
    config.steps = steps.map(|steps| steps.round() as u64);
    limit(
        ui,
        "Stop after",
        "So many minutes",
        &mut config.minutes,
        " minutes",
    );
}

fn network_ui(ui: &mut Ui, config: &mut TrainConfig, usual: &Settings) {
    let net = &usual.net;
    row(
        ui,
        "Channels",
        "Of all networks",
        &mut config.channels,
        net.channels,
        |ui, n| number(ui, n, 4, 256),
    );
    let about = "Residual blocks of the dynamics";
    row(
        ui,
        "Blocks of g",
        about,
        &mut config.blocks,
        net.dynamics_blocks,
        |ui, n| number(ui, n, 1, 16),
    );
    let (about, blocks) = (
        "Residual blocks of the representation",
        net.represent_blocks,
    );
    row(
        ui,
        "Blocks of h",
        about,
        &mut config.represent_blocks,
        blocks,
        |ui, n| number(ui, n, 1, 16),
    );
    let about = "Games that are played at the same time";
    row(
        ui,
        "Games",
        about,
        &mut config.games,
        usual.games,
        |ui, n| number(ui, n, 1, 1024),
    );
    row(
        ui,
        "Memory",
        "Positions that are kept",
        &mut config.buffer,
        usual.buffer,
        |ui, n| ui.add(DragValue::new(n).range(1000..=10_000_000).speed(1000.0)),
    );
}

fn targets_ui(ui: &mut Ui, config: &mut TrainConfig, usual: &Settings) {
    row(
        ui,
        "Batch",
        "Positions of a training step",
        &mut config.batch,
        usual.batch,
        |ui, n| number(ui, n, 8, 4096),
    );
    if let Algorithm::Gumbel(gumbel) = &usual.search.algorithm {
        let about = "Q-values within this range are not stretched: what differs by less hardly \
                     sways the search";
        row(
            ui,
            "Least range",
            about,
            &mut config.least_range,
            gumbel.least_range,
            |ui, range| ui.add(DragValue::new(range).range(1e-3..=10.0).speed(0.01)),
        );
    }
    if usual.players == 1 {
        let about = "Rewards that are counted before a value is trusted";
        let steps = usual.td_steps.unwrap_or(5);
        row(
            ui,
            "TD steps",
            about,
            &mut config.td_steps,
            steps,
            |ui, n| number(ui, n, 1, 100),
        );
        let about = "What a reward counts one step earlier";
        row(
            ui,
            "Discount",
            about,
            &mut config.discount,
            usual.discount,
            |ui, discount| ui.add(DragValue::new(discount).range(0.5..=1.0).speed(0.001)),
        );
    } else {
        let about = "Share of the games that begin with random moves";
        row(
            ui,
            "Openings",
            about,
            &mut config.openings,
            usual.openings,
            share,
        );
        let about = "Share of the moves that are random";
        row(
            ui,
            "Explore",
            about,
            &mut config.explore,
            usual.explore,
            share,
        );
        let about = "Moves of a game that are drawn with noise; later ones are the best found";
        row(
            ui,
            "Noisy moves",
            about,
            &mut config.noisy_moves,
            usual.noisy_moves,
            |ui, n| number(ui, n, 0, ALL_MOVES),
        );
        if config.game == GameId::Go {
            let about = "Whether self-play passes while it is behind, which ends games early";
            row(
                ui,
                "Pass behind",
                about,
                &mut config.pass_behind,
                usual.pass_behind,
                |ui, passes| ui.checkbox(passes, ""),
            );
        }
        let about = "How much of the target is what the search found, not how the game ended";
        row(
            ui,
            "Value mix",
            about,
            &mut config.value_mix,
            usual.value_mix,
            |ui, mix| ui.add(Slider::new(mix, 0.0..=1.0)),
        );
    }
    let about = "Of AdamW";
    row(
        ui,
        "Weight decay",
        about,
        &mut config.weight_decay,
        usual.weight_decay,
        |ui, decay| ui.add(DragValue::new(decay).range(0.0..=0.1).speed(1e-5)),
    );
}
