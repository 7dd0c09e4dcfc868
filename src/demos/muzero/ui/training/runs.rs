//! The list of runs: colours, names, which are shown, what becomes of them.

use egui::{Color32, Label, RichText, Role, Sense, TextEdit, Ui, WidgetInfo, vec2};
use serde::{Deserialize, Serialize};

use super::bench::Bench;
use crate::gui::theme;

/// What Run does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// Begins a run.
    #[default]
    New,
    /// Goes on with the run that is looked at, perhaps with other settings.
    GoOn,
    /// Goes on with a copy of it.
    Branch,
}

/// What was asked of the list.
pub enum Asked {
    /// To look at a run.
    LookAt(u64),
    /// To hide or show a run.
    Hide(u64),
    /// To call a run by another name.
    Rename(u64, String),
    /// To delete a run with its files, or take a shipped one off the bench.
    Delete(u64),
}

/// The list's own state.
#[derive(Default)]
pub struct Runs {
    /// The run that may be deleted, once that is confirmed.
    doomed: Option<u64>,
}

impl Runs {
    /// Draws the list; `running` cannot be deleted.
    pub fn ui(&mut self, ui: &mut Ui, bench: &Bench, running: Option<u64>) -> Option<Asked> {
        let mut asked = None;
        let focus = bench.focus().map(|entry| entry.id);
        for entry in bench.entries() {
            ui.horizontal(|ui| {
                let color = theme::tokens(ui).line(entry.id as usize);
                let mut shown = !entry.hidden;
                let about = format!("Show {} in the plots", entry.name);
                let check = ui.checkbox(&mut shown, "").on_hover_text(&about);
                check.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, shown, &about));
                if check.changed() {
                    asked = Some(Asked::Hide(entry.id));
                }
                swatch(ui, color, entry.hidden);
                let mut text = RichText::new(&entry.name);
                if entry.hidden {
                    text = text.color(theme::tokens(ui).faint);
                }
                let button = egui::Button::selectable(focus == Some(entry.id), text).truncate();
                if ui.add(button).on_hover_text("Look at this run").clicked() {
                    asked = Some(Asked::LookAt(entry.id));
                }
            });
        }
        if bench.entries().is_empty() {
            let faint = theme::tokens(ui).faint;
            ui.label(RichText::new("None yet: choose a question and press Run").color(faint));
        }
        if let Some(entry) = bench.focus() {
            let more = self.focus_ui(ui, bench, entry.id, running);
            asked = more.or(asked);
        }
        asked
    }

    /// The name and the end of the run that is looked at.
    fn focus_ui(
        &mut self,
        ui: &mut Ui,
        bench: &Bench,
        id: u64,
        running: Option<u64>,
    ) -> Option<Asked> {
        let entry = bench.get(id)?;
        let mut asked = None;
        ui.horizontal(|ui| {
            let label = ui.label("Name");
            let mut name = entry.name.clone();
            let field = TextEdit::singleline(&mut name).desired_width(150.0);
            if ui.add(field).labelled_by(label.id).changed() && name.len() <= 200 {
                asked = Some(Asked::Rename(id, name));
            }
            let own = entry.folder.is_some();
            if self.doomed == Some(id) {
                let bad = theme::tokens(ui).bad;
                let sure = egui::Button::new(RichText::new("Delete its files").color(bad));
                if ui.add(sure).clicked() {
                    asked = Some(Asked::Delete(id));
                    self.doomed = None;
                }
                if ui.button("Keep").clicked() {
                    self.doomed = None;
                }
            } else {
                let delete = egui::Button::new(if own { "Delete…" } else { "Remove" });
                let delete = ui.add_enabled(running != Some(id), delete);
                let delete = delete.on_disabled_hover_text("Stop the run first");
                if delete.clicked() {
                    if own {
                        self.doomed = Some(id);
                    } else {
                        asked = Some(Asked::Delete(id));
                    }
                }
            }
        });
        history_ui(ui, bench, id);
        asked
    }
}

/// Where a run comes from and what was changed on the way.
fn history_ui(ui: &mut Ui, bench: &Bench, id: u64) {
    let Some(record) = bench.get(id).and_then(|entry| entry.record.as_ref()) else {
        return;
    };
    let faint = theme::tokens(ui).faint;
    let mut line = |text: String| {
        let text = RichText::new(text).small().color(faint);
        ui.add(Label::new(text).wrap());
    };
    line(format!(
        "{} weights, {} training steps",
        record.weights,
        record.steps()
    ));
    if let Some(origin) = &record.origin {
        line(format!(
            "Branched off {} at step {}",
            origin.run, origin.steps
        ));
    }
    for change in record.changes.iter().rev().take(4) {
        line(format!("Step {}: {}", change.steps, change.what.join(", ")));
    }
}

fn swatch(ui: &mut Ui, color: Color32, hidden: bool) {
    let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
    let color = if hidden {
        color.gamma_multiply(0.3)
    } else {
        color
    };
    ui.painter().rect_filled(rect, 2.0, color);
}

/// What Run does: a new run, the same one, or a branch of it.
pub fn start_ui(ui: &mut Ui, start: &mut Start, can_go_on: bool) {
    ui.horizontal_wrapped(|ui| {
        ui.selectable_value(start, Start::New, "New run")
            .on_hover_text("Run begins a run of its own");
        for (value, name, about) in [
            (
                Start::GoOn,
                "Same run",
                "Go on with the run that is looked at; change what is not locked",
            ),
            (
                Start::Branch,
                "Branch off",
                "Go on with a copy of the run that is looked at; change what is not locked",
            ),
        ] {
            let button = egui::Button::selectable(*start == value, name);
            if ui
                .add_enabled(can_go_on, button)
                .on_hover_text(about)
                .clicked()
            {
                *start = value;
            }
        }
    });
}
