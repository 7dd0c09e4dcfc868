//! Thousands of anti-aliased shapes in one draw call.
//!
//! A [`Shape`] is a line of numbers; `shaders/shapes.wgsl` makes a signed distance of it. egui's
//! own painter tessellates shapes on the processor at every frame, which is felt from a few
//! thousand on; and it has no blur and no shading. Text stays with egui: it is painted afterwards.

mod figure;
mod paint;

use egui::{Color32, Pos2, Rect, Ui, Vec2, pos2};

pub use self::figure::Figure;
pub(super) use self::paint::INSTANCES;

use self::paint::{Content, PaintShapes, Slot};
use super::{NO_GRAPHICS, Views, notice_ui};

/// Which distance the shader computes, by the same numbers as there.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Kind {
    Box,
    Cross,
    Arc,
    Line,
    Link,
    Figure,
}

/// A shape in one colour, with a border inside its edge if it is given one. Lengths are in points.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Shape {
    places: [f32; 4],
    radius: f32,
    border: f32,
    blur: f32,
    shade: f32,
    fill: [u8; 4],
    edge: [u8; 4],
    kind: u32,
    figure: u32,
}

impl Shape {
    fn new(kind: Kind, [a, b]: [[f32; 2]; 2], radius: f32, fill: Color32) -> Self {
        Self {
            places: [a[0], a[1], b[0], b[1]],
            radius,
            border: 0.0,
            blur: 0.0,
            shade: 0.0,
            fill: fill.to_array(),
            edge: [0; 4],
            kind: kind as u32,
            figure: 0,
        }
    }

    /// A rectangle with round corners.
    #[must_use]
    pub fn rect(rect: Rect, corner: f32, fill: Color32) -> Self {
        let half = rect.size() * 0.5;
        let corner = corner.min(half.min_elem()).max(0.0);
        Self::new(Kind::Box, [rect.center().into(), half.into()], corner, fill)
    }

    /// A disc.
    #[must_use]
    pub fn disc(center: Pos2, radius: f32, fill: Color32) -> Self {
        Self::rect(
            Rect::from_center_size(center, Vec2::splat(2.0 * radius)),
            radius,
            fill,
        )
    }

    /// A circle's line, `radius` in its middle.
    #[must_use]
    pub fn ring(center: Pos2, radius: f32, width: f32, color: Color32) -> Self {
        Self::arc(center, radius, width, 1.0, color)
    }

    /// The `part` in `[0, 1]` of a circle's line, clockwise from the top.
    #[must_use]
    pub fn arc(center: Pos2, radius: f32, width: f32, part: f32, color: Color32) -> Self {
        let part = part.clamp(0.0, 1.0);
        Self::new(
            Kind::Arc,
            [center.into(), [radius, part]],
            width * 0.5,
            color,
        )
    }

    /// Two strokes from corner to corner of a square with this half side.
    #[must_use]
    pub fn cross(center: Pos2, half: f32, width: f32, color: Color32) -> Self {
        Self::new(
            Kind::Cross,
            [center.into(), [half, half]],
            width * 0.5,
            color,
        )
    }

    /// A straight line with round ends.
    #[must_use]
    pub fn line(from: Pos2, to: Pos2, width: f32, color: Color32) -> Self {
        Self::new(Kind::Line, [from.into(), to.into()], width * 0.5, color)
    }

    /// A curve that leaves `from` downwards and comes into `to` from above.
    #[must_use]
    pub fn link(from: Pos2, to: Pos2, width: f32, color: Color32) -> Self {
        // The shader divides by the height.
        let to = pos2(to.x, to.y.max(from.y + 0.01));
        Self::new(Kind::Link, [from.into(), to.into()], width * 0.5, color)
    }

    /// A chess piece that stands in a square.
    #[must_use]
    pub fn figure(center: Pos2, side: f32, figure: Figure, fill: Color32) -> Self {
        let half = side * 0.5;
        Self {
            figure: figure as u32,
            ..Self::new(Kind::Figure, [center.into(), [half, half]], 0.0, fill)
        }
    }

    /// Adds a border inside the edge.
    #[must_use]
    pub fn bordered(self, width: f32, color: Color32) -> Self {
        Self {
            border: width,
            edge: color.to_array(),
            ..self
        }
    }

    /// Blurs the edge over this many points: a shadow.
    #[must_use]
    pub fn blurred(self, width: f32) -> Self {
        Self {
            blur: width,
            ..self
        }
    }

    /// Shades the fill: up to 1 as something round in light from the upper left, down to -1 as
    /// something flat that is lit from above.
    #[must_use]
    pub fn shaded(self, strength: f32) -> Self {
        Self {
            shade: strength,
            ..self
        }
    }

    /// The same, moved.
    #[must_use]
    pub fn moved(mut self, by: Vec2) -> Self {
        self.places[0] += by.x;
        self.places[1] += by.y;
        if self.kind == Kind::Line as u32 || self.kind == Kind::Link as u32 {
            self.places[2] += by.x;
            self.places[3] += by.y;
        }
        self
    }
}

/// Draws [`Shape`]s in their order, later ones over earlier ones. Kept between frames.
#[derive(Default)]
pub struct Shapes {
    content: Content,
    slot: Slot,
}

impl Shapes {
    /// Draws these shapes inside `rect`. The places of the shapes count from its upper left corner,
    /// so that a view that only moved is not uploaded again; nor are shapes equal to the last ones.
    ///
    /// Where there is no graphics adapter a line of text stands in their place.
    pub fn show(&mut self, ui: &mut Ui, rect: Rect, shapes: Vec<Shape>) {
        let Some(views) = Views::of(ui.ctx()) else {
            notice_ui(ui, rect, NO_GRAPHICS);
            return;
        };
        self.content.set(shapes);
        let shown = rect.intersect(ui.clip_rect());
        if !shown.is_positive() || self.content.shapes.is_empty() {
            return;
        }
        let pixels = ui.ctx().pixels_per_point();
        let origin = (rect.min.to_vec2() * pixels).round();
        let paint = PaintShapes::new(views, &self.slot, &self.content, origin, pixels);
        ui.painter()
            .with_clip_rect(shown)
            .add(egui_wgpu::Callback::new_paint_callback(shown, paint));
    }
}
