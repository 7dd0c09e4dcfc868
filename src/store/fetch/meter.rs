//! Progress going out, cancelling coming in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// The shortest time between two reports.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// How far a fetch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// Bytes that this stage has dealt with.
    pub done_bytes: u64,
    /// The bytes that this stage deals with: the size of the file, or of what carries it.
    pub total_bytes: u64,
    /// What is being done, such as `downloading`.
    pub stage: &'static str,
    /// For how long no byte has come.
    pub stalled_secs: u64,
}

impl Progress {
    pub(super) fn new(total_bytes: u64) -> Self {
        Self {
            done_bytes: 0,
            total_bytes,
            stage: "starting",
            stalled_secs: 0,
        }
    }
}

/// Reports progress now and then, and says when to stop.
pub(super) struct Meter<'a> {
    cancel: &'a AtomicBool,
    on_progress: &'a mut dyn FnMut(Progress),
    progress: Progress,
    last_byte: Instant,
    last_report: Instant,
}

impl<'a> Meter<'a> {
    pub(super) fn new(
        total_bytes: u64,
        cancel: &'a AtomicBool,
        on_progress: &'a mut dyn FnMut(Progress),
    ) -> Self {
        Self {
            cancel,
            on_progress,
            progress: Progress::new(total_bytes),
            last_byte: Instant::now(),
            last_report: Instant::now(),
        }
    }

    /// Says how many bytes the stages from the next one on deal with.
    pub(super) fn total(&mut self, bytes: u64) {
        self.progress.total_bytes = bytes;
    }

    /// Begins a stage.
    pub(super) fn stage(&mut self, stage: &'static str) -> Result<()> {
        self.progress = Progress {
            stage,
            ..Progress::new(self.progress.total_bytes)
        };
        self.last_byte = Instant::now();
        self.report();
        self.check()
    }

    /// Says how many bytes this stage has dealt with so far.
    pub(super) fn done(&mut self, bytes: u64) -> Result<()> {
        let bytes = bytes.min(self.progress.total_bytes);
        let changed = bytes != self.progress.done_bytes;
        if changed {
            self.progress.done_bytes = bytes;
            self.last_byte = Instant::now();
        }
        self.progress.stalled_secs = self.last_byte.elapsed().as_secs();
        let complete = changed && bytes == self.progress.total_bytes;
        if complete || self.last_report.elapsed() >= REPORT_EVERY {
            self.report();
        }
        self.check()
    }

    /// Sleeps for a moment, without progress.
    pub(super) fn pause(&mut self, duration: Duration) -> Result<()> {
        thread::sleep(duration);
        self.done(self.progress.done_bytes)
    }

    fn report(&mut self) {
        self.last_report = Instant::now();
        (self.on_progress)(self.progress);
    }

    fn check(&self) -> Result<()> {
        if self.cancel.load(Ordering::Relaxed) {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }
}
