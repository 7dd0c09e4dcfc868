//! Test accuracy against step, one curve for each sparsity: figure 3 of Frankle and Carbin.

use egui::Ui;
use serde::{Deserialize, Serialize};

use super::super::config::Method;
use super::super::record::{Point, RunRecord, StageKind};
use super::bench::Bench;
use super::stages::{Group, Spread, groups, kind_name, percent};
use crate::gui::controls::empty_ui;
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit};

/// What a curve is drawn against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cost {
    /// Optimiser steps of the stage.
    #[default]
    Steps,
    /// Operations.
    Operations,
    /// Processor seconds.
    Seconds,
}

impl Cost {
    pub const ALL: [Self; 3] = [Self::Steps, Self::Operations, Self::Seconds];

    pub fn name(self) -> &'static str {
        match self {
            Self::Steps => "Steps",
            Self::Operations => "Operations",
            Self::Seconds => "CPU seconds",
        }
    }

    fn of(self, point: &Point) -> f64 {
        match self {
            Self::Steps => point.step as f64,
            Self::Operations => point.flops,
            Self::Seconds => point.cpu_seconds,
        }
    }

    fn axis(self) -> Axis {
        match self {
            Self::Steps => Axis::new("Step of this training", Unit::Number),
            Self::Operations => Axis::new("Operations of this training", Unit::Operations),
            Self::Seconds => Axis::new("CPU seconds of this training", Unit::Seconds),
        }
    }
}

/// What the person chose to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    cost: Cost,
    /// All levels, not only those of the paper's figure.
    all_levels: bool,
    /// Also the re-initialised and randomly masked twins.
    twins: bool,
}

/// The view.
#[derive(Default)]
pub struct Curves {
    pub options: Options,
    plots: Plots<(u64, Options)>,
}

/// The shares of weights in the paper's figure.
const LADDER: [f64; 6] = [1.0, 0.512, 0.211, 0.070, 0.036, 0.019];

impl Curves {
    /// Draws it. True when a choice has changed.
    pub fn ui(&mut self, ui: &mut Ui, bench: &Bench) -> bool {
        let before = self.options;
        let Some(entry) = bench.focus() else {
            empty_ui(ui, "No run on the bench", "Choose a preset and press Run");
            return false;
        };
        ui.horizontal_wrapped(|ui| {
            ui.label("Against");
            for cost in Cost::ALL {
                ui.selectable_value(&mut self.options.cost, cost, cost.name());
            }
            if entry.record.config.method == Method::Imp {
                ui.separator();
                ui.checkbox(&mut self.options.all_levels, "All levels")
                    .on_hover_text("Else those nearest to the paper's figure, and the last");
                ui.checkbox(&mut self.options.twins, "Twins").on_hover_text(
                    "Also the same masks with new weights, and random masks, dashed",
                );
            }
        });
        if entry.record.stages.iter().all(|s| s.points.is_empty()) {
            empty_ui(ui, "No points yet", "The first one comes in a moment");
            return before != self.options;
        }
        let key = (bench.revision(), self.options);
        let plots = self
            .plots
            .get(key, || vec![figure(&entry.record, self.options)]);
        let size = ui.available_size();
        if let Some(plot) = plots.first() {
            plot.show(ui, size);
        }
        before != self.options
    }

    /// What an export writes.
    pub fn figures(&self, bench: &Bench) -> Vec<Figure> {
        bench
            .focus()
            .map(|entry| figure(&entry.record, self.options))
            .into_iter()
            .collect()
    }
}

/// The groups whose curves are drawn.
fn chosen(record: &RunRecord, options: Options) -> Vec<Group<'_>> {
    let is_twin = |kind| matches!(kind, StageKind::Reinitialised | StageKind::RandomMask);
    let mut groups = groups(record);
    groups.retain(|g| g.kind != StageKind::Sibling);
    // A step of the rebuilding is a weight, which no training is to be drawn against.
    if record.config.method == Method::SubsetSum && options.cost == Cost::Steps {
        groups.retain(|g| g.kind == StageKind::SubsetSum);
    }
    groups.retain(|g| g.stages.iter().any(|s| !s.points.is_empty()));
    groups.retain(|g| options.twins || !is_twin(g.kind));
    if record.config.method != Method::Imp || options.all_levels {
        return groups;
    }
    let shares: Vec<f64> = groups.iter().map(|g| g.weights_remaining).collect();
    let near = |target: &f64| {
        let off = |share: &f64| (share / target).ln().abs();
        let nearest = shares
            .iter()
            .copied()
            .min_by(|a, b| off(a).total_cmp(&off(b)));
        nearest.filter(|share| off(share) < 0.1)
    };
    let mut kept: Vec<f64> = LADDER.iter().filter_map(near).collect();
    kept.extend(shares.iter().copied().min_by(f64::total_cmp));
    groups.retain(|g| kept.iter().any(|k| (k - g.weights_remaining).abs() < 1e-9));
    groups
}

fn figure(record: &RunRecord, options: Options) -> Figure {
    let chosen = chosen(record, options);
    let mut shares: Vec<f64> = chosen.iter().map(|g| g.weights_remaining).collect();
    shares.sort_by(|a, b| b.total_cmp(a));
    shares.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    let ladder = matches!(record.config.method, Method::Imp | Method::EdgePopup);
    let hue = |number: usize, group: &Group<'_>| {
        if !ladder || shares.len() < 2 {
            return Hue::Line(number);
        }
        let place = shares
            .iter()
            .position(|s| (s - group.weights_remaining).abs() < 1e-9);
        // The dense net is the brightest on dark ground, the sparsest the darkest.
        Hue::Ladder(1.0 - place.unwrap_or(0) as f32 / (shares.len() - 1) as f32)
    };
    let series: Vec<Series> = chosen
        .iter()
        .enumerate()
        .map(|(number, group)| curve(group, options.cost, hue(number, group)))
        .collect();
    let mut x = options.cost.axis();
    if options.cost == Cost::Steps {
        let longest = chosen.iter().flat_map(Group::steps).max().unwrap_or(0);
        let all = match record.config.method {
            Method::SubsetSum => record.weights,
            _ => record.config.steps,
        };
        let steps = all.max(longest).max(1) as f64;
        if record.config.method == Method::SubsetSum {
            x.label = "Weights searched for".into();
        }
        x = x.with_range(-0.01 * steps, steps * 1.01);
    }
    let mut y = Axis::new("Test accuracy (%)", Unit::Percent);
    y.range = interesting(&series);
    Figure {
        name: "Test accuracy while training".into(),
        x,
        y,
        series,
    }
}

fn curve(group: &Group<'_>, cost: Cost, hue: Hue) -> Series {
    let several = group.stages.len() > 1;
    // The first point of a stage has what all stages before it have cost.
    let began: Vec<f64> = group
        .stages
        .iter()
        .map(|s| s.points.first().map_or(0.0, |p| cost.of(p)))
        .collect();
    let began = Spread::of(began).map_or(0.0, |s| s.mean);
    let mut series = Series {
        name: match group.kind {
            StageKind::Dense | StageKind::EdgePopup => kind_name(group.kind).to_owned(),
            kind => format!("{}, {}", kind_name(kind), percent(group.weights_remaining)),
        },
        hue,
        mark: match group.kind {
            StageKind::Reinitialised | StageKind::RandomMask => Mark::Dashed,
            _ => Mark::Line,
        },
        label: group.label(),
        ..Series::default()
    };
    for step in group.steps() {
        let at = Spread::of(group.at_step(step).map(|p| cost.of(p)));
        let accuracy = Spread::of(group.at_step(step).map(|p| p.test_accuracy));
        if let (Some(at), Some(accuracy)) = (at, accuracy) {
            let x = if cost == Cost::Steps {
                at.mean
            } else {
                at.mean - began
            };
            series.points.push([x, accuracy.mean]);
            if several {
                series.bars.push(accuracy.bar());
            }
        }
    }
    if matches!(group.kind, StageKind::Reinitialised | StageKind::RandomMask) {
        series.label.clear();
    }
    series
}

/// The part of the accuracies in which curves differ: not their common rise from guessing.
pub fn interesting(series: &[Series]) -> Option<[f64; 2]> {
    let finals = series.iter().filter_map(|s| s.points.last().map(|p| p[1]));
    let best = series.iter().flat_map(|s| s.points.iter().map(|p| p[1]));
    let (worst, best) = (
        finals.fold(f64::INFINITY, f64::min),
        best.fold(f64::NEG_INFINITY, f64::max),
    );
    if !(worst.is_finite() && best.is_finite()) {
        return None;
    }
    // In whole hundredths, so that the view does not jump with every point.
    let rest = (1.0 - best).max(0.01);
    let low = ((worst - 2.0 * rest).max(0.0) * 50.0).floor() / 50.0;
    let high = ((best + 0.3 * rest).min(1.0) * 100.0).ceil() / 100.0;
    Some([low, high.max(low + 0.02)])
}

#[cfg(test)]
mod tests {
    use super::super::stages::samples::imp;
    use super::{Cost, Options, figure};

    #[test]
    fn one_curve_for_each_level_with_the_means_of_repetitions() {
        let options = Options {
            all_levels: true,
            ..Options::default()
        };
        let figure = figure(&imp(), options);
        let labels: Vec<&str> = figure.series.iter().map(|s| s.label.as_str()).collect();
        assert_eq!(labels, ["100 %", "80.0 %", "64.0 %", "51.2 %"]);
        let last = figure.series[0].points.last().expect("points");
        assert!((last[0] - 1000.0).abs() < 1e-9);
        let mean = f64::midpoint(0.97, 0.971) * (1.0 - 0.9 / 101.0);
        assert!((last[1] - mean).abs() < 1e-9, "{last:?}");
        assert_eq!(figure.series[0].bars.len(), 11);
        let [low, high] = figure.y.range.expect("a range");
        assert!(low > 0.5 && high <= 1.0, "{low} {high}");
    }

    #[test]
    fn the_papers_levels_are_enough_at_first() {
        let figure = figure(&imp(), Options::default());
        let labels: Vec<&str> = figure.series.iter().map(|s| s.label.as_str()).collect();
        assert_eq!(labels, ["100 %", "51.2 %"]);
    }

    #[test]
    fn costs_begin_at_nothing_and_twins_are_dashed() {
        let options = Options {
            cost: Cost::Seconds,
            twins: true,
            all_levels: true,
        };
        let figure = figure(&imp(), options);
        assert_eq!(figure.series.len(), 7);
        for series in &figure.series {
            assert!(series.points[0][0].abs() < 1e-12);
            assert_eq!(series.name.contains("New weights"), series.label.is_empty());
        }
        let options = Options {
            cost: Cost::Operations,
            ..options
        };
        let flops = super::figure(&imp(), options).series[0].points[10][0];
        assert!((flops - 1e10).abs() < 1.0, "{flops}");
    }
}
