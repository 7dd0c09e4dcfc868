//! Answers as pictures to show and to store.

use serde_json::{Value, json};

use super::answer::{Answer, Face};
use super::morph::morphed;
use super::pixels::Pixels;
use crate::data::image::beside;
use crate::data::{Image, gif};
use crate::error::Result;

/// Frames of a face that grows, and how long each is seen in milliseconds.
const FRAMES: usize = 24;
const FRAME_TIME: u32 = 80;
/// The last frame stays.
const LAST_TIME: u32 = 1500;

/// A face as a picture.
#[must_use]
pub fn picture(face: &Face) -> Image {
    Image {
        width: face.size as u32,
        height: face.size as u32,
        rgba: face
            .pixels
            .iter()
            .flat_map(|&[r, g, b]| [r, g, b, 255])
            .collect(),
    }
}

/// An answer's numbers.
#[must_use]
pub fn summary(answer: &Answer) -> Value {
    json!({
        "success": answer.success,
        "low_error": answer.error,
        "surrogate_error": answer.surrogate_error,
        "draft_errors": answer.drafts,
        "attributes": answer.face.attributes,
        "z": answer.face.z,
    })
}

/// How far answers differ in each pixel: the standard deviation over the answers, mean of the three
/// colours, as grey up to the greatest, which is returned beside it (0 to 1). `None` for less than
/// two answers.
#[must_use]
pub fn spread(answers: &[&Answer]) -> Option<(Image, f32)> {
    let size = answers.first()?.face.size;
    if answers.len() < 2 {
        return None;
    }
    let n = answers.len() as f32;
    let deviation = |at: usize| {
        let of_channel = |channel: usize| {
            let values = || {
                answers
                    .iter()
                    .map(|answer| f32::from(answer.face.pixels[at][channel]) / 255.0)
            };
            let mean = values().sum::<f32>() / n;
            (values().map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt()
        };
        (of_channel(0) + of_channel(1) + of_channel(2)) / 3.0
    };
    let spread: Vec<f32> = (0..size * size).map(deviation).collect();
    let most = spread.iter().copied().fold(1e-6, f32::max);
    let rgba = spread.iter().flat_map(|value| {
        let grey = (value / most * 255.0).round() as u8;
        [grey, grey, grey, 255]
    });
    let image = Image {
        width: size as u32,
        height: size as u32,
        rgba: rgba.collect(),
    };
    Some((image, most))
}

/// The small picture enlarged, the answers, and their spread where it is given.
///
/// # Errors
/// When there are no answers.
pub fn row(low: &Pixels, answers: &[&Answer], spread: Option<&Image>) -> Result<Image> {
    let size = answers.first().map_or(0, |answer| answer.face.size);
    let small = low.to_rgb();
    let rgba = (0..size * size).flat_map(|at| {
        let (column, row) = (at % size * low.side / size, at / size * low.side / size);
        let [r, g, b] = small[row * low.side + column];
        [r, g, b, 255]
    });
    let mut images = vec![Image::new(size as u32, size as u32, rgba.collect())?];
    images.extend(answers.iter().map(|answer| picture(&answer.face)));
    images.extend(spread.cloned());
    beside(&images)
}

/// A GIF of an answer that grows out of its small picture.
///
/// # Errors
/// When it cannot be encoded.
pub fn growing(answer: &Answer) -> Result<Vec<u8>> {
    let frame = |number: usize| {
        let at = number as f32 / (FRAMES - 1) as f32;
        let image = morphed(&answer.face, answer.low.side, at);
        let last = number + 1 == FRAMES;
        (image, if last { LAST_TIME } else { FRAME_TIME })
    };
    gif::encode((0..FRAMES).map(frame))
}
