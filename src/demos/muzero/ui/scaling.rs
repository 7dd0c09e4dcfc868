//! The page for strength against simulations: the same weights, asked to think longer.

use egui::{ComboBox, Context, DragValue, Grid, Label, RichText, Slider, Ui, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::arena::anchors;
use super::super::evaluate::Measure;
use super::super::game::GameId;
use super::super::samples::{self, Scaling};
use super::super::scaling::{Measured, ScalingConfig, ScalingJob};
use super::super::who::Who;
use super::games::game_picker_ui;
use super::page::{Page, Shared};
use crate::compute::{Ending, Event, Lane, Run};
use crate::error::{Error, Result};
use crate::gui::controls::{
    RunState, capitalised, empty_ui, next_seed, progress_ui, run_bar_ui, seed_ui,
};
use crate::gui::figure::{Axis, Figure, Hue, Mark, PNG, Plots, SVG, Series, Unit, to_png, to_svg};
use crate::gui::{Command, Export, TabCx, theme};

const CSV: Export = Export {
    extension: "csv",
    about: "what was measured, one line for each number of simulations",
};
const JSON: Export = Export {
    extension: "json",
    about: "what was measured, in the form of the stored result",
};

/// Numbers of simulations that are tried.
const LADDER: [usize; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 400, 800];
/// The text beside the figure is this wide.
const TEXT_WIDTH: f32 = 230.0;

/// The page.
pub struct Strength {
    /// Games and so on; the game and the weights are the tab's.
    config: ScalingConfig,
    /// The greatest number of simulations.
    most: usize,
    /// Play games also where something else suits the game.
    matches: bool,
    /// What is known, for each game.
    results: Vec<Scaling>,
    running: Option<(Run<Measured>, GameId)>,
    plots: Plots<(u64, GameId)>,
    changes: u64,
    revision: u64,
}

/// What a session stores.
#[derive(Serialize, Deserialize)]
struct Saved {
    config: ScalingConfig,
    most: usize,
    matches: bool,
    results: Vec<Scaling>,
}

impl Strength {
    /// The page with the stored measurements.
    pub fn new() -> Self {
        let stored = samples::stored().unwrap_or_else(|error| {
            tracing::error!("{error}");
            samples::Samples::default()
        });
        Self {
            config: ScalingConfig::default(),
            most: 800,
            matches: false,
            results: stored.scaling,
            running: None,
            plots: Plots::default(),
            changes: 0,
            revision: 0,
        }
    }

    fn state(&self) -> RunState {
        match &self.running {
            None => RunState::Idle,
            Some((run, _)) if run.is_paused() => RunState::Paused,
            Some(_) => RunState::Running,
        }
    }

    fn of(&self, game: &GameId) -> &[Measured] {
        let found = self.results.iter().find(|result| result.game == *game);
        found.map_or(&[], |result| &result.measured)
    }

    fn touch(&mut self) {
        self.changes += 1;
        self.revision += 1;
    }

    /// What Run measures.
    fn asked(&self, shared: &Shared) -> ScalingConfig {
        let suits = Measure::of(&shared.game);
        let measure = if self.matches && is_for_two(&shared.game) {
            Measure::Match
        } else {
            suits.unwrap_or(Measure::Match)
        };
        ScalingConfig {
            game: shared.game.clone(),
            simulations: LADDER.into_iter().filter(|n| *n <= self.most).collect(),
            measure: Some(measure),
            opponent: (measure == Measure::Match).then(|| self.config.plays_against()),
            weights: shared.weights.clone(),
            ..self.config.clone()
        }
    }

    fn begin(&mut self, shared: &Shared, cx: &mut TabCx<'_>) {
        let config = self.asked(shared);
        match ScalingJob::new(config) {
            Ok(job) => {
                let name = format!("MuZero: strength in {}", shared.game);
                let run = cx.worker.submit(Lane::Long, name, job);
                let game = shared.game.clone();
                self.results.retain(|result| result.game != game);
                self.results.push(Scaling {
                    game: game.clone(),
                    measured: Vec::new(),
                });
                self.running = Some((run, game));
                self.touch();
            }
            Err(error) => cx.toasts.error(capitalised(&error.to_string())),
        }
    }

    fn poll(&mut self, cx: &mut TabCx<'_>) {
        let Some((run, game)) = &mut self.running else {
            return;
        };
        let mut ended = false;
        let mut found = Vec::new();
        while let Some(event) = run.poll() {
            match event {
                Event::Output(measured) => found.push(measured),
                Event::Warning(text) => cx.toasts.warning(capitalised(&text)),
                Event::Ended(ending) => {
                    ended = true;
                    if let Ending::Failed(error) = ending {
                        cx.toasts.error(capitalised(&error.to_string()));
                    }
                }
            }
        }
        if !found.is_empty() {
            let mut results = self.results.iter_mut();
            if let Some(result) = results.find(|result| result.game == *game) {
                result.measured.extend(found);
            }
            self.touch();
        }
        if ended {
            self.running = None;
            self.touch();
        }
    }

    fn settings_ui(&mut self, ui: &mut Ui, shared: &Shared) {
        let before = (self.config.clone(), self.most, self.matches);
        if Measure::of(&shared.game).is_some() && is_for_two(&shared.game) {
            ui.horizontal_wrapped(|ui| {
                let suits = match shared.game {
                    GameId::TicTacToe => "Every line of play",
                    _ => "Graded moves",
                };
                ui.selectable_value(&mut self.matches, false, suits);
                ui.selectable_value(&mut self.matches, true, "Games");
            });
        }
        let plays = self.asked(shared).measured_by() == Measure::Match;
        Grid::new("scaling")
            .num_columns(2)
            .spacing([12.0, 8.0])
            .show(ui, |ui| {
                let label = ui.label("Simulations");
                let most = Slider::new(&mut self.most, 1..=800).logarithmic(true);
                ui.add(most.prefix("up to "))
                    .labelled_by(label.id)
                    .on_hover_text("Numbers between 1 and this one are tried");
                ui.end_row();
                if plays {
                    opponent_ui(ui, &mut self.config, &shared.game);
                    let label = ui.label("Games");
                    ui.add(DragValue::new(&mut self.config.games).range(2..=1000))
                        .labelled_by(label.id)
                        .on_hover_text("For each number of simulations, taking turns to begin");
                    ui.end_row();
                }
            });
        seed_ui(ui, &mut self.config.seed);
        if before != (self.config.clone(), self.most, self.matches) {
            self.revision += 1;
        }
    }
}

fn is_for_two(game: &GameId) -> bool {
    !matches!(game, GameId::MinAtar(_) | GameId::Atari(_))
}

fn opponent_name(who: Who) -> String {
    match who {
        Who::Machine(simulations) => format!("itself, {simulations} simulations"),
        Who::Opponent(id) => id.to_string(),
    }
}

fn opponent_ui(ui: &mut Ui, config: &mut ScalingConfig, game: &GameId) {
    let label = ui.label("Against");
    let mut known: Vec<Who> = vec![Who::Machine(10), Who::Machine(50), Who::Machine(200)];
    let rated = anchors(game).into_iter();
    known.extend(rated.filter_map(|anchor| anchor.name.parse::<Who>().ok()));
    if known.len() == 3 {
        known.extend("random".parse::<Who>().ok());
    }
    let mut chosen = config.plays_against();
    ComboBox::from_id_salt("opponent")
        .selected_text(opponent_name(chosen))
        .width(150.0)
        .show_ui(ui, |ui| {
            for who in known {
                ui.selectable_value(&mut chosen, who, opponent_name(who));
            }
        })
        .response
        .labelled_by(label.id);
    if chosen != config.plays_against() {
        config.opponent = Some(chosen);
    }
    ui.end_row();
}

/// A row's value with its interval, and what the axis is called.
fn value(measured: &Measured) -> Option<(f64, [f64; 2])> {
    let found = &measured.found;
    if let Some(versus) = &measured.versus {
        let rating = versus.elo?;
        let value = rating.elo.or(rating.low).or(rating.high)?;
        return Some((
            value,
            [rating.low.unwrap_or(value), rating.high.unwrap_or(value)],
        ));
    }
    if let Some((share, interval)) = &found.kept {
        return Some((*share, [interval.low, interval.high]));
    }
    if let Some(score) = &found.score {
        let bar = score.interval.map(|i| [i.low, i.high]);
        return Some((score.mean, bar.unwrap_or([score.mean; 2])));
    }
    let lines = found.tally.as_ref()?;
    let lost = lines.losses as f64 / lines.games().max(1) as f64;
    Some((lost, [lost; 2]))
}

fn axis(measured: &[Measured]) -> Axis {
    match measured.first() {
        Some(first) => match (&first.versus, first.found.measure) {
            (Some(versus), _) => Axis::new(
                format!(
                    "Elo above {}, 95 % interval",
                    opponent_name(versus.opponent)
                ),
                Unit::Number,
            ),
            (None, Measure::Exhaustive) => Axis::new("Lost lines of play", Unit::Percent),
            (None, Measure::Graded) => {
                Axis::new("Moves that keep the result, 95 % interval", Unit::Percent)
            }
            (None, _) => Axis::new("Mean return, 95 % interval", Unit::Number),
        },
        None => Axis::default(),
    }
}

fn figure(game: &GameId, measured: &[Measured]) -> Figure {
    let rows: Vec<(f64, (f64, [f64; 2]))> = measured
        .iter()
        .filter_map(|row| Some((row.found.simulations as f64, value(row)?)))
        .collect();
    let mut series = Vec::new();
    let (first, last) = (rows.first(), rows.last());
    if let (Some(first), Some(last)) = (first, last)
        && let Some(versus) = measured.first().and_then(|row| row.versus.as_ref())
    {
        let name = opponent_name(versus.opponent);
        series.push(Series {
            name: name.clone(),
            hue: Hue::Faint,
            mark: Mark::Dashed,
            points: vec![[first.0, 0.0], [last.0, 0.0]],
            label: name,
            ..Series::default()
        });
    }
    series.push(Series {
        name: game.title(),
        hue: Hue::Line(0),
        mark: Mark::Dots,
        points: rows.iter().map(|(n, (value, _))| [*n, *value]).collect(),
        bars: rows.iter().map(|(_, (_, bar))| *bar).collect(),
        ..Series::default()
    });
    Figure {
        name: format!("{}: strength against simulations", game.title()),
        x: Axis::new("Simulations a move", Unit::Number).logarithmic(),
        y: axis(measured),
        series,
    }
}

fn text_ui(ui: &mut Ui, measured: &[Measured]) {
    let faint = theme::tokens(ui).faint;
    let mut paragraph = |text: &str, strong: bool| {
        let text = RichText::new(text);
        let text = if strong {
            text.strong()
        } else {
            text.color(faint)
        };
        ui.add(Label::new(text).wrap());
        ui.add_space(4.0);
    };
    paragraph("The paper's figure 3", true);
    paragraph(
        "Networks that are trained already are given more time: ratings in Go against the time for \
         a move, scores in Atari against the simulations",
        false,
    );
    paragraph(
        "It asks whether a learned model is good enough to be searched deeper than in training",
        false,
    );
    paragraph("Here", true);
    paragraph(
        "The weights of the tab with 1 to 800 simulations a move, without noise; nothing is learnt",
        false,
    );
    if let (Some(first), Some(last)) = (measured.first(), measured.last())
        && measured.len() > 1
        && let (Some((low, _)), Some((high, _))) = (value(first), value(last))
    {
        let unit = axis(measured).unit;
        paragraph(
            &format!(
                "Measured: {} with {} simulations, {} with {}",
                unit.text(low),
                first.found.simulations,
                unit.text(high),
                last.found.simulations
            ),
            false,
        );
    }
}

impl Page for Strength {
    fn id(&self) -> &'static str {
        "scaling"
    }

    fn name(&self) -> &'static str {
        "Thinking time"
    }

    fn about(&self) -> &'static str {
        "How strong the same weights are with 1 to 800 simulations a move"
    }

    fn logic(&mut self, _: &Context, _: &mut Shared, _front: bool, cx: &mut TabCx<'_>) {
        self.poll(cx);
    }

    fn controls_ui(&mut self, ui: &mut Ui, shared: &mut Shared, cx: &mut TabCx<'_>) {
        ui.add_space(4.0);
        let can_run = self.can(Command::Run, shared);
        run_bar_ui(ui, self.state(), "Measure", can_run, cx.commands);
        if let Some((run, _)) = self.running.as_ref().filter(|_| !cx.still) {
            progress_ui(ui, &run.progress());
        }
        ui.add_space(6.0);
        ui.strong("Weights");
        let game = shared.game.title();
        ui.label(match &shared.weights {
            Some(path) => format!("{game}, {}", path.display()),
            None => format!("{game}, those that ship with the program"),
        });
        let faint = theme::tokens(ui).faint;
        let text = "Open a file of weights to measure others";
        ui.label(RichText::new(text).small().color(faint));
        ui.add_enabled_ui(self.running.is_none(), |ui| {
            Grid::new("whose").num_columns(2).show(ui, |ui| {
                let label = ui.label("Game");
                let mut game = shared.game.clone();
                game_picker_ui(ui, &mut game, None).labelled_by(label.id);
                ui.end_row();
                if game != shared.game {
                    shared.begin(game);
                }
            });
            ui.separator();
            self.settings_ui(ui, shared);
        });
        ui.add_space(8.0);
    }

    fn stage_ui(&mut self, ui: &mut Ui, shared: &mut Shared, _: &mut TabCx<'_>) {
        let game = shared.game.clone();
        let found = self.results.iter().find(|result| result.game == game);
        let measured = found.map_or(&[][..], |result| &result.measured);
        if measured.is_empty() {
            let text = if self.running.is_some() {
                "The first measurement is under way"
            } else {
                "Press Measure: from seconds for tic-tac-toe to many minutes for large games"
            };
            let title = format!("Strength in {} is not measured yet", game.title());
            empty_ui(ui, &title, text);
            return;
        }
        let plots = self.plots.get((self.changes, game.clone()), || {
            vec![figure(&game, measured)]
        });
        let room = ui.available_size();
        let beside = room.x > 620.0;
        let width = if beside {
            room.x - TEXT_WIDTH - 20.0
        } else {
            room.x
        };
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(width);
                for plot in plots {
                    ui.label(RichText::new(&plot.figure().name).strong());
                    plot.show(ui, vec2(width, (room.y - 24.0).max(80.0)));
                }
            });
            if beside {
                ui.vertical(|ui| {
                    ui.set_width(TEXT_WIDTH);
                    text_ui(ui, measured);
                });
            }
        });
    }

    fn can(&self, command: Command, shared: &Shared) -> bool {
        let idle = self.running.is_none();
        match command {
            // To open an arcade takes long; it is measured from the command line.
            Command::Run => idle && !matches!(shared.game, GameId::Atari(_)),
            Command::Pause | Command::Stop => !idle,
            Command::NewSeed => idle,
            _ => false,
        }
    }

    fn perform(&mut self, command: Command, shared: &mut Shared, cx: &mut TabCx<'_>) {
        match (command, &self.running) {
            (Command::Run, None) => self.begin(shared, cx),
            (Command::Stop, Some((run, _))) => run.cancel(),
            (Command::Pause, Some((run, _))) => run.set_paused(!run.is_paused()),
            (Command::NewSeed, _) => {
                self.config.seed = next_seed(self.config.seed);
                self.revision += 1;
            }
            _ => {}
        }
    }

    fn copy_text(&self, shared: &Shared) -> Option<String> {
        let measured = self.of(&shared.game);
        (!measured.is_empty()).then(|| table(measured, "\t"))
    }

    fn exports(&self) -> &'static [Export] {
        &[CSV, JSON, SVG, PNG]
    }

    fn export(&self, format: Export, shared: &Shared) -> Result<Vec<u8>> {
        let measured = self.of(&shared.game);
        if measured.is_empty() {
            return Err(Error::Input("nothing is measured of this game yet".into()));
        }
        let figures = [figure(&shared.game, measured)];
        Ok(match format {
            JSON => serde_json::to_vec(&samples::Samples {
                runs: Vec::new(),
                scaling: self.results.clone(),
            })
            .map_err(|error| Error::Input(format!("it cannot be written: {error}")))?,
            SVG => to_svg(&figures)?.into_bytes(),
            PNG => to_png(&figures)?.encode_png()?,
            _ => table(measured, ",").into_bytes(),
        })
    }

    fn save(&self) -> Value {
        json!(Saved {
            config: self.config.clone(),
            most: self.most,
            matches: self.matches,
            results: self.results.clone(),
        })
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        let saved: Saved =
            serde_json::from_value(state).map_err(|error| Error::Input(error.to_string()))?;
        self.running = None;
        self.config = saved.config;
        self.most = saved.most.clamp(1, 800);
        self.matches = saved.matches;
        self.results = saved.results;
        self.touch();
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.revision
    }
}

/// One line for each number of simulations.
fn table(measured: &[Measured], between: &str) -> String {
    let head = ["simulations", "value", "low", "high", "seconds"];
    let mut table = head.join(between) + "\n";
    for row in measured {
        if let Some((value, [low, high])) = value(row) {
            let fields = [
                row.found.simulations.to_string(),
                value.to_string(),
                low.to_string(),
                high.to_string(),
                format!("{:.2}", row.seconds),
            ];
            table += &(fields.join(between) + "\n");
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{figure, table};
    use crate::demos::muzero::arena::{Faced, Tally, rate};
    use crate::demos::muzero::evaluate::Found;
    use crate::demos::muzero::game::GameId;
    use crate::demos::muzero::scaling::{Measured, Versus};
    use crate::demos::muzero::who::Who;

    fn against_itself(simulations: usize, wins: u64, losses: u64) -> Measured {
        let tally = Tally {
            wins,
            draws: 0,
            losses,
        };
        Measured {
            found: Found::of_match(simulations, tally),
            versus: Some(Versus {
                opponent: Who::Machine(50),
                tally,
                elo: rate(&[Faced { elo: 0.0, tally }]),
            }),
            seconds: 1.0,
        }
    }

    #[test]
    fn games_are_drawn_as_elo_with_an_interval() {
        let rows = [against_itself(1, 10, 30), against_itself(100, 30, 10)];
        let drawn = figure(&GameId::Go, &rows);
        assert!(drawn.x.log);
        let learnt = &drawn.series[1];
        // 400 log10 3
        assert!((learnt.points[1][1] - 190.85).abs() < 0.01);
        assert!((learnt.points[0][1] + 190.85).abs() < 0.01);
        assert!(learnt.bars[1][0] < 190.0 && learnt.bars[1][1] > 191.0);
        assert_eq!(table(&rows, ",").lines().count(), 3);
        let text = serde_json::to_string(&rows).expect("it can be written");
        let back: Vec<Measured> = serde_json::from_str(&text).expect("it can be read");
        assert_eq!(back, rows);
    }
}
