//! Programs that people wrote: where a search may begin, and what its results are compared with.
//!
//! All but [`LAST_LAYER`] are those of the released code.

use serde::{Deserialize, Serialize};

use super::mutate::Space;
use super::program::{Function, Program};
use super::text::parse;
use crate::error::Result;
use crate::rng::Rng;

/// Where a search begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Programs that do nothing
    #[default]
    Empty,
    /// Random programs, each another
    Random,
    /// A linear model that learns by gradient descent
    Linear,
    /// A network of two layers that learns by backpropagation
    Network,
    /// That network without the instructions that give its weights their first values
    Damaged,
    /// A network of two layers of which only the last one learns
    LastLayer,
}

/// A linear model (paper, figure 1 of the released demo).
pub const LINEAR: &str = "\
def Setup():
  s2 = 0.01
def Predict():
  s1 = dot(v1, v0)
def Learn():
  s3 = s0 - s1
  s3 = s2 * s3
  v2 = s3 * v0
  v1 = v1 + v2
";

/// A network of two layers with biases.
pub const NETWORK: &str = "\
def Setup():
  v2 = gaussian(0.0, 0.1, n_features)
  m0 = gaussian(0.0, 0.1, (n_features, n_features))
  s3 = 0.01
def Predict():
  v3 = dot(m0, v0)
  v3 = v3 + v1
  v4 = maximum(v3, v5)
  s1 = dot(v4, v2)
  s1 = s1 + s2
def Learn():
  s4 = s0 - s1
  s4 = s3 * s4
  s2 = s2 + s4
  v6 = s4 * v4
  v2 = v2 + v6
  v7 = s4 * v2
  v8 = heaviside(v3, 1.0)
  v7 = v8 * v7
  v1 = v1 + v7
  m1 = outer(v7, v0)
  m0 = m0 + m1
";

/// A network of two layers of which only the last one learns; its hidden units stay what they are.
pub const LAST_LAYER: &str = "\
def Setup():
  v2 = gaussian(0.0, 0.5, n_features)
  m0 = gaussian(0.0, 0.5, (n_features, n_features))
  s3 = 0.01
def Predict():
  v3 = dot(m0, v0)
  v3 = v3 + v1
  v4 = maximum(v3, v5)
  s1 = dot(v4, v2)
  s1 = s1 + s2
def Learn():
  s4 = s0 - s1
  s4 = s3 * s4
  s2 = s2 + s4
  v6 = s4 * v4
  v2 = v2 + v6
";

impl Start {
    /// The program of that name; random ones are drawn from the space.
    ///
    /// # Errors
    /// None in practice: the texts above are read by a test.
    pub fn program(self, space: &Space, rng: &mut Rng) -> Result<Program> {
        match self {
            Self::Empty => Ok(space.empty_program()),
            Self::Random => Ok(space.random_program(rng)),
            Self::Linear => Ok(parse(LINEAR)?),
            Self::Network => Ok(parse(NETWORK)?),
            Self::Damaged => {
                let mut program = parse(NETWORK)?;
                for _ in 0..2 {
                    program.remove(Function::Setup, 0);
                }
                Ok(program)
            }
            Self::LastLayer => Ok(parse(LAST_LAYER)?),
        }
    }
}
