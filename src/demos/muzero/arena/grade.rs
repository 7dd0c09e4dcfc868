//! Moves of Connect Four beside the perfect ones.
//!
//! A position counts where it matters what is played: where some legal move leads to a weaker
//! result of perfect play than another. Positions come from games of random moves, a random one of
//! each game, and none comes twice, nor as its mirror image. To solve those with 8 to 11 stones
//! takes seconds each, so a fixed set is kept as text ([`Graded::to_line`]).

use std::collections::HashSet;

use serde::Serialize;

use super::player::{Choice, Position};
use super::tally::share;
use crate::data::interval::{Interval, wilson};
use crate::demos::muzero::game::ConnectFour;
use crate::demos::muzero::opponent::{legal_actions, outcomes};
use crate::error::{Error, Result};
use crate::rng::Rng;

const COLUMNS: usize = 7;

/// A position of Connect Four and what each move leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graded {
    /// How it was reached: columns from 0.
    pub moves: Vec<usize>,
    /// What playing each column leads to with perfect play, for who plays it: 1 won, 0 drawn, -1
    /// lost; `None` where the column is full.
    pub outcomes: [Option<i8>; COLUMNS],
}

impl Graded {
    /// The best result there is.
    #[must_use]
    pub fn best(&self) -> Option<i8> {
        self.outcomes.iter().flatten().copied().max()
    }

    /// Whether a move leads to the best result.
    #[must_use]
    pub fn keeps(&self, column: usize) -> bool {
        let outcome = self.outcomes.get(column).copied().flatten();
        outcome.is_some() && outcome == self.best()
    }

    /// Whether it matters what is played.
    #[must_use]
    pub fn matters(&self) -> bool {
        let mut outcomes = self.outcomes.iter().flatten();
        outcomes.any(|&outcome| Some(outcome) != self.best())
    }

    /// The game in this position.
    ///
    /// # Errors
    /// When the moves are not those of a game.
    pub fn position(&self) -> Result<Position> {
        let mut position = Position::new(Box::new(ConnectFour::new()));
        for &column in &self.moves {
            position.play(column)?;
        }
        Ok(position)
    }

    /// As text: columns from 1, a space, and for each column `w`, `d`, `l` or `-`.
    #[must_use]
    pub fn to_line(&self) -> String {
        let moves: String = self
            .moves
            .iter()
            .map(|column| (column + 1).to_string())
            .collect();
        let outcomes = self.outcomes.map(|outcome| match outcome {
            None => '-',
            Some(1..) => 'w',
            Some(0) => 'd',
            Some(_) => 'l',
        });
        format!("{moves} {}", outcomes.iter().collect::<String>())
    }

    /// Reads what [`Graded::to_line`] writes.
    ///
    /// # Errors
    /// When the line is not of that form, or its moves are not those of a game.
    pub fn from_line(line: &str) -> Result<Self> {
        let parsed = line.split_once(' ').and_then(|(moves, outcomes)| {
            let column = |c: char| (c.to_digit(10)? as usize).checked_sub(1);
            let outcome = |c: char| match c {
                '-' => Some(None),
                'w' => Some(Some(1)),
                'd' => Some(Some(0)),
                'l' => Some(Some(-1)),
                _ => None,
            };
            let outcomes: Vec<Option<i8>> = outcomes.chars().map(outcome).collect::<Option<_>>()?;
            Some(Self {
                moves: moves.chars().map(column).collect::<Option<_>>()?,
                outcomes: outcomes.try_into().ok()?,
            })
        });
        let graded = parsed.ok_or_else(|| {
            let shown: String = line.chars().take(60).collect();
            Error::Input(format!("no graded position: {shown:?}"))
        })?;
        graded.position()?;
        Ok(graded)
    }
}

/// Finds positions that matter, one after the other.
pub struct Grader {
    rng: Rng,
    games: u64,
    seen: HashSet<Vec<u8>>,
}

impl Grader {
    /// Chance comes from `rng`.
    #[must_use]
    pub fn new(rng: &Rng) -> Self {
        Self {
            rng: rng.split("graded positions"),
            games: 0,
            seen: HashSet::new(),
        }
    }

    /// A position of another random game; `None` where it does not matter what is played there, or
    /// the position came before.
    ///
    /// # Errors
    /// When the game fails.
    pub fn step(&mut self) -> Result<Option<Graded>> {
        let mut rng = self.rng.split(&self.games.to_string());
        self.games += 1;
        let mut moves = random_game(&mut rng)?;
        moves.truncate(rng.below(moves.len()));
        let mut graded = Graded {
            moves,
            outcomes: [None; COLUMNS],
        };
        if !self.seen.insert(key(&graded.position()?)) {
            return Ok(None);
        }
        graded.outcomes = outcomes(&graded.moves)?;
        Ok(graded.matters().then_some(graded))
    }
}

/// So many positions.
///
/// # Errors
/// When the game fails.
pub fn positions(count: usize, rng: &Rng) -> Result<Vec<Graded>> {
    let mut grader = Grader::new(rng);
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        found.extend(grader.step()?);
    }
    Ok(found)
}

/// The moves of a game of random moves to its end.
fn random_game(rng: &mut Rng) -> Result<Vec<usize>> {
    let mut position = Position::new(Box::new(ConnectFour::new()));
    while !position.game.is_over() {
        let legal = legal_actions(position.game.as_ref());
        position.play(legal[rng.below(legal.len())])?;
    }
    Ok(position.moves)
}

/// The same for positions that look the same, directly or in a mirror.
fn key(position: &Position) -> Vec<u8> {
    let mut planes = vec![0.0; position.game.spec().observation.iter().product()];
    position.game.observe(&mut planes);
    let cells: Vec<u8> = planes.iter().map(|&on| u8::from(on != 0.0)).collect();
    let rows = cells.chunks(COLUMNS);
    let mirrored = rows.flat_map(|row| row.iter().rev().copied()).collect();
    cells.min(mirrored)
}

/// How many moves keep the result of perfect play.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Kept {
    /// Moves that do.
    pub kept: u64,
    /// All.
    pub positions: u64,
    /// Their share, 0 to 1.
    pub share: f64,
    /// The share's 95 % interval.
    pub interval: Interval,
}

/// Grades a choice for each position; none at all, or an illegal one, does not keep the result.
#[must_use]
pub fn share_kept(graded: &[Graded], choices: &[Choice]) -> Kept {
    let pairs = graded.iter().zip(choices);
    let keeps = |(graded, choice): &(&Graded, &Choice)| {
        choice.as_ref().is_ok_and(|&column| graded.keeps(column))
    };
    let kept = pairs.filter(keeps).count() as u64;
    let positions = graded.len() as u64;
    Kept {
        kept,
        positions,
        share: share(kept as f64, positions),
        interval: wilson(kept as f64, positions),
    }
}
