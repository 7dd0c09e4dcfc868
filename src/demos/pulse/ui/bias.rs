//! The page of the bias: what becomes of people of each group, with intervals, and what it looks
//! like.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{DragValue, Grid, RichText, ScrollArea, Slider, Ui, Vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::settings::search_ui;
use crate::compute::{Lane, Run};
use crate::demos::pulse::answer::Group;
use crate::demos::pulse::bank;
use crate::demos::pulse::bias::{BiasConfig, BiasJob, Example, Measured, Row, Setting, Way, csv};
use crate::demos::pulse::pixels::SIDES;
use crate::demos::pulse::search::SearchConfig;
use crate::demos::pulse::sheet;
use crate::error::{Error, Result};
use crate::gui::controls::{
    RunState, capitalised, empty_ui, next_seed, progress_ui, run_bar_ui, seed_ui, steer,
};
use crate::gui::{Command, Export, TabCx, theme};
use crate::view::ImageView;

const CSV: Export = Export {
    extension: "csv",
    about: "the table with its intervals",
};
pub(super) const EXPORTS: &[Export] = &[CSV];
/// Pictures of the matrix are this wide.
const FACE: f32 = 76.0;

pub(super) struct Bias {
    config: BiasConfig,
    rows: Vec<Row>,
    examples: Vec<Look>,
    run: Option<Run<Measured>>,
    revision: u64,
}

/// A truth and its answers under a setting.
struct Look {
    setting: usize,
    group: Group,
    views: Vec<ImageView>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    config: BiasConfig,
    rows: Vec<Row>,
}

impl Bias {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        Self {
            config: BiasConfig {
                settings: BiasConfig::story(),
                per_group: 20,
                samples: 2,
                side: 16,
                search: SearchConfig::default(),
                seed: 0,
            },
            rows,
            examples: Vec::new(),
            run: None,
            revision: 0,
        }
    }

    pub(super) fn state(&self) -> RunState {
        RunState::of(self.run.as_ref())
    }

    fn begin(&mut self, cx: &mut TabCx<'_>) {
        match BiasJob::new(self.config.clone(), bank::file(&cx.paths.data)) {
            Ok(job) => {
                self.run = Some(cx.worker.submit(Lane::Long, "PULSE: bias", job));
                self.rows.clear();
                self.examples.clear();
                self.revision += 1;
            }
            Err(error) => cx.toasts.error(capitalised(&error.to_string())),
        }
    }

    pub(super) fn logic(&mut self, cx: &mut TabCx<'_>) {
        let Some(heard) = cx.heard(&mut self.run) else {
            return;
        };
        self.revision += 1;
        for output in heard {
            match output {
                Measured::Row(row) => self.take(row),
                Measured::Example(example) => self.examples.push(Look::new(&example)),
                Measured::Done => {}
            }
        }
    }

    fn take(&mut self, row: Row) {
        let same = |old: &&mut Row| old.setting == row.setting && old.group == row.group;
        match self.rows.iter_mut().find(same) {
            Some(old) => *old = row,
            None => self.rows.push(row),
        }
    }

    pub(super) fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        ui.add_space(4.0);
        run_bar_ui(ui, self.state(), "Measure", self.run.is_none(), cx.commands);
        if let Some(run) = self.run.as_ref().filter(|_| !cx.still) {
            progress_ui(ui, &run.progress());
        }
        ui.add_space(6.0);
        let faint = theme::tokens(ui).faint;
        let text = "People of the kit are shrunk and searched for again, by generators that expect \
                    different people. The truth is known, so what is lost can be counted";
        ui.label(RichText::new(text).small().color(faint));
        ui.add_space(4.0);
        ui.add_enabled_ui(self.run.is_none(), |ui| {
            Grid::new("bias")
                .num_columns(2)
                .spacing([12.0, 8.0])
                .show(ui, |ui| {
                    let label = ui.label("People a group");
                    ui.add(DragValue::new(&mut self.config.per_group).range(1..=1000))
                        .labelled_by(label.id);
                    ui.end_row();
                    let label = ui.label("Answers each");
                    ui.add(DragValue::new(&mut self.config.samples).range(1..=16))
                        .labelled_by(label.id);
                    ui.end_row();
                    let label = ui.label("Pixels a side");
                    let side = Slider::new(&mut self.config.side, SIDES.start..=SIDES.end - 1);
                    ui.add(side).labelled_by(label.id);
                    ui.end_row();
                });
            let settings = &mut self.config.settings;
            let mut banks = settings.iter().any(|setting| setting.way == Way::Bank);
            let about = "The nearest people of banks that are re-weighted to the same priors: no \
                         search. Their 20,000 people are rendered once, in minutes";
            if ui
                .checkbox(&mut banks, "Banks too")
                .on_hover_text(about)
                .changed()
            {
                settings.retain(|setting| setting.way == Way::Search);
                if banks {
                    settings.extend(BiasConfig::banks());
                }
                self.revision += 1;
            }
            seed_ui(ui, &mut self.config.seed);
            ui.separator();
            ui.strong("Search");
            search_ui(ui, &mut self.config.search);
        });
        ui.add_space(8.0);
    }

    pub(super) fn stage_ui(&mut self, ui: &mut Ui) {
        if self.rows.is_empty() {
            let (title, text) = if self.run.is_some() {
                ("The first people are searched for", "")
            } else {
                (
                    "The bias is not measured yet",
                    "Press Measure: about a minute for 20 people a group",
                )
            };
            empty_ui(ui, title, text);
            return;
        }
        ScrollArea::both()
            .auto_shrink([false, false])
            .show(ui, |ui| {
                self.table_ui(ui);
                ui.add_space(12.0);
                self.examples_ui(ui);
                let faint = theme::tokens(ui).faint;
                let text = "Groups are labels of a 3D kit: which of its three axes of origin is the \
                            strongest. They say how the kit's artists shaped their figures, nothing \
                            about people. Intervals hold the true value in 95 of 100 experiments.";
                ui.add_space(8.0);
                ui.label(RichText::new(text).small().color(faint));
            });
    }

    fn table_ui(&self, ui: &mut Ui) {
        let tokens = theme::tokens(ui);
        Grid::new("table")
            .striped(true)
            .num_columns(7)
            .spacing([18.0, 6.0])
            .show(ui, |ui| {
                for (head, about) in [
                    ("Generator", "Whose pictures it learned, whom it expects"),
                    ("True person", "The group of the people that were shrunk"),
                    ("Stays in the group", "Share of the answers, 95 % interval"),
                    ("Becomes", "Dark, medium, light: answers of each group"),
                    (
                        "Skin",
                        "Lightness (L*) of the answer's skin minus the truth's",
                    ),
                    ("Small error", "Mean squared error of the answers shrunk"),
                    ("Within epsilon", "Share of the answers, 95 % interval"),
                ] {
                    ui.label(RichText::new(head).strong()).on_hover_text(about);
                }
                ui.end_row();
                let mut last = None;
                for row in &self.rows {
                    let new = last != Some(row.setting);
                    last = Some(row.setting);
                    ui.label(if new {
                        title(&row.setting)
                    } else {
                        String::new()
                    });
                    ui.label(row.group.title());
                    share_ui(ui, row.kept, row.kept_interval, tokens);
                    let [dark, medium, light] = row.became;
                    ui.monospace(format!("{dark} {medium} {light}"));
                    let ends = row.skin_shift_interval;
                    ui.monospace(format!("{:+.1}", row.skin_shift))
                        .on_hover_text(format!("{:+.1} to {:+.1}", ends.low, ends.high));
                    let ends = row.low_error_interval;
                    ui.monospace(format!("{:.5}", row.low_error))
                        .on_hover_text(format!("{:.5} to {:.5}", ends.low, ends.high));
                    share_ui(ui, row.success, row.success_interval, tokens);
                    ui.end_row();
                }
            });
    }

    fn examples_ui(&mut self, ui: &mut Ui) {
        if self.examples.is_empty() {
            return;
        }
        ui.strong("The first person of each group: truth, then answers");
        let settings = self.config.settings.clone();
        Grid::new("looks").spacing([14.0, 8.0]).show(ui, |ui| {
            for (place, setting) in settings.iter().enumerate() {
                if !self.examples.iter().any(|look| look.setting == place) {
                    continue;
                }
                ui.label(title(setting));
                for group in Group::ALL {
                    let look = self
                        .examples
                        .iter_mut()
                        .find(|look| look.setting == place && look.group == group);
                    ui.horizontal(|ui| {
                        for view in look.into_iter().flat_map(|look| &mut look.views) {
                            view.show(ui, Vec2::splat(FACE));
                        }
                    });
                }
                ui.end_row();
            }
        });
    }

    pub(super) fn perform(&mut self, command: Command, cx: &mut TabCx<'_>) {
        match (command, &self.run) {
            (Command::Run, None) => self.begin(cx),
            (Command::NewSeed, _) => {
                self.config.seed = next_seed(self.config.seed);
                self.revision += 1;
            }
            (command, run) => steer(run.as_ref(), command),
        }
    }

    pub(super) fn table(&self) -> Option<String> {
        (!self.rows.is_empty()).then(|| csv(&self.rows))
    }

    pub(super) fn save(&self) -> Value {
        json!(Saved {
            config: self.config.clone(),
            rows: self.rows.clone(),
        })
    }

    pub(super) fn restore(&mut self, state: Value) -> Result<()> {
        let saved: Saved =
            serde_json::from_value(state).map_err(|error| Error::Input(error.to_string()))?;
        // What the job would refuse is refused now.
        BiasJob::new(saved.config.clone(), PathBuf::new())?;
        self.run = None;
        self.examples.clear();
        self.config = saved.config;
        self.rows = saved.rows;
        self.revision += 1;
        Ok(())
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }
}

impl Look {
    fn new(example: &Example) -> Self {
        let faces = std::iter::once(("The true face", &example.truth))
            .chain(example.answers.iter().map(|a| ("An answer", &a.face)));
        let views = faces.map(|(label, face)| {
            let mut view = ImageView::new(label);
            view.set(&Arc::new(sheet::picture(face)));
            view
        });
        Self {
            setting: example.setting,
            group: example.truth.attributes.group,
            views: views.collect(),
        }
    }
}

fn title(setting: &Setting) -> String {
    let of = match setting.way {
        Way::Search => setting.collection.name(),
        Way::Bank => "bank",
    };
    let mut title = format!("{}, imbalance {:.1}", of, setting.prior.imbalance);
    if (setting.truncation - 1.0).abs() > 1e-9 {
        title.push_str(&format!(", truncation {:.1}", setting.truncation));
    }
    title
}

fn share_ui(
    ui: &mut Ui,
    share: f64,
    interval: crate::data::interval::Interval,
    tokens: &theme::Tokens,
) {
    ui.horizontal(|ui| {
        ui.monospace(format!("{:3.0} %", share * 100.0));
        let text = format!(
            "{:.0} to {:.0}",
            interval.low * 100.0,
            interval.high * 100.0
        );
        ui.label(RichText::new(text).small().color(tokens.faint));
    });
}
