//! Undo and redo.
//!
//! Every change of a sketch keeps its first strokes and replaces the rest, and its scan. So a step
//! holds how many strokes stay, and what stands in place of the others; going back or forth is
//! exchanging the two.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Scan, Sketch, Stroke};

/// The most steps that can be taken back.
pub const MAX_STEPS: usize = 500;

/// The changes of a sketch.
#[derive(Clone, Debug, Default)]
pub struct History {
    done: VecDeque<Step>,
    undone: Vec<Step>,
}

#[derive(Clone, Debug)]
struct Step {
    /// How many strokes stay.
    kept: usize,
    /// What comes in place of the others when the step is gone.
    others: Vec<Stroke>,
    scan: Option<Arc<Scan>>,
}

impl Step {
    fn exchange(&mut self, sketch: &mut Sketch) {
        let strokes = &mut sketch.drawing.strokes;
        let tail = strokes.split_off(self.kept.min(strokes.len()));
        strokes.append(&mut self.others);
        self.others = tail;
        std::mem::swap(&mut self.scan, &mut sketch.scan);
    }
}

impl History {
    /// Adds strokes to the sketch, as one step.
    pub fn add(&mut self, sketch: &mut Sketch, strokes: Vec<Stroke>) {
        if strokes.is_empty() {
            return;
        }
        let step = Step {
            kept: sketch.drawing.strokes.len(),
            others: strokes,
            scan: sketch.scan.clone(),
        };
        self.go(step, sketch);
    }

    /// Puts another sketch in place of the one there is, as one step. An empty one clears it.
    pub fn replace(&mut self, sketch: &mut Sketch, with: Sketch) {
        if *sketch == with {
            return;
        }
        let step = Step {
            kept: 0,
            others: with.drawing.strokes,
            scan: with.scan,
        };
        self.go(step, sketch);
    }

    fn go(&mut self, mut step: Step, sketch: &mut Sketch) {
        step.exchange(sketch);
        self.done.push_back(step);
        if self.done.len() > MAX_STEPS {
            self.done.pop_front();
        }
        self.undone.clear();
    }

    /// Takes the last step back. False when there is none.
    pub fn undo(&mut self, sketch: &mut Sketch) -> bool {
        let Some(mut step) = self.done.pop_back() else {
            return false;
        };
        step.exchange(sketch);
        self.undone.push(step);
        true
    }

    /// Takes the last step that was taken back again. False when there is none.
    pub fn redo(&mut self, sketch: &mut Sketch) -> bool {
        let Some(mut step) = self.undone.pop() else {
            return false;
        };
        step.exchange(sketch);
        self.done.push_back(step);
        true
    }

    /// Whether there is a step to take back.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether there is a step to take again.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }
}
