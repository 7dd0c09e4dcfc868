//! Sketches to begin with.

use crate::data::Image;
use crate::data::image::read_file;
use crate::demos::face_drawing::drawing::{Sketch, read_sketch};
use crate::error::Result;
use crate::store::assets_dir;

/// A shipped sketch.
pub(super) struct Sample {
    pub(super) title: &'static str,
    file: &'static str,
}

/// All of them.
pub(super) const SAMPLES: [Sample; 3] = [
    Sample {
        title: "Round",
        file: "round.svg",
    },
    Sample {
        title: "Long hair",
        file: "long_hair.svg",
    },
    Sample {
        title: "Beard",
        file: "beard.svg",
    },
];

impl Sample {
    /// Reads it.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub(super) fn read(&self) -> Result<Sketch> {
        let folder = assets_dir().join("samples").join("sketches");
        read_sketch(&folder.join(self.file))
    }
}

/// The sketch that is there at first, and the face that answers it.
///
/// # Errors
/// When a file is missing or damaged.
pub(super) fn stored() -> Result<(Sketch, Image)> {
    let sketch = SAMPLES[0].read()?;
    let path = assets_dir().join("samples").join("sketch.png");
    Ok((sketch, Image::decode(&read_file(&path)?, &path)?))
}
