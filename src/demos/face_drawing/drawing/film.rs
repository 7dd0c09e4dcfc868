//! A sketch as a picture, and as a film of its making.

use super::{Drawing, Ink, Sketch, Stroke};
use crate::data::Image;

/// The most pictures of a film, and how long each is seen in milliseconds.
const FRAMES: usize = 72;
const FRAME_TIME: u32 = 60;
/// The first picture, of an empty sheet or a scan, and the last one.
const FIRST_TIME: u32 = 300;
const LAST_TIME: u32 = 2000;

/// A sketch on white paper, `side * side` pixels.
#[must_use]
pub fn picture(sketch: &Sketch, side: usize) -> Image {
    sketch.ink(side).to_image()
}

/// A sketch being made, stroke by stroke: pictures with the milliseconds that each is seen for. Long
/// strokes take longer than short ones.
#[must_use]
pub fn making(sketch: &Sketch, side: usize) -> Vec<(Image, u32)> {
    let strokes = &sketch.drawing.strokes;
    let bare = Sketch {
        scan: sketch.scan.clone(),
        drawing: Drawing::default(),
    };
    let mut frames = vec![(picture(&bare, side), FIRST_TIME)];
    let lengths: Vec<f32> = strokes.iter().map(length).collect();
    let total: f32 = lengths.iter().sum();
    let steps = strokes.len().clamp(24, FRAMES);
    // Everything before the stroke that is being drawn.
    let mut done = (bare.ink(side), 0, 0.0_f32);
    for step in 1..=steps {
        if strokes.is_empty() {
            break;
        }
        let until = total * step as f32 / steps as f32;
        let (ink, number, before) = &mut done;
        while *number < strokes.len() && *before + lengths[*number] <= until + 1e-3 * total {
            ink.stroke(&strokes[*number]);
            *before += lengths[*number];
            *number += 1;
        }
        let mut shown: Ink = ink.clone();
        if let Some(stroke) = strokes.get(*number) {
            shown.stroke(&beginning(stroke, until - *before));
        }
        frames.push((shown.to_image(), FRAME_TIME));
    }
    if let Some((_, time)) = frames.last_mut() {
        *time = LAST_TIME;
    }
    frames
}

/// How long a stroke takes to draw: its length, and something for putting the pen down.
fn length(stroke: &Stroke) -> f32 {
    let pairs = stroke.points.windows(2);
    20.0 + pairs.map(|pair| pair[0].distance(pair[1])).sum::<f32>()
}

/// The beginning of a stroke, this long.
fn beginning(stroke: &Stroke, length: f32) -> Stroke {
    let mut left = length.max(0.0);
    let mut points: Vec<_> = stroke.points.iter().take(1).copied().collect();
    for pair in stroke.points.windows(2) {
        let step = pair[0].distance(pair[1]);
        if step >= left {
            points.push(pair[0].toward(pair[1], left / step.max(f32::MIN_POSITIVE)));
            break;
        }
        points.push(pair[1]);
        left -= step;
    }
    Stroke {
        points,
        width: stroke.width,
        eraser: stroke.eraser,
    }
}
