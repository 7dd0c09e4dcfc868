//! The first stage: autoencoders learn to draw again what is drawn.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::gallery::{Gallery, Hand, even_ink, ink};
use crate::demos::face_drawing::model::Codec;
use crate::demos::face_drawing::parts::{PARTS, PerPart, ranges};
use crate::error::Result;
use crate::nn::ops::pointwise::{sigmoid, softplus};
use crate::nn::ops::pool::{Window, avg_pool2d};
use crate::nn::train::Objective;
use crate::rng::Rng;

/// Drawings in a batch.
pub const BATCH: usize = 32;
/// Noise that codes get in training, in their deviations over the batch: neighbours in code have to
/// be neighbours in ink.
const NOISE: f64 = 0.12;
/// What differences of ink at half and at a quarter of the resolution count: lines beside their
/// places are then better than none.
const COARSE: f64 = 4.0;

/// The autoencoders with the people whose drawings they learn.
pub struct Encoding {
    /// The networks.
    pub codec: Codec,
    /// Who is drawn.
    pub gallery: Gallery,
    /// The first of the people that nothing is learned from.
    pub held_out: usize,
    /// Where the weights lie.
    pub device: Device,
}

/// A batch's ink, as it is and with even strokes.
type Pair = [PerPart<Tensor>; 2];

impl Encoding {
    fn batch(&self, people: &[usize], hand: Hand, rng: &Rng) -> Result<Pair> {
        let inks: Vec<(Vec<f32>, Vec<f32>)> = people
            .par_iter()
            .enumerate()
            .map(|(at, &person)| {
                let mut rng = rng.split(&at.to_string());
                let drawing = self.gallery.drawing(person, hand, &mut rng);
                (ink(&drawing), even_ink(&drawing))
            })
            .collect();
        let (seen, even): (Vec<_>, Vec<_>) = inks.into_iter().unzip();
        Ok([
            Codec::cut(&seen, &self.device)?,
            Codec::cut(&even, &self.device)?,
        ])
    }

    /// The loss of a part's logits against its ink: cross entropy of every pixel, and squares of
    /// what is seen from further away.
    fn distance(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
        let entropy = (softplus(logits)? - (logits * target)?)?.mean_all()?;
        let gap = (sigmoid(logits)? - target)?;
        let half = avg_pool2d(&gap, Window::square(2, 2, 0))?;
        let quarter = avg_pool2d(&half, Window::square(2, 2, 0))?;
        let coarse = (half.sqr()?.mean_all()? + quarter.sqr()?.mean_all()?)?;
        Ok((entropy + (coarse * COARSE)?)?)
    }
}

impl Objective for Encoding {
    fn loss(&mut self, _step: u64, rng: &mut Rng) -> Result<Tensor> {
        let people: Vec<usize> = (0..BATCH).map(|_| rng.below(self.held_out)).collect();
        let [seen, even] = self.batch(&people, Hand::Any, rng)?;
        let mut loss: Option<Tensor> = None;
        for ((net, ink), even) in self.codec.parts.iter().zip(&seen).zip(&even) {
            let codes = net.encode(ink)?;
            let off = codes.broadcast_sub(&codes.mean(0)?)?;
            let spread = off.sqr()?.mean(0)?.sqrt()?.detach();
            let noise: Vec<f32> = (0..codes.elem_count())
                .map(|_| (NOISE * rng.normal()) as f32)
                .collect();
            let noise = Tensor::from_vec(noise, codes.shape(), &self.device)?;
            let codes = (codes + noise.broadcast_mul(&spread)?)?;
            let part = Self::distance(&net.logits(&codes)?, even)?;
            loss = Some(match loss {
                None => part,
                Some(sum) => (sum + part)?,
            });
        }
        loss.ok_or_else(|| crate::error::Error::Input("there are no parts".into()))
    }

    /// The mean absolute difference of ink, of held-out people drawn steadily and badly.
    fn evaluate(&mut self) -> Result<Vec<(String, f64)>> {
        let people: Vec<usize> = (self.held_out..self.gallery.count()).take(64).collect();
        let mut found = Vec::new();
        for (hand, name) in [(Hand::Steady, "steady"), (Hand::Rough, "rough")] {
            let [seen, even] = self.batch(&people, hand, &Rng::new(1))?;
            let codes = self.codec.detached().encode(&seen)?;
            for (at, part) in PARTS.iter().enumerate() {
                let range = &ranges()[at];
                let code = codes.narrow(1, range.start, range.len())?;
                let made = self.codec.decode_part(at, &code)?;
                let gap = (made - &even[at])?.abs()?.mean_all()?;
                let ink = even[at].mean_all()?.to_scalar::<f32>()?;
                let share = gap.to_scalar::<f32>()? / ink.max(1e-6);
                found.push((format!("{name}, {}", part.name), f64::from(share)));
            }
        }
        Ok(found)
    }
}
