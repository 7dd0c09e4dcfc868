//! People to learn from: who they are, what they look like, and the lines to draw them by.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use crate::demos::face_drawing::cast::Cast;
use crate::demos::face_drawing::drawing::{Drawing, Ink};
use crate::demos::face_drawing::landmarks;
use crate::demos::face_drawing::lines::Line;
use crate::demos::face_drawing::parts::{SCALE, SIDE};
use crate::demos::face_drawing::style::{Roughness, Style};
use crate::error::Result;
use crate::rng::Rng;

/// How drawings that networks learn from are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// As it is, in any style.
    Steady,
    /// Badly, as with a mouse or worse, in any style.
    Rough,
    /// Steady or rough.
    Any,
}

/// The width that all strokes have in what an autoencoder gives back, canvas units.
const WIDTH: f32 = 4.5;

/// People, in the order of their numbers.
#[derive(Default)]
pub struct Gallery {
    /// Numbers in a vector.
    pub dims: usize,
    /// Vectors, one after another.
    pub z: Vec<f32>,
    /// Places of landmarks, pixels, one person's after another.
    pub landmarks: Vec<f32>,
    /// Pictures, rows from the top, of as many of the first people as were asked for.
    pub color: Vec<u8>,
    pub(super) lines: Vec<Vec<Line>>,
}

impl Gallery {
    /// How many people.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// Of how many there are pictures.
    #[must_use]
    pub fn pictured(&self) -> usize {
        self.color.len() / (3 * SIDE * SIDE)
    }

    /// Draws people with the next numbers, until there are so many.
    pub fn extend(&mut self, cast: &Cast, people: &Rng, count: usize, pictured: usize) {
        let wardrobe = cast.wardrobe();
        let subjects: Vec<_> = (self.count()..count)
            .into_par_iter()
            .map(|number| cast.subject(&wardrobe, cast.vector(people, number)))
            .collect();
        self.dims = cast.sampler().dims();
        for subject in subjects {
            self.z.extend(subject.z.iter().map(|&value| value as f32));
            self.landmarks.extend(subject.landmarks.as_flattened());
            if self.count() < pictured {
                self.color.extend(subject.color.as_flattened());
            }
            self.lines.push(subject.lines);
        }
    }

    /// A person's drawing.
    #[must_use]
    pub fn drawing(&self, person: usize, hand: Hand, rng: &mut Rng) -> Drawing {
        self.drawing_with(person, hand, &[], rng).0
    }

    /// A person's drawing, with where places of the true picture come to lie in it; canvas units.
    #[must_use]
    pub fn drawing_with(
        &self,
        person: usize,
        hand: Hand,
        places: &[[f32; 2]],
        rng: &mut Rng,
    ) -> (Drawing, Vec<[f32; 2]>) {
        let style = Style::ALL[rng.below(Style::ALL.len())];
        let clean = style.draw(&self.lines[person]);
        let is_rough = match hand {
            Hand::Steady => false,
            Hand::Rough => true,
            Hand::Any => rng.uniform() < 0.6,
        };
        let roughness = if is_rough {
            rough_hand(rng)
        } else {
            Roughness::STEADY
        };
        roughness.redraw_with(&clean, places, rng)
    }

    /// Where a person's landmarks lie, canvas units.
    #[must_use]
    pub fn places(&self, person: usize) -> Vec<[f32; 2]> {
        let width = 2 * landmarks::COUNT;
        self.landmarks[person * width..(person + 1) * width]
            .as_chunks::<2>()
            .0
            .iter()
            .map(|place| place.map(|v| v * SCALE as f32))
            .collect()
    }

    /// A clean drawing with a pen, by which a person is known in the bank.
    #[must_use]
    pub fn portrait(&self, person: usize) -> Drawing {
        Style::Pen.draw(&self.lines[person])
    }

    /// A person's picture, pixel by pixel.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn picture(&self, person: usize) -> &[u8] {
        &self.color[person * 3 * SIDE * SIDE..(person + 1) * 3 * SIDE * SIDE]
    }

    /// Pictures of some people, `[people, 3, side, side]`, sRGB from 0 to 1.
    ///
    /// # Errors
    /// When the device fails.
    ///
    /// # Panics
    /// When one has no picture.
    pub fn pictures(&self, people: &[usize], side: usize, device: &Device) -> Result<Tensor> {
        let factor = SIDE / side;
        let scale = 1.0 / (255 * factor * factor) as f32;
        let mut values = vec![0.0; people.len() * 3 * side * side];
        for (&person, planes) in people.iter().zip(values.chunks_exact_mut(3 * side * side)) {
            for (at, pixel) in self.picture(person).chunks_exact(3).enumerate() {
                let place = at / SIDE / factor * side + at % SIDE / factor;
                for (channel, &value) in pixel.iter().enumerate() {
                    planes[channel * side * side + place] += scale * f32::from(value);
                }
            }
        }
        Ok(Tensor::from_vec(
            values,
            (people.len(), 3, side, side),
            device,
        )?)
    }

    /// Rows of an array of `width` numbers a person, `[people, width]`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn rows(of: &[f32], width: usize, people: &[usize], device: &Device) -> Result<Tensor> {
        let values: Vec<f32> = people
            .iter()
            .flat_map(|&person| &of[person * width..(person + 1) * width])
            .copied()
            .collect();
        Ok(Tensor::from_vec(values, (people.len(), width), device)?)
    }
}

/// A drawing's ink as networks see it.
#[must_use]
pub fn ink(drawing: &Drawing) -> Vec<f32> {
    Ink::of(drawing, SIDE).values
}

/// The ink of a drawing whose strokes are all alike wide.
#[must_use]
pub fn even_ink(drawing: &Drawing) -> Vec<f32> {
    let mut even = drawing.clone();
    for stroke in &mut even.strokes {
        stroke.width = WIDTH;
    }
    ink(&even)
}

/// How badly a rough drawing is drawn: as with a mouse, or worse, more or less so.
fn rough_hand(rng: &mut Rng) -> Roughness {
    let base = if rng.uniform() < 0.25 {
        Roughness::WILD
    } else {
        Roughness::MOUSE
    };
    base.times(0.3 + rng.uniform())
}
