//! A grid of objects in channels, such as the games of `MinAtar`, with a legend.
//!
//! Every channel has a colour and says how much of it is in each cell: 0 or 1 for a true grid,
//! anything between for one that a net imagines.

use egui::{
    Align2, Color32, FontId, Pos2, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, vec2,
};

use super::{Shape, Shapes};

/// The legend's rows: their height and the space in front of the names, in points.
const ROW: f32 = 20.0;
const SWATCH: f32 = 12.0;
/// Less of a channel than this draws nothing.
const LEAST: f32 = 0.02;

/// Channels of cells, row by row from the top left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GridPicture {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// The channels' names, for the legend and for screen readers.
    pub names: Vec<String>,
    /// `channels * rows * columns` values in `[0, 1]`, channel by channel; later channels lie over
    /// earlier ones.
    pub values: Vec<f32>,
    /// Whether the legend is drawn, on the right.
    pub legend: bool,
}

/// The colours of a grid; whoever shows one fills it from the theme.
#[derive(Clone, Debug)]
pub struct GridColors {
    /// Empty cells.
    pub ground: Color32,
    /// Between cells.
    pub line: Color32,
    /// The legend's text.
    pub text: Color32,
    /// The channels, from the first; they repeat where there are more channels.
    pub channels: Vec<Color32>,
}

/// What a shown [`GridView`] answers.
pub struct GridResponse {
    /// The grid as a whole.
    pub response: Response,
    /// The cell under the pointer.
    pub hovered: Option<usize>,
    /// Where the cells lie, in points.
    pub cells: Rect,
}

/// Shows a [`GridPicture`]. Kept between frames.
pub struct GridView {
    label: String,
    shapes: Shapes,
}

impl GridView {
    /// A view named to screen readers and tests.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            shapes: Shapes::default(),
        }
    }

    /// Draws the grid as large as it fits into `size` points beside its legend, in the middle.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        size: Vec2,
        picture: &GridPicture,
        colors: &GridColors,
    ) -> GridResponse {
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let enabled = ui.is_enabled();
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Image, enabled, &self.label);
            info.current_text_value = Some(describe(picture));
            info
        });
        let cells = place(ui, rect, picture);
        let hovered = response.hover_pos().and_then(|pos| {
            let at = ((pos - cells.min) / cell_side(cells, picture)).floor();
            let (column, row) = (at.x as usize, at.y as usize);
            let inside = at.x >= 0.0 && at.y >= 0.0;
            (inside && column < picture.columns && row < picture.rows)
                .then(|| row * picture.columns + column)
        });
        if ui.is_rect_visible(rect) && picture.rows * picture.columns > 0 {
            let mut shapes = draw(picture, colors, cells);
            let legend = cells.right_top() + vec2(16.0, 0.0);
            if picture.legend {
                swatches(&mut shapes, picture, colors, legend);
            }
            let back = -rect.min.to_vec2();
            let shapes = shapes.into_iter().map(|shape| shape.moved(back)).collect();
            self.shapes.show(ui, rect, shapes);
            if picture.legend {
                names(ui, picture, colors, legend);
            }
        }
        GridResponse {
            response,
            hovered,
            cells,
        }
    }
}

fn font() -> FontId {
    FontId::proportional(13.0)
}

fn cell_side(cells: Rect, picture: &GridPicture) -> f32 {
    cells.width() / picture.columns.max(1) as f32
}

/// Where the cells lie: square, on whole pixels, beside the room for the legend.
fn place(ui: &Ui, rect: Rect, picture: &GridPicture) -> Rect {
    let legend = if picture.legend {
        let widest = |name: &String| {
            let galley = (ui.painter()).layout_no_wrap(name.clone(), font(), Color32::PLACEHOLDER);
            galley.size().x
        };
        let widest = picture.names.iter().map(widest).fold(0.0, f32::max);
        widest + SWATCH + 24.0
    } else {
        0.0
    };
    let pixels = ui.ctx().pixels_per_point();
    let count = vec2(picture.columns.max(1) as f32, picture.rows.max(1) as f32);
    let side = ((rect.size() - vec2(legend, 0.0)) / count).min_elem();
    let side = (side * pixels).floor().max(1.0) / pixels;
    let size = count * side;
    let room = size + vec2(legend, 0.0);
    let corner = ((rect.center() - room * 0.5).to_vec2() * pixels).round() / pixels;
    Rect::from_min_size(corner.to_pos2(), size)
}

fn draw(picture: &GridPicture, colors: &GridColors, cells: Rect) -> Vec<Shape> {
    let side = cell_side(cells, picture);
    let count = picture.rows * picture.columns;
    let gap = (side * 0.05).clamp(0.5, 1.5);
    let corner = side * 0.14;
    let mut shapes = vec![Shape::rect(cells.expand(gap * 2.0), corner, colors.line)];
    let cell = |index: usize| {
        let place = vec2(
            (index % picture.columns) as f32,
            (index / picture.columns) as f32,
        );
        let corner = cells.min + place * side;
        Rect::from_min_size(corner, Vec2::splat(side)).shrink(gap)
    };
    shapes.extend((0..count).map(|index| Shape::rect(cell(index), corner, colors.ground)));
    for (channel, values) in picture.values.chunks_exact(count).enumerate() {
        let color = channel_color(colors, channel);
        for (index, &value) in values.iter().enumerate() {
            // Not `value < LEAST`, which lets NaN through.
            if value >= LEAST {
                let color = color.gamma_multiply(value.min(1.0));
                shapes.push(Shape::rect(cell(index), corner, color).shaded(-0.14));
            }
        }
    }
    shapes
}

fn channel_color(colors: &GridColors, channel: usize) -> Color32 {
    let count = colors.channels.len().max(1);
    (colors.channels.get(channel % count).copied()).unwrap_or(colors.text)
}

fn swatches(shapes: &mut Vec<Shape>, picture: &GridPicture, colors: &GridColors, corner: Pos2) {
    for channel in 0..picture.names.len() {
        let at = corner + vec2(0.0, ROW * channel as f32 + (ROW - SWATCH) * 0.5);
        let swatch = Rect::from_min_size(at, Vec2::splat(SWATCH));
        shapes.push(Shape::rect(swatch, 3.0, channel_color(colors, channel)).shaded(-0.14));
    }
}

fn names(ui: &Ui, picture: &GridPicture, colors: &GridColors, corner: Pos2) {
    for (channel, name) in picture.names.iter().enumerate() {
        let at = corner + vec2(SWATCH + 8.0, ROW * (channel as f32 + 0.5));
        ui.painter()
            .text(at, Align2::LEFT_CENTER, name, font(), colors.text);
    }
}

/// What is where, by channels: places as row and column from 1, or how many where they are many.
fn describe(picture: &GridPicture) -> String {
    const FEW: usize = 4;
    let count = (picture.rows * picture.columns).max(1);
    let channels = picture.names.iter().zip(picture.values.chunks_exact(count));
    let parts: Vec<String> = channels
        .filter_map(|(name, values)| {
            let on: Vec<usize> = (0..count).filter(|&i| values[i] >= 0.5).collect();
            let place =
                |&i: &usize| format!("{}/{}", i / picture.columns + 1, i % picture.columns + 1);
            match on.len() {
                0 => None,
                1..=FEW => {
                    let places: Vec<String> = on.iter().map(place).collect();
                    Some(format!("{name} at {}", places.join(" ")))
                }
                many => Some(format!("{name} in {many} cells")),
            }
        })
        .collect();
    if parts.is_empty() {
        "empty".to_owned()
    } else {
        parts.join(", ")
    }
}
