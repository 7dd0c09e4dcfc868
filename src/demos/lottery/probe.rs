//! Asks finished nets what they see in a drawing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{D, Device, Tensor};

use super::config::LotteryConfig;
use super::digit::SIDE;
use super::job::plans;
use super::net::NetSpec;
use super::record::{RunRecord, StageKind};
use super::store::borrow;
use crate::compute::{Flow, Job, StepCx};
use crate::data::Shape;
use crate::error::{Error, Result};
use crate::nn::Snapshot;

/// A finished stage whose net can be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The run's settings.
    pub config: LotteryConfig,
    /// The stage's name in the run's folder.
    pub key: String,
    /// What it is, for people.
    pub label: String,
}

/// What a net answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The candidate's label.
    pub label: String,
    /// The probability of each class, or why there is none.
    pub classes: std::result::Result<Vec<f32>, String>,
}

/// The dense net of a run and its last subnetwork, as far as they are finished.
///
/// # Errors
/// When the run's settings are impossible.
pub fn candidates(record: &RunRecord) -> Result<Vec<Candidate>> {
    let plans = plans(&record.config)?;
    let planned = plans.iter().filter(|plan| plan.kind.is_some());
    let done = record.stages.iter().zip(planned);
    let done: Vec<_> = done
        .filter(|(stage, plan)| stage.summary.is_some() && plan.kind == Some(stage.kind))
        .collect();
    let subnetwork = |kind| {
        !matches!(
            kind,
            StageKind::Dense
                | StageKind::Reinitialised
                | StageKind::RandomMask
                | StageKind::Sibling
                | StageKind::GateSearch
        )
    };
    let dense = done
        .iter()
        .find(|(stage, _)| stage.kind == StageKind::Dense);
    let last = done.iter().rev().find(|(stage, _)| subnetwork(stage.kind));
    let candidate = |(stage, plan): &(&super::record::Stage, &super::work::Plan)| Candidate {
        config: record.config.clone(),
        key: plan.key.clone(),
        label: match stage.kind {
            StageKind::Dense => "Dense net".into(),
            StageKind::EdgePopup => {
                format!("Untrained, {:.1} % kept", stage.weights_remaining * 100.0)
            }
            StageKind::SubsetSum => "Out of random weights".into(),
            _ => format!("Ticket, {:.1} %", stage.weights_remaining * 100.0),
        },
    };
    Ok(dense.into_iter().chain(last).map(candidate).collect())
}

/// The question.
pub struct Probe {
    root: PathBuf,
    candidates: Vec<Candidate>,
    /// `[28, 28]`, 0 to 1.
    digit: Vec<f32>,
}

impl Probe {
    /// Asks these nets, whose runs lie below `root`, about a drawing of 28 × 28.
    ///
    /// # Errors
    /// When the drawing is of another size.
    pub fn new(root: PathBuf, candidates: Vec<Candidate>, digit: Vec<f32>) -> Result<Self> {
        if digit.len() != SIDE * SIDE {
            return Err(Error::Input(format!(
                "a drawing has {} pixels, not {}",
                SIDE * SIDE,
                digit.len()
            )));
        }
        Ok(Self {
            root,
            candidates,
            digit,
        })
    }
}

/// Nets that were read for the last question; the next one is mostly about the same.
#[derive(Default)]
struct Loaded(Vec<(Candidate, Arc<ReadyNet>)>);

/// A net's weights as tensors.
struct ReadyNet {
    spec: NetSpec,
    /// A weight and, where there is one, a bias for each layer.
    layers: Vec<(Tensor, Option<Tensor>)>,
}

impl ReadyNet {
    fn read(root: &Path, candidate: &Candidate, device: &Device) -> Result<Self> {
        let Candidate { config, key, .. } = candidate;
        let outcome = borrow(root, config, key)?.ok_or_else(|| {
            Error::Missing("its weights are not on this machine, run it again".into())
        })?;
        let shape = Shape {
            channels: 1,
            height: SIDE,
            width: SIDE,
        };
        let spec = NetSpec::new(config.net, config.width, shape, 10)?;
        let weights = outcome.snapshot("weight")?;
        let layers = spec.layers.iter().map(|layer| {
            let weight = find(&weights, &layer.weight_name())
                .ok_or_else(|| Error::Input(format!("it has no layer {}", layer.name)))?;
            let weight = Tensor::from_slice(weight, layer.shape(), device)?;
            let bias = find(&weights, &layer.bias_name());
            let bias = bias.map(|b| Tensor::from_slice(b, b.len(), device));
            Ok((weight, bias.transpose()?))
        });
        Ok(Self {
            layers: layers.collect::<Result<_>>()?,
            spec,
        })
    }

    fn answer(&self, digit: &[f32], device: &Device) -> Result<Vec<f32>> {
        let x = Tensor::from_slice(digit, (1, digit.len()), device)?;
        let logits = self.spec.run(&x, |index, spec, x| {
            let (weight, bias) = &self.layers[index];
            spec.apply(x, weight, bias.as_ref())
        })?;
        let most = logits.max_keepdim(D::Minus1)?;
        let powers = logits.broadcast_sub(&most)?.exp()?;
        let shares = powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)?;
        Ok(shares.flatten_all()?.to_vec1()?)
    }
}

fn find<'a>(weights: &'a Snapshot, name: &str) -> Option<&'a [f32]> {
    let mut all = weights.iter();
    all.find(|(own, _)| own.as_str() == name)
        .map(|(_, v)| v.as_slice())
}

impl Job for Probe {
    type Output = Vec<Answer>;

    fn step(&mut self, cx: &mut StepCx<'_, Vec<Answer>>) -> Result<Flow> {
        let device = cx.device().clone();
        let old = cx.resources().take::<Loaded>().unwrap_or_default();
        let mut loaded = Loaded::default();
        let mut answers = Vec::new();
        for candidate in &self.candidates {
            let known = old.0.iter().find(|(own, _)| own == candidate);
            let net = match known {
                Some((_, net)) => Ok(Arc::clone(net)),
                None => ReadyNet::read(&self.root, candidate, &device).map(Arc::new),
            };
            let classes = net.and_then(|net| {
                loaded.0.push((candidate.clone(), Arc::clone(&net)));
                net.answer(&self.digit, &device)
            });
            answers.push(Answer {
                label: candidate.label.clone(),
                classes: classes.map_err(|e| e.to_string()),
            });
        }
        cx.resources().put(Box::new(loaded));
        cx.emit(answers);
        Ok(Flow::Finished)
    }
}
