//! Labelled pictures to learn from: bytes as they were published, floats batch by batch.

use super::batches::shuffle;
use crate::rng::Rng;
use crate::{Error, Result};

/// The sides of every picture of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Colours: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
}

impl Shape {
    /// The numbers in one picture.
    ///
    /// # Panics
    /// When they are too many to count.
    #[must_use]
    pub fn len(self) -> usize {
        self.checked_len().expect("a picture that fits into memory")
    }

    /// Whether a picture of this shape has no pixel.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.checked_len() == Some(0)
    }

    fn checked_len(self) -> Option<usize> {
        self.channels
            .checked_mul(self.height)?
            .checked_mul(self.width)
    }
}

/// Pictures of one shape, each with the number of its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    images: Vec<u8>,
    labels: Vec<u8>,
    shape: Shape,
    classes: Vec<String>,
}

/// The two parts that a data set is published in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// What may be learnt from.
    Train,
    /// What is only measured on.
    Test,
}

/// A whole data set. Both parts have the same shape and classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datasets {
    /// What may be learnt from.
    pub train: Dataset,
    /// What is only measured on.
    pub test: Dataset,
}

impl Datasets {
    /// One of the two parts.
    #[must_use]
    pub fn split(&self, split: Split) -> &Dataset {
        match split {
            Split::Train => &self.train,
            Split::Test => &self.test,
        }
    }
}

impl Dataset {
    /// A set of pictures `[len, channels, height, width]` and labels `[len]`, which are indices
    /// into `classes`.
    ///
    /// # Errors
    /// [`Error::Input`] when there is no picture, when pictures and labels are not equally many,
    /// or when a label has no class.
    pub fn new(
        images: Vec<u8>,
        labels: Vec<u8>,
        shape: Shape,
        classes: Vec<String>,
    ) -> Result<Self> {
        let wrong = |reason: String| Err(Error::Input(reason));
        let expected = shape
            .checked_len()
            .and_then(|len| len.checked_mul(labels.len()));
        if images.is_empty() || expected != Some(images.len()) {
            return wrong(format!(
                "{} labels do not fit {} bytes of pictures of {} × {} × {}",
                labels.len(),
                images.len(),
                shape.channels,
                shape.height,
                shape.width
            ));
        }
        if let Some(at) = labels
            .iter()
            .position(|label| usize::from(*label) >= classes.len())
        {
            return wrong(format!(
                "the label {} of sample {at} is none of the {} classes",
                labels[at],
                classes.len()
            ));
        }
        Ok(Self {
            images,
            labels,
            shape,
            classes,
        })
    }

    /// The number of samples, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The sides of every picture.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// All pictures, `[len, channels, height, width]`, 0 to 255.
    #[must_use]
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// One picture, `[channels, height, width]`; none outside.
    #[must_use]
    pub fn image(&self, index: usize) -> Option<&[u8]> {
        self.images.chunks_exact(self.shape.len()).nth(index)
    }

    /// The class of every sample, an index into [`Dataset::classes`].
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The names of the classes.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// All pictures as floats, `[len, channels, height, width]`: four times the bytes of the set.
    ///
    /// # Panics
    /// When `scale` was made for another number of channels.
    #[must_use]
    pub fn normalised(&self, scale: &Scale) -> Vec<f32> {
        let mut pixels = vec![0.0; self.images.len()];
        for (image, out) in self
            .images
            .chunks_exact(self.shape.len())
            .zip(pixels.chunks_exact_mut(self.shape.len()))
        {
            scale.apply(self.shape, image, out);
        }
        pixels
    }

    /// Copies samples into a batch: `pixels` is `[indices, channels, height, width]`, `labels` is
    /// `[indices]`. Nothing is allocated.
    ///
    /// # Panics
    /// When a buffer does not fit the number of indices, an index is outside, or `scale` was made
    /// for another number of channels.
    pub fn gather(&self, indices: &[u32], scale: &Scale, pixels: &mut [f32], labels: &mut [u32]) {
        let len = self.shape.len();
        assert_eq!(pixels.len(), indices.len() * len, "a batch of pictures");
        assert_eq!(labels.len(), indices.len(), "a batch of labels");
        for ((index, out), label) in indices.iter().zip(pixels.chunks_exact_mut(len)).zip(labels) {
            let index = *index as usize;
            scale.apply(self.shape, &self.images[index * len..][..len], out);
            *label = u32::from(self.labels[index]);
        }
    }

    /// A set of some of the samples, in the order of `indices`.
    ///
    /// # Errors
    /// [`Error::Input`] when there is none or one is outside.
    pub fn subset(&self, indices: &[u32]) -> Result<Self> {
        let len = self.shape.len();
        let mut images = Vec::with_capacity(indices.len() * len);
        let mut labels = Vec::with_capacity(indices.len());
        for index in indices {
            let index = *index as usize;
            let label = self.labels.get(index).ok_or_else(|| {
                Error::Input(format!("there is no sample {index} of {}", self.len()))
            })?;
            images.extend_from_slice(&self.images[index * len..][..len]);
            labels.push(*label);
        }
        Self::new(images, labels, self.shape, self.classes.clone())
    }

    /// Two sets without a sample in common: all but `held_out` samples, and those, drawn by what
    /// `rng` splits into. Frankle and Carbin hold 5,000 of MNIST's 60,000 out for validation.
    ///
    /// Both keep the order of this set, so that the first few pictures stay recognisable.
    ///
    /// # Errors
    /// [`Error::Input`] when one of the two would be empty.
    pub fn hold_out(&self, held_out: usize, rng: &Rng) -> Result<(Self, Self)> {
        if held_out == 0 || held_out >= self.len() {
            return Err(Error::Input(format!(
                "cannot hold out {held_out} of {} samples, choose between 1 and {}",
                self.len(),
                self.len() - 1
            )));
        }
        let mut order: Vec<u32> = (0..).take(self.len()).collect();
        shuffle(&mut order, &mut rng.split("hold out"));
        let (out, kept) = order.split_at_mut(held_out);
        out.sort_unstable();
        kept.sort_unstable();
        Ok((self.subset(kept)?, self.subset(out)?))
    }
}

/// How bytes become floats: `(byte / 255 - mean) / std`, in this order, as torchvision's `ToTensor`
/// and `Normalize` round it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Mean and standard deviation of each channel; `None`: 0 and 1.
    moments: Option<Vec<[f32; 2]>>,
}

impl Scale {
    /// `byte / 255`, between 0 and 1, for any number of channels.
    ///
    /// The code released with the lottery-ticket paper divides each picture by its length as a
    /// vector instead; `open_lth`, the later framework, does as [`Scale::standard`].
    #[must_use]
    pub fn unit() -> Self {
        Self { moments: None }
    }

    /// Mean 0 and standard deviation 1 in every channel of `set`, which is to be what is learnt
    /// from. A channel of one colour only keeps its deviation of 0 and is not divided.
    #[must_use]
    pub fn standard(set: &Dataset) -> Self {
        let plane = set.shape.height * set.shape.width;
        // Counted rather than summed, so that nothing is rounded before the last step.
        let mut counts = vec![[0_u64; 256]; set.shape.channels];
        for image in set.images.chunks_exact(set.shape.len()) {
            for (counts, plane) in counts.iter_mut().zip(image.chunks_exact(plane)) {
                for byte in plane {
                    counts[usize::from(*byte)] += 1;
                }
            }
        }
        Self {
            moments: Some(counts.iter().map(moments).collect()),
        }
    }

    /// One picture, from bytes to floats.
    fn apply(&self, shape: Shape, image: &[u8], out: &mut [f32]) {
        let Some(moments) = &self.moments else {
            for (out, byte) in out.iter_mut().zip(image) {
                *out = f32::from(*byte) / 255.0;
            }
            return;
        };
        assert_eq!(moments.len(), shape.channels, "a scale of other channels");
        let plane = shape.height * shape.width;
        for (([mean, std], out), image) in moments
            .iter()
            .zip(out.chunks_exact_mut(plane))
            .zip(image.chunks_exact(plane))
        {
            for (out, byte) in out.iter_mut().zip(image) {
                *out = (f32::from(*byte) / 255.0 - mean) / std;
            }
        }
    }
}

/// Mean and standard deviation of a histogram of bytes, in units of 255.
fn moments(counts: &[u64; 256]) -> [f32; 2] {
    let count: u64 = counts.iter().sum();
    let weigh = |power: u32| -> f64 {
        (0_u64..)
            .zip(counts)
            .map(|(byte, count)| byte.pow(power) * count)
            .sum::<u64>() as f64
    };
    let mean = weigh(1) / count as f64;
    let variance = (weigh(2) / count as f64 - mean * mean).max(0.0);
    let std = if variance > 0.0 {
        variance.sqrt()
    } else {
        255.0
    };
    [(mean / 255.0) as f32, (std / 255.0) as f32]
}
