//! The window: what surrounds the demos.
//!
//! Every tab has the same three places: controls on the left, the stage in the middle, a help card
//! on the right. The shell around them is here: tabs, the command palette, the status bar, toasts,
//! the log, settings, sessions, files. It knows no demo: `main` hands it the list of tabs, each a
//! [`Tab`] behind a [`DemoTab`].
//!
//! Nothing here computes. A tab submits jobs to the [`Worker`](crate::compute::Worker) and draws
//! what comes back; the worker wakes the window, and without news no frame is drawn.

mod app;
pub mod command;
pub mod controls;
mod dialog;
pub mod figure;
mod frames;
mod help;
mod log;
mod palette;
pub mod running;
mod screenshot;
mod settings;
mod status_bar;
mod tab;
pub mod theme;
mod toasts;
mod window;

pub use app::{App, AppSetup, Mode};
pub use command::Command;
pub use log::LogBuffer;
pub use screenshot::screenshot;
pub use tab::{DemoTab, Export, Tab, TabCx};
pub use toasts::{Severity, Toasts};
pub use window::run_window;
