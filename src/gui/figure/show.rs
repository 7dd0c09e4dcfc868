//! A figure in the window.

use egui::{Align2, FontId, Pos2, Response, Role, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};
use egui_plot::{
    GridInput, GridMark, HoverPosition, Line, LineStyle, MarkerShape, Plot, PlotBounds, PlotPoint,
    PlotPoints, PlotTransform, Points,
};

use super::{Axis, Figure, Mark, Series, spread};
use crate::gui::theme::{self, Tokens};

/// More points than this in a line are thinned out: no window has as many columns.
const MOST_POINTS: usize = 2000;
/// From here on dots are small.
const CROWD: usize = 200;
/// Between two labels at the right.
const LABEL_GAP: f32 = 13.0;

/// A [`Figure`] made ready to be drawn every frame. Make it anew only when its data has changed.
pub struct Plotted {
    figure: Figure,
    /// For each series, where its points lie on the axes.
    lines: Vec<Vec<PlotPoint>>,
    /// For each series, a short line from the least to the greatest at each point.
    bars: Vec<Vec<[PlotPoint; 2]>>,
}

impl Plotted {
    /// Works out where everything lies.
    #[must_use]
    pub fn new(figure: Figure) -> Self {
        let place = |x: f64, y: f64| {
            let (x, y) = (figure.x.place(x)?, figure.y.place(y)?);
            Some(PlotPoint { x, y })
        };
        let lines = figure.series.iter().map(|series| {
            let points: Vec<PlotPoint> = (series.points.iter())
                .filter_map(|[x, y]| place(*x, *y))
                .collect();
            thinned(points)
        });
        let bars = figure.series.iter().map(|series| {
            let ends = series.points.iter().zip(&series.bars);
            ends.filter_map(|([x, _], [low, high])| Some([place(*x, *low)?, place(*x, *high)?]))
                .collect()
        });
        Self {
            lines: lines.collect(),
            bars: bars.collect(),
            figure,
        }
    }

    /// What is drawn.
    #[must_use]
    pub fn figure(&self) -> &Figure {
        &self.figure
    }

    /// Draws it, `size` points large with its axes and labels.
    ///
    /// Ctrl and wheel zooms, dragging pans, a double click shows all of it again.
    pub fn show(&self, ui: &mut Ui, size: Vec2) -> Response {
        let tokens = theme::tokens(ui);
        let gutter = self.gutter(ui);
        let (area, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let inner = egui::Rect::from_min_max(area.min, area.max - vec2(gutter, 0.0));
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(inner));
        let shown = self
            .plot(inner.size(), tokens.faint.gamma_multiply(0.22))
            .show(&mut child, |plot| {
                for ((series, points), bars) in
                    self.figure.series.iter().zip(&self.lines).zip(&self.bars)
                {
                    let color = series.hue.color(tokens);
                    for bar in bars {
                        plot.line(
                            Line::new("", PlotPoints::Borrowed(bar))
                                .color(color.gamma_multiply(0.55))
                                .width(3.0)
                                .allow_hover(false),
                        );
                    }
                    draw(plot, series, points, color);
                }
            });
        let enabled = ui.is_enabled();
        let name = &self.figure.name;
        (shown.response).widget_info(|| WidgetInfo::labeled(Role::Image, enabled, name));
        self.labels(ui, tokens, &shown.transform, area.right() - gutter + 8.0);
        shown.response
    }

    fn plot(&self, size: Vec2, grid: egui::Color32) -> Plot<'_> {
        let Figure { name, x, y, .. } = &self.figure;
        // Another range is another place to begin at, whatever was zoomed before.
        let mut plot = Plot::new((name.as_str(), bits(x), bits(y)))
            .width(size.x)
            .height(size.y)
            .x_axis_label(x.label.as_str())
            .y_axis_label(y.label.as_str())
            .invert_x(x.reversed)
            .invert_y(y.reversed)
            .allow_scroll(false)
            .set_margin_fraction(vec2(0.03, 0.06))
            .x_grid_spacer(spacer(x, (size.x / 80.0) as usize))
            .y_grid_spacer(spacer(y, (size.y / 44.0) as usize))
            .x_axis_formatter(|mark, _| x.tick_text(mark.value, mark.step_size))
            .y_axis_formatter(|mark, _| y.tick_text(mark.value, mark.step_size))
            .y_axis_min_width(46.0)
            .show_background(false)
            .grid_color(grid)
            .grid_fade(0.0)
            .label_formatter(|hover| self.hover_text(hover));
        if let Some([low, high]) = placed(x) {
            plot = plot.default_x_bounds(low, high);
        }
        if let Some([low, high]) = placed(y) {
            plot = plot.default_y_bounds(low, high);
        }
        plot
    }

    fn hover_text(&self, hover: &HoverPosition<'_>) -> Option<String> {
        let HoverPosition::NearDataPoint {
            plot_name,
            position,
            ..
        } = hover
        else {
            return None;
        };
        let Figure { x, y, .. } = &self.figure;
        let line = |axis: &Axis, place: f64| {
            let quantity = axis.label.split(" (").next().unwrap_or_default();
            format!("{quantity}: {}", axis.unit.text(axis.value(place)))
        };
        Some(format!(
            "{plot_name}\n{}\n{}",
            line(x, position.x),
            line(y, position.y)
        ))
    }

    /// The room at the right for labels.
    fn gutter(&self, ui: &Ui) -> f32 {
        let width = |series: &Series| {
            let font = FontId::proportional(11.5);
            let text = series.label.clone();
            let color = ui.visuals().text_color();
            ui.painter().layout_no_wrap(text, font, color).size().x
        };
        let labelled = self.figure.series.iter().filter(|s| !s.label.is_empty());
        labelled
            .map(|s| width(s) + 14.0)
            .fold(0.0, f32::max)
            .min(180.0)
    }

    /// Each label beside the last point of its line, moved where another is in its way.
    fn labels(&self, ui: &Ui, tokens: &Tokens, transform: &PlotTransform, left: f32) {
        let frame = *transform.frame();
        let ends = self.figure.series.iter().zip(&self.lines);
        let mut ends: Vec<(&Series, Pos2)> = ends
            .filter(|(series, _)| !series.label.is_empty())
            .filter_map(|(series, points)| {
                let last = visible_end(points, transform.bounds())?;
                Some((series, transform.position_from_point(last)))
            })
            .collect();
        ends.sort_by(|(_, a), (_, b)| a.y.total_cmp(&b.y));
        let clamped = |y: f32| y.clamp(frame.top(), frame.bottom());
        let mut places: Vec<f32> = ends.iter().map(|(_, end)| clamped(end.y)).collect();
        spread(
            &mut places,
            LABEL_GAP,
            frame.top() + 4.0,
            frame.bottom() - 4.0,
        );
        let painter = ui.painter();
        for ((series, end), y) in ends.iter().zip(places) {
            let color = series.hue.color(tokens);
            let from = pos2(frame.right() + 1.0, clamped(end.y));
            painter.line_segment(
                [from, pos2(left - 2.0, y)],
                Stroke::new(1.0, color.gamma_multiply(0.6)),
            );
            painter.text(
                pos2(left, y),
                Align2::LEFT_CENTER,
                &series.label,
                FontId::proportional(11.5),
                color,
            );
        }
    }
}

/// The last point that is within the bounds from left to right, else the last.
fn visible_end<'a>(points: &'a [PlotPoint], bounds: &PlotBounds) -> Option<&'a PlotPoint> {
    let range = bounds.range_x();
    let inside = points.iter().rev().find(|p| range.contains(&p.x));
    inside.or(points.last())
}

fn draw<'a>(
    plot: &mut egui_plot::PlotUi<'a>,
    series: &'a Series,
    points: &'a [PlotPoint],
    color: egui::Color32,
) {
    if series.mark.has_line() {
        let style = if series.mark.is_dashed() {
            LineStyle::dashed_dense()
        } else {
            LineStyle::Solid
        };
        let width = if matches!(series.hue, super::Hue::Faint) {
            1.2
        } else {
            1.8
        };
        let line = Line::new(series.name.as_str(), PlotPoints::Borrowed(points));
        // The points are thinned out already.
        plot.line(
            line.color(color)
                .width(width)
                .style(style)
                .allow_band(false),
        );
    }
    let dots = |shape, filled, radius| {
        Points::new(series.name.as_str(), PlotPoints::Borrowed(points))
            .color(color)
            .shape(shape)
            .filled(filled)
            .radius(radius)
    };
    match series.mark {
        Mark::Dots => plot.points(dots(MarkerShape::Circle, true, 2.8)),
        // A crowd of dots would hide itself.
        Mark::Scatter if points.len() > CROWD => {
            plot.points(dots(MarkerShape::Circle, true, 2.0));
        }
        Mark::Scatter => plot.points(dots(MarkerShape::Circle, true, 4.0)),
        Mark::Squares => plot.points(dots(MarkerShape::Square, false, 3.4)),
        Mark::Line | Mark::Dashed => {}
    }
}

/// Keeps the first, the last and of each stretch the least and the greatest, in their order.
fn thinned(points: Vec<PlotPoint>) -> Vec<PlotPoint> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let stretch = points.len().div_ceil(MOST_POINTS / 2);
    let mut kept = Vec::with_capacity(MOST_POINTS + 2);
    for part in points.chunks(stretch) {
        let by_height =
            |(_, a): &(usize, &PlotPoint), (_, b): &(usize, &PlotPoint)| a.y.total_cmp(&b.y);
        let low = part.iter().enumerate().min_by(by_height).map(|(i, _)| i);
        let high = part.iter().enumerate().max_by(by_height).map(|(i, _)| i);
        if let (Some(low), Some(high)) = (low, high) {
            kept.push(part[low.min(high)]);
            kept.push(part[low.max(high)]);
        }
    }
    kept
}

fn spacer(axis: &Axis, most: usize) -> impl Fn(GridInput) -> Vec<GridMark> + '_ {
    move |input| {
        let (low, high) = input.bounds;
        let ticks = axis.ticks(low, high, most.max(2));
        let mark = |(value, step_size)| GridMark { value, step_size };
        ticks.into_iter().map(mark).collect()
    }
}

fn placed(axis: &Axis) -> Option<[f64; 2]> {
    let [low, high] = axis.range?;
    let (low, high) = (axis.place(low)?, axis.place(high)?);
    (low < high).then_some([low, high])
}

/// A range as something to tell it from another by.
fn bits(axis: &Axis) -> Option<[u64; 2]> {
    axis.range.map(|range| range.map(f64::to_bits))
}

#[cfg(test)]
mod tests {
    use egui_plot::PlotPoint;

    use super::{MOST_POINTS, thinned};

    #[test]
    fn thinning_keeps_the_extremes() {
        let mut points: Vec<PlotPoint> = (0..50_000)
            .map(|i| PlotPoint {
                x: f64::from(i),
                y: (f64::from(i) * 0.001).sin(),
            })
            .collect();
        points[31_234].y = 9.0;
        points[40_000].y = -9.0;
        let thin = thinned(points);
        assert!(thin.len() <= MOST_POINTS + 2, "{}", thin.len());
        for y in [9.0, -9.0] {
            assert!(thin.iter().any(|p| (p.y - y).abs() < 1e-12), "{y}");
        }
        assert!(thin.windows(2).all(|w| w[0].x <= w[1].x));
    }
}
