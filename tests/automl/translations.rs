//! Programs in other languages compute what the reference interpreter computes.

use std::fmt::Write as _;
use std::process::Command;

use vitrine::demos::automl_zero::instruction::Op;
use vitrine::demos::automl_zero::lanes::Loss;
use vitrine::demos::automl_zero::mutate::Space;
use vitrine::demos::automl_zero::program::{Function, Program};
use vitrine::demos::automl_zero::scalar::Machine;
use vitrine::demos::automl_zero::starts::NETWORK;
use vitrine::demos::automl_zero::translate::{Language, translate};
use vitrine::rng::Rng;
use vitrine::store::atomic_write;

use crate::support::{everything, program};

const FEATURES: usize = 5;
const EXAMPLES: usize = 6;

/// Programs of all operations that draw nothing.
fn programs() -> Vec<Program> {
    let mut space = everything();
    space.ops = space
        .ops
        .map(|ops| ops.into_iter().filter(|op| !op.is_random()).collect());
    space.first_len = [14, 14, 14];
    let mut rng = Rng::new(11);
    let mut all: Vec<Program> = (0..60).map(|_| space.random_program(&mut rng)).collect();
    // Every operation once, in the prediction.
    let ops = space.ops[0].iter().filter(|op| **op != Op::NoOp);
    all.extend(ops.map(|&op| alone(op, &space, &mut rng)));
    all
}

/// A program whose prediction depends on one operation.
fn alone(op: Op, space: &Space, rng: &mut Rng) -> Program {
    let space = Space {
        ops: [Vec::new(), vec![op], Vec::new()],
        first_len: [0, 1, 0],
        ..space.clone()
    };
    let text = vitrine::demos::automl_zero::text::print(&space.random_program(rng));
    let body = text.lines().nth(2).unwrap_or_default().trim();
    let name = body.split([' ', '[']).next().unwrap_or_default();
    let read = match name.chars().next() {
        Some('v') => format!("s1 = norm({name})"),
        Some('m') => format!("v3 = dot({name}, v0)\n  s1 = mean(v3)"),
        _ => format!("s1 = s1 + {name}"),
    };
    program(&format!(
        "def Setup():\n  s2 = 0.3\n  s3 = -0.7\n  s4 = 1.5\n  v1[0.3] = 0.8\n  v2[0.7] = -2.0\n  \
         m1[0.1, 0.5] = 0.4\n  m2[0.9, 0.2] = -1.1\ndef Predict():\n  {body}\n  {read}\n\
         def Learn():\n  m0 = outer(v0, v2)\n  v1 = s0 * v0\n"
    ))
}

fn examples() -> Vec<([f64; FEATURES], f64)> {
    let mut rng = Rng::new(4);
    let mut number = || f64::from(rng.normal() as f32);
    (0..EXAMPLES)
        .map(|_| (std::array::from_fn(|_| number()), number()))
        .collect()
}

/// What the reference interpreter predicts.
fn expected(program: &Program) -> Vec<f64> {
    let mut machine = Machine::<f64>::new(program, FEATURES, 0);
    machine.run(Function::Setup, 0, |_, _| {});
    let learn = |(step, (x, label)): (usize, ([f64; FEATURES], f64))| {
        machine.show(&x.map(|x| x as f32));
        machine.run(Function::Predict, step as u32 + 1, |_, _| {});
        let predicted = machine.prediction();
        machine.meet(label as f32, Loss::Squared);
        machine.run(Function::Learn, step as u32 + 1, |_, _| {});
        predicted
    };
    examples().into_iter().enumerate().map(learn).collect()
}

fn compare(output: &str, all: &[Program], language: Language) {
    let mut lines = output.lines();
    for program in all {
        for (at, expected) in expected(program).into_iter().enumerate() {
            let line = lines.next().unwrap_or("nothing");
            let found: f64 = line.trim().parse().unwrap_or_else(|_| panic!("{line}"));
            let same = if expected.is_finite() {
                (found - expected).abs() <= 1e-6 * expected.abs().max(1e-3)
            } else {
                // Which of what is no number may differ where infinities meet.
                !found.is_finite()
            };
            assert!(
                same,
                "{language:?}, example {at}: {found} for {expected} of\n{}\n{}",
                translate(program, Language::Text),
                translate(program, language)
            );
        }
    }
}

#[test]
fn rust_computes_the_same() {
    let all = programs();
    let mut source = String::new();
    for (index, program) in all.iter().enumerate() {
        let code = translate(program, Language::Rust);
        let _ = writeln!(source, "mod p{index} {{\n{code}}}");
    }
    // What draws numbers has to compile as well.
    let _ = writeln!(
        source,
        "mod drawing {{\n{}}}",
        translate(&program(NETWORK), Language::Rust)
    );
    let _ = writeln!(source, "struct Half;\nimpl drawing::Draw for Half {{");
    let _ = writeln!(
        source,
        "fn normal(&mut self) -> f64 {{ 0.5 }}\nfn uniform(&mut self) -> f64 {{ 0.5 }}\n}}"
    );
    let _ = writeln!(source, "fn main() {{\nlet examples = {:?};", examples());
    for index in 0..all.len() {
        let _ = writeln!(
            source,
            "let mut a = p{index}::Algorithm::<{FEATURES}>::new();\n\
             for (x, y) in &examples {{ println!(\"{{:e}}\", a.predict(x)); a.learn(*y); }}"
        );
    }
    let _ = writeln!(
        source,
        "let mut a = drawing::Algorithm::<{FEATURES}>::new(&mut Half);\n\
         for (x, y) in &examples {{ println!(\"{{:e}}\", a.predict(x)); a.learn(*y); }}\n}}"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("all.rs");
    atomic_write(&path, source.as_bytes()).expect("written");
    let binary = folder.path().join("all");
    let compiled = Command::new("rustc")
        .args(["--edition=2024", "-Adead_code", "-Awarnings", "-o"])
        .arg(&binary)
        .arg(&path)
        .output()
        .expect("rustc");
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let ran = Command::new(&binary).output().expect("it runs");
    let output = String::from_utf8(ran.stdout).expect("text");
    compare(&output, &all, Language::Rust);
    assert_eq!(output.lines().count(), (all.len() + 1) * EXAMPLES);
}

#[test]
fn python_computes_the_same() {
    let has_numpy = Command::new("python3")
        .args(["-c", "import numpy"])
        .status();
    if !has_numpy.is_ok_and(|status| status.success()) {
        println!("skipped: there is no numpy");
        return;
    }
    let all = programs();
    let mut source = String::new();
    let list = examples();
    let rows: Vec<String> = list
        .iter()
        .map(|(x, y)| format!("({x:?}, {y:?})"))
        .collect();
    let _ = writeln!(source, "examples = [{}]", rows.join(", "));
    for program in all.iter().chain([&program(NETWORK)]) {
        source += &translate(program, Language::Python);
        let _ = writeln!(
            source,
            "\n\na = Algorithm({FEATURES})\nfor x, y in examples:\n    print(repr(float(a.predict(x))))\n    a.learn(y)\n"
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("all.py");
    atomic_write(&path, source.as_bytes()).expect("written");
    let ran = Command::new("python3")
        .arg(&path)
        .output()
        .expect("it runs");
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let output = String::from_utf8(ran.stdout).expect("text");
    compare(&output, &all, Language::Python);
    assert_eq!(output.lines().count(), (all.len() + 1) * EXAMPLES);
}
