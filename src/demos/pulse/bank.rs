//! A bank of 20,000 people and the nearest of them: an honest reference for the search.
//!
//! Nobody is searched for here: people are drawn as the prior has them, shrunk, and compared. What a
//! perfect search over a generator of exactly these people would answer is the nearest of them. The
//! bank is rendered once, in minutes, and kept in the user's folder; it says which kit it is of.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::answer::{Face, Group, Studio};
use super::pixels::{Pixels, shrink};
use super::prior::Prior;
use super::upscale::Models;
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};
use crate::human::Sampler;
use crate::rng::Rng;
use crate::store::atomic_write;

/// People in the bank.
pub const PEOPLE: u64 = 20_000;
/// Pixels in a side of a kept person; smaller pictures are compared shrunk further.
pub const SIDE: usize = 16;
/// People that are rendered in a step.
const CHUNK: u64 = 48;
/// Draws that say how often a prior has each group.
const PRIOR_DRAWS: u64 = 20_000;
/// Bytes of a person.
const BYTES: usize = 3 * SIDE * SIDE;
/// Bytes before the people: what the bank is of.
const HEAD: usize = 32;

/// People as small pixels; who a person is follows from the number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bank {
    pixels: Vec<u8>,
}

/// What a bank is of: another kit or another sampler has other people.
fn mark(sampler: &Sampler) -> [u8; HEAD] {
    let mut hash = Sha256::new();
    hash.update(b"vitrine pulse bank 1");
    for name in sampler.names() {
        hash.update(name.as_bytes());
    }
    // Numbers of some people, so that a changed transform is noticed as well.
    for number in 0..4 {
        let portrait = sampler.portrait(&vector(sampler, number));
        hash.update(serde_json::to_vec(&portrait).unwrap_or_default());
    }
    hash.finalize().into()
}

/// Which of the first people make a bank that has each group as often as a prior does: people of the
/// others are left out by chance. Within a group people are as they were.
#[must_use]
pub fn reweighted(people: u64, sampler: &Sampler, prior: Prior, rng: &Rng) -> Vec<u64> {
    let group = |z: &[f64]| Group::of(sampler.portrait(z).person.origin) as usize;
    let count = |groups: &[usize]| -> [f64; Group::ALL.len()] {
        let mut counts = [0.0; Group::ALL.len()];
        for &group in groups {
            counts[group] += 1.0 / groups.len() as f64;
        }
        counts
    };
    let (draws, chance) = (rng.split("draws"), rng.split("chance"));
    let wanted: Vec<usize> = (0..PRIOR_DRAWS)
        .into_par_iter()
        .map(|number| group(&prior.draw(sampler, &mut draws.split(&number.to_string()))))
        .collect();
    let there: Vec<usize> = (0..people)
        .into_par_iter()
        .map(|number| group(&vector(sampler, number)))
        .collect();
    let (wanted, have) = (count(&wanted), count(&there));
    let ratio = |group: usize| wanted[group] / have[group].max(1e-12);
    let most = (0..have.len()).map(ratio).fold(1e-12, f64::max);
    (0..people)
        .zip(there)
        .filter(|(number, group)| {
            chance.split(&number.to_string()).uniform() < ratio(*group) / most
        })
        .map(|(number, _)| number)
        .collect()
}

/// The vector of a person of the bank.
#[must_use]
pub fn vector(sampler: &Sampler, number: u64) -> Vec<f64> {
    let rng = Rng::new(0).split("bank");
    Prior::default().draw(sampler, &mut rng.split(&number.to_string()))
}

impl Bank {
    /// How many people there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        (self.pixels.len() / BYTES) as u64
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Adds the next people.
    ///
    /// # Errors
    /// Never for a studio that draws.
    pub fn grow(&mut self, studio: &Studio, count: u64) -> Result<()> {
        let start = self.len();
        let people: Vec<Vec<u8>> = (start..start + count)
            .into_par_iter()
            .map(|number| {
                let low = studio.low(&vector(studio.sampler(), number), SIDE)?;
                Ok(low.to_rgb().into_iter().flatten().collect())
            })
            .collect::<Result<_>>()?;
        self.pixels.extend(people.into_iter().flatten());
        Ok(())
    }

    /// The worker's bank, or the one in a file as far as it is there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_worker<T>(
        cx: &mut StepCx<'_, T>,
        file: &Path,
        sampler: &Sampler,
    ) -> Result<Box<Self>> {
        match cx.resources().take::<Self>() {
            Some(bank) => Ok(bank),
            None => Ok(Box::new(Self::load(file, sampler)?.unwrap_or_default())),
        }
    }

    /// Renders the next people of a bank that is not whole, and stores it once it is. True when it is.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn advance(&mut self, studio: &Studio, file: &Path) -> Result<bool> {
        if self.len() == PEOPLE {
            return Ok(true);
        }
        self.grow(studio, CHUNK.min(PEOPLE - self.len()))?;
        if self.len() == PEOPLE {
            self.save(file, studio.sampler())?;
        }
        Ok(false)
    }

    /// The numbers and mean squared errors of the people nearest to a small picture, nearest first.
    ///
    /// # Errors
    /// When the picture has more pixels than the bank.
    pub fn nearest(&self, low: &Pixels, count: usize) -> Result<Vec<(u64, f64)>> {
        if low.side > SIDE {
            return Err(Error::Input(format!(
                "the bank's people have {SIDE} pixels in a side, the picture has {}",
                low.side
            )));
        }
        let mut errors: Vec<(u64, f64)> = self
            .pixels
            .par_chunks_exact(BYTES)
            .enumerate()
            .map(|(number, person)| (number as u64, error(person, low)))
            .collect();
        errors.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        errors.truncate(count);
        Ok(errors)
    }

    /// The numbers of those nearest to a small picture among some of the people, nearest first.
    ///
    /// # Errors
    /// When the picture has more pixels than the bank.
    pub fn nearest_among(&self, low: &Pixels, count: usize, among: &[u64]) -> Result<Vec<u64>> {
        // In the order of their numbers, as `reweighted` has them.
        let mut all = self.nearest(low, usize::MAX)?;
        all.retain(|(number, _)| among.binary_search(number).is_ok());
        all.truncate(count);
        Ok(all.into_iter().map(|(number, _)| number).collect())
    }

    /// The bank in a file; `None` where there is none, or one of other people.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn load(path: &Path, sampler: &Sampler) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(path).map_err(Error::io("cannot read the bank", path))?;
        let whole = bytes.len() == HEAD + BYTES * PEOPLE as usize;
        let ours = bytes.get(..HEAD) == Some(&mark(sampler)[..]);
        Ok((whole && ours).then(|| Self {
            pixels: bytes[HEAD..].to_vec(),
        }))
    }

    fn save(&self, path: &Path, sampler: &Sampler) -> Result<()> {
        let mut bytes = mark(sampler).to_vec();
        bytes.extend(&self.pixels);
        atomic_write(path, &bytes)
    }
}

/// The mean squared error of a kept person, rows of pixels of three bytes, at the picture's side.
fn error(person: &[u8], low: &Pixels) -> f64 {
    let count = low.side * low.side;
    let sum: f64 = (0..3)
        .map(|channel| {
            let plane: Vec<f32> = person
                .iter()
                .skip(channel)
                .step_by(3)
                .map(|&value| f32::from(value) / 255.0)
                .collect();
            let small = shrink(&plane, SIDE, low.side);
            let wanted = &low.planes[channel * count..(channel + 1) * count];
            small
                .iter()
                .zip(wanted)
                .map(|(a, b)| f64::from(a - b).powi(2))
                .sum::<f64>()
        })
        .sum();
    sum / (3 * count) as f64
}

/// Where the bank is kept in the user's data folder.
#[must_use]
pub fn file(data: &Path) -> PathBuf {
    data.join("pulse").join("bank-16.bin")
}

/// What is heard of the reference.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// So many people are rendered.
    Rendered(u64),
    /// The nearest people, drawn, with their errors.
    Nearest(Vec<(Face, f64)>),
}

/// Finds the nearest people; renders the bank before, where it is not there yet.
pub struct NearestJob {
    /// The small picture.
    pub low: Pixels,
    /// How many.
    pub count: usize,
    /// Pixels in a side of the drawn people.
    pub size: usize,
    /// Where the bank is kept.
    pub file: PathBuf,
}

impl Job for NearestJob {
    type Output = Reference;

    fn step(&mut self, cx: &mut StepCx<'_, Reference>) -> Result<Flow> {
        let models = Models::of_worker(cx)?;
        let mut bank = Bank::of_worker(cx, &self.file, &models.sampler)?;
        let flow = self.advance(&models, &mut bank, cx);
        // A bank that is not whole yet stays too: what was rendered is not lost by a cancel.
        cx.resources().put(bank);
        cx.resources().put(models);
        flow
    }
}

impl NearestJob {
    fn advance(
        &self,
        models: &Models,
        bank: &mut Bank,
        cx: &mut StepCx<'_, Reference>,
    ) -> Result<Flow> {
        let studio = models.studio();
        if !bank.advance(&studio, &self.file)? {
            cx.progress(bank.len(), Some(PEOPLE), "people");
            cx.show(Reference::Rendered(bank.len()));
            return Ok(Flow::Continue);
        }
        let nearest = bank.nearest(&self.low, self.count)?;
        let faces = nearest
            .into_iter()
            .map(|(number, error)| {
                let z = vector(&models.sampler, number);
                (studio.face(&z, self.size), error)
            })
            .collect();
        cx.emit(Reference::Nearest(faces));
        Ok(Flow::Finished)
    }
}
