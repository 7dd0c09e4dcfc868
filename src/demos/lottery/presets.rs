//! Runs worth doing, one for each question of the papers.

use super::config::{LotteryConfig, Method};

/// A run with a name.
pub struct Preset {
    /// Its name.
    pub title: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// What is asked for.
    pub config: fn() -> LotteryConfig,
}

/// All presets; the first is the figure that the first paper is known for.
pub const PRESETS: &[Preset] = &[
    Preset {
        title: "Ladder of the paper",
        about: "LeNet pruned by a fifth a round down to 21 %, each ticket beside its twin with new weights",
        config: || LotteryConfig {
            method: Method::Imp,
            levels: 7,
            controls: true,
            last_steps: Some(8000),
            ..LotteryConfig::default()
        },
    },
    Preset {
        title: "Down to 3.6 %",
        about: "Fifteen rounds of pruning: the ticket is as good as the whole net with a twenty-eighth of its weights",
        config: || LotteryConfig {
            method: Method::Imp,
            levels: 15,
            ..LotteryConfig::default()
        },
    },
    Preset {
        title: "Is rewinding needed?",
        about: "Siblings from several steps: where the line between them stays flat, a ticket can be found",
        config: || LotteryConfig {
            method: Method::Imp,
            levels: 3,
            rewind: 100,
            siblings: true,
            ..LotteryConfig::default()
        },
    },
    Preset {
        title: "Nothing trained",
        about: "Edge-popup: random weights stay as they are, only which of them are used is learnt",
        config: || LotteryConfig {
            method: Method::EdgePopup,
            k: 0.5,
            ..LotteryConfig::default()
        },
    },
    Preset {
        title: "How many to keep?",
        about: "Edge-popup with shares from 10 to 90 %",
        config: || LotteryConfig {
            method: Method::EdgePopup,
            k: 0.5,
            k_sweep: vec![0.1, 0.3, 0.7, 0.9],
            steps: 1500,
            ..LotteryConfig::default()
        },
    },
    Preset {
        title: "Gates or full training?",
        about: "Pruning from Scratch against training all and pruning afterwards, at equal cost",
        config: || LotteryConfig {
            method: Method::Gates,
            budget: 0.5,
            ..LotteryConfig::default()
        },
    },
    Preset {
        title: "Sum of subsets",
        about: "A trained LeNet put together out of 5.6 million random weights, none of them changed",
        config: || LotteryConfig {
            method: Method::SubsetSum,
            n: 21,
            ..LotteryConfig::default()
        },
    },
    Preset {
        title: "The whole net",
        about: "All weights trained: what the others are compared with",
        config: || LotteryConfig {
            method: Method::Dense,
            ..LotteryConfig::default()
        },
    },
];
