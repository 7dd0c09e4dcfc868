//! Chess engines over UCI, the universal chess interface (Kahlen and Meyer-Kahlen 2006): Stockfish
//! and Fairy-Stockfish.
//!
//! They think for a fixed number of positions rather than a time, so that their strength does not
//! depend on the machine. Below their highest skill they err by chance, which cannot be seeded.

use super::Opponent;
use super::process::{Process, Program};
use crate::demos::muzero::game::Game;
use crate::error::Result;
use crate::rng::Rng;

/// Positions that an engine looks at for a move.
const NODES: u32 = 10_000;

/// A chess engine at a skill.
pub struct Uci {
    name: String,
    skill: i32,
    program: Program,
    engine: Option<Process>,
}

impl Uci {
    /// Stockfish at a skill from 0 to 20.
    #[must_use]
    pub fn stockfish(skill: i32) -> Self {
        let program = Program::packaged("stockfish", &[]);
        Self::with_program(format!("stockfish:{skill}"), skill, program)
    }

    /// Fairy-Stockfish at a skill from -20 to 20: its lowest ones are for beginners.
    #[must_use]
    pub fn fairy_stockfish(skill: i32) -> Self {
        let program = Program::packaged("fairy-stockfish", &[]);
        Self::with_program(format!("fairy:{skill}"), skill, program)
    }

    /// Another program that speaks UCI.
    #[must_use]
    pub fn with_program(name: String, skill: i32, program: Program) -> Self {
        Self {
            name,
            skill,
            program,
            engine: None,
        }
    }

    /// An engine that has its settings.
    fn start(&self) -> Result<Process> {
        let mut engine = Process::start(&self.program)?;
        engine.say("uci")?;
        engine.wait_for("uci", |line| (line == "uciok").then_some(()))?;
        engine.say(&format!("setoption name Skill Level value {}", self.skill))?;
        engine.say("setoption name Threads value 1")?;
        engine.say("setoption name Hash value 1")?;
        Ok(engine)
    }
}

impl Opponent for Uci {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn choose(&mut self, game: &dyn Game, moves: &[usize]) -> Result<usize> {
        // After an error the engine is dropped, and the next question starts a new one.
        let mut engine = match self.engine.take() {
            Some(engine) => engine,
            None => self.start()?,
        };
        // Asked as a new game, an answer does not depend on the games that are played beside it.
        engine.say("ucinewgame")?;
        engine.say("isready")?;
        engine.wait_for("isready", |line| (line == "readyok").then_some(()))?;
        engine.say(&position(game, moves)?)?;
        let question = format!("go nodes {NODES}");
        engine.say(&question)?;
        let answer = engine.wait_for(&question, |line| {
            line.starts_with("bestmove").then(|| line.to_owned())
        })?;
        let best = answer.split_whitespace().nth(1).unwrap_or_default();
        let action = game.parse_action(best);
        let action = action.map_err(|_| engine.nonsense(&question, &answer))?;
        self.engine = Some(engine);
        Ok(action)
    }
}

/// How the position is told: by the moves from the beginning. They are played once more, because
/// the name of an action depends on who moves.
fn position(game: &dyn Game, moves: &[usize]) -> Result<String> {
    let mut told = "position startpos".to_owned();
    if !moves.is_empty() {
        told.push_str(" moves");
    }
    let mut replayed = game.boxed_clone()?;
    replayed.reset(Rng::new(0))?;
    for &action in moves {
        told.push(' ');
        told.push_str(&replayed.action_name(action));
        replayed.step(action)?;
    }
    Ok(told)
}
