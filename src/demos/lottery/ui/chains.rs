//! What a result has cost: the stages that led to it, one after another.
//!
//! A ticket is charged for every training before it, a gated net for the search, a fine-tuned one
//! for the training it was pruned from. Controls, which nobody needs for the result, are charged to
//! no one.

use super::super::config::Method;
use super::super::record::{RunRecord, Stage, StageKind};
use super::stages::{Spread, kind_name};

/// A result with the way to it, in the first repetition.
pub struct Chain<'a> {
    /// What is left in the end.
    pub result: &'a Stage,
    /// Its name beside others of the same run.
    pub label: String,
    /// What it had cost, and how good the best net so far was, at each point.
    pub path: Vec<Spent>,
    /// Accuracy in the end, over the repetitions.
    pub accuracy: Option<Spread>,
}

/// A place on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spent {
    pub flops: f64,
    pub cpu_seconds: f64,
    pub best: f64,
}

/// The results of a run.
pub fn chains<'a>(record: &'a RunRecord) -> Vec<Chain<'a>> {
    use StageKind as K;
    let first = record
        .stages
        .iter()
        .map(|s| s.repetition)
        .min()
        .unwrap_or(0);
    let own = |kinds: &[StageKind]| -> Vec<&'a Stage> {
        let stages = record.stages.iter();
        stages
            .filter(|s| s.repetition == first && kinds.contains(&s.kind) && !s.points.is_empty())
            .collect()
    };
    let chain = |stages: Vec<&'a Stage>| -> Option<Chain<'a>> {
        let result = *stages.last()?;
        Some(Chain {
            label: kind_name(result.kind).to_owned(),
            path: path(&stages),
            accuracy: accuracy_of(record, result),
            result,
        })
    };
    match record.config.method {
        Method::Dense => chain(own(&[K::Dense])).into_iter().collect(),
        Method::Imp => chain(own(&[K::Dense, K::Ticket])).into_iter().collect(),
        Method::SubsetSum => chain(own(&[K::Dense, K::SubsetSum])).into_iter().collect(),
        Method::EdgePopup => own(&[K::EdgePopup])
            .into_iter()
            .filter_map(|stage| chain(vec![stage]))
            .collect(),
        Method::Gates => [
            &[K::Dense][..],
            &[K::Dense, K::FineTune],
            &[K::GateSearch, K::GatedSameSteps],
            &[K::GateSearch, K::GatedSameBudget],
        ]
        .into_iter()
        .filter_map(|kinds| {
            let stages = own(kinds);
            // A way that has not come to its end yet is another one's.
            let ends = stages.last().is_some_and(|s| Some(&s.kind) == kinds.last());
            chain(stages).filter(|_| ends)
        })
        .collect(),
    }
}

/// The points of stages that led to one another; each is charged for those before it.
fn path(stages: &[&Stage]) -> Vec<Spent> {
    let mut best: f64 = 0.0;
    let mut path = Vec::new();
    for stage in stages {
        for point in &stage.points {
            // While gates are searched for there is no net to use.
            if stage.kind != StageKind::GateSearch {
                best = best.max(point.test_accuracy);
            }
            path.push(Spent {
                flops: point.flops,
                cpu_seconds: point.cpu_seconds,
                best,
            });
        }
    }
    path
}

/// The accuracy of a stage in the end, over all repetitions.
fn accuracy_of(record: &RunRecord, result: &Stage) -> Option<Spread> {
    let same = record.stages.iter().filter(|s| {
        let shares = (s.weights_remaining - result.weights_remaining).abs() < 1e-6;
        s.kind == result.kind
            && s.level == result.level
            && (shares || result.kind != StageKind::EdgePopup)
    });
    Spread::of(same.filter_map(|s| {
        let last = s.points.last().map(|p| p.test_accuracy);
        s.summary.map(|s| s.final_accuracy).or(last)
    }))
}

impl Chain<'_> {
    /// What everything has cost.
    pub fn total(&self) -> Option<Spent> {
        self.path.last().copied()
    }

    /// What it had cost when an accuracy was first reached.
    pub fn until(&self, accuracy: f64) -> Option<Spent> {
        self.path.iter().find(|s| s.best >= accuracy).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::chains;
    use crate::demos::lottery::config::Method;
    use crate::demos::lottery::record::StageKind;
    use crate::demos::lottery::ui::stages::samples::{imp, record, stage};

    #[test]
    fn a_ticket_pays_for_all_trainings_before_it_but_not_for_controls() {
        let run = imp();
        let chains = chains(&run);
        assert_eq!(chains.len(), 1);
        let expected: f64 = (0..=3).map(|level| 1e10 * 0.8f64.powi(level)).sum();
        let total = chains[0].total().expect("a path");
        assert!((total.flops / expected - 1.0).abs() < 1e-9, "{total:?}");
        let costs: Vec<f64> = chains[0].path.iter().map(|s| s.flops).collect();
        assert!(costs.is_sorted(), "costs only grow");
        assert!(chains[0].path.is_sorted_by(|a, b| a.best <= b.best));
        let accuracy = chains[0].accuracy.expect("summaries");
        assert!((accuracy.mean - 0.9765).abs() < 1e-9, "{accuracy:?}");
        let first = chains[0].until(0.5).expect("reached while dense");
        assert!(first.flops < 1e10 && chains[0].until(0.999).is_none());
    }

    #[test]
    fn gates_are_four_ways() {
        let kinds = [
            StageKind::Dense,
            StageKind::FineTune,
            StageKind::GateSearch,
            StageKind::GatedSameSteps,
            StageKind::GatedSameBudget,
        ];
        let mut stages = kinds.map(|kind| stage(kind, 0, 0, 0.97)).to_vec();
        let run = record(Method::Gates, stages.clone());
        let found = chains(&run);
        let labels: Vec<&str> = found.iter().map(|c| c.label.as_str()).collect();
        assert_eq!(
            labels,
            [
                "Dense",
                "Fine-tuned",
                "Gated, same steps",
                "Gated, same budget"
            ]
        );
        assert!(found[2].path[10].best.abs() < 1e-12, "a search is no net");
        stages.truncate(3);
        let run = record(Method::Gates, stages);
        assert_eq!(chains(&run).len(), 2, "a search alone has no result");
    }
}
