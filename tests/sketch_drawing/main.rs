//! Drawings: rasters, curves, files of other programs, damaged files, scans, undo.

#![expect(
    clippy::float_cmp,
    reason = "what is neither computed nor rounded stays as it was"
)]

mod curves;
mod damaged;
mod programs;
mod raster;
mod scans;
mod support;
mod undo;
