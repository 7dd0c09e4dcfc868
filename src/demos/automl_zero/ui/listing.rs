//! A program as a listing: what is dead greyed, the meaning of each line beside it, and what the
//! line is worth.

use egui::{Align2, Grid, RichText, Role, Sense, Ui, WidgetInfo, vec2};

use super::super::analysis::Analysis;
use super::super::judge::Judged;
use super::super::meaning::meanings;
use super::super::program::{Function, Program};
use super::super::text::line;
use crate::gui::theme;

/// A place in a program.
pub type Place = (Function, usize);

/// Points of the longest bar.
const BAR: f32 = 46.0;
/// Points for the number behind it.
const NUMBER: f32 = 44.0;

/// How a line is marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// Not at all.
    #[default]
    Plain,
    /// As new.
    Added,
    /// As gone.
    Removed,
}

/// A line of a listing.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where it stands.
    pub place: Place,
    /// The instruction.
    pub text: String,
    /// Whether it can reach a prediction.
    pub live: bool,
    /// What it means.
    pub meaning: String,
    /// The fitness that is lost without it.
    pub worth: Option<f64>,
    /// How it is marked.
    pub mark: Mark,
}

/// The lines of a program.
#[must_use]
pub fn rows(program: &Program, judged: Option<&Judged>) -> Vec<Row> {
    let analysis = Analysis::of(program);
    let meanings = meanings(program);
    let mut rows = Vec::new();
    for function in Function::ALL {
        for (index, instruction) in program.function(function).iter().enumerate() {
            let worth = judged.and_then(|judged| {
                let mut lines = judged.lines.iter();
                lines.find(|line| line.function == function && line.index == index)
            });
            let live = analysis.is_live(function, index);
            rows.push(Row {
                place: (function, index),
                text: line(instruction),
                live,
                meaning: meanings[function as usize][index]
                    .clone()
                    .unwrap_or_default(),
                worth: worth.filter(|_| live).map(|line| line.worth),
                mark: Mark::Plain,
            });
        }
    }
    rows
}

/// Draws a listing; `selected` follows clicks. With `simple` what is dead is left out.
pub fn listing_ui(
    ui: &mut Ui,
    name: &str,
    rows: &[Row],
    simple: bool,
    selected: &mut Option<Place>,
) -> bool {
    let most = rows
        .iter()
        .filter_map(|row| row.worth)
        .fold(0.0_f64, f64::max);
    let has_worth = rows.iter().any(|row| row.worth.is_some());
    let before = *selected;
    // Lines of code stand closer than buttons do.
    let spacing = ui.spacing_mut();
    spacing.button_padding.y = 0.0;
    spacing.interact_size.y = 0.0;
    Grid::new(name)
        .num_columns(if has_worth { 3 } else { 2 })
        .spacing([14.0, 2.0])
        .show(ui, |ui| {
            for function in Function::ALL {
                let head = format!("def {}():", function.name());
                ui.label(RichText::new(head).monospace().strong());
                ui.end_row();
                let lines = rows.iter().filter(|row| row.place.0 == function);
                for row in lines.filter(|row| !simple || row.live) {
                    row_ui(ui, row, selected);
                    if has_worth {
                        worth_ui(ui, row, most);
                    }
                    let faint = theme::tokens(ui).faint;
                    let meaning = if row.live { &row.meaning } else { "dead code" };
                    ui.label(RichText::new(meaning).color(faint));
                    ui.end_row();
                }
            }
        });
    *selected != before
}

fn row_ui(ui: &mut Ui, row: &Row, selected: &mut Option<Place>) {
    let tokens = theme::tokens(ui);
    let (sign, color) = match (row.mark, row.live) {
        (Mark::Added, _) => ("+ ", tokens.good),
        (Mark::Removed, _) => ("− ", tokens.bad),
        (Mark::Plain, true) => ("  ", tokens.text),
        (Mark::Plain, false) => ("  ", tokens.faint.gamma_multiply(0.75)),
    };
    let text = RichText::new(format!("{sign}{}", row.text))
        .monospace()
        .color(color);
    if row.mark == Mark::Removed {
        ui.label(text);
        return;
    }
    let is_it = *selected == Some(row.place);
    if ui.selectable_label(is_it, text).clicked() {
        *selected = (!is_it).then_some(row.place);
    }
}

/// A bar as long as the line is worth, and the number.
fn worth_ui(ui: &mut Ui, row: &Row, most: f64) {
    let Some(worth) = row.worth else {
        ui.label("");
        return;
    };
    let tokens = theme::tokens(ui);
    // One widget, so that it stands on the line of its code.
    let height = ui.text_style_height(&egui::TextStyle::Monospace);
    let size = vec2(BAR + NUMBER, height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let part = if most > 0.0 {
        (worth / most).clamp(0.0, 1.0) as f32
    } else {
        0.0
    };
    let mut bar = rect.shrink2(vec2(0.0, height * 0.3));
    bar.set_width((BAR * part).max(1.0));
    let color = if worth > 0.0 {
        tokens.accent
    } else {
        tokens.faint
    };
    let painter = ui.painter();
    painter.rect_filled(bar, 1.0, color);
    painter.text(
        rect.right_center(),
        Align2::RIGHT_CENTER,
        format!("{worth:.3}"),
        egui::TextStyle::Small.resolve(ui.style()),
        tokens.faint,
    );
    let about = format!("Without this line the fitness is lower by {worth:.4}");
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Label, enabled, &about));
    response.on_hover_text(about);
}
