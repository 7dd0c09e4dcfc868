//! Elo ratings from results against opponents whose ratings are fixed.
//!
//! The model of Bradley and Terry (1952) on Elo's scale (1978): a player of rating `r` scores
//! `1 / (1 + 10^((R - r) / 400))` on average against one of rating `R`, and a draw is half a win.
//! The rating is the one that makes the results likeliest. Its 95 % band holds all ratings whose
//! log-likelihood is at most 1.92 lower (half the 95 % quantile of chi-square, Wilks 1938). Unlike
//! a band from the curvature it has one end also where every game was won or lost and no rating is
//! the likeliest. With draws the band is somewhat too wide.

use serde::{Deserialize, Serialize};

use super::tally::Tally;
use crate::data::interval::Z;
use crate::error::{Error, Result};

/// Rating units in which the odds grow by e.
const SCALE: f64 = 400.0 / std::f64::consts::LN_10;
/// How far from the anchors a rating is searched.
const REACH: f64 = 10_000.0;

/// Results against an opponent whose rating is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Faced {
    /// The opponent's rating.
    pub elo: f64,
    /// Results of who is rated.
    pub tally: Tally,
}

/// A rating and its 95 % band.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The likeliest rating; `None` where everything was won or everything lost.
    pub elo: Option<f64>,
    /// The lower end; `None` where everything was lost.
    pub low: Option<f64>,
    /// The upper end; `None` where everything was won.
    pub high: Option<f64>,
}

/// The rating that explains the results best; `None` without games.
#[must_use]
pub fn rate(faced: &[Faced]) -> Option<Rating> {
    let games: u64 = faced.iter().map(|faced| faced.tally.games()).sum();
    if games == 0 {
        return None;
    }
    let points: f64 = faced.iter().map(|faced| faced.tally.points()).sum();
    let elos = || faced.iter().map(|faced| faced.elo);
    let bottom = elos().fold(f64::INFINITY, f64::min) - REACH;
    let top = elos().fold(f64::NEG_INFINITY, f64::max) + REACH;
    let (lost_all, won_all) = (points <= 0.0, points >= games as f64);
    // The sum of the surprises falls from above to below zero.
    let peak = match (lost_all, won_all) {
        (true, _) => bottom,
        (_, true) => top,
        _ => crossing(bottom, top, |elo| excess(faced, elo)),
    };
    let least = log_likelihood(faced, peak) - Z * Z / 2.0;
    let above = |elo: f64| log_likelihood(faced, elo) - least;
    Some(Rating {
        elo: (!lost_all && !won_all).then_some(peak),
        low: (!lost_all).then(|| crossing(bottom, peak, |elo| -above(elo))),
        high: (!won_all).then(|| crossing(peak, top, above)),
    })
}

/// The expected score against an opponent who is `difference` points stronger.
fn expected(difference: f64) -> f64 {
    1.0 / (1.0 + (difference / SCALE).exp())
}

/// Points that were made beyond those expected of a rating: the slope of the log-likelihood.
fn excess(faced: &[Faced], elo: f64) -> f64 {
    let each = faced.iter().map(|faced| {
        let games = faced.tally.games() as f64;
        faced.tally.points() - games * expected(faced.elo - elo)
    });
    each.sum()
}

fn log_likelihood(faced: &[Faced], elo: f64) -> f64 {
    // ln(1 / (1 + e^x)) without overflow.
    let log_expected = |difference: f64| {
        let x = difference / SCALE;
        -(x.max(0.0) + (-x.abs()).exp().ln_1p())
    };
    let each = faced.iter().map(|faced| {
        let points = faced.tally.points();
        let missed = faced.tally.games() as f64 - points;
        let difference = faced.elo - elo;
        points * log_expected(difference) + missed * log_expected(-difference)
    });
    each.sum()
}

/// Where a falling function crosses zero, by halving.
fn crossing(mut low: f64, mut high: f64, falling: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if falling(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// An opponent whose rating is fixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    /// Its name, such as `alphabeta:4`.
    pub name: String,
    /// Its rating.
    pub elo: f64,
}

/// A learner's rating while it learns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EloCurve {
    anchors: Vec<Anchor>,
    points: Vec<EloPoint>,
}

/// The results at one step of the learning, and the rating from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EloPoint {
    /// The step.
    pub step: u64,
    /// Results, in the order of the anchors.
    pub tallies: Vec<Tally>,
    /// The rating from these; `None` without games.
    pub rating: Option<Rating>,
}

impl EloCurve {
    /// Without results yet.
    #[must_use]
    pub fn new(anchors: Vec<Anchor>) -> Self {
        Self {
            anchors,
            points: Vec::new(),
        }
    }

    /// The opponents.
    #[must_use]
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// The ratings so far, by their steps.
    #[must_use]
    pub fn points(&self) -> &[EloPoint] {
        &self.points
    }

    /// Adds results against an anchor to those of the same step, and rates anew.
    ///
    /// # Errors
    /// When there is no such anchor, or the step lies before the last one.
    pub fn add(&mut self, step: u64, anchor: &str, tally: Tally) -> Result<Option<Rating>> {
        let place = self.anchors.iter().position(|known| known.name == anchor);
        let place = place.ok_or_else(|| Error::Input(format!("{anchor:?} has no rating")))?;
        let last = self.points.last().map(|point| point.step);
        if last.is_some_and(|last| step < last) {
            return Err(Error::Input("results of an earlier step".to_owned()));
        }
        if last != Some(step) {
            self.points.push(EloPoint {
                step,
                tallies: vec![Tally::default(); self.anchors.len()],
                rating: None,
            });
        }
        let Some(point) = self.points.last_mut() else {
            return Ok(None);
        };
        point.tallies[place] += tally;
        let faced: Vec<Faced> = (self.anchors.iter().zip(&point.tallies))
            .map(|(anchor, &tally)| Faced {
                elo: anchor.elo,
                tally,
            })
            .collect();
        point.rating = rate(&faced);
        Ok(point.rating)
    }
}

/// Ratings of `players` that played one another, the first of them at 0: how the anchors get
/// theirs. A result names two players and the tally of the first of these.
///
/// # Errors
/// When the results do not fix a rating: somebody did not play, or won or lost everything.
pub fn calibrate(players: usize, results: &[(usize, usize, Tally)]) -> Result<Vec<f64>> {
    let mut elos = vec![0.0; players];
    // One rating after the other, given the rest: the likelihood is concave, so this climbs to its
    // only peak.
    for _ in 0..10_000 {
        let mut moved: f64 = 0.0;
        for player in 1..players {
            let faced = faced_by(player, &elos, results);
            let elo = rate(&faced).and_then(|rating| rating.elo);
            let elo = elo.ok_or_else(|| {
                Error::Input(format!(
                    "the results do not fix the rating of player {player}"
                ))
            })?;
            moved = moved.max((elo - elos[player]).abs());
            elos[player] = elo;
        }
        if moved < 1e-9 {
            return Ok(elos);
        }
    }
    Err(Error::Input(
        "the results do not fix the ratings".to_owned(),
    ))
}

/// A player's results, each with the rating of the other.
fn faced_by(player: usize, elos: &[f64], results: &[(usize, usize, Tally)]) -> Vec<Faced> {
    let turned = |tally: Tally| Tally {
        wins: tally.losses,
        losses: tally.wins,
        ..tally
    };
    let each = results.iter().filter_map(|&(one, other, tally)| {
        let (other, tally) = if one == player {
            (other, tally)
        } else if other == player {
            (one, turned(tally))
        } else {
            return None;
        };
        let elo = *elos.get(other)?;
        Some(Faced { elo, tally })
    });
    each.collect()
}
