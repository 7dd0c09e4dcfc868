//! Vitrine's entry point.
fn main() {}
