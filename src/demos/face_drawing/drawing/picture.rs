//! Scanned, photographed and pasted pictures of lines.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Frame, Ink, SIDE, hex, svg};
use crate::data::Image;
use crate::data::area::resample;
use crate::data::image::read_file;
use crate::error::{Error, Result};

/// Pixels in a side of a scan: one for each unit of the sheet.
const PIXELS: usize = SIDE as usize;
/// The paper's lightness is found in so many cells a side.
const CELLS: usize = 16;
/// Lines less dark than this, as a part of the paper's lightness, are no lines.
const FAINTEST: f32 = 0.12;
/// Darker paper than this, as a part of the lightest, is ink.
const DARKEST_PAPER: f32 = 0.55;

/// A picture of lines on a sheet: how much ink each place has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scan {
    /// `512 * 512` levels from 0 (paper) to 255 (ink), rows from the top.
    levels: Vec<u8>,
}

impl Scan {
    /// A picture as it is: as much ink as it is dark, in relation to its paper.
    ///
    /// The picture is fitted into the middle of the sheet. Light lines on dark ground are turned into
    /// ink on paper, whatever is see-through becomes paper, and uneven light is taken out.
    ///
    /// # Errors
    /// When there are no lines in it, or it is inconsistent.
    pub fn of(image: &Image) -> Result<Self> {
        if !image.is_consistent() {
            return Err(Error::Input("the picture is damaged".into()));
        }
        let from = [image.width as usize, image.height as usize];
        let longest = from[0].max(from[1]);
        let fit = |side: usize| ((side * PIXELS).div_ceil(longest)).clamp(1, PIXELS);
        let size = from.map(fit);
        let mut grey = resample(&lightness(image), from, size);
        let median = quantile(&grey, 0.5);
        if median < 0.45 {
            for value in &mut grey {
                *value = 1.0 - *value;
            }
        }
        let ink = darkness(&grey, size)?;
        let left = (PIXELS - size[0]) / 2;
        let top = (PIXELS - size[1]) / 2;
        let mut levels = vec![0; PIXELS * PIXELS];
        for (row, values) in ink.chunks_exact(size[0]).enumerate() {
            let start = (top + row) * PIXELS + left;
            for (level, value) in levels[start..start + size[0]].iter_mut().zip(values) {
                *level = (value * 255.0).round() as u8;
            }
        }
        Ok(Self { levels })
    }

    /// Its ink on `side * side` pixels.
    #[must_use]
    pub fn ink(&self, side: usize) -> Ink {
        let plane: Vec<f32> = self.levels.iter().map(|&v| f32::from(v) / 255.0).collect();
        Ink {
            side,
            values: resample(&plane, [PIXELS, PIXELS], [side, side]),
        }
    }

    /// Its ink on a raster of any frame, between its pixels when that is finer.
    #[must_use]
    pub fn on(&self, frame: &Frame) -> Vec<f32> {
        let level = |x: usize, y: usize| f32::from(self.levels[y * PIXELS + x]) / 255.0;
        let last = (PIXELS - 1) as f32;
        let axis = |axis: usize| -> Vec<Option<(usize, f32)>> {
            let place = |at: usize| {
                let unit = (at as f32 + 0.5 - frame.offset[axis]) / frame.scale;
                let at = (unit - 0.5).clamp(0.0, last);
                let first = (at as usize).min(PIXELS - 2);
                (0.0..=SIDE)
                    .contains(&unit)
                    .then_some((first, at - first as f32))
            };
            (0..frame.size[axis]).map(place).collect()
        };
        let (columns, rows) = (axis(0), axis(1));
        let mut values = Vec::with_capacity(columns.len() * rows.len());
        for row in &rows {
            for column in &columns {
                values.push(match (column, row) {
                    (Some((x, across)), Some((y, down))) => {
                        let line =
                            |y: usize| level(*x, y) + (level(x + 1, y) - level(*x, y)) * across;
                        line(*y) + (line(y + 1) - line(*y)) * down
                    }
                    _ => 0.0,
                });
            }
        }
        values
    }
}

/// Reads a picture of lines; `path` only names the file in errors.
///
/// # Errors
/// When it is no picture (see [`Image::decode`]), or there are no lines in it.
pub fn read_scan(bytes: &[u8], path: &Path) -> Result<Scan> {
    let image = Image::decode(bytes, path)?;
    Scan::of(&image).map_err(|error| Error::bad_file(path, error.to_string()))
}

/// A sketch's file. What begins like an SVG may be as large as those may be.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = read_file(path)?;
    if svg::is_svg(&bytes) && bytes.len() as u64 > svg::MAX_BYTES {
        return Err(Error::bad_file(
            path,
            format!(
                "an SVG of more than {} MiB is not read",
                svg::MAX_BYTES >> 20
            ),
        ));
    }
    Ok(bytes)
}

/// How light each pixel is, from 0 to 1, in sRGB values. See-through pixels lie on white, or on black
/// where what is drawn is light.
fn lightness(image: &Image) -> Vec<f32> {
    let luma = |p: &[u8]| {
        (0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2])) / 255.0
    };
    let alpha = |p: &[u8]| f32::from(p[3]) / 255.0;
    let pixels = || image.rgba.chunks_exact(4);
    let seen: f64 = pixels().map(|p| f64::from(alpha(p))).sum();
    let light: f64 = pixels().map(|p| f64::from(luma(p) * alpha(p))).sum();
    let mostly_clear = seen < 0.5 * (image.rgba.len() / 4) as f64;
    let ground = if mostly_clear && light > 0.5 * seen {
        0.0
    } else {
        1.0
    };
    pixels()
        .map(|p| luma(p) * alpha(p) + ground * (1.0 - alpha(p)))
        .collect()
}

/// The value below which this part of all lie.
fn quantile(values: &[f32], part: f32) -> f32 {
    let mut sorted = values.to_vec();
    let at = ((values.len().max(1) - 1) as f32 * part).round() as usize;
    if sorted.is_empty() {
        return 0.0;
    }
    *sorted.select_nth_unstable_by(at, f32::total_cmp).1
}

/// How much darker than the paper around it each pixel is: 0 for paper, 1 for the darkest lines.
fn darkness(grey: &[f32], size: [usize; 2]) -> Result<Vec<f32>> {
    let paper = paper(grey, size);
    let mut dark: Vec<f32> = grey
        .iter()
        .zip(&paper)
        .map(|(grey, paper)| (1.0 - grey / paper).max(0.0))
        .collect();
    // What most of the picture has is the paper's grain.
    let grain = quantile(&dark, 0.7);
    let least = if grain < 0.005 {
        0.0
    } else {
        (2.0 * grain).clamp(0.04, 0.15)
    };
    let lines: Vec<f32> = dark.iter().copied().filter(|&v| v > least).collect();
    let most = quantile(&lines, 0.9);
    if most < least + FAINTEST {
        return Err(Error::Input(
            "there are no lines in the picture: dark lines on light paper, or light ones on dark, are \
             needed"
                .into(),
        ));
    }
    for value in &mut dark {
        *value = ((*value - least) / (most - least)).clamp(0.0, 1.0);
    }
    Ok(dark)
}

/// The lightness of the paper at each pixel: the light part of each cell and of those around it.
fn paper(grey: &[f32], size: [usize; 2]) -> Vec<f32> {
    let cells = size.map(|side| side.min(CELLS));
    let lightest = quantile(grey, 0.9).max(0.05);
    let edge = |axis: usize, at: usize| at * size[axis] / cells[axis];
    let mut own = Vec::with_capacity(cells[0] * cells[1]);
    for row in 0..cells[1] {
        for column in 0..cells[0] {
            let columns = edge(0, column)..edge(0, column + 1);
            let values: Vec<f32> = (edge(1, row)..edge(1, row + 1))
                .flat_map(|y| &grey[y * size[0] + columns.start..y * size[0] + columns.end])
                .copied()
                .collect();
            own.push(quantile(&values, 0.85));
        }
    }
    let around = |at: usize, end: usize| at.saturating_sub(1)..(at + 2).min(end);
    let mut light = Vec::with_capacity(own.len());
    for row in 0..cells[1] {
        for column in 0..cells[0] {
            let most = around(row, cells[1])
                .flat_map(|y| around(column, cells[0]).map(move |x| (x, y)))
                .map(|(x, y)| own[y * cells[0] + x])
                .fold(DARKEST_PAPER * lightest, f32::max);
            light.push(most);
        }
    }
    between(&light, cells, size)
}

/// Straight lines between the middles of cells.
fn between(cells: &[f32], count: [usize; 2], size: [usize; 2]) -> Vec<f32> {
    let place = |axis: usize, at: usize| {
        let at = (at as f32 + 0.5) / size[axis] as f32 * count[axis] as f32 - 0.5;
        let at = at.clamp(0.0, (count[axis] - 1) as f32);
        let first = (at as usize).min(count[axis] - 1);
        (first, (first + 1).min(count[axis] - 1), at - first as f32)
    };
    let mut out = Vec::with_capacity(size[0] * size[1]);
    for y in 0..size[1] {
        let (above, below, down) = place(1, y);
        for x in 0..size[0] {
            let (left, right, across) = place(0, x);
            let row = |row: usize| {
                let (a, b) = (cells[row * count[0] + left], cells[row * count[0] + right]);
                a + (b - a) * across
            };
            let (a, b) = (row(above), row(below));
            out.push((a + (b - a) * down).max(1e-3));
        }
    }
    out
}

impl From<Scan> for String {
    /// The levels as hexadecimal digits of their packed bytes.
    fn from(scan: Scan) -> Self {
        hex::write(&pack(&scan.levels))
    }
}

impl TryFrom<String> for Scan {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        let damaged = || Error::Input("the picture of lines is damaged".into());
        let packed = hex::read(&text, 4 * PIXELS * PIXELS).ok_or_else(damaged)?;
        let levels = unpack(&packed);
        if levels.len() == PIXELS * PIXELS {
            Ok(Self { levels })
        } else {
            Err(damaged())
        }
    }
}

fn pack(levels: &[u8]) -> Vec<u8> {
    use std::io::Read as _;

    let mut packed = Vec::new();
    let mut encoder = flate2::read::ZlibEncoder::new(levels, flate2::Compression::default());
    // Reading from memory does not fail.
    let _ = encoder.read_to_end(&mut packed);
    packed
}

/// As many levels as a scan has and one more; fewer where the bytes are damaged.
fn unpack(packed: &[u8]) -> Vec<u8> {
    use std::io::Read as _;

    let mut levels = Vec::new();
    let most = (PIXELS * PIXELS + 1) as u64;
    let decoder = flate2::read::ZlibDecoder::new(packed);
    match decoder.take(most).read_to_end(&mut levels) {
        Ok(_) => levels,
        Err(_) => Vec::new(),
    }
}
