//! The program in sight: its listing with what each line means and is worth, and the values that
//! one of its instructions writes.

use egui::{RichText, ScrollArea, Ui, vec2};
use serde::{Deserialize, Serialize};

use super::super::insight::Trace;
use super::super::judge::Judged;
use super::super::program::Function;
use super::super::study::Seen;
use super::listing::{Place, Row, listing_ui, rows};
use super::subject::Subject;
use crate::gui::controls::empty_ui;
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit};
use crate::gui::theme;

/// Entries of a vector that are drawn.
const LINES: usize = 8;

/// What can be chosen on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Leave out what is dead.
    pub simple: bool,
}

/// The page.
#[derive(Default)]
pub struct ProgramPage {
    /// What was chosen.
    pub options: Options,
    selected: Option<Place>,
    rows: Vec<Row>,
    made: Option<(u64, u64)>,
    plots: Plots<(u64, u64, Place)>,
}

/// What the page is about.
pub struct Known<'a> {
    /// The program.
    pub subject: &'a Subject,
    /// How it is judged.
    pub judged: Option<&'a Judged>,
    /// How it learns.
    pub seen: Option<&'a Seen>,
    /// Changes with what is known.
    pub revision: u64,
}

impl ProgramPage {
    /// Draws the page. True when an option has changed.
    pub fn ui(&mut self, ui: &mut Ui, known: &Known<'_>) -> bool {
        let subject = known.subject;
        if self.made.map(|(id, _)| id) != Some(subject.id()) {
            self.selected = None;
        }
        if self.made != Some((subject.id(), known.revision)) {
            self.made = Some((subject.id(), known.revision));
            self.rows = rows(subject.program(), known.judged);
        }
        fitness_ui(ui, known.judged);
        let before = self.options;
        ui.checkbox(&mut self.options.simple, "Without dead code")
            .on_hover_text("Leaves out instructions that cannot reach a prediction");
        ui.add_space(2.0);
        let simple = self.options.simple;
        let mut selected = self.selected;
        let room = ui.available_size();
        let beside = room.x > 900.0;
        let (listing, trace) = if beside {
            (vec2(room.x * 0.62, room.y), vec2(room.x * 0.36, room.y))
        } else {
            (vec2(room.x, room.y * 0.66), vec2(room.x, room.y * 0.3))
        };
        let parts = |ui: &mut Ui| {
            ui.allocate_ui(listing, |ui| {
                ScrollArea::both()
                    .id_salt("automl listing")
                    .auto_shrink([false, false])
                    .max_height(listing.y)
                    .show(ui, |ui| {
                        listing_ui(ui, "program", &self.rows, simple, &mut selected)
                    });
            });
            ui.allocate_ui(trace, |ui| {
                ui.vertical(|ui| trace_ui(ui, &mut self.plots, &self.rows, selected, known));
            });
        };
        if beside {
            ui.horizontal_top(parts);
        } else {
            ui.vertical(parts);
        }
        self.selected = selected;
        self.options != before
    }
}

/// What the program reaches, where.
fn fitness_ui(ui: &mut Ui, judged: Option<&Judged>) {
    let faint = theme::tokens(ui).faint;
    let text = match judged {
        Some(judged) => format!(
            "Fitness {:.4} in the search, {:.4} on tasks it was chosen by, {:.4} on unseen tasks; \
             {} of {} instructions live, cost {:.0}",
            judged.search_fitness,
            judged.select_fitness,
            judged.unseen_fitness,
            judged.live,
            judged.instructions,
            judged.cost,
        ),
        None => "Being judged: fitness and the worth of each line come in a moment".to_owned(),
    };
    ui.label(RichText::new(text).color(faint));
}

fn trace_ui(
    ui: &mut Ui,
    plots: &mut Plots<(u64, u64, Place)>,
    rows: &[Row],
    selected: Option<Place>,
    known: &Known<'_>,
) {
    let row = selected.and_then(|place| rows.iter().find(|row| row.place == place));
    let Some(row) = row else {
        let text = "Click an instruction: what it writes is drawn here, example by example.";
        empty_ui(ui, "Values", text);
        return;
    };
    let (function, index) = row.place;
    let traces = known.seen.map(|seen| &seen.traces[function as usize]);
    let Some(trace) = traces.and_then(|traces| traces.get(index)) else {
        empty_ui(ui, "Values", "They are being worked out.");
        return;
    };
    let key = (known.subject.id(), known.revision, row.place);
    let plots = plots.get(key, || vec![figure(row, trace)]);
    let size = ui.available_size();
    for plot in plots {
        ui.label(RichText::new(&plot.figure().name).strong());
        plot.show(ui, vec2(size.x, (size.y - 24.0).max(80.0)));
    }
}

/// What an instruction writes, a line for each of its first numbers.
fn figure(row: &Row, trace: &Trace) -> Figure {
    let width = trace.width.max(1);
    let of_setup = row.place.0 == Function::Setup;
    let target = row.text.split([' ', '=', '[']).next().unwrap_or_default();
    let series = (0..width.min(LINES)).map(|entry| {
        let values = trace.values.iter().skip(entry).step_by(width).enumerate();
        let name = if width == 1 {
            target.to_owned()
        } else {
            format!("{target}, entry {}", entry + 1)
        };
        Series {
            label: if width == 1 {
                String::new()
            } else {
                (entry + 1).to_string()
            },
            name,
            hue: Hue::Line(entry),
            mark: if of_setup { Mark::Scatter } else { Mark::Line },
            points: values
                .map(|(at, &value)| {
                    let at = if of_setup { entry } else { at };
                    [(at + 1) as f64, f64::from(value)]
                })
                .collect(),
            ..Series::default()
        }
    });
    Figure {
        name: row.text.clone(),
        x: Axis::new(if of_setup { "entry" } else { "example" }, Unit::Number),
        y: Axis::new("value", Unit::Number),
        series: series.collect(),
    }
}
