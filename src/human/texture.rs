//! Pictures laid over meshes.

use std::io::Cursor;

use image::codecs::webp::{WebPDecoder, WebPEncoder};
use image::{ColorType, DynamicImage, ImageDecoder, ImageEncoder};

use super::geometry::floor;
use super::pack::wire::Damage;

/// The most pixels in a side of a texture.
const MAX_SIDE: u32 = 2048;

/// A picture of red, green, blue and alpha; colours are sRGB, alpha is straight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The pixels, rows from the top.
    pub pixels: Vec<[u8; 4]>,
}

impl Texture {
    /// A WebP file without loss.
    ///
    /// # Errors
    /// When the encoder refuses the sides.
    pub fn encode(&self) -> Result<Vec<u8>, Damage> {
        let mut bytes = Vec::new();
        let opaque = self.pixels.iter().all(|pixel| pixel[3] == 255);
        let (data, kind) = if opaque {
            let data = self
                .pixels
                .iter()
                .flat_map(|p| [p[0], p[1], p[2]])
                .collect();
            (data, ColorType::Rgb8)
        } else {
            (self.pixels.as_flattened().to_vec(), ColorType::Rgba8)
        };
        let (width, height) = (self.width as u32, self.height as u32);
        WebPEncoder::new_lossless(&mut bytes)
            .write_image(&data, width, height, kind.into())
            .map_err(|error| format!("a texture cannot be written ({error})"))?;
        Ok(bytes)
    }

    /// Reads what [`Texture::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are damaged or the picture is larger than any of ours.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let damage = |error: image::ImageError| format!("a texture cannot be read ({error})");
        let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(damage)?;
        let (width, height) = decoder.dimensions();
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err("a texture is too large".into());
        }
        let picture = DynamicImage::from_decoder(decoder).map_err(damage)?;
        Ok(Self::of(&picture))
    }

    /// The pixels of a decoded picture.
    #[must_use]
    pub fn of(picture: &DynamicImage) -> Self {
        let picture = picture.to_rgba8();
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            pixels: picture.pixels().map(|pixel| pixel.0).collect(),
        }
    }

    /// The pixel values at texture coordinates, 0 to 255, between four pixels; it repeats beyond
    /// its borders. `uv` has its origin at the lower left.
    #[inline]
    #[must_use]
    pub fn sample(&self, uv: [f32; 2]) -> [f32; 4] {
        let ([x0, x1], fx) = neighbours(uv[0] - floor(uv[0]), self.width);
        let v = uv[1] - floor(uv[1]);
        let ([y0, y1], fy) = neighbours(1.0 - v, self.height);
        let row = |y: usize| &self.pixels[y * self.width..(y + 1) * self.width];
        let (above, below) = (row(y0), row(y1));
        let (a, b, c, d) = (above[x0], above[x1], below[x0], below[x1]);
        [0, 1, 2, 3].map(|k| {
            let top = f32::from(a[k]) + fx * (f32::from(b[k]) - f32::from(a[k]));
            let bottom = f32::from(c[k]) + fx * (f32::from(d[k]) - f32::from(c[k]));
            top + fy * (bottom - top)
        })
    }

    /// The alpha at texture coordinates, 0 to 255, as [`Texture::sample`] gives it.
    #[inline]
    #[must_use]
    pub fn alpha(&self, uv: [f32; 2]) -> f32 {
        let ([x0, x1], fx) = neighbours(uv[0] - floor(uv[0]), self.width);
        let ([y0, y1], fy) = neighbours(1.0 - (uv[1] - floor(uv[1])), self.height);
        let at = |y: usize, x: usize| f32::from(self.pixels[y * self.width + x][3]);
        let top = at(y0, x0) + fx * (at(y0, x1) - at(y0, x0));
        let bottom = at(y1, x0) + fx * (at(y1, x1) - at(y1, x0));
        top + fy * (bottom - top)
    }
}

/// The two pixels around a coordinate of 0 to 1, and how far it is from the first to the second.
#[inline]
fn neighbours(at: f32, size: usize) -> ([usize; 2], f32) {
    let place = at * size as f32 - 0.5;
    let first = floor(place);
    let last = size - 1;
    let low = (first.max(0.0) as usize).min(last);
    let high = ((first + 1.0).max(0.0) as usize).min(last);
    ([low, high], place - first)
}
