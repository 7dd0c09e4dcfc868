//! The people that a generator learns from: drawn when they are first needed, kept in a file.
//!
//! A person is fully given by the seed and their number, so that it does not matter when, on how many
//! threads, or in which sitting they are drawn. The file spares a run that goes on from drawing
//! them again: one record after another, each with a checksum of its own. What is left of a record
//! that was being written when the program was killed is cut off.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::net::BASE;
use crate::error::{Error, Result};
use crate::human::{Extent, Kit, Quality, Sampler, Wardrobe};
use crate::rng::Rng;

/// Pixels in a side of what is drawn, before it is shrunk.
const DRAWN: usize = 128;
/// Bytes of a record's checksum.
const CHECK: usize = 8;

/// People with their pictures.
pub struct People {
    kit: Kit,
    sampler: Sampler,
    rng: Rng,
    size: usize,
    /// `size * size * 3` bytes for each, rows from the top.
    pixels: Vec<u8>,
    file: Option<(File, PathBuf)>,
}

impl People {
    /// Nobody yet. `rng` seeds them all.
    ///
    /// # Errors
    /// When the size is none that they are drawn at.
    pub fn new(kit: Kit, rng: Rng, size: usize) -> Result<Self> {
        if size == 0 || !DRAWN.is_multiple_of(size) || !size.is_multiple_of(BASE) {
            return Err(Error::Input(format!(
                "people are drawn at 32, 64 or 128 pixels, not {size}"
            )));
        }
        Ok(Self {
            sampler: Sampler::new(&kit),
            kit,
            rng,
            size,
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
            self.pixels.extend_from_slice(pixels);
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
        let mut few = Self::new(self.kit.clone(), self.rng.clone(), self.size)?;
        few.pixels = self.pixels[..count.min(self.count()) * self.bytes()].to_vec();
        Ok(few)
    }

    fn bytes(&self) -> usize {
        3 * self.size * self.size
    }

    /// The vector of a person, drawn or not.
    #[must_use]
    pub fn vector(&self, number: usize) -> Vec<f64> {
        self.sampler.draw(&mut self.rng.split(&number.to_string()))
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
            self.pixels.extend_from_slice(&pixels);
        }
        Ok(())
    }

    /// At least four by four samples a pixel at 64 pixels, three by three at 128.
    fn look(&self, wardrobe: &Wardrobe, number: usize) -> Vec<u8> {
        let portrait = self.sampler.portrait(&self.vector(number));
        let quality = Quality {
            size: DRAWN,
            samples: if self.size == DRAWN { 3 } else { 2 },
        };
        let picture = portrait.draw(wardrobe, Extent::Head, None, quality);
        picture.shrunk(DRAWN / self.size).into_flattened()
    }

    /// The vectors of some people, `[people, dims]`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn vectors(&self, numbers: &[usize], device: &Device) -> Result<Tensor> {
        let values: Vec<f32> = numbers
            .iter()
            .flat_map(|&number| self.vector(number))
            .map(|value| value as f32)
            .collect();
        let shape = (numbers.len(), self.sampler.dims());
        Ok(Tensor::from_vec(values, shape, device)?)
    }

    /// The pictures of some people, shrunk to `side` pixels, which divides their size: `[people, 3,
    /// side, side]`, sRGB from 0 to 1.
    ///
    /// # Errors
    /// When the device fails.
    ///
    /// # Panics
    /// When one was not drawn.
    pub fn pictures(&self, numbers: &[usize], side: usize, device: &Device) -> Result<Tensor> {
        let mut values = Vec::with_capacity(numbers.len() * 3 * side * side);
        for &number in numbers {
            values.extend(planes(self.picture(number), self.size, side));
        }
        Ok(Tensor::from_vec(
            values,
            (numbers.len(), 3, side, side),
            device,
        )?)
    }
}

/// The colour planes of a picture, shrunk by means of squares.
fn planes(pixels: &[u8], size: usize, side: usize) -> Vec<f32> {
    let factor = size / side;
    let scale = 1.0 / (255 * factor * factor) as f32;
    let mut sums = vec![0_u32; 3 * side * side];
    for (at, pixel) in pixels.chunks_exact(3).enumerate() {
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
