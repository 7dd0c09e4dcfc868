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
pub mod sparse;
pub mod subnetwork;

pub use activation::Activation;
pub use conv::{Conv2dOptions, conv_transpose2d, conv2d};
pub use linear::{linear, masked, masked_linear};
pub use loss::{cross_entropy, slopes, soft_cross_entropy};
pub use pool::{Window, max_pool2d};
pub use rescale::{add_activate, demodulation, min_max_scale, scale_gradient, scale_planes};
pub use sparse::sparse_linear;
pub use subnetwork::subnetwork;

use std::cell::Cell;

use candle_core::{CpuStorage, DType, Device, Layout, Result, Shape, Tensor};

use super::cpu::{lanes::build, pointwise::activation_backward};

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

/// Lends the gradient before the activation, as [`before_activation`] gives it; without an
/// activation it is not copied.
fn with_gradient_before<T>(
    g: &Tensor,
    y: &Tensor,
    before: Option<&Vec<f32>>,
    activation: Activation,
    f: impl FnOnce(&[f32]) -> Result<T>,
) -> Result<T> {
    if activation == Activation::None {
        with_numbers(&g.contiguous()?, f)?
    } else {
        f(&before_activation(g, y, before, activation)?)
    }
}

/// The gradient before the activation, out of that after it: `y` is the result, `before` what the
/// activation was applied to, where its gradient needs that.
fn before_activation(
    g: &Tensor,
    y: &Tensor,
    before: Option<&Vec<f32>>,
    activation: Activation,
) -> Result<Vec<f32>> {
    let g = g.contiguous()?;
    let backward = |g: &[f32], saved: &[f32]| {
        build(g.len(), |start, piece| {
            piece.copy_from_slice(&g[start..start + piece.len()]);
            activation_backward(piece, &saved[start..], activation);
        })
    };
    match (activation, before) {
        (Activation::None, _) => with_numbers(&g, <[f32]>::to_vec),
        (_, Some(before)) => with_numbers(&g, |g| backward(g, before)),
        (_, None) => with_numbers(&g, |g| with_numbers(y, |y| backward(g, y)))?,
    }
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
