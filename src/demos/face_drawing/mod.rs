//! `DeepFaceDrawing` (Chen et al., SIGGRAPH 2020): a person draws a rough face, and the picture of a
//! face follows the pen.

pub mod appearance;
pub mod drawing;
pub mod parts;
#[cfg(feature = "gui")]
mod ui;

/// What the window shows of this demo.
#[cfg(feature = "gui")]
pub const TAB: crate::gui::DemoTab = crate::gui::DemoTab {
    id: "face_drawing",
    title: "DeepFaceDrawing",
    help: "",
    open: ui::open,
};
