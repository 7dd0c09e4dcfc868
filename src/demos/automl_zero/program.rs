//! A program: three functions of instructions in one compact array.

use std::ops::Range;

use super::instruction::Instruction;

/// The three functions of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// Runs once before the first example.
    Setup,
    /// Runs for every example and leaves its prediction in `s1`.
    Predict,
    /// Runs after `Predict` on every training example, with the label in `s0`.
    Learn,
}

impl Function {
    /// All three, in the order in which they are written down.
    pub const ALL: [Self; 3] = [Self::Setup, Self::Predict, Self::Learn];

    /// Its name in the paper's pseudo-code.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Setup => "Setup",
            Self::Predict => "Predict",
            Self::Learn => "Learn",
        }
    }
}

/// Instructions that a function may have.
pub const MAX_LEN: usize = 64;

/// An algorithm.
#[derive(Debug, Default, PartialEq)]
pub struct Program {
    code: Vec<Instruction>,
    lens: [u8; 3],
}

impl Clone for Program {
    fn clone(&self) -> Self {
        Self {
            code: self.code.clone(),
            lens: self.lens,
        }
    }

    // The search copies a program for every individual; this one keeps the memory.
    fn clone_from(&mut self, source: &Self) {
        self.code.clone_from(&source.code);
        self.lens = source.lens;
    }
}

impl Program {
    /// A program of three functions; what exceeds [`MAX_LEN`] is left out.
    #[must_use]
    pub fn new(functions: [&[Instruction]; 3]) -> Self {
        let mut program = Self::default();
        for (function, code) in Function::ALL.into_iter().zip(functions) {
            for &instruction in code {
                program.push(function, instruction);
            }
        }
        program
    }

    /// The instructions of a function.
    #[must_use]
    pub fn function(&self, function: Function) -> &[Instruction] {
        &self.code[self.range(function)]
    }

    /// The same, to change them.
    pub fn function_mut(&mut self, function: Function) -> &mut [Instruction] {
        let range = self.range(function);
        &mut self.code[range]
    }

    /// All instructions, function after function.
    #[must_use]
    pub fn code(&self) -> &[Instruction] {
        &self.code
    }

    /// The number of instructions of a function.
    #[must_use]
    pub fn len_of(&self, function: Function) -> usize {
        usize::from(self.lens[function as usize])
    }

    /// The number of instructions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.code.len()
    }

    /// Whether it has no instruction.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.code.is_empty()
    }

    /// Puts an instruction before the one at `index` of a function. Nothing happens where the
    /// function is full.
    pub fn insert(&mut self, function: Function, index: usize, instruction: Instruction) {
        let range = self.range(function);
        if range.len() < MAX_LEN {
            self.code
                .insert(range.start + index.min(range.len()), instruction);
            self.lens[function as usize] += 1;
        }
    }

    /// Puts an instruction behind the last of a function.
    pub fn push(&mut self, function: Function, instruction: Instruction) {
        self.insert(function, MAX_LEN, instruction);
    }

    /// Takes an instruction out. Nothing happens where there is none.
    pub fn remove(&mut self, function: Function, index: usize) {
        let range = self.range(function);
        if index < range.len() {
            self.code.remove(range.start + index);
            self.lens[function as usize] -= 1;
        }
    }

    /// Keeps the instructions whose bit in `keep` is set, function by function.
    #[must_use]
    pub fn filtered(&self, keep: [u64; 3]) -> Self {
        let mut program = Self::default();
        for function in Function::ALL {
            for (index, &instruction) in self.function(function).iter().enumerate() {
                if keep[function as usize] >> index & 1 == 1 {
                    program.push(function, instruction);
                }
            }
        }
        program
    }

    fn range(&self, function: Function) -> Range<usize> {
        let [setup, predict, learn] = self.lens.map(usize::from);
        match function {
            Function::Setup => 0..setup,
            Function::Predict => setup..setup + predict,
            Function::Learn => setup + predict..setup + predict + learn,
        }
    }
}
