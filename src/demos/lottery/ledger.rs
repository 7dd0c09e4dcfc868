//! What every method spent for what it reached, read off the points of the curves.
//!
//! A stage is charged for everything that led to it: a ticket for the trainings whose magnitudes
//! made its mask, a gated net for the search of its gates.

use std::fmt::Write as _;

use serde::Serialize;

use super::config::Method;
use super::record::{Point, RunRecord, Stage, StageKind};

/// One stage in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The run's method.
    pub method: Method,
    /// What the stage does.
    pub kind: StageKind,
    /// For people, such as `ticket, 21.1 %`.
    pub label: String,
    /// Rounds of pruning before it.
    pub level: u32,
    /// Which repetition.
    pub repetition: u32,
    /// Share of the weights that are left, 0 to 1.
    pub weights_remaining: f64,
    /// Bytes that the result takes.
    pub stored_bytes: u64,
    /// Test accuracy at the end.
    pub final_accuracy: f64,
    /// The step of the least validation loss.
    pub early_stop_step: u64,
    /// Test accuracy there.
    pub early_stop_accuracy: f64,
    /// Operations of all that led to its end.
    pub flops: f64,
    /// Processor seconds of all that led to its end.
    pub cpu_seconds: f64,
    /// Operations of the stage alone.
    pub stage_flops: f64,
    /// Processor seconds of the stage alone.
    pub stage_cpu_seconds: f64,
    /// Elapsed milliseconds an optimiser step, the median.
    pub ms_per_step: f64,
    /// What it took to reach the chosen accuracy, if it was reached.
    pub reached: Option<Reached>,
}

/// The first point of a curve with the chosen test accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reached {
    /// Optimiser steps of the stage.
    pub step: u64,
    /// Operations of all that led there.
    pub flops: f64,
    /// Processor seconds of all that led there.
    pub cpu_seconds: f64,
}

/// What a run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Headline {
    /// Share of the test images that are right.
    pub test_accuracy: f64,
    /// Share of the weights that are left.
    pub weights_remaining: f64,
    /// Operations of all that led there.
    pub flops: f64,
    /// Processor seconds of all that led there.
    pub cpu_seconds: f64,
}

/// The finished stages of a run, in their order.
#[must_use]
pub fn rows(record: &RunRecord, accuracy: f64) -> Vec<Row> {
    let stages = record.stages.iter();
    stages
        .filter_map(|stage| row(record.method(), stage, accuracy))
        .collect()
}

fn row(method: Method, stage: &Stage, accuracy: f64) -> Option<Row> {
    let (summary, last) = (stage.summary?, stage.points.last()?);
    let reached = stage.points.iter().find(|p| p.test_accuracy >= accuracy);
    Some(Row {
        method,
        kind: stage.kind,
        label: label(stage),
        level: stage.level,
        repetition: stage.repetition,
        weights_remaining: stage.weights_remaining,
        stored_bytes: summary.stored_bytes,
        final_accuracy: summary.final_accuracy,
        early_stop_step: summary.early_stop_step,
        early_stop_accuracy: summary.early_stop_accuracy,
        flops: last.flops,
        cpu_seconds: last.cpu_seconds,
        stage_flops: summary.flops,
        stage_cpu_seconds: summary.cpu_seconds,
        ms_per_step: summary.ms_per_step,
        reached: reached.map(|point| Reached {
            step: point.step,
            flops: point.flops,
            cpu_seconds: point.cpu_seconds,
        }),
    })
}

/// What a stage is called, with the share of the weights where some are gone.
#[must_use]
pub fn label(stage: &Stage) -> String {
    let name = match stage.kind {
        StageKind::Dense => "dense",
        StageKind::Ticket => "ticket",
        StageKind::Reinitialised => "new weights",
        StageKind::RandomMask => "random mask",
        StageKind::Sibling => "sibling",
        StageKind::FineTune => "fine-tuned",
        StageKind::GateSearch => "gates",
        StageKind::GatedSameSteps => "gated, same steps",
        StageKind::GatedSameBudget => "gated, same operations",
        StageKind::EdgePopup => "edge-popup",
        StageKind::SubsetSum => "subset sums",
    };
    if stage.weights_remaining < 1.0 {
        format!("{name}, {:.1} %", stage.weights_remaining * 100.0)
    } else {
        name.to_owned()
    }
}

/// The result of a run: the last stage of its first repetition that is not there for comparison;
/// a stage under way counts with its last point.
#[must_use]
pub fn headline(record: &RunRecord) -> Option<Headline> {
    let compared = [
        StageKind::Reinitialised,
        StageKind::RandomMask,
        StageKind::Sibling,
    ];
    let own = record
        .stages
        .iter()
        .filter(|stage| stage.repetition == 0 && !compared.contains(&stage.kind));
    let mut measured = own.filter_map(|stage| Some((stage, stage.points.last()?)));
    measured.next_back().map(|(stage, point)| Headline {
        test_accuracy: stage
            .summary
            .map_or(point.test_accuracy, |summary| summary.final_accuracy),
        weights_remaining: stage.weights_remaining,
        flops: point.flops,
        cpu_seconds: point.cpu_seconds,
    })
}

/// The ledger of some runs, a line a stage, with a head.
#[must_use]
pub fn ledger_csv<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let mut text = String::from(
        "method,stage,level,repetition,weights_remaining,stored_bytes,final_accuracy,\
         early_stop_step,early_stop_accuracy,flops,cpu_seconds,stage_flops,stage_cpu_seconds,\
         ms_per_step,reached_step,reached_flops,reached_cpu_seconds\n",
    );
    for row in rows {
        let reached = row.reached.map_or_else(
            || ",,".to_owned(),
            |r| format!("{},{},{}", r.step, r.flops, r.cpu_seconds),
        );
        let fields = [
            name(&row.method),
            name(&row.kind),
            row.level.to_string(),
            row.repetition.to_string(),
            row.weights_remaining.to_string(),
            row.stored_bytes.to_string(),
            row.final_accuracy.to_string(),
            row.early_stop_step.to_string(),
            row.early_stop_accuracy.to_string(),
            row.flops.to_string(),
            row.cpu_seconds.to_string(),
            row.stage_flops.to_string(),
            row.stage_cpu_seconds.to_string(),
            row.ms_per_step.to_string(),
            reached,
        ];
        let _ = writeln!(text, "{}", fields.join(","));
    }
    text
}

/// Every point of every stage of some runs, a line a point, with a head.
#[must_use]
pub fn curves_csv<'a>(records: impl IntoIterator<Item = &'a RunRecord>) -> String {
    let mut text = String::from(
        "method,stage,level,repetition,weights_remaining,step,flops,cpu_seconds,train_loss,\
         validation_loss,validation_accuracy,test_accuracy,mask_churn\n",
    );
    for record in records {
        for stage in &record.stages {
            let head = format!(
                "{},{},{},{},{}",
                name(&record.method()),
                name(&stage.kind),
                stage.level,
                stage.repetition,
                stage.weights_remaining
            );
            for point in &stage.points {
                let _ = writeln!(text, "{head},{}", point_fields(point));
            }
        }
    }
    text
}

/// A cell is empty where there is no number.
fn point_fields(point: &Point) -> String {
    let number = |value: f64| {
        if value.is_nan() {
            String::new()
        } else {
            value.to_string()
        }
    };
    [
        point.step.to_string(),
        point.flops.to_string(),
        point.cpu_seconds.to_string(),
        number(point.train_loss),
        number(point.validation_loss),
        point.validation_accuracy.to_string(),
        point.test_accuracy.to_string(),
        point.mask_churn.map_or_else(String::new, number),
    ]
    .join(",")
}

/// The name that records and the command line use.
fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{curves_csv, headline, ledger_csv, rows};
    use crate::demos::lottery::config::LotteryConfig;
    use crate::demos::lottery::record::{Extras, Point, RunRecord, Stage, StageKind, Summary};

    fn stage(kind: StageKind, level: u32, repetition: u32, accuracies: &[f64]) -> Stage {
        let points = accuracies
            .iter()
            .enumerate()
            .map(|(i, &test_accuracy)| Point {
                step: i as u64 * 10,
                flops: 1e6 + i as f64 * 100.0,
                cpu_seconds: 2.0 + i as f64 * 0.5,
                train_loss: if i == 0 { f64::NAN } else { 0.25 },
                validation_loss: 0.5,
                validation_accuracy: 0.75,
                test_accuracy,
                mask_churn: None,
            });
        let points: Vec<Point> = points.collect();
        let last = points.last().copied();
        Stage {
            kind,
            level,
            repetition,
            weights_remaining: if level > 0 { 0.5 } else { 1.0 },
            kept: vec![4],
            alive_units: vec![2],
            summary: last.map(|last| Summary {
                early_stop_step: 10,
                early_stop_accuracy: 0.5,
                final_accuracy: last.test_accuracy,
                flops: 200.0,
                cpu_seconds: 1.0,
                ms_per_step: 1.5,
                stored_bytes: 16,
            }),
            points,
        }
    }

    fn record() -> RunRecord {
        RunRecord {
            config: LotteryConfig::default(),
            weights: 8,
            layers: Vec::new(),
            stages: vec![
                stage(StageKind::Dense, 0, 0, &[0.1, 0.9, 0.95]),
                stage(StageKind::Ticket, 1, 0, &[0.1, 0.97, 0.96]),
                stage(StageKind::Reinitialised, 1, 0, &[0.1, 0.8, 0.99]),
                stage(StageKind::Dense, 0, 1, &[0.1, 0.2]),
            ],
            extras: Extras::default(),
            finished: true,
        }
    }

    #[test]
    fn the_first_point_that_is_good_enough_is_charged() {
        let rows = rows(&record(), 0.95);
        assert_eq!(rows.len(), 4);
        let reached: Vec<Option<u64>> = rows.iter().map(|r| r.reached.map(|r| r.step)).collect();
        assert_eq!(reached, [Some(20), Some(10), Some(20), None]);
        let first = rows[1].reached.expect("reached");
        assert!((first.flops - 1_000_100.0).abs() < 1e-6);
        assert!((first.cpu_seconds - 2.5).abs() < 1e-9);
        assert_eq!(
            (rows[0].label.as_str(), rows[1].label.as_str()),
            ("dense", "ticket, 50.0 %")
        );
    }

    #[test]
    fn controls_and_further_repetitions_are_no_headline() {
        let found = headline(&record()).expect("measured");
        assert!((found.test_accuracy - 0.96).abs() < 1e-12);
        assert!((found.weights_remaining - 0.5).abs() < 1e-12);
        let mut empty = record();
        empty.stages.clear();
        assert_eq!(headline(&empty), None);
    }

    #[test]
    fn tables_have_as_many_cells_in_every_line() {
        let record = record();
        for text in [ledger_csv(&rows(&record, 0.95)), curves_csv([&record])] {
            let cells: Vec<usize> = text.lines().map(|l| l.split(',').count()).collect();
            assert!(
                cells.len() > 4 && cells.iter().all(|&n| n == cells[0]),
                "{text}"
            );
        }
        let curves = curves_csv([&record]);
        let first = curves.lines().nth(1).expect("a point");
        assert_eq!(first, "dense,dense,0,0,1,0,1000000,2,,0.5,0.75,0.1,");
    }
}
