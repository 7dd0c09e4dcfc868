//! What the lines of a program mean, read off the data flow.
//!
//! Every register has a part to play: the label, the features, weights, an error, a gradient. The
//! parts are followed through `Setup` and some rounds of `Predict` and `Learn`; what an instruction
//! makes of the parts it reads is looked up by its operation. What fits nothing known is said
//! plainly, as what is computed out of what. It is a reading, not a proof: two programs that
//! compute the same may be read differently.

use super::analysis::Analysis;
use super::instruction::{Instruction, Kind, MAX_REGISTERS, Op};
use super::program::{Function, Program};

/// Rounds of `Predict` and `Learn`, until parts no longer change: weights are weights from the
/// second round on, what is made of them from the third.
const ROUNDS: usize = 4;

/// What a register holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Nothing but zeros.
    #[default]
    Nothing,
    /// What is to be learnt.
    Label,
    /// What is given.
    Features,
    /// Features with noise.
    NoisyFeatures,
    /// What the program answers.
    Prediction,
    /// Set by a line of `Setup`, its number.
    Constant(u8),
    /// Random numbers.
    Noise,
    /// What learning changes step by step.
    Weights,
    /// A sum of weights over time.
    AveragedWeights,
    /// A matrix times the features.
    Hidden,
    /// Hidden units after the `ReLU`.
    Active,
    /// Which hidden units are on.
    Mask,
    /// How far a prediction was off.
    Error,
    /// A gradient, or its product with a rate.
    Gradient,
    /// An error times hidden units: the gradient by the output weights.
    UnitGradient,
    /// An error carried back to the hidden units.
    HiddenError,
    /// The length of a gradient.
    GradientNorm,
    /// Something else.
    Other,
}

impl Part {
    fn noun(self, register: &str) -> String {
        let noun = match self {
            Self::Nothing => "zero",
            Self::Label => "the label",
            Self::Features => "the features",
            Self::NoisyFeatures => "the noisy features",
            Self::Prediction => "the prediction",
            Self::Constant(_) => "a constant",
            Self::Noise => "random numbers",
            Self::Weights => "the weights",
            Self::AveragedWeights => "the averaged weights",
            Self::Hidden => "the hidden units",
            Self::Active => "the active hidden units",
            Self::Mask => "which units are on",
            Self::Error => "the error",
            Self::Gradient => "the gradient",
            Self::UnitGradient => "the output weights' gradient",
            Self::HiddenError => "the hidden units' error",
            Self::GradientNorm => "the gradient's length",
            Self::Other => register,
        };
        noun.to_owned()
    }

    fn is_input(self) -> bool {
        matches!(self, Self::Features | Self::NoisyFeatures)
    }

    fn is_unit(self) -> bool {
        matches!(self, Self::Hidden | Self::Active)
    }

    /// What weights are made of: learnt, or drawn and not learnt yet.
    fn is_weights(self) -> bool {
        matches!(self, Self::Weights | Self::AveragedWeights | Self::Noise)
    }

    /// What may be added to weights as a step.
    fn is_step(self) -> bool {
        matches!(
            self,
            Self::Error | Self::Gradient | Self::UnitGradient | Self::HiddenError
        )
    }
}

/// The meaning of every instruction of a program, function by function; none for what is dead.
#[must_use]
pub fn meanings(program: &Program) -> [Vec<Option<String>>; 3] {
    let analysis = Analysis::of(program);
    let mut reader = Reader {
        parts: [[Part::Nothing; MAX_REGISTERS as usize]; 3],
        rates: 0,
    };
    let mut texts = Function::ALL.map(|function| vec![None; program.len_of(function)]);
    let mut read = |reader: &mut Reader, function: Function| {
        let live = analysis.live[function as usize];
        let last = last_prediction(program, live, function);
        for (index, instruction) in program.function(function).iter().enumerate() {
            if live >> index & 1 == 1 {
                let text = reader.follow(instruction, (function, index), last == Some(index));
                texts[function as usize][index] = Some(text);
            }
        }
    };
    reader.set(Kind::Vector, 0, Part::Features);
    read(&mut reader, Function::Setup);
    for _ in 0..ROUNDS {
        reader.set(Kind::Scalar, 0, Part::Nothing);
        read(&mut reader, Function::Predict);
        reader.set(Kind::Scalar, 0, Part::Label);
        reader.set(Kind::Scalar, 1, Part::Prediction);
        read(&mut reader, Function::Learn);
    }
    for (index, text) in texts[Function::Setup as usize].iter_mut().enumerate() {
        if reader.rates >> index & 1 == 1 && text.is_some() {
            *text = Some("the learning rate".to_owned());
        }
    }
    texts
}

/// The live instruction of `Predict` that writes the prediction last.
fn last_prediction(program: &Program, live: u64, function: Function) -> Option<usize> {
    let code = program.function(function);
    let writes = |index: &usize| {
        let instruction = &code[*index];
        live >> index & 1 == 1
            && instruction.out == 1
            && instruction.op.signature().out == Some(Kind::Scalar)
    };
    (function == Function::Predict)
        .then(|| (0..code.len()).rev().find(writes))
        .flatten()
}

struct Reader {
    parts: [[Part; MAX_REGISTERS as usize]; 3],
    /// A bit for each line of `Setup` whose constant an error or a gradient is multiplied by.
    rates: u64,
}

/// What is read: the part and the register's name.
struct Read {
    part: Part,
    name: String,
}

impl Read {
    fn noun(&self) -> String {
        self.part.noun(&self.name)
    }
}

impl Reader {
    fn set(&mut self, kind: Kind, register: u8, part: Part) {
        self.parts[kind as usize][usize::from(register.min(MAX_REGISTERS - 1))] = part;
    }

    fn get(&self, kind: Kind, register: u8) -> Part {
        self.parts[kind as usize][usize::from(register.min(MAX_REGISTERS - 1))]
    }

    /// Writes down what an instruction makes of what it reads, and says it.
    fn follow(
        &mut self,
        instruction: &Instruction,
        (function, index): (Function, usize),
        answers: bool,
    ) -> String {
        let signature = instruction.op.signature();
        let Some(out) = signature.out else {
            return String::new();
        };
        let reads: Vec<Read> = signature
            .ins
            .iter()
            .zip(instruction.ins)
            .map(|(&kind, register)| Read {
                part: self.get(kind, register),
                name: format!("{}{register}", kind.letter()),
            })
            .collect();
        let (part, text) = match reads.as_slice() {
            [] => source(instruction.op, function, index),
            [a] => of_one(instruction.op, a),
            [a, b, ..] => {
                self.note_rate(instruction.op, a, b);
                let own = [0, 1].map(|place| {
                    signature.ins[place] == out && instruction.ins[place] == instruction.out
                });
                of_two(instruction.op, a, b, own)
            }
        };
        self.set(out, instruction.out, part);
        if answers {
            format!("the prediction: {text}")
        } else {
            text
        }
    }

    /// Notes that a constant is a learning rate.
    fn note_rate(&mut self, op: Op, a: &Read, b: &Read) {
        let product = matches!(
            op,
            Op::ScalarProduct | Op::ScalarVectorProduct | Op::ScalarMatrixProduct
        );
        for (constant, other) in [(a, b), (b, a)] {
            if let Part::Constant(line) = constant.part
                && product
                && other.part.is_step()
            {
                self.rates |= 1 << line;
            }
        }
    }
}

/// What an instruction without inputs makes.
fn source(op: Op, function: Function, index: usize) -> (Part, String) {
    match (op, function) {
        (Op::ScalarConst, Function::Setup) => {
            (Part::Constant(index as u8), "a constant".to_owned())
        }
        (Op::ScalarConst, _) => (Part::Other, "a constant".to_owned()),
        (op, Function::Setup) if op.is_random() => (Part::Noise, "random first values".to_owned()),
        (op, _) if op.is_random() => (Part::Noise, "fresh noise at every example".to_owned()),
        _ => (Part::Other, "sets one entry".to_owned()),
    }
}

/// What an instruction makes of one input.
fn of_one(op: Op, a: &Read) -> (Part, String) {
    let noun = a.noun();
    let is_gradient = a.part.is_step() && a.part != Part::Error;
    match op {
        Op::VectorHeaviside | Op::MatrixHeaviside if a.part.is_unit() => (
            Part::Mask,
            "which hidden units are on: the derivative of the ReLU".to_owned(),
        ),
        Op::ScalarHeaviside | Op::VectorHeaviside | Op::MatrixHeaviside => {
            (Part::Other, format!("1 where {noun} is positive"))
        }
        Op::VectorNorm | Op::MatrixNorm if is_gradient => {
            (Part::GradientNorm, "the length of the gradient".to_owned())
        }
        Op::VectorNorm | Op::MatrixNorm | Op::MatrixRowNorm | Op::MatrixColumnNorm => {
            (Part::Other, format!("the length of {noun}"))
        }
        Op::ScalarBroadcast | Op::VectorColumnBroadcast | Op::VectorRowBroadcast => {
            (a.part, format!("{noun}, repeated"))
        }
        Op::MatrixTranspose => (a.part, format!("{noun}, transposed")),
        Op::VectorMean | Op::MatrixMean | Op::MatrixRowMean => {
            (Part::Other, format!("the mean of {noun}"))
        }
        Op::VectorStDev | Op::MatrixStDev | Op::MatrixRowStDev => {
            (Part::Other, format!("the standard deviation of {noun}"))
        }
        Op::ScalarAbs | Op::VectorAbs | Op::MatrixAbs => {
            (Part::Other, format!("the size of {noun}"))
        }
        Op::ScalarReciprocal | Op::VectorReciprocal | Op::MatrixReciprocal => {
            (Part::Other, format!("one divided by {noun}"))
        }
        op => {
            let name = op.signature().name.trim_start_matches("scalar_");
            (Part::Other, format!("{name} of {noun}"))
        }
    }
}

/// What an instruction makes of two inputs; `own` says which of them it writes over.
fn of_two(op: Op, a: &Read, b: &Read, own: [bool; 2]) -> (Part, String) {
    let plain = |part: Part, word: &str| (part, format!("{} {word} {}", a.noun(), b.noun()));
    match op {
        Op::ScalarSum | Op::VectorSum | Op::MatrixSum => sum(a, b, own, "plus"),
        Op::ScalarDiff | Op::VectorDiff | Op::MatrixDiff => difference(a, b, own),
        Op::ScalarProduct
        | Op::ScalarVectorProduct
        | Op::ScalarMatrixProduct
        | Op::VectorProduct
        | Op::MatrixProduct => product(a, b),
        Op::VectorInnerProduct => inner_product(a, b),
        Op::VectorOuterProduct => outer_product(a, b),
        Op::MatrixVectorProduct | Op::MatrixMatrixProduct => match (a.part, b.part) {
            (weights, input) if weights.is_weights() && input.is_input() => (
                Part::Hidden,
                "the hidden layer: a matrix of weights times the features".to_owned(),
            ),
            (weights, unit) if weights.is_weights() && unit.is_unit() => (
                Part::Hidden,
                "another hidden layer: a matrix of weights times the units".to_owned(),
            ),
            (weights, Part::Error | Part::HiddenError) if weights.is_weights() => (
                Part::HiddenError,
                "the error, carried back through the weights".to_owned(),
            ),
            _ => plain(Part::Other, "applied to"),
        },
        Op::VectorMax | Op::MatrixMax | Op::ScalarMax => match (a.part, b.part) {
            (Part::Hidden, Part::Nothing) | (Part::Nothing, Part::Hidden) => (
                Part::Active,
                "the ReLU: what is below zero is off".to_owned(),
            ),
            (Part::Hidden, _) | (_, Part::Hidden) => {
                (Part::Active, "hidden units, cut off from below".to_owned())
            }
            _ => (
                Part::Other,
                format!("the larger of {} and {}", a.noun(), b.noun()),
            ),
        },
        Op::VectorMin | Op::MatrixMin | Op::ScalarMin => (
            Part::Other,
            format!("the smaller of {} and {}", a.noun(), b.noun()),
        ),
        Op::ScalarDivision | Op::VectorDivision | Op::MatrixDivision => match (a.part, b.part) {
            (Part::Gradient | Part::UnitGradient | Part::HiddenError, Part::GradientNorm) => (
                Part::Gradient,
                "the normalised gradient: its length no longer matters".to_owned(),
            ),
            _ => plain(Part::Other, "divided by"),
        },
        _ => plain(Part::Other, "and"),
    }
}

fn sum(a: &Read, b: &Read, own: [bool; 2], word: &str) -> (Part, String) {
    // What is added to, and what is added.
    let (kept, added) = if own[1] && !own[0] { (b, a) } else { (a, b) };
    let in_place = own[0] || own[1];
    match (kept.part, added.part) {
        (Part::Features, Part::Noise) | (Part::Noise, Part::Features) => (
            Part::NoisyFeatures,
            "noise on the features, which regularises".to_owned(),
        ),
        (Part::Weights, Part::Weights) if in_place && own != [true, true] => (
            Part::AveragedWeights,
            "weight averaging: weights are summed up over time".to_owned(),
        ),
        (Part::AveragedWeights, Part::Weights) => (
            Part::AveragedWeights,
            "weight averaging: weights are summed up over time".to_owned(),
        ),
        (Part::Nothing | Part::Noise | Part::Weights | Part::Constant(_), step)
            if in_place && step.is_step() =>
        {
            (Part::Weights, "a step of gradient descent".to_owned())
        }
        (weights, step) | (step, weights)
            if weights == Part::Weights && step.is_step() && !in_place =>
        {
            (Part::Weights, "the weights, one step on".to_owned())
        }
        (Part::Hidden, Part::Weights) | (Part::Weights, Part::Hidden) => {
            (Part::Hidden, "the hidden units with their bias".to_owned())
        }
        (Part::Prediction, Part::Weights) | (Part::Weights, Part::Prediction) => {
            (Part::Prediction, "with the bias added".to_owned())
        }
        (Part::Prediction, Part::Prediction) => (Part::Prediction, "two answers added".to_owned()),
        (one, other) if one == other && one.is_step() => {
            (one, format!("{} plus {}", a.noun(), b.noun()))
        }
        (Part::Hidden, _) | (_, Part::Hidden) => (
            Part::Hidden,
            format!("the hidden units: {} {word} {}", a.noun(), b.noun()),
        ),
        (part, Part::Nothing) | (Part::Nothing, part) => {
            (part, format!("{} {word} {}", a.noun(), b.noun()))
        }
        _ => (Part::Other, format!("{} {word} {}", a.noun(), b.noun())),
    }
}

fn difference(a: &Read, b: &Read, own: [bool; 2]) -> (Part, String) {
    match (a.part, b.part) {
        (Part::Label, Part::Prediction) => {
            (Part::Error, "the error: label minus prediction".to_owned())
        }
        (Part::Prediction, Part::Label) => (
            Part::Error,
            "the error with its sign turned: prediction minus label".to_owned(),
        ),
        (Part::Label, _) | (_, Part::Label) => (
            Part::Error,
            format!("an error: {} minus {}", a.noun(), b.noun()),
        ),
        _ => sum(a, b, own, "minus"),
    }
}

fn product(a: &Read, b: &Read) -> (Part, String) {
    let two =
        |x: fn(Part) -> bool, y: fn(Part) -> bool| x(a.part) && y(b.part) || x(b.part) && y(a.part);
    let is_constant = |part: Part| matches!(part, Part::Constant(_));
    let is_error = |part: Part| part == Part::Error;
    if two(is_constant, is_error) {
        (Part::Error, "the learning rate times the error".to_owned())
    } else if two(is_constant, |part| part == Part::UnitGradient) {
        (
            Part::UnitGradient,
            "the learning rate times the gradient".to_owned(),
        )
    } else if two(is_constant, |part| part == Part::Gradient) {
        (
            Part::Gradient,
            "the learning rate times the gradient".to_owned(),
        )
    } else if two(is_error, Part::is_input) {
        (
            Part::Gradient,
            "the gradient by the weights: error times features".to_owned(),
        )
    } else if two(is_error, Part::is_unit) {
        (
            Part::UnitGradient,
            "the gradient by the output weights: error times hidden units".to_owned(),
        )
    } else if two(is_error, Part::is_weights) {
        (
            Part::HiddenError,
            "the error, carried back through the output weights".to_owned(),
        )
    } else if two(|part| part == Part::UnitGradient, Part::is_weights) {
        (
            Part::HiddenError,
            "backpropagation: the error through the output weights, where units are active"
                .to_owned(),
        )
    } else if two(|part| part == Part::HiddenError, |part| part == Part::Mask) {
        (
            Part::HiddenError,
            "backpropagation: the error passes only units that are on".to_owned(),
        )
    } else if two(|part| part == Part::Hidden, |part| part == Part::Mask) {
        (
            Part::Active,
            "the ReLU: what is below zero is off".to_owned(),
        )
    } else if two(|part| part == Part::Nothing, |_| true) {
        (Part::Nothing, format!("{} times {}", a.noun(), b.noun()))
    } else {
        // A number times something is of the same kind.
        let part = match (a.part, b.part) {
            (Part::Constant(_), part) | (part, Part::Constant(_)) => part,
            _ => Part::Other,
        };
        (part, format!("{} times {}", a.noun(), b.noun()))
    }
}

fn inner_product(a: &Read, b: &Read) -> (Part, String) {
    let text = match (a.part, b.part) {
        (x, y) if x.is_weights() && y.is_input() || y.is_weights() && x.is_input() => {
            "a linear model: weights times features"
        }
        (x, y) if x.is_weights() && y.is_unit() || y.is_weights() && x.is_unit() => {
            "the output layer: weights times hidden units"
        }
        (x, y) if x.is_unit() && y.is_input() || y.is_unit() && x.is_input() => {
            "bilinear: the features enter twice"
        }
        (Part::Gradient, Part::Gradient) => {
            return (
                Part::GradientNorm,
                "the squared length of the gradient".to_owned(),
            );
        }
        _ => {
            return (
                Part::Other,
                format!("the inner product of {} and {}", a.noun(), b.noun()),
            );
        }
    };
    (Part::Prediction, text.to_owned())
}

fn outer_product(a: &Read, b: &Read) -> (Part, String) {
    match (a.part, b.part) {
        (Part::HiddenError, input) | (input, Part::HiddenError) if input.is_input() => (
            Part::Gradient,
            "the gradient by the matrix: hidden error by features".to_owned(),
        ),
        (Part::UnitGradient, input) | (input, Part::UnitGradient) if input.is_input() => (
            Part::Gradient,
            "a gradient by the matrix: error times hidden units by features".to_owned(),
        ),
        (Part::Gradient, weights) | (weights, Part::Gradient) if weights.is_weights() => (
            Part::Gradient,
            "backpropagation: output weights by error times features".to_owned(),
        ),
        (Part::Gradient, input) | (input, Part::Gradient) if input.is_input() => (
            Part::Gradient,
            "the gradient by the matrix: error times features by features".to_owned(),
        ),
        _ => (
            Part::Other,
            format!("every product of {} and {}", a.noun(), b.noun()),
        ),
    }
}
