//! The net whose gates are trained.

use candle_core::Tensor;

use super::{LEARNING_RATE, PENALTY, SPARSITY};
use crate::demos::lottery::model::{Pass, Trainable};
use crate::demos::lottery::net::{LayerKind, LayerSpec, NetSpec};
use crate::demos::lottery::record::Extras;
use crate::error::Result;
use crate::nn::optim::OptimizerConfig;
use crate::nn::{Init, Params, Snapshot};

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

/// The name of a layer's gates in files, `NAME.gates`.
#[must_use]
pub fn gates_name(layer: &LayerSpec) -> String {
    format!("{}.gates", layer.name)
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
            let gates = params.get(&gates_name(layer))?;
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
                for weight in row.iter_mut() {
                    *weight *= factor;
                }
            }
            Ok(weights)
        });
        layers.collect()
    }

    /// The weights that act, each times its unit's gate, and the gates, `NAME.gates`; biases are
    /// zero.
    fn snapshot(&self, params: &Params) -> Result<Snapshot> {
        let mut snapshot = Snapshot::new();
        let layers = self.spec.layers.iter();
        for (layer, weights) in layers.clone().zip(self.weights(params)?) {
            snapshot.insert(layer.weight_name(), weights);
            snapshot.insert(layer.bias_name(), vec![0.0; layer.outputs]);
        }
        for (layer, gates) in layers.zip(self.gates()?) {
            snapshot.insert(gates_name(layer), gates);
        }
        Ok(snapshot)
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
