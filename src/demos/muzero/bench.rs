//! How fast the search is: network evaluations a second of processor time.

use std::time::{Duration, Instant};

use candle_core::Device;
use clap::Args;
use serde_json::json;

use super::agent;
use super::config::TrainConfig;
use super::game::{Game, GameId, open};
use super::learn::Learner;
use super::planning::Planner;
use super::player::{PlayOptions, observe};
use super::search::Search;
use crate::cli::Globals;
use crate::error::Result;
use crate::nn::cpu::process_cpu_time;

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
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

/// A batch's measurement.
struct Speed {
    batch: usize,
    /// Evaluations of g and f a second of processor time, the whole search included.
    search: f64,
    /// Moves a second of wall time, of one game in the batch.
    moves: f64,
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
        report.text(&format!(
            "batch {:3}: {:7.0} evaluations a CPU second, {:8.1} moves a second\n",
            speed.batch, speed.search, speed.moves
        ));
        rows.push(json!({
            "batch": speed.batch,
            "evaluations_per_cpu_second": speed.search,
            "moves_per_second": speed.moves,
        }));
    }
    let best = rows
        .iter()
        .filter_map(|row| row["evaluations_per_cpu_second"].as_f64())
        .fold(0.0, f64::max);
    report.event(
        "result",
        &json!({
            "game": config.game,
            "simulations": config.simulations,
            "threads": threads,
            "evaluations_per_cpu_second": best,
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
    let (start, cpu) = (Instant::now(), process_cpu_time());
    let mut searches = 0;
    while start.elapsed() < Duration::from_secs_f64(config.seconds.clamp(0.1, 600.0)) {
        once()?;
        searches += 1;
    }
    let spent = (process_cpu_time() - cpu).as_secs_f64();
    let count = (searches * batch) as f64;
    Ok(Speed {
        batch,
        // The root's evaluation is one more.
        search: count * (config.simulations + 1) as f64 / spent,
        moves: count / start.elapsed().as_secs_f64(),
    })
}
