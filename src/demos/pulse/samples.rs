//! What the tab shows at first: a question with its answers, and the bias table, as the commands
//! measured them.

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Attributes, Face};
use super::bias::Row;
use crate::data::Image;
use crate::error::{Error, Result};
use crate::store::assets_dir;

/// A stored face: everything but its pixels, which lie in the picture beside.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    z: Vec<f64>,
    attributes: Attributes,
    #[serde(default)]
    low_error: f64,
    #[serde(default)]
    success: bool,
    #[serde(default)]
    surrogate_error: f64,
    #[serde(default)]
    draft_errors: Vec<f64>,
}

/// The file.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct File {
    /// Pixels in a side of the small picture.
    side: usize,
    /// The true person.
    truth: Stored,
    /// The answers, in the order of the picture.
    answers: Vec<Stored>,
    /// The bias table.
    bias: Vec<Row>,
}

/// What is stored.
pub struct Samples {
    /// Pixels in a side of the small picture.
    pub side: usize,
    /// The true person.
    pub truth: Face,
    /// The answers.
    pub answers: Vec<Answer>,
    /// The bias table.
    pub bias: Vec<Row>,
}

/// Reads it. The picture has the truth first and then the answers, side by side.
///
/// # Errors
/// When a file is missing or damaged.
pub fn stored() -> Result<Samples> {
    let folder = assets_dir().join("samples");
    let read = |name: &str| {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(Error::io("cannot read the file", &path))?;
        Ok::<_, Error>((path, bytes))
    };
    let (path, bytes) = read("pulse.json")?;
    let file: File = serde_json::from_slice(&bytes).map_err(|error| {
        Error::bad_file(&path, format!("the stored result is damaged: {error}"))
    })?;
    let (path, bytes) = read("pulse.png")?;
    let sheet = Image::decode(&bytes, &path)?;
    let count = file.answers.len() + 1;
    let size = sheet.height as usize;
    if sheet.width as usize != size * count {
        return Err(Error::bad_file(
            &path,
            "the stored faces are of another result",
        ));
    }
    let face = |place: usize, stored: &Stored| Face {
        z: stored.z.clone(),
        size,
        pixels: (0..size * size)
            .map(|at| {
                let (column, row) = ((place * size + at % size) as u32, (at / size) as u32);
                let [r, g, b, _] = sheet.pixel(column, row).unwrap_or_default();
                [r, g, b]
            })
            .collect(),
        attributes: stored.attributes.clone(),
    };
    let answers = file
        .answers
        .iter()
        .enumerate()
        .map(|(place, stored)| {
            let face = face(place + 1, stored);
            Ok(Answer {
                low: face.low(file.side)?,
                face,
                error: stored.low_error,
                success: stored.success,
                surrogate_error: stored.surrogate_error,
                drafts: stored.draft_errors.clone(),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Samples {
        side: file.side,
        truth: face(0, &file.truth),
        answers,
        bias: file.bias,
    })
}
