//! Which job takes the next step.
//!
//! Two lanes. Interactive jobs go first, and within the lane a key has at most one job running
//! and one waiting: a newer request replaces the waiting one. Long jobs share what is left in
//! turn. So that an interactive job which runs for minutes cannot stop a training run, a long
//! job gets at least one step in every [`LONG_SHARE`].

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use candle_core::Device;

use super::job::{Control, Ending, Flow, Job, Outbox, StepCx, lock};
use super::progress::Meter;
use super::resources::Resources;
use crate::error::{Error, Result};

/// A long job gets at least one step in this many.
const LONG_SHARE: u32 = 8;

/// Where a job waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Somebody waits for the answer. Of the requests with one key only the newest is kept.
    Interactive(&'static str),
    /// Training, evolution, long searches.
    Long,
}

/// A job of any output type.
pub(super) trait Task: Send {
    fn control(&self) -> &Arc<Control>;
    /// Whether its reader has taken enough for it to go on.
    fn has_room(&mut self) -> bool;
    fn step(&mut self, device: &Device, resources: &mut Resources) -> Result<Flow>;
    fn checkpoint(&mut self) -> Result<()>;
    fn skip_pause(&mut self, since: Instant);
}

/// A job with its connection to the reader.
pub(super) struct Typed<J: Job> {
    pub job: J,
    pub outbox: Outbox<J::Output>,
    pub meter: Meter,
    pub control: Arc<Control>,
}

impl<J: Job> Task for Typed<J> {
    fn control(&self) -> &Arc<Control> {
        &self.control
    }

    fn has_room(&mut self) -> bool {
        self.outbox.flush()
    }

    fn step(&mut self, device: &Device, resources: &mut Resources) -> Result<Flow> {
        let mut cx = StepCx {
            device,
            resources,
            outbox: &mut self.outbox,
            meter: &mut self.meter,
            control: &self.control,
        };
        let flow = self.job.step(&mut cx);
        self.outbox.flush();
        flow
    }

    fn checkpoint(&mut self) -> Result<()> {
        self.job.checkpoint()
    }

    fn skip_pause(&mut self, since: Instant) {
        self.meter.skip(since.elapsed());
    }
}

/// A job that has left the queue.
struct Active {
    lane: Lane,
    task: Box<dyn Task>,
    paused_since: Option<Instant>,
    /// Set when its work is over but its last results have not been taken.
    ending: Option<Ending>,
}

/// The jobs the worker has begun.
#[derive(Default)]
pub(super) struct Lanes {
    jobs: Vec<Active>,
    turn: usize,
    since_long: u32,
}

impl Lanes {
    pub fn is_running(&self, key: &str) -> bool {
        self.jobs
            .iter()
            .any(|j| matches!(j.lane, Lane::Interactive(k) if k == key) && j.ending.is_none())
    }

    pub fn begin(&mut self, lane: Lane, task: Box<dyn Task>) {
        task.control().started.store(true, Ordering::Release);
        self.jobs.push(Active {
            lane,
            task,
            paused_since: None,
            ending: None,
        });
    }

    /// Ends what was cancelled, delivers what waits, stores what was paused. True if a job ended.
    pub fn sweep(&mut self) -> bool {
        let before = self.jobs.len();
        let mut at = 0;
        while let Some(job) = self.jobs.get_mut(at) {
            if job.ending.is_none() && job.task.control().cancelled() {
                job.ending = Some(match job.task.checkpoint() {
                    Ok(()) => Ending::Cancelled,
                    Err(e) => Ending::Failed(e),
                });
            }
            let drained = job.task.has_room();
            // A cancelled job's reader need not take the rest.
            if job.ending.is_some() && (drained || job.task.control().cancelled()) {
                let job = self.jobs.remove(at);
                job.task
                    .control()
                    .end(job.ending.unwrap_or(Ending::Cancelled));
                continue;
            }
            job.note_pause();
            at += 1;
        }
        self.jobs.len() < before
    }

    /// The job to step next.
    pub fn pick(&mut self) -> Option<usize> {
        let count = self.jobs.len();
        let turn = self.turn;
        let next = |wanted: fn(Lane) -> bool| {
            (0..count)
                .map(|i| (turn + i) % count)
                .find(|&i| wanted(self.jobs[i].lane) && self.jobs[i].is_ready())
        };
        let interactive = next(|lane| lane != Lane::Long);
        let long = next(|lane| lane == Lane::Long);
        let picked = match (interactive, long) {
            (Some(i), Some(l)) => Some(if self.since_long + 1 >= LONG_SHARE {
                l
            } else {
                i
            }),
            (one, other) => one.or(other),
        }?;
        self.since_long = if Some(picked) == long {
            0
        } else {
            self.since_long + 1
        };
        self.turn = picked + 1;
        Some(picked)
    }

    /// Steps one job, inside `catch_unwind`.
    pub fn step(&mut self, at: usize, device: &Device, resources: &mut Resources) {
        let Some(job) = self.jobs.get_mut(at) else {
            return;
        };
        let started = Instant::now();
        let task = &mut job.task;
        // Unwind safety: a panicking job is dropped, and values it had taken out of `resources`
        // are dropped with it.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            task.step(device, resources)
        }));
        job.ending = match result {
            Ok(Ok(Flow::Continue)) => None,
            Ok(Ok(Flow::Finished)) => Some(Ending::Finished),
            Ok(Err(Error::Cancelled)) => Some(Ending::Cancelled),
            Ok(Err(e)) => Some(Ending::Failed(e)),
            Err(panic) => Some(Ending::Failed(Error::Panic(panic_text(panic.as_ref())))),
        };
        let ms = started.elapsed().as_secs_f64() * 1e3;
        let mut shared = lock(&job.task.control().shared);
        shared.ms_per_step = Some(shared.ms_per_step.map_or(ms, |old| 0.9 * old + 0.1 * ms));
    }

    /// Stores and ends everything: the program is closing.
    pub fn shut_down(&mut self) {
        for mut job in self.jobs.drain(..) {
            let ending = job
                .ending
                .take()
                .unwrap_or_else(|| match job.task.checkpoint() {
                    Ok(()) => Ending::Cancelled,
                    Err(e) => Ending::Failed(e),
                });
            job.task.control().end(ending);
        }
    }
}

impl Active {
    fn is_ready(&self) -> bool {
        self.ending.is_none() && self.paused_since.is_none()
    }

    /// Ready to step: not paused, and its reader keeps up.
    fn note_pause(&mut self) {
        match (
            self.task.control().paused() || !self.task.has_room(),
            self.paused_since,
        ) {
            (true, None) => {
                self.paused_since = Some(Instant::now());
                if let Err(e) = self.task.checkpoint() {
                    tracing::error!("a paused job could not be stored: {e}");
                }
            }
            (false, Some(since)) => {
                self.task.skip_pause(since);
                self.paused_since = None;
            }
            _ => {}
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}
