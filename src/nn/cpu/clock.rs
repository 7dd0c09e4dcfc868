//! Processor time: of the whole process, and of the threads that compute.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The time that all threads of this process have spent computing, in the program and in the
/// system.
///
/// On Linux a thread that runs on another core is counted up to that core's last timer tick, some
/// milliseconds ago at most.
///
/// Where the system does not tell, the time since the first call instead, so that differences are
/// elapsed time.
#[must_use]
pub fn process_cpu_time() -> Duration {
    #[cfg(unix)]
    if let Some(time) = read(libc::CLOCK_PROCESS_CPUTIME_ID) {
        return time;
    }
    elapsed()
}

/// The time that rayon's present pool and the calling thread have spent computing, all threads
/// together. Threads that do something else, such as drawing a window, are not counted.
///
/// Every thread reads its own clock, which is exact to the moment. Where the system has no such
/// clock it is the time since the first call, times one thread.
#[must_use]
pub fn pool_cpu_time() -> Duration {
    let pool: Duration = rayon::broadcast(|_| thread_cpu_time()).into_iter().sum();
    if rayon::current_thread_index().is_some() {
        pool
    } else {
        pool + thread_cpu_time()
    }
}

/// The time that the calling thread has spent computing, in the program and in the system.
fn thread_cpu_time() -> Duration {
    #[cfg(unix)]
    if let Some(time) = read(libc::CLOCK_THREAD_CPUTIME_ID) {
        return time;
    }
    // Only one thread's, so that two threads do not count one second twice.
    if rayon::current_thread_index().unwrap_or(0) == 0 {
        elapsed()
    } else {
        Duration::ZERO
    }
}

/// What one of the system's clocks shows, if it has it.
#[cfg(unix)]
fn read(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is that of a timespec, to which the call writes and nothing else.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut time) } != 0;
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanos = u32::try_from(time.tv_nsec).ok()?;
    (!failed).then(|| Duration::new(seconds, nanos))
}

fn elapsed() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::time::{Duration, Instant};

    use super::{elapsed, pool_cpu_time, process_cpu_time, thread_cpu_time};

    #[test]
    fn computing_takes_processor_time() {
        let (cpu, wall) = (process_cpu_time(), elapsed());
        let mut sum = 0_u64;
        let began = Instant::now();
        while process_cpu_time().saturating_sub(cpu) < Duration::from_millis(20) {
            assert!(began.elapsed() < Duration::from_mins(1), "the time stands");
            sum = (0..100_000).fold(sum, |sum, i| black_box(sum ^ i));
        }
        assert!(elapsed() > wall, "{sum}");
    }

    #[test]
    fn computing_counts_and_sleeping_does_not() {
        let start = thread_cpu_time();
        std::thread::sleep(Duration::from_millis(60));
        let asleep = thread_cpu_time().saturating_sub(start);
        assert!(
            asleep < Duration::from_millis(40),
            "{asleep:?} while asleep"
        );
        let began = Instant::now();
        let mut sum = 0_u64;
        while thread_cpu_time().saturating_sub(start) < Duration::from_millis(20) {
            assert!(began.elapsed() < Duration::from_mins(1), "the time stands");
            sum = (0..100_000).fold(sum, |sum, i| black_box(sum ^ i));
        }
        assert!(
            began.elapsed() >= Duration::from_millis(15).saturating_sub(asleep),
            "{sum}"
        );
    }

    #[test]
    fn work_on_the_pool_is_counted() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build();
        pool.expect("two threads").install(|| {
            let start = pool_cpu_time();
            let began = Instant::now();
            while pool_cpu_time().saturating_sub(start) < Duration::from_millis(20) {
                assert!(began.elapsed() < Duration::from_mins(1), "the time stands");
                rayon::join(
                    || (0..100_000_u64).fold(0, |sum, i| black_box(sum ^ i)),
                    || (0..100_000_u64).fold(1, |sum, i| black_box(sum ^ i)),
                );
            }
        });
    }
}
