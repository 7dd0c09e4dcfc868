//! The background thread.
//!
//! All model work happens on one thread, the [`Worker`], which owns the device and the loaded
//! models. Work arrives as a [`Job`]: something that advances in steps of 5 to 200 ms. Between
//! steps the worker looks for interactive requests, for pause and for cancel, so a training run
//! and a drawing share the thread and no model ever looks at a cancel flag.
//!
//! ```text
//!  window or command line                     worker thread
//!  ----------------------                     -------------
//!  worker.submit(lane, name, job) ─ queue ──► pick: interactive before long, round robin
//!         │                                        │ step() inside catch_unwind
//!         ▼                                        ▼
//!       Run<T> ◄──── bounded channel ────────── cx.emit(output)   every one arrives, in order
//!              ◄──── one-place slot ──────────── cx.show(output)  the newest wins
//!              ◄──── shared state ────────────── cx.progress(..)
//!              ───── pause, cancel, drop ──────► seen before the next step
//! ```
//!
//! The worker wakes the window through a callback, so nothing here names egui. A full channel
//! stops its own job until the reader has caught up; it never blocks the thread.

mod device;
mod job;
mod machine;
mod progress;
mod resources;
mod schedule;
mod worker;

pub use device::{DeviceChoice, DeviceInfo};
pub use job::{Ending, Event, Flow, Job, Run, StepCx};
pub use machine::{Memory, peak_memory, processor_name};
pub use progress::Progress;
pub use resources::Resources;
pub use schedule::Lane;
pub use worker::{JobState, JobStatus, Wake, Worker, WorkerOptions, prepare_threads, run_to_end};
