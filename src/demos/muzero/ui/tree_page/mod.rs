//! The search tree of the position on the table, and what the model imagines at its nodes.

mod forest;
mod node;
mod table;

use std::sync::Arc;

use egui::{Context, RichText, Slider, Ui, UiBuilder, pos2, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::forest::Forest;
use self::node::NodeCard;
use super::super::live::{LiveRequest, LiveShot, Rule};
use super::in_sight::InSight;
use super::page::{Page, Shared};
use super::scene;
use crate::error::{Error, Result};
use crate::gui::controls::{RunState, empty_ui, run_bar_ui};
use crate::gui::{Command, Export, TabCx, theme};
use crate::view::tree::TreeView;

const MAX_SIMULATIONS: usize = 800;

const TREE: Export = Export {
    extension: "json",
    about: "the tree with all its nodes",
};
const RULES: [(Rule, &str, &str); 3] = [
    (
        Rule::AsTrained,
        "As trained",
        "The search that the networks learned with",
    ),
    (
        Rule::Gumbel,
        "Gumbel",
        "Sequential halving at the root (Danihelka et al. 2022)",
    ),
    (
        Rule::Puct,
        "pUCT",
        "The search of the first paper (Schrittwieser et al. 2020)",
    ),
];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Options {
    simulations: usize,
    rule: Rule,
    /// Nodes with fewer visits are gathered.
    least_visits: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            simulations: 50,
            rule: Rule::AsTrained,
            least_visits: 2,
        }
    }
}

/// The page.
pub struct TreePage {
    options: Options,
    view: TreeView,
    forest: Option<Forest>,
    node: NodeCard,
    /// The search is held after so many simulations.
    held: Option<usize>,
    in_sight: InSight,
    is_still: bool,
    revision: u64,
}

impl TreePage {
    pub fn new() -> Self {
        Self {
            options: Options::default(),
            view: TreeView::new("Search tree"),
            forest: None,
            node: NodeCard::new(),
            held: None,
            in_sight: InSight::default(),
            is_still: false,
            revision: 0,
        }
    }

    fn request(&self, shared: &Shared) -> LiveRequest {
        LiveRequest {
            game: shared.game.clone(),
            weights: shared.weights.clone(),
            moves: shared.moves.clone(),
            simulations: self.options.simulations,
            until: self.held,
            rule: self.options.rule,
        }
    }

    fn search(&self, shared: &mut Shared, cx: &TabCx<'_>) {
        shared.analysis.forgive();
        let request = self.request(shared);
        shared.analysis.want(&request, cx);
    }

    fn shot(shared: &Shared) -> Option<Arc<LiveShot>> {
        let shot = shared.analysis.of(&shared.game, &shared.moves);
        shot.cloned()
    }

    fn is_searching(shared: &Shared) -> bool {
        shared.analysis.is_searching(&shared.game, &shared.moves)
    }

    /// Keeps the tree that is drawn at the newest shot.
    fn follow(&mut self, shared: &mut Shared) {
        let Some(shot) = Self::shot(shared) else {
            self.forest = None;
            return;
        };
        let old = self.forest.as_ref();
        if old.is_some_and(|forest| Arc::ptr_eq(&forest.shot, &shot)) {
            return;
        }
        let same = old.is_some_and(|forest| forest.shot.request == shot.request);
        let moved = old.is_some_and(|f| f.shot.request.moves != shot.request.moves);
        let Ok(game) = shared.position() else {
            return;
        };
        self.forest = Some(Forest::new(shot, game));
        if moved {
            self.view.reset();
        }
        if !same {
            self.node.forget();
        }
    }
}

impl Page for TreePage {
    fn id(&self) -> &'static str {
        "tree"
    }

    fn name(&self) -> &'static str {
        "Tree"
    }

    fn about(&self) -> &'static str {
        "The search tree of the position on the table, and what the model imagines in it"
    }

    fn logic(&mut self, _ctx: &Context, shared: &mut Shared, front: bool, cx: &mut TabCx<'_>) {
        self.is_still = cx.still;
        let visible = self.in_sight.ask() && front;
        if !scene::is_board(&shared.game) {
            self.forest = None;
            return;
        }
        if front {
            self.follow(shared);
        }
        self.node.poll(cx);
        let over = shared
            .position()
            .map_or(true, super::super::game::Game::is_over);
        let has_one = Self::shot(shared).is_some() || Self::is_searching(shared);
        if visible && !cx.still && !over && !has_one {
            let request = self.request(shared);
            shared.analysis.want(&request, cx);
        }
        if let (Some(forest), Some(node)) = (&self.forest, self.view.selected)
            && visible
            && forest.shot.done
        {
            self.node.ask(forest, node, cx);
        }
    }

    fn controls_ui(&mut self, ui: &mut Ui, shared: &mut Shared, cx: &mut TabCx<'_>) {
        ui.add_space(4.0);
        let state = if Self::is_searching(shared) {
            RunState::Running
        } else {
            RunState::Idle
        };
        if state == RunState::Running {
            ui.horizontal(|ui| {
                if ui.button("Stop").clicked() {
                    cx.commands.push(Command::Stop);
                }
            });
        } else {
            run_bar_ui(
                ui,
                state,
                "Search",
                self.can(Command::Run, shared),
                cx.commands,
            );
        }
        ui.add_space(6.0);
        ui.separator();
        ui.strong("Search");
        let before = self.options.clone();
        ui.horizontal_wrapped(|ui| {
            for (rule, name, about) in RULES {
                ui.selectable_value(&mut self.options.rule, rule, name)
                    .on_hover_text(about);
            }
        });
        let label = ui.label("Simulations");
        let slider =
            Slider::new(&mut self.options.simulations, 1..=MAX_SIMULATIONS).logarithmic(true);
        ui.add(slider).labelled_by(label.id);
        let mut held = self.held.unwrap_or(self.options.simulations);
        let label = ui.label("Hold after");
        let slider = Slider::new(&mut held, 0..=self.options.simulations);
        let slider = ui.add(slider).labelled_by(label.id);
        let slider = slider.on_hover_text("Shows the tree as it was after so many simulations");
        let all = self.options.simulations;
        let mut search = false;
        if slider.changed() {
            self.held = (held < all).then_some(held);
            search = true;
        }
        if self.options.rule != before.rule || self.options.simulations != before.simulations {
            self.held = None;
            search = true;
        }
        ui.add_space(6.0);
        ui.separator();
        ui.strong("View");
        let label = ui.label("Gather below");
        let slider = Slider::new(&mut self.options.least_visits, 1..=50)
            .logarithmic(true)
            .suffix(" visits");
        ui.add(slider)
            .labelled_by(label.id)
            .on_hover_text("Nodes with fewer visits are shown as one");
        if ui
            .button("Fit")
            .on_hover_text("Shows the whole tree")
            .clicked()
        {
            self.view.fit();
        }
        if self.options != before {
            self.revision += 1;
        }
        if search && scene::is_board(&shared.game) {
            self.search(shared, cx);
        }
    }

    fn stage_ui(&mut self, ui: &mut Ui, shared: &mut Shared, _cx: &mut TabCx<'_>) {
        self.in_sight.drawn(ui);
        if !scene::is_board(&shared.game) {
            empty_ui(
                ui,
                "Trees are shown for board games",
                "Choose one on the page Play",
            );
            return;
        }
        let over = shared
            .position()
            .map_or(true, super::super::game::Game::is_over);
        let Some(forest) = self.forest.take() else {
            let failure = shared.analysis.failure(&shared.game, &shared.moves);
            if let Some(failure) = failure {
                empty_ui(ui, "The search has failed", failure);
            } else if over {
                empty_ui(ui, "The game is over", "Take a move back to search");
            } else {
                empty_ui(ui, "No search yet", "Press Search");
            }
            return;
        };
        self.whole_ui(ui, &forest, shared);
        self.forest = Some(forest);
    }

    fn can(&self, command: Command, shared: &Shared) -> bool {
        if !scene::is_board(&shared.game) {
            return false;
        }
        let running = Self::is_searching(shared);
        match command {
            Command::Run | Command::Step => !running,
            Command::Stop => running,
            Command::Undo => !shared.moves.is_empty(),
            Command::Redo => !shared.undone.is_empty(),
            _ => false,
        }
    }

    fn perform(&mut self, command: Command, shared: &mut Shared, cx: &mut TabCx<'_>) {
        match command {
            Command::Run => {
                self.held = None;
                self.search(shared, cx);
            }
            Command::Step => {
                let done = Self::shot(shared).map_or(0, |shot| shot.simulations);
                let all = self.options.simulations;
                // After the last one it begins again.
                let next = if done >= all { 0 } else { done + 1 };
                self.held = (next < all).then_some(next);
                self.search(shared, cx);
            }
            Command::Stop => shared.analysis.cancel(),
            Command::Undo => {
                shared.undo();
            }
            Command::Redo => {
                shared.redo();
            }
            _ => {}
        }
    }

    fn copy_text(&self, _shared: &Shared) -> Option<String> {
        self.forest.as_ref().map(Forest::table_text)
    }

    fn exports(&self) -> &'static [Export] {
        &[TREE]
    }

    fn export(&self, _format: Export, _shared: &Shared) -> Result<Vec<u8>> {
        let forest = self.forest.as_ref();
        let forest = forest.ok_or_else(|| Error::Input("there is no tree yet".into()))?;
        serde_json::to_vec_pretty(&forest.shot.tree)
            .map_err(|error| Error::Input(format!("the tree cannot be written: {error}")))
    }

    fn save(&self) -> Value {
        json!(self.options)
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        let mut options: Options =
            serde_json::from_value(state).map_err(|e| Error::Input(e.to_string()))?;
        options.simulations = options.simulations.clamp(1, MAX_SIMULATIONS);
        options.least_visits = options.least_visits.clamp(1, 50);
        self.options = options;
        self.held = None;
        self.forest = None;
        self.revision += 1;
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.revision
    }
}

impl TreePage {
    fn whole_ui(&mut self, ui: &mut Ui, forest: &Forest, shared: &mut Shared) {
        self.head_ui(ui, forest);
        let room = ui.available_rect_before_wrap();
        let side = (room.width() * 0.36).clamp(230.0, 330.0);
        let gap = 12.0;
        let split = room.right() - side - gap;
        let left = egui::Rect::from_min_max(room.min, pos2(split, room.bottom()));
        let right = egui::Rect::from_min_max(pos2(split + gap, room.top()), room.max);
        let builder = UiBuilder::new().max_rect(left).id_salt("tree side");
        ui.scope_builder(builder, |ui| {
            table::rounds_ui(ui, forest);
            let size = ui.available_size().max(vec2(40.0, 40.0));
            self.view.least_visits = self.options.least_visits;
            let colors = theme::tree(ui.visuals());
            let card = |ui: &mut Ui, node: usize| forest.card_ui(ui, node);
            self.view.show(ui, size, &forest.nodes, &colors, card);
        });
        let builder = UiBuilder::new().max_rect(right).id_salt("table side");
        ui.scope_builder(builder, |ui| {
            let below = (room.height() * 0.52).clamp(190.0, 420.0);
            let height = (ui.available_height() - below - 12.0).max(80.0);
            if let Some(action) = table::roots_ui(ui, forest, height) {
                let node = forest.root_child(action);
                self.view.selected = node.or(self.view.selected);
            }
            ui.add_space(8.0);
            if let Ok(game) = shared.position() {
                self.node.ui(ui, forest, self.view.selected, game);
            }
        });
        ui.advance_cursor_after_rect(room);
    }

    fn head_ui(&self, ui: &mut Ui, forest: &Forest) {
        let tokens = theme::tokens(ui);
        let shot = &forest.shot;
        ui.horizontal_wrapped(|ui| {
            let searching = if shot.done { "" } else { " so far" };
            let text = format!("{} simulations{searching}", shot.simulations);
            ui.label(RichText::new(text).strong());
            let faint = |text: String| RichText::new(text).color(tokens.faint);
            let kind = if shot.is_gumbel { "Gumbel" } else { "pUCT" };
            ui.label(faint(format!("{kind}, value {:+.2}", shot.value)));
            if shot.simulations > 0 {
                let share = shot.dreamt as f64 / shot.simulations as f64 * 100.0;
                let text = format!("{share:.0} % of the nodes are against the rules");
                ui.label(faint(text)).on_hover_text(
                    "Below the root the search knows no rules: it also follows moves that are \
                     illegal, or come after the end of the game",
                );
            }
            if let Some(speed) = shot.sims_per_second.filter(|_| !self.is_still) {
                ui.label(faint(format!("{speed:.0} simulations/s")));
            }
            if shot.untrained.is_some() {
                ui.label(RichText::new("untrained networks").color(tokens.warning));
            }
        });
        ui.add_space(2.0);
    }
}
