//! Stages as the plots need them: repetitions put together, and names.

use super::super::record::{Point, RunRecord, Stage, StageKind};
use crate::gui::figure::Unit;

/// The same stage of all repetitions.
pub struct Group<'a> {
    pub kind: StageKind,
    pub level: u32,
    pub weights_remaining: f64,
    pub stages: Vec<&'a Stage>,
}

/// Stages that differ only in their repetition, in the order in which they first ran.
pub fn groups(record: &RunRecord) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for stage in &record.stages {
        let same = |group: &&mut Group<'_>| {
            let shares = (group.weights_remaining - stage.weights_remaining).abs() < 1e-6;
            group.kind == stage.kind
                && group.level == stage.level
                && (shares || stage.kind != StageKind::EdgePopup)
                && group
                    .stages
                    .iter()
                    .all(|s| s.repetition != stage.repetition)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.stages.push(stage),
            None => groups.push(Group {
                kind: stage.kind,
                level: stage.level,
                weights_remaining: stage.weights_remaining,
                stages: vec![stage],
            }),
        }
    }
    groups
}

/// The mean of several repetitions with the least and the greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub mean: f64,
    pub least: f64,
    pub greatest: f64,
}

impl Spread {
    /// Of all values; none without any.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (mut count, mut sum) = (0_u32, 0.0);
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|v| v.is_finite()) {
            count += 1;
            sum += value;
            least = least.min(value);
            greatest = greatest.max(value);
        }
        (count > 0).then(|| Self {
            mean: sum / f64::from(count),
            least,
            greatest,
        })
    }

    pub fn bar(self) -> [f64; 2] {
        [self.least, self.greatest]
    }
}

impl Group<'_> {
    /// The points at one step of all repetitions that have it.
    pub fn at_step(&self, step: u64) -> impl Iterator<Item = &Point> {
        self.stages.iter().filter_map(move |stage| {
            let found = stage.points.binary_search_by_key(&step, |p| p.step).ok()?;
            stage.points.get(found)
        })
    }

    /// The steps of the repetition that has gone furthest.
    pub fn steps(&self) -> Vec<u64> {
        let longest = self.stages.iter().max_by_key(|s| s.points.len());
        longest.map_or(Vec::new(), |s| s.points.iter().map(|p| p.step).collect())
    }

    /// What its curve is called: the share of weights where that is what varies.
    pub fn label(&self) -> String {
        match self.kind {
            StageKind::Dense | StageKind::Ticket => percent(self.weights_remaining),
            StageKind::EdgePopup => format!("k = {}", percent(self.weights_remaining)),
            kind => kind_name(kind).to_owned(),
        }
    }
}

/// What a stage does, in two or three words.
pub fn kind_name(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Dense => "Dense",
        StageKind::Ticket => "Ticket",
        StageKind::Reinitialised => "New weights",
        StageKind::RandomMask => "Random mask",
        StageKind::Sibling => "Sibling",
        StageKind::FineTune => "Fine-tuned",
        StageKind::GateSearch => "Gate search",
        StageKind::GatedSameSteps => "Gated, same steps",
        StageKind::GatedSameBudget => "Gated, same budget",
        StageKind::EdgePopup => "Edge-popup",
        StageKind::SubsetSum => "Subset sums",
    }
}

/// `21.1 %`.
pub fn percent(share: f64) -> String {
    if share >= 0.9995 {
        "100 %".into()
    } else {
        format!("{:.1} %", share * 100.0)
    }
}

/// `97.52 %`.
pub fn accuracy(share: f64) -> String {
    if share.is_finite() {
        format!("{:.2} %", share * 100.0)
    } else {
        String::new()
    }
}

/// `1.05 MB`.
pub fn bytes(count: u64) -> String {
    match count as f64 {
        b if b >= 1e6 => format!("{:.2} MB", b / 1e6),
        b if b >= 1e3 => format!("{:.1} kB", b / 1e3),
        b => format!("{b:.0} B"),
    }
}

/// `1.5 T`, a count of operations.
pub fn operations(count: f64) -> String {
    Unit::Operations.text(count)
}

#[cfg(test)]
pub mod samples {
    //! Runs that never ran, with values that can be told apart, for tests.

    use super::super::super::config::{LotteryConfig, Method};
    use super::super::super::record::{
        Extras, Histogram, LayerShape, Point, RunRecord, Stage, StageKind, Summary,
    };

    /// A stage whose accuracy rises to `peak` with `points` points.
    pub fn stage(kind: StageKind, level: u32, repetition: u32, peak: f64) -> Stage {
        let share = 0.8f64.powi(level.cast_signed());
        // What the levels before it have cost.
        let before: f64 = (0..level).map(|l| 0.8f64.powi(l.cast_signed())).sum();
        let points = (0..=10).map(|i| Point {
            step: i * 100,
            flops: 1e10 * before + 1e9 * i as f64 * share,
            cpu_seconds: before + 0.1 * i as f64 * share,
            train_loss: if i == 0 { f64::NAN } else { 1.0 / i as f64 },
            validation_loss: 1.0 / (i + 1) as f64,
            validation_accuracy: peak * (1.0 - 0.9 / (i + 1) as f64),
            test_accuracy: peak * (1.0 - 0.9 / (i * i + 1) as f64),
            mask_churn: (kind == StageKind::EdgePopup).then(|| 0.5 / (i + 1) as f64),
        });
        Stage {
            kind,
            level,
            repetition,
            weights_remaining: share,
            kept: vec![(235_200.0 * share) as u64, (30_000.0 * share) as u64, 1000],
            alive_units: vec![300, 100, 10],
            points: points.collect(),
            summary: Some(Summary {
                early_stop_step: 1000 - u64::from(level) * 100 + u64::from(repetition) * 10,
                early_stop_accuracy: peak - 0.002,
                final_accuracy: peak,
                flops: 1e10 * share,
                cpu_seconds: share,
                ms_per_step: 1.0,
                stored_bytes: (266_200.0 * 4.0 * share) as u64,
            }),
        }
    }

    /// A run of magnitude pruning with three rounds, two repetitions and controls.
    pub fn imp() -> RunRecord {
        let mut stages = Vec::new();
        for repetition in 0..2 {
            let shift = f64::from(repetition) * 0.001;
            stages.push(stage(StageKind::Dense, 0, repetition, 0.97 + shift));
            for level in 1..=3 {
                let gain = f64::from(level) * 0.002 + shift;
                stages.push(stage(StageKind::Ticket, level, repetition, 0.97 + gain));
                let lost = 0.96 - gain;
                stages.push(stage(StageKind::Reinitialised, level, repetition, lost));
            }
        }
        record(Method::Imp, stages)
    }

    /// A finished run of `LeNet` with these stages.
    pub fn record(method: Method, stages: Vec<Stage>) -> RunRecord {
        let layer = |name: &str, shape: [usize; 2]| LayerShape {
            name: name.into(),
            shape: shape.to_vec(),
        };
        RunRecord {
            config: LotteryConfig {
                method,
                steps: 1000,
                levels: 3,
                seeds: 2,
                ..LotteryConfig::default()
            },
            weights: 266_200,
            layers: vec![
                layer("fc1", [300, 784]),
                layer("fc2", [100, 300]),
                layer("fc3", [10, 100]),
            ],
            stages,
            extras: Extras {
                survivors: vec![Histogram {
                    level: 1,
                    layer: 0,
                    range: [-0.1, 0.1],
                    bins: vec![1, 5, 3, 2, 6, 1],
                }],
                ..Extras::default()
            },
            finished: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::imp;
    use super::{Spread, bytes, groups, percent};
    use crate::demos::lottery::record::StageKind;

    #[test]
    fn repetitions_come_together() {
        let record = imp();
        let groups = groups(&record);
        assert_eq!(groups.len(), 7);
        assert!(groups.iter().all(|g| g.stages.len() == 2));
        assert_eq!(groups[1].kind, StageKind::Ticket);
        assert_eq!(groups[1].label(), "80.0 %");
        assert_eq!(groups[1].at_step(300).count(), 2);
        assert_eq!(groups[1].steps().len(), 11);
    }

    #[test]
    fn means_and_extremes() {
        let spread = Spread::of([1.0, 3.0, f64::NAN, 2.0]).expect("three values");
        assert!((spread.mean - 2.0).abs() < 1e-12);
        assert_eq!(format!("{:?}", spread.bar()), "[1.0, 3.0]");
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(bytes(1_064_800), "1.06 MB");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.0361), "3.6 %");
    }
}
