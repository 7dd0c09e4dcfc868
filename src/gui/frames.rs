//! How long frames take, measured.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

/// Frames the percentiles are taken over.
const KEPT: usize = 2000;

/// Frame times, for the status bar and, where `VITRINE_FRAME_LOG` names a file, for measuring.
pub(super) struct Frames {
    started: Instant,
    first_ms: Option<f64>,
    times_ms: VecDeque<f32>,
    /// The same, only while a job ran.
    busy_ms: VecDeque<f32>,
    recent: VecDeque<Instant>,
    count: u64,
    log: Option<PathBuf>,
}

impl Frames {
    pub fn new(started: Instant) -> Self {
        let log = std::env::var_os("VITRINE_FRAME_LOG").map(PathBuf::from);
        Self {
            started,
            first_ms: None,
            times_ms: VecDeque::new(),
            busy_ms: VecDeque::new(),
            recent: VecDeque::new(),
            count: 0,
            log,
        }
    }

    /// Notes that a frame begins, and how long the processor took over the one before;
    /// `busy` while a job runs.
    pub fn begin(&mut self, last_cpu_secs: Option<f32>, busy: bool) {
        let now = Instant::now();
        self.count += 1;
        // The second frame begins when the first is on the screen.
        if self.count == 2 {
            self.first_ms = Some(self.started.elapsed().as_secs_f64() * 1e3);
        }
        if let Some(ms) = last_cpu_secs.map(|secs| secs * 1e3) {
            keep(&mut self.times_ms, ms);
            if busy {
                keep(&mut self.busy_ms, ms);
            }
        }
        self.recent.push_back(now);
        while self
            .recent
            .front()
            .is_some_and(|t| now.duration_since(*t).as_secs_f32() > 1.0)
        {
            self.recent.pop_front();
        }
    }

    /// Frames in the last second.
    pub fn per_second(&self) -> usize {
        self.recent.len()
    }

    /// The processor's time for the last frame.
    pub fn last_ms(&self) -> Option<f32> {
        self.times_ms.back().copied()
    }

    /// Writes the figures where the environment asks for them.
    pub fn write_log(&self) {
        let Some(path) = &self.log else { return };
        let figures = json!({
            "first_frame_ms": self.first_ms, "frames": self.count,
            "cpu_ms_p50": percentile(&self.times_ms, 0.5), "cpu_ms_p99": percentile(&self.times_ms, 0.99),
            "busy_frames": self.busy_ms.len(),
            "busy_cpu_ms_p50": percentile(&self.busy_ms, 0.5), "busy_cpu_ms_p99": percentile(&self.busy_ms, 0.99),
        });
        if let Err(e) = crate::store::atomic_write(path, figures.to_string().as_bytes()) {
            tracing::error!("{e}");
        }
    }
}

fn keep(times: &mut VecDeque<f32>, ms: f32) {
    times.push_back(ms);
    if times.len() > KEPT {
        times.pop_front();
    }
}

/// The smallest time that at least this share of the frames stays within.
fn percentile(times: &VecDeque<f32>, share: f32) -> Option<f32> {
    let mut sorted: Vec<f32> = times.iter().copied().collect();
    sorted.sort_by(f32::total_cmp);
    let at = (sorted.len() as f32 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::percentile;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let times: VecDeque<f32> = (1..=100_u8).rev().map(f32::from).collect();
        assert_eq!(percentile(&times, 0.5), Some(50.0));
        assert_eq!(percentile(&times, 0.99), Some(99.0));
        assert_eq!(percentile(&VecDeque::new(), 0.5), None);
    }
}
