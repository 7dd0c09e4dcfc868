//! A sheet of samples: people as they are, and below them as the generator has them.

use candle_core::Device;

use super::net::Generator;
use super::people::People;
use crate::data::Image;
use crate::error::{Error, Result};

/// Two rows for each `columns` people of those drawn, as many as fill rows, at most `rows` times.
///
/// # Errors
/// When there are fewer people than columns, or the generator fails.
pub fn sheet(net: &Generator, people: &People, [columns, rows]: [usize; 2]) -> Result<Image> {
    let side = people.size();
    let rows = rows.min(people.count() / columns.max(1));
    if columns == 0 || rows == 0 || net.sizes().size != side {
        return Err(Error::Input(format!(
            "no sheet of {} people of {side} pixels",
            people.count()
        )));
    }
    let (width, height) = (columns * side, 2 * rows * side);
    let mut rgba = vec![255; 4 * width * height];
    let net = net.detached();
    let numbers: Vec<usize> = (0..rows * columns).collect();
    for (row, some) in numbers.chunks(columns).enumerate() {
        let device = net.device();
        let made = net.forward(&people.vectors(some, &device)?)?;
        let made = (made.clamp(0.0, 1.0)? * 255.0)?.round()?;
        let made = made.permute((0, 2, 3, 1))?.to_device(&Device::Cpu)?;
        let made: Vec<f32> = made.flatten_all()?.to_vec1()?;
        for (column, &number) in some.iter().enumerate() {
            let made = &made[column * 3 * side * side..][..3 * side * side];
            let made: Vec<u8> = made.iter().map(|&value| value as u8).collect();
            for (below, pixels) in [people.picture(number), &made].into_iter().enumerate() {
                for (at, pixel) in pixels.chunks_exact(3).enumerate() {
                    let y = (2 * row + below) * side + at / side;
                    let place = 4 * (y * width + column * side + at % side);
                    rgba[place..place + 3].copy_from_slice(pixel);
                }
            }
        }
    }
    Image::new(width as u32, height as u32, rgba)
}
