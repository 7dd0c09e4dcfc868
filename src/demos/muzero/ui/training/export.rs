//! What leaves the page: curves as CSV, runs as JSON, figures as SVG and PNG.

use super::super::super::samples::Samples;
use super::bench::Bench;
use crate::data::csv::field;
use crate::error::{Error, Result};
use crate::gui::Export;
use crate::gui::figure::{PNG, SVG};

pub const CURVES: Export = Export {
    extension: "csv",
    about: "the curves of all shown runs, one line for each point",
};
pub const MEASURED: Export = Export {
    extension: "csv",
    about: "what was measured of all shown runs, one line for each measurement",
};
pub const RUNS: Export = Export {
    extension: "json",
    about: "all shown runs with their settings",
};
pub const ALL: &[Export] = &[CURVES, MEASURED, RUNS, SVG, PNG];

/// One line for each point, behind the name of its run.
pub fn curves_csv(bench: &Bench) -> String {
    let mut csv = "run,steps,seconds,games,moves,simulations,reanalysed,remembered,loss,\
                   policy_loss,value_loss,reward_loss,consistency_loss,probe_loss,length,score,\
                   drawn,games_per_second,simulations_per_second,steps_per_second\n"
        .to_owned();
    for (entry, record) in bench.shown() {
        let name = field(&entry.name);
        for point in &record.points {
            let (c, l) = (&point.counters, &point.losses);
            csv += &format!(
                "{name},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                c.steps,
                c.seconds,
                c.games,
                c.moves,
                c.simulations,
                c.reanalysed,
                point.remembered,
                l.total,
                l.policy,
                l.value,
                l.reward,
                l.consistency,
                l.probe,
                point.length,
                point.score,
                point.drawn,
                point.games_per_second,
                point.simulations_per_second,
                point.steps_per_second
            );
        }
    }
    csv
}

/// One line for each measurement; what does not belong to a game stays empty.
pub fn measured_csv(bench: &Bench) -> String {
    fn or_empty(number: Option<f64>) -> String {
        number.map_or(String::new(), |number| number.to_string())
    }
    let mut csv = "run,steps,seconds,simulations_a_move,lines_won,lines_drawn,lines_lost,kept,\
                   kept_low,kept_high,value_error,score,score_low,score_high,elo,elo_low,\
                   elo_high\n"
        .to_owned();
    for (entry, record) in bench.shown() {
        let name = field(&entry.name);
        for found in &record.evaluations {
            let lines = |part: fn(&super::super::super::arena::Tally) -> u64| {
                found.lines.as_ref().map(|lines| part(lines) as f64)
            };
            let kept = found.kept.as_ref();
            let score = found.score.as_ref();
            let within = score.and_then(|score| score.interval);
            let rating = found.rating.as_ref();
            let numbers = [
                lines(|l| l.wins),
                lines(|l| l.draws),
                lines(|l| l.losses),
                kept.map(|(share, _)| *share),
                kept.map(|(_, interval)| interval.low),
                kept.map(|(_, interval)| interval.high),
                found.value_error,
                score.map(|score| score.mean),
                within.map(|interval| interval.low),
                within.map(|interval| interval.high),
                rating.and_then(|rating| rating.elo),
                rating.and_then(|rating| rating.low),
                rating.and_then(|rating| rating.high),
            ];
            let numbers: Vec<String> = numbers.into_iter().map(or_empty).collect();
            csv += &format!(
                "{name},{},{},{},{}\n",
                found.at.steps,
                found.at.seconds,
                found.simulations,
                numbers.join(",")
            );
        }
    }
    csv
}

/// The runs in the form of the stored result.
pub fn runs_json(bench: &Bench) -> Result<Vec<u8>> {
    let samples = Samples {
        runs: bench.shown().map(|(_, record)| record.clone()).collect(),
        scaling: Vec::new(),
    };
    serde_json::to_vec(&samples)
        .map_err(|error| Error::Input(format!("the runs cannot be written: {error}")))
}
