//! Which samples make up each training step.
//!
//! Every epoch visits every sample once, in an order of its own that follows from the seed and the
//! epoch's number alone. So the number of the next step is all that a checkpoint has to keep.

use crate::rng::Rng;

/// The index batches of training steps, epoch after epoch, without end.
///
/// The last batch of an epoch is shorter where the batch size does not divide the number of
/// samples.
#[derive(Clone, Debug)]
pub struct Batches {
    rng: Rng,
    batch: usize,
    /// The next step to be taken.
    step: u64,
    /// A permutation of all samples, that of `shuffled` once there was a step.
    order: Vec<u32>,
    shuffled: Option<u64>,
}

impl Batches {
    /// Batches of `batch` out of `len` samples, ordered by what `rng` splits into.
    ///
    /// # Panics
    /// When there is no sample or more than `u32::MAX`, or a batch has none.
    #[must_use]
    pub fn new(len: usize, batch: usize, rng: &Rng) -> Self {
        assert!(len > 0 && batch > 0, "{len} samples in batches of {batch}");
        let end = u32::try_from(len).expect("fewer samples than u32::MAX");
        Self {
            // What was drawn from `rng` before has no part in it.
            rng: rng.split("batches"),
            batch,
            step: 0,
            order: (0..end).collect(),
            shuffled: None,
        }
    }

    /// The samples of the next step.
    pub fn next_batch(&mut self) -> &[u32] {
        let epoch = self.epoch();
        if self.shuffled != Some(epoch) {
            self.shuffle(epoch);
        }
        // Less than the number of samples.
        let start = (self.step % self.steps_per_epoch()) as usize * self.batch;
        let end = (start + self.batch).min(self.order.len());
        self.step = self.step.wrapping_add(1);
        &self.order[start..end]
    }

    /// The number of the next step, counted from 0 over all epochs; for a checkpoint.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Goes to a step, be it before or after the present one. Nothing in between is computed.
    pub fn seek(&mut self, step: u64) {
        self.step = step;
    }

    /// The epoch that the next step belongs to, counted from 0.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.step / self.steps_per_epoch()
    }

    /// The number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.order.len()
    }

    /// Samples of a step; the last one of an epoch may have fewer.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.batch
    }

    /// The number of steps that visit every sample once.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        self.order.len().div_ceil(self.batch) as u64
    }

    /// Puts `order` into that of an epoch, whatever it was.
    fn shuffle(&mut self, epoch: u64) {
        let mut rng = self.rng.split(&format!("epoch {epoch}"));
        for (index, sample) in (0..).zip(&mut self.order) {
            *sample = index;
        }
        shuffle(&mut self.order, &mut rng);
        self.shuffled = Some(epoch);
    }
}

/// Every order equally likely (Fisher and Yates, as Durstenfeld wrote it).
pub fn shuffle(items: &mut [u32], rng: &mut Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.below(last + 1));
    }
}
