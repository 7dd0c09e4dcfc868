//! The hall of fame: for every length the best program, where it beats all shorter ones.

use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::program::Program;

/// A program that no shorter one equals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Famed {
    /// The program without its dead code.
    pub program: Program,
    /// Its length.
    pub instructions: usize,
    /// Its fitness in the search.
    pub fitness: f32,
}

/// The front of length against fitness.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hall {
    front: Vec<Famed>,
}

impl Hall {
    /// From the shortest to the longest, each fitter than those before it.
    #[must_use]
    pub fn front(&self) -> &[Famed] {
        &self.front
    }

    /// Takes in a program, unless one that is no longer is as fit.
    pub fn offer(&mut self, program: &Program, fitness: f32) {
        if self
            .front
            .first()
            .is_some_and(|first| first.instructions == 0 && fitness <= first.fitness)
        {
            return;
        }
        let analysis = Analysis::of(program);
        let instructions = analysis.len();
        let place = self
            .front
            .partition_point(|famed| famed.instructions <= instructions);
        if place > 0 && self.front[place - 1].fitness >= fitness {
            return;
        }
        let beaten = self.front[place..]
            .iter()
            .take_while(|famed| famed.fitness <= fitness)
            .count();
        let same = place > 0 && self.front[place - 1].instructions == instructions;
        let from = place - usize::from(same);
        let famed = Famed {
            program: program.filtered(analysis.live),
            instructions,
            fitness,
        };
        self.front.splice(from..place + beaten, [famed]);
    }
}
