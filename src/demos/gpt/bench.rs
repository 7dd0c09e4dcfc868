//! How fast a model reads and writes.
//!
//! A prompt of tokens is read, then tokens are written one by one, several times over; figures are
//! medians. The texts are made of tokens drawn at random, which cost what others cost.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::engine::Engine;
use crate::error::{Error, Result};
use crate::nn::cpu::pool_cpu_time;
use crate::rng::Rng;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Tokens of the prompt.
    pub prompt: usize,
    /// Tokens written behind it.
    pub written: usize,
    /// How often.
    pub rounds: usize,
}

/// Tokens a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Speed {
    /// Threads that computed.
    pub threads: usize,
    /// Of the prompt, by the processor's time of all threads.
    pub prefill_tokens_per_cpu_second: f64,
    /// Of those written, by the processor's time of all threads.
    pub decode_tokens_per_cpu_second: f64,
    /// Of the prompt, by the clock.
    pub prefill_tokens_per_second: f64,
    /// Of those written, by the clock.
    pub decode_tokens_per_second: f64,
}

/// Measures a model with so many threads.
///
/// # Errors
/// What loading or reading fails with, or [`Error::Input`] when threads cannot be started.
pub fn measure(path: &Path, threads: usize, load: Load, seed: u64) -> Result<Speed> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Error::Input(format!("cannot start threads: {error}")))?;
    pool.install(|| {
        let mut engine = Engine::load(path)?;
        let vocabulary = engine.card().vocabulary;
        let mut rng = Rng::new(seed).split("gpt bench");
        let mut rounds: Vec<[f64; 4]> = Vec::new();
        // The first round finds nothing in any cache and does not count.
        for round in 0..=load.rounds {
            let mut draw = |count: usize| -> Vec<u32> {
                (0..count).map(|_| rng.below(vocabulary) as u32).collect()
            };
            let (prompt, written) = (draw(load.prompt), draw(load.written));
            engine.rewind(&[], false);
            engine.rewind(&prompt, false);
            let (read_cpu, read) = timed(|| engine.read(&prompt, false).map(|_| ()))?;
            let (write_cpu, write) = timed(|| {
                written
                    .iter()
                    .try_for_each(|token| engine.read(&[*token], false).map(|_| ()))
            })?;
            if round > 0 {
                rounds.push([read_cpu, write_cpu, read, write]);
            }
        }
        let median = |place: usize, tokens: usize| {
            let mut times: Vec<f64> = rounds.iter().map(|round| round[place]).collect();
            times.sort_by(f64::total_cmp);
            tokens as f64 / times.get(times.len() / 2).copied().unwrap_or(f64::INFINITY)
        };
        Ok(Speed {
            threads,
            prefill_tokens_per_cpu_second: median(0, load.prompt),
            decode_tokens_per_cpu_second: median(1, load.written),
            prefill_tokens_per_second: median(2, load.prompt),
            decode_tokens_per_second: median(3, load.written),
        })
    })
}

/// Seconds of processor time and of the clock.
fn timed(work: impl FnOnce() -> Result<()>) -> Result<(f64, f64)> {
    let (cpu, clock) = (pool_cpu_time(), Instant::now());
    work()?;
    let clock = clock.elapsed().as_secs_f64();
    let cpu = pool_cpu_time().saturating_sub(cpu);
    Ok((cpu.as_secs_f64(), clock))
}
