//! CIFAR-10 in its binary version: records of one label and 32 × 32 pixels of red, then green,
//! then blue (Krizhevsky, *Learning multiple layers of features from tiny images*, 2009).

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::dataset::{Dataset, Datasets, Shape};
use super::packed::{MAX_BYTES, Unpacked};
use crate::{Error, Result};

const SHAPE: Shape = Shape {
    channels: 3,
    height: 32,
    width: 32,
};
const RECORD_BYTES: usize = 1 + 3 * 32 * 32;

const TRAIN: [&str; 5] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
];
const TEST: &str = "test_batch.bin";

/// The classes, as the file `batches.meta.txt` beside the data names them.
const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

/// Reads the six files in a folder, or in the folder in it that their archive makes.
pub(super) fn from_folder(folder: &Path) -> Result<Datasets> {
    let folder = place(folder)?;
    let read = |name: &str| Batch::read(&folder.join(name));
    let (train, test) = rayon::join(
        || {
            TRAIN
                .par_iter()
                .map(|name| read(name))
                .collect::<Result<Vec<_>>>()
        },
        || read(TEST),
    );
    let train = train?.into_iter().reduce(Batch::join);
    Ok(Datasets {
        train: train.unwrap_or_default().into_dataset()?,
        test: test?.into_dataset()?,
    })
}

/// The folder that has all six files.
fn place(folder: &Path) -> Result<PathBuf> {
    let inside = folder.join("cifar-10-batches-bin");
    let place = if inside.is_dir() {
        inside
    } else {
        folder.to_path_buf()
    };
    let missing: Vec<&str> = TRAIN
        .into_iter()
        .chain([TEST])
        .filter(|name| !place.join(name).is_file())
        .collect();
    if missing.is_empty() {
        return Ok(place);
    }
    let hint = if place.join("data_batch_1").is_file() {
        "; this is the Python version, the binary version is needed"
    } else if place.join("cifar-10-binary.tar.gz").is_file() {
        "; unpack cifar-10-binary.tar.gz first"
    } else {
        ""
    };
    Err(Error::bad_file(
        &place,
        format!("the folder lacks {} of CIFAR-10{hint}", missing.join(", ")),
    ))
}

/// What one file holds.
#[derive(Default)]
struct Batch {
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl Batch {
    fn read(path: &Path) -> Result<Self> {
        let mut file = Unpacked::open(path)?;
        let bytes = file.read_up_to(MAX_BYTES)?;
        if !file.at_end()? {
            return Err(Error::bad_file(
                path,
                format!("unpacks to more than {} MiB", MAX_BYTES >> 20),
            ));
        }
        if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD_BYTES) {
            return Err(Error::bad_file(
                path,
                format!(
                    "{} bytes are not whole records of {RECORD_BYTES}, it is cut off or no file of \
                     CIFAR-10's binary version",
                    bytes.len()
                ),
            ));
        }
        let mut batch = Self {
            images: Vec::with_capacity(bytes.len()),
            labels: Vec::with_capacity(bytes.len() / RECORD_BYTES),
        };
        for (at, record) in bytes.chunks_exact(RECORD_BYTES).enumerate() {
            if usize::from(record[0]) >= CLASSES.len() {
                return Err(Error::bad_file(
                    path,
                    format!(
                        "record {at} has the label {}, there are {} classes; it is damaged or no \
                         file of CIFAR-10's binary version",
                        record[0],
                        CLASSES.len()
                    ),
                ));
            }
            batch.labels.push(record[0]);
            batch.images.extend_from_slice(&record[1..]);
        }
        Ok(batch)
    }

    fn join(mut self, mut other: Self) -> Self {
        self.images.append(&mut other.images);
        self.labels.append(&mut other.labels);
        self
    }

    fn into_dataset(self) -> Result<Dataset> {
        let classes = CLASSES.map(str::to_owned).to_vec();
        Dataset::new(self.images, self.labels, SHAPE, classes)
    }
}
