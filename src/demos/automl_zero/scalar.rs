//! The reference interpreter: one task, one number at a time, said as plainly as possible.
//!
//! It runs in `f32`, where the lanes must have its bits, and in `f64`, in which winners are
//! checked. Unlike the lanes it runs dead code too, so comparing both also tests what is left out.

use super::analysis::Analysis;
use super::compile::entry;
use super::instruction::{Instruction, Kind, MAX_REGISTERS, Op};
use super::lanes::Loss;
use super::math;
use super::program::{Function, Program};
use super::task::Task;

/// The numbers that a program computes with.
pub trait Real: Copy + PartialOrd {
    /// A constant.
    #[must_use]
    fn from_f32(x: f32) -> Self;
    /// For reports.
    fn to_f64(self) -> f64;
    /// `self + other`.
    #[must_use]
    fn add(self, other: Self) -> Self;
    /// `self - other`.
    #[must_use]
    fn sub(self, other: Self) -> Self;
    /// `self * other`.
    #[must_use]
    fn mul(self, other: Self) -> Self;
    /// `self / other`.
    #[must_use]
    fn div(self, other: Self) -> Self;
    /// `self * by + plus`, rounded once.
    #[must_use]
    fn mul_add(self, by: Self, plus: Self) -> Self;
    /// The size.
    #[must_use]
    fn abs(self) -> Self;
    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// A function of the elementary ones; what it is not given for is not a number.
    #[must_use]
    fn elementary(self, op: Op) -> Self;
    /// The logistic function.
    #[must_use]
    fn sigmoid(self) -> Self;
}

impl Real for f32 {
    fn from_f32(x: f32) -> Self {
        x
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    fn add(self, other: Self) -> Self {
        self + other
    }
    fn sub(self, other: Self) -> Self {
        self - other
    }
    fn mul(self, other: Self) -> Self {
        self * other
    }
    fn div(self, other: Self) -> Self {
        self / other
    }
    fn mul_add(self, by: Self, plus: Self) -> Self {
        f32::mul_add(self, by, plus)
    }
    fn abs(self) -> Self {
        f32::abs(self)
    }
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    fn elementary(self, op: Op) -> Self {
        match op {
            Op::ScalarSin => math::sin(self),
            Op::ScalarCos => math::cos(self),
            Op::ScalarTan => math::tan(self),
            Op::ScalarArcSin => math::asin(self),
            Op::ScalarArcCos => math::acos(self),
            Op::ScalarArcTan => math::atan(self),
            Op::ScalarExp => math::exp(self),
            Op::ScalarLog => math::ln(self),
            _ => f32::NAN,
        }
    }
    fn sigmoid(self) -> Self {
        math::sigmoid(self)
    }
}

impl Real for f64 {
    fn from_f32(x: f32) -> Self {
        f64::from(x)
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn add(self, other: Self) -> Self {
        self + other
    }
    fn sub(self, other: Self) -> Self {
        self - other
    }
    fn mul(self, other: Self) -> Self {
        self * other
    }
    fn div(self, other: Self) -> Self {
        self / other
    }
    fn mul_add(self, by: Self, plus: Self) -> Self {
        f64::mul_add(self, by, plus)
    }
    fn abs(self) -> Self {
        f64::abs(self)
    }
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    fn elementary(self, op: Op) -> Self {
        match op {
            Op::ScalarSin => self.sin(),
            Op::ScalarCos => self.cos(),
            Op::ScalarTan => self.tan(),
            Op::ScalarArcSin => self.asin(),
            Op::ScalarArcCos => self.acos(),
            Op::ScalarArcTan => self.atan(),
            Op::ScalarExp => self.exp(),
            Op::ScalarLog => self.ln(),
            _ => f64::NAN,
        }
    }
    fn sigmoid(self) -> Self {
        1.0 / (1.0 + (-self).exp())
    }
}

/// A program at work on one task.
#[derive(Clone, Debug)]
pub struct Machine<'a, R> {
    program: &'a Program,
    keys: [Vec<u32>; 3],
    features: usize,
    seed: u32,
    scalars: Vec<R>,
    vectors: Vec<R>,
    matrices: Vec<R>,
}

/// How examples went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome<R> {
    /// The squares of the errors, or the number of wrong classes.
    pub sum: R,
    /// Whether every prediction was a number and not too far off.
    pub going: bool,
}

impl<'a, R: Real> Machine<'a, R> {
    /// Empty memory for examples of `features` numbers; `seed` is that of the task.
    #[must_use]
    pub fn new(program: &'a Program, features: usize, seed: u32) -> Self {
        let analysis = Analysis::of(program);
        let registers = usize::from(MAX_REGISTERS);
        let zero = R::from_f32(0.0);
        Self {
            program,
            keys: Function::ALL.map(|function| {
                (0..program.len_of(function))
                    .map(|index| analysis.draw_key(program, function, index))
                    .collect()
            }),
            features,
            seed,
            scalars: vec![zero; registers],
            vectors: vec![zero; registers * features],
            matrices: vec![zero; registers * features * features],
        }
    }

    /// The numbers of a register: 1, as many as features, or their square, row after row.
    #[must_use]
    pub fn register(&self, kind: Kind, index: u8) -> &[R] {
        let size = self.size(kind);
        let at = usize::from(index) * size;
        match kind {
            Kind::Scalar => &self.scalars[at..at + size],
            Kind::Vector => &self.vectors[at..at + size],
            Kind::Matrix => &self.matrices[at..at + size],
        }
    }

    /// The same, to set them.
    pub fn register_mut(&mut self, kind: Kind, index: u8) -> &mut [R] {
        let size = self.size(kind);
        let at = usize::from(index) * size;
        match kind {
            Kind::Scalar => &mut self.scalars[at..at + size],
            Kind::Vector => &mut self.vectors[at..at + size],
            Kind::Matrix => &mut self.matrices[at..at + size],
        }
    }

    fn size(&self, kind: Kind) -> usize {
        match kind {
            Kind::Scalar => 1,
            Kind::Vector => self.features,
            Kind::Matrix => self.features * self.features,
        }
    }

    /// What the program predicts now.
    #[must_use]
    pub fn prediction(&self) -> R {
        self.scalars[1]
    }

    /// Sets the features, with the label hidden.
    pub fn show(&mut self, features: &[f32]) {
        for (place, &x) in self.register_mut(Kind::Vector, 0).iter_mut().zip(features) {
            *place = R::from_f32(x);
        }
        self.scalars[0] = R::from_f32(0.0);
    }

    /// Sets the label after a prediction, which becomes a probability where classes are learnt.
    pub fn meet(&mut self, label: f32, loss: Loss) {
        if loss == Loss::Accuracy {
            self.scalars[1] = self.scalars[1].sigmoid();
        }
        self.scalars[0] = R::from_f32(label);
    }

    /// Runs a function for the `step`th time, counted over all functions of the loop; `watch` sees
    /// what each instruction wrote.
    pub fn run(&mut self, function: Function, step: u32, mut watch: impl FnMut(usize, &[R])) {
        let program = self.program;
        for (index, instruction) in program.function(function).iter().enumerate() {
            let key = self.keys[function as usize][index];
            self.execute(instruction, key, step);
            if let Some(kind) = instruction.op.signature().out {
                watch(index, self.register(kind, instruction.out));
            }
        }
    }

    /// Learns from examples as the lanes do; `first_step` counts the runs before them.
    pub fn train(&mut self, examples: Examples<'_>, rules: Rules, first_step: u32) -> Outcome<R> {
        self.pass(examples, rules, first_step, true, |_| {})
    }

    /// Predicts examples as the lanes do; `see` gets every prediction.
    pub fn validate(
        &mut self,
        examples: Examples<'_>,
        rules: Rules,
        first_step: u32,
        see: impl FnMut(R),
    ) -> Outcome<R> {
        self.pass(examples, rules, first_step, false, see)
    }

    fn pass(
        &mut self,
        examples: Examples<'_>,
        rules: Rules,
        first_step: u32,
        learn: bool,
        mut see: impl FnMut(R),
    ) -> Outcome<R> {
        let mut outcome = Outcome {
            sum: R::from_f32(0.0),
            going: true,
        };
        let rows = examples.features.chunks_exact(self.features);
        for (index, (features, &label)) in rows.zip(examples.labels).enumerate() {
            let step = first_step.wrapping_add(index as u32);
            self.show(features);
            self.run(Function::Predict, step, |_, _| {});
            let predicted = self.prediction();
            see(predicted);
            let (loss, fine) = rules.judge(predicted, label);
            outcome.sum = match rules.loss {
                Loss::Squared => loss.mul_add(loss, outcome.sum),
                Loss::Accuracy => outcome.sum.add(loss),
            };
            outcome.going &= fine;
            if learn {
                self.meet(label, rules.loss);
                self.run(Function::Learn, step, |_, _| {});
            }
        }
        outcome
    }

    /// The fitness of the program on a task, from 0 to 1, by the protocol of the search.
    pub fn fitness(&mut self, task: &Task, rules: Rules, epochs: u32) -> f64 {
        self.run(Function::Setup, 0, |_, _| {});
        let (train, valid) = (task.train(), task.valid());
        let mut best = 0.0_f64;
        let mut step = 1;
        for _ in 0..epochs {
            let going = self.train(train, rules, step).going;
            step += train.labels.len() as u32;
            let outcome = self.validate(valid, rules, step, |_| {});
            step += valid.labels.len() as u32;
            if !going || !outcome.going {
                break;
            }
            best = best.max(rules.fitness(outcome.sum.to_f64(), valid.labels.len()));
        }
        best
    }

    fn copy(&self, kind: Kind, index: u8) -> Vec<R> {
        self.register(kind, index).to_vec()
    }

    fn put(&mut self, kind: Kind, index: u8, values: &[R]) {
        self.register_mut(kind, index).copy_from_slice(values);
    }

    fn execute(&mut self, instruction: &Instruction, key: u32, step: u32) {
        let signature = instruction.op.signature();
        let Some(out) = signature.out else {
            return;
        };
        let mut ins = signature
            .ins
            .iter()
            .zip(instruction.ins)
            .map(|(&kind, index)| self.copy(kind, index));
        let (a, b) = (
            ins.next().unwrap_or_default(),
            ins.next().unwrap_or_default(),
        );
        if instruction.op.is_partial() {
            let (entry, value) = entry(instruction, self.features);
            self.register_mut(out, instruction.out)[entry] = R::from_f32(value);
            return;
        }
        let values = if instruction.op.is_random() {
            self.drawn(instruction, self.size(out), key, step)
        } else {
            compute(instruction, &a, &b, self.features)
        };
        self.put(out, instruction.out, &values);
    }

    fn drawn(&self, instruction: &Instruction, count: usize, key: u32, step: u32) -> Vec<R> {
        let [x, y, _] = instruction.data;
        let uniform = matches!(
            instruction.op,
            Op::ScalarUniform | Op::VectorUniform | Op::MatrixUniform
        );
        (0..count)
            .map(|entry| {
                let bits = math::bits(self.seed, math::place(key, step, entry as u32));
                R::from_f32(if uniform {
                    (y - x).mul_add(math::uniform(bits), x)
                } else {
                    y.mul_add(math::normal(bits), x)
                })
            })
            .collect()
    }
}

/// Examples of a task.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    /// Their features, one example after the other.
    pub features: &'a [f32],
    /// Their labels.
    pub labels: &'a [f32],
}

/// How predictions are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// What they are compared by.
    pub loss: Loss,
    /// An error beyond it ends the task.
    pub max_error: f32,
}

impl Rules {
    /// The loss of a prediction before it is squared, and whether the task goes on.
    fn judge<R: Real>(self, predicted: R, label: f32) -> (R, bool) {
        match self.loss {
            Loss::Squared => {
                let error = R::from_f32(label).sub(predicted);
                (error, error.abs() <= R::from_f32(self.max_error))
            }
            Loss::Accuracy => {
                let right = (label > 0.5) == (predicted > R::from_f32(0.0));
                (
                    R::from_f32(if right { 0.0 } else { 1.0 }),
                    !predicted.to_f64().is_nan(),
                )
            }
        }
    }

    /// The fitness of `count` predictions with losses of this sum: 1 is perfect, 0 the worst.
    #[must_use]
    pub fn fitness(self, sum: f64, count: usize) -> f64 {
        let mean = sum / count.max(1) as f64;
        match self.loss {
            Loss::Squared if mean.is_finite() => {
                1.0 - std::f64::consts::FRAC_2_PI * mean.sqrt().atan()
            }
            Loss::Accuracy if mean.is_finite() => 1.0 - mean,
            _ => 0.0,
        }
    }
}

fn dot<R: Real>(a: impl Iterator<Item = R>, b: impl Iterator<Item = R>) -> R {
    a.zip(b)
        .fold(R::from_f32(0.0), |sum, (a, b)| a.mul_add(b, sum))
}

fn norm<R: Real>(a: impl Iterator<Item = R> + Clone) -> R {
    dot(a.clone(), a).sqrt()
}

fn mean<R: Real>(a: &[R]) -> R {
    let sum = a.iter().fold(R::from_f32(0.0), |sum, &a| sum.add(a));
    sum.div(R::from_f32(a.len() as f32))
}

fn deviation<R: Real>(a: &[R]) -> R {
    let mean = mean(a);
    let squares = dot(a.iter().copied(), a.iter().copied());
    let zero = R::from_f32(0.0);
    mean.mul_add(zero.sub(mean), squares.div(R::from_f32(a.len() as f32)))
        .sqrt()
}

/// What an instruction that draws nothing writes, from copies of what it reads.
fn compute<R: Real>(instruction: &Instruction, a: &[R], b: &[R], n: usize) -> Vec<R> {
    let (zero, one) = (R::from_f32(0.0), R::from_f32(1.0));
    let map = |f: &dyn Fn(R) -> R| a.iter().map(|&a| f(a)).collect::<Vec<R>>();
    let zip = |f: &dyn Fn(R, R) -> R| a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect::<Vec<R>>();
    let column = |m: &[R], j: usize| m.iter().skip(j).step_by(n).copied().collect::<Vec<R>>();
    match instruction.op {
        Op::ScalarSum | Op::VectorSum | Op::MatrixSum => zip(&R::add),
        Op::ScalarDiff | Op::VectorDiff | Op::MatrixDiff => zip(&R::sub),
        Op::ScalarProduct | Op::VectorProduct | Op::MatrixProduct => zip(&R::mul),
        Op::ScalarDivision | Op::VectorDivision | Op::MatrixDivision => zip(&R::div),
        Op::ScalarMin | Op::VectorMin | Op::MatrixMin => zip(&|a, b| if a < b { a } else { b }),
        Op::ScalarMax | Op::VectorMax | Op::MatrixMax => zip(&|a, b| if a > b { a } else { b }),
        Op::ScalarAbs | Op::VectorAbs | Op::MatrixAbs => map(&R::abs),
        Op::ScalarReciprocal | Op::VectorReciprocal | Op::MatrixReciprocal => map(&|a| one.div(a)),
        // At 0 the released code has 1 for a scalar and 0 for the entries of the others.
        Op::ScalarHeaviside => map(&|a| if a >= zero { one } else { zero }),
        Op::VectorHeaviside | Op::MatrixHeaviside => map(&|a| if a > zero { one } else { zero }),
        Op::ScalarVectorProduct | Op::ScalarMatrixProduct => {
            b.iter().map(|&b| a[0].mul(b)).collect()
        }
        Op::ScalarBroadcast => vec![a[0]; n],
        Op::VectorColumnBroadcast => a.iter().flat_map(|&a| vec![a; n]).collect(),
        Op::VectorRowBroadcast => a.repeat(n),
        Op::VectorInnerProduct => vec![dot(a.iter().copied(), b.iter().copied())],
        Op::VectorOuterProduct => a
            .iter()
            .flat_map(|&a| b.iter().map(move |&b| a.mul(b)))
            .collect(),
        Op::VectorNorm | Op::MatrixNorm => vec![norm(a.iter().copied())],
        Op::MatrixRowNorm => a.chunks(n).map(|row| norm(row.iter().copied())).collect(),
        Op::MatrixColumnNorm => (0..n).map(|j| norm(column(a, j).into_iter())).collect(),
        Op::MatrixVectorProduct => a
            .chunks(n)
            .map(|row| dot(row.iter().copied(), b.iter().copied()))
            .collect(),
        Op::MatrixMatrixProduct => {
            let entry =
                |i: usize, j| dot(a[i * n..][..n].iter().copied(), column(b, j).into_iter());
            (0..n * n).map(|at| entry(at / n, at % n)).collect()
        }
        Op::MatrixTranspose => (0..n).flat_map(|j| column(a, j)).collect(),
        Op::VectorMean | Op::MatrixMean => vec![mean(a)],
        Op::VectorStDev | Op::MatrixStDev => vec![deviation(a)],
        Op::MatrixRowMean => a.chunks(n).map(mean).collect(),
        Op::MatrixRowStDev => a.chunks(n).map(deviation).collect(),
        Op::ScalarConst => vec![R::from_f32(instruction.data[0])],
        op => map(&|a| a.elementary(op)),
    }
}
