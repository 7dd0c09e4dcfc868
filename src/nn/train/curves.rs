//! What a run measured, against steps and seconds.

use std::collections::BTreeMap;

use crate::nn::arrays::{Array, Arrays, Data};

/// The loss, under the name `loss`, and every metric of the evaluations.
pub type Curves = BTreeMap<String, Curve>;

/// One measured number over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Steps done when it was measured.
    pub steps: Vec<f64>,
    /// Seconds spent on those steps, without evaluations and pauses.
    pub seconds: Vec<f64>,
    /// What was measured.
    pub values: Vec<f64>,
}

impl Curve {
    /// Adds a measurement.
    pub fn push(&mut self, step: u64, seconds: f64, value: f64) {
        self.steps.push(step as f64);
        self.seconds.push(seconds);
        self.values.push(value);
    }

    /// The latest measurement.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.values.last().copied()
    }
}

/// As arrays for a checkpoint.
pub(super) fn to_arrays(curves: &Curves) -> Arrays {
    let parts = |(name, curve): (&String, &Curve)| {
        [
            (format!("{name}/steps"), Array::f64(curve.steps.clone())),
            (format!("{name}/seconds"), Array::f64(curve.seconds.clone())),
            (format!("{name}/values"), Array::f64(curve.values.clone())),
        ]
    };
    curves.iter().flat_map(parts).collect()
}

/// Back from the arrays of a checkpoint.
pub(super) fn from_arrays(arrays: Arrays) -> Curves {
    let mut curves = Curves::new();
    for (full, array) in arrays {
        if let (Some((name, part)), Data::F64(values)) = (full.rsplit_once('/'), array.data) {
            let curve = curves.entry(name.to_owned()).or_default();
            match part {
                "steps" => curve.steps = values,
                "seconds" => curve.seconds = values,
                _ => curve.values = values,
            }
        }
    }
    curves
}
