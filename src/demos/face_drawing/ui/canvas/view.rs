//! How the sheet lies in the window: zoomed and moved.

use egui::{Pos2, Rect, Vec2, pos2, vec2};

use crate::demos::face_drawing::drawing::{Point, SIDE};

/// Around a sheet that is seen whole, in points of the window.
const MARGIN: f32 = 10.0;
/// How far one can zoom out and in; 1 shows the whole sheet.
const LEAST: f32 = 0.5;
const MOST: f32 = 24.0;

/// What part of the sheet is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct View {
    /// 1 where the whole sheet is seen.
    zoom: f32,
    /// The place of the sheet in the middle of the canvas, in units.
    center: Vec2,
}

impl Default for View {
    fn default() -> Self {
        Self {
            zoom: 1.0,
            center: Vec2::splat(SIDE * 0.5),
        }
    }
}

/// From units of the sheet to points of the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transform {
    /// Points for each unit.
    pub(super) scale: f32,
    /// Where the sheet's corner lies.
    pub(super) origin: Pos2,
}

impl View {
    /// How the sheet lies in a canvas.
    pub(super) fn transform(&self, canvas: Rect) -> Transform {
        let room = (canvas.size().min_elem() - 2.0 * MARGIN).max(16.0);
        let scale = room / SIDE * self.zoom;
        Transform {
            scale,
            origin: canvas.center() - self.center * scale,
        }
    }

    /// Zooms by a factor; the place under `at` stays where it is.
    pub(super) fn zoom_by(&mut self, factor: f32, at: Pos2, canvas: Rect) {
        let before = self.transform(canvas).units(at);
        self.zoom = (self.zoom * factor).clamp(LEAST, MOST);
        let after = self.transform(canvas).units(at);
        self.move_by(vec2(before.x - after.x, before.y - after.y));
    }

    /// Moves the sheet with a drag of so many points.
    pub(super) fn drag(&mut self, delta: Vec2, canvas: Rect) {
        self.move_by(-delta / self.transform(canvas).scale);
    }

    fn move_by(&mut self, units: Vec2) {
        self.center = (self.center + units).clamp(Vec2::ZERO, Vec2::splat(SIDE));
    }

    /// Whether the whole sheet is seen in the middle.
    pub(super) fn is_whole(&self) -> bool {
        *self == Self::default()
    }

    /// In percent of the size at which the whole sheet is seen.
    pub(super) fn percent(&self) -> f32 {
        self.zoom * 100.0
    }
}

impl Transform {
    /// A place in the window as one on the sheet.
    pub(super) fn units(&self, place: Pos2) -> Point {
        let units = (place - self.origin) / self.scale;
        Point::new(units.x, units.y)
    }

    /// A place on the sheet as one in the window.
    pub(super) fn window(&self, point: Point) -> Pos2 {
        self.origin + vec2(point.x, point.y) * self.scale
    }

    /// A square of the sheet in the window.
    pub(super) fn square(&self, corner: [f32; 2], side: f32) -> Rect {
        let corner = self.window(Point::from(corner));
        Rect::from_min_size(corner, Vec2::splat(side * self.scale))
    }

    /// The sheet in the window.
    pub(super) fn sheet(&self) -> Rect {
        self.square([0.0, 0.0], SIDE)
    }
}

/// A rectangle whose edges are those of whole pixels.
pub(super) fn on_pixels(rect: Rect, pixels: f32) -> Rect {
    let out = |v: f32| (v * pixels).floor() / pixels;
    let up = |v: f32| (v * pixels).ceil() / pixels;
    Rect::from_min_max(
        pos2(out(rect.min.x), out(rect.min.y)),
        pos2(up(rect.max.x), up(rect.max.y)),
    )
}

#[cfg(test)]
mod tests {
    use egui::{Rect, pos2, vec2};

    use super::View;
    use crate::demos::face_drawing::drawing::Point;

    fn canvas() -> Rect {
        Rect::from_min_size(pos2(30.0, 40.0), vec2(532.0, 700.0))
    }

    #[test]
    fn the_whole_sheet_lies_in_the_middle() {
        let sheet = View::default().transform(canvas()).sheet();
        assert_eq!(sheet.size(), vec2(512.0, 512.0));
        assert_eq!(sheet.center(), canvas().center());
    }

    #[test]
    fn the_place_under_the_pointer_stays_while_zooming() {
        let mut view = View::default();
        let at = pos2(200.0, 333.0);
        let before = view.transform(canvas()).units(at);
        for factor in [1.7, 1.7, 0.8] {
            view.zoom_by(factor, at, canvas());
            let after = view.transform(canvas()).units(at);
            assert!(before.distance(after) < 1e-3, "{before:?} became {after:?}");
        }
        view.zoom_by(1e9, at, canvas());
        assert!(view.percent() < 2500.0);
    }

    #[test]
    fn the_sheet_follows_a_drag_and_cannot_be_lost() {
        let mut view = View::default();
        let there = view.transform(canvas()).window(Point::new(10.0, 20.0));
        view.drag(vec2(15.0, -7.0), canvas());
        let moved = view.transform(canvas()).window(Point::new(10.0, 20.0));
        assert!((moved - there - vec2(15.0, -7.0)).length() < 1e-3);
        view.drag(vec2(1e6, 1e6), canvas());
        assert!(view.transform(canvas()).sheet().intersects(canvas()));
    }
}
