//! The ink in the window: a texture with a pixel for each pixel of the window, so that lines are sharp
//! at any zoom, and what is erased shows what lies below.
//!
//! Finished strokes stay in a raster. The stroke under way is drawn over a copy of the part that it
//! touches, and only that part of the texture is written anew.

use std::ops::Range;

use egui::{
    Color32, ColorImage, Context, Painter, Rect, TextureHandle, TextureOptions, pos2, vec2,
};

use super::view::{Transform, on_pixels};
use crate::demos::face_drawing::drawing::{Frame, Sketch, Stroke};

/// The most pixels of the texture; on larger canvases they are enlarged.
const MAX_PIXELS: f32 = 2.5e6;
/// All of a texture that is drawn.
const WHOLE: Rect = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));

/// Columns and rows of the raster.
type Area = [Range<usize>; 2];

/// The ink of a sketch.
#[derive(Default)]
pub(super) struct Layer {
    texture: Option<TextureHandle>,
    /// What the raster was drawn for.
    state: Option<State>,
    /// Finished strokes.
    values: Vec<f32>,
    /// How many of the sketch's strokes they are.
    drawn: usize,
    /// What the strokes under way have covered in the texture.
    live: Option<Area>,
}

#[derive(Clone, Copy, PartialEq)]
struct State {
    frame: Frame,
    generation: u64,
}

impl Layer {
    /// Draws the part of a sketch, and of strokes under way, that is seen in a canvas. `generation`
    /// changes when the sketch's scan or strokes that were there are no longer what they were.
    pub(super) fn paint(
        &mut self,
        painter: &Painter,
        transform: &Transform,
        (sketch, generation): (&Sketch, u64),
        live: &[Stroke],
        color: Color32,
    ) {
        let seen = transform.sheet().intersect(painter.clip_rect());
        if !seen.is_positive() {
            return;
        }
        let pixels = painter.ctx().pixels_per_point();
        let most = (MAX_PIXELS / seen.area()).sqrt();
        let density = pixels.min(most);
        let rect = on_pixels(seen, density);
        let size = (rect.size() * density).round();
        let offset = (transform.origin - rect.min) * density;
        let frame = Frame {
            size: [size.x.max(1.0) as usize, size.y.max(1.0) as usize],
            scale: transform.scale * density,
            offset: offset.into(),
        };
        self.update(painter.ctx(), State { frame, generation }, sketch, live);
        if let Some(texture) = &self.texture {
            painter
                .with_clip_rect(seen)
                .image(texture.id(), rect, WHOLE, color);
        }
    }

    fn update(&mut self, ctx: &Context, state: State, sketch: &Sketch, live: &[Stroke]) {
        let strokes = &sketch.drawing.strokes;
        let frame = state.frame;
        let fits = self.state == Some(state) && self.drawn <= strokes.len();
        if !fits {
            self.values = match &sketch.scan {
                Some(scan) => scan.on(&frame),
                None => vec![0.0; frame.size[0] * frame.size[1]],
            };
            self.drawn = 0;
            self.state = Some(state);
        }
        let mut dirty = self.live.take().filter(|_| fits);
        for stroke in &strokes[self.drawn..] {
            frame.stroke(&mut self.values, stroke, 0);
            dirty = union(dirty, frame.touched(stroke));
        }
        self.drawn = strokes.len();
        for stroke in live {
            let touched = frame.touched(stroke);
            dirty = union(dirty, touched.clone());
            self.live = union(self.live.take(), touched);
        }
        match &mut self.texture {
            Some(texture) if fits => {
                if let Some([columns, rows]) = dirty {
                    let corner = [columns.start, rows.start];
                    let image = shown(&self.values, frame, [columns, rows], live);
                    texture.set_partial(corner, image, TextureOptions::LINEAR);
                }
            }
            texture => {
                let all = [0..frame.size[0], 0..frame.size[1]];
                let image = shown(&self.values, frame, all, live);
                match texture {
                    Some(texture) => texture.set(image, TextureOptions::LINEAR),
                    None => {
                        *texture = Some(ctx.load_texture("ink", image, TextureOptions::LINEAR));
                    }
                }
            }
        }
    }
}

/// The area around both; none where they are empty.
fn union(a: Option<Area>, [columns, rows]: Area) -> Option<Area> {
    let around = |a: &Range<usize>, b: Range<usize>| a.start.min(b.start)..a.end.max(b.end);
    if columns.is_empty() || rows.is_empty() {
        return a;
    }
    Some(match a {
        Some([c, r]) => [around(&c, columns), around(&r, rows)],
        None => [columns, rows],
    })
}

/// A part of a raster with the strokes under way, as white of the ink's opacity.
fn shown(values: &[f32], frame: Frame, [columns, rows]: Area, live: &[Stroke]) -> ColorImage {
    let size = [columns.len(), rows.len()];
    let mut part = Vec::with_capacity(size[0] * size[1]);
    for row in rows.clone() {
        let start = row * frame.size[0];
        part.extend_from_slice(&values[start + columns.start..start + columns.end]);
    }
    let within = frame.part([columns.start, rows.start], size);
    for stroke in live {
        within.stroke(&mut part, stroke, 0);
    }
    white(size, &part)
}

/// White whose opacity is given, to be tinted.
pub(super) fn white([width, height]: [usize; 2], opacity: &[f32]) -> ColorImage {
    let pixels = opacity
        .iter()
        .map(|value| Color32::from_white_alpha((value.clamp(0.0, 1.0) * 255.0).round() as u8))
        .collect();
    ColorImage {
        size: [width, height],
        source_size: vec2(width as f32, height as f32),
        pixels,
    }
}
