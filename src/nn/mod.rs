//! Networks: the layers and the fast CPU operations that the demos are built from.
//!
//! candle brings the tensors; what it is slow at on a CPU is written here.

pub mod cpu;
