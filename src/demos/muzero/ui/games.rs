//! Choosing a game.

use egui::{ComboBox, Response, Ui};

use super::super::game::GameId;

/// A list of the games; with a ROM's name, Atari is among them.
pub fn game_picker_ui(ui: &mut Ui, game: &mut GameId, rom: Option<&str>) -> Response {
    let is_atari = matches!(game, GameId::Atari(_));
    let selected = if is_atari && rom.is_some() {
        "Atari".to_owned()
    } else {
        game.title()
    };
    ComboBox::from_id_salt("game")
        .selected_text(selected)
        .width(170.0)
        .height(400.0)
        .show_ui(ui, |ui| {
            for built_in in GameId::built_in() {
                let title = built_in.title();
                ui.selectable_value(game, built_in, title);
            }
            if let Some(rom) = rom {
                let label = ui.selectable_label(is_atari, "Atari…");
                let label = label.on_hover_text("Needs ale-py: pip install ale-py");
                if label.clicked() && !is_atari {
                    *game = GameId::Atari(rom.to_owned());
                }
            }
        })
        .response
}
