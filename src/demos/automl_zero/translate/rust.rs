//! Rust without crates.

use std::fmt::Write as _;

use super::super::instruction::{Instruction, Kind, Op};
use super::super::program::{Function, Program};
use super::{is_random, names, registers};

const RANDOM: &str = "\
/// Where random numbers come from.
pub trait Draw {
    /// A standard normal number.
    fn normal(&mut self) -> f64;
    /// A number between 0 and 1.
    fn uniform(&mut self) -> f64;
}

";

/// A type with the three functions, for examples of `N` features.
pub fn write(program: &Program) -> String {
    let draws = Function::ALL.map(|function| is_random(program, function));
    let mut text = String::from("use std::array::from_fn;\n\n");
    if draws.contains(&true) {
        text += RANDOM;
    }
    text += "/// A learning algorithm: `new` once, then `predict` and `learn`, example by example.\n\
             pub struct Algorithm<const N: usize> {\n";
    for (kind, index) in registers(program) {
        let name = match kind {
            Kind::Scalar => "f64",
            Kind::Vector => "[f64; N]",
            Kind::Matrix => "[[f64; N]; N]",
        };
        let _ = writeln!(text, "    {}{index}: {name},", kind.letter());
    }
    text += "}\n\nimpl<const N: usize> Algorithm<N> {\n";
    let source = |function: Function, before: &str| {
        if draws[function as usize] {
            format!("{before}draw: &mut impl Draw")
        } else {
            String::new()
        }
    };
    let _ = writeln!(
        text,
        "    pub fn new({}) -> Self {{\n        let mut algorithm = Self {{",
        source(Function::Setup, "")
    );
    for (kind, index) in registers(program) {
        let zero = match kind {
            Kind::Scalar => "0.0",
            Kind::Vector => "[0.0; N]",
            Kind::Matrix => "[[0.0; N]; N]",
        };
        let _ = writeln!(text, "            {}{index}: {zero},", kind.letter());
    }
    let call = if draws[0] { "draw" } else { "" };
    let _ = writeln!(
        text,
        "        }};\n        algorithm.setup({call});\n        algorithm\n    }}\n\n    \
         fn setup(&mut self{}) {{",
        source(Function::Setup, ", ")
    );
    body(&mut text, program, Function::Setup);
    let _ = writeln!(
        text,
        "    }}\n\n    pub fn predict(&mut self, x: &[f64; N]{}) -> f64 {{\n        \
         self.s0 = 0.0;\n        self.v0 = *x;",
        source(Function::Predict, ", ")
    );
    body(&mut text, program, Function::Predict);
    let _ = writeln!(
        text,
        "        self.s1\n    }}\n\n    pub fn learn(&mut self, label: f64{}) {{\n        \
         self.s0 = label;",
        source(Function::Learn, ", ")
    );
    body(&mut text, program, Function::Learn);
    text += "    }\n}\n";
    if !text.contains("from_fn(") {
        text = text.replace("use std::array::from_fn;\n\n", "");
    }
    text
}

fn body(text: &mut String, program: &Program, function: Function) {
    for instruction in program.function(function) {
        let line = line(instruction);
        if !line.is_empty() {
            let _ = writeln!(text, "        {line}");
        }
    }
}

fn line(instruction: &Instruction) -> String {
    let [out, a, b] = names(instruction);
    let [x, y, z] = instruction.data;
    let place = |part: f32| format!("((({part:?}_f64) * N as f64) as usize).min(N - 1)");
    let kind = instruction.op.signature().out;
    let every = |entry: String| match kind {
        Some(Kind::Vector) => format!("from_fn(|_| {entry})"),
        Some(Kind::Matrix) => format!("from_fn(|_| from_fn(|_| {entry}))"),
        Some(Kind::Scalar) | None => entry,
    };
    let value = match instruction.op {
        Op::NoOp => return String::new(),
        Op::VectorConst => return format!("{out}[{}] = {y:?};", place(x)),
        Op::MatrixConst => return format!("{out}[{}][{}] = {z:?};", place(x), place(y)),
        Op::ScalarConst => format!("{x:?}"),
        Op::ScalarGaussian | Op::VectorGaussian | Op::MatrixGaussian => {
            every(format!("{x:?} + {y:?} * draw.normal()"))
        }
        Op::ScalarUniform | Op::VectorUniform | Op::MatrixUniform => {
            every(format!("{x:?} + {:?} * draw.uniform()", y - x))
        }
        op => computed(op, kind, &a, &b),
    };
    format!("{out} = {value};")
}

fn computed(op: Op, kind: Option<Kind>, a: &str, b: &str) -> String {
    // An expression for every entry, out of the entries of `a` and `b`.
    let at = match kind {
        Some(Kind::Vector) => "[i]",
        Some(Kind::Matrix) => "[i][j]",
        Some(Kind::Scalar) | None => "",
    };
    let every = |entry: String| match kind {
        Some(Kind::Vector) => format!("from_fn(|i| {entry})"),
        Some(Kind::Matrix) => format!("from_fn(|i| from_fn(|j| {entry}))"),
        Some(Kind::Scalar) | None => entry,
    };
    let between = |sign: &str| every(format!("{a}{at} {sign} {b}{at}"));
    let all = format!("{a}.as_flattened().iter()");
    let squares = |values: &str| format!("{values}.map(|x| x * x).sum::<f64>().sqrt()");
    let deviation = |values: &str, count: &str| {
        format!(
            "{{ let m = {values}.sum::<f64>() / {count}; \
             ({values}.map(|x| (x - m) * (x - m)).sum::<f64>() / {count}).sqrt() }}"
        )
    };
    let (one, row, column) = (
        format!("{a}.iter()"),
        format!("{a}[i].iter()"),
        format!("(0..N).map(|k| {a}[k][i])"),
    );
    let (n, square) = ("N as f64", "(N * N) as f64");
    match op {
        Op::ScalarSum | Op::VectorSum | Op::MatrixSum => between("+"),
        Op::ScalarDiff | Op::VectorDiff | Op::MatrixDiff => between("-"),
        Op::ScalarProduct | Op::VectorProduct | Op::MatrixProduct => between("*"),
        Op::ScalarDivision | Op::VectorDivision | Op::MatrixDivision => between("/"),
        Op::ScalarVectorProduct | Op::ScalarMatrixProduct => every(format!("{a} * {b}{at}")),
        Op::VectorInnerProduct => format!("(0..N).map(|i| {a}[i] * {b}[i]).sum()"),
        Op::VectorOuterProduct => every(format!("{a}[i] * {b}[j]")),
        Op::MatrixVectorProduct => every(format!("(0..N).map(|k| {a}[i][k] * {b}[k]).sum()")),
        Op::MatrixMatrixProduct => every(format!("(0..N).map(|k| {a}[i][k] * {b}[k][j]).sum()")),
        Op::ScalarMin | Op::VectorMin | Op::MatrixMin => every(format!(
            "if {a}{at} < {b}{at} {{ {a}{at} }} else {{ {b}{at} }}"
        )),
        Op::ScalarMax | Op::VectorMax | Op::MatrixMax => every(format!(
            "if {a}{at} > {b}{at} {{ {a}{at} }} else {{ {b}{at} }}"
        )),
        Op::ScalarReciprocal | Op::VectorReciprocal | Op::MatrixReciprocal => {
            every(format!("1.0 / {a}{at}"))
        }
        Op::ScalarHeaviside => format!("if {a} >= 0.0 {{ 1.0 }} else {{ 0.0 }}"),
        Op::VectorHeaviside | Op::MatrixHeaviside => {
            every(format!("if {a}{at} > 0.0 {{ 1.0 }} else {{ 0.0 }}"))
        }
        Op::VectorColumnBroadcast => format!("from_fn(|i| [{a}[i]; N])"),
        Op::ScalarBroadcast | Op::VectorRowBroadcast => format!("[{a}; N]"),
        Op::VectorNorm => squares(&one),
        Op::MatrixNorm => squares(&all),
        Op::MatrixRowNorm => every(squares(&row)),
        Op::MatrixColumnNorm => every(squares(&column)),
        Op::MatrixTranspose => every(format!("{a}[j][i]")),
        Op::VectorMean => format!("{one}.sum::<f64>() / {n}"),
        Op::MatrixMean => format!("{all}.sum::<f64>() / {square}"),
        Op::MatrixRowMean => every(format!("{row}.sum::<f64>() / {n}")),
        Op::VectorStDev => deviation(&one, n),
        Op::MatrixStDev => deviation(&all, square),
        Op::MatrixRowStDev => every(deviation(&row, n)),
        op => {
            let name = op.signature().name;
            let method = name.rsplit('_').next().unwrap_or(name);
            let method = match method {
                "arcsin" => "asin",
                "arccos" => "acos",
                "arctan" => "atan",
                "log" => "ln",
                other => other,
            };
            every(format!("{a}{at}.{method}()"))
        }
    }
}
