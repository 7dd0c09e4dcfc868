//! The hall of fame: the best programs by length, those that were pinned, two of them compared.

use egui::{RichText, ScrollArea, Ui, vec2};
use serde::{Deserialize, Serialize};

use super::super::hall::Famed;
use super::super::program::Program;
use super::super::text::{parse, print};
use super::lineage::marked_rows;
use super::listing::{Row, listing_ui};
use super::subject::Subject;
use crate::error::{Error, Result};
use crate::gui::controls::empty_ui;
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit};
use crate::gui::theme;

/// The most programs that are pinned.
const MAX_PINS: usize = 12;

/// A program that is kept in sight.
#[derive(Clone, Debug)]
struct Pin {
    title: String,
    program: Program,
}

/// The page.
#[derive(Default)]
pub struct HallPage {
    pins: Vec<Pin>,
    /// The two that are compared.
    compared: [Option<usize>; 2],
    rows: Vec<Row>,
    made: Option<[usize; 2]>,
    plots: Plots<(u64, Vec<(usize, u32)>)>,
}

/// A pin as a session keeps it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SavedPin {
    title: String,
    text: String,
}

impl HallPage {
    /// Keeps a program in sight. False when it is already there or there is no room.
    pub fn pin(&mut self, subject: &Subject) -> bool {
        let program = subject.program();
        if self.pins.len() == MAX_PINS || self.pins.iter().any(|pin| pin.program == *program) {
            return false;
        }
        self.pins.push(Pin {
            title: subject.title().to_owned(),
            program: program.clone(),
        });
        let place = self.pins.len() - 1;
        let free = self.compared.iter().position(Option::is_none).unwrap_or(1);
        self.compared[free] = Some(place);
        true
    }

    /// The pins, for a session.
    pub fn save(&self) -> Vec<SavedPin> {
        let pins = self.pins.iter();
        pins.map(|pin| SavedPin {
            title: pin.title.clone(),
            text: print(&pin.program),
        })
        .collect()
    }

    /// Takes up the pins of a session.
    ///
    /// # Errors
    /// When one is no program.
    pub fn restored(saved: &[SavedPin]) -> Result<Self> {
        let mut page = Self::default();
        for pin in saved.iter().take(MAX_PINS) {
            let program = parse(&pin.text).map_err(Error::from)?;
            page.pin(&Subject::new(pin.title.clone(), program));
        }
        Ok(page)
    }

    /// Draws the page. The program that somebody wants to look at, and whether the pins changed.
    pub fn ui(&mut self, ui: &mut Ui, hall: &[Famed], run: u64) -> (Option<Subject>, bool) {
        if hall.is_empty() && self.pins.is_empty() {
            let text = "The best programs of each length appear here while a search runs.";
            empty_ui(ui, "Nobody yet", text);
            return (None, false);
        }
        let mut wanted = None;
        let mut changed = false;
        let room = ui.available_size();
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(room.x * 0.46);
                ui.strong("Length against fitness");
                let key: Vec<(usize, u32)> = hall
                    .iter()
                    .map(|famed| (famed.instructions, famed.fitness.to_bits()))
                    .collect();
                for plot in self.plots.get((run, key), || vec![figure(hall)]) {
                    plot.show(ui, vec2(room.x * 0.46, (room.y * 0.4).max(120.0)));
                }
                ScrollArea::vertical()
                    .id_salt("automl hall")
                    .auto_shrink([false, false])
                    .show(ui, |ui| {
                        let (subject, pinned) = self.entries_ui(ui, hall);
                        wanted = subject;
                        changed |= pinned;
                    });
            });
            ui.separator();
            ui.vertical(|ui| {
                let (subject, unpinned) = self.pins_ui(ui);
                wanted = subject.or(wanted.take());
                changed |= unpinned;
                self.compared_ui(ui);
            });
        });
        (wanted, changed)
    }

    fn entries_ui(&mut self, ui: &mut Ui, hall: &[Famed]) -> (Option<Subject>, bool) {
        let (mut wanted, mut pinned) = (None, false);
        egui::Grid::new("automl famed")
            .num_columns(4)
            .striped(true)
            .show(ui, |ui| {
                for famed in hall {
                    let count = famed.instructions;
                    let word = if count == 1 {
                        "instruction"
                    } else {
                        "instructions"
                    };
                    ui.label(format!("{count} {word}"));
                    ui.label(RichText::new(format!("{:.4}", famed.fitness)).monospace());
                    let subject = || Subject::new(format!("{count} {word}"), famed.program.clone());
                    if ui.button("Look at it").clicked() {
                        wanted = Some(subject());
                    }
                    if ui
                        .button("Pin")
                        .on_hover_text("Keep it for comparison")
                        .clicked()
                    {
                        pinned |= self.pin(&subject());
                    }
                    ui.end_row();
                }
            });
        (wanted, pinned)
    }

    fn pins_ui(&mut self, ui: &mut Ui) -> (Option<Subject>, bool) {
        ui.strong("Pinned");
        if self.pins.is_empty() {
            let faint = theme::tokens(ui).faint;
            let text = "Pin programs here or on the page Program, and compare two of them.";
            ui.label(RichText::new(text).color(faint));
            return (None, false);
        }
        let (mut wanted, mut gone) = (None, None);
        for (index, pin) in self.pins.iter().enumerate() {
            ui.horizontal(|ui| {
                for (side, name) in ["A", "B"].into_iter().enumerate() {
                    let is_it = self.compared[side] == Some(index);
                    let label = ui.selectable_label(is_it, name);
                    if label.on_hover_text("Compare this one").clicked() {
                        self.compared[side] = (!is_it).then_some(index);
                    }
                }
                ui.label(&pin.title);
                if ui.button("Look at it").clicked() {
                    wanted = Some(Subject::new(pin.title.clone(), pin.program.clone()));
                }
                if ui.button("Unpin").clicked() {
                    gone = Some(index);
                }
            });
        }
        if let Some(gone) = gone {
            self.pins.remove(gone);
            self.compared = self.compared.map(|place| match place {
                Some(place) if place == gone => None,
                Some(place) if place > gone => Some(place - 1),
                other => other,
            });
            self.made = None;
        }
        (wanted, gone.is_some())
    }

    /// What B has that A has not, and the other way round.
    fn compared_ui(&mut self, ui: &mut Ui) {
        let [Some(a), Some(b)] = self.compared else {
            return;
        };
        if a == b {
            return;
        }
        if self.made != Some([a, b]) {
            self.made = Some([a, b]);
            self.rows = marked_rows(&self.pins[a].program, &self.pins[b].program);
        }
        ui.separator();
        let text = format!(
            "From A, {}, to B, {}: − is in A alone, + in B alone",
            self.pins[a].title, self.pins[b].title
        );
        ui.label(RichText::new(text).color(theme::tokens(ui).faint));
        ScrollArea::both()
            .id_salt("automl compared")
            .auto_shrink([false, false])
            .show(ui, |ui| {
                listing_ui(ui, "compared", &self.rows, false, &mut None);
            });
    }
}

/// Fitness by length.
#[must_use]
pub fn figure(hall: &[Famed]) -> Figure {
    Figure {
        name: "Length against fitness".to_owned(),
        x: Axis::new("live instructions", Unit::Number),
        y: Axis::new("fitness in the search", Unit::Number),
        series: vec![Series {
            name: "best of its length".to_owned(),
            hue: Hue::Line(0),
            mark: Mark::Dots,
            points: hall
                .iter()
                .map(|famed| [famed.instructions as f64, f64::from(famed.fitness)])
                .collect(),
            ..Series::default()
        }],
    }
}
