//! Somebody to be drawn by the person at the pen, and how near the drawing came.

use std::sync::Arc;

use egui::{RichText, Ui, Vec2};

use crate::compute::{Lane, Run};
use crate::demos::face_drawing::drawing::Drawing;
use crate::demos::face_drawing::job::{NewTask, Task};
use crate::demos::face_drawing::landmarks::{self, Landmarks};
use crate::gui::controls::next_seed;
use crate::gui::{TabCx, theme};
use crate::view::ImageView;

/// Pixels in a side of the picture to draw after.
const SIZE: usize = 256;

/// The task, if there is one.
pub(super) struct Model {
    seed: u64,
    run: Option<Run<Task>>,
    task: Option<Task>,
    view: ImageView,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            seed: 1,
            run: None,
            task: None,
            view: ImageView::new("The person to draw"),
        }
    }

    pub(super) fn logic(&mut self, cx: &mut TabCx<'_>) {
        for task in cx.heard(&mut self.run).unwrap_or_default() {
            self.view.set(&Arc::new(task.image.clone()));
            self.task = Some(task);
        }
    }

    /// Whether there is somebody to draw.
    pub(super) fn is_there(&self) -> bool {
        self.task.is_some()
    }

    /// Draws the controls. The drawing to show, when it was asked for.
    pub(super) fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) -> Option<Drawing> {
        let mut shown = None;
        ui.strong("Draw this person");
        ui.horizontal_wrapped(|ui| {
            let new = ui.button("New person").on_hover_text(
                "Somebody imaginary to draw after; the truth stays beside the answer",
            );
            if new.clicked() {
                self.seed = next_seed(self.seed);
                let lane = Lane::Interactive("sketch task");
                let job = NewTask {
                    seed: self.seed,
                    size: SIZE,
                };
                self.run = Some(cx.worker.submit(lane, "DeepFaceDrawing: a person", job));
            }
            if let Some(task) = &self.task {
                let show = ui.button("Show the sketch");
                if show
                    .on_hover_text("Put the true lines on the sheet; undo brings yours back")
                    .clicked()
                {
                    shown = Some(task.drawing.clone());
                }
                if ui.button("Done").on_hover_text("Draw freely").clicked() {
                    self.task = None;
                    self.view.clear();
                }
            }
        });
        shown
    }

    /// Draws the person to draw after, and how far the answer is from the truth.
    pub(super) fn ui(&mut self, ui: &mut Ui, side: f32, found: Option<&Landmarks>) {
        let Some(task) = &self.task else { return };
        self.view.show(ui, Vec2::splat(side));
        let faint = theme::tokens(ui).faint;
        let text = match found {
            None => "the truth; nothing is drawn yet".to_owned(),
            Some(found) => {
                let off = landmarks::distance(found, &task.landmarks);
                format!(
                    "{} points · landmarks {off:.2} px off (mean face {:.2})",
                    score(off, task.mean_face),
                    task.mean_face
                )
            }
        };
        ui.label(RichText::new(text).small().color(faint))
            .on_hover_text(
                "100 points where all 42 landmarks lie in their places, 0 where they are no nearer \
                 than the mean face's; pixels of 128",
            );
    }
}

/// 100 for the truth, 0 for what is no nearer than the mean face.
fn score(off: f64, mean_face: f64) -> u32 {
    (100.0 * (1.0 - off / mean_face.max(1e-6)))
        .clamp(0.0, 100.0)
        .round() as u32
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn scores_go_from_the_mean_face_to_the_truth() {
        assert_eq!(score(0.0, 2.4), 100);
        assert_eq!(score(0.6, 2.4), 75);
        assert_eq!(score(2.4, 2.4), 0);
        assert_eq!(score(5.0, 2.4), 0);
    }
}
