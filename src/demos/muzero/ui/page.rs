//! What the tab's pages have in common: the contract of a page, and the position on the table.

use std::path::Path;

use egui::{Context, Ui};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::game::{Game, GameId, Record, open};
use super::analysis::Analysis;
use crate::error::{Error, Result};
use crate::gui::{Command, Export, TabCx};

/// One page of the tab.
pub trait Page {
    /// Short and stable: sessions use it.
    fn id(&self) -> &'static str;

    /// On its button.
    fn name(&self) -> &'static str;

    /// What it shows, in a sentence.
    fn about(&self) -> &'static str;

    /// Takes in what its jobs report. Called every frame, also while another page is in front.
    fn logic(&mut self, ctx: &Context, shared: &mut Shared, front: bool, cx: &mut TabCx<'_>);

    /// Draws the controls.
    fn controls_ui(&mut self, ui: &mut Ui, shared: &mut Shared, cx: &mut TabCx<'_>);

    /// Draws the stage.
    fn stage_ui(&mut self, ui: &mut Ui, shared: &mut Shared, cx: &mut TabCx<'_>);

    /// Whether a command can be done now.
    fn can(&self, command: Command, shared: &Shared) -> bool;

    /// Does a command.
    fn perform(&mut self, command: Command, shared: &mut Shared, cx: &mut TabCx<'_>);

    /// What the copy command copies.
    fn copy_text(&self, shared: &Shared) -> Option<String>;

    /// The formats it exports.
    fn exports(&self) -> &'static [Export];

    /// Its result in one of them.
    ///
    /// # Errors
    /// When there is nothing to export.
    fn export(&self, format: Export, shared: &Shared) -> Result<Vec<u8>>;

    /// What a session stores of it.
    fn save(&self) -> Value;

    /// Takes up what a session stored.
    ///
    /// # Errors
    /// When it cannot be understood.
    fn restore(&mut self, state: Value) -> Result<()>;

    /// Changes whenever [`Page::save`] would give something else.
    fn revision(&self) -> u64;
}

/// All pages, in their order.
pub fn all() -> Vec<Box<dyn Page>> {
    vec![
        Box::new(super::play::PlayPage::new()),
        Box::new(super::tree_page::TreePage::new()),
        Box::new(super::imagine::ImaginePage::new()),
        Box::new(super::training::Training::new()),
        Box::new(super::scaling::Strength::new()),
    ]
}

/// What the pages share: the game, the position, the weights.
pub struct Shared {
    /// The game that is played and looked into.
    pub game: GameId,
    /// The moves from the beginning to the position on the table.
    pub moves: Vec<usize>,
    /// Moves that were taken back, the last first.
    pub undone: Vec<usize>,
    /// Weights in place of the shipped ones.
    pub weights: Option<std::path::PathBuf>,
    /// A page that should come to the front.
    pub wanted: Option<&'static str>,
    /// The search of a position, watched by several pages.
    pub analysis: Analysis,
    /// Changes with what [`Shared::save`] gives.
    pub revision: u64,
    /// The position after `moves`; made by [`Shared::position`].
    position: Option<Box<dyn Game>>,
}

/// What a session stores of it.
#[derive(Serialize, Deserialize)]
struct Saved {
    game: GameId,
    moves: Vec<usize>,
    #[serde(default)]
    weights: Option<std::path::PathBuf>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            game: GameId::ConnectFour,
            moves: Vec::new(),
            undone: Vec::new(),
            weights: None,
            wanted: None,
            analysis: Analysis::default(),
            revision: 0,
            position: None,
        }
    }
}

impl Shared {
    /// The position on the table.
    ///
    /// # Errors
    /// When the game is not there; board games always are.
    pub fn position(&mut self) -> Result<&dyn Game> {
        if self.position.is_none() {
            let mut game = open(&self.game)?;
            for &action in &self.moves {
                game.step(action)?;
            }
            self.position = Some(game);
        }
        match &self.position {
            Some(position) => Ok(&**position),
            None => Err(Error::Input("there is no position".into())),
        }
    }

    /// Makes a move.
    ///
    /// # Errors
    /// When it is not legal.
    pub fn play(&mut self, action: usize) -> Result<()> {
        self.position()?;
        if let Some(position) = &mut self.position {
            position.step(action)?;
        }
        self.moves.push(action);
        self.undone.clear();
        self.revision += 1;
        Ok(())
    }

    /// Takes the last move back. False when there is none.
    pub fn undo(&mut self) -> bool {
        let Some(action) = self.moves.pop() else {
            return false;
        };
        self.undone.push(action);
        self.position = None;
        self.revision += 1;
        true
    }

    /// Makes the move again that was taken back last. False when there is none.
    pub fn redo(&mut self) -> bool {
        let Some(action) = self.undone.pop() else {
            return false;
        };
        let rest = std::mem::take(&mut self.undone);
        let played = self.play(action).is_ok();
        self.undone = rest;
        played
    }

    /// Steps back or forward to after so many moves.
    pub fn go_to(&mut self, ply: usize) {
        while self.moves.len() > ply && self.undo() {}
        while self.moves.len() < ply && self.redo() {}
    }

    /// All moves of the game, those that were taken back too.
    #[must_use]
    pub fn line(&self) -> Vec<usize> {
        let undone = self.undone.iter().rev();
        self.moves.iter().chain(undone).copied().collect()
    }

    /// Another game, or the same from its beginning.
    pub fn begin(&mut self, game: GameId) {
        if self.game != game {
            self.weights = None;
        }
        self.set(game, Vec::new());
    }

    /// A game after some moves, which were checked.
    pub fn set(&mut self, game: GameId, moves: Vec<usize>) {
        self.game = game;
        self.moves = moves;
        self.undone.clear();
        self.position = None;
        self.revision += 1;
    }

    /// Takes a recorded game or weights.
    ///
    /// # Errors
    /// When the file is neither.
    pub fn open_file(&mut self, path: &Path, cx: &mut TabCx<'_>) -> Result<()> {
        if path.extension().is_some_and(|e| e == "safetensors") {
            let about = super::super::weights_file::about(path)?;
            self.begin(about.settings.game);
            self.weights = Some(path.to_owned());
            cx.toasts.info(format!("Weights of {} loaded", self.game));
        } else {
            let record = Record::load(path, Some(&self.game))?;
            let moves = record.moves.clone();
            self.set(record.game, moves);
            cx.toasts.info(format!("{} moves loaded", self.moves.len()));
        }
        Ok(())
    }

    /// What a session stores of it.
    #[must_use]
    pub fn save(&self) -> Value {
        json!(Saved {
            game: self.game.clone(),
            moves: self.moves.clone(),
            weights: self.weights.clone(),
        })
    }

    /// Takes up what a session stored.
    ///
    /// # Errors
    /// When the moves are not those of the game.
    pub fn restore(&mut self, state: &Value) -> Result<()> {
        let saved: Saved =
            serde_json::from_value(state.clone()).map_err(|e| Error::Input(e.to_string()))?;
        if !matches!(saved.game, GameId::Atari(_)) {
            let mut game = open(&saved.game)?;
            for &action in &saved.moves {
                game.step(action)?;
            }
        }
        self.set(saved.game, saved.moves);
        self.weights = saved.weights;
        Ok(())
    }
}
