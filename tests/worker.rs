//! The worker survives bad jobs, cancels within a step and keeps only the newest request.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vitrine::compute::{
    Ending, Event, Flow, Job, JobState, Lane, Run, StepCx, Worker, WorkerOptions,
};
use vitrine::{Error, Result};

type StepFn = dyn FnMut(usize, &mut StepCx<'_, usize>) -> Result<Flow> + Send;

/// A job made of a closure, which is told how many steps went before.
struct Steps {
    done: usize,
    step: Box<StepFn>,
    stored: Arc<AtomicUsize>,
}

impl Steps {
    fn new(
        step: impl FnMut(usize, &mut StepCx<'_, usize>) -> Result<Flow> + Send + 'static,
    ) -> Self {
        Self {
            done: 0,
            step: Box::new(step),
            stored: Arc::default(),
        }
    }
}

impl Job for Steps {
    type Output = usize;

    fn step(&mut self, cx: &mut StepCx<'_, usize>) -> Result<Flow> {
        self.done += 1;
        (self.step)(self.done - 1, cx)
    }

    fn checkpoint(&mut self) -> Result<()> {
        self.stored.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

fn worker() -> Worker {
    let options = WorkerOptions {
        threads: Some(2),
        ..WorkerOptions::default()
    };
    Worker::spawn(options, Arc::new(|| {})).expect("a thread")
}

/// Reads a run to its end: the outputs and how it ended.
fn drain(run: &mut Run<usize>) -> (Vec<usize>, Ending) {
    let started = Instant::now();
    let mut outputs = Vec::new();
    loop {
        match run.poll() {
            Some(Event::Output(value)) => outputs.push(value),
            Some(Event::Warning(_)) => {}
            Some(Event::Ended(ending)) => return (outputs, ending),
            None => {
                assert!(
                    started.elapsed() < Duration::from_secs(20),
                    "no end after {outputs:?}"
                );
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    }
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "timed out: {what}"
        );
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn a_good_job_completes_after_a_panic_a_failure_and_beside_an_endless_one() {
    let worker = worker();
    let mut panics = worker.submit(
        Lane::Long,
        "panics",
        Steps::new(|_, _| panic!("boom {}", 7)),
    );
    let mut fails = worker.submit(
        Lane::Long,
        "fails",
        Steps::new(|_, _| Err(Error::Input("no such prompt".into()))),
    );
    let endless = || {
        Steps::new(|_, _| {
            std::thread::sleep(Duration::from_millis(1));
            Ok(Flow::Continue)
        })
    };
    let long = worker.submit(Lane::Long, "endless", endless());
    let interactive = worker.submit(Lane::Interactive("endless"), "endless", endless());
    let mut good = worker.submit(
        Lane::Long,
        "good",
        Steps::new(|done, cx| {
            cx.emit(done);
            Ok(if done == 4 {
                Flow::Finished
            } else {
                Flow::Continue
            })
        }),
    );

    let (_, ending) = drain(&mut panics);
    assert!(
        matches!(&ending, Ending::Failed(Error::Panic(text)) if text == "boom 7"),
        "{ending:?}"
    );
    let (_, ending) = drain(&mut fails);
    assert!(matches!(&ending, Ending::Failed(Error::Input(text)) if text == "no such prompt"));
    let (outputs, ending) = drain(&mut good);
    assert_eq!(outputs, [0, 1, 2, 3, 4]);
    assert!(matches!(ending, Ending::Finished), "{ending:?}");
    assert_eq!(worker.jobs().len(), 2, "the endless ones still run");
    drop((long, interactive));
}

#[test]
fn cancel_takes_effect_within_one_step_a_hundred_times() {
    let worker = worker();
    for round in 0..100 {
        let steps = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&steps);
        let mut run = worker.submit(
            Lane::Long,
            "cancelled",
            Steps::new(move |_, _| {
                counted.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_micros(500));
                Ok(Flow::Continue)
            }),
        );
        wait_until("first step", || steps.load(Ordering::SeqCst) > round % 5);
        run.cancel();
        let at_cancel = steps.load(Ordering::SeqCst);
        let (_, ending) = drain(&mut run);
        assert!(matches!(ending, Ending::Cancelled), "{ending:?}");
        // The step that was being taken, or had just been chosen, may finish; no other begins.
        let after = steps.load(Ordering::SeqCst);
        assert!(
            after <= at_cancel + 1,
            "round {round}: {at_cancel} steps, then {after}"
        );
    }
    assert!(worker.jobs().is_empty(), "nothing is left");
}

#[test]
fn five_hundred_requests_in_a_second_leave_one_running_and_one_waiting() {
    let worker = worker();
    let begun = Arc::new(Mutex::new(Vec::new()));
    let mut runs = Vec::new();
    let started = Instant::now();
    for request in 0..500 {
        let begun = Arc::clone(&begun);
        runs.push(worker.submit(
            Lane::Interactive("canvas"),
            "draw",
            Steps::new(move |_, cx| {
                begun.lock().expect("not poisoned").push(request);
                std::thread::sleep(Duration::from_millis(5));
                cx.show(request);
                Ok(Flow::Finished)
            }),
        ));
        assert!(
            worker.jobs().len() <= 2,
            "request {request}: {:?}",
            worker.jobs()
        );
        if let Some(rest) = Duration::from_millis(2 * request as u64).checked_sub(started.elapsed())
        {
            std::thread::sleep(rest);
        }
    }
    let (outputs, ending) = drain(runs.last_mut().expect("five hundred"));
    assert_eq!(outputs, [499], "the last is always shown");
    assert!(matches!(ending, Ending::Finished));
    let mut superseded = 0;
    for run in &mut runs[..499] {
        match drain(run) {
            (outputs, Ending::Superseded) => {
                assert!(outputs.is_empty());
                superseded += 1;
            }
            (outputs, Ending::Finished) => assert_eq!(outputs.len(), 1),
            (_, ending) => panic!("{ending:?}"),
        }
    }
    let begun = begun.lock().expect("not poisoned");
    assert_eq!(begun.len() + superseded, 500);
    assert!(
        begun.is_sorted(),
        "an older request began after a newer one"
    );
}

#[test]
fn a_reader_that_stops_reading_holds_its_job_and_loses_nothing() {
    let worker = worker();
    let mut slow = worker.submit(
        Lane::Long,
        "slow reader",
        Steps::new(|done, cx| {
            for part in 0..100 {
                cx.emit(done * 100 + part);
            }
            Ok(if done == 19 {
                Flow::Finished
            } else {
                Flow::Continue
            })
        }),
    );
    let mut other = worker.submit(Lane::Long, "other", Steps::new(|_, _| Ok(Flow::Finished)));
    drain(&mut other);
    std::thread::sleep(Duration::from_millis(30));
    let (outputs, ending) = drain(&mut slow);
    assert_eq!(outputs, (0..2000).collect::<Vec<_>>());
    assert!(matches!(ending, Ending::Finished));
}

#[test]
fn a_paused_job_stands_still_is_stored_and_goes_on() {
    let worker = worker();
    let steps = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&steps);
    let mut job = Steps::new(move |done, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(1));
        Ok(if done == 40 {
            Flow::Finished
        } else {
            Flow::Continue
        })
    });
    job.stored = Arc::default();
    let stored = Arc::clone(&job.stored);
    let mut run = worker.submit(Lane::Long, "paused", job);
    wait_until("a step", || steps.load(Ordering::SeqCst) > 2);
    run.set_paused(true);
    wait_until("the store", || stored.load(Ordering::SeqCst) == 1);
    let held = steps.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(steps.load(Ordering::SeqCst), held, "no step while paused");
    assert_eq!(worker.jobs()[0].state, JobState::Paused);
    run.set_paused(false);
    let (_, ending) = drain(&mut run);
    assert!(matches!(ending, Ending::Finished));
    assert_eq!(steps.load(Ordering::SeqCst), 41);
}

#[test]
fn an_interactive_job_does_not_starve_a_long_one() {
    let worker = worker();
    let busy = worker.submit(
        Lane::Interactive("busy"),
        "busy",
        Steps::new(|_, _| {
            std::thread::sleep(Duration::from_millis(1));
            Ok(Flow::Continue)
        }),
    );
    let mut long = worker.submit(
        Lane::Long,
        "long",
        Steps::new(|done, _| {
            Ok(if done == 9 {
                Flow::Finished
            } else {
                Flow::Continue
            })
        }),
    );
    let (_, ending) = drain(&mut long);
    assert!(matches!(ending, Ending::Finished));
    drop(busy);
}

#[test]
fn what_a_job_leaves_is_found_by_the_next_unless_a_panic_was_using_it() {
    let worker = worker();
    let put = Steps::new(|_, cx| {
        cx.resources().put(Box::new(41_u8));
        Ok(Flow::Finished)
    });
    drain(&mut worker.submit(Lane::Long, "put", put));
    let look = || {
        Steps::new(|_, cx| {
            let kept = cx.resources().take::<u8>();
            cx.emit(kept.as_ref().map_or(0, |v| usize::from(**v)));
            if let Some(kept) = kept {
                cx.resources().put(kept);
            }
            Ok(Flow::Finished)
        })
    };
    assert_eq!(
        drain(&mut worker.submit(Lane::Long, "look", look())).0,
        [41]
    );
    let spoil = Steps::new(|_, cx| {
        let _half_changed = cx.resources().take::<u8>();
        panic!("in the middle")
    });
    drain(&mut worker.submit(Lane::Long, "spoil", spoil));
    assert_eq!(drain(&mut worker.submit(Lane::Long, "look", look())).0, [0]);
}

#[test]
fn closing_stores_and_ends_what_runs() {
    let worker = worker();
    let job = Steps::new(|_, _| {
        std::thread::sleep(Duration::from_millis(1));
        Ok(Flow::Continue)
    });
    let stored = Arc::clone(&job.stored);
    let mut run = worker.submit(Lane::Long, "running", job);
    wait_until("a step", || run.has_started());
    drop(worker);
    assert_eq!(stored.load(Ordering::SeqCst), 1);
    assert!(matches!(drain(&mut run).1, Ending::Cancelled));
}
