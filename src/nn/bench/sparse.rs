//! From which density on a sparse layer is faster than a dense one.
//!
//! Both are the first layer of LeNet-300-100, 784 to 300 with a `ReLU`, on batches of 60: forward,
//! backward and Adam on what is left of the weights. They take turns, in blocks of steps, and the
//! least processor time of a block counts: what other programs take away is not of interest here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::Tensor;
use serde::Serialize;

use super::{normal, on_threads, params};
use crate::error::{Error, Result};
use crate::nn::cpu::process_cpu_time;
use crate::nn::ops::sparse::{Pattern, SPARSE_BELOW};
use crate::nn::ops::{Activation, linear, sparse_linear};
use crate::nn::optim::{Optimizer, OptimizerConfig};
use crate::nn::{Init, Params};
use crate::rng::Rng;

const BATCH: usize = 60;
const INPUTS: usize = 784;
const OUTPUTS: usize = 300;
/// The densities that are measured.
const DENSITIES: [f64; 11] = [
    1.0, 0.8, 0.65, 0.5, 0.35, 0.2, 0.1, 0.05, 0.036, 0.01, 0.005,
];
/// Processor time of a block of steps, longer than a tick of the other threads' clocks.
const BLOCK: Duration = Duration::from_millis(40);

/// A layer's times for one step, in milliseconds of processor time.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Compared {
    /// The share of the weights that the sparse layer has.
    pub density: f64,
    /// Of the dense layer, which has all of them.
    pub dense_ms: f64,
    /// Of the sparse layer.
    pub sparse_ms: f64,
}

/// What [`measure_crossover`] found.
#[derive(Clone, Debug, Serialize)]
pub struct Crossover {
    /// From the densest to the sparsest.
    pub rows: Vec<Compared>,
    /// The density at which both took as long, between two rows; `None` if one was always faster.
    pub density: Option<f64>,
    /// The density below which layers are made sparse, [`SPARSE_BELOW`].
    pub used: f64,
    /// Threads.
    pub threads: usize,
}

/// Compares sparse layers of several densities with a dense one, about `seconds` for each; `stop`
/// is asked between blocks of steps whether to leave off.
///
/// # Errors
/// [`Error::Cancelled`] when it was stopped; when threads cannot be started.
pub fn measure_crossover(
    seconds: f64,
    threads: usize,
    seed: u64,
    stop: &(dyn Fn() -> bool + Sync),
    report: &mut (dyn FnMut(Compared) + Send),
) -> Result<Crossover> {
    let rows = on_threads(threads, || {
        let compare = |density| {
            let row = compare(density, seconds, &Rng::new(seed), stop)?;
            report(row);
            Ok(row)
        };
        DENSITIES
            .into_iter()
            .map(compare)
            .collect::<Result<Vec<_>>>()
    })?;
    Ok(Crossover {
        density: crossing(&rows),
        rows,
        used: SPARSE_BELOW,
        threads,
    })
}

/// Where the two times cross, on straight lines between the logarithms of the densities.
fn crossing(rows: &[Compared]) -> Option<f64> {
    let ahead = |row: &Compared| row.sparse_ms / row.dense_ms - 1.0;
    rows.windows(2).find_map(|pair| {
        let (a, b) = (ahead(&pair[0]), ahead(&pair[1]));
        let between = a / (a - b);
        let ratio = pair[1].density / pair[0].density;
        (a > 0.0 && b <= 0.0).then(|| pair[0].density * ratio.powf(between))
    })
}

fn compare(density: f64, seconds: f64, rng: &Rng, stop: &dyn Fn() -> bool) -> Result<Compared> {
    let mut layers = [Layer::new(None, rng)?, Layer::new(Some(density), rng)?];
    let mut best = [f64::INFINITY; 2];
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut rounds = 0;
    while rounds < 3 || Instant::now() < end {
        for (layer, best) in layers.iter_mut().zip(&mut best) {
            let ms = layer.block()?;
            // The first round warms up.
            if rounds > 0 {
                *best = best.min(ms);
            }
        }
        rounds += 1;
        if stop() {
            return Err(Error::Cancelled);
        }
    }
    Ok(Compared {
        density,
        dense_ms: best[0],
        sparse_ms: best[1],
    })
}

struct Layer {
    params: Params,
    weights: Tensor,
    bias: Tensor,
    pattern: Option<Arc<Pattern>>,
    optimizer: Optimizer,
    x: Tensor,
    /// The gradient of the output.
    g: Tensor,
}

impl Layer {
    fn new(density: Option<f64>, rng: &Rng) -> Result<Self> {
        let mut numbers = rng.split("numbers");
        let pattern = match density {
            Some(density) => {
                let mut keep = || u8::from(numbers.uniform() < density);
                let mask: Vec<u8> = (0..OUTPUTS * INPUTS).map(|_| keep()).collect();
                Some(Arc::new(Pattern::from_mask(&mask, OUTPUTS, INPUTS)?))
            }
            None => None,
        };
        let shape = match &pattern {
            Some(pattern) => vec![pattern.len()],
            None => vec![OUTPUTS, INPUTS],
        };
        let mut params = params(rng);
        let mut root = params.root();
        Ok(Self {
            weights: root.param("weights", &shape, Init::Normal { std: 0.05 })?,
            bias: root.param("bias", &[OUTPUTS], Init::ZEROS)?,
            params,
            pattern,
            optimizer: Optimizer::new(OptimizerConfig::adam(1e-4)),
            x: normal(&[BATCH, INPUTS], &mut numbers)?,
            g: normal(&[BATCH, OUTPUTS], &mut numbers)?,
        })
    }

    fn step(&mut self) -> Result<()> {
        let (bias, activation) = (Some(&self.bias), Activation::Relu);
        let y = match &self.pattern {
            Some(pattern) => sparse_linear(&self.x, &self.weights, pattern, bias, activation)?,
            None => linear(&self.x, &self.weights, bias, activation)?,
        };
        let gradients = (y * &self.g)?.sum_all()?.backward()?;
        self.optimizer.step(&self.params, &gradients)?;
        Ok(())
    }

    /// The milliseconds of a step, over a block of them.
    fn block(&mut self) -> Result<f64> {
        let (start, wall) = (process_cpu_time(), Instant::now());
        let mut steps = 0;
        while steps == 0 || wall.elapsed() < BLOCK {
            self.step()?;
            steps += 1;
        }
        let spent = process_cpu_time().saturating_sub(start);
        Ok(1e3 * spent.as_secs_f64() / f64::from(steps))
    }
}

#[cfg(test)]
mod tests {
    use super::{Compared, crossing};

    #[test]
    fn the_crossing_lies_between_the_rows_where_the_faster_one_changes() {
        let row = |density, sparse_ms| Compared {
            density,
            dense_ms: 2.0,
            sparse_ms,
        };
        let rows = [row(0.4, 4.0), row(0.1, 1.0), row(0.05, 0.5)];
        let expected = 0.4 * 0.25_f64.powf(2.0 / 3.0);
        assert!(crossing(&rows).is_some_and(|d| (d - expected).abs() < 1e-12));
        assert_eq!(crossing(&rows[1..]), None);
        assert_eq!(crossing(&rows[..1]), None);
    }
}
