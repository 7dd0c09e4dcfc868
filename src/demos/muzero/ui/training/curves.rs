//! The curves of the runs on the bench as figures.

use serde::{Deserialize, Serialize};

use super::super::super::arena::Rating;
use super::super::super::evaluation::{Evaluation, opponents};
use super::super::super::foresight::Foresight;
use super::super::super::game::GameId;
use super::super::super::learn::Losses;
use super::super::super::record::RunRecord;
use super::super::super::training::{Counters, Point};
use super::bench::{Bench, Entry};
use crate::gui::figure::{Axis, Figure, Hue, Mark, Series, Unit};

/// What curves are drawn against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cost {
    /// Training steps.
    #[default]
    Steps,
    /// Seconds of the run.
    Seconds,
    /// Simulations of self-play and looking again.
    Simulations,
}

impl Cost {
    pub const ALL: [Self; 3] = [Self::Steps, Self::Seconds, Self::Simulations];

    pub fn name(self) -> &'static str {
        match self {
            Self::Steps => "Training steps",
            Self::Seconds => "Seconds",
            Self::Simulations => "Simulations",
        }
    }

    fn of(self, counters: &Counters) -> f64 {
        match self {
            Self::Steps => counters.steps as f64,
            Self::Seconds => counters.seconds,
            Self::Simulations => counters.simulations as f64,
        }
    }

    fn axis(self) -> Axis {
        let unit = match self {
            Self::Steps => Unit::Number,
            Self::Seconds => Unit::Seconds,
            Self::Simulations => Unit::Operations,
        };
        Axis::new(self.name(), unit)
    }
}

/// What the stage shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum View {
    /// What was measured.
    #[default]
    Strength,
    /// Scores and lengths of the games of self-play.
    SelfPlay,
    /// The loss and its parts.
    Losses,
    /// Predictions beside what happened, step by step.
    Unroll,
    /// Games, simulations and training steps a second.
    Speed,
}

pub const VIEWS: [(View, &str, &str); 5] = [
    (
        View::Strength,
        "Strength",
        "What was measured while learning",
    ),
    (
        View::SelfPlay,
        "Self-play",
        "How the games against itself end",
    ),
    (View::Losses, "Losses", "The loss and its parts"),
    (
        View::Unroll,
        "Unroll",
        "What the model says after so many steps in its imagination, beside what happened",
    ),
    (View::Speed, "Speed", "Games and simulations a second"),
];

/// How far an open end of an interval reaches beyond the opponents, in Elo.
const BEYOND: f64 = 400.0;

/// The figures of a view.
pub fn figures(bench: &Bench, view: View, cost: Cost) -> Vec<Figure> {
    let Some(record) = bench.focus().and_then(|entry| entry.record.as_ref()) else {
        return Vec::new();
    };
    match view {
        View::Strength => strength(bench, &record.settings.game, cost),
        View::SelfPlay => self_play(bench, record, cost),
        View::Losses => losses(bench, record, cost),
        View::Unroll => unroll(record),
        View::Speed => vec![
            of_points(bench, cost, "Simulations a second", |p| {
                p.simulations_per_second
            }),
            of_points(bench, cost, "Games a second", |p| p.games_per_second),
        ],
    }
}

fn figure(name: &str, x: Axis, y: Axis, series: Vec<Series>) -> Figure {
    Figure {
        name: name.into(),
        x,
        y,
        series,
    }
}

fn hue(entry: &Entry) -> Hue {
    Hue::Line(entry.id as usize)
}

/// A number of each point, a line for each run.
fn of_points(bench: &Bench, cost: Cost, name: &str, number: impl Fn(&Point) -> f64) -> Figure {
    let series = bench.shown().map(|(entry, record)| Series {
        name: entry.name.clone(),
        hue: hue(entry),
        points: (record.points.iter())
            .map(|point| [cost.of(&point.counters), number(point)])
            .collect(),
        ..Series::default()
    });
    let y = Axis::new(name, Unit::Number);
    figure(name, cost.axis(), y, series.collect())
}

/// Runs of the same game as the one that is looked at.
fn of_game<'a>(
    bench: &'a Bench,
    game: &'a GameId,
) -> impl Iterator<Item = (&'a Entry, &'a RunRecord)> {
    bench
        .shown()
        .filter(move |(_, record)| record.settings.game == *game)
}

/// A number that was measured with its interval, a line for each run of a game.
fn measured(
    bench: &Bench,
    game: &GameId,
    cost: Cost,
    number: impl Fn(&Evaluation) -> Option<(f64, [f64; 2])>,
) -> Vec<Series> {
    of_game(bench, game)
        .map(|(entry, record)| {
            let found: Vec<([f64; 2], [f64; 2])> = (record.evaluations.iter())
                .filter_map(|found| {
                    let (value, bar) = number(found)?;
                    Some(([cost.of(&found.at), value], bar))
                })
                .collect();
            Series {
                name: entry.name.clone(),
                hue: hue(entry),
                mark: Mark::Dots,
                points: found.iter().map(|(point, _)| *point).collect(),
                bars: found.iter().map(|(_, bar)| *bar).collect(),
                ..Series::default()
            }
        })
        .filter(|series| !series.points.is_empty())
        .collect()
}

fn strength(bench: &Bench, game: &GameId, cost: Cost) -> Vec<Figure> {
    let plain = |value: f64| (value, [value, value]);
    let x = || cost.axis();
    let figures = match game {
        GameId::TicTacToe => {
            let share = |part: fn(&super::super::super::arena::Tally) -> u64| {
                move |found: &Evaluation| {
                    let lines = found.lines.as_ref()?;
                    Some(plain(part(lines) as f64 / lines.games().max(1) as f64))
                }
            };
            let percent = |label: &str| Axis::new(label, Unit::Percent).with_range(0.0, 1.0);
            vec![
                figure(
                    "Lost lines of play",
                    x(),
                    percent("Share of all lines of the opponent"),
                    measured(bench, game, cost, share(|lines| lines.losses)),
                ),
                figure(
                    "Won lines of play",
                    x(),
                    percent("Share of all lines of the opponent"),
                    measured(bench, game, cost, share(|lines| lines.wins)),
                ),
            ]
        }
        GameId::ConnectFour => vec![
            figure(
                "Moves that keep the result of perfect play",
                x(),
                Axis::new("Share with its 95 % interval", Unit::Percent),
                measured(bench, game, cost, |found| {
                    found.kept.map(|(share, i)| (share, [i.low, i.high]))
                }),
            ),
            figure(
                "Value against the oracle",
                x(),
                Axis::new(
                    "Mean distance from the result of perfect play",
                    Unit::Number,
                ),
                measured(bench, game, cost, |found| found.value_error.map(plain)),
            ),
        ],
        GameId::MinAtar(_) | GameId::Atari(_) => vec![figure(
            "Score",
            x(),
            Axis::new("Mean return with its 95 % interval", Unit::Number),
            measured(bench, game, cost, |found| {
                let score = found.score.as_ref()?;
                let bar = score.interval.map(|i| [i.low, i.high]);
                Some((score.mean, bar.unwrap_or([score.mean; 2])))
            }),
        )],
        game => vec![elo(bench, game, cost)],
    };
    figures
        .into_iter()
        .filter(|figure| !figure.is_empty())
        .collect()
}

/// The rating, between those of the fixed opponents.
fn elo(bench: &Bench, game: &GameId, cost: Cost) -> Figure {
    let anchors = opponents(game);
    let elos = || anchors.iter().map(|anchor| anchor.elo);
    let low = elos().fold(f64::INFINITY, f64::min) - BEYOND;
    let high = elos().fold(f64::NEG_INFINITY, f64::max) + BEYOND;
    let shown = |rating: &Rating| {
        let bar = [
            rating.low.unwrap_or(low).max(low),
            rating.high.unwrap_or(high).min(high),
        ];
        // Where everything was won or lost only one end is known.
        let value = rating.elo.or(rating.low).or(rating.high)?;
        Some((value.clamp(low, high), bar))
    };
    let learnt = measured(bench, game, cost, |found| shown(found.rating.as_ref()?));
    let x = |end: fn(f64, f64) -> f64, first: f64| {
        let points = learnt.iter().flat_map(|series| &series.points);
        points.map(|point| point[0]).fold(first, end)
    };
    let (from, to) = (x(f64::min, f64::INFINITY), x(f64::max, 0.0));
    if learnt.is_empty() {
        return Figure::default();
    }
    let lines = anchors.iter().map(|anchor| Series {
        name: anchor.name.clone(),
        hue: Hue::Faint,
        mark: Mark::Dashed,
        points: vec![[from.min(to * 0.5), anchor.elo], [to, anchor.elo]],
        label: anchor.name.clone(),
        ..Series::default()
    });
    figure(
        "Elo against fixed opponents",
        cost.axis(),
        Axis::new("Elo with its 95 % band; random play is 0", Unit::Number),
        lines.chain(learnt.iter().cloned()).collect(),
    )
}

fn self_play(bench: &Bench, record: &RunRecord, cost: Cost) -> Vec<Figure> {
    let score = if record.settings.players == 2 {
        "Wins of who begins minus losses"
    } else {
        "Return of a game"
    };
    let mut figures = vec![
        of_points(bench, cost, score, |point| f64::from(point.score)),
        of_points(bench, cost, "Moves of a game", |point| {
            f64::from(point.length)
        }),
    ];
    if record.settings.players == 2 {
        let mut drawn = of_points(bench, cost, "Drawn games", |p| f64::from(p.drawn));
        drawn.y.unit = Unit::Percent;
        figures.push(drawn);
    }
    figures
}

/// The parts of the loss of the run that is looked at, then the whole of all.
fn losses(bench: &Bench, record: &RunRecord, cost: Cost) -> Vec<Figure> {
    type Part = fn(&Point) -> f32;
    let parts: [(&str, Part); 5] = [
        ("policy", |p| p.losses.policy),
        ("value", |p| p.losses.value),
        ("reward", |p| p.losses.reward),
        ("consistency", |p| p.losses.consistency),
        ("probe (not MuZero's)", |p| p.losses.probe),
    ];
    let learnt = || {
        record
            .points
            .iter()
            .filter(|p| p.losses != Losses::default())
    };
    let series = parts
        .iter()
        .enumerate()
        .map(|(number, (name, part))| Series {
            name: (*name).into(),
            hue: Hue::Line(number),
            points: learnt()
                .map(|point| [cost.of(&point.counters), f64::from(part(point))])
                .collect(),
            label: (*name).into(),
            ..Series::default()
        });
    // A part that is not there is always 0.
    let series = series.filter(|series| series.points.iter().any(|point| point[1] != 0.0));
    let y = || Axis::new("Loss in nats", Unit::Number);
    vec![
        figure("Parts of the loss", cost.axis(), y(), series.collect()),
        Figure {
            y: y(),
            ..of_points(bench, cost, "Loss of all runs", |point| {
                f64::from(point.losses.total)
            })
        },
    ]
}

/// The newest comparison of predictions with what happened.
fn unroll(record: &RunRecord) -> Vec<Figure> {
    let mut compared = record.points.iter().rev().map(|point| &point.foresight);
    let Some(steps) = compared.find(|steps| !steps.is_empty()) else {
        return Vec::new();
    };
    let line = |name: &str, number: usize, part: fn(&Foresight) -> f32| Series {
        name: name.into(),
        hue: Hue::Line(number),
        mark: Mark::Dots,
        points: (steps.iter().enumerate())
            .map(|(k, step)| [k as f64, f64::from(part(step))])
            .collect(),
        label: name.into(),
        ..Series::default()
    };
    let x = || {
        let last = steps.len().saturating_sub(1).max(1) as f64;
        Axis::new("Unrolled steps", Unit::Number).with_range(-0.1, last + 0.1)
    };
    let nothing = |series: &Series| series.points.iter().all(|point| point[1] == 0.0);
    let error = |mut series: Vec<Series>, name: &str, y: &str| {
        series.retain(|series| !nothing(series));
        figure(name, x(), Axis::new(y, Unit::Number), series)
    };
    let figures = vec![
        error(
            vec![
                line("predicted", 0, |s| s.value),
                line("target", 1, |s| s.value_target),
                line("distance", 2, |s| s.value_error),
            ],
            "Value over the unroll",
            "Mean of the positions of a batch",
        ),
        error(
            vec![
                line("predicted", 0, |s| s.reward),
                line("came", 1, |s| s.reward_target),
                line("distance", 2, |s| s.reward_error),
            ],
            "Reward over the unroll",
            "Mean of the positions of a batch",
        ),
        error(
            vec![line("policy", 0, |s| s.policy)],
            "Policy over the unroll",
            "Cross entropy with the search in nats",
        ),
    ];
    figures.into_iter().filter(|f| !f.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Cost, View, figures};
    use crate::demos::muzero::arena::{Interval, Rating, Tally};
    use crate::demos::muzero::config::TrainConfig;
    use crate::demos::muzero::evaluation::{Against, Evaluation};
    use crate::demos::muzero::foresight::Foresight;
    use crate::demos::muzero::game::{GameId, open};
    use crate::demos::muzero::learn::Losses;
    use crate::demos::muzero::record::RunRecord;
    use crate::demos::muzero::training::{Counters, Point};
    use crate::demos::muzero::ui::training::bench::Bench;

    fn counters(steps: u64) -> Counters {
        Counters {
            steps,
            seconds: steps as f64 / 10.0,
            simulations: steps * 1000,
            ..Counters::default()
        }
    }

    fn record(game: GameId) -> RunRecord {
        let config = TrainConfig::new(game);
        let game = open(&config.game).expect("the game is built in");
        let settings = config.settings(game.spec()).expect("they are possible");
        let mut record = RunRecord::new(config, settings, 1000);
        for steps in [100, 200] {
            record.points.push(Point {
                counters: counters(steps),
                losses: Losses {
                    total: 3.0,
                    policy: 2.0,
                    value: 1.0,
                    ..Losses::default()
                },
                foresight: vec![Foresight::default(); 3],
                ..Point::default()
            });
        }
        record.evaluations.push(Evaluation {
            at: counters(150),
            simulations: 32,
            lines: None,
            kept: Some((
                0.8,
                Interval {
                    low: 0.7,
                    high: 0.9,
                },
            )),
            value_error: Some(0.3),
            score: None,
            against: vec![Against {
                opponent: "random".into(),
                elo: 0.0,
                tally: Tally::default(),
            }],
            rating: Some(Rating {
                elo: None,
                low: Some(250.0),
                high: None,
            }),
            took: 1.0,
        });
        record
    }

    #[test]
    fn what_was_measured_is_drawn_with_its_interval() {
        let bench = Bench::with_stored(vec![record(GameId::ConnectFour)]);
        let drawn = figures(&bench, View::Strength, Cost::Simulations);
        assert_eq!(drawn.len(), 2);
        assert_eq!(drawn[0].series[0].points, [[150_000.0, 0.8]]);
        assert_eq!(drawn[0].series[0].bars, [[0.7, 0.9]]);
        let parts = figures(&bench, View::Losses, Cost::Seconds);
        // Policy and value; the others are not there.
        assert_eq!(parts[0].series.len(), 2);
        assert_eq!(parts[0].series[0].points, [[10.0, 2.0], [20.0, 2.0]]);
    }

    #[test]
    fn a_rating_without_an_end_stays_on_the_figure() {
        let bench = Bench::with_stored(vec![record(GameId::Othello6)]);
        let drawn = figures(&bench, View::Strength, Cost::Steps);
        let learnt = drawn[0].series.last().expect("the run");
        assert_eq!(learnt.points, [[150.0, 250.0]]);
        assert_eq!(learnt.bars, [[250.0, 904.0 + 400.0]]);
        assert_eq!(drawn[0].series.len(), 6, "five opponents and the run");
    }

    #[test]
    fn runs_of_other_games_are_not_compared() {
        let other = record(GameId::TicTacToe);
        let bench = Bench::with_stored(vec![record(GameId::ConnectFour), other]);
        let drawn = figures(&bench, View::Strength, Cost::Steps);
        assert!(drawn.iter().all(|figure| figure.series.len() == 1));
        let speed = figures(&bench, View::Speed, Cost::Steps);
        assert_eq!(speed[0].series.len(), 2);
    }
}
