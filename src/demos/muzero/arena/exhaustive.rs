//! Every line of play of an opponent against a player that always answers the same.
//!
//! The player answers each position; where the opponent is to move, all its legal moves are tried.
//! Lines are counted, not positions: positions that look the same are asked once and carry how many
//! lines lead to them. Ply by ply, so that the player is asked in large batches.

use std::collections::HashMap;

use super::player::{Player, Position};
use super::tally::{GameResult, Tally};
use crate::demos::muzero::game::{Game, Player as Side};
use crate::demos::muzero::opponent::legal_actions;
use crate::error::{Error, Result};

/// A position and in how many lines it comes up.
struct Node {
    position: Position,
    lines: u64,
}

/// The lines of play in which the player has one side.
struct Half {
    side: Side,
    nodes: Vec<Node>,
    tally: Tally,
}

/// All lines of play against a player, first where it begins and then where the opponent does.
pub struct Exhaustive {
    halves: [Half; 2],
    merges: bool,
    messages: Vec<String>,
}

/// Messages that are kept.
const MESSAGES: usize = 10;

impl Exhaustive {
    /// Begins at the position of `game`. With `merges`, positions with the same observation count
    /// as one; that is right where the observation is all that matters for how the game goes on
    /// and for what the player answers, as in tic-tac-toe, not where earlier moves matter too.
    ///
    /// # Errors
    /// When it is no game for two, or cannot be copied.
    pub fn new(game: &dyn Game, merges: bool) -> Result<Self> {
        if game.spec().players != 2 {
            return Err(Error::Input("lines of play need a game for two".to_owned()));
        }
        let half = |side| -> Result<Half> {
            let position = Position::new(game.boxed_clone()?);
            Ok(Half {
                side,
                nodes: vec![Node { position, lines: 1 }],
                tally: Tally::default(),
            })
        };
        Ok(Self {
            halves: [half(Side::First)?, half(Side::Second)?],
            merges,
            messages: Vec::new(),
        })
    }

    /// Whether every line has come to its end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.halves.iter().all(|half| half.nodes.is_empty())
    }

    /// Lines of the player where it begins, and where the opponent does.
    #[must_use]
    pub fn by_side(&self) -> [Tally; 2] {
        [self.halves[0].tally, self.halves[1].tally]
    }

    /// All lines of the player.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut all = self.halves[0].tally;
        all += self.halves[1].tally;
        all
    }

    /// Moves of the player that were not legal, the first ones; each counts as a loss.
    #[must_use]
    pub fn messages(&self) -> &[String] {
        &self.messages
    }

    /// One ply of the first half that is not over; the player is asked for at most `batch`
    /// positions at once.
    ///
    /// # Errors
    /// When the player fails.
    pub fn step(&mut self, player: &mut dyn Player, batch: usize) -> Result<()> {
        let Some(half) = self.halves.iter_mut().find(|half| !half.nodes.is_empty()) else {
            return Ok(());
        };
        let nodes = std::mem::take(&mut half.nodes);
        let mut next = Layer::new(self.merges);
        let mut failures = Vec::new();
        // All positions of a layer have the same number of moves, so the turn is everyone's.
        if nodes[0].position.game.to_play() == half.side {
            for nodes in nodes.chunks(batch.max(1)) {
                failures.extend(answer(nodes, player, half, &mut next)?);
            }
        } else {
            for node in &nodes {
                for action in legal_actions(node.position.game.as_ref()) {
                    let mut after = node.position.try_clone()?;
                    after.play(action)?;
                    next.add(after, node.lines, half)?;
                }
            }
        }
        half.nodes = next.nodes;
        let room = MESSAGES.saturating_sub(self.messages.len());
        self.messages.extend(failures.into_iter().take(room));
        Ok(())
    }

    /// Follows all lines to their ends.
    ///
    /// # Errors
    /// When the player fails.
    pub fn play(&mut self, player: &mut dyn Player, batch: usize) -> Result<Tally> {
        while !self.is_over() {
            self.step(player, batch)?;
        }
        Ok(self.tally())
    }
}

/// Plays the player's answers, and gives what was wrong with them.
fn answer(
    nodes: &[Node],
    player: &mut dyn Player,
    half: &mut Half,
    next: &mut Layer,
) -> Result<Vec<String>> {
    let positions: Vec<&Position> = nodes.iter().map(|node| &node.position).collect();
    let choices = player.choose(&positions)?;
    if choices.len() != nodes.len() {
        return Err(Error::Input(format!("{} left out a game", player.name())));
    }
    let mut failures = Vec::new();
    for (node, choice) in nodes.iter().zip(choices) {
        let mut after = node.position.try_clone()?;
        let played = choice.and_then(|action| {
            let played = after.play(action);
            played.map_err(|error| format!("{} played an illegal move: {error}", player.name()))
        });
        match played {
            Ok(_) => next.add(after, node.lines, half)?,
            Err(message) => {
                half.tally.add(GameResult::Lost, node.lines);
                failures.push(message);
            }
        }
    }
    Ok(failures)
}

/// The positions after one more ply.
struct Layer {
    nodes: Vec<Node>,
    /// By observation, the place of the node; `None` where nothing is merged.
    places: Option<HashMap<Vec<u32>, usize>>,
}

impl Layer {
    fn new(merges: bool) -> Self {
        Self {
            nodes: Vec::new(),
            places: merges.then(HashMap::new),
        }
    }

    /// Adds lines that lead to a position; those that are over are counted.
    fn add(&mut self, position: Position, lines: u64, half: &mut Half) -> Result<()> {
        let game = position.game.as_ref();
        if game.is_over() {
            half.tally
                .add(GameResult::of(game.outcome(), half.side), lines);
            return Ok(());
        }
        if let Some(places) = &mut self.places {
            let mut planes = vec![0.0; game.spec().observation.iter().product()];
            game.observe(&mut planes);
            let key: Vec<u32> = planes.iter().map(|value| value.to_bits()).collect();
            let place = *places.entry(key).or_insert(self.nodes.len());
            if let Some(node) = self.nodes.get_mut(place) {
                let sum = node.lines.checked_add(lines);
                node.lines =
                    sum.ok_or_else(|| Error::Input("too many lines to count".to_owned()))?;
                return Ok(());
            }
        }
        self.nodes.push(Node { position, lines });
        Ok(())
    }
}
