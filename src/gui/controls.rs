//! Controls that every tab has, drawn alike.

use std::time::Duration;

use egui::{Button, ProgressBar, Rect, RichText, Sense, Ui, pos2, vec2};

use super::command::Command;
use super::theme;
use crate::compute::{Progress, Run};
use crate::rng::Rng;

/// The height of bars that show progress, in points.
const BAR_HEIGHT: f32 = 14.0;

/// How a tab's work stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Nothing runs.
    Idle,
    /// It takes steps.
    Running,
    /// It is held.
    Paused,
}

impl RunState {
    /// Of a run that is there while it is under way.
    #[must_use]
    pub fn of<T>(run: Option<&Run<T>>) -> Self {
        match run {
            None => Self::Idle,
            Some(run) if run.is_paused() => Self::Paused,
            Some(_) => Self::Running,
        }
    }

    /// Whether a page with one run and a seed can follow a command now.
    #[must_use]
    pub fn allows(self, command: Command) -> bool {
        match command {
            Command::Run | Command::NewSeed => self == Self::Idle,
            Command::Pause | Command::Stop => self != Self::Idle,
            _ => false,
        }
    }
}

/// Follows the commands that hold a run, let it go on, or stop it.
pub fn steer<T>(run: Option<&Run<T>>, command: Command) {
    match (command, run) {
        (Command::Stop, Some(run)) => run.cancel(),
        (Command::Pause, Some(run)) => run.set_paused(!run.is_paused()),
        _ => {}
    }
}

/// A tab's views, each with its name and what it shows, as labels of which one is chosen. True when
/// it is another one now.
pub fn views_ui<V: Copy + PartialEq>(
    ui: &mut Ui,
    chosen: &mut V,
    views: &[(V, &str, &str)],
) -> bool {
    let before = *chosen;
    for (view, name, about) in views {
        let label = ui.selectable_label(*chosen == *view, *name);
        if label.on_hover_text(*about).clicked() {
            *chosen = *view;
        }
    }
    *chosen != before
}

/// In place of what there is nothing of yet.
pub fn empty_ui(ui: &mut Ui, title: &str, text: &str) {
    let tokens = theme::tokens(ui);
    let height = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((height * 0.38 - 20.0).max(4.0));
        ui.label(RichText::new(title).strong());
        if !text.is_empty() {
            ui.label(RichText::new(text).color(tokens.faint));
        }
    });
}

/// Run, pause, step and stop; what is pressed is pushed as a command.
pub fn run_bar_ui(
    ui: &mut Ui,
    state: RunState,
    run_label: &str,
    can_run: bool,
    commands: &mut Vec<Command>,
) {
    let tokens = theme::tokens(ui);
    ui.horizontal(|ui| {
        let keys = |ui: &Ui, command: Command| {
            command
                .shortcut()
                .map_or(String::new(), |keys| ui.ctx().format_shortcut(&keys))
        };
        if state == RunState::Idle {
            let run = Button::new(RichText::new(run_label).color(tokens.on_accent).strong())
                .fill(tokens.accent);
            let hover = keys(ui, Command::Run);
            if ui.add_enabled(can_run, run).on_hover_text(hover).clicked() {
                commands.push(Command::Run);
            }
            let hover = format!("One step, {}", keys(ui, Command::Step));
            if ui
                .add_enabled(can_run, Button::new("Step"))
                .on_hover_text(hover)
                .clicked()
            {
                commands.push(Command::Step);
            }
        } else {
            let hover = keys(ui, Command::Stop);
            let stop = Button::new(RichText::new("Stop").color(tokens.on_accent).strong())
                .fill(tokens.bad);
            if ui.add(stop).on_hover_text(hover).clicked() {
                commands.push(Command::Stop);
            }
            let label = if state == RunState::Paused {
                "Go on"
            } else {
                "Pause"
            };
            let hover = keys(ui, Command::Pause);
            if ui.button(label).on_hover_text(hover).clicked() {
                commands.push(Command::Pause);
            }
        }
    });
}

/// A job's progress with its rate and the time to go.
pub fn progress_ui(ui: &mut Ui, progress: &Progress) {
    match progress.fraction() {
        Some(fraction) => {
            ui.add(ProgressBar::new(fraction).desired_height(BAR_HEIGHT));
        }
        None => endless_ui(ui),
    }
    ui.label(
        RichText::new(progress_text(progress))
            .small()
            .color(theme::tokens(ui).faint),
    );
}

/// A bar for work without a known end. It moves ten times a second, not with every frame: where the
/// window is drawn by the processor, frames would take it from the work.
fn endless_ui(ui: &mut Ui) {
    let size = vec2(ui.available_width(), BAR_HEIGHT);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let corner = BAR_HEIGHT * 0.5;
    let visuals = ui.visuals();
    let phase = (ui.input(|input| input.time) / 2.0).fract() as f32;
    let there = 1.0 - (2.0 * phase - 1.0).abs();
    let width = rect.width() * 0.25;
    let left = rect.left() + (rect.width() - width) * there;
    let band = Rect::from_min_size(pos2(left, rect.top()), vec2(width, BAR_HEIGHT));
    let painter = ui.painter();
    painter.rect_filled(rect, corner, visuals.extreme_bg_color);
    painter.rect_filled(band, corner, visuals.selection.bg_fill);
    ui.ctx().request_repaint_after(Duration::from_millis(100));
}

/// `42 of 100 tokens, 61/s, 1 s left`.
#[must_use]
pub fn progress_text(progress: &Progress) -> String {
    let mut text = match progress.total {
        Some(total) => format!("{} of {total} {}", progress.done, progress.unit),
        None => format!("{} {}", progress.done, progress.unit),
    };
    if let Some(rate) = progress.rate {
        text += &if rate < 10.0 {
            format!(", {rate:.1}/s")
        } else {
            format!(", {rate:.0}/s")
        };
    }
    if let Some(secs) = progress.eta_secs.filter(|secs| *secs >= 1.0) {
        text += &format!(", {} left", duration_text(secs));
    }
    text
}

/// `8 s`, `3 min 5 s`, `2 h 10 min`.
#[must_use]
pub fn duration_text(secs: f64) -> String {
    let secs = secs.round().max(0.0) as u64;
    match (secs / 3600, secs / 60 % 60, secs % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// The seed with a button for another one. True when it changed.
pub fn seed_ui(ui: &mut Ui, seed: &mut u64) -> bool {
    let before = *seed;
    ui.horizontal(|ui| {
        let label = ui.label("Seed");
        ui.add(
            egui::DragValue::new(seed)
                .speed(1.0)
                .range(0..=u64::from(u32::MAX)),
        )
        .labelled_by(label.id);
        if ui
            .button("New")
            .on_hover_text("Another seed; the same seed gives the same result")
            .clicked()
        {
            *seed = next_seed(*seed);
        }
    });
    *seed != before
}

/// A seed that follows from another, so that even the dice are reproducible.
#[must_use]
pub fn next_seed(seed: u64) -> u64 {
    Rng::new(seed).split("next seed").next_u64() & u64::from(u32::MAX)
}

/// An error's text as a sentence.
#[must_use]
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::{duration_text, progress_text};
    use crate::compute::Progress;

    #[test]
    fn progress_reads_well() {
        let mut progress = Progress {
            done: 42,
            total: Some(100),
            unit: "tokens",
            rate: None,
            eta_secs: None,
        };
        assert_eq!(progress_text(&progress), "42 of 100 tokens");
        progress.rate = Some(6.25);
        progress.eta_secs = Some(9.3);
        assert_eq!(
            progress_text(&progress),
            "42 of 100 tokens, 6.2/s, 9 s left"
        );
        assert_eq!(duration_text(185.0), "3 min 5 s");
        assert_eq!(duration_text(7800.0), "2 h 10 min");
    }
}
