//! AutoML-Zero: what instructions compute, programs as text, shortcuts that change nothing, searches
//! that can be repeated and interrupted.

mod files;
mod findings;
mod golden;
mod lanes;
mod search;
mod support;
mod text;
mod translations;
