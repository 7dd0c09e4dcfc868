//! A search: populations side by side, migration between them, the check of what they find.
//!
//! All that matters happens after whole rounds, which are counted in individuals, never in time:
//! hurdles are set, individuals migrate, the best is checked on tasks that were not searched on, a
//! search that got nowhere begins anew on other tasks. So a seed and a number of populations give
//! one course, however fast the machine is and wherever it was interrupted.

use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::evaluator::{Counts, Evaluator, Shortcuts};
use super::hall::Hall;
use super::mutate::Space;
use super::population::{Method, Node, Population, SavedPopulation};
use super::program::Program;
use super::scalar::Machine;
use super::starts::Start;
use super::task::{Task, TaskSet};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Less than any fitness.
const NOTHING_CHECKED: f32 = -1.0;
/// Rounds between two looks at the living for the hall of fame.
const HALL_EVERY: u64 = 10;
/// Individuals that move on with their ancestors when populations exchange some.
const MIGRANTS: usize = 2;

/// How a search goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The programs and their mutations.
    pub space: Space,
    /// What the evaluator saves itself.
    pub shortcuts: Shortcuts,
    /// The part of a population that stays below the hurdle.
    pub hurdle_part: f32,
    /// Individuals of a population.
    pub population: usize,
    /// Individuals of which the best becomes a parent.
    pub tournament: usize,
    /// Differences of fitness that a tournament takes no notice of.
    pub resolution: f32,
    /// Populations side by side.
    pub populations: usize,
    /// How children come about.
    pub method: Method,
    /// Where it begins.
    pub start: Start,
    /// The program it begins with in place of a start.
    pub start_program: Option<Program>,
    /// Rounds, of as many births as a population has individuals, between two exchanges.
    pub migrate_every: u64,
    /// Rounds after which a search that has solved nothing begins anew.
    pub restart_every: Option<u64>,
    /// The fitness on tasks that were not searched on at which the search is done.
    pub target: Option<f64>,
    /// The fitness in the search from which on a new best is checked on other tasks.
    pub candidate: f32,
    /// Where random numbers begin.
    pub seed: u64,
}

/// Where a search takes its tasks from.
pub trait Tasks: Send + Sync {
    /// The tasks that programs are searched on, others for every experiment.
    fn search(&self, experiment: u32) -> TaskSet;
    /// Other tasks, on which the best of the search is chosen.
    fn select(&self) -> TaskSet;
    /// Tasks that no choice has seen.
    fn unseen(&self) -> TaskSet;
}

/// A program that was better than those before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The program.
    pub program: Program,
    /// Its fitness in the search.
    pub search_fitness: f32,
    /// Its fitness on other tasks, in `f64` where it was good enough for the target.
    pub select_fitness: f64,
    /// The experiment it comes from.
    pub experiment: u32,
    /// The population it comes from.
    pub population: usize,
    /// The individuals born before it was checked, in all experiments and populations.
    pub individuals: u64,
    /// Its ancestors from the first on, and itself.
    pub lineage: Vec<Node>,
}

/// A search.
pub struct Search {
    plan: Plan,
    tasks: Arc<dyn Tasks>,
    select: TaskSet,
    populations: Vec<Population>,
    experiment: u32,
    rounds: u64,
    in_round: u64,
    before: Counts,
    checked: f32,
    best: Option<Candidate>,
    hall: Hall,
    solved: bool,
}

/// A search as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedSearch {
    plan: Plan,
    populations: Vec<SavedPopulation>,
    experiment: u32,
    rounds: u64,
    in_round: u64,
    before: Counts,
    checked: f32,
    best: Option<Candidate>,
    hall: Hall,
    solved: bool,
}

impl Search {
    /// A search whose populations have their first individuals.
    ///
    /// # Errors
    /// [`Error::Input`] for sizes that make no search.
    pub fn new(plan: Plan, tasks: Arc<dyn Tasks>) -> Result<Self> {
        let mut search = Self::empty(plan, tasks)?;
        search.begin()?;
        Ok(search)
    }

    fn empty(plan: Plan, tasks: Arc<dyn Tasks>) -> Result<Self> {
        if plan.population == 0 || plan.populations == 0 {
            return Err(Error::Input("a population needs individuals".to_owned()));
        }
        Ok(Self {
            select: tasks.select(),
            plan,
            tasks,
            populations: Vec::new(),
            experiment: 0,
            rounds: 0,
            in_round: 0,
            before: Counts::default(),
            checked: NOTHING_CHECKED,
            best: None,
            hall: Hall::default(),
            solved: false,
        })
    }

    /// Empty populations for the tasks of the experiment.
    fn founded(&self) -> Vec<Population> {
        let set = Arc::new(self.tasks.search(self.experiment));
        let root = Rng::new(self.plan.seed).split(&format!("experiment {}", self.experiment));
        (0..self.plan.populations)
            .map(|index| {
                let evaluator = Evaluator::new(Arc::clone(&set), self.plan.shortcuts);
                let rng = root.split(&format!("population {index}"));
                Population::new(self.plan.tournament, self.plan.method, rng, evaluator)
                    .with_resolution(self.plan.resolution)
            })
            .collect()
    }

    fn begin(&mut self) -> Result<()> {
        self.before = self.counts();
        self.populations = self.founded();
        self.rounds = 0;
        self.in_round = 0;
        self.checked = NOTHING_CHECKED;
        self.hall = Hall::default();
        let (plan, experiment) = (&self.plan, self.experiment);
        let root = Rng::new(plan.seed).split(&format!("start {experiment}"));
        let grow = |(index, population): (usize, &mut Population)| {
            let mut rng = root.split(&format!("population {index}"));
            for _ in 0..plan.population {
                let program = match &plan.start_program {
                    Some(program) => program.clone(),
                    None => plan.start.program(&plan.space, &mut rng)?,
                };
                population.grow(program);
            }
            Ok(())
        };
        self.populations
            .par_iter_mut()
            .enumerate()
            .try_for_each(grow)
    }

    /// Lets every population have so many births, or fewer where the round ends before.
    ///
    /// # Errors
    /// As [`Search::new`], when a new experiment begins.
    pub fn advance(&mut self, births: u64) -> Result<()> {
        let births = births.min(self.plan.population as u64 - self.in_round);
        let space = &self.plan.space;
        self.populations
            .par_iter_mut()
            .for_each(|population| population.run(space, births));
        self.in_round += births;
        if self.in_round == self.plan.population as u64 {
            self.end_round()?;
        }
        Ok(())
    }

    fn end_round(&mut self) -> Result<()> {
        self.in_round = 0;
        self.rounds += 1;
        let part = self.plan.hurdle_part;
        let hurdles = self.plan.shortcuts.hurdle.is_some();
        self.populations.par_iter_mut().for_each(|population| {
            population.shorten();
            if hurdles {
                population.set_hurdle(part);
            }
        });
        self.check();
        if self.solved || self.rounds.is_multiple_of(HALL_EVERY) {
            self.honour();
        }
        if self.solved {
            return Ok(());
        }
        if self.populations.len() > 1
            && self.plan.method == Method::Evolution
            && self.rounds.is_multiple_of(self.plan.migrate_every.max(1))
        {
            self.migrate();
        }
        if self
            .plan
            .restart_every
            .is_some_and(|every| self.rounds >= every)
        {
            self.experiment += 1;
            self.begin()?;
        }
        Ok(())
    }

    /// Takes the living and the best into the hall of fame.
    fn honour(&mut self) {
        for population in &self.populations {
            for node in population.living().chain(population.best()) {
                self.hall.offer(&node.program, node.score.fitness);
            }
        }
    }

    /// Every population sends some of its individuals to the next.
    fn migrate(&mut self) {
        let mut lines: Vec<_> = self
            .populations
            .iter_mut()
            .map(|population| population.emigrants(MIGRANTS))
            .collect();
        lines.rotate_right(1);
        for (population, lines) in self.populations.iter_mut().zip(&lines) {
            for line in lines {
                population.immigrate(line);
            }
        }
    }

    /// The population with the best individual.
    fn leader(&self) -> Option<(usize, &Node)> {
        let bests = self.populations.iter().enumerate();
        bests
            .filter_map(|(index, population)| Some((index, population.best()?)))
            .reduce(|best, next| {
                if next.1.score.fitness > best.1.score.fitness {
                    next
                } else {
                    best
                }
            })
    }

    /// The best fitness of the present experiment; 0 where there is none.
    #[must_use]
    pub fn leading_fitness(&self) -> f32 {
        self.leader().map_or(0.0, |(_, node)| node.score.fitness)
    }

    /// The best of the present experiment by the search alone, looked at on other tasks.
    #[must_use]
    pub fn champion(&self) -> Option<Candidate> {
        let (index, node) = self.leader()?;
        let select_fitness = fitness_on(&self.select, &node.program);
        Some(self.candidate(index, node, select_fitness))
    }

    fn candidate(&self, population: usize, node: &Node, select_fitness: f64) -> Candidate {
        Candidate {
            program: node.program.clone(),
            search_fitness: node.score.fitness,
            select_fitness,
            experiment: self.experiment,
            population,
            individuals: self.individuals(),
            lineage: self.populations[population]
                .lineage()
                .into_iter()
                .cloned()
                .collect(),
        }
    }

    /// Looks at the best on other tasks, if it is better than what was looked at before.
    fn check(&mut self) {
        let Some((index, node)) = self.leader() else {
            return;
        };
        let fitness = node.score.fitness;
        if fitness <= self.checked || fitness < self.plan.candidate {
            return;
        }
        let mut select_fitness = fitness_on(&self.select, &node.program);
        let reached = |fitness: f64| self.plan.target.is_some_and(|target| fitness >= target);
        let mut solved = false;
        if reached(select_fitness) {
            select_fitness = exact_fitness(&self.select, &node.program);
            solved = reached(select_fitness);
        }
        let better = self
            .best
            .as_ref()
            .is_none_or(|best| select_fitness > best.select_fitness);
        let candidate = (solved || better).then(|| self.candidate(index, node, select_fitness));
        self.checked = fitness;
        self.solved = solved;
        if candidate.is_some() {
            self.best = candidate;
        }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The populations of the present experiment.
    #[must_use]
    pub fn populations(&self) -> &[Population] {
        &self.populations
    }

    /// The number of the present experiment, from 0.
    #[must_use]
    pub fn experiment(&self) -> u32 {
        self.experiment
    }

    /// Whether the target is reached.
    #[must_use]
    pub fn is_solved(&self) -> bool {
        self.solved
    }

    /// The best on the tasks of selection, of all experiments.
    #[must_use]
    pub fn best(&self) -> Option<&Candidate> {
        self.best.as_ref()
    }

    /// The best programs of the present experiment by their length.
    #[must_use]
    pub fn hall(&self) -> &Hall {
        &self.hall
    }

    /// What became of all programs, in all experiments.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let populations = self
            .populations
            .iter()
            .map(|population| population.evaluator().counts());
        populations.fold(self.before, Counts::plus)
    }

    /// The individuals born so far, in all experiments and populations.
    #[must_use]
    pub fn individuals(&self) -> u64 {
        self.counts().individuals
    }

    /// The fitness of a program on tasks that no choice has seen, in `f64`.
    #[must_use]
    pub fn unseen_fitness(&self, program: &Program) -> f64 {
        exact_fitness(&self.tasks.unseen(), program)
    }

    /// Everything, for a checkpoint.
    #[must_use]
    pub fn save(&self) -> SavedSearch {
        SavedSearch {
            plan: self.plan.clone(),
            populations: self.populations.iter().map(Population::save).collect(),
            experiment: self.experiment,
            rounds: self.rounds,
            in_round: self.in_round,
            before: self.before,
            checked: self.checked,
            best: self.best.clone(),
            hall: self.hall.clone(),
            solved: self.solved,
        }
    }

    /// Goes on where a search was saved.
    ///
    /// # Errors
    /// [`Error::Input`] when it does not fit the plan or is damaged.
    pub fn restore(plan: Plan, tasks: Arc<dyn Tasks>, saved: SavedSearch) -> Result<Self> {
        if saved.plan != plan || saved.populations.len() != plan.populations {
            return Err(Error::Input(
                "the stored search has other settings, begin anew or use its own".to_owned(),
            ));
        }
        let mut search = Self::empty(plan, tasks)?;
        search.experiment = saved.experiment;
        search.populations = search.founded();
        for (population, saved) in search.populations.iter_mut().zip(saved.populations) {
            population.restore(saved)?;
        }
        search.rounds = saved.rounds;
        search.in_round = saved.in_round;
        search.before = saved.before;
        search.checked = saved.checked;
        search.best = saved.best;
        search.hall = saved.hall;
        search.solved = saved.solved;
        Ok(search)
    }
}

/// The fitness of a program on tasks, in `f32`, without any shortcut but leaving out dead code.
#[must_use]
pub fn fitness_on(tasks: &TaskSet, program: &Program) -> f64 {
    let shortcuts = Shortcuts {
        dead_code: true,
        ..Shortcuts::NONE
    };
    let mut evaluator = Evaluator::new(Arc::new(tasks.clone()), shortcuts);
    f64::from(evaluator.evaluate(program, 0.0).fitness)
}

/// The fitness of a program on tasks, by the reference interpreter in `f64`.
#[must_use]
pub fn exact_fitness(tasks: &TaskSet, program: &Program) -> f64 {
    // Without dead code, which costs time here and nothing else.
    let program = program.filtered(super::analysis::Analysis::of(program).live);
    let one = |task: &Task| {
        let mut machine = Machine::<f64>::new(&program, tasks.size.features, task.seed);
        machine.fitness(task, tasks.rules, tasks.epochs)
    };
    let sum: f64 = tasks
        .tasks()
        .par_iter()
        .map(one)
        .collect::<Vec<_>>()
        .iter()
        .sum();
    sum / tasks.tasks().len().max(1) as f64
}
