//! The search in sight: every individual as a dot, the best and the others over time, what became
//! of the programs.

use egui::{RichText, Ui};
use serde::{Deserialize, Serialize};

use super::super::evaluator::Counts;
use super::super::job::Snapshot;
use super::super::record::{Moment, Record};
use crate::gui::controls::{duration_text, empty_ui};
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit, side_by_side_ui};
use crate::gui::theme;

/// What can be chosen on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// How far from perfect, by powers of ten, in place of fitness.
    pub distance: bool,
}

/// The page.
#[derive(Default)]
pub struct PopulationPage {
    /// What was chosen.
    pub options: Options,
    plots: Plots<(u64, u64, Options)>,
}

/// From here on a fitness is perfect in `f32`.
const PERFECT: f64 = 1e-7;

impl PopulationPage {
    /// Draws the page. True when an option has changed.
    pub fn ui(&mut self, ui: &mut Ui, record: &Record, id: u64) -> bool {
        let Some(last) = &record.last else {
            let text = "Press Run: populations of programs appear here as they evolve.";
            empty_ui(ui, "No search yet", text);
            return false;
        };
        standing_ui(ui, record);
        let before = self.options;
        ui.checkbox(&mut self.options.distance, "Distance from perfect")
            .on_hover_text("1 − fitness by powers of ten: how far the last steps go");
        let options = self.options;
        let key = (id, last.counts.individuals, options);
        let plots = self.plots.get(key, || figures(record, options));
        side_by_side_ui(ui, plots);
        self.options != before
    }
}

/// The figures of the page.
#[must_use]
pub fn figures(record: &Record, options: Options) -> Vec<Figure> {
    vec![dots_figure(record, options), course_figure(record, options)]
}

fn fitness_axis(options: Options) -> Axis {
    if options.distance {
        Axis::new("1 − fitness", Unit::Number)
            .logarithmic()
            .reversed()
    } else {
        Axis::new("fitness", Unit::Number)
    }
}

fn shown(fitness: f32, options: Options) -> f64 {
    let fitness = f64::from(fitness);
    if options.distance {
        (1.0 - fitness).max(PERFECT)
    } else {
        fitness
    }
}

/// The living by age.
fn dots_figure(record: &Record, options: Options) -> Figure {
    let populations = record.last.iter().flat_map(|last| &last.populations);
    let series = populations.enumerate().map(|(index, population)| {
        let count = population.fitness.len();
        let dots = population.fitness.iter().enumerate();
        Series {
            name: format!("population {}", index + 1),
            hue: Hue::Line(index),
            mark: Mark::Scatter,
            points: dots
                .map(|(place, &fitness)| [(count - place) as f64, shown(fitness, options)])
                .collect(),
            ..Series::default()
        }
    });
    Figure {
        name: "The living by age".to_owned(),
        x: Axis::new("age: births since", Unit::Number).reversed(),
        y: fitness_axis(options),
        series: series.collect(),
    }
}

/// Fitness over all programs so far.
fn course_figure(record: &Record, options: Options) -> Figure {
    let line = |name: &str, hue: Hue, mark: Mark, of: &dyn Fn(&Moment) -> Option<f32>| Series {
        name: name.to_owned(),
        label: name.trim_end_matches(" search").to_owned(),
        hue,
        mark,
        points: record
            .course
            .iter()
            .filter_map(|moment| Some([moment.individuals as f64, shown(of(moment)?, options)]))
            .collect(),
        ..Series::default()
    };
    let mut series = vec![
        line("tenth", Hue::Faint, Mark::Line, &|m| Some(m.percentiles[0])),
        line("median", Hue::Line(2), Mark::Line, &|m| {
            Some(m.percentiles[1])
        }),
        line("nine tenths", Hue::Faint, Mark::Line, &|m| {
            Some(m.percentiles[2])
        }),
        line("mean", Hue::Line(1), Mark::Line, &|m| Some(m.mean)),
    ];
    if record.course.iter().any(|moment| moment.control.is_some()) {
        series.push(line("random search", Hue::Line(3), Mark::Dashed, &|m| {
            m.control
        }));
    }
    series.push(line("best", Hue::Line(0), Mark::Line, &|m| Some(m.best)));
    Figure {
        name: "Fitness over the search".to_owned(),
        x: Axis::new("programs", Unit::Number),
        y: fitness_axis(options),
        series,
    }
}

/// A number with what it is of.
struct Fact {
    about: &'static str,
    hover: &'static str,
    value: String,
}

fn standing_ui(ui: &mut Ui, record: &Record) {
    let Some(last) = &record.last else {
        return;
    };
    let tokens = theme::tokens(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(6.0, 4.0);
        for fact in facts(record, last) {
            // A number and its name stay together when the row is full.
            let name = RichText::new(fact.about).small().color(tokens.faint);
            let name = ui.add(egui::Label::new(name).extend());
            name.on_hover_text(fact.hover);
            ui.add(egui::Label::new(RichText::new(fact.value).strong()).extend());
            ui.add_space(12.0);
        }
    });
    let fates: Vec<String> = fates(last.counts)
        .iter()
        .map(|fate| format!("{} {}", fate.about, fate.value))
        .collect();
    let fates = RichText::new(fates.join(" · ")).small().color(tokens.faint);
    let about = fates_text(last.counts);
    ui.add(egui::Label::new(fates).truncate())
        .on_hover_text(about);
}

fn facts(record: &Record, last: &Snapshot) -> Vec<Fact> {
    let counts = last.counts;
    let fact = |about, hover, value: String| Fact {
        about,
        hover,
        value,
    };
    let (best, select) = match &record.ended {
        Some(ended) => (ended.search_fitness, ended.select_fitness),
        None => (
            last.populations
                .iter()
                .map(|population| population.best)
                .fold(0.0, f32::max),
            last.select_fitness,
        ),
    };
    let mut facts = vec![
        fact(
            "Best fitness",
            "Of the experiment, on the tasks of the search",
            format!("{best:.4}"),
        ),
        fact(
            "On other tasks",
            "Of the best so far, on tasks it was chosen by",
            if select > 0.0 {
                format!("{select:.4}")
            } else {
                "not yet".to_owned()
            },
        ),
    ];
    if let Some(ended) = &record.ended {
        facts.push(fact(
            "On unseen tasks",
            "On tasks that no choice has seen, in double precision",
            format!("{:.4}", ended.unseen_fitness),
        ));
    }
    let speed = counts.individuals as f64 / last.seconds.max(1e-3);
    facts.extend([
        fact(
            "Programs",
            "Individuals born so far, in all experiments",
            whole(counts.individuals),
        ),
        fact(
            "A second",
            "Programs a second of this search, those of random search not counted",
            whole(speed as u64),
        ),
        fact("Time", "Time of searching", duration_text(last.seconds)),
        fact(
            "Experiment",
            "A search that got nowhere begins anew on other tasks",
            (last.experiment + 1).to_string(),
        ),
    ]);
    facts
}

/// What became of the programs.
fn fates(counts: Counts) -> Vec<Fact> {
    let fates = [
        (
            "run to the end",
            "evaluated on all examples of all tasks",
            counts.full,
        ),
        (
            "known by form",
            "the same as an earlier program but for dead code, names and order",
            counts.structural,
        ),
        (
            "known by answers",
            "predicts the first examples as an earlier program did",
            counts.functional,
        ),
        (
            "stopped at the hurdle",
            "had learnt too little",
            counts.hurdle,
        ),
        ("too dear", "costs more than the budget", counts.rejected),
        (
            "no number",
            "predicts something that is no number, or far off",
            counts.failed,
        ),
    ];
    fates
        .into_iter()
        .filter(|(_, _, count)| *count > 0)
        .map(|(about, hover, count)| Fact {
            about,
            hover,
            value: {
                let part = count as f64 / counts.individuals.max(1) as f64;
                format!("{:.1} %", part * 100.0)
            },
        })
        .collect()
}

fn fates_text(counts: Counts) -> String {
    let lines: Vec<String> = fates(counts)
        .iter()
        .map(|fate| format!("{} {}: {}", fate.value, fate.about, fate.hover))
        .collect();
    format!("What became of the programs:\n{}", lines.join("\n"))
}

fn whole(count: u64) -> String {
    crate::gui::figure::grouped(&count.to_string())
}
