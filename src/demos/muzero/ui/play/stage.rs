//! The board and what is around it.

use egui::{Color32, Layout, Rect, RichText, Ui, UiBuilder, Vec2, pos2, vec2};

use super::super::super::game::{Game, Outcome, Player};
use super::super::page::Shared;
use super::super::scene::{self, Click, Sight};
use super::seats::Seat;
use super::values::bar_ui;
use super::{Heat, PlayPage};
use crate::gui::theme;
use crate::view::board::BoardLook;

/// The column beside the board.
const SIDE: [f32; 2] = [200.0, 280.0];
/// The bar of values.
const BAR: f32 = 12.0;
/// Below the board.
const FOOT: f32 = 34.0;

/// What a frame has brought.
#[derive(Default)]
pub(super) struct Wish {
    pub play: Option<usize>,
    pub go_to: Option<usize>,
}

impl PlayPage {
    pub(super) fn board_stage_ui(&mut self, ui: &mut Ui, shared: &mut Shared) {
        self.status_ui(ui, shared);
        ui.add_space(2.0);
        let room = ui.available_rect_before_wrap();
        let side = (room.width() * 0.34).clamp(SIDE[0], SIDE[1]);
        let gap = 14.0;
        let left = Rect::from_min_max(room.min, pos2(room.right() - side - gap, room.bottom()));
        let right = Rect::from_min_max(pos2(left.right() + gap, room.top()), room.max);
        let mut wish = Wish::default();
        let builder = UiBuilder::new().max_rect(left).id_salt("board side");
        ui.scope_builder(builder, |ui| self.board_ui(ui, shared, &mut wish));
        let builder = UiBuilder::new().max_rect(right).id_salt("move side");
        ui.scope_builder(builder, |ui| self.side_ui(ui, shared, &mut wish));
        ui.advance_cursor_after_rect(room);
        if let Some(action) = wish.play {
            self.going = true;
            self.play(action, shared);
        } else if let Some(ply) = wish.go_to {
            self.go_to(ply, shared);
        }
    }

    /// Whose turn it is, or how the game ended.
    fn status_ui(&mut self, ui: &mut Ui, shared: &mut Shared) {
        let tokens = theme::tokens(ui);
        let Some(table) = Self::table(shared) else {
            return;
        };
        let sides = scene::sides(&shared.game);
        let mut go_on = false;
        let (text, color) = if let Some(message) = &self.message {
            (message.clone(), tokens.bad)
        } else if let Some(outcome) = table.outcome {
            (self.result(outcome, sides), tokens.accent)
        } else {
            let seat = self.seat(table.to_play);
            let side = sides[table.to_play as usize];
            let text = match seat {
                Seat::You => format!("{side}: your move"),
                _ if self.going => format!("{side}: {} is thinking…", seat.name()),
                _ => {
                    go_on = true;
                    format!("{side}: {} to move", seat.name())
                }
            };
            (text, tokens.text)
        };
        ui.horizontal(|ui| {
            ui.set_min_height(24.0);
            let text = RichText::new(text).strong().size(15.0).color(color);
            ui.add(egui::Label::new(text).truncate());
            if go_on && ui.button("Let it move").clicked() {
                self.going = true;
                shared.analysis.forgive();
            }
            if self.hint
                && let Some(shot) = shared.analysis.of(&shared.game, &shared.moves)
                && shot.done
            {
                let action = shot.decision.action;
                let value = shot.decision.values.get(action).copied().flatten();
                let value = value.unwrap_or(shot.value);
                if let Ok(game) = shared.position() {
                    let text = format!("Hint: {} ({value:+.2})", game.action_name(action));
                    ui.label(RichText::new(text).color(tokens.good));
                }
            }
        });
    }

    fn result(&self, outcome: Outcome, sides: [&str; 2]) -> String {
        let Outcome::Won(player) = outcome else {
            return "A draw".into();
        };
        let side = sides[player as usize];
        match self.seat(player) {
            Seat::You if self.seat(player.other()) == Seat::You => format!("{side} won"),
            Seat::You => format!("{side} won: you"),
            seat => format!("{side} won: {}", seat.name()),
        }
    }

    fn board_ui(&mut self, ui: &mut Ui, shared: &mut Shared, wish: &mut Wish) {
        let shot = shared.analysis.of(&shared.game, &shared.moves).cloned();
        let ply = shared.moves.len();
        let now = self.values.at(ply).or_else(|| {
            let before = ply.checked_sub(1)?;
            self.values.at(before)
        });
        let Some(table) = Self::table(shared) else {
            return;
        };
        let can_move = self.is_your_turn(&table);
        let Ok(game) = shared.position() else {
            return;
        };
        let visits: Vec<f32>;
        let heat = match (&shot, self.options.heat) {
            (None, _) | (_, Heat::Off) => None,
            (Some(shot), Heat::Prior) => Some(shot.prior.as_slice()),
            (Some(shot), Heat::Search) => Some(shot.decision.policy.as_slice()),
            (Some(shot), Heat::Visits) => {
                let all: u32 = shot.decision.visits.iter().sum();
                let share = |&n: &u32| n as f32 / all.max(1) as f32;
                visits = shot.decision.visits.iter().map(share).collect();
                Some(visits.as_slice())
            }
        };
        let hint = shot.as_ref().filter(|shot| self.hint && shot.done);
        let sight = Sight {
            selected: self.selected,
            heat: heat.filter(|_| !table.is_over),
            hint: hint.map(|shot| shot.decision.action),
            turned: self.options.turned,
            can_move,
            coordinates: true,
        };
        let Some(picture) = scene::picture(game, &sight) else {
            return;
        };
        let colors = theme::boards(ui.visuals());
        let room = ui.available_rect_before_wrap();
        let choices = self.choices(game);
        let foot = if choices.is_empty() { 0.0 } else { FOOT };
        let width = room.width() - BAR - 10.0;
        // No higher than the board, so that its top is in line with what stands beside it.
        let shape = (picture.rows as f32 + 0.75) / (picture.columns as f32 + 0.3);
        let size = Vec2::new(width, (width * shape).min(room.height() - foot));
        let at = Rect::from_min_size(
            room.min + vec2(BAR + 10.0, 0.0),
            size.max(Vec2::splat(40.0)),
        );
        let builder = UiBuilder::new()
            .max_rect(at)
            .layout(Layout::top_down(egui::Align::Min));
        let shown = ui
            .scope_builder(builder, |ui| {
                self.board.show(ui, at.size(), &picture, &colors)
            })
            .inner;
        if let (Some(first), Some(last)) = (shown.cells.first(), shown.cells.last()) {
            let cells = first.union(*last);
            // Left of the rim and of the numbers beside the board.
            let numbers = if picture.look == BoardLook::ConnectFour {
                0.0
            } else {
                (first.width() * 0.42).clamp(14.0, 26.0)
            };
            let x = cells.left() - first.width() * 0.14 - numbers - BAR - 8.0;
            let x = x.max(room.left());
            let bar = Rect::from_min_max(pos2(x, cells.top()), pos2(x + BAR, cells.bottom()));
            let surface = colors.surface(picture.look);
            let fills: [Color32; 2] = surface.pieces.map(|piece| piece.fill);
            bar_ui(ui, bar, now, fills, self.options.turned);
        }
        if let Some(cell) = shown.clicked.filter(|_| can_move) {
            self.take_click(game, cell, wish);
        }
        if !choices.is_empty() {
            let foot = Rect::from_min_max(pos2(at.left(), at.bottom() + 6.0), room.max);
            let builder = UiBuilder::new().max_rect(foot);
            ui.scope_builder(builder, |ui| choices_ui(ui, choices, can_move, wish));
        }
    }

    fn take_click(&mut self, game: &dyn Game, cell: usize, wish: &mut Wish) {
        match scene::click(game, self.selected, cell) {
            Click::Nothing => {}
            Click::Play(action) => wish.play = Some(action),
            Click::Select(cell) => {
                self.selected = cell;
                self.promotions.clear();
            }
            Click::Promote(choices) => self.promotions = choices,
        }
    }

    /// Moves that are not on the board: passes, and what a pawn may become.
    fn choices(&self, game: &dyn Game) -> Vec<(usize, String)> {
        if self.promotions.is_empty() {
            let pass = scene::pass(game).into_iter();
            return pass.map(|pass| (pass, "Pass".to_owned())).collect();
        }
        let all = self.promotions.iter();
        all.map(|&action| (action, promotion(&game.action_name(action))))
            .collect()
    }
}

fn choices_ui(ui: &mut Ui, choices: Vec<(usize, String)>, enabled: bool, wish: &mut Wish) {
    ui.horizontal(|ui| {
        for (action, name) in choices {
            if ui.add_enabled(enabled, egui::Button::new(name)).clicked() {
                wish.play = Some(action);
            }
        }
    });
}

/// What a pawn becomes, from the last letter of its move.
fn promotion(name: &str) -> String {
    let piece = match name.chars().last() {
        Some('n') => "knight",
        Some('b') => "bishop",
        Some('r') => "rook",
        _ => "queen",
    };
    format!("Promote to a {piece}")
}

/// Which of the two numbers on a line of the list belongs to whom.
pub(super) fn who_moved(ply: usize) -> Player {
    if ply.is_multiple_of(2) {
        Player::First
    } else {
        Player::Second
    }
}
