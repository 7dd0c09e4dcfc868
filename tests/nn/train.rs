//! The training loop: resuming, threads, guards, early stopping, and the loop as a job.

use std::time::Duration;

use candle_core::{Device, Tensor};
use serde_json::Value;
use vitrine::Result;
use vitrine::compute::{Ending, Event, Flow, Job, Lane, StepCx, Worker, WorkerOptions, run_to_end};
use vitrine::nn::checkpoint::Checkpoints;
use vitrine::nn::optim::OptimizerConfig;
use vitrine::nn::train::{
    EarlyStop, Goal, Objective, Stop, TrainConfig, TrainJob, TrainOutput, Trained, Trainer,
};
use vitrine::nn::{Init, Param, Params, Snapshot};
use vitrine::rng::Rng;

use crate::teacher::{Teacher, build, config, trainer};

/// The bits of all weights, which `==` would compare as numbers.
fn bits(snapshot: &Snapshot) -> Vec<(&String, Vec<u32>)> {
    let numbers = |values: &Vec<f32>| values.iter().map(|x| x.to_bits()).collect();
    snapshot
        .iter()
        .map(|(name, v)| (name, numbers(v)))
        .collect()
}

fn run(trainer: &mut Trainer<Teacher>, steps: usize) {
    for _ in 0..steps {
        trainer.step().expect("a step");
    }
}

#[test]
fn a_resumed_run_ends_with_the_same_bits() {
    let mut whole = trainer(40);
    run(&mut whole, 40);

    let folder = tempfile::tempdir().expect("a folder");
    let checkpoints = Checkpoints::new(folder.path());
    let mut first = trainer(40);
    run(&mut first, 17);
    checkpoints
        .save(&first.checkpoint().expect("a checkpoint"))
        .expect("stored");
    drop(first);

    let (checkpoint, notice) = checkpoints.load_latest().expect("loaded");
    assert_eq!(notice, None);
    let mut second = trainer(40);
    second
        .resume(&checkpoint.expect("stored before"))
        .expect("resumed");
    assert_eq!(second.steps(), 17);
    run(&mut second, 23);

    let ends = [&whole, &second].map(|t| t.params().snapshot().expect("weights"));
    assert_eq!(bits(&ends[0]), bits(&ends[1]));
    let curve = |t: &Trainer<Teacher>, name: &str| t.curves()[name].clone();
    for name in ["loss", "error"] {
        assert_eq!(curve(&whole, name).values, curve(&second, name).values);
        assert_eq!(curve(&whole, name).steps, curve(&second, name).steps);
    }
    assert_eq!(curve(&whole, "loss").values.len(), 40);
    assert_eq!(curve(&whole, "error").steps, [10.0, 20.0, 30.0, 40.0]);
    // Weights, moments, averages, curves and everything else but the clock.
    let states = [whole, second].map(|trainer| {
        let mut checkpoint = trainer.checkpoint().expect("a checkpoint");
        checkpoint.meta["seconds"] = Value::Null;
        for (name, array) in checkpoint.section("curve") {
            if name.ends_with("seconds") {
                checkpoint.put_array("curve", &name, vitrine::nn::arrays::Array::u8(&[0], vec![]));
            }
            drop(array);
        }
        checkpoint
    });
    assert!(states[0] == states[1], "the checkpoints differ");
    assert!(!states[0].section("ema").is_empty());
    assert!(!states[0].section("mask").is_empty());
}

#[test]
fn threads_do_not_change_a_bit() {
    let ends = [1, 5].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(|| {
            let mut trainer = trainer(12);
            run(&mut trainer, 12);
            trainer.params().snapshot().expect("weights")
        })
    });
    assert_eq!(bits(&ends[0]), bits(&ends[1]));
}

#[test]
fn it_learns() {
    let mut trainer = trainer(300);
    run(&mut trainer, 300);
    let errors = &trainer.curves()["error"].values;
    let (first, last) = (errors[0], errors[errors.len() - 1]);
    assert!(last < 0.5 * first, "{first} to {last}");
}

/// A single weight; its loss is 1/2 w^2 until a step at which it is something else.
struct Fragile {
    weight: Tensor,
    /// The step, counted from 0, and what the loss is multiplied by there.
    poison: (u64, f64),
    pause: Duration,
}

impl Objective for Fragile {
    fn loss(&mut self, step: u64, _rng: &mut Rng) -> Result<Tensor> {
        std::thread::sleep(self.pause);
        let factor = if step == self.poison.0 {
            self.poison.1
        } else {
            0.5
        };
        Ok((self.weight.sqr()?.sum_all()? * factor)?)
    }
}

fn fragile(poison: (u64, f64), pause: Duration) -> TrainJob<Fragile> {
    let mut config = TrainConfig::new(100, OptimizerConfig::sgd(0.1, 0.0));
    config.checkpoint_secs = 0.0;
    TrainJob::new(config, move |device, rng| {
        let mut params = Params::new(device, rng);
        let weight = params.root().param("w", &[3], Init::ONES)?;
        let model = Fragile {
            weight,
            poison,
            pause,
        };
        Ok((params, model))
    })
}

#[test]
fn a_loss_that_is_not_a_number_ends_the_run_and_the_last_good_state_is_kept() {
    for (factor, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "infinite")] {
        let folder = tempfile::tempdir().expect("a folder");
        let job = fragile((19, factor), Duration::from_millis(5)).with_checkpoints(folder.path());
        let mut losses = Vec::new();
        let ended = run_to_end(WorkerOptions::default(), job, |event, _| {
            if let Some(Event::Output(TrainOutput::Steps(steps))) = event {
                losses.extend(steps.into_iter().map(|report| report.loss));
            }
            true
        });
        let message = ended.expect_err("it fails").to_string();
        let expected = format!("loss became {word} at step 20: ");
        assert!(message.starts_with(&expected), "{message}");
        assert_eq!(losses.len(), 19, "all steps before it were shown");
        let (kept, notice) = Checkpoints::new(folder.path())
            .load_latest()
            .expect("loaded");
        assert_eq!(notice, None);
        let kept = kept.expect("a checkpoint before it");
        assert!((1..20).contains(&kept.step), "{}", kept.step);
        let mut params = Params::new(&Device::Cpu, &Rng::new(0));
        params
            .root()
            .param("w", &[3], Init::ZEROS)
            .expect("a new name");
        kept.restore_params(&mut params).expect("the same model");
        let expected = 0.9_f64.powi(i32::try_from(kept.step).expect("small"));
        for value in params.get("w").and_then(Param::values).expect("numbers") {
            assert!((f64::from(value) - expected).abs() < 1e-6);
        }
    }
}

/// Finite, with a gradient that is not: the root's slope at zero.
struct Root(Tensor);
impl Objective for Root {
    fn loss(&mut self, _: u64, _: &mut Rng) -> Result<Tensor> {
        Ok((self.0.sqrt()? * &self.0)?.sum_all()?)
    }
}

#[test]
fn weights_that_are_not_numbers_are_not_stored() {
    let job_config = TrainConfig::new(9, OptimizerConfig::sgd(0.1, 0.0));
    let mut params = Params::new(&Device::Cpu, &Rng::new(0));
    let weight = params
        .root()
        .param("w", &[1], Init::ZEROS)
        .expect("a new name");
    let mut trainer = Trainer::new(job_config, params, Root(weight)).expect("a trainer");
    let first = trainer.step().expect("its loss is zero");
    assert!(first.loss.abs() < 1e-9);
    let message = trainer.checkpoint().expect_err("refused").to_string();
    assert!(
        message.starts_with("the weight w became NaN at step 1"),
        "{message}"
    );
    let message = trainer.step().expect_err("the loss shows it").to_string();
    assert!(
        message.starts_with("loss became NaN at step 2"),
        "{message}"
    );
    assert!(trainer.step().is_err(), "it does not go on");
}

/// Loses the gradient of the second weight.
struct Detached(Tensor, Tensor);
impl Objective for Detached {
    fn loss(&mut self, _: u64, _: &mut Rng) -> Result<Tensor> {
        Ok((self.0.sqr()?.sum_all()? + self.1.detach().sum_all()?)?)
    }
}

#[test]
fn a_weight_that_no_gradient_reaches_is_named() {
    let mut params = Params::new(&Device::Cpu, &Rng::new(0));
    let mut root = params.root();
    let used = root.param("b", &[2], Init::ONES).expect("a new name");
    let lost = root.param("a", &[2], Init::ONES).expect("a new name");
    root.param("c", &[2], Init::ONES).expect("a new name");
    root.buffer("d", &[2], Init::ONES).expect("a new name");
    let config = TrainConfig::new(9, OptimizerConfig::adam(0.1));
    let mut trainer = Trainer::new(config, params, Detached(used, lost)).expect("a trainer");
    let message = trainer.step().expect_err("two are lost").to_string();
    assert_eq!(message, "the loss gives no gradient to: a, c");
    let untouched = trainer.params().snapshot().expect("weights");
    assert!(untouched.values().all(|values| values == &[1.0, 1.0]));
}

/// Its metric is read from a list; its weight counts the steps.
struct Scripted {
    weight: Tensor,
    scores: Vec<f64>,
    evaluations: usize,
}

impl Objective for Scripted {
    fn loss(&mut self, _: u64, _: &mut Rng) -> Result<Tensor> {
        Ok(self.weight.neg()?.sum_all()?)
    }

    fn evaluate(&mut self) -> Result<Vec<(String, f64)>> {
        self.evaluations += 1;
        Ok(vec![("score".into(), self.scores[self.evaluations - 1])])
    }
}

#[test]
fn early_stopping_ends_with_the_best_weights() {
    let mut params = Params::new(&Device::Cpu, &Rng::new(0));
    let weight = params
        .root()
        .param("w", &[1], Init::ZEROS)
        .expect("a new name");
    let mut config = TrainConfig::new(100, OptimizerConfig::sgd(1.0, 0.0));
    config.evaluate_every = 2;
    config.early_stop = Some(EarlyStop {
        metric: "score".into(),
        goal: Goal::Highest,
        patience: Some(3),
        min_delta: 0.0,
        target: None,
        keep_best: true,
    });
    let model = Scripted {
        weight,
        scores: vec![0.1, 0.5, 0.3, 0.5, 0.4, 0.9],
        evaluations: 0,
    };
    let mut trainer = Trainer::new(config, params, model).expect("a trainer");
    let summary = loop {
        trainer.step().expect("a step");
        if let Some(summary) = trainer.summary() {
            break summary;
        }
    };
    assert_eq!((summary.steps, summary.stop), (10, Stop::Patience));
    let best = summary.best.expect("a best one");
    assert_eq!((best.step, best.value.to_bits()), (4, 0.5_f64.to_bits()));
    // After s steps the weight is s.
    let end = trainer.params().snapshot().expect("weights");
    assert_eq!(end["w"], [4.0]);
    assert_eq!(trainer.curves()["score"].values, [0.1, 0.5, 0.3, 0.5, 0.4]);
    assert!(trainer.step().is_err(), "it has ended");
}

/// Takes what a finished run left on the worker.
struct Collect;

impl Job for Collect {
    type Output = Snapshot;

    fn step(&mut self, cx: &mut StepCx<'_, Snapshot>) -> Result<Flow> {
        let trained = cx.resources().take::<Trained<Teacher>>().expect("trained");
        cx.emit(trained.params.snapshot()?);
        Ok(Flow::Finished)
    }
}

#[test]
fn a_cancelled_job_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let job = || TrainJob::new(config(400), build).with_checkpoints(folder.path());
    let mut seen = 0;
    let ended = run_to_end(WorkerOptions::default(), job(), |event, _| {
        if let Some(Event::Output(TrainOutput::Steps(steps))) = event {
            seen += steps.len() as u64;
        }
        seen < 50
    });
    assert!(ended.is_err(), "cancelled");
    let (kept, _) = Checkpoints::new(folder.path())
        .load_latest()
        .expect("loaded");
    let kept = kept.expect("stored when cancelled").step;
    assert!((50..400).contains(&kept), "{kept}");

    let worker = Worker::spawn(WorkerOptions::default(), std::sync::Arc::new(|| {}));
    let worker = worker.expect("a worker");
    let mut run_again = worker.submit(Lane::Long, "train", job());
    let mut outputs = Vec::new();
    loop {
        match run_again.poll() {
            Some(Event::Output(output)) => outputs.push(output),
            Some(Event::Ended(Ending::Finished)) => break,
            Some(other) => panic!("{other:?}"),
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    let Some(TrainOutput::Resumed { step, curves }) = outputs.first() else {
        panic!("it began anew");
    };
    assert_eq!((*step, curves["loss"].values.len() as u64), (kept, kept));
    let Some(TrainOutput::Finished(summary)) = outputs.last() else {
        panic!("it did not say how it ended");
    };
    assert_eq!((summary.steps, summary.stop), (400, Stop::Steps));
    let reported: Vec<u64> = outputs
        .iter()
        .flat_map(|output| match output {
            TrainOutput::Steps(steps) => steps.iter().map(|report| report.step).collect(),
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(reported, (kept + 1..=400).collect::<Vec<_>>());

    let mut collected = worker.submit(Lane::Long, "collect", Collect);
    let end = loop {
        match collected.poll() {
            Some(Event::Output(end)) => break end,
            Some(other) => panic!("{other:?}"),
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let (params, model) =
        build(&Device::Cpu, &Rng::new(7).split("initial weights")).expect("a model");
    let mut whole = Trainer::new(config(400), params, model).expect("a trainer");
    run(&mut whole, 400);
    assert_eq!(
        bits(&end),
        bits(&whole.params().snapshot().expect("weights"))
    );

    let mut other = config(400);
    other.optimizer.learning_rate *= 2.0;
    let other = TrainJob::new(other, build).with_checkpoints(folder.path());
    let refused = run_to_end(WorkerOptions::default(), other, |_, _| true);
    let message = refused.expect_err("not the same run").to_string();
    assert!(
        message.starts_with("a run with other settings"),
        "{message}"
    );

    // A finished run is not run again.
    let mut again = Vec::new();
    run_to_end(WorkerOptions::default(), job(), |event, _| {
        again.extend(event);
        true
    })
    .expect("it ends");
    assert!(
        again
            .iter()
            .all(|event| !matches!(event, Event::Output(TrainOutput::Steps(_))))
    );
}
