//! The selected node: the line that leads to it, what the model imagines there, and the truth.

use egui::{RichText, Ui, Vec2, vec2};

use super::super::super::game::Game;
use super::super::super::live::{ImagineJob, Imagined, LiveRequest};
use super::super::scene::{self, Sight};
use super::forest::Forest;
use crate::compute::{Ending, Event, Lane, Run};
use crate::gui::controls::capitalised;
use crate::gui::{TabCx, theme};
use crate::view::board::BoardView;

/// A question to the model: the search, and the moves from its root.
type Question = (LiveRequest, Vec<usize>);

/// What is known of the selected node.
pub struct NodeCard {
    imagined: BoardView,
    truth: BoardView,
    asked: Option<(Question, Run<Vec<Imagined>>)>,
    answer: Option<(Question, Result<Vec<Imagined>, String>)>,
}

impl NodeCard {
    pub fn new() -> Self {
        Self {
            imagined: BoardView::new("Imagined board"),
            truth: BoardView::new("True board"),
            asked: None,
            answer: None,
        }
    }

    pub fn forget(&mut self) {
        self.asked = None;
        self.answer = None;
    }

    /// Asks what the model imagines at a node, once.
    pub fn ask(&mut self, forest: &Forest, node: usize, cx: &TabCx<'_>) {
        let question = (forest.shot.request.clone(), forest.path(node));
        let asked = self.asked.as_ref().is_some_and(|(q, _)| *q == question);
        let known = self.answer.as_ref().is_some_and(|(q, _)| *q == question);
        if asked || known {
            return;
        }
        let job = ImagineJob {
            request: question.0.clone(),
            path: question.1.clone(),
        };
        let lane = Lane::Interactive("muzero imagine");
        let run = cx.worker.submit(lane, "MuZero: imagining", job);
        self.asked = Some((question, run));
    }

    pub fn poll(&mut self, cx: &mut TabCx<'_>) {
        let Some((question, run)) = &mut self.asked else {
            return;
        };
        let mut over = false;
        while let Some(event) = run.poll() {
            match event {
                Event::Output(line) => self.answer = Some((question.clone(), Ok(line))),
                Event::Warning(text) => cx.toasts.warning(text),
                Event::Ended(ending) => {
                    over = true;
                    if let Ending::Failed(error) = ending {
                        let text = capitalised(&error.to_string());
                        self.answer = Some((question.clone(), Err(text)));
                    }
                }
            }
        }
        if over {
            self.asked = None;
        }
    }

    pub fn ui(&mut self, ui: &mut Ui, forest: &Forest, node: Option<usize>, game: &dyn Game) {
        let tokens = theme::tokens(ui);
        ui.label(RichText::new("Node").strong());
        let Some(node) = node.filter(|&node| node < forest.nodes.len()) else {
            let text = "Click a node of the tree to see what the model imagines there";
            ui.add(egui::Label::new(RichText::new(text).color(tokens.faint)).wrap());
            return;
        };
        let shown = &forest.nodes[node];
        let raw = &forest.shot.tree.nodes[node];
        let names = forest.path_names(node);
        let line = if names.is_empty() {
            "The position itself".to_owned()
        } else {
            names.join(" ")
        };
        ui.add(egui::Label::new(RichText::new(line).color(tokens.accent)).wrap());
        let text = format!(
            "{} visits, value {:+.2}, prior {:.1} %",
            shown.visits,
            shown.value,
            shown.prior * 100.0
        );
        ui.label(RichText::new(text).small().color(tokens.faint))
            .on_hover_text(format!(
                "The value for who moves at the root; the model alone said {:+.2} for who moves here",
                raw.raw_value
            ));
        let path = forest.path(node);
        let truth = follow(game, &path);
        let room = ui.available_size();
        let gap = 8.0;
        let stacked = room.y > room.x * 1.1;
        let side = if stacked {
            room.x.min((room.y - 44.0 - gap) * 0.5)
        } else {
            ((room.x - gap) * 0.5).min(room.y - 22.0)
        };
        let size = Vec2::splat(side.max(40.0));
        let answer = self
            .answer
            .as_ref()
            .filter(|((request, asked), _)| *request == forest.shot.request && *asked == path);
        let answer = answer.map(|(_, answer)| answer.clone());
        let both = |ui: &mut Ui| {
            ui.vertical(|ui| {
                ui.set_width(size.x);
                small(ui, "Imagined");
                imagined_ui(ui, &mut self.imagined, answer.as_ref(), game, size);
            });
            ui.vertical(|ui| {
                ui.set_width(size.x);
                small(ui, "By the rules");
                if let Some(truth) = &truth {
                    let sight = Sight::default();
                    if let Some(picture) = scene::picture(&**truth, &sight) {
                        let colors = theme::boards(ui.visuals());
                        self.truth.show(ui, size, &picture, &colors);
                    }
                } else {
                    let text = "The rules do not allow this line";
                    let text = RichText::new(text).color(tokens.warning);
                    ui.add(egui::Label::new(text).wrap());
                }
            });
        };
        ui.spacing_mut().item_spacing = vec2(gap, 4.0);
        if stacked {
            ui.vertical(both);
        } else {
            ui.horizontal_top(both);
        }
    }
}

fn small(ui: &mut Ui, text: &str) {
    let color = theme::tokens(ui).faint;
    ui.label(RichText::new(text).small().color(color));
}

fn imagined_ui(
    ui: &mut Ui,
    view: &mut BoardView,
    answer: Option<&Result<Vec<Imagined>, String>>,
    game: &dyn Game,
    size: Vec2,
) {
    match answer {
        None => {
            small(ui, "…");
        }
        Some(Err(text)) => {
            let text = RichText::new(text).color(theme::tokens(ui).bad);
            ui.add(egui::Label::new(text).wrap());
        }
        Some(Ok(line)) => {
            let last = line.last();
            if let Some(picture) = last.and_then(|last| scene::imagined(game, last)) {
                let colors = theme::boards(ui.visuals());
                view.show(ui, size, &picture, &colors);
            }
        }
    }
}

/// The position after these moves, if the rules allow them.
fn follow(game: &dyn Game, path: &[usize]) -> Option<Box<dyn Game>> {
    let mut game = game.boxed_clone().ok()?;
    for &action in path {
        game.step(action).ok()?;
    }
    Some(game)
}
