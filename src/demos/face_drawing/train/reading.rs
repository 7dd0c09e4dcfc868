//! The second stage: people are read off codes.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::codes::Variants;
use super::gallery::Gallery;
use crate::demos::face_drawing::cast::Cast;
use crate::demos::face_drawing::fit::Fit;
use crate::demos::face_drawing::landmarks;
use crate::demos::face_drawing::manifold::Factor;
use crate::demos::face_drawing::model::Reader;
use crate::demos::face_drawing::person_net::Reading;
use crate::error::Result;
use crate::nn::ops::cross_entropy;
use crate::nn::train::Objective;
use crate::rng::Rng;

/// People in a batch, and how many of them are read as they are drawn, badly: with the landmarks
/// where the drawing has them.
const BATCH: usize = 256;
const AS_DRAWN: usize = 96;
/// Noise that codes get, in deviations.
const NOISE: f64 = 0.1;
/// What each part of the loss counts beside the vector's numbers: landmarks as they are read, those
/// that the numbers would give, and choices.
const LANDMARKS: f64 = 2.0;
const MOVED: f64 = 2.0;
const CHOICES: f64 = 0.15;

/// The reader with what it learns from.
pub struct People {
    /// The network.
    pub reader: Reader,
    /// Who is read.
    pub gallery: Gallery,
    /// Their codes.
    pub codes: Variants,
    /// Which option each person's choices are.
    pub choices: Choices,
    /// The vectors of those whose landmarks lie where rough drawings of everybody have them.
    pub drawn: Vec<f32>,
    /// The first of the people that nothing is learned from.
    pub held_out: usize,
    /// Where the weights lie.
    pub device: Device,
}

/// Everybody's hair style, the side of it, and brows.
pub struct Choices {
    hair: Vec<u32>,
    side: Vec<u32>,
    brows: Vec<u32>,
}

impl Choices {
    /// Of everybody in a gallery.
    #[must_use]
    pub fn new(gallery: &Gallery, cast: &Cast) -> Self {
        let mut choices = Self {
            hair: Vec::new(),
            side: Vec::new(),
            brows: Vec::new(),
        };
        for z in gallery.z.chunks_exact(gallery.dims) {
            let z: Vec<f64> = z.iter().map(|&value| f64::from(value)).collect();
            let [hair, side, brows] = cast.options(&z);
            choices.hair.push(hair as u32);
            choices.side.push(side as u32);
            choices.brows.push(brows as u32);
        }
        choices
    }

    fn of(from: &[u32], people: &[usize], device: &Device) -> Result<Tensor> {
        let taken: Vec<u32> = people.iter().map(|&person| from[person]).collect();
        Ok(Tensor::new(taken, device)?)
    }
}

/// What is to be read: vectors and places of landmarks.
struct Truth {
    z: Tensor,
    places: Tensor,
}

impl People {
    fn truth(&self, people: &[usize]) -> Result<Truth> {
        let (gallery, device) = (&self.gallery, &self.device);
        Ok(Truth {
            z: Gallery::rows(&gallery.z, gallery.dims, people, device)?,
            places: Gallery::rows(&gallery.landmarks, 2 * landmarks::COUNT, people, device)?,
        })
    }

    /// Differences of numbers, of the landmarks they would give, and of landmarks as they are read.
    fn errors(&self, read: &Reading, truth: &Truth) -> Result<[Tensor; 3]> {
        let spread = self.reader.landmark_spread.as_detached_tensor();
        let places = truth
            .places
            .broadcast_sub(&self.reader.landmark_mean.as_detached_tensor())?
            .broadcast_div(&spread)?;
        let off = (&read.z - &truth.z)?;
        let moved = off
            .matmul(&self.reader.slopes.as_detached_tensor().t()?)?
            .broadcast_div(&spread)?;
        Ok([off, moved, (&read.landmarks - places)?])
    }
}

impl Objective for People {
    fn loss(&mut self, _step: u64, rng: &mut Rng) -> Result<Tensor> {
        let device = self.device.clone();
        let people: Vec<usize> = (0..BATCH).map(|_| rng.below(self.held_out)).collect();
        let (meant, drawn) = people.split_at(BATCH - AS_DRAWN);
        let codes = self.codes.batch(meant, NOISE, rng, &device)?;
        let [drawn_codes, places] = self.codes.as_drawn(drawn, NOISE, rng, &device)?;
        let read = self
            .reader
            .net
            .read(&Tensor::cat(&[codes, drawn_codes], 0)?)?;
        let true_ = self.truth(meant)?;
        let z = Gallery::rows(&self.drawn, self.gallery.dims, drawn, &device)?;
        let truth = Truth {
            z: Tensor::cat(&[true_.z, z], 0)?,
            places: Tensor::cat(&[true_.places, places], 0)?,
        };
        let [off, moved, places] = self.errors(&read, &truth)?;
        let mut loss = off.sqr()?.mean_all()?;
        loss = (loss + (moved.sqr()?.mean_all()? * MOVED)?)?;
        loss = (loss + (places.sqr()?.mean_all()? * LANDMARKS)?)?;
        for (logits, truth) in [
            (&read.hair, &self.choices.hair),
            (&read.side, &self.choices.side),
            (&read.brows, &self.choices.brows),
        ] {
            let truth = Choices::of(truth, &people, &device)?;
            loss = (loss + (cross_entropy(logits, &truth, 0.0)? * CHOICES)?)?;
        }
        Ok(loss)
    }

    /// Mean distances of landmarks in pixels, as they are read and as the numbers would give them; how
    /// often hair styles and brows are right; from clean drawings of held-out people.
    fn evaluate(&mut self) -> Result<Vec<(String, f64)>> {
        let people: Vec<usize> = (self.held_out..self.gallery.count()).collect();
        let codes = self.codes.clean(&people, &self.device)?;
        let read = self.reader.net.detached().read(&codes)?;
        let [off, moved, places] = self.errors(&read, &self.truth(&people)?)?;
        let spread = self.reader.landmark_spread.as_detached_tensor();
        let pixels = |off: &Tensor| -> Result<f64> {
            let off = off.broadcast_mul(&spread)?;
            let squares = off
                .sqr()?
                .reshape((people.len(), landmarks::COUNT, 2))?
                .sum(2)?;
            Ok(f64::from(squares.sqrt()?.mean_all()?.to_scalar::<f32>()?))
        };
        let right = |logits: &Tensor, truth: &[u32]| -> Result<f64> {
            let found: Vec<u32> = logits.argmax(1)?.to_vec1()?;
            let right = found
                .iter()
                .zip(&people)
                .filter(|&(&found, &person)| found == truth[person])
                .count();
            Ok(right as f64 / people.len() as f64)
        };
        Ok(vec![
            (
                "numbers".into(),
                f64::from(off.sqr()?.mean_all()?.to_scalar::<f32>()?),
            ),
            ("landmarks".into(), pixels(&places)?),
            ("landmarks of numbers".into(), pixels(&moved)?),
            ("hair".into(), right(&read.hair, &self.choices.hair)?),
            ("brows".into(), right(&read.brows, &self.choices.brows)?),
        ])
    }
}

impl People {
    /// Settles what the reader needs to know of all people before it learns: means and deviations of
    /// landmarks, and how they move with the vectors' numbers (least squares).
    ///
    /// # Errors
    /// When there are fewer people than numbers.
    pub fn settle(
        reader: &Reader,
        gallery: &Gallery,
        held_out: usize,
        device: &Device,
    ) -> Result<()> {
        let people: Vec<usize> = (0..held_out).collect();
        let z = Gallery::rows(&gallery.z, gallery.dims, &people, device)?;
        let places = Gallery::rows(&gallery.landmarks, 2 * landmarks::COUNT, &people, device)?;
        let mean = places.mean(0)?;
        let off = places.broadcast_sub(&mean)?;
        reader.landmark_mean.set(&mean)?;
        let spread = (off.sqr()?.mean(0)?.sqrt()? + 1e-3)?;
        reader.landmark_spread.set(&spread)?;
        let slopes = slopes(&z, &off)?;
        reader.slopes.set(&slopes)?;
        Ok(())
    }

    /// How far the numbers that are read are from the true ones, for held-out people.
    ///
    /// # Errors
    /// When the device fails.
    pub fn doubt(&self) -> Result<Tensor> {
        let people: Vec<usize> = (self.held_out..self.gallery.count()).collect();
        let codes = self.codes.clean(&people, &self.device)?;
        let read = self.reader.net.detached().read(&codes)?;
        let [off, _, _] = self.errors(&read, &self.truth(&people)?)?;
        Ok(off.sqr()?.mean(0)?.sqrt()?)
    }
}

/// Everybody's vector, moved so that the landmarks lie where the rough drawing has them: who is drawn
/// there. What hair, brows and the appearance are stays.
///
/// # Errors
/// When numbers are not finite.
pub fn as_drawn(
    reader: &Reader,
    gallery: &Gallery,
    codes: &Variants,
    cast: &Cast,
) -> Result<Vec<f32>> {
    let slopes: Vec<Vec<f64>> = reader
        .slopes
        .to_vec2::<f32>()?
        .into_iter()
        .map(|row| row.into_iter().map(f64::from).collect())
        .collect();
    let fit = Fit::new(slopes.clone(), &cast.movable(&vec![1.0; gallery.dims])?)?;
    let width = 2 * landmarks::COUNT;
    let moved: Vec<Vec<f32>> = (0..gallery.count())
        .into_par_iter()
        .map(|person| {
            let dims = gallery.dims;
            let z: Vec<f64> = gallery.z[person * dims..(person + 1) * dims]
                .iter()
                .map(|&value| f64::from(value))
                .collect();
            let places = &gallery.landmarks[person * width..(person + 1) * width];
            let at = |now: &[f64]| -> Vec<[f32; 2]> {
                let along = |row: &Vec<f64>| -> f64 {
                    let off = row.iter().zip(now).zip(&z);
                    off.map(|((slope, now), z)| slope * (now - z)).sum()
                };
                let now: Vec<f32> = slopes
                    .iter()
                    .zip(places)
                    .map(|(row, place)| place + along(row) as f32)
                    .collect();
                now.as_chunks::<2>().0.to_vec()
            };
            let drawn = codes.rough_places(person).as_chunks::<2>().0.to_vec();
            let moved = fit.moved(&z, &drawn, at);
            moved.into_iter().map(|value| value as f32).collect()
        })
        .collect();
    Ok(moved.concat())
}

/// The linear map from vectors `[people, dims]`, whose numbers have mean zero, to what is centred
/// `[people, places]`: `[places, dims]`.
fn slopes(z: &Tensor, places: &Tensor) -> Result<Tensor> {
    let (people, dims) = z.dims2()?;
    let count = places.dims2()?.1;
    let square: Vec<Vec<f32>> = z.t()?.matmul(z)?.to_vec2()?;
    let with: Vec<Vec<f32>> = z.t()?.matmul(places)?.to_vec2()?;
    // A little of the identity: numbers that nobody's differ in have no slope.
    let ridge = 1e-3 * people as f64;
    let matrix: Vec<Vec<f64>> = square
        .iter()
        .enumerate()
        .map(|(row, values)| {
            let mut values: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
            values[row] += ridge;
            values
        })
        .collect();
    let factor = Factor::of(matrix)?;
    let mut slopes = Vec::with_capacity(count * dims);
    for place in 0..count {
        let right = with.iter().map(|row| f64::from(row[place])).collect();
        slopes.extend(factor.solve(right).into_iter().map(|v| v as f32));
    }
    Ok(Tensor::from_vec(slopes, (count, dims), z.device())?)
}
