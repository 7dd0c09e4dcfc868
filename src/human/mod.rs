//! A person we own: a parametric figure whose every picture comes with the whole truth about it.
//!
//! The shapes, skins and hair are those of the `MakeHuman` community, released as CC0; PROVENANCE.md
//! beside the packs names every source file. Its labels, among them the three axes of origin and
//! the axis from female to male, are labels of a 3D kit: they say how the kit's artists shaped
//! their figures, nothing about people. Nobody who is drawn here exists.
//!
//! ```text
//! packs ─► Kit ─► person's parameters ─► shape weights ─► points ─► (pose) ─► surfaces ─► picture
//! ```

pub mod axis;
pub mod figure;
pub mod fit;
pub mod garment;
pub mod geometry;
pub mod kit;
pub mod mesh;
pub mod normal;
pub mod pack;
pub mod packer;
pub mod person;
pub mod portrait;
pub mod raster;
pub mod rig;
pub mod sampler;
pub mod skin;
pub mod target;
pub mod texture;

pub use figure::{Extent, Figure, Wardrobe};
pub use kit::Kit;
pub use person::Person;
pub use portrait::{Portrait, View};
pub use raster::{Part, Picture, Quality};
pub use sampler::Sampler;
