//! The square of a picture that is shrunk, drawn on the picture by hand.

use std::sync::Arc;

use egui::{CursorIcon, Pos2, Rect, Stroke, StrokeKind, Ui, Vec2, vec2};

use crate::data::Image;
use crate::demos::pulse::input::Crop;
use crate::demos::pulse::pixels::SIDES;
use crate::view::{ImageView, Placement};

/// The picture is at most this much higher than wide on the screen.
const HIGHEST: f32 = 1.3;

/// What a drag does.
#[derive(Clone, Copy)]
enum Drag {
    /// Draws a new square from a corner, in the picture's pixels.
    New(Vec2),
    /// Moves the square, whose corner lies so far from the pointer.
    Move(Vec2),
}

/// The picture with its square.
pub(super) struct CropView {
    view: ImageView,
    drag: Option<Drag>,
}

impl CropView {
    pub(super) fn new() -> Self {
        Self {
            view: ImageView::new("Your picture, with the square that is shrunk"),
            drag: None,
        }
    }

    /// Shows the picture `width` points wide. True when the square was changed: dragging from within it
    /// moves it, from elsewhere draws another.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        image: &Arc<Image>,
        crop: &mut Crop,
        width: f32,
    ) -> bool {
        self.view.set(image);
        let high = image.height as f32 / image.width.max(1) as f32;
        // Dragging draws here, so the picture stays whole.
        self.view.fit();
        let size = vec2(width, width * high.min(HIGHEST));
        let shown = self.view.show(ui, size);
        let Some(placement) = shown.placement else {
            return false;
        };
        let response = shown.response.on_hover_cursor(CursorIcon::Crosshair);
        let before = *crop;
        if let Some(pointer) = response.interact_pointer_pos() {
            let at = placement.cells_from_window(pointer);
            if response.drag_started() {
                let origin = ui.input(|input| input.pointer.press_origin());
                let from = placement.cells_from_window(origin.unwrap_or(pointer));
                self.drag = Some(begun(*crop, from));
            }
            match self.drag.filter(|_| response.dragged()) {
                Some(Drag::New(from)) => *crop = between(image, from, at),
                Some(Drag::Move(off)) => *crop = moved(image, *crop, at - off),
                None => {}
            }
        }
        if response.drag_stopped() {
            self.drag = None;
        }
        outline(ui, &placement, *crop);
        before != *crop
    }
}

fn begun(crop: Crop, from: Vec2) -> Drag {
    let corner = vec2(crop.left as f32, crop.top as f32);
    let inside = Rect::from_min_size(corner.to_pos2(), Vec2::splat(crop.side as f32));
    if inside.contains(from.to_pos2()) {
        Drag::Move(from - corner)
    } else {
        Drag::New(from)
    }
}

/// The largest square from a corner towards the pointer that lies within the picture.
fn between(image: &Image, from: Vec2, to: Vec2) -> Crop {
    let most = vec2(image.width as f32, image.height as f32);
    let from = from.clamp(Vec2::ZERO, most);
    let off = to.clamp(Vec2::ZERO, most) - from;
    let side = off.x.abs().min(off.y.abs()).max(SIDES.start as f32);
    let corner = |from: f32, off: f32| if off < 0.0 { from - side } else { from };
    Crop {
        left: corner(from.x, off.x).max(0.0).round() as u32,
        top: corner(from.y, off.y).max(0.0).round() as u32,
        side: side.round() as u32,
    }
    .within(image)
}

fn moved(image: &Image, crop: Crop, corner: Vec2) -> Crop {
    Crop {
        left: corner.x.max(0.0).round() as u32,
        top: corner.y.max(0.0).round() as u32,
        ..crop
    }
    .within(image)
}

/// The square, on a darker line so that it is seen before any picture.
fn outline(ui: &Ui, placement: &Placement, crop: Crop) {
    let corner = |x: u32, y: u32| -> Pos2 { placement.window_from_cells(vec2(x as f32, y as f32)) };
    let rect = Rect::from_min_max(
        corner(crop.left, crop.top),
        corner(crop.left + crop.side, crop.top + crop.side),
    );
    let visuals = ui.visuals();
    let painter = ui.painter();
    let dark = Stroke::new(3.0, visuals.extreme_bg_color);
    painter.rect_stroke(rect, 0.0, dark, StrokeKind::Middle);
    let light = Stroke::new(1.5, visuals.selection.stroke.color);
    painter.rect_stroke(rect, 0.0, light, StrokeKind::Middle);
}

#[cfg(test)]
mod tests {
    use egui::vec2;

    use super::{Drag, begun, between, moved};
    use crate::data::Image;
    use crate::demos::pulse::input::Crop;

    #[test]
    fn a_drag_within_the_square_moves_it_and_another_draws_a_new_one() {
        let image = Image::filled(100, 60, [0; 4]);
        let crop = Crop {
            left: 10,
            top: 10,
            side: 20,
        };
        assert!(matches!(begun(crop, vec2(15.0, 15.0)), Drag::Move(_)));
        assert!(matches!(begun(crop, vec2(40.0, 15.0)), Drag::New(_)));
        let crop = moved(&image, crop, vec2(95.0, -4.0));
        assert_eq!((crop.left, crop.top, crop.side), (80, 0, 20));
        // Towards the upper left, as far as the shorter way.
        let crop = between(&image, vec2(50.0, 40.0), vec2(20.0, 30.0));
        assert_eq!((crop.left, crop.top, crop.side), (40, 30, 10));
        let crop = between(&image, vec2(90.0, 50.0), vec2(400.0, 400.0));
        assert_eq!((crop.left, crop.top, crop.side), (90, 50, 10));
    }
}
