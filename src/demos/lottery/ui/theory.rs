//! Subset sums: the error against the number of random weights to choose from, a whole net rebuilt,
//! and how wide the papers say a random net has to be.

use egui::{DragValue, Grid, RichText, Slider, Ui};
use serde::{Deserialize, Serialize};

use super::super::record::{RunRecord, StageKind, SubsetSumRecord};
use super::super::subset_sum::bounds::{Demand, fewest_paths};
use super::super::subset_sum::gap::{Law, quantile};
use super::bench::Bench;
use super::stages::{accuracy, percent};
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit, side_by_side_ui};
use crate::gui::theme;

/// What the person asks of the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// d.
    width: f64,
    /// l.
    depth: f64,
    /// ε.
    epsilon: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 300.0,
            depth: 3.0,
            epsilon: 0.01,
        }
    }
}

impl Options {
    /// Within what the controls allow, whatever a session says.
    pub fn limited(self) -> Self {
        let limit = |v: f64, low: f64, high: f64| {
            if v.is_finite() {
                v.clamp(low, high)
            } else {
                low
            }
        };
        Self {
            width: limit(self.width, 1.0, 1e5),
            depth: limit(self.depth, 1.0, 1000.0),
            epsilon: limit(self.epsilon, 1e-6, 1.0),
        }
    }

    fn demand(self, epsilon: f64) -> Demand {
        Demand {
            width: self.width,
            depth: self.depth,
            epsilon,
            delta: epsilon,
        }
    }
}

/// The view.
#[derive(Default)]
pub struct Theory {
    pub options: Options,
    plots: Plots<(u64, Options)>,
    expected: Vec<[f64; 2]>,
}

/// The n for which the theory's line is drawn.
const RANGE: std::ops::RangeInclusive<usize> = 2..=26;

impl Theory {
    /// Draws it. True when a choice has changed.
    pub fn ui(&mut self, ui: &mut Ui, bench: &Bench) -> bool {
        let before = self.options;
        let record = newest(bench);
        if let Some((record, sums)) = record {
            construction_ui(ui, record, sums);
        } else {
            let faint = theme::tokens(ui).faint;
            let text = "No net rebuilt yet: the preset Sum of subsets does it";
            ui.label(RichText::new(text).color(faint));
        }
        ui.add_space(4.0);
        let plots_height = (ui.available_height() - 172.0).max(160.0);
        self.expect();
        let key = (bench.revision(), self.options);
        let (options, expected) = (self.options, &self.expected);
        let plots = self.plots.get(key, || {
            vec![
                error_figure(record.map(|(_, sums)| sums), expected),
                width_figure(options),
            ]
        });
        ui.allocate_ui(egui::vec2(ui.available_width(), plots_height), |ui| {
            side_by_side_ui(ui, plots);
        });
        ui.add_space(4.0);
        self.bounds_ui(ui);
        before != self.options
    }

    pub fn figures(&self, bench: &Bench) -> Vec<Figure> {
        let sums = newest(bench).map(|(_, sums)| sums);
        vec![
            error_figure(sums, &self.expected),
            width_figure(self.options),
        ]
    }

    /// Works out the theory's line, once.
    fn expect(&mut self) {
        if self.expected.is_empty() {
            let median = |n: usize| [n as f64, quantile(n, Law::Uniform, 0.5, 0.5)];
            self.expected = RANGE.map(median).collect();
        }
    }

    fn bounds_ui(&mut self, ui: &mut Ui) {
        let faint = theme::tokens(ui).faint;
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new("A target net of").strong());
            let label = ui.label("width d");
            ui.add(
                DragValue::new(&mut self.options.width)
                    .range(1.0..=1e5)
                    .speed(5.0)
                    .max_decimals(0),
            )
            .labelled_by(label.id);
            let label = ui.label("depth l");
            ui.add(
                DragValue::new(&mut self.options.depth)
                    .range(1.0..=1000.0)
                    .speed(0.1)
                    .max_decimals(0),
            )
            .labelled_by(label.id);
            let label = ui.label("within ε");
            ui.add(
                Slider::new(&mut self.options.epsilon, 1e-6..=1.0)
                    .logarithmic(true)
                    .custom_formatter(|v, _| Unit::Number.text(v)),
            )
            .labelled_by(label.id);
        });
        let demand = self.options.demand(self.options.epsilon);
        let number = |v: f64| Unit::Number.text(v);
        Grid::new("bounds")
            .num_columns(4)
            .spacing([18.0, 3.0])
            .show(ui, |ui| {
                let head = |ui: &mut Ui, text: &str| {
                    ui.label(RichText::new(text).small().color(faint));
                };
                head(ui, "Order of growth, constants 1");
                head(ui, "formula");
                head(ui, "times as wide");
                head(ui, "random weights");
                ui.end_row();
                for (name, formula, factor) in [
                    ("Malach 2020", "d⁴ l² / ε²", demand.malach_factor()),
                    (
                        "Orseau 2020, for each weight",
                        "log₂(d l / ε)",
                        demand.orseau_neurons(),
                    ),
                    ("Pensia 2020", "log₂(d l / ε)", demand.pensia_factor()),
                    (
                        "No construction with less",
                        "log₂(1 / ε)",
                        fewest_paths(demand.epsilon),
                    ),
                ] {
                    ui.label(name);
                    ui.label(RichText::new(formula).color(faint));
                    ui.label(number(factor));
                    ui.label(number(demand.random_weights(factor)));
                    ui.end_row();
                }
            });
    }
}

/// The run that is looked at if it rebuilt a net, else the last that did.
fn newest(bench: &Bench) -> Option<(&RunRecord, &SubsetSumRecord)> {
    let sums = |record: &'_ RunRecord| record.extras.subset_sum.is_some();
    let focus = bench.focus().map(|e| &e.record).filter(|r| sums(r));
    let all = bench.entries().iter().rev().map(|e| &e.record);
    let record = focus.or_else(|| all.into_iter().find(|r| sums(r)))?;
    Some((record, record.extras.subset_sum.as_ref()?))
}

/// How far the rebuilding is, what it keeps, and what it reaches.
fn construction_ui(ui: &mut Ui, record: &RunRecord, sums: &SubsetSumRecord) {
    let tokens = theme::tokens(ui);
    // Biases are rebuilt too, and not counted among the weights.
    let all = record.weights.max(sums.done).max(1);
    let share = sums.done as f32 / all as f32;
    let number = |v: u64| Unit::Number.text(v as f64);
    let reached = record
        .stages
        .iter()
        .rev()
        .find(|s| s.kind == StageKind::SubsetSum)
        .and_then(|s| {
            let last = s.points.last().map(|p| p.test_accuracy);
            s.summary.map(|s| s.final_accuracy).or(last)
        });
    ui.add(
        egui::ProgressBar::new(share.min(1.0))
            .desired_height(14.0)
            .text(
                RichText::new(format!("{} of {} weights", number(sums.done), number(all))).small(),
            ),
    );
    ui.horizontal_wrapped(|ui| {
        let mut cell = |name: &str, value: String| {
            ui.label(RichText::new(name).small().color(tokens.faint));
            ui.label(RichText::new(value).strong());
            ui.add_space(8.0);
        };
        cell("Trained net", accuracy(sums.target_accuracy));
        if let Some(reached) = reached {
            cell("Out of random weights", accuracy(reached));
        }
        cell("n", sums.coefficients.to_string());
        cell("Random", number(sums.random_weights));
        let share = sums.kept_weights as f64 / sums.random_weights.max(1) as f64;
        cell(
            "Kept",
            format!("{} ({})", number(sums.kept_weights), percent(share)),
        );
        cell("Median error", format!("{:.1e}", sums.median_error));
        cell("Greatest", format!("{:.1e}", sums.max_error));
    });
}

fn error_figure(sums: Option<&SubsetSumRecord>, expected: &[[f64; 2]]) -> Figure {
    let mut series = vec![Series {
        name: "Theory, median".into(),
        mark: Mark::Dashed,
        points: expected.to_vec(),
        label: "theory".into(),
        ..Series::default()
    }];
    let curve = sums.map_or(&[][..], |s| &s.error_curve);
    if !curve.is_empty() {
        let column = |of: fn(&(u32, f64, f64, f64, f64)) -> f64| {
            curve
                .iter()
                .map(|row| [f64::from(row.0), of(row)])
                .collect()
        };
        // The run's own line, for the law its numbers were drawn by.
        series[0].points = column(|r| r.4);
        for (number, (name, points)) in [
            ("median", column(|r| r.1)),
            ("95 %", column(|r| r.2)),
            ("greatest", column(|r| r.3)),
        ]
        .into_iter()
        .enumerate()
        {
            series.push(Series {
                name: format!("Measured, {name}"),
                hue: Hue::Line(number),
                mark: Mark::Dots,
                points,
                label: name.into(),
                ..Series::default()
            });
        }
    }
    Figure {
        name: "Error of the nearest subset sum".into(),
        x: Axis::new("Random numbers for each weight, n", Unit::Number),
        y: Axis::new("Error", Unit::Number).logarithmic(),
        series,
    }
}

fn width_figure(options: Options) -> Figure {
    let epsilons: Vec<f64> = (0..=24).map(|i| 10f64.powf(-f64::from(i) / 4.0)).collect();
    let curve = |name: &str, hue: usize, of: fn(&Demand) -> f64| Series {
        name: name.into(),
        hue: Hue::Line(hue),
        points: epsilons
            .iter()
            .map(|e| [*e, of(&options.demand(*e))])
            .collect(),
        label: name.into(),
        ..Series::default()
    };
    let chosen = options.demand(options.epsilon);
    Figure {
        name: "Width a random net needs".into(),
        x: Axis::new("Permitted error ε", Unit::Number)
            .logarithmic()
            .reversed(),
        y: Axis::new("Times as wide, constants 1", Unit::Number).logarithmic(),
        series: vec![
            curve("Malach", 1, Demand::malach_factor),
            curve("Pensia", 0, Demand::pensia_factor),
            Series {
                name: "Your choice".into(),
                hue: Hue::Line(0),
                mark: Mark::Scatter,
                points: vec![[options.epsilon, chosen.pensia_factor()]],
                ..Series::default()
            },
            Series {
                name: "Your choice".into(),
                hue: Hue::Line(1),
                mark: Mark::Scatter,
                points: vec![[options.epsilon, chosen.malach_factor()]],
                ..Series::default()
            },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, Theory, error_figure, width_figure};
    use crate::demos::lottery::record::SubsetSumRecord;

    #[test]
    fn the_theory_halves_the_error_with_each_number() {
        let mut theory = Theory::default();
        theory.expect();
        let figure = error_figure(None, &theory.expected);
        let points = &figure.series[0].points;
        let ratio = points[10][1] / points[20][1];
        // 2^10, and a little more: more sums fall where targets are not.
        assert!((500.0..2200.0).contains(&ratio), "{ratio}");
        let sums = SubsetSumRecord {
            error_curve: vec![(4, 0.07, 0.1, 0.4, 0.06), (8, 0.003, 0.01, 0.1, 0.004)],
            ..SubsetSumRecord::default()
        };
        let figure = error_figure(Some(&sums), &theory.expected);
        assert_eq!(figure.series.len(), 4);
        let points = |series: usize| format!("{:?}", figure.series[series].points);
        assert_eq!(points(0), "[[4.0, 0.06], [8.0, 0.004]]");
        assert!(points(3).ends_with(", [8.0, 0.1]]"), "{}", points(3));
    }

    #[test]
    fn hostile_choices_are_limited() {
        let options = Options {
            width: f64::NAN,
            depth: -3.0,
            epsilon: 0.0,
        }
        .limited();
        let figure = width_figure(options);
        let all = figure.series.iter().flat_map(|s| &s.points);
        assert!(all.flatten().all(|v| v.is_finite() && *v > 0.0));
    }
}
