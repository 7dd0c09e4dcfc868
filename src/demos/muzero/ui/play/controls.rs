//! The page's controls.

use egui::{DragValue, Grid, RichText, Slider, TextEdit, Ui};

use super::super::super::game::GameId;
use super::super::super::weights_file::shipped;
use super::super::games::game_picker_ui;
use super::super::page::Shared;
use super::super::scene;
use super::seats::seat_ui;
use super::{MAX_SIMULATIONS, PlayPage};
use crate::gui::controls::RunState;
use crate::gui::{Command, TabCx, theme};

/// A section's name, with the space before it.
fn section(ui: &mut Ui, name: &str) {
    ui.add_space(6.0);
    ui.separator();
    ui.strong(name);
}

impl PlayPage {
    pub(super) fn all_controls_ui(&mut self, ui: &mut Ui, shared: &mut Shared, cx: &mut TabCx<'_>) {
        let before = self.options.clone();
        ui.add_space(4.0);
        if scene::is_board(&shared.game) {
            self.board_buttons_ui(ui, shared, cx);
        } else {
            self.arcade_buttons_ui(ui, shared, cx);
        }
        section(ui, "Game");
        self.picker_ui(ui, shared);
        if scene::is_board(&shared.game) {
            section(ui, "Players");
            let game = shared.game.clone();
            Grid::new("players")
                .num_columns(2)
                .spacing([12.0, 8.0])
                .show(ui, |ui| {
                    let mut changed = false;
                    let names = scene::sides(&game);
                    for (side, seat) in names.into_iter().zip(&mut self.options.seats) {
                        changed |= seat_ui(ui, side, &game, seat);
                    }
                    if changed {
                        self.asked = None;
                        self.message = None;
                    }
                });
        } else {
            section(ui, "Player");
            ui.horizontal(|ui| {
                ui.selectable_value(&mut self.options.watch, false, "You");
                ui.selectable_value(&mut self.options.watch, true, "MuZero")
                    .on_hover_text("Watch the networks play");
            });
        }
        section(ui, "MuZero");
        self.machine_ui(ui, shared);
        if self.options != before {
            self.revision += 1;
        }
        ui.add_space(8.0);
    }

    fn board_buttons_ui(&mut self, ui: &mut Ui, shared: &mut Shared, cx: &mut TabCx<'_>) {
        ui.horizontal_wrapped(|ui| {
            let new = ui.button("New game").on_hover_text("From the beginning");
            if new.clicked() {
                let game = shared.game.clone();
                self.new_game(game, shared);
            }
            let keys = |ui: &Ui, command: Command| {
                let keys = command.shortcut();
                keys.map_or(String::new(), |keys| ui.ctx().format_shortcut(&keys))
            };
            for (command, name, can) in [
                (Command::Undo, "Undo", !shared.moves.is_empty()),
                (Command::Redo, "Redo", !shared.undone.is_empty()),
            ] {
                let button = ui.add_enabled(can, egui::Button::new(name));
                if button.on_hover_text(keys(ui, command)).clicked() {
                    cx.commands.push(command);
                }
            }
        });
        ui.horizontal_wrapped(|ui| {
            let table = Self::table(shared);
            let yours = table.is_some_and(|table| self.is_your_turn(&table));
            let hint = ui.add_enabled(yours, egui::Button::new("Hint"));
            let hint = hint.on_hover_text("Shows the move that the search prefers");
            if hint.clicked() {
                self.hint = true;
                shared.analysis.forgive();
            }
            let turn = ui.button("Flip board");
            if turn.on_hover_text("Seen from the other side").clicked() {
                self.options.turned = !self.options.turned;
            }
            if self.asked.is_some() {
                let stop = ui.button("Stop");
                if stop.on_hover_text("Stops who is thinking").clicked() {
                    cx.commands.push(Command::Stop);
                }
            }
        });
    }

    fn arcade_buttons_ui(&mut self, ui: &mut Ui, shared: &mut Shared, cx: &mut TabCx<'_>) {
        ui.horizontal_wrapped(|ui| {
            if ui.button("New game").clicked() {
                let game = shared.game.clone();
                self.new_game(game, shared);
            }
            if self.arcade.state() == RunState::Running {
                if ui.button("Pause").clicked() {
                    cx.commands.push(Command::Pause);
                }
            } else {
                let can = self.arcade.can_run();
                let run = ui.add_enabled(can, egui::Button::new("Run"));
                if run.clicked() {
                    cx.commands.push(Command::Run);
                }
                let step = ui.add_enabled(can, egui::Button::new("Step"));
                if step.on_hover_text("One decision").clicked() {
                    cx.commands.push(Command::Step);
                }
            }
        });
    }

    fn picker_ui(&mut self, ui: &mut Ui, shared: &mut Shared) {
        let mut chosen = shared.game.clone();
        game_picker_ui(ui, &mut chosen, Some(&self.options.rom))
            .widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, "Game"));
        if matches!(shared.game, GameId::Atari(_)) {
            ui.horizontal(|ui| {
                let label = ui.label("ROM");
                let field = TextEdit::singleline(&mut self.options.rom).desired_width(110.0);
                let field = ui.add(field).labelled_by(label.id);
                let field = field.on_hover_text("Its name in ale-py, such as pong");
                let game: Result<GameId, _> = format!("atari:{}", self.options.rom).parse();
                if let Some(game) = game.ok().filter(|_| field.lost_focus()) {
                    chosen = game;
                }
            });
        }
        if chosen != shared.game {
            self.new_game(chosen, shared);
        }
        if scene::is_board(&shared.game) {
            return;
        }
        let place = usize::from(matches!(shared.game, GameId::Atari(_)));
        ui.horizontal(|ui| {
            let label = ui.label("Pace");
            let field = DragValue::new(&mut self.options.pace[place])
                .range(1..=60)
                .speed(0.2)
                .suffix(" decisions/s");
            ui.add(field).labelled_by(label.id);
        });
    }

    fn machine_ui(&mut self, ui: &mut Ui, shared: &mut Shared) {
        let tokens = theme::tokens(ui);
        let options = &mut self.options;
        Grid::new("machine")
            .num_columns(2)
            .spacing([12.0, 8.0])
            .show(ui, |ui| {
                let label = ui.label("Simulations");
                let slider = Slider::new(&mut options.simulations, 0..=MAX_SIMULATIONS)
                    .logarithmic(true)
                    .smallest_positive(1.0);
                ui.add(slider)
                    .labelled_by(label.id)
                    .on_hover_text("Of the search for each move; 0 plays from the policy alone");
                ui.end_row();
                if scene::is_board(&shared.game) {
                    let label = ui.label("Temperature");
                    let slider = Slider::new(&mut options.temperature, 0.0..=2.0)
                        .step_by(0.05)
                        .fixed_decimals(2);
                    ui.add(slider).labelled_by(label.id).on_hover_text(
                        "0 plays the best move, 1 draws from the policy that the search found",
                    );
                    ui.end_row();
                }
            });
        if scene::is_board(&shared.game) {
            ui.checkbox(&mut options.think_along, "Think along")
                .on_hover_text("Search every position on the table, for the colours and values");
        }
        Self::weights_ui(ui, shared);
        let shot = shared.analysis.of(&shared.game, &shared.moves);
        if let Some(speed) = shot.and_then(|shot| shot.sims_per_second)
            && !self.is_still
        {
            let text = format!("{speed:.0} simulations/s");
            ui.label(RichText::new(text).small().color(tokens.faint));
        }
    }

    /// Which networks these are.
    fn weights_ui(ui: &mut Ui, shared: &mut Shared) {
        let tokens = theme::tokens(ui);
        if let Some(path) = shared.weights.clone() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            ui.horizontal(|ui| {
                let text = RichText::new(format!("Weights: {name}")).small();
                ui.add(egui::Label::new(text).truncate());
                if ui.small_button("Shipped ones").clicked() {
                    shared.weights = None;
                    shared.revision += 1;
                }
            });
        } else if !shipped(&shared.game).exists() {
            let text = "No trained weights of this game are here: these networks are untrained \
                        and play badly";
            let text = RichText::new(text).small().color(tokens.warning);
            ui.add(egui::Label::new(text).wrap());
        }
    }
}
