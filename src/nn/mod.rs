//! Networks: layers, operations, optimisers, checkpoints and the training loop.
//!
//! candle brings the tensors, the graph and CUDA. What it is slow or wrong at is here: the
//! operations of [`ops`] run on kernels of [`cpu`] where tensors lie in the processor's memory as
//! `f32`, and are put together from candle's own operations elsewhere, so that a model is written
//! once. Demos use this module, not `candle_nn`.
//!
//! Every result is the same, bit for bit, for any number of threads: work is cut into pieces by
//! the shape of the data, never by the number of threads, and sums are taken in a fixed order.

pub mod arrays;
pub mod bench;
pub mod checkpoint;
pub mod cpu;
mod in_place;
mod init;
pub mod layers;
mod modulated;
pub mod ops;
pub mod optim;
mod params;
pub mod train;
pub mod weights;

pub use init::{Distribution, Fan, Init, RELU_GAIN};
pub use modulated::ModulatedConv2d;
pub use params::{Kind, Param, Params, Scope, Snapshot};
