//! What a sketch says nothing about, or little, and a picture needs: skin, hair colour, light, age.
//!
//! They are numbers of a person's vector ([`crate::human::Sampler`]), so that both painters mean the
//! same by them. Where nobody sets them they are what the drawing makes likely.

use crate::human::Sampler;

/// The vector's numbers, by name.
pub const NAMES: [&str; 17] = [
    "origin 1",
    "origin 2",
    "origin 3",
    "sex-shape",
    "age",
    "skin, bright",
    "skin, warm",
    "skin, green",
    "hair brightness",
    "hair red",
    "hair blue",
    "iris",
    "top, bright",
    "top, warm",
    "top, green",
    "light from the side",
    "light from above",
];

/// How many there are.
pub const COUNT: usize = NAMES.len();

/// Where they lie in a vector.
///
/// # Errors
/// When the kit's vectors lack one.
pub fn places(sampler: &Sampler) -> crate::error::Result<Vec<usize>> {
    NAMES
        .iter()
        .map(|name| {
            sampler.place(name).ok_or_else(|| {
                crate::error::Error::Missing(format!("the kit's people have no `{name}`"))
            })
        })
        .collect()
}
