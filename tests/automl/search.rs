//! Searches: the same again, on any number of threads, after an interruption; and one that solves.

use std::sync::Arc;

use vitrine::demos::automl_zero::config::{SearchConfig, TaskKind};
use vitrine::demos::automl_zero::insight::{Stage, ablation, learning_curve, surfaces, traces};
use vitrine::demos::automl_zero::lanes::Loss;
use vitrine::demos::automl_zero::mutate::Mutation;
use vitrine::demos::automl_zero::population::Method;
use vitrine::demos::automl_zero::presets::PRESETS;
use vitrine::demos::automl_zero::program::Function;
use vitrine::demos::automl_zero::search::{SavedSearch, Search, exact_fitness, fitness_on};
use vitrine::demos::automl_zero::starts::{LAST_LAYER, LINEAR, Start};
use vitrine::rng::Rng;
use vitrine::store::Paths;

use crate::support::{everything, program, tasks};

fn open(config: &SearchConfig) -> Search {
    let paths = Paths::under(std::path::Path::new("/nonexistent"));
    Search::new(
        config.plan().expect("a plan"),
        config.tasks(&paths).expect("tasks"),
    )
    .expect("a search")
}

/// A small search with everything that may go wrong in a repetition: three populations, hurdles,
/// migration, a new experiment.
fn small(seed: u64) -> SearchConfig {
    SearchConfig {
        task: TaskKind::Affine,
        population: Some(60),
        populations: Some(3),
        migrate_every: 2,
        hurdle: Some(0.3),
        hurdle_part: 0.5,
        functional: 5,
        restart: Some(60 * 3 * 20),
        seed,
        ..SearchConfig::default()
    }
}

/// Runs to at least so many individuals in pieces of `piece` births.
fn run(search: &mut Search, individuals: u64, piece: u64) {
    while search.individuals() < individuals {
        search.advance(piece).expect("a step");
    }
}

fn state(search: &Search) -> String {
    serde_json::to_string(&search.save()).expect("text")
}

#[test]
fn a_seed_has_one_course_however_it_is_cut() {
    let end = 60 * 3 * 30;
    let course = |piece: u64, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        pool.install(|| {
            let mut search = open(&small(5));
            run(&mut search, end, piece);
            state(&search)
        })
    };
    let first = course(60, 1);
    assert!(first == course(7, 1), "in other pieces");
    assert!(first == course(60, 3), "on other threads");
    let mut other = open(&small(6));
    run(&mut other, end, 60);
    assert!(first != state(&other), "another seed");
}

#[test]
fn a_stored_search_goes_on_bit_for_bit() {
    let config = small(9);
    let mut whole = open(&config);
    run(&mut whole, 60 * 3 * 25, 20);
    let mut first = open(&config);
    // In the middle of a round.
    run(&mut first, 60 * 3 * 7 + 90, 10);
    let saved: SavedSearch = serde_json::from_str(&state(&first)).expect("reads back");
    let paths = Paths::under(std::path::Path::new("/nonexistent"));
    let (plan, set) = (
        config.plan().expect("a plan"),
        config.tasks(&paths).expect("tasks"),
    );
    let mut second = Search::restore(plan.clone(), Arc::clone(&set), saved.clone()).expect("fits");
    assert!(state(&first) == state(&second), "as it was stored");
    run(&mut second, 60 * 3 * 25, 20);
    assert!(
        state(&whole) == state(&second),
        "as if nothing had happened"
    );
    let other = small(10).plan().expect("a plan");
    assert!(
        Search::restore(other, set, saved).is_err(),
        "another seed's"
    );
}

#[test]
fn linear_regression_is_found_and_holds_on_unseen_tasks() {
    // A lucky seed: solved in its first 62,000 programs.
    let config = SearchConfig {
        seed: 7,
        ..SearchConfig::default()
    };
    let mut search = open(&config);
    while !search.is_solved() {
        search.advance(1000).expect("a step");
        assert!(
            search.individuals() < 12_000_000,
            "not within twelve million programs"
        );
    }
    let best = search.best().expect("a best");
    let unseen = search.unseen_fitness(&best.program);
    assert!(unseen > 0.9999, "{unseen} on unseen tasks");
    // Its ancestors lead to it: births rise and every kept step has a mutation.
    let line = &best.lineage;
    assert_eq!(line.last().map(|node| &node.program), Some(&best.program));
    for pair in line.windows(2) {
        assert!(
            pair[1].mutation != Mutation::Copy
                || pair[1].skipped > 0
                || pair[0].program == pair[1].program
        );
    }
    assert!(
        line.windows(2)
            .any(|pair| pair[1].score.fitness > pair[0].score.fitness)
    );
}

#[test]
fn random_search_has_no_parents() {
    let config = SearchConfig {
        method: Method::Random,
        ..small(3)
    };
    let mut search = open(&config);
    run(&mut search, 2000, 50);
    for population in search.populations() {
        assert_eq!(population.lineage().len(), 1);
        assert_eq!(population.living().len(), 60);
    }
}

#[test]
fn a_search_from_the_damaged_network_begins_with_it() {
    let config = SearchConfig {
        task: TaskKind::Nonlinear,
        start: Some(Start::Damaged),
        population: Some(10),
        populations: Some(1),
        ..SearchConfig::default()
    };
    let search = open(&config);
    let best = search.populations()[0].best().expect("a best");
    assert_eq!(best.program.len_of(Function::Setup), 1);
    assert_eq!(best.program.len_of(Function::Learn), 11);
}

#[test]
fn mutations_stay_within_the_space() {
    let mut space = everything();
    space.least_len = [2, 2, 2];
    let mut rng = Rng::new(2);
    let mut program = space.random_program(&mut rng);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20_000 {
        seen.insert(format!("{:?}", space.mutate(&mut program, &mut rng)));
        for function in Function::ALL {
            let len = program.len_of(function);
            assert!((2..=space.most_len[function as usize]).contains(&len));
            for instruction in program.function(function) {
                let signature = instruction.op.signature();
                if let Some(kind) = signature.out {
                    assert!(
                        (kind.first_out()..space.registers[kind as usize])
                            .contains(&instruction.out)
                    );
                }
                assert!(instruction.data.iter().all(|x| x.is_finite()));
            }
        }
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
}

#[test]
fn constants_are_rounded_where_that_is_asked_for() {
    let mut space = everything();
    space.digits = Some(2);
    let mut rng = Rng::new(2);
    let mut program = space.random_program(&mut rng);
    for _ in 0..2000 {
        space.mutate(&mut program, &mut rng);
    }
    for x in program
        .code()
        .iter()
        .flat_map(|instruction| instruction.data)
    {
        let shown: f32 = format!("{x:.1e}").parse().expect("a number");
        assert!(
            shown.to_bits() == x.to_bits() || (0.99..1.0).contains(&x),
            "{x}"
        );
    }
}

#[test]
fn every_line_of_the_linear_model_is_worth_something_and_more_is_not() {
    let set = tasks(4, 10, Loss::Squared, 1);
    let text = LINEAR
        .replace("0.01", "0.1")
        .replace("  v1 = v1 + v2\n", "  v1 = v1 + v2\n  s5 = s3 + s1\n");
    let lines = ablation(&program(&text), &set);
    assert_eq!(lines.len(), 7);
    for line in &lines {
        assert_eq!(line.live, line.text != "s5 = s3 + s1", "{line:?}");
        assert_eq!(line.worth > 0.01, line.live, "{line:?}");
    }
}

#[test]
fn what_is_looked_into_is_what_happens() {
    let set = tasks(4, 3, Loss::Squared, 1);
    let task = &set.tasks()[1];
    let linear = program(&LINEAR.replace("0.01", "0.1"));
    let written = traces(&linear, task, &set, Function::Learn, 5);
    assert_eq!((written[0].width, written[0].values.len()), (1, 5));
    assert!(
        (written[0].values[0] - task.train().labels[0]).abs() < 1e-6,
        "it begins with weights of 0"
    );
    assert_eq!((written[3].width, written[3].values.len()), (4, 20));
    let narrow = written[3].clone().narrowed(3);
    assert_eq!(
        narrow.values[3].to_bits(),
        written[3].values[4].to_bits(),
        "the second value's first"
    );
    let curve = learning_curve(&linear, task, &set, 8);
    assert_eq!(
        (curve[0].0, curve.last().map(|point| point.0)),
        (0, Some(40))
    );
    assert!(curve.last().expect("points").1 > curve[0].1);
    let shown = surfaces(&linear, task, &set, &[0.0; 8], 4);
    assert!(
        shown
            .iter()
            .flat_map(|stage| &stage.plane)
            .all(|y| y.abs() < 1e-9),
        "a plane through the origin"
    );
    let error = |stage: &Stage| -> f32 {
        let pairs = stage.predictions.iter().zip(task.valid().labels);
        pairs.map(|(a, b)| (a - b).powi(2)).sum()
    };
    assert_eq!((shown.len(), shown[4].examples), (5, 40));
    assert!(error(&shown[4]) < 0.5 * error(&shown[0]));
    let exact = exact_fitness(&set, &linear);
    assert!(
        (exact - fitness_on(&set, &linear)).abs() < 1e-5,
        "f32 is close to f64"
    );
}

#[test]
fn the_defaults_are_those_of_the_command_line() {
    use clap::{Args as _, FromArgMatches as _};
    let command = SearchConfig::augment_args(clap::Command::new("search"));
    let parsed = command.try_get_matches_from(["search"]).expect("no flags");
    let parsed = SearchConfig::from_arg_matches(&parsed).expect("a configuration");
    assert_eq!(parsed, SearchConfig::default());
}

#[test]
fn every_preset_makes_a_search() {
    for preset in PRESETS {
        let config = (preset.config)();
        let plan = config.plan().expect(preset.title);
        let mut rng = Rng::new(1);
        let program = plan
            .start
            .program(&plan.space, &mut rng)
            .expect(preset.title);
        for function in Function::ALL {
            let place = function as usize;
            let most = plan.space.most_len[place];
            let fixed = plan.space.ops[place].is_empty();
            assert!(
                fixed || program.len_of(function) <= most,
                "{}: {} begins too long",
                preset.title,
                function.name()
            );
        }
    }
}

#[test]
fn evolution_teaches_the_hidden_layer() {
    let preset = PRESETS
        .iter()
        .find(|preset| preset.title == "Find backpropagation")
        .expect("the preset");
    let config = SearchConfig {
        populations: Some(1),
        seed: 3,
        ..(preset.config)()
    };
    let paths = Paths::under(std::path::Path::new("/nonexistent"));
    let tasks = config.tasks(&paths).expect("tasks");
    let set = tasks.search(0);
    let [linear, start] = [LINEAR, LAST_LAYER].map(|text| fitness_on(&set, &program(text)));
    let mut search = open(&config);
    let begun = search.leading_fitness();
    assert!(
        f64::from(begun) < linear,
        "{start}: it begins below a linear model"
    );
    run(&mut search, 100_000, 1000);
    assert!(search.leading_fitness() > begun, "{begun}");
    assert_eq!(search.hall().front().last().map(|famed| famed.fitness), {
        let best = search.populations()[0].best().expect("a best");
        Some(best.score.fitness)
    });
}

#[test]
fn a_tournament_takes_no_notice_of_what_is_below_its_resolution() {
    let best_after = |resolution: f32| {
        let config = SearchConfig {
            population: Some(200),
            populations: Some(1),
            resolution: Some(resolution),
            restart: Some(0),
            seed: 4,
            ..SearchConfig::default()
        };
        let mut search = open(&config);
        run(&mut search, 20_000, 100);
        let living: Vec<f32> = search.populations()[0]
            .living()
            .map(|node| node.score.fitness)
            .collect();
        living.iter().sum::<f32>() / living.len() as f32
    };
    let (sharp, blind) = (best_after(0.0), best_after(2.0));
    assert!(sharp > blind + 0.02, "{sharp} and {blind}");
}
