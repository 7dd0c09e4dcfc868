//! An answer: a face drawn by the renderer, and what is known about it.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::pixels::Pixels;
use super::prior::Prior;
use super::search::{Search, SearchConfig};
use super::surrogate::Eyes;
use crate::error::Result;
use crate::human::raster::{Picture, to_linear};
use crate::human::{Extent, Figure, Kit, Part, Person, Portrait, Quality, Sampler, Wardrobe};
use crate::rng::Rng;

/// Rounds of correction against the renderer.
pub const ROUNDS: usize = 3;
/// Steps of each, their learning rate, and the share of the difference that is corrected.
const ROUND_STEPS: usize = 25;
const ROUND_RATE: f64 = 0.03;
const CORRECTED: f32 = 0.8;
/// What a correction is checked with; the answer itself is drawn finer.
const DRAFT: Quality = Quality {
    size: 64,
    samples: 2,
};

/// Groups of people that the bias is measured for: which of the kit's three axes of origin is the
/// strongest. The kit's artists gave the three the darkest, a medium and the lightest skin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Mostly the first axis.
    Dark,
    /// Mostly the second.
    Medium,
    /// Mostly the third.
    Light,
}

impl Group {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Dark, Self::Medium, Self::Light];

    /// The group of shares of origin.
    #[must_use]
    pub fn of(origin: [f32; 3]) -> Self {
        let mut most = 0;
        for (k, share) in origin.iter().enumerate() {
            if *share > origin[most] {
                most = k;
            }
        }
        Self::ALL[most]
    }

    /// In words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Dark => "dark skin",
            Self::Medium => "medium skin",
            Self::Light => "light skin",
        }
    }
}

/// What can be said of a face; labels of a 3D kit, not of people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attributes {
    /// The strongest of the kit's axes of origin.
    pub group: Group,
    /// The lightness (CIE L*, 0 to 100) of the mean light of the skin's pixels.
    pub skin_lightness: f64,
    /// Years.
    pub age: f64,
    /// 0 the kit's female figure, 1 its male one.
    pub sex_shape: f64,
    /// The hair's name in the kit; empty without.
    pub hair: String,
    /// 0 to 1.
    pub smile: f64,
}

/// A drawn face.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    /// Its vector.
    pub z: Vec<f64>,
    /// Pixels in a side.
    pub size: usize,
    /// Rows from the top, sRGB.
    pub pixels: Vec<[u8; 3]>,
    /// What can be said of it.
    pub attributes: Attributes,
}

/// A face that was searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The face.
    pub face: Face,
    /// It shrunk.
    pub low: Pixels,
    /// The mean squared error of that.
    pub error: f64,
    /// Whether the error is at most epsilon.
    pub success: bool,
    /// The surrogate's error at the end of its search.
    pub surrogate_error: f64,
    /// The drafts' least errors: before the corrections and after each.
    pub drafts: Vec<f64>,
}

impl Answer {
    /// A face as an answer to a small picture, without a search.
    ///
    /// # Errors
    /// Never for a face that was drawn.
    pub fn of(face: Face, target: &Pixels, epsilon: f64) -> Result<Self> {
        let low = face.low(target.side)?;
        let error = low.error(target);
        Ok(Self {
            face,
            low,
            error,
            success: error <= epsilon,
            surrogate_error: error,
            drafts: Vec::new(),
        })
    }
}

/// Starts of an answer that are drawn, after the search, to choose between them by the renderer: of a
/// first search, and of one anew.
const FINALISTS: [usize; 2] = [2, 4];

/// Draws people of a kit.
pub struct Studio<'a> {
    sampler: &'a Sampler,
    wardrobe: Wardrobe<'a>,
}

impl<'a> Studio<'a> {
    /// A studio for heads.
    #[must_use]
    pub fn new(kit: &'a Kit, sampler: &'a Sampler) -> Self {
        Self {
            sampler,
            wardrobe: Wardrobe::new(kit, Extent::Head),
        }
    }

    /// The transform of its vectors.
    #[must_use]
    pub fn sampler(&self) -> &Sampler {
        self.sampler
    }

    fn picture(&self, z: &[f64], quality: Quality) -> Picture {
        let portrait = self.sampler.portrait(z);
        portrait.draw(&self.wardrobe, Extent::Head, None, quality)
    }

    /// The face of a vector.
    #[must_use]
    pub fn face(&self, z: &[f64], size: usize) -> Face {
        let picture = self.picture(z, Quality { size, samples: 3 });
        Face {
            z: z.to_vec(),
            size,
            attributes: Attributes::of(&self.sampler.portrait(z).person, &picture),
            pixels: picture.color,
        }
    }

    /// The figure of a vector, handed to a closure with the portrait it is of.
    pub fn with_figure<R>(&self, z: &[f64], look: impl FnOnce(&Portrait, &Figure) -> R) -> R {
        let portrait = self.sampler.portrait(z);
        let figure = self.wardrobe.figure(&portrait.person, None);
        look(&portrait, &figure)
    }

    /// What a vector looks like in a few pixels, drawn coarsely.
    pub(super) fn low(&self, z: &[f64], side: usize) -> Result<Pixels> {
        let picture = self.picture(z, DRAFT);
        Ok(Pixels::from_rgb(picture.size, &picture.color)?.shrunk(side))
    }
}

impl Attributes {
    /// Of a person and a picture of it.
    #[must_use]
    pub fn of(person: &Person, picture: &Picture) -> Self {
        let hair = person.hair.as_deref().unwrap_or("");
        Self {
            group: Group::of(person.origin),
            skin_lightness: lightness(picture),
            age: f64::from(person.age),
            sex_shape: f64::from(person.sex),
            hair: hair.trim_start_matches("hair/").to_owned(),
            smile: f64::from(person.expressions[0]),
        }
    }
}

/// CIE L* of the mean light of the skin.
fn lightness(picture: &Picture) -> f64 {
    let mut sum = 0.0;
    let mut count = 0_u32;
    for (color, part) in picture.color.iter().zip(&picture.parts) {
        if *part == Part::Skin {
            let [r, g, b] = color.map(|value| f64::from(to_linear(f32::from(value))));
            sum += 0.2126 * r + 0.7152 * g + 0.0722 * b;
            count += 1;
        }
    }
    let y = sum / f64::from(count.max(1));
    if y > 216.0 / 24_389.0 {
        116.0 * y.cbrt() - 16.0
    } else {
        y * 24_389.0 / 27.0
    }
}

impl Face {
    /// As small pixels of a side.
    ///
    /// # Errors
    /// Never for a face that was drawn.
    pub fn low(&self, side: usize) -> Result<Pixels> {
        Ok(Pixels::from_rgb(self.size, &self.pixels)?.shrunk(side))
    }
}

/// Where a hunt for answers stands.
enum Phase {
    Search(usize),
    Check(usize),
    Correct { round: usize, step: usize },
    Draw,
    Done,
}

/// A search for several answers to several small pictures of one side, a step at a time: the
/// surrogate's search, then rounds in which the search's target is moved by what the renderer's
/// picture and the surrogate's differ in (defect correction), then the drawing.
pub struct Hunt {
    config: SearchConfig,
    eyes: Eyes,
    sampler: Sampler,
    targets: Vec<Pixels>,
    search: Search,
    phase: Phase,
    best: Vec<Best>,
    surrogate_errors: Vec<f64>,
    size: usize,
    prior: Prior,
    rng: Rng,
    /// Whether others have failed before.
    is_anew: bool,
    /// What was found so far, once it is drawn.
    found: Vec<Answer>,
    /// Answers that are searched for anew, by their places, and the search.
    retry: Option<(Vec<usize>, Box<Hunt>)>,
    /// Steps of searches anew that have ended.
    before: u64,
}

#[derive(Clone)]
struct Best {
    z: Vec<f64>,
    low: Pixels,
    error: f64,
    drafts: Vec<f64>,
}

/// Gives every other start of an answer a hair style that is drawn from all alike: small steps seldom
/// lead to another style, and those that few people wear would hardly be tried. Who searches anew
/// was misled by the usual ones: each start gets the next style, on one side and then on the other.
fn spread_hair(
    search: &mut Search,
    (starts, is_anew): (usize, bool),
    sampler: &Sampler,
    rngs: &mut [Rng],
) {
    let choices = sampler.choices();
    let [hair, side, ..] = &choices[..] else {
        return;
    };
    for (row, rng) in rngs.iter_mut().enumerate() {
        let start = row % starts;
        let z = search.vector(row);
        let z = if is_anew {
            let z = sampler.chosen(&z, hair, start % hair.often.len());
            sampler.chosen(&z, side, start / hair.often.len() % side.often.len())
        } else if start % 2 == 1 {
            sampler.chosen(&z, hair, rng.below(hair.often.len()))
        } else {
            continue;
        };
        search.place(row, &z);
    }
}

impl Hunt {
    /// `samples` answers to each of the pictures, which have the eyes' side; answers are drawn with
    /// `size` pixels in a side. Every answer has a random stream of its own.
    ///
    /// # Errors
    /// When a setting is out of bounds.
    pub fn new(
        lows: &[Pixels],
        samples: usize,
        size: usize,
        eyes: Eyes,
        setting: (SearchConfig, Prior),
        sampler: &Sampler,
        rng: &Rng,
    ) -> Result<Self> {
        Self::begin((lows, samples, size), eyes, setting, sampler, rng, false)
    }

    fn begin(
        (lows, samples, size): (&[Pixels], usize, usize),
        eyes: Eyes,
        (config, prior): (SearchConfig, Prior),
        sampler: &Sampler,
        rng: &Rng,
        is_anew: bool,
    ) -> Result<Self> {
        config.check()?;
        let targets: Vec<Pixels> = lows
            .iter()
            .flat_map(|low| std::iter::repeat_n(low.clone(), samples))
            .collect();
        let rows: Vec<Pixels> = targets
            .iter()
            .flat_map(|target| std::iter::repeat_n(target.clone(), config.starts))
            .collect();
        let mut rngs: Vec<Rng> = (0..rows.len())
            .map(|row| rng.split(&format!("start {row}")))
            .collect();
        let mean = prior.mean(sampler);
        let mut search = Search::new(&rows, &mean, config.truncation, &mut rngs);
        let starts = (config.starts, is_anew);
        spread_hair(&mut search, starts, sampler, &mut rngs);
        Ok(Self {
            is_anew,
            search,
            config,
            eyes,
            sampler: sampler.clone(),
            targets,
            phase: Phase::Search(0),
            best: Vec::new(),
            surrogate_errors: Vec::new(),
            size,
            prior,
            rng: rng.clone(),
            found: Vec::new(),
            retry: None,
            before: 0,
        })
    }

    /// How many answers are searched for.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.targets.len()
    }

    /// Steps in all, of which the corrections and drawings are some.
    #[must_use]
    pub fn total(&self) -> u64 {
        let one = (self.config.steps + ROUNDS * (ROUND_STEPS + 1) + 2) as u64;
        let retry = self.retry.as_ref().map_or(0, |(_, hunt)| hunt.total());
        one + self.before + retry
    }

    /// Steps done.
    #[must_use]
    pub fn done(&self) -> u64 {
        let rounds = |round: usize| self.config.steps + 1 + round * (ROUND_STEPS + 1);
        (match self.phase {
            Phase::Search(step) => step,
            Phase::Check(round) => rounds(round) - 1,
            Phase::Correct { round, step } => rounds(round) + step,
            Phase::Draw => rounds(ROUNDS),
            Phase::Done => rounds(ROUNDS) + 1,
        }) as u64
            + self.before
            + self.retry.as_ref().map_or(0, |(_, hunt)| hunt.done())
    }

    /// The errors of the surrogate's pictures, one an answer: the best start's.
    #[must_use]
    pub fn errors(&self) -> Vec<f64> {
        let each = self.search.len() / self.answers().max(1);
        self.search
            .errors()
            .chunks(each.max(1))
            .map(|of| of.iter().copied().fold(f64::INFINITY, f64::min))
            .collect()
    }

    /// The vectors that are the best so far, one an answer.
    #[must_use]
    pub fn vectors(&self) -> Vec<Vec<f64>> {
        self.leaders()
            .into_iter()
            .map(|row| self.search.vector(row))
            .collect()
    }

    /// The best rows of each answer. In a search anew no two of them wear the same hair, while there
    /// is other hair: that the renderer is to tell, since the surrogate was wrong before.
    fn finalists(&self) -> Vec<usize> {
        let each = (self.search.len() / self.answers().max(1)).max(1);
        let most = FINALISTS[usize::from(self.is_anew)].min(each);
        let errors = self.search.errors();
        let hair = |row: usize| self.sampler.portrait(&self.search.vector(row)).person.hair;
        (0..self.answers())
            .flat_map(|answer| {
                let mut rows: Vec<usize> = (answer * each..(answer + 1) * each).collect();
                rows.sort_by(|&a, &b| errors[a].total_cmp(&errors[b]));
                if self.is_anew {
                    let mut worn = Vec::new();
                    let (first, again): (Vec<usize>, Vec<usize>) = rows.iter().partition(|&&row| {
                        let hair = hair(row);
                        let is_first = !worn.contains(&hair);
                        worn.push(hair);
                        is_first
                    });
                    rows = [first, again].concat();
                }
                rows.truncate(most);
                rows
            })
            .collect()
    }

    /// The best row of each answer.
    fn leaders(&self) -> Vec<usize> {
        let each = (self.search.len() / self.answers().max(1)).max(1);
        let errors = self.search.errors();
        (0..self.answers())
            .map(|answer| {
                let rows = answer * each..(answer + 1) * each;
                rows.min_by(|&a, &b| errors[a].total_cmp(&errors[b]))
                    .unwrap_or(answer * each)
            })
            .collect()
    }

    /// The next step; the answers at the end. The studio is asked for by the few steps that draw.
    ///
    /// # Errors
    /// When the device fails.
    pub fn step<'a>(&mut self, studio: impl FnOnce() -> Studio<'a>) -> Result<Option<Vec<Answer>>> {
        match self.phase {
            Phase::Search(step) => {
                let rate = self.config.rate(step);
                // The paper's loss is clamped at epsilon too; half of it leaves the renderer room.
                let enough = self.config.epsilon / 4.0;
                self.search
                    .step(&self.eyes, rate, self.config.prior_weight, enough)?;
                if step + 1 == self.config.scouting() {
                    let finalists = self.finalists();
                    self.search.keep(&finalists);
                }
                if step + 1 == self.config.steps - self.config.steps / 4 {
                    self.search.settle(&self.sampler);
                }
                self.phase = if step + 1 < self.config.steps {
                    Phase::Search(step + 1)
                } else {
                    self.search.settle(&self.sampler);
                    Phase::Check(0)
                };
            }
            Phase::Check(round) => self.check(round, &studio())?,
            Phase::Correct { round, step } => {
                let weight = self.config.prior_weight;
                self.search.step(&self.eyes, ROUND_RATE, weight, 1e-5)?;
                self.phase = if step + 1 < ROUND_STEPS {
                    Phase::Correct {
                        round,
                        step: step + 1,
                    }
                } else {
                    self.search.settle(&self.sampler);
                    Phase::Check(round + 1)
                };
            }
            Phase::Draw => {
                self.phase = Phase::Done;
                self.found = self.draw(&studio())?;
                return self.try_again();
            }
            Phase::Done => {
                let Some((_, hunt)) = &mut self.retry else {
                    return Ok(Some(Vec::new()));
                };
                // Through a box: a search anew has searches anew of its own kind within it.
                let studio: Box<dyn FnOnce() -> Studio<'a> + '_> = Box::new(studio);
                if let Some(found) = hunt.step(studio)? {
                    self.before += hunt.done();
                    self.take_better(found);
                    return self.try_again();
                }
            }
        }
        Ok(None)
    }

    /// Begins to search anew for what is not within epsilon; all answers where nothing is left to
    /// try.
    fn try_again(&mut self) -> Result<Option<Vec<Answer>>> {
        let failed: Vec<usize> = (0..self.found.len())
            .filter(|&place| !self.found[place].success)
            .collect();
        if failed.is_empty() || self.config.retries == 0 {
            return Ok(Some(std::mem::take(&mut self.found)));
        }
        self.config.retries -= 1;
        let lows: Vec<Pixels> = failed
            .iter()
            .map(|&place| self.targets[place].clone())
            .collect();
        let config = SearchConfig {
            retries: 0,
            ..self.config.clone()
        };
        let rng = self.rng.split(&format!("again {}", self.config.retries));
        let eyes = self.eyes.clone();
        let setting = (config, self.prior);
        let lows = (&lows[..], 1, self.size);
        let hunt = Self::begin(lows, eyes, setting, &self.sampler, &rng, true)?;
        self.retry = Some((failed, Box::new(hunt)));
        Ok(None)
    }

    /// Keeps what the search anew found better.
    fn take_better(&mut self, found: Vec<Answer>) {
        if let Some((places, _)) = self.retry.take() {
            for (place, answer) in places.into_iter().zip(found) {
                if answer.error < self.found[place].error {
                    self.found[place] = answer;
                }
            }
        }
    }

    /// Draws drafts, keeps the better vectors, and moves the targets.
    fn check(&mut self, round: usize, studio: &Studio) -> Result<()> {
        let side = self.eyes.side();
        let each = self.search.len() / self.answers().max(1);
        let drafts: Vec<(Vec<f64>, Pixels)> = (0..self.search.len())
            .into_par_iter()
            .map(|row| {
                let z = self.search.vector(row);
                let low = studio.low(&z, side)?;
                Ok((z, low))
            })
            .collect::<Result<_>>()?;
        // Of several finalists the renderer chooses one.
        let chosen: Vec<usize> = (0..self.answers())
            .map(|answer| {
                let error = |row: &usize| drafts[*row].1.error(&self.targets[answer]);
                (answer * each..(answer + 1) * each)
                    .min_by(|a, b| error(a).total_cmp(&error(b)))
                    .unwrap_or(answer * each)
            })
            .collect();
        if round == 0 {
            self.search.keep(&chosen);
            self.surrogate_errors = self.search.errors().to_vec();
        }
        let drafts = chosen.iter().map(|&row| drafts[row].clone());
        for (row, ((z, low), target)) in drafts.zip(&self.targets).enumerate() {
            let error = low.error(target);
            match self.best.get_mut(row) {
                Some(best) => {
                    if error < best.error {
                        *best = Best {
                            z,
                            low,
                            error,
                            drafts: std::mem::take(&mut best.drafts),
                        };
                    }
                    best.drafts.push(best.error);
                }
                None => self.best.push(Best {
                    z,
                    low,
                    error,
                    drafts: vec![error],
                }),
            }
        }
        if round == ROUNDS {
            self.phase = Phase::Draw;
            return Ok(());
        }
        for (row, best) in self.best.iter().enumerate() {
            self.search.aim(row, &best.z, Vec::new());
        }
        let seen: Vec<Vec<f32>> = self
            .eyes
            .see(&self.search.vectors(&self.eyes)?)?
            .to_vec2()?;
        for (row, (best, seen)) in self.best.iter().zip(seen).enumerate() {
            let target = &self.targets[row].planes;
            let moved = target
                .iter()
                .zip(best.low.planes.iter().zip(seen))
                .map(|(target, (drawn, seen))| target - CORRECTED * (drawn - seen));
            self.search.aim(row, &best.z, moved.collect());
        }
        self.phase = Phase::Correct { round, step: 0 };
        Ok(())
    }

    fn draw(&self, studio: &Studio) -> Result<Vec<Answer>> {
        self.best
            .par_iter()
            .enumerate()
            .map(|(row, best)| {
                let face = studio.face(&best.z, self.size);
                Ok(Answer {
                    surrogate_error: self.surrogate_errors[row],
                    drafts: best.drafts.clone(),
                    ..Answer::of(face, &self.targets[row], self.config.epsilon)?
                })
            })
            .collect()
    }
}
