//! Moving pictures as GIF.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, RgbaImage};

use super::Image;
use crate::error::{Error, Result};

/// A GIF of frames, each with the milliseconds for which it is seen; it begins anew for ever.
///
/// # Errors
/// When a frame is damaged or cannot be encoded.
pub fn encode(frames: impl IntoIterator<Item = (Image, u32)>) -> Result<Vec<u8>> {
    let failed =
        |error: image::ImageError| Error::Input(format!("the GIF cannot be made: {error}"));
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 10);
    encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
    for (image, milliseconds) in frames {
        let buffer = RgbaImage::from_raw(image.width, image.height, image.rgba)
            .ok_or_else(|| Error::Input("a frame has the wrong size".into()))?;
        let delay = Delay::from_numer_denom_ms(milliseconds, 1);
        encoder
            .encode_frame(Frame::from_parts(buffer, 0, 0, delay))
            .map_err(failed)?;
    }
    drop(encoder);
    Ok(bytes)
}
