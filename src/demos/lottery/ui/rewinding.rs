//! The error on the straight line between two siblings: figure 3 of Frankle et al. 2020, "Linear
//! mode connectivity and the lottery ticket hypothesis".
//!
//! Two copies of one net go on training with different data orders. Where the error between them
//! stays as low as at their ends, the net had already chosen its valley, and its ticket can be
//! found by rewinding to that step.

use egui::{RichText, Ui};

use super::super::record::{Interpolation, RunRecord};
use super::bench::Bench;
use super::stages::percent;
use crate::gui::controls::empty_ui;
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit};
use crate::gui::theme;

/// The view.
#[derive(Default)]
pub struct Rewinding {
    plots: Plots<u64>,
}

impl Rewinding {
    pub fn ui(&mut self, ui: &mut Ui, bench: &Bench) {
        let Some(record) = newest(bench) else {
            return empty_ui(
                ui,
                "No siblings in this run",
                "The preset “Is rewinding needed?” trains some",
            );
        };
        let height = ui.available_height() - 54.0;
        let plots = self.plots.get(bench.revision(), || vec![figure(record)]);
        let size = egui::vec2(ui.available_width(), height.max(120.0));
        if let Some(plot) = plots.first() {
            plot.show(ui, size);
        }
        ui.horizontal_wrapped(|ui| {
            let faint = theme::tokens(ui).faint;
            ui.label(RichText::new("Instability").strong());
            for line in &record.extras.interpolations {
                if let Some(rise) = instability(line) {
                    let text = format!("{}: {:.2} points", name(line, record), rise * 100.0);
                    ui.label(RichText::new(text).color(faint));
                }
            }
        });
    }

    /// What an export writes.
    pub fn figures(bench: &Bench) -> Vec<Figure> {
        newest(bench).map(figure).into_iter().collect()
    }
}

/// The run that is looked at if it has siblings, else the last that has.
fn newest(bench: &Bench) -> Option<&RunRecord> {
    let siblings = |record: &&RunRecord| !record.extras.interpolations.is_empty();
    let focus = bench.focus().map(|e| &e.record).filter(siblings);
    focus.or_else(|| {
        bench
            .entries()
            .iter()
            .rev()
            .map(|e| &e.record)
            .find(siblings)
    })
}

fn name(line: &Interpolation, record: &RunRecord) -> String {
    let several = record
        .extras
        .interpolations
        .iter()
        .any(|other| (other.weights_remaining - line.weights_remaining).abs() > 1e-6);
    if several {
        format!("step {}, {}", line.rewind, percent(line.weights_remaining))
    } else {
        format!("step {}", line.rewind)
    }
}

/// How much the greatest error on the way lies above the mean of the two ends.
fn instability(line: &Interpolation) -> Option<f64> {
    let (first, last) = (line.error.first()?.1, line.error.last()?.1);
    let most = line.error.iter().map(|e| e.1).fold(f64::MIN, f64::max);
    Some(most - f64::midpoint(first, last))
}

fn figure(record: &RunRecord) -> Figure {
    let lines = &record.extras.interpolations;
    let mut steps: Vec<u64> = lines.iter().map(|l| l.rewind).collect();
    steps.sort_unstable();
    steps.dedup();
    let hue = |line: &Interpolation| {
        let place = steps.iter().position(|s| *s == line.rewind).unwrap_or(0);
        Hue::Ladder(place as f32 / (steps.len().max(2) - 1) as f32)
    };
    let series = lines.iter().map(|line| Series {
        name: format!("Siblings from {}", name(line, record)),
        hue: hue(line),
        mark: Mark::Dots,
        points: line.error.iter().map(|(at, error)| [*at, *error]).collect(),
        label: name(line, record),
        ..Series::default()
    });
    Figure {
        name: "Error between two siblings".into(),
        x: Axis::new("Position between the siblings", Unit::Number).with_range(-0.02, 1.02),
        y: Axis::new("Test error (%)", Unit::Percent),
        series: series.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{figure, instability};
    use crate::demos::lottery::record::Interpolation;
    use crate::demos::lottery::ui::stages::samples::imp;

    #[test]
    fn instability_is_the_rise_above_the_ends() {
        let line = Interpolation {
            weights_remaining: 0.2,
            rewind: 100,
            error: vec![(0.0, 0.02), (0.5, 0.10), (1.0, 0.04)],
        };
        assert!((instability(&line).expect("points") - 0.07).abs() < 1e-12);
        let mut record = imp();
        record.extras.interpolations = vec![line.clone(), Interpolation { rewind: 0, ..line }];
        let figure = figure(&record);
        let labels: Vec<&str> = figure.series.iter().map(|s| s.label.as_str()).collect();
        assert_eq!(labels, ["step 100", "step 0"]);
        assert_ne!(figure.series[0].hue, figure.series[1].hue);
    }
}
