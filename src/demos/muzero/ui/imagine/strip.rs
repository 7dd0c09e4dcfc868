//! The line as a strip: imagined pictures above true ones, with their numbers below.

use egui::{Align, Frame, Label, Layout, RichText, ScrollArea, Ui, Vec2, vec2};

use super::super::super::imagination::{Likely, Roll, Step};
use super::pictures::{PictureView, Style, wrong_cells};
use crate::gui::theme;

/// The height of the rows below the pictures.
const ROW: f32 = 17.0;
/// The room for the rows' names.
const NAMES: f32 = 96.0;
const GAP: f32 = 12.0;
/// About so many pictures are seen beside one another where there is room.
const COLUMNS: f32 = 6.4;
const REWARD: &str = "Reward";
/// The rows below the pictures.
const NAMED: [(&str, &str); 6] = [
    (
        "Error",
        "Cells that show something else, and the mean absolute error over all planes",
    ),
    (
        "Value",
        "For the first player: of the imagined state, and of the true position",
    ),
    (REWARD, "Imagined, and what was earned in truth"),
    (
        "Forbidden",
        "How much of the imagined policy lies on moves that the rules forbid",
    ),
    ("Policy", "The likeliest moves in the imagined state"),
    ("True policy", "The likeliest moves in the true position"),
];

/// The pictures of a line, made anew when it is another one.
pub struct Strip {
    shape: [usize; 3],
    moments: Vec<Moment>,
    has_rewards: bool,
}

struct Moment {
    imagined: PictureView,
    seen: Option<PictureView>,
    wrong: Vec<usize>,
}

impl Strip {
    pub fn new(style: &Style, roll: &Roll) -> Self {
        let shape = roll.shape;
        let moment = |(k, step): (usize, &Step)| Moment {
            imagined: style.view(format!("Imagined after {k} steps"), shape, &step.imagined),
            seen: (step.seen.as_ref())
                .map(|seen| style.view(format!("True after {k} steps"), shape, seen)),
            wrong: (step.seen.as_ref()).map_or(Vec::new(), |seen| {
                wrong_cells(&roll.game, shape, &step.imagined, seen)
            }),
        };
        Self {
            shape,
            moments: roll.steps.iter().enumerate().map(moment).collect(),
            has_rewards: roll.steps.iter().any(|step| step.reward.is_some()),
        }
    }

    /// The cell that was picked up on the last imagined board.
    pub fn select(&mut self, cell: Option<usize>) {
        if let Some(last) = self.moments.last_mut() {
            last.imagined.select(cell);
        }
    }

    fn rows(&self) -> usize {
        5 + usize::from(self.has_rewards)
    }

    /// Draws the strip within a height; the cell of the last imagined board that was clicked on.
    pub fn ui(&mut self, ui: &mut Ui, roll: &Roll, height: f32) -> Option<usize> {
        let texts = ROW * (self.rows() + 1) as f32 + 34.0;
        let tallest = ((height - texts) * 0.5).clamp(64.0, 190.0);
        let fair = (ui.available_width() - NAMES) / COLUMNS - GAP;
        let width = (tallest * self.shape[2] as f32 / self.shape[1].max(1) as f32)
            .min(fair)
            .clamp(104.0, 220.0);
        let picture = vec2(
            width,
            PictureView::height(self.shape, width).min(tallest.max(96.0)),
        );
        let mut clicked = None;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
            self.names_ui(ui, picture.y);
            ScrollArea::horizontal()
                .id_salt("imagined line")
                .auto_shrink([false, true])
                .show(ui, |ui| {
                    ui.horizontal_top(|ui| {
                        ui.spacing_mut().item_spacing = vec2(GAP, 0.0);
                        let last = self.moments.len().saturating_sub(1);
                        for (k, step) in roll.steps.iter().enumerate() {
                            let cell = self.moment_ui(ui, k, step, picture);
                            clicked = clicked.or(cell.filter(|_| k == last));
                        }
                    });
                });
        });
        clicked
    }

    fn names_ui(&self, ui: &mut Ui, height: f32) {
        let tokens = theme::tokens(ui);
        let column = vec2(NAMES, ROW * (self.rows() + 1) as f32 + 2.0 * height + 12.0);
        ui.allocate_ui_with_layout(column, Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.set_width(NAMES);
            let cell = |ui: &mut Ui, height: f32, text: RichText, about: &str| {
                let layout = Layout::left_to_right(Align::Center);
                ui.allocate_ui_with_layout(vec2(NAMES, height), layout, |ui| {
                    ui.set_min_size(vec2(NAMES, height));
                    let label = ui.add(Label::new(text).selectable(false));
                    label.on_hover_text(about);
                });
            };
            let small = |name: &str| RichText::new(name).small().color(tokens.faint);
            cell(ui, ROW, small("Move"), "The move that leads here");
            let imagined = "What the probe draws of the imagined state, faint where it is unsure, \
                            with a frame around cells that are wrong";
            cell(ui, height, RichText::new("Imagined").strong(), imagined);
            ui.add_space(6.0);
            let seen = "What is there by the rules of the game";
            cell(ui, height, RichText::new("True").strong(), seen);
            ui.add_space(6.0);
            for (name, about) in NAMED {
                if name != REWARD || self.has_rewards {
                    cell(ui, ROW, small(name), about);
                }
            }
        });
    }

    fn moment_ui(&mut self, ui: &mut Ui, k: usize, step: &Step, size: Vec2) -> Option<usize> {
        let has_rewards = self.has_rewards;
        let cells = self.shape[1] * self.shape[2];
        let moment = &mut self.moments[k];
        let mut clicked = None;
        ui.vertical(|ui| {
            ui.set_width(size.x);
            ui.spacing_mut().item_spacing.y = 0.0;
            let text = |ui: &mut Ui, text: RichText| {
                let layout = Layout::left_to_right(Align::Center);
                ui.allocate_ui_with_layout(vec2(size.x, ROW), layout, |ui| {
                    ui.set_min_size(vec2(size.x, ROW));
                    ui.add(Label::new(text).selectable(false).truncate());
                });
            };
            let heading = match (k, step.over) {
                (0, _) => "Start".to_owned(),
                (_, true) => format!("{k}. {}, over", step.name),
                (_, false) => format!("{k}. {}", step.name),
            };
            text(ui, RichText::new(heading).strong());
            clicked = moment.imagined.show(ui, size, &moment.wrong);
            ui.add_space(6.0);
            match &mut moment.seen {
                Some(seen) => {
                    seen.show(ui, size, &[]);
                }
                None => forbidden_ui(ui, size),
            }
            ui.add_space(6.0);
            self::error_ui(ui, step, cells, size.x);
            pair_ui(ui, Some(step.value), step.true_value, size.x);
            if has_rewards {
                pair_ui(ui, step.reward, step.true_reward, size.x);
            }
            text(ui, RichText::new(step.illegal.map_or("–".into(), share)));
            for moves in [&step.likely, &step.true_likely] {
                let moves: Vec<String> = moves.iter().take(2).map(move_text).collect();
                text(ui, RichText::new(moves.join("   ")).small());
            }
        });
        clicked
    }
}

/// Texts of one row, beside one another.
fn row_ui(ui: &mut Ui, width: f32, texts: [RichText; 2]) {
    let layout = Layout::left_to_right(Align::Center);
    ui.allocate_ui_with_layout(vec2(width, ROW), layout, |ui| {
        ui.set_min_size(vec2(width, ROW));
        ui.spacing_mut().item_spacing.x = 8.0;
        for text in texts {
            ui.add(Label::new(text).selectable(false).truncate());
        }
    });
}

/// How many cells are wrong, and the mean error.
fn error_ui(ui: &mut Ui, step: &Step, cells: usize, width: f32) {
    let tokens = theme::tokens(ui);
    let Some(difference) = step.difference else {
        return row_ui(ui, width, [RichText::new("–"), RichText::new("")]);
    };
    let wrong = (difference.wrong * cells as f32).round() as usize;
    let color = if wrong == 0 { tokens.good } else { tokens.bad };
    let count = match wrong {
        1 => "1 cell".to_owned(),
        _ => format!("{wrong} cells"),
    };
    let mean = RichText::new(format!("{:.3}", difference.mean)).color(tokens.faint);
    row_ui(ui, width, [RichText::new(count).color(color), mean]);
}

/// A number that is imagined, and the true one.
fn pair_ui(ui: &mut Ui, imagined: Option<f32>, seen: Option<f32>, width: f32) {
    let tokens = theme::tokens(ui);
    let text = |number: Option<f32>| RichText::new(number.map_or("–".into(), signed));
    let texts = [
        text(imagined).color(tokens.line(0)),
        text(seen).color(tokens.line(1)),
    ];
    row_ui(ui, width, texts);
}

/// In place of a true picture after a move that cannot be played.
fn forbidden_ui(ui: &mut Ui, size: Vec2) {
    let tokens = theme::tokens(ui);
    let layout = Layout::centered_and_justified(egui::Direction::TopDown);
    Frame::new()
        .fill(tokens.card)
        .corner_radius(6)
        .show(ui, |ui| {
            ui.allocate_ui_with_layout(size, layout, |ui| {
                ui.set_min_size(size);
                let text = RichText::new("Forbidden by\nthe rules").color(tokens.faint);
                ui.add(Label::new(text).selectable(false));
            });
        });
}

fn signed(number: f32) -> String {
    format!("{number:+.2}").replace('-', "−")
}

fn share(share: f32) -> String {
    if share < 0.0005 {
        "0 %".into()
    } else {
        format!("{:.1} %", 100.0 * share)
    }
}

fn move_text(likely: &Likely) -> String {
    format!("{}  {:.0} %", likely.name, 100.0 * likely.probability)
}
