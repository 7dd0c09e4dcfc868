//! The net of which scores choose.

use candle_core::{Tensor, Var};

use super::LEARNING_RATE;
use crate::demos::lottery::config::{LotteryConfig, RandomWeights};
use crate::demos::lottery::model::{Pass, Trainable};
use crate::demos::lottery::net::{LayerSpec, NetSpec};
use crate::error::{Error, Result};
use crate::nn::ops::subnetwork::{kept_count, mask, subnetwork};
use crate::nn::optim::{Decay, OptimizerConfig, Rule, Schedule};
use crate::nn::{Distribution, Fan, Init, Params, RELU_GAIN, Snapshot};

/// A net of random weights of which scores choose.
#[derive(Debug)]
pub struct EdgePopupNet {
    spec: NetSpec,
    optimizer: OptimizerConfig,
    k: f64,
    layers: Vec<Layer>,
    /// The weights that act, worked out once for all batches of an evaluation.
    acting: Vec<Tensor>,
}

#[derive(Debug)]
struct Layer {
    /// Random, and the same for ever.
    weight: Tensor,
    /// What is trained.
    scores: Tensor,
    /// Ones where a weight was kept when it was last asked for, and zeros.
    chosen: Var,
}

/// What random weights are drawn from if a share `k` of them is to act.
#[must_use]
pub fn random_init(weights: RandomWeights, k: f64, scaled: bool) -> Init {
    let gain = if scaled && k > 0.0 {
        RELU_GAIN / k.sqrt()
    } else {
        RELU_GAIN
    };
    let fan = Fan::In;
    match weights {
        RandomWeights::SignedConstant => Init::SignedConstant { fan, gain },
        RandomWeights::KaimingNormal => Init::Kaiming {
            distribution: Distribution::Normal,
            fan,
            gain,
        },
    }
}

impl EdgePopupNet {
    /// Adds a net's random weights and their scores to `params`: `NAME.weight`, `NAME.scores` and
    /// `NAME.chosen` for each layer.
    ///
    /// # Errors
    /// [`Error::Input`] when `config.k` is not above 0 and at most 1, or the names are taken.
    pub fn new(spec: &NetSpec, config: &LotteryConfig, params: &mut Params) -> Result<Self> {
        let k = config.k;
        if !(k > 0.0 && k <= 1.0) {
            return Err(Error::Input(format!(
                "edge-popup cannot keep a share of {k}, choose above 0 and up to 1"
            )));
        }
        let init = random_init(config.weights, k, !config.unscaled);
        let mut layers = Vec::with_capacity(spec.layers.len());
        for layer in &spec.layers {
            let (mut scope, shape) = (params.scope(&layer.name), layer.shape());
            let weight = scope.buffer("weight", &shape, init)?;
            let scores = scope.param("scores", &shape, Init::PYTORCH)?;
            let chosen = scope.buffer("chosen", &shape, Init::ZEROS)?;
            chosen.set(
                &mask(&scores, k)?
                    .to_device(chosen.device())?
                    .to_dtype(chosen.dtype())?,
            )?;
            layers.push(Layer {
                weight: weight.as_detached_tensor(),
                scores,
                chosen,
            });
        }
        Ok(Self {
            spec: spec.clone(),
            optimizer: optimizer(config),
            k,
            layers,
            acting: Vec::new(),
        })
    }

    /// The share of a layer's weights that is kept.
    #[must_use]
    pub fn k(&self) -> f64 {
        self.k
    }

    /// The weights that act, as tensors through which gradients reach the scores.
    fn acting(&self) -> Result<Vec<Tensor>> {
        let one = |layer: &Layer| Ok(subnetwork(&layer.scores, &layer.weight, self.k)?);
        self.layers.iter().map(one).collect()
    }
}

/// The authors' descent for a run of `config.steps` steps.
#[must_use]
pub fn optimizer(config: &LotteryConfig) -> OptimizerConfig {
    let rule = Rule::Sgd {
        momentum: 0.9,
        nesterov: false,
        weight_decay: 1e-4,
    };
    let cosine = Decay::Cosine {
        steps: config.steps,
        floor: 0.0,
    };
    OptimizerConfig::new(rule, config.learning_rate.unwrap_or(LEARNING_RATE))
        .with_schedule(Schedule::new(cosine))
}

impl Trainable for EdgePopupNet {
    fn spec(&self) -> &NetSpec {
        &self.spec
    }

    fn optimizer(&self) -> OptimizerConfig {
        self.optimizer.clone()
    }

    fn forward(&mut self, x: &Tensor, pass: Pass) -> Result<Tensor> {
        let run = |acting: &[Tensor]| {
            let layer =
                |index: usize, spec: &LayerSpec, x: &Tensor| spec.apply(x, &acting[index], None);
            self.spec.run(x, layer)
        };
        match pass {
            Pass::Train => run(&self.acting()?),
            Pass::EvaluateNext if !self.acting.is_empty() => run(&self.acting),
            Pass::EvaluateFirst | Pass::EvaluateNext => {
                let acting = self.acting()?;
                let y = run(&acting)?;
                self.acting = acting.iter().map(Tensor::detach).collect();
                Ok(y)
            }
        }
    }

    fn masks(&self, _params: &Params) -> Result<Vec<Vec<u8>>> {
        let one = |layer: &Layer| Ok(mask(&layer.scores, self.k)?.flatten_all()?.to_vec1()?);
        self.layers.iter().map(one).collect()
    }

    fn weights(&self, _params: &Params) -> Result<Vec<Vec<f32>>> {
        let one = |weight: &Tensor| Ok(weight.flatten_all()?.to_vec1()?);
        self.acting()?.iter().map(one).collect()
    }

    /// The weights that act; biases are zero.
    fn snapshot(&self, params: &Params) -> Result<Snapshot> {
        let layers = self.spec.layers.iter().zip(self.weights(params)?);
        let both = layers.flat_map(|(layer, weights)| {
            let biases = vec![0.0; layer.outputs];
            [(layer.weight_name(), weights), (layer.bias_name(), biases)]
        });
        Ok(both.collect())
    }

    /// Forwards, and back to the inputs, only the weights that are kept take part; a score has a
    /// gradient whether its weight is kept or not, so the third product is a whole one.
    fn training_flops(&self, kept: &[u64]) -> f64 {
        let first = self.spec.layers.first().zip(kept.first());
        let first = first.map_or(0.0, |(layer, &kept)| layer.flops(kept));
        2.0 * self.spec.forward_flops(kept) - first + self.spec.forward_flops(&self.spec.all_kept())
    }

    fn churn(&mut self, _params: &Params) -> Result<Option<f64>> {
        let (mut kept, mut entered) = (0, 0);
        for layer in &self.layers {
            let now = mask(&layer.scores, self.k)?;
            let before = layer.chosen.flatten_all()?.to_vec1::<f32>()?;
            let ones = now.flatten_all()?.to_vec1::<u8>()?;
            let new = ones.iter().zip(&before);
            entered += new
                .filter(|(now, before)| **now == 1 && **before == 0.0)
                .count();
            kept += kept_count(ones.len(), self.k);
            let chosen = &layer.chosen;
            chosen.set(&now.to_device(chosen.device())?.to_dtype(chosen.dtype())?)?;
        }
        Ok(Some(entered as f64 / kept.max(1) as f64))
    }

    /// A bit for each weight says whether it acts; the weights themselves follow from the seed.
    fn stored_bytes(&self, _kept: &[u64]) -> u64 {
        let bytes = |layer: &LayerSpec| layer.weights().div_ceil(8);
        self.spec.layers.iter().map(bytes).sum()
    }
}
