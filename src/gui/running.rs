//! A long run that is under way, as tabs hold it: paused, stepped, stopped, heard of.

use super::controls::RunState;
use crate::compute::{Ending, Event, Progress, Run};
use crate::error::Error;

/// A run on the worker.
pub struct Running<T> {
    run: Run<T>,
    id: u64,
    /// Hold it when the next point has come.
    hold: bool,
    is_point: fn(&T) -> bool,
}

/// What is heard of it.
pub enum News<T> {
    /// It reports this.
    Output(T),
    /// Something is wrong, and it goes on.
    Warning(String),
    /// With what it failed of, if it did.
    Ended(Option<Error>),
}

impl<T> Running<T> {
    /// A run with its place on the bench; with `hold` it is paused at the first of the outputs that
    /// are points.
    pub fn new(run: Run<T>, id: u64, hold: bool, is_point: fn(&T) -> bool) -> Self {
        Self {
            run,
            id,
            hold,
            is_point,
        }
    }

    /// Its place on the bench.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether it is held.
    #[must_use]
    pub fn state(&self) -> RunState {
        if self.run.is_paused() {
            RunState::Paused
        } else {
            RunState::Running
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.run.progress()
    }

    /// Stops it.
    pub fn cancel(&self) {
        self.run.cancel();
    }

    /// Holds it, or lets it go on.
    pub fn toggle_pause(&mut self) {
        self.hold = false;
        self.run.set_paused(!self.run.is_paused());
    }

    /// Goes on to the next point.
    pub fn step(&mut self) {
        self.hold = true;
        self.run.set_paused(false);
    }

    /// The next piece of news.
    pub fn poll(&mut self) -> Option<News<T>> {
        Some(match self.run.poll()? {
            Event::Output(output) => {
                if self.hold && (self.is_point)(&output) {
                    self.hold = false;
                    self.run.set_paused(true);
                }
                News::Output(output)
            }
            Event::Warning(text) => News::Warning(text),
            Event::Ended(Ending::Failed(e)) => News::Ended(Some(e)),
            Event::Ended(_) => News::Ended(None),
        })
    }
}
