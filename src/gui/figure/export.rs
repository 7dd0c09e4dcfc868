//! Figures as SVG and PNG, on white ground, with the same ticks and labels as in the window.

use std::sync::OnceLock;

use egui::Color32;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, register_font};

use super::{Axis, Figure, Mark, Series, spread};
use crate::data::Image;
use crate::error::{Error, Result};
use crate::gui::{Export, theme};

/// A figure as lines.
pub const SVG: Export = Export {
    extension: "svg",
    about: "the figure on the stage, as lines",
};
/// A figure as pixels.
pub const PNG: Export = Export {
    extension: "png",
    about: "the figure on the stage, as pixels",
};

/// The font's name for plotters, and what an SVG asks for.
const FONT: &str = "sans-serif";
/// A panel's width and height, in pixels of an SVG; a PNG has twice as many.
const PANEL: (u32, u32) = (720, 460);
/// Around the axes: left, top, right without labels, bottom.
const MARGIN: [f64; 4] = [78.0, 42.0, 20.0, 54.0];
const TEXT: f64 = 13.0;

/// Figures side by side as an SVG file.
///
/// # Errors
/// When there is no figure, or nothing in any of them.
pub fn to_svg(figures: &[Figure]) -> Result<String> {
    let size = size_of(figures)?;
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw_all(&root, figures, 1.0)?;
        root.present().map_err(failed)?;
    }
    Ok(text)
}

/// Figures side by side as a picture of twice the SVG's size.
///
/// # Errors
/// As [`to_svg`].
pub fn to_png(figures: &[Figure]) -> Result<Image> {
    let (width, height) = size_of(figures)?;
    let (width, height) = (width * 2, height * 2);
    let mut rgb = vec![255; width as usize * height as usize * 3];
    {
        let root = BitMapBackend::with_buffer(&mut rgb, (width, height)).into_drawing_area();
        draw_all(&root, figures, 2.0)?;
        root.present().map_err(failed)?;
    }
    let pixels = rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]);
    Image::new(width, height, pixels.collect())
}

fn size_of(figures: &[Figure]) -> Result<(u32, u32)> {
    if figures.iter().all(Figure::is_empty) {
        return Err(Error::Input("there is no figure to export yet".into()));
    }
    register();
    Ok((PANEL.0 * figures.len() as u32, PANEL.1))
}

/// Gives plotters the font that the window has, once.
fn register() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        let fonts = egui::FontDefinitions::default();
        let data = fonts.font_data.get("Ubuntu-Light");
        // plotters wants a font that lives as long as the program.
        let bytes = data.map(|data| &*Vec::leak((*data.font).as_ref().to_vec()));
        let known = bytes.map(|b| register_font(FONT, FontStyle::Normal, b).is_ok());
        if known != Some(true) {
            tracing::error!("exported pictures have no font");
        }
    });
}

fn failed<E: std::fmt::Display>(e: E) -> Error {
    Error::Input(format!("the figure could not be drawn: {e}"))
}

fn draw_all<DB: DrawingBackend>(
    root: &DrawingArea<DB, Shift>,
    figures: &[Figure],
    scale: f64,
) -> Result<()> {
    root.fill(&WHITE).map_err(failed)?;
    for (at, figure) in figures.iter().enumerate() {
        let panel = Panel::new(figure, at, scale);
        panel.draw(root)?;
    }
    Ok(())
}

/// A figure's place in the drawing.
struct Panel<'a> {
    figure: &'a Figure,
    scale: f64,
    /// Left, top, right and bottom of the axes, in pixels.
    frame: [f64; 4],
    /// What the axes show, as places.
    x: [f64; 2],
    y: [f64; 2],
}

type Point = (i32, i32);

fn rgb(color: Color32) -> RGBColor {
    RGBColor(color.r(), color.g(), color.b())
}

impl<'a> Panel<'a> {
    fn new(figure: &'a Figure, at: usize, scale: f64) -> Self {
        let labels = figure.series.iter().map(|s| s.label.chars().count()).max();
        let gutter = labels
            .filter(|n| *n > 0)
            .map_or(0.0, |n| n as f64 * 6.5 + 16.0);
        let left = f64::from(PANEL.0) * at as f64;
        let [l, t, r, b] = MARGIN;
        let frame = [
            left + l,
            t,
            left + f64::from(PANEL.0) - r - gutter,
            f64::from(PANEL.1) - b,
        ];
        let extent = |axis: &Axis, which: usize| {
            let values = figure.series.iter().flat_map(move |s| {
                let bars = s.bars.iter().flatten().copied().filter(move |_| which == 1);
                s.points.iter().map(move |p| p[which]).chain(bars)
            });
            extent(axis, values)
        };
        Self {
            figure,
            scale,
            frame: frame.map(|v| v * scale),
            x: extent(&figure.x, 0),
            y: extent(&figure.y, 1),
        }
    }

    fn column(&self, place: f64) -> f64 {
        let t = (place - self.x[0]) / (self.x[1] - self.x[0]);
        let t = if self.figure.x.reversed { 1.0 - t } else { t };
        self.frame[0] + t * (self.frame[2] - self.frame[0])
    }

    fn row(&self, place: f64) -> f64 {
        let t = (place - self.y[0]) / (self.y[1] - self.y[0]);
        let t = if self.figure.y.reversed { 1.0 - t } else { t };
        self.frame[3] + t * (self.frame[1] - self.frame[3])
    }

    /// Where a point lies; none where its axes cannot show it.
    fn at(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let (x, y) = (self.figure.x.place(x)?, self.figure.y.place(y)?);
        Some([self.column(x), self.row(y)])
    }

    fn inside(&self, [x, y]: [f64; 2]) -> bool {
        let [l, t, r, b] = self.frame;
        (l - 0.5..=r + 0.5).contains(&x) && (t - 0.5..=b + 0.5).contains(&y)
    }

    fn text<DB: DrawingBackend>(
        &self,
        root: &DrawingArea<DB, Shift>,
        text: &str,
        at: [f64; 2],
        (h, v): (HPos, VPos),
        color: Color32,
    ) -> Result<()> {
        let font = (FONT, TEXT * self.scale).into_font();
        let color = rgb(color);
        let style = TextStyle::from(font).pos(Pos::new(h, v)).color(&color);
        root.draw(&Text::new(text.to_owned(), pixel(at), style))
            .map_err(failed)
    }

    fn draw<DB: DrawingBackend>(&self, root: &DrawingArea<DB, Shift>) -> Result<()> {
        self.axes(root)?;
        for series in &self.figure.series {
            self.series(root, series)?;
        }
        self.labels(root)
    }

    fn axes<DB: DrawingBackend>(&self, root: &DrawingArea<DB, Shift>) -> Result<()> {
        let tokens = theme::for_paper();
        let (figure, s) = (self.figure, self.scale);
        let [left, top, right, bottom] = self.frame;
        let grid = RGBColor(226, 229, 234).stroke_width(s as u32);
        let line = |a: [f64; 2], b: [f64; 2], style: ShapeStyle| {
            let path = PathElement::new(vec![pixel(a), pixel(b)], style);
            root.draw(&path).map_err(failed)
        };
        let (wide, high) = ((right - left) / s, (bottom - top) / s);
        for (place, step) in figure.x.ticks(self.x[0], self.x[1], (wide / 90.0) as usize) {
            let x = self.column(place);
            line([x, top], [x, bottom], grid)?;
            let text = figure.x.tick_text(place, step);
            let at = [x, bottom + 7.0 * s];
            self.text(root, &text, at, (HPos::Center, VPos::Top), tokens.faint)?;
        }
        for (place, step) in figure.y.ticks(self.y[0], self.y[1], (high / 50.0) as usize) {
            let y = self.row(place);
            line([left, y], [right, y], grid)?;
            let text = figure.y.tick_text(place, step);
            let at = [left - 7.0 * s, y];
            self.text(root, &text, at, (HPos::Right, VPos::Center), tokens.faint)?;
        }
        let axis = rgb(tokens.faint).stroke_width(s as u32);
        line([left, bottom], [right, bottom], axis)?;
        line([left, top], [left, bottom], axis)?;
        let middle = [f64::midpoint(left, right), bottom + 28.0 * s];
        self.text(
            root,
            &figure.x.label,
            middle,
            (HPos::Center, VPos::Top),
            tokens.text,
        )?;
        let heading = [left, 12.0 * s];
        self.text(
            root,
            &figure.name,
            heading,
            (HPos::Left, VPos::Top),
            tokens.text,
        )?;
        let font = (FONT, TEXT * s)
            .into_font()
            .transform(FontTransform::Rotate270);
        let color = rgb(tokens.text);
        let middle = Pos::new(HPos::Center, VPos::Top);
        let style = TextStyle::from(font).pos(middle).color(&color);
        let at = pixel([left - 68.0 * s, f64::midpoint(top, bottom)]);
        root.draw(&Text::new(figure.y.label.clone(), at, style))
            .map_err(failed)
    }

    fn series<DB: DrawingBackend>(
        &self,
        root: &DrawingArea<DB, Shift>,
        series: &Series,
    ) -> Result<()> {
        let color = rgb(series.hue.color(theme::for_paper()));
        let s = self.scale;
        let points: Vec<[f64; 2]> = series.points.iter().filter_map(|p| self.at(*p)).collect();
        for (point, [low, high]) in series.points.iter().zip(&series.bars) {
            let (low, high) = (self.at([point[0], *low]), self.at([point[0], *high]));
            if let (Some(low), Some(high)) = (low, high)
                && self.inside(low)
                && self.inside(high)
            {
                let style = color.mix(0.45).stroke_width((3.0 * s) as u32);
                let path = PathElement::new(vec![pixel(low), pixel(high)], style);
                root.draw(&path).map_err(failed)?;
            }
        }
        if series.mark.has_line() {
            let style = color.stroke_width((1.8 * s).round() as u32);
            let pieces = self.clipped(&points);
            let pieces = if series.mark.is_dashed() {
                pieces.iter().flat_map(|p| dashes(p, 6.0 * s)).collect()
            } else {
                pieces
            };
            for piece in pieces {
                let path = piece.iter().map(|p| pixel(*p)).collect::<Vec<_>>();
                root.draw(&PathElement::new(path, style)).map_err(failed)?;
            }
        }
        let radius = match series.mark {
            Mark::Dots => 2.8 * s,
            Mark::Scatter => 4.0 * s,
            Mark::Squares => 3.2 * s,
            Mark::Line | Mark::Dashed => return Ok(()),
        };
        for point in points.into_iter().filter(|p| self.inside(*p)) {
            if series.mark == Mark::Squares {
                let corner =
                    |sign: f64| pixel([point[0] + sign * radius, point[1] + sign * radius]);
                let style = color.stroke_width(s.round() as u32);
                root.draw(&Rectangle::new([corner(-1.0), corner(1.0)], style))
            } else {
                root.draw(&Circle::new(
                    pixel(point),
                    radius.round() as i32,
                    color.filled(),
                ))
            }
            .map_err(failed)?;
        }
        Ok(())
    }

    /// The pieces of a line that lie within the axes.
    fn clipped(&self, points: &[[f64; 2]]) -> Vec<Vec<[f64; 2]>> {
        let mut pieces: Vec<Vec<[f64; 2]>> = Vec::new();
        let mut open = false;
        for pair in points.windows(2) {
            let Some((a, b)) = clip(pair[0], pair[1], self.frame) else {
                open = false;
                continue;
            };
            match pieces.last_mut().filter(|_| open) {
                Some(piece) => piece.push(b),
                None => pieces.push(vec![a, b]),
            }
            open = self.inside(pair[1]);
        }
        pieces
    }

    fn labels<DB: DrawingBackend>(&self, root: &DrawingArea<DB, Shift>) -> Result<()> {
        let tokens = theme::for_paper();
        let [_, top, right, bottom] = self.frame;
        let mut ends: Vec<(&Series, f64)> = (self.figure.series.iter())
            .filter(|s| !s.label.is_empty())
            .filter_map(|s| Some((s, self.at(*s.points.last()?)?[1].clamp(top, bottom))))
            .collect();
        ends.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let mut rows: Vec<f32> = ends.iter().map(|(_, y)| *y as f32).collect();
        let gap = (TEXT + 2.0) * self.scale;
        spread(&mut rows, gap as f32, top as f32, bottom as f32);
        for ((series, _), y) in ends.iter().zip(rows) {
            let at = [right + 8.0 * self.scale, f64::from(y)];
            let color = series.hue.color(tokens);
            self.text(root, &series.label, at, (HPos::Left, VPos::Center), color)?;
        }
        Ok(())
    }
}

fn pixel([x, y]: [f64; 2]) -> Point {
    (x.round() as i32, y.round() as i32)
}

/// What an axis shows: its range, or all values with a little room.
fn extent(axis: &Axis, values: impl Iterator<Item = f64>) -> [f64; 2] {
    let given = (axis.range).and_then(|[low, high]| Some([axis.place(low)?, axis.place(high)?]));
    if let Some([low, high]) = given.filter(|[low, high]| low < high) {
        return [low, high];
    }
    let places = values.filter_map(|v| axis.place(v));
    let [low, high] = places.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| {
        [low.min(v), high.max(v)]
    });
    match high - low {
        span if span > 0.0 && span.is_finite() => [low - 0.04 * span, high + 0.04 * span],
        _ if low.is_finite() => [low - 0.5, high + 0.5],
        _ => [0.0, 1.0],
    }
}

/// The part of a line from `a` to `b` that lies in a frame (Liang and Barsky 1984).
fn clip(a: [f64; 2], b: [f64; 2], frame: [f64; 4]) -> Option<([f64; 2], [f64; 2])> {
    let d = [b[0] - a[0], b[1] - a[1]];
    let (mut from, mut to) = (0.0_f64, 1.0_f64);
    for (p, q) in [
        (-d[0], a[0] - frame[0]),
        (d[0], frame[2] - a[0]),
        (-d[1], a[1] - frame[1]),
        (d[1], frame[3] - a[1]),
    ] {
        if p.abs() < 1e-12 {
            if q < 0.0 {
                return None;
            }
        } else if p < 0.0 {
            from = from.max(q / p);
        } else {
            to = to.min(q / p);
        }
    }
    let at = |t: f64| [a[0] + t * d[0], a[1] + t * d[1]];
    (from <= to).then(|| (at(from), at(to)))
}

/// Cuts a line into dashes as long as the gaps between them.
fn dashes(line: &[[f64; 2]], length: f64) -> Vec<Vec<[f64; 2]>> {
    let mut out = Vec::new();
    let mut gone = 0.0;
    for pair in line.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let whole = (b[0] - a[0]).hypot(b[1] - a[1]);
        let mut at = 0.0;
        while at < whole {
            let phase = (gone + at) % (2.0 * length);
            let solid = phase < length;
            let rest = if solid {
                length - phase
            } else {
                2.0 * length - phase
            };
            let end = (at + rest.max(1e-6)).min(whole);
            if solid {
                let place = |d: f64| [0, 1].map(|i| a[i] + (b[i] - a[i]) * d / whole);
                out.push(vec![place(at), place(end)]);
            }
            at = end;
        }
        gone += whole;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{clip, dashes, to_png, to_svg};
    use crate::gui::figure::{Axis, Figure, Hue, Mark, Series, Unit};

    fn figure() -> Figure {
        let series = |name: &str, hue, mark, slope: f64| Series {
            name: name.into(),
            hue,
            mark,
            points: (0..30)
                .map(|i| [f64::from(i) * 100.0, 0.9 + slope * f64::from(i)])
                .collect(),
            bars: vec![[0.92, 0.95]; 30],
            label: name.into(),
        };
        Figure {
            name: "Accuracy".into(),
            x: Axis::new("Step", Unit::Number),
            y: Axis::new("Test accuracy", Unit::Percent).with_range(0.9, 1.0),
            series: vec![
                series("dense", Hue::Line(0), Mark::Line, 0.002),
                series("ticket", Hue::Line(1), Mark::Squares, 0.004),
            ],
        }
    }

    #[test]
    fn an_svg_has_the_labels_and_lines() {
        let svg = to_svg(&[figure()]).expect("it can be drawn");
        for text in ["Accuracy", "dense", "ticket", "Step", "2,000", "92 %"] {
            assert!(svg.contains(text), "{text} is missing");
        }
        assert!(svg.contains("<polyline") && svg.starts_with("<svg"));
    }

    #[test]
    fn a_png_shows_text_and_both_colours() {
        let image = to_png(&[figure(), figure()]).expect("it can be drawn");
        assert_eq!((image.width, image.height), (2880, 920));
        let tokens = crate::gui::theme::for_paper();
        for number in [0, 1] {
            let c = tokens.line(number).to_array();
            let found = image.rgba.chunks_exact(4).filter(|p| **p == c).count();
            assert!(found > 200, "line {number}: {found} pixels");
        }
        // The heading is text on an otherwise white strip.
        let strip = &image.rgba[..2880 * 4 * 60];
        assert!(strip.chunks_exact(4).filter(|p| p[0] < 128).count() > 100);
    }

    #[test]
    fn nothing_is_not_a_figure() {
        assert!(to_svg(&[]).is_err());
        assert!(to_png(&[Figure::default()]).is_err());
    }

    #[test]
    fn lines_end_at_the_frame() {
        let frame = [0.0, 0.0, 10.0, 10.0];
        let (a, b) = clip([-10.0, 5.0], [20.0, 5.0], frame).expect("it crosses");
        assert_eq!((a, b), ([0.0, 5.0], [10.0, 5.0]));
        assert!(clip([-5.0, -5.0], [-1.0, 20.0], frame).is_none());
        let total: f64 = dashes(&[[0.0, 0.0], [100.0, 0.0]], 5.0)
            .iter()
            .map(|d| d[1][0] - d[0][0])
            .sum();
        assert!((total - 50.0).abs() < 1e-6);
    }
}
