//! Figures: plain series that are drawn in the window and written as SVG and PNG alike.
//!
//! A tab describes what it shows as a [`Figure`], once for each change of its data. [`Plotted`]
//! draws it in the window, where it can be zoomed and pointed at; [`to_svg`] and [`to_png`] write
//! it on white ground. All three take ticks, numbers and the places of labels from here, so an
//! exported figure is the one on the screen.

mod export;
mod plots;
mod show;

pub use export::{PNG, SVG, to_png, to_svg};
pub use plots::{Plots, side_by_side_ui};
pub use show::Plotted;

use egui::Color32;

use super::theme::Tokens;

/// One pair of axes with what is drawn between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// What it shows: for screen readers, tests and as the heading of an export.
    pub name: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Later ones lie over earlier ones.
    pub series: Vec<Series>,
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// Quantity and unit.
    pub label: String,
    /// How its numbers are written.
    pub unit: Unit,
    /// Logarithmic; values of 0 and less are not drawn.
    pub log: bool,
    /// The greatest value comes first.
    pub reversed: bool,
    /// What is shown before somebody zooms; all of it if not given.
    pub range: Option<[f64; 2]>,
}

/// How a quantity's numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// `1,200`, `0.05`, `3e-6`.
    #[default]
    Number,
    /// 0.975 is `97.5 %`.
    Percent,
    /// `12 s`.
    Seconds,
    /// `1.5 T` for 1.5 · 10¹².
    Operations,
}

/// Points that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Shown beside a point that is pointed at, and in the legend of an export.
    pub name: String,
    /// Which colour of the theme.
    pub hue: Hue,
    /// How its points are drawn.
    pub mark: Mark,
    /// `[x, y]`.
    pub points: Vec<[f64; 2]>,
    /// `[least, greatest]` for each point, drawn as bars; none or as many as points.
    pub bars: Vec<[f64; 2]>,
    /// Written beside its last point.
    pub label: String,
}

/// A colour by its part in a figure, so that each theme can have its own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Hue {
    /// What is not the point of the figure: references, lines of theory.
    #[default]
    Faint,
    /// One of several kinds, see [`Tokens::line`].
    Line(usize),
    /// One of an ordered family, see [`Tokens::ladder`].
    Ladder(f32),
}

/// How points are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// A line.
    #[default]
    Line,
    /// A dashed line.
    Dashed,
    /// A line with a dot at each point.
    Dots,
    /// A dashed line with a hollow square at each point.
    Squares,
    /// Dots without a line.
    Scatter,
}

impl Hue {
    /// The colour in a theme.
    #[must_use]
    pub fn color(self, tokens: &Tokens) -> Color32 {
        match self {
            Self::Faint => tokens.faint,
            Self::Line(number) => tokens.line(number),
            Self::Ladder(at) => tokens.ladder(at),
        }
    }
}

impl Mark {
    fn has_line(self) -> bool {
        self != Self::Scatter
    }

    fn is_dashed(self) -> bool {
        matches!(self, Self::Dashed | Self::Squares)
    }
}

impl Figure {
    /// Whether there is nothing to draw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|s| s.points.is_empty())
    }
}

impl Axis {
    /// A linear axis.
    #[must_use]
    pub fn new(label: impl Into<String>, unit: Unit) -> Self {
        Self {
            label: label.into(),
            unit,
            ..Self::default()
        }
    }

    /// Shows this range before somebody zooms.
    #[must_use]
    pub fn with_range(mut self, low: f64, high: f64) -> Self {
        self.range = Some([low, high]);
        self
    }

    /// A logarithmic axis.
    #[must_use]
    pub fn logarithmic(mut self) -> Self {
        self.log = true;
        self
    }

    /// An axis whose greatest value comes first.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.reversed = true;
        self
    }

    /// Where a value lies: itself, or its logarithm to base 10; none where it cannot be drawn.
    fn place(&self, value: f64) -> Option<f64> {
        let place = if self.log { value.log10() } else { value };
        place.is_finite().then_some(place)
    }

    /// The value at a place.
    fn value(&self, place: f64) -> f64 {
        if self.log { 10f64.powf(place) } else { place }
    }

    /// Places of marks between two places, each with the distance to the next of its rank.
    fn ticks(&self, low: f64, high: f64, most: usize) -> Vec<(f64, f64)> {
        let span = high - low;
        if !(span.is_finite() && span > 0.0) || most == 0 {
            return Vec::new();
        }
        if self.log && span > 0.7 {
            let decades = (span / most as f64).ceil().max(1.0);
            let digits: &[f64] = match span {
                s if s < 2.5 => &[1.0, 2.0, 5.0],
                s if s < 4.0 => &[1.0, 3.0],
                _ => &[1.0],
            };
            let mut ticks = Vec::new();
            let mut decade = (low / decades).floor() * decades;
            while decade <= high {
                ticks.extend(digits.iter().map(|d| (decade + d.log10(), decades)));
                decade += decades;
            }
            // Rounding must not cost the marks at the ends.
            let shown = low - 1e-9..=high + 1e-9;
            ticks.retain(|(place, _)| shown.contains(place));
            return ticks;
        }
        // In a log axis of less than a decade, round values, not round logarithms.
        let (from, to) = (self.value(low), self.value(high));
        let step = nice_step((to - from) / most as f64);
        let mut ticks = Vec::new();
        let mut at = (from / step).ceil();
        // How far apart they lie on the axis, which for a logarithm is only about the same.
        let apart = if self.log { span / most as f64 } else { step };
        while at * step <= to + step * 1e-9 && ticks.len() <= 4 * most {
            ticks.extend(self.place(at * step).map(|place| (place, apart)));
            at += 1.0;
        }
        ticks
    }

    /// A value's text where marks are `step` apart.
    fn tick_text(&self, place: f64, step: f64) -> String {
        // A little below nothing is nothing, not `-0`.
        let value = self.value(if place.abs() < step * 1e-6 {
            0.0
        } else {
            place
        });
        if self.log {
            return self.unit.text(value);
        }
        match self.unit {
            Unit::Percent => {
                let decimals = (-(step * 100.0).log10()).ceil().clamp(0.0, 6.0) as usize;
                format!("{:.decimals$} %", value * 100.0)
            }
            Unit::Number if value.abs() < 1e5 && step >= 1e-4 => {
                let decimals = (-step.log10()).ceil().clamp(0.0, 6.0) as usize;
                grouped(&format!("{value:.decimals$}"))
            }
            unit => unit.text(value),
        }
    }
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn nice_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().find(|s| s * power >= least);
    step.unwrap_or(10.0) * power
}

impl Unit {
    /// A value with its unit, to about three digits.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        if !value.is_finite() {
            return "none".into();
        }
        match self {
            Self::Percent => {
                let percent = value * 100.0;
                let decimals = match percent.abs() {
                    p if p >= 99.95 => 1,
                    p if p >= 10.0 => 2,
                    p if p >= 1.0 => 1,
                    p if p >= 0.01 || p == 0.0 => 2,
                    _ => return format!("{percent:.0e} %"),
                };
                let text = format!("{percent:.decimals$}");
                let text = text.trim_end_matches('0').trim_end_matches('.');
                format!("{} %", if text.is_empty() { "0" } else { text })
            }
            Self::Seconds => match value {
                v if v >= 100.0 => format!("{} s", grouped(&format!("{v:.0}"))),
                v if v >= 10.0 => format!("{v:.1} s"),
                v if v >= 0.01 || v <= 0.0 => format!("{v:.2} s"),
                v => format!("{v:.0e} s"),
            },
            Self::Operations => scaled(value),
            Self::Number => match value.abs() {
                0.0 => "0".into(),
                v if v >= 1e6 => scaled(value),
                v if v >= 1000.0 => grouped(&format!("{value:.0}")),
                v if v >= 0.01 => {
                    let decimals = match v {
                        v if v >= 100.0 => 1,
                        v if v >= 10.0 => 2,
                        _ => 3,
                    };
                    let text = format!("{value:.decimals$}");
                    text.trim_end_matches('0').trim_end_matches('.').to_owned()
                }
                _ => {
                    let text = format!("{value:.1e}");
                    text.replace(".0e", "e")
                }
            },
        }
    }
}

/// `1.5 T` for 1.5 · 10¹².
fn scaled(value: f64) -> String {
    const NAMES: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    if value.abs() >= 1e15 {
        return format!("{value:.0e}");
    }
    match NAMES.iter().find(|(size, _)| value.abs() >= *size) {
        Some((size, name)) => {
            let number = value / size;
            let decimals = match number.abs() {
                n if n >= 100.0 => 0,
                n if n >= 10.0 => 1,
                _ => 2,
            };
            let text = format!("{number:.decimals$}");
            let text = if decimals > 0 {
                text.trim_end_matches('0').trim_end_matches('.')
            } else {
                &text
            };
            format!("{text} {name}")
        }
        None => format!("{value:.0}"),
    }
}

/// A comma before every three digits of the whole part.
#[must_use]
pub fn grouped(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (whole, rest) = match digits.find('.') {
        Some(at) => digits.split_at(at),
        None => (digits, ""),
    };
    let mut out = String::from(sign);
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(c);
    }
    out + rest
}

/// Moves sorted places apart until neighbours are `gap` apart, all within `low` to `high` as far
/// as there is room; each stays as near to its own place as the others let it.
fn spread(places: &mut [f32], gap: f32, low: f32, high: f32) {
    for i in 0..places.len() {
        let least = if i == 0 { low } else { places[i - 1] + gap };
        places[i] = places[i].max(least);
    }
    for i in (0..places.len()).rev() {
        let most = if i + 1 == places.len() {
            high
        } else {
            places[i + 1] - gap
        };
        places[i] = places[i].min(most);
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, Unit, nice_step, scaled, spread};

    #[test]
    fn numbers_read_well() {
        for (unit, value, text) in [
            (Unit::Percent, 1.0, "100 %"),
            (Unit::Percent, 0.5123, "51.23 %"),
            (Unit::Percent, 0.036, "3.6 %"),
            (Unit::Percent, 0.0, "0 %"),
            (Unit::Seconds, 12.34, "12.3 s"),
            (Unit::Seconds, 1234.0, "1,234 s"),
            (Unit::Operations, 1.5e12, "1.5 T"),
            (Unit::Operations, 123.4e9, "123 G"),
            (Unit::Number, 3000.0, "3,000"),
            (Unit::Number, 3e-6, "3e-6"),
            (Unit::Number, 0.25, "0.25"),
            (Unit::Number, f64::NAN, "none"),
        ] {
            assert_eq!(unit.text(value), text, "{value}");
        }
        assert_eq!(scaled(999.0), "999");
        assert_eq!(scaled(7.29e18), "7e18");
        assert_eq!(scaled(100e9), "100 G");
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::new("Accuracy", Unit::Percent);
        let ticks = axis.ticks(0.931, 0.992, 6);
        let texts: Vec<String> = ticks.iter().map(|(p, s)| axis.tick_text(*p, *s)).collect();
        assert_eq!(texts, ["94 %", "96 %", "98 %"]);
        let log = Axis::new("Weights", Unit::Percent).logarithmic();
        let ticks = log.ticks(0.02f64.log10(), 0.0, 8);
        let texts: Vec<String> = ticks.iter().map(|(p, s)| log.tick_text(*p, *s)).collect();
        assert_eq!(texts, ["2 %", "5 %", "10 %", "20 %", "50 %", "100 %"]);
        assert!(axis.ticks(1.0, 1.0, 5).is_empty());
        assert!((nice_step(0.03) - 0.05).abs() < 1e-12);
    }

    #[test]
    fn labels_do_not_overlap() {
        let mut places = [10.0, 10.5, 11.0, 40.0];
        spread(&mut places, 12.0, 0.0, 60.0);
        assert!(places.windows(2).all(|w| w[1] - w[0] >= 12.0 - 1e-3));
        let mut low = [58.0, 59.0, 60.0];
        spread(&mut low, 12.0, 0.0, 60.0);
        assert!(low[2] <= 60.0 && low[0] >= 0.0 && low[1] - low[0] >= 11.9);
    }
}
