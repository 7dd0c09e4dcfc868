//! Everybody's codes, of several drawings each, made once between the stages.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::gallery::{Gallery, Hand, ink};
use crate::demos::face_drawing::bank::Bank;
use crate::demos::face_drawing::model::Codec;
use crate::demos::face_drawing::parts::{CODES, ranges};
use crate::error::Result;
use crate::rng::Rng;

/// Neighbours that rough drawings are projected with in training.
const NEIGHBOURS: usize = 12;
/// Drawings encoded at once.
const CHUNK: usize = 64;

/// Codes of drawings, one person's after another.
pub struct Variants {
    /// Of each person drawn with a pen, cleanly.
    clean: Vec<f32>,
    /// Of other drawings: steady ones as they are, rough ones moved onto the manifold.
    others: Vec<Vec<f32>>,
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
        let bank = Bank::new(&clean[..banked.min(count) * CODES]);
        let mut others = Vec::new();
        for (name, hand) in [
            ("steady", Hand::Steady),
            ("rough", Hand::Rough),
            ("rougher", Hand::Rough),
        ] {
            let rng = rng.split(name);
            let codes = encoded(&codec, count, device, |person| {
                let mut rng = rng.split(&person.to_string());
                ink(&gallery.drawing(person, hand, &mut rng))
            })?;
            others.push(if hand == Hand::Steady {
                codes
            } else {
                projected(&bank, &codes)?
            });
        }
        Ok((Self { clean, others }, bank))
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
    let rows: Vec<Vec<f32>> = codes
        .par_chunks_exact(CODES)
        .enumerate()
        .map(|(person, code)| {
            let mut moved = code.to_vec();
            for (part, range) in ranges().into_iter().enumerate() {
                let near = bank.project(part, &code[range.clone()], NEIGHBOURS, Some(person))?;
                moved[range].copy_from_slice(&near.projected);
            }
            Ok(moved)
        })
        .collect::<Result<_>>()?;
    Ok(rows.concat())
}
