//! How imagination goes astray with depth, over many positions.
//!
//! Games begin with random moves and go on with moves of self-play. From there on the model
//! imagines, and at each depth its picture, value, reward and policy are compared with the truth.
//! Two more lines tell what the numbers mean: the probe's own error on the state that `h` makes of
//! the true observation, below which no imagination can be seen to come, and the error of a picture
//! that never changes. What lies beyond the end of a game is not counted.

use std::path::PathBuf;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::super::agent::{self, Asked};
use super::super::config::Settings;
use super::super::game::{Game, GameId, open};
use super::super::player::observe;
use super::super::self_play::random_action;
use super::super::weights_file::Trained;
use super::super::who::networks;
use super::roll::MOST_STEPS;
use super::{Dream, Look, difference};
use crate::compute::{Flow, Job, StepCx};
use crate::error::Result;
use crate::rng::Rng;

/// Games that are imagined as one batch.
const GROUP: usize = 16;
/// Most random moves at the beginning.
const MOST_RANDOM: usize = 30;
/// Simulations a move of self-play; few, because the moves need not be the best.
const SIMULATIONS: usize = 16;

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftConfig {
    /// The game.
    pub game: GameId,
    /// Weights in place of the shipped ones.
    pub weights: Option<PathBuf>,
    /// Steps that are imagined, up to 20.
    pub depth: usize,
    /// Positions from which.
    pub positions: usize,
    /// Where random numbers begin.
    pub seed: u64,
}

/// A mean and its 95 % band, by the normal distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Half the width of the band.
    pub half: f64,
}

/// What is known of a depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Depth {
    /// Steps from the beginning.
    pub depth: usize,
    /// Positions that got so far.
    pub count: u64,
    /// Mean absolute error of the imagined pictures.
    pub error: Mean,
    /// Of pictures of the true states: what the probe itself gets wrong.
    pub probe: Mean,
    /// Of the first picture, if nothing ever changed.
    pub still: Mean,
    /// The share of cells that show something else.
    pub wrong: Mean,
    /// How far imagined values lie from those of the true states.
    pub value: Mean,
    /// How far imagined rewards lie from the true ones; 0 in games without.
    pub reward: Mean,
    /// How much of the policy lies on moves that the rules forbid.
    pub illegal: Mean,
}

/// What is known so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Positions that were imagined from.
    pub positions: usize,
    /// Whether the networks are trained ones.
    pub trained: bool,
    /// Whether the game has rewards on the way.
    pub has_rewards: bool,
    /// Steps that the model was unrolled in training.
    pub unroll: usize,
    /// From depth 0 on.
    pub depths: Vec<Depth>,
}

/// Mean and spread, number by number (Welford 1962).
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Sums {
    fn add(&mut self, number: f32) {
        let number = f64::from(number);
        self.count += 1.0;
        let off = number - self.mean;
        self.mean += off / self.count;
        self.squares += off * (number - self.mean);
    }

    fn mean(&self) -> Mean {
        let variance = self.squares / (self.count - 1.0).max(1.0);
        Mean {
            mean: self.mean,
            half: 1.96 * (variance / self.count.max(1.0)).sqrt(),
        }
    }
}

/// The sums of a depth, in the order of [`Depth`]'s fields.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    count: u64,
    sums: [Sums; 7],
}

/// Imagines from many positions, a step of all games of a group at a time.
pub struct DriftJob {
    config: DriftConfig,
    trained: Option<(Arc<Trained>, bool)>,
    begun: usize,
    group: Option<Group>,
    rows: Vec<Row>,
}

/// Games that go on together.
struct Group {
    games: Vec<Box<dyn Game>>,
    rngs: Vec<Rng>,
    /// Observations of the beginning.
    begin: Vec<f32>,
    /// Steps since then.
    depth: usize,
    /// The imagined states.
    states: Tensor,
    /// What the last step earned, imagined and in truth.
    imagined_rewards: Option<Vec<f32>>,
    rewards: Vec<f32>,
}

impl DriftJob {
    /// A measurement.
    #[must_use]
    pub fn new(config: DriftConfig) -> Self {
        let depth = config.depth.min(MOST_STEPS);
        Self {
            config,
            trained: None,
            begun: 0,
            group: None,
            rows: vec![Row::default(); depth + 1],
        }
    }

    fn found(&self, trained: &Trained, is_trained: bool) -> Drift {
        let settings = &trained.about.settings;
        let reached = self.rows.iter().enumerate();
        Drift {
            positions: self.begun,
            trained: is_trained,
            has_rewards: settings.net.reward.is_some(),
            unroll: settings.unroll,
            depths: reached
                .filter(|(_, row)| row.count > 0)
                .map(|(depth, row)| row.depth(depth))
                .collect(),
        }
    }
}

impl Row {
    fn depth(&self, depth: usize) -> Depth {
        let [error, probe, still, wrong, value, reward, illegal] =
            self.sums.each_ref().map(Sums::mean);
        Depth {
            depth,
            count: self.count,
            error,
            probe,
            still,
            wrong,
            value,
            reward,
            illegal,
        }
    }
}

impl Group {
    /// Positions after some random moves; a game that ends on the way begins anew.
    fn new(config: &DriftConfig, first: usize, trained: &Trained, device: &Device) -> Result<Self> {
        let settings = &trained.about.settings;
        let count = GROUP.min(config.positions - first);
        let actions = settings.net.actions;
        let mut games = Vec::with_capacity(count);
        let mut rngs = Vec::with_capacity(count);
        for index in first..first + count {
            let mut rng = Rng::new(config.seed).split(&format!("position {index}"));
            let mut game = open(&config.game)?;
            game.reset(rng.split("chance"))?;
            let most = MOST_RANDOM.min(game.spec().max_steps / 2);
            for _ in 0..rng.below(most + 1) {
                game.step(random_action(&*game, actions, &mut rng))?;
                if game.is_over() {
                    let number = rng.next_u64();
                    game.reset(rng.split(&format!("chance {number}")))?;
                }
            }
            games.push(game);
            rngs.push(rng);
        }
        let all: Vec<&dyn Game> = games.iter().map(|game| &**game).collect();
        let begin = observe(&all, settings.net.observation);
        Ok(Self {
            states: Dream::begin(&trained.net, &begin, device)?.rest(),
            begin,
            depth: 0,
            imagined_rewards: None,
            rewards: vec![0.0; games.len()],
            games,
            rngs,
        })
    }

    /// Compares the present depth, as far as games are not over.
    fn compare(&self, trained: &Trained, rows: &mut [Row], device: &Device) -> Result<()> {
        let settings = &trained.about.settings;
        let net = &trained.net;
        let dream = Dream::resume(net, self.states.clone(), device);
        let imagined = dream.look()?;
        let all: Vec<&dyn Game> = self.games.iter().map(|game| &**game).collect();
        let seen = observe(&all, settings.net.observation);
        let here = Dream::begin(net, &seen, device)?;
        let row = &mut rows[self.depth];
        let comparison = Comparison {
            settings,
            shape: net.config().probe_shape(),
            imagined,
            rewards: self.imagined_rewards.as_deref(),
            first: dream.target(&self.begin)?,
            there: here.look()?,
            seen: here.target(&seen)?,
        };
        for (index, game) in all.iter().enumerate() {
            if !game.is_over() {
                let numbers = comparison.of(index, *game, self.rewards[index], self.depth);
                row.count += 1;
                for (sum, number) in row.sums.iter_mut().zip(numbers) {
                    sum.add(number);
                }
            }
        }
        Ok(())
    }

    /// A move of self-play in every game that is not over. False when none is left.
    fn advance(&mut self, trained: &Trained, device: &Device) -> Result<bool> {
        let mut settings = trained.about.settings.clone();
        let simulations = settings.search.simulations.min(SIMULATIONS);
        settings.search.simulations = simulations;
        let mut actions = vec![0; self.games.len()];
        let (games, rngs): (Vec<&dyn Game>, Vec<&mut Rng>) = (self.games.iter())
            .zip(&mut self.rngs)
            .filter(|(game, _)| !game.is_over())
            .map(|(game, rng)| (&**game, rng))
            .unzip();
        if games.is_empty() {
            return Ok(false);
        }
        let seen = observe(&games, settings.net.observation);
        let net = &trained.net;
        let asked: Vec<Asked<'_>> = games.into_iter().map(Asked::noisy).collect();
        let thoughts = agent::think(net, &settings, device, &asked, &seen, rngs)?;
        let mut thoughts = thoughts.into_iter();
        for ((game, action), reward) in
            (self.games.iter_mut().zip(&mut actions)).zip(&mut self.rewards)
        {
            if !game.is_over()
                && let Some(thought) = thoughts.next()
            {
                *action = thought.action;
                *reward = game.step(*action)?;
            }
        }
        let mut dream = Dream::resume(net, self.states.clone(), device);
        self.imagined_rewards = dream.step(&actions)?;
        self.states = dream.rest();
        self.depth += 1;
        Ok(true)
    }
}

/// Both sides of a depth, of all games of a group.
struct Comparison<'a> {
    settings: &'a Settings,
    shape: [usize; 3],
    imagined: Look,
    rewards: Option<&'a [f32]>,
    /// Pictures of the beginning and of now.
    first: Vec<f32>,
    seen: Vec<f32>,
    /// What `h` makes of the true observations.
    there: Look,
}

impl Comparison<'_> {
    /// One game's numbers, in the order of [`Depth`]'s fields.
    fn of(&self, index: usize, game: &dyn Game, earned: f32, depth: usize) -> [f32; 7] {
        let one: usize = self.shape.iter().product();
        let picture = |pictures: &[f32]| pictures[index * one..(index + 1) * one].to_vec();
        let seen = picture(&self.seen);
        let to = |other: &[f32]| difference(&self.settings.game, self.shape, other, &seen);
        let mut first = picture(&self.first);
        if self.settings.players == 2 && depth % 2 == 1 {
            // The first picture in the view of the player whose turn it is now.
            let second = super::super::game::Player::Second;
            super::fixed_view(&self.settings.game, self.shape, second, &mut first);
        }
        let imagined = to(&picture(&self.imagined.pictures));
        let actions = self.settings.net.actions;
        let mut legal = vec![false; actions];
        game.legal(&mut legal);
        let policy = self.imagined.policies[index * actions..].iter();
        let illegal = policy.zip(&legal).filter(|(_, legal)| !**legal);
        let reward = self.rewards.map(|rewards| (rewards[index] - earned).abs());
        [
            imagined.mean,
            to(&picture(&self.there.pictures)).mean,
            to(&first).mean,
            imagined.wrong,
            (self.imagined.values[index] - self.there.values[index]).abs(),
            reward.unwrap_or(0.0),
            illegal.map(|(p, _)| p).sum(),
        ]
    }
}

impl Job for DriftJob {
    type Output = Drift;

    fn step(&mut self, cx: &mut StepCx<'_, Drift>) -> Result<Flow> {
        let Some((trained, is_trained)) = self.trained.clone() else {
            let weights = self.config.weights.as_deref();
            let (trained, warning) = networks(&self.config.game, weights, cx.device())?;
            self.trained = Some((trained, warning.is_none()));
            return Ok(Flow::Continue);
        };
        let depth = self.rows.len() - 1;
        let mut group = match self.group.take() {
            Some(group) => group,
            None => Group::new(&self.config, self.begun, &trained, cx.device())?,
        };
        group.compare(&trained, &mut self.rows, cx.device())?;
        let goes_on = group.depth < depth && group.advance(&trained, cx.device())?;
        if goes_on {
            self.group = Some(group);
            return Ok(Flow::Continue);
        }
        self.begun += group.games.len();
        let all = self.config.positions;
        cx.progress(self.begun as u64, Some(all as u64), "positions");
        cx.emit(self.found(&trained, is_trained));
        Ok(if self.begun >= all {
            Flow::Finished
        } else {
            Flow::Continue
        })
    }
}
