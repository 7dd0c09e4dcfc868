//! How far a job is, how fast it goes and how long it will take.

use std::time::{Duration, Instant};

use serde::Serialize;

/// A job's progress, as it last reported it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all, where the job knows.
    pub total: Option<u64>,
    /// What is counted, in the plural: `tokens`, `steps`.
    pub unit: &'static str,
    /// Units a second, once there are two reports to tell it from.
    pub rate: Option<f64>,
    /// Time to go at that rate, in seconds.
    pub eta_secs: Option<f64>,
}

impl Progress {
    /// The share done, in `[0, 1]`, where the total is known.
    #[must_use]
    pub fn fraction(&self) -> Option<f32> {
        self.total
            .filter(|&t| t > 0)
            .map(|t| (self.done as f32 / t as f32).min(1.0))
    }
}

/// Estimates the rate with an exponential average whose memory grows with the number of reports.
///
/// A fixed smoothing would let the first report, which includes warming up, dominate the first
/// estimates; here the second report already counts for more than the first.
#[derive(Debug, Default)]
pub(super) struct Meter {
    last: Option<(Instant, u64)>,
    reports: u32,
    rate: Option<f64>,
}

impl Meter {
    /// The longest memory: a report keeps 95 % of the old estimate.
    const MAX_SMOOTHING: f64 = 0.95;
    /// Reports until the memory is longest.
    const WARM_UP: f64 = 20.0;

    /// Takes a report and returns the progress to show.
    pub fn report(
        &mut self,
        now: Instant,
        done: u64,
        total: Option<u64>,
        unit: &'static str,
    ) -> Progress {
        if let Some((then, before)) = self.last {
            let secs = now.saturating_duration_since(then).as_secs_f64();
            if done > before && secs > 0.0 {
                let rate = (done - before) as f64 / secs;
                let smoothing =
                    (f64::from(self.reports) / Self::WARM_UP).min(1.0) * Self::MAX_SMOOTHING;
                self.rate = Some(
                    self.rate
                        .map_or(rate, |old| old * smoothing + rate * (1.0 - smoothing)),
                );
                self.reports += 1;
                self.last = Some((now, done));
            } else if done < before {
                // A new phase counts from zero again.
                *self = Self {
                    last: Some((now, done)),
                    ..Self::default()
                };
            }
        } else {
            self.last = Some((now, done));
        }
        let eta_secs = match (self.rate, total) {
            (Some(rate), Some(total)) if rate > 0.0 => {
                Some(total.saturating_sub(done) as f64 / rate)
            }
            _ => None,
        };
        Progress {
            done,
            total,
            unit,
            rate: self.rate,
            eta_secs,
        }
    }

    /// Leaves a pause out of the rate.
    pub fn skip(&mut self, pause: Duration) {
        if let Some((then, _)) = &mut self.last {
            *then += pause;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Meter;

    #[test]
    fn a_steady_job_has_a_steady_rate_and_eta() {
        let start = Instant::now();
        let mut meter = Meter::default();
        assert_eq!(meter.report(start, 0, Some(100), "steps").rate, None);
        let progress = (1..=50).map(|i| {
            meter.report(
                start + Duration::from_millis(100 * i),
                i,
                Some(100),
                "steps",
            )
        });
        let last = progress.last().expect("fifty reports");
        assert!((last.rate.expect("a rate") - 10.0).abs() < 1e-6, "{last:?}");
        assert!(
            (last.eta_secs.expect("an estimate") - 5.0).abs() < 1e-6,
            "{last:?}"
        );
    }

    #[test]
    fn a_slow_first_step_is_forgotten_soon() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.report(start, 0, None, "steps");
        meter.report(start + Duration::from_secs(5), 1, None, "steps");
        let rate = (1..=5)
            .map(|i| {
                meter
                    .report(
                        start + Duration::from_millis(5000 + 100 * i),
                        1 + i,
                        None,
                        "steps",
                    )
                    .rate
            })
            .last()
            .flatten()
            .expect("a rate");
        assert!((rate - 10.0).abs() < 0.5, "{rate}");
    }

    #[test]
    fn a_pause_does_not_slow_the_rate() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.report(start, 0, None, "steps");
        meter.report(start + Duration::from_secs(1), 10, None, "steps");
        meter.skip(Duration::from_mins(1));
        let rate = meter
            .report(start + Duration::from_secs(62), 20, None, "steps")
            .rate
            .expect("a rate");
        assert!((rate - 10.0).abs() < 1e-6, "{rate}");
    }
}
