//! How well and how fast answers are found: people who were in no corpus are shrunk and searched
//! for.

use serde::Serialize;

use super::answer::{Answer, Attributes, Hunt};
use super::prior::{Collection, Prior};
use super::search::SearchConfig;
use super::upscale::Models;
use crate::data::interval::{Interval, wilson};
use crate::error::{Error, Result};
use crate::nn::cpu::process_cpu_time;
use crate::rng::Rng;

/// People whose answers are searched for side by side.
const TOGETHER: usize = 8;

/// What a bench of searches found.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Pixels in a side of the small pictures.
    pub side: usize,
    /// People.
    pub people: usize,
    /// Answers for each.
    pub samples: usize,
    /// The error that counts as success.
    pub epsilon: f64,
    /// Share of answers within it.
    pub success: f64,
    /// Its 95 % interval.
    pub success_interval: Interval,
    /// Share of answers within twice epsilon, the default of the paper's published code.
    pub success_at_twice: f64,
    /// Share of people whose best answer is within epsilon.
    pub success_of_best: f64,
    /// Its 95 % interval.
    pub success_of_best_interval: Interval,
    /// The people whose best answer is not within epsilon, with its error.
    pub missed: Vec<(Attributes, f64)>,
    /// The middle error.
    pub median_error: f64,
    /// Share of answers in the truth's group.
    pub same_group: f64,
    /// Processor seconds an answer, drawing included.
    pub cpu_seconds_an_answer: f64,
}

/// Searches for people of the balanced prior.
///
/// # Errors
/// When weights are missing; [`Error::Cancelled`] when `go_on` says no.
pub fn search(
    models: &mut Models,
    (side, people, samples, size): (usize, usize, usize, usize),
    config: &SearchConfig,
    seed: u64,
    go_on: impl Fn() -> bool,
) -> Result<Found> {
    let rng = Rng::new(seed).split("held out");
    let eyes = models.eyes(Collection::Balanced, side)?;
    let prior = Prior::default();
    let mut all: Vec<(bool, Answer)> = Vec::new();
    let mut missed = Vec::new();
    let mut cpu = 0.0;
    for first in (0..people).step_by(TOGETHER) {
        let studio = models.studio();
        let numbers = first..(first + TOGETHER).min(people);
        let truths: Vec<_> = numbers
            .map(|number| {
                let z = models.sampler.draw(&mut rng.split(&number.to_string()));
                studio.face(&z, 128)
            })
            .collect();
        let lows: Vec<_> = truths
            .iter()
            .map(|face| face.low(side))
            .collect::<Result<_>>()?;
        let start = process_cpu_time();
        let rng = rng.split(&format!("answers {first}"));
        let setting = (config.clone(), prior);
        let mut hunt = Hunt::new(
            &lows,
            samples,
            size,
            eyes.clone(),
            setting,
            &models.sampler,
            &rng,
        )?;
        let answers = loop {
            if !go_on() {
                return Err(Error::Cancelled);
            }
            if let Some(answers) = hunt.step(|| models.studio())? {
                break answers;
            }
        };
        cpu += process_cpu_time().saturating_sub(start).as_secs_f64();
        for (truth, answers) in truths.iter().zip(answers.chunks(samples)) {
            let group = truth.attributes.group;
            let same = |answer: &Answer| answer.face.attributes.group == group;
            let best = answers
                .iter()
                .map(|a| a.error)
                .fold(f64::INFINITY, f64::min);
            if best > config.epsilon {
                missed.push((truth.attributes.clone(), best));
            }
            all.extend(answers.iter().map(|answer| (same(answer), answer.clone())));
        }
    }
    let found = summary(&all, (side, people, samples), config.epsilon, cpu);
    Ok(Found { missed, ..found })
}

fn summary(
    all: &[(bool, Answer)],
    (side, people, samples): (usize, usize, usize),
    epsilon: f64,
    cpu: f64,
) -> Found {
    let count = |is: &dyn Fn(&(bool, Answer)) -> bool| all.iter().filter(|a| is(a)).count() as f64;
    let n = all.len().max(1) as f64;
    let success = count(&|(_, answer)| answer.success);
    let best = all
        .chunks(samples)
        .filter(|of| of.iter().any(|(_, answer)| answer.success))
        .count() as f64;
    let mut errors: Vec<f64> = all.iter().map(|(_, answer)| answer.error).collect();
    errors.sort_by(f64::total_cmp);
    Found {
        side,
        people,
        samples,
        epsilon,
        success: success / n,
        success_interval: wilson(success, all.len() as u64),
        success_at_twice: count(&|(_, answer)| answer.error <= 2.0 * epsilon) / n,
        success_of_best: best / people as f64,
        success_of_best_interval: wilson(best, people as u64),
        missed: Vec::new(),
        median_error: errors.get(errors.len() / 2).copied().unwrap_or(f64::NAN),
        same_group: count(&|(same, _)| *same) / n,
        cpu_seconds_an_answer: cpu / n,
    }
}
