//! A trained net pruned out of a random one, weight by weight, as a stage of the ledger.
//!
//! The dense net is trained first, or taken from a dense run of the same settings. Then every weight
//! and bias of it is looked for as a subset sum ([`subset_sum`](super::subset_sum)), and the net
//! that has been found so far is measured at every tenth of the way, what is still missing being 0.
//! At last the error against the number of random weights is measured, beside the theory's line.
//!
//! A stage's step is a weight that was searched for. Its operations are additions and comparisons
//! of whole numbers. `weights_remaining` and `kept` are those of the random net.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::LotteryConfig;
use super::dense::{self, plain, restored};
use super::engine::early_stop;
use super::images::{Evaluation, Images, Part, Score};
use super::model::{PlainNet, Trainable as _};
use super::net::{LayerKind, NetSpec};
use super::record::{Extras, Point, Stage, StageKind, SubsetSumRecord, Summary};
use super::subset_sum::construction::Construction;
use super::subset_sum::error_curve::{CurveConfig, ErrorCurve};
use super::subset_sum::layer::Layer;
use super::work::{Bench, News, Outcome, Plan, Procedure, Spent, Work};
use crate::error::{Error, Result};
use crate::nn::arrays::Array;
use crate::nn::cpu::pool_cpu_time;
use crate::nn::{Params, Snapshot};

/// Weights that are searched for between two looks at the clock.
const PIECE: usize = 512;
/// Measurements on the way.
const POINTS: usize = 10;

/// A run that rebuilds a trained net.
pub struct Rebuild {
    config: LotteryConfig,
}

impl Rebuild {
    /// As the settings ask for.
    ///
    /// # Errors
    /// When the number of random weights is not one that the solver takes, or the net has
    /// convolutions.
    pub fn new(config: &LotteryConfig) -> Result<Self> {
        if config.net != super::config::NetKind::Lenet {
            return Err(Error::Input(
                "subset sums rebuild nets of linear layers only: choose lenet".into(),
            ));
        }
        // The solver's own limits, without a network.
        Construction::new(
            vec![Layer::new(1, vec![0.0], vec![0.0])?],
            config.n as usize,
            0,
        )?;
        Ok(Self {
            config: config.clone(),
        })
    }
}

impl Procedure for Rebuild {
    fn plans(&self) -> Vec<Plan> {
        let plan = |key: &str, kind| Plan {
            key: key.into(),
            kind,
            level: 0,
            repetition: 0,
            same_as: None,
        };
        vec![
            dense::shared_plan(&self.config, 0),
            plan("subset-sum", Some(StageKind::SubsetSum)),
            plan("error-curve", None),
        ]
    }

    fn begin(&self, plan: &Plan, bench: &Bench) -> Result<Box<dyn Work>> {
        Ok(match plan.kind {
            Some(StageKind::Dense) => Box::new(dense::training(plan, bench, vec![0])?),
            Some(_) => Box::new(Search::new(bench)?),
            None => Box::new(Curve::new(&self.config)?),
        })
    }
}

/// The search for all weights of the trained net.
struct Search {
    construction: Construction,
    model: Box<PlainNet>,
    params: Params,
    images: Arc<Images>,
    before: Spent,
    target_accuracy: f64,
    coefficients: u32,
    points: Vec<Point>,
    validation: Option<Score>,
    open: Option<Evaluation>,
    cpu_seconds: f64,
}

impl Search {
    fn new(bench: &Bench) -> Result<Self> {
        let key = dense::key(0);
        let trained = bench.past.outcome(&key)?;
        let weights = trained.snapshot("weight")?;
        let (params, net) = restored(bench, &weights, &[])?;
        let summary = trained.stage.as_ref().and_then(|stage| stage.summary);
        let targets = layers(&bench.spec, &weights)?;
        Ok(Self {
            construction: Construction::new(targets, bench.config.n as usize, bench.config.seed)?,
            model: plain(net, bench),
            params,
            images: Arc::clone(&bench.images),
            before: bench.spent(&key),
            coefficients: bench.config.n,
            target_accuracy: summary.map_or(0.0, |summary| summary.final_accuracy),
            points: Vec::new(),
            validation: None,
            open: None,
            cpu_seconds: 0.0,
        })
    }

    /// Weights after which the next point is due.
    fn next_point(&self) -> usize {
        self.construction.progress().total * self.points.len() / POINTS
    }

    fn is_done(&self) -> bool {
        self.points.len() > POINTS
    }

    fn search(&mut self, until: Instant) {
        let cpu = pool_cpu_time();
        while Instant::now() < until {
            let left = self.next_point() - self.construction.progress().done;
            if left == 0 {
                break;
            }
            // The last piece may go a few weights too far: subsets are found in whole blocks.
            if self.construction.advance(left.min(PIECE)).done >= self.next_point() {
                break;
            }
        }
        self.cpu_seconds += pool_cpu_time().saturating_sub(cpu).as_secs_f64();
    }

    /// Measures further pictures; adds the point once all are.
    fn evaluate(&mut self, until: Instant) -> Result<()> {
        if self.open.is_none() && self.validation.is_none() {
            let found = snapshot(self.model.spec(), &self.construction);
            self.params.restore(&found)?;
        }
        loop {
            let part = match self.validation {
                None => Part::Validation,
                Some(_) => Part::Test,
            };
            let spec = self.model.spec();
            let mut open = self
                .open
                .take()
                .unwrap_or_else(|| Evaluation::new(part, spec));
            match open.advance(self.model.as_mut(), &self.images)? {
                None => self.open = Some(open),
                Some(score) => match self.validation.take() {
                    None => self.validation = Some(score),
                    Some(validation) => {
                        self.add_point(validation, score);
                        return Ok(());
                    }
                },
            }
            if Instant::now() >= until {
                return Ok(());
            }
        }
    }

    fn add_point(&mut self, validation: Score, test: Score) {
        let spent = self.before
            + Spent {
                flops: self.construction.cost().operations,
                cpu_seconds: self.cpu_seconds,
            };
        self.points.push(Point {
            step: self.construction.progress().done as u64,
            flops: spent.flops,
            cpu_seconds: spent.cpu_seconds,
            train_loss: f64::NAN,
            validation_loss: validation.loss,
            validation_accuracy: validation.accuracy,
            test_accuracy: test.accuracy,
            mask_churn: None,
        });
    }

    fn record(&self) -> SubsetSumRecord {
        let (counts, statistics) = (self.construction.counts(), self.construction.statistics());
        SubsetSumRecord {
            target_accuracy: self.target_accuracy,
            coefficients: self.coefficients,
            random_weights: counts.random,
            kept_weights: counts.kept,
            done: self.construction.progress().done as u64,
            median_error: statistics.median,
            max_error: statistics.largest,
            error_curve: Vec::new(),
        }
    }

    fn summary(&self) -> Result<Summary> {
        let (Some(first), Some(last)) = (early_stop(&self.points), self.points.last()) else {
            return Err(Error::Input("the rebuilt net was never measured".into()));
        };
        let cost = self.construction.cost();
        let done = self.construction.progress().done.max(1) as f64;
        let layers = self.construction.layers().iter();
        Ok(Summary {
            early_stop_step: first.step,
            early_stop_accuracy: first.test_accuracy,
            final_accuracy: last.test_accuracy,
            flops: cost.operations,
            cpu_seconds: self.cpu_seconds,
            ms_per_step: cost.wall_secs * 1e3 / done,
            // One bit for each path: the numbers themselves follow from the seed.
            stored_bytes: layers.map(|layer| layer.mask_bits().len() as u64).sum(),
        })
    }
}

impl Work for Search {
    fn stage(&self) -> Option<Stage> {
        let layers = self.construction.layers();
        let counts = self.construction.counts();
        let units = self.model.spec().layers.iter();
        Some(Stage {
            kind: StageKind::SubsetSum,
            level: 0,
            repetition: 0,
            weights_remaining: counts.kept as f64 / counts.random as f64,
            kept: layers.iter().map(|layer| layer.counts().kept).collect(),
            alive_units: units.map(|layer| layer.outputs as u64).collect(),
            points: self.points.clone(),
            summary: None,
        })
    }

    fn advance(&mut self, time: Duration, extras: &mut Extras) -> Result<News> {
        let until = Instant::now() + time;
        let known = self.points.len();
        while !self.is_done() && Instant::now() < until {
            if self.construction.progress().done >= self.next_point() {
                self.evaluate(until)?;
            } else {
                self.search(until);
            }
        }
        let done = self.construction.progress().done as u64;
        match &mut extras.subset_sum {
            Some(record) if self.points.len() == known => record.done = done,
            record => *record = Some(self.record()),
        }
        Ok(News {
            points: self.points[known..].to_vec(),
            done: self.is_done(),
        })
    }

    fn progress(&self) -> (u64, u64, &'static str) {
        let progress = self.construction.progress();
        (progress.done as u64, progress.total as u64, "weights")
    }

    fn finish(self: Box<Self>) -> Result<Outcome> {
        let summary = self.summary()?;
        let stage = self.stage().map(|stage| Stage {
            summary: Some(summary),
            ..stage
        });
        let spec = self.model.spec();
        let mut outcome = Outcome {
            stage,
            ..Outcome::default()
        };
        outcome.put_snapshot("weight", snapshot(spec, &self.construction), spec);
        for (spec, layer) in spec.layers.iter().zip(self.construction.layers()) {
            let bits = layer.mask_bits();
            let array = Array::u8(&[bits.len()], bits);
            let name = format!("paths/{}", spec.name);
            outcome.arrays.insert(name, array);
        }
        Ok(outcome)
    }
}

/// The trained net's layers as the search takes them.
fn layers(spec: &NetSpec, weights: &Snapshot) -> Result<Vec<Layer>> {
    let layer = |layer: &super::net::LayerSpec| {
        let numbers = |name: String| {
            let missing = || Error::Input(format!("the trained net has no weights {name}"));
            weights.get(&name).cloned().ok_or_else(missing)
        };
        if layer.kind != LayerKind::Linear {
            return Err(Error::Input("only linear layers can be rebuilt".into()));
        }
        let bias = numbers(layer.bias_name())?;
        Layer::new(layer.inputs, numbers(layer.weight_name())?, bias)
    };
    spec.layers.iter().map(layer).collect()
}

/// The net that has been found so far.
fn snapshot(spec: &NetSpec, construction: &Construction) -> Snapshot {
    let found = spec.layers.iter().zip(construction.effective());
    found
        .flat_map(|(spec, layer)| {
            [
                (spec.weight_name(), layer.weight().to_vec()),
                (spec.bias_name(), layer.bias().to_vec()),
            ]
        })
        .collect()
}

/// The error against the number of random weights.
struct Curve {
    curve: ErrorCurve,
    share: f64,
}

impl Curve {
    fn new(config: &LotteryConfig) -> Result<Self> {
        let config = CurveConfig {
            seed: config.seed,
            ..CurveConfig::default()
        };
        Ok(Self {
            curve: ErrorCurve::new(config)?,
            share: 0.0,
        })
    }
}

impl Work for Curve {
    fn stage(&self) -> Option<Stage> {
        None
    }

    fn advance(&mut self, time: Duration, extras: &mut Extras) -> Result<News> {
        let until = Instant::now() + time;
        while self.share < 1.0 && Instant::now() < until {
            self.share = self.curve.advance(20);
        }
        let rows = self.curve.rows().into_iter();
        let record = extras.subset_sum.get_or_insert_default();
        record.error_curve = rows
            .map(|row| {
                let [.., high, most] = row.quantiles;
                (row.n as u32, row.median(), high, most, row.expected[2])
            })
            .collect();
        Ok(News {
            points: Vec::new(),
            done: self.share >= 1.0,
        })
    }

    fn progress(&self) -> (u64, u64, &'static str) {
        ((self.share * 1000.0) as u64, 1000, "draws")
    }

    fn finish(self: Box<Self>) -> Result<Outcome> {
        Ok(Outcome::default())
    }
}
