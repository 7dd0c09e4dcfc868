//! Faces from rough drawings.
//!
//! `DeepFaceDrawing` (Chen, Su, Gao, Xia and Fu, SIGGRAPH 2020) takes a drawing of a face apart into
//! five parts, encodes each, moves each code onto the manifold of the parts that it knows by the
//! nearest of them (locally linear embedding, Roweis and Saul 2000), and has a network paint a face
//! from the codes; what it understood lies as a shadow under the pen.
//!
//! ```text
//! people ─ lines ─ style ─► drawing ─► ink ─ parts ─ encoders ─► codes ─ manifold ─► refined codes
//!                                                                        refined codes ─┬─► painter: network ─► face
//!                                                                                       └─► painter: kit     ─► face
//! ```
//!
//! What is different, and why:
//!
//! - The drawings and faces are of imaginary people ([`crate::human`]), whose lines are known exactly,
//!   so that any style of drawing can be made and every answer compared with the truth.
//! - Codes have 48 to 128 numbers in place of 512, pictures 128 pixels in place of 512: two processor
//!   cores paint while one draws.
//! - The network is taught by distance alone, not against a critic. A second painter has the codes
//!   give the person's own numbers, and draws the person: sharp, at any size, from any side.

mod actions;
pub mod appearance;
pub mod autoencoder;
pub mod bank;
pub mod bench;
mod blocks;
pub mod cast;
pub mod drawing;
pub mod engine;
pub mod field;
pub mod filter;
pub mod fit;
pub mod job;
pub mod landmarks;
pub mod lines;
pub mod manifold;
pub mod map;
pub mod model;
pub mod painter;
pub mod parts;
pub mod person_net;
pub mod style;
pub mod train;
#[cfg(feature = "gui")]
mod ui;

use crate::cli::DemoActions;

/// What the window shows of this demo.
#[cfg(feature = "gui")]
pub const TAB: crate::gui::DemoTab = crate::gui::DemoTab {
    id: "sketch",
    title: "DeepFaceDrawing",
    help: include_str!("../../../assets/help/sketch.md"),
    open: ui::open,
};

/// The demo's command line.
pub const ACTIONS: DemoActions = DemoActions {
    id: "sketch",
    title: "DeepFaceDrawing",
    paper: "DeepFaceDrawing: deep generation of face images from sketches, Chen et al. 2020",
    needs: &[],
    command: actions::command,
    run: actions::run,
    trains: &[actions::train::SKETCH],
};
