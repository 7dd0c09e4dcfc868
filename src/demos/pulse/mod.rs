//! Faces from a few pixels.
//!
//! PULSE (Menon, Damian, Hu, Ravi and Rudin, CVPR 2020, sections 3 and 4) searches the latent space
//! of a generator of faces for ones that shrink to a given small picture. Here the faces are of a
//! parametric person ([`crate::human`]), so that the true answer of every small picture is known,
//! which the paper's photographs cannot give. These actions make such people and the packs they
//! are built from.

mod actions;
pub mod generator;

use crate::cli::DemoActions;

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
