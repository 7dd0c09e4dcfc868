//! Who sits on each side.

use egui::{Button, ComboBox, DragValue, RichText, Ui};
use serde::{Deserialize, Serialize};

use super::super::super::game::GameId;
use super::super::super::opponent::{OpponentId, available};
use crate::gui::theme;

/// Who decides for a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seat {
    /// Who sits at the window.
    You,
    /// The networks.
    Machine,
    /// A program.
    Opponent(OpponentId),
}

impl Seat {
    /// On the button.
    pub fn name(self) -> String {
        match self {
            Self::You => "You".into(),
            Self::Machine => "MuZero".into(),
            Self::Opponent(id) => opponent_name(id).into(),
        }
    }

    /// Whether it can sit down in this game.
    pub fn plays(self, game: &GameId) -> bool {
        match self {
            Self::You | Self::Machine => true,
            Self::Opponent(id) => id.plays(game),
        }
    }
}

fn opponent_name(id: OpponentId) -> &'static str {
    match id {
        OpponentId::Random => "Random moves",
        OpponentId::Minimax => "Perfect play",
        OpponentId::Solver => "Perfect solver",
        OpponentId::AlphaBeta(_) => "Alpha-beta",
        OpponentId::GnuGo(_) => "GNU Go",
        OpponentId::Stockfish(_) => "Stockfish",
        OpponentId::Fairy(_) => "Fairy-Stockfish",
    }
}

/// The choice for one side. True when it changed.
pub fn seat_ui(ui: &mut Ui, side: &str, game: &GameId, seat: &mut Seat) -> bool {
    let before = *seat;
    let label = ui.label(side);
    ui.vertical(|ui| {
        ComboBox::from_id_salt(("seat", side))
            .selected_text(seat.name())
            .width(150.0)
            .show_ui(ui, |ui| choices_ui(ui, game, seat))
            .response
            .labelled_by(label.id);
        setting_ui(ui, side, seat);
    });
    ui.end_row();
    *seat != before
}

fn choices_ui(ui: &mut Ui, game: &GameId, seat: &mut Seat) {
    for choice in [Seat::You, Seat::Machine] {
        ui.selectable_value(seat, choice, choice.name());
    }
    for id in available(game) {
        let choice = Seat::Opponent(id);
        let same_kind = choice.name() == seat.name();
        let remedy = id.remedy();
        let button = Button::selectable(same_kind, choice.name());
        let response = ui.add_enabled(remedy.is_none(), button);
        let clicked = response.clicked();
        if let Some(remedy) = remedy {
            response.on_disabled_hover_text(format!("Not installed: {remedy}"));
        }
        if clicked && !same_kind {
            *seat = choice;
        }
    }
}

/// The depth, level or skill of who has one.
fn setting_ui(ui: &mut Ui, side: &str, seat: &mut Seat) {
    let Seat::Opponent(id) = seat else {
        return;
    };
    let (name, mut value, range) = match *id {
        OpponentId::AlphaBeta(depth) => ("Depth", depth.cast_signed(), 1..=12),
        OpponentId::GnuGo(level) => ("Level", level.cast_signed(), 1..=10),
        OpponentId::Stockfish(skill) => ("Skill", skill, 0..=20),
        OpponentId::Fairy(skill) => ("Skill", skill, -20..=20),
        OpponentId::Random | OpponentId::Minimax | OpponentId::Solver => return,
    };
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new(name).small().color(theme::tokens(ui).faint));
        let field = DragValue::new(&mut value).range(range).speed(0.1);
        let field = ui.add(field).labelled_by(label.id);
        field.on_hover_text(format!("Of {side}"));
    });
    *id = match *id {
        OpponentId::AlphaBeta(_) => OpponentId::AlphaBeta(value.unsigned_abs()),
        OpponentId::GnuGo(_) => OpponentId::GnuGo(value.unsigned_abs()),
        OpponentId::Stockfish(_) => OpponentId::Stockfish(value),
        OpponentId::Fairy(_) => OpponentId::Fairy(value),
        other => other,
    };
}
