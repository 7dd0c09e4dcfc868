//! The people that a generator learns from: drawn when they are first needed, kept in a file.
//!
//! A person is fully given by the seed and their number, so that it does not matter when, on how many
//! threads, or in which sitting they are drawn. The file spares a run that goes on from drawing
//! them again: one record after another, each with a checksum of its own. What is left of a record
//! that was being written when the program was killed is cut off.
//!
//! Those learned from are kept cut out, and every fifth of them has a hair style drawn from all alike:
//! a few styles are so rare that the others would hardly show them. Seen in a mirror they are as many
//! people again: the kit's figure is the same on both sides, and so are its pictures but for its
//! skins (36 dB apart).

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::net::{BASE, GREY, PLANES};
use crate::error::{Error, Result};
use crate::human::raster::{Backdrop, Picture, decoded, encoded};
use crate::human::{Extent, Kit, Quality, Sampler, Wardrobe};
use crate::rng::Rng;

/// Pixels in a side of what is drawn, before it is shrunk.
const DRAWN: usize = 128;
/// Bytes of a record's checksum.
const CHECK: usize = 8;
/// One in so many of those learned from has any hair.
const ANY_HAIR: usize = 5;
/// Numbers that change their sign in a mirror, besides the asymmetries.
const SIDED: [&str; 4] = ["yaw", "roll", "light from the side", "hair side"];

/// What is kept of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Their pictures: red, green, blue.
    Whole,
    /// Red, green and blue before black, sRGB values times the cover, and the cover.
    CutOut,
}

impl Kind {
    fn channels(self) -> usize {
        match self {
            Self::Whole => 3,
            Self::CutOut => PLANES,
        }
    }
}

/// People with their pictures.
pub struct People {
    kit: Kit,
    sampler: Sampler,
    rng: Rng,
    size: usize,
    kind: Kind,
    /// Numbers of a vector that change their sign in a mirror.
    sided: Vec<usize>,
    /// Of those drawn.
    vectors: Vec<f32>,
    /// `size * size` pixels for each, rows from the top.
    pixels: Vec<u8>,
    file: Option<(File, PathBuf)>,
}

impl People {
    /// Nobody yet. `rng` seeds them all.
    ///
    /// # Errors
    /// When the size is none that they are drawn at.
    pub fn new(kit: Kit, rng: Rng, size: usize, kind: Kind) -> Result<Self> {
        if size == 0 || !DRAWN.is_multiple_of(size) || !size.is_multiple_of(BASE) {
            return Err(Error::Input(format!(
                "people are drawn at 32, 64 or 128 pixels, not {size}"
            )));
        }
        let sampler = Sampler::new(&kit);
        let sided = |name: &str| name.starts_with("asym/") || SIDED.contains(&name);
        Ok(Self {
            sided: (0..sampler.dims())
                .filter(|&at| sided(&sampler.names()[at]))
                .collect(),
            sampler,
            kit,
            rng,
            size,
            kind,
            vectors: Vec::new(),
            pixels: Vec::new(),
            file: None,
        })
    }

    /// With those in a file, which takes up who is drawn from now on.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn kept_in(mut self, path: &Path) -> Result<Self> {
        let failed = || Error::io("cannot keep the people drawn", path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed())?;
        }
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed())?;
        let mut record = vec![0; CHECK + self.bytes()];
        let mut good = 0;
        while file.read_exact(&mut record).is_ok() {
            let (check, pixels) = record.split_at(CHECK);
            if check != checksum(self.count(), pixels) {
                break;
            }
            self.take(pixels);
            good += record.len() as u64;
        }
        file.set_len(good).map_err(failed())?;
        file.seek(SeekFrom::End(0)).map_err(failed())?;
        self.file = Some((file, path.to_owned()));
        Ok(self)
    }

    /// How many were drawn.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pixels.len() / self.bytes()
    }

    /// What is kept of them.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Pixels in a side.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where vectors come from.
    #[must_use]
    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// The first `count` of those drawn, without their file.
    ///
    /// # Errors
    /// Never for people that there are.
    pub fn first(&self, count: usize) -> Result<Self> {
        let mut few = Self::new(self.kit.clone(), self.rng.clone(), self.size, self.kind)?;
        let count = count.min(self.count());
        few.pixels = self.pixels[..count * self.bytes()].to_vec();
        few.vectors = self.vectors[..count * self.sampler.dims()].to_vec();
        Ok(few)
    }

    fn bytes(&self) -> usize {
        self.kind.channels() * self.size * self.size
    }

    /// The vector of a person, drawn or not.
    #[must_use]
    pub fn vector(&self, number: usize) -> Vec<f64> {
        let mut rng = self.rng.split(&number.to_string());
        let z = self.sampler.draw(&mut rng);
        match self.sampler.choices().first() {
            Some(hair) if self.kind == Kind::CutOut && number % ANY_HAIR == ANY_HAIR - 1 => {
                let style = rng.below(hair.often.len());
                self.sampler.chosen(&z, hair, style)
            }
            _ => z,
        }
    }

    /// Takes in the next person's pixels.
    fn take(&mut self, pixels: &[u8]) {
        let vector = self.vector(self.count()).into_iter();
        self.vectors.extend(vector.map(|value| value as f32));
        self.pixels.extend_from_slice(pixels);
    }

    /// A person's picture, rows from the top.
    ///
    /// # Panics
    /// When the person was not drawn.
    #[must_use]
    pub fn picture(&self, number: usize) -> &[u8] {
        &self.pixels[number * self.bytes()..][..self.bytes()]
    }

    /// Draws people until there are so many.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn draw(&mut self, count: usize) -> Result<()> {
        let wardrobe = Wardrobe::new(&self.kit, Extent::Head);
        let missing: Vec<usize> = (self.count()..count).collect();
        let drawn: Vec<Vec<u8>> = missing
            .par_iter()
            .map(|&number| self.look(&wardrobe, number))
            .collect();
        for (number, pixels) in missing.into_iter().zip(drawn) {
            if let Some((file, path)) = &mut self.file {
                let mut record = checksum(number, &pixels).to_vec();
                record.extend_from_slice(&pixels);
                file.write_all(&record)
                    .map_err(Error::io("cannot keep the people drawn", path))?;
            }
            self.take(&pixels);
        }
        Ok(())
    }

    /// At least four by four samples a pixel at 64 pixels, three by three at 128.
    fn look(&self, wardrobe: &Wardrobe, number: usize) -> Vec<u8> {
        let mut portrait = self.sampler.portrait(&self.vector(number));
        let quality = Quality {
            size: DRAWN,
            samples: if self.size == DRAWN { 3 } else { 2 },
        };
        let factor = DRAWN / self.size;
        match self.kind {
            Kind::Whole => {
                let picture = portrait.draw(wardrobe, Extent::Head, None, quality);
                picture.shrunk(factor).into_flattened()
            }
            Kind::CutOut => {
                portrait.backdrop = Backdrop {
                    from: [0.0; 3],
                    to: [0.0; 3],
                    angle: 0.0,
                };
                let picture = portrait.draw(wardrobe, Extent::Head, None, quality);
                cut_out(&picture, factor)
            }
        }
    }

    /// The vectors of some people who were drawn, `[people, dims]`.
    ///
    /// # Errors
    /// When the device fails.
    ///
    /// # Panics
    /// When one was not drawn.
    pub fn vectors(&self, numbers: &[usize], device: &Device) -> Result<Tensor> {
        let some: Vec<_> = numbers.iter().map(|&number| (number, false)).collect();
        self.seen_vectors(&some, device)
    }

    /// As [`People::vectors`], of some in a mirror.
    ///
    /// # Errors
    /// When the device fails.
    ///
    /// # Panics
    /// When one was not drawn.
    pub fn seen_vectors(&self, some: &[(usize, bool)], device: &Device) -> Result<Tensor> {
        let dims = self.sampler.dims();
        let mut values = Vec::with_capacity(some.len() * dims);
        for &(number, is_mirrored) in some {
            let start = values.len();
            values.extend_from_slice(&self.vectors[number * dims..(number + 1) * dims]);
            if is_mirrored {
                for &at in &self.sided {
                    values[start + at] = -values[start + at];
                }
            }
        }
        Ok(Tensor::from_vec(values, (some.len(), dims), device)?)
    }

    /// The pictures of some people, shrunk to `side` pixels, which divides their size: `[people, 3,
    /// side, side]`, sRGB from 0 to 1. Those cut out are as [`super::Generator::synthesize`] draws
    /// them: `[people, 4, side, side]`.
    ///
    /// # Errors
    /// When the device fails.
    ///
    /// # Panics
    /// When one was not drawn.
    pub fn pictures(&self, numbers: &[usize], side: usize, device: &Device) -> Result<Tensor> {
        let some: Vec<_> = numbers.iter().map(|&number| (number, false)).collect();
        self.seen(&some, side, device)
    }

    /// As [`People::pictures`], of some in a mirror.
    ///
    /// # Errors
    /// When the device fails.
    ///
    /// # Panics
    /// When one was not drawn.
    pub fn seen(&self, some: &[(usize, bool)], side: usize, device: &Device) -> Result<Tensor> {
        let channels = self.kind.channels();
        let mut values = Vec::with_capacity(some.len() * channels * side * side);
        for &(number, is_mirrored) in some {
            let start = values.len();
            values.extend(planes(self.picture(number), [self.size, side], channels));
            let planes = &mut values[start..];
            if is_mirrored {
                planes.chunks_exact_mut(side).for_each(<[f32]>::reverse);
            }
            if self.kind == Kind::CutOut {
                let (colors, cover) = planes.split_at_mut(3 * side * side);
                for plane in colors.chunks_exact_mut(side * side) {
                    for (value, cover) in plane.iter_mut().zip(&*cover) {
                        *value += (1.0 - cover) * GREY;
                    }
                }
            }
        }
        Ok(Tensor::from_vec(
            values,
            (some.len(), channels, side, side),
            device,
        )?)
    }
}

/// A picture before black, shrunk: sRGB values times the cover, and the cover. Blending these values
/// before a backdrop's comes within 49 dB of what the renderer does in linear light.
fn cut_out(picture: &Picture, factor: usize) -> Vec<u8> {
    let side = picture.size / factor;
    let share = 255.0 / (factor * factor) as f32;
    let mut pixels = vec![0; PLANES * side * side];
    for (at, out) in pixels.chunks_exact_mut(PLANES).enumerate() {
        let (left, top) = (at % side * factor, at / side * factor);
        let mut sums = [0.0_f32; PLANES];
        for row in top..top + factor {
            for pixel in row * picture.size + left..row * picture.size + left + factor {
                let cover = picture.cover[pixel];
                if cover <= 0.0 {
                    continue;
                }
                for (sum, &value) in sums.iter_mut().zip(&picture.color[pixel]) {
                    let value = f32::from(value) / 255.0;
                    *sum += if cover > 0.999 {
                        value
                    } else {
                        cover * encoded(decoded(value) / cover)
                    };
                }
                sums[3] += cover;
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = (sum * share + 0.5) as u8;
        }
    }
    pixels
}

/// The planes of a picture, shrunk by means of squares.
fn planes(pixels: &[u8], [size, side]: [usize; 2], channels: usize) -> Vec<f32> {
    let factor = size / side;
    let scale = 1.0 / (255 * factor * factor) as f32;
    let mut sums = vec![0_u32; channels * side * side];
    for (at, pixel) in pixels.chunks_exact(channels).enumerate() {
        let place = at / size / factor * side + at % size / factor;
        for (channel, &value) in pixel.iter().enumerate() {
            sums[channel * side * side + place] += u32::from(value);
        }
    }
    sums.into_iter().map(|sum| sum as f32 * scale).collect()
}

fn checksum(number: usize, pixels: &[u8]) -> [u8; CHECK] {
    let mut hash = Sha256::new();
    hash.update((number as u64).to_le_bytes());
    hash.update(pixels);
    let mut check = [0; CHECK];
    check.copy_from_slice(&hash.finalize()[..CHECK]);
    check
}
