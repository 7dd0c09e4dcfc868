//! One folder for each system, in the order of the review. No demo uses another; what two share
//! moves down to `nn`, `data` or `view`.

pub mod automl_zero;
pub mod face_drawing;
pub mod gpt;
pub mod lottery;
pub mod muzero;
pub mod pulse;

use crate::cli::DemoActions;

/// A demo's entry points.
pub struct Demo {
    /// What the command line shows of it.
    pub actions: DemoActions,
    /// What the window shows of it; none where there are only actions.
    #[cfg(feature = "gui")]
    pub tab: Option<crate::gui::DemoTab>,
}

/// All demos: tabs, commands, screenshots and help come from this list.
pub const DEMOS: &[Demo] = &[
    Demo {
        actions: gpt::ACTIONS,
        #[cfg(feature = "gui")]
        tab: Some(gpt::TAB),
    },
    Demo {
        actions: automl_zero::ACTIONS,
        #[cfg(feature = "gui")]
        tab: Some(automl_zero::TAB),
    },
    Demo {
        actions: lottery::ACTIONS,
        #[cfg(feature = "gui")]
        tab: Some(lottery::TAB),
    },
    Demo {
        actions: muzero::ACTIONS,
        #[cfg(feature = "gui")]
        tab: Some(muzero::TAB),
    },
    Demo {
        actions: face_drawing::ACTIONS,
        #[cfg(feature = "gui")]
        tab: Some(face_drawing::TAB),
    },
    Demo {
        actions: pulse::ACTIONS,
        #[cfg(feature = "gui")]
        tab: Some(pulse::TAB),
    },
];
