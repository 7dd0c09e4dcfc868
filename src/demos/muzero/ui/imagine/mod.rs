//! The imagination page: what the learned model imagines along some moves, above what really
//! happens.

mod controls;
mod export;
mod figures;
mod pictures;
mod strip;

use egui::{Context, RichText, Ui, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::pictures::Style;
use self::strip::Strip;
use super::super::game::{Game, GameId};
use super::super::imagination::{Along, Drift, DriftConfig, DriftJob, Roll, RollConfig, RollJob};
use super::page::{Page, Shared};
use crate::compute::{Ending, Event, Lane, Run};
use crate::error::{Error, Result};
use crate::gui::controls::{capitalised, empty_ui, next_seed};
use crate::gui::figure::Plotted;
use crate::gui::{Command, Export, TabCx, theme};

/// Most steps of a line.
const MOST_STEPS: usize = 20;
/// Positions over which the error is averaged.
const POSITIONS: usize = 256;

/// Where the moves come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Source {
    /// What a search holds best for both sides.
    #[default]
    Principal,
    /// The moves that led to the position on the table.
    Played,
    /// Legal ones by chance.
    Random,
    /// What the person clicked.
    Own,
}

/// What a session stores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Options {
    source: Source,
    /// For the moves played: after how many of them imagining begins.
    from: usize,
    depth: usize,
    simulations: usize,
    seed: u64,
    /// The moves that the person chose.
    own: Vec<usize>,
    /// After how many of the moves played they begin.
    own_from: usize,
    /// Shows what untrained networks imagine, too.
    untrained: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            source: Source::default(),
            from: 0,
            depth: 8,
            simulations: 200,
            seed: 1,
            own: Vec::new(),
            own_from: 0,
            untrained: false,
        }
    }
}

/// The page.
#[derive(Default)]
pub struct ImaginePage {
    options: Options,
    /// The game and the moves on the table that everything is of.
    base: Option<(GameId, Vec<usize>)>,
    asked: Option<RollConfig>,
    asking: Option<Run<Roll>>,
    roll: Option<Roll>,
    /// The pictures of `roll`, with their game as it was after the last legal move.
    strip: Option<(Strip, Style, Box<dyn Game>)>,
    failure: Option<String>,
    selected: Option<usize>,
    measuring: Option<Run<Drift>>,
    drift: Option<Drift>,
    /// What `drift` is of.
    measured: Option<DriftConfig>,
    plots: Vec<Plotted>,
    revision: u64,
}

impl ImaginePage {
    /// With nothing imagined yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn changed(&mut self) {
        self.revision += 1;
    }

    /// What is to be shown.
    fn wanted(&self, shared: &Shared) -> RollConfig {
        let options = &self.options;
        let moves = &shared.moves;
        let (start, along) = match options.source {
            Source::Principal => (moves.len(), Along::Principal(options.simulations)),
            Source::Random => (moves.len(), Along::Random),
            Source::Own => {
                let start = if options.own.is_empty() {
                    moves.len()
                } else {
                    options.own_from.min(moves.len())
                };
                (start, Along::Given(options.own.clone()))
            }
            Source::Played => {
                let from = options.from.min(moves.len());
                (from, Along::Given(moves[from..].to_vec()))
            }
        };
        RollConfig {
            game: shared.game.clone(),
            moves: moves[..start].to_vec(),
            along,
            depth: match options.source {
                Source::Own => MOST_STEPS,
                _ => options.depth,
            },
            weights: shared.weights.clone(),
            seed: options.seed,
        }
    }

    /// Another position: chosen moves and the measurement were of the old one.
    fn follow(&mut self, shared: &Shared) {
        let now = (&shared.game, &shared.moves);
        let same = |base: &(GameId, Vec<usize>)| (&base.0, &base.1) == now;
        if self.base.as_ref().is_some_and(same) {
            return;
        }
        // A session's own moves are of the first position that is seen.
        if self.base.is_some() && !self.options.own.is_empty() {
            self.options.own.clear();
            self.changed();
        }
        if self
            .base
            .as_ref()
            .is_some_and(|(game, _)| *game != shared.game)
        {
            self.roll = None;
            self.strip = None;
        }
        self.base = Some((shared.game.clone(), shared.moves.clone()));
        self.selected = None;
    }

    fn measurement(&self, shared: &Shared) -> DriftConfig {
        DriftConfig {
            game: shared.game.clone(),
            weights: shared.weights.clone(),
            depth: MOST_STEPS,
            positions: POSITIONS,
            seed: self.options.seed,
        }
    }

    fn hear(&mut self, shared: &mut Shared, cx: &mut TabCx<'_>) {
        while let Some(event) = self.asking.as_mut().and_then(Run::poll) {
            match event {
                Event::Output(roll) => self.take(roll, shared),
                // That networks are untrained is told on the stage.
                Event::Warning(_) => {}
                Event::Ended(ending) => {
                    self.asking = None;
                    if let Ending::Failed(error) = ending {
                        self.failure = Some(capitalised(&error.to_string()));
                    }
                }
            }
        }
        while let Some(event) = self.measuring.as_mut().and_then(Run::poll) {
            match event {
                Event::Output(drift) => {
                    self.drift = Some(drift);
                    self.plot();
                }
                Event::Warning(_) => {}
                Event::Ended(ending) => {
                    self.measuring = None;
                    if let Ending::Failed(error) = ending {
                        cx.toasts.error(capitalised(&error.to_string()));
                    }
                }
            }
        }
    }

    /// Shows a line.
    fn take(&mut self, roll: Roll, shared: &mut Shared) {
        self.failure = None;
        self.selected = None;
        match self.end_of(&roll, shared) {
            Ok(game) => {
                let style = Style::new(&roll.game, &game.scene());
                self.strip = Some((Strip::new(&style, &roll), style, game));
            }
            Err(error) => self.failure = Some(capitalised(&error.to_string())),
        }
        self.roll = Some(roll);
        self.plot();
    }

    /// The true game after the line, as far as it was legal.
    fn end_of(&self, roll: &Roll, shared: &mut Shared) -> Result<Box<dyn Game>> {
        let start = self.asked.as_ref().map_or(0, |asked| asked.moves.len());
        let mut game = if start == shared.moves.len() && !matches!(roll.game, GameId::Atari(_)) {
            shared.position()?.boxed_clone()?
        } else {
            let mut game = super::super::game::open(&roll.game)?;
            for &action in shared.moves.iter().take(start) {
                game.step(action)?;
            }
            game
        };
        for step in &roll.steps[1..] {
            if step.seen.is_none() || game.is_over() {
                break;
            }
            if let Some(action) = step.action {
                game.step(action)?;
            }
        }
        Ok(game)
    }

    fn plot(&mut self) {
        let figures = figures::figures(self.roll.as_ref(), self.drift.as_ref());
        self.plots = figures.into_iter().map(Plotted::new).collect();
    }

    /// Goes on with a move of the person's.
    fn extend(&mut self, action: usize) {
        let steps = self.roll.as_ref().map_or(&[][..], |roll| &roll.steps);
        let mut own: Vec<usize> = steps.iter().filter_map(|step| step.action).collect();
        if own.len() >= MOST_STEPS || self.asking.is_some() {
            return;
        }
        own.push(action);
        let start = self.asked.as_ref().map_or(0, |asked| asked.moves.len());
        self.options.source = Source::Own;
        self.options.own = own;
        self.options.own_from = start;
        self.changed();
    }

    /// What a click on the last imagined board means.
    fn click(&mut self, cell: usize) {
        let Some((strip, _, game)) = &mut self.strip else {
            return;
        };
        if let Some(action) = action_at(&**game, self.selected, cell) {
            strip.select(None);
            self.selected = None;
            self.extend(action);
        } else {
            let next = (self.selected != Some(cell)).then_some(cell);
            strip.select(next);
            self.selected = next;
        }
    }

    fn line_ui(&mut self, ui: &mut Ui) {
        let (Some(roll), Some((strip, style, game))) = (&self.roll, &mut self.strip) else {
            return;
        };
        let faint = theme::tokens(ui).faint;
        let plots = (ui.available_height() * 0.32).clamp(120.0, 260.0);
        let height = ui.available_height() - plots - 58.0;
        let clicked = strip.ui(ui, roll, height);
        let mut chosen = None;
        if style.is_board() {
            let text = "The probe that draws the imagined states is a decoder trained with a \
                        stopped gradient, not part of MuZero; click on the last imagined board \
                        to go on";
            ui.add(egui::Label::new(RichText::new(text).small().color(faint)).truncate());
        } else {
            chosen = actions_ui(ui, &**game);
        }
        ui.add_space(4.0);
        let gap = ui.spacing().item_spacing.x;
        let count = self.plots.len().max(1) as f32;
        let size = vec2(
            (ui.available_width() - gap * (count - 1.0)) / count,
            ui.available_height() - 22.0,
        );
        ui.horizontal_top(|ui| {
            for plot in &self.plots {
                ui.vertical(|ui| {
                    ui.set_width(size.x);
                    ui.label(RichText::new(&plot.figure().name).small().strong());
                    plot.show(ui, size);
                });
            }
        });
        if let Some(cell) = clicked {
            self.click(cell);
        }
        if let Some(action) = chosen {
            self.extend(action);
        }
    }

    /// In place of a line. True when there is one to be drawn.
    fn is_line_there(&mut self, ui: &mut Ui, shared: &Shared) -> bool {
        if let Some(failure) = &self.failure {
            empty_ui(ui, "Nothing can be imagined", failure);
            return false;
        }
        let Some(roll) = &self.roll else {
            let text = "What the learned model imagines is shown here";
            empty_ui(ui, text, "");
            return false;
        };
        if roll.trained || self.options.untrained {
            return true;
        }
        let name = shared.game.title();
        let title = format!("No trained networks of {name} yet");
        empty_ui(
            ui,
            &title,
            "Train some on the training page, or open a file of weights",
        );
        ui.vertical_centered(|ui| {
            ui.add_space(6.0);
            if ui.button("Show what untrained ones imagine").clicked() {
                self.options.untrained = true;
                self.revision += 1;
            }
        });
        false
    }
}

/// The move to a cell, from the picked-up one where pieces move; a legal one if there is one.
fn action_at(game: &dyn Game, from: Option<usize>, cell: usize) -> Option<usize> {
    let spec = game.spec();
    let columns = spec.observation[2];
    let stands = spec.coding == super::super::game::ActionCoding::Column;
    let fits = |action: &usize| {
        let cells = game.cells(*action);
        let to = if stands {
            Some(*action) == Some(cell % columns)
        } else {
            cells.to == Some(cell)
        };
        to && cells.from.is_none_or(|left| Some(left) == from)
    };
    let mut legal = vec![false; spec.actions];
    game.legal(&mut legal);
    let mut found = (0..spec.actions).filter(fits);
    let first = found.next()?;
    if legal[first] {
        return Some(first);
    }
    found.find(|&action| legal[action]).or(Some(first))
}

/// Buttons of all actions, where there is no board to click on.
fn actions_ui(ui: &mut Ui, game: &dyn Game) -> Option<usize> {
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        ui.label("Go on with");
        for action in 0..game.spec().actions {
            if ui.button(game.action_name(action)).clicked() {
                chosen = Some(action);
            }
        }
        let text = "The probe is a decoder trained with a stopped gradient, not part of MuZero";
        let faint = theme::tokens(ui).faint;
        ui.add(egui::Label::new(RichText::new(text).small().color(faint)).truncate());
    });
    chosen
}

impl Page for ImaginePage {
    fn id(&self) -> &'static str {
        "imagine"
    }

    fn name(&self) -> &'static str {
        "Imagination"
    }

    fn about(&self) -> &'static str {
        "What the learned model imagines, above what really happens"
    }

    fn logic(&mut self, _ctx: &Context, shared: &mut Shared, front: bool, cx: &mut TabCx<'_>) {
        self.hear(shared, cx);
        if !front || cx.still {
            return;
        }
        self.follow(shared);
        let config = self.measurement(shared);
        let old = self.measured.as_ref();
        if old.is_some_and(|old| (&old.game, &old.weights) != (&config.game, &config.weights)) {
            self.measured = None;
            self.measuring = None;
            self.drift = None;
            self.plot();
        }
        let wanted = self.wanted(shared);
        if self.asking.is_none() && self.asked.as_ref() != Some(&wanted) {
            self.failure = None;
            let lane = Lane::Interactive("muzero imagination");
            let job = RollJob::new(wanted.clone());
            self.asking = Some(cx.worker.submit(lane, "MuZero: imagining", job));
            self.asked = Some(wanted);
        }
    }

    fn controls_ui(&mut self, ui: &mut Ui, shared: &mut Shared, cx: &mut TabCx<'_>) {
        let before = self.options.clone();
        controls::ui(ui, &mut self.options, shared);
        ui.add_space(6.0);
        ui.separator();
        let progress = (self.measuring.as_ref())
            .filter(|_| !cx.still)
            .map(Run::progress);
        controls::measure_ui(
            ui,
            self.measuring.is_some(),
            progress.as_ref(),
            self.drift.as_ref(),
            cx.commands,
        );
        if self.options != before {
            self.changed();
        }
    }

    fn stage_ui(&mut self, ui: &mut Ui, shared: &mut Shared, _cx: &mut TabCx<'_>) {
        if self.is_line_there(ui, shared) {
            self.line_ui(ui);
        }
    }

    fn can(&self, command: Command, _shared: &Shared) -> bool {
        match command {
            Command::Run => self.measuring.is_none(),
            Command::Stop | Command::Pause => self.measuring.is_some(),
            Command::NewSeed => true,
            Command::Undo => self.options.source == Source::Own && !self.options.own.is_empty(),
            _ => false,
        }
    }

    fn perform(&mut self, command: Command, shared: &mut Shared, cx: &mut TabCx<'_>) {
        match (command, &mut self.measuring) {
            (Command::Run, None) => {
                let config = self.measurement(shared);
                let job = DriftJob::new(config.clone());
                let name = "MuZero: how imagination goes astray";
                self.measuring = Some(cx.worker.submit(Lane::Long, name, job));
                self.measured = Some(config);
                self.drift = None;
                self.plot();
            }
            (Command::Stop, Some(run)) => run.cancel(),
            (Command::Pause, Some(run)) => run.set_paused(!run.is_paused()),
            (Command::NewSeed, _) => {
                self.options.seed = next_seed(self.options.seed);
                self.changed();
            }
            (Command::Undo, _) => {
                self.options.own.pop();
                self.changed();
            }
            _ => {}
        }
    }

    fn copy_text(&self, _shared: &Shared) -> Option<String> {
        self.roll
            .as_ref()
            .map(|roll| export::line_table(roll, "\t"))
    }

    fn exports(&self) -> &'static [Export] {
        export::ALL
    }

    fn export(&self, format: Export, _shared: &Shared) -> Result<Vec<u8>> {
        let roll = self.roll.as_ref();
        let roll = roll.ok_or_else(|| Error::Input("nothing was imagined yet".into()))?;
        export::export(format, roll, self.drift.as_ref())
    }

    fn save(&self) -> Value {
        json!(self.options)
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        let options: Options =
            serde_json::from_value(state).map_err(|e| Error::Input(e.to_string()))?;
        if options.depth > MOST_STEPS
            || options.own.len() > MOST_STEPS
            || options.simulations > controls::MOST_SIMULATIONS
        {
            return Err(Error::Input(format!(
                "at most {MOST_STEPS} steps and {} simulations are imagined",
                controls::MOST_SIMULATIONS
            )));
        }
        self.options = options;
        self.base = None;
        self.asked = None;
        self.revision += 1;
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.revision
    }
}
