//! What the generator learns: people whose vectors are known, cut out.
//!
//! The losses are those of pictures before backdrops that nobody has to draw: at the full size
//! every person gets a new one with every step, and for the base the mean over all backdrops is
//! worked out.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::metrics::{mean_absolute, psnr, ssim};
use super::net::{BASE, COVER, GREY, Generator, PLANES, placed};
use super::people::{Kind, People};
use crate::demos::pulse::backdrop::{Backdrops, NUMBERS};
use crate::error::{Error, Result};
use crate::nn::ops::scale_gradient;
use crate::nn::train::Objective;
use crate::rng::Rng;

/// People of whom a batch has the whole picture made.
pub const BATCH: usize = 12;
/// So many in the first steps, while the base that a picture begins with is still far from it.
const FIRST_BATCH: usize = 2;
/// One in so many steps is one of the first.
const FIRST_STEPS: u64 = 3;
/// People of whom a batch has the base made, those among them. It costs little, and what the
/// mapping network must know of people is seen most often there.
pub const BASE_BATCH: usize = 192;
/// The shares of the logarithms of squared distances, of the base and of the picture. Decibels are
/// logarithms: by them a person that is easy to draw counts as much as one that is not.
const BASE_SHARE: f64 = 0.1;
const PICTURE_SHARE: f64 = 0.05;
/// Added to a squared distance before its logarithm.
const EXACT: f64 = 1e-4;
/// What comes back from the picture to the base and to the latents. The base learns faster from its
/// own distance, to many more people, than from the picture's.
const BACK_TO_BASE: f64 = 0.1;
const BACK_TO_LATENTS: f64 = 0.3;
/// The shares of gradients at the full resolution, half and a quarter of it.
const SLOPES: [f64; 3] = [0.8, 0.6, 0.4];

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
    /// Steps of the run.
    steps: u64,
    backdrops: Backdrops,
    weights: Tensor,
    device: Device,
}

impl Faces {
    /// `first` people before the first step, `fresh` more with every one of `steps`, `most` in the
    /// end.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(
        net: Generator,
        people: People,
        held_out: People,
        ([first, fresh, most], steps): ([usize; 3], u64),
        device: &Device,
    ) -> Result<Self> {
        let (sampler, size) = (people.sampler(), net.sizes().size);
        if people.kind() != Kind::CutOut || people.size() != size {
            return Err(Error::Input(format!(
                "a generator of {size} pixels learns from people cut out of as many"
            )));
        }
        Ok(Self {
            backdrops: Backdrops::new(sampler, size, device)?,
            weights: weights(size, device)?,
            net,
            people,
            held_out,
            first,
            fresh,
            most,
            steps,
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

    fn loss_of(&self, some: &[(usize, bool)], behind: &Tensor) -> Result<Tensor> {
        let (whole, device) = (behind.dims()[0], &self.device);
        let w = self.net.map(&self.people.seen_vectors(some, device)?)?;
        let base = self.net.base(&w)?;
        let gap = (&base - self.people.seen(some, BASE, device)?)?;
        let colors = gap.narrow(1, 0, 3)?.sqr()?.sum((1, 2, 3))?;
        let cover = (gap.narrow(1, 3, 1)?.sqr()?.sum((1, 2, 3))? * f64::from(COVER * COVER))?;
        let mean = ((colors + cover)? / (3 * BASE * BASE) as f64)?;
        let of_base = logarithm(&mean)?;

        let side = self.net.sizes().size;
        let target = self.people.seen(&some[..whole], side, device)?;
        let w = scale_gradient(&w.narrow(0, 0, whole)?, BACK_TO_LATENTS)?;
        let of_whole = scale_gradient(&base.narrow(0, 0, whole)?, BACK_TO_BASE)?;
        let latents = vec![w; self.net.layers() - 1];
        let gap = (self.net.refine(&of_whole, &latents)? - target)?;
        // What is seen of the backdrop differs by what the cover does.
        let open = gap.narrow(1, PLANES - 1, 1)?;
        let behind = (behind - f64::from(GREY))?.broadcast_mul(&open)?;
        let of_picture = distance(&(gap.narrow(1, 0, 3)? - behind)?, &self.weights)?;
        Ok((of_picture + (of_base * BASE_SHARE)?)?)
    }

    /// Backdrops that are drawn from all, `[count, 3, size, size]`.
    fn behind(&self, count: usize, rng: &mut Rng) -> Result<Tensor> {
        let numbers = (0..count * NUMBERS).map(|_| rng.normal() as f32);
        let numbers = Tensor::from_vec(numbers.collect(), (count, NUMBERS), &self.device)?;
        let side = self.net.sizes().size;
        let behind = self.backdrops.made_of(&numbers)?;
        Ok(behind.reshape((count, 3, side, side))?)
    }
}

impl Objective for Faces {
    fn loss(&mut self, step: u64, rng: &mut Rng) -> Result<Tensor> {
        let known = self.known(step);
        self.people.draw(known)?;
        let some: Vec<_> = (0..BASE_BATCH)
            .map(|_| (rng.below(known), rng.below(2) == 1))
            .collect();
        let whole = if step < self.steps / FIRST_STEPS {
            FIRST_BATCH
        } else {
            BATCH
        };
        let behind = self.behind(whole, rng)?;
        self.loss_of(&some, &behind)
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
    /// Decibels of the base, before its backdrop, against the pictures shrunk to its size.
    pub base_psnr: f64,
}

/// Measures a generator with pictures of people who were drawn.
///
/// # Errors
/// When their pictures are of another size or cut out, or nobody was drawn.
pub fn evaluate(net: &Generator, people: &People, device: &Device) -> Result<Evaluation> {
    let side = net.sizes().size;
    if people.size() != side || people.kind() != Kind::Whole || people.count() == 0 {
        return Err(Error::Input(format!(
            "a generator of {side} pixels is measured with whole pictures of as many, not with {} \
             of {} pixels",
            people.count(),
            people.size()
        )));
    }
    let net = net.detached();
    let [large, small] = [side, BASE].map(|side| Backdrops::new(people.sampler(), side, device));
    let (large, small) = (large?, small?);
    let numbers: Vec<usize> = (0..people.count()).collect();
    let mut sums = [0.0; 4];
    for some in numbers.chunks(BATCH) {
        let z = people.vectors(some, device)?;
        let w = net.map(&z)?;
        let base = net.base(&w)?;
        let made = net.refine(&base, &vec![w; net.layers() - 1])?;
        let made = placed(&made, &large.of(&z)?)?;
        let base = placed(&base, &small.of(&z)?)?;
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

/// Weighted squared differences, and absolute ones of slopes at three resolutions, which keep edges
/// sharp.
fn distance(gap: &Tensor, weights: &Tensor) -> Result<Tensor> {
    let squares = gap.sqr()?.broadcast_mul(weights)?.mean((1, 2, 3))?;
    let mut loss = (logarithm(&squares)? * PICTURE_SHARE)?;
    let mut gap = gap.clone();
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

/// The mean logarithm of squared distances.
fn logarithm(squares: &Tensor) -> Result<Tensor> {
    Ok((squares + EXACT)?.log()?.mean_all()?)
}

/// Means of squares of two by two pixels.
fn halved(x: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let split = x.reshape((batch * channels, height / 2, 2, width / 2, 2))?;
    let mean = split.mean(4)?.mean(2)?;
    Ok(mean.reshape((batch, channels, height / 2, width / 2))?)
}

/// Eyes, nose and mouth count half as much again; they lie in the same place in all pictures.
fn weights(side: usize, device: &Device) -> Result<Tensor> {
    let place = |at: usize| at as f64 / (side - 1) as f64;
    let values: Vec<f32> = (0..side * side)
        .map(|at| {
            let (x, y) = (place(at % side), place(at / side));
            let off = ((x - 0.5) / 0.26).powi(4) + ((y - 0.6) / 0.22).powi(4);
            (1.0 + 0.5 * (-off).exp()) as f32
        })
        .collect();
    Ok(Tensor::from_vec(values, (1, 1, side, side), device)?)
}
