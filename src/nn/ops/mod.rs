//! Differentiable operations on tensors.
//!
//! Each has two bodies. The fast one is a candle `CustomOp` with its own backward on kernels of
//! [`super::cpu`]; it takes contiguous `f32` tensors in the processor's memory. The portable one,
//! in [`portable`], is put together from candle's operations, leaves out those whose gradient is
//! wrong or missing, and serves other devices and types. Tests compare the two with each other,
//! with finite differences and with `PyTorch`.

pub mod activation;
pub mod batch_norm;
pub mod conv;
pub mod dropout;
pub mod embedding;
pub mod linear;
pub mod loss;
pub mod norm;
pub mod pointwise;
pub mod pool;
pub mod portable;
pub mod resample;
pub mod rescale;
pub mod softmax;
pub mod subnetwork;

pub use activation::Activation;
pub use conv::{Conv2dOptions, conv_transpose2d, conv2d};
pub use linear::{linear, masked, masked_linear};
pub use loss::{cross_entropy, soft_cross_entropy};
pub use pool::{Window, max_pool2d};
pub use rescale::{add_activate, demodulation, min_max_scale, scale_gradient, scale_planes};
pub use subnetwork::subnetwork;

use std::cell::Cell;

use candle_core::{CpuStorage, DType, Device, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::cpu::pointwise::activation_backward;

thread_local! {
    static PORTABLE: Cell<bool> = const { Cell::new(false) };
}

/// Runs a closure with the portable bodies only, on this thread: to compare results and speed.
///
/// A loss keeps the bodies that it was built from, so `backward` may be called outside.
pub fn with_portable<R>(f: impl FnOnce() -> R) -> R {
    /// Puts the setting back when the closure panics, too.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            PORTABLE.set(self.0);
        }
    }
    let _restore = Restore(PORTABLE.replace(true));
    f()
}

/// Whether the fast bodies take these tensors.
pub(crate) fn is_fast(tensors: &[&Tensor]) -> bool {
    let fits = |tensor: &&Tensor| tensor.device().is_cpu() && tensor.dtype() == DType::F32;
    !PORTABLE.get() && tensors.iter().all(fits)
}

/// The numbers of a contiguous argument of a custom operation.
pub(crate) fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let values = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&values[from..to]),
        None => candle_core::bail!("this operation takes contiguous tensors"),
    }
}

/// Lends the numbers of a contiguous tensor in the processor's memory.
pub(crate) fn with_numbers<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        candle_core::Storage::Cpu(storage) => Ok(f(numbers(storage, layout)?)),
        _ => candle_core::bail!("this operation takes tensors in the processor's memory"),
    }
}

/// What a custom operation returns.
pub(crate) fn output(values: Vec<f32>, shape: impl Into<Shape>) -> (CpuStorage, Shape) {
    (CpuStorage::F32(values), shape.into())
}

/// The gradient before the activation, out of that after it: `y` is the result, `before` what the
/// activation was applied to, where its gradient needs that.
fn before_activation(
    g: &Tensor,
    y: &Tensor,
    before: Option<&Vec<f32>>,
    activation: Activation,
) -> Result<Vec<f32>> {
    let mut g = with_numbers(&g.contiguous()?, <[f32]>::to_vec)?;
    let backward = |g: &mut [f32], saved: &[f32]| {
        let piece = 1 << 14;
        g.par_chunks_mut(piece)
            .zip(saved.par_chunks(piece))
            .for_each(|(g, saved)| activation_backward(g, saved, activation));
    };
    match before {
        Some(before) => backward(&mut g, before),
        None => with_numbers(y, |y| backward(&mut g, y))?,
    }
    Ok(g)
}

/// A tensor of numbers that a kernel made.
pub(crate) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape.into(), &Device::Cpu)
}

/// The gradient of an argument as a tensor, where the graph wants it.
pub(crate) fn gradient(values: Vec<f32>, argument: &Tensor) -> Result<Option<Tensor>> {
    if argument.track_op() {
        tensor(values, argument.shape()).map(Some)
    } else {
        Ok(None)
    }
}
