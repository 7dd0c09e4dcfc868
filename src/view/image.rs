//! A picture that can be zoomed and panned.

use std::sync::Arc;

use egui::{Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use super::paint::{Paint, Slot, Texels};
use super::pipeline::Program;
use super::zoom::{Zooming, zooming};
use super::{NO_GRAPHICS, Placement, Views, notice_ui};
use crate::data::Image;

/// From this many pixels of the window per pixel of the picture on, those are shown as squares.
const NEAREST_FROM: f32 = 2.0;
/// The side of the squares behind transparent pixels, in points.
const CHECKER: f32 = 8.0;
/// How far one can zoom in, in pixels of the window per pixel of the picture.
const MAX_SCALE: f32 = 64.0;

/// Shows an [`Image`], enlarged as squares and shrunk smoothly, over a checkerboard.
///
/// Ctrl and wheel, or a pinch, zooms at the pointer; dragging pans; a double click fits the whole
/// picture again. With keyboard focus `+`, `-` and `0` do the same.
pub struct ImageView {
    label: String,
    image: Option<Arc<Image>>,
    revision: u64,
    /// `None` while the whole picture is fitted.
    zoom: Option<Zoom>,
    slot: Slot,
}

#[derive(Clone, Copy)]
struct Zoom {
    /// Points per pixel of the picture.
    scale: f32,
    /// The place in the picture, in its pixels, that is in the middle of the view.
    center: Vec2,
}

/// What a shown [`ImageView`] answers.
pub struct ImageResponse {
    /// Clicks, drags and the pointer.
    pub response: Response,
    /// Where the picture lies, for overlays; `None` while there is none.
    pub placement: Option<Placement>,
    /// The column and row of the pixel under the pointer.
    pub pixel: Option<[u32; 2]>,
}

/// The same fields as `View` in shaders/image.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Uniforms {
    origin_px: [f32; 2],
    texels_per_px: f32,
    checker_px: f32,
    checker_even: [f32; 4],
    checker_odd: [f32; 4],
    nearest: u32,
    pad: [u32; 3],
}

impl ImageView {
    /// A view named to screen readers and tests, without a picture yet.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            image: None,
            revision: 0,
            zoom: None,
            slot: Slot::default(),
        }
    }

    /// Shows this picture from now on. Cheap to call every frame: the same `Arc` is not uploaded
    /// again, and another one of the same size reuses the texture and keeps the zoom.
    pub fn set(&mut self, image: &Arc<Image>) {
        // The view keeps its Arc, so no other picture can come to lie at the same address.
        let old = self.image.as_ref();
        if old.is_some_and(|old| Arc::ptr_eq(old, image)) {
            return;
        }
        if old.is_none_or(|old| (old.width, old.height) != (image.width, image.height)) {
            self.zoom = None;
        }
        self.image = Some(Arc::clone(image));
        self.revision += 1;
    }

    /// Shows nothing, and frees the texture.
    pub fn clear(&mut self) {
        self.image = None;
        self.zoom = None;
        self.slot = Slot::default();
    }

    /// The picture shown.
    #[must_use]
    pub fn image(&self) -> Option<&Arc<Image>> {
        self.image.as_ref()
    }

    /// Fits the whole picture.
    pub fn fit(&mut self) {
        self.zoom = None;
    }

    /// Zooms to `scale` points per pixel of the picture, with the picture's place `center`, in its
    /// pixels, in the middle.
    pub fn zoom_to(&mut self, scale: f32, center: Vec2) {
        self.zoom = Some(Zoom { scale, center });
    }

    /// Draws the view, `size` points large.
    pub fn show(&mut self, ui: &mut Ui, size: Vec2) -> ImageResponse {
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let enabled = ui.is_enabled();
        response.widget_info(|| WidgetInfo::labeled(Role::Image, enabled, &self.label));
        let visuals = ui.visuals();
        ui.painter()
            .rect_filled(rect, 0.0, visuals.extreme_bg_color);

        let Some(image) = self.image.clone() else {
            return ImageResponse {
                response,
                placement: None,
                pixel: None,
            };
        };
        self.interact(ui, &response, &image);
        let placement = self.placement(rect, &image, ui.ctx().pixels_per_point());
        match drawable(ui, &image) {
            Ok(views) => self.paint(ui, rect, &placement, views, &image),
            Err(notice) => notice_ui(ui, rect, &notice),
        }
        if response.has_focus() {
            let stroke = ui.visuals().selection.stroke;
            ui.painter()
                .rect_stroke(rect, 0.0, stroke, egui::StrokeKind::Inside);
        }
        let pixel = response
            .hover_pos()
            .and_then(|pos| placement.cell_at(pos))
            .and_then(|[x, y]| Some([u32::try_from(x).ok()?, u32::try_from(y).ok()?]));
        ImageResponse {
            response,
            placement: Some(placement),
            pixel,
        }
    }

    fn interact(&mut self, ui: &Ui, response: &Response, image: &Image) {
        let rect = response.rect;
        if response.clicked() {
            response.request_focus();
        }
        let Zooming { factor, at, fit } = zooming(ui, response);
        if fit {
            self.fit();
        }
        #[expect(clippy::float_cmp, reason = "exactly 1 unless something was turned")]
        if factor != 1.0 {
            self.zoom_by(
                factor,
                at - rect.center(),
                rect,
                image,
                ui.ctx().pixels_per_point(),
            );
        }
        if let Some(zoom) = &mut self.zoom {
            let center = zoom.center - response.drag_delta() / zoom.scale;
            zoom.center = center.clamp(Vec2::ZERO, size_of(image));
        }
    }

    /// Zooms so that the place `from_middle` points off the view's middle stays where it is.
    fn zoom_by(&mut self, factor: f32, from_middle: Vec2, rect: Rect, image: &Image, pixels: f32) {
        let fit = fit_scale(rect, image);
        let old = self.zoom_in(rect, image);
        let least = fit.min(1.0 / pixels);
        let most = (MAX_SCALE / pixels).max(fit * 4.0);
        let scale = (old.scale * factor).clamp(least, most);
        let anchor = old.center + from_middle / old.scale;
        let center = (anchor - from_middle / scale).clamp(Vec2::ZERO, size_of(image));
        // All of it in sight is the fitted state, which follows the window's size.
        let fitted = fit <= 1.0 / pixels && scale <= fit;
        self.zoom = (!fitted).then_some(Zoom { scale, center });
    }

    fn zoom_in(&self, rect: Rect, image: &Image) -> Zoom {
        self.zoom.unwrap_or_else(|| Zoom {
            scale: fit_scale(rect, image),
            center: size_of(image) * 0.5,
        })
    }

    fn placement(&self, rect: Rect, image: &Image, pixels: f32) -> Placement {
        let zoom = self.zoom_in(rect, image);
        let middle = rect.center() + (size_of(image) * 0.5 - zoom.center) * zoom.scale;
        let size = [image.width as usize, image.height as usize];
        Placement::centered(middle, Vec2::splat(zoom.scale), size, pixels)
    }

    fn paint(&self, ui: &Ui, rect: Rect, place: &Placement, views: Views, image: &Arc<Image>) {
        let shown = place.rect().intersect(rect);
        if !shown.is_positive() || !ui.is_rect_visible(shown) {
            return;
        }
        let pixels = ui.ctx().pixels_per_point();
        let scale_px = place.cell.x * pixels;
        let visuals = ui.visuals();
        let uniforms = Uniforms {
            origin_px: (place.origin.to_vec2() * pixels).into(),
            texels_per_px: 1.0 / scale_px,
            checker_px: CHECKER * pixels,
            checker_even: visuals.extreme_bg_color.to_normalized_gamma_f32(),
            checker_odd: visuals.widgets.inactive.bg_fill.to_normalized_gamma_f32(),
            nearest: u32::from(scale_px >= NEAREST_FROM),
            pad: [0; 3],
        };
        let paint = Paint {
            program: Program::Image,
            views,
            slot: Arc::clone(&self.slot),
            uniforms,
            texels: Texels::Image(Arc::clone(image)),
            revision: self.revision,
        };
        ui.painter()
            .with_clip_rect(shown.intersect(ui.clip_rect()))
            .add(egui_wgpu::Callback::new_paint_callback(shown, paint));
    }
}

#[expect(clippy::cast_precision_loss, reason = "sides are far below 2^24")]
fn size_of(image: &Image) -> Vec2 {
    vec2(image.width as f32, image.height as f32)
}

/// The points per pixel at which the whole picture just fits.
fn fit_scale(rect: Rect, image: &Image) -> f32 {
    let scale = rect.size() / size_of(image).max(Vec2::splat(1.0));
    scale.min_elem().max(f32::MIN_POSITIVE)
}

/// The window's views if they can draw the picture, else what to tell the user.
fn drawable(ui: &Ui, image: &Image) -> Result<Views, String> {
    let views = Views::of(ui.ctx()).ok_or(NO_GRAPHICS)?;
    let most = views.0.max_side;
    if !image.is_consistent() {
        Err("the picture is damaged".to_owned())
    } else if image.width.max(image.height) > most {
        Err(format!(
            "the picture has {} × {} pixels, this graphics adapter draws up to {most} in a side",
            image.width, image.height
        ))
    } else {
        Ok(views)
    }
}
