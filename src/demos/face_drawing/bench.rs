//! How near answers come to the truth, and how fast: people who are in no corpus are drawn, and the
//! drawings answered.

use std::time::Instant;

use rayon::prelude::*;
use serde::Serialize;

use super::engine::{Engine, Refinement};
use super::job::unset;
use super::landmarks::{self, Landmarks};
use super::parts::{PARTS, SIDE};
use super::style::{Roughness, Style};
use super::train::ink;
use crate::data::interval::wilson;
use crate::error::Result;
use crate::human::{Quality, Wardrobe};
use crate::rng::Rng;

/// How many people, and which.
#[derive(Clone, Copy, Debug)]
pub struct Bench {
    /// People.
    pub people: usize,
    /// Where random numbers begin.
    pub seed: u64,
    /// Neighbours that span the manifold.
    pub neighbours: usize,
    /// How badly rough drawings are drawn: 1 as with a mouse.
    pub rough: f64,
}

/// A mean, and a share with its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// Of how many.
    pub of: usize,
    /// The share.
    pub share: f64,
    /// Its interval.
    pub low: f64,
    /// The same.
    pub high: f64,
}

impl Share {
    fn of(count: usize, of: usize) -> Self {
        let interval = wilson(count as f64, of as u64);
        Self {
            of,
            share: count as f64 / of.max(1) as f64,
            low: interval.low,
            high: interval.high,
        }
    }
}

/// What was found. Distances of landmarks are means in pixels of 128.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// People.
    pub people: usize,
    /// From clean drawings, as they are drawn.
    pub clean: f64,
    /// From clean drawings, moved onto the manifold.
    pub clean_refined: f64,
    /// The person of the bank whose codes are nearest to a clean drawing's.
    pub nearest: f64,
    /// The mean face.
    pub mean_face: f64,
    /// From rough drawings, as they are drawn.
    pub rough: f64,
    /// From rough drawings, moved onto the manifold.
    pub rough_refined: f64,
    /// How often moving a rough drawing brings its landmarks nearer to the truth.
    pub refined_is_nearer: Share,
    /// The network's pictures of rough drawings, told the true appearance: mean absolute difference
    /// from the truth, 0 to 1, as drawn and moved.
    pub net_rough: f64,
    /// The same.
    pub net_rough_refined: f64,
    /// How often moving a rough drawing brings the network's picture nearer to the truth.
    pub net_refined_is_nearer: Share,
    /// The network's pictures of clean drawings: decibels and mean absolute difference.
    pub net_clean_psnr: f64,
    /// The same.
    pub net_clean: f64,
    /// How often hair styles are right, from clean drawings.
    pub hair: Share,
    /// Milliseconds of the clock from ink to picture, medians, warm.
    pub net_milliseconds: f64,
    /// The same, of the second painter at 128 pixels.
    pub kit_milliseconds: f64,
}

/// One person's figures.
struct Case {
    distances: [f64; 6],
    net: [f64; 4],
    hair: bool,
}

impl Bench {
    /// Measures.
    ///
    /// # Errors
    /// When the device fails.
    pub fn run(&self, engine: &Engine, mut told: impl FnMut(usize)) -> Result<Found> {
        let wardrobe = engine.cast().wardrobe();
        let people = Rng::new(self.seed).split("people to measure with");
        let mean_face = mean_face(engine, &wardrobe);
        let mut cases = Vec::new();
        for from in (0..self.people).step_by(8) {
            let some: Vec<Case> = (from..(from + 8).min(self.people))
                .into_par_iter()
                .map(|number| self.case(engine, &wardrobe, &people, number, &mean_face))
                .collect::<Result<_>>()?;
            cases.extend(some);
            told(cases.len());
        }
        let count = cases.len();
        let distance =
            |at: usize| cases.iter().map(|c| c.distances[at]).sum::<f64>() / count as f64;
        let net = |at: usize| cases.iter().map(|c| c.net[at]).sum::<f64>() / count as f64;
        let often = |holds: &dyn Fn(&Case) -> bool| {
            Share::of(cases.iter().filter(|case| holds(case)).count(), count)
        };
        let [net_milliseconds, kit_milliseconds] = times(engine, &wardrobe, &people)?;
        Ok(Found {
            people: count,
            clean: distance(0),
            clean_refined: distance(1),
            nearest: distance(2),
            mean_face: distance(3),
            rough: distance(4),
            rough_refined: distance(5),
            refined_is_nearer: often(&|case| case.distances[5] < case.distances[4]),
            net_rough: net(0),
            net_rough_refined: net(1),
            net_refined_is_nearer: often(&|case| case.net[1] < case.net[0]),
            net_clean: net(2),
            net_clean_psnr: net(3),
            hair: often(&|case| case.hair),
            net_milliseconds,
            kit_milliseconds,
        })
    }

    fn case(
        &self,
        engine: &Engine,
        wardrobe: &Wardrobe,
        people: &Rng,
        number: usize,
        mean_face: &Landmarks,
    ) -> Result<Case> {
        let cast = engine.cast();
        let subject = cast.subject(wardrobe, cast.vector(people, number));
        let style = Style::ALL[number % Style::ALL.len()];
        let clean = subject.drawing(style);
        let mut rng = people.split("rough").split(&number.to_string());
        let rough = Roughness::MOUSE.times(self.rough).redraw(&clean, &mut rng);
        let off = |codes: &[f32]| -> Result<f64> {
            let z = engine.person(wardrobe, codes, &unset())?;
            let found = cast.landmarks(wardrobe, &z);
            Ok(landmarks::distance(&found, &subject.landmarks))
        };
        let truth = engine.appearance_of(&subject.z);
        let painted = |codes: &[f32]| -> Result<[f64; 2]> {
            let image = engine.paint(codes, &truth)?;
            let gaps = image
                .rgba
                .chunks_exact(4)
                .zip(&subject.color)
                .flat_map(|(made, true_)| {
                    [0, 1, 2].map(|c| (f64::from(made[c]) - f64::from(true_[c])) / 255.0)
                });
            let (mut absolute, mut squares) = (0.0, 0.0);
            for gap in gaps {
                absolute += gap.abs();
                squares += gap * gap;
            }
            let count = (3 * SIDE * SIDE) as f64;
            Ok([absolute / count, -10.0 * (squares / count).log10()])
        };
        let understood = |ink: &[f32], share| {
            let refinement = Refinement {
                parts: [share; PARTS.len()],
                neighbours: self.neighbours,
                ..Refinement::default()
            };
            engine.understand(ink, &refinement)
        };
        let (clean_ink, rough_ink) = (ink(&clean), ink(&rough));
        let (drawn, moved) = (understood(&clean_ink, 0.0)?, understood(&clean_ink, 1.0)?);
        let rough_drawn = understood(&rough_ink, 0.0)?;
        let rough_moved = understood(&rough_ink, 1.0)?;
        let near = engine
            .model()
            .bank
            .alike(&drawn.raw, &[true; PARTS.len()], 1)[0]
            .1;
        let near = cast.landmarks(wardrobe, &engine.member(near));
        let clean_painted = painted(&drawn.codes)?;
        let (read, _) = engine.read(&drawn.codes)?;
        Ok(Case {
            distances: [
                off(&drawn.codes)?,
                off(&moved.codes)?,
                landmarks::distance(&near, &subject.landmarks),
                landmarks::distance(mean_face, &subject.landmarks),
                off(&rough_drawn.codes)?,
                off(&rough_moved.codes)?,
            ],
            net: [
                painted(&rough_drawn.codes)?[0],
                painted(&rough_moved.codes)?[0],
                clean_painted[0],
                clean_painted[1],
            ],
            hair: cast.options(&read)[0] == cast.options(&subject.z)[0],
        })
    }
}

/// Where the landmarks of the person with all numbers at their means lie.
fn mean_face(engine: &Engine, wardrobe: &Wardrobe) -> Landmarks {
    let zeros = vec![0.0; engine.cast().sampler().dims()];
    engine.cast().landmarks(wardrobe, &zeros)
}

/// Medians of the clock from ink to picture of both painters, milliseconds.
fn times(engine: &Engine, wardrobe: &Wardrobe, people: &Rng) -> Result<[f64; 2]> {
    let cast = engine.cast();
    let subject = cast.subject(wardrobe, cast.vector(people, 0));
    let ink = ink(&subject.drawing(Style::Pen));
    let quality = Quality {
        size: SIDE,
        samples: 3,
    };
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..15 {
        let start = Instant::now();
        let understood = engine.understand(&ink, &Refinement::default())?;
        let appearance = engine.appearance(&understood.codes, &unset())?;
        engine.paint(&understood.codes, &appearance)?;
        times[0].push(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        let understood = engine.understand(&ink, &Refinement::default())?;
        // As the tab does it: with nothing kept but the engine.
        let wardrobe = cast.wardrobe();
        let z = engine.person(&wardrobe, &understood.codes, &unset())?;
        engine.draw(&wardrobe, &z, quality)?;
        times[1].push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }))
}
