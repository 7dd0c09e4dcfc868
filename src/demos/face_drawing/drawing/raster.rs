//! Strokes on a raster.
//!
//! How much of a pixel a stroke covers follows from the distance of the pixel's middle to the
//! stroke's line: exactly so beside a long straight line, nearly so at its ends. Within a stroke and
//! between strokes the greatest cover counts, and the eraser leaves at most what it does not cover.
//! Both can be done to the ink there is, segment by segment: a stroke that grows is drawn by drawing
//! its new segments.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Drawing, Point, SIDE, Stroke};
use crate::data::Image;

/// Ink on a square raster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ink {
    /// Pixels in a side.
    pub side: usize,
    /// `side * side` numbers from 0 (paper) to 1 (ink), rows from the top.
    pub values: Vec<f32>,
}

impl Ink {
    /// Paper without ink.
    #[must_use]
    pub fn empty(side: usize) -> Self {
        Self {
            side,
            values: vec![0.0; side * side],
        }
    }

    /// A drawing on paper.
    #[must_use]
    pub fn of(drawing: &Drawing, side: usize) -> Self {
        let mut ink = Self::empty(side);
        ink.draw(drawing);
        ink
    }

    /// Draws over the ink there is.
    pub fn draw(&mut self, drawing: &Drawing) {
        for stroke in &drawing.strokes {
            self.stroke(stroke);
        }
    }

    /// Draws a stroke.
    pub fn stroke(&mut self, stroke: &Stroke) {
        self.stroke_from(stroke, 0);
    }

    /// Draws a stroke from its point of this number on: what it has grown by since its last segment
    /// ended there.
    pub fn stroke_from(&mut self, stroke: &Stroke, from: usize) {
        let frame = Frame {
            size: [self.side, self.side],
            scale: self.side as f32 / SIDE,
            offset: [0.0, 0.0],
        };
        frame.stroke(&mut self.values, stroke, from);
    }

    /// As bytes from 0 (paper) to 255 (ink).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let byte = |value: &f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        self.values.iter().map(byte).collect()
    }

    /// As a picture of black ink on white paper.
    #[must_use]
    pub fn to_image(&self) -> Image {
        let rgba = self.to_bytes().into_iter().flat_map(|ink| {
            let grey = 255 - ink;
            [grey, grey, grey, 255]
        });
        Image {
            width: self.side as u32,
            height: self.side as u32,
            rgba: rgba.collect(),
        }
    }
}

/// Where the sheet lies on a raster: `pixels = units * scale + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Columns and rows of the raster.
    pub size: [usize; 2],
    /// Pixels for each unit of the sheet.
    pub scale: f32,
    /// The place of the sheet's corner, in pixels.
    pub offset: [f32; 2],
}

impl Frame {
    /// The part of the raster from a column and a row on, of this size.
    #[must_use]
    pub fn part(&self, [column, row]: [usize; 2], size: [usize; 2]) -> Self {
        Self {
            size,
            scale: self.scale,
            offset: [self.offset[0] - column as f32, self.offset[1] - row as f32],
        }
    }

    /// The columns and the rows that a stroke may touch.
    #[must_use]
    pub fn touched(&self, stroke: &Stroke) -> [Range<usize>; 2] {
        // A slanting pixel reaches further than half its side.
        let reach = stroke.width * self.scale * 0.5 + 1.0;
        let axis = |axis: usize, of: fn(&Point) -> f32| {
            let places = stroke.points.iter().map(of);
            let (first, last) = places.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| {
                (a.min(v), b.max(v))
            });
            let place = |v: f32| v * self.scale + self.offset[axis] - 0.5;
            within(place(first) - reach, place(last) + reach, self.size[axis])
        };
        [axis(0, |p| p.x), axis(1, |p| p.y)]
    }

    /// Draws a stroke over a raster of this frame, from its point of this number on.
    ///
    /// # Panics
    /// When the raster has fewer pixels than the frame.
    pub fn stroke(&self, values: &mut [f32], stroke: &Stroke, from: usize) {
        let points = stroke.points.get(from..).unwrap_or(&[]);
        if let [only] = points {
            self.segment(values, [*only, *only], stroke);
        }
        for pair in points.windows(2) {
            self.segment(values, [pair[0], pair[1]], stroke);
        }
    }

    fn segment(&self, values: &mut [f32], [from, to]: [Point; 2], stroke: &Stroke) {
        // In pixels, of which the first has its middle at 0.
        let place = |point: Point| {
            [
                point.x * self.scale + self.offset[0] - 0.5,
                point.y * self.scale + self.offset[1] - 0.5,
            ]
        };
        let line = Line::new(place(from), place(to), stroke.width * self.scale * 0.5);
        let [width, height] = self.size;
        for row in line.rows(height) {
            let columns = line.columns(row, width);
            let pixels = &mut values[row * width + columns.start..row * width + columns.end];
            if stroke.eraser {
                for (at, pixel) in pixels.iter_mut().enumerate() {
                    *pixel = pixel.min(1.0 - line.cover(columns.start + at, row));
                }
            } else {
                for (at, pixel) in pixels.iter_mut().enumerate() {
                    *pixel = pixel.max(line.cover(columns.start + at, row));
                }
            }
        }
    }
}

/// A segment with round caps, in pixels.
struct Line {
    from: [f32; 2],
    /// To its end.
    along: [f32; 2],
    /// One through its squared length; 0 for a dot.
    inverse: f32,
    /// Half of the width.
    radius: f32,
    /// From here on it covers nothing.
    reach: f32,
    profile: Profile,
}

impl Line {
    fn new(from: [f32; 2], to: [f32; 2], radius: f32) -> Self {
        let along = [to[0] - from[0], to[1] - from[1]];
        let squared = along[0] * along[0] + along[1] * along[1];
        let dot = squared < 1e-12;
        let profile = if dot {
            Profile::of([1.0, 0.0])
        } else {
            Profile::of(along.map(|v| v.abs() / squared.sqrt()))
        };
        Self {
            from,
            along,
            inverse: if dot { 0.0 } else { 1.0 / squared },
            radius,
            reach: radius + profile.flat + profile.slope,
            profile,
        }
    }

    #[inline]
    fn cover(&self, column: usize, row: usize) -> f32 {
        let to = [column as f32 - self.from[0], row as f32 - self.from[1]];
        let at = (to[0] * self.along[0] + to[1] * self.along[1]) * self.inverse;
        let at = at.clamp(0.0, 1.0);
        let off = [to[0] - at * self.along[0], to[1] - at * self.along[1]];
        let distance = (off[0] * off[0] + off[1] * off[1]).sqrt();
        let near = self.profile.behind(self.radius - distance);
        let far = self.profile.behind(self.radius + distance);
        // Rounded, the two can be a little more than everything.
        (near + far).clamp(0.0, 1.0)
    }

    /// The rows that it may touch.
    fn rows(&self, side: usize) -> Range<usize> {
        let end = self.from[1] + self.along[1];
        within(
            self.from[1].min(end) - self.reach,
            self.from[1].max(end) + self.reach,
            side,
        )
    }

    /// The columns of a row that it may touch.
    fn columns(&self, row: usize, side: usize) -> Range<usize> {
        let end = self.from[0] + self.along[0];
        let mut left = self.from[0].min(end) - self.reach;
        let mut right = self.from[0].max(end) + self.reach;
        let [dx, dy] = self.along;
        // Of a steep or slanting line the row meets only a stretch of the strip around it.
        if dy.abs() > 1e-3 {
            let middle = self.from[0] + (row as f32 - self.from[1]) * dx / dy;
            let half = self.reach * (1.0 + (dx / dy).powi(2)).sqrt();
            left = left.max(middle - half);
            right = right.min(middle + half);
        }
        within(left, right, side)
    }
}

/// A square pixel as it is seen along a line: how wide it is at each distance from its middle. That is
/// a trapezoid, flat in the middle, with a slope on both sides.
struct Profile {
    /// Half of the flat part.
    flat: f32,
    /// The width of a slope.
    slope: f32,
    /// One through twice that; 0 without a slope.
    bend: f32,
    /// The height of the flat part.
    height: f32,
}

impl Profile {
    /// Seen along this direction, neither part of which is negative.
    fn of([across, down]: [f32; 2]) -> Self {
        let (narrow, wide) = (across.min(down), across.max(down));
        Self {
            flat: 0.5 * (wide - narrow),
            slope: narrow,
            bend: if narrow > 1e-4 { 0.5 / narrow } else { 0.0 },
            height: 1.0 / wide,
        }
    }

    /// The part of the pixel between its middle and a line this far from it; negative on one side.
    #[inline]
    fn behind(&self, distance: f32) -> f32 {
        let far = distance.abs();
        let up = (far - self.flat).clamp(0.0, self.slope);
        let part = (far.min(self.flat) + up - up * up * self.bend) * self.height;
        part.copysign(distance)
    }
}

/// The whole numbers from `first` to `last`, of those below `side`.
fn within(first: f32, last: f32, side: usize) -> Range<usize> {
    let start = (first.ceil().max(0.0) as usize).min(side);
    let end = ((last.floor() + 1.0).max(0.0) as usize).min(side);
    start..end.max(start)
}
