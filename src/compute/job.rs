//! The contract between a demo and the worker.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use candle_core::Device;
use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError};

use super::progress::{Meter, Progress};
use super::resources::Resources;
use crate::error::{Error, Result};

/// Whether a job has more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Call `step` again.
    Continue,
    /// The job is done.
    Finished,
}

/// Work that advances in small steps on the worker thread.
///
/// A step should take 5 to 200 ms: one token, one batch, one generation, one move. Between steps
/// the worker serves other jobs and notices pause and cancel, so a job never looks at a flag,
/// and the command line runs the same steps as the window.
pub trait Job: Send + 'static {
    /// Plain data for the reader: pictures, series, text, never a tensor.
    type Output: Send + 'static;

    /// Does the next piece of work.
    ///
    /// # Errors
    /// An error ends this job and no other. So does a panic.
    fn step(&mut self, cx: &mut StepCx<'_, Self::Output>) -> Result<Flow>;

    /// Stores what must not be lost. Called when the job is paused or cancelled, and when the
    /// program ends.
    ///
    /// # Errors
    /// Whatever kept it from being stored.
    fn checkpoint(&mut self) -> Result<()> {
        Ok(())
    }
}

/// How a job ended.
#[derive(Debug)]
pub enum Ending {
    /// It did all it had to.
    Finished,
    /// Its reader cancelled it, or the program is closing.
    Cancelled,
    /// A newer request with the same key took its place before it began.
    Superseded,
    /// It failed or panicked.
    Failed(Error),
}

/// What a reader hears of its job.
#[derive(Debug)]
pub enum Event<T> {
    /// A result, whole or part.
    Output(T),
    /// Something the user should know, though the job goes on.
    Warning(String),
    /// The last event.
    Ended(Ending),
}

/// What a step may use.
pub struct StepCx<'a, T> {
    pub(super) device: &'a Device,
    pub(super) resources: &'a mut Resources,
    pub(super) outbox: &'a mut Outbox<T>,
    pub(super) meter: &'a mut Meter,
    pub(super) control: &'a Control,
}

impl<T> StepCx<'_, T> {
    /// Where tensors are made.
    #[must_use]
    pub fn device(&self) -> &Device {
        self.device
    }

    /// What other jobs left on the thread, such as a loaded model.
    pub fn resources(&mut self) -> &mut Resources {
        self.resources
    }

    /// Hands over a result that the reader must get; all arrive, in order.
    pub fn emit(&mut self, output: T) {
        self.outbox.push(Event::Output(output));
    }

    /// Hands over a result that replaces the last one, if the reader has not seen that yet.
    pub fn show(&mut self, output: T) {
        *lock(&self.outbox.latest) = Some(output);
    }

    /// Tells the user something while the job goes on.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.outbox.push(Event::Warning(text.into()));
    }

    /// Reports progress; the rate and the time to go are worked out from the reports.
    pub fn progress(&mut self, done: u64, total: Option<u64>, unit: &'static str) {
        let progress = self.meter.report(Instant::now(), done, total, unit);
        lock(&self.control.shared).progress = progress;
    }
}

/// Results on their way to the reader. Never blocks: what the channel cannot hold waits here, and
/// the worker does not step the job again until it has gone.
pub(super) struct Outbox<T> {
    channel: Sender<Event<T>>,
    waiting: VecDeque<Event<T>>,
    latest: Arc<Mutex<Option<T>>>,
}

impl<T> Outbox<T> {
    fn push(&mut self, event: Event<T>) {
        self.waiting.push_back(event);
    }

    /// Sends what fits. True when nothing waits any more.
    pub fn flush(&mut self) -> bool {
        while let Some(event) = self.waiting.pop_front() {
            match self.channel.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.waiting.push_front(event);
                    return false;
                }
                Err(TrySendError::Disconnected(_)) => self.waiting.clear(),
            }
        }
        true
    }
}

/// State that the job's reader and the worker both see.
#[derive(Debug)]
pub(super) struct Control {
    pub id: u64,
    pub name: String,
    pub cancel: AtomicBool,
    pub pause: AtomicBool,
    pub started: AtomicBool,
    pub shared: Mutex<Shared>,
}

/// The part of [`Control`] that needs a lock.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub progress: Progress,
    pub ms_per_step: Option<f64>,
    pub ending: Option<Ending>,
    pub ended: bool,
}

impl Control {
    pub fn new(id: u64, name: String) -> Self {
        Self {
            id,
            name,
            cancel: AtomicBool::new(false),
            pause: AtomicBool::new(false),
            started: AtomicBool::new(false),
            shared: Mutex::default(),
        }
    }

    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Acquire)
    }

    pub fn paused(&self) -> bool {
        self.pause.load(Ordering::Acquire)
    }

    pub fn end(&self, ending: Ending) {
        let mut shared = lock(&self.shared);
        shared.ended = true;
        shared.ending = Some(ending);
    }
}

/// Locks even where another thread panicked while holding it: all values kept behind these locks
/// are replaced whole, so none is ever half written.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A reader's end of a job. Dropping it cancels the job.
pub struct Run<T> {
    events: Receiver<Event<T>>,
    latest: Arc<Mutex<Option<T>>>,
    control: Arc<Control>,
    nudge: Arc<dyn Fn() + Send + Sync>,
    over: bool,
}

/// Results that may wait in a run's channel before its job is held back.
const CHANNEL_CAPACITY: usize = 256;

/// Makes both ends of a job's connection.
pub(super) fn connect<T>(
    control: Arc<Control>,
    nudge: Arc<dyn Fn() + Send + Sync>,
) -> (Outbox<T>, Run<T>) {
    let (sender, events) = crossbeam_channel::bounded(CHANNEL_CAPACITY);
    let latest = Arc::new(Mutex::new(None));
    let outbox = Outbox {
        channel: sender,
        waiting: VecDeque::new(),
        latest: Arc::clone(&latest),
    };
    (
        outbox,
        Run {
            events,
            latest,
            control,
            nudge,
            over: false,
        },
    )
}

impl<T> Run<T> {
    /// The next event, if there is one now. `None` for ever after [`Event::Ended`].
    pub fn poll(&mut self) -> Option<Event<T>> {
        if self.over {
            return None;
        }
        let was_full = self.events.is_full();
        match self.events.try_recv() {
            Ok(event) => {
                if was_full {
                    (self.nudge)();
                }
                Some(event)
            }
            Err(TryRecvError::Empty) => lock(&self.latest).take().map(Event::Output),
            Err(TryRecvError::Disconnected) => {
                if let Some(output) = lock(&self.latest).take() {
                    return Some(Event::Output(output));
                }
                self.over = true;
                Some(Event::Ended(
                    lock(&self.control.shared)
                        .ending
                        .take()
                        .unwrap_or(Ending::Cancelled),
                ))
            }
        }
    }

    /// Asks the job to stop before its next step.
    pub fn cancel(&self) {
        self.control.cancel.store(true, Ordering::Release);
        (self.nudge)();
    }

    /// Holds the job after its present step, or lets it go on.
    pub fn set_paused(&self, paused: bool) {
        self.control.pause.store(paused, Ordering::Release);
        (self.nudge)();
    }

    /// Whether the job is held.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.control.paused()
    }

    /// Whether the last event was delivered.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether the job has left the queue.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.control.started.load(Ordering::Acquire)
    }

    /// The latest progress.
    #[must_use]
    pub fn progress(&self) -> Progress {
        lock(&self.control.shared).progress.clone()
    }
}

impl<T> Drop for Run<T> {
    fn drop(&mut self) {
        if !self.over {
            self.cancel();
        }
    }
}
