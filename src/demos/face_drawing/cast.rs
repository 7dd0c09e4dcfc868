//! The people that drawings are of: imaginary ones of the kit, each known by a number.
//!
//! They are drawn as the corpus of the paper is photographed: from the front, before one grey
//! backdrop, in a light that differs a little. What a sketch tells nothing about is kept small.

use super::appearance;
use super::drawing::Drawing;
use super::landmarks::{self, Landmarks};
use super::lines::{self, Line, Tracer};
use super::parts::SIDE;
use super::style::Style;
use crate::error::Result;
use crate::human::raster::{Backdrop, Picture, render};
use crate::human::sampler::{BROWS, HAIR};
use crate::human::{Extent, Kit, Portrait, Quality, Sampler, Wardrobe};
use crate::rng::Rng;

/// How far the numbers of these names go from their means, as a share of what is usual.
const CALM: [(&str, f64); 9] = [
    ("yaw", 0.12),
    ("pitch", 0.25),
    ("roll", 0.25),
    ("zoom", 0.2),
    ("exposure", 0.3),
    ("oil", 0.3),
    ("softness", 0.3),
    ("light of the sky", 0.3),
    ("light of the ground", 0.3),
];
/// What is behind them, linear light.
const BEHIND: Backdrop = Backdrop {
    from: [0.55; 3],
    to: [0.40; 3],
    angle: 1.2,
};

/// The kit's people, before the camera of drawings.
pub struct Cast {
    kit: Kit,
    sampler: Sampler,
    tracer: Tracer,
    calm: Vec<f64>,
}

/// A person with everything that is known.
pub struct Subject {
    /// The vector.
    pub z: Vec<f64>,
    /// The picture, [`SIDE`] pixels in a side, rows from the top.
    pub color: Vec<[u8; 3]>,
    /// Named points.
    pub landmarks: Landmarks,
    /// What there is to draw.
    pub lines: Vec<Line>,
}

impl Cast {
    /// Of a kit's people.
    #[must_use]
    pub fn new(kit: Kit) -> Self {
        let sampler = Sampler::new(&kit);
        let calm = sampler
            .names()
            .iter()
            .map(|name| {
                let share = CALM.iter().find(|(calm, _)| calm == name);
                share.map_or(1.0, |(_, share)| *share)
            })
            .collect();
        Self {
            tracer: Tracer::new(&kit),
            kit,
            sampler,
            calm,
        }
    }

    /// Their vectors' meaning.
    #[must_use]
    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// What they are made of and wear.
    #[must_use]
    pub fn wardrobe(&self) -> Wardrobe<'_> {
        Wardrobe::new(&self.kit, Extent::Head)
    }

    /// The vector of a person of a stream.
    #[must_use]
    pub fn vector(&self, people: &Rng, number: usize) -> Vec<f64> {
        let mut z = self.sampler.draw(&mut people.split(&number.to_string()));
        for (value, share) in z.iter_mut().zip(&self.calm) {
            *value *= share;
        }
        z
    }

    /// Which hair style, side of it (1 mirrored) and brows a vector has.
    #[must_use]
    pub fn options(&self, z: &[f64]) -> [usize; 3] {
        let person = self.sampler.portrait(z).person;
        let hair = person.hair.as_deref().unwrap_or("hair/");
        let named = |kind: &str, name: &str, full: &str| full.strip_prefix(kind) == Some(name);
        let hair = HAIR.iter().position(|(name, _)| named("hair/", name, hair));
        let brow = BROWS
            .iter()
            .position(|name| named("brow/", name, &person.brow));
        [
            hair.unwrap_or(0),
            usize::from(person.hair_mirrored),
            brow.unwrap_or(0),
        ]
    }

    /// Doubts of a vector's numbers without those that landmarks say nothing of: choices and the
    /// appearance.
    ///
    /// # Errors
    /// When the kit's vectors lack a number of the appearance.
    pub fn movable(&self, doubt: &[f64]) -> Result<Vec<f64>> {
        let mut movable = doubt.to_vec();
        for place in appearance::places(&self.sampler)? {
            movable[place] = 0.0;
        }
        for choice in self.sampler.choices() {
            movable[choice.at] = 0.0;
        }
        Ok(movable)
    }

    /// A vector's portrait, before the backdrop of drawings.
    #[must_use]
    pub fn portrait(&self, z: &[f64]) -> Portrait {
        Portrait {
            backdrop: BEHIND,
            ..self.sampler.portrait(z)
        }
    }

    /// A vector's landmarks.
    #[must_use]
    pub fn landmarks(&self, wardrobe: &Wardrobe, z: &[f64]) -> Landmarks {
        let portrait = self.portrait(z);
        let figure = wardrobe.figure(&portrait.person, None);
        landmarks::of(&figure, &portrait.view.of_head(&figure))
    }

    /// A vector's picture and landmarks.
    #[must_use]
    pub fn picture(
        &self,
        wardrobe: &Wardrobe,
        z: &[f64],
        quality: Quality,
    ) -> (Picture, Landmarks) {
        let portrait = self.portrait(z);
        let figure = wardrobe.figure(&portrait.person, None);
        let camera = portrait.view.of_head(&figure);
        let surfaces = figure.surfaces();
        let picture = render(
            &surfaces,
            &camera,
            &portrait.lights,
            &portrait.backdrop,
            quality,
        );
        (picture, landmarks::of(&figure, &camera))
    }

    /// Everything about a vector.
    #[must_use]
    pub fn subject(&self, wardrobe: &Wardrobe, z: Vec<f64>) -> Subject {
        let quality = Quality {
            size: lines::SIDE,
            samples: 1,
        };
        let (picture, landmarks) = self.picture(wardrobe, &z, quality);
        Subject {
            color: picture.shrunk(lines::SIDE / SIDE),
            lines: self.tracer.lines(&picture),
            landmarks,
            z,
        }
    }
}

impl Subject {
    /// A clean drawing in a style.
    #[must_use]
    pub fn drawing(&self, style: Style) -> Drawing {
        style.draw(&self.lines)
    }
}
