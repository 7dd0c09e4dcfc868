//! Who plays in an evaluation.

use rayon::prelude::*;

use crate::demos::muzero::game::{Game, GameId};
use crate::demos::muzero::opponent::{Opponent, OpponentId, open};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// A game under way and how it got there.
pub struct Position {
    /// The game now.
    pub game: Box<dyn Game>,
    /// The actions from the beginning.
    pub moves: Vec<usize>,
}

impl Position {
    /// A game at its beginning.
    #[must_use]
    pub fn new(game: Box<dyn Game>) -> Self {
        Self {
            game,
            moves: Vec::new(),
        }
    }

    /// The same position, to go on independently.
    ///
    /// # Errors
    /// When the game cannot be copied.
    pub fn try_clone(&self) -> Result<Self> {
        Ok(Self {
            game: self.game.boxed_clone()?,
            moves: self.moves.clone(),
        })
    }

    /// Takes an action and gives what it earned.
    ///
    /// # Errors
    /// When it is not legal. Nothing is changed then.
    pub fn play(&mut self, action: usize) -> Result<f32> {
        let reward = self.game.step(action)?;
        self.moves.push(action);
        Ok(reward)
    }
}

/// An action, or why the player has none: then this one game is lost for it and others go on.
pub type Choice = Result<usize, String>;

/// Something that chooses moves for many games at once.
pub trait Player: Send {
    /// What it is called.
    fn name(&self) -> String;

    /// A choice for each position, in their order. None of them is over.
    ///
    /// # Errors
    /// When nothing can go on: the network fails, an engine is not installed, it was cancelled.
    fn choose(&mut self, games: &[&Position]) -> Result<Vec<Choice>>;
}

/// Opponents of one kind that share the games between them and think at the same time.
///
/// Who gets which game follows from their number and the order of the games alone, so results do
/// not depend on the machine.
pub struct Opponents {
    opponents: Vec<Box<dyn Opponent>>,
}

impl Opponents {
    /// One opponent for all games.
    #[must_use]
    pub fn one(opponent: Box<dyn Opponent>) -> Self {
        Self {
            opponents: vec![opponent],
        }
    }

    /// So many of a kind, at least one, each with chance of its own from `rng`.
    ///
    /// # Errors
    /// As [`open`].
    pub fn open(id: &OpponentId, game: &GameId, copies: usize, rng: &Rng) -> Result<Self> {
        let opponents =
            (0..copies.max(1)).map(|copy| open(id, game, &rng.split(&copy.to_string())));
        Ok(Self {
            opponents: opponents.collect::<Result<_>>()?,
        })
    }
}

impl Player for Opponents {
    fn name(&self) -> String {
        self.opponents[0].name()
    }

    fn choose(&mut self, games: &[&Position]) -> Result<Vec<Choice>> {
        let count = self.opponents.len();
        let shares = self.opponents.par_iter_mut().enumerate();
        let shares = shares.map(|(first, opponent)| {
            let games = games.iter().skip(first).step_by(count);
            games
                .map(|position| choice(opponent.as_mut(), position))
                .collect()
        });
        let shares: Vec<Vec<Choice>> = shares.collect::<Result<_>>()?;
        let mut shares: Vec<_> = shares.into_iter().map(Vec::into_iter).collect();
        let choices = (0..games.len()).filter_map(|game| shares[game % count].next());
        Ok(choices.collect())
    }
}

/// What is wrong with the answer of an opponent is its own affair; everything else ends the match.
fn choice(opponent: &mut dyn Opponent, position: &Position) -> Result<Choice> {
    match opponent.choose(position.game.as_ref(), &position.moves) {
        Ok(action) => Ok(Ok(action)),
        Err(Error::Input(message)) => Ok(Err(message)),
        Err(error) => Err(error),
    }
}
