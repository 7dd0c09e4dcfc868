//! What the help card says of the networks that are loaded: their functions with the shapes of what
//! goes in and comes out, and how much they were trained beside the paper's.

use std::path::PathBuf;

use super::super::config::{Settings, TrainConfig};
use super::super::game::{GameId, open};
use super::super::net::NetConfig;
use super::super::training::Counters;
use super::super::weights_file::{about, shipped};
use super::page::Shared;
use crate::gui::controls::duration_text;
use crate::gui::figure::grouped;

/// The text with what it was made for.
#[derive(Default)]
pub struct Networks {
    made: Option<(GameId, Option<PathBuf>, String)>,
}

impl Networks {
    /// In markdown; the file is read when game or weights have changed.
    pub fn text(&mut self, shared: &Shared) -> &str {
        let same = |made: &(GameId, Option<PathBuf>, String)| {
            made.0 == shared.game && made.1 == shared.weights
        };
        if !self.made.as_ref().is_some_and(same) {
            let text = describe(&shared.game, shared.weights.clone());
            self.made = Some((shared.game.clone(), shared.weights.clone(), text));
        }
        self.made.as_ref().map_or("", |made| &made.2)
    }
}

fn describe(game: &GameId, weights: Option<PathBuf>) -> String {
    let path = weights.unwrap_or_else(|| shipped(game));
    let title = game.title();
    if let Ok(about) = about(&path) {
        let [h, g, f] = functions(&about.settings.net);
        let trained = training(&about.settings, &about.counters);
        return format!(
            "**The loaded networks** ({title}: {} games of self-play in {})\n\n{h}\n{g}\n{f}\n\n\
             {trained}",
            grouped(&about.counters.games.to_string()),
            duration_text(about.counters.seconds)
        );
    }
    // The arcade's sizes are known once it runs.
    let settings =
        open(game).and_then(|game_is| TrainConfig::new(game.clone()).settings(game_is.spec()));
    settings.map_or(String::new(), |settings| {
        let [h, g, f] = functions(&settings.net);
        format!("**The networks of {title}**, not trained yet\n\n{h}\n{g}\n{f}")
    })
}

/// *h*, *g* and *f* with their shapes.
fn functions(net: &NetConfig) -> [String; 3] {
    let size = |[planes, rows, columns]: [usize; 3]| format!("{planes} × {rows} × {columns}");
    let blocks = |count: usize| match count {
        1 => "1 block".to_owned(),
        count => format!("{count} blocks"),
    };
    let [rows, columns] = net.grid();
    let state = size([net.channels, rows, columns]);
    let reward = net.reward.map_or(String::new(), |support| {
        format!(" and a reward in {} places", support.bins)
    });
    [
        format!(
            "- *h*: {} numbers seen become a state of {state}, through {}",
            size(net.observation),
            blocks(net.represent_blocks)
        ),
        format!(
            "- *g*: the state and one of {} moves become the next state{reward}, through {}",
            net.actions,
            blocks(net.dynamics_blocks)
        ),
        format!(
            "- *f*: a state becomes a policy over {} moves and a value in {} places",
            net.actions, net.value.bins
        ),
    ]
}

/// How much they were trained, beside the paper's board games or its Atari.
fn training(settings: &Settings, counters: &Counters) -> String {
    let (batch, simulations) = if settings.players == 2 {
        ("2,048", "800")
    } else {
        ("1,024", "50")
    };
    format!(
        "| | these | paper |\n|---|---|---|\n\
         | training steps | {} | 1,000,000 |\n\
         | positions a step | {} | {batch} |\n\
         | simulations a move | {} | {simulations} |\n",
        grouped(&counters.steps.to_string()),
        settings.batch,
        settings.search.simulations,
    )
}

#[cfg(test)]
mod tests {
    use super::describe;
    use crate::demos::muzero::game::GameId;

    #[test]
    fn shapes_are_those_of_the_file() {
        let text = describe(&GameId::ConnectFour, None);
        assert!(
            text.contains("2 × 6 × 7 numbers seen become a state of 32 × 6 × 7"),
            "{text}"
        );
        assert!(
            text.contains("policy over 7 moves and a value in 2 places"),
            "{text}"
        );
        assert!(text.contains("| simulations a move | 32 | 800 |"), "{text}");
        let text = describe(&GameId::Gomoku, None);
        assert!(
            text.contains("not trained yet") && text.contains("one of 81 moves"),
            "{text}"
        );
    }
}
