//! Python with numpy.

use std::fmt::Write as _;

use super::super::instruction::{Instruction, Kind, Op};
use super::super::program::{Function, Program};
use super::{is_random, names, registers};

/// A class with the three functions.
pub fn write(program: &Program) -> String {
    let mut text = String::from(
        "import numpy as np\n\n\nclass Algorithm:\n    \
         \"\"\"A learning algorithm: setup once, then predict and learn, example by example.\"\"\"\n\n    \
         def __init__(self, features, rng=None):\n        self.n = features\n        \
         self.rng = np.random.default_rng() if rng is None else rng\n",
    );
    for (kind, index) in registers(program) {
        let zero = match kind {
            Kind::Scalar => "np.float64(0)",
            Kind::Vector => "np.zeros(features)",
            Kind::Matrix => "np.zeros((features, features))",
        };
        let _ = writeln!(text, "        self.{}{index} = {zero}", kind.letter());
    }
    text += "        with np.errstate(all=\"ignore\"):\n            self._setup()\n\n";
    text += "    def _setup(self):\n";
    body(&mut text, program, Function::Setup, 8);
    text += "\n    def predict(self, x):\n        self.s0 = np.float64(0)\n        \
             self.v0 = np.asarray(x, dtype=float)\n        with np.errstate(all=\"ignore\"):\n";
    body(&mut text, program, Function::Predict, 12);
    text += "        return self.s1\n\n    def learn(self, label):\n        \
             self.s0 = np.float64(label)\n        with np.errstate(all=\"ignore\"):\n";
    body(&mut text, program, Function::Learn, 12);
    if !Function::ALL.iter().any(|&of| is_random(program, of)) {
        text = text.replace(", rng=None", "").replace(
            "        self.rng = np.random.default_rng() if rng is None else rng\n",
            "",
        );
    }
    text
}

fn body(text: &mut String, program: &Program, function: Function, indent: usize) {
    let code = program.function(function);
    if code.is_empty() {
        let _ = writeln!(text, "{:indent$}pass", "");
    }
    for instruction in code {
        let _ = writeln!(text, "{:indent$}{}", "", line(instruction));
    }
}

fn line(instruction: &Instruction) -> String {
    let [out, a, b] = names(instruction);
    let [x, y, z] = instruction.data;
    let shape = match instruction.op.signature().out {
        Some(Kind::Vector) => ", self.n",
        Some(Kind::Matrix) => ", (self.n, self.n)",
        Some(Kind::Scalar) | None => "",
    };
    let place = |part: f32| format!("min(int({part:?} * self.n), self.n - 1)");
    let value = match instruction.op {
        Op::NoOp => return "pass".to_owned(),
        Op::VectorConst => return format!("{out}[{}] = {y:?}", place(x)),
        Op::MatrixConst => return format!("{out}[{}, {}] = {z:?}", place(x), place(y)),
        Op::ScalarConst => format!("np.float64({x:?})"),
        Op::ScalarGaussian | Op::VectorGaussian | Op::MatrixGaussian => {
            format!("{x:?} + {y:?} * self.rng.normal(0.0, 1.0{shape})")
        }
        Op::ScalarUniform | Op::VectorUniform | Op::MatrixUniform => {
            format!("{x:?} + {:?} * self.rng.uniform(0.0, 1.0{shape})", y - x)
        }
        op => computed(op, &a, &b),
    };
    format!("{out} = {value}")
}

fn computed(op: Op, a: &str, b: &str) -> String {
    let call = |name: &str| format!("np.{name}({a})");
    match op {
        Op::ScalarSum | Op::VectorSum | Op::MatrixSum => format!("{a} + {b}"),
        Op::ScalarDiff | Op::VectorDiff | Op::MatrixDiff => format!("{a} - {b}"),
        Op::ScalarProduct
        | Op::VectorProduct
        | Op::MatrixProduct
        | Op::ScalarVectorProduct
        | Op::ScalarMatrixProduct => format!("{a} * {b}"),
        Op::ScalarDivision | Op::VectorDivision | Op::MatrixDivision => format!("{a} / {b}"),
        Op::VectorInnerProduct | Op::MatrixVectorProduct | Op::MatrixMatrixProduct => {
            format!("{a} @ {b}")
        }
        Op::VectorOuterProduct => format!("np.outer({a}, {b})"),
        Op::ScalarMin | Op::VectorMin | Op::MatrixMin => format!("np.where({a} < {b}, {a}, {b})"),
        Op::ScalarMax | Op::VectorMax | Op::MatrixMax => format!("np.where({a} > {b}, {a}, {b})"),
        Op::ScalarReciprocal | Op::VectorReciprocal | Op::MatrixReciprocal => format!("1 / {a}"),
        Op::ScalarHeaviside => format!("np.float64({a} >= 0)"),
        Op::VectorHeaviside | Op::MatrixHeaviside => format!("({a} > 0).astype(float)"),
        Op::ScalarBroadcast => format!("np.full(self.n, {a})"),
        Op::VectorColumnBroadcast => format!("np.repeat({a}[:, None], self.n, axis=1)"),
        Op::VectorRowBroadcast => format!("np.tile({a}, (self.n, 1))"),
        Op::VectorNorm | Op::MatrixNorm => call("linalg.norm"),
        Op::MatrixColumnNorm => format!("np.linalg.norm({a}, axis=0)"),
        Op::MatrixRowNorm => format!("np.linalg.norm({a}, axis=1)"),
        Op::MatrixTranspose => format!("{a}.T.copy()"),
        Op::VectorMean | Op::MatrixMean => call("mean"),
        Op::VectorStDev | Op::MatrixStDev => call("std"),
        Op::MatrixRowMean => format!("np.mean({a}, axis=1)"),
        Op::MatrixRowStDev => format!("np.std({a}, axis=1)"),
        Op::ScalarAbs | Op::VectorAbs | Op::MatrixAbs => call("abs"),
        op => call(op.signature().name.trim_start_matches("scalar_")),
    }
}
