//! How wheel, pinch and keys ask a view to zoom, alike in all of them.

use egui::{Key, Pos2, Response, Ui};

/// What is asked for in a frame.
pub(super) struct Zooming {
    /// How much larger; exactly 1 when nothing was turned.
    pub(super) factor: f32,
    /// The place in the window that stays where it is.
    pub(super) at: Pos2,
    /// All of it is to be seen again.
    pub(super) fit: bool,
}

/// Reads a view's input: the wheel over it, and plus, minus and zero while it has the focus.
pub(super) fn zooming(ui: &Ui, response: &Response) -> Zooming {
    let middle = response.rect.center();
    let mut asked = Zooming {
        factor: 1.0,
        at: middle,
        fit: response.double_clicked(),
    };
    if let Some(pointer) = response.hover_pos() {
        asked.factor = ui.input(egui::InputState::zoom_delta);
        asked.at = pointer;
    }
    if response.has_focus() {
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        if pressed(Key::Plus) || pressed(Key::Equals) {
            (asked.factor, asked.at) = (1.25, middle);
        } else if pressed(Key::Minus) {
            (asked.factor, asked.at) = (0.8, middle);
        } else if pressed(Key::Num0) {
            asked.fit = true;
        }
    }
    asked
}
