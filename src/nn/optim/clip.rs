//! Limits on gradients.

use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::nn::cpu::optim::square_sum;
use crate::nn::ops::{is_fast, with_numbers};

/// What is done to gradients that are too large. Nothing is written for it: the factor goes into
/// the optimiser's one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clip {
    /// Nothing.
    #[default]
    None,
    /// All gradients are scaled together, so that the norm of all their numbers is at most this
    /// (Pascanu et al. 2013, algorithm 1).
    Norm(f64),
    /// Every number is held within plus and minus this.
    Value(f64),
}

/// The norm of all numbers of these gradients, in double precision, summed in their order.
///
/// # Errors
/// When the device fails.
pub fn global_norm<'a>(gradients: impl IntoIterator<Item = &'a Tensor>) -> Result<f64> {
    let mut sum = 0.0;
    for gradient in gradients {
        sum += if is_fast(&[gradient]) {
            with_numbers(&gradient.contiguous()?, square_sum)?
        } else {
            let doubles = gradient.to_dtype(DType::F64)?;
            doubles.sqr()?.sum_all()?.to_scalar::<f64>()?
        };
    }
    Ok(sum.sqrt())
}

impl Clip {
    /// The factor and the limit for gradients of this norm.
    pub(super) fn factors(self, norm: Option<f64>) -> (f32, f32) {
        match (self, norm) {
            // PyTorch's small number keeps a norm of zero from dividing by zero. NaN goes on.
            (Self::Norm(most), Some(norm)) => {
                let scale = most / (norm + 1e-6);
                (if scale > 1.0 { 1.0 } else { scale } as f32, f32::INFINITY)
            }
            (Self::Value(most), _) => (1.0, most as f32),
            _ => (1.0, f32::INFINITY),
        }
    }
}
