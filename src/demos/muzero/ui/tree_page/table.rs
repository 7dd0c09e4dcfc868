//! The root's moves, and which of them each round of halving kept.

use egui::{Align, Grid, Layout, RichText, ScrollArea, Ui, vec2};

use super::forest::Forest;
use crate::gui::theme;

/// Survivors that are named in a round.
const NAMED: usize = 16;
/// Between two columns, in points.
const GAP: f32 = 10.0;

/// The rounds of sequential halving, one after the other.
pub fn rounds_ui(ui: &mut Ui, forest: &Forest) {
    let rounds = &forest.shot.tree.rounds;
    if rounds.is_empty() {
        return;
    }
    let tokens = theme::tokens(ui);
    let name = |action: usize| {
        let root = forest.roots.iter().find(|root| root.action == action);
        root.map_or("", |root| root.name.as_str())
    };
    ScrollArea::horizontal()
        .id_salt("rounds")
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 5.0;
                let label = ui.label(RichText::new("Halving").small().color(tokens.faint));
                label.on_hover_text("The moves that each round of sequential halving considers");
                for (number, round) in rounds.iter().enumerate() {
                    if number > 0 {
                        ui.label(RichText::new(">").color(tokens.faint));
                    }
                    let is_last = number + 1 == rounds.len();
                    let color = if is_last { tokens.accent } else { tokens.text };
                    let named: Vec<&str> = round
                        .survivors
                        .iter()
                        .take(NAMED)
                        .map(|&a| name(a))
                        .collect();
                    let more = round.survivors.len().saturating_sub(NAMED);
                    let mut text = named.join(" ");
                    if more > 0 {
                        text += &format!(" +{more}");
                    }
                    egui::Frame::new()
                        .fill(tokens.card)
                        .corner_radius(4)
                        .inner_margin(egui::Margin::symmetric(6, 2))
                        .show(ui, |ui| {
                            let label = ui.label(RichText::new(text).small().color(color));
                            label.on_hover_text(format!(
                                "Round {}, after {} simulations: {} moves",
                                number + 1,
                                round.after,
                                round.survivors.len()
                            ));
                        });
                }
            });
        });
    ui.add_space(4.0);
}

/// The root's moves; the one that was clicked.
pub fn roots_ui(ui: &mut Ui, forest: &Forest, height: f32) -> Option<usize> {
    let tokens = theme::tokens(ui);
    let mut clicked = None;
    ui.label(RichText::new("Moves of the position").strong());
    ScrollArea::vertical()
        .id_salt("roots")
        .max_height(height - 22.0)
        .min_scrolled_height(height - 22.0)
        .auto_shrink([false, false])
        .show(ui, |ui| {
            let width = (ui.available_width() - 4.0 * GAP) / 5.0;
            Grid::new("root moves")
                .num_columns(5)
                .striped(true)
                .min_col_width(width)
                .spacing(vec2(GAP, 3.0))
                .show(ui, |ui| {
                    for (head, about) in [
                        ("Move", "In the game's notation"),
                        ("Prior", "The network's own policy over the legal moves"),
                        ("Visits", "How often the search took it"),
                        ("Q", "What it is worth for who moves"),
                        ("Policy", "The policy that the search found better"),
                    ] {
                        let text = RichText::new(head).small().color(tokens.faint);
                        if head == "Move" {
                            ui.label(text).on_hover_text(about);
                        } else {
                            right(ui, width, text).on_hover_text(about);
                        }
                    }
                    ui.end_row();
                    for root in &forest.roots {
                        let mut name = RichText::new(&root.name);
                        if root.best {
                            name = name.strong().color(tokens.accent);
                        }
                        let label = ui.selectable_label(false, name);
                        if label.clicked() {
                            clicked = Some(root.action);
                        }
                        let percent = |share: f32| format!("{:.1} %", share * 100.0);
                        let number = |text: String| RichText::new(text).size(12.5);
                        right(ui, width, number(percent(root.prior)));
                        right(ui, width, number(root.visits.to_string()));
                        let q = root.q.map_or("–".to_owned(), |q| format!("{q:+.2}"));
                        right(ui, width, number(q));
                        right(ui, width, number(percent(root.policy)));
                        ui.end_row();
                    }
                });
        });
    clicked
}

/// A number at the right of its column.
fn right(ui: &mut Ui, width: f32, text: RichText) -> egui::Response {
    let size = vec2(width, ui.spacing().interact_size.y);
    let layout = Layout::right_to_left(Align::Center);
    ui.allocate_ui_with_layout(size, layout, |ui| ui.label(text))
        .inner
}
