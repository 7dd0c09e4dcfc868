//! A figure of triangles that can be turned: the same picture as [`crate::human::raster`] draws,
//! fast enough to follow a hand.
//!
//! egui's own pass has no depth buffer, so a figure is drawn beside it, in three passes: what the
//! key light sees, how near each pixel is, and the colours, four samples a pixel. Hair lets light
//! through at random by its alpha in each sample, which needs no order of triangles. The picture is
//! kept, and drawn again only when the figure, its turn or its size change; at rest it has four
//! times the texels that it has while it is turned, unless the view is very large.
//!
//! What differs from the software picture: texels that are smaller than pixels are averaged
//! beforehand, a pixel's colour is lit for each triangle in it rather than once for each surface,
//! and the random samples of hair are others.

mod orbit;
mod paint;
pub(in crate::view) mod pipeline;
mod resources;
mod scene;
mod target;
mod uniforms;

use std::sync::Arc;

use egui::{EventFilter, Key, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo};

pub use self::orbit::Orbit;
pub use self::scene::{Mesh, Scene, Vertex};

use self::paint::{PaintMesh, Slot};
use super::zoom::{Zooming, zooming};
use super::{NO_FIGURES, NO_GRAPHICS, Views, notice_ui};

/// The most pixels that are drawn with four times the texels: 150 MB on the graphics card.
const MOST_FINE: u32 = 750_000;
/// How far an arrow key turns, radians.
const STEP: f32 = 0.1;
/// How many points of the wheel enlarge by e.
const WHEEL: f32 = 300.0;

/// Shows a [`Scene`], such as a person.
///
/// Dragging turns it, the wheel or a pinch enlarges it at the pointer, a double click puts it back.
/// With keyboard focus arrows turn it, `+` and `-` enlarge and `0` puts it back.
pub struct MeshView {
    /// How it is turned.
    pub orbit: Orbit,
    label: String,
    scene: Option<Arc<Scene>>,
    slot: Slot,
}

impl MeshView {
    /// A view named to screen readers and tests, without a figure yet.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            orbit: Orbit::default(),
            label: label.into(),
            scene: None,
            slot: Slot::default(),
        }
    }

    /// Shows this scene from now on, turned as it is. Cheap to call every frame: the same `Arc` is
    /// not uploaded again.
    pub fn set(&mut self, scene: &Arc<Scene>) {
        // The view keeps its Arc, so no other scene can come to lie at the same address.
        if !(self.scene.as_ref()).is_some_and(|old| Arc::ptr_eq(old, scene)) {
            self.scene = Some(Arc::clone(scene));
        }
    }

    /// Shows nothing, and frees what it had on the graphics card.
    pub fn clear(&mut self) {
        self.scene = None;
        self.slot = Slot::default();
    }

    /// Draws the view, `size` points large.
    pub fn show(&mut self, ui: &mut Ui, size: Vec2) -> Response {
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let enabled = ui.is_enabled();
        ui.painter()
            .rect_filled(rect, 0.0, ui.visuals().extreme_bg_color);
        if let Some(scene) = self.scene.clone() {
            self.interact(ui, &response);
            match Views::of(ui.ctx()) {
                Some(views) if views.can_turn() => self.paint(ui, &response, views, scene),
                Some(_) => notice_ui(ui, rect, NO_FIGURES),
                None => notice_ui(ui, rect, NO_GRAPHICS),
            }
        }
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Image, enabled, &self.label);
            info.current_text_value = self.scene.is_some().then(|| self.spoken());
            info
        });
        if response.has_focus() {
            let stroke = ui.visuals().selection.stroke;
            ui.painter()
                .rect_stroke(rect, 0.0, stroke, egui::StrokeKind::Inside);
        }
        response
    }

    fn interact(&mut self, ui: &Ui, response: &Response) {
        if response.clicked() || response.drag_started() {
            response.request_focus();
        }
        let rect = response.rect;
        let side = rect.size().min_elem().max(1.0);
        self.orbit.drag((response.drag_delta() / side).into());
        let Zooming { factor, at, fit } = zooming(ui, response);
        let mut factor = factor;
        if response.hovered() {
            // Taken from the page, which does not scroll under a figure that grows.
            let wheel = ui.input_mut(|input| std::mem::take(&mut input.smooth_scroll_delta.y));
            factor *= (wheel / WHEEL).exp();
        }
        #[expect(clippy::float_cmp, reason = "exactly 1 unless something was turned")]
        if factor != 1.0 {
            let from_middle = (at - rect.center()) / side;
            self.orbit.zoom_at(factor, from_middle.into());
        }
        if response.has_focus() {
            self.keys(ui, response);
        }
        if fit {
            self.orbit = Orbit::default();
        }
    }

    fn keys(&mut self, ui: &Ui, response: &Response) {
        ui.memory_mut(|memory| {
            let filter = EventFilter {
                horizontal_arrows: true,
                vertical_arrows: true,
                ..EventFilter::default()
            };
            memory.set_focus_lock_filter(response.id, filter);
        });
        let [yaw, pitch] = ui.input(|input| {
            let by = |more, less| input.num_presses(more) as f32 - input.num_presses(less) as f32;
            [
                by(Key::ArrowRight, Key::ArrowLeft),
                by(Key::ArrowDown, Key::ArrowUp),
            ]
        });
        self.orbit.turn(yaw * STEP, pitch * STEP);
    }

    /// How it is turned, in words.
    fn spoken(&self) -> String {
        let Orbit {
            yaw, pitch, zoom, ..
        } = self.orbit;
        let turned = |angle: f32, [less, more]: [&str; 2]| {
            let degrees = angle.to_degrees().round();
            let to = if degrees < 0.0 { less } else { more };
            (degrees != 0.0).then(|| format!("{} degrees {to}", degrees.abs()))
        };
        let parts = [
            turned(yaw, ["to the left", "to the right"]),
            turned(pitch, ["up", "down"]),
            ((zoom - 1.0).abs() > 0.005).then(|| format!("{zoom:.1} times as large")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            "as it came".to_owned()
        } else {
            parts.join(", ")
        }
    }

    fn paint(&self, ui: &Ui, response: &Response, views: Views, scene: Arc<Scene>) {
        let rect = response.rect;
        if !rect.is_positive() || !ui.is_rect_visible(rect) {
            return;
        }
        let pixels = ui.ctx().pixels_per_point();
        let most = views.0.max_side;
        let side = |points: f32| ((points * pixels).round() as u32).clamp(1, most);
        let size_px = [side(rect.width()), side(rect.height())];
        let fine = !response.dragged()
            && size_px[0] * size_px[1] <= MOST_FINE
            && size_px.iter().all(|&side| side * 2 <= most);
        let origin = (rect.min.to_vec2() * pixels).round();
        let shown = Rect::from_min_size(
            (origin / pixels).to_pos2(),
            Vec2::from(size_px.map(|n| n as f32)) / pixels,
        );
        let paint = PaintMesh {
            views,
            slot: Arc::clone(&self.slot),
            camera: self.orbit.camera(&scene.camera),
            scene,
            origin_px: origin.into(),
            size_px,
            detail: if fine { 2 } else { 1 },
        };
        ui.painter()
            .with_clip_rect(rect.intersect(ui.clip_rect()))
            .add(egui_wgpu::Callback::new_paint_callback(shown, paint));
    }
}
