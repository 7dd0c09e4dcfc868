//! The paper's own search: a latent for each layer of a style-based generator (Menon et al. 2020,
//! section 3.3, and its published code).
//!
//! - Each layer has a vector on the sphere. Times the deviation, plus the mean of the mapping
//!   network's outputs before its last leaky `ReLU`, and through that `ReLU`, it is a latent: what the
//!   mapping network says is close to normal there.
//! - The loss is 100 times the mean squared error of the picture shrunk, not made smaller than
//!   epsilon, plus 0.05 times the geodesic cross loss, which draws the layers' vectors together:
//!   vectors far apart give faces that no person has.
//! - The backdrop has no layer: its seven numbers are searched for beside the vectors, each held to
//!   the usual as in the search of the kit's people.
//! - The published code has noise as well, for which the generator here has no place.

use candle_core::{Tensor, Var};
use serde::{Deserialize, Serialize};

use super::net::Generator;
use crate::demos::pulse::backdrop::NUMBERS;
use crate::demos::pulse::pixels::{Pixels, area};
use crate::demos::pulse::search::{SearchConfig, USUAL, schedule, within};
use crate::demos::pulse::sphere::Sphere;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// The L2 loss counts this much, as in the published code.
const L2_WEIGHT: f64 = 100.0;
/// Vectors that the mapping's outputs are measured with.
const MEASURED: usize = 2048;
/// Of the leaky `ReLU` that ends the mapping.
const SLOPE: f64 = 0.2;

/// How a search goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayersConfig {
    /// Steps; the paper takes 100.
    pub steps: usize,
    /// Adam's greatest learning rate; the paper takes 0.4.
    pub learning_rate: f64,
    /// The mean squared error that counts as the same small picture; 1e-3 in the paper.
    pub epsilon: f64,
    /// What the geodesic cross loss counts; 0.05 in the published code.
    pub cross_weight: f64,
}

impl Default for LayersConfig {
    fn default() -> Self {
        Self {
            steps: 100,
            learning_rate: 0.4,
            epsilon: 1e-3,
            cross_weight: 0.05,
        }
    }
}

impl LayersConfig {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Which one is out of its bounds.
    pub fn check(&self) -> Result<()> {
        within("steps", self.steps as f64, 1.0, 10_000.0)?;
        within("learning-rate", self.learning_rate, 1e-4, 10.0)?;
        within("epsilon", self.epsilon, 1e-6, 1.0)?;
        within("cross-weight", self.cross_weight, 0.0, 100.0)
    }
}

/// What the mapping network's outputs look like before their last activation: a mean and a
/// deviation for each number, `[1, latent]`.
#[derive(Clone, Debug)]
pub struct Normal {
    mean: Tensor,
    deviation: Tensor,
}

impl Normal {
    /// Measured with vectors of standard normal numbers.
    ///
    /// # Errors
    /// When the device fails.
    pub fn of(net: &Generator, rng: &Rng) -> Result<Self> {
        let mut rng = rng.split("mapping");
        let dims = net.features().dims();
        let z: Vec<f32> = (0..MEASURED * dims).map(|_| rng.normal() as f32).collect();
        let z = Tensor::from_vec(z, (MEASURED, dims), &net.device())?;
        let w = net.detached().map(&z)?;
        // Undoes the leaky ReLU.
        let before = (w.relu()? - (w.neg()?.relu()? / SLOPE)?)?;
        let mean = before.mean_keepdim(0)?;
        let deviation = before
            .broadcast_sub(&mean)?
            .sqr()?
            .mean_keepdim(0)?
            .sqrt()?;
        Ok(Self { mean, deviation })
    }

    /// Vectors `[n, latent]` to latents.
    fn latents(&self, vectors: &Tensor) -> candle_core::Result<Tensor> {
        let x = vectors
            .broadcast_mul(&self.deviation)?
            .broadcast_add(&self.mean)?;
        x.relu()? - (x.neg()?.relu()? * SLOPE)?
    }
}

/// Searches for several answers to one small picture, side by side.
pub struct LayersSearch {
    net: Generator,
    normal: Normal,
    config: LayersConfig,
    low: Pixels,
    /// `[side * side, size * size]`, transposed: what shrinks a plane.
    shrinks: Tensor,
    /// A row for each layer of each answer.
    vectors: Sphere,
    /// A row for each answer: the backdrop's numbers.
    scenes: Sphere,
    answers: usize,
    step: usize,
    /// Of each answer before the last step.
    errors: Vec<f64>,
    crosses: Vec<f64>,
    /// The least error of each answer, and its picture.
    best: Vec<(f64, Pixels)>,
    /// The pictures before the last step.
    pictures: Vec<Pixels>,
}

impl LayersSearch {
    /// Begins at random places of the sphere, another one for each layer as the published code does.
    ///
    /// # Errors
    /// When a setting is out of bounds or the device fails.
    pub fn new(
        net: &Generator,
        normal: &Normal,
        low: Pixels,
        answers: usize,
        config: LayersConfig,
        rng: &Rng,
    ) -> Result<Self> {
        config.check()?;
        let (latent, size, side) = (net.sizes().latent, net.sizes().size, low.side);
        if side > size {
            return Err(Error::Input(format!(
                "the generator's pictures have {size} pixels in a side: they cannot shrink to {side}"
            )));
        }
        let (mut values, mut scenes) = (Vec::new(), Vec::new());
        for answer in 0..answers {
            let mut rng = rng.split(&format!("answer {answer}"));
            values.extend((0..net.layers() * latent).map(|_| rng.normal() as f32));
            scenes.extend((0..NUMBERS).map(|_| rng.normal() as f32));
        }
        Ok(Self {
            shrinks: shrinking(size, side, net)?,
            net: net.detached(),
            normal: normal.clone(),
            config,
            vectors: Sphere::new(latent, 1.0, values),
            scenes: Sphere::free(NUMBERS, scenes),
            answers,
            step: 0,
            errors: vec![f64::INFINITY; answers],
            crosses: vec![0.0; answers],
            best: vec![(f64::INFINITY, Pixels::filled(size, [0.5; 3])); answers],
            pictures: Vec::new(),
            low,
        })
    }

    /// Steps done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.step
    }

    /// The mean squared errors before the last step, one an answer.
    #[must_use]
    pub fn errors(&self) -> &[f64] {
        &self.errors
    }

    /// The geodesic cross losses before the last step, one an answer.
    #[must_use]
    pub fn crosses(&self) -> &[f64] {
        &self.crosses
    }

    /// The pictures before the last step.
    #[must_use]
    pub fn pictures(&self) -> &[Pixels] {
        &self.pictures
    }

    /// The least error of each answer so far, with its picture.
    #[must_use]
    pub fn best(&self) -> &[(f64, Pixels)] {
        &self.best
    }

    /// One step. True when there are no more; the last one looks only.
    ///
    /// # Errors
    /// When the device fails.
    pub fn step(&mut self) -> Result<bool> {
        let (layers, latent) = (self.net.layers(), self.vectors.dims());
        let device = self.net.device();
        let rows = (self.answers, layers, latent);
        let vectors = Var::from_slice(self.vectors.values(), rows, &device)?;
        let latents = (0..layers)
            .map(|layer| {
                let of = vectors.as_tensor().narrow(1, layer, 1)?.squeeze(1)?;
                self.normal.latents(&of)
            })
            .collect::<candle_core::Result<Vec<_>>>()?;
        let scenes = Var::from_slice(self.scenes.values(), (self.answers, NUMBERS), &device)?;
        let people = self.net.synthesize(&latents)?;
        let pictures = self.net.place(&people, scenes.as_tensor())?;
        let size = self.net.sizes().size;
        let planes = pictures.reshape((3 * self.answers, size * size))?;
        let small = planes.matmul(&self.shrinks)?;
        let count = self.low.side * self.low.side;
        let small = small.reshape((self.answers, 3 * count))?;
        let target = Tensor::from_slice(&self.low.planes, (1, 3 * count), &device)?;
        let errors = small.broadcast_sub(&target)?.sqr()?.mean(1)?;
        let (cross, cross_gradient) = geodesic_cross(self.vectors.values(), layers, latent);
        let found: Vec<f32> = errors.to_vec1()?;
        self.errors = found.into_iter().map(f64::from).collect();
        self.crosses = cross;
        self.pictures = planes
            .to_vec2::<f32>()?
            .chunks_exact(3)
            .map(|planes| Pixels {
                side: size,
                planes: planes.concat(),
            })
            .collect();
        for ((best, error), picture) in (self.best.iter_mut().zip(&self.errors)).zip(&self.pictures)
        {
            if *error < best.0 {
                *best = (*error, picture.clone());
            }
        }
        if self.step == self.config.steps {
            return Ok(true);
        }
        let loss = (errors.maximum(self.config.epsilon)?.sum_all()? * L2_WEIGHT)?;
        let unusual = (scenes.as_tensor().abs()? - USUAL)?
            .relu()?
            .sqr()?
            .sum_all()?;
        let loss = (loss + (unusual * SearchConfig::default().prior_weight)?)?;
        let gradients = loss.backward()?;
        let gradient = |of: &Var| match gradients.get(of) {
            Some(gradient) => Ok(gradient.flatten_all()?.to_vec1::<f32>()?),
            None => Err(Error::Input("the latents have no gradient".into())),
        };
        let (of_scenes, mut gradient) = (gradient(&scenes)?, gradient(&vectors)?);
        let weight = self.config.cross_weight as f32;
        for (sum, cross) in gradient.iter_mut().zip(cross_gradient) {
            *sum += weight * cross;
        }
        let rate = self.config.learning_rate * schedule(self.step, self.config.steps);
        self.vectors.descend(&gradient, rate as f32);
        self.scenes.descend(&of_scenes, rate as f32);
        self.step += 1;
        Ok(false)
    }
}

/// What shrinks planes `[n, size * size]` when multiplied from the right.
fn shrinking(size: usize, side: usize, net: &Generator) -> Result<Tensor> {
    let taps = area(size, side);
    let mut weights = vec![0.0_f32; size * size * side * side];
    for (row, down) in taps.iter().enumerate() {
        for (column, across) in taps.iter().enumerate() {
            for (y, of_row) in down.weights.iter().enumerate() {
                for (x, of_column) in across.weights.iter().enumerate() {
                    let from = (down.first + y) * size + across.first + x;
                    weights[from * side * side + row * side + column] = of_row * of_column;
                }
            }
        }
    }
    Ok(Tensor::from_vec(
        weights,
        (size * size, side * side),
        &net.device(),
    )?)
}

/// The geodesic cross loss of each answer, and its gradient: the mean over all pairs of layers of the
/// squared angle between their vectors, times the vectors' length squared over 8 as in the
/// published code. `vectors` are rows of `dims` numbers on a sphere of radius `sqrt(dims)`, `layers`
/// for each answer.
#[must_use]
pub fn geodesic_cross(vectors: &[f32], layers: usize, dims: usize) -> (Vec<f64>, Vec<f32>) {
    let mut gradient = vec![0.0; vectors.len()];
    let scale = dims as f64 / 8.0 / (layers * layers) as f64;
    let answers = vectors.chunks_exact(layers * dims);
    let losses = answers.zip(gradient.chunks_exact_mut(layers * dims));
    let losses = losses.map(|(answer, gradient)| {
        let mut loss = 0.0;
        for i in 0..layers {
            for j in 0..i {
                let of = |k: usize| &answer[k * dims..(k + 1) * dims];
                let (a, b) = (of(i), of(j));
                let product = |a: &[f32], b: &[f32]| -> f64 {
                    a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum()
                };
                let (aa, bb) = (product(a, a), product(b, b));
                let cosine = (product(a, b) / (aa * bb).sqrt()).clamp(-1.0, 1.0);
                let angle = cosine.acos();
                // Each pair is counted both ways round.
                loss += 2.0 * scale * angle * angle;
                let sine = (1.0 - cosine * cosine).sqrt();
                let ratio = if sine > 1e-6 { angle / sine } else { 1.0 };
                let factor = -4.0 * scale * ratio / (aa * bb).sqrt();
                for k in 0..dims {
                    let (a, b) = (f64::from(a[k]), f64::from(b[k]));
                    gradient[i * dims + k] += (factor * (b - cosine * a * (bb / aa).sqrt())) as f32;
                    gradient[j * dims + k] += (factor * (a - cosine * b * (aa / bb).sqrt())) as f32;
                }
            }
        }
        loss
    });
    (losses.collect(), gradient)
}

#[cfg(test)]
mod tests {
    use super::geodesic_cross;
    use crate::rng::Rng;

    #[test]
    fn layers_alike_cost_nothing_and_right_angles_what_the_formula_says() {
        let (losses, gradient) = geodesic_cross(&[0.0, 2.0, 0.0, 2.0], 2, 2);
        assert!(losses[0].abs() < 1e-12, "{losses:?}");
        assert!(gradient.iter().all(|g| g.abs() < 1e-6), "{gradient:?}");
        let (losses, _) = geodesic_cross(&[0.0, 2.0, 2.0, 0.0], 2, 2);
        // Two of the four pairs are (pi / 2) apart.
        let angle = std::f64::consts::FRAC_PI_2;
        assert!((losses[0] - 0.5 * angle * angle * 2.0 / 8.0).abs() < 1e-9);
    }

    #[test]
    fn the_gradient_of_the_cross_loss_is_that_of_finite_differences() {
        let mut rng = Rng::new(3);
        let (layers, dims) = (3, 5);
        let vectors: Vec<f32> = (0..2 * layers * dims)
            .map(|_| rng.normal() as f32)
            .collect();
        let (_, gradient) = geodesic_cross(&vectors, layers, dims);
        let loss = |vectors: &[f32]| geodesic_cross(vectors, layers, dims).0.iter().sum::<f64>();
        for at in 0..vectors.len() {
            let moved = |by: f32| {
                let mut vectors = vectors.clone();
                vectors[at] += by;
                loss(&vectors)
            };
            let difference = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            let off = (difference - f64::from(gradient[at])).abs();
            assert!(off < 2e-3, "{at}: {difference}, {}", gradient[at]);
        }
    }
}
