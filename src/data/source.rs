//! Where labelled pictures come from: shipped, fetched on first use, or a folder of the user's.
//!
//! | Set | Samples | Shape | Comes |
//! |---|---|---|---|
//! | MNIST (LeCun, Cortes and Burges) | 60,000 + 10,000 | 1 × 28 × 28 | with the program |
//! | Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017) | 60,000 + 10,000 | 1 × 28 × 28 | on first use, or from a folder |
//! | CIFAR-10, binary version (Krizhevsky, 2009) | 50,000 + 10,000 | 3 × 32 × 32 | from a folder |

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cifar;
use super::dataset::{Dataset, Datasets, Shape};
use super::idx::Idx;
use crate::store::Paths;
use crate::{Error, Result};

/// The data sets that can be learnt from.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetSource {
    /// 70,000 handwritten digits, 28 × 28
    #[default]
    Mnist,
    /// 70,000 pieces of clothing, 28 × 28; fetched on first use
    Fashion,
    /// 60,000 colour pictures of animals and vehicles, 32 × 32; needs a folder with its binary version
    Cifar10,
}

/// Fashion-MNIST's classes, out of its own description.
const CLOTHES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

impl DatasetSource {
    /// Every source, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Mnist, Self::Fashion, Self::Cifar10];

    /// The name that people know it by.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Mnist => "MNIST",
            Self::Fashion => "Fashion-MNIST",
            Self::Cifar10 => "CIFAR-10",
        }
    }

    /// The rows of the manifest that have to be fetched before it can be loaded without a folder.
    #[must_use]
    pub fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Mnist | Self::Cifar10 => &[],
            Self::Fashion => &[
                "fashion-mnist-train-images",
                "fashion-mnist-train-labels",
                "fashion-mnist-t10k-images",
                "fashion-mnist-t10k-labels",
            ],
        }
    }

    /// Reads all of it, from `folder` if one is given, else from where it ships or was fetched to.
    ///
    /// `assets_dir` is the folder of shipped files. MNIST takes about half a second, and the parts
    /// are unpacked on as many processors as there are parts.
    ///
    /// # Errors
    /// [`Error::Missing`] when it has to be fetched or there has to be a folder first; else as
    /// [`Datasets::from_folder`].
    pub fn load(self, folder: Option<&Path>, assets_dir: &Path, paths: &Paths) -> Result<Datasets> {
        let folder = match folder {
            Some(folder) => folder.to_path_buf(),
            None => self.home(assets_dir, paths)?,
        };
        match self {
            Self::Mnist => from_idx_folder(&folder, None),
            Self::Fashion => from_idx_folder(&folder, Some(&CLOTHES)),
            Self::Cifar10 => cifar::from_folder(&folder),
        }
    }

    /// Where it lies if the user gave no folder.
    fn home(self, assets_dir: &Path, paths: &Paths) -> Result<PathBuf> {
        match self {
            Self::Mnist => Ok(assets_dir.join("data/mnist")),
            Self::Fashion => {
                let folder = paths.models_dir().join("fashion-mnist");
                if PARTS.iter().all(|part| find(&folder, part).is_some()) {
                    return Ok(folder);
                }
                Err(Error::Missing(
                    "Fashion-MNIST has to be fetched first, 31 MB: vitrine fetch fashion-mnist, \
                     or give a folder that has its idx files"
                        .to_owned(),
                ))
            }
            Self::Cifar10 => Err(Error::Missing(
                "CIFAR-10 does not come with Vitrine: give a folder that has its binary version \
                 (data_batch_1.bin to data_batch_5.bin and test_batch.bin)"
                    .to_owned(),
            )),
        }
    }
}

/// The four files of a set in MNIST's format.
const PARTS: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

impl Datasets {
    /// Reads a folder of files in MNIST's format: `train-images-idx3-ubyte`,
    /// `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each as
    /// it is or with `.gz` or `.xz` behind. A class is named after its number.
    ///
    /// # Errors
    /// [`Error::BadFile`] when one of them is missing (all that are missing are named), damaged,
    /// or does not fit the others; [`Error::Io`] when one cannot be read.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        from_idx_folder(folder, None)
    }
}

/// As [`Datasets::from_folder`], with names for the classes.
fn from_idx_folder(folder: &Path, names: Option<&[&str]>) -> Result<Datasets> {
    let found = PARTS.map(|part| find(folder, part));
    let [
        Some(train_images),
        Some(train_labels),
        Some(images),
        Some(labels),
    ] = &found
    else {
        return Err(missing_parts(folder, &found));
    };
    let (train, test) = rayon::join(
        || read_pair(train_images, train_labels),
        || read_pair(images, labels),
    );
    let (train, test) = (train?, test?);
    if train.shape != test.shape {
        return Err(Error::bad_file(
            folder,
            "the pictures to learn from and those to test on are of different sizes",
        ));
    }
    let most = train.labels.iter().chain(&test.labels).max().copied();
    let count = usize::from(most.unwrap_or(0)) + 1;
    let classes: Vec<String> = match names {
        Some(names) if count > names.len() => {
            return Err(Error::bad_file(
                folder,
                format!(
                    "there is a label {} where {} classes are known, so this is another data set",
                    count - 1,
                    names.len()
                ),
            ));
        }
        Some(names) => names.iter().map(|name| (*name).to_owned()).collect(),
        None => (0..count).map(|class| class.to_string()).collect(),
    };
    let set = |pair: Pair| Dataset::new(pair.images, pair.labels, pair.shape, classes.clone());
    Ok(Datasets {
        train: set(train)?,
        test: set(test)?,
    })
}

/// Pictures with their labels, equally many.
struct Pair {
    images: Vec<u8>,
    labels: Vec<u8>,
    shape: Shape,
}

fn read_pair(images_path: &Path, labels_path: &Path) -> Result<Pair> {
    let (images, labels) = (Idx::read(images_path)?, Idx::read(labels_path)?);
    let &[count, height, width] = &images.dims[..] else {
        return Err(wrong_dims(images_path, &images, "pictures", 3));
    };
    let &[labels_count] = &labels.dims[..] else {
        return Err(wrong_dims(labels_path, &labels, "labels", 1));
    };
    if count != labels_count {
        return Err(Error::bad_file(
            labels_path,
            format!(
                "{labels_count} labels for {count} pictures, the two files do not belong together"
            ),
        ));
    }
    Ok(Pair {
        images: images.bytes,
        labels: labels.bytes,
        shape: Shape {
            channels: 1,
            height,
            width,
        },
    })
}

fn wrong_dims(path: &Path, idx: &Idx, what: &str, expected: usize) -> Error {
    Error::bad_file(
        path,
        format!(
            "has {} dimensions where {what} have {expected}, is it the right file?",
            idx.dims.len()
        ),
    )
}

/// The file of a part under one of the names it goes by; some programs put a dot before `idx`.
fn find(folder: &Path, part: &str) -> Option<PathBuf> {
    let dotted = part.replace("-idx", ".idx");
    [part, &dotted]
        .into_iter()
        .flat_map(|stem| ["", ".gz", ".xz"].map(|end| folder.join(format!("{stem}{end}"))))
        .find(|path| path.is_file())
}

fn missing_parts(folder: &Path, found: &[Option<PathBuf>; 4]) -> Error {
    if !folder.is_dir() {
        return Error::bad_file(folder, "there is no such folder");
    }
    let missing: Vec<&str> = PARTS
        .into_iter()
        .zip(found)
        .filter(|(_, file)| file.is_none())
        .map(|(part, _)| part)
        .collect();
    Error::bad_file(
        folder,
        format!(
            "the folder lacks {} (each may end in .gz or .xz)",
            missing.join(", ")
        ),
    )
}
