//! Games between two players.
//!
//! They take turns in beginning. Two games each share an opening of random moves, once with either
//! side, so that an opening that favours a side favours nobody.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::player::{Choice, Player, Position};
use super::tally::{GameResult, Tally};
use crate::demos::muzero::game::{Game, Player as Side};
use crate::demos::muzero::opponent::legal_actions;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Openings that may end before their last move, before it is given up.
const ATTEMPTS: u32 = 1000;

/// What is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchOptions {
    /// Games in all.
    pub games: usize,
    /// Games at the same time: the batch of a step; at least one.
    pub at_once: usize,
    /// Random moves at the beginning of each game.
    pub opening_plies: usize,
}

/// A game that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// Which game, counted from 0; A begins those that are even.
    pub index: usize,
    /// Whether A began.
    pub a_first: bool,
    /// How it ended for A.
    pub result: GameResult,
    /// The moves, random ones included.
    pub moves: Vec<usize>,
    /// How many of the moves were random.
    pub opening: usize,
    /// Why it ended early, if it did.
    pub message: Option<String>,
}

struct Running {
    index: usize,
    position: Position,
    opening: usize,
}

impl Running {
    fn a_first(&self) -> bool {
        self.index.is_multiple_of(2)
    }

    fn a_side(&self) -> Side {
        if self.a_first() {
            Side::First
        } else {
            Side::Second
        }
    }

    fn is_turn_of_a(&self) -> bool {
        self.position.game.to_play() == self.a_side()
    }

    fn finish(self, result: GameResult, message: Option<String>) -> Finished {
        Finished {
            index: self.index,
            a_first: self.a_first(),
            result,
            moves: self.position.moves,
            opening: self.opening,
            message,
        }
    }
}

/// A match under way between A and B.
pub struct Match {
    start: Box<dyn Game>,
    options: MatchOptions,
    rng: Rng,
    waiting: VecDeque<usize>,
    running: Vec<Running>,
    as_first: Tally,
    as_second: Tally,
}

impl Match {
    /// Begins a match from the position of `game`, whose chance comes from `rng`.
    ///
    /// # Errors
    /// When it is no game for two, or cannot be copied.
    pub fn new(game: &dyn Game, options: MatchOptions, rng: &Rng) -> Result<Self> {
        if game.spec().players != 2 {
            return Err(Error::Input("a match needs a game for two".to_owned()));
        }
        let mut started = Self {
            start: game.boxed_clone()?,
            options,
            rng: rng.split("match"),
            waiting: (0..options.games).collect(),
            running: Vec::new(),
            as_first: Tally::default(),
            as_second: Tally::default(),
        };
        started.fill()?;
        Ok(started)
    }

    /// Whether all games have ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.running.is_empty()
    }

    /// The results of A where it began, and where B did.
    #[must_use]
    pub fn by_side(&self) -> [Tally; 2] {
        [self.as_first, self.as_second]
    }

    /// All results of A.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut all = self.as_first;
        all += self.as_second;
        all
    }

    /// The games under way, each with its number.
    pub fn running(&self) -> impl Iterator<Item = (usize, &Position)> {
        let games = self.running.iter();
        games.map(|game| (game.index, &game.position))
    }

    /// One move in all games where it is the turn of the player who has more to do; gives what has
    /// ended. A move that is not legal, or none, loses the game.
    ///
    /// # Errors
    /// When a player cannot go on at all. The games stay as they are.
    pub fn step(&mut self, a: &mut dyn Player, b: &mut dyn Player) -> Result<Vec<Finished>> {
        let turns_of_a = self.running.iter().filter(|game| game.is_turn_of_a());
        let is_a = 2 * turns_of_a.count() >= self.running.len();
        let player: &mut dyn Player = if is_a { &mut *a } else { &mut *b };
        let asked = |game: &&Running| game.is_turn_of_a() == is_a;
        let positions: Vec<&Position> = self
            .running
            .iter()
            .filter(asked)
            .map(|g| &g.position)
            .collect();
        let choices = player.choose(&positions)?;
        if choices.len() != positions.len() {
            return Err(Error::Input(format!("{} left out a game", player.name())));
        }
        let mut choices = choices.into_iter();
        let (mut running, mut finished) = (Vec::new(), Vec::new());
        for game in std::mem::take(&mut self.running) {
            let choice = if game.is_turn_of_a() == is_a {
                choices.next()
            } else {
                None
            };
            match choice {
                None => running.push(game),
                Some(choice) => match advance(game, choice, &player.name()) {
                    Advanced::Running(game) => running.push(game),
                    Advanced::Finished(game) => finished.push(game),
                },
            }
        }
        self.running = running;
        for game in &finished {
            let side = if game.a_first {
                &mut self.as_first
            } else {
                &mut self.as_second
            };
            side.add(game.result, 1);
        }
        self.fill()?;
        Ok(finished)
    }

    /// Plays to the end and gives every game in the order of their numbers.
    ///
    /// # Errors
    /// As [`Match::step`].
    pub fn play(&mut self, a: &mut dyn Player, b: &mut dyn Player) -> Result<Vec<Finished>> {
        let mut games = Vec::new();
        while !self.is_over() {
            games.extend(self.step(a, b)?);
        }
        games.sort_by_key(|game| game.index);
        Ok(games)
    }

    fn fill(&mut self) -> Result<()> {
        while self.running.len() < self.options.at_once.max(1) {
            let Some(index) = self.waiting.pop_front() else {
                return Ok(());
            };
            let position = self.open(index)?;
            let opening = position.moves.len();
            self.running.push(Running {
                index,
                position,
                opening,
            });
        }
        Ok(())
    }

    /// The beginning of a game. An opening in which the game ends is drawn again.
    fn open(&self, index: usize) -> Result<Position> {
        let rng = self.rng.split(&format!("opening {}", index / 2));
        for attempt in 0..ATTEMPTS {
            let mut rng = rng.split(&attempt.to_string());
            let mut game = self.start.boxed_clone()?;
            game.reset(rng.split("game"))?;
            let mut position = Position::new(game);
            while position.moves.len() < self.options.opening_plies && !position.game.is_over() {
                let legal = legal_actions(position.game.as_ref());
                position.play(legal[rng.below(legal.len())])?;
            }
            if !position.game.is_over() {
                return Ok(position);
            }
        }
        let plies = self.options.opening_plies;
        Err(Error::Input(format!(
            "the game ends before {plies} random moves, choose fewer"
        )))
    }
}

enum Advanced {
    Running(Running),
    Finished(Finished),
}

/// Plays a choice of the player whose turn it is.
fn advance(mut game: Running, choice: Choice, name: &str) -> Advanced {
    let mover = game.position.game.to_play();
    let played = choice.and_then(|action| {
        let played = game.position.play(action);
        played.map_err(|error| format!("{name} played an illegal move: {error}"))
    });
    if let Err(message) = played {
        let result = if mover == game.a_side() {
            GameResult::Lost
        } else {
            GameResult::Won
        };
        return Advanced::Finished(game.finish(result, Some(message)));
    }
    if game.position.game.is_over() {
        let result = GameResult::of(game.position.game.outcome(), game.a_side());
        return Advanced::Finished(game.finish(result, None));
    }
    Advanced::Running(game)
}
