//! The space of programs and the ways through it: random programs and the six mutations.
//!
//! Mutations and their chances are those of the released code: a child is changed nine times in
//! ten; which function is changed is drawn among those that have operations; constants change by a
//! factor `e^N(0, 1)` or, once in ten times, change their sign.

use serde::{Deserialize, Serialize};

use super::instruction::{Data, Instruction, Kind, Op};
use super::program::{Function, MAX_LEN, Program};
use crate::rng::Rng;

/// A way in which a child differs from its parent.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mutation {
    /// Nothing was changed
    #[default]
    Copy,
    /// A register or a constant of one instruction is another
    AlterParam,
    /// One instruction is replaced by a random one
    RandomizeInstruction,
    /// All instructions of one function are replaced by random ones
    RandomizeFunction,
    /// A random instruction more
    Insert,
    /// An instruction less
    Remove,
    /// An instruction less, and a random one elsewhere in the function
    Trade,
}

impl Mutation {
    /// The six that change something.
    pub const ALL: [Self; 6] = [
        Self::AlterParam,
        Self::RandomizeInstruction,
        Self::RandomizeFunction,
        Self::Insert,
        Self::Remove,
        Self::Trade,
    ];

    /// What it did, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Copy => "copied",
            Self::AlterParam => "changed a register or constant",
            Self::RandomizeInstruction => "replaced an instruction",
            Self::RandomizeFunction => "replaced a function",
            Self::Insert => "added an instruction",
            Self::Remove => "removed an instruction",
            Self::Trade => "moved on with another instruction",
        }
    }
}

/// What programs may look like and how they change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Space {
    /// The operations of each function. A function without any stays as it is.
    pub ops: [Vec<Op>; 3],
    /// The instructions that a new program has, function by function.
    pub first_len: [usize; 3],
    /// The fewest that a mutation leaves.
    pub least_len: [usize; 3],
    /// The most that a mutation makes.
    pub most_len: [usize; 3],
    /// Registers of each kind: scalars, vectors, matrices.
    pub registers: [u8; 3],
    /// How likely each of [`Mutation::ALL`] is, relative to the others.
    pub weights: [f32; 6],
    /// How likely a child is changed at all.
    pub mutate: f32,
    /// Significant digits that constants are rounded to; none for real ones.
    pub digits: Option<u8>,
}

impl Space {
    /// A program of random instructions, as long as new ones are.
    #[must_use]
    pub fn random_program(&self, rng: &mut Rng) -> Program {
        let mut program = Program::default();
        for function in Function::ALL {
            for _ in 0..self.first_len[function as usize] {
                if let Some(instruction) = self.random_instruction(function, rng) {
                    program.push(function, instruction);
                } else {
                    program.push(function, Instruction::default());
                }
            }
        }
        program
    }

    /// A program of instructions that do nothing, as long as new ones are.
    #[must_use]
    pub fn empty_program(&self) -> Program {
        let [setup, predict, learn] = self.first_len.map(|len| vec![Instruction::default(); len]);
        Program::new([&setup, &predict, &learn])
    }

    /// Changes a program, or leaves it as it is, and says what was done.
    pub fn mutate(&self, program: &mut Program, rng: &mut Rng) -> Mutation {
        if self.mutate < 1.0 && rng.uniform() as f32 >= self.mutate {
            return Mutation::Copy;
        }
        let total: f32 = self.weights.iter().sum();
        let mut left = rng.uniform() as f32 * total;
        let mut chosen = Mutation::Copy;
        for (mutation, &weight) in Mutation::ALL.into_iter().zip(&self.weights) {
            if weight > 0.0 {
                chosen = mutation;
                if left < weight {
                    break;
                }
                left -= weight;
            }
        }
        self.apply(chosen, program, rng);
        chosen
    }

    fn apply(&self, mutation: Mutation, program: &mut Program, rng: &mut Rng) {
        let open = self.ops.iter().filter(|ops| !ops.is_empty()).count();
        let drawn = rng.below(open);
        let mut functions = Function::ALL.into_iter();
        let Some(function) = functions
            .by_ref()
            .filter(|f| !self.ops[*f as usize].is_empty())
            .nth(drawn)
        else {
            return;
        };
        let len = program.len_of(function);
        let index = |rng: &mut Rng, len: usize| rng.below(len);
        match mutation {
            Mutation::Copy => {}
            Mutation::AlterParam => {
                let at = index(rng, len);
                if let Some(instruction) = program.function_mut(function).get_mut(at) {
                    self.alter(instruction, rng);
                }
            }
            Mutation::RandomizeInstruction => {
                let at = index(rng, len);
                if let Some(instruction) = program.function_mut(function).get_mut(at)
                    && let Some(random) = self.random_instruction(function, rng)
                {
                    *instruction = random;
                }
            }
            Mutation::RandomizeFunction => {
                for instruction in program.function_mut(function) {
                    if let Some(random) = self.random_instruction(function, rng) {
                        *instruction = random;
                    }
                }
            }
            Mutation::Insert => {
                if len < self.most_len[function as usize].min(MAX_LEN) {
                    self.insert(program, function, rng);
                }
            }
            Mutation::Remove => {
                if len > self.least_len[function as usize] {
                    program.remove(function, index(rng, len));
                }
            }
            Mutation::Trade => {
                if len > 0 {
                    program.remove(function, index(rng, len));
                    self.insert(program, function, rng);
                }
            }
        }
    }

    fn insert(&self, program: &mut Program, function: Function, rng: &mut Rng) {
        let at = rng.below(program.len_of(function) + 1);
        if let Some(instruction) = self.random_instruction(function, rng) {
            program.insert(function, at, instruction);
        }
    }

    /// A random instruction of a function; none where it has no operations.
    fn random_instruction(&self, function: Function, rng: &mut Rng) -> Option<Instruction> {
        let ops = &self.ops[function as usize];
        let op = *ops.get(rng.below(ops.len()))?;
        let signature = op.signature();
        let mut instruction = Instruction {
            op,
            ..Instruction::default()
        };
        for (place, &kind) in instruction.ins.iter_mut().zip(signature.ins) {
            *place = self.any_in(kind, rng);
        }
        if let Some(kind) = signature.out {
            instruction.out = self.any_out(kind, rng);
        }
        for place in 0..signature.data.len() {
            instruction.data[place] = self.rounded(fresh(signature.data, place, rng));
        }
        Some(instruction)
    }

    fn any_in(&self, kind: Kind, rng: &mut Rng) -> u8 {
        rng.below(usize::from(self.registers[kind as usize])) as u8
    }

    fn any_out(&self, kind: Kind, rng: &mut Rng) -> u8 {
        let first = kind.first_out();
        first
            + rng.below(usize::from(
                self.registers[kind as usize].saturating_sub(first),
            )) as u8
    }

    /// Changes one register or constant.
    fn alter(&self, instruction: &mut Instruction, rng: &mut Rng) {
        let signature = instruction.op.signature();
        let Some(out) = signature.out else {
            return;
        };
        let choices = signature.ins.len() + 1 + usize::from(!signature.data.is_empty());
        let choice = rng.below(choices);
        if let Some(&kind) = signature.ins.get(choice) {
            instruction.ins[choice] = self.any_in(kind, rng);
        } else if choice == signature.ins.len() {
            instruction.out = self.any_out(out, rng);
        } else {
            let place = rng.below(signature.data.len());
            let old = instruction.data[place];
            let new = self.rounded(altered(signature.data, place, old, rng));
            if new.is_finite() {
                instruction.data[place] = new;
            }
            if signature.data == Data::Uniform {
                let [low, high, _] = &mut instruction.data;
                if *low > *high {
                    std::mem::swap(low, high);
                }
            }
        }
    }

    fn rounded(&self, x: f32) -> f32 {
        match self.digits {
            None => x,
            Some(_) if x == 0.0 || !x.is_finite() => x,
            Some(digits) => {
                let shown = format!("{x:.*e}", usize::from(digits.max(1) - 1));
                // A place stays below 1, where rounding would leave its vector.
                shown
                    .parse()
                    .map_or(x, |y: f32| if x < 1.0 && y >= 1.0 { x } else { y })
            }
        }
    }
}

/// A constant of a new instruction.
fn fresh(data: Data, place: usize, rng: &mut Rng) -> f32 {
    let part = rng.uniform() as f32;
    if is_part(data, place) {
        below_one(part)
    } else {
        2.0 * part - 1.0
    }
}

/// Whether a constant is a part of a length or a deviation: from 0 to 1 at first.
fn is_part(data: Data, place: usize) -> bool {
    match data {
        Data::VectorEntry => place == 0,
        Data::MatrixEntry => place < 2,
        Data::Gaussian => place == 1,
        Data::Nothing | Data::Number | Data::Uniform => false,
    }
}

fn below_one(x: f32) -> f32 {
    x.min(0.999_999_9)
}

/// What a constant becomes.
fn altered(data: Data, place: usize, old: f32, rng: &mut Rng) -> f32 {
    if data != Data::Gaussian && is_part(data, place) {
        return below_one(rng.uniform() as f32);
    }
    // A deviation keeps its sign.
    if !is_part(data, place) && rng.uniform() < 0.1 {
        return -old;
    }
    let size = (f64::from(old.abs()).ln() + rng.normal()).exp() as f32;
    if old > 0.0 { size } else { -size }
}
