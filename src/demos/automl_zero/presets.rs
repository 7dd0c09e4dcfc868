//! Searches worth watching, one for each question of the paper.

use super::config::{Lengths, SearchConfig, TaskKind, Weights};
use super::starts::Start;

/// A search with a name.
pub struct Preset {
    /// Its name.
    pub title: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// What is asked for.
    pub config: fn() -> SearchConfig,
}

/// All presets; the first is the demo of the released code.
pub const PRESETS: &[Preset] = &[
    Preset {
        title: "Linear regression",
        about: "The demo of the released code: gradient descent out of random instructions, within seconds",
        config: SearchConfig::default,
    },
    Preset {
        title: "With a constant",
        about: "Affine regressors: the same with a bias to be found",
        config: || SearchConfig {
            task: TaskKind::Affine,
            ..SearchConfig::default()
        },
    },
    Preset {
        title: "Beyond linear",
        about: "Networks of two layers as teachers, from programs that do nothing. Minutes to hours",
        config: || SearchConfig {
            task: TaskKind::Nonlinear,
            ..SearchConfig::default()
        },
    },
    Preset {
        title: "Find backpropagation",
        about: "A network of which only the last layer learns: evolution finds out how to teach the hidden one",
        config: last_layer,
    },
    Preset {
        title: "Repair a network",
        about: "The first values of its weights were removed, so that it cannot learn any more",
        config: damaged,
    },
    Preset {
        title: "Pictures",
        about: "Two classes of MNIST, each picture projected to 16 numbers; checked on pairs that were not searched on",
        config: || SearchConfig {
            task: TaskKind::Images,
            ..SearchConfig::default()
        },
    },
];

fn last_layer() -> SearchConfig {
    SearchConfig {
        task: TaskKind::Nonlinear,
        start: Some(Start::LastLayer),
        train_examples: Some(1000),
        tasks: Some(32),
        setup_ops: Some("none".to_owned()),
        predict_ops: Some("none".to_owned()),
        learn: Some(Lengths {
            first: 5,
            least: 1,
            most: 12,
        }),
        registers: "5,9,2".parse().ok(),
        mutations: Some(Weights([1.0, 1.0, 0.0, 1.0, 1.0, 0.0])),
        hurdle: Some(0.1),
        hurdle_part: 0.25,
        restart: Some(600_000),
        ..SearchConfig::default()
    }
}

fn damaged() -> SearchConfig {
    SearchConfig {
        task: TaskKind::Nonlinear,
        start: Some(Start::Damaged),
        train_examples: Some(1000),
        setup: Some(Lengths {
            first: 1,
            least: 1,
            most: 7,
        }),
        setup_ops: Some("vector_gaussian,matrix_gaussian".to_owned()),
        predict_ops: Some("none".to_owned()),
        learn_ops: Some("none".to_owned()),
        registers: "5,9,2".parse().ok(),
        mutations: Some(Weights([1.0, 0.0, 0.0, 1.0, 1.0, 1.0])),
        mutate: 1.0,
        target: Some(0.8),
        ..SearchConfig::default()
    }
}
