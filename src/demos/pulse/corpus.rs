//! Rendered people with known vectors, which the surrogate learns from.
//!
//! A person is stored as colours before black and how much of each pixel the person covers, at 64
//! pixels a side: the backdrop is known exactly from the vector and need not be learned.

use rayon::prelude::*;

use super::prior::Prior;
use crate::human::raster::Picture;
use crate::human::{Extent, Part, Quality, Sampler, Wardrobe};
use crate::rng::Rng;

/// Pixels in a side of a stored person.
pub const SIDE: usize = 64;
/// Numbers of a stored person: red, green, blue and cover of each pixel, planes one after the other.
pub const NUMBERS: usize = 4 * SIDE * SIDE;
/// A person is rendered at twice the side, so that the part that most of a pixel shows tells its
/// cover in quarters.
const RENDERED: Quality = Quality {
    size: 2 * SIDE,
    samples: 2,
};

/// People with known vectors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Corpus {
    /// Numbers in a vector.
    pub dims: usize,
    /// The vectors, one after the other.
    pub z: Vec<f32>,
    /// [`NUMBERS`] of each person, 255 for 1.
    pub pixels: Vec<u8>,
}

impl Corpus {
    /// Renders people with these numbers, each from a random stream of its own.
    #[must_use]
    pub fn render(
        sampler: &Sampler,
        wardrobe: &Wardrobe,
        prior: Prior,
        rng: &Rng,
        numbers: std::ops::Range<u64>,
    ) -> Self {
        let people: Vec<(Vec<f32>, Vec<u8>)> = numbers
            .into_par_iter()
            .map(|number| {
                let z = prior.draw(sampler, &mut rng.split(&number.to_string()));
                let picture = sampler
                    .portrait(&z)
                    .draw(wardrobe, Extent::Head, None, RENDERED);
                let z = z.into_iter().map(|value| value as f32).collect();
                (z, cut_out(&picture))
            })
            .collect();
        let mut corpus = Self {
            dims: sampler.dims(),
            ..Self::default()
        };
        for (z, pixels) in people {
            corpus.z.extend(z);
            corpus.pixels.extend(pixels);
        }
        corpus
    }

    /// How many people.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pixels.len() / NUMBERS
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Takes in the people of another one.
    pub fn extend(&mut self, other: Self) {
        self.dims = other.dims;
        self.z.extend(other.z);
        self.pixels.extend(other.pixels);
    }

    /// One person's vector.
    #[must_use]
    pub fn vector(&self, person: usize) -> &[f32] {
        &self.z[person * self.dims..(person + 1) * self.dims]
    }

    /// One person's numbers, 0 to 255.
    #[must_use]
    pub fn person(&self, person: usize) -> &[u8] {
        &self.pixels[person * NUMBERS..(person + 1) * NUMBERS]
    }
}

/// A picture's person before black, and the cover, at half the side.
fn cut_out(picture: &Picture) -> Vec<u8> {
    let mut numbers = vec![0_u8; NUMBERS];
    let (planes, cover) = numbers.split_at_mut(3 * SIDE * SIDE);
    for at in 0..SIDE * SIDE {
        let (left, top) = (at % SIDE * 2, at / SIDE * 2);
        let mut sums = [0_u32; 3];
        let mut covered = 0_u32;
        for pixel in [0, 1, picture.size, picture.size + 1] {
            let pixel = top * picture.size + left + pixel;
            if picture.parts[pixel] == Part::Backdrop {
                continue;
            }
            covered += 255;
            for (sum, value) in sums.iter_mut().zip(picture.color[pixel]) {
                *sum += u32::from(value);
            }
        }
        for (channel, sum) in sums.into_iter().enumerate() {
            planes[channel * SIDE * SIDE + at] = ((sum + 2) / 4) as u8;
        }
        cover[at] = ((covered + 2) / 4) as u8;
    }
    numbers
}
