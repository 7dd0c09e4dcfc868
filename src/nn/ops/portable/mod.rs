//! The operations put together from candle's own, for every device and type.
//!
//! Left out is what candle 0.11 gets wrong: its pooling (wrong gradient), its interpolation and
//! fused softmax and norms (no gradient).

pub mod conv;
pub mod linear;
mod norm;
mod pointwise;
mod pool;
mod resample;
pub mod rescale;
mod softmax;

pub use norm::{batch_norm, batch_norm_eval, group_norm, layer_norm, rms_norm};
pub use pointwise::{activate, function};
pub use pool::{avg_pool2d, global_avg_pool, max_pool2d};
pub use resample::{pixel_shuffle, upsample_bilinear2d, upsample_nearest2d};
pub use softmax::{cross_entropy, embedding, log_softmax, soft_cross_entropy, softmax};
