//! Beside the board: colours, values, what the policy gives to illegal moves, the list of moves.

use egui::{Align2, FontId, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::super::super::live::LiveShot;
use super::super::page::Shared;
use super::super::scene;
use super::stage::Wish;
use super::{HEATS, Heat, PlayPage};
use crate::gui::theme;

/// Depths of the meter.
const DEPTHS: usize = 8;

impl PlayPage {
    pub(super) fn side_ui(&mut self, ui: &mut Ui, shared: &mut Shared, wish: &mut Wish) {
        titled(ui, "Colours of the board", "");
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            ui.spacing_mut().button_padding.x = 6.0;
            for (heat, name, about) in HEATS {
                let label = ui.selectable_label(self.options.heat == heat, name);
                if label.on_hover_text(about).clicked() {
                    self.options.heat = heat;
                    self.revision += 1;
                }
            }
        });
        let shot = shared.analysis.of(&shared.game, &shared.moves).cloned();
        if self.options.heat != Heat::Off && shot.is_none() {
            let text = "No search of this position yet";
            ui.label(RichText::new(text).small().color(theme::tokens(ui).faint));
        }
        ui.add_space(8.0);
        let ply = shared.moves.len();
        let value = self.values.at(ply);
        titled(
            ui,
            "Value over the game",
            &value.map_or(String::new(), |v| format!("{v:+.2}")),
        );
        let sides = scene::sides(&shared.game);
        let height = (ui.available_height() * 0.24).clamp(64.0, 150.0);
        wish.go_to = wish.go_to.or(self.values.ui(ui, height, ply, sides));
        ui.add_space(8.0);
        illegal_ui(ui, shot.as_deref());
        ui.add_space(8.0);
        titled(ui, "Moves", "");
        self.moves_ui(ui, shared, wish);
    }

    fn moves_ui(&mut self, ui: &mut Ui, shared: &mut Shared, wish: &mut Wish) {
        let line = shared.line();
        let now = shared.moves.len();
        if self.names_of.as_ref() != Some(&(shared.game.clone(), line.clone())) {
            self.names = names(shared, &line);
            self.names_of = Some((shared.game.clone(), line));
        }
        let tokens = theme::tokens(ui);
        let names = &self.names;
        ScrollArea::vertical()
            .id_salt("moves")
            .auto_shrink([false, false])
            .show(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    ui.spacing_mut().item_spacing = vec2(3.0, 2.0);
                    let begin = ui.selectable_label(now == 0, "Start");
                    if begin.clicked() {
                        wish.go_to = Some(0);
                    }
                    for (index, name) in names.iter().enumerate() {
                        if index.is_multiple_of(2) {
                            let number = format!("{}.", index / 2 + 1);
                            ui.label(RichText::new(number).small().color(tokens.faint));
                        }
                        let is_now = now == index + 1;
                        let mut text = RichText::new(name);
                        if index >= now {
                            text = text.color(tokens.faint);
                        }
                        let label = ui.selectable_label(is_now, text);
                        if is_now && self.scrolled_to != now {
                            label.scroll_to_me(None);
                        }
                        let side = super::stage::who_moved(index);
                        let side = scene::sides(&shared.game)[side as usize];
                        let clicked = label.clicked();
                        label.on_hover_text(format!("{side}, move {}", index + 1));
                        if clicked {
                            wish.go_to = Some(index + 1);
                        }
                    }
                });
            });
        self.scrolled_to = now;
    }
}

fn names(shared: &Shared, line: &[usize]) -> Vec<String> {
    let Ok(mut game) = super::super::super::game::open(&shared.game) else {
        return Vec::new();
    };
    let mut names = Vec::with_capacity(line.len());
    for &action in line {
        names.push(game.action_name(action));
        if game.step(action).is_err() {
            break;
        }
    }
    names
}

/// A heading with a figure at the right.
fn titled(ui: &mut Ui, title: &str, figure: &str) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).strong());
        if !figure.is_empty() {
            let layout = egui::Layout::right_to_left(egui::Align::Center);
            ui.with_layout(layout, |ui| ui.label(RichText::new(figure).monospace()));
        }
    });
}

/// What the model's policy gives to illegal moves at each depth of the tree.
fn illegal_ui(ui: &mut Ui, shot: Option<&LiveShot>) {
    let tokens = theme::tokens(ui);
    let mass = shot.map(|shot| shot.illegal.as_slice()).unwrap_or_default();
    let deepest = mass.iter().copied().fold(0.0, f32::max);
    let figure = if mass.is_empty() {
        String::new()
    } else {
        format!("up to {:.1} %", deepest * 100.0)
    };
    titled(ui, "Illegal moves", &figure);
    let size = vec2(ui.available_width(), 46.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Image, true, "Illegal moves in the policy");
        let shares = mass.iter().map(|m| format!("{:.1} %", m * 100.0));
        info.current_text_value = Some(shares.collect::<Vec<_>>().join(", "));
        info
    });
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 4.0, tokens.card);
    let plot = rect.shrink2(vec2(6.0, 4.0));
    let wide = plot.width() / DEPTHS as f32;
    for depth in 0..DEPTHS {
        let left = plot.left() + wide * depth as f32;
        let label = pos2(left + wide * 0.5, plot.bottom());
        let small = FontId::proportional(10.0);
        painter.text(
            label,
            Align2::CENTER_BOTTOM,
            depth,
            small.clone(),
            tokens.faint,
        );
        let Some(&share) = mass.get(depth) else {
            continue;
        };
        let ground = plot.bottom() - 12.0;
        let full = ground - plot.top();
        let height = (full * share.clamp(0.0, 1.0)).max(1.5);
        let bar = Rect::from_min_max(
            pos2(left + 3.0, ground - height),
            pos2(left + wide - 3.0, ground),
        );
        painter.rect_filled(bar, 1.5, tokens.warning);
    }
    response.on_hover_text(
        "The share of the policy that the model gives to moves which the rules forbid, by depth \
         below the position; the search itself knows the rules at depth 0 only",
    );
}
