//! What is read off a search and its programs: the hall of fame, differences, meanings, learning.

use vitrine::demos::automl_zero::analysis::Analysis;
use vitrine::demos::automl_zero::changes::changes;
use vitrine::demos::automl_zero::config::{SearchConfig, TaskKind};
use vitrine::demos::automl_zero::evaluator::{Counts, Evaluator, Shortcuts};
use vitrine::demos::automl_zero::hall::Hall;
use vitrine::demos::automl_zero::job::{Living, Output, Snapshot};
use vitrine::demos::automl_zero::lanes::Loss;
use vitrine::demos::automl_zero::meaning::meanings;
use vitrine::demos::automl_zero::program::{Function, Program};
use vitrine::demos::automl_zero::record::Record;
use vitrine::demos::automl_zero::search::exact_fitness;
use vitrine::demos::automl_zero::starts::{LAST_LAYER, LINEAR, NETWORK};
use vitrine::demos::automl_zero::text::line;
use vitrine::rng::Rng;
use vitrine::store::Paths;

use crate::support::{everything, program, tasks};

#[test]
fn the_hall_holds_what_no_shorter_program_equals() {
    let mut rng = Rng::new(5);
    let space = everything();
    let offered: Vec<(Program, f32)> = (0..400)
        .map(|_| {
            let program = space.random_program(&mut rng);
            let most = 4 + 2 * Analysis::of(&program).len();
            (program, rng.below(most) as f32 / 64.0)
        })
        .collect();
    let mut hall = Hall::default();
    for (program, fitness) in &offered {
        hall.offer(program, *fitness);
    }
    let mut best: Vec<(usize, f32)> = Vec::new();
    for length in 0..64 {
        let fits = offered
            .iter()
            .filter(|(program, _)| Analysis::of(program).len() == length)
            .map(|(_, fitness)| *fitness);
        if let Some(fitness) = fits.reduce(f32::max)
            && best.last().is_none_or(|(_, shorter)| fitness > *shorter)
        {
            best.push((length, fitness));
        }
    }
    assert!(best.len() > 2, "{best:?}");
    let front: Vec<(usize, f32)> = hall
        .front()
        .iter()
        .map(|famed| (famed.instructions, famed.fitness))
        .collect();
    assert_eq!(front, best);
    for famed in hall.front() {
        assert_eq!(famed.program.len(), famed.instructions, "no dead code");
    }
}

#[test]
fn what_is_different_leads_from_one_program_to_the_other() {
    let space = everything();
    let mut rng = Rng::new(8);
    for _ in 0..200 {
        let old = space.random_program(&mut rng);
        let mut new = old.clone();
        let count = rng.below(4);
        for _ in 0..count {
            space.mutate(&mut new, &mut rng);
        }
        let all = changes(&old, &new);
        for function in Function::ALL {
            let texts = |program: &Program| -> Vec<String> {
                program.function(function).iter().map(line).collect()
            };
            let of = |is_in: fn(&vitrine::demos::automl_zero::changes::Change) -> bool| {
                all.iter()
                    .filter(|change| change.function == function && is_in(change))
                    .map(|change| change.text.clone())
                    .collect::<Vec<_>>()
            };
            assert_eq!(of(|change| change.old.is_some()), texts(&old));
            assert_eq!(of(|change| change.new.is_some()), texts(&new));
        }
        if count == 0 {
            assert!(all.iter().all(|change| change.old == change.new));
        }
    }
    let long = program(NETWORK);
    let mut short = long.clone();
    short.remove(Function::Learn, 5);
    let apart: Vec<String> = changes(&long, &short)
        .into_iter()
        .filter(|change| change.new.is_none() || change.old.is_none())
        .map(|change| change.text)
        .collect();
    assert_eq!(apart, ["v7 = s4 * v2"], "as few lines apart as possible");
}

fn meaning_of(text: &str, function: Function) -> Vec<String> {
    let all = meanings(&program(text));
    all[function as usize]
        .iter()
        .map(|meaning| meaning.clone().unwrap_or_default())
        .collect()
}

#[test]
fn hand_made_programs_are_read_as_they_were_meant() {
    assert_eq!(meaning_of(LINEAR, Function::Setup), ["the learning rate"]);
    assert_eq!(
        meaning_of(LINEAR, Function::Predict),
        ["the prediction: a linear model: weights times features"]
    );
    assert_eq!(
        meaning_of(LINEAR, Function::Learn),
        [
            "the error: label minus prediction",
            "the learning rate times the error",
            "the gradient by the weights: error times features",
            "a step of gradient descent",
        ]
    );
    assert_eq!(
        meaning_of(NETWORK, Function::Predict),
        [
            "the hidden layer: a matrix of weights times the features",
            "the hidden units with their bias",
            "the ReLU: what is below zero is off",
            "the output layer: weights times hidden units",
            "the prediction: with the bias added",
        ]
    );
    assert_eq!(
        meaning_of(NETWORK, Function::Learn),
        [
            "the error: label minus prediction",
            "the learning rate times the error",
            "a step of gradient descent",
            "the gradient by the output weights: error times hidden units",
            "a step of gradient descent",
            "the error, carried back through the output weights",
            "which hidden units are on: the derivative of the ReLU",
            "backpropagation: the error passes only units that are on",
            "a step of gradient descent",
            "the gradient by the matrix: hidden error by features",
            "a step of gradient descent",
        ]
    );
}

#[test]
fn names_of_registers_and_dead_code_do_not_change_the_meaning() {
    let renamed = LINEAR
        .replace("v1", "v7")
        .replace("s3", "s9")
        .replace("def Learn():\n", "def Learn():\n  s12 = sin(s0)\n");
    let mut read = meaning_of(&renamed, Function::Learn);
    assert_eq!(read.remove(0), "", "dead code means nothing");
    assert_eq!(read, meaning_of(LINEAR, Function::Learn));
}

#[test]
fn discoveries_of_the_paper_are_read() {
    let noisy = "def Setup():\n  s2 = 0.01\ndef Predict():\n  v2 = gaussian(0.0, 0.1, n_features)\n  \
                 v2 = v0 + v2\n  s1 = dot(v1, v2)\ndef Learn():\n  s3 = s0 - s1\n  s3 = s2 * s3\n  \
                 v3 = s3 * v2\n  s4 = norm(v3)\n  v3 = v3 / v4\n  v1 = v1 + v3\n  v5 = v5 + v1\n";
    let read = meaning_of(noisy, Function::Predict);
    assert_eq!(read[0], "fresh noise at every example");
    assert_eq!(read[1], "noise on the features, which regularises");
    let averaged = "def Setup():\n  s2 = 0.01\ndef Predict():\n  s1 = dot(v5, v0)\ndef Learn():\n  \
                    s4 = dot(v1, v0)\n  s3 = s0 - s4\n  s3 = s2 * s3\n  v3 = s3 * v0\n  \
                    v1 = v1 + v3\n  v5 = v5 + v1\n";
    let read = meaning_of(averaged, Function::Learn);
    assert_eq!(read[5], "weight averaging: weights are summed up over time");
    // What evolution wrote for the hidden layer: the activity of a unit in place of the derivative.
    let taught = LAST_LAYER.to_owned() + "  v5 = v6 * v2\n  m1 = outer(v5, v0)\n  m0 = m1 + m0\n";
    assert_eq!(
        meaning_of(&taught, Function::Learn)[5..],
        [
            "backpropagation: the error through the output weights, where units are active",
            "the gradient by the matrix: hidden error by features",
            "a step of gradient descent",
        ]
    );
    let bilinear = "def Setup():\n  s2 = 0.01\ndef Predict():\n  v3 = dot(m0, v0)\n  \
                    v3 = v3 + v1\n  s1 = dot(v3, v0)\ndef Learn():\n  s3 = s0 - s1\n  \
                    s3 = s3 * s2\n  v2 = s3 * v0\n  v1 = v1 + v2\n  m1 = outer(v2, v0)\n  \
                    m0 = m0 + m1\n";
    assert_eq!(
        meaning_of(bilinear, Function::Predict)[2],
        "the prediction: bilinear: the features enter twice"
    );
}

#[test]
fn a_program_that_is_stopped_early_is_no_better_than_one_that_is_not() {
    let set = tasks(4, 5, Loss::Squared, 3);
    let shortcuts = Shortcuts {
        hurdle: Some(0.2),
        ..Shortcuts::NONE
    };
    let mut evaluator = Evaluator::new(set, shortcuts);
    let linear = program(LINEAR);
    let whole = evaluator.evaluate(&linear, 0.0);
    assert!(whole.fitness > 0.0 && whole.early > 0.0);
    let stopped = evaluator.evaluate(&linear, 1.1);
    assert_eq!((stopped.fitness, stopped.early), (0.0, whole.early));
    assert_eq!(evaluator.counts().hurdle, 1);
}

fn snapshot(individuals: u64, fitness: Vec<f32>) -> Box<Snapshot> {
    let mut snapshot = Snapshot {
        populations: Vec::new(),
        experiment: 0,
        counts: Counts::default(),
        seconds: 1.0,
        select_fitness: 0.0,
        control: None,
        hall: Vec::new(),
    };
    snapshot.counts.individuals = individuals;
    snapshot.populations = vec![Living {
        best: fitness.iter().copied().fold(0.0, f32::max),
        fitness,
        lineage: Vec::new(),
    }];
    Box::new(snapshot)
}

#[test]
fn a_record_keeps_the_course_however_long_the_search() {
    let mut record = Record::new(SearchConfig {
        task: TaskKind::Affine,
        ..SearchConfig::default()
    });
    for step in 0..5000 {
        let fitness = (0..=100).map(|rank| rank as f32 / 100.0).collect();
        record.hear(Output::Snapshot(snapshot(step, fitness)));
    }
    let course = &record.course;
    assert!((256..=1024).contains(&course.len()), "{}", course.len());
    assert!(
        course
            .windows(2)
            .all(|two| two[0].individuals < two[1].individuals)
    );
    let [first, last] = [course.first(), course.last()].map(|moment| *moment.expect("moments"));
    assert!(first.individuals < 20 && last.individuals == 4999);
    for (found, expected) in last.percentiles.into_iter().zip([0.1, 0.5, 0.9]) {
        assert!((found - expected).abs() < 1e-6, "{found}");
    }
    assert!((last.mean - 0.5).abs() < 1e-6 && last.best >= 1.0);
    let json = record.to_json().expect("text");
    let again: Record = serde_json::from_slice(&json).expect("a record");
    assert_eq!(again, record);
}

#[test]
fn the_stored_search_reaches_what_it_says() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/samples/automl_zero.json");
    let record = Record::read(&path).expect("a record");
    let ended = record.ended.as_ref().expect("it ended");
    let paths = Paths::under(std::path::Path::new("/nonexistent"));
    let unseen = record.config.tasks(&paths).expect("tasks").unseen();
    let fitness = exact_fitness(&unseen, &ended.program);
    assert!((fitness - ended.unseen_fitness).abs() < 1e-9, "{fitness}");
    let [linear, network] = [LINEAR, NETWORK].map(|text| exact_fitness(&unseen, &program(text)));
    assert!(fitness > linear + 0.1, "{fitness} and {linear}");
    assert!(fitness > network - 0.02, "{fitness} and {network}");
    // It teaches the hidden layer: without that it is what it began with.
    let begun = exact_fitness(&unseen, &program(LAST_LAYER));
    assert!(fitness > begun + 0.1, "{fitness} and {begun}");
    let read = meanings(&ended.program);
    let all: Vec<&str> = read
        .iter()
        .flatten()
        .flatten()
        .map(String::as_str)
        .collect();
    assert!(
        all.iter().any(|text| text.starts_with("backpropagation")),
        "{all:?}"
    );
    assert_eq!(
        record.lineage().last().map(|node| &node.program),
        Some(&ended.program)
    );
}
