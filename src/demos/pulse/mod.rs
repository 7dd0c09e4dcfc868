//! Faces from a few pixels.
//!
//! PULSE (Menon, Damian, Hu, Ravi and Rudin, CVPR 2020, sections 3 and 4) searches the latent space
//! of a generator of faces for ones that shrink to a given small picture. Here the faces are of a
//! parametric person ([`crate::human`]), so that the true answer of every small picture is known,
//! which the paper's photographs cannot give. These actions make such people and the packs they
//! are built from.

mod actions;
pub mod answer;
pub mod backdrop;
pub mod bank;
pub mod bench;
pub mod bias;
pub mod corpus;
pub mod features;
pub mod generator;
pub mod input;
pub mod learned;
pub mod morph;
pub mod pixels;
pub mod prior;
pub mod samples;
pub mod search;
pub mod sheet;
pub mod sphere;
pub mod surrogate;
#[cfg(feature = "gui")]
mod ui;
pub mod upscale;

use crate::cli::DemoActions;

/// What the window shows of this demo.
#[cfg(feature = "gui")]
pub const TAB: crate::gui::DemoTab = crate::gui::DemoTab {
    id: "pulse",
    title: "PULSE",
    help: include_str!("../../../assets/help/pulse.md"),
    open: ui::open,
};

/// The demo's command line.
pub const ACTIONS: DemoActions = DemoActions {
    id: "pulse",
    title: "PULSE",
    paper: "PULSE: self-supervised photo upsampling, Menon et al. 2020",
    needs: &[],
    command: actions::command,
    run: actions::run,
    trains: &[actions::train::FACES],
};
