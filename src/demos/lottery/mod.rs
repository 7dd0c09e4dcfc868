//! Lottery tickets: small subnetworks that train as well as the whole, or need no training at all.

pub mod alive;
pub mod config;
pub mod edge_popup;
pub mod gates;
pub mod images;
pub mod model;
pub mod net;
pub mod record;
pub mod subset_sum;
pub mod work;
