//! Pictures as 8-bit RGBA, read with limits and written as PNG.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageReader, Limits};

use crate::{Error, Result};

/// The most pixels in a side that are read from a file.
pub const MAX_SIDE: u32 = 8192;

/// The most bytes that a decoded picture may take, 256 MiB.
pub const MAX_BYTES: u64 = 256 << 20;

/// A picture: rows from the top, each pixel red, green, blue, alpha.
///
/// Colours are sRGB and gamma-encoded, as files hold them and as egui's targets want them; alpha
/// is straight, not premultiplied. `rgba` has `width * height * 4` bytes, which [`Image::new`]
/// checks and drawing checks again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The pixels, four bytes each.
    pub rgba: Vec<u8>,
}

/// The bytes of a picture file.
///
/// # Errors
/// When it cannot be read or has more than [`MAX_BYTES`].
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    let cannot = || Error::io("cannot read the picture", path);
    let file = File::open(path).map_err(cannot())?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::bad_file(
            path,
            format!("more than {} MiB are not read", MAX_BYTES >> 20),
        ));
    }
    Ok(bytes)
}

impl Image {
    /// A picture of these pixels.
    ///
    /// # Errors
    /// When a side is zero or the number of bytes is not `width * height * 4`.
    pub fn new(width: u32, height: u32, rgba: Vec<u8>) -> Result<Self> {
        let image = Self {
            width,
            height,
            rgba,
        };
        if image.is_consistent() {
            Ok(image)
        } else {
            Err(Error::Input(format!(
                "a picture of {width} × {height} pixels cannot be made of {} bytes",
                image.rgba.len()
            )))
        }
    }

    /// A picture of one colour.
    #[must_use]
    pub fn filled(width: u32, height: u32, color: [u8; 4]) -> Self {
        Self {
            width,
            height,
            rgba: color.repeat(width as usize * height as usize),
        }
    }

    /// Whether no side is zero and the number of bytes fits the sides.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let pixels = (self.width as usize).checked_mul(self.height as usize);
        let bytes = pixels.and_then(|pixels| pixels.checked_mul(4));
        !self.rgba.is_empty() && bytes == Some(self.rgba.len())
    }

    /// The pixel of a column and a row; `None` outside.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 4]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let start = (y as usize * self.width as usize + x as usize) * 4;
        self.rgba.get(start..)?.first_chunk().copied()
    }

    /// The picture enlarged until its longer side has this many pixels; each of its pixels is repeated.
    /// A picture that is as large already stays as it is.
    #[must_use]
    pub fn enlarged(&self, side: u32) -> Self {
        let longest = self.width.max(self.height);
        if side <= longest || !self.is_consistent() {
            return self.clone();
        }
        let scaled = |v: u32| {
            let v = u64::from(v) * u64::from(side) / u64::from(longest);
            u32::try_from(v).unwrap_or(side).max(1)
        };
        let [width, height] = [scaled(self.width), scaled(self.height)];
        let from = |at: u32, to: u32, from: u32| {
            (u64::from(at) * u64::from(from) / u64::from(to)) as usize
        };
        let mut rgba = Vec::with_capacity(width as usize * height as usize * 4);
        for row in 0..height {
            let start = from(row, height, self.height) * self.width as usize;
            for column in 0..width {
                let at = (start + from(column, width, self.width)) * 4;
                rgba.extend_from_slice(&self.rgba[at..at + 4]);
            }
        }
        Self {
            width,
            height,
            rgba,
        }
    }

    /// Reads a PNG, JPEG, WebP or GIF (its first frame), known by its content, not by its name.
    ///
    /// The camera's orientation is applied; colour profiles are not. `path` only names the file in
    /// errors.
    ///
    /// # Errors
    /// When the bytes are no picture of these kinds, are damaged, or ask for more than
    /// [`MAX_SIDE`] or [`MAX_BYTES`]; the sides are checked before any pixel is decoded.
    pub fn decode(bytes: &[u8], path: &Path) -> Result<Self> {
        let damaged = |error: image::ImageError| {
            Error::bad_file(path, format!("cannot decode the picture: {error}"))
        };
        let mut reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(Error::io("cannot read the picture", path))?;
        if reader.format().is_none() {
            return Err(Error::bad_file(
                path,
                "not a picture of a known kind, use PNG, JPEG, WebP or GIF",
            ));
        }
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(MAX_BYTES);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(damaged)?;

        let (width, height) = decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(Error::bad_file(path, "the picture has no pixels"));
        }
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(Error::bad_file(
                path,
                format!(
                    "the picture has {width} × {height} pixels, at most {MAX_SIDE} in a side are read, make it smaller first"
                ),
            ));
        }
        if decoder.total_bytes() > MAX_BYTES {
            return Err(Error::bad_file(
                path,
                format!(
                    "the picture takes {} MiB, at most {} are read, make it smaller first",
                    decoder.total_bytes() >> 20,
                    MAX_BYTES >> 20
                ),
            ));
        }
        let orientation = decoder.orientation().map_err(damaged)?;
        let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
        picture.apply_orientation(orientation);
        let picture = picture.into_rgba8();
        let (width, height) = picture.dimensions();
        Self::new(width, height, picture.into_raw())
    }

    /// The picture as a PNG file.
    ///
    /// # Errors
    /// When the number of bytes does not fit the sides.
    pub fn encode_png(&self) -> Result<Vec<u8>> {
        if !self.is_consistent() {
            return Err(Error::Input(format!(
                "a picture of {} × {} pixels cannot be made of {} bytes",
                self.width,
                self.height,
                self.rgba.len()
            )));
        }
        let mut png = Vec::new();
        image::codecs::png::PngEncoder::new(&mut png)
            .write_image(
                &self.rgba,
                self.width,
                self.height,
                image::ExtendedColorType::Rgba8,
            )
            .map_err(|error| Error::Input(format!("cannot encode the picture: {error}")))?;
        Ok(png)
    }
}

/// Pictures of one size side by side.
///
/// # Errors
/// When there are none, or they differ in height.
pub fn beside(images: &[Image]) -> Result<Image> {
    let height = images.first().map_or(0, |image| image.height);
    let width: u32 = images.iter().map(|image| image.width).sum();
    let mut rgba = Vec::with_capacity(width as usize * height as usize * 4);
    for row in 0..height as usize {
        for image in images {
            let line = image.width as usize * 4;
            rgba.extend(image.rgba.get(row * line..(row + 1) * line).unwrap_or(&[]));
        }
    }
    Image::new(width, height, rgba)
}

#[cfg(test)]
mod tests {
    use super::Image;
    use crate::Error;
    use std::path::Path;

    #[test]
    fn a_picture_survives_png() {
        let image = Image::new(2, 1, vec![1, 2, 3, 255, 9, 8, 7, 0]).expect("fits");
        let png = image.encode_png().expect("encodes");
        let back = Image::decode(&png, Path::new("x.png")).expect("decodes");
        assert_eq!(back, image);
        assert_eq!(back.pixel(1, 0), Some([9, 8, 7, 0]));
        assert_eq!(back.pixel(2, 0), None);
    }

    #[test]
    fn an_enlarged_picture_repeats_its_pixels() {
        let image = Image::new(2, 1, vec![1, 1, 1, 255, 2, 2, 2, 255]).expect("fits");
        let large = image.enlarged(6);
        assert_eq!((large.width, large.height), (6, 3));
        let row: Vec<u8> = large.rgba[..24].chunks(4).map(|p| p[0]).collect();
        assert_eq!(row, [1, 1, 1, 2, 2, 2]);
        assert!(large.rgba.chunks(24).all(|r| r == &large.rgba[..24]));
        assert_eq!(image.enlarged(1), image);
    }

    #[test]
    fn bytes_that_do_not_fit_are_refused() {
        for (width, height, bytes) in [(2, 2, 15), (0, 4, 0), (u32::MAX, u32::MAX, 4)] {
            let image = Image::new(width, height, vec![0; bytes]);
            assert!(
                matches!(image, Err(Error::Input(_))),
                "{width} × {height}: {bytes}"
            );
        }
    }
}
