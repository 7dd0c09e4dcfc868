//! Rows of a table.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::loss::indices;
use super::{is_fast, numbers, output, portable, tensor, with_numbers};
use crate::nn::cpu::embedding::{look_up, scatter_add};

struct Embedding {
    ids: Vec<u32>,
    shape: Vec<usize>,
}

impl CustomOp1 for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, dim) = layout.shape().dims2()?;
        let rows = look_up(numbers(storage, layout)?, dim, &self.ids);
        Ok(output(rows, self.shape.as_slice()))
    }

    fn bwd(&self, table: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (count, dim) = table.dims2()?;
        let grad = grad.contiguous()?;
        let sums = with_numbers(&grad, |grad| scatter_add(grad, dim, &self.ids, count))?;
        tensor(sums, table.shape()).map(Some)
    }
}

/// The rows of `table`, `[count, dim]`, that `ids`, whole numbers `[..]`, name: `[.., dim]`.
///
/// # Errors
/// When the shapes do not fit or an id is out of range.
pub fn embedding(table: &Tensor, ids: &Tensor) -> Result<Tensor> {
    let (count, dim) = table.dims2()?;
    let found = indices(ids, count, "ids")?;
    let mut shape = ids.dims().to_vec();
    shape.push(dim);
    if is_fast(&[table]) {
        table
            .contiguous()?
            .apply_op1(Embedding { ids: found, shape })
    } else {
        let ids = Tensor::from_vec(found, ids.shape(), table.device())?;
        portable::embedding(table, &ids)
    }
}
