//! The processor time of this process.

use std::time::Duration;

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
    {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the pointer is that of a timespec, to which the call writes and nothing else.
        let failed =
            unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) } != 0;
        if !failed
            && let (Ok(seconds), Ok(nanos)) =
                (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec))
        {
            return Duration::new(seconds, nanos);
        }
    }
    elapsed()
}

fn elapsed() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{elapsed, process_cpu_time};

    #[test]
    fn computing_takes_processor_time() {
        let (cpu, wall) = (process_cpu_time(), elapsed());
        let mut sum = 0_u64;
        let began = Instant::now();
        while process_cpu_time().saturating_sub(cpu) < Duration::from_millis(20) {
            assert!(began.elapsed() < Duration::from_mins(1), "the time stands");
            sum = (0..100_000).fold(sum, |sum, i| std::hint::black_box(sum ^ i));
        }
        assert!(elapsed() > wall, "{sum}");
    }
}
