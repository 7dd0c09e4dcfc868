//! How fast the search is: network evaluations a second of processor time, the tree included.
//!
//! The same search runs on the networks of this program and on candle's own operations, in turns
//! of a quarter of a second, so that whatever else the machine does meets both alike. Figures are
//! medians over the turns; the best turn is told too, which other programs disturb least.

use std::time::{Duration, Instant};

use candle_core::Device;
use clap::Args;
use serde_json::json;

use super::super::agent;
use super::super::config::TrainConfig;
use super::super::game::{Game, GameId, open};
use super::super::learn::Learner;
use super::super::planning::Planner;
use super::super::player::{PlayOptions, observe};
use super::super::search::Search;
use crate::cli::Globals;
use crate::error::Result;
use crate::nn::cpu::process_cpu_time;
use crate::nn::ops::with_portable;

/// What is measured.
#[derive(Clone, Debug, Args)]
pub struct BenchConfig {
    /// The game, as in `train`; its default network, 32 channels and 2 blocks for Connect Four
    #[arg(long, default_value = "connect4")]
    game: GameId,
    /// Games that are searched as one batch
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    batch: Vec<usize>,
    /// Simulations a move
    #[arg(long, default_value_t = 200)]
    simulations: usize,
    /// Seconds for each batch
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Leave candle's own operations out
    #[arg(long)]
    no_candle: bool,
}

/// One kind of operations in turn with another.
const TURN: Duration = Duration::from_millis(250);
/// Turns that a median needs.
const FEWEST: usize = 3;

/// A batch's measurement.
struct Speed {
    batch: usize,
    /// Evaluations of g and f a second of processor time, the whole search included.
    own: Turns,
    /// With candle's own operations.
    candle: Option<Turns>,
    /// Moves a second of wall time, all games of the batch together.
    moves: f64,
}

/// Evaluations a second of processor time, turn by turn.
#[derive(Default)]
struct Turns(Vec<f64>);

impl Turns {
    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => 0.0,
            len if len % 2 == 1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    fn best(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }
}

/// Measures on one thread and prints.
///
/// # Errors
/// When the game is not there.
pub fn run(config: &BenchConfig, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    let threads = globals.threads.map_or(1, usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| crate::Error::Input(format!("cannot start threads: {error}")))?;
    let mut rows = Vec::new();
    for &batch in &config.batch {
        let speed = pool.install(|| measure(config, batch.max(1)))?;
        let (own, candle) = (&speed.own, speed.candle.as_ref());
        let beside = candle.map_or(String::new(), |candle| {
            let ratio = own.median() / candle.median();
            format!(", {ratio:.1} times candle's {:.0}", candle.median())
        });
        report.text(&format!(
            "batch {:3}: {:7.0} evaluations a CPU second, at best {:7.0}{beside}, {:8.1} moves a \
             second\n",
            speed.batch,
            own.median(),
            own.best(),
            speed.moves
        ));
        rows.push(json!({
            "batch": speed.batch,
            "evaluations_per_cpu_second": own.median(),
            "best_evaluations_per_cpu_second": own.best(),
            "candle_evaluations_per_cpu_second": candle.map(Turns::median),
            "best_candle_evaluations_per_cpu_second": candle.map(Turns::best),
            "moves_per_second": speed.moves,
        }));
    }
    let most = |key: &str| {
        let numbers = rows.iter().filter_map(|row| row[key].as_f64());
        numbers.reduce(f64::max)
    };
    report.event(
        "result",
        &json!({
            "game": config.game,
            "simulations": config.simulations,
            "threads": threads,
            "evaluations_per_cpu_second": most("evaluations_per_cpu_second"),
            "candle_evaluations_per_cpu_second": most("candle_evaluations_per_cpu_second"),
            "batches": rows,
        }),
    );
    Ok(())
}

fn measure(config: &BenchConfig, batch: usize) -> Result<Speed> {
    let games: Vec<Box<dyn Game>> = (0..batch)
        .map(|_| open(&config.game))
        .collect::<Result<_>>()?;
    let games: Vec<&dyn Game> = games.iter().map(|game| &**game).collect();
    let settings = TrainConfig::new(config.game.clone()).settings(games[0].spec())?;
    let net = Learner::new(&settings, &Device::Cpu)?.into_playing();
    let asked = PlayOptions::best(&settings, config.simulations).search();
    let seen = observe(&games, settings.net.observation);
    let once = || -> Result<()> {
        let mut planner = Planner::new(&net, &Device::Cpu, settings.players, settings.discount);
        let looked = planner.begin(&seen, asked.simulations)?;
        let roots = looked.roots(agent::legal(&games, settings.net.actions));
        let mut search = Search::new(&asked, settings.net.actions, roots)?;
        while !search.is_done() {
            search.simulate(&mut planner)?;
        }
        Ok(())
    };
    once()?;
    if !config.no_candle {
        with_portable(once)?;
    }
    // The root's evaluation is one more.
    let evaluations = (batch * (config.simulations + 1)) as f64;
    let (mut own, mut candle) = (Turns::default(), Turns::default());
    let (mut searches, mut wall) = (0.0, Duration::ZERO);
    let end = Instant::now() + Duration::from_secs_f64(config.seconds.clamp(0.1, 600.0));
    while Instant::now() < end || own.0.len() < FEWEST {
        let (count, cpu, took) = turn(once)?;
        own.0.push(count * evaluations / cpu);
        searches += count;
        wall += took;
        if !config.no_candle {
            let (count, cpu, _) = with_portable(|| turn(once))?;
            candle.0.push(count * evaluations / cpu);
        }
    }
    Ok(Speed {
        batch,
        own,
        candle: (!config.no_candle).then_some(candle),
        moves: searches * batch as f64 / wall.as_secs_f64(),
    })
}

/// Searches for a turn, at least once: how often, its processor time in seconds, its time.
fn turn(once: impl Fn() -> Result<()>) -> Result<(f64, f64, Duration)> {
    let (start, cpu) = (Instant::now(), process_cpu_time());
    let mut count = 0.0;
    while start.elapsed() < TURN {
        once()?;
        count += 1.0;
    }
    let spent = process_cpu_time().saturating_sub(cpu).as_secs_f64();
    Ok((count, spent, start.elapsed()))
}
