//! Lottery tickets: small subnetworks that train as well as the whole, or need no training at all.

pub mod alive;
pub mod config;
pub mod dense;
pub mod engine;
pub mod images;
pub mod imp;
pub mod job;
mod line;
pub mod model;
pub mod net;
pub mod prune;
pub mod record;
pub mod store;
pub mod subset_sum;
pub mod work;
