//! How fast the operations are, on the nets that the demos train and evaluate.
//!
//! The rows are those of `benches/nn_torch.py`, number for number, and are measured in the same way,
//! so that the two programs' figures can be compared: steps run in blocks of a tenth of a second,
//! and the processor time of a block, all threads counted, is divided by its steps. A new net is
//! built after about 200 steps, so that neither a net that has learned its noise by heart nor
//! denormal moments of Adam are measured. 16 batches take turns.
//!
//! A step is forward, loss, backward and optimiser, as far as the row has them. `flops` counts 2
//! for each multiply-add of the convolutions, linear maps and matrix products, zeros of the padding
//! included, and nothing else.

mod classifiers;
mod convolution;
mod generator;
mod muzero;

use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use serde::Serialize;

use super::cpu::process_cpu_time;
use super::{ops, params::Params};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// The names of all rows, in the order they are run.
pub const ROWS: [&str; 12] = [
    "lenet_300_100_train",
    "conv2_28_train",
    "conv2_32_train",
    "conv4_28_train",
    "conv4_32_train",
    "muzero_32x2_6x7_eval_b1",
    "muzero_32x2_6x7_eval_b16",
    "muzero_32x2_6x7_eval_b64",
    "muzero_32x2_6x7_train_b128",
    "conv3x3_64_64px",
    "conv3x3_64_64px_train",
    "stylegan2_lite_64_train",
];

/// Batches that take turns.
const BATCHES: usize = 16;
/// Steps of a new net that are not counted.
const WARM_UP: usize = 3;
/// Counted steps of one net.
const ROUND: usize = 200;
/// The least time of a block of steps, because the processor time of a thread on another core is
/// only brought up to date every few milliseconds.
const BLOCK: Duration = Duration::from_millis(100);

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Seconds for each row.
    pub seconds: f64,
    /// Threads to compute with.
    pub threads: usize,
    /// Compute with candle's own operations only.
    pub portable: bool,
    /// Where random numbers begin.
    pub seed: u64,
}

/// What was measured of a row. Times are for one step.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// One of [`ROWS`].
    pub name: &'static str,
    /// Processor time of all threads, milliseconds: the median.
    pub cpu_ms: f64,
    /// The least, which is the figure to trust when other programs run.
    pub best_cpu_ms: f64,
    /// Time that passed, milliseconds: the median.
    pub wall_ms: f64,
    /// The least.
    pub best_wall_ms: f64,
    /// Billions of floating-point operations in a second of processor time, by the median.
    pub gflops: f64,
    /// Samples, or evaluations of the net, in a second of processor time, by the median.
    pub per_cpu_second: f64,
    /// Floating-point operations of a step.
    pub flops: u64,
    /// Samples of a step.
    pub samples: usize,
    /// Blocks of steps that were measured.
    pub blocks: usize,
    /// Threads.
    pub threads: usize,
}

/// A net with its data, ready to take steps.
struct Row {
    /// Takes a step on batch `i`.
    step: Box<dyn FnMut(usize) -> Result<()>>,
    /// Samples of a step.
    samples: usize,
    /// Floating-point operations of a step.
    flops: u64,
}

/// Builds the net of a row.
fn build(name: &str, rng: &Rng) -> Result<Row> {
    use classifiers::{conv_net, lenet};
    match name {
        "lenet_300_100_train" => lenet(rng),
        "conv2_28_train" => conv_net(&[64], 1, 28, 2e-4, rng),
        "conv2_32_train" => conv_net(&[64], 3, 32, 2e-4, rng),
        "conv4_28_train" => conv_net(&[64, 128], 1, 28, 3e-4, rng),
        "conv4_32_train" => conv_net(&[64, 128], 3, 32, 3e-4, rng),
        "muzero_32x2_6x7_eval_b1" => muzero::eval(1, rng),
        "muzero_32x2_6x7_eval_b16" => muzero::eval(16, rng),
        "muzero_32x2_6x7_eval_b64" => muzero::eval(64, rng),
        "muzero_32x2_6x7_train_b128" => muzero::train(128, rng),
        "conv3x3_64_64px" => convolution::forward(rng),
        "conv3x3_64_64px_train" => convolution::train(rng),
        "stylegan2_lite_64_train" => generator::train(8, rng),
        _ => Err(Error::Input(format!(
            "there is no row {name}, but {}",
            ROWS.join(", ")
        ))),
    }
}

/// The floating-point operations and the samples of one step of a row.
///
/// # Errors
/// When there is no row of this name.
pub fn cost(name: &str) -> Result<(u64, usize)> {
    let row = build(name, &Rng::new(0))?;
    Ok((row.flops, row.samples))
}

/// Seconds of one step: processor time and time that passed.
type Times = Vec<(f64, f64)>;

/// Measures rows one after the other and hands each result to `report`; `stop` is asked between
/// blocks of steps whether to leave off.
///
/// # Errors
/// [`Error::Cancelled`] when it was stopped; when a row is unknown or threads cannot be started.
pub fn run(
    names: &[&str],
    options: &Options,
    stop: &(dyn Fn() -> bool + Sync),
    report: &mut (dyn FnMut(Measured) + Send),
) -> Result<()> {
    let measure_all = || {
        // This thread is one of the pool's, so that with one thread nothing is handed over.
        rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads)
            .use_current_thread()
            .build()
            .map_err(|e| {
                Error::Missing(format!("cannot start {} threads: {e}", options.threads))
            })?;
        for name in names {
            report(measure(name, options, stop)?);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        // A thread of its own, because a thread joins a pool for good.
        let thread = std::thread::Builder::new()
            .name("bench".into())
            .stack_size(16 << 20)
            .spawn_scoped(scope, measure_all)
            .map_err(|e| Error::Missing(format!("cannot start a thread: {e}")))?;
        thread
            .join()
            .unwrap_or_else(|_| Err(Error::Panic("a step panicked".into())))
    })
}

fn measure(name: &str, options: &Options, stop: &dyn Fn() -> bool) -> Result<Measured> {
    let Some(name) = ROWS.into_iter().find(|row| *row == name) else {
        return Err(build(name, &Rng::new(0)).err().unwrap_or(Error::Cancelled));
    };
    let (mut times, mut cost) = (Times::new(), (0, 0));
    let end = Instant::now() + Duration::from_secs_f64(options.seconds);
    let mut round = 0_u64;
    while Instant::now() < end || round < 2 {
        let rng = Rng::new(options.seed).split(&format!("round {round}"));
        let mut row = build(name, &rng)?;
        cost = (row.flops, row.samples);
        let seconds = options.seconds / 3.0;
        let mut run = || run_round(&mut row, seconds, stop, &mut times);
        if options.portable {
            ops::with_portable(run)?;
        } else {
            run()?;
        }
        round += 1;
    }
    Ok(summary(name, options.threads, &times, cost))
}

/// Adds the times of each block, until the time or the steps are up.
fn run_round(
    row: &mut Row,
    seconds: f64,
    stop: &dyn Fn() -> bool,
    times: &mut Times,
) -> Result<()> {
    for i in 0..WARM_UP {
        (row.step)(i)?;
    }
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut done = 0;
    while done < ROUND {
        let (first, cpu, wall) = (done, process_cpu_time(), Instant::now());
        while done == first || wall.elapsed() < BLOCK {
            (row.step)(WARM_UP + done)?;
            done += 1;
        }
        let steps = (done - first) as f64;
        let cpu = process_cpu_time().saturating_sub(cpu);
        times.push((
            cpu.as_secs_f64() / steps,
            wall.elapsed().as_secs_f64() / steps,
        ));
        if stop() {
            return Err(Error::Cancelled);
        }
        if Instant::now() > end {
            break;
        }
    }
    Ok(())
}

fn summary(
    name: &'static str,
    threads: usize,
    times: &Times,
    (flops, samples): (u64, usize),
) -> Measured {
    let (cpu, wall): (Vec<f64>, Vec<f64>) = times.iter().copied().unzip();
    let (cpu, best_cpu) = median_and_least(cpu);
    let (wall, best_wall) = median_and_least(wall);
    Measured {
        name,
        cpu_ms: 1e3 * cpu,
        best_cpu_ms: 1e3 * best_cpu,
        wall_ms: 1e3 * wall,
        best_wall_ms: 1e3 * best_wall,
        gflops: flops as f64 / cpu / 1e9,
        per_cpu_second: samples as f64 / cpu,
        flops,
        samples,
        blocks: times.len(),
        threads,
    }
}

fn median_and_least(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
    (f64::midpoint(values[low], values[high]), values[0])
}

/// An empty model on the processor.
fn params(rng: &Rng) -> Params {
    Params::new(&Device::Cpu, &rng.split("weights"))
}

/// Normal numbers.
fn normal(shape: &[usize], rng: &mut Rng) -> Result<Tensor> {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.normal() as f32).collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// Numbers between 0 and 1.
fn uniform(shape: &[usize], rng: &mut Rng) -> Result<Tensor> {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.uniform() as f32).collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// Whole numbers below `end`.
fn integers(count: usize, end: usize, rng: &mut Rng) -> Result<Tensor> {
    let values: Vec<u32> = (0..count).map(|_| rng.below(end) as u32).collect();
    Ok(Tensor::from_vec(values, count, &Device::Cpu)?)
}

/// Floating-point operations of a linear map of one sample.
fn linear_flops(inputs: usize, outputs: usize) -> usize {
    2 * inputs * outputs
}

/// Floating-point operations of a convolution that makes this many pixels.
fn conv_flops(inputs: usize, outputs: usize, kernel: usize, pixels: usize) -> usize {
    2 * inputs * outputs * kernel * kernel * pixels
}

#[cfg(test)]
mod tests {
    use super::median_and_least;

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(median_and_least(vec![3.0, 1.0, 9.0]), (3.0, 1.0));
        assert_eq!(median_and_least(vec![4.0, 1.0, 9.0, 2.0]), (3.0, 1.0));
    }
}
