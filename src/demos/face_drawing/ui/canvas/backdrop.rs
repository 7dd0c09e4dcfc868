//! What lies below the ink: a picture to trace, and the shadow that guides the pen.

use egui::{Color32, ColorImage, Painter, Rect, TextureHandle, TextureOptions, pos2, vec2};
use image::ImageEncoder as _;
use serde::{Deserialize, Serialize};

use super::layer::white;
use super::view::Transform;
use crate::data::Image;
use crate::data::area::resample;
use crate::demos::face_drawing::drawing::{SIDE, hex};
use crate::error::{Error, Result};

/// The longer side of a picture to trace, in pixels.
const TRACED: usize = 768;
/// The most bytes of it in a session.
const MAX_BYTES: usize = 2 << 20;
/// All of a texture that is drawn.
const WHOLE: Rect = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));

/// A picture below the paper's ink, to draw after.
pub(super) struct Tracing {
    image: Image,
    /// How much of it is seen, from 0 to 1.
    pub(super) opacity: f32,
    texture: Option<TextureHandle>,
    stored: Stored,
}

/// A picture to trace, as a session has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    /// A JPEG in hexadecimal digits.
    jpeg: String,
    opacity: f32,
}

impl Tracing {
    /// A picture as it is stored, made smaller where it is large; what is see-through becomes white.
    ///
    /// # Errors
    /// When the picture is damaged.
    pub(super) fn new(image: &Image) -> Result<Self> {
        let small = shrunk(image)?;
        let rgb: Vec<u8> = small
            .rgba
            .chunks_exact(4)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        let mut jpeg = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 88)
            .write_image(
                &rgb,
                small.width,
                small.height,
                image::ExtendedColorType::Rgb8,
            )
            .map_err(|error| Error::Input(format!("the picture cannot be kept: {error}")))?;
        Ok(Self {
            image: small,
            opacity: 0.4,
            texture: None,
            stored: Stored {
                jpeg: hex::write(&jpeg),
                opacity: 0.4,
            },
        })
    }

    pub(super) fn stored(&self) -> Stored {
        Stored {
            opacity: self.opacity,
            ..self.stored.clone()
        }
    }

    /// The picture of a session.
    ///
    /// # Errors
    /// When it is damaged.
    pub(super) fn restored(stored: Stored) -> Result<Self> {
        let damaged = || Error::Input("the picture to trace is damaged".into());
        let jpeg = hex::read(&stored.jpeg, MAX_BYTES).ok_or_else(damaged)?;
        let image = Image::decode(&jpeg, std::path::Path::new("the picture to trace"))?;
        if image.width.max(image.height) as usize > TRACED {
            return Err(damaged());
        }
        Ok(Self {
            image,
            opacity: stored.opacity.clamp(0.0, 1.0),
            texture: None,
            stored,
        })
    }

    /// Draws it into the middle of the sheet.
    pub(super) fn paint(&mut self, painter: &Painter, transform: &Transform) {
        let [width, height] = [self.image.width, self.image.height].map(|v| v as f32);
        let texture = self.texture.get_or_insert_with(|| {
            let size = [self.image.width as usize, self.image.height as usize];
            let image = ColorImage::from_rgba_unmultiplied(size, &self.image.rgba);
            let options = TextureOptions::LINEAR;
            painter.ctx().load_texture("tracing", image, options)
        });
        let size = vec2(width, height) / width.max(height) * SIDE * transform.scale;
        let rect = Rect::from_center_size(transform.sheet().center(), size);
        let tint = Color32::WHITE.gamma_multiply(self.opacity);
        painter.image(texture.id(), rect, WHOLE, tint);
    }
}

fn shrunk(image: &Image) -> Result<Image> {
    if !image.is_consistent() {
        return Err(Error::Input("the picture is damaged".into()));
    }
    let from = [image.width as usize, image.height as usize];
    let longest = from[0].max(from[1]);
    let to = from.map(|side| (side * TRACED.min(longest) / longest).max(1));
    let plane = |channel: usize| {
        let value = |pixel: &[u8]| {
            let alpha = f32::from(pixel[3]) / 255.0;
            f32::from(pixel[channel]) * alpha + 255.0 * (1.0 - alpha)
        };
        let plane: Vec<f32> = image.rgba.chunks_exact(4).map(value).collect();
        resample(&plane, from, to)
    };
    let planes = [plane(0), plane(1), plane(2)];
    let byte = |value: f32| value.clamp(0.0, 255.0).round() as u8;
    let rgba = (0..to[0] * to[1])
        .flat_map(|at| {
            let [r, g, b] = [0, 1, 2].map(|channel: usize| byte(planes[channel][at]));
            [r, g, b, 255]
        })
        .collect();
    Image::new(to[0] as u32, to[1] as u32, rgba)
}

/// Where strokes could go, as the networks see it.
#[derive(Default)]
pub(super) struct Shadow {
    side: usize,
    values: Vec<f32>,
    stale: bool,
    texture: Option<TextureHandle>,
}

impl Shadow {
    /// Another picture of `side * side` numbers from 0 to 1; none where there are no numbers.
    pub(super) fn set(&mut self, values: &[f32], side: usize) {
        let whole = values.len() == side * side;
        let values = if whole { values } else { &[] };
        if self.values != values {
            self.side = side;
            self.values = values.to_vec();
            self.stale = true;
        }
    }

    /// Draws it over the whole sheet.
    pub(super) fn paint(&mut self, painter: &Painter, transform: &Transform, color: Color32) {
        if self.values.is_empty() {
            return;
        }
        if std::mem::take(&mut self.stale) || self.texture.is_none() {
            let image = white([self.side, self.side], &self.values);
            if let Some(texture) = &mut self.texture {
                texture.set(image, TextureOptions::LINEAR);
            } else {
                let ctx = painter.ctx();
                let options = TextureOptions::LINEAR;
                self.texture = Some(ctx.load_texture("shadow", image, options));
            }
        }
        if let Some(texture) = &self.texture {
            painter.image(texture.id(), transform.sheet(), WHOLE, color);
        }
    }
}
