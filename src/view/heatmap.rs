//! A matrix as coloured cells.

use std::sync::Arc;

use egui::{Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, vec2};

use super::paint::{Paint, Slot, Texels};
use super::pipeline::Program;
use super::{ColorMap, NO_GRAPHICS, Placement, Views, notice_ui};
use crate::data::Matrix;

/// The distance of the lines that mark missing values, in points.
const HATCH: f32 = 8.0;
/// The highlighted cell's outline is at least this large, in points, however small the cell.
const LEAST_OUTLINE: f32 = 5.0;

/// Shows a [`Matrix`]: one colour a cell, sharp edges, missing values hatched.
///
/// A side may be longer than a texture can be, as the values are wrapped in it; only a matrix of
/// more cells than the greatest texture has (8192², 67 million) is refused with a line of text.
/// Where cells are smaller than a pixel, the cell at the pixel's middle shows.
pub struct HeatMap {
    /// The colours.
    pub map: ColorMap,
    /// The values at the map's two ends; `None` takes them from the matrix, symmetric about zero
    /// for a diverging map.
    pub range: Option<[f32; 2]>,
    /// The row and column to outline.
    pub highlight: Option<[usize; 2]>,
    /// Whether cells are square, or stretched to fill the view.
    pub square_cells: bool,
    label: String,
    matrix: Option<Arc<Matrix>>,
    matrix_range: Option<[f32; 2]>,
    revision: u64,
    slot: Slot,
}

/// What a shown [`HeatMap`] answers.
pub struct HeatMapResponse {
    /// Clicks and the pointer.
    pub response: Response,
    /// Where the cells lie, for overlays; `None` while there are none.
    pub placement: Option<Placement>,
    /// The row and column of the cell under the pointer.
    pub cell: Option<[usize; 2]>,
}

/// The same fields as `View` in shaders/heatmap.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Uniforms {
    origin_px: [f32; 2],
    cells_per_px: [f32; 2],
    size: [u32; 2],
    texture_width: u32,
    map: u32,
    low: f32,
    scale: f32,
    hatch_px: f32,
    pad: u32,
    missing_ground: [f32; 4],
    missing_line: [f32; 4],
}

impl HeatMap {
    /// A view named to screen readers and tests, without a matrix yet.
    #[must_use]
    pub fn new(label: impl Into<String>, map: ColorMap) -> Self {
        Self {
            map,
            range: None,
            highlight: None,
            square_cells: true,
            label: label.into(),
            matrix: None,
            matrix_range: None,
            revision: 0,
            slot: Slot::default(),
        }
    }

    /// Shows this matrix from now on. Cheap to call every frame: the same `Arc` is not uploaded
    /// again, and another one of the same size reuses the texture.
    pub fn set(&mut self, matrix: &Arc<Matrix>) {
        // The view keeps its Arc, so no other matrix can come to lie at the same address.
        if (self.matrix.as_ref()).is_some_and(|old| Arc::ptr_eq(old, matrix)) {
            return;
        }
        self.matrix_range = matrix.range();
        self.matrix = Some(Arc::clone(matrix));
        self.revision += 1;
    }

    /// Shows nothing, and frees the texture.
    pub fn clear(&mut self) {
        self.matrix = None;
        self.matrix_range = None;
        self.slot = Slot::default();
    }

    /// The matrix shown.
    #[must_use]
    pub fn matrix(&self) -> Option<&Arc<Matrix>> {
        self.matrix.as_ref()
    }

    /// The values at the map's two ends, for a legend.
    #[must_use]
    pub fn shown_range(&self) -> [f32; 2] {
        let [low, high] = self.range.or(self.matrix_range).unwrap_or([0.0, 1.0]);
        if self.range.is_none() && self.map.is_diverging() {
            let most = low.abs().max(high.abs());
            [-most, most]
        } else {
            [low, high]
        }
    }

    /// The colour that a value has now; `None` for NaN, which is hatched.
    #[must_use]
    pub fn rgb8(&self, value: f32) -> Option<[u8; 3]> {
        let [low, _] = self.shown_range();
        let scale = self.scale();
        let t = if scale > 0.0 {
            (value - low) * scale
        } else {
            0.5
        };
        (!value.is_nan()).then(|| self.map.rgb8(t))
    }

    /// One over the length of the range, or 0 where all values are equal.
    fn scale(&self) -> f32 {
        let [low, high] = self.shown_range();
        let scale = 1.0 / (high - low);
        if scale.is_finite() && scale > 0.0 {
            scale
        } else {
            0.0
        }
    }

    /// Draws the view, `size` points large.
    pub fn show(&mut self, ui: &mut Ui, size: Vec2) -> HeatMapResponse {
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let enabled = ui.is_enabled();
        response.widget_info(|| WidgetInfo::labeled(Role::Image, enabled, &self.label));
        let Some(matrix) = self.matrix.as_ref().filter(|m| !m.values().is_empty()) else {
            return HeatMapResponse {
                response,
                placement: None,
                cell: None,
            };
        };
        let placement = self.placement(rect, matrix, ui.ctx().pixels_per_point());
        match drawable(ui, matrix) {
            Ok(views) => {
                self.paint(ui, rect, &placement, views, matrix);
                self.outline(ui, &placement);
            }
            Err(notice) => notice_ui(ui, rect, &notice),
        }
        let cell = response
            .hover_pos()
            .and_then(|pos| placement.cell_at(pos))
            .map(|[col, row]| [row, col]);
        HeatMapResponse {
            response,
            placement: Some(placement),
            cell,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "beyond 2^24 cells in a side the error is far below a pixel"
    )]
    fn placement(&self, rect: Rect, matrix: &Matrix, pixels: f32) -> Placement {
        let size = [matrix.cols(), matrix.rows()];
        let mut cell = rect.size() / vec2(size[0] as f32, size[1] as f32);
        if self.square_cells {
            cell = Vec2::splat(cell.min_elem());
        }
        Placement::centered(rect.center(), cell, size, pixels)
    }

    fn paint(&self, ui: &Ui, rect: Rect, place: &Placement, views: Views, matrix: &Arc<Matrix>) {
        let shown = place.rect().intersect(rect);
        if !shown.is_positive() || !ui.is_rect_visible(shown) {
            return;
        }
        let pixels = ui.ctx().pixels_per_point();
        let visuals = ui.visuals();
        let texels = Texels::Matrix(Arc::clone(matrix));
        let side = |cells: usize| u32::try_from(cells).unwrap_or(u32::MAX);
        let uniforms = Uniforms {
            origin_px: (place.origin.to_vec2() * pixels).into(),
            cells_per_px: (Vec2::splat(1.0 / pixels) / place.cell).into(),
            size: [side(matrix.cols()), side(matrix.rows())],
            texture_width: texels.texture_size(views.0.max_side)[0],
            map: self.map.code(),
            low: self.shown_range()[0],
            scale: self.scale(),
            hatch_px: HATCH * pixels,
            pad: 0,
            missing_ground: visuals.extreme_bg_color.to_normalized_gamma_f32(),
            missing_line: visuals
                .widgets
                .noninteractive
                .bg_stroke
                .color
                .to_normalized_gamma_f32(),
        };
        let paint = Paint {
            program: Program::HeatMap,
            views,
            slot: Arc::clone(&self.slot),
            uniforms,
            texels,
            revision: self.revision,
        };
        ui.painter()
            .with_clip_rect(shown.intersect(ui.clip_rect()))
            .add(egui_wgpu::Callback::new_paint_callback(shown, paint));
    }

    /// A light line beside a dark one, so that it shows on every colour of the map.
    #[expect(
        clippy::cast_precision_loss,
        reason = "beyond 2^24 cells in a side the error is far below a pixel"
    )]
    fn outline(&self, ui: &Ui, place: &Placement) {
        let Some([row, col]) = self.highlight else {
            return;
        };
        if col >= place.size[0] || row >= place.size[1] {
            return;
        }
        let middle = place.window_from_cells(vec2(col as f32 + 0.5, row as f32 + 0.5));
        let size = place.cell.max(Vec2::splat(LEAST_OUTLINE));
        let cell = Rect::from_center_size(middle, size);
        let visuals = ui.visuals();
        let inner = Stroke::new(1.5, visuals.strong_text_color());
        let outer = Stroke::new(1.5, visuals.extreme_bg_color);
        let painter = ui.painter();
        painter.rect_stroke(cell, 0.0, inner, StrokeKind::Outside);
        painter.rect_stroke(cell.expand(1.5), 0.0, outer, StrokeKind::Outside);
    }
}

/// The window's views if they can draw the matrix, else what to tell the user.
fn drawable(ui: &Ui, matrix: &Matrix) -> Result<Views, String> {
    let views = Views::of(ui.ctx()).ok_or(NO_GRAPHICS)?;
    let most = u64::from(views.0.max_side).pow(2);
    if matrix.values().len() as u64 > most {
        Err(format!(
            "the matrix has {} × {} cells, this graphics adapter draws up to {} million",
            matrix.rows(),
            matrix.cols(),
            most / 1_000_000
        ))
    } else {
        Ok(views)
    }
}
