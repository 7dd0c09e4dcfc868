//! The colours of a sheet of paper to draw on.
//!
//! Paper is light and ink is dark in both themes, as drawings are looked at; on dark ground the paper
//! is a little less bright, so that it does not glare.

use egui::{Color32, Visuals};

/// The colours of a sheet.
#[derive(Clone, Copy, Debug)]
pub struct SheetColors {
    /// The paper.
    pub paper: Color32,
    /// Its edge.
    pub edge: Color32,
    /// The shade that it throws on what it lies on.
    pub below: Color32,
    /// What is drawn.
    pub ink: Color32,
    /// What could be drawn, at its darkest.
    pub shadow: Color32,
}

/// The colours of a sheet in a theme.
#[must_use]
pub fn sheet(visuals: &Visuals) -> SheetColors {
    let dark = visuals.dark_mode;
    let pick = |in_dark: [u8; 3], in_light: [u8; 3]| {
        let [r, g, b] = if dark { in_dark } else { in_light };
        Color32::from_rgb(r, g, b)
    };
    SheetColors {
        paper: pick([233, 231, 225], [253, 252, 249]),
        edge: pick([12, 14, 18], [196, 201, 209]),
        below: Color32::from_black_alpha(if dark { 110 } else { 22 }),
        ink: pick([24, 25, 30], [28, 29, 34]),
        shadow: Color32::from_rgb(70, 104, 152).gamma_multiply(0.55),
    }
}
