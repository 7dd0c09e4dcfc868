//! Kernels of embedding and dropout.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use super::lanes::{build, rows, vectorise};

/// The rows of a table `[count, dim]` that `ids` name, one after the other.
///
/// # Panics
/// When an id is outside the table.
#[must_use]
pub fn look_up(table: &[f32], dim: usize, ids: &[u32]) -> Vec<f32> {
    rows(ids.len() * dim, dim, |first, out| {
        for (out, &id) in out.chunks_exact_mut(dim).zip(&ids[first..]) {
            out.copy_from_slice(&table[id as usize * dim..][..dim]);
        }
    })
}

/// The gradient of the table: of each row the sum over its uses, in the order of `ids`.
///
/// # Panics
/// When an id is outside the table.
#[must_use]
pub fn scatter_add(grad: &[f32], dim: usize, ids: &[u32], count: usize) -> Vec<f32> {
    // Uses sorted by row, so that rows can be summed independently.
    let mut starts = vec![0_u32; count + 1];
    for &id in ids {
        starts[id as usize + 1] += 1;
    }
    for i in 0..count {
        starts[i + 1] += starts[i];
    }
    let mut next = starts.clone();
    let mut uses = vec![0_u32; ids.len()];
    for (position, &id) in ids.iter().enumerate() {
        uses[next[id as usize] as usize] = position as u32;
        next[id as usize] += 1;
    }
    rows(count * dim, dim, |first, out| {
        vectorise(
            #[inline(always)]
            || {
                for (i, out) in out.chunks_exact_mut(dim).enumerate() {
                    let at = starts[first + i] as usize..starts[first + i + 1] as usize;
                    for &position in &uses[at] {
                        let grad = &grad[position as usize * dim..][..dim];
                        for (out, &g) in out.iter_mut().zip(grad) {
                            *out += g;
                        }
                    }
                }
            },
        );
    })
}

/// Which numbers a dropout keeps: a hash of their position, so that nothing is stored.
///
/// The hash is Wellons' `lowbias32` twice, with half of the key before each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropMask {
    /// Random bits.
    pub key: u64,
    /// A number stays when its hash is at least this: the rate times 2^32.
    pub threshold: u32,
}

impl DropMask {
    #[inline(always)]
    fn keeps(self, position: u32) -> bool {
        let (low, high) = (self.key as u32, (self.key >> 32) as u32);
        mix(mix(position.wrapping_add(low)) ^ high) >= self.threshold
    }
}

/// Wellons' `lowbias32`.
#[inline(always)]
fn mix(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// `x` times `scale` where the mask keeps it, else 0.
#[must_use]
pub fn drop_out(x: &[f32], mask: DropMask, scale: f32) -> Vec<f32> {
    build(x.len(), |start, out| {
        vectorise(
            #[inline(always)]
            move || {
                for (i, (out, &x)) in out.iter_mut().zip(&x[start..]).enumerate() {
                    let position = (start as u32).wrapping_add(i as u32);
                    let factor = if mask.keeps(position) { scale } else { 0.0 };
                    *out = x * factor;
                }
            },
        );
    })
}
