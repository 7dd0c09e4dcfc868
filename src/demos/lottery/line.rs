//! The straight line between the weights of two trained nets, measured on the test pictures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dense::{plain, restored};
use super::images::{Evaluation, Images, Part};
use super::model::{PlainNet, Trainable as _};
use super::record::{Extras, Interpolation, Stage};
use super::work::{Bench, News, Outcome, Work};
use crate::error::{Error, Result};
use crate::nn::{Params, Snapshot};

/// Places that are measured, both ends among them.
const PLACES: usize = 21;

/// The measurement, place by place.
pub struct Line {
    ends: [Snapshot; 2],
    params: Params,
    model: Box<PlainNet>,
    images: Arc<Images>,
    found: Interpolation,
    open: Option<Evaluation>,
}

impl Line {
    /// Between the ends of two trainings of one net with one mask.
    ///
    /// # Errors
    /// When they are not of this net.
    pub fn new(bench: &Bench, rewind: u64, a: &Outcome, b: &Outcome) -> Result<Self> {
        let masks = a.masks(&bench.spec)?;
        if masks != b.masks(&bench.spec)? {
            return Err(Error::Input("siblings have the same mask".into()));
        }
        let ends = [a.snapshot("weight")?, b.snapshot("weight")?];
        let (params, net) = restored(bench, &ends[0], &masks)?;
        let remaining = a
            .stage
            .as_ref()
            .map_or(1.0, |stage| stage.weights_remaining);
        Ok(Self {
            ends,
            params,
            model: plain(net, bench),
            images: Arc::clone(&bench.images),
            found: Interpolation {
                weights_remaining: remaining,
                rewind,
                error: Vec::new(),
            },
            open: None,
        })
    }

    /// Puts the net to a place between the ends.
    fn go_to(&self, place: f64) -> Result<()> {
        let between = |(name, a): (&String, &Vec<f32>)| {
            let b = self.ends[1].get(name)?;
            let share = place as f32;
            let mix = a.iter().zip(b).map(|(a, b)| (1.0 - share) * a + share * b);
            Some((name.clone(), mix.collect()))
        };
        self.params
            .restore(&self.ends[0].iter().filter_map(between).collect())
    }
}

impl Work for Line {
    fn stage(&self) -> Option<Stage> {
        None
    }

    fn advance(&mut self, time: Duration, extras: &mut Extras) -> Result<News> {
        let until = Instant::now() + time;
        while self.found.error.len() < PLACES && Instant::now() < until {
            let place = self.found.error.len() as f64 / (PLACES - 1) as f64;
            let mut open = if let Some(open) = self.open.take() {
                open
            } else {
                self.go_to(place)?;
                Evaluation::new(Part::Test, self.model.spec())
            };
            match open.advance(self.model.as_mut(), &self.images)? {
                Some(score) => self.found.error.push((place, 1.0 - score.accuracy)),
                None => self.open = Some(open),
            }
        }
        let done = self.found.error.len() == PLACES;
        if done {
            extras.interpolations.push(self.found.clone());
        }
        Ok(News {
            points: Vec::new(),
            done,
        })
    }

    fn progress(&self) -> (u64, u64, &'static str) {
        (self.found.error.len() as u64, PLACES as u64, "places")
    }

    fn finish(self: Box<Self>) -> Result<Outcome> {
        Ok(Outcome::default())
    }
}
