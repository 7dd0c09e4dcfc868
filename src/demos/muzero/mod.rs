//! `MuZero`: plans by tree search in a model of the game that it learned by itself.
//!
//! Schrittwieser et al. 2020, "Mastering Atari, Go, chess and shogi by planning with a learned
//! model" (sections 2 and 3, appendices B to H), with three later papers:
//!
//! | Work | Sections used | Here |
//! |---|---|---|
//! | Schrittwieser et al. 2020, `MuZero` | search: appendix B; data: C to F; learning: G | [`search`], `replay`, `learn` |
//! | Danihelka et al. 2022, Gumbel `MuZero` | 3 to 5 | [`search`] |
//! | Schrittwieser et al. 2021, Reanalyse | 3 | `reanalyse` |
//! | Ye et al. 2021, `EfficientZero` | 4.1, the consistency loss | `learn` |
//!
//! Three learned functions: the representation `h` turns an observation into a hidden state, the
//! dynamics `g` turns a state and an action into a reward and the next state, the prediction `f`
//! turns a state into a policy and a value (`net`). The rules of a game ([`game`]) are used to
//! play it, never inside the tree: there legality is known at the root only.
//!
//! Deviations: Gumbel `MuZero` is the default search, because it learns from few simulations; the
//! nets are small enough for two processor cores and have no batch norm; self-play and learning
//! take turns in one job instead of running on thousands of machines; some games of self-play begin after random
//! moves, so that positions a person may reach are known too.

mod actions;
pub mod actor_critic;
pub mod agent;
pub mod arcade;
pub mod arena;
pub mod batch;
pub mod branch;
pub mod config;
pub mod contest;
pub mod episode;
pub mod evaluate;
pub mod evaluation;
pub mod foresight;
pub mod game;
pub mod imagination;
pub mod job;
pub mod kept;
pub mod learn;
pub mod live;
pub mod move_job;
pub mod net;
pub mod opponent;
pub mod planning;
pub mod player;
pub mod presets;
pub mod reanalyse;
pub mod record;
pub mod replay;
pub mod samples;
pub mod saved;
pub mod scaling;
pub mod search;
pub mod self_play;
pub mod support;
pub mod think;
pub mod training;
#[cfg(feature = "gui")]
mod ui;
pub mod weights_file;
pub mod who;

use crate::cli::DemoActions;

/// What the window shows of this demo.
#[cfg(feature = "gui")]
pub const TAB: crate::gui::DemoTab = crate::gui::DemoTab {
    id: "muzero",
    title: "MuZero",
    help: include_str!("../../../assets/help/muzero.md"),
    open: ui::open,
};

/// What the command line does with this demo.
pub const ACTIONS: DemoActions = DemoActions {
    id: "muzero",
    title: "MuZero",
    paper: "Mastering Atari, Go, chess and shogi by planning with a learned model, Schrittwieser et al. 2020",
    needs: &[],
    command: actions::command,
    run: actions::run,
    trains: &[],
};
