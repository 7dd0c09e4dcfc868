//! What the generator learns: the pictures of people whose vectors are known.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::metrics::{mean_absolute, psnr, ssim};
use super::net::{BASE, Generator};
use super::people::People;
use crate::error::{Error, Result};
use crate::nn::ops::scale_gradient;
use crate::nn::train::Objective;
use crate::rng::Rng;

/// People of whom a batch has the whole picture made.
pub const BATCH: usize = 16;
/// People of whom a batch has the base made, those among them. It costs little, and what the
/// mapping network must know of people is seen most often there.
pub const BASE_BATCH: usize = 96;
/// The base's share of the loss; it is counted in squares, whose mean is small.
const BASE_SHARE: f64 = 30.0;
/// What comes back from the picture to the base and to the latents. The base learns faster from its
/// own distance, to many more people, than from the picture's.
const BACK_TO_BASE: f64 = 0.1;
const BACK_TO_LATENTS: f64 = 0.3;
/// The shares of gradients at the full resolution, half and a quarter of it.
const SLOPES: [f64; 3] = [1.0, 0.7, 0.5];

/// A generator with the people it learns from.
pub struct Faces {
    /// The generator.
    pub net: Generator,
    /// Those it learns from.
    pub people: People,
    /// Those it is measured with.
    pub held_out: People,
    /// People there are before the first step.
    first: usize,
    /// People who come to them with every step.
    fresh: usize,
    /// People there are at most.
    most: usize,
    weights: Tensor,
    device: Device,
}

impl Faces {
    /// `first` people before the first step, `fresh` more with every step, `most` in the end.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(
        net: Generator,
        people: People,
        held_out: People,
        [first, fresh, most]: [usize; 3],
        device: &Device,
    ) -> Result<Self> {
        Ok(Self {
            weights: weights(net.sizes().size, device)?,
            net,
            people,
            held_out,
            first,
            fresh,
            most,
            device: device.clone(),
        })
    }

    /// How many people batches are drawn from in this step.
    fn known(&self, step: u64) -> usize {
        let come = usize::try_from(step)
            .unwrap_or(usize::MAX)
            .saturating_mul(self.fresh);
        self.first
            .saturating_add(come)
            .min(self.most.max(self.first))
    }

    fn loss_of(&self, numbers: &[usize]) -> Result<Tensor> {
        let (whole, device) = (BATCH.min(numbers.len()), &self.device);
        let w = self.net.map(&self.people.vectors(numbers, device)?)?;
        let base = self.net.base(&w)?;
        let small = self.people.pictures(numbers, BASE, device)?;
        let of_base = (&base - small)?.sqr()?.mean_all()?;

        let side = self.net.sizes().size;
        let target = self.people.pictures(&numbers[..whole], side, device)?;
        let w = scale_gradient(&w.narrow(0, 0, whole)?, BACK_TO_LATENTS)?;
        let of_whole = scale_gradient(&base.narrow(0, 0, whole)?, BACK_TO_BASE)?;
        let latents = vec![w; self.net.layers() - 1];
        let made = self.net.refine(&of_whole, &latents)?;
        let of_picture = distance(&made, &target, &self.weights)?;
        Ok((of_picture + (of_base * BASE_SHARE)?)?)
    }
}

impl Objective for Faces {
    fn loss(&mut self, step: u64, rng: &mut Rng) -> Result<Tensor> {
        let known = self.known(step);
        self.people.draw(known)?;
        let numbers: Vec<usize> = (0..BASE_BATCH).map(|_| rng.below(known)).collect();
        self.loss_of(&numbers)
    }

    fn evaluate(&mut self) -> Result<Vec<(String, f64)>> {
        let found = evaluate(&self.net, &self.held_out, &self.device)?;
        Ok([
            ("psnr", found.psnr),
            ("ssim", found.ssim),
            ("l1", found.l1),
            ("base_psnr", found.base_psnr),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec())
    }
}

/// Means over people.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// How many people.
    pub people: usize,
    /// Decibels.
    pub psnr: f64,
    /// Structural similarity.
    pub ssim: f64,
    /// Absolute difference, of numbers from 0 to 1.
    pub l1: f64,
    /// Decibels of the base against the pictures shrunk to its size.
    pub base_psnr: f64,
}

/// Measures a generator with people who were drawn.
///
/// # Errors
/// When their pictures are of another size, or nobody was drawn.
pub fn evaluate(net: &Generator, people: &People, device: &Device) -> Result<Evaluation> {
    let side = net.sizes().size;
    if people.size() != side || people.count() == 0 {
        return Err(Error::Input(format!(
            "a generator of {side} pixels is measured with {} people of {} pixels",
            people.count(),
            people.size()
        )));
    }
    let net = net.detached();
    let numbers: Vec<usize> = (0..people.count()).collect();
    let mut sums = [0.0; 4];
    for some in numbers.chunks(BATCH) {
        let w = net.map(&people.vectors(some, device)?)?;
        let base = net.base(&w)?;
        let made = net.refine(&base, &vec![w; net.layers() - 1])?;
        let pairs = [(made, side), (base, BASE)].map(|(made, side)| {
            let made = made.clamp(0.0, 1.0)?.flatten_from(1)?.to_vec2::<f32>()?;
            let truth = people.pictures(some, side, device)?.flatten_from(1)?;
            Ok::<_, Error>(made.into_iter().zip(truth.to_vec2::<f32>()?))
        });
        let [whole, base] = pairs;
        for (made, truth) in whole? {
            sums[0] += psnr(&made, &truth);
            sums[1] += ssim(&made, &truth, side);
            sums[2] += mean_absolute(&made, &truth);
        }
        for (made, truth) in base? {
            sums[3] += psnr(&made, &truth);
        }
    }
    let [psnr, ssim, l1, base_psnr] = sums.map(|sum| sum / numbers.len() as f64);
    Ok(Evaluation {
        people: numbers.len(),
        psnr,
        ssim,
        l1,
        base_psnr,
    })
}

/// Weighted absolute differences, and those of slopes at three resolutions, which keep edges sharp.
fn distance(made: &Tensor, target: &Tensor, weights: &Tensor) -> Result<Tensor> {
    let mut gap = (made - target)?;
    let mut loss = gap.abs()?.broadcast_mul(weights)?.mean_all()?;
    for (at, share) in SLOPES.into_iter().enumerate() {
        // The slopes' difference is the difference's slope.
        for dim in [2, 3] {
            let length = gap.dims()[dim] - 1;
            let slope = (gap.narrow(dim, 1, length)? - gap.narrow(dim, 0, length)?)?;
            loss = (loss + (slope.abs()?.mean_all()? * share)?)?;
        }
        if at + 1 < SLOPES.len() {
            gap = halved(&gap)?;
        }
    }
    Ok(loss)
}

/// Means of squares of two by two pixels.
fn halved(x: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let split = x.reshape((batch * channels, height / 2, 2, width / 2, 2))?;
    let mean = split.mean(4)?.mean(2)?;
    Ok(mean.reshape((batch, channels, height / 2, width / 2))?)
}

/// Eyes, nose and mouth count two and a half times; they lie in the same place in all pictures.
fn weights(side: usize, device: &Device) -> Result<Tensor> {
    let place = |at: usize| at as f64 / (side - 1) as f64;
    let values: Vec<f32> = (0..side * side)
        .map(|at| {
            let (x, y) = (place(at % side), place(at / side));
            let off = ((x - 0.5) / 0.26).powi(4) + ((y - 0.6) / 0.22).powi(4);
            (1.0 + 1.5 * (-off).exp()) as f32
        })
        .collect();
    Ok(Tensor::from_vec(values, (1, 1, side, side), device)?)
}
