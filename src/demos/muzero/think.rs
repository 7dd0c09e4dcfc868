//! Thinking about single positions, as a job: the move, its value and what the search saw.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::agent;
use super::game::{Game, GameId, open};
use super::player::{Machine, PlayOptions};
use super::search::Decision;
use super::who::networks;
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Positions that are thought about at the same time.
const AT_ONCE: usize = 64;

/// A move that was thought of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thought {
    /// The action.
    pub action: usize,
    /// Its name.
    #[serde(rename = "move")]
    pub name: String,
    /// The value after the search, for the player whose turn it is.
    pub value: f32,
    /// What each action is worth that was looked at.
    pub values: Vec<Option<f32>>,
    /// Visits of each action.
    pub visits: Vec<u32>,
    /// The policy that the search found, over all actions.
    pub policy: Vec<f32>,
}

/// Thinks about positions one batch after the other.
pub struct ThinkJob {
    game: GameId,
    weights: Option<PathBuf>,
    simulations: usize,
    /// The moves that lead to each.
    positions: Vec<Vec<usize>>,
    done: usize,
    machine: Option<Machine>,
}

impl ThinkJob {
    /// Positions by the moves that lead to them.
    #[must_use]
    pub fn new(
        game: GameId,
        weights: Option<PathBuf>,
        simulations: usize,
        positions: Vec<Vec<usize>>,
    ) -> Self {
        Self {
            game,
            weights,
            simulations,
            positions,
            done: 0,
            machine: None,
        }
    }

    fn machine(&mut self, cx: &mut StepCx<'_, Vec<Thought>>) -> Result<Machine> {
        if let Some(machine) = self.machine.take() {
            return Ok(machine);
        }
        let (trained, warning) = networks(&self.game, self.weights.as_deref(), cx.device())?;
        if let Some(warning) = warning {
            cx.warn(warning);
        }
        let options = PlayOptions::best(&trained.about.settings, self.simulations);
        Ok(Machine::new(
            Arc::clone(&trained),
            options,
            cx.device(),
            &Rng::new(0),
        ))
    }
}

/// The position after moves, which is not over.
///
/// # Errors
/// When a move is not legal, or the game is over.
pub fn position(game: &GameId, moves: &[usize]) -> Result<Box<dyn Game>> {
    let mut position = open(game)?;
    for &action in moves {
        position.step(action)?;
    }
    if position.is_over() {
        return Err(Error::Input("the game is over in this position".into()));
    }
    Ok(position)
}

/// The moves of a text: names with blanks or commas between them, or digits in a row where every
/// name is one digit, as in Connect Four.
///
/// # Errors
/// When one is no move of this game, or not legal.
pub fn parse_moves(game: &GameId, text: &str) -> Result<Vec<usize>> {
    let mut position = open(game)?;
    let words: Vec<String> = match game {
        GameId::ConnectFour | GameId::TicTacToe
            if !text.contains([' ', ',']) && text.chars().all(|c| c.is_ascii_digit()) =>
        {
            text.chars().map(String::from).collect()
        }
        _ => text
            .split([' ', ',', '\t'])
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    let mut moves = Vec::with_capacity(words.len());
    for word in &words {
        let action = position.parse_action(word)?;
        position.step(action)?;
        moves.push(action);
    }
    Ok(moves)
}

impl Job for ThinkJob {
    /// One batch, in the order of the positions.
    type Output = Vec<Thought>;

    fn step(&mut self, cx: &mut StepCx<'_, Vec<Thought>>) -> Result<Flow> {
        let machine = self.machine(cx)?;
        let end = (self.done + AT_ONCE).min(self.positions.len());
        let games: Vec<Box<dyn Game>> = self.positions[self.done..end]
            .iter()
            .map(|moves| position(&self.game, moves))
            .collect::<Result<_>>()?;
        let games: Vec<&dyn Game> = games.iter().map(|game| &**game).collect();
        let thoughts = machine
            .decide(&games)?
            .into_iter()
            .zip(&games)
            .map(|(decision, game)| thought(decision, *game))
            .collect();
        cx.emit(thoughts);
        self.machine = Some(machine);
        self.done = end;
        let all = self.positions.len();
        cx.progress(end as u64, Some(all as u64), "positions");
        Ok(if end == all {
            Flow::Finished
        } else {
            Flow::Continue
        })
    }
}

fn thought(decision: Decision, game: &dyn Game) -> Thought {
    Thought {
        name: game.action_name(decision.action),
        action: decision.action,
        value: agent::expected(&decision),
        values: decision.values,
        visits: decision.visits,
        policy: decision.policy,
    }
}
