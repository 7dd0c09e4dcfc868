//! Programs made ready for the lanes: what is to be run, registers packed, addresses known.

use super::analysis::{Analysis, register};
use super::instruction::{Instruction, Kind, MAX_REGISTERS, Op};
use super::program::{Function, Program};

/// An instruction whose operands are rows of the lanes' memory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LaneOp {
    /// What it does. Setting one entry of a vector or matrix has become setting a scalar.
    pub op: Op,
    /// The first row that it writes.
    pub out: u32,
    /// The first rows of what it reads.
    pub ins: [u32; 2],
    /// Its constants.
    pub data: [f32; 2],
    /// What its random draws are told apart by.
    pub key: u32,
}

/// A compiled program. Compiling another into the same value keeps the memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Code {
    /// The functions' instructions.
    pub functions: [Vec<LaneOp>; 3],
    /// Rows of memory in use.
    pub rows: usize,
    /// The row that the features begin at; the label is row 0, the prediction row 1.
    pub features_at: usize,
}

impl Code {
    /// Compiles a program for examples of `features` numbers.
    pub fn compile(&mut self, program: &Program, analysis: &Analysis, features: usize) {
        let places = Places::new(analysis.used, features);
        self.rows = places.rows;
        self.features_at = places.of(Kind::Vector, 0) as usize;
        for function in Function::ALL {
            let ops = &mut self.functions[function as usize];
            ops.clear();
            let code = program.function(function);
            let mut left = analysis.run[function as usize];
            while left != 0 {
                let index = left.trailing_zeros() as usize;
                left &= left - 1;
                let Some(instruction) = code.get(index) else {
                    break;
                };
                let mut op = places.op(instruction);
                if instruction.op.is_random() {
                    op.key = analysis.draw_key(program, function, index);
                }
                ops.push(op);
            }
        }
    }

    /// The instructions of a function.
    #[must_use]
    pub fn function(&self, function: Function) -> &[LaneOp] {
        &self.functions[function as usize]
    }
}

/// Where registers lie.
struct Places {
    used: u64,
    features: usize,
    vectors_at: usize,
    matrices_at: usize,
    rows: usize,
}

/// The bits of all registers of a kind.
const ALL_OF_KIND: u64 = (1 << MAX_REGISTERS) - 1;

impl Places {
    fn new(used: u64, features: usize) -> Self {
        let count =
            |kind: Kind| (used >> (kind as u8 * MAX_REGISTERS) & ALL_OF_KIND).count_ones() as usize;
        let vectors_at = count(Kind::Scalar);
        let matrices_at = vectors_at + count(Kind::Vector) * features;
        Self {
            used,
            features,
            vectors_at,
            matrices_at,
            rows: matrices_at + count(Kind::Matrix) * features * features,
        }
    }

    fn of(&self, kind: Kind, index: u8) -> u32 {
        let below = register(kind, index) - (1 << (kind as u8 * MAX_REGISTERS));
        let rank = (self.used & below).count_ones() as usize;
        let row = match kind {
            Kind::Scalar => rank,
            Kind::Vector => self.vectors_at + rank * self.features,
            Kind::Matrix => self.matrices_at + rank * self.features * self.features,
        };
        row as u32
    }

    fn op(&self, instruction: &Instruction) -> LaneOp {
        let signature = instruction.op.signature();
        let mut op = LaneOp {
            op: instruction.op,
            data: [instruction.data[0], instruction.data[1]],
            ..LaneOp::default()
        };
        for ((place, &kind), &index) in op.ins.iter_mut().zip(signature.ins).zip(&instruction.ins) {
            *place = self.of(kind, index);
        }
        if let Some(kind) = signature.out {
            op.out = self.of(kind, instruction.out);
        }
        if instruction.op.is_partial() {
            let (entry, value) = entry(instruction, self.features);
            op.op = Op::ScalarConst;
            op.out += entry as u32;
            op.data = [value, 0.0];
        }
        op
    }
}

/// The entry that an instruction sets, counted along the rows, and its value.
#[must_use]
pub fn entry(instruction: &Instruction, features: usize) -> (usize, f32) {
    // A place is a part of the length, so that a program fits examples of any size.
    let index = |part: f32| ((part * features as f32) as usize).min(features.saturating_sub(1));
    let [x, y, z] = instruction.data;
    match instruction.op {
        Op::MatrixConst => (index(x) * features + index(y), z),
        _ => (index(x), y),
    }
}
