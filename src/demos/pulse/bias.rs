//! How fair the answers are: what becomes of people of each group when they are shrunk and searched
//! for again, measured against the truth that the kit knows.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Face, Group, Hunt};
use super::bank::{self, Bank};
use super::pixels::Pixels;
use super::prior::{Collection, Prior};
use super::search::SearchConfig;
use super::upscale::Models;
use crate::compute::{Flow, Job, StepCx};
use crate::data::csv::field;
use crate::data::interval::{Interval, mean_interval, wilson};
use crate::error::{Error, Result};
use crate::human::Sampler;
use crate::rng::Rng;

/// A true person belongs to a group by at least this share of origin.
const CLEAR: f32 = 0.85;
/// People whose answers are searched for side by side.
const TOGETHER: usize = 8;
/// Pixels in a side of truth and answers.
const SIZE: usize = 64;

/// How answers are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// By the search.
    #[default]
    Search,
    /// The nearest people of a bank, which is re-weighted to the prior: no search, no surrogate.
    Bank,
}

/// A generator whose bias is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Whose pictures the surrogate learned.
    pub collection: Collection,
    /// Whom the search expects.
    pub prior: Prior,
    /// The sphere's radius over the usual one.
    pub truncation: f64,
    /// How answers are found.
    #[serde(default)]
    pub way: Way,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BiasConfig {
    /// The generators.
    pub settings: Vec<Setting>,
    /// People of each group.
    pub per_group: usize,
    /// Answers for each.
    pub samples: usize,
    /// Pixels in a side of the small pictures.
    pub side: usize,
    /// How searches go; the truncation is each setting's.
    pub search: SearchConfig,
    /// Where random numbers begin.
    pub seed: u64,
}

impl BiasConfig {
    /// The settings that tell the story: balanced, a usual collection's prior, its surrogate too, and
    /// an extreme.
    #[must_use]
    pub fn story() -> Vec<Setting> {
        let setting = |collection, imbalance, truncation| Setting {
            collection,
            prior: Prior { imbalance },
            truncation,
            way: Way::Search,
        };
        vec![
            setting(Collection::Balanced, 0.0, 1.0),
            setting(Collection::Balanced, 1.0, 1.0),
            setting(Collection::Photo, 1.0, 1.0),
            setting(Collection::Photo, 2.0, 1.0),
            setting(Collection::Photo, 1.0, 0.7),
        ]
    }

    /// Banks of people re-weighted to three priors, from which the nearest are taken. Their people are
    /// rendered once, in minutes.
    #[must_use]
    pub fn banks() -> Vec<Setting> {
        let setting = |imbalance| Setting {
            collection: Collection::Balanced,
            prior: Prior { imbalance },
            truncation: 1.0,
            way: Way::Bank,
        };
        [0.0, 1.0, 2.0].map(setting).to_vec()
    }
}

/// What became of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The generator.
    pub setting: Setting,
    /// The group of the true people.
    pub group: Group,
    /// Answers in all.
    pub answers: u64,
    /// Share of answers in the truth's group.
    pub kept: f64,
    /// Its 95 % interval; answers to one person are counted as if they were independent.
    pub kept_interval: Interval,
    /// How many of the answers are in each group.
    pub became: [u64; 3],
    /// Mean difference of the skin's lightness (CIE L*), answer minus truth.
    pub skin_shift: f64,
    /// Its 95 % interval.
    pub skin_shift_interval: Interval,
    /// Mean squared error of the shrunk answers.
    pub low_error: f64,
    /// Its 95 % interval.
    pub low_error_interval: Interval,
    /// Share of answers within epsilon.
    pub success: f64,
    /// Its 95 % interval.
    pub success_interval: Interval,
}

/// A person and the first of the answers, to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Which setting, by its place.
    pub setting: usize,
    /// The truth.
    pub truth: Face,
    /// The answers.
    pub answers: Vec<Answer>,
}

/// What is heard of the measuring.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// Some people are done; the row so far.
    Row(Row),
    /// The first person of a group under a setting.
    Example(Box<Example>),
    /// All is done.
    Done,
}

/// The job.
pub struct BiasJob {
    config: BiasConfig,
    people: Vec<Face>,
    at: usize,
    hunt: Option<Hunt>,
    cells: Vec<Vec<(Face, Answer)>>,
    /// Where the bank is kept.
    file: PathBuf,
    /// The people of the bank under a setting, by its place.
    among: Option<(usize, Vec<u64>)>,
}

impl BiasJob {
    /// A measurement. `file` is where the bank of people is kept ([`bank::file`]).
    ///
    /// # Errors
    /// When a number is out of its bounds.
    pub fn new(config: BiasConfig, file: PathBuf) -> Result<Self> {
        config.search.check()?;
        let possible = (1..=10_000).contains(&config.per_group)
            && (1..=64).contains(&config.samples)
            && super::pixels::SIDES.contains(&config.side)
            && !config.settings.is_empty();
        if !possible {
            return Err(Error::Input(
                "1 to 10000 people a group, 1 to 64 answers, 4 to 32 pixels".into(),
            ));
        }
        let banks = config.settings.iter().any(|s| s.way == Way::Bank);
        if banks && config.side > bank::SIDE {
            return Err(Error::Input(format!(
                "banks are for at most {} pixels, not {}",
                bank::SIDE,
                config.side
            )));
        }
        Ok(Self {
            file,
            among: None,
            cells: vec![Vec::new(); config.settings.len() * Group::ALL.len()],
            config,
            people: Vec::new(),
            at: 0,
            hunt: None,
        })
    }

    /// Batches of people in all: every batch is of one group.
    fn batches(&self) -> usize {
        Group::ALL.len() * self.config.per_group.div_ceil(TOGETHER)
    }

    /// The people of a batch, by their places.
    fn batch(&self, batch: usize) -> std::ops::Range<usize> {
        let of_group = self.config.per_group.div_ceil(TOGETHER);
        let (group, part) = (batch / of_group, batch % of_group);
        let start = group * self.config.per_group;
        start + part * TOGETHER..start + ((part + 1) * TOGETHER).min(self.config.per_group)
    }

    fn advance(&mut self, models: &mut Models, cx: &mut StepCx<'_, Measured>) -> Result<Flow> {
        if self.people.is_empty() {
            let rng = Rng::new(self.config.seed).split("people");
            let studio = models.studio();
            self.people = Group::ALL
                .iter()
                .flat_map(|&group| of_group(&models.sampler, group, self.config.per_group, &rng))
                .map(|z| studio.face(&z, SIZE))
                .collect();
            return Ok(Flow::Continue);
        }
        let (place, batch) = (self.at / self.batches(), self.at % self.batches());
        let Some(setting) = self.config.settings.get(place).copied() else {
            cx.emit(Measured::Done);
            return Ok(Flow::Finished);
        };
        let people = self.batch(batch);
        if setting.way == Way::Bank {
            let mut bank = Bank::of_worker(cx, &self.file, &models.sampler)?;
            let flow = self.look_up(models, &mut bank, cx);
            cx.resources().put(bank);
            return flow;
        }
        let hunt = match &mut self.hunt {
            Some(hunt) => hunt,
            empty => {
                let eyes = models.eyes(setting.collection, self.config.side)?;
                let lows: Vec<Pixels> = self.people[people.clone()]
                    .iter()
                    .map(|face| face.low(self.config.side))
                    .collect::<Result<_>>()?;
                let search = SearchConfig {
                    truncation: setting.truncation,
                    ..self.config.search.clone()
                };
                // The same starts for every setting: what differs is the setting alone.
                let rng = Rng::new(self.config.seed).split(&format!("batch {batch}"));
                empty.insert(Hunt::new(
                    &lows,
                    self.config.samples,
                    SIZE,
                    eyes,
                    (search, setting.prior),
                    &models.sampler,
                    &rng,
                )?)
            }
        };
        let answers = hunt.step(|| models.studio())?;
        let (done, each) = (hunt.done(), hunt.total());
        let all = (self.batches() * self.config.settings.len()) as u64;
        cx.progress(self.at as u64 * each + done, Some(all * each), "steps");
        if let Some(answers) = answers {
            self.take_in(place, people, &answers, cx);
            self.hunt = None;
            self.at += 1;
        }
        Ok(Flow::Continue)
    }

    /// The nearest people of a bank, for the batch that is next.
    fn look_up(
        &mut self,
        models: &Models,
        bank: &mut Bank,
        cx: &mut StepCx<'_, Measured>,
    ) -> Result<Flow> {
        let studio = models.studio();
        if !bank.advance(&studio, &self.file)? {
            cx.progress(bank.len(), Some(bank::PEOPLE), "people of the bank");
            return Ok(Flow::Continue);
        }
        let (place, batch) = (self.at / self.batches(), self.at % self.batches());
        let among = match self.among.take() {
            Some((of, among)) if of == place => among,
            _ => {
                let rng = Rng::new(self.config.seed).split("bank");
                let prior = self.config.settings[place].prior;
                bank::reweighted(bank.len(), &models.sampler, prior, &rng)
            }
        };
        let people = self.batch(batch);
        let (samples, epsilon) = (self.config.samples, self.config.search.epsilon);
        let mut answers = Vec::new();
        for face in &self.people[people.clone()] {
            let low = face.low(self.config.side)?;
            for number in bank.nearest_among(&low, samples, &among)? {
                let face = studio.face(&bank::vector(&models.sampler, number), SIZE);
                answers.push(Answer::of(face, &low, epsilon)?);
            }
        }
        self.among = Some((place, among));
        let all = (self.batches() * self.config.settings.len()) as u64;
        cx.progress(self.at as u64 + 1, Some(all), "batches");
        self.take_in(place, people, &answers, cx);
        self.at += 1;
        Ok(Flow::Continue)
    }

    fn take_in(
        &mut self,
        place: usize,
        people: std::ops::Range<usize>,
        answers: &[Answer],
        cx: &mut StepCx<'_, Measured>,
    ) {
        let group = people.start / self.config.per_group;
        let cell = place * Group::ALL.len() + group;
        let first = self.cells[cell].is_empty();
        for (person, of_person) in people.zip(answers.chunks(self.config.samples)) {
            let truth = &self.people[person];
            if first && person % self.config.per_group == 0 {
                cx.emit(Measured::Example(Box::new(Example {
                    setting: place,
                    truth: truth.clone(),
                    answers: of_person.to_vec(),
                })));
            }
            let pairs = of_person
                .iter()
                .map(|answer| (truth.clone(), answer.clone()));
            self.cells[cell].extend(pairs);
        }
        let row = row(
            self.config.settings[place],
            Group::ALL[group],
            &self.cells[cell],
        );
        cx.emit(Measured::Row(row));
    }
}

impl Job for BiasJob {
    type Output = Measured;

    fn step(&mut self, cx: &mut StepCx<'_, Measured>) -> Result<Flow> {
        let mut models = Models::of_worker(cx)?;
        let flow = self.advance(&mut models, cx);
        cx.resources().put(models);
        flow
    }
}

/// Vectors of people who clearly belong to a group, drawn from all alike.
fn of_group(sampler: &Sampler, group: Group, count: usize, rng: &Rng) -> Vec<Vec<f64>> {
    let mut rng = rng.split(group.title());
    let place = Group::ALL.iter().position(|g| *g == group).unwrap_or(0);
    let mut found = Vec::new();
    while found.len() < count {
        let z = sampler.draw(&mut rng);
        if sampler.portrait(&z).person.origin[place] > CLEAR {
            found.push(z);
        }
    }
    found
}

/// The figures of a cell.
fn row(setting: Setting, group: Group, pairs: &[(Face, Answer)]) -> Row {
    let answers = pairs.len() as u64;
    let count = |is: &dyn Fn(&(Face, Answer)) -> bool| pairs.iter().filter(|p| is(p)).count();
    let kept = count(&|(_, answer)| answer.face.attributes.group == group) as f64;
    let success = count(&|(_, answer)| answer.success) as f64;
    let shifts: Vec<f64> = pairs
        .iter()
        .map(|(truth, answer)| {
            answer.face.attributes.skin_lightness - truth.attributes.skin_lightness
        })
        .collect();
    let errors: Vec<f64> = pairs.iter().map(|(_, answer)| answer.error).collect();
    let (skin_shift, skin_shift_interval) = mean_interval(&shifts);
    let (low_error, low_error_interval) = mean_interval(&errors);
    let all = answers.max(1) as f64;
    Row {
        setting,
        group,
        answers,
        kept: kept / all,
        kept_interval: wilson(kept, answers),
        became: Group::ALL
            .map(|group| count(&|(_, answer)| answer.face.attributes.group == group) as u64),
        skin_shift,
        skin_shift_interval,
        low_error,
        low_error_interval,
        success: success / all,
        success_interval: wilson(success, answers),
    }
}

/// The table as CSV.
#[must_use]
pub fn csv(rows: &[Row]) -> String {
    let mut text =
        "way,generator,imbalance,truncation,group,answers,kept,kept_low,kept_high,became_dark,\
                    became_medium,became_light,skin_shift,skin_shift_low,skin_shift_high,low_error,\
                    low_error_low,low_error_high,success,success_low,success_high\n"
            .to_owned();
    for row in rows {
        let ends =
            |value: f64, interval: Interval| format!("{value},{},{}", interval.low, interval.high);
        let [dark, medium, light] = row.became;
        let way = match row.setting.way {
            Way::Search => "search",
            Way::Bank => "bank",
        };
        let fields = [
            way.to_owned(),
            row.setting.collection.name().to_owned(),
            row.setting.prior.imbalance.to_string(),
            row.setting.truncation.to_string(),
            field(row.group.title()),
            row.answers.to_string(),
            ends(row.kept, row.kept_interval),
            format!("{dark},{medium},{light}"),
            ends(row.skin_shift, row.skin_shift_interval),
            ends(row.low_error, row.low_error_interval),
            ends(row.success, row.success_interval),
        ];
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}
