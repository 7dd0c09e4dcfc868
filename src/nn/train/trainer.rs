//! One optimiser step after another, with what is measured and stored on the way.

use std::time::Instant;

use candle_core::DType;
use candle_core::backprop::GradStore;
use serde::Serialize;
use serde_json::{Value, json};

use super::stopping::Watch;
use super::{Best, Curves, Objective, Stop, TrainConfig, curves};
use crate::error::{Error, Result};
use crate::nn::checkpoint::Checkpoint;
use crate::nn::optim::{Ema, Optimizer};
use crate::nn::params::{Params, Snapshot};
use crate::rng::Rng;

/// What one step did.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Steps done, this one included.
    pub step: u64,
    /// The loss of its batch, before the update.
    pub loss: f64,
    /// The learning rate used.
    pub learning_rate: f64,
    /// The norm of the gradients, where they are clipped by it.
    pub gradient_norm: Option<f64>,
    /// Seconds spent on steps so far, without evaluations and pauses.
    pub seconds: f64,
    /// What was measured after it, if it was its turn.
    pub evaluation: Option<Vec<(String, f64)>>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Steps done.
    pub steps: u64,
    /// Seconds spent on them.
    pub seconds: f64,
    /// Why it ended.
    pub stop: Stop,
    /// The best evaluation, by the metric of early stopping.
    pub best: Option<Best>,
}

/// Trains a model, one step a call.
pub struct Trainer<O> {
    config: TrainConfig,
    params: Params,
    objective: O,
    optimizer: Optimizer,
    ema: Option<Ema>,
    rng: Rng,
    step: u64,
    seconds: f64,
    curves: Curves,
    watch: Watch,
    best_weights: Option<Snapshot>,
    gradients_checked: bool,
    pub(super) failed: bool,
}

impl<O: Objective> Trainer<O> {
    /// A run at its beginning.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(config: TrainConfig, params: Params, objective: O) -> Result<Self> {
        let ema = config
            .ema_decay
            .map(|decay| Ema::new(&params, decay))
            .transpose()?;
        Ok(Self {
            optimizer: Optimizer::new(config.optimizer.clone()),
            rng: config.rng(),
            config,
            params,
            objective,
            ema,
            step: 0,
            seconds: 0.0,
            curves: Curves::new(),
            watch: Watch::default(),
            best_weights: None,
            gradients_checked: false,
            failed: false,
        })
    }

    /// The model's weights.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The model's weights, to mask or replace some between steps.
    pub fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    /// The model.
    pub fn objective_mut(&mut self) -> &mut O {
        &mut self.objective
    }

    /// The model, to look at.
    #[must_use]
    pub fn objective(&self) -> &O {
        &self.objective
    }

    /// The model and its weights together.
    pub fn parts_mut(&mut self) -> (&mut O, &Params) {
        (&mut self.objective, &self.params)
    }

    /// A copy of the weights' moving averages, where they are kept.
    ///
    /// # Errors
    /// When the device fails.
    pub fn averages(&self) -> Result<Option<Snapshot>> {
        self.ema.as_ref().map(Ema::snapshot).transpose()
    }

    /// Steps done.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// What was measured so far.
    #[must_use]
    pub fn curves(&self) -> &Curves {
        &self.curves
    }

    /// How the run ended, once it has.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        let done = (self.step >= self.config.steps).then_some(Stop::Steps);
        self.watch.stop.or(done).map(|stop| Summary {
            steps: self.step,
            seconds: self.seconds,
            stop,
            best: self.watch.best,
        })
    }

    /// The weights, the model and the moving average.
    #[must_use]
    pub fn into_parts(self) -> (Params, O, Option<Ema>) {
        (self.params, self.objective, self.ema)
    }

    /// Does one optimiser step, and the evaluation that is due after it.
    ///
    /// # Errors
    /// When the run has ended, the loss or the gradients are not finite, a weight has no gradient
    /// in the first step, or the objective fails. The run cannot go on after an error, and is not
    /// stored any more.
    pub fn step(&mut self) -> Result<StepReport> {
        if self.failed || self.summary().is_some() {
            return Err(Error::Input("the training run has ended".into()));
        }
        let outcome = self.try_step();
        self.failed = outcome.is_err();
        outcome
    }

    fn try_step(&mut self) -> Result<StepReport> {
        let start = Instant::now();
        let mut rng = self.rng.split(&format!("step {}", self.step));
        let loss = self.objective.loss(self.step, &mut rng)?;
        let value = loss.to_dtype(DType::F64)?.reshape(())?.to_scalar::<f64>()?;
        require_finite("loss", value, self.step + 1)?;
        let gradients = loss.backward()?;
        if !self.gradients_checked {
            require_gradients(&self.params, &gradients)?;
            self.gradients_checked = true;
        }
        let update = self.optimizer.step(&self.params, &gradients)?;
        if let Some(ema) = &mut self.ema {
            ema.update(&self.params)?;
        }
        self.objective.after_step(&self.params)?;
        self.step += 1;
        self.seconds += start.elapsed().as_secs_f64();
        let curve = self.curves.entry("loss".into()).or_default();
        curve.push(self.step, self.seconds, value);
        let evaluation = if self.evaluation_is_due() {
            Some(self.evaluate()?)
        } else {
            None
        };
        self.keep_best_at_the_end()?;
        Ok(StepReport {
            step: self.step,
            loss: value,
            learning_rate: update.learning_rate,
            gradient_norm: update.gradient_norm,
            seconds: self.seconds,
            evaluation,
        })
    }

    fn evaluation_is_due(&self) -> bool {
        let every = self.config.evaluate_every;
        every > 0 && (self.step.is_multiple_of(every) || self.step == self.config.steps)
    }

    /// Measures the model now, with the averaged weights where there are such, and adds to the
    /// curves. Steps do this by themselves when it is due.
    ///
    /// # Errors
    /// When the objective fails, or does not measure what early stopping watches.
    pub fn evaluate(&mut self) -> Result<Vec<(String, f64)>> {
        self.swap_averages()?;
        let outcome = self.measure();
        self.swap_averages()?;
        outcome
    }

    fn measure(&mut self) -> Result<Vec<(String, f64)>> {
        let metrics = self.objective.evaluate()?;
        for (name, value) in &metrics {
            let curve = self.curves.entry(name.clone()).or_default();
            curve.push(self.step, self.seconds, *value);
        }
        if let Some(rule) = &self.config.early_stop
            && self.watch.see(rule, self.step, &metrics)?
            && rule.keep_best
        {
            self.best_weights = Some(self.params.snapshot()?);
        }
        Ok(metrics)
    }

    fn swap_averages(&mut self) -> Result<()> {
        match &mut self.ema {
            Some(ema) => ema.swap(&self.params),
            None => Ok(()),
        }
    }

    fn keep_best_at_the_end(&mut self) -> Result<()> {
        match &self.best_weights {
            Some(best) if self.summary().is_some() => self.params.restore(best),
            _ => Ok(()),
        }
    }

    /// The run as it is now.
    ///
    /// # Errors
    /// When the run has failed or a weight is not finite: what is stored can be gone on from.
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        if self.failed {
            return Err(Error::Input("a failed run is not stored".into()));
        }
        for (name, values) in self.params.snapshot()? {
            if let Some(&bad) = values.iter().find(|value| !value.is_finite()) {
                require_finite(&format!("the weight {name}"), f64::from(bad), self.step)?;
            }
        }
        let meta = json!({
            "config": to_value(&self.config)?,
            "seconds": self.seconds,
            "watch": to_value(&self.watch)?,
            "objective": self.objective.state()?,
        });
        let mut checkpoint = Checkpoint::new(self.step, &self.rng, meta);
        checkpoint.put_params(&self.params)?;
        checkpoint.put_optimizer(&self.optimizer)?;
        if let Some(ema) = &self.ema {
            checkpoint.put_snapshot("ema", &ema.snapshot()?, &self.params)?;
        }
        if let Some(best) = &self.best_weights {
            checkpoint.put_snapshot("best", best, &self.params)?;
        }
        for (name, array) in curves::to_arrays(&self.curves) {
            checkpoint.put_array("curve", &name, array);
        }
        Ok(checkpoint)
    }

    /// Goes on from a checkpoint of the same model and optimiser.
    ///
    /// # Errors
    /// When it is of another one.
    pub fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let part = |name: &str| checkpoint.meta.get(name).cloned().unwrap_or(Value::Null);
        let foreign = |error| Error::Input(format!("this is not a training run's state: {error}"));
        let watch: Watch = serde_json::from_value(part("watch")).map_err(foreign)?;
        let seconds: f64 = serde_json::from_value(part("seconds")).map_err(foreign)?;
        checkpoint.restore_params(&mut self.params)?;
        checkpoint.restore_optimizer(&mut self.optimizer, &self.params)?;
        if let Some(ema) = &mut self.ema {
            let averages = checkpoint.section("ema").into_iter();
            let averages = averages.filter_map(|(name, array)| Some((name, array.into_f32()?)));
            ema.restore(&averages.collect())?;
        }
        self.best_weights = if checkpoint.section("best").is_empty() {
            None
        } else {
            Some(checkpoint.snapshot("best", &self.params)?)
        };
        self.objective.restore(&part("objective"))?;
        self.curves = curves::from_arrays(checkpoint.section("curve"));
        self.rng = checkpoint.rng.clone();
        self.step = checkpoint.step;
        self.seconds = seconds;
        self.watch = watch;
        Ok(())
    }
}

fn require_finite(what: &str, value: f64, step: u64) -> Result<()> {
    let became = if value.is_nan() { "NaN" } else { "infinite" };
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::Input(format!(
        "{what} became {became} at step {step}: try a smaller learning rate, or clip the gradients"
    )))
}

/// Refuses a model of which some weights would never change.
fn require_gradients(params: &Params, gradients: &GradStore) -> Result<()> {
    let without: Vec<&str> = params
        .trained()
        .filter(|(_, param)| gradients.get(param.var()).is_none())
        .map(|(name, _)| name)
        .collect();
    if without.is_empty() {
        return Ok(());
    }
    Err(Error::Input(format!(
        "the loss gives no gradient to: {}",
        without.join(", ")
    )))
}

fn to_value(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|error| Error::Input(format!("cannot write down the run's state: {error}")))
}
