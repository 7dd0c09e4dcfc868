//! Lottery runs on a few digits: counts, controls, accounts, and that a stopped run ends as one
//! that was never stopped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use candle_core::Device;
use tempfile::TempDir;
use vitrine::compute::{Event, WorkerOptions, run_to_end};
use vitrine::data::{Dataset, DatasetSource};
use vitrine::demos::lottery::config::{LotteryConfig, Method, NetKind};
use vitrine::demos::lottery::engine::early_stop;
use vitrine::demos::lottery::images::Images;
use vitrine::demos::lottery::imp::Imp;
use vitrine::demos::lottery::job::{LotteryJob, RunOptions};
use vitrine::demos::lottery::ledger::headline;
use vitrine::demos::lottery::net::NetSpec;
use vitrine::demos::lottery::prune::ladder;
use vitrine::demos::lottery::record::{Output, Point, RunRecord, StageKind};
use vitrine::demos::lottery::store::{Store, canonical};
use vitrine::demos::lottery::work::{Bench, Outcome, Plan, Procedure};
use vitrine::error::Error;
use vitrine::nn::arrays::Arrays;
use vitrine::rng::Rng;
use vitrine::store::{Paths, assets_dir};

/// A folder with 1,200 digits to learn from, of which 120 are held out, and 300 to test on, as
/// anyone's folder of idx files.
fn digits() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let sets = DatasetSource::Mnist.load(None, &assets_dir(), &Paths::under(folder.path()));
        let sets = sets.expect("MNIST is shipped");
        write_idx(folder.path(), "train", &sets.train, 1200);
        write_idx(folder.path(), "t10k", &sets.test, 300);
        folder
    });
    folder.path()
}

fn write_idx(folder: &Path, part: &str, set: &Dataset, count: usize) {
    let (mut images, mut labels) = (vec![0, 0, 8, 3], vec![0, 0, 8, 1]);
    for side in [count, 28, 28] {
        images.extend((side as u32).to_be_bytes());
    }
    labels.extend((count as u32).to_be_bytes());
    images.extend(&set.images()[..count * 784]);
    labels.extend(&set.labels()[..count]);
    for (name, bytes) in [("images-idx3", images), ("labels-idx1", labels)] {
        let path = folder.join(format!("{part}-{name}-ubyte"));
        vitrine::store::atomic_write(&path, &bytes).expect("a folder of ours");
    }
}

/// A small net on a few digits, for a second or so.
fn small(method: Method) -> LotteryConfig {
    LotteryConfig {
        method,
        width: 0.2,
        folder: Some(digits().to_path_buf()),
        steps: 40,
        batch: 50,
        eval_every: 10,
        levels: 3,
        n: 12,
        seed: 5,
        ..LotteryConfig::default()
    }
}

/// Runs until the end, or until so many events were heard.
fn run_for(
    config: &LotteryConfig,
    root: &Path,
    events: usize,
    threads: usize,
) -> Result<RunRecord, Error> {
    let options = RunOptions {
        root: root.to_path_buf(),
        paths: Paths::under(root),
        fresh: false,
        shots: false,
    };
    let worker = WorkerOptions {
        threads: Some(threads),
        ..WorkerOptions::default()
    };
    let job = LotteryJob::new(config.clone(), options)?;
    let (mut record, mut heard) = (None::<RunRecord>, 0);
    run_to_end(worker, job, |event, _| {
        if let Some(Event::Output(output)) = event {
            heard += 1;
            match (&mut record, output) {
                (None, Output::Began(began)) => record = Some(*began),
                (Some(record), output) => record.hear(&output),
                (None, _) => panic!("the first output tells what there is"),
            }
        }
        heard < events
    })?;
    Ok(record.expect("a run tells of itself"))
}

fn run(config: &LotteryConfig, root: &Path) -> RunRecord {
    let record = run_for(config, root, usize::MAX, 2).expect("a run of possible settings");
    assert!(record.finished);
    record
}

fn spec(config: &LotteryConfig) -> NetSpec {
    let shape = vitrine::data::Shape {
        channels: 1,
        height: 28,
        width: 28,
    };
    NetSpec::new(config.net, config.width, shape, 10).expect("a net of the papers")
}

/// The record without what a clock says.
fn timeless(record: &RunRecord) -> RunRecord {
    let mut record = record.clone();
    for stage in &mut record.stages {
        for point in &mut stage.points {
            point.cpu_seconds = 0.0;
            // NaN is not equal to itself.
            if point.train_loss.is_nan() {
                point.train_loss = -1.0;
            }
        }
        if let Some(summary) = &mut stage.summary {
            summary.cpu_seconds = 0.0;
            summary.ms_per_step = 0.0;
        }
    }
    record
}

/// Whether two runs found the same, to the last bit.
fn assert_same(found: &RunRecord, expected: &RunRecord) {
    let (found, expected) = (timeless(found), timeless(expected));
    assert_eq!(found.stages.len(), expected.stages.len());
    for (found, expected) in found.stages.iter().zip(&expected.stages) {
        assert_eq!(found, expected);
    }
    assert!(found.extras == expected.extras, "the extras differ");
    assert_eq!(found.finished, expected.finished);
}

fn keys(config: &LotteryConfig) -> Vec<String> {
    let plans = Imp::new(config).expect("possible settings").plans();
    plans.into_iter().map(|plan| plan.key).collect()
}

/// What every stage left behind.
fn outcomes(config: &LotteryConfig, root: &Path) -> BTreeMap<String, Outcome> {
    let store = Store::open(root, config).expect("a run of ours");
    keys(config)
        .into_iter()
        .map(|key| {
            let (found, warning) = store.load(&key).expect("a folder of ours");
            assert_eq!(warning, None);
            (key, found.expect("a finished stage").outcome)
        })
        .collect()
}

fn arrays(config: &LotteryConfig, root: &Path) -> BTreeMap<String, Arrays> {
    let outcomes = outcomes(config, root).into_iter();
    outcomes
        .map(|(key, outcome)| (key, outcome.arrays))
        .collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

// --- Pruning ----------------------------------------------------------------------------------

#[test]
fn rounds_lead_down_the_papers_ladder() {
    let lenet = spec(&LotteryConfig::default());
    let steps = ladder(&lenet, 18);
    // Worked out by hand: a fifth of the hidden layers' weights and a tenth of the last one's.
    assert_eq!(steps[0], [235_200, 30_000, 1000]);
    assert_eq!(steps[1], [188_160, 24_000, 900]);
    assert_eq!(steps[2], [150_528, 19_200, 810]);
    assert_eq!(steps[3], [120_422, 15_360, 729]);
    let percent = |round: usize| steps[round].iter().sum::<u64>() as f64 / 2662.0;
    for (round, printed) in [(3, 51.3), (7, 21.1), (12, 7.0), (15, 3.6), (18, 1.9)] {
        let found = (percent(round) * 10.0).round() / 10.0;
        assert!((found - printed).abs() < 1e-9, "round {round}: {found}");
    }
}

#[test]
fn masks_only_shrink_and_controls_have_the_tickets_counts() {
    let config = LotteryConfig {
        width: 1.0,
        steps: 12,
        controls: true,
        ..small(Method::Imp)
    };
    let root = folder();
    let record = run(&config, root.path());
    let outcomes = outcomes(&config, root.path());
    let spec = spec(&config);
    let masks = |key: &str| outcomes[key].masks(&spec).expect("masks");
    let mut before = masks("r0-dense");
    assert!(before.iter().flatten().all(|&keep| keep == 1));
    let expected = ladder(&spec, 3);
    for (level, expected) in expected.iter().enumerate().skip(1) {
        let ticket = masks(&format!("r0-level{level}-ticket"));
        for (new, old) in ticket.iter().flatten().zip(before.iter().flatten()) {
            assert!(new <= old, "a pruned weight came back");
        }
        assert_eq!(ticket, masks(&format!("r0-level{level}-reinitialised")));
        let random = masks(&format!("r0-level{level}-random-mask"));
        assert_ne!(ticket, random);
        let stages = record.stages.iter().filter(|s| s.level == level as u32);
        let stages: Vec<_> = stages.collect();
        assert_eq!(stages.len(), 3);
        for stage in stages {
            assert_eq!(&stage.kept, expected, "{:?}", stage.kind);
        }
        for (random, ticket) in random.iter().zip(&ticket) {
            let count = |mask: &[u8]| mask.iter().map(|&keep| u32::from(keep)).sum::<u32>();
            assert_eq!(count(random), count(ticket));
        }
        before = ticket;
    }
    // What is pruned is 0 after training, too.
    let last = &outcomes["r0-level3-ticket"];
    let weights = last.snapshot("weight").expect("weights");
    for (layer, mask) in spec.layers.iter().zip(&before) {
        let weights = &weights[&layer.weight_name()];
        let pruned = weights.iter().zip(mask).filter(|(_, mask)| **mask == 0);
        assert!(pruned.clone().count() > 0);
        assert!(
            pruned.clone().all(|(w, _)| w.to_bits() == 0),
            "{}",
            layer.name
        );
    }
    let survivors = &record.extras.survivors;
    assert_eq!(survivors.len(), 4 * 3, "every level's, layer by layer");
    for found in survivors {
        let count: u32 = found.bins.iter().sum();
        let kept = &expected[found.level as usize];
        assert_eq!(u64::from(count), kept[found.layer]);
    }
}

#[test]
fn one_shot_goes_where_the_rounds_would_have_led() {
    let config = LotteryConfig {
        one_shot: true,
        steps: 10,
        ..small(Method::Imp)
    };
    let record = run(&config, folder().path());
    assert_eq!(record.stages.len(), 2);
    assert_eq!(record.stages[1].kept, ladder(&spec(&config), 3)[3]);
    assert_eq!(record.stages[1].level, 3);
}

/// What a stage begins with, by beginning it again.
fn first_weights(config: &LotteryConfig, root: &Path, key: &str) -> Vec<Vec<f32>> {
    let store = Arc::new(Store::open(root, config).expect("a run of ours"));
    let paths = Paths::under(root);
    let images = Images::load(config.data, config.folder.as_deref(), &paths, &Device::Cpu);
    let bench = Bench {
        config: config.clone(),
        spec: spec(config),
        images: Arc::new(images.expect("digits")),
        device: Device::Cpu,
        past: Box::new(store),
        spent: BTreeMap::new(),
    };
    let imp = Imp::new(config).expect("possible settings");
    let plan = imp.plans().into_iter().find(|plan| plan.key == key);
    let plan: Plan = plan.expect("a stage of the run");
    let work = imp.begin(&plan, &bench).expect("its beginning");
    let shot = work.shot(0).expect("a picture").expect("of a net");
    shot.layers.into_iter().map(|layer| layer.weights).collect()
}

#[test]
fn survivors_go_back_to_their_first_weights_or_those_of_a_step_bit_for_bit() {
    for rewind in [0, 7] {
        let config = LotteryConfig {
            rewind,
            levels: 2,
            ..small(Method::Imp)
        };
        let root = folder();
        let record = run(&config, root.path());
        assert_eq!(
            record.stages[2].points.last().map(|p| p.step),
            Some(40 - rewind)
        );

        // The weights at that step, from a dense run that ends there.
        let expected = if rewind == 0 {
            outcomes(&config, root.path())["r0-dense"].snapshot("step-0")
        } else {
            let short = LotteryConfig {
                steps: rewind,
                ..small(Method::Dense)
            };
            let root = folder();
            run(&short, root.path());
            let store = Store::open(root.path(), &short).expect("a run of ours");
            let (found, _) = store.load("r0-dense").expect("a folder of ours");
            found.expect("finished").outcome.snapshot("weight")
        };
        let expected = expected.expect("weights");
        let spec = spec(&config);
        let masks = outcomes(&config, root.path())["r0-level2-ticket"].masks(&spec);
        let found = first_weights(&config, root.path(), "r0-level2-ticket");
        for ((layer, found), mask) in spec.layers.iter().zip(found).zip(masks.expect("masks")) {
            let expected = &expected[&layer.weight_name()];
            assert!(expected.iter().any(|w| *w != 0.0));
            for ((found, expected), keep) in found.iter().zip(expected).zip(&mask) {
                let expected = if *keep == 1 { expected.to_bits() } else { 0 };
                assert_eq!(found.to_bits(), expected, "{}, step {rewind}", layer.name);
            }
        }
    }
}

// --- Accounts ---------------------------------------------------------------------------------

#[test]
fn operations_are_those_counted_by_hand() {
    let lenet = spec(&LotteryConfig::default());
    let kept = lenet.all_kept();
    // 784 * 300 + 300 * 100 + 100 * 10 = 266,200 multiply-adds; the first layer needs no gradient
    // of its input.
    assert!((lenet.forward_flops(&kept) - 532_400.0).abs() < 1e-9);
    assert!((lenet.training_flops(&kept) - (3.0 * 532_400.0 - 470_400.0)).abs() < 1e-9);

    let config = LotteryConfig {
        width: 1.0,
        steps: 30,
        levels: 1,
        ..small(Method::Imp)
    };
    let record = run(&config, folder().path());
    // 1,080 images are 21 batches of 50 and one of 30; the next epoch begins with step 22.
    let images = 1080.0 + 8.0 * 50.0;
    let dense = images * 1_126_800.0;
    let ticket = images * (6.0 * 213_060.0 - 2.0 * 188_160.0);
    let [first, second] = &record.stages[..] else {
        panic!("a dense stage and a ticket");
    };
    let flops = |stage: &vitrine::demos::lottery::record::Stage| {
        let last = stage.points.last().expect("points");
        (last.flops, stage.summary.expect("done").flops)
    };
    let close = |a: f64, b: f64| (a - b).abs() < 1.0;
    assert!(close(flops(first).0, dense) && close(flops(first).1, dense));
    assert!(close(flops(second).1, ticket));
    assert!(
        close(flops(second).0, dense + ticket),
        "charged for what led to it"
    );
    assert!(close(second.points[0].flops, dense));
    let headline = headline(&record).expect("measured");
    assert!(close(headline.flops, dense + ticket));
    let spent = |point: &Point| point.cpu_seconds;
    for stage in &record.stages {
        let steps: Vec<u64> = stage.points.iter().map(|point| point.step).collect();
        assert_eq!(steps, [0, 10, 20, 30]);
        let seconds: Vec<f64> = stage.points.iter().map(spent).collect();
        assert!(seconds.windows(2).all(|s| s[0] < s[1]), "{seconds:?}");
    }
}

#[test]
fn the_early_stop_is_the_first_of_the_least_validation_losses() {
    let losses = [0.9, 0.4, 0.2, f64::NAN, 0.2, 0.3];
    let points: Vec<Point> = losses
        .iter()
        .enumerate()
        .map(|(i, &validation_loss)| Point {
            step: i as u64 * 100,
            flops: 0.0,
            cpu_seconds: 0.0,
            train_loss: 0.0,
            validation_loss,
            validation_accuracy: 0.0,
            test_accuracy: i as f64,
            mask_churn: None,
        })
        .collect();
    assert_eq!(early_stop(&points).map(|point| point.step), Some(200));
    assert_eq!(early_stop(&[]), None);

    let record = run(&small(Method::Dense), folder().path());
    let stage = &record.stages[0];
    let least = stage.points.iter().map(|p| p.validation_loss);
    let least = least.fold(f64::INFINITY, f64::min);
    let summary = stage.summary.expect("done");
    let at = stage
        .points
        .iter()
        .find(|p| p.step == summary.early_stop_step);
    let at = at.expect("a point of the curve");
    assert!(at.validation_loss <= least);
    assert!((at.test_accuracy - summary.early_stop_accuracy).abs() < 1e-12);
}

#[test]
fn a_target_ends_the_training_at_the_first_point_that_reaches_it() {
    let config = LotteryConfig {
        steps: 400,
        target: Some(0.6),
        ..small(Method::Dense)
    };
    let record = run(&config, folder().path());
    let points = &record.stages[0].points;
    let (last, before) = points.split_last().expect("points");
    assert!(last.test_accuracy >= 0.6 && last.step < 400, "{last:?}");
    assert!(before.iter().all(|point| point.test_accuracy < 0.6));
    assert_eq!(last.step % 10, 0);
}

#[test]
fn a_line_between_siblings_ends_at_their_own_errors() {
    let config = LotteryConfig {
        siblings: true,
        steps: 30,
        levels: 1,
        rewind: 5,
        ..small(Method::Imp)
    };
    let record = run(&config, folder().path());
    let lines = &record.extras.interpolations;
    let steps: Vec<(bool, u64)> = lines
        .iter()
        .map(|line| (line.weights_remaining < 1.0, line.rewind))
        .collect();
    assert_eq!(steps, [(false, 0), (true, 0), (true, 1), (true, 5)]);
    let error = |kind: StageKind, which: usize| {
        let mut stages = record.stages.iter().filter(|stage| stage.kind == kind);
        1.0 - stages
            .nth(which)
            .and_then(|s| s.summary)
            .expect("done")
            .final_accuracy
    };
    // Siblings in their order: of the dense net, two at step 0, two at step 1, the one at step 5.
    let ends = [
        (error(StageKind::Dense, 0), error(StageKind::Sibling, 0)),
        (error(StageKind::Sibling, 2), error(StageKind::Sibling, 1)),
        (error(StageKind::Sibling, 4), error(StageKind::Sibling, 3)),
        (error(StageKind::Ticket, 0), error(StageKind::Sibling, 5)),
    ];
    for (line, (first, last)) in lines.iter().zip(ends) {
        assert_eq!(line.error.len(), 21);
        let (a, b) = (line.error[0], line.error[20]);
        assert!(a.0.abs() < 1e-12 && (b.0 - 1.0).abs() < 1e-12);
        assert!((a.1 - first).abs() < 1e-12, "{a:?} and {first}");
        assert!((b.1 - last).abs() < 1e-12, "{b:?} and {last}");
    }
}

#[test]
fn a_rebuilt_net_answers_as_the_trained_one_that_another_run_left() {
    let root = folder();
    let dense = LotteryConfig {
        steps: 60,
        ..small(Method::Dense)
    };
    let trained = run(&dense, root.path());
    let config = LotteryConfig {
        method: Method::SubsetSum,
        n: 14,
        ..dense
    };
    let record = run(&config, root.path());
    assert_eq!(
        record.stages[0].points.last(),
        trained.stages[0].points.last(),
        "not even the seconds differ, it was not trained again"
    );
    let found = record.extras.subset_sum.expect("the search");
    let last = record.stages[1].points.last().expect("points");
    assert!(
        (found.target_accuracy - trained.stages[0].summary.expect("done").final_accuracy).abs()
            < 1e-12
    );
    assert!((found.target_accuracy - last.test_accuracy).abs() <= 1.0 / 300.0 + 1e-9);
    assert!(
        last.test_accuracy > 0.5,
        "it has learnt something: {last:?}"
    );
    let all = 784 * 60 + 60 * 20 + 20 * 10 + 60 + 20 + 10;
    assert_eq!((found.done, last.step), (all, all));
    assert!(
        record.stages[1].points[0].test_accuracy < 0.3,
        "nothing yet"
    );
    assert!(found.kept_weights < found.random_weights);
    assert_eq!(found.error_curve.len(), 25);
    // One number more halves the error, by and large.
    let (first, last) = (found.error_curve[2].1, found.error_curve[22].1);
    assert!(first / last > 2_f64.powi(15), "{first} to {last}");
}

// --- Stopping and going on --------------------------------------------------------------------

fn whole() -> LotteryConfig {
    LotteryConfig {
        controls: true,
        siblings: true,
        rewind: 5,
        levels: 2,
        steps: 30,
        seeds: 2,
        ..small(Method::Imp)
    }
}

/// A run of these settings that was never stopped.
fn uninterrupted() -> &'static (RunRecord, BTreeMap<String, Arrays>) {
    static RUN: OnceLock<(RunRecord, BTreeMap<String, Arrays>)> = OnceLock::new();
    RUN.get_or_init(|| {
        let root = folder();
        let record = run(&whole(), root.path());
        (record, arrays(&whole(), root.path()))
    })
}

#[test]
fn a_run_that_was_cancelled_again_and_again_ends_as_one_that_was_not() {
    let (expected, numbers) = uninterrupted();
    let root = folder();
    let mut stops = 0;
    let record = loop {
        // Few enough to be stopped in the middle of stages, and of the evaluations between.
        match run_for(&whole(), root.path(), 3 + stops % 4, 1 + stops % 2) {
            Ok(record) => break record,
            Err(Error::Cancelled) => stops += 1,
            Err(error) => panic!("{error}"),
        }
        assert!(stops < 500, "it does not get on");
    };
    assert!(stops > 12, "stopped {stops} times only");
    assert_same(&record, expected);
    assert!(
        arrays(&whole(), root.path()) == *numbers,
        "weights or masks differ"
    );
    let again = run_for(&whole(), root.path(), usize::MAX, 2).expect("a finished run");
    assert_eq!(again.stages.len(), record.stages.len());
    let seconds = |record: &RunRecord| -> Vec<f64> {
        let all = record.stages.iter().filter_map(|stage| stage.summary);
        all.map(|summary| summary.cpu_seconds).collect()
    };
    assert_eq!(seconds(&again), seconds(&record), "nothing is done twice");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let root = folder();
    let record = run_for(&whole(), root.path(), usize::MAX, 1).expect("one thread");
    assert_same(&record, &uninterrupted().0);
    assert!(
        arrays(&whole(), root.path()) == uninterrupted().1,
        "weights or masks differ"
    );
}

#[test]
fn a_damaged_stage_is_done_again() {
    let root = folder();
    let config = LotteryConfig {
        controls: false,
        siblings: false,
        seeds: 1,
        ..whole()
    };
    let record = run(&config, root.path());
    let stages = Store::folder(root.path(), &config).join("stages");
    let folder = stages.join("r0-level1-ticket");
    let file = std::fs::read_dir(folder).expect("a stage").next();
    let file = file.expect("its file").expect("readable").path();
    let mut bytes = std::fs::read(&file).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    vitrine::store::atomic_write(&file, &bytes).expect("written");
    // Later stages are not believed either, though they are whole: they are found again.
    let again = run(&config, root.path());
    assert_same(&again, &record);
}

#[test]
fn two_programs_cannot_do_the_same_run_at_once() {
    let root = folder();
    let config = small(Method::Dense);
    let held = Store::open(root.path(), &config).expect("a new run");
    let refused = run_for(&config, root.path(), usize::MAX, 1).expect_err("refused");
    assert!(refused.to_string().contains("under way"), "{refused}");
    drop(held);
    run(&config, root.path());
}

#[test]
fn settings_of_other_methods_make_no_other_run() {
    let root = PathBuf::from("runs");
    let dense = small(Method::Dense);
    let same = LotteryConfig {
        levels: 9,
        k: 0.1,
        n: 3,
        ..dense.clone()
    };
    assert_eq!(Store::folder(&root, &dense), Store::folder(&root, &same));
    assert_eq!(canonical(&canonical(&same)), canonical(&same));
    for other in [
        LotteryConfig {
            seed: 6,
            ..dense.clone()
        },
        LotteryConfig {
            steps: 41,
            ..dense.clone()
        },
        LotteryConfig {
            method: Method::Imp,
            ..dense.clone()
        },
        LotteryConfig {
            net: NetKind::Conv2Lite,
            ..dense.clone()
        },
    ] {
        assert_ne!(Store::folder(&root, &dense), Store::folder(&root, &other));
    }
}

#[test]
fn impossible_settings_are_refused_with_what_to_do() {
    let options = || RunOptions {
        root: PathBuf::from("nowhere"),
        paths: Paths::under(Path::new("nowhere")),
        fresh: false,
        shots: false,
    };
    let imp = small(Method::Imp);
    for config in [
        LotteryConfig {
            levels: 0,
            ..imp.clone()
        },
        LotteryConfig {
            rewind: 40,
            ..imp.clone()
        },
        LotteryConfig {
            steps: 0,
            ..imp.clone()
        },
        LotteryConfig {
            batch: 0,
            ..imp.clone()
        },
        LotteryConfig {
            eval_every: 0,
            ..imp.clone()
        },
        LotteryConfig {
            seeds: 0,
            ..imp.clone()
        },
        LotteryConfig {
            n: 99,
            ..small(Method::SubsetSum)
        },
        LotteryConfig {
            net: NetKind::Conv2,
            ..small(Method::SubsetSum)
        },
    ] {
        let refused = LotteryJob::new(config, options()).err().expect("refused");
        assert!(matches!(refused, Error::Input(_)), "{refused}");
    }
}

/// The program itself, killed without warning at 20 moments.
#[test]
fn a_run_that_was_killed_goes_on_and_ends_as_one_that_was_not() {
    let config = whole();
    let root = folder();
    let program = || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_vitrine"));
        program
            .args([
                "lottery",
                "train",
                "--json",
                "--method",
                "imp",
                "--controls",
            ])
            .args([
                "--siblings",
                "--rewind",
                "5",
                "--levels",
                "2",
                "--steps",
                "30",
            ])
            .args(["--seeds", "2", "--width", "0.2", "--batch", "50"])
            .args(["--eval-every", "10", "--seed", "5", "--folder"])
            .arg(digits())
            .arg("--run-dir")
            .arg(root.path())
            .env("VITRINE_HOME", root.path())
            .stdout(Stdio::null());
        program
    };
    let mut rng = Rng::new(11);
    for _ in 0..20 {
        let mut running = program().spawn().expect("the program starts");
        std::thread::sleep(Duration::from_millis(20 + rng.below(400) as u64));
        running.kill().expect("killed, or done already");
        running.wait().expect("waited for");
    }
    assert!(program().status().expect("the program runs").success());
    let folder = Store::folder(root.path(), &config);
    let record = std::fs::read(folder.join("record.json")).expect("a finished run");
    let record: RunRecord = serde_json::from_slice(&record).expect("of our making");
    assert_same(&record, &uninterrupted().0);
    assert!(
        arrays(&config, root.path()) == uninterrupted().1,
        "weights or masks differ"
    );
}
