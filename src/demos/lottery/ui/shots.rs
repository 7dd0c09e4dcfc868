//! Moments of a net, kept to be gone back to: a bounded number, thinned out as it grows.

use std::sync::Arc;

use super::super::record::Shot;

/// Moments kept at most.
const MOST: usize = 64;
/// And at most as many bytes, whatever the size of the net.
const MOST_BYTES: usize = 128 << 20;

/// The moments of one run, oldest first.
#[derive(Default)]
pub struct Shots {
    run: Option<u64>,
    kept: Vec<Arc<Shot>>,
    /// The moment looked at; the latest if not given.
    at: Option<usize>,
}

impl Shots {
    /// Keeps those of this run from now on, and forgets those of another.
    pub fn begin(&mut self, run: u64) {
        if self.run != Some(run) {
            *self = Self {
                run: Some(run),
                ..Self::default()
            };
        }
    }

    /// Keeps a moment of the run.
    pub fn add(&mut self, shot: Arc<Shot>) {
        let most = (MOST_BYTES / bytes(&shot).max(1)).clamp(4, MOST);
        self.kept.push(shot);
        if self.kept.len() > most {
            self.thin();
        }
    }

    /// Forgets every second moment; the first and the last stay.
    fn thin(&mut self) {
        let looked_at = self.at.and_then(|at| self.kept.get(at)).cloned();
        let last = self.kept.len() - 1;
        let mut number = 0;
        self.kept.retain(|_| {
            let keep = number % 2 == 0 || number == last;
            number += 1;
            keep
        });
        // The nearest one that is left, so that the picture does not jump to the end.
        self.at = looked_at.map(|shot| {
            let after = |s: &Arc<Shot>| (s.stage, s.step) > (shot.stage, shot.step);
            let next = self.kept.iter().position(after);
            next.unwrap_or(self.kept.len()).saturating_sub(1)
        });
    }

    /// The moments of this run.
    pub fn of(&self, run: u64) -> &[Arc<Shot>] {
        if self.run == Some(run) {
            &self.kept
        } else {
            &[]
        }
    }

    /// The moment looked at.
    pub fn shown(&self, run: u64) -> Option<&Arc<Shot>> {
        let kept = self.of(run);
        self.at.and_then(|at| kept.get(at)).or(kept.last())
    }

    /// The number of the moment looked at.
    pub fn place(&self) -> usize {
        let last = self.kept.len().saturating_sub(1);
        self.at.unwrap_or(last).min(last)
    }

    /// Looks at a moment; at the last one, also at those that come after it.
    pub fn look_at(&mut self, place: usize) {
        self.at = (place + 1 < self.kept.len()).then_some(place);
    }
}

fn bytes(shot: &Shot) -> usize {
    shot.layers
        .iter()
        .map(|l| l.weights.len() * 4 + l.mask.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{MOST, Shots};
    use crate::demos::lottery::record::{LayerShot, Shot};

    fn shot(step: u64, weights: usize) -> Arc<Shot> {
        Arc::new(Shot {
            stage: 0,
            step,
            layers: vec![LayerShot {
                rows: 1,
                cols: weights,
                weights: vec![0.5; weights],
                mask: vec![true; weights],
            }],
        })
    }

    #[test]
    fn a_long_run_keeps_its_beginning_and_its_end() {
        let mut shots = Shots::default();
        shots.begin(7);
        for step in 0..1000 {
            shots.add(shot(step, 4));
            let kept = shots.of(7);
            assert!(kept.len() <= MOST);
            assert_eq!((kept[0].step, kept[kept.len() - 1].step), (0, step));
            assert!(kept.windows(2).all(|w| w[0].step < w[1].step));
        }
        assert!(shots.of(8).is_empty(), "another run's are not shown");
    }

    #[test]
    fn the_picture_stays_while_older_ones_are_forgotten() {
        let mut shots = Shots::default();
        shots.begin(0);
        for step in 0..40 {
            shots.add(shot(step, 4));
        }
        shots.look_at(20);
        for step in 40..400 {
            shots.add(shot(step, 4));
            let shown = shots.shown(0).expect("a shot").step;
            assert!((0..=20).contains(&shown), "{shown}");
        }
        shots.look_at(shots.of(0).len() - 1);
        shots.add(shot(400, 4));
        assert_eq!(shots.shown(0).map(|s| s.step), Some(400));
    }

    #[test]
    fn large_nets_keep_fewer() {
        let mut shots = Shots::default();
        shots.begin(0);
        for step in 0..30 {
            shots.add(shot(step, 3_000_000));
        }
        assert!(
            (4..=9).contains(&shots.of(0).len()),
            "{}",
            shots.of(0).len()
        );
    }
}
