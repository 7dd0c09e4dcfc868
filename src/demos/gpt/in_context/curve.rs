//! Accuracy by the number of examples.
//!
//! Every query is asked with each number of examples in turn, from few to many: as a prompt of
//! fewer examples is the beginning of one of more, the engine reads each example once. An answer
//! is right when the line that the model would write is the right one but for capitals; the line
//! is written token by token only as long as it may become right.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::tasks::{Prompts, TaskKind};
use crate::compute::{Flow, Job, StepCx};
use crate::data::interval::wilson;
use crate::demos::gpt::engine::Engine;
use crate::demos::gpt::sample::Sampling;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// The most examples in a prompt.
pub const MAX_SHOTS: usize = 64;
/// Tokens after which an answer is wrong in any case.
const LONGEST_ANSWER: usize = 16;

/// What is measured.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize)]
#[serde(default)]
pub struct CurveConfig {
    /// The task
    #[arg(long, value_enum, default_value_t = TaskKind::Capitals)]
    pub task: TaskKind,
    /// Numbers of examples, up to 64 each
    #[arg(long, value_delimiter = ',', default_values_t = [0, 1, 2, 4, 8, 16])]
    pub shots: Vec<usize>,
    /// Queries
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub n: u32,
    /// Say what the task is before the examples
    #[arg(long)]
    pub description: bool,
    /// Give the examples each other's answers: does the model learn, or only find the task?
    #[arg(long)]
    pub shuffled: bool,
    /// A GGUF model file in place of the default
    #[arg(long)]
    pub model: Option<PathBuf>,
    /// Where random numbers begin
    #[arg(skip)]
    pub seed: u64,
}

impl Default for CurveConfig {
    fn default() -> Self {
        Self {
            task: TaskKind::default(),
            shots: vec![0, 1, 2, 4, 8, 16],
            n: 100,
            description: false,
            shuffled: false,
            model: None,
            seed: 0,
        }
    }
}

impl CurveConfig {
    /// Whether it can be measured.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if self.shots.is_empty() {
            return Err("numbers of examples are needed, such as 0,1,4".to_owned());
        }
        match self.shots.iter().find(|shots| **shots > MAX_SHOTS) {
            Some(shots) => Err(format!("{shots} examples are more than {MAX_SHOTS}")),
            None => Ok(()),
        }
    }
}

/// How often the model is right with a number of examples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Examples in the prompt.
    pub shots: usize,
    /// The share of right answers.
    pub accuracy: f64,
    /// The lower end of its 95 % interval (Wilson).
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Queries.
    pub n: u64,
}

/// A query with what was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The end of the prompt.
    pub query: String,
    /// What is right.
    pub answer: String,
    /// For each number of examples what the model wrote, as far as it was looked at.
    pub written: Vec<String>,
}

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// The model is there.
    Loaded(String),
    /// The points so far.
    Points(Vec<Point>, Sample),
}

/// Measures a curve, a prompt a step.
pub struct CurveJob {
    config: CurveConfig,
    /// Numbers of examples from the fewest to the most.
    shots: Vec<usize>,
    right: Vec<u64>,
    asked: u32,
    asking: Option<Asking>,
}

/// A query that is being asked with each number of examples.
struct Asking {
    prompts: Prompts,
    written: Vec<String>,
}

impl CurveJob {
    /// A curve with a model that is already on this machine.
    ///
    /// # Errors
    /// [`Error::Input`] when it cannot be measured.
    pub fn new(config: CurveConfig) -> Result<Self> {
        config.check().map_err(Error::Input)?;
        let mut shots = config.shots.clone();
        shots.sort_unstable();
        shots.dedup();
        Ok(Self {
            right: vec![0; shots.len()],
            shots,
            config,
            asked: 0,
            asking: None,
        })
    }

    fn points(&self) -> Vec<Point> {
        let n = u64::from(self.asked);
        let points = self.shots.iter().zip(&self.right);
        points
            .map(|(&shots, &right)| {
                let interval = wilson(right as f64, n);
                Point {
                    shots,
                    accuracy: right as f64 / n.max(1) as f64,
                    low: interval.low,
                    high: interval.high,
                    n,
                }
            })
            .collect()
    }

    /// The next query.
    fn query(&self) -> Asking {
        let config = &self.config;
        let mut rng = Rng::new(config.seed).split(&format!("in context {}", self.asked));
        let most = self.shots.last().copied().unwrap_or(0);
        Asking {
            prompts: Prompts::new(
                config.task,
                most,
                config.description,
                config.shuffled,
                &mut rng,
            ),
            written: Vec::new(),
        }
    }

    /// Asks the query with the next number of examples. The query when that was the last one.
    fn ask(&mut self, engine: &mut Engine) -> Result<Option<Sample>> {
        let mut asking = self.asking.take().unwrap_or_else(|| self.query());
        let shots = self.shots[asking.written.len()];
        let prompt = asking.prompts.text(shots);
        asking
            .written
            .push(answer(engine, &prompt, asking.prompts.answer())?);
        if asking.written.len() < self.shots.len() {
            self.asking = Some(asking);
            return Ok(None);
        }
        for (right, line) in self.right.iter_mut().zip(&asking.written) {
            *right += u64::from(is_right(line, asking.prompts.answer()));
        }
        self.asked += 1;
        let query = asking.prompts.text(0);
        Ok(Some(Sample {
            query: query.lines().rev().nth(1).unwrap_or_default().to_owned(),
            answer: asking.prompts.answer().to_owned(),
            written: asking.written,
        }))
    }
}

/// Whether a line is the answer: capitals and spaces around do not count.
fn is_right(line: &str, answer: &str) -> bool {
    line.trim().eq_ignore_ascii_case(answer.trim())
}

/// The line that the model writes behind a prompt, as far as it may become the right one.
fn answer(engine: &mut Engine, prompt: &str, right: &str) -> Result<String> {
    let tokens = engine.tokenizer().encode(prompt.as_bytes());
    if tokens.len() + LONGEST_ANSWER > engine.card().context {
        return Err(Error::Input(format!(
            "a prompt of {} tokens is longer than the {} that the model reads; ask for fewer examples",
            tokens.len(),
            engine.card().context
        )));
    }
    let kept = engine.rewind(&tokens, false);
    engine.read(&tokens[kept..], false)?;
    let greedy = Sampling {
        temperature: 0.0,
        ..Sampling::default()
    };
    let mut rng = Rng::new(0);
    let mut bytes: Vec<u8> = Vec::new();
    for _ in 0..LONGEST_ANSWER {
        let logits = engine.next_logits().unwrap_or_default();
        let id = greedy.choose(logits, &mut rng).ok_or_else(|| {
            Error::bad_file(
                &engine.card().path,
                "the model's scores are not numbers, its weights are damaged",
            )
        })?;
        if engine.tokenizer().is_end(id) {
            break;
        }
        bytes.extend(engine.tokenizer().piece(id, true));
        let text = String::from_utf8_lossy(&bytes);
        if let Some((line, _)) = text.split_once('\n')
            && !line.trim().is_empty()
        {
            return Ok(line.to_owned());
        }
        let so_far = text.trim().to_ascii_lowercase();
        if !right.to_ascii_lowercase().starts_with(&so_far) {
            break;
        }
        engine.read(&[id], false)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Job for CurveJob {
    type Output = Heard;

    fn step(&mut self, cx: &mut StepCx<'_, Heard>) -> Result<Flow> {
        let path = self
            .config
            .model
            .clone()
            .ok_or_else(|| Error::Missing("no model was chosen".into()))?;
        let mut engine = Engine::resident(&path, cx.resources())?;
        if self.asked == 0 && self.asking.is_none() {
            cx.emit(Heard::Loaded(engine.card().name.clone()));
        }
        let sample = self.ask(&mut engine);
        cx.resources().put(engine);
        if let Some(sample) = sample? {
            cx.show(Heard::Points(self.points(), sample));
        }
        cx.progress(
            u64::from(self.asked),
            Some(u64::from(self.config.n)),
            "queries",
        );
        Ok(if self.asked < self.config.n {
            Flow::Continue
        } else {
            Flow::Finished
        })
    }
}
