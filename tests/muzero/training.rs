//! Training runs: they go on bit for bit, do not depend on threads or on measurements, branch, and
//! learn.

use std::path::Path;

use candle_core::Device;
use serde_json::json;
use vitrine::compute::{DeviceChoice, Event, WorkerOptions, run_to_end};
use vitrine::demos::muzero::arena::Tally;
use vitrine::demos::muzero::branch::checkpoints;
use vitrine::demos::muzero::config::{Agent, TrainConfig};
use vitrine::demos::muzero::evaluation::Evaluating;
use vitrine::demos::muzero::game::{GameId, open};
use vitrine::demos::muzero::job::{Output, RunOptions, TrainJob};
use vitrine::demos::muzero::record::RunRecord;
use vitrine::demos::muzero::training::Training;
use vitrine::nn::checkpoint::Checkpoint;
use vitrine::store::FolderLock;

/// A small run: 40 games are two groups of self-play.
fn small(game: GameId) -> TrainConfig {
    TrainConfig {
        simulations: Some(4),
        channels: Some(8),
        games: Some(40),
        batch: Some(16),
        unroll: Some(3),
        evaluate_every: Some(0.0),
        seed: 7,
        ..TrainConfig::new(game)
    }
}

fn of_agent(agent: Agent) -> TrainConfig {
    TrainConfig {
        agent,
        ..small(GameId::TicTacToe)
    }
}

fn begin(config: &TrainConfig) -> Training {
    let game = open(&config.game).expect("the game is built in");
    let settings = config.settings(game.spec()).expect("the settings are fine");
    Training::new(settings, &Device::Cpu).expect("it begins")
}

fn turns(training: &mut Training, count: usize) {
    for _ in 0..count {
        training.turn().expect("it goes on");
    }
}

/// All that a run is made of, but for the time it took.
fn state(training: &Training) -> Checkpoint {
    timeless(training.checkpoint().expect("it can be kept"))
}

fn timeless(mut checkpoint: Checkpoint) -> Checkpoint {
    checkpoint.meta["counters"]["seconds"] = json!(0.0);
    checkpoint
}

/// Stops a run in the middle and goes on from the file.
fn assert_resumes(config: &TrainConfig, half: usize) {
    let mut straight = begin(config);
    turns(&mut straight, 2 * half);
    let mut first = begin(config);
    turns(&mut first, half);
    let folder = tempfile::tempdir().expect("a folder");
    let kept = checkpoints(folder.path());
    kept.save(&first.checkpoint().expect("it can be kept"))
        .expect("it can be written");
    let (found, notice) = kept.load_latest().expect("it can be read");
    assert!(notice.is_none());
    let found = found.expect("there is one");
    let mut second = Training::resume(&found, first.settings(), &Device::Cpu).expect("it goes on");
    assert_eq!(state(&first), state(&second), "just after it was read");
    turns(&mut second, half);
    assert!(
        straight.counters().steps > first.counters().steps,
        "both halves learn: {:?}",
        straight.counters()
    );
    let (straight, second) = (state(&straight), state(&second));
    assert_eq!(straight.meta, second.meta, "counters and games under way");
    assert!(straight == second, "weights, moments, averages, memory");
}

#[test]
fn tic_tac_toe_goes_on_bit_for_bit() {
    assert_resumes(&small(GameId::TicTacToe), 120);
}

#[test]
fn other_agents_go_on_bit_for_bit() {
    assert_resumes(&of_agent(Agent::AlphaZero), 90);
    assert_resumes(&of_agent(Agent::ActorCritic), 60);
}

#[test]
fn a_game_with_rewards_and_looking_again_goes_on_bit_for_bit() {
    let config = TrainConfig {
        reanalyse: Some(0.5),
        ..small("minatar:breakout".parse().expect("there is one"))
    };
    assert_resumes(&config, 60);
}

#[test]
fn a_full_memory_goes_on_bit_for_bit() {
    let config = TrainConfig {
        buffer: Some(1000),
        reuse: Some(0.5),
        ..small(GameId::TicTacToe)
    };
    assert_resumes(&config, 60);
}

#[test]
fn threads_do_not_matter() {
    let breakout = TrainConfig {
        reanalyse: Some(0.5),
        ..small("minatar:breakout".parse().expect("there is one"))
    };
    for config in [
        small(GameId::TicTacToe),
        of_agent(Agent::ActorCritic),
        breakout,
    ] {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().expect("threads can be had");
            pool.install(|| {
                let mut training = begin(&config);
                turns(&mut training, 70);
                state(&training)
            })
        };
        assert!(with(1) == with(2), "{:?} {}", config.agent, config.game);
    }
}

fn run(config: &TrainConfig, options: RunOptions) -> (RunRecord, Vec<Output>) {
    let worker = WorkerOptions {
        device: DeviceChoice::Cpu,
        ..WorkerOptions::default()
    };
    let folder = options.folder.clone();
    let job = TrainJob::new(config.clone(), options).expect("the settings are fine");
    let mut heard = Vec::new();
    run_to_end(worker, job, |event, _| {
        if let Some(Event::Output(output)) = event {
            heard.push(output);
        }
        true
    })
    .expect("it comes to its end");
    let record = RunRecord::load(&folder)
        .expect("it can be read")
        .expect("there is one");
    (record, heard)
}

fn into(folder: &Path) -> RunOptions {
    RunOptions {
        folder: folder.to_owned(),
        ..RunOptions::default()
    }
}

#[test]
fn a_run_that_is_under_way_elsewhere_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let held = FolderLock::take(folder.path()).expect("free");
    let options = RunOptions {
        fresh: true,
        ..into(folder.path())
    };
    let job = TrainJob::new(small(GameId::TicTacToe), options).expect("the settings are fine");
    let refused = run_to_end(WorkerOptions::default(), job, |_, _| true).expect_err("refused");
    assert!(refused.to_string().contains("under way"), "{refused}");
    drop(held);
}

fn newest(folder: &Path) -> Checkpoint {
    let (found, _) = checkpoints(folder).load_latest().expect("it can be read");
    timeless(found.expect("there is one"))
}

#[test]
fn measuring_changes_nothing_and_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let quiet = TrainConfig {
        steps: Some(400),
        ..small(GameId::TicTacToe)
    };
    let measured = TrainConfig {
        evaluate_every: Some(0.05),
        ..quiet.clone()
    };
    let (with, without) = (folder.path().join("with"), folder.path().join("without"));
    let (record, heard) = run(&measured, into(&with));
    let (other, _) = run(&quiet, into(&without));
    assert!(!record.evaluations.is_empty());
    assert!(other.evaluations.is_empty());
    assert!(newest(&with) == newest(&without));
    // What the reader heard is what lies in the folder.
    let mut reader: Option<RunRecord> = None;
    for output in &heard {
        match (&mut reader, output) {
            (None, Output::Began(record)) => reader = Some((**record).clone()),
            (Some(reader), output) => reader.hear(output),
            (None, other) => panic!("{other:?} before it began"),
        }
    }
    assert_eq!(reader, Some(record.clone()));
    assert!(record.finished);
    assert_eq!(record.steps(), 400);
    let lines = record.evaluations[0].lines.expect("lines of play");
    assert!(lines.games() > 500, "{lines:?}");
}

#[test]
fn a_run_goes_on_with_other_settings_and_is_branched() {
    let folder = tempfile::tempdir().expect("a folder");
    let (trunk, twig) = (folder.path().join("trunk"), folder.path().join("twig"));
    let config = TrainConfig {
        steps: Some(20),
        ..small(GameId::TicTacToe)
    };
    run(&config, into(&trunk));
    let slower = TrainConfig {
        steps: Some(40),
        learning_rate: Some(1e-4),
        reanalyse: Some(0.25),
        ..config.clone()
    };
    let branched = RunOptions {
        from: Some(trunk.clone()),
        ..into(&twig)
    };
    let (record, _) = run(&slower, branched.clone());
    assert_eq!(record.resumed_at, 20);
    assert_eq!(record.steps(), 40);
    let origin = record.origin.clone().expect("it is a branch");
    assert_eq!((origin.run.as_str(), origin.steps), ("trunk", 20));
    assert_eq!(record.changes.len(), 1);
    assert_eq!(record.changes[0].steps, 20);
    assert_eq!(
        record.changes[0].what,
        ["learning rate 0.005 to 0.0001", "reanalyse 0.0 to 0.25"]
    );
    // The trunk is as it was, and goes on by itself.
    let longer = TrainConfig {
        steps: Some(30),
        ..config.clone()
    };
    let (record, _) = run(&longer, into(&trunk));
    assert_eq!((record.resumed_at, record.steps()), (20, 30));
    assert!(record.changes.is_empty() && record.origin.is_none());
    // A branch that is there goes on; it is not copied over.
    let again = TrainConfig {
        steps: Some(45),
        ..slower
    };
    let (record, _) = run(&again, branched);
    assert_eq!((record.resumed_at, record.steps()), (40, 45));
    // What cannot be changed is refused.
    let wider = TrainConfig {
        channels: Some(12),
        ..longer
    };
    let job = TrainJob::new(wider, into(&trunk)).expect("the settings are fine by themselves");
    let refused = run_to_end(WorkerOptions::default(), job, |_, _| true);
    let text = refused.expect_err("another network").to_string();
    assert!(text.contains("stay as they were"), "{text}");
}

/// Every line of play of tic-tac-toe, without a search or with a few simulations.
fn lines(training: &Training, simulations: usize) -> Tally {
    let trained = training.trained().expect("a copy");
    let mut evaluating =
        Evaluating::new(trained, simulations, &Device::Cpu).expect("the game is there");
    while !evaluating.step().expect("it goes on") {}
    evaluating.found().lines.expect("lines of play")
}

/// Every line of play before and after so many training steps.
fn learn(agent: Agent, steps: u64, simulations: usize) -> [Tally; 2] {
    let mut training = begin(&TrainConfig {
        agent,
        seed: 1,
        ..TrainConfig::new(GameId::TicTacToe)
    });
    let before = lines(&training, simulations);
    while training.counters().steps < steps {
        training.turn().expect("it goes on");
    }
    [before, lines(&training, simulations)]
}

fn lost(tally: Tally) -> f64 {
    tally.losses as f64 / tally.games() as f64
}

#[test]
fn a_policy_gradient_learns_from_its_own_results() {
    let [before, after] = learn(Agent::ActorCritic, 800, 0);
    // Measured: 21 % of the lines won and 60 % lost before, 45 % and 42 % after.
    assert!(
        after.win_rate() > 1.5 * before.win_rate() && lost(after) < 0.8 * lost(before),
        "{before:?} {after:?}"
    );
}

#[test]
fn a_search_in_the_learned_model_learns() {
    let [before, after] = learn(Agent::MuZero, 800, 16);
    // Measured: 58 % of the lines lost before, 31 % after.
    assert!(lost(after) < 0.7 * lost(before), "{before:?} {after:?}");
}

#[test]
fn a_search_with_the_true_rules_learns() {
    let [before, after] = learn(Agent::AlphaZero, 800, 16);
    assert!(lost(after) < 0.5 * lost(before), "{before:?} {after:?}");
}
