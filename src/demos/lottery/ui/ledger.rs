//! All methods in one plot and one table: what an accuracy costs.

use egui::{Color32, RichText, ScrollArea, Slider, TextEdit, Ui, vec2};
use serde::{Deserialize, Serialize};

use super::bench::{Bench, Entry};
use super::chains::{Chain, chains};
use super::curves::interesting;
use super::stages::{accuracy, bytes, operations, percent};
use crate::gui::controls::empty_ui;
use crate::gui::figure::{Axis, Figure, Hue, Mark, Plots, Series, Unit};
use crate::gui::theme;

/// A column of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Column {
    #[default]
    Run,
    Result,
    Left,
    Stored,
    Operations,
    Seconds,
    Accuracy,
    Until,
}

impl Column {
    const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Run, "Run", "Its name, which can be changed"),
        (Self::Result, "Result", "What is left in the end"),
        (Self::Left, "Left", "Share of the weights that are left"),
        (
            Self::Stored,
            "Stored",
            "Bytes that the result takes: weights, and masks or indices",
        ),
        (
            Self::Operations,
            "Ops",
            "Operations of all trainings that led to it; a multiply-add is two",
        ),
        (
            Self::Seconds,
            "CPU",
            "Processor seconds of all trainings that led to it",
        ),
        (
            Self::Accuracy,
            "Accuracy",
            "On the test images, the mean of all repetitions",
        ),
        (
            Self::Until,
            "Until",
            "Cost until the chosen accuracy was first reached",
        ),
    ];
}

/// What the person chose to see.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Against seconds, not operations.
    seconds: bool,
    linear: bool,
    target: f64,
    sorted_by: Column,
    descending: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seconds: false,
            linear: false,
            target: 0.97,
            sorted_by: Column::Run,
            descending: false,
        }
    }
}

impl Options {
    /// Within what the controls allow, whatever a session says.
    pub fn limited(self) -> Self {
        let target = if self.target.is_finite() {
            self.target
        } else {
            0.97
        };
        Self {
            target: target.clamp(0.8, 0.995),
            ..self
        }
    }
}

/// The view.
#[derive(Default)]
pub struct Ledger {
    pub options: Options,
    plots: Plots<(u64, bool, bool, u64)>,
    rows: Vec<Row>,
    /// What the rows were made of.
    made: Option<(u64, Options)>,
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    id: u64,
    pub run: String,
    pub result: String,
    pub left: f64,
    pub stored: Option<u64>,
    pub flops: f64,
    pub cpu_seconds: f64,
    pub accuracy: f64,
    /// Operations and seconds until the target.
    pub until: Option<[f64; 2]>,
}

/// What the person asked of a row.
enum Ask {
    LookAt(u64),
    Show(u64, bool),
    Rename(u64, String),
    Remove(u64),
}

impl Ledger {
    /// Draws it. True when something that is stored has changed.
    pub fn ui(&mut self, ui: &mut Ui, bench: &mut Bench, running: Option<u64>) -> bool {
        let before = (self.options, bench.revision());
        if bench.entries().is_empty() {
            empty_ui(
                ui,
                "No run on the bench",
                "Runs gather here, to be compared",
            );
            return false;
        }
        self.choices_ui(ui);
        let Options {
            seconds,
            linear,
            target,
            ..
        } = self.options;
        let table = (bench.entries().len() as f32 * 28.0 + 62.0).min(ui.available_height() * 0.5);
        let size = vec2(
            ui.available_width(),
            (ui.available_height() - table - 8.0).max(120.0),
        );
        let key = (bench.revision(), seconds, linear, target.to_bits());
        let options = self.options;
        let plots = self.plots.get(key, || vec![figure(bench, options)]);
        match plots.first().filter(|p| p.figure().series.len() > 1) {
            Some(plot) => {
                plot.show(ui, size);
            }
            None => {
                ui.allocate_ui(size, |ui| {
                    ui.set_min_size(size);
                    empty_ui(
                        ui,
                        "Nothing to compare",
                        "No run that is shown has points yet",
                    );
                });
            }
        }
        ui.add_space(4.0);
        self.make(bench);
        if let Some(ask) = self.table_ui(ui, bench, running) {
            perform(ask, bench);
        }
        before != (self.options, bench.revision())
    }

    fn choices_ui(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            ui.label("Against");
            ui.selectable_value(&mut self.options.seconds, false, "Operations");
            ui.selectable_value(&mut self.options.seconds, true, "CPU seconds");
            ui.separator();
            ui.checkbox(&mut self.options.linear, "Linear");
            ui.separator();
            let label = ui.label("Until");
            let percent = |v: f64, _| format!("{:.1} %", v * 100.0);
            let slider = Slider::new(&mut self.options.target, 0.8..=0.995)
                .step_by(0.001)
                .custom_formatter(percent)
                .custom_parser(|t| {
                    Some(t.trim().trim_end_matches('%').trim().parse::<f64>().ok()? / 100.0)
                });
            ui.add(slider)
                .labelled_by(label.id)
                .on_hover_text("The last column tells what this test accuracy has cost");
        });
    }

    /// Makes the rows, if the bench or a choice has changed.
    fn make(&mut self, bench: &Bench) {
        let key = (bench.revision(), self.options);
        if self.made == Some(key) {
            return;
        }
        self.rows = rows(bench, self.options.target);
        let Options {
            sorted_by,
            descending,
            seconds,
            ..
        } = self.options;
        sort(&mut self.rows, sorted_by, descending, seconds);
        self.made = Some(key);
    }

    fn table_ui(&mut self, ui: &mut Ui, bench: &Bench, running: Option<u64>) -> Option<Ask> {
        let tokens = theme::tokens(ui);
        let mut ask = None;
        ScrollArea::both()
            .auto_shrink([false, true])
            .show(ui, |ui| {
                egui::Grid::new("ledger")
                    .striped(true)
                    .min_col_width(0.0)
                    .spacing([10.0, 4.0])
                    .show(ui, |ui| {
                        ui.label("");
                        ui.label("");
                        for (column, name, about) in Column::ALL {
                            self.head_ui(ui, column, name, about);
                        }
                        ui.end_row();
                        for row in &self.rows {
                            if let Some(entry) = bench.get(row.id) {
                                let looked_at = bench.focus().map(|e| e.id) == Some(row.id);
                                let wish = row_ui(
                                    ui,
                                    row,
                                    entry,
                                    looked_at,
                                    self.options.seconds,
                                    running,
                                );
                                ask = wish.or(ask.take());
                                ui.end_row();
                            }
                        }
                    });
                let text =
                    "Accuracy is the mean of all repetitions, costs are those of the first one";
                ui.label(RichText::new(text).small().color(tokens.faint));
            });
        ask
    }

    fn head_ui(&mut self, ui: &mut Ui, column: Column, name: &str, about: &str) {
        let options = &mut self.options;
        let sorted = options.sorted_by == column;
        let color = if sorted {
            theme::tokens(ui).accent
        } else {
            theme::tokens(ui).faint
        };
        let text = RichText::new(format!("{name}   ")).small().color(color);
        let button = ui.add(egui::Button::new(text).frame(false));
        if sorted {
            // The fonts have no arrows.
            let tip = if options.descending { 3.0 } else { -3.0 };
            let middle = button.rect.right_center() - vec2(5.0, 0.0);
            let corners = [vec2(-3.5, -tip), vec2(3.5, -tip), vec2(0.0, tip)];
            let corners = corners.map(|c| middle + c).to_vec();
            let shape = egui::Shape::convex_polygon(corners, color, egui::Stroke::NONE);
            ui.painter().add(shape);
        }
        if button.on_hover_text(about).clicked() {
            options.descending = sorted && !options.descending;
            options.sorted_by = column;
        }
    }

    pub fn figures(&self, bench: &Bench) -> Vec<Figure> {
        vec![figure(bench, self.options)]
    }

    /// The table, in the order it has on the screen.
    pub fn table(&self, bench: &Bench) -> Vec<Row> {
        let mut rows = rows(bench, self.options.target);
        let Options {
            sorted_by,
            descending,
            seconds,
            ..
        } = self.options;
        sort(&mut rows, sorted_by, descending, seconds);
        rows
    }

    pub fn target(&self) -> f64 {
        self.options.target
    }
}

fn perform(ask: Ask, bench: &mut Bench) {
    let of = |bench: &mut Bench, id: u64, change: &dyn Fn(&mut Entry)| {
        bench
            .entries_mut()
            .iter_mut()
            .filter(|e| e.id == id)
            .for_each(change);
        bench.touch();
    };
    match ask {
        Ask::LookAt(id) => bench.look_at(id),
        Ask::Remove(id) => bench.remove(id),
        Ask::Show(id, shown) => of(bench, id, &|e| e.hidden = !shown),
        Ask::Rename(id, name) => of(bench, id, &|e| e.name.clone_from(&name)),
    }
}

fn row_ui(
    ui: &mut Ui,
    row: &Row,
    entry: &Entry,
    looked_at: bool,
    seconds: bool,
    running: Option<u64>,
) -> Option<Ask> {
    let tokens = theme::tokens(ui);
    let mut ask = None;
    let color = if entry.hidden {
        Color32::TRANSPARENT
    } else {
        hue(row.id).color(tokens)
    };
    let (rect, swatch) = ui.allocate_exact_size(vec2(14.0, 14.0), egui::Sense::click());
    let name = format!("Show {} {} in the plot", row.run, row.result);
    swatch.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::CheckBox, true, !entry.hidden, &name)
    });
    ui.painter().rect(
        rect.shrink(1.0),
        3.0,
        color,
        egui::Stroke::new(1.0, hue(row.id).color(tokens)),
        egui::StrokeKind::Inside,
    );
    if swatch.on_hover_text(&name).clicked() {
        ask = Some(Ask::Show(row.id, entry.hidden));
    }
    // At the front, where it is in sight however wide the table is.
    let can = running != Some(row.id);
    let remove = ui.add_enabled(can, egui::Button::new("×").small());
    remove.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, can, "Remove"));
    if remove
        .on_hover_text("Take the run off the bench; its files stay")
        .clicked()
    {
        ask = Some(Ask::Remove(row.id));
    }
    let mut name = entry.name.clone();
    let mut field = TextEdit::singleline(&mut name)
        .min_size(vec2(132.0, 0.0))
        .desired_width(132.0)
        .char_limit(60);
    if looked_at {
        field = field.text_color(tokens.accent);
    }
    let field = ui.add(field).on_hover_text("Name of the run");
    if field.changed() {
        ask = Some(Ask::Rename(row.id, name));
    } else if field.gained_focus() {
        ask = Some(Ask::LookAt(row.id));
    }
    let until = row.until.map(|both| both[usize::from(seconds)]);
    let cost = |v: f64| {
        if seconds {
            Unit::Seconds.text(v)
        } else {
            operations(v)
        }
    };
    for text in [
        row.result.clone(),
        percent(row.left),
        row.stored.map(bytes).unwrap_or_default(),
        operations(row.flops),
        Unit::Seconds.text(row.cpu_seconds),
        accuracy(row.accuracy),
        until.map_or("not reached".into(), cost),
    ] {
        ui.label(text);
    }
    ask
}

fn hue(id: u64) -> Hue {
    Hue::Line((id % 8) as usize)
}

fn rows(bench: &Bench, target: f64) -> Vec<Row> {
    let mut rows = Vec::new();
    for entry in bench.entries() {
        let found = chains(&entry.record);
        if found.is_empty() {
            rows.push(Row {
                id: entry.id,
                run: entry.name.clone(),
                result: "under way".into(),
                left: 1.0,
                stored: None,
                flops: 0.0,
                cpu_seconds: 0.0,
                accuracy: f64::NAN,
                until: None,
            });
        }
        rows.extend(found.iter().map(|chain| row(entry, chain, target)));
    }
    rows
}

fn row(entry: &Entry, chain: &Chain<'_>, target: f64) -> Row {
    let total = chain.total();
    Row {
        id: entry.id,
        run: entry.name.clone(),
        result: chain.label.clone(),
        left: chain.result.weights_remaining,
        stored: chain.result.summary.map(|s| s.stored_bytes),
        flops: total.map_or(0.0, |t| t.flops),
        cpu_seconds: total.map_or(0.0, |t| t.cpu_seconds),
        accuracy: chain.accuracy.map_or(f64::NAN, |a| a.mean),
        until: chain.until(target).map(|s| [s.flops, s.cpu_seconds]),
    }
}

fn sort(rows: &mut [Row], by: Column, descending: bool, seconds: bool) {
    let until = |row: &Row| {
        row.until
            .map_or(f64::INFINITY, |both| both[usize::from(seconds)])
    };
    rows.sort_by(|a, b| {
        let order = match by {
            Column::Run => a.id.cmp(&b.id),
            Column::Result => a.result.cmp(&b.result),
            Column::Left => a.left.total_cmp(&b.left),
            Column::Stored => a.stored.cmp(&b.stored),
            Column::Operations => a.flops.total_cmp(&b.flops),
            Column::Seconds => a.cpu_seconds.total_cmp(&b.cpu_seconds),
            Column::Accuracy => a.accuracy.total_cmp(&b.accuracy),
            Column::Until => until(a).total_cmp(&until(b)),
        };
        if descending { order.reverse() } else { order }
    });
}

fn figure(bench: &Bench, options: Options) -> Figure {
    let mut series = Vec::new();
    for entry in bench.entries().iter().filter(|e| !e.hidden) {
        let found = chains(&entry.record);
        let several = found.len() > 1;
        for (number, chain) in found.iter().enumerate() {
            let cost = |s: &super::chains::Spent| {
                if options.seconds {
                    s.cpu_seconds
                } else {
                    s.flops
                }
            };
            let name = if several {
                format!("{}: {}", entry.name, chain.label)
            } else {
                entry.name.clone()
            };
            let points = chain.path.iter().filter(|s| s.best > 0.0 && cost(s) > 0.0);
            series.push(Series {
                hue: hue(entry.id),
                mark: if number == 0 {
                    Mark::Line
                } else {
                    Mark::Dashed
                },
                points: points.map(|s| [cost(s), s.best]).collect(),
                label: if several {
                    chain.label.clone()
                } else {
                    short(&name)
                },
                name,
                ..Series::default()
            });
        }
    }
    series.retain(|s| !s.points.is_empty());
    let mut x = if options.seconds {
        Axis::new("CPU seconds until here", Unit::Seconds)
    } else {
        Axis::new("Operations until here", Unit::Operations)
    };
    x.log = !options.linear;
    let mut y = Axis::new("Best test accuracy so far (%)", Unit::Percent);
    y.range = interesting(&series);
    let ends = series.iter().flat_map(|s| s.points.iter().map(|p| p[0]));
    let (low, high) = ends.fold((f64::INFINITY, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    if low < high {
        let target = Series {
            name: format!("Chosen accuracy, {}", Unit::Percent.text(options.target)),
            mark: Mark::Dashed,
            points: vec![[low, options.target], [high, options.target]],
            ..Series::default()
        };
        series.insert(0, target);
    }
    Figure {
        name: "What an accuracy costs".into(),
        x,
        y,
        series,
    }
}

/// As much of a name as fits beside a plot.
fn short(name: &str) -> String {
    if name.chars().count() <= 24 {
        return name.to_owned();
    }
    name.chars().take(23).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{Column, Ledger, figure, rows, short, sort};
    use crate::demos::lottery::config::Method;
    use crate::demos::lottery::record::StageKind;
    use crate::demos::lottery::ui::bench::Bench;
    use crate::demos::lottery::ui::stages::samples::{imp, record, stage};

    fn bench() -> Bench {
        let dense = record(Method::Dense, vec![stage(StageKind::Dense, 0, 0, 0.98)]);
        Bench::with_records(vec![imp(), dense])
    }

    #[test]
    fn every_run_has_its_row_and_line() {
        let mut bench = bench();
        let found = rows(&bench, 0.9);
        let names: Vec<&str> = found.iter().map(|r| r.result.as_str()).collect();
        assert_eq!(names, ["Ticket", "Dense"]);
        assert!((found[0].left - 0.512).abs() < 1e-9);
        assert!(found.iter().all(|r| r.until.is_some()));
        assert!(rows(&bench, 0.999).iter().all(|r| r.until.is_none()));
        let options = Ledger::default().options;
        assert_eq!(
            figure(&bench, options).series.len(),
            3,
            "two runs and the target"
        );
        let id = bench.entries()[0].id;
        super::perform(super::Ask::Show(id, false), &mut bench);
        assert_eq!(figure(&bench, options).series.len(), 2);
    }

    #[test]
    fn the_table_sorts_both_ways() {
        let mut found = rows(&bench(), 0.975);
        sort(&mut found, Column::Accuracy, true, false);
        assert_eq!(found[0].result, "Dense");
        sort(&mut found, Column::Left, false, false);
        assert_eq!(found[0].result, "Ticket");
        assert_eq!(
            short("A name that is much too long for a plot"),
            "A name that is much too…"
        );
    }
}
