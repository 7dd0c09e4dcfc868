//! The thread itself: takes jobs from the queue, steps them, wakes the reader.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use super::device::{DeviceChoice, DeviceInfo};
use super::job::{Control, Ending, Event, Job, Run, connect, lock};
use super::progress::{Meter, Progress};
use super::resources::Resources;
use super::schedule::{Lane, Lanes, Task, Typed};
use crate::error::{Error, Result};

/// Called after every step that may have changed something, from the worker's thread.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// How the worker is set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkerOptions {
    /// The device to compute on.
    pub device: DeviceChoice,
    /// Threads for one step's inner loops, the worker's own included; all processors if not given.
    pub threads: Option<usize>,
}

impl WorkerOptions {
    /// The number of threads this comes to.
    #[must_use]
    pub fn thread_count(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(all).clamp(1, 256)
    }
}

/// Whether a job is stepping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Waits for its turn to begin.
    Queued,
    /// Takes steps.
    Running,
    /// Held by its reader.
    Paused,
}

/// A job as the status bar shows it.
#[derive(Clone, Debug)]
pub struct JobStatus {
    /// Counts up from 1.
    pub id: u64,
    /// What it is, for people.
    pub name: String,
    /// Whether it is stepping.
    pub state: JobState,
    /// How far it is.
    pub progress: Progress,
    /// A smoothed mean, measured.
    pub ms_per_step: Option<f64>,
}

struct Queue {
    waiting: Vec<(Lane, Box<dyn Task>)>,
    nudged: bool,
    closing: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    known: Mutex<Vec<Weak<Control>>>,
    device: OnceLock<DeviceInfo>,
    wake: Wake,
}

impl Shared {
    fn nudge(&self) {
        lock(&self.queue).nudged = true;
        self.changed.notify_one();
    }
}

/// The background thread. Dropping it stores and cancels what runs.
pub struct Worker {
    shared: Arc<Shared>,
    next_id: AtomicU64,
    thread: Option<JoinHandle<()>>,
}

/// A closing program waits this long for the step in progress.
const CLOSING_PATIENCE: Duration = Duration::from_secs(3);

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system refuses to start threads.
    pub fn spawn(options: WorkerOptions, wake: Wake) -> Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                waiting: Vec::new(),
                nudged: false,
                closing: false,
            }),
            changed: Condvar::new(),
            known: Mutex::default(),
            device: OnceLock::new(),
            wake,
        });
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("compute".into())
            .stack_size(16 << 20)
            .spawn(move || run(&theirs, options))
            .map_err(|e| Error::Missing(format!("cannot start the compute thread: {e}")))?;
        Ok(Self {
            shared,
            next_id: AtomicU64::new(1),
            thread: Some(thread),
        })
    }

    /// Queues a job and returns at once.
    pub fn submit<J: Job>(&self, lane: Lane, name: impl Into<String>, job: J) -> Run<J::Output> {
        let control = Arc::new(Control::new(
            self.next_id.fetch_add(1, Ordering::Relaxed),
            name.into(),
        ));
        let weak = Arc::downgrade(&self.shared);
        let nudge = Arc::new(move || {
            if let Some(shared) = weak.upgrade() {
                shared.nudge();
            }
        });
        let (outbox, run) = connect(Arc::clone(&control), nudge);
        {
            let mut known = lock(&self.shared.known);
            known.retain(|c| c.strong_count() > 0);
            known.push(Arc::downgrade(&control));
        }
        let task = Box::new(Typed {
            job,
            outbox,
            meter: Meter::default(),
            control,
        });
        let mut queue = lock(&self.shared.queue);
        if lane != Lane::Long
            && let Some(at) = queue.waiting.iter().position(|(other, _)| *other == lane)
        {
            let (_, older) = queue.waiting.remove(at);
            older.control().end(Ending::Superseded);
        }
        queue.waiting.push((lane, task));
        drop(queue);
        self.shared.changed.notify_one();
        run
    }

    /// The jobs that have not ended, oldest first.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobStatus> {
        let known = lock(&self.shared.known);
        let live = known.iter().filter_map(Weak::upgrade);
        live.filter_map(|control| {
            let shared = lock(&control.shared);
            (!shared.ended).then(|| JobStatus {
                id: control.id,
                name: control.name.clone(),
                state: match (control.started.load(Ordering::Acquire), control.paused()) {
                    (_, true) => JobState::Paused,
                    (true, false) => JobState::Running,
                    (false, false) => JobState::Queued,
                },
                progress: shared.progress.clone(),
                ms_per_step: shared.ms_per_step,
            })
        })
        .collect()
    }

    /// The device, once the thread has opened it.
    #[must_use]
    pub fn device(&self) -> Option<&DeviceInfo> {
        self.shared.device.get()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        lock(&self.shared.queue).closing = true;
        self.shared.changed.notify_one();
        let Some(thread) = self.thread.take() else {
            return;
        };
        let deadline = std::time::Instant::now() + CLOSING_PATIENCE;
        while !thread.is_finished() && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        if thread.is_finished() && thread.join().is_err() {
            tracing::error!("the compute thread panicked outside a job");
        }
    }
}

/// What every computing thread does first.
static PREPARE: OnceLock<fn()> = OnceLock::new();

/// Sets what every computing thread does first, such as to lower its priority beside a window. To
/// be called before the first [`Worker`]; later calls change nothing.
pub fn prepare_threads(prepare: fn()) {
    // The first call wins.
    let _ = PREPARE.set(prepare);
}

fn prepare() {
    if let Some(prepare) = PREPARE.get() {
        prepare();
    }
}

fn run(shared: &Shared, options: WorkerOptions) {
    prepare();
    let threads = options.thread_count();
    // This thread is one of the pool's, so a step's parallel loops begin here without a hand-over
    // and no more than `threads` threads ever compute.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("compute-{i}"))
        .use_current_thread()
        .start_handler(|_| prepare())
        .build();
    if let Err(e) = pool {
        tracing::error!("computing without helper threads: {e}");
    }
    let device = shared
        .device
        .get_or_init(|| DeviceInfo::open(options.device, threads))
        .device
        .clone();
    (shared.wake)();

    let mut lanes = Lanes::default();
    let mut resources = Resources::default();
    loop {
        if lanes.sweep() {
            (shared.wake)();
        }
        let picked = lanes.pick();
        {
            let mut queue = lock(&shared.queue);
            if queue.closing {
                break;
            }
            let began = begin_waiting(&mut queue, &mut lanes);
            if !began && picked.is_none() {
                if !queue.nudged {
                    queue = shared
                        .changed
                        .wait(queue)
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                }
                queue.nudged = false;
                continue;
            }
            if began {
                continue;
            }
        }
        if let Some(at) = picked {
            lanes.step(at, &device, &mut resources);
            (shared.wake)();
        }
    }
    lanes.shut_down();
    let mut queue = lock(&shared.queue);
    for (_, task) in queue.waiting.drain(..) {
        task.control().end(Ending::Cancelled);
    }
}

/// Moves from the queue what may begin. True if something did.
fn begin_waiting(queue: &mut Queue, lanes: &mut Lanes) -> bool {
    let mut began = false;
    let mut at = 0;
    while let Some((lane, task)) = queue.waiting.get(at) {
        if task.control().cancelled() {
            let (_, task) = queue.waiting.remove(at);
            task.control().end(Ending::Cancelled);
            continue;
        }
        if matches!(lane, Lane::Interactive(key) if lanes.is_running(key)) {
            at += 1;
            continue;
        }
        let (lane, task) = queue.waiting.remove(at);
        lanes.begin(lane, task);
        began = true;
    }
    began
}

/// Runs one job to its end on a worker of its own and hands its events to `on_event`.
///
/// `on_event` returns false to cancel; it is called at least every 50 ms, with `None` when there
/// is nothing new.
///
/// # Errors
/// What the job failed with, or [`Error::Cancelled`].
pub fn run_to_end<J: Job>(
    options: WorkerOptions,
    job: J,
    mut on_event: impl FnMut(Option<Event<J::Output>>, &Run<J::Output>) -> bool,
) -> Result<()> {
    let (sender, woken) = crossbeam_channel::bounded(1);
    let wake: Wake = Arc::new(move || {
        // A full channel means that a wake is already on its way.
        let _ = sender.try_send(());
    });
    let worker = Worker::spawn(options, wake)?;
    let mut run = worker.submit(Lane::Long, "command", job);
    loop {
        match run.poll() {
            Some(Event::Ended(Ending::Finished)) => return Ok(()),
            Some(Event::Ended(Ending::Failed(e))) => return Err(e),
            Some(Event::Ended(Ending::Cancelled | Ending::Superseded)) => {
                return Err(Error::Cancelled);
            }
            Some(event) => {
                if !on_event(Some(event), &run) {
                    run.cancel();
                }
            }
            None => {
                if !on_event(None, &run) {
                    run.cancel();
                }
                // A timeout only means that nothing happened yet.
                let _ = woken.recv_timeout(Duration::from_millis(50));
            }
        }
    }
}
