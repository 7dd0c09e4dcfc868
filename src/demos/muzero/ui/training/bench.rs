//! The runs on the bench: kept, named, hidden, and one of them looked at closely.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::super::config::{Agent, TrainConfig};
use super::super::super::game::GameId;
use super::super::super::job::Output;
use super::super::super::record::RunRecord;

/// A run with what the person made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Stays the same while others come and go; also its colour.
    pub id: u64,
    /// Its name, which can be changed.
    pub name: String,
    /// Left out of the plots.
    pub hidden: bool,
    /// Where it is kept; none for one that ships with the program.
    pub folder: Option<PathBuf>,
    /// Its number among the runs that ship with the program.
    pub shipped: Option<usize>,
    /// What it left behind; none until it has begun.
    pub record: Option<RunRecord>,
    /// The moves of its newest game of self-play.
    pub game: Option<Vec<u16>>,
}

/// All runs, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Bench {
    entries: Vec<Entry>,
    next: u64,
    focus: Option<u64>,
    revision: u64,
}

/// What a session stores of a run; its curves lie in its folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedEntry {
    id: u64,
    name: String,
    hidden: bool,
    folder: Option<PathBuf>,
    shipped: Option<usize>,
}

/// What a session stores of a bench.
#[derive(Default, Serialize, Deserialize)]
pub struct Saved {
    entries: Vec<SavedEntry>,
    focus: Option<u64>,
}

impl Bench {
    /// A bench with the runs that ship with the program; the first is looked at.
    pub fn with_stored(records: Vec<RunRecord>) -> Self {
        let mut bench = Self::default();
        for (number, record) in records.into_iter().enumerate() {
            let name = run_name(&record.config);
            bench.add(&name, None, Some(record));
            if let Some(entry) = bench.entries.last_mut() {
                entry.shipped = Some(number);
            }
        }
        bench.focus = bench.entries.first().map(|entry| entry.id);
        bench
    }

    /// Puts a run on the bench and looks at it.
    pub fn add(&mut self, name: &str, folder: Option<PathBuf>, record: Option<RunRecord>) -> u64 {
        let id = self.next;
        self.next += 1;
        self.entries.push(Entry {
            id,
            name: self.free_name(name),
            hidden: false,
            folder,
            shipped: None,
            record,
            game: None,
        });
        self.focus = Some(id);
        self.touch();
        id
    }

    fn free_name(&self, name: &str) -> String {
        let taken = |name: &str| self.entries.iter().any(|entry| entry.name == name);
        let mut free = name.to_owned();
        let mut number = 2;
        while taken(&free) {
            free = format!("{name} ({number})");
            number += 1;
        }
        free
    }

    /// Takes in what a run's job reports. True when something is to be stored.
    pub fn hear(&mut self, id: u64, output: Output) -> bool {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) else {
            return false;
        };
        self.revision += 1;
        match (output, &mut entry.record) {
            (Output::Game(line), _) => {
                entry.game = Some(line);
                false
            }
            (Output::Began(record), place) => {
                *place = Some(*record);
                true
            }
            (output, Some(record)) => {
                record.hear(&output);
                matches!(output, Output::Finished)
            }
            (_, None) => false,
        }
    }

    /// All runs, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Runs with curves that are shown, oldest first.
    pub fn shown(&self) -> impl Iterator<Item = (&Entry, &RunRecord)> {
        let shown = self.entries.iter().filter(|entry| !entry.hidden);
        shown.filter_map(|entry| Some((entry, entry.record.as_ref()?)))
    }

    /// The run with this id, to be renamed or hidden.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut Entry> {
        self.revision += 1;
        self.entries.iter_mut().find(|entry| entry.id == id)
    }

    /// The run with this id.
    pub fn get(&self, id: u64) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// The run that is looked at.
    pub fn focus(&self) -> Option<&Entry> {
        self.get(self.focus?)
    }

    /// Looks at a run.
    pub fn look_at(&mut self, id: u64) {
        if self.focus != Some(id) {
            self.focus = Some(id);
            self.touch();
        }
    }

    /// Takes a run off the bench.
    pub fn remove(&mut self, id: u64) {
        self.entries.retain(|entry| entry.id != id);
        if self.focus == Some(id) {
            self.focus = self.entries.last().map(|entry| entry.id);
        }
        self.touch();
    }

    /// Whether a run of this folder is here.
    pub fn has(&self, folder: &Path) -> bool {
        let mut folders = self.entries.iter().filter_map(|e| e.folder.as_deref());
        folders.any(|known| known == folder)
    }

    fn touch(&mut self) {
        self.revision += 1;
    }

    /// Changes whenever anything on the bench does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What a session stores: the person's own runs, and what was made of the shipped ones.
    pub fn save(&self) -> Saved {
        let entries = self.entries.iter().map(|entry| SavedEntry {
            id: entry.id,
            name: entry.name.clone(),
            hidden: entry.hidden,
            folder: entry.folder.clone(),
            shipped: entry.shipped,
        });
        Saved {
            entries: entries.collect(),
            focus: self.focus,
        }
    }

    /// Takes up what a session stored. Runs whose folders are gone are left out.
    pub fn restore(&mut self, saved: Saved, shipped: &[RunRecord]) {
        self.entries.clear();
        self.next = 0;
        let mut entries = saved.entries;
        entries.sort_by_key(|entry| entry.id);
        for entry in entries {
            let record = match &entry.folder {
                Some(folder) => RunRecord::load(folder).unwrap_or_else(|error| {
                    tracing::warn!("{error}");
                    None
                }),
                None => entry.shipped.and_then(|n| shipped.get(n).cloned()),
            };
            let Some(record) = record else {
                continue;
            };
            let id = entry.id.max(self.next);
            self.next = id.saturating_add(1);
            self.entries.push(Entry {
                id,
                name: entry.name,
                hidden: entry.hidden,
                folder: entry.folder,
                shipped: entry.shipped,
                record: Some(record),
                game: None,
            });
        }
        let found = saved.focus.filter(|id| self.get(*id).is_some());
        self.focus = found.or(self.entries.last().map(|entry| entry.id));
        self.touch();
    }
}

/// An agent's name.
pub fn agent_name(agent: Agent) -> &'static str {
    match agent {
        Agent::MuZero => "MuZero",
        Agent::AlphaZero => "AlphaZero",
        Agent::ActorCritic => "Actor-critic",
    }
}

/// A run's first name: what tells it from others at a glance.
pub fn run_name(config: &TrainConfig) -> String {
    let mut name = format!("{}, {}", config.game.title(), agent_name(config.agent));
    if let Some(simulations) = config.simulations
        && config.agent != Agent::ActorCritic
    {
        name += &format!(", {simulations} simulations");
    }
    if let Some(share) = config.reanalyse.filter(|share| *share > 0.0) {
        name += &format!(", reanalyse {:.0} %", share * 100.0);
    }
    if config.seed != 0 {
        name += &format!(", seed {}", config.seed);
    }
    name
}

/// The first folder of this name that is free: `connect4-1`, `connect4-2`, …
pub fn free_folder(root: &Path, game: &GameId, bench: &Bench) -> PathBuf {
    let name = game.to_string().replace(':', "-");
    let mut folders = (1..).map(|number: u32| root.join(format!("{name}-{number}")));
    let free = folders.find(|folder| !folder.exists() && !bench.has(folder));
    free.unwrap_or_else(|| root.join(name))
}

#[cfg(test)]
mod tests {
    use super::{Bench, free_folder, run_name};
    use crate::demos::muzero::config::{Agent, TrainConfig};
    use crate::demos::muzero::game::GameId;
    use crate::demos::muzero::job::Output;

    #[test]
    fn names_and_folders_tell_runs_apart() {
        let config = TrainConfig {
            simulations: Some(2),
            reanalyse: Some(0.5),
            seed: 3,
            ..TrainConfig::new(GameId::ConnectFour)
        };
        let name = "Connect Four, MuZero, 2 simulations, reanalyse 50 %, seed 3";
        assert_eq!(run_name(&config), name);
        let plain = TrainConfig {
            agent: Agent::ActorCritic,
            ..config
        };
        assert!(run_name(&plain).starts_with("Connect Four, Actor-critic, reanalyse"));
        let root = tempfile::tempdir().expect("a folder");
        let mut bench = Bench::default();
        let first = free_folder(root.path(), &GameId::Go, &bench);
        assert!(first.ends_with("go9-1"));
        let one = bench.add("a", Some(first), None);
        let second = free_folder(root.path(), &GameId::Go, &bench);
        assert!(second.ends_with("go9-2"));
        let two = bench.add("a", Some(second), None);
        assert_eq!(bench.get(two).map(|e| e.name.as_str()), Some("a (2)"));
        assert!(!bench.hear(two, Output::Game(vec![4])));
        assert_eq!(bench.focus().and_then(|e| e.game.clone()), Some(vec![4]));
        bench.remove(two);
        assert_eq!(bench.focus().map(|e| e.id), Some(one));
    }
}
