//! Fast CPU operations. The only place with `unsafe`: each use says why it is sound, and each
//! vector kernel has a scalar twin that a test compares it with.

mod alloc;
mod attention;
pub mod batch_norm;
mod blocks;
mod candle_threads;
mod clock;
pub mod conv;
pub mod correlate;
pub mod embedding;
mod exp;
pub mod gemm;
pub mod lanes;
pub mod norm;
pub mod optim;
pub mod over_outputs;
pub mod pointwise;
pub mod pool;
mod priority;
mod quant;
pub mod resample;
pub mod rescale;
pub mod select;
pub mod softmax;
pub mod sparse;
mod sweep;
mod weight_gradient;
mod winograd;

pub use alloc::keep_freed_memory;
pub use attention::{HeadCache, MAX_HEAD_DIM, Query, attend_many, attend_one, half_from_f32};
pub use blocks::BlockFormat;
pub use candle_threads::keep_candle_single_threaded;
pub use clock::{pool_cpu_time, process_cpu_time};
pub use exp::silu_times;
pub use priority::give_way;
pub use quant::{Activations, QuantMatrix, matmul};

/// Whether the AVX2 kernels run on this machine.
#[must_use]
pub fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}
