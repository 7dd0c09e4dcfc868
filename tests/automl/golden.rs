//! Values of the released code's own tests (`executor_test.cc`), and of its protocol.

use vitrine::demos::automl_zero::instruction::Kind;
use vitrine::demos::automl_zero::lanes::Loss;
use vitrine::demos::automl_zero::math;
use vitrine::demos::automl_zero::program::Function;
use vitrine::demos::automl_zero::scalar::{Machine, Real, Rules};
use vitrine::demos::automl_zero::search::{exact_fitness, fitness_on};
use vitrine::demos::automl_zero::starts::{LINEAR, NETWORK};
use vitrine::demos::automl_zero::task::{Labelled, Size, Task, TaskSet};

use crate::support::program;

/// The released code's tolerance.
const TOLERANCE: f64 = 1e-4;

type Given<'a> = (&'a str, &'a [f64]);

fn register(name: &str) -> (Kind, u8) {
    let kind = match &name[..1] {
        "s" => Kind::Scalar,
        "v" => Kind::Vector,
        _ => Kind::Matrix,
    };
    (kind, name[1..].parse().expect("a number"))
}

fn computed<R: Real>(line: &str, given: &[Given<'_>]) -> Vec<f64> {
    let program = program(&format!("def Predict():\n  {line}\n"));
    let mut machine = Machine::<R>::new(&program, 4, 1);
    for (name, values) in given {
        let (kind, index) = register(name);
        for (place, &value) in machine.register_mut(kind, index).iter_mut().zip(*values) {
            *place = R::from_f32(value as f32);
        }
    }
    machine.run(Function::Predict, 1, |_, _| {});
    let out = line.split(['=', '[']).next().expect("a target").trim();
    let (kind, index) = register(out);
    machine
        .register(kind, index)
        .iter()
        .map(|x| x.to_f64())
        .collect()
}

fn check(line: &str, given: &[Given<'_>], expected: &[f64]) {
    for (got, width) in [
        (computed::<f64>(line, given), 64),
        (computed::<f32>(line, given), 32),
    ] {
        assert_eq!(got.len(), expected.len(), "{line}");
        for (got, expected) in got.iter().zip(expected) {
            let close = (got - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
            assert!(close, "{line} in f{width}: {got} for {expected}");
        }
    }
}

const PI: f64 = std::f64::consts::PI;

#[test]
fn scalars() {
    let two = |line: &str, a: f64, b: f64, expected: f64| {
        check(line, &[("s2", &[a]), ("s3", &[b])], &[expected]);
    };
    two("s4 = s2 + s3", 0.5, 2.0, 2.5);
    two("s4 = s2 - s3", -0.2, 2.3, -2.5);
    two("s4 = s2 * s3", -0.2, 2.3, -0.46);
    two("s4 = s2 / s3", 8.8, -2.0, -4.4);
    for (a, b, least, most) in [
        (0.5, 2.2, 0.5, 2.2),
        (2.2, 0.5, 0.5, 2.2),
        (-2.2, -0.5, -2.2, -0.5),
    ] {
        two("s4 = minimum(s2, s3)", a, b, least);
        two("s4 = maximum(s2, s3)", a, b, most);
    }
    let one = |line: &str, a: f64, expected: f64| check(line, &[("s2", &[a])], &[expected]);
    one("s4 = abs(s2)", -2.5, 2.5);
    for (x, step) in [(-2.5, 0.0), (-0.5, 0.0), (0.0, 1.0), (0.5, 1.0), (2.5, 1.0)] {
        one("s4 = heaviside(s2, 1.0)", x, step);
    }
    one("s4 = 1 / s2", -4.0, -0.25);
    for (x, sin) in [
        (0.0, 0.0),
        (PI / 6.0, 0.5),
        (PI / 2.0, 1.0),
        (3.0 * PI / 2.0, -1.0),
    ] {
        one("s4 = sin(s2)", x, sin);
    }
    for (x, cos) in [(0.0, 1.0), (PI / 3.0, 0.5), (PI / 2.0, 0.0), (PI, -1.0)] {
        one("s4 = cos(s2)", x, cos);
    }
    for (x, tan) in [
        (0.0, 0.0),
        (PI / 4.0, 1.0),
        (3.0 * PI / 4.0, -1.0),
        (5.0 * PI / 4.0, 1.0),
    ] {
        one("s4 = tan(s2)", x, tan);
    }
    for (x, asin) in [
        (0.0, 0.0),
        (0.5, PI / 6.0),
        (1.0, PI / 2.0),
        (-1.0, -PI / 2.0),
    ] {
        one("s4 = arcsin(s2)", x, asin);
    }
    for (x, acos) in [(1.0, 0.0), (0.5, PI / 3.0), (0.0, PI / 2.0), (-1.0, PI)] {
        one("s4 = arccos(s2)", x, acos);
    }
    for (x, atan) in [
        (0.0, 0.0),
        (1.0, PI / 4.0),
        (-1.0, -PI / 4.0),
        (1e9, PI / 2.0),
        (-1e9, -PI / 2.0),
    ] {
        one("s4 = arctan(s2)", x, atan);
    }
    one("s4 = exp(s2)", 0.0, 1.0);
    one("s4 = exp(s2)", 1.0, std::f64::consts::E);
    one("s4 = log(s2)", 1.0, 0.0);
    one("s4 = log(s2)", std::f64::consts::E, 1.0);
    check("s4 = -0.5", &[], &[-0.5]);
}

#[test]
fn what_is_no_number_is_none() {
    let one = |line: &str, x: f64| {
        [
            computed::<f64>(line, &[("s2", &[x])])[0],
            computed::<f32>(line, &[("s2", &[x])])[0],
        ]
    };
    for line in ["s4 = arcsin(s2)", "s4 = arccos(s2)"] {
        assert!(one(line, 1.5).iter().all(|x| x.is_nan()), "{line}");
    }
    assert!(one("s4 = log(s2)", -0.1).iter().all(|x| x.is_nan()));
    assert!(
        one("s4 = log(s2)", 0.0)
            .iter()
            .all(|x| *x == f64::NEG_INFINITY)
    );
    let divided =
        |a: f64, b: f64| computed::<f32>("s4 = s2 / s3", &[("s2", &[a]), ("s3", &[b])])[0];
    assert!(divided(0.0, 0.0).is_nan());
    assert!(divided(1.0, 0.0).is_infinite());
}

const A: [f64; 4] = [0.1, -0.1, 1.2, -10.0];
const B: [f64; 4] = [2.3, -0.3, 0.5, -0.001];

#[test]
fn vectors() {
    let two = |line: &str, a: &[f64], b: &[f64], expected: &[f64]| {
        check(line, &[("v1", a), ("v2", b)], expected);
    };
    two("v3 = v1 + v2", &A, &B, &[2.4, -0.4, 1.7, -10.001]);
    two("v3 = v1 - v2", &A, &B, &[-2.2, 0.2, 0.7, -9.999]);
    two("v3 = v1 * v2", &A, &B, &[0.23, 0.03, 0.6, 0.01]);
    two(
        "v3 = v1 / v2",
        &[7.0, -18.18, 1.0, 0.0],
        &[2.0, 3.0, 0.5, -0.5],
        &[3.5, -6.06, 2.0, 0.0],
    );
    two(
        "v3 = minimum(v1, v2)",
        &[0.5, 2.2, -2.2, 2.2],
        &[2.2, 0.5, -0.5, -0.5],
        &[0.5, 0.5, -2.2, -0.5],
    );
    two(
        "v3 = maximum(v1, v2)",
        &[0.5, 2.2, -2.2, 0.5],
        &[2.2, 0.5, -0.5, -2.2],
        &[2.2, 2.2, -0.5, 0.5],
    );
    check(
        "v3 = abs(v1)",
        &[("v1", &[0.5, 0.0, -2.2, 100.5])],
        &[0.5, 0.0, 2.2, 100.5],
    );
    check(
        "v3 = heaviside(v1, 1.0)",
        &[("v1", &[-0.01, 0.001, 0.0, -0.001])],
        &[0.0, 1.0, 0.0, 0.0],
    );
    // The third of four entries.
    check("v3[0.625] = -1.5", &[], &[0.0, 0.0, -1.5, 0.0]);
    check(
        "v3 = 1 / v1",
        &[("v1", &[1.0, 2.0, -4.0, 0.5])],
        &[1.0, 0.5, -0.25, 2.0],
    );
    check(
        "v3 = s2 * v1",
        &[("s2", &[-0.2]), ("v1", &B)],
        &[-0.46, 0.06, -0.1, 0.0002],
    );
    check("v3 = bcast(s2)", &[("s2", &[1.5])], &[1.5; 4]);
    two_to_scalar(
        "s4 = dot(v1, v2)",
        &[-0.01, 0.0, 1.3, -0.001],
        &B,
        0.627_001,
    );
    check(
        "s4 = norm(v1)",
        &[("v1", &[2.2, -0.5, 0.0, 0.01])],
        &[2.256_124_996_54],
    );
    check(
        "s4 = mean(v1)",
        &[("v1", &[-0.01, -0.2, 1.3, -0.001])],
        &[0.27225],
    );
    check(
        "s4 = std(v1)",
        &[("v1", &[2.2, -0.5, 0.0, 0.01])],
        &[1.043_919_896_35],
    );
}

fn two_to_scalar(line: &str, a: &[f64], b: &[f64], expected: f64) {
    check(line, &[("v1", a), ("v2", b)], &[expected]);
}

const M: [f64; 16] = [
    0.1, 2.5, -0.5, -2.2, //
    10.3, -0.06, 0.7, -2.1, //
    22.0, 5.0, -5.0, -22.0, //
    0.4, 19.05, -0.05, -0.22,
];
const N: [f64; 16] = [
    10.0, 2.0, -0.5, 0.003, //
    10.3, 0.06, -7.3, -8.0, //
    -28.0, 0.076, 3.0, -32.0, //
    0.4, -2.0, 0.08, -0.7,
];

#[test]
fn matrices() {
    let product = [
        39.87, 4.712, -19.976, -2.4597, //
        81.942, 24.8496, -2.78, -20.4191, //
        402.7, 87.92, -64.26, 135.466, //
        201.527, 2.3792, -139.4326, -150.6448,
    ];
    check("m2 = matmul(m0, m1)", &[("m0", &M), ("m1", &N)], &product);
    let transposed = [
        0.1, 10.3, 22.0, 0.4, //
        2.5, -0.06, 5.0, 19.05, //
        -0.5, 0.7, -5.0, -0.05, //
        -2.2, -2.1, -22.0, -0.22,
    ];
    check("m2 = transpose(m0)", &[("m0", &M)], &transposed);
    check("m0 = transpose(m0)", &[("m0", &M)], &transposed);
    check("s4 = mean(m0)", &[("m0", &M)], &[1.745]);
    check("s4 = std(m0)", &[("m0", &M)], &[9.535_252_356_387_849]);
    check(
        "v3 = mean(m0, axis=1)",
        &[("m0", &M)],
        &[-0.025, 2.21, 0.0, 4.795],
    );
    let deviations = [
        1.684_302_526_27,
        4.781_662_890_67,
        15.953_056_133_5,
        8.233_245_107_49,
    ];
    check("v3 = std(m0, axis=1)", &[("m0", &M)], &deviations);
    let m = [
        -0.2, 1.0, 0.03, 0.0, 0.0, 0.8, -0.01, 0.0, 2.0, 0.0, 2.0, 5.0, -0.001, -0.1, 2.5, -3.2,
    ];
    check(
        "v3 = dot(m0, v1)",
        &[("m0", &m), ("v1", &[0.1, -2.2, 10.0, 0.0])],
        &[-1.92, -1.86, 20.2, 25.2199],
    );
    let outer = [
        0.23, -0.03, 0.05, -0.0001, //
        -0.23, 0.03, -0.05, 0.0001, //
        2.76, -0.36, 0.6, -0.0012, //
        -23.0, 3.0, -5.0, 0.01,
    ];
    check("m2 = outer(v1, v2)", &[("v1", &A), ("v2", &B)], &outer);
    let mut set = [0.0; 16];
    set[9] = -1.5;
    check("m2[0.625, 0.375] = -1.5", &[], &set);
    let norm = [
        0.0, 0.5, -0.5, -2.2, 2.2, -0.5, 0.5, -2.2, 22.0, 5.0, -5.0, -22.0, 0.22, 0.05, -0.05,
        -0.22,
    ];
    check("s4 = norm(m0)", &[("m0", &norm)], &[32.149_989_113_528_484]);
    let rows: Vec<f64> = norm
        .chunks(4)
        .map(|row| row.iter().map(|x| x * x).sum::<f64>().sqrt())
        .collect();
    check("v3 = norm(m0, axis=1)", &[("m0", &norm)], &rows);
    let columns: Vec<f64> = (0..4)
        .map(|j| {
            norm.iter()
                .skip(j)
                .step_by(4)
                .map(|x| x * x)
                .sum::<f64>()
                .sqrt()
        })
        .collect();
    check("v3 = norm(m0, axis=0)", &[("m0", &norm)], &columns);
    let down: Vec<f64> = A.iter().flat_map(|a| [*a; 4]).collect();
    check("m2 = bcast(v1, axis=0)", &[("v1", &A)], &down);
    check("m2 = bcast(v1, axis=1)", &[("v1", &A)], &A.repeat(4));
    let each =
        |f: &dyn Fn(f64, f64) -> f64| M.iter().zip(&N).map(|(a, b)| f(*a, *b)).collect::<Vec<_>>();
    let both: [Given<'_>; 2] = [("m0", &M), ("m1", &N)];
    check("m2 = m0 + m1", &both, &each(&|a, b| a + b));
    check("m2 = m0 - m1", &both, &each(&|a, b| a - b));
    check("m2 = m0 * m1", &both, &each(&|a, b| a * b));
    check("m2 = m0 / m1", &both, &each(&|a, b| a / b));
    check("m2 = minimum(m0, m1)", &both, &each(&f64::min));
    check("m2 = maximum(m0, m1)", &both, &each(&f64::max));
    check("m2 = abs(m0)", &both, &each(&|a, _| a.abs()));
    check(
        "m2 = heaviside(m0, 1.0)",
        &both,
        &each(&|a, _| f64::from(u8::from(a > 0.0))),
    );
    check("m2 = 1 / m0", &both, &each(&|a, _| 1.0 / a));
    check(
        "m2 = s2 * m0",
        &[("s2", &[0.5]), ("m0", &M)],
        &M.map(|a| a / 2.0),
    );
}

#[test]
fn elementary_functions_are_close_to_the_system_ones() {
    type Pair = (&'static str, fn(f32) -> f32, fn(f64) -> f64);
    let pairs: [Pair; 8] = [
        ("exp", math::exp, f64::exp),
        ("ln", math::ln, f64::ln),
        ("sin", math::sin, f64::sin),
        ("cos", math::cos, f64::cos),
        ("tan", math::tan, f64::tan),
        ("asin", math::asin, f64::asin),
        ("acos", math::acos, f64::acos),
        ("atan", math::atan, f64::atan),
    ];
    for (name, own, system) in pairs {
        for step in -40_000..=40_000_i32 {
            let x = step as f32 * 0.002;
            let x = if name.starts_with('a') && name != "atan" {
                x / 80.0
            } else {
                x
            };
            let (got, expected) = (f64::from(own(x)), system(f64::from(x)));
            if expected.is_nan() {
                assert!(got.is_nan(), "{name}({x}) is {got}");
            } else if expected.is_finite() {
                let least = if name == "tan" { 1.0 } else { 0.2 };
                let tolerance = 4e-7 * expected.abs().max(least);
                assert!(
                    (got - expected).abs() <= tolerance,
                    "{name}({x}) is {got}, not {expected}"
                );
            }
        }
    }
    assert!(math::exp(200.0) >= f32::INFINITY);
    assert!(math::exp(f32::NAN).is_nan() && math::sin(f32::INFINITY).is_nan());
    assert!(math::exp(-200.0) < 1e-44, "no more than the least number");
    assert!(math::sin(3e30).abs() <= 1.0 && math::cos(-3e30).abs() <= 1.0);
}

#[test]
fn draws_have_their_distributions() {
    let n = 200_000_u32;
    let moments = |f: &dyn Fn(u32) -> f32| {
        let values: Vec<f64> = (0..n)
            .map(|i| f64::from(f(math::bits(77, math::place(3, i, 0)))))
            .collect();
        let mean = values.iter().sum::<f64>() / f64::from(n);
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        let beyond = values.iter().filter(|x| x.abs() > 1.959_964).count() as f64 / f64::from(n);
        (mean, variance, beyond)
    };
    let (mean, variance, beyond) = moments(&math::normal);
    assert!(
        mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02,
        "{mean} {variance}"
    );
    assert!((beyond - 0.05).abs() < 0.003, "{beyond} beyond 1.96");
    let (mean, variance, _) = moments(&math::uniform);
    assert!(
        (mean - 0.5).abs() < 0.003 && (variance - 1.0 / 12.0).abs() < 0.001,
        "{mean} {variance}"
    );
}

/// One task whose labels rise by a step, with features that do too.
fn rising(loss: Loss, step: f32, train: usize, valid: usize, max_error: f32) -> TaskSet {
    let examples = |count: usize| -> Labelled {
        (0..count)
            .map(|i| (vec![i as f32; 4], i as f32 * step))
            .collect()
    };
    let size = Size {
        features: 4,
        train,
        valid,
    };
    let task = Task::new(1, "rising", &examples(train), &examples(valid));
    TaskSet::new(size, Rules { loss, max_error }, 1, vec![task])
}

/// The released code's `FlipAndSquash`.
fn squashed(error: f64) -> f64 {
    1.0 - 2.0 / PI * error.atan()
}

#[test]
fn fitness_is_the_squashed_root_of_the_mean_square() {
    let tasks = rising(Loss::Squared, 0.1, 1000, 100, 1e9);
    let nothing = program("def Setup():\n");
    for fitness in [
        fitness_on(&tasks, &nothing),
        exact_fitness(&tasks, &nothing),
    ] {
        assert!(
            (fitness - squashed(5.730_181_2)).abs() < TOLERANCE,
            "{fitness}"
        );
    }
}

#[test]
fn predict_runs_for_every_example_and_learn_for_those_of_training_only() {
    let tasks = rising(Loss::Squared, 1.0, 1000, 100, 1e9);
    // The mean of the features, added up over all examples: the released code has 504450.
    let sums = program("def Predict():\n  s2 = mean(v0)\n  s1 = s2 + s1\n");
    let mut machine = Machine::<f64>::new(&sums, 4, 0);
    machine.fitness(&tasks.tasks()[0], tasks.rules, 1);
    assert!((machine.prediction() - 504_450.0).abs() < 1e-6);
    // The labels of training: 499500.
    let labels = program("def Learn():\n  s1 = s0 + s1\n");
    let mut machine = Machine::<f64>::new(&labels, 4, 0);
    machine.fitness(&tasks.tasks()[0], tasks.rules, 1);
    assert!((machine.prediction() - 499_500.0).abs() < 1e-6);
    // Predict never sees a label.
    let peeks = program("def Predict():\n  s1 = s0 + s1\n");
    let mut machine = Machine::<f64>::new(&peeks, 4, 0);
    machine.fitness(&tasks.tasks()[0], tasks.rules, 1);
    assert!(machine.prediction().abs() < 1e-12);
}

#[test]
fn classes_are_told_by_the_sign_and_what_is_no_number_fails() {
    let ones = |loss| {
        let examples =
            |count: usize| -> Labelled { (0..count).map(|_| (vec![1.0; 4], 1.0)).collect() };
        let size = Size {
            features: 4,
            train: 100,
            valid: 50,
        };
        let task = Task::new(1, "ones", &examples(100), &examples(50));
        TaskSet::new(
            size,
            Rules {
                loss,
                max_error: 100.0,
            },
            1,
            vec![task],
        )
    };
    let tasks = ones(Loss::Accuracy);
    for (line, expected) in [
        ("s1 = -3.0", 0.0),
        ("s1 = 3.0", 1.0),
        ("s2 = 1.0\n  s1 = s2 / s3", 1.0),
        ("s2 = -1.0\n  s1 = s2 / s3", 0.0),
        ("s1 = s2 / s3", 0.0),
    ] {
        let program = program(&format!("def Predict():\n  {line}\n"));
        for fitness in [
            fitness_on(&tasks, &program),
            exact_fitness(&tasks, &program),
        ] {
            assert!((fitness - expected).abs() < 1e-12, "{line}: {fitness}");
        }
    }
    // Learn sees a probability.
    let program = program("def Predict():\n  s1 = 1.0\ndef Learn():\n  s2 = s1 + s3\n");
    let mut machine = Machine::<f64>::new(&program, 4, 0);
    machine.train(tasks.tasks()[0].train(), tasks.rules, 1);
    let probability = machine.register(Kind::Scalar, 2)[0];
    assert!(
        (probability - 0.731_058_578_63).abs() < 1e-9,
        "{probability}"
    );
}

#[test]
fn errors_beyond_the_limit_end_a_task() {
    let tasks = rising(Loss::Squared, 1.0, 50, 20, 100.0);
    for (text, ends) in [
        ("def Setup():\n  s1 = 200.0\n", true),
        ("def Predict():\n  s1 = 200.0\n", true),
        ("def Learn():\n  s1 = 200.0\n", true),
        ("def Setup():\n  s1 = s2 / s3\n", true),
        ("def Learn():\n  s1 = s2 / s3\n", true),
        ("def Predict():\n  s1 = 90.0\n", false),
    ] {
        let program = program(text);
        for fitness in [
            fitness_on(&tasks, &program),
            exact_fitness(&tasks, &program),
        ] {
            assert_eq!(fitness <= 0.0, ends, "{text} has {fitness}");
        }
    }
}

#[test]
fn the_hand_made_programs_learn() {
    let linear = crate::support::tasks(4, 10, Loss::Squared, 1);
    let nothing = fitness_on(&linear, &program("def Setup():\n"));
    let text = LINEAR.replace("0.01", "0.1");
    assert!(fitness_on(&linear, &program(&text)) > nothing + 0.1);
    let classes = crate::support::tasks(4, 10, Loss::Accuracy, 1);
    let text = NETWORK.replace("0.01", "0.3");
    assert!(fitness_on(&classes, &program(&text)) > 0.7);
}
