//! A net of which whole units were taken away: trained as the small net it is, shown as a part of
//! the full one.

use candle_core::Tensor;

use super::units::narrow;
use crate::demos::lottery::model::{Pass, Trainable};
use crate::demos::lottery::net::{Net, NetSpec};
use crate::error::{Error, Result};
use crate::nn::optim::OptimizerConfig;
use crate::nn::{Params, Snapshot};

/// A small net without masks. To the record it is the full net with the units that are gone masked,
/// so that its shares, its operations and its pictures compare with those of other methods.
#[derive(Debug)]
pub struct NarrowNet {
    full: NetSpec,
    net: Net,
    optimizer: OptimizerConfig,
    places: Vec<Places>,
}

/// Where a layer's numbers lie in those of the full net.
#[derive(Debug)]
struct Places {
    weights: Vec<usize>,
    biases: Vec<usize>,
}

impl NarrowNet {
    /// Adds the weights of the net that has only these units of `full` to `params`, with first
    /// values of their own. `units` is a list for each layer, the classes included.
    ///
    /// # Errors
    /// [`Error::Input`] when the units are not those of the net or a layer keeps none, and when the
    /// names are taken.
    pub fn new(
        full: &NetSpec,
        units: &[Vec<bool>],
        optimizer: OptimizerConfig,
        params: &mut Params,
    ) -> Result<Self> {
        let fits = full.layers.len() == units.len()
            && full.layers.iter().zip(units).all(|(layer, units)| {
                layer.outputs == units.len() && units.iter().any(|&stays| stays)
            });
        if !fits {
            return Err(Error::Input(
                "every layer of a narrow net keeps some of its units".into(),
            ));
        }
        Ok(Self {
            net: Net::new(&narrow(full, units), params)?,
            places: places(full, units),
            full: full.clone(),
            optimizer,
        })
    }

    /// The small net's layers.
    #[must_use]
    pub fn narrow_spec(&self) -> &NetSpec {
        self.net.spec()
    }

    /// Sets the weights to those that the units have in the full net.
    ///
    /// # Errors
    /// [`Error::Input`] when the snapshot is not of the full net.
    pub fn take_over(&self, trained: &Snapshot, params: &Params) -> Result<()> {
        for (layer, places) in self.full.layers.iter().zip(&self.places) {
            for (name, places) in [
                (layer.weight_name(), &places.weights),
                (layer.bias_name(), &places.biases),
            ] {
                let numbers = trained.get(&name);
                let part = numbers.and_then(|numbers| {
                    let part = places.iter().map(|&place| numbers.get(place).copied());
                    part.collect::<Option<Vec<f32>>>()
                });
                let part = part.ok_or_else(|| {
                    Error::Input(format!("the snapshot is of another net: {name}"))
                })?;
                params.get(&name)?.set(&part)?;
            }
        }
        Ok(())
    }
}

/// Where every layer's numbers lie if only some units stay.
fn places(full: &NetSpec, units: &[Vec<bool>]) -> Vec<Places> {
    let staying = |units: &[bool]| -> Vec<usize> {
        let units = units.iter().enumerate();
        units
            .filter_map(|(unit, &stays)| stays.then_some(unit))
            .collect()
    };
    let mut places: Vec<Places> = Vec::new();
    for (layer, units) in full.layers.iter().zip(units) {
        let (before, count) = match places.last() {
            Some(before) => (before.biases.clone(), full.layers[places.len() - 1].outputs),
            None => ((0..layer.inputs).collect(), layer.inputs),
        };
        // A unit is read through a kernel's entries, or through all pixels of its channel.
        let block = layer.fan_in() / count;
        let rows = staying(units);
        let row = |&row: &usize| {
            let start = row * layer.fan_in();
            let blocks = before.iter().map(move |input| start + input * block);
            blocks.flat_map(move |first| first..first + block)
        };
        places.push(Places {
            weights: rows.iter().flat_map(row).collect(),
            biases: rows,
        });
    }
    places
}

/// `numbers` in their places among `len`, zeros elsewhere.
fn scattered<T: Copy + Default>(
    len: usize,
    places: &[usize],
    numbers: impl IntoIterator<Item = T>,
) -> Vec<T> {
    let mut full = vec![T::default(); len];
    for (&place, number) in places.iter().zip(numbers) {
        full[place] = number;
    }
    full
}

impl Trainable for NarrowNet {
    fn spec(&self) -> &NetSpec {
        &self.full
    }

    fn optimizer(&self) -> OptimizerConfig {
        self.optimizer.clone()
    }

    fn forward(&mut self, x: &Tensor, _pass: Pass) -> Result<Tensor> {
        self.net.forward(x)
    }

    fn masks(&self, _params: &Params) -> Result<Vec<Vec<u8>>> {
        let layers = self.full.layers.iter().zip(&self.places);
        let layers = layers.map(|(layer, places)| {
            let ones = std::iter::repeat_n(1, places.weights.len());
            scattered(layer.weights() as usize, &places.weights, ones)
        });
        Ok(layers.collect())
    }

    fn weights(&self, params: &Params) -> Result<Vec<Vec<f32>>> {
        let layers = self.full.layers.iter().zip(&self.places);
        let layers = layers.map(|(layer, places)| {
            let weights = params.get(&layer.weight_name())?.values()?;
            Ok(scattered(
                layer.weights() as usize,
                &places.weights,
                weights,
            ))
        });
        layers.collect()
    }

    /// In the full net's shapes, zeros where units are gone.
    fn snapshot(&self, params: &Params) -> Result<Snapshot> {
        let mut snapshot = Snapshot::new();
        let layers = self.full.layers.iter().zip(&self.places);
        for ((layer, places), weights) in layers.zip(self.weights(params)?) {
            let biases = params.get(&layer.bias_name())?.values()?;
            let biases = scattered(layer.outputs, &places.biases, biases);
            snapshot.insert(layer.weight_name(), weights);
            snapshot.insert(layer.bias_name(), biases);
        }
        Ok(snapshot)
    }

    /// No masks are needed: the small net is stored as it is.
    fn stored_bytes(&self, _kept: &[u64]) -> u64 {
        4 * (self.narrow_spec().weights() + self.narrow_spec().biases())
    }
}
