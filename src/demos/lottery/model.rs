//! What one training needs to know of what it trains.
//!
//! Dense nets, tickets, gates and edge-popup differ in what is trained and in how the net's weights
//! follow from it. All of them are a [`Trainable`], and [`engine`](super::engine) trains any of them
//! in the same way: the same batches, the same evaluations, the same accounts.
//!
//! Whatever it trains or remembers lies in a [`Params`], of which checkpoints are made; what is not
//! trained, such as random weights that stay or the mask at the last point, lies there as a buffer.

use candle_core::Tensor;

use super::net::{Net, NetSpec};
use super::record::{Extras, LayerShot, Shot};
use crate::error::Result;
use crate::nn::optim::OptimizerConfig;
use crate::nn::{Params, Snapshot};

/// Why a batch is sent through a net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// A gradient is wanted.
    Train,
    /// The first batch of an evaluation: what is the same for all of them can be worked out now.
    EvaluateFirst,
    /// A further batch of the same evaluation, with the same weights.
    EvaluateNext,
}

/// Something that learns to classify pictures by gradients.
pub trait Trainable: Send + 'static {
    /// The layers that its weights belong to.
    fn spec(&self) -> &NetSpec;

    /// How it is trained.
    fn optimizer(&self) -> OptimizerConfig;

    /// Pictures `[batch, pixels]` to logits `[batch, classes]`.
    ///
    /// # Errors
    /// Whatever keeps it from being computed.
    fn forward(&mut self, x: &Tensor, pass: Pass) -> Result<Tensor>;

    /// A single number that is added to the loss, such as a penalty for open gates.
    ///
    /// # Errors
    /// Whatever keeps it from being computed.
    fn regulariser(&mut self) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Called when an optimiser step is done.
    ///
    /// # Errors
    /// Whatever goes wrong there.
    fn after_step(&mut self, _params: &Params) -> Result<()> {
        Ok(())
    }

    /// Which weights are left: a 0 or 1 for each, a list a layer.
    ///
    /// # Errors
    /// When the device fails.
    fn masks(&self, params: &Params) -> Result<Vec<Vec<u8>>>;

    /// The net's weights as they act, 0 where they are pruned, a list a layer.
    ///
    /// # Errors
    /// When the device fails.
    fn weights(&self, params: &Params) -> Result<Vec<Vec<f32>>>;

    /// What later stages begin from, by the names `fc1.weight`, `fc1.bias` and so on, in the layers'
    /// own shapes.
    ///
    /// # Errors
    /// When the device fails.
    fn snapshot(&self, params: &Params) -> Result<Snapshot> {
        params.snapshot()
    }

    /// Operations of a training step for one picture, if so many weights are left in each layer.
    fn training_flops(&self, kept: &[u64]) -> f64 {
        self.spec().training_flops(kept)
    }

    /// The share of the kept weights that changed places since the last call, for methods that
    /// choose while they train. Called once for every point of the curve; the first answer is for
    /// the time since the beginning.
    ///
    /// # Errors
    /// When the device fails.
    fn churn(&mut self, _params: &Params) -> Result<Option<f64>> {
        Ok(None)
    }

    /// Bytes that the result takes on disk, if so many weights are left in each layer.
    fn stored_bytes(&self, kept: &[u64]) -> u64 {
        stored_bytes(self.spec(), kept)
    }

    /// Adds what only this method has to show, at every point of the curve.
    ///
    /// # Errors
    /// When the device fails.
    fn extras(&self, _params: &Params, _extras: &mut Extras) -> Result<()> {
        Ok(())
    }
}

/// Bytes of a net of single precision of which so many weights are left: whole layers as they are,
/// pruned ones as a bit for every weight and the values of those that are left, biases on top.
#[must_use]
pub fn stored_bytes(spec: &NetSpec, kept: &[u64]) -> u64 {
    let layers = spec.layers.iter().zip(kept);
    let weights = layers.map(|(layer, &kept)| {
        let all = layer.weights();
        if kept == all {
            4 * all
        } else {
            // An index of 4 bytes for each is smaller below one weight in 32.
            4 * kept + all.div_ceil(8).min(4 * kept)
        }
    });
    weights.sum::<u64>() + 4 * spec.biases()
}

/// How many ones each list has.
#[must_use]
pub fn count_kept(masks: &[Vec<u8>]) -> Vec<u64> {
    let count = |mask: &Vec<u8>| mask.iter().map(|&keep| u64::from(keep)).sum();
    masks.iter().map(count).collect()
}

/// The net as it is now, to be looked at.
///
/// # Errors
/// When the device fails.
pub fn shot(model: &dyn Trainable, params: &Params, stage: usize, step: u64) -> Result<Shot> {
    let both = model.weights(params)?.into_iter().zip(model.masks(params)?);
    let layers = model.spec().layers.iter().zip(both);
    let layers = layers.map(|(layer, (weights, mask))| LayerShot {
        rows: layer.outputs,
        cols: layer.fan_in(),
        weights,
        mask: mask.into_iter().map(|keep| keep == 1).collect(),
    });
    Ok(Shot {
        stage,
        step,
        layers: layers.collect(),
    })
}

/// A net whose weights are trained, all of them or those that masks leave.
#[derive(Debug)]
pub struct PlainNet {
    net: Net,
    optimizer: OptimizerConfig,
}

impl PlainNet {
    /// A net that is trained in this way. Its masks are those of the [`Params`] it lies in.
    #[must_use]
    pub fn new(net: Net, optimizer: OptimizerConfig) -> Self {
        Self { net, optimizer }
    }
}

impl Trainable for PlainNet {
    fn spec(&self) -> &NetSpec {
        self.net.spec()
    }

    fn optimizer(&self) -> OptimizerConfig {
        self.optimizer.clone()
    }

    fn forward(&mut self, x: &Tensor, _pass: Pass) -> Result<Tensor> {
        self.net.forward(x)
    }

    fn masks(&self, params: &Params) -> Result<Vec<Vec<u8>>> {
        let mask = |layer: &super::net::LayerSpec| {
            let param = params.get(&layer.weight_name())?;
            Ok(match param.mask() {
                Some(mask) => mask.flatten_all()?.to_vec1()?,
                None => vec![1; layer.weights() as usize],
            })
        };
        self.spec().layers.iter().map(mask).collect()
    }

    fn weights(&self, params: &Params) -> Result<Vec<Vec<f32>>> {
        let layers = self.spec().layers.iter();
        layers
            .map(|layer| params.get(&layer.weight_name())?.values())
            .collect()
    }
}
