//! Small pixels, large: shown as squares, and painted on.

use egui::{Color32, Pos2, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use crate::demos::pulse::pixels::Pixels;

/// What a canvas was touched for.
pub(super) struct Touched {
    /// The column and row under a pressed pointer.
    pub(super) cell: Option<[usize; 2]>,
    /// The pointer's button was let go: a stroke is done.
    pub(super) done: bool,
}

/// Shows pixels as squares `side` points large together.
pub(super) fn canvas_ui(ui: &mut Ui, pixels: &Pixels, side: f32, label: &str) -> Touched {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::click_and_drag());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Image, enabled, label));
    draw(ui, pixels, rect);
    if response.has_focus() {
        let stroke = ui.visuals().selection.stroke;
        ui.painter()
            .rect_stroke(rect, 0.0, stroke, egui::StrokeKind::Inside);
    }
    let pressed = response.is_pointer_button_down_on() || response.clicked();
    Touched {
        cell: pressed
            .then(|| response.interact_pointer_pos())
            .flatten()
            .and_then(|at| cell(rect, at, pixels.side)),
        done: finished(&response),
    }
}

fn finished(response: &Response) -> bool {
    response.drag_stopped() || response.clicked()
}

fn cell(rect: Rect, at: Pos2, side: usize) -> Option<[usize; 2]> {
    let place = (at - rect.min) / rect.size() * side as f32;
    let inside = |v: f32| (v >= 0.0 && v < side as f32).then_some(v as usize);
    Some([inside(place.x)?, inside(place.y)?])
}

/// Draws pixels as squares into a rectangle; edges fall on whole pixels of the window.
#[expect(clippy::disallowed_methods, reason = "the colours are the picture's")]
pub(super) fn draw(ui: &Ui, pixels: &Pixels, rect: Rect) {
    let scale = ui.ctx().pixels_per_point();
    let edge = |from: f32, length: f32, at: usize| {
        ((from + length * at as f32 / pixels.side as f32) * scale).round() / scale
    };
    let painter = ui.painter();
    for (at, [r, g, b]) in pixels.to_rgb().into_iter().enumerate() {
        let (column, row) = (at % pixels.side, at / pixels.side);
        let corner = |column, row| {
            Pos2::new(
                edge(rect.left(), rect.width(), column),
                edge(rect.top(), rect.height(), row),
            )
        };
        let square = Rect::from_min_max(corner(column, row), corner(column + 1, row + 1));
        painter.rect_filled(square, 0.0, Color32::from_rgb(r, g, b));
    }
}

/// Shows pixels as a picture that cannot be touched.
pub(super) fn twin_ui(ui: &mut Ui, pixels: &Pixels, side: f32, label: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Image, enabled, label));
    draw(ui, pixels, rect);
}
