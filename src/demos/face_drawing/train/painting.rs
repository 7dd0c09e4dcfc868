//! The third stage: the painter learns faces from codes.

use candle_core::{Device, Tensor};

use super::codes::Variants;
use super::gallery::Gallery;
use crate::data::area::shrink;
use crate::demos::face_drawing::appearance;
use crate::demos::face_drawing::model::Codec;
use crate::demos::face_drawing::painter::{Painter, SMALL};
use crate::demos::face_drawing::parts::SIDE;
use crate::error::Result;
use crate::nn::ops::{scale_gradient, slopes};
use crate::nn::train::Objective;
use crate::rng::Rng;

/// People of a batch whose faces are painted, and whose small pictures are made, those among them.
/// The small picture costs little.
const BATCH: usize = 8;
const SMALL_BATCH: usize = 64;
/// One of so many is painted as a rough drawing has them, faults and all.
const AS_DRAWN: usize = 4;
/// Noise that codes get, in deviations.
const NOISE: f64 = 0.1;
/// The small picture's share of the loss; it is counted in squares, whose mean is small.
const SMALL_SHARE: f64 = 30.0;
/// What comes back from the face to the small picture and to the latent.
const BACK: f64 = 0.2;
/// The shares of gradients at the full resolution, half and a quarter of it.
const SLOPES: [f64; 3] = [1.0, 0.7, 0.5];

/// The painter with what it learns from.
pub struct Painting {
    /// The network.
    pub painter: Painter,
    /// What codes decode to.
    pub codec: Codec,
    /// Who is painted.
    pub gallery: Gallery,
    /// Their codes.
    pub codes: Variants,
    /// Where the appearance lies in a vector.
    pub places: Vec<usize>,
    /// The first of the people that nothing is learned from, of those with pictures.
    pub held_out: usize,
    /// Where the weights lie.
    pub device: Device,
}

impl Painting {
    fn appearances(&self, people: &[usize]) -> Result<Tensor> {
        let dims = self.gallery.dims;
        let values: Vec<f32> = people
            .iter()
            .flat_map(|&person| self.places.iter().map(move |&at| person * dims + at))
            .map(|at| self.gallery.z[at])
            .collect();
        let shape = (people.len(), appearance::COUNT);
        Ok(Tensor::from_vec(values, shape, &self.device)?)
    }

    /// The codes of these people, the last of them as they are drawn.
    fn mixed(&self, people: &[usize], rng: &mut Rng) -> Result<Tensor> {
        let (meant, drawn) = people.split_at(people.len() - people.len() / AS_DRAWN);
        let meant = self.codes.batch(meant, NOISE, rng, &self.device)?;
        let [drawn, _] = self.codes.as_drawn(drawn, NOISE, rng, &self.device)?;
        Ok(Tensor::cat(&[meant, drawn], 0)?)
    }

    /// The pictures of these people, the last of them as they are drawn.
    fn truth(&self, people: &[usize], side: usize) -> Result<Tensor> {
        let (meant, drawn) = people.split_at(people.len() - people.len() / AS_DRAWN);
        let meant = self.gallery.pictures(meant, side, &self.device)?;
        let mut values = Vec::with_capacity(drawn.len() * 3 * side * side);
        for &person in drawn {
            let planes = self.codes.warp(person).planes(self.gallery.picture(person));
            for plane in planes.chunks_exact(SIDE * SIDE) {
                values.extend(shrink(plane, SIDE, side));
            }
        }
        let drawn = Tensor::from_vec(values, (drawn.len(), 3, side, side), &self.device)?;
        Ok(Tensor::cat(&[meant, drawn], 0)?)
    }
}

impl Objective for Painting {
    fn loss(&mut self, _step: u64, rng: &mut Rng) -> Result<Tensor> {
        let people: Vec<usize> = (0..SMALL_BATCH).map(|_| rng.below(self.held_out)).collect();
        let (painted, others) = people.split_at(BATCH);
        let codes = Tensor::cat(&[self.mixed(painted, rng)?, self.mixed(others, rng)?], 0)?;
        let latent = self.painter.latent(&codes, &self.appearances(&people)?)?;
        let small = self.painter.small(&latent)?;
        let truth = Tensor::cat(
            &[self.truth(painted, SMALL)?, self.truth(others, SMALL)?],
            0,
        )?;
        let of_small = (&small - truth)?.sqr()?.mean_all()?;

        let truth = self.truth(painted, SIDE)?;
        let codes = codes.narrow(0, 0, BATCH)?;
        let ink = self.codec.decode(&codes)?;
        let latent = scale_gradient(&latent.narrow(0, 0, BATCH)?, BACK)?;
        let small = scale_gradient(&small.narrow(0, 0, BATCH)?, BACK)?;
        let made = self.painter.paint(&codes, &ink, &latent, &small)?;
        let gap = (made - truth)?;
        let loss = (gap.abs()?.mean_all()? + slopes(&gap, &SLOPES)?)?;
        Ok((loss + (of_small * SMALL_SHARE)?)?)
    }

    /// Decibels and mean absolute difference, from clean drawings of held-out people.
    fn evaluate(&mut self) -> Result<Vec<(String, f64)>> {
        let people: Vec<usize> = (self.held_out..self.gallery.pictured()).take(64).collect();
        let painter = self.painter.detached();
        let (mut decibels, mut absolute) = (0.0, 0.0);
        for some in people.chunks(BATCH) {
            let codes = self.codes.clean(some, &self.device)?;
            let latent = painter.latent(&codes, &self.appearances(some)?)?;
            let small = painter.small(&latent)?;
            let made = painter
                .paint(&codes, &self.codec.decode(&codes)?, &latent, &small)?
                .clamp(0.0, 1.0)?;
            let gap = (made - self.gallery.pictures(some, SIDE, &self.device)?)?.flatten_from(1)?;
            let squares = gap.sqr()?.mean(1)?.to_vec1::<f32>()?;
            decibels -= squares
                .iter()
                .map(|s| 10.0 * f64::from(*s).log10())
                .sum::<f64>();
            absolute += f64::from(gap.abs()?.mean(1)?.sum_all()?.to_scalar::<f32>()?);
        }
        let count = people.len().max(1) as f64;
        Ok(vec![
            ("psnr".into(), decibels / count),
            ("l1".into(), absolute / count),
        ])
    }
}
