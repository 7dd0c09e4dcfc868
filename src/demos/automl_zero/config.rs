//! What a search is asked for: the command line's flags, the tab's controls, and what a session
//! and an export hold. What is not given follows from the task.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::evaluator::{Shortcuts, cost};
use super::images::ImageTasks;
use super::instruction::{MAX_REGISTERS, Op, SIGNATURES};
use super::lanes::{LANES, Loss};
use super::mutate::Space;
use super::population::Method;
use super::program::MAX_LEN;
use super::scalar::Rules;
use super::search::{Plan, Tasks};
use super::starts::{NETWORK, Start};
use super::synthetic::SyntheticTasks;
use super::table::{Table, TableTasks};
use super::task::{Size, Teacher};
use super::text::parse;
use crate::data::DatasetSource;
use crate::error::{Error, Result};
use crate::store::{Paths, assets_dir};

/// What is to be learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// Linear regressors: the released demo
    #[default]
    Linear,
    /// Affine regressors
    Affine,
    /// Networks of two layers as teachers
    Nonlinear,
    /// Pairs of classes of pictures, projected to a few numbers
    Images,
    /// The rows of a CSV file
    Csv,
}

/// How long a function may be: `8`, or `1-23`, or `4-1-23`, which begins with 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lengths {
    /// Of a new program.
    pub first: usize,
    /// The least.
    pub least: usize,
    /// The most.
    pub most: usize,
}

impl Lengths {
    /// The same with least, first and most in order.
    #[must_use]
    pub fn ordered(self) -> Self {
        let most = self.most.clamp(1, MAX_LEN);
        let least = self.least.min(most);
        Self {
            first: self.first.clamp(least, most),
            least,
            most,
        }
    }
}

impl FromStr for Lengths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<usize>> = text.split('-').map(|part| part.parse().ok()).collect();
        let lengths = match numbers.as_deref() {
            Some(&[all]) => Some(Self {
                first: all,
                least: all,
                most: all,
            }),
            Some(&[least, most]) => Some(Self {
                first: least,
                least,
                most,
            }),
            Some(&[first, least, most]) => Some(Self { first, least, most }),
            _ => None,
        };
        match lengths {
            Some(Self { first, least, most })
                if least <= first && first <= most && most <= MAX_LEN =>
            {
                Ok(Self { first, least, most })
            }
            Some(_) => Err(format!("lengths rise and are at most {MAX_LEN}: {text}")),
            None => Err(format!("write 8, or 1-23, or 4-1-23, not {text:?}")),
        }
    }
}

/// What a search is asked for.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchConfig {
    /// What is to be learnt
    #[arg(long, value_enum, default_value_t = TaskKind::Linear)]
    pub task: TaskKind,
    /// Numbers of an example, 2 to 32: 4, or 16 for pictures
    #[arg(long, value_parser = clap::value_parser!(u8).range(2..=32))]
    pub features: Option<u8>,
    /// Tasks that a program is searched on
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub tasks: Option<u16>,
    /// Examples that a task learns from
    #[arg(long, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub train_examples: Option<u32>,
    /// Examples that a task is judged by
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub valid_examples: Option<u32>,
    /// How often the examples are gone through; the best validation counts
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub epochs: Option<u32>,
    /// images: the pictures
    #[arg(long, value_enum, default_value_t = DatasetSource::Mnist)]
    pub data: DatasetSource,
    /// images: a folder with idx files or CIFAR-10's binary files, in place of what ships
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// csv: the file
    #[arg(long)]
    pub csv: Option<PathBuf>,
    /// csv: the column to predict, by name or number; the last if not given
    #[arg(long)]
    pub target_column: Option<String>,
    /// Individuals of a population
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub population: Option<u32>,
    /// Individuals of which the best becomes a parent
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub tournament: Option<u32>,
    /// Differences of fitness that a tournament takes no notice of
    #[arg(long)]
    pub resolution: Option<f32>,
    /// Populations side by side, with migration; 2 if not given, each on a thread of its own
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub populations: Option<u16>,
    /// Rounds between two exchanges of individuals
    #[arg(long, default_value_t = 10)]
    pub migrate_every: u64,
    /// How children come about
    #[arg(long, value_enum, default_value_t = Method::Evolution)]
    pub method: Method,
    /// Where the search begins: random for linear and affine, else empty
    #[arg(long, value_enum)]
    pub start: Option<Start>,
    /// A file with a program to begin with
    #[arg(long, conflicts_with = "start")]
    pub start_program: Option<PathBuf>,
    /// A program to begin with, as text; it goes before the others
    #[arg(skip)]
    #[serde(default)]
    pub start_text: Option<String>,
    /// Lengths of Setup: 8, or 1-23, or 4-1-23, which begins with 4
    #[arg(long)]
    pub setup: Option<Lengths>,
    /// Lengths of Predict
    #[arg(long)]
    pub predict: Option<Lengths>,
    /// Lengths of Learn
    #[arg(long)]
    pub learn: Option<Lengths>,
    /// Operations of Setup, such as `scalar_const,vector_gaussian`; `all`, or `none` to keep it
    #[arg(long)]
    pub setup_ops: Option<String>,
    /// Operations of Predict
    #[arg(long)]
    pub predict_ops: Option<String>,
    /// Operations of Learn
    #[arg(long)]
    pub learn_ops: Option<String>,
    /// Scalars, vectors and matrices, such as 4,3,1
    #[arg(long)]
    pub registers: Option<Registers>,
    /// How likely are a changed parameter, a new instruction, a new function, an insertion, a
    /// removal and a trade, relative to each other, such as 1,1,1,0,0,0
    #[arg(long)]
    pub mutations: Option<Weights>,
    /// How likely a child is changed at all
    #[arg(long, default_value_t = 0.9)]
    pub mutate: f32,
    /// Round constants to so many significant digits
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub digits: Option<u8>,
    /// Reject programs that cost more than so many times the hand-made network; 0 for none
    #[arg(long)]
    pub budget: Option<f32>,
    /// Stop programs that have learnt too little after this part of the examples; 0 for none
    #[arg(long)]
    pub hurdle: Option<f32>,
    /// The part of the population that stays below the hurdle
    #[arg(long, default_value_t = 0.5)]
    pub hurdle_part: f32,
    /// Examples of the functional equivalence cache; 0 for none
    #[arg(long, default_value_t = 10)]
    pub functional: usize,
    /// The fitness on tasks of its own at which the search is done; 2 never is
    #[arg(long)]
    pub target: Option<f64>,
    /// Begin anew on other tasks after so many individuals; 0 never
    #[arg(long)]
    pub restart: Option<u64>,
    /// Stop after so many individuals
    #[arg(long)]
    pub max_individuals: Option<u64>,
    /// Stop after so many seconds
    #[arg(long)]
    pub max_seconds: Option<f64>,
    /// Where random numbers begin
    #[arg(skip)]
    pub seed: u64,
}

impl Default for SearchConfig {
    /// What the command line has without flags.
    fn default() -> Self {
        Self {
            task: TaskKind::default(),
            features: None,
            tasks: None,
            train_examples: None,
            valid_examples: None,
            epochs: None,
            data: DatasetSource::default(),
            folder: None,
            csv: None,
            target_column: None,
            population: None,
            tournament: None,
            resolution: None,
            populations: None,
            migrate_every: 10,
            method: Method::default(),
            start: None,
            start_program: None,
            start_text: None,
            setup: None,
            predict: None,
            learn: None,
            setup_ops: None,
            predict_ops: None,
            learn_ops: None,
            registers: None,
            mutations: None,
            mutate: 0.9,
            digits: None,
            budget: None,
            hurdle: None,
            hurdle_part: 0.5,
            functional: 10,
            target: None,
            restart: None,
            max_individuals: None,
            max_seconds: None,
            seed: 0,
        }
    }
}

/// Numbers of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registers(pub [u8; 3]);

impl FromStr for Registers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<u8>> = text.split(',').map(|part| part.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[s, v, m]) if s >= 2 && v >= 2 && m >= 1 && s.max(v).max(m) <= MAX_REGISTERS => {
                Ok(Self([s, v, m]))
            }
            _ => Err(format!(
                "write scalars, vectors and matrices such as 4,3,1: at least 2, 2 and 1, at most {MAX_REGISTERS}"
            )),
        }
    }
}

/// How likely the mutations are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights(pub [f32; 6]);

impl FromStr for Weights {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<f32>> = text.split(',').map(|part| part.parse().ok()).collect();
        let fits = |weights: &[f32]| {
            weights.iter().all(|w| *w >= 0.0 && w.is_finite()) && weights.iter().any(|w| *w > 0.0)
        };
        match numbers.as_deref() {
            Some(&[a, b, c, d, e, f]) if fits(&[a, b, c, d, e, f]) => Ok(Self([a, b, c, d, e, f])),
            _ => Err("write six numbers, such as 1,1,1,0,0,0".to_owned()),
        }
    }
}

/// What holds where the person asks for nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// Numbers of an example.
    pub features: u8,
    /// Tasks that a program is searched on.
    pub tasks: u16,
    /// Examples that a task learns from.
    pub train: u32,
    /// Examples that a task is judged by.
    pub valid: u32,
    /// Individuals of a population.
    pub population: u32,
    /// Individuals of a tournament.
    pub tournament: u32,
    /// Differences of fitness that a tournament takes no notice of.
    pub resolution: f32,
    /// Populations.
    pub populations: u16,
    /// Individuals after which a search begins anew.
    pub restart: u64,
    /// The part of the examples at which the hurdle stands.
    pub hurdle: f32,
    /// The most that a program may cost, in networks.
    pub budget: f32,
    /// The lengths of the functions.
    pub lengths: [Lengths; 3],
}

/// What a task asks for where the person does not.
struct Defaults {
    features: u8,
    resolution: f32,
    train: u32,
    valid: u32,
    tasks: u16,
    population: u32,
    start: Start,
    lengths: [Lengths; 3],
    ops: [&'static str; 3],
    registers: [u8; 3],
    weights: [f32; 6],
    budget: f32,
    hurdle: f32,
    target: Option<f64>,
    candidate: f32,
    restart: u64,
}

const DEMO_OPS: &str =
    "scalar_const,vector_inner_product,scalar_diff,scalar_product,scalar_vector_product,vector_sum";
const AFFINE_OPS: &str = "scalar_const,vector_inner_product,scalar_diff,scalar_sum,scalar_product,scalar_vector_product,vector_sum";
const NETWORK_OPS: [&str; 3] = [
    "scalar_const,scalar_gaussian,scalar_uniform,vector_gaussian,vector_uniform,matrix_gaussian,matrix_uniform",
    "scalar_sum,matrix_vector_product,vector_max,vector_inner_product,vector_sum",
    "scalar_sum,scalar_diff,scalar_product,scalar_vector_product,vector_sum,vector_heaviside,vector_product,vector_outer_product,matrix_sum",
];

fn fixed(len: usize) -> Lengths {
    Lengths {
        first: len,
        least: len,
        most: len,
    }
}

impl TaskKind {
    fn defaults(self) -> Defaults {
        let demo = Defaults {
            features: 4,
            resolution: 0.0,
            train: 100,
            valid: 100,
            tasks: 10,
            population: 1000,
            start: Start::Random,
            lengths: [fixed(10), fixed(2), fixed(8)],
            ops: [DEMO_OPS; 3],
            registers: [4, 3, 1],
            weights: [1.0, 1.0, 1.0, 0.0, 0.0, 0.0],
            budget: 0.0,
            hurdle: 0.0,
            target: Some(0.9999),
            candidate: 0.95,
            restart: 300_000,
        };
        match self {
            Self::Linear => demo,
            Self::Affine => Defaults {
                lengths: [fixed(10), fixed(3), fixed(9)],
                ops: [AFFINE_OPS; 3],
                registers: [5, 3, 1],
                candidate: 0.9,
                restart: 1_000_000,
                ..demo
            },
            Self::Nonlinear => Defaults {
                train: 200,
                tasks: LANES as u16,
                start: Start::Empty,
                lengths: [fixed(5), fixed(4), fixed(12)],
                ops: NETWORK_OPS,
                registers: [5, 6, 2],
                budget: 2.0,
                target: Some(0.8),
                candidate: 0.5,
                restart: 0,
                ..demo
            },
            Self::Images => Defaults {
                features: 16,
                train: 1000,
                valid: 500,
                population: 100,
                start: Start::Empty,
                lengths: [1, 1, 1].map(|first| Lengths {
                    first,
                    least: 1,
                    most: 21,
                }),
                ops: NETWORK_OPS,
                registers: [5, 9, 2],
                weights: [1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
                budget: 2.0,
                hurdle: 0.1,
                target: None,
                candidate: 0.6,
                restart: 0,
                ..demo
            },
            Self::Csv => Defaults {
                train: 0,
                valid: 0,
                start: Start::Empty,
                lengths: [
                    Lengths {
                        first: 4,
                        least: 1,
                        most: 8,
                    },
                    Lengths {
                        first: 3,
                        least: 1,
                        most: 10,
                    },
                    Lengths {
                        first: 8,
                        least: 1,
                        most: 20,
                    },
                ],
                ops: NETWORK_OPS,
                registers: [5, 7, 2],
                weights: [1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
                budget: 2.0,
                target: None,
                candidate: 0.3,
                restart: 0,
                ..demo
            },
        }
    }
}

impl SearchConfig {
    /// What holds for the task where nothing else is asked for.
    #[must_use]
    pub fn usual(&self) -> Usual {
        let defaults = self.task.defaults();
        Usual {
            features: defaults.features,
            tasks: defaults.tasks,
            train: defaults.train,
            valid: defaults.valid,
            population: defaults.population,
            tournament: TOURNAMENT,
            resolution: defaults.resolution,
            populations: DEFAULT_POPULATIONS,
            restart: defaults.restart,
            hurdle: defaults.hurdle,
            budget: defaults.budget,
            lengths: defaults.lengths,
        }
    }

    /// What a search of these settings does.
    ///
    /// # Errors
    /// [`Error::Input`] for settings that do not go together, and what reading a program fails
    /// with.
    pub fn plan(&self) -> Result<Plan> {
        let defaults = self.task.defaults();
        let lengths = [
            self.setup.unwrap_or(defaults.lengths[0]),
            self.predict.unwrap_or(defaults.lengths[1]),
            self.learn.unwrap_or(defaults.lengths[2]),
        ];
        let asked = [&self.setup_ops, &self.predict_ops, &self.learn_ops];
        let mut ops: [Vec<Op>; 3] = Default::default();
        for ((ops, asked), default) in ops.iter_mut().zip(asked).zip(defaults.ops) {
            *ops = parse_ops(asked.as_deref().unwrap_or(default))?;
        }
        if ops.iter().all(Vec::is_empty) {
            return Err(Error::Input(
                "at least one function needs operations".to_owned(),
            ));
        }
        let population = self.population.unwrap_or(defaults.population);
        let budget = self.budget.unwrap_or(defaults.budget);
        let hurdle = self.hurdle.unwrap_or(defaults.hurdle);
        let restart = self.restart.unwrap_or(defaults.restart);
        let populations = usize::from(self.populations.unwrap_or(DEFAULT_POPULATIONS));
        let rounds = restart / (u64::from(population) * populations as u64);
        Ok(Plan {
            space: Space {
                ops,
                first_len: lengths.map(|lengths| lengths.first),
                least_len: lengths.map(|lengths| lengths.least),
                most_len: lengths.map(|lengths| lengths.most),
                registers: self
                    .registers
                    .map_or(defaults.registers, |registers| registers.0),
                weights: self.mutations.map_or(defaults.weights, |weights| weights.0),
                mutate: self.mutate,
                digits: self.digits,
            },
            shortcuts: Shortcuts {
                dead_code: true,
                structural: true,
                functional: (self.functional > 0).then_some(self.functional),
                hurdle: (hurdle > 0.0).then_some(hurdle),
                budget: if budget > 0.0 {
                    Some(budget * network_cost()?)
                } else {
                    None
                },
            },
            hurdle_part: self.hurdle_part,
            population: population as usize,
            tournament: self.tournament.unwrap_or(TOURNAMENT) as usize,
            resolution: self.resolution.unwrap_or(defaults.resolution),
            populations,
            method: self.method,
            start: self.start.unwrap_or(defaults.start),
            start_program: match (&self.start_text, &self.start_program) {
                (Some(text), _) => Some(parse(text)?),
                (None, Some(path)) => Some(super::text::read(path)?),
                (None, None) => None,
            },
            migrate_every: self.migrate_every,
            restart_every: (restart > 0).then_some(rounds.max(1)),
            target: self
                .target
                .or(defaults.target)
                .filter(|target| *target <= 1.0),
            candidate: defaults.candidate,
            seed: self.seed,
        })
    }

    /// The tasks of these settings.
    ///
    /// # Errors
    /// What reading the pictures or the table fails with, or [`Error::Input`] for sizes that they
    /// do not have.
    pub fn tasks(&self, paths: &Paths) -> Result<Arc<dyn Tasks>> {
        let defaults = self.task.defaults();
        let size = Size {
            features: usize::from(self.features.unwrap_or(defaults.features)),
            train: self.train_examples.unwrap_or(defaults.train) as usize,
            valid: self.valid_examples.unwrap_or(defaults.valid) as usize,
        };
        let count = usize::from(self.tasks.unwrap_or(defaults.tasks));
        let epochs = self.epochs.unwrap_or(1);
        let max_error = MAX_ERROR;
        let rules = |loss| Rules { loss, max_error };
        let teacher = match self.task {
            TaskKind::Linear => Teacher::Linear,
            TaskKind::Affine => Teacher::Affine,
            TaskKind::Nonlinear => Teacher::TwoLayers,
            TaskKind::Images => {
                let data = self
                    .data
                    .load(self.folder.as_deref(), &assets_dir(), paths)?;
                let judged = (size, rules(Loss::Accuracy), epochs);
                return Ok(Arc::new(ImageTasks::new(
                    data,
                    judged,
                    count,
                    UNSEEN_PICTURES,
                    self.seed,
                )?));
            }
            TaskKind::Csv => {
                let path = self.csv.as_deref().ok_or_else(|| {
                    Error::Input("the task csv needs a file: --csv FILE".to_owned())
                })?;
                let table = Table::read(path, self.target_column.as_deref())?;
                let sizes = [size.train, size.valid];
                return Ok(Arc::new(TableTasks::new(
                    &table, sizes, epochs, max_error, count, self.seed,
                )));
            }
        };
        Ok(Arc::new(SyntheticTasks {
            teacher,
            size,
            rules: rules(Loss::Squared),
            epochs,
            count,
            seed: self.seed,
        }))
    }
}

/// Populations where the person gives no number: the same on every machine, as a seed's course
/// depends on it.
pub const DEFAULT_POPULATIONS: u16 = 2;

/// Individuals of a tournament where the person gives no number, as in the paper.
const TOURNAMENT: u32 = 10;

/// A prediction that is so far off ends a task, as in the released code.
pub const MAX_ERROR: f32 = 100.0;

/// Pictures that the last check learns from, as in the paper.
const UNSEEN_PICTURES: usize = 8000;

/// What an example costs the hand-made network.
fn network_cost() -> Result<f32> {
    let network = parse(NETWORK)?;
    Ok(cost(&network, &Analysis::of(&network)))
}

fn parse_ops(text: &str) -> Result<Vec<Op>> {
    match text.trim() {
        "none" => Ok(Vec::new()),
        "all" => Ok(SIGNATURES.iter().map(|row| row.op).collect()),
        names => names
            .split(',')
            .map(|name| {
                let name = name.trim();
                Op::by_name(name).ok_or_else(|| {
                    let known: Vec<&str> = SIGNATURES.iter().map(|row| row.name).collect();
                    Error::Input(format!(
                        "there is no operation {name:?}, only {}",
                        known.join(", ")
                    ))
                })
            })
            .collect(),
    }
}
