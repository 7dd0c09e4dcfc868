//! When training should have stopped, and how good the net was then, against the weights that are
//! left: figure 4 of Frankle and Carbin.

use egui::Ui;

use super::super::record::{RunRecord, StageKind, Summary};
use super::bench::Bench;
use super::stages::{Group, Spread, groups, kind_name};
use crate::gui::controls::empty_ui;
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit, side_by_side_ui};

/// The view.
#[derive(Default)]
pub struct EarlyStop {
    plots: Plots<u64>,
}

/// The curves, with the kinds of stages they are made of.
const CURVES: [(&str, &[StageKind], Mark); 3] = [
    ("Ticket", &[StageKind::Dense, StageKind::Ticket], Mark::Dots),
    ("New weights", &[StageKind::Reinitialised], Mark::Squares),
    ("Random mask", &[StageKind::RandomMask], Mark::Squares),
];

impl EarlyStop {
    pub fn ui(&mut self, ui: &mut Ui, bench: &Bench) {
        let Some(entry) = bench.focus() else {
            return empty_ui(ui, "No run on the bench", "Choose a preset and press Run");
        };
        if entry.record.stages.iter().all(|s| s.summary.is_none()) {
            return empty_ui(
                ui,
                "No training has finished yet",
                "There is a point here for each that has",
            );
        }
        let plots = self.plots.get(bench.revision(), || figures(&entry.record));
        side_by_side_ui(ui, plots);
    }

    /// What an export writes.
    pub fn figures(bench: &Bench) -> Vec<Figure> {
        bench.focus().map_or(Vec::new(), |e| figures(&e.record))
    }
}

fn figures(record: &RunRecord) -> Vec<Figure> {
    let groups = groups(record);
    let done = record.stages.iter().filter(|s| s.summary.is_some());
    let least = done.map(|s| s.weights_remaining).fold(1.0, f64::min);
    let figure = |name: &str, y: Axis, of: fn(&Summary) -> f64| Figure {
        name: name.into(),
        x: Axis::new("Weights remaining (%)", Unit::Percent)
            .logarithmic()
            .reversed()
            .with_range((least * 0.9).clamp(1e-4, 0.4), 1.1),
        y,
        series: series(&groups, of),
    };
    let mut figures = vec![
        figure(
            "Early-stopping step",
            Axis::new("Step of the least validation loss", Unit::Number),
            |s| s.early_stop_step as f64,
        ),
        figure(
            "Accuracy at the early stop",
            Axis::new("Test accuracy (%)", Unit::Percent),
            |s| s.early_stop_accuracy,
        ),
    ];
    let steps = record.config.last_steps.unwrap_or(0);
    let longest = record.config.steps.max(steps).max(1) as f64;
    figures[0].y.range = Some([0.0, 1.08 * longest]);
    figures[1].y.range = extremes(&figures[1].series);
    figures
}

/// All values with their bars, and a little room.
fn extremes(series: &[Series]) -> Option<[f64; 2]> {
    let points = series.iter().flat_map(|s| s.points.iter().map(|p| p[1]));
    let bars = series.iter().flat_map(|s| s.bars.iter().flatten().copied());
    let spread = Spread::of(points.chain(bars))?;
    let room = (0.15 * (spread.greatest - spread.least)).max(0.002);
    // In steps, so that the view does not jump with every point.
    let low = ((spread.least - room) * 500.0).floor() / 500.0;
    let high = ((spread.greatest + room) * 500.0).ceil() / 500.0;
    Some([low, high])
}

fn series(groups: &[Group<'_>], of: fn(&Summary) -> f64) -> Vec<Series> {
    let curve = |number: usize, (name, kinds, mark): &(&str, &[StageKind], Mark)| {
        let mut series = Series {
            name: (*name).into(),
            hue: Hue::Line(number),
            mark: *mark,
            label: (*name).into(),
            ..Series::default()
        };
        for group in groups.iter().filter(|g| kinds.contains(&g.kind)) {
            add(&mut series, group, of);
        }
        series
    };
    let mut all: Vec<Series> = CURVES
        .iter()
        .enumerate()
        .map(|(i, c)| curve(i, c))
        .collect();
    // Methods without levels have a point for each of their stages.
    let others = groups.iter().filter(|g| {
        let known = CURVES.iter().any(|(_, kinds, _)| kinds.contains(&g.kind));
        !known && !matches!(g.kind, StageKind::GateSearch | StageKind::Sibling)
    });
    for group in others {
        let name = kind_name(group.kind);
        let found = all.iter().position(|s| s.name == name);
        let at = found.unwrap_or_else(|| {
            all.push(Series {
                name: name.into(),
                hue: Hue::Line(all.len()),
                mark: Mark::Scatter,
                label: name.into(),
                ..Series::default()
            });
            all.len() - 1
        });
        add(&mut all[at], group, of);
    }
    all.retain(|s| !s.points.is_empty());
    all
}

/// A point for what the repetitions that are done have reached.
fn add(series: &mut Series, group: &Group<'_>, of: fn(&Summary) -> f64) {
    let values = group.stages.iter().filter_map(|s| s.summary.as_ref());
    if let Some(spread) = Spread::of(values.map(of)) {
        series.points.push([group.weights_remaining, spread.mean]);
        series.bars.push(spread.bar());
    }
}

#[cfg(test)]
mod tests {
    use super::super::stages::samples::imp;
    use super::figures;

    #[test]
    fn tickets_and_twins_are_compared_at_each_level() {
        let figures = figures(&imp());
        assert_eq!(figures.len(), 2);
        let steps = &figures[0].series;
        let names: Vec<&str> = steps.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["Ticket", "New weights"]);
        assert_eq!(steps[0].points.len(), 4, "the dense net is the first point");
        assert_eq!(steps[1].points.len(), 3);
        // Level 1: steps 900 and 910.
        assert!((steps[0].points[1][1] - 905.0).abs() < 1e-9);
        assert_eq!(format!("{:?}", steps[0].bars[1]), "[900.0, 910.0]");
        assert!((steps[0].points[1][0] - 0.8).abs() < 1e-9);
        assert!(figures[0].x.log && figures[0].x.reversed);
    }
}
