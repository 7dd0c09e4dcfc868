//! AutoML-Zero: evolution that finds learning algorithms out of elementary mathematics.
//!
//! Real, Liang, So and Le, "AutoML-Zero: evolving machine learning algorithms from scratch", ICML
//! 2020. Sections used: 2 and 3 (programs, search), 4 (linear and nonlinear regressors, projected
//! pictures), the supplement's list of operations; details are those of the released code.
//!
//! | Part | Here |
//! |---|---|
//! | programs of 65 operations | [`instruction`], [`program`], [`text`] |
//! | what they compute | [`scalar`] (reference, `f32` and `f64`), [`lanes`] (sixteen tasks at once) |
//! | what need not be computed | [`analysis`], [`evaluator`] |
//! | search | [`mutate`], [`population`], [`search`] |
//! | tasks | [`synthetic`], [`images`], [`table`] |
//!
//! Deviations: random draws belong to the task and the place in the program, so that a program has
//! one fitness; one functional probe for all tasks at once, by predictions rather than errors;
//! hurdles, which the released code lacks, by the errors of the first part of the training
//! examples; costs count live instructions only; labels of two-layer teachers have mean 0; a
//! prediction that is no number fails a classification too.
//!
//! Expected: linear regression solved (fitness above 0.9999 on 100 unseen tasks) within some
//! seconds; above 120,000 full evaluations a second of one core on the demo's settings.

mod actions;
pub mod analysis;
pub mod changes;
pub mod compare;
pub mod compile;
pub mod config;
pub mod evaluator;
pub mod hall;
pub mod images;
pub mod insight;
pub mod instruction;
pub mod job;
pub mod judge;
mod kernels;
pub mod lanes;
pub mod math;
pub mod meaning;
pub mod mutate;
pub mod population;
pub mod presets;
pub mod program;
pub mod record;
pub mod scalar;
pub mod search;
pub mod starts;
pub mod study;
pub mod synthetic;
pub mod table;
pub mod task;
pub mod text;
pub mod translate;
#[cfg(feature = "gui")]
mod ui;

use crate::cli::DemoActions;

/// What the window shows of this demo.
#[cfg(feature = "gui")]
pub const TAB: crate::gui::DemoTab = crate::gui::DemoTab {
    id: "automl",
    title: "AutoML-Zero",
    help: include_str!("../../../assets/help/automl_zero.md"),
    open: ui::open,
};

/// What the command line does with this demo.
pub const ACTIONS: DemoActions = DemoActions {
    id: "automl",
    title: "AutoML-Zero",
    paper: "AutoML-Zero: evolving machine learning algorithms from scratch, Real et al. 2020",
    needs: &[],
    command: actions::command,
    run: actions::run,
    trains: &[],
};
