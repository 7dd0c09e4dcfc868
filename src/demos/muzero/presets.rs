//! Whole settings that answer a question.

use super::config::{Agent, TrainConfig};
use super::game::{GameId, MinAtar};

/// Settings with the question they answer.
pub struct Preset {
    /// The question, on its button.
    pub title: &'static str,
    /// What to look at.
    pub about: &'static str,
    /// The settings.
    pub config: fn() -> TrainConfig,
}

/// All of them. Those of tic-tac-toe answer within a minute or two.
pub const PRESETS: &[Preset] = &[
    Preset {
        title: "Learn a game in a minute",
        about: "MuZero on tic-tac-toe: watch the lost lines of play fall to none",
        config: || TrainConfig::new(GameId::TicTacToe),
    },
    Preset {
        title: "Does search matter?",
        about: "MuZero's learning without simulations: policy targets are its own policy, so that \
                only the value learns",
        config: || TrainConfig {
            simulations: Some(0),
            ..TrainConfig::new(GameId::TicTacToe)
        },
    },
    Preset {
        title: "How few simulations are enough?",
        about: "Two simulations a move: Gumbel's search improves the policy with any number",
        config: || TrainConfig {
            simulations: Some(2),
            evaluate_with: Some(16),
            ..TrainConfig::new(GameId::TicTacToe)
        },
    },
    Preset {
        title: "What if it knew the rules?",
        about: "AlphaZero: the same network, but the tree is built with the true rules",
        config: || TrainConfig {
            agent: Agent::AlphaZero,
            ..TrainConfig::new(GameId::TicTacToe)
        },
    },
    Preset {
        title: "Policy gradient alone?",
        about: "Actor-critic: no search, no model, a policy that learns from its own results",
        config: || TrainConfig {
            agent: Agent::ActorCritic,
            ..TrainConfig::new(GameId::TicTacToe)
        },
    },
    Preset {
        title: "Does looking again help?",
        about: "Half of all searches look at remembered positions anew (Reanalyse)",
        config: || TrainConfig {
            reanalyse: Some(0.5),
            ..TrainConfig::new(GameId::TicTacToe)
        },
    },
    Preset {
        title: "A game against perfect play",
        about: "Connect Four, measured against a solver: some hours until it is strong",
        config: || TrainConfig::new(GameId::ConnectFour),
    },
    Preset {
        title: "A game with rewards",
        about: "MinAtar's Breakout: rewards on the way, chance, the consistency loss",
        config: || TrainConfig::new(GameId::MinAtar(MinAtar::Breakout)),
    },
];

#[cfg(test)]
mod tests {
    use super::PRESETS;
    use crate::demos::muzero::game::open;

    #[test]
    fn every_question_has_settings_that_are_possible() {
        for preset in PRESETS {
            let config = (preset.config)();
            let game = open(&config.game).expect("the game is built in");
            config.settings(game.spec()).expect(preset.title);
        }
    }
}
