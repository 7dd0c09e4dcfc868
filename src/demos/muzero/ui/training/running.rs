//! The run that is under way.

use std::path::PathBuf;

use super::super::super::config::TrainConfig;
use super::super::super::job::{Output, RunOptions, TrainJob};
use crate::compute::{Ending, Event, Lane, Progress, Run};
use crate::error::{Error, Result};
use crate::gui::TabCx;
use crate::gui::controls::RunState;

/// A run on the worker.
pub struct Running {
    run: Run<Output>,
    id: u64,
    /// Hold it when the next point has come.
    hold: bool,
}

/// What is heard of it.
pub enum News {
    Output(Output),
    Warning(String),
    /// With what it failed of, if it did.
    Ended(Option<Error>),
}

impl Running {
    /// Gives a run to the worker; it goes on with what lies in `folder`, or with a copy of the run
    /// in the folder `from`.
    ///
    /// # Errors
    /// When a setting is impossible.
    pub fn begin(
        config: &TrainConfig,
        folder: PathBuf,
        from: Option<PathBuf>,
        hold: bool,
        cx: &TabCx<'_>,
    ) -> Result<Self> {
        let options = RunOptions {
            folder,
            from,
            fresh: false,
        };
        let job = TrainJob::new(config.clone(), options)?;
        let name = format!("MuZero: training {}", config.game);
        Ok(Self {
            run: cx.worker.submit(Lane::Long, name, job),
            id: 0,
            hold,
        })
    }

    /// The same as the run with this place on the bench.
    pub fn on(self, id: u64) -> Self {
        Self { id, ..self }
    }

    /// Its place on the bench.
    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn state(&self) -> RunState {
        if self.run.is_paused() {
            RunState::Paused
        } else {
            RunState::Running
        }
    }

    pub fn progress(&self) -> Progress {
        self.run.progress()
    }

    pub fn cancel(&self) {
        self.run.cancel();
    }

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
    pub fn poll(&mut self) -> Option<News> {
        Some(match self.run.poll()? {
            Event::Output(output) => {
                if self.hold && matches!(output, Output::Point(_)) {
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
