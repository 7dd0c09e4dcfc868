//! The runs on the bench: kept, named, hidden, and one of them looked at closely.

use serde::{Deserialize, Serialize};

use super::super::config::{LotteryConfig, Method, NetKind};
use super::super::record::{Extras, Output, RunRecord};

/// A run with what the person made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Stays the same while others come and go; also its colour.
    pub id: u64,
    /// Its name, which can be changed.
    pub name: String,
    /// Left out of the ledger's plot.
    pub hidden: bool,
    /// What it left behind.
    pub record: RunRecord,
}

/// All runs, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Bench {
    entries: Vec<Entry>,
    next: u64,
    focus: Option<u64>,
    revision: u64,
}

/// What a session stores of a bench.
#[derive(Default, Serialize, Deserialize)]
pub struct Saved {
    entries: Vec<Entry>,
    focus: Option<u64>,
}

impl Saved {
    /// The runs, to be checked.
    pub fn records(&self) -> impl Iterator<Item = &RunRecord> {
        self.entries.iter().map(|e| &e.record)
    }
}

impl Bench {
    /// A bench with these runs; the last is looked at.
    pub fn with_records(records: Vec<RunRecord>) -> Self {
        let mut bench = Self::default();
        for record in records {
            bench.add(record);
        }
        bench
    }

    /// Puts a run on the bench and looks at it.
    pub fn add(&mut self, record: RunRecord) -> u64 {
        let id = self.next;
        self.next += 1;
        let name = self.free_name(&run_name(&record.config));
        self.entries.push(Entry {
            id,
            name,
            hidden: false,
            record,
        });
        self.focus = Some(id);
        self.touch();
        id
    }

    /// A run's place for a configuration: that of the run which had the same, else a new one.
    pub fn begin(&mut self, config: &LotteryConfig) -> u64 {
        let same = self.entries.iter().find(|e| e.record.config == *config);
        if let Some(id) = same.map(|e| e.id) {
            self.look_at(id);
            return id;
        }
        self.add(RunRecord {
            config: config.clone(),
            weights: 0,
            layers: Vec::new(),
            stages: Vec::new(),
            extras: Extras::default(),
            finished: false,
        })
    }

    fn free_name(&self, name: &str) -> String {
        let taken = |name: &str| self.entries.iter().any(|e| e.name == name);
        let mut free = name.to_owned();
        let mut number = 2;
        while taken(&free) {
            free = format!("{name} ({number})");
            number += 1;
        }
        free
    }

    /// Takes in what a run's job reports.
    pub fn hear(&mut self, id: u64, output: &Output) {
        if let Some(entry) = self.entries.iter_mut().find(|e| e.id == id) {
            entry.record.hear(output);
            self.touch();
        }
    }

    /// All runs, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All runs, to be renamed and hidden; call [`Self::touch`] afterwards.
    pub fn entries_mut(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    /// The run with this id.
    pub fn get(&self, id: u64) -> Option<&Entry> {
        self.entries.iter().find(|e| e.id == id)
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
        self.entries.retain(|e| e.id != id);
        if self.focus == Some(id) {
            self.focus = self.entries.last().map(|e| e.id);
        }
        self.touch();
    }

    /// Says that something has changed.
    pub fn touch(&mut self) {
        self.revision += 1;
    }

    /// Changes whenever anything on the bench does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What a session stores.
    pub fn save(&self) -> Saved {
        Saved {
            entries: self.entries.clone(),
            focus: self.focus,
        }
    }

    /// Takes up what a session stored; ids are given anew where two are the same.
    pub fn restore(&mut self, saved: Saved) {
        self.entries = saved.entries;
        self.next = 0;
        self.entries.sort_by_key(|e| e.id);
        for entry in &mut self.entries {
            entry.id = entry.id.max(self.next);
            self.next = entry.id.saturating_add(1);
        }
        let found = saved.focus.filter(|id| self.get(*id).is_some());
        self.focus = found.or(self.entries.last().map(|e| e.id));
        self.touch();
    }
}

/// A method's name.
pub fn method_name(method: Method) -> &'static str {
    match method {
        Method::Dense => "Dense",
        Method::Imp => "Magnitude pruning",
        Method::Gates => "Gates",
        Method::EdgePopup => "Edge-popup",
        Method::SubsetSum => "Subset sums",
    }
}

/// A network's name.
pub fn net_name(net: NetKind) -> &'static str {
    match net {
        NetKind::Lenet => "LeNet-300-100",
        NetKind::Conv2 => "Conv-2",
        NetKind::Conv4 => "Conv-4",
        NetKind::Conv6 => "Conv-6",
        NetKind::Conv2Lite => "Conv-2-lite",
    }
}

/// A run's first name: what tells it from others at a glance.
pub fn run_name(config: &LotteryConfig) -> String {
    let mut name = method_name(config.method).to_owned();
    match config.method {
        Method::Imp if config.one_shot => name += ", one-shot",
        Method::Imp if config.rewind > 0 => name += &format!(", rewind {}", config.rewind),
        Method::EdgePopup if config.k_sweep.is_empty() => {
            name += &format!(", {:.0} %", config.k * 100.0);
        }
        Method::EdgePopup => name += ", sweep of k",
        Method::SubsetSum => name += &format!(", n = {}", config.n),
        _ => {}
    }
    if config.net != NetKind::Lenet {
        name += &format!(", {}", net_name(config.net));
    }
    if (config.width - 1.0).abs() > 1e-9 {
        name += &format!(" × {}", config.width);
    }
    if config.seed != 0 {
        name += &format!(", seed {}", config.seed);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::{Bench, run_name};
    use crate::demos::lottery::config::{LotteryConfig, Method, NetKind};

    fn config(method: Method, seed: u64) -> LotteryConfig {
        LotteryConfig {
            method,
            seed,
            ..LotteryConfig::default()
        }
    }

    #[test]
    fn a_run_that_was_there_goes_on_in_its_place() {
        let mut bench = Bench::default();
        let first = bench.begin(&config(Method::Imp, 0));
        let second = bench.begin(&config(Method::Imp, 1));
        assert_ne!(first, second);
        assert_eq!(bench.focus().map(|e| e.id), Some(second));
        assert_eq!(bench.begin(&config(Method::Imp, 0)), first);
        assert_eq!(bench.focus().map(|e| e.id), Some(first));
        assert_eq!(bench.entries().len(), 2);
    }

    #[test]
    fn removing_keeps_the_others_and_their_colours() {
        let mut bench = Bench::default();
        let ids: Vec<u64> = (0..3)
            .map(|seed| bench.begin(&config(Method::Dense, seed)))
            .collect();
        bench.remove(ids[2]);
        assert_eq!(bench.focus().map(|e| e.id), Some(ids[1]));
        let mut other = Bench::default();
        other.restore(bench.save());
        assert_eq!(other.entries(), bench.entries());
        assert!(other.begin(&config(Method::Gates, 0)) > ids[1]);
    }

    #[test]
    fn names_tell_runs_apart() {
        let mut sweep = config(Method::EdgePopup, 3);
        sweep.k_sweep = vec![0.1];
        sweep.net = NetKind::Conv2Lite;
        assert_eq!(
            run_name(&sweep),
            "Edge-popup, sweep of k, Conv-2-lite, seed 3"
        );
        let mut bench = Bench::default();
        let mut imp = config(Method::Imp, 0);
        bench.begin(&imp);
        imp.levels = 3;
        let second = bench.begin(&imp);
        let name = bench.get(second).map(|e| e.name.clone());
        assert_eq!(name.as_deref(), Some("Magnitude pruning (2)"));
    }
}
