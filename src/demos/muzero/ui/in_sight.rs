//! Whether a page's stage is in front of somebody.

use egui::Ui;

/// A page without a reader starts nothing.
#[derive(Default)]
pub struct InSight {
    drawn: bool,
    before: bool,
}

impl InSight {
    /// Whether the stage was drawn since the last question. Asked once a frame.
    pub fn ask(&mut self) -> bool {
        self.before = std::mem::take(&mut self.drawn);
        self.before
    }

    /// To be said by the stage.
    pub fn drawn(&mut self, ui: &Ui) {
        self.drawn = true;
        if !self.before {
            // So that the next question comes, also when nothing else happens.
            ui.ctx().request_repaint();
        }
    }
}
