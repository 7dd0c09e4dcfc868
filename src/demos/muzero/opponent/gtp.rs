//! GNU Go over GTP, the Go text protocol (Farnebäck 2002, version 2).
//!
//! Area scoring with 7.5 points of komi and positional superko, as our Go; it captures dead stones
//! before it passes, because our count takes what is on the board for alive.

use super::process::{Process, Program};
use super::{Opponent, board};
use crate::demos::muzero::game::{Game, Player};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Points for white, as our Go counts.
const KOMI: &str = "7.5";

/// GNU Go at a level.
pub struct GnuGo {
    level: u32,
    program: Program,
    engine: Option<Process>,
    /// The moves that the engine has on its board, and the board's size.
    played: Vec<usize>,
    size: usize,
}

impl GnuGo {
    /// The installed program at a level from 1 to 10; its chance is seeded by `rng`.
    #[must_use]
    pub fn new(level: u32, rng: &mut Rng) -> Self {
        // It reads the seed as a signed number, and takes 0 for the time of day.
        let seed = 1 + rng.below(1 << 30);
        let level_text = level.to_string();
        let program = Program::packaged(
            "gnugo",
            &[
                "--mode",
                "gtp",
                "--quiet",
                "--level",
                &level_text,
                "--seed",
                &seed.to_string(),
                "--chinese-rules",
                "--positional-superko",
                "--capture-all-dead",
                "--never-resign",
            ],
        );
        Self::with_program(level, program)
    }

    /// Another program that speaks GTP.
    #[must_use]
    pub fn with_program(level: u32, program: Program) -> Self {
        Self {
            level,
            program,
            engine: None,
            played: Vec::new(),
            size: 0,
        }
    }

    /// A running engine whose board shows what was played.
    fn prepare(&mut self, game: &dyn Game, moves: &[usize]) -> Result<Process> {
        let size = board(game)?.rows;
        let mut engine = if let Some(engine) = self.engine.take() {
            engine
        } else {
            self.size = 0;
            Process::start(&self.program)?
        };
        if self.size != size {
            ask(&mut engine, &format!("boardsize {size}"))?;
            ask(&mut engine, &format!("komi {KOMI}"))?;
            self.size = size;
            self.played.clear();
            ask(&mut engine, "clear_board")?;
        }
        if !moves.starts_with(&self.played) {
            ask(&mut engine, "clear_board")?;
            self.played.clear();
        }
        for (place, &action) in moves.iter().enumerate().skip(self.played.len()) {
            let vertex = game.action_name(action);
            ask(&mut engine, &format!("play {} {vertex}", colour(place)))?;
        }
        self.played = moves.to_vec();
        Ok(engine)
    }
}

impl Opponent for GnuGo {
    fn name(&self) -> String {
        format!("gnugo:{}", self.level)
    }

    fn choose(&mut self, game: &dyn Game, moves: &[usize]) -> Result<usize> {
        if game.to_play() != mover(moves.len()) {
            return Err(Error::Input(
                "the moves are not those of the position".to_owned(),
            ));
        }
        // After an error the engine is dropped, and the next question starts a new one.
        let mut engine = self.prepare(game, moves)?;
        let question = format!("genmove {}", colour(moves.len()));
        let answer = ask(&mut engine, &question)?;
        let action = game.parse_action(&answer);
        let action = action.map_err(|_| engine.nonsense(&question, &answer))?;
        self.engine = Some(engine);
        self.played.push(action);
        Ok(action)
    }
}

/// Sends a command and gives the first line of its answer without the sign of success.
fn ask(engine: &mut Process, command: &str) -> Result<String> {
    engine.say(command)?;
    let answer = engine.wait_for(command, |line| {
        line.starts_with(['=', '?']).then(|| line.to_owned())
    })?;
    match answer.strip_prefix('=') {
        Some(text) => Ok(text.trim().to_owned()),
        None => Err(engine.nonsense(command, &answer)),
    }
}

fn mover(played: usize) -> Player {
    if played.is_multiple_of(2) {
        Player::First
    } else {
        Player::Second
    }
}

fn colour(played: usize) -> &'static str {
    match mover(played) {
        Player::First => "black",
        Player::Second => "white",
    }
}
