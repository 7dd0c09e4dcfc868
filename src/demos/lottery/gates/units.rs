//! Which units stay, and the smaller net that they are.

use crate::demos::lottery::net::{LayerSpec, NetSpec};
use crate::error::{Error, Result};
use crate::nn::Snapshot;

/// Which units of a net stay.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The least value of a unit that stays, but for units that only keep their layer alive.
    pub threshold: f32,
    /// For every layer, the classes included, whether a unit stays.
    pub units: Vec<Vec<bool>>,
}

/// Keeps the most valuable units of all hidden layers that together leave at most the share
/// `budget` of the operations; one in each layer at least. `values` is a list for each hidden layer.
///
/// # Errors
/// [`Error::Input`] when the budget is not above 0 and at most 1, or the values are not those of
/// this net.
pub fn choose(spec: &NetSpec, values: &[Vec<f32>], budget: f64) -> Result<Chosen> {
    check_budget(budget)?;
    let hidden = spec
        .layers
        .split_last()
        .map_or(&[][..], |(_, hidden)| hidden);
    let fits = |(layer, values): (&LayerSpec, &Vec<f32>)| layer.outputs == values.len();
    if hidden.len() != values.len() || !hidden.iter().zip(values).all(fits) {
        return Err(Error::Input("the units' values are of another net".into()));
    }
    let order = in_order(values);
    let full = spec.forward_flops(&spec.all_kept());
    let affordable = |count: usize| {
        let narrow = narrow(spec, &open(spec, values, &order[..count]));
        narrow.forward_flops(&narrow.all_kept()) <= budget * full
    };
    // The most units that the budget allows: more units are always more operations.
    let (mut most, mut too_many) = (0, order.len() + 1);
    while too_many - most > 1 {
        let middle = usize::midpoint(most, too_many);
        if affordable(middle) {
            most = middle;
        } else {
            too_many = middle;
        }
    }
    let last = order[..most].last().or(order.first());
    Ok(Chosen {
        threshold: last.map_or(0.0, |&(layer, unit)| values[layer][unit]),
        units: open(spec, values, &order[..most]),
    })
}

/// Whether a share of the operations is one that can be asked for.
pub(super) fn check_budget(budget: f64) -> Result<()> {
    if budget > 0.0 && budget <= 1.0 {
        return Ok(());
    }
    Err(Error::Input(format!(
        "a budget of {budget} of the operations is not possible, choose above 0 and up to 1"
    )))
}

/// All units as `(layer, unit)`, the most valuable first; among equals those come first that are
/// further ahead in their layers.
fn in_order(values: &[Vec<f32>]) -> Vec<(usize, usize)> {
    let mut order: Vec<(usize, usize)> = values
        .iter()
        .enumerate()
        .flat_map(|(layer, values)| (0..values.len()).map(move |unit| (layer, unit)))
        .collect();
    let ahead = |unit: usize, of: usize| unit as f64 / of as f64;
    order.sort_by(|&(la, a), &(lb, b)| {
        let places = ahead(a, values[la].len()).total_cmp(&ahead(b, values[lb].len()));
        values[lb][b].total_cmp(&values[la][a]).then(places)
    });
    order
}

/// The units of `order` and the best one of each layer, and all classes.
fn open(spec: &NetSpec, values: &[Vec<f32>], order: &[(usize, usize)]) -> Vec<Vec<bool>> {
    let mut units: Vec<Vec<bool>> = values.iter().map(|v| vec![false; v.len()]).collect();
    for &(layer, unit) in order {
        units[layer][unit] = true;
    }
    for (units, values) in units.iter_mut().zip(values) {
        let best = values.iter().enumerate();
        let best = best.max_by(|(i, a), (j, b)| a.total_cmp(b).then(j.cmp(i)));
        if let Some((best, _)) = best {
            units[best] = true;
        }
    }
    units.push(vec![
        true;
        spec.layers.last().map_or(0, |layer| layer.outputs)
    ]);
    units
}

/// The net that has only these units: a smaller net without masks.
///
/// # Panics
/// When `units` is not a list for each layer.
#[must_use]
pub fn narrow(spec: &NetSpec, units: &[Vec<bool>]) -> NetSpec {
    assert_eq!(spec.layers.len(), units.len(), "units of every layer");
    let count = |units: &[bool]| units.iter().filter(|&&stays| stays).count();
    let mut narrow = spec.clone();
    for index in 0..spec.layers.len() {
        narrow.layers[index].outputs = count(&units[index]);
        if let Some(before) = index.checked_sub(1) {
            // Behind a convolution a linear layer reads every pixel of a channel.
            let pixels = spec.layers[index].inputs / spec.layers[before].outputs;
            narrow.layers[index].inputs = count(&units[before]) * pixels;
        }
    }
    narrow
}

/// How strong each hidden unit of a trained net is: the sum of its weights' magnitudes (Li et al.
/// 2017), over the mean of its layer, so that one threshold can be compared with units of all
/// layers. A list for each hidden layer.
///
/// # Errors
/// When the snapshot is of another net.
pub fn relative_norms(spec: &NetSpec, trained: &Snapshot) -> Result<Vec<Vec<f32>>> {
    let hidden = spec
        .layers
        .split_last()
        .map_or(&[][..], |(_, hidden)| hidden);
    let one = |layer: &LayerSpec| {
        let name = layer.weight_name();
        let weights = trained.get(&name);
        let weights = weights.filter(|weights| weights.len() as u64 == layer.weights());
        let weights = weights
            .ok_or_else(|| Error::Input(format!("the snapshot is of another net: {name}")))?;
        let norm = |row: &[f32]| row.iter().map(|w| f64::from(w.abs())).sum::<f64>();
        let norms: Vec<f64> = weights.chunks_exact(layer.fan_in()).map(norm).collect();
        let mean = norms.iter().sum::<f64>() / norms.len() as f64;
        let scale = if mean > 0.0 { 1.0 / mean } else { 1.0 };
        Ok(norms.iter().map(|norm| (norm * scale) as f32).collect())
    };
    hidden.iter().map(one).collect()
}
