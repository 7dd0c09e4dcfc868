//! One folder for each system, in the order of the review.

pub mod gpt;
