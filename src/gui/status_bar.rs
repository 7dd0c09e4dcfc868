//! The line at the bottom: device, memory, running jobs, frame time. Only what was measured.

use std::time::{Duration, Instant};

use egui::{RichText, Ui};

use super::controls::progress_text;
use super::frames::Frames;
use super::theme;
use crate::compute::{JobState, Memory, Worker};

/// What the bar remembers between frames.
#[derive(Default)]
pub(super) struct StatusBar {
    memory: Option<(Instant, Option<Memory>)>,
}

impl StatusBar {
    pub fn ui(&mut self, ui: &mut Ui, worker: &Worker, frames: &Frames, still: bool) {
        let tokens = theme::tokens(ui);
        let faint = |text: String| RichText::new(text).small().color(tokens.faint);
        ui.horizontal(|ui| {
            match worker.device() {
                Some(device) => {
                    ui.label(faint(device.name.clone()));
                    if let Some(note) = &device.note {
                        ui.label(RichText::new(note).small().color(tokens.warning));
                    }
                }
                None => drop(ui.label(faint("Starting the compute thread".into()))),
            }
            if !still && let Some(memory) = self.memory() {
                ui.separator();
                let mb = |bytes: u64| bytes / 1_000_000;
                ui.label(faint(format!(
                    "{} MB used, {} MB free",
                    mb(memory.own),
                    mb(memory.free)
                )));
            }
            for job in worker.jobs() {
                ui.separator();
                let state = match job.state {
                    JobState::Queued => ", waiting",
                    JobState::Paused => ", paused",
                    JobState::Running => "",
                };
                let mut text = format!("{}{state}", job.name);
                if !still && !job.progress.unit.is_empty() {
                    text += &format!(": {}", progress_text(&job.progress));
                }
                if let Some(ms) = job.ms_per_step.filter(|_| !still) {
                    text += &format!(", {ms:.0} ms a step");
                }
                ui.label(RichText::new(text).small().color(tokens.accent));
            }
            if still {
                return;
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if let Some(ms) = frames.last_ms() {
                    ui.label(faint(format!(
                        "{ms:.1} ms a frame, {} fps",
                        frames.per_second()
                    )));
                }
            });
        });
    }

    /// Asked of the system at most every two seconds, and only when a frame is drawn anyway.
    fn memory(&mut self) -> Option<Memory> {
        match &self.memory {
            Some((when, memory)) if when.elapsed() < Duration::from_secs(2) => *memory,
            _ => {
                let memory = Memory::read();
                self.memory = Some((Instant::now(), memory));
                memory
            }
        }
    }
}
