//! Everybody's codes, of several drawings each, made once between the stages.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::gallery::{Gallery, Hand, ink};
use super::warp::Warp;
use crate::demos::face_drawing::bank::Bank;
use crate::demos::face_drawing::engine::Refinement;
use crate::demos::face_drawing::filter::Filter;
use crate::demos::face_drawing::landmarks;
use crate::demos::face_drawing::model::Codec;
use crate::demos::face_drawing::parts::{CODES, SCALE, ranges};
use crate::error::Result;
use crate::rng::Rng;

/// The random stream of the rough drawings that are learned as they are, too.
const ROUGH: &str = "rough";
/// Drawings encoded at once.
const CHUNK: usize = 64;

/// Codes of drawings, one person's after another.
pub struct Variants {
    /// Of each person drawn with a pen, cleanly.
    clean: Vec<f32>,
    /// Of other drawings: steady ones as they are, steady and rough ones moved onto the manifold.
    others: Vec<Vec<f32>>,
    /// Of rough drawings as they are.
    rough: Vec<f32>,
    /// Where the landmarks lie in these, pixels.
    rough_places: Vec<f32>,
    /// How these move what they are drawn after.
    warps: Vec<Warp>,
}

/// The codes of drawings.
fn encoded(
    codec: &Codec,
    count: usize,
    device: &Device,
    draw: impl Fn(usize) -> Vec<f32> + Sync,
) -> Result<Vec<f32>> {
    let mut codes = Vec::with_capacity(count * CODES);
    for from in (0..count).step_by(CHUNK) {
        let inks: Vec<Vec<f32>> = (from..(from + CHUNK).min(count))
            .into_par_iter()
            .map(&draw)
            .collect();
        let some = codec.encode(&Codec::cut(&inks, device)?)?;
        codes.extend(some.flatten_all()?.to_vec1::<f32>()?);
    }
    Ok(codes)
}

impl Variants {
    /// Makes the codes' numbers alike wide, and then everybody's codes, with a bank of the first
    /// `banked` people.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(
        codec: &Codec,
        gallery: &Gallery,
        banked: usize,
        device: &Device,
        rng: &Rng,
    ) -> Result<(Self, Bank)> {
        let count = gallery.count();
        let codec = codec.detached();
        let raw = encoded(&codec, count, device, |person| {
            ink(&gallery.portrait(person))
        })?;
        codec.standardise(&Tensor::from_slice(&raw, (count, CODES), device)?)?;
        let clean = encoded(&codec, count, device, |person| {
            ink(&gallery.portrait(person))
        })?;
        let stream = |name: &str, person: usize| rng.split(name).split(&person.to_string());
        let drawings = |name: &str, hand: Hand| {
            encoded(&codec, count, device, |person| {
                ink(&gallery.drawing(person, hand, &mut stream(name, person)))
            })
        };
        let steady = drawings("steady", Hand::Steady)?;
        let [rough, rougher] = [ROUGH, "rougher"].map(|name| drawings(name, Hand::Rough));
        let (rough, rougher) = (rough?, rougher?);
        let (rough_places, warps): (Vec<Vec<f32>>, Vec<Warp>) = (0..count)
            .into_par_iter()
            .map(|person| {
                let mut places = gallery.places(person);
                places.extend(Warp::places());
                let mut rng = stream(ROUGH, person);
                let (_, moved) = gallery.drawing_with(person, Hand::Rough, &places, &mut rng);
                let (landmarks, grid) = moved.split_at(landmarks::COUNT);
                let pixels = landmarks.as_flattened().iter().map(|v| v / SCALE as f32);
                (pixels.collect(), Warp::new(grid))
            })
            .unzip();
        let filter = Filter::of_pairs(&[&rough, &rougher], &clean)?;
        let bank = Bank::new(&clean[..banked.min(count) * CODES]).with_filter(filter);
        let others = vec![
            projected(&bank, &steady)?,
            projected(&bank, &rough)?,
            projected(&bank, &rougher)?,
            steady,
        ];
        let codes = Self {
            clean,
            others,
            rough,
            rough_places: rough_places.concat(),
            warps,
        };
        Ok((codes, bank))
    }

    /// Rough drawings of these people as they are, with noise of this deviation, and where the
    /// landmarks lie in them.
    ///
    /// # Errors
    /// When the device fails.
    pub fn as_drawn(
        &self,
        people: &[usize],
        noise: f64,
        rng: &mut Rng,
        device: &Device,
    ) -> Result<[Tensor; 2]> {
        let noise: Vec<f32> = (0..people.len() * CODES)
            .map(|_| (noise * rng.normal()) as f32)
            .collect();
        let noise = Tensor::from_vec(noise, (people.len(), CODES), device)?;
        let codes = Gallery::rows(&self.rough, CODES, people, device)?;
        let width = 2 * landmarks::COUNT;
        let places = Gallery::rows(&self.rough_places, width, people, device)?;
        Ok([(codes + noise)?, places])
    }

    /// How a person's rough drawing moves what it is drawn after.
    #[must_use]
    pub fn warp(&self, person: usize) -> &Warp {
        &self.warps[person]
    }

    /// Where a person's landmarks lie in their rough drawing, pixels.
    #[must_use]
    pub fn rough_places(&self, person: usize) -> &[f32] {
        let width = 2 * landmarks::COUNT;
        &self.rough_places[person * width..(person + 1) * width]
    }

    /// A drawing of each of these people, at random, with noise of this deviation.
    ///
    /// # Errors
    /// When the device fails.
    pub fn batch(
        &self,
        people: &[usize],
        noise: f64,
        rng: &mut Rng,
        device: &Device,
    ) -> Result<Tensor> {
        let mut values = Vec::with_capacity(people.len() * CODES);
        for &person in people {
            let of = match rng.below(self.others.len() + 1) {
                0 => &self.clean,
                other => &self.others[other - 1],
            };
            let row = &of[person * CODES..(person + 1) * CODES];
            values.extend(
                row.iter()
                    .map(|value| value + (noise * rng.normal()) as f32),
            );
        }
        Ok(Tensor::from_vec(values, (people.len(), CODES), device)?)
    }

    /// The clean drawings of these people.
    ///
    /// # Errors
    /// When the device fails.
    pub fn clean(&self, people: &[usize], device: &Device) -> Result<Tensor> {
        Gallery::rows(&self.clean, CODES, people, device)
    }
}

/// Everybody's codes moved onto the manifold, of which nobody is part who is moved.
fn projected(bank: &Bank, codes: &[f32]) -> Result<Vec<f32>> {
    let neighbours = Refinement::default().neighbours;
    let rows: Vec<Vec<f32>> = codes
        .par_chunks_exact(CODES)
        .enumerate()
        .map(|(person, code)| {
            let mut moved = code.to_vec();
            for (part, range) in ranges().into_iter().enumerate() {
                let near = bank.project(part, &code[range.clone()], neighbours, Some(person))?;
                moved[range].copy_from_slice(&near.projected);
            }
            Ok(moved)
        })
        .collect::<Result<_>>()?;
    Ok(rows.concat())
}
