//! Asking the worker what is drawn, as often as it can answer while the pen moves.
//!
//! One question is under way at a time, and the newest waits: a face that is on its way is always
//! heard, and nothing ever queues. What comes after a face (shadow, neighbours, other answers) is let
//! go as soon as there is a newer question.

use crate::compute::{Lane, Run};
use crate::demos::face_drawing::job::{DrawJob, Heard, Question};
use crate::gui::TabCx;
use crate::gui::controls::capitalised;

/// The question under way, and the one after it.
#[derive(Default)]
pub(super) struct Asking {
    run: Option<Run<Heard>>,
    /// The face of the question under way was heard.
    answered: bool,
    wanted: Option<Question>,
}

impl Asking {
    /// Asks, in place of what waits.
    pub(super) fn want(&mut self, question: Question) {
        self.wanted = Some(question);
    }

    /// What was heard since the last frame; asks what waits when it is its turn.
    pub(super) fn logic(&mut self, cx: &mut TabCx<'_>) -> Vec<Heard> {
        let heard = cx.heard(&mut self.run).unwrap_or_default();
        self.answered |= heard
            .iter()
            .any(|heard| matches!(heard, Heard::Face { .. } | Heard::Nothing));
        if (self.run.is_none() || self.answered)
            && let Some(question) = self.wanted.take()
        {
            match DrawJob::new(question) {
                Ok(job) => {
                    let lane = Lane::Interactive("sketch");
                    self.run = Some(cx.worker.submit(lane, "DeepFaceDrawing: a face", job));
                    self.answered = false;
                }
                Err(error) => cx.toasts.error(capitalised(&error.to_string())),
            }
        }
        heard
    }
}
