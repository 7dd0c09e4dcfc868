//! `MuZero`: search.

mod search;
