//! The page's plots.

use super::super::super::imagination::{Depth, Drift, Mean, Roll, Step};
use crate::gui::figure::{Axis, Figure, Hue, Mark, Series, Unit};

/// Colours: what is imagined, what is true, this one line.
const IMAGINED: Hue = Hue::Line(0);
const TRUE: Hue = Hue::Line(1);
const LINE: Hue = Hue::Line(2);

/// All plots of a line and of the measurement, as far as there are any.
pub fn figures(roll: Option<&Roll>, drift: Option<&Drift>) -> Vec<Figure> {
    let mut figures = vec![error(roll, drift), value(roll)];
    figures.push(if has_rules(roll) {
        illegal(roll, drift)
    } else {
        reward(roll)
    });
    figures
}

/// Whether some moves are forbidden: games for two, whose values are between lost and won. The
/// position after the last move has no moves at all.
fn has_rules(roll: Option<&Roll>) -> bool {
    roll.is_some_and(|roll| roll.steps.iter().any(|step| step.illegal.is_some()))
}

/// The depths that are drawn, with a little room at both ends.
fn depth_axis(roll: Option<&Roll>, drift: Option<&Drift>) -> Axis {
    let line = roll.map_or(0, |roll| roll.steps.len());
    let measured = drift.map_or(0, |drift| drift.depths.len());
    let last = line.max(measured).saturating_sub(1).max(1) as f64;
    Axis::new("Imagined steps", Unit::Number).with_range(-0.02 * last, 1.02 * last)
}

/// From nothing to the greatest number, but not less than `least`: what is next to nothing should
/// look so.
fn from_zero(axis: Axis, series: &[Series], least: f64) -> Axis {
    let heights = series.iter().flat_map(|s| s.points.iter().map(|p| p[1]));
    let most = heights.fold(least, f64::max);
    axis.with_range(-0.03 * most, 1.06 * most)
}

fn series(name: &str, hue: Hue, mark: Mark, points: Vec<[f64; 2]>) -> Series {
    Series {
        name: name.into(),
        hue,
        mark,
        points,
        ..Series::default()
    }
}

/// A measured mean with its band.
fn band(name: &str, hue: Hue, mark: Mark, drift: &Drift, of: impl Fn(&Depth) -> Mean) -> Series {
    let at = |d: &Depth| [d.depth as f64, of(d).mean];
    let bar = |d: &Depth| [of(d).mean - of(d).half, of(d).mean + of(d).half];
    Series {
        bars: drift.depths.iter().map(bar).collect(),
        ..series(name, hue, mark, drift.depths.iter().map(at).collect())
    }
}

/// Something of each step, where there is any.
fn along(
    roll: Option<&Roll>,
    name: &str,
    hue: Hue,
    mark: Mark,
    of: impl Fn(&Step) -> Option<f32>,
) -> Series {
    let steps = roll.map_or(&[][..], |roll| &roll.steps).iter().enumerate();
    let points = steps.filter_map(|(k, step)| Some([k as f64, f64::from(of(step)?)]));
    series(name, hue, mark, points.collect())
}

fn labelled(series: Series, label: &str) -> Series {
    Series {
        label: label.into(),
        ..series
    }
}

fn error(roll: Option<&Roll>, drift: Option<&Drift>) -> Figure {
    let line = along(roll, "This line", LINE, Mark::Scatter, |step| {
        step.difference.map(|d| d.mean)
    });
    let mut all = vec![labelled(line, "this line")];
    if let Some(drift) = drift {
        let mean = |name: &str, hue, mark, label: &str, of: fn(&Depth) -> Mean| {
            labelled(band(name, hue, mark, drift, of), label)
        };
        all.extend([
            mean(
                "Nothing changes",
                Hue::Faint,
                Mark::Dashed,
                "no change",
                |d| d.still,
            ),
            mean("The probe alone", TRUE, Mark::Squares, "probe alone", |d| {
                d.probe
            }),
            mean("Imagined", IMAGINED, Mark::Dots, "imagined", |d| d.error),
        ]);
    }
    Figure {
        name: "Picture error against depth".into(),
        x: depth_axis(roll, drift),
        y: from_zero(Axis::new("Mean absolute error", Unit::Number), &all, 0.02),
        series: all,
    }
}

fn value(roll: Option<&Roll>) -> Figure {
    let imagined = along(roll, "Imagined value", IMAGINED, Mark::Dots, |s| {
        Some(s.value)
    });
    let seen = along(
        roll,
        "Value of the true position",
        TRUE,
        Mark::Squares,
        |s| s.true_value,
    );
    let y = Axis::new("Value", Unit::Number);
    Figure {
        name: "Value along the line".into(),
        x: depth_axis(roll, None),
        y: if has_rules(roll) {
            y.with_range(-1.05, 1.05)
        } else {
            y
        },
        series: vec![labelled(seen, "true"), labelled(imagined, "imagined")],
    }
}

fn reward(roll: Option<&Roll>) -> Figure {
    let imagined = along(roll, "Imagined reward", IMAGINED, Mark::Dots, |s| s.reward);
    let earned = along(roll, "True reward", TRUE, Mark::Squares, |s| s.true_reward);
    let heights = [&imagined, &earned].into_iter().flat_map(|s| &s.points);
    // Next to nothing should look so.
    let (low, high) = heights.fold((-0.05, 1.05), |(low, high), p| {
        (f64::min(low, p[1] - 0.05), f64::max(high, p[1] + 0.05))
    });
    Figure {
        name: "Reward along the line".into(),
        x: depth_axis(roll, None),
        y: Axis::new("Reward", Unit::Number).with_range(low, high),
        series: vec![labelled(earned, "true"), labelled(imagined, "imagined")],
    }
}

fn illegal(roll: Option<&Roll>, drift: Option<&Drift>) -> Figure {
    let line = along(roll, "This line", LINE, Mark::Scatter, |s| s.illegal);
    let mut all = vec![labelled(line, "this line")];
    if let Some(drift) = drift {
        let mean = band("Over many lines", IMAGINED, Mark::Dots, drift, |d| {
            d.illegal
        });
        all.push(labelled(mean, "mean"));
    }
    Figure {
        name: "Policy on forbidden moves".into(),
        x: depth_axis(roll, drift),
        y: from_zero(Axis::new("Share of the policy", Unit::Percent), &all, 0.05),
        series: all,
    }
}
