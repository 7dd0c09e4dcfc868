//! Pruning from Scratch (Wang et al. 2020): which units a net needs is learnt while its weights are
//! random, and only the narrow net is trained.
//!
//! Every hidden unit or channel has a gate that its output is multiplied with. The weights stay as
//! they were drawn; the gates alone are trained, by the cross entropy and a penalty that pulls their
//! mean towards [`SPARSITY`] (section 3.2, eq. 4). Then one threshold for all layers is searched
//! that leaves the wanted share of operations (section 3.3), and the net of the open units is
//! trained from new random weights: for as many steps as the full net, or for as many operations.
//! [`relative_norms`] is what it is compared with: the full net is trained, loses its weakest units,
//! and is trained further.
//!
//! Followed are the paper and the authors' code (frankwang345/pruning-from-scratch): gates begin at
//! 1 and are held within 0 and 1, Adam with 0.01, a penalty of 0.5, a search of a sixteenth of the
//! training (10 of 160 epochs). Done differently:
//!
//! - The nets here have no batch norm. A gate multiplies the unit's output after its `ReLU`, which is
//!   the same for a gate that is not negative. Weights begin as they would for training.
//! - Of short trainings the search is more than a sixteenth: with Adam's 0.01 a gate needs 100 steps
//!   to close at all ([`LEAST_SEARCH`]).
//! - The authors keep the gates of the best validation accuracy among those sparse enough; here they
//!   are the last ones.
//! - Their search for the threshold ends within 0.1 % of the budget; here it finds the most units
//!   that stay within it. Equal gates, of which there are many at 0 and 1, close in equal shares in
//!   all layers. Every layer keeps a unit.

use candle_core::Tensor;

use super::model::{Pass, Trainable};
use super::net::{LayerKind, LayerSpec, NetSpec};
use super::record::Extras;
use crate::error::{Error, Result};
use crate::nn::optim::OptimizerConfig;
use crate::nn::{Init, Params, Snapshot};

/// The mean that the penalty pulls the gates to, the authors' `sparsity_level`.
pub const SPARSITY: f64 = 0.2;

/// The weight of the penalty, the authors' `lambd`.
pub const PENALTY: f64 = 0.5;

/// Adam's learning rate of the gates.
pub const LEARNING_RATE: f64 = 0.01;

/// Steps of a search at least: twice what a gate needs to go from 1 to 0.
pub const LEAST_SEARCH: u64 = 200;

/// Steps of the search before a training of so many.
#[must_use]
pub fn search_steps(training: u64) -> u64 {
    (training / 16).max(LEAST_SEARCH)
}

/// Steps in which a narrow net is trained with the operations that `steps` of the full net take,
/// the authors' `budget_train`.
#[must_use]
pub fn budget_steps(full: &NetSpec, narrow: &NetSpec, steps: u64) -> u64 {
    let cost = |spec: &NetSpec| spec.training_flops(&spec.all_kept());
    (steps as f64 * cost(full) / cost(narrow)).round() as u64
}

/// A net of random weights whose gates are trained.
#[derive(Debug)]
pub struct GateNet {
    spec: NetSpec,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    /// Random, and the same for ever.
    weight: Tensor,
    /// `[outputs]`; the classes have none.
    gates: Option<Tensor>,
}

impl GateNet {
    /// Adds a net's random weights to `params`, the same as a training would begin with, and its
    /// gates: `NAME.weight` and `NAME.gates`.
    ///
    /// # Errors
    /// When the names are taken.
    pub fn new(spec: &NetSpec, params: &mut Params) -> Result<Self> {
        let last = spec.layers.len().saturating_sub(1);
        let mut layers = Vec::with_capacity(spec.layers.len());
        for (index, layer) in spec.layers.iter().enumerate() {
            let mut scope = params.scope(&layer.name);
            let weight = scope.buffer("weight", &layer.shape(), Init::GLOROT_NORMAL)?;
            let gates = if index == last {
                None
            } else {
                Some(scope.param("gates", &[layer.outputs], Init::ONES)?)
            };
            layers.push(Layer {
                weight: weight.as_detached_tensor(),
                gates,
            });
        }
        Ok(Self {
            spec: spec.clone(),
            layers,
        })
    }

    /// The gates of every hidden layer.
    ///
    /// # Errors
    /// When the device fails.
    pub fn gates(&self) -> Result<Vec<Vec<f32>>> {
        let gates = self.layers.iter().filter_map(|layer| layer.gates.as_ref());
        gates.map(|gates| Ok(gates.to_vec1()?)).collect()
    }

    /// A factor for every unit: its gate, and 1 for each class.
    fn factors(&self) -> Result<Vec<Vec<f32>>> {
        let mut factors = self.gates()?;
        let classes = self.spec.layers.last().map_or(0, |layer| layer.outputs);
        factors.push(vec![1.0; classes]);
        Ok(factors)
    }
}

impl Trainable for GateNet {
    fn spec(&self) -> &NetSpec {
        &self.spec
    }

    fn optimizer(&self) -> OptimizerConfig {
        OptimizerConfig::adam(LEARNING_RATE)
    }

    fn forward(&mut self, x: &Tensor, _pass: Pass) -> Result<Tensor> {
        self.spec.run(x, |index, spec, x| {
            let layer = &self.layers[index];
            let y = spec.apply(x, &layer.weight, None)?;
            let Some(gates) = &layer.gates else {
                return Ok(y);
            };
            let gates = match spec.kind {
                LayerKind::Linear => gates.reshape((1, spec.outputs))?,
                LayerKind::Conv { .. } => gates.reshape((1, spec.outputs, 1, 1))?,
            };
            Ok(y.broadcast_mul(&gates)?)
        })
    }

    /// `PENALTY (mean |gate| - SPARSITY)²`, the mean over the gates of all layers.
    fn regulariser(&mut self) -> Result<Option<Tensor>> {
        let gates: Vec<&Tensor> = self
            .layers
            .iter()
            .filter_map(|l| l.gates.as_ref())
            .collect();
        if gates.is_empty() {
            return Ok(None);
        }
        let mean = Tensor::cat(&gates, 0)?.abs()?.mean_all()?;
        Ok(Some(((mean - SPARSITY)?.sqr()? * PENALTY)?))
    }

    fn after_step(&mut self, params: &Params) -> Result<()> {
        for layer in self
            .spec
            .layers
            .split_last()
            .map_or(&[][..], |(_, hidden)| hidden)
        {
            let gates = params.get(&format!("{}.gates", layer.name))?;
            let mut values = gates.values()?;
            for gate in &mut values {
                *gate = gate.clamp(0.0, 1.0);
            }
            gates.set(&values)?;
        }
        Ok(())
    }

    /// A unit whose gate is shut has no weights left.
    fn masks(&self, _params: &Params) -> Result<Vec<Vec<u8>>> {
        let rows = self.spec.layers.iter().zip(self.factors()?);
        let mask = |(layer, factors): (&LayerSpec, Vec<f32>)| {
            let row = |factor: &f32| vec![u8::from(*factor > 0.0); layer.fan_in()];
            factors.iter().flat_map(row).collect()
        };
        Ok(rows.map(mask).collect())
    }

    fn weights(&self, _params: &Params) -> Result<Vec<Vec<f32>>> {
        let factors = self.factors()?.into_iter();
        let layers = self.spec.layers.iter().zip(&self.layers).zip(factors);
        let layers = layers.map(|((spec, layer), factors)| {
            let mut weights: Vec<f32> = layer.weight.flatten_all()?.to_vec1()?;
            for (row, factor) in weights.chunks_exact_mut(spec.fan_in()).zip(factors) {
                row.iter_mut().for_each(|weight| *weight *= factor);
            }
            Ok(weights)
        });
        layers.collect()
    }

    /// The weights that act, each times its unit's gate; biases are zero.
    fn snapshot(&self, params: &Params) -> Result<Snapshot> {
        let layers = self.spec.layers.iter().zip(self.weights(params)?);
        let both = layers.flat_map(|(layer, weights)| {
            let biases = vec![0.0; layer.outputs];
            [(layer.weight_name(), weights), (layer.bias_name(), biases)]
        });
        Ok(both.collect())
    }

    /// No weight has a gradient, so a step is the answer and the way back to the inputs; the whole
    /// net takes part until the search is over.
    fn training_flops(&self, _kept: &[u64]) -> f64 {
        let all = self.spec.all_kept();
        let first = self.spec.layers.first().zip(all.first());
        let first = first.map_or(0.0, |(layer, &kept)| layer.flops(kept));
        2.0 * self.spec.forward_flops(&all) - first
    }

    fn extras(&self, _params: &Params, extras: &mut Extras) -> Result<()> {
        extras.gates = self.gates()?;
        Ok(())
    }
}

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
    if !(budget > 0.0 && budget <= 1.0) {
        return Err(Error::Input(format!(
            "a budget of {budget} of the operations is not possible, choose above 0 and up to 1"
        )));
    }
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

/// The numbers of a trained net that belong to these units: what [`narrow`] goes on with.
///
/// # Errors
/// When the snapshot is of another net.
///
/// # Panics
/// When `units` is not a list for each layer.
pub fn compact(spec: &NetSpec, units: &[Vec<bool>], trained: &Snapshot) -> Result<Snapshot> {
    assert_eq!(spec.layers.len(), units.len(), "units of every layer");
    let mut small = Snapshot::new();
    for (index, layer) in spec.layers.iter().enumerate() {
        let foreign = || Error::Input(format!("the snapshot is of another net: {}", layer.name));
        let numbers = |name: &str, count: usize| {
            let found = trained.get(name).filter(|numbers| numbers.len() == count);
            found.ok_or_else(foreign)
        };
        let weights = numbers(&layer.weight_name(), layer.weights() as usize)?;
        let biases = numbers(&layer.bias_name(), layer.outputs)?;
        let inputs = match index.checked_sub(1) {
            Some(before) => units[before].clone(),
            None => vec![true; layer.inputs],
        };
        let block = layer.fan_in() / inputs.len();
        let mut rows = Vec::new();
        for (row, _) in staying(weights.chunks_exact(layer.fan_in()), &units[index]) {
            for (weights, _) in staying(row.chunks_exact(block), &inputs) {
                rows.extend_from_slice(weights);
            }
        }
        small.insert(layer.weight_name(), rows);
        let biases = staying(biases.iter(), &units[index]).map(|(bias, _)| *bias);
        small.insert(layer.bias_name(), biases.collect());
    }
    Ok(small)
}

fn staying<'a, T>(
    items: impl Iterator<Item = T> + 'a,
    stays: &'a [bool],
) -> impl Iterator<Item = (T, &'a bool)> + 'a {
    items.zip(stays).filter(|(_, stays)| **stays)
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
