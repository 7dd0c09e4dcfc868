//! In-context learning, measured: how often a model is right by the number of examples in its
//! prompt (the paper's figure 1.2 and section 3.9).

pub mod curve;
mod lists;
pub mod paper;
pub mod tasks;
