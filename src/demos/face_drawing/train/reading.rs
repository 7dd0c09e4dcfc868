//! The second stage: people are read off codes.

use candle_core::{Device, Tensor};

use super::codes::Variants;
use super::gallery::Gallery;
use crate::demos::face_drawing::cast::Cast;
use crate::demos::face_drawing::landmarks;
use crate::demos::face_drawing::manifold::Factor;
use crate::demos::face_drawing::model::Reader;
use crate::demos::face_drawing::person_net::Reading;
use crate::error::Result;
use crate::nn::ops::cross_entropy;
use crate::nn::train::Objective;
use crate::rng::Rng;

/// People in a batch.
const BATCH: usize = 256;
/// Noise that codes get, in deviations.
const NOISE: f64 = 0.15;
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

impl People {
    fn errors(&self, read: &Reading, people: &[usize]) -> Result<[Tensor; 3]> {
        let device = &self.device;
        let gallery = &self.gallery;
        let z = Gallery::rows(&gallery.z, gallery.dims, people, device)?;
        let places = Gallery::rows(&gallery.landmarks, 2 * landmarks::COUNT, people, device)?;
        let spread = self.reader.landmark_spread.as_detached_tensor();
        let places = places
            .broadcast_sub(&self.reader.landmark_mean.as_detached_tensor())?
            .broadcast_div(&spread)?;
        let off = (&read.z - z)?;
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
        let codes = self.codes.batch(&people, NOISE, rng, &device)?;
        let read = self.reader.net.read(&codes)?;
        let [off, moved, places] = self.errors(&read, &people)?;
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
        let [off, moved, places] = self.errors(&read, &people)?;
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
        let [off, _, _] = self.errors(&read, &people)?;
        Ok(off.sqr()?.mean(0)?.sqrt()?)
    }
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
