//! What of a program matters: live instructions, which random draw is whose, one hash for programs
//! that compute the same.
//!
//! An instruction is live when what it writes can reach a prediction. The functions run in a loop
//! (`Predict`, `Learn`, `Predict`, …, and in validation `Predict` alone), so liveness is a fixed
//! point: what `Predict` reads at its beginning is read at the end of both. The label `s0` and the
//! features `v0` are written anew before every example.

use super::instruction::{Instruction, Kind, MAX_REGISTERS};
use super::program::{Function, MAX_LEN, Program};

/// A set of registers, a bit each: scalars, vectors and matrices, twenty of each.
type Registers = u64;

/// The bit of a register.
#[must_use]
pub fn register(kind: Kind, index: u8) -> Registers {
    1 << (kind as u8 * MAX_REGISTERS + index.min(MAX_REGISTERS - 1))
}

const LABEL: Registers = 1;
const PREDICTION: Registers = 1 << 1;
const FEATURES: Registers = 1 << MAX_REGISTERS;
/// What is written anew before every example.
const GIVEN: Registers = LABEL | FEATURES;

/// What an instruction reads.
#[must_use]
pub fn reads(instruction: &Instruction) -> Registers {
    let kinds = instruction.op.signature().ins;
    let mut read = 0;
    for (&kind, &index) in kinds.iter().zip(&instruction.ins) {
        read |= register(kind, index);
    }
    if instruction.op.is_partial() {
        read |= writes(instruction);
    }
    read
}

/// What an instruction writes; nothing for the one that does nothing.
#[must_use]
pub fn writes(instruction: &Instruction) -> Registers {
    match instruction.op.signature().out {
        Some(kind) => register(kind, instruction.out),
        None => 0,
    }
}

/// What matters in a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Analysis {
    /// A bit for each live instruction, function by function.
    pub live: [u64; 3],
    /// A bit for each instruction that is to be run: the live ones, or all.
    pub run: [u64; 3],
    /// The registers that these name, and those that every program has.
    pub used: u64,
}

/// What an instruction reads and writes, looked up once.
type Access = (Registers, Registers);

impl Analysis {
    /// Looks at a program.
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let mut access = [[(0, 0); MAX_LEN]; 3];
        for function in Function::ALL {
            let accesses = &mut access[function as usize];
            for (access, instruction) in accesses.iter_mut().zip(program.function(function)) {
                *access = (reads(instruction), writes(instruction));
            }
        }
        let [setup, predict, learn] = Function::ALL.map(|function| program.len_of(function));
        let [setup_access, predict_access, learn_access] = &access;
        // What is read at the beginning of each function, growing to a fixed point.
        let (mut predict_in, mut learn_in) = (0, 0);
        let (live_predict, live_learn) = loop {
            let (live_learn, now_learn) = back(&learn_access[..learn], predict_in & !GIVEN);
            let after = PREDICTION | (now_learn | predict_in) & !GIVEN;
            let (live_predict, now_predict) = back(&predict_access[..predict], after);
            if now_predict == predict_in && now_learn == learn_in {
                break (live_predict, live_learn);
            }
            (predict_in, learn_in) = (now_predict, now_learn);
        };
        let (live_setup, _) = back(&setup_access[..setup], predict_in & !GIVEN);
        let live = [live_setup, live_predict, live_learn];
        let mut used = GIVEN | PREDICTION;
        for (accesses, &live) in access.iter().zip(&live) {
            let mut left = live;
            while left != 0 {
                let (read, write) = accesses[left.trailing_zeros() as usize];
                used |= read | write;
                left &= left - 1;
            }
        }
        Self {
            live,
            run: live,
            used,
        }
    }

    /// The same with dead code to be run, too.
    #[must_use]
    pub fn with_dead_code(self, program: &Program) -> Self {
        let all = |function: Function| (1_u128 << program.len_of(function)).wrapping_sub(1) as u64;
        Self {
            run: Function::ALL.map(all),
            used: (1 << (3 * MAX_REGISTERS)) - 1,
            ..self
        }
    }

    /// Whether an instruction is live.
    #[must_use]
    pub fn is_live(&self, function: Function, index: usize) -> bool {
        index < MAX_LEN && self.live[function as usize] >> index & 1 == 1
    }

    /// The number of live instructions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live
            .iter()
            .map(|live| live.count_ones() as usize)
            .sum()
    }

    /// Whether nothing matters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live == [0; 3]
    }

    /// What tells the draws of an instruction apart from those of the others: the function and its
    /// number among the live random instructions of the function. So dead code and the names of
    /// registers have no part in what is drawn. Those that are dead get numbers of their own.
    #[must_use]
    pub fn draw_key(&self, program: &Program, function: Function, index: usize) -> u32 {
        let live = self.is_live(function, index);
        let before = program.function(function).iter().take(index);
        let number = before
            .enumerate()
            .filter(|(at, other)| other.op.is_random() && self.is_live(function, *at) == live)
            .count() as u32;
        draw_key(
            function,
            if live {
                number
            } else {
                number + MAX_LEN as u32
            },
        )
    }

    /// A hash that is the same for programs that compute the same for obvious reasons: dead code,
    /// the names of registers and the order of summands and factors do not matter, and all
    /// registers that nothing writes are one.
    #[must_use]
    pub fn canonical_hash(&self, program: &Program) -> u64 {
        let mut names = Names::new(self, program);
        let mut hash = 0x243f_6a88_85a3_08d3_u64;
        for function in Function::ALL {
            hash = mixed(hash, 0xff00 | function as u64);
            let code = program.function(function);
            let mut left = self.live[function as usize];
            while left != 0 {
                let index = left.trailing_zeros() as usize;
                left &= left - 1;
                if let Some(instruction) = code.get(index) {
                    hash = names.hashed(hash, instruction);
                }
            }
        }
        hash ^ (hash >> 32)
    }
}

/// The key of the `number`th live random instruction of a function.
fn draw_key(function: Function, number: u32) -> u32 {
    (function as u32) << 8 | number
}

/// Which of a function's instructions are live, and what is read at its beginning, when `after` is
/// read at its end.
fn back(accesses: &[Access], after: Registers) -> (u64, Registers) {
    let (mut live, mut read) = (0, after);
    for (index, &(reads, writes)) in accesses.iter().enumerate().rev() {
        if writes & read != 0 {
            live |= 1 << index;
            // What writes one entry reads the others, so it is among what it reads.
            read = read & !writes | reads;
        }
    }
    (live, read)
}

/// New names for registers, in the order in which they appear.
struct Names {
    written: Registers,
    new: [u8; 3 * MAX_REGISTERS as usize],
    next: u8,
}

const UNNAMED: u8 = u8::MAX;
const NEVER_WRITTEN: u8 = UNNAMED - 1;

impl Names {
    fn new(analysis: &Analysis, program: &Program) -> Self {
        let mut written = GIVEN | PREDICTION;
        for function in Function::ALL {
            let code = program.function(function);
            let mut left = analysis.live[function as usize];
            while left != 0 {
                written |= code.get(left.trailing_zeros() as usize).map_or(0, writes);
                left &= left - 1;
            }
        }
        let mut names = Self {
            written,
            new: [UNNAMED; 3 * MAX_REGISTERS as usize],
            next: 0,
        };
        for (kind, index) in [(Kind::Scalar, 0), (Kind::Scalar, 1), (Kind::Vector, 0)] {
            names.of(kind, index);
        }
        names
    }

    fn known(&self, kind: Kind, index: u8) -> u8 {
        let bit = register(kind, index);
        if self.written & bit == 0 {
            NEVER_WRITTEN
        } else {
            self.new[bit.trailing_zeros() as usize]
        }
    }

    fn of(&mut self, kind: Kind, index: u8) -> u8 {
        let known = self.known(kind, index);
        if known != UNNAMED {
            return known;
        }
        self.new[register(kind, index).trailing_zeros() as usize] = self.next;
        self.next += 1;
        self.next - 1
    }

    fn hashed(&mut self, hash: u64, instruction: &Instruction) -> u64 {
        let signature = instruction.op.signature();
        let mut ins = instruction.ins;
        if let &[kind, _] = signature.ins
            && instruction.op.is_commutative()
            && self.known(kind, ins[1]) < self.known(kind, ins[0])
        {
            ins.swap(0, 1);
        }
        let mut word = u64::from(instruction.op as u8);
        for (&kind, &index) in signature.ins.iter().zip(&ins) {
            word = word << 8 | u64::from(self.of(kind, index));
        }
        if let Some(kind) = signature.out {
            word = word << 8 | u64::from(self.of(kind, instruction.out));
        }
        let mut hash = mixed(hash, word);
        for value in &instruction.data[..signature.data.len()] {
            hash = mixed(hash, u64::from(value.to_bits()) | 1 << 40);
        }
        hash
    }
}

/// A hash with one more word in it.
#[must_use]
pub fn mixed(hash: u64, word: u64) -> u64 {
    let x = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (x ^ (x >> 29))
        .wrapping_mul(0xbf58_476d_1ce4_e5b9)
        .rotate_left(23)
}
