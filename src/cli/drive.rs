//! Runs a job as a command does.

use super::{Globals, Report, interrupted};
use crate::compute::{Event, Job, run_to_end};
use crate::error::Result;

/// Runs a job; its outputs go to a closure. An interruption is an error after which what was done
/// is still printed.
///
/// # Errors
/// What the job failed with, or [`crate::Error::Cancelled`].
pub fn drive<J: Job>(
    globals: &Globals,
    report: &mut Report,
    job: J,
    mut hear: impl FnMut(J::Output, &mut Report),
) -> Result<()> {
    let ended = run_to_end(globals.worker_options(), job, |event, run| {
        match event {
            Some(Event::Output(output)) => hear(output, report),
            Some(Event::Warning(text)) => eprintln!("{text}"),
            None if !report.is_json() => report.progress(&run.progress()),
            None | Some(Event::Ended(_)) => {}
        }
        !interrupted()
    });
    report.clear();
    ended
}
