//! Tickets that train in less time because they are small.
//!
//! A net with masks costs as much as a dense one: its zeros are multiplied, too. Here units that
//! lead nowhere are left out, and a linear layer of which less than [`SPARSE_BELOW`] is left keeps
//! its weights as a list of values ([`sparse_linear`]). Above that the dense product is faster, and
//! a mask holds the zeros.
//!
//! It is the same net to the last unit. What is left out has no path to the classes, so it would
//! get gradients of zero and stay as it is. A unit without inputs stays: its bias says the same
//! whatever the picture, but it is trained. Whoever asks for weights or masks is given whole layers,
//! in which what was left out has its first values.
//!
//! Channels of convolutions are all kept, since single weights are pruned and hardly ever a channel.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::dense::{plain, restored};
use super::model::{Pass, Trainable};
use super::net::{LayerKind, NetSpec};
use super::work::Bench;
use crate::error::{Error, Result};
use crate::nn::ops::sparse::{Pattern, SPARSE_BELOW, sparse_linear};
use crate::nn::optim::OptimizerConfig;
use crate::nn::{Init, Params, Snapshot};
use crate::rng::Rng;

/// A net with masks, without what they leave no use for.
pub struct SparseNet {
    spec: NetSpec,
    /// The layers with the units that are kept.
    small: NetSpec,
    layers: Vec<Layer>,
    optimizer: OptimizerConfig,
    masks: Vec<Vec<u8>>,
    /// The whole layers at the beginning.
    first: Snapshot,
}

struct Layer {
    weights: Tensor,
    bias: Tensor,
    /// If the weights are a list of values.
    pattern: Option<Arc<Pattern>>,
    /// Where each weight lies in the whole layer.
    places: Vec<usize>,
    /// The units that are kept.
    units: Vec<usize>,
}

impl SparseNet {
    /// The net with these weights, in whole layers, and a 0 or 1 for each.
    ///
    /// # Errors
    /// When they are those of another net, or the device fails.
    pub fn new(
        spec: &NetSpec,
        weights: &Snapshot,
        masks: &[Vec<u8>],
        optimizer: OptimizerConfig,
        device: &Device,
    ) -> Result<(Params, Self)> {
        let first = masked_weights(spec, weights, masks)?;
        let kept = useful_units(spec, masks);
        let mut params = Params::new(device, &Rng::new(0));
        let mut small = spec.clone();
        let mut layers: Vec<Layer> = Vec::new();
        for (index, mask) in masks.iter().enumerate() {
            let units = indices(&kept[index]);
            let inputs = match (spec.layers[index].kind, layers.last()) {
                (LayerKind::Linear, Some(before)) if is_linear(spec, index - 1) => {
                    before.units.clone()
                }
                _ => (0..spec.layers[index].fan_in()).collect(),
            };
            let layer = &mut small.layers[index];
            layer.outputs = units.len();
            if layer.kind == LayerKind::Linear {
                layer.inputs = inputs.len();
            }
            let layer = Layer::new(&small, index, (units, &inputs), mask, &first, &mut params)?;
            layers.push(layer);
        }
        let net = Self {
            spec: spec.clone(),
            small,
            layers,
            optimizer,
            masks: masks.to_vec(),
            first,
        };
        Ok((params, net))
    }

    /// Whether some layer would be sparse.
    #[must_use]
    pub fn pays(spec: &NetSpec, masks: &[Vec<u8>]) -> bool {
        let layers = spec.layers.iter().zip(masks);
        layers.into_iter().any(|(layer, mask)| {
            layer.kind == LayerKind::Linear && is_sparse(mask.iter().copied(), mask.len())
        })
    }

    /// The whole layers as they are now.
    fn whole(&self, params: &Params) -> Result<Snapshot> {
        let mut whole = self.first.clone();
        for (spec, layer) in self.spec.layers.iter().zip(&self.layers) {
            for (name, places) in [
                (spec.weight_name(), &layer.places),
                (spec.bias_name(), &layer.units),
            ] {
                let values = params.get(&name)?.values()?;
                if let Some(to) = whole.get_mut(&name) {
                    for (&place, value) in places.iter().zip(values) {
                        to[place] = value;
                    }
                }
            }
        }
        Ok(whole)
    }
}

impl Layer {
    /// A layer of the small net, with the units and inputs that are kept.
    fn new(
        small: &NetSpec,
        index: usize,
        (units, inputs): (Vec<usize>, &[usize]),
        mask: &[u8],
        first: &Snapshot,
        params: &mut Params,
    ) -> Result<Self> {
        let spec = &small.layers[index];
        let width = mask.len() / whole_outputs(first, &spec.bias_name())?;
        let all = units
            .iter()
            .flat_map(|&unit| inputs.iter().map(move |&input| unit * width + input));
        let mut places: Vec<usize> = all.collect();
        let kept: Vec<u8> = places.iter().map(|&place| mask[place]).collect();
        let sparse = spec.kind == LayerKind::Linear && is_sparse(kept.iter().copied(), kept.len());
        let pattern = if sparse {
            let pattern = Pattern::from_mask(&kept, units.len(), inputs.len())?;
            places = pattern.places().map(|place| places[place]).collect();
            Some(Arc::new(pattern))
        } else {
            None
        };
        let shape = match &pattern {
            Some(pattern) => vec![pattern.len()],
            None => spec.shape(),
        };
        let mut scope = params.scope(&spec.name);
        let weights = scope.param("weight", &shape, Init::ZEROS)?;
        let bias = scope.param("bias", &[units.len()], Init::ZEROS)?;
        let of = |name: &str, places: &[usize]| -> Vec<f32> {
            let whole = &first[name];
            places.iter().map(|&place| whole[place]).collect()
        };
        let (weight_name, bias_name) = (spec.weight_name(), spec.bias_name());
        params.get(&weight_name)?.set(&of(&weight_name, &places))?;
        params.get(&bias_name)?.set(&of(&bias_name, &units))?;
        if pattern.is_none() && kept.contains(&0) {
            params.set_mask(&weight_name, Some(&kept))?;
        }
        Ok(Self {
            weights,
            bias,
            pattern,
            places,
            units,
        })
    }
}

impl Trainable for SparseNet {
    fn spec(&self) -> &NetSpec {
        &self.spec
    }

    fn optimizer(&self) -> OptimizerConfig {
        self.optimizer.clone()
    }

    fn forward(&mut self, x: &Tensor, pass: Pass) -> Result<Tensor> {
        self.small.run(x, |index, spec, x| {
            let layer = &self.layers[index];
            // An evaluation keeps nothing for a gradient.
            let (weights, bias) = match pass {
                Pass::Train => (layer.weights.clone(), layer.bias.clone()),
                _ => (layer.weights.detach(), layer.bias.detach()),
            };
            Ok(match &layer.pattern {
                Some(pattern) => sparse_linear(x, &weights, pattern, Some(&bias), spec.activation)?,
                None => spec.apply(x, &weights, Some(&bias))?,
            })
        })
    }

    fn masks(&self, _params: &Params) -> Result<Vec<Vec<u8>>> {
        Ok(self.masks.clone())
    }

    fn weights(&self, params: &Params) -> Result<Vec<Vec<f32>>> {
        let mut whole = self.whole(params)?;
        let layers = self.spec.layers.iter();
        Ok(layers
            .map(|layer| whole.remove(&layer.weight_name()).unwrap_or_default())
            .collect())
    }

    fn snapshot(&self, params: &Params) -> Result<Snapshot> {
        self.whole(params)
    }
}

/// A net with these weights and masks, as settings ask to train it, in the faster of its two forms.
/// Which one that is follows from the masks alone.
///
/// # Errors
/// When the weights or masks are those of another net, or the device fails.
pub fn ticket(
    bench: &Bench,
    weights: &Snapshot,
    masks: &[Vec<u8>],
) -> Result<(Params, Box<dyn Trainable>)> {
    if bench.device.is_cpu() && SparseNet::pays(&bench.spec, masks) {
        let optimizer = bench.spec.optimizer(bench.config.learning_rate);
        let (params, net) = SparseNet::new(&bench.spec, weights, masks, optimizer, &bench.device)?;
        return Ok((params, Box::new(net)));
    }
    let (params, net) = restored(bench, weights, masks)?;
    Ok((params, plain(net, bench)))
}

fn is_linear(spec: &NetSpec, index: usize) -> bool {
    spec.layers[index].kind == LayerKind::Linear
}

fn is_sparse(mask: impl Iterator<Item = u8>, len: usize) -> bool {
    let kept: usize = mask.map(usize::from).sum();
    kept > 0 && (kept as f64) < SPARSE_BELOW * len as f64
}

fn indices(kept: &[bool]) -> Vec<usize> {
    let all = kept.iter().enumerate();
    all.filter(|(_, kept)| **kept)
        .map(|(unit, _)| unit)
        .collect()
}

fn whole_outputs(first: &Snapshot, bias: &str) -> Result<usize> {
    let outputs = first.get(bias).map_or(0, Vec::len);
    if outputs == 0 {
        return Err(Error::Input(format!("the net has no {bias}")));
    }
    Ok(outputs)
}

/// The weights with zeros where masks say; an error if something does not fit the net.
fn masked_weights(spec: &NetSpec, weights: &Snapshot, masks: &[Vec<u8>]) -> Result<Snapshot> {
    let misfit = || Error::Input("the weights and masks are those of another net".into());
    if masks.len() != spec.layers.len() || weights.len() != 2 * masks.len() {
        return Err(misfit());
    }
    let mut first = weights.clone();
    for (layer, mask) in spec.layers.iter().zip(masks) {
        let bias = first.get(&layer.bias_name()).ok_or_else(misfit)?;
        if bias.len() != layer.outputs || mask.iter().any(|&keep| keep > 1) {
            return Err(misfit());
        }
        let values = first.get_mut(&layer.weight_name()).ok_or_else(misfit)?;
        if mask.len() as u64 != layer.weights() || values.len() != mask.len() {
            return Err(misfit());
        }
        for (value, _) in values.iter_mut().zip(mask).filter(|(_, keep)| **keep == 0) {
            *value = 0.0;
        }
    }
    Ok(first)
}

/// The units of every layer from which a path leads to a class; one of each layer at least, and
/// every channel.
fn useful_units(spec: &NetSpec, masks: &[Vec<u8>]) -> Vec<Vec<bool>> {
    let layers = spec.layers.iter();
    let mut useful: Vec<Vec<bool>> = layers.map(|layer| vec![true; layer.outputs]).collect();
    for index in (1..masks.len()).rev() {
        if !is_linear(spec, index - 1) {
            break;
        }
        let mut leading = vec![false; spec.layers[index].inputs];
        let rows = masks[index].chunks_exact(leading.len());
        for (row, _) in rows.zip(&useful[index]).filter(|(_, useful)| **useful) {
            for (leading, &keep) in leading.iter_mut().zip(row) {
                *leading |= keep == 1;
            }
        }
        if !leading.contains(&true) {
            leading[0] = true;
        }
        useful[index - 1] = leading;
    }
    useful
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::{SparseNet, useful_units};
    use crate::data::Shape;
    use crate::demos::lottery::config::NetKind;
    use crate::demos::lottery::model::{Pass, PlainNet, Trainable};
    use crate::demos::lottery::net::{Net, NetSpec};
    use crate::nn::ops::cross_entropy;
    use crate::nn::optim::{Optimizer, OptimizerConfig};
    use crate::nn::{Params, Snapshot};
    use crate::rng::Rng;

    const STEPS: usize = 20;

    fn spec(kind: NetKind, side: usize, width: f64) -> NetSpec {
        let input = Shape {
            channels: 1,
            height: side,
            width: side,
        };
        NetSpec::new(kind, width, input, 10).expect("a small net")
    }

    fn random_masks(spec: &NetSpec, densities: &[f64], rng: &mut Rng) -> Vec<Vec<u8>> {
        let layers = spec.layers.iter().zip(densities);
        layers
            .map(|(layer, density)| {
                (0..layer.weights())
                    .map(|_| u8::from(rng.uniform() < *density))
                    .collect()
            })
            .collect()
    }

    /// Trains with random pictures, the same for the same net.
    fn train(mut model: Box<dyn Trainable>, params: &Params) -> Snapshot {
        let mut rng = Rng::new(5);
        let pixels = model.spec().input.len();
        let mut optimizer = Optimizer::new(model.optimizer());
        for _ in 0..STEPS {
            let x: Vec<f32> = (0..70 * pixels).map(|_| rng.uniform() as f32).collect();
            let t: Vec<u32> = (0..70).map(|_| rng.below(10) as u32).collect();
            let x = Tensor::from_vec(x, (70, pixels), &Device::Cpu).expect("pictures");
            let t = Tensor::from_vec(t, 70, &Device::Cpu).expect("classes");
            let y = model.forward(&x, Pass::Train).expect("logits");
            let again = model.forward(&x, Pass::EvaluateFirst).expect("logits");
            let numbers = |y: &Tensor| y.to_vec2::<f32>().expect("a matrix");
            assert_eq!(numbers(&y), numbers(&again));
            let loss = cross_entropy(&y, &t, 0.0).expect("a loss");
            let gradients = loss.backward().expect("goes back");
            for (name, param) in params.trained() {
                assert!(gradients.get(param.var()).is_some(), "{name}");
            }
            optimizer.step(params, &gradients).expect("a step");
        }
        model.snapshot(params).expect("whole layers")
    }

    fn compare(spec: &NetSpec, masks: &[Vec<u8>]) -> usize {
        let mut params = Params::new(&Device::Cpu, &Rng::new(3));
        let net = Net::new(spec, &mut params).expect("new names");
        for (layer, mask) in spec.layers.iter().zip(masks) {
            // Biases that are not zero let units without inputs say something.
            let biases: Vec<f32> = (0..layer.outputs).map(|i| 0.01 * i as f32).collect();
            let bias = params.get(&layer.bias_name()).expect("there");
            bias.set(&biases).expect("as many");
            let mask = (&layer.weight_name(), Some(&mask[..]));
            params.set_mask(mask.0, mask.1).expect("a mask");
        }
        let optimizer = OptimizerConfig::sgd(0.05, 0.9);
        let first = params.snapshot().expect("weights");
        let (small, sparse) =
            SparseNet::new(spec, &first, masks, optimizer.clone(), &Device::Cpu).expect("fits");
        assert_eq!(sparse.snapshot(&small).expect("whole layers"), first);
        assert_eq!(sparse.masks(&small).expect("masks"), masks);
        let count = sparse.layers.iter().filter(|l| l.pattern.is_some()).count();

        let plain = train(Box::new(PlainNet::new(net, optimizer)), &params);
        let ours = train(Box::new(sparse), &small);
        assert!(plain.keys().eq(ours.keys()));
        for (name, plain) in &plain {
            assert_eq!(plain.len(), ours[name].len(), "{name}");
            let mut moved = false;
            for (i, (a, b)) in plain.iter().zip(&ours[name]).enumerate() {
                assert!((a - b).abs() < 2e-5, "{name}[{i}]: {b} is not {a}");
                moved |= (a - first[name][i]).abs() > 1e-4;
            }
            assert!(moved, "{name} was trained");
        }
        for (layer, mask) in spec.layers.iter().zip(masks) {
            let pairs = mask.iter().zip(&ours[&layer.weight_name()]);
            for (keep, value) in pairs {
                assert!(*keep == 1 || *value == 0.0, "pruned weights are zero");
            }
        }
        count
    }

    #[test]
    fn it_learns_what_the_masked_net_learns() {
        let spec = spec(NetKind::Lenet, 12, 0.1);
        let mut masks = random_masks(&spec, &[0.06, 0.12, 0.6], &mut Rng::new(1));
        masks[0][3 * 144..4 * 144].fill(0); // unit 3 reads nothing
        for row in masks[1].chunks_mut(30) {
            row[7] = 0; // and unit 7 is read by nobody
        }
        let useful = useful_units(&spec, &masks);
        assert!(useful[0][3] && !useful[0][7]);
        assert_eq!(compare(&spec, &masks), 2);
    }

    #[test]
    fn convolutions_stay_and_linear_layers_behind_them_get_sparse() {
        let spec = spec(NetKind::Conv2Lite, 8, 0.25);
        let masks = random_masks(&spec, &[0.5, 0.5, 0.1, 0.7], &mut Rng::new(2));
        assert!(SparseNet::pays(&spec, &masks));
        assert_eq!(compare(&spec, &masks), 1);
    }

    #[test]
    fn nets_of_which_nothing_is_left_can_be_built() {
        let spec = spec(NetKind::Lenet, 4, 0.02);
        let mut params = Params::new(&Device::Cpu, &Rng::new(3));
        Net::new(&spec, &mut params).expect("new names");
        let first = params.snapshot().expect("weights");
        let mut masks = random_masks(&spec, &[0.1, 0.5, 0.5], &mut Rng::new(1));
        masks[2].fill(0);
        let optimizer = OptimizerConfig::sgd(0.05, 0.9);
        let (small, mut net) =
            SparseNet::new(&spec, &first, &masks, optimizer.clone(), &Device::Cpu).expect("fits");
        let x = Tensor::ones((2, 16), candle_core::DType::F32, &Device::Cpu).expect("pictures");
        let y = net.forward(&x, Pass::EvaluateFirst).expect("logits");
        assert_eq!(y.to_vec2::<f32>().expect("numbers"), [[0.0; 10]; 2]);
        let whole = net.weights(&small).expect("whole layers");
        assert!(whole[2].iter().all(|value| *value == 0.0));

        masks[0].pop();
        let wrong = SparseNet::new(&spec, &first, &masks, optimizer, &Device::Cpu);
        assert!(wrong.is_err());
    }
}
