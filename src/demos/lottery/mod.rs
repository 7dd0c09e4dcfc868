//! Lottery tickets: small subnetworks that train as well as the whole, or need no training at all.
//!
//! Four bodies of work on one bench, and one ledger of what each spent for what it reached:
//!
//! | Work | Sections used | Here |
//! |---|---|---|
//! | Frankle and Carbin 2019, "The lottery ticket hypothesis" | 1 to 3, appendix F; rewinding and interpolation from their later papers | [`imp`] |
//! | Wang et al. 2020, "Pruning from scratch" | 3 | [`gates`] |
//! | Ramanujan et al. 2020, "What's hidden in a randomly weighted neural network?" | 3, 4 | [`edge_popup`] |
//! | Malach et al., Orseau et al., Pensia et al. 2020, subset sums | theorems, Pensia's experiment | [`subset_sum`], [`rebuild`] |
//!
//! The nets are those of the first paper ([`net`]), with its optimiser, rates and split of the data.
//! [`work`] says how a method is cut into stages, [`engine`] trains one, [`store`] keeps them, and
//! [`job`] runs them.
//!
//! Deviations: trainings are some thousand steps long instead of 50,000, so that they can be
//! watched, and early stopping is looked for among these; convolutional nets see MNIST or
//! Fashion-MNIST where the person has no CIFAR-10.
//!
//! Expected (`LeNet` on MNIST, 3,000 steps a round): 97.5 to 98 % dense; a ticket of 21 % stops
//! earlier than the same mask with new weights; one of 3.6 % is within half a point of the dense
//! net.

mod actions;
pub mod alive;
pub mod config;
pub mod dense;
pub mod digit;
pub mod edge_popup;
pub mod engine;
pub mod gates;
pub mod images;
pub mod imp;
pub mod job;
pub mod ledger;
mod line;
pub mod model;
pub mod net;
pub mod presets;
pub mod probe;
pub mod prune;
pub mod rebuild;
pub mod record;
pub mod recorded;
pub mod sparse_net;
pub mod store;
pub mod subset_sum;
#[cfg(feature = "gui")]
mod ui;
pub mod weights_file;
pub mod work;

use crate::cli::DemoActions;

/// What the window shows of this demo.
#[cfg(feature = "gui")]
pub const TAB: crate::gui::DemoTab = crate::gui::DemoTab {
    id: "lottery",
    title: "Lottery tickets",
    help: include_str!("../../../assets/help/lottery.md"),
    open: ui::open,
};

/// What the command line does with this demo.
pub const ACTIONS: DemoActions = DemoActions {
    id: "lottery",
    title: "Lottery tickets",
    paper: "The lottery ticket hypothesis, Frankle and Carbin 2019, and three answers to it of 2020",
    needs: &[],
    command: actions::command,
    run: actions::run,
    trains: &[],
};
