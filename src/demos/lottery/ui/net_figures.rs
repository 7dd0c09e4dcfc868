//! Small figures below the picture of the net.

use serde::{Deserialize, Serialize};

use super::super::record::{Histogram, RunRecord};
use super::stages::percent;
use crate::gui::figure::{Axis, Figure, Hue, Mark, Series, Unit};

/// Which figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chart {
    /// First values of the weights that survived.
    #[default]
    Survivors,
    /// How many weights changed places.
    Churn,
    /// Values of the gates.
    Gates,
    /// Accuracy for several shares kept.
    Shares,
}

impl Chart {
    pub const ALL: [Self; 4] = [Self::Survivors, Self::Churn, Self::Gates, Self::Shares];

    pub fn name(self) -> &'static str {
        match self {
            Self::Survivors => "Initial weights",
            Self::Churn => "Swaps",
            Self::Gates => "Gates",
            Self::Shares => "Share kept",
        }
    }

    pub fn missing(self) -> &'static str {
        match self {
            Self::Survivors => "Initial weights of survivors come with magnitude pruning",
            Self::Churn => "Swaps come with methods that choose while they train",
            Self::Gates => "Gates come with the method Gates",
            Self::Shares => "Several shares come with a sweep of k",
        }
    }
}

/// The figure, if the run has what it shows.
pub fn figure(record: &RunRecord, chart: Chart, layer: usize) -> Option<Figure> {
    let figure = match chart {
        Chart::Survivors => survivors(record, layer),
        Chart::Churn => churn(record),
        Chart::Gates => gates(record, layer),
        Chart::Shares => shares(record),
    };
    (!figure.is_empty()).then_some(figure)
}

/// Levels at most; more would hide one another.
const MOST_LEVELS: usize = 6;

fn survivors(record: &RunRecord, layer: usize) -> Figure {
    let of_layer: Vec<&Histogram> = record
        .extras
        .survivors
        .iter()
        .filter(|h| h.layer == layer && !h.bins.is_empty())
        .collect();
    let stride = of_layer.len().div_ceil(MOST_LEVELS).max(1);
    // The last level, and others in equal distance before it.
    let chosen: Vec<&Histogram> = of_layer
        .iter()
        .rev()
        .step_by(stride)
        .rev()
        .copied()
        .collect();
    let rounds = chosen.len().max(2) - 1;
    let series = chosen.iter().enumerate().map(|(place, histogram)| {
        let share = share_at(record, histogram.level);
        let name = share.map_or(format!("level {}", histogram.level), percent);
        Series {
            name: format!("Survivors at {name}"),
            hue: Hue::Ladder(1.0 - place as f32 / rounds as f32),
            points: outline(histogram),
            label: name,
            ..Series::default()
        }
    });
    let name = record.layers.get(layer).map_or("", |l| &l.name);
    Figure {
        name: format!("Initial weights of those left in {name}"),
        x: Axis::new("Initial weight", Unit::Number),
        y: Axis::new("Share of those left", Unit::Percent),
        series: series.collect(),
    }
}

fn share_at(record: &RunRecord, level: u32) -> Option<f64> {
    let stage = record.stages.iter().find(|s| s.level == level)?;
    Some(stage.weights_remaining)
}

/// A histogram as a line through the middles of its bins, which are shares of all.
fn outline(histogram: &Histogram) -> Vec<[f64; 2]> {
    let [low, high] = histogram.range.map(f64::from);
    let all: f64 = histogram.bins.iter().map(|b| f64::from(*b)).sum();
    let width = (high - low) / histogram.bins.len() as f64;
    let bins = histogram.bins.iter().enumerate();
    bins.map(|(at, bin)| {
        [
            low + (at as f64 + 0.5) * width,
            f64::from(*bin) / all.max(1.0),
        ]
    })
    .collect()
}

fn churn(record: &RunRecord) -> Figure {
    let mut series = Vec::new();
    for stage in record.stages.iter().filter(|s| s.repetition == 0) {
        let points: Vec<[f64; 2]> = stage
            .points
            .iter()
            .filter_map(|p| Some([p.step as f64, p.mask_churn?]))
            .collect();
        if !points.is_empty() {
            series.push(Series {
                name: format!("Swaps at {}", percent(stage.weights_remaining)),
                hue: Hue::Line(series.len()),
                points,
                label: percent(stage.weights_remaining),
                ..Series::default()
            });
        }
    }
    Figure {
        name: "Weights that changed places since the last point".into(),
        x: Axis::new("Step", Unit::Number),
        y: Axis::new("Share of the kept", Unit::Percent),
        series,
    }
}

fn gates(record: &RunRecord, layer: usize) -> Figure {
    let mut values: Vec<f64> = (record.extras.gates.get(layer))
        .map_or(Vec::new(), |g| g.iter().map(|v| f64::from(*v)).collect());
    values.sort_by(|a, b| b.total_cmp(a));
    let mut series = Vec::new();
    if !values.is_empty() {
        let last = values.len() as f64 - 1.0;
        series.push(Series {
            name: "Gate".into(),
            hue: Hue::Line(0),
            mark: Mark::Scatter,
            bars: values.iter().map(|v| [0.0, *v]).collect(),
            points: values
                .iter()
                .enumerate()
                .map(|(i, v)| [i as f64, *v])
                .collect(),
            ..Series::default()
        });
        if let Some(threshold) = record.extras.gate_threshold {
            let level = f64::from(threshold);
            series.push(Series {
                name: "Closed below".into(),
                mark: Mark::Dashed,
                points: vec![[0.0, level], [last, level]],
                label: "threshold".into(),
                ..Series::default()
            });
        }
    }
    let name = record.layers.get(layer).map_or("", |l| &l.name);
    Figure {
        name: format!("Gates of {name}"),
        x: Axis::new("Channel, by the value of its gate", Unit::Number),
        y: Axis::new("Gate", Unit::Number),
        series,
    }
}

fn shares(record: &RunRecord) -> Figure {
    let mut points: Vec<[f64; 2]> = record
        .extras
        .k_sweep
        .iter()
        .map(|(k, a)| [*k, *a])
        .collect();
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    Figure {
        name: "Accuracy by the share kept".into(),
        x: Axis::new("Share of random weights kept, k (%)", Unit::Percent),
        y: Axis::new("Test accuracy (%)", Unit::Percent),
        series: vec![Series {
            name: "Edge-popup".into(),
            hue: Hue::Line(0),
            mark: Mark::Dots,
            points,
            ..Series::default()
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::{Chart, figure, outline};
    use crate::demos::lottery::config::Method;
    use crate::demos::lottery::record::StageKind;
    use crate::demos::lottery::ui::stages::samples::{imp, record, stage};

    #[test]
    fn a_histogram_is_drawn_as_shares() {
        let run = imp();
        let points = outline(&run.extras.survivors[0]);
        assert_eq!(points.len(), 6);
        let all: f64 = points.iter().map(|p| p[1]).sum();
        assert!((all - 1.0).abs() < 1e-12, "shares add up to one");
        assert!((points[1][0] + 0.05).abs() < 1e-6 && (points[1][1] - 5.0 / 18.0).abs() < 1e-12);
        let figure = figure(&run, Chart::Survivors, 0).expect("a histogram");
        assert_eq!(figure.series[0].label, "80.0 %");
    }

    #[test]
    fn each_chart_says_when_it_has_nothing() {
        let mut run = record(
            Method::EdgePopup,
            vec![stage(StageKind::EdgePopup, 2, 0, 0.9)],
        );
        assert_eq!(
            figure(&run, Chart::Churn, 0).map(|f| f.series.len()),
            Some(1)
        );
        assert!(figure(&run, Chart::Gates, 0).is_none());
        assert!(figure(&run, Chart::Shares, 0).is_none());
        run.extras.gates = vec![vec![0.1, 0.9, 0.5]];
        run.extras.gate_threshold = Some(0.3);
        let gates = figure(&run, Chart::Gates, 0).expect("gates");
        let values: Vec<f64> = gates.series[0].points.iter().map(|p| p[1]).collect();
        assert!(values.is_sorted_by(|a, b| a >= b));
        run.extras.k_sweep = vec![(0.5, 0.97), (0.1, 0.9)];
        let shares = figure(&run, Chart::Shares, 0).expect("a sweep");
        assert!((shares.series[0].points[0][0] - 0.1).abs() < 1e-12);
    }
}
