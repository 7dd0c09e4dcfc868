//! How well and how fast answers are found: people who were in no corpus are shrunk and searched
//! for.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::answer::{Answer, Attributes, Hunt};
use super::generator::metrics::psnr;
use super::generator::search::LayersConfig;
use super::generator::{Evaluation, Kind, People, evaluate};
use super::learned::Network;
use super::pixels::Pixels;
use super::prior::{Collection, Prior};
use super::search::SearchConfig;
use super::upscale::{Heard, Models, Question, UpscaleJob};
use crate::compute::{Ending, Event, Lane, Run, Wake, Worker, WorkerOptions};
use crate::data::interval::{Interval, mean_interval, wilson};
use crate::error::{Error, Result};
use crate::human::Kit;
use crate::nn::cpu::process_cpu_time;
use crate::rng::Rng;
use crate::store::assets_dir;

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

/// What the learned generator can do.
#[derive(Clone, Debug, Serialize)]
pub struct LearnedFound {
    /// Its pictures of people it has not seen, from their true vectors.
    pub pictures: Evaluation,
    /// Searches from small pictures of them, without the cross loss and with it.
    pub searches: Vec<LayersFound>,
}

/// What searches through the layers of the learned generator found.
#[derive(Clone, Debug, Serialize)]
pub struct LayersFound {
    /// What the geodesic cross loss counted.
    pub cross_weight: f64,
    /// Pixels in a side of the small pictures that are searched for.
    pub side: usize,
    /// People searched for.
    pub people: usize,
    /// Answers for each.
    pub samples: usize,
    /// Share of answers within epsilon.
    pub success: f64,
    /// Its 95 % interval.
    pub success_interval: Interval,
    /// The middle error.
    pub median_error: f64,
    /// How near the answers are to the true face, in decibels: the mean.
    pub psnr: f64,
    /// Its 95 % interval; answers to one person are counted as if they were independent.
    pub psnr_interval: Interval,
    /// Processor seconds an answer.
    pub cpu_seconds_an_answer: f64,
}

/// Measures a learned generator: `drawn` held-out people as it draws them, and the first `people` of
/// them searched for through its layers.
///
/// # Errors
/// When the weights are missing; [`Error::Cancelled`] when `go_on` says no.
pub fn learned(
    path: &Path,
    (side, drawn, people, samples): (usize, usize, usize, usize),
    seed: u64,
    go_on: impl Fn() -> bool,
) -> Result<LearnedFound> {
    let network = Network::load(path)?;
    let net = network.generator();
    let rng = Rng::new(seed).split("held out from the generator");
    let mut held_out = People::new(
        Kit::head(&assets_dir())?,
        rng.clone(),
        net.sizes().size,
        Kind::Whole,
    )?;
    held_out.draw(drawn.max(people))?;
    let usual = LayersConfig::default();
    let searches = [0.0, usual.cross_weight].into_iter().map(|cross_weight| {
        let config = LayersConfig {
            cross_weight,
            ..usual.clone()
        };
        layers(
            &network,
            &held_out,
            (side, people, samples),
            &config,
            &rng,
            &go_on,
        )
    });
    let searches = if people > 0 {
        searches.collect::<Result<_>>()?
    } else {
        Vec::new()
    };
    Ok(LearnedFound {
        pictures: evaluate(net, &held_out, &net.device())?,
        searches,
    })
}

fn layers(
    network: &Network,
    held_out: &People,
    (side, people, samples): (usize, usize, usize),
    config: &LayersConfig,
    rng: &Rng,
    go_on: impl Fn() -> bool,
) -> Result<LayersFound> {
    let (mut errors, mut nearness) = (Vec::new(), Vec::new());
    let start = process_cpu_time();
    for number in 0..people {
        let pixels: Vec<[u8; 3]> = held_out
            .picture(number)
            .chunks_exact(3)
            .map(|p| [p[0], p[1], p[2]])
            .collect();
        let truth = Pixels::from_rgb(held_out.size(), &pixels)?;
        let rng = rng.split(&format!("answers {number}"));
        let low = truth.shrunk(side);
        let mut search = network.search(low, samples, config.clone(), &rng)?;
        while !search.step()? {
            if !go_on() {
                return Err(Error::Cancelled);
            }
        }
        for (error, picture) in search.best() {
            errors.push(*error);
            nearness.push(psnr(&picture.planes, &truth.planes));
        }
    }
    let cpu = process_cpu_time().saturating_sub(start).as_secs_f64();
    errors.sort_by(f64::total_cmp);
    let within = errors.iter().filter(|e| **e <= config.epsilon).count() as f64;
    let n = errors.len().max(1) as f64;
    let (psnr, psnr_interval) = mean_interval(&nearness);
    Ok(LayersFound {
        cross_weight: config.cross_weight,
        side,
        people,
        samples,
        success: within / n,
        success_interval: wilson(within, errors.len() as u64),
        median_error: errors.get(errors.len() / 2).copied().unwrap_or(f64::NAN),
        psnr,
        psnr_interval,
        cpu_seconds_an_answer: cpu / n,
    })
}

/// How long after a pixel is painted the first picture of the search is there, once for each of so many
/// pixels. As in the window every pixel begins a search, of six answers, while the one before is still
/// under way. What is read from files is read before.
///
/// # Errors
/// When a search fails or ends without a picture.
pub fn first_previews(options: WorkerOptions, side: usize, count: usize) -> Result<Vec<Duration>> {
    let (sender, woken) = crossbeam_channel::bounded(1);
    let wake: Wake = Arc::new(move || {
        // A full channel means that a wake is already on its way.
        let _ = sender.try_send(());
    });
    let worker = Worker::spawn(options, wake)?;
    let mut low = Pixels::filled(side, [0.62; 3]);
    let mut times = Vec::new();
    let mut before: Option<Run<Heard>> = None;
    for pixel in 0..=count {
        low.planes[pixel % (side * side)] = 0.2;
        let question = Question {
            low: low.clone(),
            samples: 6,
            size: 128,
            collection: Collection::Balanced,
            prior: Prior::default(),
            search: SearchConfig::default(),
            seed: 0,
            previews: true,
        };
        let start = Instant::now();
        let is_first = before.is_none();
        if let Some(old) = before.take() {
            old.cancel();
        }
        let lane = Lane::Interactive("pulse answers");
        let mut run = worker.submit(lane, "answers", UpscaleJob::new(question)?);
        loop {
            match run.poll() {
                Some(Event::Output(Heard::Step { previews, .. })) if !previews.is_empty() => break,
                Some(Event::Ended(Ending::Failed(error))) => return Err(error),
                Some(Event::Ended(_)) => return Err(Error::Cancelled),
                Some(_) => {}
                None => {
                    // A timeout only means that nothing happened yet.
                    let _ = woken.recv_timeout(Duration::from_millis(5));
                }
            }
        }
        before = Some(run);
        if !is_first {
            times.push(start.elapsed());
        }
    }
    Ok(times)
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
