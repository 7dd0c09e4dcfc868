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
            recent: VecDeque::new(),
            count: 0,
            log,
        }
    }

    /// Notes that a frame begins, and how long the processor took over the one before.
    pub fn begin(&mut self, last_cpu_secs: Option<f32>) {
        let now = Instant::now();
        self.count += 1;
        // The second frame begins when the first is on the screen.
        if self.count == 2 {
            self.first_ms = Some(self.started.elapsed().as_secs_f64() * 1e3);
        }
        if let Some(secs) = last_cpu_secs {
            self.times_ms.push_back(secs * 1e3);
            if self.times_ms.len() > KEPT {
                self.times_ms.pop_front();
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
        let mut sorted: Vec<f32> = self.times_ms.iter().copied().collect();
        sorted.sort_by(f32::total_cmp);
        let percentile = |p: f32| {
            sorted.get(((sorted.len() as f32 * p) as usize).min(sorted.len().saturating_sub(1)))
        };
        let figures = json!({
            "first_frame_ms": self.first_ms, "frames": self.count,
            "cpu_ms_p50": percentile(0.5), "cpu_ms_p99": percentile(0.99),
        });
        if let Err(e) = crate::store::atomic_write(path, figures.to_string().as_bytes()) {
            tracing::error!("{e}");
        }
    }
}
