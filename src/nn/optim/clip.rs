//! Limits on gradients.

use candle_core::{DType, Storage, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
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

/// The norm of all numbers of these gradients, in double precision, summed in their order. Where
/// a mask of zeros and ones is given, numbers under a zero are left out.
///
/// # Errors
/// When the device fails.
pub fn global_norm<'a>(
    gradients: impl IntoIterator<Item = (&'a Tensor, Option<&'a Tensor>)>,
) -> Result<f64> {
    let mut sum = 0.0;
    for (gradient, mask) in gradients {
        sum += if is_fast(&[gradient]) {
            let gradient = gradient.contiguous()?;
            with_mask(mask, |mask| {
                with_numbers(&gradient, |values| square_sum(values, mask))
            })??
        } else {
            let gradient = match mask {
                Some(mask) => mask.where_cond(gradient, &gradient.zeros_like()?)?,
                None => gradient.clone(),
            };
            let doubles = gradient.to_dtype(DType::F64)?;
            doubles.sqr()?.sum_all()?.to_scalar::<f64>()?
        };
    }
    Ok(sum.sqrt())
}

/// Lends a mask's numbers, which lie in the processor's memory.
pub(super) fn with_mask<T>(mask: Option<&Tensor>, f: impl FnOnce(Option<&[u8]>) -> T) -> Result<T> {
    let Some(mask) = mask else {
        return Ok(f(None));
    };
    let (storage, layout) = mask.storage_and_layout();
    match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(storage), Some((from, to))) => {
            Ok(f(Some(&storage.as_slice::<u8>()?[from..to])))
        }
        _ => Err(Error::Input("the mask is on another device".into())),
    }
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
