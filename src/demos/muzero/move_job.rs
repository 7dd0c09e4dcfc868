//! An opponent's move, as a job.

use super::game::GameId;
use super::kept::engine_move;
use super::opponent::OpponentId;
use super::think::position;
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};

/// Asks an opponent for its move after some moves.
pub struct OpponentMove {
    /// Who is asked.
    pub opponent: OpponentId,
    /// The game.
    pub game: GameId,
    /// The moves so far.
    pub moves: Vec<usize>,
}

impl Job for OpponentMove {
    type Output = usize;

    fn step(&mut self, cx: &mut StepCx<'_, usize>) -> Result<Flow> {
        let game = position(&self.game, &self.moves)?;
        let chosen = engine_move(cx, self.opponent, &self.game, &*game, &self.moves)?;
        let actions = game.spec().actions;
        let mut legal = vec![false; actions];
        game.legal(&mut legal);
        if !legal.get(chosen).copied().unwrap_or(false) {
            let name = if chosen < actions {
                game.action_name(chosen)
            } else {
                chosen.to_string()
            };
            return Err(Error::Input(format!(
                "{} played {name}, which is not legal",
                self.opponent
            )));
        }
        cx.emit(chosen);
        Ok(Flow::Finished)
    }
}
