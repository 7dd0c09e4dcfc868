//! Changing the numbers of a tensor where they lie.
//!
//! Weights, moments and running statistics are updated thousands of times; a new tensor each time
//! would cost more in page faults than in arithmetic. candle lends a tensor's storage to an
//! `InplaceOp`, which is what this wraps in a closure.

use std::cell::Cell;

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Storage, Tensor};

struct Lend<F>(Cell<Option<F>>);

impl<F: FnOnce(&mut [f32]) -> Result<()>> InplaceOp1 for Lend<F> {
    fn name(&self) -> &'static str {
        "in-place update"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(values) = storage else {
            candle_core::bail!("an in-place update takes f32 tensors");
        };
        match (layout.contiguous_offsets(), self.0.take()) {
            (Some((from, to)), Some(update)) => update(&mut values[from..to]),
            _ => candle_core::bail!("an in-place update takes a contiguous tensor, once"),
        }
    }
}

/// Lends the numbers of a contiguous `f32` tensor in the processor's memory for a change in place.
///
/// All tensors that share its storage see the change. The closure must not touch any of them: the
/// storage is locked while it runs.
pub(crate) fn with_numbers_mut(
    tensor: &Tensor,
    update: impl FnOnce(&mut [f32]) -> Result<()>,
) -> Result<()> {
    tensor.inplace_op1(&Lend(Cell::new(Some(update))))
}

/// Whether two tensors share their storage, so that they cannot be locked one inside the other.
pub(crate) fn share_storage(a: &Tensor, b: &Tensor) -> bool {
    let (a, _) = a.storage_and_layout();
    let (b, _) = b.storage_and_layout();
    std::ptr::eq::<Storage>(&raw const *a, &raw const *b)
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Tensor, Var};

    use super::{share_storage, with_numbers_mut};

    #[test]
    fn a_change_is_seen_through_every_handle() {
        let var = Var::from_vec(vec![1.0_f32, 2.0], 2, &Device::Cpu).expect("a variable");
        let handle = var.as_tensor().clone();
        with_numbers_mut(&var, |values| {
            values[1] = 5.0;
            Ok(())
        })
        .expect("changed");
        assert_eq!(handle.to_vec1::<f32>().expect("numbers"), [1.0, 5.0]);
        assert!(share_storage(&handle, &var.as_detached_tensor()));
        assert!(!share_storage(&handle, &handle.copy().expect("a copy")));
    }

    #[test]
    fn other_types_and_strided_tensors_are_refused() {
        let doubles = Tensor::zeros(2, DType::F64, &Device::Cpu).expect("zeros");
        let grid = Tensor::zeros((2, 3), DType::F32, &Device::Cpu).expect("zeros");
        let strided = grid.t().expect("transposed");
        for tensor in [doubles, strided] {
            assert!(with_numbers_mut(&tensor, |_| Ok(())).is_err());
        }
    }
}
