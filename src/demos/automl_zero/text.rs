//! Programs as the paper's pseudo-code, written and read.
//!
//! What [`print()`] writes, [`parse`] reads back to the same program, bit for bit: constants are
//! written with as many digits as they need. Reading is lenient about spaces, comments (`#`), the
//! order of the functions and the order of the factors in a product of a number and a vector, as
//! in the paper's own listings. Everything else is an error with its line and column.

use std::fmt::Write as _;
use std::path::Path;

use super::instruction::{Data, Instruction, Kind, MAX_REGISTERS, Op};
use super::program::{Function, MAX_LEN, Program};
use crate::error::Error;

/// The largest text that is read.
pub const MAX_TEXT: usize = 64 << 10;

/// What is wrong in a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for TextError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.message
        )
    }
}

impl From<TextError> for Error {
    fn from(error: TextError) -> Self {
        Self::Input(error.to_string())
    }
}

/// A program as text.
#[must_use]
pub fn print(program: &Program) -> String {
    let mut text = String::new();
    for function in Function::ALL {
        let _ = writeln!(text, "def {}():", function.name());
        for instruction in program.function(function) {
            let _ = writeln!(text, "  {}", line(instruction));
        }
    }
    text
}

/// An instruction as text, without the indent.
#[must_use]
pub fn line(instruction: &Instruction) -> String {
    let signature = instruction.op.signature();
    let Some(out) = signature.out else {
        return "NoOp()".to_owned();
    };
    let name = |kind: Kind, index: u8| format!("{}{index}", kind.letter());
    let mut ins = signature
        .ins
        .iter()
        .zip(instruction.ins)
        .map(|(&kind, index)| name(kind, index));
    let (a, b) = (
        ins.next().unwrap_or_default(),
        ins.next().unwrap_or_default(),
    );
    let target = name(out, instruction.out);
    let [x, y, z] = instruction.data;
    let shape = match out {
        Kind::Scalar => "",
        Kind::Vector => ", n_features",
        Kind::Matrix => ", (n_features, n_features)",
    };
    let value = match (form(instruction.op), signature.data) {
        (_, Data::Number) => format!("{x:?}"),
        (_, Data::VectorEntry) => return format!("{target}[{x:?}] = {y:?}"),
        (_, Data::MatrixEntry) => return format!("{target}[{x:?}, {y:?}] = {z:?}"),
        (_, Data::Gaussian) => format!("gaussian({x:?}, {y:?}{shape})"),
        (_, Data::Uniform) => format!("uniform({x:?}, {y:?}{shape})"),
        (Form::Between(sign), _) => format!("{a} {sign} {b}"),
        (Form::Reciprocal, _) => format!("1 / {a}"),
        (Form::Heaviside, _) => format!("heaviside({a}, 1.0)"),
        (Form::Axis(call, axis), _) => format!("{call}({a}, axis={axis})"),
        (Form::Call(call), _) if b.is_empty() => format!("{call}({a})"),
        (Form::Call(call), _) => format!("{call}({a}, {b})"),
    };
    format!("{target} = {value}")
}

/// How an operation is written.
enum Form {
    Between(char),
    Reciprocal,
    Heaviside,
    Call(&'static str),
    Axis(&'static str, u8),
}

fn form(op: Op) -> Form {
    use Form::{Axis, Between, Call, Heaviside, Reciprocal};
    match op {
        Op::ScalarSum | Op::VectorSum | Op::MatrixSum => Between('+'),
        Op::ScalarDiff | Op::VectorDiff | Op::MatrixDiff => Between('-'),
        Op::ScalarProduct
        | Op::VectorProduct
        | Op::MatrixProduct
        | Op::ScalarVectorProduct
        | Op::ScalarMatrixProduct => Between('*'),
        Op::ScalarDivision | Op::VectorDivision | Op::MatrixDivision => Between('/'),
        Op::ScalarReciprocal | Op::VectorReciprocal | Op::MatrixReciprocal => Reciprocal,
        Op::ScalarHeaviside | Op::VectorHeaviside | Op::MatrixHeaviside => Heaviside,
        Op::ScalarAbs | Op::VectorAbs | Op::MatrixAbs => Call("abs"),
        Op::ScalarSin => Call("sin"),
        Op::ScalarCos => Call("cos"),
        Op::ScalarTan => Call("tan"),
        Op::ScalarArcSin => Call("arcsin"),
        Op::ScalarArcCos => Call("arccos"),
        Op::ScalarArcTan => Call("arctan"),
        Op::ScalarExp => Call("exp"),
        Op::ScalarLog => Call("log"),
        Op::ScalarBroadcast => Call("bcast"),
        Op::VectorNorm | Op::MatrixNorm => Call("norm"),
        Op::VectorInnerProduct | Op::MatrixVectorProduct => Call("dot"),
        Op::VectorOuterProduct => Call("outer"),
        Op::VectorColumnBroadcast => Axis("bcast", 0),
        Op::VectorRowBroadcast => Axis("bcast", 1),
        Op::MatrixColumnNorm => Axis("norm", 0),
        Op::MatrixRowNorm => Axis("norm", 1),
        Op::MatrixTranspose => Call("transpose"),
        Op::MatrixMatrixProduct => Call("matmul"),
        Op::ScalarMin | Op::VectorMin | Op::MatrixMin => Call("minimum"),
        Op::ScalarMax | Op::VectorMax | Op::MatrixMax => Call("maximum"),
        Op::VectorMean | Op::MatrixMean => Call("mean"),
        Op::VectorStDev | Op::MatrixStDev => Call("std"),
        Op::MatrixRowMean => Axis("mean", 1),
        Op::MatrixRowStDev => Axis("std", 1),
        // Written by their constants.
        Op::NoOp
        | Op::ScalarConst
        | Op::VectorConst
        | Op::MatrixConst
        | Op::ScalarUniform
        | Op::VectorUniform
        | Op::MatrixUniform
        | Op::ScalarGaussian
        | Op::VectorGaussian
        | Op::MatrixGaussian => Call(""),
    }
}

/// Reads the program in a file.
///
/// # Errors
/// [`Error::BadFile`] with line and column of what is wrong.
pub fn read(path: &Path) -> crate::error::Result<Program> {
    let meta = std::fs::metadata(path).map_err(Error::io("cannot read the program", path))?;
    if !meta.is_file() || meta.len() > MAX_TEXT as u64 {
        let most = MAX_TEXT >> 10;
        return Err(Error::bad_file(
            path,
            format!("a program is a text of at most {most} KiB"),
        ));
    }
    let text = std::fs::read_to_string(path).map_err(Error::io("cannot read the program", path))?;
    parse(&text).map_err(|error| Error::bad_file(path, error.to_string()))
}

impl serde::Serialize for Program {
    fn serialize<T: serde::Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serializer.serialize_str(&print(self))
    }
}

impl<'de> serde::Deserialize<'de> for Program {
    fn deserialize<T: serde::Deserializer<'de>>(deserializer: T) -> Result<Self, T::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Reads a program.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse(text: &str) -> Result<Program, TextError> {
    let fail = |line, message: &str| TextError {
        line,
        column: 1,
        message: message.to_owned(),
    };
    if text.len() > MAX_TEXT {
        return Err(fail(1, "the text is too long for a program"));
    }
    let mut program = Program::default();
    let mut seen = [false; 3];
    let mut function = None;
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let mut reader = Reader::new(line, number);
        if reader.at_end() {
            continue;
        }
        if reader.word("def") {
            let begun = reader.header()?;
            if std::mem::replace(&mut seen[begun as usize], true) {
                return Err(fail(number, &format!("{} is there twice", begun.name())));
            }
            function = Some(begun);
            continue;
        }
        let Some(function) = function else {
            return Err(
                reader.error("an instruction outside a function, \"def Setup():\" comes first")
            );
        };
        let instruction = reader.instruction()?;
        if program.len_of(function) == MAX_LEN {
            let message = format!("{} has more than {MAX_LEN} instructions", function.name());
            return Err(fail(number, &message));
        }
        program.push(function, instruction);
    }
    if seen == [false; 3] {
        return Err(fail(
            1,
            "there is no function, a program has Setup, Predict and Learn",
        ));
    }
    Ok(program)
}

/// What may stand in an expression.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Term {
    Register(Kind, u8),
    Number(f32),
}

/// Reads one line.
struct Reader {
    line: Vec<char>,
    at: usize,
    number: usize,
}

impl Reader {
    fn new(line: &str, number: usize) -> Self {
        let code = line.split('#').next().unwrap_or_default();
        Self {
            line: code.chars().collect(),
            at: 0,
            number,
        }
    }

    fn error(&self, message: impl Into<String>) -> TextError {
        self.error_at(self.at, message)
    }

    fn error_at(&self, at: usize, message: impl Into<String>) -> TextError {
        TextError {
            line: self.number,
            column: at + 1,
            message: message.into(),
        }
    }

    fn peek(&mut self) -> Option<char> {
        while self.line.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.line.get(self.at).copied()
    }

    fn at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    fn sign(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: char) -> Result<(), TextError> {
        if self.sign(sign) {
            return Ok(());
        }
        Err(match self.line.get(self.at) {
            Some(found) => self.error(format!("expected '{sign}', found '{found}'")),
            None => self.error(format!("expected '{sign}', but the line ends")),
        })
    }

    fn end(&mut self) -> Result<(), TextError> {
        match self.peek() {
            None => Ok(()),
            Some(found) => Err(self.error(format!("'{found}' stands behind the instruction"))),
        }
    }

    /// A word of letters, digits and underscores; empty where there is none.
    fn take_word(&mut self) -> String {
        self.peek();
        let rest = self.line.iter().skip(self.at);
        let word: String = rest
            .take_while(|c| c.is_alphanumeric() || **c == '_')
            .collect();
        self.at += word.chars().count();
        word
    }

    fn word(&mut self, expected: &str) -> bool {
        let before = self.at;
        let found = self.take_word() == expected;
        if !found {
            self.at = before;
        }
        found
    }

    fn header(&mut self) -> Result<Function, TextError> {
        self.peek();
        let at = self.at;
        let name = self.take_word();
        let function = Function::ALL
            .into_iter()
            .find(|function| function.name() == name);
        let function = function.ok_or_else(|| {
            self.error_at(
                at,
                format!("there is no function {name:?}, only Setup, Predict and Learn"),
            )
        })?;
        for sign in ['(', ')', ':'] {
            self.expect(sign)?;
        }
        self.end()?;
        Ok(function)
    }

    /// The number in a register's name.
    fn register(&self, at: usize, word: &str) -> Result<(Kind, u8), TextError> {
        let kind = match word.chars().next() {
            Some('s') => Kind::Scalar,
            Some('v') => Kind::Vector,
            Some('m') => Kind::Matrix,
            _ => {
                return Err(self.error_at(
                    at,
                    format!("{word:?} is not a register, such as s2, v1 or m0"),
                ));
            }
        };
        let digits = &word[1..];
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        match digits.parse::<u8>() {
            Ok(index) if plain && index < MAX_REGISTERS => Ok((kind, index)),
            _ if plain => Err(self.error_at(
                at,
                format!("{word} is beyond the {MAX_REGISTERS} registers of each kind"),
            )),
            _ => Err(self.error_at(
                at,
                format!("{word:?} is not a register, such as s2, v1 or m0"),
            )),
        }
    }

    fn number(&mut self) -> Result<f32, TextError> {
        self.peek();
        let at = self.at;
        let mut text = String::new();
        while let Some(&c) = self.line.get(self.at) {
            let after_exponent = text.ends_with(['e', 'E']);
            let fits = c.is_ascii_digit()
                || c == '.'
                || matches!(c, 'e' | 'E') && !text.is_empty()
                || matches!(c, '+' | '-') && (text.is_empty() || after_exponent);
            if !fits {
                break;
            }
            text.push(c);
            self.at += 1;
        }
        match text.parse::<f32>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) => Err(self.error_at(at, format!("{text} is too large a number"))),
            Err(_) if text.is_empty() => Err(self.error_at(at, "expected a number")),
            Err(_) => Err(self.error_at(at, format!("{text:?} is not a number"))),
        }
    }

    fn term(&mut self) -> Result<Term, TextError> {
        match self.peek() {
            Some(c) if c.is_ascii_digit() || matches!(c, '.' | '-' | '+') => {
                Ok(Term::Number(self.number()?))
            }
            Some(c) if c.is_alphabetic() => {
                let at = self.at;
                let word = self.take_word();
                let (kind, index) = self.register(at, &word)?;
                Ok(Term::Register(kind, index))
            }
            Some(c) => Err(self.error(format!("expected a register or a number, found '{c}'"))),
            None => Err(self.error("expected a register or a number, but the line ends")),
        }
    }

    fn instruction(&mut self) -> Result<Instruction, TextError> {
        self.peek();
        let at = self.at;
        let word = self.take_word();
        if word == "NoOp" {
            self.expect('(')?;
            self.expect(')')?;
            self.end()?;
            return Ok(Instruction::default());
        }
        if word.is_empty() {
            return Err(self.error("expected an instruction, such as s3 = s0 - s1"));
        }
        let (kind, out) = self.register(at, &word)?;
        if out < kind.first_out() {
            let what = if kind == Kind::Scalar {
                "the label"
            } else {
                "the features"
            };
            return Err(self.error_at(at, format!("{word} is {what} and cannot be written")));
        }
        if self.sign('[') {
            return self.entry(at, kind, out);
        }
        self.expect('=')?;
        self.peek();
        let at = self.at;
        let instruction = if self.peek().is_some_and(char::is_alphabetic) && self.is_call() {
            self.call(kind, out)?
        } else {
            let first = self.term()?;
            self.infix(at, kind, out, first)?
        };
        self.end()?;
        Ok(instruction)
    }

    fn is_call(&self) -> bool {
        let mut rest = self.line.iter().skip(self.at);
        rest.find(|c| !c.is_alphanumeric() && **c != '_')
            .is_some_and(|c| *c == '(' || c.is_whitespace())
            && self
                .line
                .iter()
                .skip(self.at)
                .skip_while(|c| c.is_alphanumeric() || **c == '_')
                .find(|c| !c.is_whitespace())
                == Some(&'(')
    }

    /// `v1[0.5] = 0.25`, after the bracket.
    fn entry(&mut self, at: usize, kind: Kind, out: u8) -> Result<Instruction, TextError> {
        let mut data = Vec::new();
        let op = match kind {
            Kind::Vector => Op::VectorConst,
            Kind::Matrix => Op::MatrixConst,
            Kind::Scalar => return Err(self.error_at(at, "a scalar has no entries")),
        };
        loop {
            self.peek();
            let at = self.at;
            let place = self.number()?;
            if !(0.0..1.0).contains(&place) {
                return Err(self.error_at(at, "a place is a part of the length, from 0 to below 1"));
            }
            data.push(place);
            if data.len() + 1 == op.signature().data.len() {
                break;
            }
            self.expect(',')?;
        }
        self.expect(']')?;
        self.expect('=')?;
        data.push(self.number()?);
        self.end()?;
        Ok(Instruction::with_data(op, out, &data))
    }

    /// A number, a reciprocal, or two registers with a sign between them.
    fn infix(
        &mut self,
        at: usize,
        kind: Kind,
        out: u8,
        first: Term,
    ) -> Result<Instruction, TextError> {
        let sign = match (first, self.peek()) {
            (Term::Number(value), None) if kind == Kind::Scalar => {
                return Ok(Instruction::with_data(Op::ScalarConst, out, &[value]));
            }
            (Term::Number(_), None) => {
                return Err(self.error_at(
                    at,
                    "only a scalar is set to a number; entries are, as in v1[0.5] = 1.0",
                ));
            }
            (Term::Register(..), None) => {
                return Err(self.error("expected '+', '-', '*' or '/', but the line ends"));
            }
            (_, Some(sign)) => sign,
        };
        self.at += 1;
        let second = self.term()?;
        let (form, ins) = match (first, second, sign) {
            (Term::Number(one), Term::Register(of, register), '/')
                if one.to_bits() == 1.0_f32.to_bits() =>
            {
                (Form::Reciprocal, vec![(of, register)])
            }
            (Term::Register(a, i), Term::Register(b, j), '+' | '-' | '*' | '/') => {
                // The number comes first in a product with a vector or a matrix.
                let swap = sign == '*' && b == Kind::Scalar && a != Kind::Scalar;
                let ins = if swap {
                    vec![(b, j), (a, i)]
                } else {
                    vec![(a, i), (b, j)]
                };
                (Form::Between(sign), ins)
            }
            _ => return Err(self.error_at(at, format!("'{sign}' does not go with these two"))),
        };
        self.find(at, &form, kind, out, &ins)
    }

    /// `name(arguments)`.
    fn call(&mut self, kind: Kind, out: u8) -> Result<Instruction, TextError> {
        let at = self.at;
        let name = self.take_word();
        self.expect('(')?;
        if name == "gaussian" || name == "uniform" {
            return self.random(&name, kind, out);
        }
        let mut ins = Vec::new();
        let mut axis = None;
        loop {
            if !ins.is_empty() && self.word("axis") {
                self.expect('=')?;
                self.peek();
                let at = self.at;
                axis = Some(match self.take_word().as_str() {
                    "0" => 0,
                    "1" => 1,
                    _ => return Err(self.error_at(at, "an axis is 0 or 1")),
                });
            } else if name == "heaviside" && ins.len() == 1 {
                self.peek();
                let at = self.at;
                if self.number()?.to_bits() != 1.0_f32.to_bits() {
                    return Err(self.error_at(at, "the second argument of heaviside is 1.0"));
                }
            } else {
                self.peek();
                let at = self.at;
                match self.term()? {
                    Term::Register(kind, register) => ins.push((kind, register)),
                    Term::Number(_) => return Err(self.error_at(at, "expected a register")),
                }
            }
            if !self.sign(',') {
                break;
            }
        }
        self.expect(')')?;
        let form = match axis {
            Some(axis) => calls().find_map(|op| match form(op) {
                Form::Axis(call, of) if call == name && of == axis => Some(form(op)),
                _ => None,
            }),
            None if name == "heaviside" => Some(Form::Heaviside),
            None => calls().find_map(|op| match form(op) {
                Form::Call(call) if call == name => Some(form(op)),
                _ => None,
            }),
        };
        let form = form.ok_or_else(|| {
            self.error_at(at, format!("there is no instruction {name:?} of this form"))
        })?;
        self.find(at, &form, kind, out, &ins)
    }

    fn random(&mut self, name: &str, kind: Kind, out: u8) -> Result<Instruction, TextError> {
        let first = self.number()?;
        self.expect(',')?;
        let second = self.number()?;
        if kind != Kind::Scalar {
            self.expect(',')?;
            self.peek();
            let at = self.at;
            let pair = self.sign('(');
            if pair != (kind == Kind::Matrix) {
                return Err(self.error_at(
                    at,
                    "a vector has n_features entries, a matrix (n_features, n_features)",
                ));
            }
            self.features()?;
            if pair {
                self.expect(',')?;
                self.features()?;
                self.expect(')')?;
            }
        }
        self.expect(')')?;
        let op = match (name, kind) {
            ("gaussian", Kind::Scalar) => Op::ScalarGaussian,
            ("gaussian", Kind::Vector) => Op::VectorGaussian,
            ("gaussian", Kind::Matrix) => Op::MatrixGaussian,
            (_, Kind::Scalar) => Op::ScalarUniform,
            (_, Kind::Vector) => Op::VectorUniform,
            (_, Kind::Matrix) => Op::MatrixUniform,
        };
        Ok(Instruction::with_data(op, out, &[first, second]))
    }

    fn features(&mut self) -> Result<(), TextError> {
        if self.word("n_features") {
            Ok(())
        } else {
            Err(self.error("expected n_features"))
        }
    }

    /// The operation of a form that takes these registers to such a one.
    fn find(
        &self,
        at: usize,
        of: &Form,
        kind: Kind,
        out: u8,
        ins: &[(Kind, u8)],
    ) -> Result<Instruction, TextError> {
        let kinds: Vec<Kind> = ins.iter().map(|(kind, _)| *kind).collect();
        let registers: Vec<u8> = ins.iter().map(|(_, register)| *register).collect();
        let op = calls().find(|op| {
            let signature = op.signature();
            signature.out == Some(kind) && signature.ins == kinds && same(&form(*op), of)
        });
        if let Some(op) = op {
            return Ok(Instruction::new(op, &registers, out));
        }
        let kinds: String = kinds.iter().map(|kind| kind.letter()).collect();
        Err(self.error_at(
            at,
            format!(
                "there is no such instruction from {kinds:?} to a {:?}",
                kind.letter()
            ),
        ))
    }
}

/// The operations that read registers.
fn calls() -> impl Iterator<Item = Op> {
    super::instruction::SIGNATURES
        .iter()
        .filter(|row| !row.ins.is_empty())
        .map(|row| row.op)
}

fn same(a: &Form, b: &Form) -> bool {
    match (a, b) {
        (Form::Between(a), Form::Between(b)) => a == b,
        (Form::Reciprocal, Form::Reciprocal) | (Form::Heaviside, Form::Heaviside) => true,
        (Form::Call(a), Form::Call(b)) => a == b,
        (Form::Axis(a, i), Form::Axis(b, j)) => a == b && i == j,
        _ => false,
    }
}
