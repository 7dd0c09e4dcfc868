//! Which samples a step sees.

use crate::error::{Error, Result};
use crate::rng::Rng;

/// Batches of a data set, every epoch in a new order.
///
/// The batch of a step follows from the seed and the step alone, so a resumed run sees the same
/// ones without anything being stored.
#[derive(Clone, Debug)]
pub struct Batches {
    batch: usize,
    rng: Rng,
    /// The order of the samples in this epoch.
    order: Vec<u32>,
    epoch: Option<u64>,
}

impl Batches {
    /// Batches of `batch` of `count` samples. Those that fill no batch wait for another epoch.
    ///
    /// # Errors
    /// When there are fewer samples than a batch has, no batch, or more than 2^32 samples.
    pub fn new(count: usize, batch: usize, rng: &Rng) -> Result<Self> {
        let end = u32::try_from(count)
            .ok()
            .filter(|_| (1..=count).contains(&batch));
        let end = end.ok_or_else(|| {
            Error::Input(format!(
                "no batches of {batch} can be made of {count} samples"
            ))
        })?;
        Ok(Self {
            batch,
            rng: rng.clone(),
            order: (0..end).collect(),
            epoch: None,
        })
    }

    /// Steps in an epoch.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        (self.order.len() / self.batch) as u64
    }

    /// The numbers of the samples of a step, which counts from 0.
    pub fn of_step(&mut self, step: u64) -> &[u32] {
        let epoch = step / self.steps_per_epoch();
        if self.epoch != Some(epoch) {
            self.shuffle(epoch);
        }
        let within = (step % self.steps_per_epoch()) as usize;
        &self.order[within * self.batch..][..self.batch]
    }

    /// Fisher and Yates's shuffle, from the numbers in order, so that an epoch does not depend on
    /// the one before.
    fn shuffle(&mut self, epoch: u64) {
        let mut rng = self.rng.split(&format!("epoch {epoch}"));
        for (number, at) in (0..).zip(&mut self.order) {
            *at = number;
        }
        for last in (1..self.order.len()).rev() {
            self.order.swap(last, rng.below(last + 1));
        }
        self.epoch = Some(epoch);
    }
}

#[cfg(test)]
mod tests {
    use super::Batches;
    use crate::rng::Rng;

    fn epoch(batches: &mut Batches, number: u64) -> Vec<u32> {
        let steps = number * batches.steps_per_epoch()..(number + 1) * batches.steps_per_epoch();
        steps
            .flat_map(|step| batches.of_step(step).to_vec())
            .collect()
    }

    #[test]
    fn an_epoch_has_every_sample_once_and_the_next_another_order() {
        let mut batches = Batches::new(1000, 8, &Rng::new(1)).expect("batches");
        let orders = [0, 1, 2].map(|number| epoch(&mut batches, number));
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..1000).collect::<Vec<u32>>());
        }
        assert_ne!(orders[0], orders[1]);
        assert_ne!(orders[1], orders[2]);
        // No sample keeps to a place: the mean of the first hundred is near the middle.
        let mean = orders[0][..100].iter().sum::<u32>() / 100;
        assert!((400..600).contains(&mean), "{mean}");
    }

    #[test]
    fn a_step_has_the_same_batch_whatever_came_before() {
        let mut batches = Batches::new(103, 10, &Rng::new(1)).expect("batches");
        assert_eq!(batches.steps_per_epoch(), 10);
        let all: Vec<Vec<u32>> = (0..35).map(|step| batches.of_step(step).to_vec()).collect();
        for step in [34, 3, 12, 11, 0] {
            let mut fresh = batches.clone();
            assert_eq!(fresh.of_step(step as u64), all[step]);
            let mut fresh = Batches::new(103, 10, &Rng::new(1)).expect("batches");
            assert_eq!(fresh.of_step(step as u64), all[step]);
        }
    }

    #[test]
    fn what_makes_no_batch_is_refused() {
        for (count, batch) in [(0, 0), (0, 1), (5, 0), (5, 6)] {
            assert!(Batches::new(count, batch, &Rng::new(1)).is_err());
        }
    }
}
