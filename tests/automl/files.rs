//! Tables of the person's own, pictures, and what is refused.

use vitrine::data::{Dataset, Datasets, Shape};
use vitrine::demos::automl_zero::images::{HELD_OUT, ImageTasks};
use vitrine::demos::automl_zero::lanes::Loss;
use vitrine::demos::automl_zero::scalar::Rules;
use vitrine::demos::automl_zero::search::{Tasks, fitness_on};
use vitrine::demos::automl_zero::table::{Table, TableTasks};
use vitrine::demos::automl_zero::task::Size;
use vitrine::rng::Rng;

use crate::support::program;
use crate::text::damage;

/// Rows of `y = 2 a - b` with names.
fn table() -> String {
    let mut rng = Rng::new(4);
    let mut text = String::from("a,b,\"y, the result\"\n");
    for _ in 0..60 {
        let (a, b) = (rng.normal(), rng.normal());
        text.push_str(&format!("{a:.4},{b:.4},{:.4}\n", 2.0 * a - b));
    }
    text
}

#[test]
fn a_table_of_numbers_is_learnt() {
    let table = Table::parse(&table(), None).expect("a table");
    assert_eq!(table.columns, ["a", "b"]);
    assert_eq!(
        (table.target.as_str(), table.len(), table.features()),
        ("y, the result", 60, 2)
    );
    assert_eq!(table.loss(), Loss::Squared);
    let tasks = TableTasks::new(&table, [0, 0], 4, 100.0, 8, 1);
    let (search, unseen) = (tasks.search(0), tasks.unseen());
    assert_eq!(search.size.train + search.size.valid, 54);
    assert_eq!(unseen.size.valid, 6, "a tenth is kept");
    let linear = program(&vitrine::demos::automl_zero::starts::LINEAR.replace("0.01", "0.2"));
    assert!(
        fitness_on(&unseen, &linear) > 0.99,
        "{}",
        fitness_on(&unseen, &linear)
    );
    let by_name = Table::parse(&self::table(), Some("a")).expect("a table");
    let by_number = Table::parse(&self::table(), Some("1")).expect("a table");
    assert_eq!(by_name, by_number);
    assert_eq!(by_name.columns, ["b", "y, the result"]);
}

#[test]
fn classes_may_be_words_and_there_are_two() {
    let rows = |third: &str| {
        let row = |i: usize| format!("{};{};{}\n", i, 40 - i, if i < 20 { "no" } else { "yes" });
        (0..40).map(row).collect::<String>() + third
    };
    let table = Table::parse(&rows(""), None).expect("a table without names");
    assert_eq!(table.classes, Some(["no".to_owned(), "yes".to_owned()]));
    assert_eq!((table.loss(), table.len()), (Loss::Accuracy, 40));
    let error = Table::parse(&rows("1;2;perhaps\n"), None).expect_err("three classes");
    assert_eq!((error.line, error.column), (41, 5), "{error}");
}

#[test]
fn what_is_wrong_with_a_table_has_a_line_and_a_column() {
    let good = table();
    let line = |number: usize, with: &str| {
        let mut lines: Vec<&str> = good.lines().collect();
        lines[number - 1] = with;
        lines.join("\n")
    };
    let cases = [
        (String::new(), None, 1, 1, "empty"),
        (line(5, "1.0,x,2.0"), None, 5, 5, "\"x\""),
        (line(5, "1.0,,2.0"), None, 5, 5, "missing"),
        (line(7, "1.0,2.0"), None, 7, 5, "2 fields"),
        (line(9, "1.0,\"2.0,3.0"), None, 9, 5, "quotes"),
        (good.clone(), Some("c"), 1, 1, "no column"),
        ("a\n1\n".repeat(30), None, 1, 1, "one column"),
        ("a,b\n1,2\n".to_owned(), None, 2, 1, "1 rows"),
        (line(3, "nan,1.0,2.0"), None, 3, 1, "nan"),
    ];
    for (text, target, line, column, says) in cases {
        let error = Table::parse(&text, target).expect_err(says);
        assert!(error.message.contains(says), "{error} for {says}");
        assert_eq!((error.line, error.column), (line, column), "{error}");
    }
}

#[test]
fn ten_thousand_damaged_tables_are_read_or_refused() {
    let good: Vec<char> = table().chars().collect();
    let mut rng = Rng::new(5);
    let (mut refused, mut read) = (0, 0);
    for _ in 0..10_000 {
        let mut text = good.clone();
        for _ in 0..=rng.below(3) {
            damage(&mut text, &mut rng);
        }
        let text: String = text.into_iter().collect();
        match Table::parse(&text, None) {
            Ok(table) => {
                read += 1;
                assert!(table.features() >= 2 && table.len() >= 20);
            }
            Err(error) => {
                refused += 1;
                let lines = text.lines().count().max(1);
                assert!(
                    (1..=lines).contains(&error.line) && error.column >= 1,
                    "{error}"
                );
            }
        }
    }
    assert!(
        refused > 1000 && read > 500,
        "{refused} refused, {read} read"
    );
}

/// Ten classes of pictures of 4 by 4, each bright in another corner of the byte range.
fn pictures() -> Datasets {
    let set = |count: usize, seed: u64| {
        let mut rng = Rng::new(seed);
        let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
        let images = labels
            .iter()
            .flat_map(|&label| {
                let bright = usize::from(label);
                (0..16)
                    .map(|i| {
                        if i == bright {
                            200
                        } else {
                            rng.below(40) as u8
                        }
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        let shape = Shape {
            channels: 1,
            height: 4,
            width: 4,
        };
        let classes = (0..10).map(|class| class.to_string()).collect();
        Dataset::new(images, labels, shape, classes).expect("pictures")
    };
    Datasets {
        train: set(1000, 1),
        test: set(500, 2),
    }
}

#[test]
fn pictures_of_held_out_pairs_are_never_searched_on() {
    let size = Size {
        features: 8,
        train: 80,
        valid: 40,
    };
    let rules = Rules {
        loss: Loss::Accuracy,
        max_error: 100.0,
    };
    let tasks = ImageTasks::new(pictures(), (size, rules, 1), 40, 100, 7).expect("tasks");
    let held_out: Vec<String> = HELD_OUT
        .iter()
        .map(|[a, b]| format!("{a} or {b}"))
        .collect();
    for experiment in 0..3 {
        for task in tasks.search(experiment).tasks() {
            assert!(!held_out.contains(&task.title), "{}", task.title);
        }
    }
    assert!(
        tasks
            .select()
            .tasks()
            .iter()
            .all(|task| !held_out.contains(&task.title))
    );
    let unseen = tasks.unseen();
    assert!(
        unseen
            .tasks()
            .iter()
            .all(|task| held_out.contains(&task.title))
    );
    assert_eq!(unseen.tasks().len(), 4 * HELD_OUT.len());
    // Features of what is learnt from are standardised, and both classes are equally many.
    let set = tasks.search(0);
    let train = set.tasks()[0].train();
    let mean = train.features.iter().step_by(8).sum::<f32>() / 80.0;
    assert!(mean.abs() < 1e-4, "{mean}");
    assert!((train.labels.iter().sum::<f32>() - 40.0).abs() < 0.5);
    let linear = program(&vitrine::demos::automl_zero::starts::LINEAR.replace("0.01", "0.3"));
    assert!(
        fitness_on(&unseen, &linear) > 0.8,
        "{}",
        fitness_on(&unseen, &linear)
    );
}

#[test]
fn too_few_pictures_are_refused() {
    let size = Size {
        features: 8,
        train: 300,
        valid: 40,
    };
    let rules = Rules {
        loss: Loss::Accuracy,
        max_error: 100.0,
    };
    assert!(ImageTasks::new(pictures(), (size, rules, 1), 4, 100, 7).is_err());
}
